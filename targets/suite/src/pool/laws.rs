//! What one core can tell: every step, and `check()` after it.

use super::{checked, pool, table};
use crate::board::Board;
use crate::case::{Outcome, ensure, ensure_eq, ensure_ok};
use hyp_pool::{AllocError, HypPool, InitError, MAX_ORDER, PageError, Pfn, RefcountPath};

const FRAMES: usize = 256;

/// A block of each order is aligned, its head has one reference, and all of them, freed in an order of their own,
/// coalesce into what was there before.
pub(super) fn comes_back_whole<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    const ORDERS: u8 = 7;
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, 0)?;
    let fresh = pool.free_blocks();
    let mut free = FRAMES;
    let mut blocks = [Pfn::new(0); ORDERS as usize];
    for order in 0..ORDERS {
        let block = ensure_ok(pool.alloc_pages(order), "alloc_pages")?;
        ensure_eq(block.get() % (1 << order), 0, "a block is aligned to its size")?;
        ensure_eq(pool.page_count(block), Ok(1), "the count of a new block")?;
        free -= 1 << order;
        checked(&pool, free)?;
        blocks[usize::from(order)] = block;
    }
    for (n, block) in blocks.into_iter().enumerate().step_by(2).chain(blocks.into_iter().enumerate().skip(1).step_by(2))
    {
        ensure_ok(pool.put_page(block), "put_page")?;
        free += 1 << n;
        checked(&pool, free)?;
    }
    ensure_eq(pool.free_blocks(), fresh, "free blocks by order")
}

/// A block is free after the last put and not before; reserved pages may be put too.
pub(super) fn counts<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    const REFERENCES: u32 = 5;
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, 3)?;
    let block = ensure_ok(pool.alloc_pages(2), "alloc_pages")?;
    for n in 1..REFERENCES {
        ensure_ok(pool.get_page(block), "get_page")?;
        ensure_eq(pool.page_count(block), Ok(n + 1), "count")?;
        checked(&pool, FRAMES - 3 - 4)?;
    }
    for n in (1..REFERENCES).rev() {
        ensure_ok(pool.put_page(block), "put_page")?;
        ensure_eq(pool.page_count(block), Ok(n), "count")?;
        checked(&pool, FRAMES - 3 - 4)?;
    }
    ensure_ok(pool.put_page(block), "the last put_page")?;
    ensure(pool.page_count(block).is_err(), "a free block has no count")?;
    checked(&pool, FRAMES - 3)?;
    for n in 0..3 {
        ensure_ok(pool.put_page(Pfn::new(pool.range().start().get() + n)), "put_page of a reserved page")?;
        checked(&pool, FRAMES - 2 + n)?;
    }
    Ok(())
}

/// A block that is split is as many pages with one reference each.
pub(super) fn splits<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, 0)?;
    let fresh = pool.free_blocks();
    let block = ensure_ok(pool.alloc_pages(4), "alloc_pages")?;
    ensure_ok(pool.split_page(block), "split_page")?;
    checked(&pool, FRAMES - 16)?;
    for n in 0..16 {
        let page = Pfn::new(block.get() + n);
        ensure_eq(pool.page_count(page), Ok(1), "the count of a page of a split block")?;
        ensure_ok(pool.put_page(page), "put_page")?;
        checked(&pool, FRAMES - 15 + n)?;
    }
    ensure_eq(pool.free_blocks(), fresh, "free blocks by order")
}

/// Each misuse is refused by its name, and changes nothing.
pub(super) fn refuses_misuse<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    const RESERVED: usize = 2;
    const FREE: usize = FRAMES - RESERVED - 4 - 1;
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, RESERVED)?;
    let start = pool.range().start().get();
    let block = ensure_ok(pool.alloc_pages(2), "alloc_pages")?;
    let handle = ensure_ok(pool.alloc(0), "alloc")?;
    let freed = ensure_ok(pool.alloc_pages(3), "alloc_pages")?;
    ensure_ok(pool.put_page(freed), "put_page")?;
    checked(&pool, FREE)?;
    let before = (pool.check(), pool.page_count(block));

    let tail = Pfn::new(block.get() + 1);
    for (page, expected) in [
        (Pfn::new(start - 1), PageError::OutOfRange),
        (Pfn::new(start + FRAMES), PageError::OutOfRange),
        (Pfn::new(0), PageError::OutOfRange),
        (Pfn::new(usize::MAX), PageError::OutOfRange),
        (tail, PageError::Tail),
        (handle.pfn(), PageError::Held),
    ] {
        ensure_eq(pool.put_page(page), Err(expected), "put_page")?;
        ensure_eq(pool.get_page(page), Err(expected), "get_page")?;
        ensure_eq(pool.split_page(page), Err(expected), "split_page")?;
        ensure_eq((pool.check(), pool.page_count(block)), before, "after a misuse")?;
    }
    // A double put: the word says free, or that it has become part of a larger block.
    for call in [HypPool::put_page, HypPool::get_page, HypPool::split_page] {
        let refused = matches!(call(&pool, freed), Err(PageError::Free | PageError::Tail));
        ensure(refused, "put_page, get_page, split_page of a freed block")?;
        ensure_eq((pool.check(), pool.page_count(block)), before, "after a misuse")?;
    }
    ensure_ok(pool.get_page(block), "get_page")?;
    ensure_eq(pool.split_page(block), Err(PageError::Shared), "split_page of a shared block")?;
    ensure_ok(pool.put_page(block), "put_page")?;
    ensure_eq(pool.alloc_pages(MAX_ORDER + 1), Err(AllocError::OrderTooLarge), "alloc_pages")?;
    ensure_eq(pool.alloc_pages(MAX_ORDER), Err(AllocError::OutOfMemory), "alloc_pages")?;
    ensure_eq(pool.init(pool.range(), 0), Err(InitError::AlreadyInitialised), "init of a pool in use")?;
    let second = HypPool::<super::Lock<B>, R>::with_table(&table, pool.range(), 0);
    ensure_eq(second.err(), Some(InitError::TableInUse { index: 0 }), "a second pool over the table")?;
    ensure_eq((pool.check(), pool.page_count(block)), before, "after all misuse")?;
    drop(handle);
    checked(&pool, FREE + 1)
}

/// A pool hands out each frame once, says when there is none, and is whole again after.
pub(super) fn runs_out<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, 0)?;
    let fresh = pool.free_blocks();
    let mut seen = [false; FRAMES];
    for n in 0..FRAMES {
        let page = ensure_ok(pool.alloc_pages(0), "alloc_pages")?;
        let offset = page.get() - pool.range().start().get();
        ensure(!core::mem::replace(&mut seen[offset], true), "a frame is handed out once")?;
        checked(&pool, FRAMES - 1 - n)?;
    }
    ensure_eq(pool.alloc_pages(0), Err(AllocError::OutOfMemory), "alloc_pages of an empty pool")?;
    checked(&pool, 0)?;
    for n in 0..FRAMES {
        // Odd multiples of a number without common factor: a permutation in which neighbours come late.
        let offset = n * 147 % FRAMES;
        ensure_ok(pool.put_page(Pfn::new(pool.range().start().get() + offset)), "put_page")?;
        checked(&pool, n + 1)?;
    }
    ensure_eq(pool.free_blocks(), fresh, "free blocks by order")
}

/// Handles count: a clone is a reference, a drop gives it back, the last one frees.
pub(super) fn handles_count<B: Board, R: RefcountPath>(_: &B) -> Outcome {
    let table = table::<FRAMES>();
    let pool = pool::<B, R>(&table, 0)?;
    let block = ensure_ok(pool.alloc(5), "alloc")?;
    let other = block.clone();
    ensure_eq(block.count(), 2, "handles")?;
    let Err(block) = block.into_raw() else { return ensure(false, "into_raw of a shared block is refused") };
    drop(other);
    checked(&pool, FRAMES - 32)?;
    let raw = ensure_ok(block.into_raw(), "into_raw of the only handle")?;
    checked(&pool, FRAMES - 32)?;
    let block = ensure_ok(pool.adopt(raw), "adopt")?;
    drop(block);
    checked(&pool, FRAMES)
}
