//! How a run ended: a table, a closing line, an exit status.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// How one job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every step ended as it should, in time.
    Passed,
    /// Why not.
    Failed(String),
    /// An earlier job failed under `--fail-fast`, or somebody asked the run to end.
    NotRun,
}

impl Verdict {
    /// As the table has it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun => "not run",
        }
    }
}

/// One job's line in the table.
#[derive(Debug, Clone)]
pub struct Report {
    /// The job.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What its steps took, installing not counted.
    pub used: Duration,
    /// What they might have taken.
    pub budget: Duration,
}

/// The table, and below it the closing line `N passed, N failed`.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let width = reports.iter().map(|report| report.name.len()).max().unwrap_or(0).max("job".len());
    let mut text = format!("{:<width$}  verdict  seconds  budget\n", "job");
    for Report { name, verdict, used, budget } in reports {
        let (used, budget) = (used.as_secs(), budget.as_secs());
        let _ = write!(text, "{name:<width$}  {:<7}  {used:>7}  {budget:>6}", verdict.word());
        if let Verdict::Failed(why) = verdict {
            let _ = write!(text, "  {why}");
        }
        text.push('\n');
    }
    let count = |is: fn(&Verdict) -> bool| reports.iter().filter(|report| is(&report.verdict)).count();
    let not_run = count(|verdict| matches!(verdict, Verdict::NotRun));
    if not_run > 0 {
        let _ = writeln!(text, "{not_run} not run");
    }
    let [passed, failed] = [count(|verdict| *verdict == Verdict::Passed), count(|v| matches!(v, Verdict::Failed(_)))];
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    text
}

/// 0 only if every job passed; 130, as of a shell, if somebody asked the run to end; else 1.
#[must_use]
pub fn exit_code(reports: &[Report], interrupted: bool) -> ExitCode {
    ExitCode::from(status(reports, interrupted))
}

fn status(reports: &[Report], interrupted: bool) -> u8 {
    match reports.iter().all(|report| report.verdict == Verdict::Passed) {
        _ if interrupted => 130,
        true => 0,
        false => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, verdict: Verdict) -> Report {
        Report { name: name.into(), verdict, used: Duration::from_secs(7), budget: Duration::from_secs(300) }
    }

    #[test]
    fn the_closing_line_counts_and_stands_alone() {
        let reports = [
            report("lint", Verdict::Passed),
            report("a-long-name", Verdict::Failed("over budget".into())),
            report("loom", Verdict::NotRun),
        ];
        assert_eq!(
            table(&reports),
            "job          verdict  seconds  budget\n\
             lint         passed         7     300\n\
             a-long-name  FAILED         7     300  over budget\n\
             loom         not run        7     300\n\
             1 not run\n\
             1 passed, 1 failed\n"
        );
    }

    #[test]
    fn only_a_run_whose_every_job_passed_ends_with_0() {
        let [passed, failed] = [report("a", Verdict::Passed), report("b", Verdict::Failed(String::new()))];
        let not_run = report("c", Verdict::NotRun);
        assert_eq!(status(std::slice::from_ref(&passed), false), 0);
        assert_eq!(status(&[passed.clone(), failed], false), 1);
        assert_eq!(status(&[passed.clone(), not_run], false), 1);
        assert_eq!(status(&[passed], true), 130);
    }
}
