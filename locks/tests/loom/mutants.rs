//! The mutant matrix: every access that is stronger than Relaxed, weakened by one step at a time; every fence weakened and
//! left out; every store left out. A model must find the mutant; or it is listed here with the reason why it cannot be found,
//! and then no model may find it.
//!
//! The accesses are read from the source of the algorithm, so none can be forgotten: a line that accesses an atomic
//! without the label of a row in the file's ordering table is an error, and so are a row without its access, and an
//! access whose ordering is not that of its row. `cargo test` says nothing of a test that passes; to see the matrix:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p hyp-locks --release --test loom mutants -- --nocapture --test-threads=1
//! ```

use std::collections::BTreeMap;

use hyp_locks::bakery::Coherent;
use hyp_locks::sync::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use hyp_locks::sync::mutants::{
    self,
    Change::{self, LeftOut, Weakened},
    Mutant,
};
use hyp_locks::wait::Spin;
use hyp_locks::{Bakery, Mcs, QSpin, Queued, Tas, Ticket, Ttas};

use crate::model::{
    Announced, Cpu, Interrupted, Lock, Patient, Try, exclusion, finding, guard_sent, held_throughout, nested,
};

/// A model, and its name in the table.
type Model = (&'static str, fn() -> u32);

/// An algorithm, the models that must kill its mutants, and those mutants that they cannot kill.
struct Algorithm {
    file: &'static str,
    source: &'static str,
    models: &'static [Model],
    survivors: &'static [Survivor],
}

/// A row of the ordering table, the change it survives, and why.
type Survivor = (&'static str, Change, &'static str);

/// An atomic access of an algorithm, or a fence.
struct Access {
    line: u32,
    row: String,
    ordering: Ordering,
    stores: bool,
}

const NAMES: [(&str, Ordering); 5] =
    [("SeqCst", SeqCst), ("AcqRel", AcqRel), ("Acquire", Acquire), ("Release", Release), ("Relaxed", Relaxed)];

fn named(name: &str) -> Option<Ordering> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, ordering)| *ordering)
}

/// The accesses of `source`, each on a line of its own that ends in `// ROW` and perhaps a remark.
fn accesses(source: &str) -> Vec<Access> {
    let code = (1..).zip(source.lines()).filter(|(_, text)| {
        let text = text.trim_start();
        let skipped = ["//", "use ", "compiler_fence("]; // the last orders nothing between CPUs
        !skipped.iter().any(|start| text.starts_with(start))
    });
    code.filter_map(|(line, text)| {
        let (code, remark) = text.split_once(" // ").unwrap_or((text, ""));
        let mut orderings = code.split(|c: char| !c.is_alphanumeric()).filter_map(named);
        let waits = code.contains("W::until(").then_some(Acquire); // as every look of a wait
        let Some(ordering) = waits.or_else(|| orderings.next()) else {
            let hidden = [".load(", ".store(", ".swap(", ".compare_exchange", ".fetch_", "fence("];
            assert!(!hidden.iter().any(|access| code.contains(access)), "line {line}: no ordering beside the access");
            return None;
        };
        assert!(orderings.all(|failure| failure == Relaxed), "line {line}: this matrix weakens success alone");
        let row = remark.split(' ').next().unwrap_or_default().to_owned();
        Some(Access { line, row, ordering, stores: code.contains(".store(") })
    })
    .collect()
}

/// The ordering table in the documentation of `source`.
fn table(source: &str) -> BTreeMap<String, Ordering> {
    let cells = source.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter_map(|cells| match cells[..] {
            ["//!", row, _, ordering, _, _, ""] => Some((row.to_owned(), named(ordering)?)),
            _ => None,
        })
        .collect()
}

impl Access {
    /// One step weaker; of a fence and of a store, also none at all.
    fn changes(&self) -> impl Iterator<Item = Change> {
        let weaker: &[Ordering] = match self.ordering {
            SeqCst => &[AcqRel, Relaxed], // on fences alone, which the door leaves out when Relaxed
            AcqRel => &[Acquire, Release],
            Acquire | Release => &[Relaxed],
            _ => &[],
        };
        weaker.iter().copied().map(Weakened).chain(self.stores.then_some(LeftOut))
    }
}

impl Algorithm {
    fn check(&self) {
        let accesses = accesses(self.source);
        let rows: BTreeMap<_, _> = accesses.iter().map(|access| (access.row.clone(), access.ordering)).collect();
        assert_eq!(rows, table(self.source), "{}: left, what the code does; right, what its table says", self.file);
        assert_eq!(rows.len(), accesses.len(), "{}: two accesses have one row", self.file);

        println!("\n| access | changed | verdict | by | which says, or why not |\n|---|---|---|---|---|");
        let mut wrong = Vec::new();
        let mut excuses = 0;
        for access in &accesses {
            for change in access.changes() {
                let excused = self.survivors.iter().find(|(row, to, _)| *row == access.row && *to == change);
                // Of a store that only a handler could miss, no model of threads says more than the two quickest.
                let models = if excused.is_some() && change == LeftOut { &self.models[..2] } else { self.models };
                let killed = Self::kill(models, Mutant { file: self.file, line: access.line, change });
                let name = format!("{} {:?} -> {change:?}", access.row, access.ordering);
                match (&killed, excused) {
                    (Ok(()), Some((_, _, why))) => {
                        excuses += 1;
                        println!("| {name} | survives | | {why} |");
                    }
                    (Err((model, says)), None) => println!("| {name} | killed | {model} | {says} |"),
                    (Ok(()), None) => wrong.push(format!("{name}: no model finds it")),
                    (Err((model, says)), Some(_)) => wrong.push(format!("{name}: found after all by {model}: {says}")),
                }
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:#?}", self.file);
        assert_eq!(excuses, self.survivors.len(), "{}: an excuse without a mutant", self.file);
    }

    /// Runs the models until one finds the mutant: its name, and what it says.
    fn kill(models: &[Model], mutant: Mutant) -> Result<(), (&'static str, String)> {
        let mut reached = 0;
        for &(name, model) in models {
            let (found, times) = mutants::with(mutant, model);
            reached += times;
            if let Err(panic) = found {
                assert!(times > 0, "{name} fails without the mutant, {mutant:?}");
                return Err((name, finding(&*panic).to_owned()));
            }
        }
        assert!(reached > 0, "no model runs the access of {mutant:?}");
        Ok(())
    }
}

/// The models of every algorithm, fastest first.
macro_rules! models {
    ($two:ty, of three $three:ty $(, $more:expr)*) => {
        &[
            ("2 x 1", || exclusion::<$two>(&[&[Lock], &[Lock]], Some(3))),
            ("try", || exclusion::<$two>(&[&[Lock], &[Try]], Some(3))),
            ("guard sent", || guard_sent::<$two>(Some(3))),
            ("2 x 2", || exclusion::<$two>(&[&[Lock, Lock], &[Lock, Lock]], Some(3))),
            ("2 x 2, try", || exclusion::<$two>(&[&[Try, Lock], &[Lock, Try]], Some(3))),
            ("3 x 1", || exclusion::<$three>(&[&[Lock], &[Lock], &[Lock]], Some(2))),
            ("3 x 1, try", || exclusion::<$three>(&[&[Lock], &[Lock], &[Try]], Some(2))),
            $($more,)*
        ]
    };
}

#[test]
fn tas() {
    Algorithm {
        file: "src/tas.rs",
        source: include_str!("../../src/tas.rs"),
        models: models!(Tas<Spin>, of three Tas<Patient<6>>),
        survivors: &[("A2", Weakened(Relaxed), "A1 decides, and acquires")],
    }
    .check();
}

#[test]
fn ttas() {
    Algorithm {
        file: "src/ttas.rs",
        source: include_str!("../../src/ttas.rs"),
        models: models!(Ttas<Spin>, of three Ttas<Patient<6>>),
        survivors: &[("TT1", Weakened(Relaxed), "TT2 decides, and acquires")],
    }
    .check();
}

#[test]
fn ticket() {
    Algorithm {
        file: "src/ticket.rs",
        source: include_str!("../../src/ticket.rs"),
        models: models!(Ticket<Spin>, of three Ticket<Patient<6>>, ("held", || held_throughout::<Ticket<Announced>>(Some(3)))),
        survivors: &[],
    }
    .check();
}

#[test]
fn mcs() {
    Algorithm {
        file: "src/mcs.rs",
        source: include_str!("../../src/mcs.rs"),
        models: models!(
            Mcs<Spin>, of three Mcs<Patient<6>>,
            ("held", || held_throughout::<Mcs<Announced>>(Some(3))),
            ("2 and 1", || exclusion::<Mcs<Spin>>(&[&[Lock, Lock], &[Lock]], Some(4)))
        ),
        survivors: &[],
    }
    .check();
}

#[test]
fn queued() {
    Algorithm {
        file: "src/queued.rs",
        source: include_str!("../../src/queued.rs"),
        models: models!(Queued<Spin>, of three Queued<Patient<6>>),
        survivors: &[
            (
                "Q5",
                Weakened(Relaxed),
                "Q12 and Q7 order the granter's last access to the node before the end of its frame",
            ),
            ("Q6", Weakened(Relaxed), "Q7 decides, and acquires"),
        ],
    }
    .check();
}

#[test]
fn qspin() {
    Algorithm {
        file: "src/qspin.rs",
        source: include_str!("../../src/qspin.rs"),
        models: models!(QSpin<Cpu, Spin>, of three QSpin<Cpu, Patient<6>>, ("nested", || nested::<QSpin<Cpu, Interrupted>>(0, Some(2)))),
        survivors: &[
            ("S5", Weakened(Relaxed), "the order of the word alone puts S11 before the next S18"),
            ("S6", Weakened(Relaxed), "S7 decides, and acquires"),
            ("S18", LeftOut, "out of turn, but N1 holds; the law of admission in order sees it"),
            ("S19", LeftOut, "as if interrupted too deeply, N1 holds; the law of admission in order sees it"),
        ],
    }
    .check();
}

#[test]
fn bakery() {
    type Two<const LAST: u32 = { u32::MAX }> = Bakery<Cpu, 2, Coherent, Spin, LAST>;
    Algorithm {
        file: "src/bakery.rs",
        source: include_str!("../../src/bakery.rs"),
        models: &[
            ("2 x 1", || exclusion::<Two>(&[&[Lock], &[Lock]], Some(3))),
            ("try", || exclusion::<Two>(&[&[Lock], &[Try]], Some(3))),
            ("out of numbers", || exclusion::<Two<2>>(&[&[Lock], &[Lock]], Some(3))),
            ("2 x 2", || exclusion::<Two>(&[&[Lock, Lock], &[Lock, Lock]], Some(3))),
            ("2 x 2, try", || exclusion::<Two>(&[&[Try, Lock], &[Lock, Try]], Some(3))),
            ("3 x 1", || exclusion::<Bakery<Cpu, 3, Coherent, Patient<6>>>(&[&[Lock], &[Lock], &[Lock]], Some(2))),
        ],
        survivors: &[
            ("B2", LeftOut, "for handlers alone; tests/bakery.rs, which has them, sees it"),
            ("B11", Weakened(Relaxed), "the next draw looks again, after B5"),
        ],
    }
    .check();
}
