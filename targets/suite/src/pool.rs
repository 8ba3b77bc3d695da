//! Pool laws: what the allocator promises, on either path of counting.
//!
//! One core first, where every step is followed by `check()`; then all of them on one pool.

mod crowd;
mod laws;

use crate::board::Board;
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq, ensure_ok};
use core::array;
use hyp_locks::{IrqSave, Ticket};
use hyp_pool::{Atomic, Frame, HypPool, Merged, Pfn, PfnRange, RefcountPath};

/// The lock of the pools under test: the one that an embedder with interrupts would take.
pub(crate) type Lock<B> = IrqSave<Ticket, <B as Board>::Irq>;

/// Where the pools start: not at 0, and not where the largest block would be aligned.
const BASE: Pfn = Pfn::new(0x4_0200);

/// The cases, for each path.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    macro_rules! each {
        ($path:ident as $name:literal: $($module:ident::$case:ident)*) => {
            [$(Case { name: concat!("pool.", $name, ".", stringify!($case)), run: $module::$case::<B, $path> }),*]
        };
    }
    macro_rules! all_of {
        ($path:ident as $name:literal) => {
            each!($path as $name:
                laws::comes_back_whole laws::counts laws::splits laws::refuses_misuse laws::runs_out laws::handles_count
                crowd::storm crowd::shared_page crowd::one_final_put)
        };
    }
    all_of!(Merged as "merged").into_iter().chain(all_of!(Atomic as "atomic"))
}

/// A frame table for `N` frames, on the stack.
pub(crate) fn table<const N: usize>() -> [Frame; N] {
    array::from_fn(|_| Frame::VACANT)
}

/// A pool over all of `table`, the first `reserved` frames in use.
pub(crate) fn pool<B: Board, R: RefcountPath>(
    table: &[Frame],
    reserved: usize,
) -> Result<HypPool<'_, Lock<B>, R>, Stop> {
    let range = PfnRange::new(BASE, table.len());
    let pool = ensure_ok(HypPool::with_table(table, range, reserved), "a pool over a fresh table")?;
    checked(&pool, table.len() - reserved)?;
    Ok(pool)
}

/// All invariants hold, and so many frames are free.
#[track_caller]
pub(crate) fn checked<L: lock_api::RawMutex, R: RefcountPath>(pool: &HypPool<'_, L, R>, free: usize) -> Outcome {
    let census = ensure_ok(pool.check(), "check")?;
    ensure_eq(census.free_pages, free, "free frames by census")?;
    ensure_eq(pool.free_pages(), free, "free frames by count")?;
    ensure(
        census.free_pages + census.allocated_pages == pool.range().len(),
        "free and allocated frames make the whole range",
    )
}
