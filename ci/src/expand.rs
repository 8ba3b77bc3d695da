//! One job of the file, with axes, into the jobs that it stands for.
//!
//! ```text
//!  name = "qemu-{el}-{cores}"
//!  axes.el    = [{ is = "el1", machine = "virt" }, { is = "el2", machine = "virt,virtualization=on" }]
//!  axes.cores = [{ is = "1" }, { is = "4" }]
//!
//!  qemu-el1-1   el=el1 machine=virt                    cores=1 accel=tcg,thread=multi
//!  qemu-el1-4   el=el1 machine=virt                    cores=4 accel=tcg,thread=single   (2 processors here)
//!  qemu-el2-1   …
//! ```
//!
//! The axis mentioned last in the name varies fastest. Beside `is`, a value may carry further variables.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::matrix::{Here, Job, Step, Template, Toolchain};

/// The variables of one job, by name.
type Variables = BTreeMap<String, String>;

/// The axis that says how many virtual processors a job's machine has.
const CORES: &str = "cores";

pub(crate) fn jobs(template: &Template, here: &Here) -> Result<Vec<Job>> {
    combinations(template)?.into_iter().map(|variables| job(template, variables, here)).collect()
}

/// Every choice of one value from each axis.
fn combinations(template: &Template) -> Result<Vec<Variables>> {
    let mut axes = Vec::new();
    for (axis, values) in &template.axes {
        let mention = template.name.find(&format!("{{{axis}}}"));
        let mention = mention.with_context(|| format!("the name does not mention the axis {axis:?}"))?;
        ensure!(!values.is_empty(), "the axis {axis:?} has no values");
        axes.push((mention, axis, values));
    }
    axes.sort_unstable_by_key(|&(mention, ..)| mention);

    let mut all = vec![Variables::new()];
    for (_, axis, values) in axes {
        let mut longer = Vec::new();
        for before in &all {
            for value in values {
                let mut variables = before.clone();
                let is = value.get("is").with_context(|| format!("a value of the axis {axis:?} lacks `is`"))?;
                variables.insert(axis.clone(), is.clone());
                variables.extend(value.iter().filter(|(key, _)| *key != "is").map(|(k, v)| (k.clone(), v.clone())));
                longer.push(variables);
            }
        }
        all = longer;
    }
    Ok(all)
}

fn job(template: &Template, mut variables: Variables, here: &Here) -> Result<Job> {
    let toolchain = template.toolchain.clone().unwrap_or_else(|| here.pinned.clone());
    variables.insert("target_dir".into(), here.target_dir.clone());
    variables.insert("toolchain".into(), toolchain.clone());
    if let Some(cores) = variables.get(CORES) {
        let cores = cores.parse().with_context(|| format!("{cores:?} is no number of cores"))?;
        variables.insert("accel".into(), accelerator(cores, here.cores).into());
    }

    let fill = |text: &String| fill(text, &variables);
    let fill_all = |texts: &[String]| texts.iter().map(fill).collect::<Result<Vec<_>>>();
    let step = |step: &Step| -> Result<_> {
        Ok(Step { run: fill_all(&step.run)?, exit: step.exit, says: fill_all(&step.says)? })
    };
    Ok(Job {
        name: fill(&template.name)?,
        promise: fill(&template.promise)?,
        budget: Duration::from_secs(template.budget),
        toolchain: Toolchain {
            name: toolchain,
            pinned: template.toolchain.is_none(),
            components: fill_all(&template.components)?,
            targets: fill_all(&template.targets)?,
        },
        programs: fill_all(&template.programs)?,
        env: template.env.iter().map(|(key, value)| Ok((key.clone(), fill(value)?))).collect::<Result<_>>()?,
        steps: template.steps.iter().map(step).collect::<Result<_>>()?,
    })
}

/// QEMU's `-accel`. With more virtual processors than real ones, a waiter can spin for a whole time slice of the host
/// while the owner of the lock does not run; in one thread QEMU itself goes round them in short turns.
fn accelerator(virtual_cores: usize, real_cores: usize) -> &'static str {
    if virtual_cores > real_cores { "tcg,thread=single" } else { "tcg,thread=multi" }
}

/// Replaces each `{name}`.
fn fill(text: &String, variables: &Variables) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { bail!("{text:?}: a brace is not closed") };
        let value = variables.get(name).with_context(|| format!("{text:?}: nothing is called {{{name}}}"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::tests::here;

    fn template(text: &str) -> Template {
        toml::from_str(text).unwrap()
    }

    const BOOT: &str = r#"
        name = "qemu-{el}-{atomics}-{cores}"
        promise = "boots at {el}"
        budget = 60
        env = { RUSTFLAGS = "{flags}" }
        axes.atomics = [{ is = "llsc", flags = "" }, { is = "lse", flags = "-C target-feature=+lse" }]
        axes.cores = [{ is = "1" }, { is = "4" }, { is = "8" }]
        axes.el = [{ is = "el1" }, { is = "el2" }]
        steps = [{ run = ["qemu", "-smp", "{cores}", "-accel", "{accel}", "{target_dir}/{atomics}/{el}"], says = ["{el} *"] }]
    "#;

    #[test]
    fn every_combination_once_the_last_mentioned_axis_fastest() {
        let jobs = jobs(&template(BOOT), &here()).unwrap();
        let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(names[..4], ["qemu-el1-llsc-1", "qemu-el1-llsc-4", "qemu-el1-llsc-8", "qemu-el1-lse-1"]);
        assert_eq!(names[11], "qemu-el2-lse-8");
    }

    #[test]
    fn variables_reach_every_text() {
        let jobs = jobs(&template(BOOT), &here()).unwrap();
        let job = &jobs[10]; // qemu-el2-lse-4
        assert_eq!(job.promise, "boots at el2");
        assert_eq!(job.env["RUSTFLAGS"], "-C target-feature=+lse");
        assert_eq!(job.steps[0].run, ["qemu", "-smp", "4", "-accel", "tcg,thread=single", "/t/lse/el2"]);
        assert_eq!(job.steps[0].says, ["el2 *"]);
    }

    #[test]
    fn one_thread_only_where_virtual_cores_outnumber_real_ones() {
        assert_eq!(accelerator(1, 2), "tcg,thread=multi");
        assert_eq!(accelerator(2, 2), "tcg,thread=multi");
        assert_eq!(accelerator(3, 2), "tcg,thread=single");
    }

    #[test]
    fn a_text_that_cannot_be_filled_names_itself() {
        let refusal = |from, to| format!("{:#}", jobs(&template(&BOOT.replace(from, to)), &here()).unwrap_err());
        assert!(refusal("boots at {el}", "boots at {level}").contains("nothing is called {level}"));
        assert!(refusal("boots at {el}", "boots at {el").contains("a brace is not closed"));
        assert!(refusal("name = \"qemu-{el}-", "name = \"qemu-").contains("does not mention the axis \"el\""));
        assert!(refusal("{ is = \"8\" }", "{ is = \"many\" }").contains("no number of cores"));
        assert!(refusal("{ is = \"8\" }", "{ eight = \"8\" }").contains("lacks `is`"));
    }

    #[test]
    fn without_axes_a_job_stands_for_itself() {
        let text = "name = \"lint\"\npromise = \"\"\nbudget = 1\nsteps = [{ run = [\"cargo\", \"+{toolchain}\"] }]";
        let jobs = jobs(&template(text), &here()).unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].steps[0].run, ["cargo", "+1.95.0"]);
    }
}
