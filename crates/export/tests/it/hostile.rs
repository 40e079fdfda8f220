//! Outputs and texts that try to break out of their place, to run something or to fetch something.

use loopbot_export::{Options, page};
use serde_json::json;

use crate::{body, code, notebook, outputs, shown, stream, text};

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "</pre></div></section></main></body></html><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
    "<iframe src=https://x.example></iframe>",
    "<link rel=stylesheet href=https://x.example/a.css>",
    "<style>@import 'https://x.example/a.css';</style>",
    "<style>} body { display: none }</style>",
    "<p style='background:url(https://x.example/a.png)'>x</p>",
    "<form action=https://x.example><input name=a><button>go</button></form>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>",
    "<base href=https://x.example>",
    "<!--",
    "<textarea>",
    "<plaintext>",
    "<template><script>alert(1)</script></template>",
    "<math><annotation-xml encoding=text/html><script>alert(1)</script></annotation-xml></math>",
    "{{body}}{{script}}",
    "<div id=lb-text class=contents>",
];

/// What must not be in a page besides its own: the page without its head.
fn check(html: &str, attack: &str) {
    let small = html.to_lowercase();
    for word in [
        "<script",
        "<iframe",
        "<link",
        "<meta",
        "<base",
        "<form",
        "onerror",
        "onload",
        "javascript:",
        "@import",
    ] {
        // Printed text shows such words, with `<` escaped.
        assert!(
            !small.contains(word) || !word.starts_with('<') && small.contains("<pre"),
            "{word} in {html} of {attack}"
        );
    }
    for tag in ["div", "section", "pre", "details", "p"] {
        let open =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(
            open,
            html.matches(&format!("</{tag}>")).count(),
            "{tag} in {html} of {attack}"
        );
    }
}

#[test]
fn no_output_breaks_out_of_its_cell() {
    for attack in ATTACKS {
        for mime in [
            "text/html",
            "image/svg+xml",
            "text/markdown",
            "text/latex",
            "text/plain",
        ] {
            let html = body(&notebook(vec![code(
                "x",
                vec![shown(json!({mime: attack}))],
            )]));
            check(&html, attack);
        }
        let html = body(&notebook(vec![code(
            attack,
            vec![stream("stdout", attack)],
        )]));
        check(&html, attack);
    }
}

#[test]
fn no_text_breaks_out_of_its_cell() {
    for attack in ATTACKS {
        check(&body(&notebook(vec![text(attack), text("after")])), attack);
        let html = body(&notebook(vec![text(attack), text("after")]));
        assert!(html.contains("after"), "{attack}");
    }
}

#[test]
fn what_was_left_out_is_said() {
    let html = outputs(vec![shown(json!({
        "text/html": "<div id=plot></div><script>draw()</script>", "text/plain": "Plot(3 points)"
    }))]);
    assert!(
        html.contains("Plot(3 points)") && html.contains("brought a script along"),
        "{html}"
    );
    let html = outputs(vec![shown(
        json!({"text/html": "<iframe src=//x></iframe>"}),
    )]);
    assert!(html.contains("was left out"), "{html}");
}

#[test]
fn metadata_and_names_are_text() {
    let mut notebook = notebook(vec![text("words")]);
    let evil = "\"><script>alert(1)</script>";
    notebook.metadata.insert(
        "loopbot".into(),
        json!({"title": evil, "part": evil, "minutes": 5, "needs": [evil], "goals": [evil]}),
    );
    let options = Options {
        file_name: Some(evil.into()),
        ..Options::default()
    };
    let html = page(&notebook, &options).unwrap();
    assert_eq!(html.matches("<script>").count(), 1, "the page's own");
}

#[test]
fn a_page_allows_its_own_script_and_no_request() {
    let html = page(&notebook(vec![text("words")]), &Options::default()).unwrap();
    assert!(html.contains(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-"
    ));
    let (_, script) = html.split_once("<script>").unwrap();
    let (script, _) = script.split_once("</script>").unwrap();
    assert!(!script.contains("http") && !script.contains("fetch("));
    assert!(!html.contains("src=\"http") && !html.contains("url("));
}
