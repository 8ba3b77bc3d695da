//! `soak`: see the library.
//!
//! ```sh
//! cargo run --release -p soak                          # a thousand million operations on two threads
//! cargo run --release -p soak -- --seconds 60 --threads 4 --seed 7
//! cargo run --release -p soak -- --seconds 60 --lock mcs --counts merged
//! ```
//!
//! | exit status | |
//! |---|---|
//! | 0 | nothing wrong; also after Ctrl-C, which ends with the last check |
//! | 1 | something is wrong with the pool, its lock or this machine: the last line says what |
//! | 2 | wrong arguments |
//! | 130 | a second Ctrl-C: no check |

use clap::{Parser, ValueEnum};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use soak::{Counts, Lock, Progress, Settings};
use std::io::{self, Write as _};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Duration;

/// Every call of the pool, in a mix, on several threads, with nothing lost and nothing given twice.
#[derive(Parser, Debug)]
#[command(version)]
struct Arguments {
    /// Operations of all threads together; underscores may be written
    #[arg(long, default_value = "1_000_000_000", value_parser = number)]
    operations: u64,
    /// Stop after so long, if it is not over by then
    #[arg(long)]
    seconds: Option<u64>,
    /// More than cores: slower, and preempted everywhere
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=200))]
    threads: u8,
    /// Another seed, another run; on one thread the same seed is the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Of the pool, and of what is around it
    #[arg(long, value_enum, default_value = "ticket")]
    lock: Lock,
    /// Who counts references
    #[arg(long, value_enum, default_value = "atomic")]
    counts: Counts,
}

fn number(text: &str) -> Result<u64, std::num::ParseIntError> {
    // Of none, nothing would be shown.
    text.replace('_', "").parse().map(std::num::NonZero::<u64>::get)
}

static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = Settings {
        operations: arguments.operations,
        limit: arguments.seconds.map(Duration::from_secs),
        threads: arguments.threads.into(),
        seed: arguments.seed,
        lock: arguments.lock,
        counts: arguments.counts,
    };
    // Relaxed: the flag says all there is to say.
    let listening = ctrlc::set_handler(|| {
        if STOP.swap(true, Relaxed) {
            process::exit(130);
        }
    });
    if let Err(error) = listening {
        eprintln!("Ctrl-C will end this without a check: {error}");
    }
    if available_parallelism().is_ok_and(|cores| cores.get() < settings.threads) {
        eprintln!("more threads than cores: the lock goes to the next in line, running or not, and this is slow");
    }
    let style =
        ProgressStyle::with_template("{bar:40} {percent:>3} % {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(settings.operations).with_style(style);
    let told = |progress: Progress| {
        let line = in_words(&progress);
        bar.set_position(progress.operations);
        bar.set_message(line.clone());
        if bar.is_hidden() && progress.checks % 10 == 1 {
            // No terminal: a line now and then. If nobody can read it, the end will say so.
            let _ = writeln!(io::stdout(), "{line}");
        }
    };
    let result = soak::run(&settings, &STOP, told);
    bar.finish_and_clear();
    let (verdict, code) = match result {
        Ok(end) => {
            let verdict = "all put back: the pool is whole, nothing lost, nothing given twice";
            (format!("{}\n{verdict}", in_words(&end)), ExitCode::SUCCESS)
        }
        Err(fault) => {
            let Settings { threads, seed, lock, counts, .. } = settings;
            let again = format!("--seed {seed} --threads {threads} --lock {} --counts {}", name(lock), name(counts));
            (format!("WRONG: {} ({again})", fault.0), ExitCode::FAILURE)
        }
    };
    match writeln!(io::stdout(), "{verdict}") {
        Ok(()) => code,
        Err(error) => {
            eprintln!("the verdict cannot be written to the standard output ({error}):\n{verdict}");
            ExitCode::FAILURE
        }
    }
}

/// As it is typed.
fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("none is hidden").get_name().to_owned()
}

fn in_words(progress: &Progress) -> String {
    let rate = progress.operations as f64 / progress.elapsed.as_secs_f64().max(1e-9) / 1e6;
    format!(
        "{} operations, {} checks, {rate:.1} million a second, {}, {} frames in use",
        HumanCount(progress.operations),
        progress.checks,
        HumanDuration(progress.elapsed),
        progress.in_use
    )
}
