//! A `Relax` that panics ends the program: nothing unwinds past the frame that a queue knows.
//!
//! Each case runs in a process of its own: this program again, with the case in its environment. Not in miri, which
//! starts no processes.

#![cfg(not(any(loom, miri)))]

use std::cell::Cell;
use std::panic::catch_unwind;
use std::process::{Command, Output, exit};
use std::sync::atomic::AtomicU32;
use std::{env, thread};

use hyp_locks::wait::{RelaxWith, Wait};
use spinning_top::relax::Relax;

const CASE: &str = "HYP_LOCKS_RELAX_PANICS_IN";

/// What the child exits with when its wait returned, and when it came out of it by unwinding.
const RETURNED: i32 = 70;
const UNWOUND: i32 = 71;

fn panic_if(this: &str) {
    if env::var(CASE).is_ok_and(|case| case == this) {
        panic!("in {this}");
    }
}

struct Panics;

impl Default for Panics {
    fn default() -> Self {
        panic_if("default");
        Self
    }
}

impl Relax for Panics {
    fn relax(&mut self) {
        panic_if("relax");
        thread::yield_now();
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        panic_if("drop");
    }
}

/// Nothing, unless [`run`] has started this program for it.
#[test]
fn child() {
    if env::var_os(CASE).is_none() {
        return;
    }
    let wait = catch_unwind(|| {
        let looks = Cell::new(0);
        RelaxWith::<Panics>::until(&AtomicU32::new(0), |_| {
            looks.set(looks.get() + 1);
            u32::from(looks.get() == 1) // relax once
        });
    });
    exit(if wait.is_ok() { RETURNED } else { UNWOUND });
}

fn run(case: &str) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "child", "--nocapture"]).env(CASE, case).output().unwrap()
}

fn expect_abort(case: &str) {
    let output = run(case);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(&format!("in {case}")), "the case has happened: {stderr}");
    assert!(stderr.contains("a Relax may not unwind"), "{stderr}");
    assert!(![Some(RETURNED), Some(UNWOUND), Some(101)].contains(&output.status.code()), "{:?}", output.status);
    #[cfg(unix)]
    assert_eq!(output.status.code(), None, "a signal ended it");
}

#[test]
fn a_panic_in_default_aborts() {
    expect_abort("default");
}

#[test]
fn a_panic_in_relax_aborts() {
    expect_abort("relax");
}

#[test]
fn a_panic_in_drop_aborts() {
    expect_abort("drop");
}

/// The control: it is the panic that ends the others.
#[test]
fn without_a_panic_the_wait_returns() {
    assert_eq!(run("none of them").status.code(), Some(RETURNED));
}
