//! What a lesson must have, and how a lack is named.

use loopbot_notebook::{Cell, CellKind, Lesson, Notebook, findings};
use serde_json::json;

use crate::{cell, exercise, notebook};

fn whole() -> Notebook {
    let mut cells = exercise("one", "1");
    cells.extend(exercise("two", "2"));
    let mut notebook = notebook(cells);
    let metadata = json!({
        "title": "T", "part": "Part 1", "minutes": 20, "needs": [], "source": "session 2", "goals": ["see"]
    });
    notebook.metadata.insert("loopbot".into(), metadata);
    notebook
}

fn check(change: impl FnOnce(&mut Notebook), expected: &str) {
    let mut notebook = whole();
    change(&mut notebook);
    let found: Vec<String> = findings(&notebook)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        found.iter().any(|text| text.contains(expected)),
        "{expected:?} is not among {found:#?}"
    );
}

#[test]
fn a_whole_lesson_lacks_nothing() {
    assert_eq!(findings(&whole()), []);
    assert_eq!(Lesson::of(&whole()).minutes, 20);
}

#[test]
fn what_a_lesson_lacks_is_named() {
    let drop_field = |name: &'static str| {
        move |notebook: &mut Notebook| {
            notebook.metadata["loopbot"]
                .as_object_mut()
                .unwrap()
                .remove(name);
        }
    };
    for name in ["title", "part", "minutes", "needs", "source", "goals"] {
        check(drop_field(name), &format!("loopbot.{name}"));
    }
    check(|n| n.minor = 4, "the format is 4.4");
    check(|n| n.cells[3].id = None, "cell 4: it has no id");
    check(|n| n.cells[3].id = Some("c0".into()), "is taken");
    check(|n| n.cells[0].execution_count = Some(1), "outputs of a run");
    check(|n| drop(n.cells.drain(4..)), "1 exercises");
    check(
        |n| drop(n.cells.remove(2)),
        "`one` has no cell tagged `hint`",
    );
    check(
        |n| n.cells[3].source = "<details>".into(),
        "no ```rust block",
    );
    check(|n| n.cells[2].source = "Count.".into(), "<details>");
    check(|n| n.cells[2].kind = CellKind::Raw, "must be Markdown");
    check(|n| n.cells[0].kind = CellKind::Markdown, "must be code");
    check(|n| drop(n.metadata.remove("kernelspec")), "kernelspec");
    let push = |cell: Cell| move |n: &mut Notebook| n.cells.push(cell);
    let code = |tags: &[&str], loopbot| push(cell(CellKind::Code, "x", tags, loopbot));
    check(code(&["check"], json!(null)), "names no exercise");
    check(code(&["raises-exception"], json!(null)), "does not say how");
    check(code(&[], json!({"error_code": "E0382"})), "not tagged");
}
