//! Which places a fleet has, and what they are asked: a TOML file.
//!
//! ```toml
//! options = ["--scenario", "kvm-ish", "--lock", "ticket,mcs"]    # of a run, for every place
//!
//! [[place]]
//! on = "host"                        # as after --on
//!
//! [[place]]
//! name = "pi4"                       # may be left out, if `on` tells them apart
//! on = "ssh:root@pi4"
//! options = ["--cores", "1,4"]       # for this place, besides
//! ```
//!
//! A run has one file of records, so it is one scenario or one preset.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Parser as _;
use serde::Deserialize;

use crate::arguments::{Arguments, Command, On, Place};

/// A file, understood.
#[derive(Debug)]
pub struct Fleet {
    /// At least one, each with another name.
    pub members: Vec<Member>,
}

/// A place of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// What it is called, also among files.
    pub name: String,
    /// Where it is, as after `--on`.
    pub on: String,
    /// Whether its cores are those of this machine, which only one can have at a time.
    pub here: bool,
    /// Of the run.
    pub options: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    options: Vec<String>,
    place: Vec<OfPlace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPlace {
    name: Option<String>,
    on: String,
    #[serde(default)]
    options: Vec<String>,
}

/// Reads the file at `path`.
///
/// # Errors
///
/// It cannot be read; or something in it makes no sense: the error names it.
pub fn read(path: &Path) -> Result<Fleet> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    understand(&text).with_context(|| name.to_string())
}

fn understand(text: &str) -> Result<Fleet> {
    let File { options, place } = toml::from_str(text)?;
    ensure!(!place.is_empty(), "there is no [[place]] in it");
    let members = place.into_iter().map(|place| member(&options, place)).collect::<Result<Vec<_>>>()?;
    let mut names = BTreeSet::new();
    if let Some(twice) = members.iter().find(|member| !names.insert(&member.name)) {
        bail!("two places are called {}: give them a name each", twice.name);
    }
    Ok(Fleet { members })
}

fn member(of_all: &[String], OfPlace { name, on, options }: OfPlace) -> Result<Member> {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let name = match name {
        Some(name) if !name.is_empty() && name.chars().all(plain) && !name.starts_with('.') => name,
        Some(name) => bail!("the name {name:?} has more in it than letters, digits, - and _"),
        None => on.chars().map(|c| if plain(c) { c } else { '-' }).collect(),
    };
    let mut words = of_all.to_vec();
    words.extend(options);
    // What a fleet sets itself is taken.
    let line = ["bench-harness", "run", "--on", &on, "--quiet", "--no-html", "--output", "of the fleet"];
    let arguments = Arguments::try_parse_from(line.into_iter().chain(words.iter().map(String::as_str)));
    let arguments = arguments.map_err(|error| {
        let error = error.to_string();
        anyhow!("{name}: {}", error.lines().next().unwrap_or_default())
    })?;
    let Some(Command::Run(run)) = arguments.command else { bail!("{name}: these are no options of a run") };
    run.check().map_err(anyhow::Error::msg).with_context(|| name.clone())?;
    ensure!(run.scenario.len() <= 1, "{name}: more than one scenario; a fleet runs one");
    let here = matches!(run.on, On::Named(Place::Host | Place::QemuEl1 | Place::QemuEl2));
    Ok(Member { name, on, here, options: words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_the_options_of_all_and_their_own() {
        let fleet = understand(
            "options = ['--preset', 'smoke']\n[[place]]\non = 'host'\n\
             [[place]]\nname = 'pi4'\non = 'ssh:root@pi4:22'\noptions = ['--cores', '1,4']\n\
             [[place]]\non = 'serial:/dev/ttyUSB0'\n",
        );
        let [host, pi, serial] = &fleet.unwrap().members[..] else { panic!() };
        assert_eq!(
            (&*host.name, host.here, &host.options[..]),
            ("host", true, &["--preset", "smoke"].map(String::from)[..])
        );
        assert_eq!((&*pi.name, &*pi.on, pi.here), ("pi4", "ssh:root@pi4:22", false));
        assert_eq!(pi.options, ["--preset", "smoke", "--cores", "1,4"]);
        assert_eq!((&*serial.name, serial.here), ("serial--dev-ttyUSB0", false));
    }

    #[test]
    fn what_makes_no_sense_is_said_with_its_place() {
        for (text, says) in [
            ("", "missing field `place`"),
            ("place = []", "no [[place]]"),
            ("joy = 1\n[[place]]\non = 'host'", "unknown field `joy`"),
            ("[[place]]\non = 'moon'", "moon"),
            ("[[place]]\nname = 'x/y'\non = 'host'", "more in it than letters"),
            ("[[place]]\nname = 'a'\non = 'host'\noptions = ['--joy']", "a: error: unexpected argument '--joy'"),
            ("[[place]]\nname = 'a'\non = 'host'\noptions = ['--quiet']", "'--quiet' cannot be used multiple times"),
            ("[[place]]\nname = 'a'\non = 'host'\noptions = ['--smp', '2']", "a: --smp is for an emulated board"),
            (
                "[[place]]\nname = 'a'\non = 'host'\noptions = ['--scenario', 'light,topup']",
                "a: more than one scenario",
            ),
            ("[[place]]\non = 'host'\n[[place]]\non = 'host'", "two places are called host"),
        ] {
            let error = format!("{:#}", understand(text).unwrap_err());
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
