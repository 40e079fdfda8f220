//! Reading and writing files: Jupyter's bytes come back, other tools' fields stay, wrong files are refused in one line.

use std::path::Path;

use loopbot_notebook::{Notebook, OutputKind};

const SAVED: &str = include_str!("fixtures/saved-by-jupyter.ipynb");
const OTHER: &str = include_str!("fixtures/other-tool.ipynb");

fn check_refused(text: &str, expected: &str) {
    let error = Notebook::parse(text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error:?} for {text:?}");
}

#[test]
fn a_notebook_saved_by_jupyter_is_written_byte_for_byte() {
    let notebook = Notebook::parse(SAVED).unwrap();
    assert_eq!(notebook.to_text(), SAVED);
}

#[test]
fn texts_are_joined_and_json_is_left_alone() {
    let notebook = Notebook::parse(SAVED).unwrap();
    let code = &notebook.cells[1];
    assert_eq!(code.source, "let x = 1;\r\nx\u{2028}y\u{b}z");
    let data = code.outputs[2].data().unwrap();
    assert_eq!(data["text/html"], "<b>\n</b>\n");
    assert_eq!(data["application/json"], serde_json::json!(["a", "b"]));
    let OutputKind::Stream { text, .. } = &code.outputs[0].kind else {
        panic!("{:?}", code.outputs[0]);
    };
    assert!(text.starts_with("a\rb\n"), "the raw text is kept");
    assert_eq!(
        notebook.cells[0].attachment("p.png"),
        Some(("image/png", "aGk="))
    );
}

#[test]
fn an_older_notebook_of_another_tool_keeps_its_fields() {
    let notebook = Notebook::parse(OTHER).unwrap();
    assert_eq!(notebook.minor, 2);
    let again = Notebook::parse(&notebook.to_text()).unwrap();
    assert_eq!(again, notebook);
    let written: serde_json::Value = serde_json::from_str(&notebook.to_text()).unwrap();
    assert_eq!(written["topfield"], "x");
    assert_eq!(written["cells"][1]["foreign_field"]["k"][0], 1);
    assert!(written["cells"][0].get("id").is_none());
}

#[test]
fn half_filled_cells_get_defaults() {
    let text = r#"{"nbformat": 4, "cells": [
        {"cell_type": "code", "source": null},
        {"cell_type": "markdown", "metadata": null, "source": ["a", "b"]},
        {"cell_type": "code", "outputs": [7, {"output_type": "stream", "text": "x"}, {"output_type": "new"}]}
    ]}"#;
    let notebook = Notebook::parse(text).unwrap();
    assert_eq!(notebook.minor, 0);
    assert_eq!(notebook.cells[0].source, "");
    assert_eq!(notebook.cells[1].source, "ab");
    assert_eq!(notebook.cells[2].outputs.len(), 3);
}

#[test]
fn what_is_no_notebook_is_refused_in_one_line() {
    check_refused("", "empty");
    check_refused("\u{feff}  \n", "empty");
    check_refused(
        "fn main() {}",
        "not a notebook: it is not JSON (line 1, column",
    );
    check_refused("[1]", "not an object");
    check_refused("{}", "nbformat");
    check_refused(r#"{"nbformat": 4}"#, "no list of cells");
    check_refused(
        r#"{"nbformat": 3, "worksheets": []}"#,
        "jupyter nbconvert --to notebook",
    );
    check_refused(r#"{"nbformat": 5}"#, "newer");
    check_refused(
        r#"{"nbformat": 4, "cells": [{"cell_type": "heading"}]}"#,
        "cell 1: its kind `heading` is unknown",
    );
    check_refused(
        r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": 7}]}"#,
        "cell 1: its source",
    );
    let half = SAVED.char_indices().nth(700).unwrap().0;
    check_refused(&SAVED[..half], "stops in the middle");
}

#[test]
fn every_prefix_of_a_notebook_is_refused_and_none_panics() {
    for (at, _) in SAVED.trim_end().char_indices() {
        assert!(Notebook::parse(&SAVED[..at]).is_err(), "{at} bytes");
    }
}

#[test]
fn errors_name_the_file() {
    let missing = Notebook::read(Path::new("no/such.ipynb")).unwrap_err();
    assert!(missing.to_string().starts_with("no/such.ipynb: "));
    let folder = tempfile::tempdir().unwrap();
    let error = Notebook::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("folder"), "{error}");
    let binary = folder.path().join("b.ipynb");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let error = Notebook::read(&binary).unwrap_err().to_string();
    assert!(error.contains("not text"), "{error}");
    let old = folder.path().join("old.ipynb");
    std::fs::write(&old, r#"{"nbformat": 3}"#).unwrap();
    let error = Notebook::read(&old).unwrap_err().to_string();
    assert!(error.contains("--to notebook old.ipynb"), "{error}");
}

#[test]
fn writing_replaces_the_file_in_one_step_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.ipynb");
    let notebook = Notebook::parse(SAVED).unwrap();
    notebook.write(&path).unwrap();
    notebook.write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SAVED);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = notebook.write(&folder.path().join("no/n.ipynb"));
    assert!(error.unwrap_err().to_string().contains("cannot be written"));
}

#[cfg(unix)]
#[test]
fn writing_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("n.ipynb"), folder.path().join("l.ipynb"));
    let notebook = Notebook::parse(SAVED).unwrap();
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    notebook.write(&link).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SAVED);
}
