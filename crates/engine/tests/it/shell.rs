//! Lines that begin with `!`.

use std::time::Duration;

use loopbot_engine::{Event, FailureKind};

use crate::notebook::Notebook;

#[test]
fn a_command_shows_what_it_prints_and_then_the_code_runs() {
    let mut notebook = Notebook::new();
    notebook.check("!echo hällo; echo twice\n1 + 1", "hällo\ntwice\n2");
    notebook.events();
    notebook.run("!echo out; echo err >&2");
    let mut events = notebook.events();
    events.sort_by_key(|event| matches!(event, Event::Stderr(_)));
    assert_eq!(
        events,
        [Event::Stdout("out\n".into()), Event::Stderr("err\n".into())]
    );
    notebook.check(":sh test -f Cargo.toml && echo here", "here");
    notebook.check("!cat", "");
}

#[test]
fn rust_that_begins_with_an_exclamation_mark_stays_rust() {
    let mut notebook = Notebook::new();
    notebook.check("let done = false; let test = true;", "");
    notebook.check("!done", "true");
    notebook.check("!test", "false");
    notebook.check("!done && test", "true");
    notebook.check("let sort = true;\n!sort", "false");
    notebook.check("let a =\n!true; a", "false");
    notebook
        .fail("!no_such_thing")
        .says(&["`no_such_thing` is no variable, and no program"]);
}

#[test]
fn a_command_that_ends_badly_fails_the_cell() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("!echo before; exit 3\nprintln!(\"ran\");");
    failed.says(&["the command ended with status 3", "in line 1: !echo before"]);
    assert_eq!(failed.failure.kind, FailureKind::Directive);
    assert_eq!(notebook.events(), [Event::Stdout("before\n".into())]);
    notebook
        .fail("1;\n!kill -9 $$")
        .says(&["ended by signal 9", "in line 2"]);
    notebook.fail("!cd ..").says(&["set_current_dir"]);
    notebook.fail(":sh").says(&["needs a command"]);
}

#[test]
fn a_command_can_be_interrupted() {
    let mut notebook = Notebook::new();
    let started = notebook.printed("started");
    let interrupter = notebook.interrupter();
    let watcher = std::thread::spawn(move || {
        started.recv_timeout(Duration::from_secs(60)).unwrap();
        interrupter.interrupt();
    });
    let failed = notebook.fail("!echo started; sleep 1000\n1");
    watcher.join().unwrap();
    assert_eq!(failed.failure.kind, FailureKind::Interrupted);
    notebook.check("1", "1");
}
