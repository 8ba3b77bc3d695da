//! Sequences of a load-exclusive and its store-exclusive, which nobody can step through: taking an exception clears the
//! monitor, the store fails, and the loop around them never ends. A debugger runs them through, from before the load to
//! a breakpoint at every way out (GDB's `aarch64_software_single_step` does); so do we.
//!
//! ```text
//!   at ──►  ldaxr  w8, [x0]      the sequence: from here …
//!           cbnz   w8, 9f        a branch out of it: an exit
//!           stxr   w9, w1, [x0]  … to here, `len` instructions further on
//!   exit ─► cbnz   w9, at        what follows the store: an exit
//! ```
//!
//! A load-exclusive whose store does not follow soon, as in a wait by `WFE`, is no sequence: it may be stepped.

/// Instructions after the load among which its store is looked for. GDB's number.
const REACH: usize = 16;

/// As many ways out as are followed: two branches and the end. Two breakpoints are what every core has, four what is needed
/// with one inside.
const EXITS: usize = 3;

/// A load-exclusive, its store-exclusive, and what is between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sequence {
    /// Instructions from the load to the store: 1 if nothing is between.
    pub len: usize,
    exits: [usize; EXITS],
    count: usize,
}

impl Sequence {
    /// The sequence that begins with the instruction at `at`, if one does; `fetch` reads the instruction at an address.
    #[must_use]
    pub fn at(at: usize, fetch: impl Fn(usize) -> u32) -> Option<Self> {
        if !is_load_exclusive(fetch(at)) {
            return None;
        }
        let len = (1..=REACH).find_map(|len| match fetch(at + 4 * len) {
            word if is_store_exclusive(word) => Some(Some(len)),
            // Where the way goes only elsewhere, or another sequence begins, the store would be another's.
            word if is_load_exclusive(word) || is_unconditional_branch(word) => Some(None),
            _ => None,
        })??;
        let mut sequence = Self { len, exits: [0; EXITS], count: 0 };
        let store = at + 4 * len;
        sequence.add_exit(store + 4)?;
        for from in (at + 4..store).step_by(4) {
            match conditional_target(fetch(from), from) {
                Some(target) if !(at + 4..=store).contains(&target) => sequence.add_exit(target)?,
                _ => {}
            }
        }
        Some(sequence)
    }

    /// Where whoever runs it may come out.
    #[must_use]
    pub fn exits(&self) -> &[usize] {
        &self.exits[..self.count]
    }

    /// `None` if it has more of them than there is room for.
    fn add_exit(&mut self, exit: usize) -> Option<()> {
        if !self.exits().contains(&exit) {
            *self.exits.get_mut(self.count)? = exit;
            self.count += 1;
        }
        Some(())
    }
}

/// Whether what comes after the instruction `word` need not be the one behind it.
#[must_use]
pub fn is_branch(word: u32) -> bool {
    is_unconditional_branch(word) || conditional_target(word, 0).is_some()
}

// The encodings: Arm ARM, DDI 0487, C4.1, "Loads and Stores" and "Branches, Exception Generating and System instructions".
// Pairs (LDXP, STXP) are left out: nothing here uses them.

/// `LDXR`, `LDAXR`, of any size: o2 = 0, L = 1, o1 = 0.
fn is_load_exclusive(word: u32) -> bool {
    word & 0x3fe0_0000 == 0x0840_0000
}

/// `STXR`, `STLXR`, of any size: o2 = 0, L = 0, o1 = 0.
fn is_store_exclusive(word: u32) -> bool {
    word & 0x3fe0_0000 == 0x0800_0000
}

/// `B`, `BL`; `BR`, `BLR`, `RET` and their kin.
fn is_unconditional_branch(word: u32) -> bool {
    word & 0x7c00_0000 == 0x1400_0000 || word & 0xfe00_0000 == 0xd600_0000
}

/// Where `B.cond`, `CBZ`, `CBNZ`, `TBZ` or `TBNZ` at address `from` may go.
fn conditional_target(word: u32, from: usize) -> Option<usize> {
    let bits = if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 {
        19
    } else if word & 0x7e00_0000 == 0x3600_0000 {
        14
    } else {
        return None;
    };
    let words = (word as i32) << (32 - 5 - bits) >> (32 - bits); // from bit 5, signed
    Some(from.wrapping_add_signed(4 * words as isize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: usize = 0x4020_0000;
    const LDAXR: u32 = 0x885f_fc08; // ldaxr w8, [x0]
    const LDAXRB: u32 = 0x085f_fc08; // ldaxrb w8, [x0]
    const STXR: u32 = 0x8809_7c01; // stxr w9, w1, [x0]
    const STLXR_X: u32 = 0xc809_fc01; // stlxr w9, x1, [x0]
    const CMP: u32 = 0x6b02_011f; // cmp w8, w2
    const CBNZ_BACK: u32 = 0x35ff_ffa9; // cbnz w9, . - 12
    const CASA: u32 = 0x88e8_7c01; // casa w8, w1, [x0]
    const RET: u32 = 0xd65f_03c0;

    fn sequence(code: &[u32]) -> Option<Sequence> {
        Sequence::at(AT, |at| code.get((at - AT) / 4).copied().unwrap_or(RET))
    }

    #[test]
    fn a_read_modify_write() {
        let found = sequence(&[LDAXR, CMP, STXR, CBNZ_BACK]).unwrap();
        assert_eq!((found.len, found.exits()), (2, &[AT + 12][..]));
        assert_eq!(sequence(&[LDAXRB, STLXR_X]).unwrap().len, 1);
    }

    #[test]
    fn a_compare_exchange() {
        let out = 0x5400_0061; // b.ne . + 12
        let found = sequence(&[LDAXR, CMP, out, STXR, CBNZ_BACK]).unwrap();
        assert_eq!((found.len, found.exits()), (3, &[AT + 16, AT + 20][..]));
        let within = 0x5400_0041; // b.ne . + 8, to the store
        assert_eq!(sequence(&[LDAXR, within, CMP, STXR]).unwrap().exits(), [AT + 16]);
        let again = 0x35ff_ffe8; // cbnz w8, . - 4, to the load
        assert_eq!(sequence(&[LDAXR, again, STXR]).unwrap().exits(), [AT + 12, AT]);
    }

    #[test]
    fn none_where_there_is_none() {
        assert_eq!(sequence(&[CMP, STXR]), None);
        assert_eq!(sequence(&[CASA, STXR]), None);
        assert_eq!(sequence(&[LDAXR, RET, STXR]), None);
        assert_eq!(sequence(&[LDAXR, 0x5400_0060, LDAXR, STXR]), None, "a wait, and then a read-modify-write");
        assert_eq!(sequence(&[LDAXR; 40]), None);
    }

    #[test]
    fn branches() {
        let blr = 0xd63f_0100;
        for word in [RET, blr, CBNZ_BACK, 0x1400_0001, 0x9400_0001, 0x3607_ff80, 0x5400_0061] {
            assert!(is_branch(word), "{word:#x}");
        }
        for word in [LDAXR, STXR, CMP, CASA, 0xd503_205f, 0xd53b_4208] {
            assert!(!is_branch(word), "{word:#x}");
        }
        assert_eq!(conditional_target(CBNZ_BACK, 100), Some(88));
        assert_eq!(conditional_target(0x3607_ff80, 100), Some(84)); // tbz w0, #0, . - 16
    }
}
