//! Foreign HTML and SVG, made safe to stand inside a page: read as a browser reads it, then written anew from a list of
//! what is allowed. It cannot open what it does not close, run anything, fetch anything or take another's id.
//!
//! The tree is walked without recursion, because it may be as deep as its author likes.

use std::collections::HashSet;

use scraper::node::Element;
use scraper::{Html, Node};

use crate::escape;
use crate::{allowed, css};

const HTML_NS: &str = "http://www.w3.org/1999/xhtml";
const SVG_NS: &str = "http://www.w3.org/2000/svg";
const MATH_NS: &str = "http://www.w3.org/1998/Math/MathML";

/// How ids of the fragment are kept from colliding with others of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ids<'a> {
    /// Every id gets this prefix, and so does every reference to it.
    Prefix(&'a str),
    /// Ids stay, because links of the text go to them; only those of footnotes, which every cell counts anew, get this
    /// prefix.
    Keep { footnotes: &'a str },
}

/// What came out of a fragment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// Balanced and harmless HTML.
    pub(crate) html: String,
    /// A script was left out, or an attribute that runs one.
    pub(crate) had_script: bool,
    /// Something else was left out that a reader would have seen: a frame, a picture from another place.
    pub(crate) had_other: bool,
    /// Whether anything that can be seen is left.
    pub(crate) is_visible: bool,
}

/// Cleans a fragment. `container` is the id of the element it will stand in; its style sheets reach no further.
pub(crate) fn clean(fragment: &str, container: &str, ids: Ids<'_>) -> Cleaned {
    let tree = Html::parse_fragment(fragment).tree;
    let elements = tree.values().filter_map(Node::as_element);
    let own = elements
        .filter_map(|element| element.attr("id"))
        .map(str::to_owned);
    let mut cleaner = Cleaner {
        own: own.collect(),
        ids,
        container,
        out: Cleaned::default(),
        open: Vec::new(),
    };
    let mut skipped = None;
    for edge in tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => {
                if skipped.is_some() {
                    continue;
                }
                let goes_on = match node.value() {
                    Node::Text(text) => {
                        cleaner.text(text);
                        true
                    }
                    Node::Element(element) => {
                        let is_style = element.name() == "style";
                        let text = || {
                            node.children()
                                .filter_map(|c| Some(&**c.value().as_text()?))
                        };
                        if is_style {
                            cleaner.style_sheet(&text().collect::<String>());
                            false
                        } else {
                            cleaner.element(element)
                        }
                    }
                    _ => true,
                };
                if !goes_on {
                    skipped = Some(node.id());
                }
            }
            ego_tree::iter::Edge::Close(node) => {
                if skipped == Some(node.id()) {
                    skipped = None;
                } else if skipped.is_none() && node.value().is_element() {
                    cleaner.close();
                }
            }
        }
    }
    cleaner.out
}

struct Cleaner<'a> {
    /// The fragment's own ids.
    own: HashSet<String>,
    ids: Ids<'a>,
    container: &'a str,
    out: Cleaned,
    /// The elements that are open in the tree: namespace and name, and whether they were written.
    open: Vec<Open>,
}

struct Open {
    space: Space,
    /// `None` for an element that is left out while its content stays.
    written: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Html,
    Svg,
    Math,
}

impl Cleaner<'_> {
    fn text(&mut self, text: &str) {
        self.out.is_visible |= !text.trim().is_empty();
        escape::push(&mut self.out.html, text);
    }

    /// Writes the start tag, or leaves the element out. False when its content goes, too.
    fn element(&mut self, element: &Element) -> bool {
        let name = element.name();
        let around = self.open.last().map_or(Space::Html, |open| open.space);
        let (space, allowed) = match &*element.name.ns {
            HTML_NS => (Space::Html, allowed::HTML),
            SVG_NS => (Space::Svg, allowed::SVG),
            MATH_NS => (Space::Math, allowed::MATH),
            _ => return false,
        };
        self.out.had_script |= name == "script";
        self.out.had_other |= matches!(
            name,
            "iframe" | "object" | "embed" | "video" | "audio" | "canvas" | "foreignObject"
        );
        // HTML inside a picture or a formula reads differently when it is read again; that is how cleaners are fooled.
        if around != Space::Html && space != around {
            return false;
        }
        if space == Space::Html && allowed::WITH_CONTENT.contains(&name) {
            return false;
        }
        if !allowed.contains(&name) {
            // An unknown element of HTML is a wrapper around text; an unknown part of a picture is not.
            if space == Space::Html {
                self.open.push(Open {
                    space,
                    written: None,
                });
            }
            return space == Space::Html;
        }
        let Some(attributes) = self.attributes(element, space) else {
            return false;
        };
        self.out.is_visible |= matches!(name, "svg" | "img" | "math" | "hr" | "progress" | "meter");
        let is_void = space == Space::Html && allowed::VOID.contains(&name);
        self.out.html.push_str(&format!("<{name}{attributes}>"));
        self.open.push(Open {
            space,
            written: (!is_void).then(|| name.to_owned()),
        });
        true
    }

    fn close(&mut self) {
        if let Some(Open {
            written: Some(name),
            ..
        }) = self.open.pop()
        {
            self.out.html.push_str(&format!("</{name}>"));
        }
    }

    fn style_sheet(&mut self, text: &str) {
        if self.open.iter().any(|open| open.space == Space::Math) {
            return;
        }
        let sheet = css::sheet(text, self.container, &self.own, |id| self.renamed(id));
        match sheet {
            Some(sheet) => self.out.html.push_str(&format!("<style>{sheet}</style>")),
            None => self.out.had_other = true,
        }
    }

    /// The attributes that stay; `None` when the element is nothing without those that do not.
    fn attributes(&mut self, element: &Element, space: Space) -> Option<String> {
        let name = element.name();
        let mut html = String::new();
        let is_checkbox = element.attr("type") == Some("checkbox");
        if name == "input" && !is_checkbox {
            return None;
        }
        for (attribute, value) in &element.attrs {
            let key = &*attribute.local;
            let small = key.to_ascii_lowercase();
            if small.starts_with("on") {
                self.out.had_script = true;
                continue;
            }
            let value: Option<String> = match small.as_str() {
                "id" => Some(self.renamed(value)),
                "for" => None,
                "href" => self.address(name, space, value),
                "src" => match is_picture(value) {
                    true => Some(value.to_string()),
                    false => {
                        self.out.had_other = true;
                        return None;
                    }
                },
                "style" => css::declarations(value, &self.own, |id| self.renamed(id)),
                "attributename" if is_dangerous_target(value) => return None,
                list if allowed::ID_LISTS.contains(&list) => {
                    let ids = value.split_whitespace().map(|id| self.renamed(id));
                    Some(ids.collect::<Vec<_>>().join(" "))
                }
                aria if aria.starts_with("aria-") => Some(value.to_string()),
                _ if space == Space::Html => {
                    let is_allowed = allowed::HTML_ATTRIBUTES.contains(&small.as_str());
                    is_allowed.then(|| value.to_string())
                }
                "actiontype" | "xmlns" | "ping" | "formaction" | "action" => None,
                small if small.starts_with("data-") => None,
                // Paint of pictures and formulas: everything is allowed that would be allowed in a style.
                _ => css::declarations(value, &self.own, |id| self.renamed(id)),
            };
            let Some(value) = value else { continue };
            let prefix = match attribute.prefix.as_deref() {
                Some("xml") => "xml:",
                // `xlink:href` is the old spelling of `href`.
                Some("xlink") if small == "href" => "",
                Some(_) => continue,
                None => "",
            };
            if !key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            {
                continue;
            }
            let value = escape::escape(&value);
            html.push_str(&format!(" {prefix}{key}=\"{value}\""));
        }
        if name == "input" {
            // A box that only shows something: it cannot be ticked, and it is read aloud as what it shows.
            let is_ticked = element.attr("checked").is_some();
            let mark = if is_ticked { "☑" } else { "☐" };
            if element.attr("disabled").is_none() {
                html.push_str(" disabled=\"\"");
            }
            if element.attr("aria-label").is_none() {
                html.push_str(&format!(" aria-label=\"{mark}\""));
            }
        }
        Some(html)
    }

    fn address(&mut self, name: &str, space: Space, value: &str) -> Option<String> {
        let value = value.trim();
        if let Some(id) = value.strip_prefix('#') {
            return Some(format!("#{}", self.renamed(id)));
        }
        match (space, name) {
            (Space::Html | Space::Svg, "a") => match is_link(value) {
                true => Some(value.to_owned()),
                false => {
                    self.out.had_script = true;
                    None
                }
            },
            (Space::Svg, "image") if is_picture(value) => Some(value.to_owned()),
            _ => {
                self.out.had_other = true;
                None
            }
        }
    }

    fn renamed(&self, id: &str) -> String {
        let is_footnote = id.starts_with("fn-") || id.starts_with("fnref-");
        match self.ids {
            Ids::Prefix(prefix) if self.own.contains(id) => format!("{prefix}{id}"),
            Ids::Keep { footnotes } if is_footnote => format!("{footnotes}{id}"),
            _ => id.to_owned(),
        }
    }
}

/// Whether an address may be followed: the web, mail, another file, a place on this page.
fn is_link(address: &str) -> bool {
    // Browsers ignore control characters and blanks in a scheme.
    let plain: String = address
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect();
    match plain.split_once(':') {
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => {
            let scheme = scheme.to_ascii_lowercase();
            matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel")
        }
        _ => true,
    }
}

/// Whether an address holds its picture itself.
fn is_picture(address: &str) -> bool {
    let kinds = ["png", "jpeg", "gif", "webp", "svg+xml", "avif"];
    address
        .trim()
        .strip_prefix("data:image/")
        .is_some_and(|rest| {
            kinds.iter().any(|kind| {
                rest.strip_prefix(kind)
                    .is_some_and(|r| r.starts_with([';', ',']))
            })
        })
}

/// Whether an animation may not change this attribute, because links and handlers are attributes, too.
fn is_dangerous_target(attribute: &str) -> bool {
    let small = attribute.trim().to_ascii_lowercase();
    small.starts_with("on") || small.ends_with("href") || small == "style" || small == "id"
}

#[cfg(test)]
mod tests {
    use super::{Ids, clean};

    fn check(fragment: &str, expected: &str) {
        let out = clean(fragment, "o1", Ids::Prefix("o1-"));
        assert_eq!(out.html, expected, "{fragment}");
    }

    #[test]
    fn scripts_in_all_their_guises_are_left_out() {
        check("a<script>alert(1)</script>b", "ab");
        check("<img src=x onerror=alert(1)>", "");
        check("<b onclick=alert(1)>x</b>", "<b>x</b>");
        check("<a href=\"java\nscript:alert(1)\">x</a>", "<a>x</a>");
        check("<a href=\" JaVaScRiPt:alert(1)\">x</a>", "<a>x</a>");
        check("<a href=\"data:text/html,x\">x</a>", "<a>x</a>");
        check(
            "<svg onload=alert(1)><script>1</script></svg>",
            "<svg></svg>",
        );
        check(
            "<svg><a xlink:href=\"javascript:1\">x</a></svg>",
            "<svg><a>x</a></svg>",
        );
        check(
            "<svg><a><animate attributeName=href values=javascript:1 /></a></svg>",
            "<svg><a></a></svg>",
        );
        check("<iframe srcdoc=\"<script>1</script>\"></iframe>", "");
        check(
            "<math><mtext><table><mglyph><style><img src=x onerror=1>",
            "<math><mtext></mtext></math>",
        );
        check(
            "<svg></p><style><a id=\"</style><img src=1 onerror=1>\">",
            "<svg></svg><p></p>&quot;&gt;",
        );
        check(
            "<noscript><p title=\"</noscript><img src=x onerror=1>\">",
            "&quot;&gt;",
        );
        check(
            "<meta http-equiv=refresh content=0><base href=//x><link rel=stylesheet href=//x>",
            "",
        );
        assert!(clean("<script>1</script>", "o1", Ids::Prefix("p")).had_script);
    }

    #[test]
    fn nothing_is_left_open_and_nothing_closed_that_was_not_opened() {
        check("</div></section></main><b>x", "<b>x</b>");
        check(
            "<table><td>x",
            "<table><tbody><tr><td>x</td></tr></tbody></table>",
        );
        check("<!-- <b> -->x<!--", "x");
        check("<form><button>go</button></form>", "go");
    }

    #[test]
    fn nothing_is_fetched() {
        check("<img src=\"http://x/y.png\" alt=z>", "");
        check("<p style=\"background:url(http://x)\">x</p>", "<p>x</p>");
        check(
            "<svg><image href=\"http://x/y.png\"/></svg>",
            "<svg><image></image></svg>",
        );
        check(
            "<svg><use href=\"http://x/y.svg#z\"/></svg>",
            "<svg><use></use></svg>",
        );
        check(
            "<svg><rect fill=\"url(http://x/#a)\"/></svg>",
            "<svg><rect></rect></svg>",
        );
        check("<style>@import '//x'</style>x", "x");
        check(
            "<img src=\"data:image/png;base64,aGk=\" alt=\"\">",
            "<img src=\"data:image/png;base64,aGk=\" alt=\"\">",
        );
    }

    #[test]
    fn ids_are_kept_apart_with_all_references() {
        check(
            "<svg aria-labelledby=\"t u\" viewBox=\"0 0 1 1\"><title id=t>T</title>\
             <clipPath id=c></clipPath><g clip-path=\"url(#c)\"><use xlink:href=\"#c\"/></g></svg>\
             <a href=\"#top\">up</a>",
            "<svg aria-labelledby=\"o1-t u\" viewBox=\"0 0 1 1\"><title id=\"o1-t\">T</title>\
             <clipPath id=\"o1-c\"></clipPath><g clip-path=\"url(#o1-c)\"><use href=\"#o1-c\"></use></g></svg>\
             <a href=\"#top\">up</a>",
        );
        check(
            "<style>#c{fill:red}</style><b id=c>x</b>",
            "<style>#o1{#o1-c{fill:red}}</style><b id=\"o1-c\">x</b>",
        );
        let kept = clean(
            "<h2 id=a>x</h2><a href=\"#fn-1\">1</a>",
            "c",
            Ids::Keep { footnotes: "c1-" },
        );
        assert_eq!(kept.html, "<h2 id=\"a\">x</h2><a href=\"#c1-fn-1\">1</a>");
    }

    #[test]
    fn what_can_be_seen_is_told_apart_from_empty_wrappers() {
        let is_visible = |html| clean(html, "o", Ids::Prefix("p")).is_visible;
        assert!(!is_visible("<div id=plot></div><script>draw()</script>"));
        assert!(is_visible("<div>x</div>"));
        assert!(is_visible("<svg><rect/></svg>"));
    }

    #[test]
    fn a_tree_of_any_depth_is_cleaned() {
        let deep = "<div>".repeat(2_000) + "x";
        let out = clean(&deep, "o1", Ids::Prefix("p"));
        assert!(out.html.ends_with("</div>") && out.html.contains('x'));
    }

    /// What was cleaned must come out unchanged when it is read and cleaned again.
    #[test]
    fn cleaning_twice_changes_nothing() {
        let fragments = [
            "<p>a<p>b<table><p>c",
            "<svg><title><b>x</b></title><text>y &lt;b&gt;</text></svg>",
            "<math><mi>x</mi><mtext>&lt;img&gt;</mtext></math>",
            "<a title='\"><script>1</script>'>x</a>",
            "<details open><summary>s</summary>t</details>",
        ];
        for fragment in fragments {
            let once = clean(fragment, "o", Ids::Prefix(""));
            let twice = clean(&once.html, "o", Ids::Prefix(""));
            assert_eq!(once, twice);
        }
    }
}
