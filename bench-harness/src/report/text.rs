//! Words and numbers of the page.

use crate::summary::{Run, Spread};

/// `text` as HTML shows it, in an element or between the quotes of an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // Of the control characters, HTML has these.
            letter if letter.is_control() && !matches!(letter, '\n' | '\t') => html.push('\u{fffd}'),
            letter => html.push(letter),
        }
    }
    html
}

/// With three digits that say something, as `57.3`, `4.08`, `1234`.
pub(super) fn digits(number: f64) -> String {
    let decimals = match number.abs() {
        small if small < 9.995 => 2,
        middle if middle < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    // What is rounded to nothing is not below it.
    if text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) { text.trim_start_matches('-').into() } else { text }
}

/// A time with its unit.
pub(super) fn time(ns: f64) -> String {
    in_unit(ns, digits)
}

fn in_unit(ns: f64, format: fn(f64) -> String) -> String {
    match ns {
        _ if ns.abs() < 999.5 => format(ns) + " ns",
        _ if ns < 999.5e3 => format(ns / 1e3) + " µs",
        _ if ns < 999.5e6 => format(ns / 1e6) + " ms",
        _ => format(ns / 1e9) + " s",
    }
}

/// A number at an axis, or one that is whole anyway: without decimals that say nothing.
pub(super) fn trimmed(number: f64) -> String {
    let text = digits(number);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// The same of a time.
pub(super) fn trimmed_time(ns: f64) -> String {
    in_unit(ns, trimmed)
}

/// The median, and the smallest and the largest in brackets, each through `format`.
pub(super) fn spread(spread: &Spread, format: impl Fn(f64) -> String) -> String {
    format!("{} ({}–{})", format(spread.median), format(spread.low), format(spread.high))
}

/// A part of one, in percent.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// An index or a ratio.
pub(super) fn thousandths(number: f64) -> String {
    format!("{number:.3}")
}

/// `title` of a plot or a table: one that is copied out of its page still says what it is of.
pub(super) fn labelled(run: &Run, title: &str) -> String {
    if run.header.emulated { format!("{title} [EMULATED]") } else { title.into() }
}

/// How many cores, in words.
pub(super) fn cores(number: u16) -> String {
    if number == 1 { "1 core".into() } else { format!("{number} cores") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        for (ns, says) in [
            (0.0, "0.00 ns"),
            (9.999, "10.0 ns"),
            (57.25, "57.2 ns"),
            (999.6, "1.00 µs"),
            (1.5e6, "1.50 ms"),
            (2e10, "20.0 s"),
        ] {
            assert_eq!(time(ns), says);
        }
        assert_eq!([digits(-0.001), digits(-0.05)], ["0.00", "-0.05"]);
        assert_eq!(trimmed_time(1000.0), "1 µs");
        assert_eq!(trimmed_time(100.0), "100 ns");
        assert_eq!(trimmed_time(1500.0), "1.5 µs");
    }

    #[test]
    fn nothing_that_is_written_is_a_tag() {
        assert_eq!(
            escape("<a href=\"x\" id='y'>&\u{1b}\n"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;\u{fffd}\n"
        );
    }
}
