//! A cache line of its own.

/// `T` at the start of a cache line, with nothing else on its lines.
///
/// 128 bytes on x86-64 and AArch64: some of the latter have such lines, and the former fetch lines in pairs. As for
/// the alignment of everything else that is shared, too little costs time and too much costs some bytes.
#[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), repr(C, align(128)))]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), repr(C, align(64)))]
pub(crate) struct Line<T>(pub(crate) T);
