//! What one core can tell: every step, and `check()` after it.

use super::{checked, pool, table};
use crate::board::Board;
use crate::case::{Outcome, ensure, ensure_eq, ensure_ok};
use hyp_pool::{AllocError, Coalesce, HypPool, InitError, MAX_ORDER, PageError, Pfn, RefcountPath, table_words};

const FRAMES: usize = 256;
const WORDS: usize = table_words(FRAMES);

/// A block of each order is aligned, its head has one reference, and all of them, freed in an order of their own,
/// coalesce into what was there before.
pub(super) fn comes_back_whole<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    const ORDERS: u8 = 7;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
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
pub(super) fn counts<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    const REFERENCES: u32 = 5;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 3)?;
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
pub(super) fn splits<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
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
pub(super) fn refuses_misuse<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    const RESERVED: usize = 2;
    const FREE: usize = FRAMES - RESERVED - 4 - 1;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, RESERVED)?;
    let start = pool.range().start().get();
    let block = ensure_ok(pool.alloc_pages(2), "alloc_pages")?;
    let handle = ensure_ok(pool.alloc(0), "alloc")?;
    let freed = ensure_ok(pool.alloc_pages(3), "alloc_pages")?;
    ensure_ok(pool.put_page(freed), "put_page")?;
    pool.coalesce(); // or the allocations that are refused below would
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
        // A double put; and a frame inside the block that was freed.
        (freed, PageError::Free),
        (Pfn::new(freed.get() + 1), PageError::Free),
    ] {
        ensure_eq(pool.put_page(page), Err(expected), "put_page")?;
        ensure_eq(pool.get_page(page), Err(expected), "get_page")?;
        ensure_eq(pool.split_page(page), Err(expected), "split_page")?;
        ensure_eq((pool.check(), pool.page_count(block)), before, "after a misuse")?;
    }
    ensure_eq(pool.put_page_n(block, 2), Err(PageError::Underflow), "put_page_n of more than there are")?;
    ensure_eq(pool.get_page_n(block, u32::MAX), Err(PageError::Overflow), "get_page_n of more than there may be")?;
    ensure_ok(pool.get_page(block), "get_page")?;
    ensure_eq(pool.split_page(block), Err(PageError::Shared), "split_page of a shared block")?;
    ensure_ok(pool.put_page(block), "put_page")?;
    ensure_eq(pool.alloc_pages(MAX_ORDER + 1), Err(AllocError::OrderTooLarge), "alloc_pages")?;
    ensure_eq(pool.alloc_pages(MAX_ORDER), Err(AllocError::OutOfMemory), "alloc_pages")?;
    ensure_eq(pool.init(pool.range(), 0), Err(InitError::AlreadyInitialised), "init of a pool in use")?;
    let second = HypPool::<super::Lock<B>, R, C>::with_table(&table, pool.range(), 0);
    ensure_eq(second.err(), Some(InitError::TableInUse { index: 0 }), "a second pool over the table")?;
    ensure_eq((pool.check(), pool.page_count(block)), before, "after all misuse")?;
    drop(handle);
    checked(&pool, FREE + 1)
}

/// A pool hands out each frame once, says when there is none, and is whole again after.
pub(super) fn runs_out<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
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
pub(super) fn handles_count<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
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

/// A block that all of the pool is needed for is allocated, whatever was freed last, and how.
pub(super) fn coalesces_when_needed<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let whole = FRAMES.ilog2() as u8;
    for order in 0..4 {
        let mut blocks = [Pfn::new(0); FRAMES];
        let blocks = &mut blocks[..FRAMES >> order];
        for block in &mut *blocks {
            *block = ensure_ok(pool.alloc_pages(order), "alloc_pages")?;
        }
        ensure_eq(pool.alloc_pages(0), Err(AllocError::OutOfMemory), "alloc_pages of an empty pool")?;
        for block in blocks {
            ensure_ok(pool.put_page(*block), "put_page")?;
        }
        checked(&pool, FRAMES)?;
        let block = ensure_ok(pool.alloc_pages(whole), "alloc_pages of all there is")?;
        checked(&pool, 0)?;
        ensure_ok(pool.put_page(block), "put_page")?;
    }
    checked(&pool, FRAMES)
}

/// An owner counts by itself; everybody else is refused its block, and it is refused theirs.
pub(super) fn owner_counts_alone<B: Board, R: RefcountPath, C: Coalesce>(_: &B) -> Outcome {
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let (Some(mut guest), Some(mut other)) = (pool.owner(), pool.owner()) else {
        return ensure(false, "there may be two owners");
    };
    let block = ensure_ok(guest.alloc_pages(1), "alloc_pages of an owner")?;
    ensure_ok(guest.get_page_n(block, 2), "get_page_n")?;
    for refused in [pool.get_page(block), pool.put_page(block), other.get_page(block), other.put_page(block)] {
        ensure_eq(refused, Err(PageError::Held), "a call that is not the owner's")?;
    }
    ensure_eq(guest.page_count(block), Ok(3), "the owner's count")?;
    ensure_ok(guest.put_page_n(block, 2), "put_page_n")?;
    ensure_ok(guest.release(block), "release")?;
    ensure_eq(guest.put_page(block), Err(PageError::Held), "put_page of a block that was released")?;
    ensure_ok(other.adopt(block), "adopt")?;
    checked(&pool, FRAMES - 2)?;
    ensure_ok(other.put_page(block), "the last put_page")?;
    checked(&pool, FRAMES)
}
