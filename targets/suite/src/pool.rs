//! Pool laws: what the allocator promises, on either path of counting and under either policy of coalescing.
//!
//! One core first, where every step is followed by `check()`; then all of them on one pool.

mod crowd;
mod laws;

use crate::board::Board;
use crate::case::{Case, Outcome, Stop, ensure, ensure_eq, ensure_ok};
use core::array;
use hyp_locks::{IrqSave, Ticket};
use hyp_pool::{
    Atomic, Coalesce, Deferred, Eager, HypPool, Merged, Pfn, PfnRange, RefcountPath, TableWord, table_words,
};

/// The lock of the pools under test: the one that an embedder with interrupts would take.
pub(crate) type Lock<B> = IrqSave<Ticket, <B as Board>::Irq>;

/// Where the pools start: not at 0, and not where the largest block would be aligned.
const BASE: Pfn = Pfn::new(0x4_0200);

/// The cases, for each path: `merged` coalesces eagerly, as the original does, and `atomic` as is the default.
pub(crate) fn cases<B: Board>() -> impl Iterator<Item = Case<B>> {
    macro_rules! each {
        ($path:ty, $policy:ty as $name:literal: $($module:ident::$case:ident)*) => {
            [$(Case { name: concat!("pool.", $name, ".", stringify!($case)), run: $module::$case::<B, $path, $policy> }),*]
        };
    }
    macro_rules! all_of {
        ($path:ty, $policy:ty as $name:literal) => {
            each!($path, $policy as $name:
                laws::comes_back_whole laws::counts laws::splits laws::refuses_misuse laws::runs_out laws::handles_count
                laws::coalesces_when_needed laws::owner_counts_alone
                crowd::storm crowd::shared_page crowd::one_final_put)
        };
    }
    all_of!(Merged, Eager as "merged").into_iter().chain(all_of!(Atomic, Deferred as "atomic"))
}

/// A frame table of `N` words, on the stack; [`table_words`] says how many a pool needs.
pub(crate) fn table<const N: usize>() -> [TableWord; N] {
    array::from_fn(|_| TableWord::VACANT)
}

/// A pool of `len` frames over `table`, which is as long as it must be; the first `reserved` frames are in use.
pub(crate) fn pool<B: Board, R: RefcountPath, C: Coalesce>(
    table: &[TableWord],
    len: usize,
    reserved: usize,
) -> Result<HypPool<'_, Lock<B>, R, C>, Stop> {
    ensure_eq(table.len(), table_words(len), "words of the table")?;
    let range = PfnRange::new(BASE, len);
    let pool = ensure_ok(HypPool::with_table(table, range, reserved), "a pool over a fresh table")?;
    checked(&pool, len - reserved)?;
    Ok(pool)
}

/// All invariants hold, and so many frames are free.
#[track_caller]
pub(crate) fn checked<L: lock_api::RawMutex, R: RefcountPath, C: Coalesce>(
    pool: &HypPool<'_, L, R, C>,
    free: usize,
) -> Outcome {
    let census = ensure_ok(pool.check(), "check")?;
    ensure_eq(census.free_pages, free, "free frames by census")?;
    ensure_eq(pool.free_pages(), free, "free frames by count")?;
    ensure(
        census.free_pages + census.allocated_pages == pool.range().len(),
        "free and allocated frames make the whole range",
    )
}
