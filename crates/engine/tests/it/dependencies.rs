//! `:dep`: what a learner asks for, how it comes, and what it leaves alone. Crates are mostly made here, in a folder for
//! the test; from the registry come only a few small ones.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use loopbot_engine::FailureKind;

use crate::notebook::Notebook;

/// Writes a crate and says where.
fn write_crate(folder: &Path, name: &str, manifest: &str, files: &[(&str, &str)]) -> PathBuf {
    let place = folder.join(name);
    let package =
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write_all(&place, &[("Cargo.toml", &format!("{package}{manifest}"))]);
    write_all(&place, files);
    place
}

fn write_all(place: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = place.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A folder with the same name at each run of the test: what was built of it is found again, not built anew.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_crate_that_comes_later_leaves_everything_as_it_is() {
    let mut notebook = Notebook::new();
    notebook.check(
        "use std::sync::atomic::{AtomicU32, Ordering};
         static COUNT: AtomicU32 = AtomicU32::new(0);
         COUNT.store(7, Ordering::SeqCst);
         fn twice(n: u32) -> u32 { 2 * n }
         #[derive(Debug)] struct Robot { pages: u32 }
         let robot = Robot { pages: 3 };
         let process = std::process::id();
         let notify = std::any::TypeId::of::<tokio::sync::Notify>();
         let (sender, receiver) = tokio::sync::oneshot::channel::<String>();
         let task = tokio::spawn(async { 5 });",
        "",
    );
    notebook.check(
        ":dep itoa = \"1\"\nitoa::Buffer::new().format(twice(robot.pages)).to_owned()",
        "\"6\"",
    );
    notebook.check("process == std::process::id()", "true");
    notebook.check("COUNT.load(Ordering::SeqCst)", "7");
    // One Tokio: its types are the same, what was made before is of use, its runtime is at hand.
    notebook.check(
        "notify == std::any::TypeId::of::<tokio::sync::Notify>()",
        "true",
    );
    notebook.check(
        "tokio::spawn(async move { sender.send(format!(\"{}\", itoa::Buffer::new().format(9))) });
         (receiver.await.unwrap(), task.await.unwrap(), tokio::runtime::Handle::try_current().is_ok())",
        "(\"9\", 5, true)",
    );
    // A second layer, and a crate in it that is a type of its own and a macro: serde with `derive`.
    notebook.check(
        ":dep serde = { version = \"1\", features = [\"derive\"] }
         #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
         struct Page { number: u32 }
         fn is_written<T: serde::Serialize>(_: &T) -> bool { true }
         let page = Page { number: 1 };
         (is_written(&page), is_written(&robot.pages), robot.pages)",
        "(true, true, 3)",
    );
    notebook.check(
        "(page.number, itoa::Buffer::new().format(page.number).len())",
        "(1, 1)",
    );
    notebook.check("process == std::process::id()", "true");
    // A crate whose own needs reach deep below: into the macros of Tokio and into futures.
    notebook.check(
        ":dep async-trait = \"0.1\"\n:dep tokio-stream = { version = \"0.1\", features = [\"sync\"] }\n\
         use tokio_stream::StreamExt;\n\
         tokio_stream::iter([1, 2, 3]).map(|n| n * 2).collect::<Vec<_>>().await",
        "[2, 4, 6]",
    );
    notebook.check("process == std::process::id()", "true");
    // Types have the names that a learner knows, whichever way rustc reaches them.
    notebook.check("fn made() -> itoa::Buffer { itoa::Buffer::new() } fn woken() -> tokio::sync::Notify { tokio::sync::Notify::new() }", "");
    notebook.check("let (buffer, notify) = (made(), woken());", "");
    let shown = notebook.try_run(":vars").unwrap();
    assert!(
        shown.contains("buffer: itoa::Buffer  ")
            && shown.contains("\nnotify: tokio::sync::Notify  "),
        "{shown}"
    );
    notebook
        .fail("let wrong: u8 = made();")
        .says(&["expected `u8`, found `Buffer`"]);
    // What is there is not asked for again.
    notebook.progress();
    notebook.check(":dep serde = \"1\"\n:dep itoa = \"*\"\n:dep tokio = { version = \"1\", features = [\"full\"] }\ntwice(1)", "2");
    assert_eq!(notebook.progress(), Vec::<String>::new());
}

#[test]
fn crates_that_were_not_asked_for_stay_invisible() {
    let mut notebook = Notebook::new();
    // All of these are inside what is loaded: behind the lesson libraries, behind serde.
    notebook.check(
        ":dep serde = { version = \"1\", features = [\"derive\"] }",
        "",
    );
    for (code, name) in [
        ("use bytes::Bytes;", "bytes"),
        ("libc::getpid()", "libc"),
        ("serde_core::Serialize", "serde_core"),
        ("extern crate mio;", "mio"),
        ("extern crate libc;", "libc"),
        ("use loopbot_runtime::wire;", "loopbot_runtime"),
    ] {
        notebook.fail(code).says(&[name, ":dep"]);
    }
}

#[test]
fn crates_by_path_come_with_all_that_cargo_knows() {
    // Outside the project's own workspace, because of the one in it.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_all(
        folder,
        &[(
            "family/Cargo.toml",
            "[workspace]\nmembers = [\"heir\"]\n[workspace.package]\nedition = \"2021\"\n\
             [workspace.dependencies]\nitoa = \"1\"\n",
        )],
    );
    // Edition and a dependency are inherited.
    write_all(
        &folder.join("family/heir"),
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"heir\"\nversion = \"1.2.3\"\nedition.workspace = true\n\
                 [dependencies]\nitoa.workspace = true\n",
            ),
            (
                "src/lib.rs",
                "pub fn text(n: u32) -> String { itoa::Buffer::new().format(n).into() }\n",
            ),
        ],
    );
    // A name with a dash, a feature, a library with a name of its own.
    write_crate(
        folder,
        "dashed-one",
        "[lib]\nname = \"plain_name\"\n[features]\nmore = []\n",
        &[(
            "src/lib.rs",
            "pub struct Kept(pub u32);\n#[cfg(feature = \"more\")]\npub fn more() -> u32 { 8 }\n",
        )],
    );
    // A macro by procedure.
    write_crate(
        folder,
        "answering",
        "[lib]\nproc-macro = true\n",
        &[(
            "src/lib.rs",
            "use proc_macro::TokenStream;\n\
             #[proc_macro]\npub fn answer(_: TokenStream) -> TokenStream { \"42\".parse().unwrap() }\n\
             #[proc_macro_derive(Named)]\npub fn named(item: TokenStream) -> TokenStream {\n\
                let name = item.into_iter().skip_while(|token| token.to_string() != \"struct\").nth(1).unwrap();\n\
                format!(\"impl {name} {{ fn name() -> &'static str {{ \\\"{name}\\\" }} }}\").parse().unwrap()\n}\n",
        )],
    );
    // C code, compiled by a build script.
    write_crate(
        folder,
        "with-c",
        "[build-dependencies]\ncc = \"1\"\n",
        &[
            (
                "build.rs",
                "fn main() { cc::Build::new().file(\"add.c\").compile(\"add\"); }\n",
            ),
            (
                "add.c",
                "static int calls; int c_add(int a, int b) { calls++; return a + b; } int c_calls(void) { return calls; }\n",
            ),
            (
                "src/lib.rs",
                "unsafe extern \"C\" { pub fn c_add(a: i32, b: i32) -> i32; pub fn c_calls() -> i32; }\n\
                 pub fn add(a: i32, b: i32) -> i32 { unsafe { c_add(a, b) } }\n\
                 #[inline]\npub fn calls() -> i32 { unsafe { c_calls() } }\n",
            ),
        ],
    );
    let at = |name: &str| folder.join(name).display().to_string();
    let mut notebook = Notebook::new();
    notebook.check("let earlier = String::from(\"kept\");", "");
    notebook.check(
        &format!(
            ":dep {}\n:dep renamed = {{ package = \"dashed-one\", path = {:?}, features = [\"more\"] }}\n\
             :dep {}\n:dep {}\nlet kept = renamed::Kept(1);\n\
             (heir::text(5), renamed::more(), answering::answer!(), with_c::add(2, 3))",
            at("family/heir"),
            at("dashed-one"),
            at("answering"),
            at("with-c"),
        ),
        "(\"5\", 8, 42, 5)",
    );
    notebook.check("(kept.0, &earlier)", "(1, \"kept\")");
    notebook.check(
        "#[derive(answering::Named)] struct Loop; Loop::name()",
        "\"Loop\"",
    );
    notebook.check("with_c::add(1, 1)", "2");
    // C functions that the cell itself calls: there is one copy of them.
    if cfg!(target_os = "linux") {
        notebook.check(
            "(with_c::calls(), unsafe { with_c::c_add(1, 2) }, with_c::calls())",
            "(2, 3, 3)",
        );
    }
    notebook.fail("plain_name::Kept(1)").says(&["plain_name"]);
}

#[test]
fn an_edited_crate_by_path_is_used_as_it_is_now() {
    let folder = folder("edited");
    let place = write_crate(
        &folder,
        "tiny-one",
        "",
        &[("src/lib.rs", "pub fn answer() -> u32 { 42 }\n")],
    );
    let ask = format!(":dep {}\ntiny_one::answer()", place.display());
    let mut notebook = Notebook::new();
    notebook.check(&ask, "42");
    notebook.check("let names = 3; fn wander() {}", "");
    notebook.check(&ask, "42");
    notebook.check("names", "3");
    write_all(&place, &[("src/lib.rs", "pub fn answer() -> u32 { 43 }\n")]);
    // A process cannot hold both, so what is gone is said, and what to do.
    let shown = notebook.try_run(&ask).unwrap();
    assert!(shown.ends_with("43"), "{shown}");
    for part in ["`tiny-one`", "(names, wander)", "Run those cells again"] {
        assert!(shown.contains(part), "no {part:?} in: {shown}");
    }
    notebook.fail("names").says(&["names"]);
    // With nothing to lose there is nothing to say.
    write_all(&place, &[("src/lib.rs", "pub fn answer() -> u32 { 44 }\n")]);
    let mut notebook = Notebook::new();
    notebook.check(&ask, "44");
}

#[test]
fn what_would_change_a_loaded_library_starts_a_new_process_and_says_so() {
    let mut notebook = Notebook::new();
    notebook.check("let process = std::process::id(); let n = 1;", "");
    // A feature of a crate that is inside the lesson libraries.
    let ask = ":dep futures = { version = \"0.3\", features = [\"write-all-vectored\"] }";
    let shown = notebook.try_run(ask).unwrap();
    for part in ["`futures`", "(process, n)", "in the first cell"] {
        assert!(shown.contains(part), "no {part:?} in: {shown}");
    }
    notebook.fail("n").says(&["cannot find value `n`"]);
    // Still one Tokio, the one that runs the cells, and layers come on top as before.
    notebook.check("let kept = tokio::spawn(async { 2 }).await.unwrap();", "");
    notebook.check(
        ":dep itoa = \"1\"\n(itoa::Buffer::new().format(kept).len(), futures::executor::block_on(async { 3 }))",
        "(1, 3)",
    );
    notebook.check("kept", "2");
}

#[test]
fn another_version_takes_the_name_and_leaves_the_rest() {
    let folder = folder("another_version");
    let version = |version: &str, text: &str| {
        let place = folder.join(version);
        let manifest = format!(
            "[package]\nname = \"versioned\"\nversion = \"{version}\"\nedition = \"2024\"\n"
        );
        write_all(&place, &[("Cargo.toml", &manifest), ("src/lib.rs", text)]);
        format!(":dep versioned = {{ path = {place:?} }}")
    };
    let first = version("1.0.0", "pub struct Value(pub u32);\n");
    let second = version("2.0.0", "pub struct Value(pub String);\n");
    let mut notebook = Notebook::new();
    notebook.check(
        &format!("{first}\nlet value = versioned::Value(1); let values = vec![versioned::Value(2)]; let n = 3;"),
        "",
    );
    let shown = notebook.try_run(&second).unwrap();
    for part in ["`versioned`", "another version", "(value, values)"] {
        assert!(shown.contains(part), "no {part:?} in: {shown}");
    }
    notebook.check("(n, versioned::Value(\"new\".into()).0)", "(3, \"new\")");
    notebook
        .fail("value")
        .says(&["replaced by another version"]);
    // And back again.
    notebook.check(&first, "");
    notebook.check("(n, versioned::Value(1).0)", "(3, 1)");
}

#[test]
fn a_lesson_that_was_moved_finds_its_crates() {
    let mut notebook = Notebook::new();
    notebook.check(
        ":dep loopbot = { path = \"../../no/such/folder/loopbot\" }\n\
         :dep tokio = { version = \"1\", features = [\"full\"] }\nuse loopbot::prelude::*;\n1",
        "1",
    );
}

#[test]
fn macros_of_the_lesson_crates_find_their_crates() {
    let mut notebook = Notebook::new();
    notebook.check(
        "tokio::select! {
             _ = std::future::pending::<()>() => 1,
             two = async { 2 } => two,
         }",
        "2",
    );
    // A runtime of its own, so outside the one that an awaiting cell runs in.
    notebook.check(
        "#[tokio::main]\nasync fn main() { println!(\"main\"); }",
        "note: `main` is defined; to run it, call it: `main()`",
    );
    notebook.check("main()", "main");
    notebook.check("futures::join!(async { 1 }, async { 2 })", "(1, 2)");
    notebook.check(
        "use plotters::prelude::*;
         let mut text = String::new();
         {
             let area = SVGBackend::with_string(&mut text, (40, 30)).into_drawing_area();
             area.fill(&WHITE).unwrap();
             area.present().unwrap();
         }
         text.starts_with(\"<svg\")",
        "true",
    );
}

#[test]
fn a_second_tokio_is_refused() {
    let folder = folder("second_tokio");
    let text = &[("src/lib.rs", "pub fn spawn() {}\n")];
    let tokio = write_crate(&folder, "tokio", "", text);
    let user = write_crate(
        &folder,
        "user-of-another",
        &format!("[dependencies]\ntokio = {{ path = {tokio:?} }}\n"),
        text,
    );
    let mut notebook = Notebook::new();
    notebook.check("let n = 1;", "");
    for ask in [
        format!(":dep tokio = {{ path = {tokio:?} }}"),
        format!(":dep {}", user.display()),
    ] {
        let failed = notebook.fail(&ask);
        failed.says(&["needs Tokio 0.1.0, but the lessons use Tokio 1."]);
        assert_eq!(failed.failure.kind, FailureKind::Directive);
    }
    notebook.check("tokio::spawn(async move { n }).await.unwrap()", "1");
}

#[test]
fn what_cannot_be_built_leaves_the_session_as_it_was() {
    let folder = folder("broken");
    let good = write_crate(
        &folder,
        "good",
        "",
        &[("src/lib.rs", "pub fn one() -> u32 { 1 }\n")],
    );
    let broken = write_crate(
        &folder,
        "broken-one",
        "",
        &[("src/lib.rs", "pub fn one() -> u32 {\n    \"text\"\n}\n")],
    );
    let unscripted = write_crate(
        &folder,
        "unscripted",
        "",
        &[
            ("src/lib.rs", ""),
            ("build.rs", "fn main() { panic!(\"no luck\"); }\n"),
        ],
    );
    let program = write_crate(&folder, "program", "", &[("src/main.rs", "fn main() {}\n")]);
    let mut notebook = Notebook::new();
    notebook.check(
        &format!(":dep {}\nlet kept = vec![good::one()];", good.display()),
        "",
    );
    let failed = notebook.fail(&format!(
        ":dep itoa = \"1\"\n:dep {}\nlet never = 1;",
        broken.display()
    ));
    for part in [
        "`broken-one` does not compile: mismatched types",
        "src/lib.rs:2",
        "Nothing has changed",
    ] {
        assert!(
            failed.report.contains(part),
            "no {part:?} in: {}",
            failed.report
        );
    }
    for leak in ["layer_", "lessons_", "cache"] {
        assert!(
            !failed.report.contains(leak),
            "{leak:?} in: {}",
            failed.report
        );
    }
    // The line that is to blame.
    assert_eq!(failed.place, Some((2, 1)));
    notebook
        .fail(&format!(":dep {}", unscripted.display()))
        .says(&["unscripted", "no luck"]);
    notebook
        .fail(&format!(":dep {}", program.display()))
        .says(&["program", "library"]);
    notebook
        .fail(&format!(
            ":dep good = {{ path = {good:?}, features = [\"nowhere\"] }}"
        ))
        .says(&["good", "nowhere"]);
    notebook
        .fail(&format!(":dep ab = {{ path = {folder:?} }}"))
        .says(&["ab"]);
    notebook.check("(kept[0], good::one())", "(1, 1)");
    notebook.fail("never").says(&["never"]);
    // Mended, it works, and the rest is still there.
    write_all(&broken, &[("src/lib.rs", "pub fn one() -> u32 { 1 }\n")]);
    notebook.check(
        &format!(":dep {}\nbroken_one::one() + kept[0]", broken.display()),
        "2",
    );
}

#[test]
fn an_interrupt_stops_a_build_and_nothing_else() {
    let folder = folder("interrupted");
    let socket = folder.join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    // Its build script says that it runs, and then waits for ever.
    let place = write_crate(
        &folder,
        "slow-one",
        "",
        &[
            ("src/lib.rs", "pub fn one() -> u32 { 1 }\n"),
            (
                "build.rs",
                &format!(
                    "use std::io::Read;\nfn main() {{\n    let mut line = std::os::unix::net::UnixStream::connect({socket:?}).unwrap();\n    let _ = line.read(&mut [0]);\n}}\n"
                ),
            ),
        ],
    );
    let mut notebook = Notebook::new();
    notebook.check("let kept = 1u32;", "");
    let interrupter = notebook.interrupter();
    let interrupting = std::thread::spawn(move || {
        let (mut script, _) = listener.accept().unwrap();
        interrupter.interrupt();
        // It ends because it is ended.
        assert_eq!(script.read(&mut [0]).unwrap_or(0), 0);
    });
    let failed = notebook.fail(&format!(":dep {}\nlet never = 1;", place.display()));
    assert_eq!(failed.failure.kind, FailureKind::Interrupted);
    interrupting.join().unwrap();
    notebook.check("kept", "1");
    write_all(&place, &[("build.rs", "fn main() {}\n")]);
    notebook.check(
        &format!(":dep {}\nslow_one::one() + kept", place.display()),
        "2",
    );
}

#[test]
fn crates_come_out_of_git() {
    let folder = folder("by_git");
    let place = write_crate(
        &folder,
        "from-git",
        "",
        &[(
            "src/lib.rs",
            "pub fn origin() -> &'static str { \"git\" }\n",
        )],
    );
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=LoopBot",
            "-c",
            "user.email=loopbot@example.org",
            "commit",
            "--quiet",
            "--message",
            "First",
        ],
    ] {
        let git = Command::new("git")
            .current_dir(&place)
            .args(arguments)
            .status();
        assert!(git.expect("this test needs git").success());
    }
    let mut notebook = Notebook::new();
    notebook.check("let kept = 1;", "");
    notebook.check(
        &format!(
            ":dep from-git = {{ git = \"file://{}\" }}\n(from_git::origin(), kept)",
            place.display()
        ),
        "(\"git\", 1)",
    );
}

#[test]
fn a_build_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let inner = write_crate(
        folder,
        "inner-one",
        "",
        &[("src/lib.rs", "pub fn one() -> u32 { 1 }\n")],
    );
    let outer = write_crate(
        folder,
        "outer-one",
        &format!("[dependencies]\ninner-one = {{ path = {inner:?} }}\n"),
        &[("src/lib.rs", "pub use inner_one::one;\n")],
    );
    let ask = format!(":dep {}\nouter_one::one()", outer.display());
    let mut notebook = Notebook::new();
    notebook.check("0", "0");
    notebook.progress();
    notebook.check(&ask, "1");
    let steps = notebook.progress();
    assert_eq!(
        steps.first().map(String::as_str),
        Some("Building outer-one"),
        "{steps:?}"
    );
    for step in &steps {
        assert!(
            !step.contains("layer_")
                && !step.contains("lessons_")
                && !step.contains("lesson libraries"),
            "{steps:?}"
        );
    }
    // The second time nothing is built; nor when a crate that it needs is as it was.
    let mut notebook = Notebook::new();
    notebook.check(&ask, "1");
    assert_eq!(notebook.progress(), Vec::<String>::new());
    // An edit to a crate behind it counts, at once and later.
    write_all(&inner, &[("src/lib.rs", "pub fn one() -> u32 { 100 }\n")]);
    notebook.check(&ask, "100");
    let mut notebook = Notebook::new();
    notebook.check(&ask, "100");
}
