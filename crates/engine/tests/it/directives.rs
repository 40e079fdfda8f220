//! Lines that begin with a colon, completion and inspection.

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

#[test]
fn variables_and_types_are_listed() {
    let mut notebook = Notebook::new();
    notebook.check(":vars", "No variables yet.");
    notebook.check("let mut names = vec![String::new()]; let n = 1.5;", "");
    notebook.check(
        ":vars",
        "mut names: Vec<String>  cell [2]\nn: f64                  cell [2]",
    );
    notebook.check(
        ":type names.iter().map(|name| name.len()).collect::<Vec<_>>()",
        "names.iter().map(|name| name.len()).collect::<Vec<_>>(): Vec<usize>",
    );
    notebook.fail(":type nothing").says(&[
        "cannot find value `nothing`",
        "cell [5]:1:7",
        ":type nothing",
    ]);
    notebook
        .fail("1;\n:type (1")
        .says(&["this `(` is never closed", "cell [6]:2:7"]);
    notebook.check(":clear\n:vars", "No variables yet.");
}

#[test]
fn an_unknown_directive_is_refused_by_name_and_nothing_runs() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail(":varz\nprintln!(\"ran\");");
    failed.says(&["there is no directive `:varz`", ":help"]);
    assert_eq!(failed.failure.kind, FailureKind::Directive);
    assert_eq!(failed.failure.name, "unknown directive");
    notebook.fail(":opt 9").says(&["takes 0, 1, 2 or 3"]);
    assert!(notebook.try_run(":help").unwrap().contains(":dep"));
}

#[test]
fn optimisation_and_timing_can_be_set() {
    let mut notebook = Notebook::new();
    notebook.check(
        ":opt 2",
        "Cells that follow are compiled with optimisation 2, as `cargo run --release` does: arithmetic overflow wraps silently.",
    );
    notebook.check("(1..=10u64).product::<u64>()", "3628800");
    assert!(notebook.try_run(":timing\n1").unwrap().contains("took"));
}

#[test]
fn overflow_is_caught_unless_cells_are_compiled_for_speed() {
    let mut notebook = Notebook::new();
    let overflow = "std::hint::black_box(i32::MAX) + 1";
    notebook
        .fail(overflow)
        .says(&["attempt to add with overflow"]);
    notebook.try_run(":opt 2").unwrap();
    notebook.check(overflow, "-2147483648");
    notebook.check("cfg!(debug_assertions)", "false");
    notebook.check(
        ":opt 0",
        "Cells that follow are compiled with optimisation 0; arithmetic overflow panics.",
    );
    notebook
        .fail(overflow)
        .says(&["attempt to add with overflow"]);
}

#[test]
fn functions_run_again_are_compiled_as_is_asked_now() {
    let mut notebook = Notebook::new();
    let cell = "struct Steps(u32);\nfn checked() -> bool { cfg!(debug_assertions) }";
    notebook.check(cell, "");
    notebook.check("let steps = Steps(3); checked()", "true");
    notebook.check(
        ":opt 3",
        "Cells that follow are compiled with optimisation 3, as `cargo run --release` does: arithmetic overflow wraps silently. Functions of earlier cells change when their cell is run again.",
    );
    notebook.check("checked()", "true");
    notebook.check(cell, "");
    notebook.check("checked()", "false");
    notebook.check("steps.0", "3");
    notebook.check("let steps: Steps = Steps(steps.0 + 1); steps.0", "4");
}

#[test]
fn lost_variables_are_listed_with_the_reason() {
    let mut notebook = Notebook::new();
    notebook.check("let v = vec![1]; let r = &v; let kept = 1;", "");
    notebook.check("drop(v);", "");
    let shown = notebook.try_run(":vars").unwrap();
    assert!(
        shown.starts_with("kept: i32  cell [1]\n\nNo longer there:\n  `r` of cell [1] borrows")
            && shown.contains("\n  cell [2] moved `v` away"),
        "{shown}"
    );
}

#[test]
fn a_restart_keeps_functions_and_loses_variables() {
    let mut notebook = Notebook::new();
    notebook.check("let lost = 1; fn one() -> i32 { 1 }", "");
    notebook.try_run(":restart").unwrap();
    notebook.check("one()", "1");
    notebook
        .fail("lost")
        .says(&["`lost` was lost when the process"]);
}

#[test]
fn environment_variables_can_be_set() {
    let mut notebook = Notebook::new();
    notebook.check(
        ":env LOOPBOT_GREETING=good day\nstd::env::var(\"LOOPBOT_GREETING\")",
        "Ok(\"good day\")",
    );
    notebook.try_run(":restart").unwrap();
    notebook.check(
        "std::env::var(\"LOOPBOT_GREETING\").unwrap()",
        "\"good day\"",
    );
    notebook
        .fail(":env LOOPBOT_GREETING")
        .says(&["a name and a value"]);
}

#[test]
fn directives_of_evcxr_are_understood_or_said_to_be_pointless() {
    let mut notebook = Notebook::new();
    notebook.check(":t 1 + 1", "1 + 1: i32");
    let shown = notebook.try_run(":sccache 1\n1").unwrap();
    assert!(
        shown.starts_with("`:sccache` changes nothing here:") && shown.ends_with('1'),
        "{shown}"
    );
    let shown = notebook.try_run(":show_deps").unwrap();
    assert!(shown.contains("tokio 1."), "{shown}");
    let shown = notebook.try_run(":version").unwrap();
    assert!(
        shown.starts_with("LoopBot ") && shown.contains("rustc 1."),
        "{shown}"
    );
    notebook.fail(":build_env A=1").says(&["no directive"]);
}

#[test]
fn a_name_of_the_learners_is_documented() {
    let mut notebook = Notebook::new();
    notebook.check("/// Adds one.\nfn next(n: i32) -> i32 { n + 1 }", "");
    notebook.check(
        ":doc next",
        "```rust\nfn next(n: i32) -> i32 { n + 1 }\n```\n\nAdds one.\n\ndefined in cell [1]",
    );
    notebook.fail(":doc 1 + 1").says(&["`:doc` needs a name"]);
}

#[test]
fn crates_of_the_lessons_are_there_and_others_come_by_path() {
    let mut notebook = Notebook::new();
    notebook.check(
        ":dep loopbot = { path = \"../loopbot\" }\nfutures::executor::block_on(async { 3 })",
        "3",
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(
        folder.path().join("Cargo.toml"),
        "[package]\nname = \"tiny-one\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("src/lib.rs"),
        "pub fn answer() -> u32 { 42 }\npub struct Kept(pub u32);\n",
    )
    .unwrap();
    notebook.check(
        &format!(
            ":dep {}\nlet kept = tiny_one::Kept(1); tiny_one::answer()",
            folder.path().display()
        ),
        "42",
    );
    notebook.check("kept.0", "1");
    notebook
        .fail(":dep ./no/such/folder")
        .says(&["there is no Cargo.toml"]);
    notebook.fail(":dep").says(&["name a crate"]);
}

#[test]
fn names_in_scope_are_completed_and_described() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let wanted = vec![1u8]; fn wander(steps: usize) -> usize { steps }",
        "",
    );
    let scope = notebook.engine().scope();
    let texts = |code: &str| -> Vec<String> {
        scope
            .complete(code, code.len())
            .matches
            .into_iter()
            .map(|found| found.text)
            .collect()
    };
    assert_eq!(texts("let x = wan"), ["wanted", "wander"]);
    assert_eq!(texts(":va"), ["vars"]);
    assert_eq!(texts("wanted."), Vec::<String>::new());
    assert_eq!(
        scope.inspect("wanted", 3).unwrap().plain,
        "wanted: Vec<u8>\ndefined in cell [1]"
    );
    assert_eq!(
        scope.inspect("wander(1)", 0).unwrap().plain,
        "fn wander(steps: usize) -> usize\ndefined in cell [1]"
    );
    assert_eq!(scope.inspect("unknown", 0), None);
}
