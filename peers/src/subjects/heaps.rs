//! Crates without a lock, behind a spin lock; heaps among them, which hand out bytes.
//!
//! A block of `1 << order` pages is a layout of that many bytes, aligned to a page; the buddy allocators among them
//! align it to its size as well. Talc and rlsf need a page more for each page that they align: they get 192 MiB, the
//! others 64.

use std::alloc::Layout;
use std::ptr::{self, NonNull};

use anyhow::{Context, Result, anyhow};
use spin::mutex::SpinMutex;

use crate::arena::{Arena, HEAP, PAGE, PAGES};
use crate::subject::{Pages, Refused, Subject};

/// A crate's allocator as its users have it, by `&mut`. Blocks go by address.
pub trait Unlocked: Sized + 'static {
    /// See [`Subject::LINEAR`].
    const LINEAR: bool = false;

    /// A new one on an arena that nobody else uses.
    fn new(arena: &'static Arena) -> Result<Self>;
    /// A block of `1 << order` pages.
    fn alloc(&mut self, order: u8) -> Option<usize>;
    /// A block back, from the same subject, of the same order; whether it took it.
    fn free(&mut self, page: usize, order: u8) -> bool;
    /// Free pages, of those who can tell.
    fn free_pages(&self) -> Option<usize> {
        None
    }
}

/// Lets an allocator go from thread to thread that says nothing about it because it has pointers inside.
struct Movable<T>(T);

// SAFETY: the allocators here keep pointers into the arena alone, which is theirs and lives for ever, and nothing that
// belongs to a thread; and they are used under a lock.
unsafe impl<T: Unlocked> Send for Movable<T> {}

/// An allocator behind a spin lock.
#[expect(missing_debug_implementations, reason = "most allocators have none")]
pub struct Behind<T>(SpinMutex<Movable<T>>);

impl<T: Unlocked> Subject for Behind<T> {
    type Local<'s> = &'s Self;
    const LINEAR: bool = T::LINEAR;

    fn new(arena: &'static Arena) -> Result<Self> {
        Ok(Self(SpinMutex::new(Movable(T::new(arena)?))))
    }

    fn locals(&mut self, threads: usize) -> Vec<&Self> {
        (0..threads).map(|_| &*self).collect()
    }

    fn free_pages(&mut self) -> Option<usize> {
        self.0.get_mut().0.free_pages()
    }
}

impl<T: Unlocked> Pages for &Behind<T> {
    type Page = usize;

    #[inline]
    fn alloc(&mut self, order: u8) -> Result<usize, Refused> {
        self.0.lock().0.alloc(order).ok_or(Refused)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> Result<(), Refused> {
        crate::subject::done(self.0.lock().0.free(page, order))
    }

    #[inline]
    fn address(&self, page: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(page)
    }
}

#[inline]
fn pages(order: u8) -> Layout {
    // SAFETY: a page's size is a power of two, and no order makes its multiple overflow.
    unsafe { Layout::from_size_align_unchecked(PAGE << order, PAGE) }
}

#[inline]
fn pointer(page: usize) -> Option<NonNull<u8>> {
    NonNull::new(ptr::with_exposed_provenance_mut(page))
}

#[inline]
fn address(block: NonNull<u8>) -> usize {
    block.as_ptr().expose_provenance()
}

/// `talc`.
pub struct Talc(talc::base::Talc<talc::source::Manual, talc::base::binning::DefaultBinning>);

impl Unlocked for Talc {
    fn new(arena: &'static Arena) -> Result<Self> {
        let mut talc = talc::base::Talc::new(talc::source::Manual);
        // SAFETY: the arena is its alone.
        unsafe { talc.claim(arena.pointer(0), HEAP) }.context("talc refuses the arena")?;
        Ok(Self(talc))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        // SAFETY: the size is not 0.
        unsafe { self.0.allocate(pages(order)) }.map(address)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> bool {
        // SAFETY: a block of that layout is given back by its owner.
        unsafe { self.0.deallocate(ptr::with_exposed_provenance_mut(page), pages(order)) };
        true
    }
}

/// `rlsf`.
pub struct Rlsf(rlsf::Tlsf<'static, u32, u32, 24, 8>);

impl Unlocked for Rlsf {
    fn new(arena: &'static Arena) -> Result<Self> {
        let mut tlsf = rlsf::Tlsf::new();
        let memory = ptr::slice_from_raw_parts_mut(arena.pointer(0), HEAP);
        let memory = NonNull::new(memory).context("the arena is somewhere")?;
        // SAFETY: the arena is its alone.
        unsafe { tlsf.insert_free_block_ptr(memory) }.context("rlsf refuses the arena")?;
        Ok(Self(tlsf))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        self.0.allocate(pages(order)).map(address)
    }

    #[inline]
    fn free(&mut self, page: usize, _: u8) -> bool {
        let Some(block) = pointer(page) else { return false };
        // SAFETY: a block with that alignment is given back by its owner.
        unsafe { self.0.deallocate(block, PAGE) };
        true
    }
}

/// `linked-list`.
pub struct LinkedList(linked_list_allocator::Heap);

impl Unlocked for LinkedList {
    const LINEAR: bool = true;

    fn new(arena: &'static Arena) -> Result<Self> {
        // SAFETY: the arena is its alone.
        Ok(Self(unsafe { linked_list_allocator::Heap::new(arena.pointer(0), PAGES * PAGE) }))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        self.0.allocate_first_fit(pages(order)).ok().map(address)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> bool {
        let Some(block) = pointer(page) else { return false };
        // SAFETY: a block of that layout is given back by its owner.
        unsafe { self.0.deallocate(block, pages(order)) };
        true
    }

    fn free_pages(&self) -> Option<usize> {
        Some(self.0.free() / PAGE)
    }
}

/// `buddy-alloc`.
pub struct BuddyAlloc(buddy_alloc::buddy_alloc::BuddyAlloc);

impl Unlocked for BuddyAlloc {
    fn new(arena: &'static Arena) -> Result<Self> {
        let parameters = buddy_alloc::BuddyAllocParam::new(arena.pointer(0), PAGES * PAGE, PAGE);
        // SAFETY: the arena is its alone.
        Ok(Self(unsafe { buddy_alloc::buddy_alloc::BuddyAlloc::new(parameters) }))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        NonNull::new(self.0.malloc(PAGE << order)).map(address)
    }

    #[inline]
    fn free(&mut self, page: usize, _: u8) -> bool {
        self.0.free(ptr::with_exposed_provenance_mut(page));
        true
    }

    fn free_pages(&self) -> Option<usize> {
        Some(self.0.available_bytes() / PAGE)
    }
}

/// `buddyalloc`: 15 lists, from a page to all of the arena.
pub struct Buddyalloc(buddyalloc::Heap<15>);

impl Unlocked for Buddyalloc {
    const LINEAR: bool = true;

    fn new(arena: &'static Arena) -> Result<Self> {
        let base = NonNull::new(arena.pointer(0)).context("the arena is somewhere")?;
        // SAFETY: the arena is its alone.
        let heap = unsafe { buddyalloc::Heap::new(base, PAGES * PAGE) };
        Ok(Self(heap.map_err(|_| anyhow!("buddyalloc refuses the arena"))?))
    }

    #[inline]
    fn alloc(&mut self, order: u8) -> Option<usize> {
        self.0.allocate(pages(order)).ok().and_then(NonNull::new).map(address)
    }

    #[inline]
    fn free(&mut self, page: usize, order: u8) -> bool {
        // SAFETY: a block of that layout is given back by its owner.
        unsafe { self.0.deallocate(ptr::with_exposed_provenance_mut(page), pages(order)) };
        true
    }
}
