//! How the last expression of a cell is shown, and outputs that change in place.

use loopbot_engine::Event;

use crate::notebook::Notebook;

const RICH: &str = "struct Swatch;\n\
                    impl loopbot::Rich for Swatch { fn forms(&self) -> Vec<(&'static str, String)> { vec![(\"text/plain\", \"a colour\".into()), (\"text/html\", \"<b>colour</b>\".into())] } }";

#[test]
fn the_best_form_is_chosen() {
    let mut notebook = Notebook::new();
    notebook.check("3", "3");
    notebook.check("()", "");
    notebook.check("&()", "");
    notebook.check("&&\"text\"", "\"text\"");
    notebook.check("*\"text\"", "\"text\"");
    notebook.check("vec![1; 3]", "[1, 1, 1]");
    notebook.check("Box::new(5) as Box<dyn std::fmt::Debug>", "5");
    notebook.check(
        "fn same<T>(value: T) -> T { value }\nsame(Some(2.5))",
        "Some(2.5)",
    );
    notebook.check(
        "struct P; impl P { fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/plain\\nhello\\nEVCXR_END_CONTENT\"); } }\nP",
        "hello",
    );
    notebook.check("&P", "hello");
    notebook.check("Box::new(P)", "hello");
    notebook.check("let p = std::rc::Rc::new(P);\np", "hello");
}

#[test]
fn a_type_with_the_trait_shows_itself_without_an_import() {
    let mut notebook = Notebook::new();
    notebook.check(&format!("{RICH}\nSwatch"), "a colour");
    notebook.check("&Swatch", "a colour");
    notebook.check(
        "let shared = std::sync::Arc::new(Swatch);\nshared.clone()",
        "a colour",
    );
    notebook.check(
        "let any: Box<dyn loopbot::Rich> = Box::new(Swatch);\nany",
        "a colour",
    );
    notebook.check("use loopbot::prelude::*;\nSwatch", "a colour");
    notebook.check(
        "let mut table = loopbot::Table::new([\"n\"]);\ntable.row([\"1\"]);\ntable",
        "n\n1",
    );
    notebook.events();
    notebook.run("Swatch");
    let events = notebook.events();
    let [Event::Display(forms)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(forms["text/html"], "<b>colour</b>");
}

#[test]
fn a_type_may_be_given_the_trait_in_a_later_cell_or_another_display() {
    let mut notebook = Notebook::new();
    notebook.check("#[derive(Debug)]\nstruct Dot;", "");
    notebook.check("Dot", "Dot");
    notebook.check(
        "impl loopbot::Rich for Dot { fn forms(&self) -> Vec<(&'static str, String)> { vec![(\"text/plain\", \"•\".into())] } }",
        "",
    );
    notebook.check("Dot", "•");
    notebook.check(
        "impl Dot { fn evcxr_display(&self) { println!(\"its own\") } }",
        "",
    );
    notebook.check("Dot", "its own");
}

#[test]
fn a_value_without_a_form_says_what_to_do() {
    let mut notebook = Notebook::new();
    notebook.check(
        "struct Q;\nQ",
        "(a value of type Q: it has no Debug form to show; if the type is yours, add #[derive(Debug)] above it)",
    );
    notebook.check(
        "Some(Q)",
        "(a value of type Option<Q>: it has no Debug form to show; if the type is yours, add #[derive(Debug)] above it)",
    );
    let shown = notebook.result("async fn later() -> i32 { 1 }\nlater()");
    assert!(
        shown.contains("future") && shown.contains(".await"),
        "{shown}"
    );
}

#[test]
fn a_huge_value_is_cut_with_a_note() {
    let mut notebook = Notebook::new();
    let shown = notebook.result("vec![1_u64; 100_000]");
    assert!(shown.starts_with("[\n    1,\n"));
    assert!(
        shown.contains("… cut after 20,000 of 700,003 characters"),
        "{shown}"
    );
    assert!(shown.contains("println!"));
}

#[test]
fn a_progress_bar_changes_in_place() {
    let mut notebook = Notebook::new();
    notebook.events();
    notebook.run("let bar = loopbot::Progress::new(\"counting\", 4);\nfor n in 1..=4 { bar.at(n); println!(\"{n}\"); }");
    let (mut ids, mut last, mut printed) = (Vec::new(), String::new(), String::new());
    for event in notebook.events() {
        match event {
            Event::Live { id, forms } => {
                ids.push(id);
                last = forms["text/plain"].clone();
                assert!(forms["text/html"].contains("<progress"));
            }
            Event::Stdout(text) => printed += &text,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(printed, "1\n2\n3\n4\n");
    assert!(last.contains("counting: 4 of 4 (100 %) in "), "{last}");
    assert!(ids.len() >= 2);
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // A later cell goes on with the same output.
    notebook.run("bar.at(4);");
    let events = notebook.events();
    assert!(
        matches!(events.as_slice(), [Event::Live { id, .. }] if *id == ids[0]),
        "{events:?}"
    );
}
