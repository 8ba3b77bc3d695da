//! Magazines, and threads that use their own and each other's.

use super::{Lock, pool_over, vacant_table};
use crate::{Atomic, Deferred, Merged, PageError, PerCpu, Pfn, RefcountPath};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::vec::Vec;

const ROUNDS: usize = if cfg!(miri) { 10 } else { 10_000 };

type Cpus<'p> = PerCpu<'p, Lock, 3, Lock, Atomic, Deferred, 8>;

/// Threads on magazines of their own and of each other, with somebody who drains them: nothing is lost, and nothing is
/// two threads' at a time.
#[test]
fn a_storm_on_magazines_loses_nothing() {
    const LEN: usize = 96;
    let table = vacant_table(LEN);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, LEN, 0).unwrap();
    let before = pool.check().unwrap();
    let cpus = Cpus::new(&pool);
    let owner: Vec<_> = (0..LEN).map(|_| AtomicUsize::new(0)).collect();
    let stamp = |pfn: Pfn, order: u8, from: usize, to: usize| {
        for frame in &owner[pfn.get()..][..1 << order] {
            assert_eq!(frame.swap(to, Ordering::Relaxed), from, "two owners");
        }
    };
    thread::scope(|scope| {
        for me in 1..=3 {
            let (cpus, pool, stamp) = (&cpus, &pool, &stamp);
            scope.spawn(move || {
                let mut rng = (me as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mut mine: Vec<(Pfn, u8)> = Vec::new();
                for round in 0..ROUNDS {
                    rng ^= rng << 13;
                    rng ^= rng >> 7;
                    rng ^= rng << 17;
                    // Now and then on another CPU, as a thread that was moved.
                    let cpu = if rng & 0xf0 == 0 { me % 3 } else { me - 1 };
                    match rng & 7 {
                        0..=3 if mine.len() < 24 => {
                            let order = (rng >> 8) as u8 % 5;
                            if let Ok(pfn) = cpus.alloc_pages(cpu, order) {
                                stamp(pfn, order, 0, me);
                                mine.push((pfn, order));
                            }
                        }
                        7 if round % 16 == 0 => cpus.drain((rng >> 8) as usize % 4),
                        _ if !mine.is_empty() => {
                            let (pfn, order) = mine.swap_remove((rng >> 8) as usize % mine.len());
                            if rng & 8 == 0 {
                                pool.get_page(pfn).unwrap();
                                cpus.put_page(cpu, pfn).unwrap();
                            }
                            stamp(pfn, order, me, 0);
                            cpus.put_page(cpu, pfn).unwrap();
                        }
                        _ => {}
                    }
                }
                for (pfn, order) in mine {
                    stamp(pfn, order, me, 0);
                    cpus.put_page(me - 1, pfn).unwrap();
                }
            });
        }
    });
    pool.check().unwrap();
    cpus.drain_all();
    pool.coalesce();
    assert_eq!(pool.check().unwrap(), before);
}

/// Pages put twice and gotten by who has none, in a race: errors here and there, and the invariants hold.
#[test]
fn misuse_of_magazines_in_a_race_breaks_nothing() {
    misused::<Atomic>();
    misused::<Merged>();
}

fn misused<R: RefcountPath>() {
    let table = vacant_table(32);
    let pool = pool_over::<R, Deferred>(&table, 0, 32, 0).unwrap();
    let cpus = PerCpu::<'_, Lock, 3, Lock, R, Deferred, 8>::new(&pool);
    thread::scope(|scope| {
        for me in 0..3 {
            let (cpus, pool) = (&cpus, &pool);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let pfn = Pfn::new((round * 7 + me) % 34);
                    let _ = match round % 6 {
                        0 | 1 => cpus.alloc_pages(me, (round % 3) as u8).map(drop).map_err(|_| PageError::Free),
                        2 => pool.put_page(pfn),
                        3 => pool.get_page(pfn),
                        4 => pool.put_bulk(&[pfn]).map_err(|e| e.error),
                        _ => cpus.put_page(me, pfn),
                    };
                }
            });
        }
    });
    pool.check().unwrap();
    cpus.drain_all();
    pool.check().unwrap();
}
