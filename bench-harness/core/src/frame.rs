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

/// The frame in `line`, wherever it begins. `Err`: something in it begins like a frame, and is none.
///
/// # Errors
///
/// [`Damaged`].
pub fn find(line: &str) -> Result<Option<Frame<'_>>, Damaged> {
    let mut damaged = false;
    for (at, _) in line.match_indices('@') {
        let rest = &line[at + 1..];
        if let Some(frame) = frame(rest) {
            return Ok(Some(frame));
        }
        let word = rest.split([' ', '{']).next().unwrap_or("");
        damaged |= TAGS.contains(&word) || rest.contains(" ~");
    }
    if damaged { Err(Damaged) } else { Ok(None) }
}

/// What a frame can be.
const TAGS: [&str; 7] = ["ready", "plan", "clock", "transfer", "refused", "pass", "done"];

/// A line that begins like a frame, and is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged;

fn frame(rest: &str) -> Option<Frame<'_>> {
    let (body, end) = rest.rsplit_once(" ~")?;
    let (tag, json) = body.split_once(' ')?;
    let (number, check_and_more) = end.split_once(':')?;
    let number = number.parse().ok()?;
    let found = u32::from_str_radix(check_and_more.get(..8)?, 16).ok()?;
    (found == check(tag, json, number)).then_some(Frame { tag, json, number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    fn line(tag: &str, json: &str, number: u32) -> String {
        format!("@{tag} {json} ~{number}:{:08x}", check(tag, json, number))
    }

    #[test]
    fn a_line_is_found_wherever_it_begins() {
        let good = line("pass", "{\"a@b\":\" ~1:\"}", 17);
        let frame = Frame { tag: "pass", json: "{\"a@b\":\" ~1:\"}", number: 17 };
        for text in [good.clone(), format!("[ 0.1] boot{good}"), format!("{good}[ 0.2] eth0"), format!("a@b {good}")] {
            assert_eq!(find(&text), Ok(Some(frame)), "{text}");
        }
    }

    #[test]
    fn every_damage_of_a_byte_is_noticed() {
        let good = line("clock", "{\"hz\":1}", 4_000_000_000);
        for at in 0..good.len() {
            for byte in [b'0', b'@', b' ', b'~', b'x'] {
                let mut bytes = good.clone().into_bytes();
                if bytes[at] == byte {
                    continue;
                }
                bytes[at] = byte;
                let text = String::from_utf8(bytes).unwrap();
                assert!(!matches!(find(&text), Ok(Some(_))), "{text}");
            }
            let cut = format!("{}{}", &good[..at], &good[at + 1..]);
            assert!(!matches!(find(&cut), Ok(Some(_))), "{cut}");
        }
        assert_eq!(find(&good[..good.len() - 3]), Err(Damaged), "the end is missing");
        assert_eq!(find("@pass {\"hz\":1}"), Err(Damaged));
    }

    #[test]
    fn other_text_is_no_frame() {
        for text in ["", "# hello", "root@board:~$ ", "user@host is here", "panic on core 3: done"] {
            assert_eq!(find(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn the_check_is_that_of_zip() {
        // CRC-32 of "a b1", as zlib has it.
        assert_eq!(check("a", "b", 1), 0x9c86_0085);
    }
}
