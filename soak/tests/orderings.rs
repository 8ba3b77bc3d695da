//! What is done to a block by one who shares it comes before what its next owner does, by the counts alone.
//!
//! ```text
//!   one       read the memory ──► put ┄┄┄┄┐ count 2 → 1
//!   another                               └┄┄► see the 1 ──► get the block for oneself, by any way ──► write the memory
//! ```
//!
//! The other one sees the 1 by a relaxed load, which orders nothing. So ThreadSanitizer tells of a data race, whenever
//! it runs, if the put is no Release or that way no Acquire. Without it this is a test like others.

use hyp_pool::{Atomic, Contents, Erasable, Erasing, HypPool, Magazine, Merged, Pfn, PfnRange, PhysMap, RefcountPath};
use hyp_pool::{TableWord, table_words};
use soak::Ledger;
use std::thread;

const ROUNDS: usize = 20;
const BLOCK: Pfn = Pfn::new(0x78);
const ORDER: u8 = 1; // one that can be split
const PAGES: usize = 1 << ORDER;

type Pool<'t, R> = HypPool<'t, hyp_locks::Ticket<hyp_locks::wait::Yield>, R>;

/// That of the one block there is. Who has it alone writes, and leaves a 2.
struct Memory(Ledger);

impl Memory {
    fn write(&self, who: u32) {
        self.0.enter(BLOCK, ORDER, who);
        self.0.leave(BLOCK, ORDER, who);
    }
}

impl PhysMap for Memory {
    fn zero(&self, _: Erasable<'_>) {
        self.write(2);
    }
}

fn on_both_paths(
    atomic: impl Fn(&Pool<'_, Atomic>, &Memory) + Sync,
    merged: impl Fn(&Pool<'_, Merged>, &Memory) + Sync,
) {
    last_comes_after(atomic);
    last_comes_after(merged);
}

fn last_comes_after<R: RefcountPath>(way: impl Fn(&Pool<'_, R>, &Memory) + Sync) {
    for _ in 0..ROUNDS {
        let table: Vec<_> = (0..table_words(PAGES)).map(|_| TableWord::VACANT).collect();
        let pool = Pool::<R>::with_table(&table, PfnRange::new(BLOCK, PAGES), 0).unwrap();
        let memory = Memory(Ledger::new(BLOCK.get(), PAGES));
        assert_eq!(pool.alloc_pages(ORDER), Ok(BLOCK));
        memory.write(1);
        pool.get_page(BLOCK).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                memory.0.read(BLOCK, ORDER, 1);
                pool.put_page(BLOCK).unwrap();
            });
            scope.spawn(|| {
                while pool.page_count(BLOCK) != Ok(1) {
                    thread::yield_now();
                }
                way(&pool, &memory);
            });
        });
        memory.0.read(BLOCK, ORDER, 2);
    }
}

/// One test for each way, on each path.
macro_rules! ways {
    ($($(#[$meta:meta])* $way:ident: |$pool:ident, $memory:ident| $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $way() {
            on_both_paths(|$pool, $memory| $body, |$pool, $memory| $body);
        }
    )*};
}

ways! {
    who_puts_it_last_and_gets_it_again: |pool, memory| {
        pool.put_page(BLOCK).unwrap();
        assert_eq!(pool.alloc_pages(ORDER), Ok(BLOCK));
        memory.write(2);
    }
    who_puts_it_last_and_clears_it: |pool, memory| {
        Erasing::new(pool, memory, Contents::ScrubOnPut).put_page(BLOCK).unwrap();
    }
    who_puts_it_into_a_magazine: |pool, memory| {
        let mut magazine = Magazine::<'_, _, _, _, 64>::new(pool);
        magazine.put_page(BLOCK).unwrap();
        assert_eq!(magazine.pages(), PAGES, "in the magazine, not in the pool");
        assert_eq!(magazine.alloc_pages(ORDER), Ok(BLOCK));
        memory.write(2);
    }
    who_makes_a_handle_of_it: |pool, memory| {
        let _handle = pool.adopt(BLOCK).unwrap();
        memory.write(2);
    }
    who_owns_it: |pool, memory| {
        let mut owner = pool.owner().unwrap();
        owner.adopt(BLOCK).unwrap();
        memory.write(2);
        owner.put_page(BLOCK).unwrap();
    }
    who_splits_it: |pool, memory| {
        pool.split_page(BLOCK).unwrap();
        memory.write(2);
    }
}
