//! Whole programs pasted into cells, and what else a learner copies from elsewhere.

use crate::notebook::Notebook;

#[test]
fn a_program_pasted_as_a_whole_can_be_run() {
    let mut notebook = Notebook::new();
    notebook.check(
        "fn main() { println!(\"hello\"); }",
        "note: `main` is defined; to run it, call it: `main()`",
    );
    notebook.check("main()", "hello");
    notebook.check("#[tokio::main]\nasync fn main() { tokio::task::yield_now().await; println!(\"again\"); }\nmain()", "again");
}

#[test]
fn a_program_with_all_its_parts_runs_again_and_again() {
    const HOW: &str = "note: `main` is defined; to run it, call it: `main()`";
    let mut notebook = Notebook::new();
    let program = "use std::sync::Arc;\nuse tokio::sync::mpsc;\n\nasync fn work(n: Arc<u32>) -> u32 { *n + 1 }\n\n#[tokio::main]\nasync fn main() {\n    let (tx, mut rx) = mpsc::channel(1);\n    tokio::spawn(async move { tx.send(work(Arc::new(1)).await).await.unwrap() });\n    println!(\"got {:?}\", rx.recv().await);\n}\n";
    for _ in 0..2 {
        notebook.check(program, HOW);
        notebook.check("main()", "got Some(2)");
    }
    notebook.check("async fn work(n: Arc<u32>) -> u32 { *n + 10 }", "");
    notebook.check("main()", "got Some(11)");
    notebook.check("fn main() -> Result<(), Box<dyn std::error::Error>> { let n: i32 = \"x\".parse()?; println!(\"{n}\"); Ok(()) }", HOW);
    notebook
        .fail("main()?")
        .says(&["invalid digit found in string"]);
    notebook.check("#[tokio::main(flavor = \"current_thread\")]\nasync fn main() { println!(\"{}\", work(Arc::new(5)).await) }\nmain();", "15");
}
