//! Compiles the lock that is written in C.

fn main() {
    println!("cargo::rerun-if-changed=src/ticket.c");
    cc::Build::new().file("src/ticket.c").opt_level(2).compile("ticket");
}
