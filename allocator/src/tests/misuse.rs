//! Every misuse by name: a typed error, after which the pool is as it was.

use super::{Lock, pool_over, vacant_table, vacant_words};
use crate::word::{Allocated, Holder, Index, MAX_FRAMES, State};
use crate::{
    AllocError, Atomic, Buddy, Coalesce, Deferred, Eager, HypPool, InitError, MAX_COUNT, MAX_ORDER, Merged, Order,
    PageError, Pfn, PfnRange, RefcountPath, TableWord, table_words,
};

const START: usize = 0x100;

/// Runs `misuse` on a pool of 64 frames with a block of order 2 at `START`, on both paths and under both policies, and
/// checks that it changed nothing.
fn refused(misuse: fn(&dyn Calls, Pfn) -> Result<(), PageError>, expected: PageError) {
    fn on<R: RefcountPath, C: Coalesce>(misuse: fn(&dyn Calls, Pfn) -> Result<(), PageError>, expected: PageError) {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, START, 64, 0).unwrap();
        let block = pool.alloc_pages(2).unwrap();
        assert_eq!(block.get(), START);
        let before = (pool.check().unwrap(), pool.page_count(block));
        assert_eq!(misuse(&pool, block), Err(expected));
        assert_eq!((pool.check().unwrap(), pool.page_count(block)), before);
    }
    on::<Merged, Eager>(misuse, expected);
    on::<Atomic, Eager>(misuse, expected);
    on::<Merged, Deferred>(misuse, expected);
    on::<Atomic, Deferred>(misuse, expected);
}

/// The calls that name a frame, so that one `fn` serves both paths.
trait Calls {
    fn get(&self, pfn: usize) -> Result<(), PageError>;
    fn put(&self, pfn: usize) -> Result<(), PageError>;
    fn split(&self, pfn: usize) -> Result<(), PageError>;
    fn count(&self, pfn: usize) -> Result<(), PageError>;
    fn get_n(&self, pfn: usize, n: u32) -> Result<(), PageError>;
    fn put_n(&self, pfn: usize, n: u32) -> Result<(), PageError>;
}

type Call = fn(&dyn Calls, usize) -> Result<(), PageError>;

/// Every call that names a frame alone.
const EACH: [Call; 8] = [
    |pool, pfn| pool.put(pfn),
    |pool, pfn| pool.get(pfn),
    |pool, pfn| pool.split(pfn),
    |pool, pfn| pool.count(pfn),
    |pool, pfn| pool.get_n(pfn, 0),
    |pool, pfn| pool.get_n(pfn, u32::MAX),
    |pool, pfn| pool.put_n(pfn, 0),
    |pool, pfn| pool.put_n(pfn, u32::MAX),
];

impl<R: RefcountPath, C: Coalesce> Calls for HypPool<'_, Lock, R, C> {
    fn get(&self, pfn: usize) -> Result<(), PageError> {
        self.get_page(Pfn::new(pfn))
    }
    fn put(&self, pfn: usize) -> Result<(), PageError> {
        self.put_page(Pfn::new(pfn))
    }
    fn split(&self, pfn: usize) -> Result<(), PageError> {
        self.split_page(Pfn::new(pfn))
    }
    fn count(&self, pfn: usize) -> Result<(), PageError> {
        self.page_count(Pfn::new(pfn)).map(drop)
    }
    fn get_n(&self, pfn: usize, n: u32) -> Result<(), PageError> {
        self.get_page_n(Pfn::new(pfn), n)
    }
    fn put_n(&self, pfn: usize, n: u32) -> Result<(), PageError> {
        self.put_page_n(Pfn::new(pfn), n)
    }
}

/// Every call, of the frame at `offset` from the start of a pool with a block of order 2 there.
fn each_refused<R: RefcountPath, C: Coalesce>(offset: isize, expected: PageError) {
    for call in EACH {
        let table = vacant_table(64);
        let pool = pool_over::<R, C>(&table, START, 64, 0).unwrap();
        pool.alloc_pages(2).unwrap();
        let before = pool.check().unwrap();
        assert_eq!(call(&pool, START.wrapping_add_signed(offset)), Err(expected), "at {offset}");
        assert_eq!(pool.check().unwrap(), before);
    }
}

fn each_refused_by_all(offset: isize, expected: PageError) {
    each_refused::<Merged, Eager>(offset, expected);
    each_refused::<Atomic, Eager>(offset, expected);
    each_refused::<Merged, Deferred>(offset, expected);
    each_refused::<Atomic, Deferred>(offset, expected);
}

#[test]
fn a_free_page() {
    // The first frame of the free block next to the allocated one, frames inside it, and the last frame of all.
    for offset in [4, 5, 7, 8, 63] {
        each_refused_by_all(offset, PageError::Free);
    }
}

#[test]
fn a_tail_page() {
    for offset in [1, 2, 3] {
        each_refused_by_all(offset, PageError::Tail);
    }
}

#[test]
fn a_tail_page_of_a_block_of_the_largest_order() {
    let table = vacant_table(3 << MAX_ORDER);
    let pool = pool_over::<Atomic, Deferred>(&table, 1 << MAX_ORDER, 3 << MAX_ORDER, 0).unwrap();
    let block = pool.alloc_pages(MAX_ORDER).unwrap().get();
    for tail in [1, 2, 511, 512, 1023] {
        assert_eq!(pool.put_page(Pfn::new(block + tail)), Err(PageError::Tail));
    }
    assert_eq!(pool.put_page(Pfn::new(block + 1024)), Err(PageError::Free));
    assert_eq!(pool.put_page(Pfn::new(block + 1025)), Err(PageError::Free));
}

#[test]
fn a_page_of_nobody() {
    for offset in [-1, 64, -(START as isize), -(START as isize) - 1] {
        each_refused_by_all(offset, PageError::OutOfRange);
    }
}

#[test]
fn a_double_put() {
    fn on<C: Coalesce>() {
        let table = vacant_table(8);
        let pool = pool_over::<Atomic, C>(&table, 0, 8, 0).unwrap();
        let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
        pool.put_page(a).unwrap();
        assert_eq!(pool.put_page(a), Err(PageError::Free));
        pool.put_page(b).unwrap();
        // b may have become part of a larger block: free all the same.
        assert_eq!(pool.put_page(b), Err(PageError::Free));
        pool.coalesce();
        assert_eq!(pool.put_page(b), Err(PageError::Free));
        assert_eq!(pool.check().unwrap().free_pages, 8);
    }
    on::<Eager>();
    on::<Deferred>();
    on::<Deferred<1>>();
}

#[test]
fn more_put_than_there_are() {
    refused(|pool, block| pool.put_n(block.get(), 2), PageError::Underflow);
    refused(|pool, block| pool.put_n(block.get(), u32::MAX), PageError::Underflow);
    refused(|pool, block| pool.get_n(block.get(), MAX_COUNT), PageError::Overflow);
    refused(|pool, block| pool.get_n(block.get(), u32::MAX), PageError::Overflow);
}

#[test]
fn a_shared_block_is_not_split() {
    refused(
        |pool, block| {
            pool.get(block.get())?;
            let refused = pool.split(block.get());
            pool.put(block.get())?;
            refused
        },
        PageError::Shared,
    );
}

#[test]
fn an_order_too_large() {
    let table = vacant_table(8);
    let pool = pool_over::<Merged, Deferred>(&table, 0, 8, 0).unwrap();
    assert_eq!(pool.alloc_pages(MAX_ORDER + 1), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.alloc_pages(u8::MAX), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.alloc_pages(4), Err(AllocError::OutOfMemory));
    assert_eq!(pool.check().unwrap().free_pages, 8);
}

/// Sets the count of the block at frame 0, which would take minutes to reach.
fn with_count<R: RefcountPath, C: Coalesce>(pool: &HypPool<'_, Lock, R, C>, holder: Holder, count: u32) {
    pool.table().frames().frame(Index::new(0)).set_allocated(Allocated::new(Order::ZERO, holder).with_count(count));
}

#[test]
fn a_count_that_would_overflow() {
    let table = vacant_table(2);
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 2, 1).unwrap();
    let page = Pfn::new(0);
    with_count(&pool, Holder::Number, MAX_COUNT - 1);
    assert_eq!(pool.get_page(page), Ok(()));
    assert_eq!(pool.get_page(page), Err(PageError::Overflow));
    assert_eq!(pool.page_count(page), Ok(MAX_COUNT));
    assert_eq!(pool.put_page(page), Ok(()));
    assert_eq!(pool.page_count(page), Ok(MAX_COUNT - 1));
    pool.check().unwrap();
}

#[test]
fn a_clone_that_would_overflow_pins_the_block() {
    fn on<R: RefcountPath>() {
        let table = vacant_table(2);
        let pool = pool_over::<R, Deferred>(&table, 0, 2, 0).unwrap();
        let page = pool.alloc(0).unwrap();
        with_count(&pool, Holder::Handle, MAX_COUNT);
        assert_eq!(page.try_clone().unwrap_err(), PageError::Overflow);
        let one_too_many = page.clone();
        assert_eq!(pool.pinned_blocks(), 1);
        assert_eq!(page.try_clone().unwrap_err(), PageError::Pinned);
        drop((page.clone(), one_too_many, page));
        assert_eq!(pool.pinned_blocks(), 1);
        assert_eq!(pool.put_page(Pfn::new(0)), Err(PageError::Pinned));
        assert_eq!(pool.check().unwrap().allocated_pages, 1);
    }
    on::<Merged>();
    on::<Atomic>();
}

#[test]
fn a_range_or_table_that_will_not_do() {
    let table = vacant_table(64);
    let make =
        |start, len, reserved| pool_over::<Atomic, Deferred>(&table, start, len, reserved).map(drop).unwrap_err();
    assert_eq!(make(0, 0, 0), InitError::EmptyRange);
    assert_eq!(make(usize::MAX - 3, 5, 0), InitError::RangeOverflow);
    assert_eq!(make(0, MAX_FRAMES + 1, 0), InitError::TooManyFrames { max: MAX_FRAMES });
    let needed = table_words(65);
    assert_eq!(make(0, 65, 0), InitError::TableTooShort { needed, len: table_words(64) });
    assert_eq!(make(0, usize::MAX, 0), InitError::TooManyFrames { max: MAX_FRAMES });
    assert_eq!(make(0, 64, 65), InitError::ReservedTooLong);
    // None of that has claimed a word.
    let pool = pool_over::<Atomic, Deferred>(&table, 0, 64, 64).unwrap();
    assert_eq!(pool.alloc_pages(0), Err(AllocError::OutOfMemory));
    pool.check().unwrap();
    drop(pool);
    // One word too few, of those that are not frames.
    let short = &table[..table_words(64) - 1];
    let refused = pool_over::<Atomic, Eager>(short, 0, 64, 0).unwrap_err();
    assert_eq!(refused, InitError::TableTooShort { needed: table_words(64), len: short.len() });
}

#[test]
fn a_range_that_ends_at_the_last_frame_number() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic, Deferred>(&table, usize::MAX - 8, 8, 0).unwrap();
    assert_eq!(pool.alloc_pages(2), Ok(Pfn::new(usize::MAX - 7)));
    assert_eq!(pool.put_page(Pfn::new(usize::MAX)), Err(PageError::OutOfRange));
    pool.check().unwrap();
}

#[test]
fn a_table_in_use_even_in_part() {
    let few = table_words(16);
    let table = vacant_words(table_words(64) + few + 16);
    let low = pool_over::<Atomic, Deferred>(&table[8..], 0, 16, 0).unwrap();
    let first = pool_over::<Atomic, Eager>(&table, 64, 64, 0).unwrap_err();
    assert_eq!(first, InitError::TableInUse { index: 8 });
    // Every word of it, those of the chunks too.
    for word in 8..8 + few {
        let refused = Buddy::<Eager>::with_table(&table[word..], PfnRange::new(Pfn::new(0), 2), 0).unwrap_err();
        assert_eq!(refused, InitError::TableInUse { index: 0 });
    }
    // The refused ones have let go of what they had claimed; the first pool is whole.
    let beside = pool_over::<Merged, Deferred>(&table[8 + few..], 0, 64, 0).unwrap();
    low.check().unwrap();
    beside.check().unwrap();
    // A table is free again when its pool is gone.
    drop((low, beside));
    pool_over::<Atomic, Deferred>(&table, 64, 64, 0).unwrap().check().unwrap();
    assert!(table.iter().all(|word| word.state() == State::Vacant));
}

/// A table that starts among the words of another pool's chunks, of which none is free, is refused, and changes nothing.
#[test]
fn a_table_that_starts_in_the_chunks_of_another() {
    let words = table_words(16);
    let table = vacant_words(2 * words);
    // All reserved: there is no free block.
    let first = pool_over::<Atomic, Deferred>(&table, 0, 16, 16).unwrap();
    assert!(table[..words].iter().all(|word| word.bits() != 0), "zero is vacant");
    for start in 16..words {
        let refused = pool_over::<Atomic, Deferred>(&table[start..], 0, 2, 0).unwrap_err();
        assert_eq!(refused, InitError::TableInUse { index: 0 }, "from word {start} on");
    }
    // And the other way round: the chunks of the second would be the frames of the first.
    let before = vacant_words(words + 2);
    let second = pool_over::<Atomic, Deferred>(&before[2..], 0, 16, 16).unwrap();
    let refused = pool_over::<Atomic, Deferred>(&before, 0, 2, 0).unwrap_err();
    assert_eq!(refused, InitError::TableInUse { index: 2 });
    // Pages that are put afterwards are the first pool's, and still are, whoever asked.
    for pool in [&first, &second] {
        (0..16).for_each(|page| pool.put_page(Pfn::new(page)).unwrap());
        assert_eq!(pool.free_blocks()[4], 1);
        pool.check().unwrap();
    }
    let beside = pool_over::<Atomic, Deferred>(&table[words..], 0, 2, 0).unwrap();
    beside.check().unwrap();
}

#[test]
fn a_pool_without_a_range_has_no_word_to_give_back() {
    let table = vacant_table(16);
    let live = pool_over::<Atomic, Deferred>(&table, 0, 16, 0).unwrap();
    // Refused its range, since the words are another pool's, and dropped.
    let never = HypPool::<Lock>::new(&table);
    assert_eq!(never.init(PfnRange::new(Pfn::new(0), 8), 0), Err(InitError::TableInUse { index: 0 }));
    drop(never);
    assert_eq!(live.check().unwrap().free_pages, 16);
}

#[test]
fn a_pool_without_a_range_refuses_everything_and_gets_one_once() {
    static TABLE: [TableWord; table_words(16)] = [const { TableWord::VACANT }; table_words(16)];
    static POOL: HypPool<Lock> = HypPool::new(&TABLE);
    assert_eq!(POOL.alloc_pages(0), Err(AllocError::OutOfMemory));
    assert_eq!(POOL.put_page(Pfn::new(0)), Err(PageError::OutOfRange));
    assert_eq!(POOL.page_count(Pfn::new(0)), Err(PageError::OutOfRange));
    assert!(POOL.range().is_empty());
    assert_eq!((POOL.free_pages(), POOL.free_blocks()), (0, [0; crate::NR_ORDERS]));
    POOL.check().unwrap();
    let range = PfnRange::new(Pfn::new(3), 16);
    assert_eq!(POOL.init(range, 17), Err(InitError::ReservedTooLong));
    POOL.init(range, 2).unwrap();
    assert_eq!(POOL.init(range, 2), Err(InitError::AlreadyInitialised));
    assert_eq!(POOL.check().unwrap().free_pages, 14);
    // Reserved pages are pages: they may be shared, and put.
    POOL.get_page(Pfn::new(3)).unwrap();
    POOL.put_page(Pfn::new(3)).unwrap();
    POOL.put_page(Pfn::new(3)).unwrap();
    assert_eq!(POOL.check().unwrap().free_pages, 15);
}
