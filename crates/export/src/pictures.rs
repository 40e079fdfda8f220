//! Pictures of a page. All of them are inside it, as SVG or as data; what is not at hand is named, never fetched.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use loopbot_notebook::Cell;

use crate::clean::{self, Ids};
use crate::escape::escape;
use crate::labels::Labels;

/// The files at hand, and a count that keeps the ids of inline pictures apart.
pub(crate) struct Pictures<'a> {
    files: &'a BTreeMap<String, Vec<u8>>,
    labels: &'a Labels,
    inline: usize,
}

impl<'a> Pictures<'a> {
    pub(crate) fn new(files: &'a BTreeMap<String, Vec<u8>>, labels: &'a Labels) -> Pictures<'a> {
        Pictures {
            files,
            labels,
            inline: 0,
        }
    }

    /// The HTML of the picture at `address` in a Markdown cell.
    pub(crate) fn html(
        &mut self,
        address: &str,
        alt: &str,
        title: &str,
        cell: Option<&Cell>,
    ) -> String {
        if let Some(name) = address.strip_prefix("attachment:") {
            let name = percent_decoded(name);
            return match cell.and_then(|cell| cell.attachment(&name)) {
                Some(("image/svg+xml", svg)) => self.svg(svg, alt),
                Some((mime, data)) => match data_address(mime, data) {
                    Some(address) => image(&address, alt, title),
                    None => self.missing(alt, &name),
                },
                None => self.missing(alt, &name),
            };
        }
        if address.starts_with("data:image/") {
            return image(address, alt, title);
        }
        let file = self.files.get(address);
        let file = file.or_else(|| self.files.get(&percent_decoded(address)));
        match (file, mime_of(address)) {
            (Some(bytes), Some("image/svg+xml")) => self.svg(&String::from_utf8_lossy(bytes), alt),
            (Some(bytes), Some(mime)) => {
                let address = format!("data:{mime};base64,{}", STANDARD.encode(bytes));
                image(&address, alt, title)
            }
            _ => self.missing(alt, address),
        }
    }

    /// An SVG picture inside the text: its letters can be selected, and it follows the page's colours.
    fn svg(&mut self, svg: &str, alt: &str) -> String {
        self.inline += 1;
        let id = format!("lb-figure-{}", self.inline);
        let cleaned = clean::clean(svg, &id, Ids::Prefix(&format!("{id}-")));
        let role = match alt.is_empty() {
            true => String::new(),
            false => format!(" role=\"img\" aria-label=\"{}\"", escape(alt)),
        };
        let class = svg_class(&cleaned.html);
        format!(
            "<span id=\"{id}\" class=\"figure {class}\"{role}>{}</span>",
            cleaned.html
        )
    }

    fn missing(&self, alt: &str, address: &str) -> String {
        let text = self.labels.picture_missing;
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        let address = match is_web {
            true => format!("<a href=\"{0}\">{0}</a>", escape(address)),
            false => format!("<code>{}</code>", escape(address)),
        };
        let alt = escape(alt);
        format!("<span class=\"missing\">{alt} ({text} {address})</span>")
    }
}

/// How a picture takes the dark scheme: one that names no colours of the page's stands on a light card.
pub(crate) fn svg_class(svg: &str) -> &'static str {
    let adapts = svg.contains("currentColor") || svg.contains("var(--");
    if adapts { "adapts" } else { "card" }
}

/// `data:` address of a base64 picture of a notebook; `None` when it is not what it says.
pub(crate) fn data_address(mime: &str, base64: &str) -> Option<String> {
    let known = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
    ];
    let base64: String = base64.chars().filter(|c| !c.is_whitespace()).collect();
    let is_whole = STANDARD
        .decode(&base64)
        .is_ok_and(|bytes| !bytes.is_empty());
    (known.contains(&mime) && is_whole).then(|| format!("data:{mime};base64,{base64}"))
}

fn image(address: &str, alt: &str, title: &str) -> String {
    let title = match title.is_empty() {
        true => String::new(),
        false => format!(" title=\"{}\"", escape(title)),
    };
    format!(
        "<img src=\"{}\" alt=\"{}\"{title}>",
        escape(address),
        escape(alt)
    )
}

fn mime_of(address: &str) -> Option<&'static str> {
    let file = address.split(['?', '#']).next()?;
    let (_, ending) = file.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        _ => return None,
    })
}

/// `%20` and the like read; what is no such code stays.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}
