//! Title, language, colours, files, and the two ways in which there is no page.

use loopbot_export::{ExportError, Options, Theme, page, wanted_files};
use loopbot_notebook::Notebook;
use serde_json::json;

use crate::{code, notebook, text};

fn head(notebook: &Notebook, options: &Options) -> String {
    let html = page(notebook, options).unwrap();
    let (_, rest) = html.split_once("<html").unwrap();
    let (attributes, rest) = rest.split_once('>').unwrap();
    let (_, rest) = rest.split_once("<title>").unwrap();
    let (title, rest) = rest.split_once("</title>").unwrap();
    let (_, rest) = rest.split_once("<header>").unwrap();
    let (header, _) = rest.split_once("</header>").unwrap();
    format!("html{attributes}\ntitle {title}{header}")
}

#[test]
fn the_head_says_what_the_metadata_says() {
    let mut notebook = notebook(vec![text("# Generators & co\n\nText.")]);
    notebook.metadata.insert(
        "loopbot".into(),
        json!({
            "title": "Generators", "part": "Part 2", "minutes": 45, "needs": ["s04-gil"], "goals": ["say <why>"]
        }),
    );
    insta::assert_snapshot!(head(&notebook, &Options::default()), @r#"
    html lang="en" dir="ltr"
    title Generators &amp; co
    <p class="part">Part 2</p>
    <h1 id="lb-title">Generators &amp; co</h1>
    <p class="facts">45 minutes · After <bdi><a href="s04-gil.html">s04-gil</a></bdi></p>
    <div class="goals"><p>After this lesson you can</p>
    <ul>
    <li>say &lt;why&gt;</li>
    </ul></div>
    "#);
}

#[test]
fn a_notebook_without_a_title_is_called_by_its_file() {
    let options = Options {
        file_name: Some("s02.ipynb".into()),
        theme: Theme::Dark,
        language: Some("fa-IR".into()),
        ..Options::default()
    };
    let head = head(&notebook(vec![text("words")]), &options);
    insta::assert_snapshot!(head, @r#"
    html lang="fa-IR" dir="rtl" data-theme="dark"
    title s02
    <h1 id="lb-title">s02</h1>
    "#);
}

#[test]
fn the_page_speaks_the_language_of_its_text() {
    let mut persian = notebook(vec![text("متن"), code("let x = 1;", vec![])]);
    persian
        .metadata
        .insert("loopbot".into(), json!({"lang": "fa"}));
    let html = page(&persian, &Options::default()).unwrap();
    assert!(html.contains("lang=\"fa\" dir=\"rtl\"") && html.contains("رفتن به متن"));
    assert!(html.contains("<pre class=\"code\" dir=\"ltr\">"));
}

#[test]
fn files_are_asked_for_and_put_inside() {
    let cell = text(
        "![a](../../images/a%20b.svg) ![b](x/b.png) ![c](https://x/c.png) ![d](attachment:d.png)",
    );
    let notebook = notebook(vec![cell]);
    let wanted = wanted_files(&notebook);
    assert_eq!(wanted, ["../../images/a%20b.svg", "x/b.png"]);
    let mut options = Options::default();
    let svg = b"<svg><script>1</script><text id='t'>words</text></svg>".to_vec();
    options.files.insert(wanted[0].clone(), svg);
    options.files.insert(wanted[1].clone(), b"png".to_vec());
    let html = page(&notebook, &options).unwrap();
    assert!(html.contains("aria-label=\"a\"><svg><text id=\"lb-figure-1-t\">words</text></svg>"));
    assert!(html.contains("<img src=\"data:image/png;base64,cG5n\" alt=\"b\">"));
}

#[test]
fn links_to_notebooks_become_links_to_pages_unless_unwanted() {
    let notebook = notebook(vec![text("[a](b.ipynb#c) [d](https://x/e.ipynb)")]);
    let html = page(&notebook, &Options::default()).unwrap();
    assert!(html.contains("href=\"b.html#c\"") && html.contains("href=\"https://x/e.ipynb\""));
    let options = Options {
        link_pages: false,
        ..Options::default()
    };
    assert!(
        page(&notebook, &options)
            .unwrap()
            .contains("href=\"b.ipynb#c\"")
    );
}

#[test]
fn wrong_input_is_one_clear_error() {
    let none = page(&notebook(vec![]), &Options::default()).unwrap_err();
    assert_eq!(none, ExportError::NoCells);
    let options = Options {
        language: Some("english please".into()),
        ..Options::default()
    };
    let error = page(&notebook(vec![text("x")]), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`english please` is no language tag")
    );
}

#[test]
fn a_page_without_pictures_is_small() {
    let html = page(&notebook(vec![text("words")]), &Options::default()).unwrap();
    assert!(html.len() < 25_000, "{} bytes of frame", html.len());
}
