//! The one door to atomics: `core`'s, or loom's when the crate is built for its models (`--cfg loom`).
//!
//! The algorithms import from here and mention neither `cfg` nor a model. Two things differ behind the door:
//!
//! * Loom's atomics have no `const` constructor. `constructor!` makes a `const fn` where that can be, `array!` repeats
//!   a value that is not `Copy`, and `initial!` makes `RawMutex::INIT` an error at compile time for a model that uses
//!   it.
//! * Loom's side can weaken the memory ordering of *one* access, or leave out one store, named by its file and line, while
//!   a model runs ([`mutants`]): one build serves the proof and every mutant of it.

#[cfg(not(loom))]
mod real {
    pub(crate) use core::hint::spin_loop;
    pub(crate) use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU32, fence};

    /// `pub fn name(arguments) = value`: a `const fn` that makes a `Self`.
    macro_rules! constructor {
        ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) = $value:expr) => {
            $(#[$meta])*
            #[must_use]
            #[inline]
            $vis const fn $name($($arg: $type),*) -> Self {
                $value
            }
        };
    }

    /// The value of `RawMutex::INIT`.
    macro_rules! initial {
        ($value:expr) => {
            $value
        };
    }

    /// `[value; count]`, each made anew.
    macro_rules! array {
        ($value:expr; $count:expr) => {
            [const { $value }; $count]
        };
    }

    pub(crate) use {array, constructor, initial};
}

#[cfg(loom)]
mod modelled;

#[cfg(loom)]
pub use modelled::*;
#[cfg(not(loom))]
pub(crate) use real::*;
