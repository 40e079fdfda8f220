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

#[test]
fn await_and_question_mark_stand_wherever_an_expression_may() {
    let mut notebook = Notebook::new();
    notebook.check("async fn f() -> i32 { 1 }\nasync fn g() -> Result<i32, String> { Ok(2) }\nasync fn bad() -> Result<i32, std::io::Error> { Err(std::io::Error::other(\"no luck\")) }", "");
    notebook.check("println!(\"{}\", f().await); assert_eq!(f().await, 1);\nlet v = vec![f().await, g().await?]; v", "1\n[1, 2]");
    notebook.check("if f().await == 1 { match g().await { Ok(n) if n == f().await + 1 => { let x = { f().await }; println!(\"{x}\") } _ => {} } }", "1");
    notebook.check("let add = async |x: i32| x + f().await; add(2).await", "3");
    notebook.check("async { f().await + 1 }.await", "2");
    notebook.check("let mut sum = 0; for _ in 0..2 { sum += f().await } while sum < 4 { sum += f().await; } sum", "4");
    notebook
        .fail("let kept = 5; let x = bad().await?;")
        .says(&["no luck"]);
    notebook.check("v.len()", "2");
    notebook.fail("kept").says(&["cell [7] ended early"]);
    notebook.check("tokio::select! { x = f() => println!(\"got {x}\"), _ = std::future::pending::<()>() => {} }", "got 1");
    notebook.check(
        "fn inner() -> Option<i32> { let x = Some(1)?; Some(x + 1) } inner()",
        "Some(2)",
    );
    notebook.check(
        "let m = std::sync::Mutex::new(1); *m.lock()? += 1; *m.lock()?",
        "2",
    );
    // What is neither Send nor Sync may be held across an `.await` of the cell itself.
    notebook.check("let rc = std::rc::Rc::new(1); f().await; rc", "1");
    notebook.check("f().await + *rc", "2");
}

#[test]
fn any_error_may_end_a_cell() {
    let mut notebook = Notebook::new();
    notebook.check("#[derive(Debug)] enum Mine { TooBig(u32) }\nfn mine() -> Result<(), Mine> { Err(Mine::TooBig(5)) }", "");
    notebook
        .fail("mine()?")
        .says(&["returned an error: TooBig(5)"]);
    notebook
        .fail("let b: Result<i32, Box<dyn std::error::Error>> = Err(\"boxed\".into()); b?")
        .says(&["returned an error: boxed"]);
    notebook
        .fail("let text = String::from(\"borrowed\"); Err(text.as_str())?;")
        .says(&["returned an error: borrowed"]);
    notebook
        .fail("struct Silent; Err(Silent)?;")
        .says(&["`Silent`", "Debug"]);
}

#[test]
fn tasks_live_on_while_later_cells_run() {
    let mut notebook = Notebook::new();
    notebook.check("let (tx, mut rx) = tokio::sync::mpsc::channel::<i32>(1); let (seen, mut wait) = tokio::sync::mpsc::channel(1);\nlet worker = tokio::spawn(async move { let mut sum = 0; while let Some(x) = rx.recv().await { sum += x; println!(\"{x}\"); seen.send(()).await.ok(); } sum });", "");
    for n in 1..3 {
        notebook.check(
            &format!("tx.send({n}).await?; wait.recv().await;"),
            &n.to_string(),
        );
    }
    notebook.check("drop(tx); worker.await?", "3");
    let spawn = "let task = tokio::spawn(async { tokio::task::yield_now().await; 7 });";
    notebook.check(spawn, "");
    notebook.check(spawn, "");
    notebook.check("task.await?", "7");
    notebook.check("fn outside() -> tokio::task::JoinHandle<i32> { tokio::spawn(async { 9 }) }\nlet handle = outside();", "");
    notebook.check("handle.await?", "9");
    notebook.check("let mut set = tokio::task::JoinSet::new(); set.spawn(async { 1 }); set.spawn(async { 2 });", "");
    notebook.check(
        "let mut total = 0; while let Some(one) = set.join_next().await { total += one?; } total",
        "3",
    );
    // A panic in a task is told with its line, and costs nothing but the task.
    let told = notebook.try_run("let lost = tokio::spawn(async {\n    None::<i32>.unwrap()\n});\nlet how = lost.await; how.is_err()").unwrap();
    assert!(
        told.contains("a Tokio task panicked")
            && told.contains("cell [12]:2:17")
            && told.ends_with("true"),
        "{told}"
    );
    notebook.check("total", "3");
}
