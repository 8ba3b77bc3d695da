//! `--list` and `--plan`: what there is, and what would be run.

use std::fmt::Write as _;
use std::path::Path;

use crate::command::Invocation;
use crate::matrix::Job;

/// Name, budget and promise, a job a line.
#[must_use]
pub fn list(jobs: &[&Job]) -> String {
    let width = jobs.iter().map(|job| job.name.len()).max().unwrap_or(0).max("job".len());
    let mut text = format!("{:<width$}  budget  promise\n", "job");
    for job in jobs {
        let _ = writeln!(text, "{:<width$}  {:>4} s  {}", job.name, job.budget.as_secs(), job.promise);
    }
    text
}

/// Everything that would happen: what each job needs, and its commands as lines to type.
#[must_use]
pub fn plan(jobs: &[&Job], root: &Path) -> String {
    let mut text = String::new();
    for job in jobs {
        let _ = writeln!(text, "{} (at most {} s): {}", job.name, job.budget.as_secs(), job.promise);
        let toolchain = &job.toolchain;
        let mut needs = vec![format!("toolchain {}", toolchain.name)];
        for (what, names) in
            [("components", &toolchain.components), ("targets", &toolchain.targets), ("programs", &job.programs)]
        {
            if !names.is_empty() {
                needs.push(format!("{what} {}", names.join(" ")));
            }
        }
        let _ = writeln!(text, "  needs  {}", needs.join(" · "));
        for step in &job.steps {
            let _ = write!(text, "  $ {}", Invocation::of_job(job, &step.run, root.into()).line());
            if step.exit != 0 {
                let _ = write!(text, "  # must exit with {}", step.exit);
            }
            for says in &step.says {
                let _ = write!(text, "  # must say {says:?}");
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text
}
