//! Awaiting, tasks that live across cells, output while a cell runs, interrupting.

use std::time::Duration;

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

#[test]
fn cells_await_at_top_level_on_one_runtime() {
    let mut notebook = Notebook::new();
    notebook.check(
        ":dep tokio = { version = \"1\", features = [\"full\"] }\n:dep futures = \"0.3\"",
        "",
    );
    notebook.check("async fn work(n: u32, tx: tokio::sync::mpsc::Sender<u32>) { for i in 0..n { tokio::time::sleep(std::time::Duration::from_millis(1)).await; tx.send(i).await.unwrap(); } }", "");
    notebook.check(
        "let (tx, mut rx) = tokio::sync::mpsc::channel(8);\nlet task = tokio::spawn(work(5, tx));",
        "",
    );
    notebook.check(
        "let mut sum = 0; while let Some(x) = rx.recv().await { sum += x; } sum",
        "10",
    );
    notebook.check("task.await.is_ok()", "true");
    notebook.check(
        "let (a, b) = tokio::join!(async { 1 }, async { 2 }); a + b",
        "3",
    );
    notebook.check("tokio::spawn(async { 7 }).await?", "7");
    notebook.check("tokio::spawn(async { 7 }).await?", "7");
    notebook.check("let handle = tokio::spawn(async { 8 });", "");
    notebook.check("handle.await?", "8");
}

#[test]
fn a_cell_may_build_a_runtime_of_its_own() {
    let mut notebook = Notebook::new();
    notebook.check(
        "let own = tokio::runtime::Runtime::new()?; own.block_on(async { 5 })",
        "5",
    );
    notebook.check("own.block_on(async { 6 })", "6");
}

#[test]
fn an_awaiting_cell_is_cancelled_and_keeps_what_it_did() {
    let mut notebook = Notebook::new();
    notebook.check("let mut v = vec![1];", "");
    let interrupter = notebook.interrupter();
    let failed = interrupt_when_running(
        &mut notebook,
        interrupter,
        "v.push(2); println!(\"waiting\"); std::future::pending::<()>().await;",
    );
    assert_eq!(failed, FailureKind::Interrupted);
    notebook.check("v", "[1, 2]");
}

#[test]
fn a_busy_cell_is_ended_and_the_next_one_runs() {
    let mut notebook = Notebook::new();
    notebook.check("fn f() -> i32 { 3 }", "");
    let interrupter = notebook.interrupter();
    let failed = interrupt_when_running(
        &mut notebook,
        interrupter,
        "println!(\"waiting\"); loop { std::hint::spin_loop() }",
    );
    assert_eq!(failed, FailureKind::Interrupted);
    notebook.check("f()", "3");
}

/// Interrupts the cell as soon as it has printed `waiting`.
fn interrupt_when_running(
    notebook: &mut Notebook,
    interrupter: loopbot_engine::Interrupter,
    code: &str,
) -> FailureKind {
    notebook.events();
    let printed = notebook.printed("waiting");
    let watcher = std::thread::spawn(move || {
        printed.recv_timeout(Duration::from_secs(60)).unwrap();
        interrupter.interrupt();
    });
    let failed = notebook.fail(code);
    watcher.join().unwrap();
    failed.failure.kind
}

#[test]
fn output_arrives_without_a_newline_and_in_order() {
    let mut notebook = Notebook::new();
    let printed = notebook.printed("no newline");
    let interrupter = notebook.interrupter();
    // The cell ends only because the text arrived while it was still running.
    let watcher = std::thread::spawn(move || {
        printed.recv_timeout(Duration::from_secs(60)).unwrap();
        interrupter.interrupt();
    });
    notebook.fail("print!(\"no newline\"); std::future::pending::<()>().await;");
    watcher.join().unwrap();
    notebook.check(
        "for i in 0..3 { print!(\"{i} \"); } println!(\"end\"); 5",
        "0 1 2 end\n5",
    );
}

#[test]
fn a_thread_that_outlives_its_cell_is_still_heard() {
    let mut notebook = Notebook::new();
    notebook.check("let (go, wait) = std::sync::mpsc::channel::<()>();\nlet late = std::thread::spawn(move || { wait.recv().unwrap(); println!(\"late\"); });", "");
    notebook.check("go.send(()).unwrap(); late.join().unwrap();", "late");
}

#[test]
fn panics_of_threads_and_tasks_name_the_line() {
    let mut notebook = Notebook::new();
    let shown = notebook.try_run("let t = std::thread::spawn(|| {\n    let v: Vec<i32> = vec![];\n    v[3]\n});\nt.join().is_err()").unwrap();
    assert!(
        shown.contains("a thread panicked: index out of bounds") && shown.contains("cell [1]:3:6"),
        "{shown}"
    );
    let shown = notebook
        .try_run("let r = tokio::spawn(async { panic!(\"in a task\") }).await;\nr.is_err()")
        .unwrap();
    assert!(
        shown.contains("a Tokio task panicked: in a task") && shown.ends_with("true"),
        "{shown}"
    );
}
