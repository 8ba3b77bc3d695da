//! Who is measured.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering::Acquire, Ordering::Release};
use std::time::Duration;

use core_affinity::CoreId;
use hyp_locks::qspin::{CpuNodes, Nodes};
use hyp_locks::{Bakery, CpuId, Mcs, QSpin, Queued, SpinTicket, Tas, Ticket, Ttas};
use lock_api::RawMutex;

use super::alone::alone;
use super::together::{Together, Work, together};
use super::tried::{Claim, Parted, Patience, Tried};

/// A lock with a word of data.
pub(super) trait Lock: Sync {
    fn new() -> Self;
    /// A critical section.
    fn with(&self, section: impl FnOnce(&mut u64));
}

/// One row.
pub(super) struct Contestant {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) alone: fn(Option<CoreId>, Duration) -> Option<f64>,
    pub(super) together: fn([CoreId; 2], Duration, Work) -> Together,
}

/// What everything is compared with, alone.
pub(super) const FLOOR: &str = "floor";

const fn row<L: Lock>(name: &'static str, about: &'static str) -> Contestant {
    Contestant { name, about, alone: alone::<L>, together: together::<L> }
}

/// Ours first.
pub(super) const ALL: &[Contestant] = &[
    row::<Line<Tas>>("tas", "ours"),
    row::<Line<Ttas>>("ttas", "ours"),
    row::<Line<Ticket>>("ticket", "ours, data on the lock's line"),
    row::<Apart<Ticket>>("ticket-apart", "ours, data on another line"),
    row::<Line<Queued>>("queued", "ours"),
    row::<Line<QSpin<Cpus>>>("qspin", "ours, four bytes"),
    row::<Line<Mcs>>("mcs", "ours"),
    row::<Line<Bakery<Cpus, 2>>>("bakery", "ours, of two CPUs: no read-modify-write"),
    row::<Floor>(FLOOR, "an exchange and a store, waits with a hint"),
    row::<spin::mutex::SpinMutex<u64>>("spin-mutex", "spin 0.12"),
    row::<spin::mutex::TicketMutex<u64>>("spin-ticket", "spin 0.12"),
    row::<Line<SpinTicket>>("spin-ticket-raw", "spin 0.12, behind lock_api"),
    row::<Line<spinning_top::RawSpinlock>>("spinning-top", "spinning_top 0.4"),
    row::<Line<parking_lot::RawMutex>>("parking-lot", "parking_lot 0.13: waiters sleep"),
    row::<lock_api_04::Mutex<hermit_sync::RawTicketMutex, u64>>("hermit-ticket", "hermit-sync 0.2: with backoff"),
    row::<mcslock::raw::spins::Mutex<u64>>("mcslock", "mcslock 0.4, nodes on the stack"),
    row::<mcslock::barging::spins::Mutex<u64>>("mcslock-barging", "mcslock 0.4, newcomers may pass"),
    row::<Clh>("clhlock", "clhlock 0.2: a heap node each time"),
    row::<Line<Tried<Claim>>>("ticket-claim", "tried: looks by read-modify-write"),
    row::<Line<Tried<Patience>>>("ticket-patience", "tried: looks less often"),
    row::<Line<Parted>>("ticket-parted", "tried: draws on another line"),
];

std::thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

/// The threads of a measurement, as CPUs. There is one measurement at a time.
pub(super) struct Cpus;

impl Cpus {
    /// This thread is CPU `cpu`.
    pub(super) fn enter(cpu: usize) {
        CPU.set(cpu);
    }
}

// SAFETY: of the two threads of a measurement one has called `enter(0)`, the other `enter(1)`; one alone is CPU 0.
unsafe impl CpuId for Cpus {
    fn cpu() -> usize {
        CPU.get()
    }
}

impl Nodes for Cpus {
    fn nodes() -> &'static [CpuNodes] {
        static NODES: [CpuNodes; 2] = [const { CpuNodes::new() }; 2];
        &NODES
    }
}

/// The data beside the lock.
struct Line<L>(lock_api::Mutex<L, u64>);

impl<L: RawMutex + Send + Sync> Lock for Line<L> {
    fn new() -> Self {
        Self(lock_api::Mutex::new(1))
    }

    #[inline]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.0.lock());
    }
}

#[repr(align(128))]
struct OwnLine(u64);

/// The data on a line of its own.
#[repr(align(128))]
struct Apart<L>(lock_api::Mutex<L, OwnLine>);

impl<L: RawMutex + Send + Sync> Lock for Apart<L> {
    fn new() -> Self {
        Self(lock_api::Mutex::new(OwnLine(1)))
    }

    #[inline]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.0.lock().0);
    }
}

/// The least that a lock can be.
struct Floor {
    held: AtomicU8,
    data: std::cell::UnsafeCell<u64>,
}

// SAFETY: whoever's exchange found 0 has the data to itself until it stores 0: Acquire and Release.
unsafe impl Sync for Floor {}

impl Lock for Floor {
    fn new() -> Self {
        Self { held: AtomicU8::new(0), data: std::cell::UnsafeCell::new(1) }
    }

    #[inline]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        while self.held.swap(1, Acquire) != 0 {
            std::hint::spin_loop();
        }
        // SAFETY: the exchange found 0: see above.
        section(unsafe { &mut *self.data.get() });
        self.held.store(0, Release);
    }
}

/// The locks that are used as they are.
macro_rules! others {
    ($($lock:ty: |$mutex:ident, $section:ident| $with:expr;)*) => {$(
        impl Lock for $lock {
            fn new() -> Self {
                Self::new(1)
            }

            #[inline]
            fn with(&self, $section: impl FnOnce(&mut u64)) {
                let $mutex = self;
                $with;
            }
        }
    )*};
}

others! {
    spin::mutex::SpinMutex<u64>: |mutex, section| section(&mut mutex.lock());
    spin::mutex::TicketMutex<u64>: |mutex, section| section(&mut mutex.lock());
    lock_api_04::Mutex<hermit_sync::RawTicketMutex, u64>: |mutex, section| section(&mut mutex.lock());
    mcslock::raw::spins::Mutex<u64>: |mutex, section| mutex.lock_then(section);
    mcslock::barging::spins::Mutex<u64>: |mutex, section| section(&mut mutex.lock());
}

/// Its constructor allocates.
struct Clh(clhlock::raw::spins::Mutex<u64>);

impl Lock for Clh {
    fn new() -> Self {
        Self(clhlock::raw::spins::Mutex::new(1))
    }

    #[inline]
    fn with(&self, section: impl FnOnce(&mut u64)) {
        section(&mut self.0.lock());
    }
}
