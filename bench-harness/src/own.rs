//! Locks and workloads that a program brings along, on the host.
//!
//! ```no_run
//! use bench_harness::own::{Own, main_with};
//! use hyp_locks::Ticket;
//!
//! fn main() -> std::process::ExitCode {
//!     main_with(&[Own::lock::<Ticket>("mine", "a lock of my own", true)])
//! }
//! ```
//!
//! The program then is `bench-harness` with one lock more: in `list`, `--lock mine`, scenarios, records and reports. A
//! lock with a C ABI becomes one in Rust by [`c_lock!`](crate::c_lock).

use std::process::ExitCode;
use std::sync::RwLock;

use bench_core::load::Load;
use bench_core::own::{self, Full, Known, OwnLoad, OwnLock};
use bench_core::{Axis as _, Lock, Workload};
use lock_api::RawMutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::Host;

/// A lock or a workload that is brought along.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    known: Known,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Lock(OwnLock<Host>),
    Workload(OwnLoad),
}

impl Own {
    /// The lock `L`, under this name; `fair`: whether who asks first gets it first.
    #[must_use]
    pub fn lock<L: RawMutex + Send + Sync>(name: &'static str, about: &'static str, fair: bool) -> Self {
        Self { known: Known { name, about, fair }, what: What::Lock(own::lock::<Host, L>()) }
    }

    /// The workload `W`, under this name.
    #[must_use]
    pub fn workload<W: Load + 'static>(name: &'static str, about: &'static str) -> Self {
        Self { known: Known { name, about, fair: false }, what: What::Workload(own::workload::<W>()) }
    }
}

static LOCKS: RwLock<Vec<(Lock, OwnLock<Host>)>> = RwLock::new(vec![]);
static WORKLOADS: RwLock<Vec<(Workload, OwnLoad)>> = RwLock::new(vec![]);

/// How `lock` is measured, if it was brought along.
pub(crate) fn lock(lock: Lock) -> Option<OwnLock<Host>> {
    let all = LOCKS.read().expect("nothing panics with it");
    all.iter().find(|(own, _)| *own == lock).map(|(_, how)| *how)
}

/// How `workload` is measured, if it was brought along.
pub(crate) fn workload(workload: Workload) -> Option<OwnLoad> {
    let all = WORKLOADS.read().expect("nothing panics with it");
    all.iter().find(|(own, _)| *own == workload).map(|(_, how)| *how)
}

/// Adds them to the axes.
///
/// # Errors
///
/// There are more than [`own::OWN`] of a kind.
pub fn bring(all: &[Own]) -> Result<(), Full> {
    for own in all {
        match own.what {
            What::Lock(how) => {
                LOCKS.write().expect("nothing panics with it").push((own::name_lock(own.known)?, how));
            }
            What::Workload(how) => {
                WORKLOADS.write().expect("nothing panics with it").push((own::name_workload(own.known)?, how));
            }
        }
    }
    Ok(())
}

/// `bench-harness`, with these beside its own locks and workloads.
#[must_use]
pub fn main_with(all: &[Own]) -> ExitCode {
    match bring(all) {
        Ok(()) => crate::program::main(),
        Err(full) => {
            eprintln!("error: {full}");
            ExitCode::FAILURE
        }
    }
}

/// A name that the program which made a record had beside those of `bench-harness`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Brought {
    /// Whether it is a lock; else it is a workload.
    pub lock: bool,
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// Of a lock: whether who asks first gets it first.
    pub fair: bool,
}

/// What this program has.
#[must_use]
pub fn brought() -> Vec<Brought> {
    let one = |lock: bool, known: Known| Brought {
        lock,
        name: known.name.into(),
        about: known.about.into(),
        fair: known.fair,
    };
    let locks = LOCKS.read().expect("nothing panics with it");
    let workloads = WORKLOADS.read().expect("nothing panics with it");
    let locks = locks.iter().filter_map(|(own, _)| Some(one(true, own.known()?)));
    let workloads = workloads.iter().filter_map(|(own, _)| Some(one(false, own.known()?)));
    locks.chain(workloads).collect()
}

/// The names that a record has, from now on names here: its passes can be read. They live as long as the program.
///
/// # Errors
///
/// [`Full`].
pub fn adopt(all: &[Brought]) -> Result<(), Full> {
    for Brought { lock, name, about, fair } in all {
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let known = Known { name: leak(name), about: leak(about), fair: *fair };
        if *lock {
            own::name_lock(known)?;
        } else {
            own::name_workload(known)?;
        }
    }
    Ok(())
}

/// A lock with a C ABI as a `RawMutex`: so many words, zero when it is free, and two functions that get their address.
///
/// ```
/// # mod c { // what would be in C
/// #     #[unsafe(no_mangle)]
/// #     unsafe extern "C" fn ticket_lock(_: *mut [u32; 2]) {}
/// #     #[unsafe(no_mangle)]
/// #     unsafe extern "C" fn ticket_unlock(_: *mut [u32; 2]) {}
/// # }
/// bench_harness::c_lock! {
///     /// The ticket lock of `ticket.c`.
///     pub struct CTicket([u32; 2]);
///     lock = ticket_lock;
///     unlock = ticket_unlock;
/// }
/// ```
///
/// `try_lock` is one that never succeeds: the instrument asks for none.
#[macro_export]
macro_rules! c_lock {
    ($(#[$meta:meta])* $vis:vis struct $name:ident([$word:ty; $words:expr]); lock = $lock:ident; unlock = $unlock:ident;) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name(::core::cell::UnsafeCell<[$word; $words]>);

        unsafe extern "C" {
            fn $lock(lock: *mut [$word; $words]);
            fn $unlock(lock: *mut [$word; $words]);
        }

        // SAFETY: the words are the C code's, which is a lock: it may be called from any thread.
        unsafe impl ::core::marker::Sync for $name {}

        // SAFETY: whoever names the two functions promises that they are a lock, whose words are 0 when it is free.
        unsafe impl $crate::lock_api::RawMutex for $name {
            const INIT: Self = Self(::core::cell::UnsafeCell::new([0; $words]));

            type Guard = $crate::lock_api::GuardSend;

            #[inline]
            fn lock(&self) -> Self::Guard {
                // SAFETY: the address is that of its words.
                unsafe { $lock(self.0.get()) };
                $crate::lock_api::GuardSend::new()
            }

            #[inline]
            fn try_lock(&self) -> ::core::option::Option<Self::Guard> {
                ::core::option::Option::None
            }

            #[inline]
            unsafe fn unlock(&self, _: Self::Guard) {
                // SAFETY: the caller holds it.
                unsafe { $unlock(self.0.get()) };
            }

            fn is_locked(&self) -> bool {
                true // nobody can tell: it is for assertions alone
            }
        }
    };
}
