//! Crashes, hard stops and `:undo`: nothing of earlier cells is lost.

use std::time::Duration;

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

/// Runs a cell that ends its process, in a session with a variable and a static, both of which must be what they were.
fn check_crash(code: &str, says: &str) {
    let mut notebook = Notebook::new();
    notebook.check("use std::sync::atomic::{AtomicU32, Ordering::SeqCst};\nstatic COUNT: AtomicU32 = AtomicU32::new(1);\nlet mut v = vec![1];", "");
    notebook.check("COUNT.fetch_add(1, SeqCst); v.push(2);", "");
    let failed = notebook.fail(&format!("COUNT.fetch_add(1, SeqCst); v.push(3);\n{code}"));
    failed.says(&[says, "Everything is as it was before this cell"]);
    assert_eq!(failed.failure.kind, FailureKind::Crashed);
    notebook.check("(v.clone(), COUNT.load(SeqCst))", "([1, 2], 2)");
    // The next crash is no different from the first.
    notebook.fail("v.clear(); std::process::abort()");
    notebook.check("v", "[1, 2]");
}

#[test]
fn an_invalid_access_loses_nothing() {
    check_crash(
        "let address = std::hint::black_box(8usize); unsafe { (address as *mut u64).write_volatile(1) };",
        "an invalid memory access",
    );
}

#[test]
fn an_overflown_stack_loses_nothing() {
    check_crash(
        "fn deep(n: u64) -> u64 { let all = std::hint::black_box([n; 64]); deep(n + 1) + all[7] }\ndeep(0);",
        "its stack overflowed",
    );
}

#[test]
fn abort_and_exit_lose_nothing() {
    check_crash("std::process::abort();", "an abort");
    check_crash("std::process::exit(3);", "exit status 3");
}

#[test]
fn memory_that_cannot_be_had_loses_nothing() {
    check_crash(
        "let huge = vec![1u8; std::hint::black_box(1 << 46)]; drop(huge);",
        "memory ran out",
    );
}

#[test]
fn a_kill_from_outside_loses_nothing() {
    check_crash(
        "std::process::Command::new(\"sh\").args([\"-c\", \"kill -9 $PPID\"]).status();\nstd::thread::sleep(std::time::Duration::from_secs(60));",
        "it was killed",
    );
}

#[test]
fn the_end_of_all_processes_costs_variables_but_not_functions() {
    let mut notebook = Notebook::new();
    notebook.check("let x = 1; fn f() -> i32 { 7 }", "");
    let failed = notebook.fail("let parent = std::os::unix::process::parent_id();\nstd::process::Command::new(\"kill\").args([\"-9\", &parent.to_string()]).status()?;\nloop { std::thread::park() }");
    failed.says(&["ended from outside", "variables are gone"]);
    notebook.check("f()", "7");
    notebook.fail("x").says(&["`x` was lost when the process"]);
}

#[test]
fn a_cell_that_must_be_stopped_hard_loses_nothing_of_earlier_cells() {
    let mut notebook = Notebook::new();
    notebook.check("let mut v = vec![1];", "");
    let printed = notebook.printed("waiting");
    let interrupter = notebook.interrupter();
    let watcher = std::thread::spawn(move || {
        printed.recv_timeout(Duration::from_secs(60)).unwrap();
        interrupter.interrupt();
    });
    let failed = notebook.fail("v.push(2); println!(\"waiting\"); loop { std::hint::spin_loop() }");
    watcher.join().unwrap();
    assert_eq!(failed.failure.kind, FailureKind::Interrupted);
    failed.says(&[
        "did not stop by itself",
        "Everything is as it was before this cell",
    ]);
    notebook.check("v", "[1]");
}

#[test]
fn what_a_crash_takes_along_is_told() {
    let mut notebook = Notebook::new();
    notebook.check("let kept = 5;\nlet worker = std::thread::Builder::new().name(\"worker\".into()).spawn(|| loop { std::thread::park() });\nlet ticking = tokio::spawn(async { std::future::pending::<u8>().await });\nlet listener = std::net::TcpListener::bind(\"127.0.0.1:0\")?;", "");
    let failed = notebook.fail("std::process::abort()");
    failed.says(&["one thread and one Tokio task", "`ticking`, `listener`"]);
    notebook.check("kept", "5");
    notebook.check("tokio::spawn(async { 6 }).await?", "6");
    // The descriptor is nobody else's: using it is an error, not a surprise.
    notebook.check("listener.accept().is_err()", "true");
}

#[test]
fn a_checkpoint_keeps_no_one_waiting() {
    let mut notebook = Notebook::new();
    notebook.check(
        "use std::io::{Read, Write};\nuse std::net::{TcpListener, TcpStream};",
        "",
    );
    notebook.check("let first = TcpListener::bind(\"127.0.0.1:0\")?;\nlet place = first.local_addr()?;\nlet mut client = TcpStream::connect(place)?;\nlet (mut server, _) = first.accept()?;\nserver.write_all(b\"bye\")?;\ndrop((server, first));\nlet again = TcpListener::bind(place)?;\nlet mut heard = String::new();\nclient.read_to_string(&mut heard)?;\nheard", "\"bye\"");
    // The same across cells: the copies made in between hold none of it.
    notebook.check("let (mut reader, mut writer) = std::io::pipe()?;\nlet mut near = TcpStream::connect(again.local_addr()?)?;\nlet (far, _) = again.accept()?;", "");
    notebook.check("writer.write_all(b\"one\")?;", "");
    notebook.check("drop(writer); drop(far); drop(again);", "");
    notebook.check(
        "let mut all = String::new(); reader.read_to_string(&mut all)?; all",
        "\"one\"",
    );
    notebook.check("near.read(&mut [0])?", "0");
    notebook.check("TcpListener::bind(place).is_ok()", "true");
}

#[test]
fn undo_goes_back_one_cell_or_more() {
    let mut notebook = Notebook::new();
    notebook.fail(":undo").says(&["nothing to undo"]);
    notebook.check("let mut v = vec![1]; fn f() -> i32 { 1 }", "");
    notebook.check("v.push(2);", "");
    notebook.check("fn f() -> i32 { 2 } let gone = v;", "");
    notebook.check("f()", "2");
    notebook.check(
        ":undo 2",
        "Undone: cells [4], [5]. Variables, functions and types are as they were before.",
    );
    notebook.check("(f(), v.len())", "(1, 2)");
    notebook.check(
        ":undo 2",
        "Undone: cells [3], [7]. Variables, functions and types are as they were before.",
    );
    notebook.check("v", "[1]");
    notebook
        .fail(":undo 9")
        .says(&["only the last 2 can be undone"]);
    notebook
        .fail(":undo all")
        .says(&["takes the number of cells"]);
    // What a failed cell did can be undone, too.
    notebook.fail("v.push(7); panic!()");
    notebook.check("v", "[1, 7]");
    notebook.check(
        ":undo 2",
        "Undone: cells [12], [13]. Variables, functions and types are as they were before.",
    );
    notebook.check("v", "[1]");
}

#[test]
fn threads_and_tasks_are_listed_and_stopped() {
    let mut notebook = Notebook::new();
    notebook.check(":threads", "Nothing runs besides the cells.");
    notebook.check("let x = 5;\nlet (tell, told) = std::sync::mpsc::channel();\nlet a = std::thread::Builder::new().name(\"worker\".into()).spawn(move || { tell.send(()).unwrap(); loop { std::thread::park() } });\ntold.recv()?;", "");
    notebook.check(
        "for _ in 0..3 {\n    tokio::spawn(std::future::pending::<()>());\n}",
        "",
    );
    notebook.check(":threads", "Threads that run:\n  `worker`, started in cell [2]\nTokio tasks that have not ended:\n  3, spawned at cell [3], line 2\n`:threads stop` ends them all and keeps the variables.");
    let shown = notebook.try_run(":threads stop").unwrap();
    assert!(shown.contains("one thread and 3 Tokio tasks"), "{shown}");
    notebook.check(":threads", "Nothing runs besides the cells.");
    notebook.check("x", "5");
}

#[test]
fn the_runtime_can_be_chosen() {
    let mut notebook = Notebook::new();
    let workers = "tokio::runtime::Handle::current().metrics().num_workers()";
    notebook.check(":runtime multi_thread 3", "Cells run on a Tokio runtime with 3 worker threads from here on; tasks of the earlier one have ended.");
    notebook.check(workers, "3");
    notebook.check(":runtime current_thread", "Cells run on a Tokio runtime of one thread from here on; tasks of the earlier one have ended. Tasks run only while a cell awaits.");
    notebook.check(
        "tokio::time::pause(); tokio::time::sleep(std::time::Duration::from_secs(86_400)).await; 1",
        "1",
    );
    // The choice outlives a crash, with a checkpoint and without.
    notebook.fail("std::process::abort()");
    notebook.check(workers, "1");
    notebook.check(
        ":checkpoint off",
        "Cells begin without a checkpoint: a crash or a hard stop loses the variables.",
    );
    notebook.check("let x = 1;", "");
    notebook.fail(":undo").says(&["nothing to undo"]);
    notebook
        .fail("std::process::abort()")
        .says(&["variables are gone"]);
    notebook.fail("x").says(&["`x` was lost when the process"]);
    notebook.check(workers, "1");
    notebook
        .fail(":runtime fast")
        .says(&["takes `current_thread`"]);
}
