//! What can be varied by name: the lock, the strategy, the workload, the mix of orders. (How many cores, how long a hold and
//! how long a think are numbers.)
//!
//! Names are what a user types, what a record says, and what a bare-metal image is told; they do not change.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// An axis: a short list of named values.
pub trait Axis: Copy + Eq + fmt::Debug + 'static {
    /// What it is called in an error message.
    const WHAT: &'static str;
    /// Every value.
    const ALL: &'static [Self];

    /// What a user types and a record says.
    fn name(self) -> &'static str;

    /// What it is, in a line.
    fn about(self) -> &'static str;

    /// The value of that name.
    ///
    /// # Errors
    ///
    /// [`UnknownName`], with the name.
    fn named(name: &str) -> Result<Self, UnknownName<'_>> {
        Self::ALL.iter().copied().find(|value| value.name() == name).ok_or(UnknownName { what: Self::WHAT, name })
    }
}

/// No value of the axis has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownName<'a> {
    /// The axis.
    pub what: &'static str,
    /// What was asked for.
    pub name: &'a str,
}

impl fmt::Display for UnknownName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no {} \"{}\"", self.what, self.name)
    }
}

macro_rules! axis {
    ($(#[$meta:meta])* $axis:ident, $what:literal: $($(#[$of:meta])* $value:ident $name:literal $about:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $axis {
            $(#[doc = $about] #[serde(rename = $name)] $(#[$of])* $value,)*
        }

        impl Axis for $axis {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$value),*];

            fn name(self) -> &'static str {
                match self { $(Self::$value => $name),* }
            }

            fn about(self) -> &'static str {
                match self { $(Self::$value => $about),* }
            }
        }

        impl fmt::Display for $axis {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $axis {
            type Err = &'static str;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::named(name).map_err(|_| concat!("no such ", $what))
            }
        }
    };
}

axis! {
    /// The lock of the pool.
    Lock, "lock":
    Ticket "ticket" "hyp-locks' ticket lock: first in, first out; release is one store";
    Mcs "mcs" "hyp-locks' MCS lock (K42 form): first in, first out, each waiter on a line of its own";
    Queued "queued" "hyp-locks' queued spinlock: waiters queue, release is one store";
    QSpin "qspin" "hyp-locks' queued spinlock of four bytes: CPUs queue, release is one store";
    Tas "tas" "hyp-locks' test-and-set lock, one byte; unfair";
    Ttas "ttas" "hyp-locks' test-and-test-and-set lock, one byte; unfair";
    IrqTicket "irq-ticket" "the ticket lock with interrupts masked (bare metal)";
    TicketRelax "ticket-relax" "hyp-locks' ticket lock that waits with spinning_top's Spin";
    SpinTicket "spin-ticket" "the crate spin's ticket lock, through Compat04";
    SpinMutex "spin-mutex" "the crate spin's test-and-test-and-set lock, through Compat04; unfair";
    SpinningTop "spinning-top" "the crate spinning_top's test-and-test-and-set lock; unfair";
    ParkingLot "parking-lot" "the crate parking_lot's mutex: waiters sleep (needs an operating system); unfair";
    Unfair "unfair" "a control: a test-and-set lock that all but the first core come late to, by a microsecond";
    Delayed "delayed" "a control: a ticket lock of which every acquisition takes a microsecond longer";
    Broken "broken" "no lock at all: the negative control, which the checks must catch, on two cores or more";
}

axis! {
    /// Where reference count and free list are changed.
    Strategy, "strategy":
    Split "split" "two critical sections, the page neither owned nor free between them: the world before the patch";
    MergedRef "merged-ref" "split's control: the same code without the unlock and lock between count and list";
    Merged "merged" "one critical section, every count under the lock: the patch, on hyp-pool's frame words";
    Atomic "atomic" "hyp-pool's default: counts without the lock, the last put in one critical section";
    Magazine "magazine" "atomic, and each core with a magazine: most allocations and last puts take no lock";
}

axis! {
    /// What every core does, again and again.
    Workload, "workload":
    Empty "empty" "nothing: no pool, no lock; the floor under the other figures";
    Section "section" "one counter under the lock: the lock alone, no pool";
    Pair "pair" "allocate a page and put it back";
    RefPage "refpage" "get and put one of 16 pages that all cores share";
    Mixed "mixed" "put a block of a live set of 1024 and allocate another, orders 0 to 3";
    Stage2Seq "s2-seq" "map 512 MiB of guest memory page by page in order, then unmap it (a cycle: 262144 operations); own tables";
    Stage2Rand "s2-rand" "map or unmap random pages of 1 GiB of guest memory; own tables";
    Stage2Sparse "s2-sparse" "map and unmap random pages of 64 GiB, 4096 at a time; own tables: allocation-heavy";
    TopUp "topup" "allocate 8 pages, then put them back: a vCPU's cache is filled up and used up";
    RemoteFree "remote-free" "allocate a page that the next core puts back";
    ZeroInside "zero-inside" "allocate, write, and put a page that is zeroed with the lock held";
    ZeroOutside "zero-outside" "the same, zeroed before the lock is asked for";
}

axis! {
    /// Which orders `mixed` allocates.
    #[derive(Default)]
    Mix, "mix":
    #[default] Usual "usual" "those that the workload has by itself";
    Pages "pages" "single pages";
    Small "small" "orders 0 to 3, evenly";
    Huge "huge" "single pages, and now and then 2 MiB (order 9)";
}

/// Some values of an axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Set<A> {
    bits: u32,
    axis: PhantomData<A>,
}

impl<A: Axis> Set<A> {
    /// These values.
    #[must_use]
    pub fn of(values: &[A]) -> Self {
        let bits = (0..).zip(A::ALL).filter(|(_, value)| values.contains(value)).fold(0, |bits, (i, _)| bits | 1 << i);
        Self { bits, axis: PhantomData }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Whether `value` is one of them.
    #[must_use]
    pub fn contains(self, value: A) -> bool {
        self.iter().any(|have| have == value)
    }

    /// The values, in the order of the axis.
    pub fn iter(self) -> impl Iterator<Item = A> {
        (0..).zip(A::ALL).filter(move |(i, _)| self.bits >> i & 1 == 1).map(|(_, &value)| value)
    }

    /// Understands names with commas between them.
    ///
    /// # Errors
    ///
    /// [`UnknownName`], the first one.
    pub fn parse(names: &str) -> Result<Self, UnknownName<'_>> {
        let mut set = Self { bits: 0, axis: PhantomData };
        for name in names.split(',') {
            set.bits |= Self::of(&[A::named(name)?]).bits;
        }
        Ok(set)
    }
}

impl<A: Axis> fmt::Display for Set<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, value) in self.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { "," }, value.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_a_set_prints_what_it_parses() {
        for &lock in Lock::ALL {
            assert_eq!(Lock::named(lock.name()), Ok(lock));
            assert_eq!(serde_json::to_string(&lock).unwrap(), std::format!("\"{lock}\""));
        }
        let set = Set::<Lock>::parse("queued,ticket").unwrap();
        assert_eq!(std::format!("{set}"), "ticket,queued");
        assert!(set.contains(Lock::Queued) && !set.contains(Lock::Mcs));
        assert_eq!(Set::<Workload>::parse("pair,,"), Err(UnknownName { what: "workload", name: "" }));
    }
}
