//! Executed notebooks to HTML pages: text in, text out.
//!
//! A page is one file with everything in it. It works from a folder without a network, is readable without scripts,
//! prints well, and shows nothing that the notebook does not hold. This room reads no file, runs no cell and makes no
//! request; outputs of notebooks are foreign text to it and are cleaned before they stand in a page.
//!
//! Where to look: `page` puts a page together, `cells` and `outputs` write its parts, `markdown`, `highlight`, `math`
//! and `ansi` each turn one kind of text into HTML, `clean`, `css` and `allowed` keep foreign HTML in its place.

mod allowed;
mod ansi;
mod cells;
mod clean;
mod css;
mod escape;
mod highlight;
mod labels;
mod markdown;
mod math;
mod outputs;
mod page;
mod pictures;

use std::collections::BTreeMap;

pub use page::{page, wanted_files};

/// How to write a page. The default is right for one notebook of the course.
#[derive(Debug, Clone)]
pub struct Options {
    /// The notebook's file name: named in the foot, and the title when the notebook has none.
    pub file_name: Option<String>,
    /// The human language of the text (`en`, `fa`), when it is not the one that the notebook's metadata name.
    pub language: Option<String>,
    /// The colours that a page opens in, until its reader chooses.
    pub theme: Theme,
    /// Whether links to other notebooks become links to their pages (`.ipynb` to `.html`).
    pub link_pages: bool,
    /// Pictures that Markdown cells show from files, by their address as written in the cell; see [`wanted_files`].
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            file_name: None,
            language: None,
            theme: Theme::Auto,
            link_pages: true,
            files: BTreeMap::new(),
        }
    }
}

/// The colours that a page opens in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What the reader's system prefers.
    #[default]
    Auto,
    Light,
    Dark,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    #[error("the notebook has no cells; there is nothing to show")]
    NoCells,
    #[error("`{0}` is no language tag; write one such as `en`, `fa` or `pt-BR`")]
    NoLanguage(String),
}
