//! What is compiled once and what is compiled again; caches that are shared, full, damaged or somebody else's.

use std::fs;
use std::path::{Path, PathBuf};

use loopbot_engine::Config;

use crate::notebook::{Notebook, config};

/// A notebook that tells of each cell whether the compiler had to be called.
struct Timed(Notebook);

impl Timed {
    fn with(config: Config) -> Timed {
        let mut notebook = Notebook::with(config);
        notebook.check(":timing", "Timing is on.");
        Timed(notebook)
    }

    #[track_caller]
    fn check(&mut self, code: &str, shown: &str, how: &str) {
        let text = self
            .0
            .try_run(code)
            .unwrap_or_else(|failure| panic!("{code}\nfailed:\n{}", failure.report.join("\n")));
        let (note, rest) = match text.split_once("took ") {
            Some((before, after)) => {
                let (note, rest) = after.split_once('\n').unwrap_or((after, ""));
                (note, format!("{before}{rest}"))
            }
            None => ("", text.clone()),
        };
        assert_eq!(rest.trim_end(), shown, "shown by: {code}");
        assert!(note.contains(how), "{code} was not {how}: {note:?}");
    }

    /// A cell that must be compiled.
    #[track_caller]
    fn compiles(&mut self, code: &str, shown: &str) {
        self.check(code, shown, " compiled in");
    }

    /// A cell that must not be compiled.
    #[track_caller]
    fn finds(&mut self, code: &str, shown: &str) {
        self.check(code, shown, "taken from the cache");
    }
}

/// A cache without any compiled cell, in which the lesson libraries need not be built again.
fn empty_cache() -> tempfile::TempDir {
    let built = config();
    loopbot_engine::prepare(&built, &|_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for toolchain in entries(&built.cache) {
        for set in entries(&toolchain.join("sets")) {
            // A set's record says where its files are: in the cache in which they were built.
            let copy = folder.path().join(set.strip_prefix(&built.cache).unwrap());
            fs::create_dir_all(&copy).unwrap();
            let _ = fs::copy(set.join("set.json"), copy.join("set.json"));
        }
    }
    folder
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// The files of compiled cells in `cache` whose names end like this.
fn cells(cache: &Path, end: &str) -> Vec<PathBuf> {
    let sets = entries(cache)
        .into_iter()
        .flat_map(|toolchain| entries(&toolchain.join("sets")));
    sets.flat_map(|set| entries(&set.join("cells")))
        .filter(|file| file.to_string_lossy().ends_with(end))
        .collect()
}

fn using(cache: &Path) -> Config {
    Config {
        cache: cache.to_owned(),
        ..config()
    }
}

fn working_in(cache: &Path, folder: &Path) -> Config {
    Config {
        working_dir: folder.to_owned(),
        ..using(cache)
    }
}

#[test]
fn an_unchanged_cell_is_compiled_once_for_all_sessions() {
    let cache = empty_cache();
    let mut first = Timed::with(using(cache.path()));
    first.compiles("fn twice(n: u32) -> u32 { 2 * n }", "");
    first.compiles("let x = twice(21); x", "42");
    first.finds("fn twice(n: u32) -> u32 { 2 * n }", "");
    let mut second = Timed::with(using(cache.path()));
    second.finds("fn twice(n: u32) -> u32 { 2 * n }", "");
    second.finds("let x = twice(21); x", "42");
    second.compiles("let x = twice(21); x + 1", "43");
    second.compiles(
        ":opt 2\nlet x = twice(21); x",
        "Cells that follow are compiled with optimisation 2.\n42",
    );
}

#[test]
fn an_included_file_is_found_beside_the_notebook_and_read_again_when_it_changes() {
    let (cache, folder) = (empty_cache(), tempfile::tempdir().unwrap());
    let write = |text: &str| fs::write(folder.path().join("my data.txt"), text).unwrap();
    let code = "include_str!(\"my data.txt\").trim()";
    write("one");
    let mut notebook = Timed::with(working_in(cache.path(), folder.path()));
    notebook.compiles(code, "\"one\"");
    notebook.finds(code, "\"one\"");
    write("two");
    notebook.compiles(code, "\"two\"");
    write("one");
    notebook.finds(code, "\"one\"");
    // The same cell in another folder is another cell, unless the file is the same.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("my data.txt"), "two").unwrap();
    let mut second = Timed::with(working_in(cache.path(), elsewhere.path()));
    second.finds(code, "\"two\"");
    fs::write(elsewhere.path().join("my data.txt"), "three").unwrap();
    second.compiles(code, "\"three\"");
    // Items hold on to what they were compiled with, as always.
    second.compiles("const TEXT: &str = include_str!(\"my data.txt\");", "");
    second.compiles("TEXT.len()", "5");
    fs::write(elsewhere.path().join("my data.txt"), "fourteen").unwrap();
    second.finds("TEXT.len()", "5");
    second.compiles("const TEXT: &str = include_str!(\"my data.txt\");", "");
    second.compiles("TEXT.len()", "8");
}

#[test]
fn files_that_only_the_compiler_knows_of_count_as_well() {
    let (cache, folder) = (empty_cache(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("more")).unwrap();
    write(
        "more/helper.rs",
        "fn help() -> u8 { include_bytes!(\"byte\")[0] }",
    );
    write("more/byte", "a");
    let mut notebook = Timed::with(working_in(cache.path(), folder.path()));
    let code =
        "mod helper { include!(\"more/helper.rs\"); pub fn it() -> u8 { help() } }\nhelper::it()";
    notebook.compiles(code, "97");
    notebook.finds(code, "97");
    write("more/byte", "b");
    notebook.compiles(code, "98");
    write("more/helper.rs", "fn help() -> u8 { 7 }");
    notebook.compiles(code, "7");
    notebook.finds(code, "7");
}

#[test]
fn a_file_that_is_not_there_is_named_as_the_learner_wrote_it() {
    let (cache, folder) = (empty_cache(), tempfile::tempdir().unwrap());
    let mut notebook = Notebook::with(working_in(cache.path(), folder.path()));
    let code = "let text = include_str!(\"data.txt\"); text.len()";
    let failed = notebook.fail(code);
    failed.says(&["couldn't read `data.txt`", "include_str!(\"data.txt\")"]);
    assert_eq!(failed.place, Some((1, 12)));
    fs::write(folder.path().join("data.txt"), "12345").unwrap();
    notebook.check(code, "5");
}
