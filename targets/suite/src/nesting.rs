//! Interrupts and non-maskable interrupts at every instruction boundary of a lock's code.
//!
//! ```text
//!   sweep:  run 0   ▲lock … section … unlock          ▲ the handler comes in here
//!           run 1   lock▲ … section … unlock
//!             ⋮
//!           run n   lock … section … unlock▲          run n + 1 ends before its turn: that was all
//! ```
//!
//! | case | in the handler | which must |
//! |---|---|---|
//! | [`handler_takes_it`](handler) | an interrupt: takes the lock that it interrupted, under [`IrqSave`] or [`IrqDepth`] | find it free, for the mask keeps it out of the rest |
//! | [`handler_takes_another`](another) | an interrupt: takes another lock of the same kind, for which it has to wait | not disturb the wait that it interrupted |
//! | [`nmi_tries`](nmi) | a non-maskable interrupt: `try_lock`, and lets go again | get it only when it is free, and never wait |
//! | [`nmi_tries_at_a_wait`](nmi) | the same while the interrupted code waits for the lock, and is handed it | not get it until that is over |
//! | [`nmi_keeps`](nmi) | the same, and keeps it for a while | keep it: the interrupted code waits |
//! | [`nmi_tries_at_handover`](handover) | the same while the interrupted code hands over to another core | get it only when it is free |
//!
//! # Why by single step, and not by a timer
//!
//! A timer that counts down comes in at whatever instruction the machine is at: on an emulator with a time of its own for
//! each instruction (QEMU's `-icount`) at every sixteenth, and otherwise anywhere, so that a sweep has to be repeated
//! until chance has been everywhere, and nobody knows when that is. [`Board::step`] pauses between any two instructions:
//! the sweep is exact, the same in every run, and over when the code is. What arrives is still a real interrupt, raised
//! at that place, which the core takes at once or when its mask allows. The pause itself comes wherever it likes, as a
//! non-maskable interrupt does, and is taken for one.
//!
//! Where the image is built for LL/SC, a pause between a load-exclusive and its store makes the store fail: each run
//! pauses inside of one sequence at most, and runs through all others.
//!
//! The board sees to it that no instruction goes by without a pause; each case prints how many places it came to, and
//! fails if these are too few, or if there was none while the lock was being taken, held, or released.

mod another;
mod bad;
mod handler;
mod handover;
mod holder;
mod nmi;
mod scene;
mod sweep;

use crate::board::Board;
use crate::case::Case;
use crate::locks::Yielding;
use hyp_locks::bakery::Coherent;
use hyp_locks::laws::Counted;
use hyp_locks::wait::DefaultWait;
use hyp_locks::{Bakery, IrqDepth, IrqSave, Mcs, QSpin, Queued, Tas, Ticket, Ttas};
use scene::Kind;

/// Waiting that tells when it has begun: of the lock under trial, and of the other one.
type Watched = Counted<DefaultWait, 0>;
type OtherWatched = Counted<DefaultWait, 1>;

/// A bakery for the boot core and one more.
type Stall<B, const COUNTER: usize> = Bakery<<B as Board>::Cpus, 2, Coherent, Counted<Yielding<B>, COUNTER>>;

/// The cases.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    /// Locks that are waited for in a way that can be watched.
    macro_rules! plain {
        ($lock:ty, $other:ty, $kind:expr, $name:literal) => {
            [
                Case {
                    name: concat!("nest.", $name, ".handler_takes_another"),
                    run: |board| another::handler_takes_another::<B, $lock, $other>(board, &$kind),
                },
                Case { name: concat!("nest.", $name, ".nmi_tries"), run: |board| nmi::nmi_tries::<B, $lock>(board) },
                Case {
                    name: concat!("nest.", $name, ".nmi_keeps"),
                    run: |board| nmi::nmi_keeps::<B, $lock>(board, &$kind),
                },
                Case {
                    name: concat!("nest.", $name, ".nmi_tries_at_handover"),
                    run: |board| handover::nmi_tries_at_handover::<B, $lock>(board, &$kind),
                },
            ]
        };
        ($lock:ident as $name:literal) => {
            plain!($lock<Watched>, $lock<OtherWatched>, words(), $name).into_iter().chain([Case {
                name: concat!("nest.", $name, ".nmi_tries_at_a_wait"),
                run: |board: &B| nmi::nmi_tries_at_a_wait::<B, $lock<Watched>>(board, &words()),
            }])
        };
    }
    macro_rules! masked {
        ($lock:ty, $name:literal) => {
            [
                Case {
                    name: concat!("nest.", $name, ".handler_takes_it"),
                    run: |board| handler::handler_takes_it::<B, $lock>(board),
                },
                Case { name: concat!("nest.", $name, ".nmi_tries"), run: |board| nmi::nmi_tries::<B, $lock>(board) },
            ]
        };
        ($lock:ident as $name:literal) => {
            masked!(IrqSave<$lock<Watched>, B::Irq>, $name)
        };
    }
    let plain = (plain!(Tas as "tas"))
        .chain(plain!(Ttas as "ttas"))
        .chain(plain!(Ticket as "ticket"))
        .chain(plain!(Mcs as "mcs"))
        .chain(plain!(Queued as "queued"))
        .chain(plain!(QSpin<B::Cpus, Watched>, QSpin<B::Cpus, OtherWatched>, words(), "qspin"))
        .chain([Case {
            name: "nest.qspin.nmi_tries_at_a_wait",
            run: |board: &B| nmi::nmi_tries_at_a_wait::<B, QSpin<B::Cpus, Watched>>(board, &words()),
        }])
        .chain(plain!(Stall<B, 0>, Stall<B, 1>, bakery::<B>(), "bakery"));
    let masked = (masked!(Tas as "irqsave_tas").into_iter())
        .chain(masked!(Ttas as "irqsave_ttas"))
        .chain(masked!(Ticket as "irqsave_ticket"))
        .chain(masked!(Mcs as "irqsave_mcs"))
        .chain(masked!(Queued as "irqsave_queued"))
        .chain(masked!(IrqSave<Stall<B, 0>, B::Irq>, "irqsave_bakery"))
        .chain(masked!(IrqSave<QSpin<B::Cpus, Watched>, B::Irq>, "irqsave_qspin"))
        .chain(masked!(IrqSave<Ticket<Watched>, B::Priority>, "irqsave_priority_ticket"))
        .chain(masked!(IrqDepth<Ticket<Watched>, B::Irq, B::Cpus>, "irqdepth_ticket"));
    plain.chain(masked).chain(handler::controls()).chain(another::controls()).chain(nmi::controls())
}

fn words() -> Kind {
    Kind::of_words(Watched::waits, OtherWatched::waits)
}

fn bakery<B: Board>() -> Kind {
    Kind::of_lines(Counted::<Yielding<B>, 0>::waits, Counted::<Yielding<B>, 1>::waits)
}
