//! What all cores on one pool can tell.

use super::{checked, pool, table};
use crate::board::{Board, turns};
use crate::case::{Outcome, ensure, ensure_eq, ensure_ok};
use crate::random::Random;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use hyp_pool::{Coalesce, Pfn, RefcountPath, table_words};

const FRAMES: usize = 1024;
const WORDS: usize = table_words(FRAMES);

/// All cores allocate, share and free blocks of orders 0 to 3, as random as they can. Nobody gets a frame that
/// somebody has, no call fails that may not, and in the end every frame is back.
pub(super) fn storm<B: Board, R: RefcountPath, C: Coalesce>(board: &B) -> Outcome {
    const STEPS: usize = 2000;
    const KEEP: usize = 8;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let fresh = pool.free_blocks();
    let owned = [const { AtomicBool::new(false) }; FRAMES];
    let frames = |block: Pfn, order: u8| {
        let first = block.get() - pool.range().start().get();
        &owned[first..first + (1 << order)]
    };
    let (granted_twice, refused, granted) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));

    board.run_on(board.cores(), &|core| {
        let mut random = Random::new(core);
        let mut kept: [Option<(Pfn, u8)>; KEEP] = [None; KEEP];
        let free = |(block, order): (Pfn, u8)| {
            for frame in frames(block, order) {
                frame.store(false, Ordering::Relaxed);
            }
            if pool.put_page(block).is_err() {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        };
        for _ in turns(board, STEPS) {
            let slot = &mut kept[random.below(KEEP)];
            match slot.take() {
                Some(block) if random.below(4) == 0 => {
                    // Share it for a moment.
                    let shared = pool.get_page(block.0).and_then(|()| pool.put_page(block.0));
                    if shared.is_err() {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    *slot = Some(block);
                }
                Some(block) => free(block),
                None => {
                    let order = random.below(4) as u8;
                    // Nothing free is no fault: the others may have it all.
                    let Ok(block) = pool.alloc_pages(order) else { continue };
                    granted.fetch_add(1, Ordering::Relaxed);
                    for frame in frames(block, order) {
                        if frame.swap(true, Ordering::Relaxed) {
                            granted_twice.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    *slot = Some((block, order));
                }
            }
        }
        kept.into_iter().flatten().for_each(free);
    });

    ensure(granted.into_inner() >= 10 * board.cores(), "too few blocks were allocated")?;
    ensure_eq(granted_twice.into_inner(), 0, "frames that two cores had")?;
    ensure_eq(refused.into_inner(), 0, "legal calls that were refused")?;
    checked(&pool, FRAMES)?;
    ensure_eq(pool.free_blocks(), fresh, "free blocks by order")
}

/// All cores count references to one block that stays: none is lost, and it is free after the last put.
pub(super) fn shared_page<B: Board, R: RefcountPath, C: Coalesce>(board: &B) -> Outcome {
    const TURNS: usize = 2000;
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let block = ensure_ok(pool.alloc_pages(3), "alloc_pages")?;
    let (refused, kept) = (AtomicUsize::new(0), AtomicUsize::new(0));

    board.run_on(board.cores(), &|_| {
        for turn in turns(board, TURNS) {
            let got = pool.get_page(block);
            // One reference of every two stays.
            let put = if turn % 2 == 0 { pool.put_page(block) } else { Ok(()) };
            kept.fetch_add(turn % 2, Ordering::Relaxed);
            refused.fetch_add(usize::from(got.and(put).is_err()), Ordering::Relaxed);
        }
    });

    ensure_eq(refused.into_inner(), 0, "legal calls that were refused")?;
    let expected = 1 + kept.into_inner() as u32;
    ensure(expected > 5 * board.cores() as u32, "too few turns")?;
    ensure_eq(pool.page_count(block), Ok(expected), "the count after all have counted")?;
    for _ in 1..expected {
        ensure_ok(pool.put_page(block), "put_page")?;
    }
    checked(&pool, FRAMES - 8)?;
    ensure_ok(pool.put_page(block), "the last put_page")?;
    checked(&pool, FRAMES)
}

/// All cores put their references to one block at once: one of them frees it, every time.
pub(super) fn one_final_put<B: Board, R: RefcountPath, C: Coalesce>(board: &B) -> Outcome {
    const ROUNDS: usize = 200;
    let cores = board.cores();
    let table = table::<WORDS>();
    let pool = pool::<B, R, C>(&table, FRAMES, 0)?;
    let block = AtomicUsize::new(0);
    let (ready, done, refused, leaked) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let wait = |word: &AtomicUsize, value: usize| {
        while word.load(Ordering::Acquire) < value {
            B::relax();
        }
    };

    board.run_on(cores, &|core| {
        for round in 1..=ROUNDS {
            if core == 0 {
                let own = pool.alloc_pages((round % 4) as u8).unwrap_or(Pfn::new(0));
                let shared = (1..cores).all(|_| pool.get_page(own).is_ok());
                refused.fetch_add(usize::from(!shared), Ordering::Relaxed);
                block.store(own.get(), Ordering::Relaxed);
            }
            ready.fetch_add(1, Ordering::AcqRel);
            wait(&ready, round * cores);
            let put = pool.put_page(Pfn::new(block.load(Ordering::Relaxed)));
            refused.fetch_add(usize::from(put.is_err()), Ordering::Relaxed);
            done.fetch_add(1, Ordering::AcqRel);
            wait(&done, round * cores);
            if core == 0 && pool.free_pages() != FRAMES {
                leaked.fetch_add(1, Ordering::Relaxed);
            }
        }
    });

    ensure_eq(refused.into_inner(), 0, "legal calls that were refused")?;
    ensure_eq(leaked.into_inner(), 0, "rounds after which a frame was missing")?;
    checked(&pool, FRAMES)
}
