//! What is masked when, and in which order: seen through the host double.

#![cfg(not(loom))]

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod stepping;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hyp_locks::{
    CpuId, Depths, Event, InterruptControl, IrqDepth, IrqMask, IrqSave, IrqSlot, Mcs, Queued, Recorder, SingleCore,
    Ticket, cpu,
};
use lock_api::{GuardSend, Mutex, RawMutex, RawMutexFair};

const MASK: Event = Event::Mask { was: false };
const MASK_AGAIN: Event = Event::Mask { was: true };
const STAY: Event = Event::Restore { to: true };
const RESTORE: Event = Event::Restore { to: false };

/// A lock that notes its operations in the record, and does what `NEXT` says.
struct Noted;

#[derive(Clone, Copy)]
enum Next {
    Succeed,
    Fail,
    Panic,
}

thread_local! {
    static NEXT: Cell<Next> = const { Cell::new(Next::Succeed) };
}

fn note(what: &'static str) -> bool {
    Recorder::note(what);
    match NEXT.get() {
        Next::Succeed => true,
        Next::Fail => false,
        Next::Panic => panic!("{what}"),
    }
}

// SAFETY: one thread uses it, and one section at a time.
unsafe impl RawMutex for Noted {
    const INIT: Self = Self;

    type Guard = GuardSend;

    fn lock(&self) -> GuardSend {
        note("lock");
        GuardSend::new()
    }

    fn try_lock(&self) -> Option<GuardSend> {
        note("try_lock").then(GuardSend::new)
    }

    unsafe fn unlock(&self, _: GuardSend) {
        note("unlock");
    }

    fn is_locked(&self) -> bool {
        false
    }
}

// SAFETY: as above.
unsafe impl RawMutexFair for Noted {
    unsafe fn unlock_fair(&self, _: GuardSend) {
        note("unlock_fair");
    }
}

type Saved = Mutex<IrqSave<Noted, Recorder>, ()>;

#[test]
fn mask_before_acquire_and_release_before_restore() {
    let mutex = Saved::new(());
    let events = Recorder::record(|| drop(mutex.lock()));
    assert_eq!(events, [MASK, Event::Note("lock"), Event::Note("unlock"), RESTORE]);

    let events = Recorder::record(|| drop(mutex.try_lock()));
    assert_eq!(events, [MASK, Event::Note("try_lock"), Event::Note("unlock"), RESTORE]);

    let events = Recorder::record(|| lock_api::MutexGuard::unlock_fair(mutex.lock()));
    assert_eq!(events, [MASK, Event::Note("lock"), Event::Note("unlock_fair"), RESTORE]);
}

#[test]
fn a_failed_try_lock_restores() {
    let mutex = Saved::new(());
    NEXT.set(Next::Fail);
    let events = Recorder::record(|| assert!(mutex.try_lock().is_none()));
    assert_eq!(events, [MASK, Event::Note("try_lock"), RESTORE]);
}

#[test]
fn an_unwinding_lock_restores() {
    let mutex = Saved::new(());
    NEXT.set(Next::Panic);
    let events = Recorder::record(|| {
        catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
        catch_unwind(AssertUnwindSafe(|| drop(mutex.try_lock()))).unwrap_err();
        NEXT.set(Next::Succeed);
        let guard = mutex.lock();
        NEXT.set(Next::Panic);
        catch_unwind(AssertUnwindSafe(|| drop(guard))).unwrap_err();
    });
    let lock = [MASK, Event::Note("lock"), RESTORE];
    let try_lock = [MASK, Event::Note("try_lock"), RESTORE];
    let unlock = [MASK, Event::Note("lock"), Event::Note("unlock"), RESTORE];
    assert_eq!(events, [&lock[..], &try_lock, &unlock].concat());
    assert!(!Recorder::masked());
}

#[test]
fn a_section_that_unwinds_releases_and_restores() {
    let mutex = Saved::new(());
    let events = Recorder::record(|| {
        let section = || {
            let _guard = mutex.lock();
            panic!("in the section");
        };
        catch_unwind(AssertUnwindSafe(section)).unwrap_err();
    });
    assert_eq!(events, [MASK, Event::Note("lock"), Event::Note("unlock"), RESTORE]);
}

#[test]
fn nested_sections_restore_what_they_found() {
    let outer = Mutex::<IrqSave<Ticket, Recorder>, ()>::new(());
    let inner = Mutex::<IrqSave<Queued, Recorder>, ()>::new(());
    let events = Recorder::record(|| {
        let first = outer.lock();
        let second = inner.lock();
        assert!(inner.try_lock().is_none());
        assert!(Recorder::masked());
        drop(second);
        assert!(Recorder::masked());
        drop(first);
        assert!(!Recorder::masked());
    });
    assert_eq!(events, [MASK, MASK_AGAIN, MASK_AGAIN, STAY, STAY, RESTORE]);
}

/// The hazard that the documentation of `irq` names: this is what the guards do, not what anybody wants.
#[test]
fn guards_dropped_out_of_order_unmask_too_early() {
    let first = Mutex::<IrqSave<Ticket, Recorder>, ()>::new(());
    let second = Mutex::<IrqSave<Ticket, Recorder>, ()>::new(());
    let early = first.lock();
    let late = second.lock();
    drop(early);
    assert!(!Recorder::masked() && second.is_locked());
    drop(late);
    assert!(Recorder::masked(), "and then leave the mask as the other one had set it");
}

/// Each thread is a CPU, as to the recorder.
struct Threads;

const MOST_THREADS: usize = 64;

// SAFETY: a thread has a number of its own, and keeps it.
unsafe impl CpuId for Threads {
    fn cpu() -> usize {
        cpu::of_this_thread()
    }
}

// SAFETY: the slots are this function's, and there are more than this file has tests.
unsafe impl Depths<Recorder> for Threads {
    fn slots() -> &'static [IrqSlot<Recorder>] {
        static SLOTS: [IrqSlot<Recorder>; MOST_THREADS] = [IrqSlot::NEW; MOST_THREADS];
        &SLOTS
    }
}

type Counted = Mutex<IrqDepth<Ticket, Recorder, Threads>, ()>;

#[test]
fn counted_sections_stay_masked_to_the_end_of_the_last() {
    let (a, b, c) = (Counted::new(()), Counted::new(()), Counted::new(()));
    let events = Recorder::record(|| {
        let (first, second) = (a.lock(), b.lock());
        drop(first);
        assert!(Recorder::masked());
        let third = c.try_lock().unwrap();
        assert!(b.try_lock().is_none(), "it is held, and its mask is the count's business");
        drop(second);
        assert!(Recorder::masked());
        drop(third);
    });
    assert!(!Recorder::masked());
    assert_eq!(events.iter().filter(|&&event| event == RESTORE).count(), 1, "{events:?}");
    assert_eq!(events.last(), Some(&RESTORE));
    // And in order, as with any other.
    let events = Recorder::record(|| drop((a.lock(), b.lock())));
    assert_eq!(events, [MASK, MASK_AGAIN, RESTORE]);
}

/// What `IrqSave` does, too, is in the documentation of `irq`; the count keeps the mask.
#[test]
fn a_bump_in_another_section_unmasks_unless_sections_are_counted() {
    let (a, b) = (Mutex::<IrqSave<Mcs, Recorder>, ()>::new(()), Mutex::<IrqSave<Mcs, Recorder>, ()>::new(()));
    let events = Recorder::record(|| {
        let (mut first, second) = (a.lock(), b.lock());
        lock_api::MutexGuard::bump(&mut first);
        drop(second);
        drop(first);
    });
    assert_eq!(events, [MASK, MASK_AGAIN, RESTORE, MASK, STAY, RESTORE]);

    type Fair = Mutex<IrqDepth<Mcs, Recorder, Threads>, ()>;
    let (a, b) = (Fair::new(()), Fair::new(()));
    let events = Recorder::record(|| {
        let (mut first, second) = (a.lock(), b.lock());
        lock_api::MutexGuard::bump(&mut first);
        lock_api::MutexGuard::unlocked(&mut first, || assert!(Recorder::masked()));
        drop(first);
        drop(second);
    });
    assert_eq!(events.iter().filter(|&&event| event == RESTORE).count(), 1, "{events:?}");
}

/// The two kinds under one control: what the documentation of `IrqDepth` warns of.
#[test]
fn counted_and_saved_sections_out_of_order_unmask_too_early_and_stay_masked() {
    let (saved, counted) = (Saved::new(()), Counted::new(()));
    let (first, second) = (saved.lock(), counted.lock());
    drop(first);
    assert!(!Recorder::masked() && counted.is_locked());
    drop(second);
    assert!(Recorder::masked());
}

#[test]
fn counted_sections_leave_a_mask_that_they_found() {
    let (saved, counted) = (Saved::new(()), Counted::new(()));
    let outer = saved.lock();
    drop(counted.lock());
    assert!(Recorder::masked(), "the outer section goes on");
    drop(outer);
    assert!(!Recorder::masked());
}

#[test]
fn counted_sections_of_cpus_are_counted_apart() {
    let (a, b) = (Counted::new(()), Counted::new(()));
    let guard = a.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop(b.lock());
            assert!(!Recorder::masked(), "another CPU's section is none of its business");
        });
    });
    assert!(Recorder::masked());
    drop(guard);
}

#[test]
fn a_bump_takes_pending_interrupts() {
    let mutex = Mutex::<IrqSave<Mcs, Recorder>, ()>::new(());
    let events = Recorder::record(|| {
        let mut guard = mutex.lock();
        lock_api::MutexGuard::bump(&mut guard);
    });
    assert_eq!(events, [MASK, RESTORE, MASK, RESTORE]);
}

#[test]
fn a_forgotten_guard_leaves_the_lock_held_and_the_mask_set() {
    let mutex = Mutex::<IrqSave<Ticket, Recorder>, ()>::new(());
    std::mem::forget(mutex.lock());
    assert!(Recorder::masked() && mutex.is_locked());
}

/// The recorder, on a machine of one core: the tests below give each lock to one thread.
struct OneCore;

// SAFETY: `Recorder`'s calls.
unsafe impl InterruptControl for OneCore {
    type State = <Recorder as InterruptControl>::State;

    fn save_and_mask() -> Self::State {
        Recorder::save_and_mask()
    }

    unsafe fn restore(state: Self::State) {
        // SAFETY: the caller's promise, passed on.
        unsafe { Recorder::restore(state) };
    }
}

// SAFETY: see above.
unsafe impl SingleCore for OneCore {}

#[test]
fn irq_mask_masks_and_excludes() {
    static POOL: Mutex<IrqMask<OneCore>, u32> = Mutex::new(0); // `Sync`
    let events = Recorder::record(|| {
        let mut guard = POOL.lock();
        *guard += 1;
        assert!(POOL.is_locked() && POOL.try_lock().is_none());
        assert!(Recorder::masked());
    });
    assert_eq!(events, [MASK, MASK_AGAIN, STAY, RESTORE]);
    assert!(!POOL.is_locked());
}

#[test]
fn irq_mask_refuses_to_wait_for_itself() {
    let mutex = Mutex::<IrqMask<OneCore>, ()>::new(());
    let guard = mutex.lock();
    catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
    assert!(Recorder::masked() && mutex.is_locked(), "the first section goes on");
    drop(guard);
    assert!(!Recorder::masked() && !mutex.is_locked());
}

/// `OneCore`, with an interrupt that is pending: its handler runs as soon as nothing masks it, which is just before the
/// mask is set or just after it was put back.
struct Interrupted;

thread_local! {
    static PENDING: Cell<Option<fn()>> = const { Cell::new(None) };
}

impl Interrupted {
    fn unless_masked() {
        if !Recorder::masked()
            && let Some(handler) = PENDING.take()
        {
            handler();
        }
    }
}

// SAFETY: `Recorder`'s calls; the handler runs where nothing is masked. (It panics only to fail a test.)
unsafe impl InterruptControl for Interrupted {
    type State = <Recorder as InterruptControl>::State;

    fn save_and_mask() -> Self::State {
        Self::unless_masked();
        Recorder::save_and_mask()
    }

    unsafe fn restore(state: Self::State) {
        // SAFETY: the caller's promise, passed on.
        unsafe { Recorder::restore(state) };
        Self::unless_masked();
    }
}

// SAFETY: each lock below belongs to one thread.
unsafe impl SingleCore for Interrupted {}

#[test]
fn irq_mask_looks_when_masked() {
    static POOL: Mutex<IrqMask<Interrupted>, u32> = Mutex::new(0);
    PENDING.set(Some(|| std::mem::forget(POOL.try_lock().expect("nobody has it"))));
    assert!(POOL.try_lock().is_none(), "the handler has run, and keeps it");
    assert!(PENDING.take().is_none() && Recorder::masked());
}

#[test]
fn irq_mask_is_free_before_the_mask_is_restored() {
    static POOL: Mutex<IrqMask<Interrupted>, u32> = Mutex::new(0);
    let mut guard = POOL.lock();
    PENDING.set(Some(|| *POOL.lock() += 10));
    *guard += 1;
    assert_eq!(*guard, 1, "the interrupt waits");
    drop(guard);
    assert_eq!(*POOL.lock(), 11);
    assert!(PENDING.take().is_none() && !Recorder::masked());
}

/// A non-maskable interrupt after each instruction of a counted section, in turn: its handler has a counted section, too.
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod an_nmi_after_every_instruction {
    use super::*;
    use crate::stepping::interrupted;

    /// A mask of this thread.
    struct Mask;

    thread_local! {
        static MASKED: Cell<bool> = const { Cell::new(false) };
        static SECTIONS: Cell<usize> = const { Cell::new(0) };
    }

    // SAFETY: a handler that the mask keeps out is not what these tests have.
    unsafe impl InterruptControl for Mask {
        type State = bool;

        fn save_and_mask() -> bool {
            MASKED.replace(true)
        }

        unsafe fn restore(state: bool) {
            MASKED.set(state);
        }
    }

    struct Cpu;

    // SAFETY: one test has one thread, and its handler interrupts that one.
    unsafe impl CpuId for Cpu {
        fn cpu() -> usize {
            0
        }
    }

    // SAFETY: the one slot is this function's.
    unsafe impl Depths<Mask> for Cpu {
        fn slots() -> &'static [IrqSlot<Mask>] {
            static SLOTS: [IrqSlot<Mask>; 1] = [IrqSlot::NEW];
            &SLOTS
        }
    }

    type Lock = Mutex<IrqDepth<Ticket, Mask, Cpu>, ()>;

    #[test]
    fn leaves_the_mask_to_what_it_interrupted() {
        static OTHER: Lock = Lock::new(());
        fn handler() {
            drop(OTHER.try_lock());
            SECTIONS.set(SECTIONS.get() + 1);
        }
        for at in 0.. {
            let lock = Lock::new(());
            let (came, masked) = interrupted(at, handler, || {
                let _section = lock.lock();
                MASKED.get()
            });
            assert!(masked, "unmasked in the section, instruction {at}");
            assert!(!MASKED.get(), "masked for ever, instruction {at}");
            if !came {
                break;
            }
        }
        assert!(SECTIONS.get() > 20, "interrupted too seldom: {}", SECTIONS.get());
    }
}
