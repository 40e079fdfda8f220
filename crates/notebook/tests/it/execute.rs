//! Running notebooks through a stand-in for the engine: what is stored, where a run stops, what counts as a fault.

use std::sync::{Arc, Mutex};

use loopbot_engine::{Event, Failure, FailureKind, Interrupter, MimeBundle, Outcome};
use loopbot_notebook::{
    Cell, CellKind, CellOutcome, Fault, Notebook, Options, OutputKind, Report, Runner, Step,
    execute_with,
};
use serde_json::json;

use crate::{cell, notebook};

/// Obeys a little language, a command a line: `out TEXT`, `err TEXT`, `show TEXT`, `live ID TEXT`, `value TEXT`, `fail CODE`, `panic`,
/// `interrupt`, `busy`.
struct Script {
    sink: Box<dyn Fn(Event) + Send + Sync>,
}

fn bundle(text: &str) -> MimeBundle {
    MimeBundle::from([("text/plain".to_owned(), text.to_owned())])
}

impl Runner for Script {
    fn run_cell(&mut self, code: &str) -> Outcome {
        let mut result = None;
        for line in code.lines() {
            let (command, text) = line.split_once(' ').unwrap_or((line, ""));
            let failed = |kind, name: &str| {
                Outcome::Failed(Failure {
                    kind,
                    name: name.to_owned(),
                    message: "it broke".to_owned(),
                    report: Vec::new(),
                    position: None,
                })
            };
            match command {
                "out" => (self.sink)(Event::Stdout(format!("{text}\n"))),
                "err" => (self.sink)(Event::Stderr(format!("{text}\n"))),
                "show" => (self.sink)(Event::Display(bundle(text))),
                "live" => {
                    let (id, text) = text.split_once(' ').unwrap();
                    (self.sink)(Event::Live {
                        id: id.to_owned(),
                        forms: bundle(text),
                    });
                }
                "busy" => (self.sink)(Event::Progress("building".to_owned())),
                "value" => result = Some(bundle(text)),
                "fail" => {
                    let codes = vec!["E0001".to_owned(), text.to_owned()];
                    return failed(FailureKind::Compile { codes }, "E0001");
                }
                "panic" => return failed(FailureKind::Panic, "panic"),
                "interrupt" => return failed(FailureKind::Interrupted, "interrupted"),
                other => panic!("unknown command {other}"),
            }
        }
        Outcome::Done { result }
    }

    fn interrupter(&self) -> Option<Interrupter> {
        None
    }
}

fn run(notebook: &mut Notebook) -> Report {
    execute_with(notebook, Options::default(), |sink| Ok(Script { sink })).unwrap()
}

fn run_one(cell: Cell) -> (Report, Cell) {
    let mut notebook = notebook(vec![cell]);
    let report = run(&mut notebook);
    (report, notebook.cells.remove(0))
}

fn code(source: &str) -> Cell {
    Cell::new(CellKind::Code, source)
}

fn meant_to_fail(source: &str, codes: serde_json::Value) -> Cell {
    let metadata = json!({"error_code": codes});
    cell(CellKind::Code, source, &["raises-exception"], metadata)
}

/// The outputs of a cell, one a line.
fn shown(cell: &Cell) -> String {
    let line = |kind: &OutputKind| match kind {
        OutputKind::Stream { name, text } => format!("{}: {text:?}", name.as_str()),
        OutputKind::Display { data, .. } => format!("display: {}", data["text/plain"]),
        OutputKind::Result {
            data,
            execution_count,
            ..
        } => {
            format!("result {execution_count:?}: {}", data["text/plain"])
        }
        OutputKind::Error {
            name,
            value,
            traceback,
        } => format!("error {name}, {value}, {traceback:?}"),
        OutputKind::Other(value) => format!("other {value}"),
    };
    let lines: Vec<String> = cell.outputs.iter().map(|o| line(&o.kind)).collect();
    lines.join("\n")
}

#[test]
fn printed_text_is_merged_by_stream_up_to_the_next_picture() {
    let (report, cell) = run_one(code(
        "out a\nerr x\nout b\nshow picture\nout c\nerr y\nvalue 42",
    ));
    assert!(report.passed());
    assert_eq!(cell.execution_count, Some(1));
    insta::assert_snapshot!(shown(&cell), @r#"
    stdout: "a\nb\n"
    stderr: "x\n"
    display: "picture"
    stdout: "c\n"
    stderr: "y\n"
    result Some(1): "42"
    "#);
}

#[test]
fn an_output_that_changes_in_place_is_stored_as_it_was_last() {
    let mut notebook = notebook(vec![
        code("out before\nlive bar 10 %\nout after\nlive bar 20 %"),
        code("live other 1\nlive bar done"),
    ]);
    run(&mut notebook);
    insta::assert_snapshot!(shown(&notebook.cells[0]), @r#"
    stdout: "before\n"
    display: "done"
    stdout: "after\n"
    "#);
    insta::assert_snapshot!(shown(&notebook.cells[1]), @r#"display: "1""#);
    let text = notebook.to_text();
    assert!(!text.contains("display_id"), "no id in the file: {text}");
}

#[test]
fn a_run_stops_at_the_first_failure_and_old_outputs_are_gone() {
    let mut notebook = notebook(vec![code("value 1"), code("panic"), code("value 3")]);
    notebook.cells[2].execution_count = Some(9);
    let report = run(&mut notebook);
    assert!(!report.passed());
    assert_eq!((report.cells.len(), report.total), (2, 3));
    let faults: Vec<_> = report.faults().map(|(at, f)| (at, f.to_string())).collect();
    assert_eq!(faults, [(1, "panic: it broke".to_owned())]);
    assert_eq!(notebook.cells[2].execution_count, None);
    assert_eq!(
        shown(&notebook.cells[1]),
        r#"error panic, it broke, ["panic: it broke"]"#
    );
}

#[test]
fn cells_meant_to_fail_must_fail_and_with_their_code() {
    let check = |cell: Cell, expected: &str| {
        let mut notebook = notebook(vec![cell, code("value 1")]);
        let report = run(&mut notebook);
        assert_eq!(report.cells.len(), 2, "the run goes on");
        match &report.cells[0].outcome {
            CellOutcome::Fault(fault) => assert_eq!(fault.to_string(), expected),
            outcome => assert_eq!(format!("{outcome:?}").split('(').next(), Some(expected)),
        }
    };
    check(meant_to_fail("fail E0382", json!("E0382")), "FailedAsMeant");
    check(meant_to_fail("panic", json!("panic")), "FailedAsMeant");
    check(meant_to_fail("panic", json!(null)), "FailedAsMeant");
    check(
        meant_to_fail("fail E0382", json!(["E0001", "E0382"])),
        "FailedAsMeant",
    );
    check(
        meant_to_fail("fail E0308", json!("E0382")),
        "it is meant to fail with E0382, but it failed with E0001: it broke",
    );
    check(
        meant_to_fail("value 1", json!("E0382")),
        "it is meant to fail with E0382, but it ran to its end",
    );
}

#[test]
fn an_interrupted_cell_stops_the_run_even_if_it_was_meant_to_fail() {
    let (report, _) = run_one(meant_to_fail("interrupt", json!(null)));
    assert!(matches!(
        report.cells[0].outcome,
        CellOutcome::Fault(Fault::Failed(_))
    ));
}

#[test]
fn blank_cells_markdown_and_skipped_cells_do_not_run() {
    let mut notebook = notebook(vec![
        code("  \n"),
        Cell::new(CellKind::Markdown, "panic"),
        cell(CellKind::Code, "panic", &["skip-execution"], json!(null)),
        code("value 1"),
    ]);
    let report = run(&mut notebook);
    assert!(report.passed());
    assert_eq!(report.cells[0].index, 3);
    assert_eq!(notebook.cells[3].execution_count, Some(1));
    assert!(notebook.is_executed());
}

#[test]
fn steps_are_told_as_they_happen() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let options = Options {
        on_step: Some(Arc::new(move |step| {
            let text = match step {
                Step::Cell {
                    index,
                    position,
                    total,
                } => format!("cell {index}: {position}/{total}"),
                Step::CellDone(report) => format!("done {}", report.index),
                Step::Progress(text) => text,
                _ => "other".to_owned(),
            };
            log.lock().unwrap().push(text);
        })),
        ..Options::default()
    };
    let mut notebook = notebook(vec![code("busy"), code("value 1")]);
    execute_with(&mut notebook, options, |sink| Ok(Script { sink })).unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        ["cell 0: 1/2", "building", "done 0", "cell 1: 2/2", "done 1"]
    );
    assert_eq!(shown(&notebook.cells[0]), "", "progress is no output");
}

#[test]
fn a_notebook_for_another_language_is_not_run() {
    let mut notebook = notebook(vec![code("print(1)")]);
    notebook
        .metadata
        .insert("kernelspec".into(), json!({"language": "python"}));
    let error = execute_with(&mut notebook, Options::default(), |sink| {
        Ok(Script { sink })
    });
    assert!(error.unwrap_err().to_string().contains("python"));
}

#[test]
fn what_a_run_stored_is_a_valid_file() {
    let (_, cell) = run_one(code("out a\nshow p\nvalue 1"));
    let written = notebook(vec![cell]).to_text();
    assert_eq!(Notebook::parse(&written).unwrap().to_text(), written);
}
