//! Loom's side of the door.

use core::panic::Location;

use loom::sync::atomic as model;

pub use loom::hint::spin_loop;
pub use loom::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

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

/// `[value; count]`, each made anew.
macro_rules! array {
    ($value:expr; $count:expr) => {
        core::array::from_fn(|_| $value)
    };
}

pub(crate) use {array, constructor, initial};

/// An atomic whose every access asks whether the mutant under way weakens it, and whose every load is an event that
/// loom reorders with the other threads'.
///
/// Loom remembers the last access to an atomic alone: "A loads; B loads, then exchanges" hides A's load behind B's, two
/// loads do not depend on each other, and the order in which B came first is never run. A relaxed read-modify-write
/// of a second word, which orders nothing, brings it back; the load itself may still be stale.
macro_rules! atomic {
    ($name:ident $(<$t:ident>)?, $value:ty) => {
        #[doc = concat!("`", stringify!($name), "` as loom models it.")]
        #[derive(Debug)]
        pub struct $name $(<$t>)? {
            word: model::$name $(<$t>)?,
            loads: model::AtomicU32,
        }

        impl $(<$t>)? $name $(<$t>)? {
            /// A modelled atomic; inside a model only.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                let _made_before_the_threads_are = &*FENCES;
                Self { word: model::$name::new(value), loads: model::AtomicU32::new(0) }
            }

            /// As in `core`.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.loads.fetch_add(0, Relaxed);
                self.word.load(mutants::ordering(Location::caller(), order))
            }

            /// As in `core`.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                if !mutants::left_out(Location::caller()) {
                    self.word.store(value, mutants::ordering(Location::caller(), order));
                }
            }

            /// As in `core`.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.word.swap(value, mutants::ordering(Location::caller(), order))
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
                self.word.compare_exchange(current, new, success, failure)
            }
        }

    };
}

atomic!(AtomicU16, u16);
atomic!(AtomicU32, u32);
atomic!(AtomicBool, bool);
atomic!(AtomicPtr<T>, *mut T);

loom::lazy_static! {
    /// Written by every fence and read by none, so it orders nothing.
    static ref FENCES: model::AtomicU32 = model::AtomicU32::new(0);
}

/// As in `core`; a mutant weakens it, or leaves it out (`Relaxed`). An event, for the reason that a load is one: loom
/// has no order of its own among fences to try out, and two `SeqCst` ones are not the same the other way round.
#[track_caller]
pub fn fence(order: Ordering) {
    let order = mutants::ordering(Location::caller(), order);
    if order != Relaxed {
        FENCES.store(0, Relaxed);
        model::fence(order);
    }
}

impl AtomicU32 {
    /// As in `core`.
    #[track_caller]
    pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        self.word.fetch_add(value, mutants::ordering(Location::caller(), order))
    }
}

/// The end of an atomic is an access to it that excludes all others. A queue node ends with its waiter's frame: an
/// access by another thread that nothing orders before that is found.
macro_rules! ends {
    ($name:ident $(<$t:ident>)?) => {
        impl $(<$t>)? Drop for $name $(<$t>)? {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    self.word.with_mut(|_| ()); // but not while loom unwinds, having found something
                }
            }
        }
    };
}

ends!(AtomicU16);
ends!(AtomicU32); // not `AtomicBool`: loom's has no such access, and no core looks at another one's
ends!(AtomicPtr<T>);

/// Weakens one access of an algorithm, or leaves a store out, while a model of it runs.
pub mod mutants {
    use core::cell::Cell;
    use core::panic::Location;
    use core::sync::atomic::Ordering;
    use std::thread_local;

    /// What becomes of an access.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Change {
        /// It gets this ordering instead of its own.
        Weakened(Ordering),
        /// A store that is not done.
        LeftOut,
    }

    /// One access, and what becomes of it.
    #[derive(Clone, Copy, Debug)]
    pub struct Mutant {
        /// How the path of the source file ends.
        pub file: &'static str,
        /// The line of the access, from 1. An access that waits counts as made where the algorithm waits.
        pub line: u32,
        /// What becomes of it.
        pub change: Change,
    }

    thread_local! { // loom runs a model's threads as coroutines of one thread
        static MUTANT: Cell<Option<Mutant>> = const { Cell::new(None) };
        static REACHED: Cell<u64> = const { Cell::new(0) };
    }

    /// Runs `model` with `mutant` in force; returns what it returned and how often it made that access.
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
        match change(site) {
            Some(Change::Weakened(weakened)) => weakened,
            _ => proved,
        }
    }

    /// Whether the store at `site` is not done.
    pub(super) fn left_out(site: &Location<'_>) -> bool {
        MUTANT.get().is_some_and(|mutant| mutant.change == Change::LeftOut) && change(site).is_some()
    }

    fn change(site: &Location<'_>) -> Option<Change> {
        let here = |mutant: &Mutant| site.line() == mutant.line && site.file().ends_with(mutant.file);
        MUTANT.get().filter(here).map(|mutant| {
            REACHED.set(REACHED.get() + 1);
            mutant.change
        })
    }
}
