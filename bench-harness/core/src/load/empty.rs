//! `empty`: no pool and no lock. What is left is the loop itself, the floor under every other figure.

use core::hint::black_box;

use super::{Load, Place};
use crate::pages::{Ops, Refused};

pub(crate) struct Empty(u64);

impl Load for Empty {
    fn begin(_: &mut dyn Ops, _: Place) -> Result<Self, Refused> {
        Ok(Self(0))
    }

    #[inline]
    fn step(&mut self, _: &mut dyn Ops) -> Result<(), Refused> {
        self.0 = black_box(self.0 + 1);
        Ok(())
    }
}
