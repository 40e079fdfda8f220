//! Exercises: their cells, their solutions in place, their verdicts.

use loopbot_notebook::{
    Cell, CellKind, OutputKind, SolutionError, VERDICT_MIME, exercises, verdict_findings, verdicts,
    with_solution, with_solutions,
};
use serde_json::{Map, Value, json};

use crate::{cell, exercise, notebook};

fn two() -> loopbot_notebook::Notebook {
    let mut cells = vec![Cell::new(CellKind::Markdown, "# Lesson")];
    cells.extend(exercise("one", "let n = 1;"));
    cells.extend(exercise("two", "let n = 2;\nn"));
    notebook(cells)
}

fn show(cell: &mut Cell, verdict: Value) {
    let data = Map::from_iter([
        ("text/plain".to_owned(), json!("…")),
        (VERDICT_MIME.to_owned(), verdict),
    ]);
    let metadata = Map::new();
    cell.outputs
        .push(OutputKind::Display { data, metadata }.into());
}

#[test]
fn the_cells_of_an_exercise_are_found() {
    let found = exercises(&two());
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].id, "two");
    assert_eq!((found[1].task, found[1].check), (Some(5), Some(6)));
    assert_eq!(
        (found[1].hints.as_slice(), found[1].solution),
        (&[7][..], Some(8))
    );
}

#[test]
fn solutions_are_put_in_place_one_or_all() {
    let shipped = two();
    let one = with_solution(&shipped, "two").unwrap();
    assert_eq!(one.cells[1].source, "let n = 0;");
    assert_eq!(one.cells[5].source, "let n = 2;\nn");
    let all = with_solutions(&shipped).unwrap();
    assert_eq!(all.cells[1].source, "let n = 1;");
    let error = with_solution(&shipped, "three").unwrap_err();
    assert_eq!(error, SolutionError::NoTask("three".into()));
}

#[test]
fn a_second_solution_is_surplus() {
    let mut notebook = two();
    let second = cell(
        CellKind::Markdown,
        "",
        &["solution"],
        json!({"exercise": "one"}),
    );
    notebook.cells.push(second);
    assert_eq!(exercises(&notebook)[0].surplus, [9]);
}

#[test]
fn verdicts_are_read_and_judged() {
    let mut notebook = two();
    let done = json!({"exercise": "one", "done": true, "missing": []});
    show(&mut notebook.cells[2], done);
    // A tool that knows no JSON types stores the text.
    let open = json!({"exercise": "two", "done": false, "missing": ["n is 0"]}).to_string();
    show(&mut notebook.cells[6], open.into());

    let found = verdicts(&notebook);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[1].cell, found[1].missing.as_slice()),
        (6, &["n is 0".to_owned()][..])
    );

    let as_shipped = verdict_findings(&notebook, false);
    assert_eq!(as_shipped.len(), 1);
    assert!(
        as_shipped[0]
            .to_string()
            .contains("`one` is done as shipped")
    );
    let solved = verdict_findings(&notebook, true);
    assert_eq!(
        solved[0].to_string(),
        "cell 7: exercise `two` is not done with its own solution: n is 0"
    );
    notebook.cells[6].outputs.clear();
    let silent = verdict_findings(&notebook, true);
    assert!(silent[0].to_string().contains("showed no verdict"));
}
