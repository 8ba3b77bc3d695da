//! Waits that nest: an interrupt handler waits for a lock while what it interrupted waits for another one of that kind.
//!
//! ```text
//!   LOCKS[0]  held ─────────────── let go ──► ours, released        by the body; it lets go when it begins to wait
//!   LOCKS[1]  held ──────── let go ──► ours, released               by the handler, anywhere in between
//! ```

use super::{OneCpu, sweep};
use crate::board::Board;
use crate::case::{Case, Outcome, ensure, ensure_eq};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use hyp_locks::wait::{Wait, Word};
use hyp_locks::{Mcs, QSpin, Queued, Tas, Ticket, Ttas};
use lock_api::{Mutex, RawMutex};

/// Which of the two locks is waited for now. Relaxed everywhere: one core.
static LEVEL: AtomicUsize = AtomicUsize::new(0);
/// How often somebody waited.
static WAITS: AtomicUsize = AtomicUsize::new(0);

/// Two locks of a kind.
trait Two: 'static {
    type Lock: RawMutex<Guard: Send> + Sync;
    fn locks() -> &'static [Held<Self::Lock>; 2];
}

/// A lock that somebody holds until it is waited for.
struct Held<L: RawMutex> {
    lock: L,
    by: Mutex<Ticket, Option<L::Guard>>,
}

impl<L: RawMutex> Held<L> {
    #[expect(clippy::declare_interior_mutable_const, reason = "to make statics of")]
    const NEW: Self = Self { lock: L::INIT, by: Mutex::new(None) };

    fn hold(&self) {
        *self.by.lock() = Some(self.lock.lock());
    }

    fn let_go(&self) {
        let guard = self.by.lock().take();
        // SAFETY: of the acquisition in `hold`, and taken out: once.
        guard.into_iter().for_each(|guard| unsafe { self.lock.unlock(guard) });
    }

    fn section(&self) {
        let guard = self.lock.lock();
        // SAFETY: acquired above.
        unsafe { self.lock.unlock(guard) };
    }
}

/// Who waits has the holder let go, as another core would.
struct Lets<T>(PhantomData<fn() -> T>);

// SAFETY: the one way out is `ahead == 0` for the value just seen; nothing unwinds.
unsafe impl<T: Two> Wait for Lets<T> {
    fn until<A: Word>(word: &A, ahead: impl Fn(A::Value) -> u32) -> A::Value {
        loop {
            let seen = word.look();
            if ahead(seen) == 0 {
                return seen;
            }
            WAITS.fetch_add(1, Relaxed);
            T::locks()[LEVEL.load(Relaxed)].let_go();
        }
    }
}

macro_rules! two {
    ($($two:ident: $lock:ty as $name:literal;)*) => {
        $(
            struct $two;

            impl Two for $two {
                type Lock = $lock;

                fn locks() -> &'static [Held<$lock>; 2] {
                    static LOCKS: [Held<$lock>; 2] = [Held::NEW, Held::NEW];
                    &LOCKS
                }
            }
        )*

        /// The cases.
        pub(super) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
            [$(Case { name: concat!("step.", $name, ".waits_nest"), run: waits_nest::<B, $two> }),*].into_iter()
        }
    };
}

two! {
    OfTas: Tas<Lets<OfTas>> as "tas";
    OfTtas: Ttas<Lets<OfTtas>> as "ttas";
    OfTicket: Ticket<Lets<OfTicket>> as "ticket";
    OfMcs: Mcs<Lets<OfMcs>> as "mcs";
    OfQueued: Queued<Lets<OfQueued>> as "queued";
    OfQSpin: QSpin<OneCpu, Lets<OfQSpin>> as "qspin";
}

fn waits_nest<B: Board, T: Two>(board: &B) -> Outcome {
    board.has_steps()?;
    let [ours, theirs] = T::locks();
    WAITS.store(0, Relaxed);
    let steps = sweep(|at| {
        ours.hold();
        theirs.hold();
        let handler = || {
            LEVEL.store(1, Relaxed);
            theirs.section();
            LEVEL.store(0, Relaxed);
        };
        let came = board.nmi_after(at, &handler, &mut || ours.section());
        theirs.let_go();
        for held in [ours, theirs] {
            ensure(!held.lock.is_locked(), "a lock stays held")?;
            let guard = held.lock.try_lock();
            ensure(guard.is_some(), "a lock is not free")?;
            // SAFETY: acquired above.
            guard.into_iter().for_each(|guard| unsafe { held.lock.unlock(guard) });
        }
        Ok(came)
    })?;
    // Each body once, and each handler; of the last body nothing was interrupted.
    ensure_eq(WAITS.load(Relaxed), 2 * steps + 1, "waits")
}
