//! Every misuse by name: a typed error, after which the pool is as it was.

use super::{Lock, pool_over, vacant_table};
use crate::frame::{Allocated, Holder, Index, MAX_FRAMES};
use crate::{
    AllocError, Atomic, Buddy, Frame, HypPool, InitError, MAX_COUNT, MAX_ORDER, Merged, Order, PageError, Pfn,
    PfnRange, RefcountPath,
};

const START: usize = 0x100;

/// Runs `misuse` on a pool of 64 frames with a block of order 2 at `START`, on both paths, and checks that it
/// changed nothing.
fn refused(misuse: fn(&dyn Calls, Pfn) -> Result<(), PageError>, expected: PageError) {
    fn on<R: RefcountPath>(misuse: fn(&dyn Calls, Pfn) -> Result<(), PageError>, expected: PageError) {
        let table = vacant_table(64);
        let pool = pool_over::<R>(&table, START, 64, 0).unwrap();
        let block = pool.alloc_pages(2).unwrap();
        assert_eq!(block.get(), START);
        let before = (pool.check().unwrap(), pool.page_count(block));
        assert_eq!(misuse(&pool, block), Err(expected));
        assert_eq!((pool.check().unwrap(), pool.page_count(block)), before);
    }
    on::<Merged>(misuse, expected);
    on::<Atomic>(misuse, expected);
}

/// The calls that name a frame, so that one `fn` serves both paths.
trait Calls {
    fn get(&self, pfn: usize) -> Result<(), PageError>;
    fn put(&self, pfn: usize) -> Result<(), PageError>;
    fn split(&self, pfn: usize) -> Result<(), PageError>;
    fn count(&self, pfn: usize) -> Result<(), PageError>;
}

impl<R: RefcountPath> Calls for HypPool<'_, Lock, R> {
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
}

#[test]
fn a_free_page() {
    // START + 4 is the head of the free block next to the allocated one.
    refused(|pool, block| pool.put(block.get() + 4), PageError::Free);
    refused(|pool, block| pool.get(block.get() + 4), PageError::Free);
    refused(|pool, block| pool.split(block.get() + 4), PageError::Free);
    refused(|pool, block| pool.count(block.get() + 4), PageError::Free);
}

#[test]
fn a_tail_page() {
    // Of the allocated block, and of a free one.
    for offset in [1, 3, 5] {
        type Call = fn(&dyn Calls, usize) -> Result<(), PageError>;
        for call in
            [|p, pfn| p.put(pfn), |p, pfn| p.get(pfn), |p, pfn| p.split(pfn), |p, pfn| p.count(pfn)] as [Call; 4]
        {
            let table = vacant_table(64);
            let pool = pool_over::<Atomic>(&table, START, 64, 0).unwrap();
            pool.alloc_pages(2).unwrap();
            let before = pool.check().unwrap();
            assert_eq!(call(&pool, START + offset), Err(PageError::Tail));
            assert_eq!(pool.check().unwrap(), before);
        }
    }
}

#[test]
fn a_page_of_nobody() {
    refused(|pool, _| pool.put(START - 1), PageError::OutOfRange);
    refused(|pool, _| pool.get(START + 64), PageError::OutOfRange);
    refused(|pool, _| pool.split(0), PageError::OutOfRange);
    refused(|pool, _| pool.count(usize::MAX), PageError::OutOfRange);
}

#[test]
fn a_double_put() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic>(&table, 0, 8, 0).unwrap();
    let (a, b) = (pool.alloc_pages(0).unwrap(), pool.alloc_pages(0).unwrap());
    pool.put_page(a).unwrap();
    assert_eq!(pool.put_page(a), Err(PageError::Free));
    pool.put_page(b).unwrap();
    // b has become part of a larger block.
    assert_eq!(pool.put_page(b), Err(PageError::Tail));
    assert_eq!(pool.check().unwrap().free_pages, 8);
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
    let pool = pool_over::<Merged>(&table, 0, 8, 0).unwrap();
    assert_eq!(pool.alloc_pages(MAX_ORDER + 1), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.alloc_pages(u8::MAX), Err(AllocError::OrderTooLarge));
    assert_eq!(pool.alloc_pages(4), Err(AllocError::OutOfMemory));
    assert_eq!(pool.check().unwrap().free_pages, 8);
}

/// Sets the count of the block at frame 0, which would take minutes to reach.
fn with_count<R: RefcountPath>(pool: &HypPool<'_, Lock, R>, holder: Holder, count: u32) {
    pool.table().frame(Index::new(0)).set_allocated(Allocated::new(Order::ZERO, holder).with_count(count));
}

#[test]
fn a_count_that_would_overflow() {
    let table = vacant_table(2);
    let pool = pool_over::<Atomic>(&table, 0, 2, 1).unwrap();
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
        let pool = pool_over::<R>(&table, 0, 2, 0).unwrap();
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
    let make = |start, len, reserved| pool_over::<Atomic>(&table, start, len, reserved).map(drop).unwrap_err();
    assert_eq!(make(0, 0, 0), InitError::EmptyRange);
    assert_eq!(make(usize::MAX - 3, 5, 0), InitError::RangeOverflow);
    assert_eq!(make(0, MAX_FRAMES + 1, 0), InitError::TooManyFrames { max: MAX_FRAMES });
    assert_eq!(make(0, 65, 0), InitError::TableTooShort { needed: 65, len: 64 });
    assert_eq!(make(0, 64, 65), InitError::ReservedTooLong);
    // None of that has claimed a word.
    let pool = pool_over::<Atomic>(&table, 0, 64, 64).unwrap();
    assert_eq!(pool.alloc_pages(0), Err(AllocError::OutOfMemory));
    pool.check().unwrap();
}

#[test]
fn a_range_that_ends_at_the_last_frame_number() {
    let table = vacant_table(8);
    let pool = pool_over::<Atomic>(&table, usize::MAX - 8, 8, 0).unwrap();
    assert_eq!(pool.alloc_pages(2), Ok(Pfn::new(usize::MAX - 7)));
    assert_eq!(pool.put_page(Pfn::new(usize::MAX)), Err(PageError::OutOfRange));
    pool.check().unwrap();
}

#[test]
fn a_table_in_use_even_in_part() {
    let table = vacant_table(64);
    let low = pool_over::<Atomic>(&table[8..24], 0, 16, 0).unwrap();
    assert_eq!(pool_over::<Atomic>(&table, 64, 64, 0).unwrap_err(), InitError::TableInUse { index: 8 });
    assert!(Buddy::with_table(&table[23..], PfnRange::new(Pfn::new(0), 2), 0).is_err());
    // The refused ones have let go of what they had claimed; the first pool is whole.
    let beside = pool_over::<Merged>(&table[..8], 0, 8, 0).unwrap();
    low.check().unwrap();
    // A table is free again when its pool is gone.
    drop((low, beside));
    pool_over::<Atomic>(&table, 64, 64, 0).unwrap().check().unwrap();
}

#[test]
fn a_pool_without_a_range_refuses_everything_and_gets_one_once() {
    static TABLE: [Frame; 16] = [const { Frame::VACANT }; 16];
    static POOL: HypPool<Lock> = HypPool::new(&TABLE);
    assert_eq!(POOL.alloc_pages(0), Err(AllocError::OutOfMemory));
    assert_eq!(POOL.put_page(Pfn::new(0)), Err(PageError::OutOfRange));
    assert_eq!(POOL.page_count(Pfn::new(0)), Err(PageError::OutOfRange));
    assert!(POOL.range().is_empty());
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
