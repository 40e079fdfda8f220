//! The whole page: head, title, contents, cells, foot. Everything it needs is inside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use loopbot_notebook::{CellKind, Lesson, Notebook};
use sha2::{Digest, Sha256};

use crate::escape::escape;
use crate::labels::{self, Labels};
use crate::markdown::{self, Heading, Markdown, Settings};
use crate::pictures::Pictures;
use crate::{ExportError, Options, Theme, cells};

const TEMPLATE: &str = include_str!("../assets/page.html");
const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

/// Ids that the page itself uses.
const RESERVED: &[&str] = &["lb-text", "lb-title", "lb-theme"];

/// One page of a notebook, complete in itself: it makes no request and works from a file.
///
/// ```
/// use loopbot_export::{Options, page};
/// use loopbot_notebook::{Cell, CellKind, Notebook};
/// let mut notebook = Notebook::new();
/// notebook.cells.push(Cell::new(CellKind::Markdown, "# One loop\n\nIt *waits* for nobody."));
/// let html = page(&notebook, &Options::default())?;
/// assert!(html.contains("<title>One loop</title>"));
/// # Ok::<(), loopbot_export::ExportError>(())
/// ```
///
/// # Errors
///
/// When the notebook has no cells, or the options name a language that is none.
pub fn page(notebook: &Notebook, options: &Options) -> Result<String, ExportError> {
    if notebook.cells.is_empty() {
        return Err(ExportError::NoCells);
    }
    let language = match &options.language {
        Some(tag) => tag.as_str(),
        None => notebook.human_language(),
    };
    if !is_language_tag(language) {
        return Err(ExportError::NoLanguage(language.to_owned()));
    }
    let labels = labels::labels(language);
    let mut markdown = Markdown::new(
        Pictures::new(&options.files, labels),
        Settings {
            link_pages: options.link_pages,
            labels,
            reserved: RESERVED,
        },
    );

    // The first heading of the first level becomes the page's own, and leaves the text.
    let first = notebook
        .cells
        .iter()
        .position(|cell| cell.kind == CellKind::Markdown);
    let heading = first.and_then(|at| markdown::title(&notebook.cells[at].source));
    let title_cell = first.filter(|_| heading.is_some());
    let title = heading.or_else(|| notebook.title());
    let file = options.file_name.as_deref().unwrap_or("notebook.ipynb");
    let title = title.unwrap_or_else(|| file.trim_end_matches(".ipynb").to_owned());

    let body = cells::html(notebook, labels, &mut markdown, title_cell);
    let contents = contents(&markdown.headings, labels);
    let theme = match options.theme {
        Theme::Auto => "",
        Theme::Light => " data-theme=\"light\"",
        Theme::Dark => " data-theme=\"dark\"",
    };
    let with_contents = if contents.is_empty() {
        ""
    } else {
        " class=\"with-contents\""
    };
    let script = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(SCRIPT)));
    Ok(fill(&[
        ("lang", &escape(language)),
        ("dir", labels::direction(language)),
        ("theme", theme),
        ("title", &escape(&title)),
        ("script-hash", &script),
        ("style", STYLE),
        ("script", SCRIPT),
        ("skip", labels.skip),
        ("theme-label", labels.theme),
        ("copy", labels.copy),
        ("copied", labels.copied),
        ("part", &part(notebook)),
        ("facts", &facts(notebook, options, labels)),
        ("with-contents", with_contents),
        ("contents", &contents),
        ("body", &body),
        ("made-from", labels.made_from),
        ("file", &escape(file)),
    ]))
}

/// The addresses of the pictures that Markdown cells show from files beside the notebook, as they are written there.
/// Who exports reads these files, relative to the notebook's folder, and hands them in as [`Options::files`].
pub fn wanted_files(notebook: &Notebook) -> Vec<String> {
    let texts = notebook
        .cells
        .iter()
        .filter(|cell| cell.kind == CellKind::Markdown);
    let addresses = texts.flat_map(|cell| markdown::picture_addresses(&cell.source));
    let is_file = |address: &String| {
        let scheme = address
            .split('/')
            .next()
            .is_some_and(|start| start.contains(':'));
        !scheme && !address.starts_with("//") && !address.is_empty()
    };
    let mut wanted: Vec<String> = addresses.filter(is_file).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

/// The template with each `{{name}}` filled in, in one pass: what is filled in is not looked at again.
fn fill(values: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(before);
        let value = values.iter().find(|(own, _)| *own == name);
        debug_assert!(value.is_some(), "the template names {name}");
        page.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    page.push_str(rest);
    page
}

fn part(notebook: &Notebook) -> String {
    match Lesson::of(notebook).part.as_str() {
        "" => String::new(),
        part => format!("<p class=\"part\">{}</p>\n", escape(part)),
    }
}

/// What the metadata says of a lesson: how long it takes, what it needs, what it is good for.
fn facts(notebook: &Notebook, options: &Options, labels: &Labels) -> String {
    let lesson = Lesson::of(notebook);
    let mut line = Vec::new();
    if lesson.minutes > 0 {
        line.push(format!("{} {}", lesson.minutes, labels.minutes));
    }
    if !lesson.needs.is_empty() {
        let needs = lesson.needs.iter().map(|name| {
            let text = escape(name);
            match options.link_pages {
                true => format!("<bdi><a href=\"{text}.html\">{text}</a></bdi>"),
                false => format!("<bdi>{text}</bdi>"),
            }
        });
        let needs = needs.collect::<Vec<_>>().join(", ");
        line.push(format!("{} {needs}", labels.needs));
    }
    let mut html = String::new();
    if !line.is_empty() {
        html += &format!("<p class=\"facts\">{}</p>\n", line.join(" · "));
    }
    if !lesson.goals.is_empty() {
        html += &format!("<div class=\"goals\"><p>{}</p>\n<ul>\n", labels.goals);
        for goal in &lesson.goals {
            html += &format!("<li>{}</li>\n", escape(goal));
        }
        html += "</ul></div>\n";
    }
    html
}

/// The table of contents; a page with one section needs none.
fn contents(headings: &[Heading], labels: &Labels) -> String {
    let listed: Vec<&Heading> = headings.iter().filter(|own| own.level <= 3).collect();
    if listed.len() < 2 {
        return String::new();
    }
    let mut html = format!(
        "<nav class=\"contents\" aria-label=\"{0}\">\n<p>{0}</p>\n<ul>\n",
        labels.contents
    );
    for heading in listed {
        html += &format!(
            "<li class=\"l{}\"><a href=\"#{}\">{}</a></li>\n",
            heading.level,
            escape(&heading.id),
            escape(&heading.text)
        );
    }
    html + "</ul>\n</nav>\n"
}

fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_word = |part: &str| (1..=8).contains(&part.len());
    let letters = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric());
    parts.next().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_alphabetic())
    }) && parts.all(|part| is_word(part) && letters(part))
}
