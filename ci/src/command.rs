//! A command as it is started, and the same as a line to type.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::matrix::Job;

/// What the caller's environment may not decide about a job: flags, targets and toolchains of somebody's shell, and
/// what cargo told this program about itself.
const NOT_INHERITED: [&str; 15] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "LOOM_MAX_BRANCHES",
    "LOOM_MAX_PERMUTATIONS",
    "LOOM_MAX_PREEMPTIONS",
    "MIRIFLAGS",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "TSAN_OPTIONS",
];

/// A program with its arguments, the environment that a job gives it and the directory that it runs in.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Set beside what is inherited.
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    pub dir: PathBuf,
}

impl Invocation {
    /// `argv` as a step of `job`, with the job's environment and toolchain.
    #[must_use]
    pub fn of_job(job: &Job, argv: &[String], dir: PathBuf) -> Self {
        let mut env = job.env.clone();
        if !job.toolchain.pinned {
            env.insert("RUSTUP_TOOLCHAIN".into(), job.toolchain.name.clone());
        }
        Self { argv: argv.to_vec(), env, dir }
    }

    /// Ready to start: no input, and nothing inherited that would change what is tested.
    #[must_use]
    pub fn command(&self) -> Command {
        let (program, arguments) = self.argv.split_first().expect("the matrix refuses a step without a command");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.dir).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if NOT_INHERITED.contains(&&*name) || name.starts_with("CARGO_PKG_") {
                command.env_remove(&*name);
            }
        }
        command.envs(&self.env);
        command
    }

    /// The line that repeats it by hand, at the top of the repository.
    #[must_use]
    pub fn line(&self) -> String {
        let quoted = |text: &str| shlex::try_quote(text).map_or_else(|_| text.to_owned(), |quoted| quoted.into_owned());
        let env = self.env.iter().map(|(key, value)| format!("{key}={}", quoted(value)));
        env.chain(self.argv.iter().map(|argument| quoted(argument))).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(argv: &[&str]) -> Invocation {
        Invocation {
            argv: argv.iter().map(|&text| text.into()).collect(),
            env: BTreeMap::from([("RUSTFLAGS".into(), "--cfg loom".into())]),
            dir: "/".into(),
        }
    }

    #[test]
    fn the_line_can_be_typed() {
        let line = invocation(&["cargo", "test", "a b", "-smp", "4", "it's"]).line();
        assert_eq!(line, "RUSTFLAGS='--cfg loom' cargo test 'a b' -smp 4 \"it's\"");
    }

    #[test]
    fn the_shell_that_reads_the_line_and_the_command_see_the_same() {
        let script = "printf '%s|' \"$RUSTFLAGS\" \"$@\"";
        let invocation = invocation(&["sh", "-c", script, "sh", "a b", "$HOME", "it's", "*"]);
        let started = invocation.command().output().unwrap().stdout;
        let typed = Command::new("sh").args(["-c", &invocation.line()]).output().unwrap().stdout;
        assert_eq!(String::from_utf8(started.clone()).unwrap(), "--cfg loom|a b|$HOME|it's|*|");
        assert_eq!(started, typed);
    }

    #[test]
    fn the_callers_package_and_toolchain_stay_behind() {
        // Cargo sets both for this test; the child prints what it sees of them.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && std::env::var_os("CARGO_PKG_NAME").is_some());
        let seen = invocation(&["env"]).command().output().unwrap().stdout;
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert!(!seen.contains("CARGO_MANIFEST_DIR=") && !seen.contains("CARGO_PKG_"), "{seen}");
    }
}
