//! The bench agent: measures what the kernel command line asks for, or whoever listens at the console, and prints the
//! records in frames ([`bench_core::frame`]).
//!
//! ```text
//! @ready {"protocol":1}                                           it waits for a line: bench REQUEST
//! @plan {"passes":460,"protocol":1,"request":"quick"}
//! @refused {"scenario":{…},"why":"there are not so many cores here"}       a cell that cannot run here
//! @clock {"hz":62500000,…}                                        what a reading of the clock takes
//! @transfer {"a":0,"b":1,…}                                       what a line takes from core to core
//! @pass {"scenario":{"lock":"ticket",…},…}                        one line a pass, as bench_core::Pass has it
//! @done {}
//! ```

use super::level::Level;
use super::{Board, console, cpu};
use crate::status;
use bench_core::{Arena, Machine, Panicked, Pass, Request, Scenario, frame, measure, probe, refusal};
use core::str;
use hyp_locks::{Daif, Ticket};
use lock_api::Mutex;
use serde::Serialize;

static ARENA: Arena = Arena::new();

impl<L: Level> Machine for Board<L> {
    type Irq = Daif;

    const INTERRUPTS: bool = true;

    #[inline]
    fn now() -> u64 {
        cpu::counter()
    }

    #[inline]
    fn core() -> usize {
        L::core_index()
    }

    fn hz(&self) -> u64 {
        cpu::counter_hz()
    }

    fn cores(&self) -> usize {
        Self::cores(self)
    }

    fn run_on(&self, cores: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Panicked> {
        Self::run_on(self, cores, work);
        Ok(()) // a panic stops the machine
    }
}

/// Measures what `request` asks for.
pub(crate) fn run<L: Level>(board: &Board<L>, request: &str) -> u8 {
    #[derive(Serialize)]
    struct Plan<'a> {
        passes: usize,
        protocol: u32,
        request: &'a str,
    }
    #[derive(Serialize)]
    struct Refused {
        scenario: Scenario,
        why: &'static str,
    }

    let parsed = match Request::parse(request) {
        Ok(parsed) => parsed,
        Err(error) => {
            println!("bench: {error}");
            return status::BAD_BOOTARGS;
        }
    };
    let plan = parsed.plan(board.cores());
    for cell in plan.cells() {
        if let Some(why) = refusal(board, &cell) {
            print("refused", &Refused { scenario: cell, why });
        }
    }
    let cells = || plan.passes().filter(|(_, cell)| refusal(board, cell).is_none());
    print("plan", &Plan { passes: 2 * cells().count(), protocol: frame::PROTOCOL, request });
    const STOPS: &str = "a panic stops the machine";
    print("clock", &probe::clock(board).expect(STOPS));
    let most = cells().map(|(_, cell)| cell.cores).max().unwrap_or(0);
    for b in 1..most {
        for a in 0..b {
            print("transfer", &probe::transfer(board, a, b).expect(STOPS));
        }
    }
    let mut all_well = true;
    for (repeat, cell) in cells() {
        for instrumented in [false, true] {
            let pass = measure(board, &ARENA, cell, repeat, plan.times, instrumented);
            all_well &= pass.wrong.is_none();
            print::<Pass>("pass", &pass);
        }
    }
    print("done", &Nothing {});
    if all_well { status::PASSED } else { status::FAILED }
}

/// `{}`.
#[derive(Serialize)]
struct Nothing {}

/// Says that it waits for a request, every two seconds, until there is one.
pub(crate) fn ask(line: &mut [u8]) -> &str {
    #[derive(Serialize)]
    struct Ready {
        protocol: u32,
    }
    let mut length = 0;
    loop {
        print("ready", &Ready { protocol: frame::PROTOCOL });
        let late = cpu::counter() + 2 * cpu::counter_hz();
        if console::read_line(line, &mut length, || cpu::counter() < late) {
            return str::from_utf8(&line[..length]).unwrap_or_default();
        }
    }
}

/// Prints a frame for the host program.
fn print<T: Serialize>(tag: &str, value: &T) {
    /// The number of the next frame, and its JSON.
    static FRAME: Mutex<Ticket, (u32, [u8; 1 << 17])> = Mutex::new((0, [0; 1 << 17]));
    let mut frame = FRAME.lock();
    let (number, line) = &mut *frame;
    // Room for three histograms with every bucket in use.
    let len = serde_json_core::to_slice(value, &mut *line).expect("a record fits into its line");
    let json = str::from_utf8(&line[..len]).expect("JSON is text");
    println!("@{tag} {json} ~{number}:{:08x}", frame::check(tag, json, *number));
    *number += 1;
}
