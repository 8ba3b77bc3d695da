//! Crates that hand out pages, or heaps that bring a lock.

use std::alloc::Layout;
use std::ptr::{self, NonNull};

use anyhow::{Result, anyhow};
use bitmap_allocator::{BitAlloc, BitAlloc64K};
use buddy_slab_allocator::BuddyAllocator;
use buddy_system_allocator::{LockedFrameAllocator, LockedHeap};
use free_list::{FreeList, PageLayout, PageRange};
use spin::mutex::SpinMutex;

use super::heaps::Unlocked;
use crate::arena::{Arena, PAGE, PAGES};
use crate::subject::{Pages, Refused, Subject, done};

/// `bsa-frame`: frame numbers, from [`Arena::base`] on, under its own spin lock.
pub struct BsaFrame(LockedFrameAllocator<11>);

impl Subject for BsaFrame {
    type Local<'s> = &'s Self;

    fn new(arena: &'static Arena) -> Result<Self> {
        let first = arena.base() / PAGE;
        let frames = LockedFrameAllocator::new();
        frames.lock().add_frame(first, first + PAGES);
        Ok(Self(frames))
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    /// It has no call that tells. If all of it can be had in the largest blocks, all of it is free.
    fn free_pages(&mut self) -> Option<usize> {
        let mut frames = self.0.lock();
        let blocks: Vec<_> = std::iter::from_fn(|| frames.alloc(1 << 10)).collect();
        blocks.iter().for_each(|&block| frames.dealloc(block, 1 << 10));
        Some(blocks.len() << 10)
    }
}

impl Pages for &BsaFrame {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        self.0.lock().alloc(1 << order).ok_or(Refused)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> Result<(), Refused> {
        self.0.lock().dealloc(page, 1 << order);
        done(true)
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page * PAGE)
    }
}

/// `bsa-heap`: bytes, under its own spin lock. Its free walks the list of the order.
pub struct BsaHeap(LockedHeap<32>);

#[inline]
fn pages(order: u8) -> Layout {
    // SAFETY: a page's size is a power of two, and no order makes its multiple overflow.
    unsafe { Layout::from_size_align_unchecked(PAGE << order, PAGE) }
}

impl Subject for BsaHeap {
    type Local<'s> = &'s Self;
    const LINEAR: bool = true;

    fn new(arena: &'static Arena) -> Result<Self> {
        let heap = LockedHeap::new();
        // SAFETY: the arena is its alone.
        unsafe { heap.lock().init(arena.base(), PAGES * PAGE) };
        Ok(Self(heap))
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        let heap = self.0.lock();
        Some((heap.stats_total_bytes() - heap.stats_alloc_actual()) / PAGE)
    }
}

impl Pages for &BsaHeap {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        self.0.lock().alloc(pages(order)).map(|block| block.as_ptr().expose_provenance()).map_err(|()| Refused)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> Result<(), Refused> {
        let block = NonNull::new(ptr::with_exposed_provenance_mut(page)).ok_or(Refused)?;
        // SAFETY: a block of that layout is given back by its owner.
        unsafe { self.0.lock().dealloc(block, pages(order)) };
        Ok(())
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page)
    }
}

/// `bitmap`: numbers of bits; it has room for four times as many.
pub struct Bitmap {
    bits: SpinMutex<Box<BitAlloc64K>>,
    base: usize,
}

impl Subject for Bitmap {
    type Local<'s> = &'s Self;

    fn new(arena: &'static Arena) -> Result<Self> {
        let mut bits = Box::<BitAlloc64K>::default();
        bits.insert(0..PAGES);
        Ok(Self { bits: SpinMutex::new(bits), base: arena.base() })
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        let bits = self.bits.get_mut();
        Some((0..PAGES).filter(|&bit| bits.test(bit)).count())
    }
}

impl Pages for &Bitmap {
    type Page = usize;

    /// One bit has a way of its own, as ArceOS uses it.
    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        let mut bits = self.bits.lock();
        let bit = if order == 0 { bits.alloc() } else { bits.alloc_contiguous(None, 1 << order, order.into()) };
        bit.ok_or(Refused)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> Result<(), Refused> {
        let mut bits = self.bits.lock();
        done(if order == 0 { bits.dealloc(page) } else { bits.dealloc_contiguous(page, 1 << order) })
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.base + page * PAGE)
    }
}

/// `buddy-slab`: its pages' entries are in the arena, so that there are fewer pages.
pub struct BuddySlab(BuddyAllocator<PAGE>);

struct Identity;

#[ax_crate_interface::impl_interface]
impl buddy_slab_allocator::interface::BuddySlabIf for Identity {
    fn virt_to_phys(vaddr: usize) -> usize {
        vaddr
    }

    fn slab_pool() -> &'static dyn buddy_slab_allocator::SlabPoolTrait {
        unreachable!("slabs are not measured, and only they ask for their pool")
    }
}

impl Unlocked for BuddySlab {
    fn new(arena: &'static Arena) -> Result<Self> {
        let mut buddy = BuddyAllocator::new();
        // SAFETY: the arena is its alone, and zero or old, but bytes.
        let memory = unsafe { std::slice::from_raw_parts_mut(arena.pointer(0), PAGES * PAGE) };
        // SAFETY: as above: for ever, since an arena is.
        unsafe { buddy.init(memory) }.map_err(|error| anyhow!("buddy-slab-allocator refuses the arena: {error:?}"))?;
        Ok(Self(buddy))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        self.0.alloc_pages(1 << order, PAGE << order).ok()
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> bool {
        self.0.dealloc_pages(page, 1 << order);
        true
    }

    fn free_pages(&self) -> Option<usize> {
        Some(self.0.free_pages())
    }
}

/// `free-list`: ranges of addresses, 16 of them without a heap.
pub struct Ranges(FreeList<16>);

impl Unlocked for Ranges {
    fn new(arena: &'static Arena) -> Result<Self> {
        let mut list = FreeList::new();
        let range = PageRange::from_start_len(arena.base(), PAGES * PAGE).map_err(|error| anyhow!("{error}"))?;
        // SAFETY: the arena is its alone; it never looks at what it hands out.
        unsafe { list.deallocate(range) }.map_err(|error| anyhow!("{error}"))?;
        Ok(Self(list))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        let layout = PageLayout::from_size_align(PAGE << order, PAGE << order).ok()?;
        self.0.allocate(layout).ok().map(PageRange::start)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> bool {
        let Ok(range) = PageRange::from_start_len(page, PAGE << order) else { return false };
        // SAFETY: a block is given back by its owner.
        unsafe { self.0.deallocate(range) }.is_ok()
    }

    fn free_pages(&self) -> Option<usize> {
        Some(self.0.free_space() / PAGE)
    }
}
