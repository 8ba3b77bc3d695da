//! What can be varied by name: the lock, the strategy, the workload, the mix of orders. (How many cores, how long a hold and
//! how long a think are numbers.)
//!
//! Names are what a user types, what a record says, and what a bare-metal image is told; they do not change.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::own::{self, Known};

/// An axis: a short list of named values.
pub trait Axis: Copy + Eq + fmt::Debug + 'static {
    /// What it is called in an error message.
    const WHAT: &'static str;
    /// Every value.
    const ALL: &'static [Self];

    /// Its name, and what it is; `None`: it is kept for one's own, and nobody has brought it.
    fn known(self) -> Option<Known>;

    /// What a user types and a record says.
    fn name(self) -> &'static str {
        self.known().map_or("nobody's", |known| known.name)
    }

    /// What it is, in a line.
    fn about(self) -> &'static str {
        self.known().map_or("kept for one's own", |known| known.about)
    }

    /// Every value that there is: [`ALL`](Self::ALL), without those that nobody has brought.
    fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|value| value.known().is_some())
    }

    /// The value of that name.
    ///
    /// # Errors
    ///
    /// [`UnknownName`], with the name.
    fn named(name: &str) -> Result<Self, UnknownName<'_>> {
        Self::all().find(|value| value.name() == name).ok_or(UnknownName { what: Self::WHAT, name })
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
    ($(#[$meta:meta])* $axis:ident, $what:literal: $($(#[$of:meta])* $value:ident $name:literal $about:literal;)*
        $(; own $names:ident: $($own:ident $index:literal)*)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $axis {
            $(#[doc = $about] $(#[$of])* $value,)*
            $($(#[doc = concat!("Number ", $index, " of those that a program brings along: [`own`](crate::own).")] $own,)*)?
        }

        impl Axis for $axis {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$value,)* $($(Self::$own,)*)?];

            fn known(self) -> Option<Known> {
                match self {
                    $(Self::$value => Some(Known { name: $name, about: $about, fair: false }),)*
                    $($(Self::$own => own::$names.get($index),)*)?
                }
            }
        }

        $(impl $axis {
            /// Those that a program may bring along.
            pub(crate) const OWN: [Self; own::OWN] = [$(Self::$own),*];
        })?

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

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $axis {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($axis).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let named = [$(($name, $about)),*];
                schema($what, &named, Self::ALL.len() > named.len())
            }
        }

        impl Serialize for $axis {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $axis {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Name(PhantomData))
            }
        }
    };
}

/// Of the names of an axis, by hand, as they are written; `own`: a program may bring some along.
#[cfg(feature = "schema")]
fn schema(what: &str, named: &[(&str, &str)], own: bool) -> schemars::Schema {
    let mut names: alloc::vec::Vec<_> =
        named.iter().map(|(name, about)| schemars::json_schema!({ "const": name, "description": about })).collect();
    if own {
        names.push(schemars::json_schema!({ "type": "string", "description": "one that the program brought along" }));
    }
    schemars::json_schema!({ "description": alloc::format!("The name of a {what}."), "anyOf": names })
}

/// Reads a value by its name.
struct Name<A>(PhantomData<A>);

impl<A: Axis> Visitor<'_> for Name<A> {
    type Value = A;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a {}", A::WHAT)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<A, E> {
        A::named(name).map_err(E::custom)
    }
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
    ; own LOCKS: Own0 0 Own1 1 Own2 2 Own3 3 Own4 4 Own5 5 Own6 6 Own7 7
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
    ; own WORKLOADS: Own0 0 Own1 1 Own2 2 Own3 3 Own4 4 Own5 5 Own6 6 Own7 7
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
        for lock in Lock::all() {
            assert_eq!(Lock::named(lock.name()), Ok(lock));
            assert_eq!(serde_json::to_string(&lock).unwrap(), std::format!("\"{lock}\""));
        }
        assert!(
            std::format!("{}", serde_json::from_str::<Lock>("\"bolt\"").unwrap_err())
                .contains("there is no lock \"bolt\"")
        );
        let set = Set::<Lock>::parse("queued,ticket").unwrap();
        assert_eq!(std::format!("{set}"), "ticket,queued");
        assert!(set.contains(Lock::Queued) && !set.contains(Lock::Mcs));
        assert_eq!(Set::<Workload>::parse("pair,,"), Err(UnknownName { what: "workload", name: "" }));
    }
}
