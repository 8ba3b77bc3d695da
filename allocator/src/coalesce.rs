//! When freed blocks are coalesced: a policy, chosen by a type parameter of the pool.
//!
//! | policy | a block of order 0 to 3 that is freed | alloc, put under the lock, at most |
//! |---|---|---|
//! | [`Deferred<N>`](Deferred), the default | is kept as it is, one of up to `N` of its order, for the next allocation | a put: half of `N` blocks coalesced, rounded up; an alloc that finds no block large enough: 4 `N` blocks |
//! | [`Eager`] | is coalesced at once, as in the original | a put: one block coalesced |
//! | [`OldestFirst<P>`](OldestFirst) | as with `P`, and reused oldest first | as with `P` |
//!
//! To coalesce one block changes the words of its chunk of 32 frames, and takes at most five merges of larger blocks.
//!
//! A pair of calls on a pool all of whose memory is one block splits that block five times, down to a chunk of 32
//! frames, takes one of these, and puts it all together again; with a few blocks kept unmerged, it does neither. A ring
//! that is full gives up its older half at once: of blocks freed one after the other many are neighbours, and then they
//! cost one, and the next puts find room. What is kept is free: it counts as free, it is merged as soon as an allocation
//! needs it, and before anybody is told what blocks there are ([`HypPool::free_blocks`](crate::HypPool::free_blocks)).
//! So no allocation fails that eager coalescing would have served.
//!
//! Recently freed first: the block that is most likely still in a cache, and whose words are. Oldest first is for
//! those who want as much time as possible between a page's uses, lest a use after free go unnoticed.
//!
//! After T. P. Lee and R. E. Barkley, "A watermark-based lazy buddy system for kernel memory allocation", USENIX
//! Summer 1989; the bound on what is kept is ours, and fixed.

/// Orders of which blocks are kept: 0 to 3.
pub(crate) const KEPT_ORDERS: usize = 4;

/// A policy: [`Deferred`], [`Eager`], or one of them [`OldestFirst`].
pub trait Coalesce: sealed::Sealed + 'static {
    /// Whether the oldest of the kept blocks is reused first, in place of the most recent.
    #[doc(hidden)]
    const OLDEST_FIRST: bool;

    /// What keeps the blocks.
    #[doc(hidden)]
    type Kept: sealed::Kept;
}

/// Up to `N` unmerged blocks of each of the orders 0 to 3; `N` at most 255.
#[derive(Clone, Copy, Debug)]
pub enum Deferred<const N: usize = 15> {}

/// Every block is coalesced when it is freed.
#[derive(Clone, Copy, Debug)]
pub enum Eager {}

/// As `P`, but of the blocks kept the oldest is reused first.
#[derive(Clone, Copy, Debug)]
pub struct OldestFirst<P = Deferred>(core::marker::PhantomData<P>);

impl<const N: usize> Coalesce for Deferred<N> {
    const OLDEST_FIRST: bool = false;
    type Kept = Rings<N>;
}

impl Coalesce for Eager {
    const OLDEST_FIRST: bool = false;
    type Kept = Rings<0>;
}

impl<P: Coalesce> Coalesce for OldestFirst<P> {
    const OLDEST_FIRST: bool = true;
    type Kept = P::Kept;
}

/// A ring of `N` blocks for each kept order: pushed at the back, taken from either end.
///
/// ```text
///  order 0: len, front, slots │ order 1: len, front, slots │ …
/// ```
///
/// # Invariants
///
/// For each order, `front < max(N, 1)` and `len <= N`; the blocks are in slots `front`, … `front + len - 1`, modulo
/// `N`. A block in a slot is free, its frames silent, and it is in no chunk's bits (I4).
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Rings<const N: usize>([Ring<N>; KEPT_ORDERS]);

/// One of them. With fifteen blocks, 64 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(C)]
struct Ring<const N: usize> {
    len: u16,
    front: u16,
    slots: [u32; N],
}

impl<const N: usize> Ring<N> {
    const FITS: () = assert!(N <= 255, "a policy keeps at most 255 blocks of an order");
    const EMPTY: Self = {
        let () = Self::FITS;
        Self { len: 0, front: 0, slots: [0; N] }
    };

    /// The slot of the `nth` oldest block, or where it would go.
    #[inline]
    fn slot(&self, nth: u16) -> usize {
        // INVARIANT: front < N and nth <= N, so one subtraction is the remainder.
        let at = usize::from(self.front) + usize::from(nth);
        if at >= N { at - N } else { at }
    }
}

impl<const N: usize> sealed::Kept for Rings<N> {
    const EMPTY: Self = Self([const { Ring::EMPTY }; KEPT_ORDERS]);
    const CAPACITY: usize = N;
    #[cfg(all(test, not(loom)))]
    const FIRST_ENDS: usize = size_of::<Ring<N>>();

    #[inline]
    fn len(&self, order: usize) -> usize {
        usize::from(self.0[order].len)
    }

    #[inline]
    fn push(&mut self, order: usize, index: u32) {
        let ring = &mut self.0[order];
        let slot = ring.slot(ring.len);
        if let Some(slot) = ring.slots.get_mut(slot) {
            *slot = index;
            ring.len += 1;
        }
    }

    #[inline]
    fn pop_back(&mut self, order: usize) -> Option<u32> {
        let ring = &mut self.0[order];
        ring.len = ring.len.checked_sub(1)?;
        ring.slots.get(ring.slot(ring.len)).copied()
    }

    #[inline]
    fn pop_front(&mut self, order: usize) -> Option<u32> {
        let ring = &mut self.0[order];
        ring.len = ring.len.checked_sub(1)?;
        let block = ring.slots.get(usize::from(ring.front)).copied();
        ring.front = ring.slot(1) as u16;
        block
    }

    fn nth(&self, order: usize, nth: usize) -> Option<u32> {
        let ring = &self.0[order];
        if nth < usize::from(ring.len) { ring.slots.get(ring.slot(nth as u16)).copied() } else { None }
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl<const N: usize> Sealed for super::Deferred<N> {}
    impl Sealed for super::Eager {}
    impl<P: super::Coalesce> Sealed for super::OldestFirst<P> {}

    /// Rings of any capacity, of indices of frames. Public in a private module: nobody outside can name it.
    pub trait Kept: Sized + Send {
        const EMPTY: Self;
        const CAPACITY: usize;
        /// Where the ring of order 0 ends, for the test of the layout.
        #[cfg(all(test, not(loom)))]
        const FIRST_ENDS: usize;
        fn len(&self, order: usize) -> usize;
        /// Adds the most recent block. There is room.
        fn push(&mut self, order: usize, index: u32);
        /// Takes the most recent block.
        fn pop_back(&mut self, order: usize) -> Option<u32>;
        /// Takes the oldest block.
        fn pop_front(&mut self, order: usize) -> Option<u32>;
        /// The `nth` oldest block.
        fn nth(&self, order: usize, nth: usize) -> Option<u32>;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::sealed::Kept;
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn a_ring_is_a_queue_with_two_ends() {
        let mut rings = Rings::<3>::EMPTY;
        let mut queue = VecDeque::new();
        let mut rng = 1_u64;
        for n in 0..1000 {
            rng ^= rng << 13;
            rng ^= rng >> 7;
            rng ^= rng << 17;
            match rng % 4 {
                0 | 1 if queue.len() < 3 => {
                    rings.push(2, n);
                    queue.push_back(n);
                }
                2 => assert_eq!(rings.pop_front(2), queue.pop_front()),
                _ => assert_eq!(rings.pop_back(2), queue.pop_back()),
            }
            assert_eq!(rings.len(2), queue.len());
            assert!((0..4).all(|nth| rings.nth(2, nth) == queue.get(nth).copied()));
        }
        assert_eq!((rings.len(0), rings.len(1), rings.len(3)), (0, 0, 0));
    }

    #[test]
    fn no_room_is_no_ring() {
        let mut rings = Rings::<0>::EMPTY;
        assert_eq!((rings.pop_back(0), rings.pop_front(3), rings.nth(1, 0)), (None, None, None));
    }
}
