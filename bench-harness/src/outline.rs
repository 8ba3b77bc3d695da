//! What a run would measure, and how long that takes: for whoever wants to know before an afternoon is gone.

use std::fmt::Write as _;

use anyhow::Result;
use bench_core::{Axis as _, Machine as _, Plan, Scenario};

use crate::arguments::{On, Place, RunArguments};
use crate::host::Host;
use crate::session::{sorted, told};
use crate::{local, table};

/// What `arguments` would run.
///
/// # Errors
///
/// There is no such scenario; or no telling which cores there are.
pub fn outline(arguments: &RunArguments) -> Result<String> {
    let host = Host::placed(&arguments.place)?;
    let mut text = String::new();
    let mut seconds = 0.0;
    for (named, request) in arguments.requests()? {
        let name = named.as_ref().map_or(request.preset.name(), |named| &named.name);
        let _ = writeln!(text, "{name}");
        if let Some(named) = &named {
            let _ = writeln!(text, "  {}", named.why);
        }
        let _ = writeln!(text, "  request   {request}");
        if arguments.on != On::Named(Place::Host) {
            let _ = writeln!(text, "  on {}: what of it can run there, the board says when it begins", arguments.on);
            continue;
        }
        let plan = request.plan(host.cores());
        let (cells, refused) = sorted(&plan, &host);
        text += &scenarios(&plan, &cells);
        let takes = local::duration(&plan, cells.len()).as_secs_f64();
        let _ = writeln!(
            text,
            "  in all    {} scenarios, each {} times without instruments and with: {} passes, about {}",
            cells.len(),
            plan.repeats,
            2 * cells.len() as u64 * u64::from(plan.repeats),
            told(takes)
        );
        seconds += takes;
        for line in table::refused(&refused).lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    }
    if arguments.scenario.len() > 1 && arguments.on == On::Named(Place::Host) {
        let _ = writeln!(text, "All of them: about {}", told(seconds));
    }
    Ok(text)
}

/// A line for each task and number of cores.
fn scenarios(plan: &Plan, cells: &[Scenario]) -> String {
    let times = plan.times;
    let ms = |us: u32| f64::from(us) / 1000.0;
    let mut text = format!(
        "  each      {} ms of warm-up, {} ms measured, {} ms with instruments\n",
        ms(times.warmup_us),
        ms(times.measure_us),
        ms(times.sample_us)
    );
    for group in cells.chunk_by(|one, next| (one.task(), one.cores) == (next.task(), next.cores)) {
        let first = group[0];
        let (mut locks, mut strategies): (Vec<_>, Vec<_>) = group.iter().map(|cell| (cell.lock, cell.strategy)).unzip();
        locks.sort_unstable();
        locks.dedup();
        strategies.dedup();
        let names = |names: Vec<String>| names.join(", ");
        let _ = writeln!(
            text,
            "  {} on {}: {} under {}",
            first.task(),
            if first.cores == 1 { "one core".into() } else { format!("{} cores", first.cores) },
            names(locks.iter().map(ToString::to_string).collect()),
            names(strategies.iter().map(ToString::to_string).collect())
        );
    }
    text
}
