//! Instructions an operation: this program again, a cell at a time, under valgrind's callgrind, which counts what is in
//! [`timed_chunk`](crate::measure::timed_chunk) and nothing else. Unlike times, they are the same on every run.
//!
//! `original` is held to what gcc makes of the real one (2026, its memset left out): a shape that takes 15 % more or
//! less is not it. The loops around the calls are counted on both
//! sides; `null` is what ours takes.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{fs, thread};

use anyhow::{Context, Result, bail, ensure};

use crate::arena::Arena;
use crate::arguments::Choice;
use crate::limits::Limits;
use crate::measure::{Amount, Cell};
use crate::report::{digits, table, text};
use crate::session::say;
use crate::subjects::{ALL, Contestant, ORIGINAL};
use crate::workloads::Workload;

/// The real one's, an operation, the loop around it included.
const fn reference(workload: Workload) -> Option<f64> {
    Some(match workload {
        Workload::W1 => 987.0,
        Workload::W1f => 166.0,
        Workload::Mixed => 187.7,
        Workload::W3l | Workload::W3r => f64::midpoint(108.0, 147.9),
        Workload::W3f => f64::midpoint(108.0, 146.9),
        Workload::W6 => 55.0,
        Workload::S2Seq => 60.3,
        Workload::S2Rand => 72.7,
        Workload::S2Sparse => 335.1,
        _ => return None,
    })
}

/// As many operations as the reference has.
const fn operations(workload: Workload) -> usize {
    match workload {
        Workload::S2Seq => 1 << 18,
        Workload::S2Rand => 50_000,
        _ => 20_000,
    }
}

/// How far `original` may be from the real one.
const WITHIN: f64 = 0.15;

/// Counts, and prints a table.
///
/// # Errors
///
/// There is no valgrind; asked for what there is not; a cell fails.
pub fn count(choice: &Choice) -> Result<()> {
    let workloads: Vec<_> = choice.workloads()?.into_iter().filter(|workload| workload.threads() == 1).collect();
    let contestants = choice.contestants()?;
    ensure!(!workloads.is_empty(), "instructions are counted for workloads of one thread only");
    let cells: Vec<_> = contestants.iter().flat_map(|&c| workloads.iter().map(move |&w| (w, c))).collect();
    let counts = counts(&cells)?;
    print(&workloads, &contestants, &counts)?;
    off_the_real_one(&cells, &counts).try_for_each(|(text, _)| say(format_args!("{text}\n")))?;
    Ok(())
}

/// Counts what there are limits for, and `original` besides, and says whether the ones are kept and the other is what it
/// stands for.
///
/// # Errors
///
/// As [`count`]; a limit is not kept; `original` is not within 15 % of the real one.
pub fn gate(limits: &Limits) -> Result<()> {
    let original = ALL.iter().filter(|contestant| contestant.name == ORIGINAL);
    let original = original.flat_map(|one| Workload::ALL.into_iter().map(move |workload| (workload, one)));
    let cells: Vec<_> = limits.cells().chain(original.filter(|cell| reference(cell.0).is_some())).collect();
    let counts = counts(&cells)?;
    for ((workload, contestant), count) in cells.iter().zip(&counts) {
        let count = count.map_or("-".to_owned(), digits);
        say(format_args!("{:10} {:15} {count}\n", workload.name(), contestant.name))?;
    }
    let off: Vec<_> = off_the_real_one(&cells, &counts).filter(|(_, within)| !within).map(|(text, _)| text).collect();
    ensure!(off.is_empty(), "{}", off.join("\n"));
    limits.hold(|name, workload| {
        let at = cells.iter().position(|(w, contestant)| *w == workload && contestant.name == name)?;
        counts[at]
    })
}

/// Instructions an operation of each cell.
fn counts(cells: &[(Workload, &'static Contestant)]) -> Result<Vec<Option<f64>>> {
    let there = Command::new("valgrind").arg("--version").output();
    ensure!(
        there.is_ok_and(|output| output.status.success()),
        "there is no valgrind here; on Debian: apt-get install valgrind"
    );
    let (next, counts) = (AtomicUsize::new(0), Mutex::new(vec![None; cells.len()]));
    let folder = tempfile::tempdir().context("no folder for callgrind's files")?;
    let worker = || -> Result<()> {
        loop {
            let mine = next.fetch_add(1, Relaxed);
            let Some(&(workload, contestant)) = cells.get(mine) else { return Ok(()) };
            eprintln!("{}/{}: {} {}", mine + 1, cells.len(), workload.name(), contestant.name);
            let count = under_valgrind(&folder.path().join(mine.to_string()), workload, contestant)?;
            if let Ok(mut counts) = counts.lock() {
                counts[mine] = count;
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a thread panicked")))
    })?;
    Ok(counts.into_inner().unwrap_or_default())
}

/// The table.
fn print(workloads: &[Workload], contestants: &[&'static Contestant], counts: &[Option<f64>]) -> Result<()> {
    let header = std::iter::once("instructions".to_owned()).chain(workloads.iter().map(|w| w.name().to_owned()));
    let mut table = table(header.collect());
    for (contestant, row) in contestants.iter().zip(counts.chunks(workloads.len())) {
        let cells = row.iter().map(|count| count.map_or("-".to_owned(), digits));
        table.add_row(std::iter::once(contestant.name.to_owned()).chain(cells));
    }
    let real = workloads.iter().map(|&workload| reference(workload).map_or("-".to_owned(), digits));
    table.add_row(std::iter::once("the real one".to_owned()).chain(real));
    say(format_args!("Instructions an operation (callgrind)\n\n{}\n", text(&mut table, 1)))
}

/// How far `original` is from the real one, and whether that is near enough.
fn off_the_real_one<'a>(
    cells: &'a [(Workload, &'static Contestant)],
    counts: &'a [Option<f64>],
) -> impl Iterator<Item = (String, bool)> + 'a {
    let original = cells.iter().zip(counts).filter(|((_, contestant), _)| contestant.name == ORIGINAL);
    original.filter_map(|((workload, _), count)| {
        let off = (*count)? / reference(*workload)? - 1.0;
        let near = off.abs() <= WITHIN;
        let within = if near { "within" } else { "NOT within" };
        let text = format!("original {}: {:+.1} %, {within} {:.0} %", workload.name(), off * 100.0, WITHIN * 100.0);
        Some((text, near))
    })
}

/// Instructions an operation of one cell; none if the subject does not take part.
fn under_valgrind(file: &Path, workload: Workload, contestant: &Contestant) -> Result<Option<f64>> {
    let this = std::env::current_exe().context("where am I?")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*timed_chunk*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(this)
        .args(["count", workload.name(), contestant.name, &operations(workload).to_string()])
        .output()
        .context("valgrind does not start")?;
    let says = String::from_utf8_lossy(&output.stdout);
    let cell = || format!("{} under {}", contestant.name, workload.name());
    ensure!(output.status.success(), "{}: {}", cell(), String::from_utf8_lossy(&output.stderr));
    let done: u64 = says.trim().parse().with_context(|| format!("{} says {says:?}", cell()))?;
    if done == 0 {
        return Ok(None);
    }
    let profile = fs::read_to_string(file).context("callgrind wrote nothing")?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    let total: u64 = total.context("callgrind wrote no total")?.trim().parse()?;
    ensure!(total > 0, "callgrind saw no `timed_chunk`: was the program stripped of its symbols?");
    Ok(Some(total as f64 / done as f64))
}

/// The cell that valgrind looks at: prints how many operations it had, 0 if the subject does not take part.
///
/// # Errors
///
/// The cell fails.
pub fn cell(workload: Workload, contestant: &Contestant, operations: usize) -> Result<()> {
    let cell = Cell { arena: Arena::leak()?, workload, amount: Amount::Operations(operations), cores: &[] };
    say(format_args!("{}\n", (contestant.measure)(&cell)?.map_or(0, |measured| measured.done)))
}
