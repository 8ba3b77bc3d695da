//! What each operation costs when nobody contends for it: one core, no waiting, everything in its cache.
//!
//! ```sh
//! cargo bench -p bench-harness                      # all, in about a minute
//! cargo bench -p bench-harness -- get+put           # those whose names match
//! cargo bench -p bench-harness -- --measurement-time 5
//! ```
//!
//! Pages to look at are in `target/criterion/report/index.html`.
//!
//! | group | one iteration |
//! |---|---|
//! | `lock` | acquire and release; `no-lock` is the floor |
//! | `buddy` | the allocator by itself: no lock, no reference count |
//! | `pool/merged` | the pool under a ticket lock, every count changed under it |
//! | `pool/atomic` | the same, counts changed without it: the pool as it comes |
//! | `pool/eager` | the same, every block coalesced at once |
//! | `magazine`, `owner`, `bulk` | one store and one exchange; counts by load and store; 32 pages a critical section |
//!
//! | operation | what the free areas do |
//! |---|---|
//! | `…/coalesced` | all is free, in the largest blocks: an eager pool takes one apart and puts it together again; the others have kept a block by the second iteration |
//! | `…/primed` | a block of the right order is free and its buddy is not: nothing to split or to merge |
//! | `get+put` | nothing: the reference put is not the last one |
//! | `split_page` | nothing: one block of many pages becomes many of one page |
//!
//! What they cost when others want the lock too is what the program `bench-harness` measures.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use hyp_locks::{Mcs, NoLock, Queued, RawSpinlock, SpinMutex, SpinTicket, Tas, Ticket, Ttas};
use hyp_pool::{
    Atomic, BULK, Buddy, Coalesce, Deferred, Eager, HypPool, Merged, PageSize, Pfn, PfnRange, RefcountPath, TableWord,
    table_words,
};
use lock_api::{Mutex, RawMutex};

/// 64 MiB of 4 KiB pages: 16 blocks of the largest order.
const RANGE: PfnRange = PageSize::SIZE_4K.range(0x8000_0000, 0x8400_0000);

const FITS: &str = "a vacant table of the right size";
const ROOM: &str = "a pool that is nearly empty";
const OURS: &str = "a block that was allocated above";

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000) // the default's ten times as many take longer than the measurement
        .configure_from_args();
    locks(&mut criterion);
    buddy(&mut criterion);
    pool(&mut criterion);
    front_ends(&mut criterion);
    criterion.final_summary();
}

fn locks(criterion: &mut Criterion) {
    fn lock<L: RawMutex>(criterion: &mut Criterion, name: &str) {
        let mutex = Mutex::<L, u64>::new(0);
        criterion.bench_function(&format!("lock/{name}"), |bencher| {
            bencher.iter(|| *black_box(&mutex).lock() += 1);
        });
    }
    lock::<NoLock>(criterion, "no-lock");
    lock::<Tas>(criterion, "tas");
    lock::<Ttas>(criterion, "ttas");
    lock::<Ticket>(criterion, "ticket");
    lock::<Mcs>(criterion, "mcs");
    lock::<Queued>(criterion, "queued");
    lock::<SpinTicket>(criterion, "spin-ticket");
    lock::<SpinMutex>(criterion, "spin-mutex");
    lock::<RawSpinlock>(criterion, "spinning-top");
    lock::<parking_lot::RawMutex>(criterion, "parking-lot");
}

/// A frame table for [`RANGE`].
fn table() -> Vec<TableWord> {
    (0..table_words(RANGE.len())).map(|_| TableWord::VACANT).collect()
}

/// Measures `operation` with everything free, and again with a block of `order` free whose buddy is not.
///
/// `alloc` of the second gives the free block's buddy, which stays allocated until `free` has it back.
fn coalesced_and_primed<P>(
    criterion: &mut Criterion,
    name: &str,
    pool: &mut P,
    order: u8,
    alloc: impl Fn(&mut P, u8) -> Pfn,
    free: impl Fn(&mut P, Pfn),
) {
    let mut measure = |state: &str, pool: &mut P| {
        criterion.bench_function(&format!("{name}/order-{order}/{state}"), |bencher| {
            bencher.iter(|| {
                let block = alloc(black_box(pool), black_box(order));
                free(pool, black_box(block));
            });
        });
    };
    measure("coalesced", pool);
    let neighbour = alloc(pool, order);
    measure("primed", pool);
    free(pool, neighbour);
}

fn buddy(criterion: &mut Criterion) {
    let table = table();
    let mut buddy = Buddy::with_table(&table, RANGE, 0).expect(FITS);
    for order in [0, 3] {
        let alloc = |buddy: &mut Buddy, order| buddy.alloc(order).expect(ROOM);
        let free = |buddy: &mut Buddy, block| buddy.free(block).expect(OURS);
        coalesced_and_primed(criterion, "buddy/alloc+free", &mut buddy, order, alloc, free);
    }
}

/// The two ways to count references next to each other, operation by operation: what drifts, drifts for both.
fn pool(criterion: &mut Criterion) {
    for order in [0, 3] {
        alloc_put::<Merged, Deferred>(criterion, "merged", order);
        alloc_put::<Atomic, Deferred>(criterion, "atomic", order);
        alloc_put::<Atomic, Eager>(criterion, "eager", order);
    }
    get_put::<Merged>(criterion, "merged");
    get_put::<Atomic>(criterion, "atomic");
    for order in [3, 9] {
        split_page::<Merged>(criterion, "merged", order);
        split_page::<Atomic>(criterion, "atomic", order);
    }
}

type Pool<'t, R> = HypPool<'t, Ticket, R>;

fn alloc_put<R: RefcountPath, C: Coalesce>(criterion: &mut Criterion, path: &str, order: u8) {
    let table = table();
    let mut pool = HypPool::<Ticket, R, C>::with_table(&table, RANGE, 0).expect(FITS);
    let alloc = |pool: &mut HypPool<Ticket, R, C>, order| pool.alloc_pages(order).expect(ROOM);
    let put = |pool: &mut HypPool<Ticket, R, C>, block| pool.put_page(block).expect(OURS);
    coalesced_and_primed(criterion, &format!("pool/{path}/alloc+put"), &mut pool, order, alloc, put);
}

/// What stands before the pool.
fn front_ends(criterion: &mut Criterion) {
    let table = table();
    let pool = Pool::<Atomic>::with_table(&table, RANGE, 0).expect(FITS);
    let mut magazine = pool.magazine();
    criterion.bench_function("magazine/alloc+put", |bencher| {
        bencher.iter(|| {
            let page = magazine.alloc_pages(black_box(0)).expect(ROOM);
            magazine.put_page_of(black_box(page), 0).expect(OURS);
        });
    });
    let mut owner = pool.owner().expect("the first of many");
    let page = owner.alloc_pages(0).expect(ROOM);
    criterion.bench_function("owner/get+put", |bencher| {
        bencher.iter(|| {
            owner.get_page(black_box(page)).expect(OURS);
            owner.put_page(black_box(page)).expect(OURS);
        });
    });
    let mut pages = [Pfn::new(0); BULK];
    criterion.bench_function("bulk/alloc+put of 32", |bencher| {
        bencher.iter(|| {
            assert_eq!(pool.alloc_bulk(0, black_box(&mut pages)), Ok(BULK));
            pool.put_bulk(black_box(&pages)).expect(OURS);
        });
    });
}

fn get_put<R: RefcountPath>(criterion: &mut Criterion, path: &str) {
    let table = table();
    let pool = Pool::<R>::with_table(&table, RANGE, 0).expect(FITS);
    let page = pool.alloc_pages(0).expect(ROOM);
    criterion.bench_function(&format!("pool/{path}/get+put"), |bencher| {
        bencher.iter(|| {
            black_box(&pool).get_page(black_box(page)).expect(OURS);
            pool.put_page(black_box(page)).expect(OURS);
        });
    });
}

fn split_page<R: RefcountPath>(criterion: &mut Criterion, path: &str, order: u8) {
    let table = table();
    let pool = Pool::<R>::with_table(&table, RANGE, 0).expect(FITS);
    // As many blocks at once as fit; allocating them and putting their pages is not measured.
    let blocks = BatchSize::NumIterations((RANGE.len() >> order) as u64);
    let alloc = || Block { pool: &pool, start: pool.alloc_pages(order).expect(ROOM), order };
    criterion.bench_function(&format!("pool/{path}/split_page/order-{order}"), |bencher| {
        bencher.iter_batched(alloc, Block::split, blocks);
    });
}

/// A block to be split, whose pages are put when nobody measures any more.
struct Block<'a, R: RefcountPath> {
    pool: &'a Pool<'a, R>,
    start: Pfn,
    order: u8,
}

impl<R: RefcountPath> Block<'_, R> {
    fn split(self) -> Self {
        self.pool.split_page(black_box(self.start)).expect(OURS);
        self
    }
}

impl<R: RefcountPath> Drop for Block<'_, R> {
    fn drop(&mut self) {
        for page in 0..1 << self.order {
            self.pool.put_page(Pfn::new(self.start.get() + page)).expect(OURS);
        }
    }
}
