//! What is compiled once and what is compiled again; caches that are shared, full, damaged or somebody else's.

use std::fs;
use std::path::{Path, PathBuf};

use loopbot_engine::{Config, cache_use, clear_cache};

use crate::notebook::{Notebook, config, plain};

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
        "Cells that follow are compiled with optimisation 2, as `cargo run --release` does: arithmetic overflow wraps silently. Functions of earlier cells change when their cell is run again.\n42",
    );
}

#[test]
fn a_cell_that_does_not_compile_is_refused_again_without_the_compiler() {
    let cache = empty_cache();
    let mut notebook = Notebook::with(using(cache.path()));
    notebook.check("let names = vec![String::new()];", "");
    let code = "let first = names;\nlet number: i32 = first;";
    let failed = notebook.fail(code);
    failed.says(&["mismatched types", "cell [2]:2:19"]);
    notebook.check("let first = 1;", "");
    // Not compiled, and yet all as it is now: the number of the cell, and what the session knows.
    let found = |notebook: &mut Notebook| {
        let shown = notebook.try_run(":cache").unwrap();
        shown.lines().nth(1).map(str::to_owned).unwrap()
    };
    assert_eq!(
        found(&mut notebook),
        "This notebook: 0 taken from the cache, 3 compiled"
    );
    let again = notebook.fail(code);
    again.says(&["mismatched types", "cell [5]:2:19"]);
    assert_eq!(again.place, failed.place);
    assert_eq!(
        found(&mut notebook),
        "This notebook: 1 taken from the cache, 3 compiled"
    );
    let other = notebook.fail("let number: i32 = names;");
    other.says(&["mismatched types"]);
    assert_eq!(
        found(&mut notebook),
        "This notebook: 1 taken from the cache, 4 compiled"
    );
    // What would compile now is asked for anew: the text of its surroundings is another one.
    notebook
        .fail("let n: i32 = later();")
        .says(&["cannot find function `later`"]);
    notebook.check("fn later() -> i32 { 4 }", "");
    notebook.check("let n: i32 = later(); n", "4");
    let text = "let n: i32 = later(); n";
    notebook.check(text, "4");
}

#[test]
fn a_warning_out_of_the_cache_names_the_cell_by_its_present_number() {
    let cache = empty_cache();
    let mut notebook = Notebook::with(using(cache.path()));
    let code = "fn fallible() -> Result<(), String> { Ok(()) }\nfallible();";
    for number in [1, 2] {
        let shown = notebook.try_run(code).unwrap();
        assert!(shown.contains("unused `Result`"), "{shown}");
        assert!(shown.contains(&format!("cell [{number}]:2:1")), "{shown}");
    }
    let shown = notebook.try_run(":cache").unwrap();
    assert!(
        shown.contains("1 taken from the cache, 1 compiled"),
        "{shown}"
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

#[test]
fn a_module_may_have_a_file_of_its_own() {
    let (cache, folder) = (empty_cache(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let mut notebook = Timed::with(working_in(cache.path(), folder.path()));
    notebook
        .0
        .fail("mod part;")
        .says(&["create file \"part.rs\""]);
    write("part.rs", "pub fn number() -> u32 { 1 }");
    notebook.compiles("mod part;", "");
    notebook.compiles("part::number()", "1");
    write("part.rs", "pub fn number() -> u32 {\n    2 }");
    notebook.compiles("mod part;", "");
    notebook.compiles("part::number()", "2");
    notebook.finds("mod part;", "");
    write("part.rs", "pub fn number() -> u32 {\n    \"three\" }");
    let failed = notebook.0.fail("mod part;");
    failed.says(&["mismatched types", "it is in part.rs, line 2, column 5"]);
    write(
        "part.rs",
        "pub fn number() -> u32 {\n    panic!(\"four\") }",
    );
    notebook.compiles("mod part;", "");
    let failed = notebook.0.fail("part::number()");
    failed.says(&["four", "in part.rs, line 2"]);
}

#[test]
fn a_path_that_a_macro_makes_up_is_explained() {
    let (cache, folder) = (empty_cache(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("data.txt"), "text").unwrap();
    let mut notebook = Notebook::with(working_in(cache.path(), folder.path()));
    notebook
        .fail("include_str!(concat!(\"data\", \".txt\"))")
        .says(&["couldn't read `data.txt`", "written as one text"]);
}

/// The other half of the test below.
#[test]
#[ignore = "is run by another test, with variables set"]
fn a_variable_is_asked_for_in_another_process() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let mut notebook = Timed::with(using(Path::new(&variable("LOOPBOT_TEST_CACHE"))));
    let shown = format!("{:?}", std::env::var("LOOPBOT_TEST_WORD").ok());
    let code = "let word: Option<&str> = option_env!(\"LOOPBOT_TEST_WORD\"); word";
    notebook.check(code, &shown, &variable("LOOPBOT_TEST_HOW"));
}

#[test]
fn variables_that_the_compiler_reads_count() {
    let cache = empty_cache();
    let check = |word: Option<&str>, how: &str| {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process
            .args(["--exact", "--ignored"])
            .arg("cache::a_variable_is_asked_for_in_another_process")
            .env("LOOPBOT_TEST_CACHE", cache.path())
            .env("LOOPBOT_TEST_HOW", how);
        if let Some(word) = word {
            process.env("LOOPBOT_TEST_WORD", word);
        }
        let output = process.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{word:?}:\n{said}");
    };
    check(Some("one"), " compiled in");
    check(Some("one"), "taken from the cache");
    check(Some("two"), " compiled in");
    check(None, " compiled in");
    check(Some("one"), "taken from the cache");
}

#[test]
fn an_edited_path_dependency_is_built_again() {
    let cache = config().cache;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"edited\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write("src/lib.rs", "pub fn answer() -> u32 { 1 }");
    let mut notebook = Timed::with(working_in(&cache, folder.path()));
    let code = ":dep .\nedited::answer()";
    notebook.compiles(code, "1");
    notebook.finds(code, "1");
    write("src/lib.rs", "pub fn answer() -> u32 { 2 }");
    notebook.compiles(code, "2");
    notebook.finds(code, "2");
}

#[test]
fn what_a_killed_kernel_left_is_no_entry_and_is_replaced() {
    let cache = empty_cache();
    let code = "let broken = 6 * 7; broken";
    let other = "let other = 1; other";
    {
        let mut first = Timed::with(using(cache.path()));
        first.compiles(code, "42");
        first.compiles(other, "1");
    }
    let mut records = cells(cache.path(), ".json");
    let library = |record: &Path| {
        let name = record.file_stem().unwrap().to_string_lossy().into_owned();
        record.with_file_name(format!(
            "{}{name}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        ))
    };
    records.retain(|record| fs::read_to_string(record).unwrap().contains("\"broken\""));
    let [record] = records.try_into().unwrap();
    let broken = library(&record);
    let [foreign] = cells(cache.path(), std::env::consts::DLL_SUFFIX)
        .into_iter()
        .filter(|library| *library != broken)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let (whole_library, whole_record) = (fs::read(&broken).unwrap(), fs::read(&record).unwrap());
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let damages: [&dyn Fn(); 6] = [
        // A library without a record, a record without a library.
        &|| fs::remove_file(&record).unwrap(),
        &|| fs::remove_file(&broken).unwrap(),
        // Half a record, half a library.
        &|| fs::write(&record, half(&whole_record)).unwrap(),
        &|| {
            fs::remove_file(&broken).unwrap();
            fs::write(&broken, half(&whole_library)).unwrap();
        },
        // The library of another cell.
        &|| {
            fs::remove_file(&broken).unwrap();
            fs::copy(&foreign, &broken).map(drop).unwrap();
        },
        // A library that anybody can change.
        &|| mode(&broken, 0o777),
    ];
    for damage in damages {
        damage();
        Timed::with(using(cache.path())).compiles(code, "42");
        Timed::with(using(cache.path())).finds(code, "42");
    }
}

#[test]
fn many_kernels_compile_the_same_cells_at_once() {
    let cache = empty_cache();
    let code = [
        "struct Point { x: i64 }",
        "let point = Point { x: 20 };",
        "point.x + 22",
    ];
    let start = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut notebook = Notebook::with(using(cache.path()));
                start.wait();
                notebook.check(code[0], "");
                notebook.check(code[1], "");
                notebook.check(code[2], "42");
            });
        }
    });
    assert_eq!(cells(cache.path(), ".json").len(), 3);
    let mut later = Timed::with(using(cache.path()));
    later.finds(code[0], "");
    later.finds(code[1], "");
    later.finds(code[2], "42");
}

#[test]
fn what_a_running_notebook_needs_is_never_removed() {
    let cache = empty_cache();
    let mut running = Timed::with(using(cache.path()));
    running.compiles("fn needed() -> u32 { 7 }", "");
    {
        let mut ended = Timed::with(using(cache.path()));
        ended.finds("fn needed() -> u32 { 7 }", "");
        ended.compiles("fn not_needed() -> u32 { 8 }", "");
    }
    assert_eq!(cache_use(&using(cache.path())).cells, 2);
    let removed = clear_cache(&using(cache.path())).unwrap();
    assert_eq!((removed.cells, removed.bytes > 0), (1, true));
    running.compiles("needed() * 6", "42");
    running.finds("fn needed() -> u32 { 7 }", "");
    drop(running);
    clear_cache(&using(cache.path())).unwrap();
    assert_eq!(cache_use(&using(cache.path())).cells, 0);
    assert_eq!(cells(cache.path(), std::env::consts::DLL_SUFFIX).len(), 0);
}

#[test]
fn the_cache_is_shown_emptied_and_limited_by_a_directive() {
    let cache = empty_cache();
    {
        let mut earlier = Notebook::with(using(cache.path()));
        earlier.check("1 + 1", "2");
        earlier.check("1 + 2", "3");
    }
    let mut notebook = Notebook::with(using(cache.path()));
    notebook.check("1 + 1", "2");
    notebook.check("1 + 3", "4");
    let shown = notebook.try_run(":cache").unwrap();
    for part in [
        "Compiled cells: 3 cells (",
        "(at most 1024 MB",
        "This notebook: 1 taken from the cache, 1 compiled",
        &*cache.path().to_string_lossy(),
    ] {
        assert!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
    let shown = notebook.try_run(":cache 0").unwrap();
    assert!(
        shown.contains("at most 0 MB") && shown.contains("removed 1 cell ("),
        "{shown}"
    );
    let shown = notebook.try_run(":cache clear").unwrap();
    assert!(shown.contains("Removed 0 cells (0.0 MB)."), "{shown}");
    notebook
        .fail(":cache little")
        .says(&["a number of megabytes, not `little`"]);
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file and folder below, deepest first.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in entries(folder) {
        if entry.is_dir() {
            found.extend(all_below(&entry));
        }
        found.push(entry);
    }
    found
}

#[test]
fn a_shared_cache_is_read_first_and_never_written() {
    let (class, own) = (empty_cache(), empty_cache());
    let lesson = ["fn twice(n: u32) -> u32 { 2 * n }", "let x = twice(21); x"];
    {
        let mut teacher = Timed::with(using(class.path()));
        teacher.compiles(lesson[0], "");
        teacher.compiles(lesson[1], "42");
    }
    for entry in all_below(class.path()) {
        mode(&entry, if entry.is_dir() { 0o555 } else { 0o444 });
    }
    mode(class.path(), 0o555);
    let state = || -> Vec<_> {
        let facts = all_below(class.path()).into_iter().map(|path| {
            let facts = fs::metadata(&path).unwrap();
            (path, facts.len(), facts.modified().unwrap())
        });
        facts.collect()
    };
    let before = state();
    let learner = || Config {
        shared_cache: Some(class.path().to_owned()),
        ..using(own.path())
    };
    let mut notebook = Timed::with(learner());
    notebook.finds(lesson[0], "");
    notebook.finds(lesson[1], "42");
    assert_eq!(cells(own.path(), ".json").len(), 0);
    notebook.compiles("twice(4)", "8");
    assert_eq!(cells(own.path(), ".json").len(), 1);
    assert!(
        notebook
            .0
            .try_run(":cache")
            .unwrap()
            .contains(&*class.path().to_string_lossy())
    );
    let mut again = Timed::with(learner());
    again.finds(lesson[0], "");
    again.finds("twice(4)", "8");
    assert_eq!(state(), before);
    // So that the folder can be removed.
    for entry in all_below(class.path())
        .iter()
        .chain([&class.path().to_owned()])
    {
        if entry.is_dir() {
            mode(entry, 0o755);
        }
    }
}

#[test]
fn a_damaged_entry_of_a_shared_cache_is_replaced_by_one_of_the_learners_own() {
    let (class, own) = (empty_cache(), empty_cache());
    let lesson = ["fn twice(n: u32) -> u32 { 2 * n }", "twice(21)"];
    {
        let mut teacher = Timed::with(using(class.path()));
        teacher.compiles(lesson[0], "");
        teacher.compiles(lesson[1], "42");
    }
    for library in cells(class.path(), std::env::consts::DLL_SUFFIX) {
        fs::write(library, "no library at all").unwrap();
    }
    let mut notebook = Timed::with(Config {
        shared_cache: Some(class.path().to_owned()),
        ..using(own.path())
    });
    notebook.compiles(lesson[0], "");
    notebook.compiles(lesson[1], "42");
    notebook.finds(lesson[1], "42");
}

/// A whole copy of the cache that the tests share, as if it had been made in its place.
fn class_cache() -> tempfile::TempDir {
    let built = config().cache;
    loopbot_engine::prepare(&config(), &|_| {}).unwrap();
    let class = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for file in all_below(&built) {
        let copy = class.path().join(file.strip_prefix(&built).unwrap());
        let folder = copy.parent().unwrap();
        if file.is_dir() || file.to_string_lossy().contains("/cells/") {
            continue;
        }
        fs::create_dir_all(folder).unwrap();
        if file.ends_with("set.json") {
            let (from, to) = (built.to_str().unwrap(), class.path().to_str().unwrap());
            fs::write(&copy, fs::read_to_string(&file).unwrap().replace(from, to)).unwrap();
        } else {
            // Others may be building beside this.
            let _ = fs::hard_link(&file, &copy);
        }
    }
    class
}

#[test]
fn the_libraries_of_a_shared_cache_are_used_and_none_are_built() {
    let class = class_cache();
    let own = tempfile::tempdir().unwrap();
    let code = "let sum = tokio::spawn(async { 20 + 22 }).await?; sum";
    Timed::with(using(class.path())).compiles(code, "42");
    let learner = Config {
        shared_cache: Some(class.path().to_owned()),
        ..using(own.path())
    };
    assert!(loopbot_engine::is_prepared(&learner).unwrap());
    let mut notebook = Timed::with(learner.clone());
    notebook.finds(code, "42");
    notebook.compiles("tokio::join!(async { sum }, async { 1 })", "(42, 1)");
    let built = all_below(own.path());
    assert!(!built.iter().any(|file| file.ends_with("set.json")));
    // One folder that anybody can write to, and the libraries are not trusted.
    let sets = all_below(class.path());
    for set in sets.iter().filter(|file| file.ends_with("set.json")) {
        mode(set.parent().unwrap(), 0o777);
    }
    assert!(!loopbot_engine::is_prepared(&learner).unwrap());
}

#[test]
fn a_shared_cache_that_others_can_write_to_is_refused_with_one_note() {
    let (class, own) = (empty_cache(), empty_cache());
    Notebook::with(using(class.path())).check("6 * 7", "42");
    mode(class.path(), 0o777);
    let mut notebook = Notebook::with(Config {
        shared_cache: Some(class.path().to_owned()),
        ..using(own.path())
    });
    let shown = plain(&notebook.try_run("6 * 7").unwrap());
    for part in [
        "is not used: others can write to",
        "chmod go-w",
        "Your own cache is used instead",
        "42",
    ] {
        assert!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
    notebook.check("6 * 7", "42");
    assert_eq!(cells(own.path(), ".json").len(), 1);
}

#[test]
fn a_cache_that_others_can_write_to_is_refused_with_what_mends_it() {
    let cache = empty_cache();
    mode(cache.path(), 0o777);
    let mut notebook = Notebook::with(using(cache.path()));
    notebook
        .fail("1")
        .says(&["others can write to", "chmod go-w"]);
    mode(cache.path(), 0o700);
    notebook.check("1", "1");
}
