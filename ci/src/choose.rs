//! Which jobs are meant: names, or patterns with `*` and `?`.

use std::fmt;

use wildmatch::WildMatch;

use crate::matrix::Job;

/// A name or pattern that fits no job.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownJob {
    asked: String,
    nearest: Vec<String>,
}

impl fmt::Display for UnknownJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no job fits {:?}", self.asked)?;
        if !self.nearest.is_empty() {
            write!(f, "; did you mean {}?", self.nearest.join(" or "))?;
        }
        write!(f, "\n`cargo ci --list` shows them all")
    }
}

impl std::error::Error for UnknownJob {}

/// The jobs that some pattern fits, in the order of `jobs` and each once; all where nothing is asked.
///
/// # Errors
/// A pattern fits none.
pub fn choose<'j>(jobs: &'j [Job], asked: &[String]) -> Result<Vec<&'j Job>, UnknownJob> {
    if asked.is_empty() {
        return Ok(jobs.iter().collect());
    }
    let patterns: Vec<_> = asked.iter().map(|pattern| WildMatch::new(pattern)).collect();
    for (pattern, text) in patterns.iter().zip(asked) {
        if !jobs.iter().any(|job| pattern.matches(&job.name)) {
            return Err(UnknownJob { asked: text.clone(), nearest: nearest(jobs, text) });
        }
    }
    Ok(jobs.iter().filter(|job| patterns.iter().any(|pattern| pattern.matches(&job.name))).collect())
}

/// Up to three names that look like `text`, the likest first.
fn nearest(jobs: &[Job], text: &str) -> Vec<String> {
    const ALIKE: f64 = 0.75; // of Jaro-Winkler's 0 to 1
    let mut names: Vec<_> = jobs.iter().map(|job| (strsim::jaro_winkler(&job.name, text), &job.name)).collect();
    names.retain(|&(likeness, _)| likeness > ALIKE);
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    names.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::matrix::tests::here;

    fn jobs() -> Vec<Job> {
        let text = ["lint", "loom", "qemu-el1-4", "qemu-el1-8", "qemu-el2-4"].map(|name| {
            format!("[[job]]\nname = {name:?}\npromise = \"\"\nbudget = 1\nsteps = [{{ run = [\"true\"] }}]\n")
        });
        let text = format!("[limits]\ntotal = 9\ninstall = 1\n{}", text.concat());
        Matrix::parse(&text, &here()).unwrap().jobs
    }

    fn names(asked: &[&str]) -> Result<Vec<String>, UnknownJob> {
        let asked: Vec<_> = asked.iter().map(|&text| text.into()).collect();
        Ok(choose(&jobs(), &asked)?.iter().map(|job| job.name.clone()).collect())
    }

    #[test]
    fn nothing_asked_means_all() {
        assert_eq!(names(&[]).unwrap().len(), 5);
    }

    #[test]
    fn patterns_fit_whole_names_in_the_order_of_the_file_each_once() {
        assert_eq!(names(&["qemu-*"]).unwrap(), ["qemu-el1-4", "qemu-el1-8", "qemu-el2-4"]);
        assert_eq!(
            names(&["qemu-*-4", "lint", "qemu-el1-?"]).unwrap(),
            ["lint", "qemu-el1-4", "qemu-el1-8", "qemu-el2-4"]
        );
        assert!(names(&["qemu"]).is_err());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let said = names(&["lint", "lomo"]).unwrap_err().to_string();
        assert!(said.starts_with("no job fits \"lomo\"; did you mean loom"), "{said}");
        let said = names(&["zzz"]).unwrap_err().to_string();
        assert!(said.starts_with("no job fits \"zzz\"\n"), "{said}");
    }
}
