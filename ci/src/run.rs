//! Runs jobs, one after the other.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wildmatch::WildMatch;

use crate::command::Invocation;
use crate::install::{Apt, Remedy, remedy};
use crate::interrupt;
use crate::log::Log;
use crate::matrix::{Job, Matrix, Step};
use crate::needs::{self, Missing};
use crate::progress::{Progress, say};
use crate::step::{self, End};
use crate::summary::{Report, Verdict};

/// Lines of a log that are shown when a job fails.
const TAIL: usize = 40;

/// What somebody chose on the command line.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// End with the first job that fails.
    pub fail_fast: bool,
    /// Install what is missing, where that is possible.
    pub install: bool,
    /// Show what the steps print.
    pub verbose: bool,
}

/// The state that outlives a job.
#[derive(Debug)]
pub struct Runner<'m> {
    matrix: &'m Matrix,
    root: PathBuf,
    logs: PathBuf,
    options: Options,
    progress: Progress,
    /// Seconds for installing, all jobs together, that are left.
    install_left: Duration,
    refreshed: bool,
}

/// Why a job failed, and the lines that somebody may type now.
struct Failure {
    why: String,
    /// Brings what is missing.
    to_install: Vec<String>,
    /// Repeats the step that failed.
    by_hand: Option<String>,
}

impl Failure {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), to_install: Vec::new(), by_hand: None }
    }

    fn of_missing(missing: &[Missing], to_install: Vec<String>) -> Self {
        let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
        Self { to_install, ..Self::new(format!("missing: {}", names.join(", "))) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(format!("the log: {error}"))
    }
}

impl<'m> Runner<'m> {
    /// Jobs run in `root`, the top of the repository, and are logged in `logs`.
    #[must_use]
    pub fn new(matrix: &'m Matrix, root: PathBuf, logs: PathBuf, options: Options) -> Self {
        Self {
            matrix,
            root,
            logs,
            options,
            progress: Progress::new(options.verbose),
            install_left: Duration::from_secs(matrix.limits.install),
            refreshed: false,
        }
    }

    /// Runs `jobs` in this order; one report each.
    pub fn run(&mut self, jobs: &[&Job]) -> Vec<Report> {
        let width = jobs.iter().map(|job| job.name.len()).max().unwrap_or(0);
        let mut stop = false;
        let mut reports = Vec::new();
        for &job in jobs {
            let (verdict, used) = if stop || interrupt::asked() {
                (Verdict::NotRun, Duration::ZERO)
            } else {
                let (outcome, used) = self.job(job);
                let (used_s, budget) = (used.as_secs(), job.budget.as_secs());
                let verdict = if outcome.is_ok() { "passed" } else { "FAILED" };
                say(&format!("{verdict}  {:<width$}  {used_s:>4} s of {budget:>4} s\n", job.name));
                match outcome {
                    Ok(()) => (Verdict::Passed, used),
                    Err(failure) => {
                        self.explain(job, &failure);
                        stop = self.options.fail_fast;
                        (Verdict::Failed(failure.why), used)
                    }
                }
            };
            reports.push(Report { name: job.name.clone(), verdict, used, budget: job.budget });
        }
        reports
    }

    /// Where the steps of `job` are logged.
    fn log_of(&self, job: &Job) -> PathBuf {
        self.logs.join(format!("{}.log", job.name))
    }

    fn explain(&self, job: &Job, failure: &Failure) {
        let path = self.log_of(job);
        let tail = Log::open(&path).and_then(|mut log| log.tail(TAIL)).unwrap_or_default();
        let mut text = String::new();
        if !self.options.verbose {
            tail.iter().for_each(|line| text.push_str(&format!("    | {line}\n")));
        }
        let mut row = |label: &str, value: &str| text.push_str(&format!("    {label:<8} {value}\n"));
        row("why", &failure.why);
        failure.to_install.iter().for_each(|line| row("type", line));
        row("log", &path.display().to_string());
        failure.by_hand.iter().for_each(|line| row("by hand", line));
        row("again", &format!("cargo ci {}", job.name));
        say(&text);
    }

    /// Runs one job; with how long its steps took.
    fn job(&mut self, job: &Job) -> (Result<(), Failure>, Duration) {
        let mut log = match Log::create(&self.log_of(job)) {
            Ok(log) => log,
            Err(error) => return (Err(error.into()), Duration::ZERO),
        };
        if let Err(failure) = self.provide(job, &mut log) {
            return (Err(failure), Duration::ZERO);
        }
        let mut clock = Clock { start: Instant::now(), budget: job.budget, what: String::new() };
        for (number, step) in (1..).zip(&job.steps) {
            clock.what = format!("step {number} of {}: {}", job.steps.len(), step.run.join(" "));
            let invocation = Invocation::of_job(job, &step.run, self.root.clone());
            if let Err(failure) = self.step(job, step, &invocation, &clock, &mut log) {
                let why = format!("step {number} of {}: {}", job.steps.len(), failure.why);
                let failure = Failure { why, by_hand: Some(invocation.line()), ..failure };
                return (Err(failure), clock.start.elapsed());
            }
        }
        (Ok(()), clock.start.elapsed())
    }

    fn step(
        &mut self,
        job: &Job,
        step: &Step,
        invocation: &Invocation,
        clock: &Clock,
        log: &mut Log,
    ) -> Result<(), Failure> {
        let from = log.size()?;
        let end = self.command(job, invocation, clock, log)?;
        let why = match end {
            End::OverTime => format!("over its budget of {} s, and killed", job.budget.as_secs()),
            End::Interrupted => "interrupted".into(),
            End::Exited(status) if status.code() == Some(step.exit) => {
                let output = log.since(from)?;
                match step.says.iter().find(|line| !says(&output, line)) {
                    Some(line) => format!("no line of the output is {line:?}"),
                    None => return Ok(()),
                }
            }
            End::Exited(status) if step.exit == 0 => status.to_string(),
            End::Exited(status) => format!("{status}, where {} is the status to see", step.exit),
        };
        Err(Failure::new(why))
    }

    /// Installs what `job` lacks.
    fn provide(&mut self, job: &Job, log: &mut Log) -> Result<(), Failure> {
        let missing = needs::missing(job, &self.matrix.packages);
        if missing.is_empty() {
            return Ok(());
        }
        let commands = match remedy(&missing, Apt::find(), self.refreshed) {
            Remedy::Run(commands) if self.options.install => commands,
            Remedy::Run(commands) => {
                let lines = commands.iter().map(|words| words.join(" ")).collect();
                return Err(Failure::of_missing(&missing, lines));
            }
            Remedy::Say(lines) => return Err(Failure::of_missing(&missing, lines)),
        };
        for argv in commands {
            let line = argv.join(" ");
            say(&format!("install {line}\n"));
            self.refreshed |= line.ends_with("apt-get update");
            let invocation = Invocation { argv, env: [].into(), dir: self.root.clone() };
            let clock = Clock { start: Instant::now(), budget: self.install_left, what: line.clone() };
            let end = self.command(job, &invocation, &clock, log);
            self.install_left = self.install_left.saturating_sub(clock.start.elapsed());
            let why = match end? {
                End::Exited(status) if status.success() => continue,
                End::Exited(status) => format!("cannot install what is missing: {status}"),
                End::OverTime => "the time for installing is over".into(),
                End::Interrupted => "interrupted".into(),
            };
            return Err(Failure { to_install: vec![line], ..Failure::new(why) });
        }
        match needs::missing(job, &self.matrix.packages) {
            still if still.is_empty() => Ok(()),
            still => Err(Failure::of_missing(&still, Vec::new())),
        }
    }

    fn command(&mut self, job: &Job, invocation: &Invocation, clock: &Clock, log: &mut Log) -> Result<End, Failure> {
        let (progress, verbose) = (&mut self.progress, self.options.verbose);
        let mut watch = |log: &mut Log| {
            progress.show(&job.name, &clock.what, clock.start.elapsed(), clock.budget);
            if verbose {
                say(&log.fresh().unwrap_or_default());
            }
        };
        let end = step::run(invocation, log, clock.start + clock.budget, &mut watch);
        self.progress.clear();
        end.map_err(|error| Failure::new(format!("cannot run {}: {error}", invocation.argv[0])))
    }
}

/// When something began, how long it may take, and what is going on.
struct Clock {
    start: Instant,
    budget: Duration,
    what: String,
}

/// Whether some line of `output` is `line`, up to the carriage return of a serial console.
fn says(output: &str, line: &str) -> bool {
    let line = WildMatch::new(line);
    output.lines().any(|one| line.matches(one.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_only_as_a_whole() {
        assert!(says("boot\r\nsuite: 12 passed, 0 failed\r\n", "suite: * passed, 0 failed"));
        assert!(!says("the suite: 12 passed, 0 failed, so far\n", "suite: * passed, 0 failed"));
        assert!(!says("suite: 11 passed, 1 failed\n", "suite: * passed, 0 failed"));
    }
}
