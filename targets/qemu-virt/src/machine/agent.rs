//! What the images `qemu-virt-el1` and `qemu-virt-el2` do: as the kernel command line says.

use super::level::Level;
use crate::bootargs::{Command, Mishap};
use crate::{Board, MAX_CORES, status};

/// The `main` of both images.
pub fn agent<L: Level>(board: &Board<L>) -> u8 {
    banner(board);
    match Command::parse(board.machine().bootargs) {
        Ok(Command::Suite(filter)) => {
            if hyp_suite::run(board, filter).is_success() {
                status::PASSED
            } else {
                status::FAILED
            }
        }
        Ok(Command::Bench(request)) => super::bench::run(board, request),
        Ok(Command::Listen) => {
            let mut line = [0; 1024];
            let line = super::bench::ask(&mut line);
            match Command::parse(line) {
                Ok(Command::Bench(request)) => super::bench::run(board, request),
                _ => {
                    println!("listen: \"{line}\" is none of: bench REQUEST");
                    status::BAD_BOOTARGS
                }
            }
        }
        Ok(Command::Provoke(mishap)) => provoke(board, mishap),
        Err(error) => {
            println!("{error}");
            status::BAD_BOOTARGS
        }
    }
}

/// One line that says what this is, for people and for `key=value` readers.
fn banner<L: Level>(board: &Board<L>) {
    let machine = board.machine();
    println!(
        "# hyp-pool on qemu-virt: el={} cores={} atomics={} midr={:#010x} hz={} memory={:#x}+{:#x} bootargs=\"{}\"",
        L::EL,
        board.cores(),
        board.atomics(),
        board.midr(),
        board.hz(),
        machine.memory.0,
        machine.memory.1,
        machine.bootargs,
    );
    if machine.cores_listed > MAX_CORES {
        println!("# of {} cores {MAX_CORES} are used: the image has no more stacks", machine.cores_listed);
    }
}

/// Makes a mishap happen, on the last core.
fn provoke<L: Level>(board: &Board<L>, mishap: Mishap) -> u8 {
    let last = board.cores() - 1;
    board.run_on(board.cores(), &|core| {
        if core == last {
            match mishap {
                Mishap::Panic => panic!("provoked"),
                Mishap::Exception => read_unmapped(),
                Mishap::Deadlock => hyp_suite::deadlock(board),
            }
        }
    });
    println!("nothing happened");
    status::FAILED
}

fn read_unmapped() {
    const UNMAPPED: *const u32 = 0x80_0000_0000_usize.wrapping_sub(4) as *const u32;
    // SAFETY: there is no such memory, so there is nothing that this could break: the MMU refuses it.
    let value = unsafe { UNMAPPED.read_volatile() };
    println!("read {value:#x} where nothing is mapped");
}
