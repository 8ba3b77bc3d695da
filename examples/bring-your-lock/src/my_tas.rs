//! A lock of one's own: all that it takes is `lock_api::RawMutex`.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};

use lock_api::{GuardSend, RawMutex};

/// Taken by an exchange, released by a store.
pub(crate) struct MyTas(AtomicBool);

// SAFETY: whoever's exchange found `false` holds it until it stores `false`: Acquire and Release.
unsafe impl RawMutex for MyTas {
    const INIT: Self = Self(AtomicBool::new(false));

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        while self.0.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        (!self.0.swap(true, Ordering::Acquire)).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        self.0.store(false, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
