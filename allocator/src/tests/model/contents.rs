//! What a call must have cleared, and nothing else.

use super::{Block, Model};
use crate::Contents;
use crate::tests::subject::{Answer, By, Cleared, Erased, Op};
use std::vec;

impl Model {
    /// What `op` must have cleared, by the model as it was before: what it handed out, if that was to be zero; what it
    /// freed, if it was to be scrubbed.
    pub(super) fn cleared(&self, op: Op, answer: Answer) -> Cleared {
        let last = |model: &Self, by: By, pfn: usize, n: u32| match model.find(pfn, by) {
            Ok(Block { order, count, .. }) if count == n => vec![(pfn, 1 << order)],
            _ => vec![],
        };
        match (op, answer) {
            (
                Op::Erasing(
                    Contents::ZeroOnAlloc,
                    Erased::Alloc(_, order) | Erased::MagazineAlloc(order) | Erased::PerCpuAlloc(_, order),
                ),
                Answer::Alloc(Ok(pfn)),
            ) => vec![(pfn.get(), 1 << order)],
            (Op::Erasing(Contents::ZeroOnAlloc, Erased::AllocBulk(_, order, _)), Answer::AllocBulk(Ok(n), out)) => {
                out[..n].iter().map(|pfn| (pfn.get(), 1 << order)).collect()
            }
            (Op::Erasing(Contents::ScrubOnPut, put), _) => match put {
                Erased::PutN(by, pfn, n) => last(self, by, pfn, n),
                Erased::MagazinePut(pfn, order) | Erased::PerCpuPut(_, pfn, order) => {
                    let right = order.is_none_or(|order| self.find(pfn, None).is_ok_and(|block| block.order == order));
                    if right { last(self, None, pfn, 1) } else { vec![] }
                }
                Erased::PutBulk(by, pfns, n) => {
                    let mut model = self.clone();
                    let mut cleared = vec![];
                    for &pfn in &pfns[..n] {
                        cleared.extend(last(&model, by, pfn, 1));
                        if model.put(by, pfn, 1).is_err() {
                            break;
                        }
                    }
                    cleared
                }
                _ => vec![],
            },
            _ => vec![],
        }
    }
}
