//! Locks that break the laws, one each: a law that does not tell is no law.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::thread;

use hyp_locks::laws::{self, Violation};
use lock_api::{GuardSend, RawMutex};

use crate::crew::crew;

/// A correct lock, but for what `FAULT` names.
#[derive(Default)]
struct Broken<const FAULT: u8> {
    held: AtomicBool,
    /// Its own address, for the fault of keeping it.
    here: AtomicPtr<()>,
}

const LETS_ALL_IN: u8 = 0;
const TRY_LOCK_TAKES_HELD: u8 = 1;
const TRY_LOCK_REFUSES_FREE: u8 = 2;
const IS_LOCKED_SAYS_NO: u8 = 3;
const KNOWS_ITS_ADDRESS: u8 = 4;

// SAFETY: none: that is what the laws must find. What it guards is atomic, so nothing undefined happens.
unsafe impl<const FAULT: u8> RawMutex for Broken<FAULT> {
    const INIT: Self = Self { held: AtomicBool::new(false), here: AtomicPtr::new(ptr::null_mut()) };

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        while self.held.swap(true, Ordering::Acquire) && FAULT != LETS_ALL_IN {
            thread::yield_now();
        }
        self.here.store(ptr::from_ref(self).cast_mut().cast(), Ordering::Relaxed);
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        if FAULT == TRY_LOCK_REFUSES_FREE {
            return None;
        }
        let held = self.held.swap(true, Ordering::Acquire);
        (!held || FAULT == TRY_LOCK_TAKES_HELD).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        self.held.store(false, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        match FAULT {
            IS_LOCKED_SAYS_NO => false,
            KNOWS_ITS_ADDRESS => {
                self.held.load(Ordering::Relaxed)
                    && ptr::eq(self.here.load(Ordering::Relaxed).cast_const().cast(), ptr::from_ref(self))
            }
            _ => self.held.load(Ordering::Relaxed),
        }
    }
}

#[test]
fn a_lock_that_lets_all_in_does_not_exclude() {
    let shared = laws::Shared::<Broken<LETS_ALL_IN>>::new();
    let found = crew(|core, rounds| laws::mutual_exclusion(&shared, core, rounds));
    assert!(matches!(found, Err(Violation::TwoInside | Violation::Unordered | Violation::Lost { .. })), "{found:?}");
}

#[test]
fn a_try_lock_that_takes_a_held_lock_does_not_exclude() {
    let shared = laws::Shared::<Broken<TRY_LOCK_TAKES_HELD>>::new();
    let found = crew(|core, rounds| laws::try_lock_exclusion(&shared, core, rounds));
    assert!(matches!(found, Err(Violation::TwoInside | Violation::Unordered | Violation::Lost { .. })), "{found:?}");
    assert_eq!(laws::alone::<Broken<TRY_LOCK_TAKES_HELD>>(), Err(Violation::TookHeld));
}

#[test]
fn a_try_lock_that_refuses_a_free_lock_is_told() {
    assert_eq!(laws::alone::<Broken<TRY_LOCK_REFUSES_FREE>>(), Err(Violation::RefusedFree));
}

#[test]
fn an_is_locked_that_says_no_is_told() {
    assert_eq!(laws::alone::<Broken<IS_LOCKED_SAYS_NO>>(), Err(Violation::IsLocked { expected: true }));
}

#[test]
fn a_lock_that_knows_its_address_cannot_be_moved() {
    laws::alone::<Broken<KNOWS_ITS_ADDRESS>>().unwrap();
    assert_eq!(laws::relocation::<Broken<KNOWS_ITS_ADDRESS>>(), Err(Violation::IsLocked { expected: true }));
}
