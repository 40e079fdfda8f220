//! What a page shows of each kind of cell and output.

use loopbot_notebook::{Cell, CellKind, OutputKind};
use serde_json::json;

use crate::{body, code, notebook, outputs, shown, stream, tagged, text};

#[test]
fn text_with_everything_that_markdown_has() {
    let source = "# Title\n\nOne *line* with `code`, $x^2$, https://a.example and [next](s03.ipynb#now).\n\n\
        ## Section `one`\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> [!TIP]\n> Look.\n\n- [x] done\n\n\
        ```rust\nlet x = 1;\n```\n\n### Section two[^n]\n\n[^n]: A note.\n";
    insta::assert_snapshot!(body(&notebook(vec![text(source)])));
}

#[test]
fn code_and_what_it_printed() {
    let error = OutputKind::Error {
        name: "E0382".into(),
        value: "use of moved value".into(),
        traceback: vec!["\u{1b}[91merror\u{1b}[0m: moved".into(), "  <here>".into()],
    };
    let cells = vec![
        code(
            ":dep tokio = \"1\"\nprintln!(\"<hi>\");",
            vec![
                stream("stdout", "10 %\r<hi>\n"),
                stream("stderr", "careful\n"),
            ],
        ),
        tagged(
            code("drop(a);\na", vec![error.into()]),
            &["raises-exception"],
            json!({"error_code": "E0382"}),
        ),
        Cell::new(CellKind::Code, "never_run()"),
        Cell::new(CellKind::Code, "  "),
        Cell::new(CellKind::Raw, "a <raw> cell"),
    ];
    insta::assert_snapshot!(body(&notebook(cells)));
}

#[test]
fn an_exercise_is_one_frame() {
    let own = || json!({"exercise": "fib-under"});
    let verdict = json!({
        "text/plain": "… fib-under: not yet",
        "application/vnd.loopbot.verdict+json":
            {"exercise": "fib-under", "done": false, "missing": ["`fib(9)` is <0>"]},
    });
    let done = json!({
        "application/vnd.loopbot.verdict+json": {"exercise": "fib-under", "done": true, "missing": []},
    });
    let hidden = "<details><summary>Solution</summary>\n\n```rust\n1\n```\n\n</details>";
    let cells = vec![
        text("Before."),
        tagged(code("fn f() {}", vec![]), &["exercise"], own()),
        tagged(
            code("check(f)", vec![shown(verdict), shown(done)]),
            &["check"],
            own(),
        ),
        tagged(text("Count *two* numbers."), &["hint"], own()),
        tagged(text(hidden), &["solution"], own()),
        tagged(text("Ask first."), &["teacher-note"], json!({})),
    ];
    insta::assert_snapshot!(body(&notebook(cells)));
}

#[test]
fn the_richest_form_is_shown() {
    let svg = "<svg viewBox=\"0 0 9 9\"><title>T</title><path id=\"p\" d=\"M0 0L9 9\" stroke=\"currentColor\"/></svg>";
    let forms = vec![
        json!({"text/html": format!("<figure>{svg}</figure>"), "image/svg+xml": svg, "text/plain": "T"}),
        json!({"image/svg+xml": svg.replace("currentColor", "#000"), "text/plain": "a  b\n1  2"}),
        json!({"image/png": "aGVs\nbG8=\n", "text/plain": "Figure"}),
        json!({"image/png": "not base64!", "text/plain": "Figure"}),
        json!({"text/markdown": "**bold**\n\n# no section", "text/plain": "x"}),
        json!({"text/latex": "$$x^2$$", "text/plain": "x"}),
        json!({"application/json": {"a": [1]}, "text/plain": "x"}),
        json!({"text/plain": "<plain>"}),
        json!({"application/x-cad": "?"}),
        json!({}),
    ];
    let forms = forms.into_iter().map(shown).collect();
    insta::assert_snapshot!(outputs(forms));
}

#[test]
fn a_long_output_is_folded_and_an_endless_one_cut() {
    let lines = |count: usize| {
        (0..count)
            .map(|n| format!("line {n}\n"))
            .collect::<String>()
    };
    let short = outputs(vec![stream("stdout", &lines(40))]);
    assert!(!short.contains("<details"));
    let long = outputs(vec![stream("stdout", &lines(200))]);
    assert!(long.contains("line 23\n</pre>") && long.contains("Show 176 more lines"));
    assert!(long.contains("line 199</pre>"));
    let endless = outputs(vec![stream("stdout", &lines(200_000))]);
    assert!(endless.contains("195000 lines left out") && endless.len() < 100_000);
}

#[test]
fn two_pictures_with_the_same_ids_do_not_share_them() {
    let svg = json!({"image/svg+xml": "<svg><clipPath id=\"c\"/><g clip-path=\"url(#c)\"/></svg>"});
    let html = outputs(vec![shown(svg.clone()), shown(svg)]);
    let ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .map(|s| s.split('"').next().unwrap())
        .collect();
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(ids.len(), once.len(), "{ids:?}");
    assert!(html.contains("url(#cell-1-out-2-c)"), "{html}");
}

#[test]
fn pictures_of_text_are_inside_the_page() {
    let mut cell = text(
        "![a dot](attachment:dot.png) ![gone](attachment:no.png) ![web](https://x.example/y.png)",
    );
    let files = json!({"dot.png": {"image/png": "aGVsbG8="}});
    cell.attachments = files.as_object().cloned();
    insta::assert_snapshot!(body(&notebook(vec![cell])), @r#"<div class="cell text" id="cell-1"><p><img src="data:image/png;base64,aGVsbG8=" alt="a dot"> <span class="missing">gone (this page does not carry the picture: <code>no.png</code>)</span> <span class="missing">web (this page does not carry the picture: <a href="https://x.example/y.png">https://x.example/y.png</a>)</span></p></div>"#);
}

#[test]
fn headings_are_linked_and_there_is_one_of_the_first_level() {
    let cells = vec![text("# T\n\n## A\n\n## A"), text("# B\n\n### lb-text")];
    let html = body(&notebook(cells));
    assert!(!html.contains("<h1"));
    for id in ["a", "a-1", "b", "lb-text-1"] {
        assert!(
            html.contains(&format!("<a href=\"#{id}\">")),
            "{id}: {html}"
        );
        assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn code_that_the_notebook_hides_is_folded() {
    let hidden = tagged(code("let long = 1;", vec![]), &["hide-input"], json!({}));
    let html = body(&notebook(vec![hidden, code("let shown = 2;", vec![])]));
    let folded = html.split("</details>").next().unwrap();
    assert!(
        folded.contains("The code of this cell") && folded.contains("long"),
        "{html}"
    );
    assert!(!folded.contains("shown"), "{html}");
}
