//! The command line, and the request that it makes.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use bench_core::own::Known;
use bench_core::plan::{ALL_CORES, CoreCounts, LONGEST_NS, MAX_LENGTHS};
use bench_core::{Axis, Lock, Mix, Preset, Request, Set, Strategy, Workload};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::compare::Criteria;
use crate::placement::Placement;
use crate::scenario::{self, Named};
use crate::serial::Serial;
use crate::session::Impossible;
use crate::ssh::Destination;

/// Which lock for this machine?
///
/// Measures contention on the critical section of a page allocator: lock x strategy x workload x number of cores, on
/// this host or on an emulated AArch64 board. Without a subcommand it runs; without options it runs what answers the
/// question, in a minute. Every pass is checked: if pages were lost or handed out twice, its figures are void.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of a run.
    #[command(flatten)]
    pub run: RunArguments,
}

const EXAMPLES: &str = "\
Examples (cargo run --release -p bench-harness -- ...):
  bench-harness                                    which lock, which strategy: the answer in a minute
  bench-harness list                               what there is to choose from, and what cannot run here
  bench-harness --lock ticket,mcs --cores 1,2      two locks, on one core and on two
  bench-harness --strategy split,merged-ref,merged --workload refpage
  bench-harness --lock broken --strategy merged    the control: no lock at all; has to be caught (exit status 1)
  bench-harness --scenario kvm-ish                 200 ns in the section, 1 us between; several with commas, or a file
  bench-harness plan --scenario saturated,light    what that would run, and how long it takes
  bench-harness resume bench-results/FILE.jsonl    goes on where a run was stopped
  bench-harness replay bench-results/FILE.jsonl    the command that made a record
  bench-harness compare OLD.jsonl NEW.jsonl        what has become slower
  bench-harness ab OLD NEW -- --scenario light     the same of two builds, measured interleaved
  bench-harness --on qemu-virt-el2 --preset smoke  the same loop on bare metal, emulated
  bench-harness --on serial:/dev/ttyUSB0           on a board that runs the image, through its console
  bench-harness --on ssh:user@board --scenario light  on another machine with Linux, which needs nothing but a shell
  bench-harness fleet boards.toml                  the same on many places, side by side
  bench-harness overview results/*.jsonl           the same of runs that something else has started
  bench-harness ingest console.log --board rpi4    records of a console that was captured
  bench-harness report bench-results/*.jsonl       tables and pages again, from the records
  bench-harness report --csv all.csv FILE ...      the figures for other programs; --json as well

Records are JSON Lines; beside them is a page with plots.

Exit status: 0 measured; 1 a pass was void, or reading, writing or the emulator failed; 2 the command line asks for
what there is not, or cannot run here; 3 a comparison found
something slower; 130 interrupted (what was measured until then is kept)";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure (the default: options of a run may stand without it)
    #[command(after_help = EXAMPLES)]
    Run(RunArguments),
    /// Show tables, and write pages, of records that there are
    Report(ReportArguments),
    /// Show locks, strategies, workloads, presets and scenarios, and what cannot run here
    List,
    /// Show what a run would measure, and how long it takes; measure nothing
    Plan(RunArguments),
    /// Go on with a run of this host that was stopped: measures what its file has not, and adds it there
    Resume(ResumeArguments),
    /// Print the command that makes a record again
    Replay(ReplayArguments),
    /// Make records of a board's console that was captured
    Ingest(IngestArguments),
    /// Run one request on many places, and show them side by side
    #[command(after_help = FLEET)]
    Fleet(FleetArguments),
    /// Show runs that there are side by side, as a fleet's
    Overview(OverviewArguments),
    /// Compare two runs: what has become slower? (exit status 3)
    #[command(after_help = COMPARING)]
    Compare(CompareArguments),
    /// Measure two programs against each other, interleaved, and compare them
    #[command(after_help = AB)]
    Ab(AbArguments),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (bench-harness man | man -l -)
    Man,
}

/// Options of a resumption.
#[derive(Debug, Args)]
pub struct ResumeArguments {
    /// The file of records that ends early
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Go on although the program was built from another source, or the machine is another one
    #[arg(long)]
    pub anyway: bool,

    /// Write no page, only the records
    #[arg(long)]
    pub no_html: bool,
}

/// Options of an ingestion.
#[derive(Debug, Args)]
pub struct IngestArguments {
    /// The console's log; - is the standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// What the board is called
    #[arg(long, value_name = "NAME")]
    pub board: String,

    /// It was an emulator: its times say nothing of hardware
    #[arg(long)]
    pub emulated: bool,

    /// Where the records go
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    pub output: PathBuf,

    /// Write no page, only the records
    #[arg(long)]
    pub no_html: bool,
}

const FLEET: &str = "\
The file:
  options = [\"--scenario\", \"kvm-ish\"]      of a run, for every place

  [[place]]
  on = \"host\"                             as after --on

  [[place]]
  name = \"pi4\"
  on = \"ssh:root@pi4\"
  options = [\"--cores\", \"1,4\"]            for this place, besides

Exit status: 0 every place has measured; 1 one failed, and is named; 2 the file makes no sense; 130 interrupted";

/// Options of an overview.
#[derive(Debug, Args)]
pub struct OverviewArguments {
    /// Files of records, one for each place
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Options of a fleet.
#[derive(Debug, Args)]
pub struct FleetArguments {
    /// Which places, and what they are asked
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,

    /// Where the records go, in a directory of their own
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    pub output: PathBuf,
}

const COMPARING: &str = "\
In CI: measure the branch point and the head on one machine, one after the other, and
  bench-harness compare base/*.jsonl head/*.jsonl

An alarm needs all three: intervals that do not overlap, a significant rank test (corrected for the number of scenarios),
and a median that has changed by the minimum effect.

Exit status: 0 nothing is slower; 3 something is, or has become void; 1 a file cannot be read; 2 they cannot be compared";

/// Options of a comparison.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Records of the baseline
    #[arg(value_name = "A")]
    pub a: PathBuf,

    /// Records of what is compared with it
    #[arg(value_name = "B")]
    pub b: PathBuf,

    /// The least change that matters, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = percent)]
    pub min_effect: f64,

    /// How likely any false alarm may be, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = percent)]
    pub alpha: f64,

    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

const AB: &str = "\
A and B are two builds of bench-harness, or of a program with locks of one's own:
  bench-harness ab old/bench-harness new/bench-harness -- --scenario kvm-ish --lock ticket

Two runs one after the other are compared with what has changed on the machine between them; interleaved ones are not.
Exit status: as of compare";

/// Options of a comparison of two programs.
#[derive(Debug, Args)]
pub struct AbArguments {
    /// The baseline: a program
    #[arg(value_name = "A")]
    pub a: PathBuf,

    /// The program that is compared with it
    #[arg(value_name = "B")]
    pub b: PathBuf,

    /// How often each is run, for one repeat each
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,

    /// Where the records go
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    pub output: PathBuf,

    /// The least change that matters, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = percent)]
    pub min_effect: f64,

    /// How likely any false alarm may be, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = percent)]
    pub alpha: f64,

    /// Options of a run, for both
    #[arg(last = true, value_name = "OPTION")]
    pub options: Vec<String>,
}

impl AbArguments {
    /// What counts as a difference.
    #[must_use]
    pub fn criteria(&self) -> Criteria {
        Criteria { alpha: self.alpha, least: self.min_effect }
    }
}

impl CompareArguments {
    /// What counts as a difference.
    #[must_use]
    pub fn criteria(&self) -> Criteria {
        Criteria { alpha: self.alpha, least: self.min_effect }
    }
}

/// A part of the whole: `5`, `2.5%`.
fn percent(text: &str) -> std::result::Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().map_err(|_| format!("\"{text}\" is no number"))?;
    if (0.0..=100.0).contains(&number) { Ok(number / 100.0) } else { Err("from 0 to 100".into()) }
}

/// Options of a replay.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// A file of records
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of a run.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Where to start from
    #[arg(long, value_parser = named::<Preset>(), default_value = "quick")]
    pub preset: Preset,

    /// Named scenarios instead of a preset, one run each: a name that `list` shows, or a TOML file; several with commas
    #[arg(long, value_name = "NAME|FILE", value_delimiter = ',', conflicts_with = "preset")]
    pub scenario: Vec<String>,

    /// These locks instead of the preset's; several with commas, or the option again
    #[arg(long, value_parser = named::<Lock>(), value_delimiter = ',')]
    pub lock: Vec<Lock>,

    /// These strategies instead: where count and list are changed
    #[arg(long, value_parser = named::<Strategy>(), value_delimiter = ',')]
    pub strategy: Vec<Strategy>,

    /// These workloads instead: what every core does
    #[arg(long, value_parser = named::<Workload>(), value_delimiter = ',')]
    pub workload: Vec<Workload>,

    /// These numbers of cores instead of one and all
    #[arg(long, value_name = "N|all", value_parser = cores, value_delimiter = ',')]
    pub cores: Vec<u16>,

    /// How much longer every critical section holds the lock, in nanoseconds: 0,200 measures both
    #[arg(long, value_name = "NS", value_parser = clap::value_parser!(u32).range(..=i64::from(LONGEST_NS)), value_delimiter = ',')]
    pub hold: Vec<u32>,

    /// How long a core does something else between two operations, in nanoseconds
    #[arg(long, value_name = "NS", value_parser = clap::value_parser!(u32).range(..=i64::from(LONGEST_NS)), value_delimiter = ',')]
    pub think: Vec<u32>,

    /// Which orders the workload mixed allocates
    #[arg(long, value_parser = named::<Mix>(), value_delimiter = ',')]
    pub mix: Vec<Mix>,

    /// On which cores of this host: system (as they are numbered), pack (near each other), spread (far apart), or their
    /// numbers, 0-2-1-3
    #[arg(long, value_name = "WHICH", default_value = "system")]
    pub place: Placement,

    /// How long each pass without instruments measures: 500us, 100ms, 1s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time: Option<Duration>,

    /// How long each pass with instruments measures
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub sample_time: Option<Duration>,

    /// How long each pass warms up
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub warmup: Option<Duration>,

    /// How often each scenario is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,

    /// Where the records go
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    pub output: PathBuf,

    /// Where to measure: a place that `list` shows, a board at a serial line (serial:/dev/ttyUSB0,115200), or another
    /// machine with Linux (ssh:user@board)
    #[arg(long, value_name = "WHERE", default_value = "host")]
    pub on: On,

    /// How long a board at a serial line may be silent [default: 120s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub patience: Option<Duration>,

    /// Cores of the emulated board [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=8))]
    pub smp: Option<u16>,

    /// Build for, and emulate, a CPU with atomic instructions (FEAT_LSE) instead of a Cortex-A57
    #[arg(long)]
    pub lse: bool,

    /// The program for a machine behind ssh, instead of one that is built for it
    #[arg(long, value_name = "FILE")]
    pub binary: Option<PathBuf>,

    /// Write no page, only the records
    #[arg(long)]
    pub no_html: bool,

    /// Write the records to the standard output and nothing else; end when the standard input does: for `ssh`
    #[arg(long, hide = true)]
    pub stream: bool,

    /// The number of the first repeat: `ab` has one in each run
    #[arg(long, hide = true, default_value_t = 0)]
    pub first_repeat: u32,

    /// Say nothing but what is wrong, and where the records are
    #[arg(long, short)]
    pub quiet: bool,

    /// Print the figures as JSON instead of tables, one object a scenario file (its schema:
    /// bench-harness/schema/figures-v1.json)
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
}

/// Options of a report.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Files of records; the page of each goes beside it
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Write no page, only the tables
    #[arg(long)]
    pub no_html: bool,

    /// Write the figures of all files as CSV there, a row for each scenario
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,

    /// Write the figures of all files as JSON there (its schema: bench-harness/schema/figures-v1.json)
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Where a run is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum On {
    /// A place that has a name.
    Named(Place),
    /// A board at a serial line.
    Serial(Serial),
    /// Another machine.
    Ssh(Destination),
}

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Some(line) = text.strip_prefix("serial:") {
            return line.parse().map(Self::Serial);
        }
        if let Some(machine) = text.strip_prefix("ssh:") {
            return machine.parse().map(Self::Ssh);
        }
        Place::named(text).map(Self::Named).map_err(|_| {
            let names: Vec<_> = Place::all().map(Place::name).collect();
            format!("there are {}, serial:DEVICE[,BAUD], and ssh:[USER@]HOST[:PORT]", names.join(", "))
        })
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(place) => f.write_str(place.name()),
            Self::Serial(line) => f.write_str(&line.stem()),
            Self::Ssh(machine) => machine.fmt(f),
        }
    }
}

/// Where a run can be, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Threads of this program.
    Host,
    /// The emulated board at EL1.
    QemuEl1,
    /// The emulated board at EL2.
    QemuEl2,
}

impl Axis for Place {
    const WHAT: &'static str = "place";
    const ALL: &'static [Self] = &[Self::Host, Self::QemuEl1, Self::QemuEl2];

    fn known(self) -> Option<Known> {
        let (name, about) = match self {
            Self::Host => ("host", "threads of this program, each on a core of its own"),
            Self::QemuEl1 => ("qemu-virt-el1", "an AArch64 board at EL1, emulated: shows that it works, not how fast"),
            Self::QemuEl2 => ("qemu-virt-el2", "the same at EL2, where hypervisors are"),
        };
        Some(Known { name, about, fair: false })
    }
}

fn named<A: Axis + Send + Sync>() -> impl TypedValueParser<Value = A> {
    let values = A::all().map(|value| PossibleValue::new(value.name()).help(value.about()));
    PossibleValuesParser::new(values).map(|name| A::named(&name).expect("it is one of the possible values"))
}

/// Understands `500us`, `100ms`, `1s`, `1.5s`.
fn time(text: &str) -> std::result::Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "" => return Err("a unit is missing: us, ms or s".into()),
        other => return Err(format!("\"{other}\" is none of the units us, ms, s")),
    };
    let seconds = number.parse::<f64>().map_err(|_| format!("\"{number}\" is no number"))? * unit;
    if (1e-6..=600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("a pass takes between 1us and 600s".into())
    }
}

impl Arguments {
    /// What is on the command line, if it makes sense; otherwise the program ends, with what is wrong.
    #[must_use]
    pub fn of_command_line() -> Self {
        let arguments = Self::parse();
        let run = match &arguments.command {
            Some(Command::Run(run) | Command::Plan(run)) => run,
            None => &arguments.run,
            Some(_) => return arguments,
        };
        if let Err(why) = run.check() {
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        arguments
    }
}

impl RunArguments {
    /// What of it contradicts itself.
    ///
    /// # Errors
    ///
    /// In words.
    pub fn check(&self) -> std::result::Result<(), String> {
        let emulated = matches!(self.on, On::Named(Place::QemuEl1 | Place::QemuEl2));
        match self.on {
            _ if self.smp.is_some() && !emulated => Err("--smp is for an emulated board; elsewhere, --cores".into()),
            _ if self.lse && !emulated => Err("--lse is for an emulated board: --on qemu-virt-el2".into()),
            On::Named(_) | On::Ssh(_) if self.patience.is_some() => {
                Err("--patience is for a board at a serial line".into())
            }
            On::Named(_) | On::Serial(_) if self.binary.is_some() => {
                Err("--binary is for another machine: --on ssh:user@board".into())
            }
            ref on if self.place != Placement::System && !matches!(on, On::Named(Place::Host) | On::Ssh(_)) => {
                Err("--place is for Linux, here or behind ssh: a board has its cores in its own order".into())
            }
            _ if self.cores.len() > CoreCounts::new().capacity() => {
                Err(format!("more than {} numbers of --cores", CoreCounts::new().capacity()))
            }
            _ if self.hold.len().max(self.think.len()) > MAX_LENGTHS => {
                Err(format!("more than {MAX_LENGTHS} lengths of --hold or --think"))
            }
            _ => Ok(()),
        }
    }

    /// What is asked for: a request for each scenario, or the one of the preset.
    ///
    /// # Errors
    ///
    /// There is no such scenario.
    pub fn requests(&self) -> Result<Vec<(Option<Named>, Request)>> {
        if self.scenario.is_empty() {
            return Ok(vec![(None, self.changed(Request::new(self.preset)))]);
        }
        let one = |name: &String| {
            let (named, request) = scenario::find(name).map_err(|error| Impossible(format!("{error:#}")))?;
            Ok((Some(named), self.changed(request)))
        };
        self.scenario.iter().map(one).collect()
    }

    /// `request`, but for what the options say.
    fn changed(&self, request: Request) -> Request {
        fn set<A: Axis>(values: &[A]) -> Option<Set<A>> {
            (!values.is_empty()).then(|| Set::of(values))
        }
        fn numbers<T: FromIterator<N>, N: Copy>(values: &[N]) -> Option<T> {
            (!values.is_empty()).then(|| values.iter().copied().collect())
        }
        let us = |time: Option<Duration>| time.map(|time| time.as_micros().try_into().expect("600 s are 6e8 us"));
        let mut cores = self.cores.clone();
        cores.sort_unstable_by_key(|&cores| (cores == ALL_CORES, cores));
        cores.dedup();
        Request {
            preset: request.preset,
            locks: set(&self.lock).or(request.locks),
            strategies: set(&self.strategy).or(request.strategies),
            workloads: set(&self.workload).or(request.workloads),
            cores: numbers(&cores).or(request.cores),
            mixes: set(&self.mix).or(request.mixes),
            hold_ns: numbers(&self.hold).or(request.hold_ns),
            think_ns: numbers(&self.think).or(request.think_ns),
            warmup_us: us(self.warmup).or(request.warmup_us),
            measure_us: us(self.time).or(request.measure_us),
            sample_us: us(self.sample_time).or(request.sample_us),
            repeats: self.repeats.or(request.repeats),
        }
    }
}

/// A number of cores, or all of them.
fn cores(text: &str) -> std::result::Result<u16, String> {
    match text.parse() {
        _ if text == "all" => Ok(ALL_CORES),
        Ok(cores @ 1..) => Ok(cores),
        _ => Err("a number from 1 to 65535, or \"all\"".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> String {
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        let run = match arguments.command {
            Some(Command::Run(run)) => run,
            None => arguments.run,
            other => panic!("{other:?}"),
        };
        run.check().unwrap();
        let requests = run.requests().unwrap();
        let all: Vec<_> = requests.iter().map(|(_, request)| request.to_string()).collect();
        all.join(" + ")
    }

    fn refusal(line: &str) -> String {
        match Arguments::try_parse_from(line.split(' ')) {
            Err(error) => error.to_string(),
            Ok(arguments) => arguments.run.check().unwrap_err(),
        }
    }

    #[test]
    fn arguments_make_a_request_with_or_without_the_subcommand() {
        assert_eq!(request("bench-harness"), "quick");
        assert_eq!(request("bench-harness run"), "quick");
        assert_eq!(request("bench-harness --preset full"), "full");
        assert_eq!(
            request("b run --lock mcs,ticket --lock broken --cores 2,1,2 --time 1.5s --repeats 3 --workload s2-rand"),
            "quick locks=ticket,mcs,broken workloads=s2-rand cores=1,2 measure-us=1500000 repeats=3"
        );
        assert_eq!(
            request("b --preset smoke --strategy split --on qemu-virt-el2 --smp 8 --lse --time 500us"),
            "smoke strategies=split measure-us=500"
        );
    }

    #[test]
    fn scenarios_are_requests_which_options_change() {
        let both =
            request("b --scenario topup,light --lock mcs --cores all,2 --hold 5,0 --warmup 2ms --sample-time 3ms");
        let both: Vec<_> = both.split(" + ").collect();
        assert_eq!(
            both[0],
            "quick locks=mcs strategies=merged,atomic,magazine workloads=topup cores=2,all hold-ns=5,0 think-ns=2000 \
             warmup-us=2000 measure-us=40000 sample-us=3000 repeats=10"
        );
        assert!(both[1].contains(" hold-ns=5,0 think-ns=5000 "), "{both:?}");
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        for (line, says) in [
            ("b --lock bolt", "invalid value 'bolt'"),
            ("b --lock tickt", "similar value exists: 'ticket'"),
            ("b --preset slow", "[possible values: quick, full, smoke]"),
            ("b --cores 0", "a number from 1 to 65535, or \"all\""),
            ("b --preset quick --scenario light", "cannot be used with"),
            ("b --repeats 0", "0 is not in 1.."),
            ("b --time 5", "a unit is missing"),
            ("b --time 5h", "\"h\" is none of the units"),
            ("b --time 1.1.1s", "\"1.1.1\" is no number"),
            ("b --time 0s", "between 1us and 600s"),
            ("b --time nans", "is none of the units"),
            ("b --smp 4", "--smp is for an emulated board"),
            ("b --place near", "system, pack, spread, or numbers of cores"),
            ("b --place pack --on qemu-virt-el1", "--place is for Linux, here or behind ssh"),
            ("b --patience 1s", "--patience is for a board at a serial line"),
            ("b --on moon", "there are host, qemu-virt-el1, qemu-virt-el2, serial:DEVICE"),
            ("b --on ssh:", "which machine? ssh:user@board"),
            ("b --binary x", "--binary is for another machine"),
            ("b --on serial:/dev/x,17", "no 17 bits a second"),
            ("b --lse", "--lse is for an emulated board"),
            ("b --cores 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16 numbers"),
            ("b --hold 1,2,3,4,5,6,7,8,9", "more than 8 lengths"),
            ("b --think 2000000000", "2000000000 is not in"),
            ("b --mix odd", "invalid value 'odd'"),
            ("b report x.jsonl --csv", "a value is required"),
            ("b report", "required arguments were not provided"),
            ("b list --lock mcs", "unexpected argument"),
        ] {
            assert!(refusal(line).contains(says), "{line}: {}", refusal(line));
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
