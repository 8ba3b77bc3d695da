//! A workload of one's own.

use bench_core::load::{Load, Ops, Place, Refused};

/// Three pages, put in the order of their coming.
pub(crate) struct MyChurn;

impl Load for MyChurn {
    fn begin(_: &mut dyn Ops, _: Place) -> Result<Self, Refused> {
        Ok(Self)
    }

    fn step(&mut self, ops: &mut dyn Ops) -> Result<(), Refused> {
        let pages = [ops.alloc(0)?, ops.alloc(0)?, ops.alloc(0)?];
        pages.into_iter().try_for_each(|page| ops.put(page))
    }
}
