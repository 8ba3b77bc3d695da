//! `topup`: a vCPU's cache of pages is filled up before it runs, and emptied when it has taken its faults: eight pages are
//! allocated one after the other, then put back in that order. KVM's `kvm_mmu_topup_memory_cache` wants as many for a
//! stage-2 fault as there are levels, twice.

use hyp_pool::Pfn;

use super::{Load, Place};
use crate::pages::{Ops, Refused};

const CACHE: usize = 8;

pub(crate) struct TopUp;

impl Load for TopUp {
    fn begin(_: &mut dyn Ops, _: Place) -> Result<Self, Refused> {
        Ok(Self)
    }

    #[inline]
    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let mut cache = [Pfn::new(0); CACHE];
        for page in &mut cache {
            *page = ops.alloc(0)?;
        }
        cache.into_iter().try_for_each(|page| ops.put(page))
    }
}
