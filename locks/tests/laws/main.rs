//! The laws of [`hyp_locks::laws`] on threads, for every lock of the crate and for those of others that it lets in;
//! and locks that break them, which they must tell.

#![cfg(not(loom))]

mod broken;
mod crew;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyp_locks::bakery::Coherent;
use hyp_locks::laws::{self, Counted};
use hyp_locks::timed::Monotonic;
use hyp_locks::wait::{Backoff, Proportional, RelaxWith, Spin};
use hyp_locks::{
    Bakery, CriticalSection, Instrumented, IrqSave, Mcs, Nested, NoLock, QSpin, Queued, RawSpinlock, Recorder,
    SpinMutex, SpinTicket, Tas, Ticket, Timed, Ttas,
};
use lock_api::RawMutex;

use crate::crew::{Announce, Announced, Draws, FewNodes, Idle, Member, NoProbe, OneCore, THREADS, Thread, Yield, crew};

/// Everybody's laws.
macro_rules! laws {
    ($($name:ident: $lock:ty;)*) => {$(
        mod $name {
            use super::*;
            type Lock = $lock;

            #[test]
            fn alone() {
                laws::alone::<Lock>().unwrap();
            }

            #[test]
            fn relocation() {
                laws::relocation::<Lock>().unwrap();
            }

            /// The laws guard atomics. Whether one section is over for the next one is for miri and ThreadSanitizer to
            /// say, which watch plain data.
            #[test]
            fn plain_data() {
                let (sections, expected) = (lock_api::Mutex::<Lock, u64>::new(0), AtomicU64::new(0));
                crew(|_, rounds| {
                    let rounds = if cfg!(miri) { rounds / 3 } else { rounds };
                    (0..rounds).for_each(|_| *sections.lock() += 1);
                    expected.fetch_add(rounds.into(), Relaxed);
                    Ok(())
                })
                .unwrap();
                assert_eq!(sections.into_inner(), expected.into_inner());
            }

            #[test]
            fn mutual_exclusion() {
                let shared = laws::Shared::<Lock>::new();
                crew(|core, rounds| laws::mutual_exclusion(&shared, core, rounds)).unwrap();
            }

            #[test]
            fn try_lock_exclusion() {
                let shared = laws::Shared::<Lock>::new();
                crew(|core, rounds| laws::try_lock_exclusion(&shared, core, rounds)).unwrap();
            }
        }
    )*};
}

/// For locks whose guard may be released by another thread.
macro_rules! guards_cross {
    ($($name:ident: $lock:ty;)*) => {
        mod guards_cross { $(
            #[test]
            fn $name() {
                use super::*;
                let shared = laws::Shared::<$lock>::new();
                let parcel = laws::Parcel::new();
                crew(|core, rounds| laws::guard_crosses_cores(&shared, &parcel, core, rounds / 10)).unwrap();
            }
        )* }
    };
}

/// For locks that admit waiters in order; the number is that of the test's own counter of waits.
macro_rules! fifo {
    ($($name:ident: $lock:ty, $counter:literal;)*) => {
        mod fifo { $(
            #[test]
            fn $name() {
                use super::*;
                let shared = laws::Shared::<$lock>::new();
                let waits = Counted::<Yield, $counter>::waits;
                crew(|core, rounds| laws::fifo_admission(&shared, core, rounds / 10, waits)).unwrap();
            }
        )* }
    };
}

laws! {
    tas: Tas<Yield>;
    ttas: Ttas<Yield>;
    ticket: Ticket<Yield>;
    mcs: Mcs<Yield>;
    queued: Queued<Yield>;
    qspin: QSpin<Thread, Yield>;
    qspin_few_nodes: QSpin<FewNodes, Yield>;
    bakery: Bakery<Member, THREADS, Coherent, Yield>;
    bakery_short_of_numbers: Bakery<Member, THREADS, Coherent, Yield, 4>;
    timed: Timed<Ttas<Yield>, Monotonic>;
    ticket_relax: Ticket<RelaxWith<Idle>>;
    mcs_relax: Mcs<RelaxWith<Idle>>;
    irq_save_ticket: IrqSave<Ticket<Yield>, Recorder>;
    irq_save_qspin: IrqSave<QSpin<Thread, Yield>, Recorder>;
    irq_save_queued: IrqSave<Queued<Yield>, Recorder>;
    irq_save_bakery: IrqSave<Bakery<Member, THREADS, Coherent, Yield>, Recorder>;
    instrumented: Instrumented<Mcs<Yield>, NoProbe>;
    instrumented_irq_save: IrqSave<Instrumented<Ticket<Yield>, NoProbe>, Recorder>;
    spin_ticket: SpinTicket<Idle>;
    spin_mutex: SpinMutex<Idle>;
    raw_spinlock: RawSpinlock<Idle>;
    parking: parking_lot::RawMutex;
}

guards_cross! {
    tas: Tas<Yield>;
    ttas: Ttas<Yield>;
    ticket: Ticket<Yield>;
    mcs: Mcs<Yield>;
    queued: Queued<Yield>;
    qspin: QSpin<Thread, Yield>;
    instrumented: Instrumented<Ticket<Yield>, NoProbe>;
    spin_ticket: SpinTicket<Idle>;
    spin_mutex: SpinMutex<Idle>;
    raw_spinlock: RawSpinlock<Idle>;
}

fifo! {
    ticket: Ticket<Counted<Yield, 0>>, 0;
    mcs: Mcs<Counted<Yield, 1>>, 1;
    queued: Queued<Counted<Yield, 2>>, 2;
    irq_save_mcs: IrqSave<Mcs<Counted<Yield, 3>>, Recorder>, 3;
    instrumented_ticket: Instrumented<Ticket<Counted<Yield, 4>>, NoProbe>, 4;
    qspin: QSpin<Thread, Counted<Yield, 5>>, 5;
}

/// `spin`'s ticket lock tells of its waits by the strategy it relaxes with.
#[test]
fn fifo_spin_ticket() {
    let shared = laws::Shared::<Announced<SpinTicket<Announce>>>::new();
    crew(|core, rounds| laws::fifo_admission(&shared, core, rounds / 10, Announce::waits)).unwrap();
}

/// A bakery lock waits for every CPU, one after the other; that a number has been drawn is told by what publishes it.
#[test]
fn fifo_bakery() {
    let shared = laws::Shared::<Bakery<Member, THREADS, Draws, Yield>>::new();
    crew(|core, rounds| laws::fifo_admission(&shared, core, rounds / 10, Draws::drawn)).unwrap();
}

/// The policies that do not yield, between two threads, for not so long: the scheduler may take a core away.
#[test]
fn two_threads_with_policies_that_spin() {
    fn exclusion<L: RawMutex + Sync>() {
        let shared = laws::Shared::<L>::new();
        crew::of(2, |core, _| laws::mutual_exclusion(&shared, core, 20)).unwrap();
    }
    exclusion::<Tas>();
    exclusion::<Ttas<Spin>>();
    exclusion::<Ttas<Backoff>>();
    exclusion::<Ticket>();
    exclusion::<Ticket<Spin>>();
    exclusion::<Mcs>();
    exclusion::<Mcs<Proportional<16>>>();
    exclusion::<Queued>();
    exclusion::<Queued<Spin>>();
    exclusion::<QSpin<Thread>>();
    exclusion::<QSpin<Thread, Spin>>();
    exclusion::<hyp_locks::TicketRelax>();
    exclusion::<Bakery<Member, 2>>();
    #[cfg(any(target_arch = "aarch64", miri))]
    {
        exclusion::<Tas<hyp_locks::wait::Wfe>>();
        exclusion::<Ticket<hyp_locks::wait::Wfe>>();
        exclusion::<Mcs<hyp_locks::wait::Wfe>>();
        exclusion::<Queued<hyp_locks::wait::Wfe>>();
        exclusion::<QSpin<Thread, hyp_locks::wait::Wfe>>();
    }
}

/// The laws end each section before they begin another on the same thread.
struct OneAtATime;

// SAFETY: see above; `try_lock` on a held lock, in `alone`, begins and ends within. No law that forgets a guard is run.
unsafe impl Nested for OneAtATime {}

/// Without `relocation`: its forgotten guard would keep the program's one critical section for ever.
#[test]
fn critical_section() {
    type Lock = IrqSave<Queued<Yield>, CriticalSection<OneAtATime>>;
    laws::alone::<Lock>().unwrap();
    let shared = laws::Shared::<Lock>::new();
    crew(|core, rounds| laws::mutual_exclusion(&shared, core, rounds)).unwrap();
    crew(|core, rounds| laws::try_lock_exclusion(&shared, core, rounds)).unwrap();
}

/// Locks of one core.
#[test]
fn one_core() {
    laws::alone::<NoLock>().unwrap();
    laws::relocation::<NoLock>().unwrap();
    laws::alone::<hyp_locks::IrqMask<OneCore>>().unwrap();
    laws::relocation::<hyp_locks::IrqMask<OneCore>>().unwrap();
    let shared = laws::Shared::<hyp_locks::IrqMask<OneCore>>::new();
    crew::of(1, |core, rounds| laws::mutual_exclusion(&shared, core, rounds)).unwrap();
}
