//! Markdown cells into HTML: GitHub's Markdown, formulas, code in colours, attachments, headings for the contents.
//!
//! Raw HTML of the author passes through the same cleaning as foreign output.

use comrak::nodes::{AlertType, AstNode, NodeHtmlBlock, NodeValue};
use comrak::options::Options;
use comrak::{Anchorizer, Arena, format_html, parse_document};
use loopbot_notebook::Cell;

use crate::clean::{self, Ids};
use crate::escape::escape;
use crate::labels::Labels;
use crate::pictures::Pictures;
use crate::{highlight, math};

/// A heading of the page, for its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// What all Markdown cells of a page share.
pub(crate) struct Markdown<'a> {
    pub(crate) headings: Vec<Heading>,
    /// Something that runs a script was left out of the author's HTML.
    pub(crate) had_script: bool,
    anchors: Anchorizer,
    pictures: Pictures<'a>,
    options: Settings<'a>,
}

/// How a page wants its Markdown.
pub(crate) struct Settings<'a> {
    /// Links to notebooks become links to their pages.
    pub(crate) link_pages: bool,
    pub(crate) labels: &'a Labels,
    /// Ids that the page itself uses.
    pub(crate) reserved: &'a [&'a str],
}

impl<'a> Markdown<'a> {
    pub(crate) fn new(pictures: Pictures<'a>, options: Settings<'a>) -> Markdown<'a> {
        let mut anchors = Anchorizer::new();
        for id in options.reserved {
            anchors.anchorize(id);
        }
        Markdown {
            headings: Vec::new(),
            had_script: false,
            anchors,
            pictures,
            options,
        }
    }

    /// The HTML of a text. `cell` gives the attachments; `container` is the id of the element it will stand in. With
    /// `without_title`, a heading of the first level is left out: it stands in the page's head.
    pub(crate) fn html(
        &mut self,
        text: &str,
        cell: Option<&Cell>,
        container: &str,
        without_title: bool,
    ) -> String {
        let options = options();
        let arena = Arena::new();
        let root = parse_document(&arena, text, &options);
        if without_title {
            let title = root.children().find(|node| is_title(node));
            title.into_iter().for_each(|node| node.detach());
        }
        let nodes: Vec<_> = root.descendants().collect();
        for node in &nodes {
            self.rework(&arena, node, cell);
        }
        // Last, because a heading is written with what it holds.
        for node in nodes {
            self.heading(node, &options);
        }
        let cleaned = clean::clean(
            &written(root, &options),
            container,
            Ids::Keep {
                footnotes: &format!("{container}-"),
            },
        );
        self.had_script |= cleaned.had_script;
        cleaned.html
    }

    fn rework<'n>(&mut self, arena: &'n Arena<'n>, node: &'n AstNode<'n>, cell: Option<&Cell>) {
        let value = node.data().value.clone();
        let new = match value {
            NodeValue::CodeBlock(block) => {
                let language = block.info.split([',', ' ', '{']).next().unwrap_or_default();
                html_block(code_block(&block.literal, language))
            }
            NodeValue::Math(formula) => {
                NodeValue::HtmlInline(math::mathml(&formula.literal, formula.display_math))
            }
            NodeValue::Table(_) => {
                // A wide table scrolls by itself, not the page.
                let part = |html: &str| arena.alloc(AstNode::from(html_block(html.to_owned())));
                node.insert_before(part("<div class=\"scroll\">"));
                node.insert_after(part("</div>"));
                return;
            }
            NodeValue::Image(link) => {
                let alt = node.collect_text();
                let html = self.pictures.html(&link.url, &alt, &link.title, cell);
                for child in node.children().collect::<Vec<_>>() {
                    child.detach();
                }
                NodeValue::HtmlInline(html)
            }
            NodeValue::Alert(mut alert) => {
                let [note, tip, important, warning, caution] = self.options.labels.alerts;
                alert.title.get_or_insert_with(|| {
                    let title = match alert.alert_type {
                        AlertType::Note => note,
                        AlertType::Tip => tip,
                        AlertType::Important => important,
                        AlertType::Warning => warning,
                        AlertType::Caution => caution,
                    };
                    title.to_owned()
                });
                NodeValue::Alert(alert)
            }
            NodeValue::Link(mut link) => {
                if self.options.link_pages
                    && let Some(page) = page_of(&link.url)
                {
                    link.url = page;
                }
                NodeValue::Link(link)
            }
            _ => return,
        };
        node.data_mut().value = new;
    }

    fn heading<'n>(&mut self, node: &'n AstNode<'n>, options: &Options<'_>) {
        let NodeValue::Heading(heading) = node.data().value.clone() else {
            return;
        };
        // The page has one heading of the first level, its title.
        let level = heading.level.max(2);
        let text = plain_text(node);
        let id = self.anchors.anchorize(&text);
        node.data_mut().value = NodeValue::Paragraph;
        let inside = written(node, options);
        let inside = inside.trim().trim_start_matches("<p>");
        let inside = inside.trim_end_matches("</p>");
        let (id_html, label) = (escape(&id), escape(self.options.labels.section_link));
        let html = format!(
            "<h{level} id=\"{id_html}\">{inside} <a class=\"anchor\" href=\"#{id_html}\" \
             aria-label=\"{label}: {}\">#</a></h{level}>\n",
            escape(&text)
        );
        for child in node.children().collect::<Vec<_>>() {
            child.detach();
        }
        node.data_mut().value = html_block(html);
        self.headings.push(Heading { level, id, text });
    }
}

/// The text of a heading, formulas as they were typed.
fn plain_text<'n>(node: &'n AstNode<'n>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(own) => text.push_str(own),
            NodeValue::Code(own) => text.push_str(&own.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// Whether a Markdown text opens with a heading of the first level, and which.
pub(crate) fn title(text: &str) -> Option<String> {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    root.children().find(|node| is_title(node)).map(plain_text)
}

fn is_title<'n>(node: &&'n AstNode<'n>) -> bool {
    matches!(&node.data().value, NodeValue::Heading(heading) if heading.level == 1)
}

/// A block of code that stands in a text.
fn code_block(code: &str, language: &str) -> String {
    let code = code.trim_end_matches('\n');
    let html = highlight::html(code, language);
    format!("<pre class=\"code\" dir=\"ltr\"><code>{html}</code></pre>\n")
}

/// The page of a notebook: `s05.ipynb#next` is shown by `s05.html#next`. Addresses of the web stay.
pub(crate) fn page_of(address: &str) -> Option<String> {
    if address.contains("://") {
        return None;
    }
    let (file, place) = match address.find(['#', '?']) {
        Some(at) => address.split_at(at),
        None => (address, ""),
    };
    let name = file.strip_suffix(".ipynb")?;
    Some(format!("{name}.html{place}"))
}

/// The addresses of all pictures in a text, in order.
pub(crate) fn picture_addresses(text: &str) -> Vec<String> {
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let pictures = root
        .descendants()
        .filter_map(|node| match &node.data().value {
            NodeValue::Image(link) => Some(link.url.clone()),
            _ => None,
        });
    pictures.collect()
}

fn html_block(literal: String) -> NodeValue {
    NodeValue::HtmlBlock(NodeHtmlBlock {
        block_type: 6,
        literal,
    })
}

fn written<'n>(node: &'n AstNode<'n>, options: &Options<'_>) -> String {
    let mut html = String::new();
    // Writing to a string does not fail.
    let _ = format_html(node, options, &mut html);
    html
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.strikethrough = true;
    extension.table = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    extension.math_dollars = true;
    // The author's own HTML passes; it is cleaned afterwards.
    options.render.r#unsafe = true;
    options
}
