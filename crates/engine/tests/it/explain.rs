//! `:explain`: rustc's long explanations, without a network.

use loopbot_engine::{Event, FailureKind, Outcome};

use crate::notebook::Notebook;

#[test]
fn a_code_is_explained_as_markdown() {
    let mut notebook = Notebook::new();
    let mut explained = |cell: &str| {
        notebook.events();
        assert!(matches!(notebook.run(cell), Outcome::Done { .. }));
        match &notebook.events()[..] {
            [Event::Display(forms)] => forms.get("text/markdown").cloned().unwrap_or_default(),
            other => panic!("{other:?}"),
        }
    };
    let text = explained(":explain E0382");
    assert!(
        text.starts_with("### E0382\n\nA variable was used after its contents have been moved"),
        "{text}"
    );
    assert!(
        text.contains("```rust\n") && !text.contains("compile_fail"),
        "{text}"
    );
    assert_eq!(explained(":explain e382"), text);
}

#[test]
fn alone_it_explains_the_last_cell_that_failed() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail(":explain");
    failed.says(&["no cell has failed", ":explain E0382"]);
    assert_eq!(failed.failure.kind, FailureKind::Directive);
    notebook.fail("let x: i32 = \"a\";");
    notebook.check("1", "1");
    let shown = notebook.try_run(":explain").unwrap();
    assert!(shown.starts_with("### E0308"), "{shown}");
}

#[test]
fn what_is_no_code_is_said_so() {
    let mut notebook = Notebook::new();
    notebook
        .fail(":explain borrow")
        .says(&["`borrow` is no error code", "E0382"]);
    notebook
        .fail(":explain E9999")
        .says(&["no explanation of `E9999`"]);
}
