//! What cells print: at once, in order, byte for byte, and not without end.

use loopbot_engine::{Event, FailureKind};

use crate::notebook::{Notebook, plain};

/// The text of some events, one character of each stream in front of it.
fn text(events: Vec<Event>) -> (String, String, String) {
    let (mut both, mut out, mut err) = (String::new(), String::new(), String::new());
    for event in events {
        match event {
            Event::Stdout(text) => {
                both += &text;
                out += &text;
            }
            Event::Stderr(text) => {
                both += &text;
                err += &text;
            }
            other => panic!("{other:?}"),
        }
    }
    (both, out, err)
}

/// Runs a cell: everything it printed in order, and what of it to which stream.
#[track_caller]
fn printed(notebook: &mut Notebook, code: &str) -> (String, String, String) {
    notebook.events();
    let outcome = notebook.run(code);
    assert!(
        matches!(outcome, loopbot_engine::Outcome::Done { .. }),
        "{outcome:?}"
    );
    text(notebook.events())
}

#[test]
fn both_streams_keep_the_order_of_the_calls() {
    let mut notebook = Notebook::new();
    let expected: String = (0..200)
        .map(|i| format!("out {i}\nerr {i}\n{i}[line 2] i + 1 = {}\n", i + 1))
        .collect();
    let (both, out, err) = printed(
        &mut notebook,
        "for i in 0..200 { println!(\"out {i}\"); eprintln!(\"err {i}\"); print!(\"{i}\");\ndbg!(i + 1); }",
    );
    assert_eq!(both, expected);
    assert!(!out.contains("err") && !err.contains("out"));
    // In functions, modules and threads, too.
    let code = "mod inner { pub fn say(i: u32) { println!(\"a{i}\"); eprintln!(\"b{i}\"); } }\n\
                for i in 0..100 { inner::say(i); std::thread::spawn(move || { eprint!(\"c{i}\"); println!() }).join().unwrap(); }";
    let expected: String = (0..100).map(|i| format!("a{i}\nb{i}\nc{i}\n")).collect();
    assert_eq!(printed(&mut notebook, code).0, expected);
}

#[test]
fn each_of_many_threads_keeps_its_own_order() {
    let mut notebook = Notebook::new();
    let code = "let flood = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));\n\
                let more = flood.clone();\n\
                let t = std::thread::spawn(move || { while more.load(std::sync::atomic::Ordering::Relaxed) { println!(\"flood\"); } });\n\
                for i in 0..50 { println!(\"out {i};\"); eprintln!(\"err {i};\"); }\n\
                flood.store(false, std::sync::atomic::Ordering::Relaxed); t.join().unwrap();";
    let both = printed(&mut notebook, code).0;
    let place = |text: String| both.find(&text).unwrap_or_else(|| panic!("no {text}"));
    for i in 0..50 {
        assert!(place(format!("out {i};")) < place(format!("err {i};")));
        assert!(i == 0 || place(format!("err {};", i - 1)) < place(format!("out {i};")));
    }
}

#[test]
fn a_lock_on_one_stream_does_not_stop_the_other() {
    let mut notebook = Notebook::new();
    let code = "let lock = std::io::stdout().lock();\n\
                std::thread::spawn(|| eprintln!(\"still\")).join().unwrap();\n\
                drop(lock); println!(\"here\");";
    assert_eq!(printed(&mut notebook, code).0, "still\nhere\n");
}

#[test]
fn the_report_of_a_panic_stands_where_it_happened() {
    let mut notebook = Notebook::new();
    let code = "for i in 0..20 { std::thread::spawn(move || {\n\
                println!(\"before {i}\"); let _ = std::panic::catch_unwind(|| panic!(\"oh\")); println!(\"after {i}\");\n\
                }).join().unwrap(); }";
    let both = plain(&printed(&mut notebook, code).0);
    let lines: Vec<&str> = both
        .lines()
        .filter(|line| {
            line.starts_with("before") || line.starts_with("after") || line.starts_with("error")
        })
        .collect();
    let expected: Vec<String> = (0..20)
        .flat_map(|i| {
            let panic = "error: a thread panicked: oh".to_owned();
            [format!("before {i}"), panic, format!("after {i}")]
        })
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn an_own_macro_of_that_name_wins() {
    let mut notebook = Notebook::new();
    let own = "macro_rules! println { ($($t:tt)*) => { std::eprintln!(\"mine: {}\", format!($($t)*)) } }\n";
    notebook.check(&format!("{own}println!(\"{{}}\", 1);"), "mine: 1");
    notebook.check("println!(\"{}\", 2);", "mine: 2");
    notebook.check("fn f() { println!(\"{}\", 3) }\nf();", "mine: 3");
    notebook.check(
        "mod m { #[macro_export] macro_rules! loud { ($t:tt) => { std::println!(\"{}!\", $t) } } pub use loud as eprint; }\nuse m::eprint;\neprint!(\"a\");",
        "a!",
    );
    notebook.check("eprint!(\"b\");", "b!");
}

#[test]
fn mistakes_in_printing_name_the_learners_line() {
    let mut notebook = Notebook::new();
    let failed = notebook.fail("struct S;\nprintln!(\"{}\", S);");
    assert_eq!(failed.place, Some((2, 16)));
    failed.says(&["`S` doesn't implement `std::fmt::Display`"]);
    notebook
        .fail("struct T;\ndbg!(T);")
        .says(&["`T` doesn't implement `Debug`", "derive(Debug)"]);
    let failed = notebook.fail("println!(\"{} {}\", 1);");
    assert_eq!(failed.place, Some((1, 11)));
}

#[test]
fn bytes_arrive_as_they_were_written() {
    let mut notebook = Notebook::new();
    let code = "use std::io::Write;\n\
                let mut out = std::io::stdout();\n\
                for piece in [&b\"a\\r\\n\\0\\x1b[31m\\xff|\\xc3\"[..], b\"\\xa4|\\xe2\\x82\", b\"\\xac|\\xf0\\x9f\", b\"|end\\n\\xe2\"] {\n\
                    out.write_all(piece).unwrap(); out.flush().unwrap(); eprint!(\".\");\n\
                }";
    let (_, out, err) = printed(&mut notebook, code);
    assert_eq!(out, "a\r\n\0\u{1b}[31m\u{fffd}|ä|€|\u{fffd}|end\n\u{fffd}");
    assert_eq!(err, "....");
}

#[test]
fn a_flood_of_a_thread_that_outlives_its_cell_stops_nothing() {
    let mut notebook = Notebook::new();
    notebook.run(
        "let go = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));\nlet more = go.clone();\n\
         let flood = std::thread::spawn(move || { while more.load(std::sync::atomic::Ordering::SeqCst) { println!(\"flood\"); } println!(\"last words\"); });",
    );
    let heard = notebook.printed("last words");
    assert_eq!(notebook.result("1 + 1"), "2");
    notebook.run("go.store(false, std::sync::atomic::Ordering::SeqCst); flood.join().unwrap();");
    let hang = std::time::Duration::from_secs(60);
    heard.recv_timeout(hang).unwrap();
}

#[test]
fn a_runaway_loop_is_cut_short_on_the_page_and_its_last_lines_are_kept() {
    let mut notebook = Notebook::new();
    notebook.run(":output 1");
    let (both, out, err) = printed(
        &mut notebook,
        "for i in 0..200_000 { println!(\"line {i}\") }",
    );
    assert!(out.len() < (1 << 20) + 1000 && out.starts_with("line 0\nline 1\n"));
    assert!(both.ends_with("line 199998\nline 199999\n"));
    for part in [
        "has printed 1 MiB",
        ":output all",
        "■",
        "lines (",
        "left out …",
    ] {
        assert!(err.contains(part), "no {part:?} in {err}");
    }
    let all: String = (0..200_000).map(|i| format!("line {i}\n")).collect();
    notebook.run(":output 4");
    let (both, ..) = printed(
        &mut notebook,
        "for i in 0..200_000 { println!(\"line {i}\") }",
    );
    assert!(both == all, "200,000 lines are shown");
}

#[test]
fn a_runaway_loop_is_interrupted_where_it_prints_and_loses_nothing() {
    let mut notebook = Notebook::new();
    notebook.check("let mut rounds = 0_u64; let kept = Box::new(7);", "");
    for code in [
        "loop { rounds += 1; println!(\"x\"); }",
        "loop { rounds += 1; eprint!(\"y\"); println!(\"x\"); tokio::task::yield_now().await; }",
    ] {
        let (interrupter, printed) = (notebook.interrupter(), notebook.printed("x"));
        let stop = std::thread::spawn(move || {
            printed.recv().unwrap();
            interrupter.interrupt();
        });
        let failed = notebook.fail(code);
        stop.join().unwrap();
        assert_eq!(failed.failure.kind, FailureKind::Interrupted);
        failed.says(&["interrupted where it waited", "as the cell left them"]);
    }
    notebook.check("(rounds > 1, *kept)", "(true, 7)");
    // The interrupt is over.
    notebook.check("println!(\"again\");", "again");
}
