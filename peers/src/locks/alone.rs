//! One core, nobody else.

use std::hint::black_box;
use std::time::{Duration, Instant};

use core_affinity::CoreId;

use super::together::OwnLines;
use super::who::Lock;
use crate::measure::pin;
use crate::statistics::median;

/// Sections between two looks at the clock.
const CHUNK: u32 = 4096;

/// Nanoseconds for acquiring, counting and releasing: the median of chunks.
pub(super) fn alone<L: Lock>(core: Option<CoreId>, slice: Duration) -> Option<f64> {
    std::thread::scope(|scope| {
        let measured = scope.spawn(move || {
            if let Some(core) = core {
                let _ = pin(core); // where it is refused, the figures tell
            }
            let OwnLines(lock) = &OwnLines(L::new());
            let (start, mut chunks) = (Instant::now(), vec![]);
            while start.elapsed() < slice {
                let before = Instant::now();
                for _ in 0..CHUNK {
                    black_box(lock).with(|data| *data += 1);
                }
                chunks.push(before.elapsed().as_nanos() as f64 / f64::from(CHUNK));
            }
            median(&chunks)
        });
        measured.join().ok().flatten()
    })
}
