//! The gate: how many instructions an operation may take, from a file.
//!
//! ```toml
//! [pool]       # a subject
//! W1 = 200     # a workload, and its most instructions an operation
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt::Write, fs};

use anyhow::{Context, Result, bail};

use crate::arguments;
use crate::session::say;
use crate::subjects::{self, Contestant};
use crate::workloads::Workload;

/// What a file says, each name known.
#[derive(Debug)]
pub struct Limits(Vec<(&'static str, Workload, f64)>);

impl Limits {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// There is no such file, it is something else, or it names what there is not.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("limits in {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("limits in {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let tables: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(text)?;
        let mut limits = Vec::new();
        for (subject, workloads) in &tables {
            let subject = arguments::subject(subject)?.name;
            for (workload, &most) in workloads {
                limits.push((subject, arguments::workload(workload)?, most));
            }
        }
        if limits.is_empty() {
            bail!("it has none");
        }
        Ok(Self(limits))
    }

    /// What to count.
    pub fn cells(&self) -> impl Iterator<Item = (Workload, &'static Contestant)> {
        self.0.iter().filter_map(|&(subject, workload, _)| Some((workload, subjects::named(subject)?)))
    }

    /// Says whether every limit is kept.
    ///
    /// # Errors
    ///
    /// The ones that are not, or of which there is no count.
    pub fn hold(&self, count: impl Fn(&str, Workload) -> Option<f64>) -> Result<()> {
        let mut broken = String::new();
        for &(subject, workload, most) in &self.0 {
            let workload_name = workload.name();
            match count(subject, workload) {
                Some(count) if count <= most => {}
                Some(count) => {
                    write!(broken, "\n  {subject} {workload_name}: {count:.1} instructions, at most {most}")?;
                }
                None => write!(broken, "\n  {subject} {workload_name}: not counted")?,
            }
        }
        if !broken.is_empty() {
            bail!("limits that are not kept:{broken}");
        }
        say(format_args!("All {} limits are kept.\n", self.0.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn a_limit_holds_or_is_named() {
        let limits = Limits::parse("[pool]\nW1 = 100\nW6 = 50.5\n").unwrap();
        limits.hold(|_, _| Some(50.5)).unwrap();
        let error = limits.hold(|_, workload| (workload.name() == "W1").then_some(101.0)).unwrap_err().to_string();
        assert!(error.contains("pool W1: 101.0 instructions, at most 100"), "{error}");
        assert!(error.contains("pool W6: not counted"), "{error}");
    }

    #[test]
    fn what_there_is_not_has_no_limit() {
        assert!(Limits::parse("[pol]\nW1 = 100\n").unwrap_err().to_string().contains("did you mean `pool`"));
        assert!(Limits::parse("[pool]\nW0 = 100\n").unwrap_err().to_string().contains("no workload `W0`"));
        assert!(Limits::parse("").is_err());
    }
}
