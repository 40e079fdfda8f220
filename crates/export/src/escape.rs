//! Text into HTML text and attribute values. Everything that is not markup of our own goes through here.

/// Appends `text` with the five special characters escaped; control characters that HTML forbids are left out.
pub(crate) fn push(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => {}
            c => html.push(c),
        }
    }
}

/// `text` escaped, for text and for quoted attribute values.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    push(&mut html, text);
    html
}
