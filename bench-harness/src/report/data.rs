//! The figures of a plot as a table beneath it, folded away: for who cannot see the plot, or wants the numbers.
//! Cells and rows end where the next one begins, as HTML lets them.

use std::fmt::Write as _;

use super::text::escape;

/// A table with this `head`; the first `left` columns are of words. `title` is that of the plot.
pub(super) fn data(title: &str, head: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut html = format!(
        "<details class=\"data\"><summary>Data</summary>\n<div class=\"wide\" role=\"region\" aria-label=\"Data: {}\" \
         tabindex=\"0\">\n<table class=\"l{left}\"><thead><tr>",
        escape(title)
    );
    for name in head {
        let _ = write!(html, "<th scope=\"col\">{}", escape(name));
    }
    html.push_str("</thead>\n<tbody>\n");
    for row in rows {
        let cells = row.iter().map(|text| format!("<td>{}", escape(text)));
        let _ = writeln!(html, "<tr>{}", cells.collect::<String>());
    }
    html + "</tbody></table></div></details>\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_is_escaped_and_its_numbers_are_on_the_right() {
        let html = super::data("a \"plot\"", &["lock", "ns <op>"], 1, [vec!["mcs".into(), "1 & 2".into()]]);
        assert!(html.contains("<table class=\"l1\">") && html.contains("<th scope=\"col\">ns &lt;op&gt;"), "{html}");
        assert!(html.contains("<tr><td>mcs<td>1 &amp; 2\n"), "{html}");
        assert!(html.contains("aria-label=\"Data: a &quot;plot&quot;\""), "{html}");
    }
}
