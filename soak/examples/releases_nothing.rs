//! What `ThreadSanitizer` must report: two threads count under a lock that excludes, and releases nothing.
//!
//! ```sh
//! RUSTFLAGS=-Zsanitizer=thread cargo +nightly run -Zbuild-std --target x86_64-unknown-linux-gnu -p soak --example releases_nothing
//! ```
//!
//! On x86 it counts right, each time: only what watches the order of accesses can tell. Its exit status is 66 then. Without
//! the sanitizer it is of no use.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Relaxed};
use std::thread;

use lock_api::{GuardSend, Mutex, RawMutex};

/// The fault is in `unlock`.
struct ReleasesNothing(AtomicBool);

// SAFETY: none. It excludes; but what was done under it need not have been done for the next one.
unsafe impl RawMutex for ReleasesNothing {
    const INIT: Self = Self(AtomicBool::new(false));
    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        while self.0.swap(true, Acquire) {
            thread::yield_now();
        }
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        (!self.0.swap(true, Acquire)).then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        self.0.store(false, Relaxed); // Release would be right
    }

    fn is_locked(&self) -> bool {
        self.0.load(Relaxed)
    }
}

fn main() {
    const TIMES: u64 = 10_000;
    let count = Mutex::<ReleasesNothing, u64>::new(0);
    let both = Barrier::new(2); // or one might be over, and whoever starts the other had seen that
    let work = || {
        both.wait();
        for _ in 0..TIMES {
            *count.lock() += 1;
            thread::yield_now(); // and the sections of the two alternate, even on one core
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    println!("{} of {}", *count.lock(), 2 * TIMES);
}
