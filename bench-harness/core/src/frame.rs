//! Lines that a board sends, so that what is lost or damaged on the way is noticed.
//!
//! ```text
//!  @pass {"scenario":{…},…} ~17:5a0c33e1
//!  │     │                   │  └ CRC-32 (ISO-HDLC, as in zip) of the tag, a space, the JSON, and the number as text
//!  │     │                   └ number of the line, from 0; the next one of the board has the next number
//!  │     └ one JSON value, without a line's end in it
//!  └ what it is
//! ```
//!
//! Anything else may be on the console, between these lines, and before and after one in its line.

use crc::{CRC_32_ISO_HDLC, Crc};

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The version of what the lines say; the board tells it in its first one.
pub const PROTOCOL: u32 = 1;

/// The check of a line.
#[must_use]
pub fn check(tag: &str, json: &str, number: u32) -> u32 {
    let mut digest = CRC.digest();
    digest.update(tag.as_bytes());
    digest.update(b" ");
    digest.update(json.as_bytes());
    // As text, without a heap: the last digit is the last one.
    let mut text = [0; 10];
    let mut at = text.len();
    let mut left = number;
    loop {
        at -= 1;
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    digest.update(&text[at..]);
    digest.finalize()
}

/// A line, taken apart, whose check is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'l> {
    /// What it is.
    pub tag: &'l str,
    /// What it says.
    pub json: &'l str,
    /// Its number.
    pub number: u32,
}

/// The frames in `line`, wherever they begin: more than one, if the end of a line was lost. `Err`: something in it begins
/// like a frame, and is none.
pub fn frames(line: &str) -> Frames<'_> {
    Frames { left: line }
}

/// See [`frames`].
#[derive(Clone, Debug)]
pub struct Frames<'l> {
    left: &'l str,
}

impl<'l> Iterator for Frames<'l> {
    type Item = Result<Frame<'l>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.left.find('@')?;
            let rest = &self.left[start + 1..];
            self.left = rest;
            let tag = &rest[..rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len())];
            if tag.is_empty() {
                continue;
            }
            let mut ends = rest.match_indices(" ~").map(|(at, _)| at);
            if let Some((frame, length)) = ends.find_map(|at| frame(rest, tag, at)) {
                self.left = &rest[length..];
                return Some(Ok(frame));
            }
            if TAGS.contains(&tag) {
                return Some(Err(Damaged));
            }
        }
    }
}

/// What a frame can be.
const TAGS: [&str; 7] = ["ready", "plan", "clock", "transfer", "refused", "pass", "done"];

/// Something that begins like a frame, and is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged;

/// The frame at the start of `rest` whose JSON ends at `end`, and its length.
fn frame<'l>(rest: &'l str, tag: &'l str, end: usize) -> Option<(Frame<'l>, usize)> {
    let json = rest[..end].strip_prefix(tag)?.strip_prefix(' ')?;
    let number_at = end + " ~".len();
    let digits = rest[number_at..].find(':')?;
    let check_at = number_at + digits + 1;
    let number = rest[number_at..number_at + digits].parse().ok()?;
    let found = u32::from_str_radix(rest.get(check_at..check_at + 8)?, 16).ok()?;
    (found == check(tag, json, number)).then_some((Frame { tag, json, number }, check_at + 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn line(tag: &str, json: &str, number: u32) -> String {
        format!("@{tag} {json} ~{number}:{:08x}", check(tag, json, number))
    }

    fn all(line: &str) -> Vec<Result<Frame<'_>, Damaged>> {
        frames(line).collect()
    }

    #[test]
    fn a_frame_is_found_wherever_it_begins() {
        let good = line("pass", "{\"a@b\":\" ~1:\"}", 17);
        let frame = Frame { tag: "pass", json: "{\"a@b\":\" ~1:\"}", number: 17 };
        for text in [good.clone(), format!("[ 0.1] boot{good}"), format!("{good}[ 0.2] eth0"), format!("a@b {good}")] {
            assert_eq!(all(&text), [Ok(frame)], "{text}");
        }
    }

    #[test]
    fn a_line_whose_end_is_lost_costs_no_frame() {
        let [one, two] = [1, 2].map(|number| line("done", "{}", number));
        let [first, second] = [1, 2].map(|number| Ok(Frame { tag: "done", json: "{}", number }));
        assert_eq!(all(&format!("{one}{two}")), [first, second]);
        assert_eq!(
            all(&format!("{}{two}", &one[..9])),
            [Err(Damaged), second],
            "what is cut off hides nothing behind it"
        );
        assert_eq!(all(&format!("{one} @pass {{\"a\":")), [first, Err(Damaged)]);
    }

    #[test]
    fn every_damage_of_a_byte_is_noticed() {
        let good = line("clock", "{\"hz\":1}", 4_000_000_000);
        let finds = |text: &str| all(text).iter().any(Result::is_ok);
        for at in 0..good.len() {
            for byte in [b'0', b'@', b' ', b'~', b'x'] {
                let mut bytes = good.clone().into_bytes();
                if bytes[at] == byte {
                    continue;
                }
                bytes[at] = byte;
                let text = String::from_utf8(bytes).unwrap();
                assert!(!finds(&text), "{text}");
            }
            let cut = format!("{}{}", &good[..at], &good[at + 1..]);
            assert!(!finds(&cut), "{cut}");
        }
        assert_eq!(all(&good[..good.len() - 3]), [Err(Damaged)], "the end is missing");
        assert_eq!(all("@pass {\"hz\":1}"), [Err(Damaged)]);
    }

    #[test]
    fn other_text_is_no_frame() {
        for text in
            ["", "# hello", "root@board:~$ ", "user@host is here", "panic on core 3: done", "@ ~1:", "a@b ~1:\u{e9}"]
        {
            assert_eq!(all(text), [], "{text}");
        }
    }

    #[test]
    fn the_check_is_that_of_zip() {
        // CRC-32 of "a b1", as zlib has it.
        assert_eq!(check("a", "b", 1), 0x9c86_0085);
    }
}
