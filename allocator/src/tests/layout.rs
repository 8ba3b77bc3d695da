//! Where things are: how many bytes a page costs, and what shares a cache line with what.

use super::{Lock, pool_over, vacant_table};
use crate::coalesce::{KEPT_ORDERS, sealed::Kept};
use crate::free_area::FreeAreas;
use crate::line::Line;
use crate::{Atomic, Coalesce, Deferred, Eager, HypPool, OldestFirst, TableWord, table_words};
use core::mem::{align_of, offset_of, size_of};
use lock_api::Mutex;

/// A cache line of the CPUs there are; the pool's own alignment allows for twice as much.
const LINE: usize = 64;

#[test]
fn a_page_costs_four_and_a_half_bytes() {
    assert_eq!(size_of::<TableWord>(), 4);
    let pages = 16384;
    let bytes = table_words(pages) * size_of::<TableWord>();
    assert!(bytes <= 8 * pages);
    assert!(bytes * 10 <= 46 * pages, "{bytes} bytes for {pages} pages");
    // The same of a large pool; what every pool needs, however small, is little.
    assert!(table_words(1 << 28) * 4 * 10 <= 46 << 28);
    assert_eq!(table_words(1), 1 + 2 * 4);
}

/// The lock at the very start, and after it the ring of order 0: how many blocks it has, and the slots of the first
/// thirteen of them (twelve, with a lock of up to 12 bytes), are on the lock's line; the ring ends on the next, which is
/// fetched with it, at the latest.
#[test]
fn a_pair_of_calls_touches_one_line() {
    fn on<C: Coalesce>() {
        type Pool<'t, C> = HypPool<'t, Lock, Atomic, C>;
        let [first, rings] = FreeAreas::<C>::KEPT_ENDS;
        // For a lock of eight bytes, which a ticket lock, a queue's tail, or a lock that saves a word needs.
        let slots_start = 8 + first - 4 * C::Kept::CAPACITY;
        assert_eq!(slots_start, 8 + 4, "behind the lock: the ring's length and front");
        assert!(slots_start + 4 * C::Kept::CAPACITY.min(13) <= LINE);
        assert!(8 + first <= align_of::<Line<()>>(), "the ring of order 0 ends at {}", 8 + first);
        assert!(12 + first - 4 * C::Kept::CAPACITY + 4 * C::Kept::CAPACITY.min(12) <= LINE);
        // A pair of calls of order 0 to 3 touches the lines of the lock and of one ring.
        assert_eq!(rings, KEPT_ORDERS * first);
        assert_eq!(size_of::<Mutex<u64, FreeAreas<C>>>(), (8 + size_of::<FreeAreas<C>>()).next_multiple_of(8));
        // What is read without the lock, and what others write without it, are on other lines.
        assert_eq!(offset_of!(Pool<'static, C>, areas), 0);
        assert_eq!(align_of::<Pool<'static, C>>() % (2 * LINE), 0);
        let locked = size_of::<Line<Mutex<Lock, FreeAreas<C>>>>();
        assert_eq!(locked % align_of::<Line<()>>(), 0);
        assert!(Pool::<'static, C>::READ_ONLY.start >= locked);
        assert!(offset_of!(Pool<'static, C>, counters) >= locked);

        // And so it is in the memory of a pool, whose lock `lock_api` has placed.
        let table = vacant_table(8);
        let pool = pool_over::<Atomic, C>(&table, 0, 8, 0).unwrap();
        let start = (&raw const pool).addr();
        assert_eq!(start % align_of::<Line<()>>(), 0);
        assert_eq!((&raw const pool.areas.0).addr(), start);
        assert_eq!(pool.areas.0.data_ptr().addr() - start, 4, "a lock of one byte comes first");
    }
    on::<Deferred>();
    on::<Deferred<7>>();
    on::<Deferred<15>>();
    on::<OldestFirst>();
    on::<Eager>();
}

/// The default policy, in bytes.
#[test]
fn fifteen_blocks_and_their_ring_are_sixty_four_bytes() {
    assert_eq!(FreeAreas::<Deferred>::KEPT_ENDS, [LINE, KEPT_ORDERS * LINE]);
    assert_eq!(8 + FreeAreas::<Deferred>::KEPT_ENDS[1], 264);
    assert_eq!(<Deferred as Coalesce>::Kept::CAPACITY, 15);
}
