//! Loom's side of the door.

use core::panic::Location;

use loom::sync::atomic as model;

pub use loom::hint::spin_loop;
pub use loom::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// `pub fn name(arguments) = value`: a function that makes a `Self`. Not `const`: loom counts its atomics at run time.
macro_rules! constructor {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) = $value:expr) => {
        $(#[$meta])*
        #[must_use]
        $vis fn $name($($arg: $type),*) -> Self {
            $value
        }
    };
}

/// The value of `RawMutex::INIT`: none.
macro_rules! initial {
    ($value:expr) => {
        panic!("a model makes its locks with new(): loom's atomics have no constant initial value")
    };
}

pub(crate) use {constructor, initial};

/// An atomic whose every access asks whether the mutant under way weakens it.
macro_rules! atomic {
    ($name:ident $(<$t:ident>)?, $value:ty) => {
        #[doc = concat!("`", stringify!($name), "` as loom models it.")]
        #[derive(Debug)]
        pub struct $name $(<$t>)? (model::$name $(<$t>)?);

        impl $(<$t>)? $name $(<$t>)? {
            /// A modelled atomic; inside a model only.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                Self(model::$name::new(value))
            }

            /// As in `core`.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.0.load(mutants::ordering(Location::caller(), order))
            }

            /// As in `core`.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, mutants::ordering(Location::caller(), order));
            }

            /// As in `core`.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.0.swap(value, mutants::ordering(Location::caller(), order))
            }

            /// As in `core`; a mutant weakens the ordering of success.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let success = mutants::ordering(Location::caller(), success);
                self.0.compare_exchange(current, new, success, failure)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicBool, bool);
atomic!(AtomicPtr<T>, *mut T);

impl AtomicU32 {
    /// As in `core`.
    #[track_caller]
    pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        self.0.fetch_add(value, mutants::ordering(Location::caller(), order))
    }
}

/// Weakens one access of an algorithm while a model of it runs.
pub mod mutants {
    use core::cell::Cell;
    use core::panic::Location;
    use core::sync::atomic::Ordering;
    use std::thread_local;

    /// One access, and the ordering it is given instead of its own.
    #[derive(Clone, Copy, Debug)]
    pub struct Mutant {
        /// How the path of the source file ends.
        pub file: &'static str,
        /// The line of the access, from 1. An access that waits counts as made where the algorithm waits.
        pub line: u32,
        /// The ordering the access gets.
        pub weakened: Ordering,
    }

    thread_local! { // loom runs a model's threads as coroutines of one thread
        static MUTANT: Cell<Option<Mutant>> = const { Cell::new(None) };
        static REACHED: Cell<u64> = const { Cell::new(0) };
    }

    /// Runs `model` with `mutant` in force; returns what it returned and how often it made the weakened access.
    ///
    /// A model that unwinds is returned as such: that is how loom says that it found something.
    pub fn with<R>(
        mutant: Mutant,
        model: impl FnOnce() -> R + std::panic::UnwindSafe,
    ) -> (std::thread::Result<R>, u64) {
        MUTANT.set(Some(mutant));
        REACHED.set(0);
        let found = std::panic::catch_unwind(model);
        MUTANT.set(None);
        (found, REACHED.get())
    }

    /// The ordering of the access at `site`.
    pub(super) fn ordering(site: &Location<'_>, proved: Ordering) -> Ordering {
        match MUTANT.get() {
            Some(mutant) if site.line() == mutant.line && site.file().ends_with(mutant.file) => {
                REACHED.set(REACHED.get() + 1);
                mutant.weakened
            }
            _ => proved,
        }
    }
}
