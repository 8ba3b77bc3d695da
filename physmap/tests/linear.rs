//! Blocks are all zero, their neighbours are as they were, and nobody waits for the lock meanwhile.
//!
//! The same on AArch64, under emulation, where `DC ZVA` runs:
//!
//! ```sh
//! CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
//! CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
//!     cargo test -p hyp-physmap --target aarch64-unknown-linux-gnu
//! ```

use hyp_locks::NoLock;
use hyp_physmap::Linear;
use hyp_pool::{
    Contents, Erasable, Erasing, HypPool, MAX_ORDER, PageError, PageSize, Pfn, PfnRange, PhysMap, TableWord,
    table_words,
};
use std::cell::Cell;
use std::ptr;

const PAGE: usize = 4096;
const FRAMES: usize = 40;
const START: usize = 0x8_0123;

/// Frames of a "physical" range, somewhere in this process, all dirty, with a page before and one behind.
struct Memory {
    base: *mut u8,
    len: usize,
    aligned: usize,
}

impl Memory {
    fn new(misaligned: usize) -> Self {
        let len = (FRAMES + 3) * PAGE + misaligned;
        let base = Box::into_raw(vec![0xaa_u8; len].into_boxed_slice()).cast::<u8>();
        let first = base.expose_provenance().next_multiple_of(PAGE) + PAGE + misaligned;
        Self { base, len, aligned: first }
    }

    fn offset(&self) -> usize {
        self.aligned.wrapping_sub(START * PAGE)
    }

    fn byte(&self, address: usize) -> *mut u8 {
        assert!((self.base.addr()..self.base.addr() + self.len).contains(&address));
        self.base.wrapping_add(address - self.base.addr())
    }

    /// Which pages, from the one before the first frame to the one behind the last, are all zero; each of the others
    /// is all dirty.
    fn zero_pages(&self) -> Vec<bool> {
        let page = |n: usize| {
            let mut bytes = [0; PAGE];
            // SAFETY: inside the memory that is its own, which no reference points to.
            unsafe { ptr::copy_nonoverlapping(self.byte(self.aligned - PAGE + n * PAGE), bytes.as_mut_ptr(), PAGE) };
            assert!(bytes == [0; PAGE] || bytes == [0xaa; PAGE], "page {n} is of two kinds");
            bytes == [0; PAGE]
        };
        (0..FRAMES + 1).map(page).collect()
    }

    fn dirty(&self, page: usize, pages: usize) {
        let byte = self.byte(self.aligned + page * PAGE);
        // SAFETY: as in `zero_pages`; the pages are in it, since there is one behind the last.
        unsafe { ptr::write_bytes(byte, 0xaa, pages * PAGE) };
    }

    /// What `zero_pages` says if just these pages are.
    fn just(page: usize, pages: usize) -> Vec<bool> {
        (0..FRAMES + 1).map(|n| (page + 1..page + 1 + pages).contains(&n)).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let bytes = ptr::slice_from_raw_parts_mut(self.base, self.len);
        // SAFETY: the box that it came from in `new`, to which no reference was made.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

fn cleared_and_nothing_else(memory: &Memory, map: Linear) {
    let table = [const { TableWord::VACANT }; table_words(FRAMES)];
    let pool = HypPool::<NoLock>::with_table(&table, PfnRange::new(Pfn::new(START), FRAMES), 0).unwrap();
    let (zeroing, scrubbing) =
        (Erasing::new(&pool, map, Contents::ZeroOnAlloc), Erasing::new(&pool, map, Contents::ScrubOnPut));
    for order in [0, 1, 2, 3, 4] {
        let (page, pages) = {
            let block = zeroing.alloc_pages(order).unwrap();
            let page = block.get() - START;
            assert_eq!(memory.zero_pages(), Memory::just(page, 1 << order), "order {order}, zeroed");
            memory.dirty(page, 1 << order);
            zeroing.put_page(block).unwrap();
            (page, 1 << order)
        };
        assert_eq!(memory.zero_pages(), Memory::just(0, 0), "page {page}, {pages}: not to be cleared when put");

        let block = scrubbing.alloc_pages(order).unwrap();
        assert_eq!(memory.zero_pages(), Memory::just(0, 0), "not to be cleared when allocated");
        pool.get_page(block).unwrap();
        scrubbing.put_page(block).unwrap();
        assert_eq!(memory.zero_pages(), Memory::just(0, 0), "not the last reference");
        let page = block.get() - START;
        scrubbing.put_page(block).unwrap();
        assert_eq!(memory.zero_pages(), Memory::just(page, 1 << order), "order {order}, scrubbed");
        memory.dirty(page, 1 << order);
    }
    pool.check().unwrap();
    assert_eq!(pool.free_pages(), FRAMES);
}

#[test]
fn blocks_are_zero_and_their_neighbours_as_they_were() {
    let memory = Memory::new(0);
    // SAFETY: L1: every frame is in `memory`, at that offset. L2: which this thread alone accesses.
    let map = unsafe { Linear::new(PageSize::SIZE_4K, memory.offset()) };
    // SAFETY: L1 and L2, as above.
    let stores = unsafe { Linear::with_stores(PageSize::SIZE_4K, memory.offset()) };
    cleared_and_nothing_else(&memory, map);
    cleared_and_nothing_else(&memory, stores);
    assert_eq!(stores.zeroes_at_once(), None);
    // What this test is for on AArch64.
    assert_eq!(map.zeroes_at_once().is_some(), cfg!(target_arch = "aarch64"), "is DC ZVA prohibited here?");
}

#[test]
fn a_block_that_no_dc_zva_fits_is_cleared_by_stores() {
    let memory = Memory::new(8);
    // SAFETY: L1 and L2, as above.
    cleared_and_nothing_else(&memory, unsafe { Linear::new(PageSize::SIZE_4K, memory.offset()) });
}

/// Blocks of every order; under Miri, to which each frame is work, of the smaller ones.
const LARGEST: u8 = if cfg!(miri) { 6 } else { MAX_ORDER };

/// Tells what the pool looks like while a block is cleared.
struct Observer<'p> {
    pool: &'p HypPool<'p, NoLock>,
    calls: Cell<usize>,
}

impl PhysMap for Observer<'_> {
    fn zero(&self, block: Erasable<'_>) {
        // A `NoLock` that is held panics when it is taken again: nobody waits for whoever clears a block.
        let free = self.pool.free_pages();
        assert_eq!(free, (2 << LARGEST) - block.nr_pages());
        let another = self.pool.alloc_pages(0).unwrap();
        self.pool.put_page(another).unwrap();
        // And the block is nobody's.
        assert_eq!(self.pool.get_page(block.pfn()), Err(PageError::Held));
        self.pool.check().unwrap();
        self.calls.set(self.calls.get() + 1);
    }
}

#[test]
fn the_lock_is_free_while_a_block_of_any_order_is_cleared() {
    let table: Vec<TableWord> = (0..table_words(2 << LARGEST)).map(|_| TableWord::VACANT).collect();
    let pool = HypPool::<NoLock>::with_table(&table, PfnRange::new(Pfn::new(0), 2 << LARGEST), 0).unwrap();
    for when in [Contents::ZeroOnAlloc, Contents::ScrubOnPut] {
        let observer = Observer { pool: &pool, calls: Cell::new(0) };
        let erasing = Erasing::new(&pool, &observer, when);
        for order in 0..=LARGEST {
            let block = erasing.alloc_pages(order).unwrap();
            erasing.put_page(block).unwrap();
        }
        assert_eq!(observer.calls.get(), usize::from(LARGEST) + 1);
    }
}
