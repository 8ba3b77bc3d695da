//! The algorithms as they are: no interleaving within the bounds breaks them.
//!
//! Two threads with a section each, `try_lock` mixed in, and a guard that travels, run without a bound on preemptions;
//! of [`bakery`], the first of these. So do two sections each, where there is no queue; where there is one, with up to
//! five preemptions. Three threads run with up to three, and their waiters give up branching after six looks in vain
//! ([`Patient`]): more takes minutes. The bakery's fences are events too, so its models have bounds of their own. CHESS
//! found that two preemptions were enough for nearly all errors it found (Musuvathi and Qadeer, *Iterative Context
//! Bounding for Systematic Testing of Multithreaded Programs*, PLDI 2007); the mutants and the known-bad variants here
//! need four at most.

use hyp_locks::bakery::Coherent;
use hyp_locks::wait::{Proportional, Spin, Wfe};
use hyp_locks::{Bakery, Mcs, QSpin, Queued, Tas, Ticket, Ttas};

use crate::model::{
    Announced, Cpu, Few, Interrupted, Lock, Patient, Try, exclusion, guard_sent, held_throughout, nested,
};

/// A model that has not panicked holds.
fn holds(executions: u32) {
    println!("{executions} executions");
}

macro_rules! proofs {
    ($($name:ident: $lock:ty, of three $three:ty;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn two_threads_unbounded() {
                holds(exclusion::<$lock>(&[&[Lock], &[Lock]], None));
            }

            #[test]
            fn two_threads_and_try_lock_unbounded() {
                holds(exclusion::<$lock>(&[&[Try, Lock], &[Lock]], None));
                holds(exclusion::<$lock>(&[&[Lock], &[Try]], None));
            }

            #[test]
            fn two_threads_two_sections() {
                holds(exclusion::<$lock>(&[&[Lock, Lock], &[Lock, Lock]], Some(5)));
            }

            #[test]
            fn two_threads_two_sections_and_try_lock() {
                holds(exclusion::<$lock>(&[&[Try, Lock], &[Lock, Try]], Some(5)));
            }

            #[test]
            fn three_threads() {
                holds(exclusion::<$three>(&[&[Lock], &[Lock], &[Lock]], Some(3)));
            }

            #[test]
            fn three_threads_and_try_lock() {
                holds(exclusion::<$three>(&[&[Lock], &[Lock], &[Try]], Some(3)));
            }

            #[test]
            fn a_guard_sent_unbounded() {
                holds(guard_sent::<$lock>(None));
            }
        }
    )*};
}

proofs! {
    tas: Tas<Spin>, of three Tas<Patient<6>>;
    ttas: Ttas<Spin>, of three Ttas<Patient<6>>;
    ticket: Ticket<Spin>, of three Ticket<Patient<6>>;
    mcs: Mcs<Spin>, of three Mcs<Patient<6>>;
    queued: Queued<Spin>, of three Queued<Patient<6>>;
    qspin: QSpin<Cpu, Spin>, of three QSpin<Cpu, Patient<6>>;
}

/// Two sections each without a bound, where that ends: with a queue it does not, in a minute.
mod two_sections_unbounded {
    use super::*;

    #[test]
    fn tas() {
        holds(exclusion::<Tas<Spin>>(&[&[Lock, Lock], &[Lock, Lock]], None));
    }

    #[test]
    fn ttas() {
        holds(exclusion::<Ttas<Spin>>(&[&[Lock, Lock], &[Lock, Lock]], None));
    }

    #[test]
    fn ticket() {
        holds(exclusion::<Ticket<Spin>>(&[&[Lock, Lock], &[Lock, Lock]], None));
    }
}

/// Of the fair ones, which hand a lock over; a queued lock is free between two holders.
#[test]
fn is_locked_throughout_a_handover() {
    holds(held_throughout::<Ticket<Announced>>(None));
    holds(held_throughout::<Mcs<Announced>>(Some(3)));
}

/// The policies that are not a plain loop, on the same models.
#[test]
fn proportional() {
    holds(exclusion::<Ticket<Proportional>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
}

#[test]
fn wfe_without_the_sleep() {
    holds(exclusion::<Tas<Wfe>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    holds(exclusion::<Ticket<Wfe>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    holds(exclusion::<Mcs<Wfe>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    holds(exclusion::<Queued<Wfe>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
}

/// A handler queues for a second lock while what it interrupted queues for the first, or has it and waits for the link of
/// the next one; of all queues, with no node, nodes on stacks, and nodes of CPUs.
#[test]
fn nested_waits() {
    for after in [0, 1] {
        holds(nested::<Ticket<Interrupted>>(after, Some(3)));
        holds(nested::<Mcs<Interrupted>>(after, Some(3)));
        holds(nested::<Queued<Interrupted>>(after, Some(3)));
        holds(nested::<QSpin<Cpu, Interrupted>>(after, Some(3)));
    }
}

/// One CPU queues, the other has no node.
#[test]
fn qspin_of_few_nodes() {
    holds(exclusion::<QSpin<Few, Spin>>(&[&[Lock], &[Lock]], None));
    holds(exclusion::<QSpin<Few, Spin>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    holds(exclusion::<QSpin<Few, Patient<6>>>(&[&[Lock], &[Lock], &[Lock]], Some(2)));
}

/// Its guards stay where they are; its numbers run out where `LAST` is small. Of its models, the one of two threads
/// with a section each ends without a bound in seconds; the same with `try_lock`s takes minutes.
mod bakery {
    use super::*;

    type Two<const LAST: u32> = Bakery<Cpu, 2, Coherent, Spin, LAST>;
    type Three = Bakery<Cpu, 3, Coherent, Patient<6>>;

    #[test]
    fn two_threads_unbounded() {
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Lock], &[Lock]], None));
    }

    #[test]
    fn two_threads_and_try_lock() {
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Lock], &[Try]], Some(5)));
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Try], &[Lock]], Some(5)));
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Try], &[Try]], Some(5)));
    }

    #[test]
    fn two_threads_two_sections() {
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    }

    #[test]
    fn two_threads_two_sections_and_try_lock() {
        holds(exclusion::<Two<{ u32::MAX }>>(&[&[Try, Lock], &[Lock, Try]], Some(3)));
    }

    #[test]
    fn two_threads_out_of_numbers() {
        holds(exclusion::<Two<2>>(&[&[Lock], &[Lock]], Some(3)));
        holds(exclusion::<Two<3>>(&[&[Lock, Lock], &[Lock, Lock]], Some(3)));
    }

    #[test]
    fn three_threads() {
        holds(exclusion::<Three>(&[&[Lock], &[Lock], &[Lock]], Some(2)));
    }

    #[test]
    fn three_threads_and_try_lock() {
        holds(exclusion::<Three>(&[&[Lock], &[Lock], &[Try]], Some(2)));
    }
}
