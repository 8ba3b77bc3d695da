//! What the instrument adds to what it measures: its loop against one that is written by hand, interleaved, on one core.
//!
//! ```sh
//! cargo bench -p bench-harness --bench overhead
//! ```
//!
//! | | by hand | by the instrument |
//! |---|---|---|
//! | `section` | a counter under a ticket lock, 1024 times between two looks at the clock | the same, with a batch found at run time |
//! | `pair` | `alloc_pages` and `put_page`, each a call, as of a program that allocates in many places | the same through `Ops`, as every workload calls every pool |
//! | `inlined` | the two, inlined into the loop, as nobody has them | the same |

use std::hint::black_box;
use std::time::{Duration, Instant};

use bench_core::arena::RANGE;
use bench_core::plan::Times;
use bench_core::{Arena, Lock, Scenario, Strategy, Workload, measure};
use bench_harness::host::Host;
use bench_harness::statistics::Spread;
use hyp_locks::Ticket;
use hyp_pool::{HypPool, Merged, Pfn, TableWord, table_words};

static ARENA: Arena = Arena::new();
static TABLE: [TableWord; table_words(16384)] = [const { TableWord::VACANT }; table_words(16384)];

const ROUNDS: usize = 21;
const TIMES: Times = Times { warmup_us: 5_000, measure_us: 50_000, sample_us: 1 };

type Pool = HypPool<'static, Ticket, Merged>;

#[inline(never)]
fn alloc(pool: &Pool) -> Pfn {
    pool.alloc_pages(0).expect("there are pages")
}

#[inline(never)]
fn put(pool: &Pool, page: Pfn) {
    pool.put_page(page).expect("it is ours");
}

/// ns an operation, of so many between two looks at the clock.
fn by_hand(mut operation: impl FnMut()) -> f64 {
    let time = |operation: &mut dyn FnMut(), limit: Duration| {
        let start = Instant::now();
        let mut operations = 0_u64;
        loop {
            operation();
            operations += 1024;
            let elapsed = start.elapsed();
            if elapsed > limit {
                return elapsed.as_nanos() as f64 / operations as f64;
            }
        }
    };
    let mut batch = || (0..1024).for_each(|_| operation());
    time(&mut batch, Duration::from_micros(TIMES.warmup_us.into()));
    time(&mut batch, Duration::from_micros(TIMES.measure_us.into()))
}

fn by_the_instrument(host: &Host, workload: Workload) -> f64 {
    let scenario = Scenario::new(Lock::Ticket, Strategy::Merged, workload, 1);
    let pass = measure(host, &ARENA, scenario, 0, TIMES, false);
    assert_eq!(pass.wrong, None);
    let core = pass.cores[0];
    (core.stop - core.start) as f64 * 1e9 / pass.hz as f64 / core.ops as f64
}

fn main() {
    let host = Host::new().expect("a host");
    ARENA.touch();
    let counter = lock_api::Mutex::<Ticket, u64>::new(0);
    let pool = Pool::with_table(&TABLE, RANGE, 0).expect("the table is nobody's");
    let inlined = || {
        let page = pool.alloc_pages(0).expect("there are pages");
        black_box(&pool).put_page(page).expect("it is ours");
    };
    println!("ns an operation, medians of {ROUNDS} interleaved rounds, and 95 % intervals of the ratio of a round");
    let rows = [("section", Workload::Section), ("pair", Workload::Pair), ("inlined", Workload::Pair)];
    for (name, workload) in rows {
        let (mut hand, mut instrument, mut ratios) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            hand.push(match name {
                "section" => by_hand(|| *counter.lock() += 1),
                "pair" => by_hand(|| put(&pool, alloc(&pool))),
                _ => by_hand(inlined),
            });
            instrument.push(by_the_instrument(&host, workload));
            ratios.push(instrument.last().copied().unwrap_or(f64::NAN) / hand.last().copied().unwrap_or(f64::NAN));
        }
        let [hand, instrument, ratio] = [hand, instrument, ratios].map(|values| Spread::of(values).expect("some"));
        println!(
            "{name:<8} by hand {:.2}, by the instrument {:.2}: {:.3} ({:.3}-{:.3})",
            hand.median, instrument.median, ratio.median, ratio.low, ratio.high
        );
    }
}
