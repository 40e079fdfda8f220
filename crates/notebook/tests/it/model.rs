//! Questions that the model answers about itself.

use loopbot_notebook::{Cell, CellKind, Notebook, OutputKind, Problem, StreamName};
use serde_json::json;

use crate::notebook;

fn check_title(source: &str, expected: Option<&str>) {
    let notebook = notebook(vec![Cell::new(CellKind::Markdown, source)]);
    assert_eq!(notebook.title().as_deref(), expected, "{source:?}");
}

#[test]
fn the_title_is_the_first_heading_outside_code() {
    check_title("# One `async` *core* #\n", Some("One async core"));
    check_title("```\n# not this\n```\n## small\n\n# Big", Some("Big"));
    check_title("## small", Some("small"));
    check_title("#no heading", None);
}

#[test]
fn the_title_of_the_metadata_comes_first() {
    let mut notebook = notebook(vec![Cell::new(CellKind::Markdown, "# In the text")]);
    notebook
        .metadata
        .insert("loopbot".into(), json!({"title": "Named", "lang": "fa"}));
    assert_eq!(notebook.title().as_deref(), Some("Named"));
    assert_eq!(notebook.human_language(), "fa");
}

#[test]
fn a_notebook_is_executed_when_every_cell_that_would_run_did() {
    let mut notebook = notebook(vec![
        Cell::new(CellKind::Code, "1"),
        Cell::new(CellKind::Code, "  \n"),
    ]);
    assert!(!notebook.is_executed() && notebook.is_stripped());
    notebook.cells[0].execution_count = Some(1);
    assert!(notebook.is_executed() && !notebook.is_stripped());
    notebook.strip_outputs();
    assert!(notebook.is_stripped());
    assert!(!Notebook::new().is_executed());
}

#[test]
fn stripping_removes_what_runs_leave_and_nothing_else() {
    let mut notebook = notebook(vec![Cell::new(CellKind::Code, "1")]);
    let before = notebook.clone();
    let cell = &mut notebook.cells[0];
    cell.outputs.push(
        OutputKind::Stream {
            name: StreamName::Stdout,
            text: "x".into(),
        }
        .into(),
    );
    cell.metadata
        .insert("execution".into(), json!({"iopub.status.busy": "…"}));
    notebook.strip_outputs();
    assert_eq!(notebook, before);
}

#[test]
fn a_notebook_for_another_language_is_refused_by_name() {
    let mut notebook = Notebook::new();
    assert!(notebook.require_rust().is_ok());
    notebook
        .metadata
        .insert("kernelspec".into(), json!({"language": "Python"}));
    let error = notebook.require_rust().unwrap_err();
    assert!(
        matches!(&error, Problem::OtherLanguage { language } if language == "python"),
        "{error}"
    );
    notebook.metadata.clear();
    assert!(notebook.require_rust().is_ok(), "no language named");
}
