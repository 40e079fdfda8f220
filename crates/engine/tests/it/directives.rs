//! Lines that begin with a colon, completion and inspection.

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

#[test]
fn variables_and_types_are_listed() {
    let mut notebook = Notebook::new();
    notebook.check(":vars", "No variables yet.");
    notebook.check("let mut names = vec![String::new()]; let n = 1.5;", "");
    notebook.check(":vars", "mut names: Vec<String>\nn: f64");
    notebook.check(
        ":type names.iter().map(|name| name.len()).collect::<Vec<_>>()",
        "names.iter().map(|name| name.len()).collect::<Vec<_>>(): Vec<usize>",
    );
    notebook
        .fail(":type nothing")
        .says(&["cannot find value `nothing`"]);
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
        "Cells that follow are compiled with optimisation 2.",
    );
    notebook.check("(1..=10u64).product::<u64>()", "3628800");
    assert!(notebook.try_run(":timing\n1").unwrap().contains("took"));
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
