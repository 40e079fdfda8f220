//! Kernelspecs on disk: what is written, what is left alone.

use std::path::Path;

use loopbot_kernel::spec::{SpecError, install, install_with, is_ours, uninstall};

const EXE: &str = "/opt/loopbot/bin/loopbot";

fn foreign(dir: &Path, name: &str) {
    std::fs::create_dir_all(dir.join(name)).unwrap();
    std::fs::write(
        dir.join(name).join("kernel.json"),
        r#"{"argv": ["evcxr_jupyter"]}"#,
    )
    .unwrap();
    std::fs::write(dir.join(name).join("logo-64x64.png"), "theirs").unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let place = install(dir.path(), "rust", Path::new(EXE), false).unwrap();
    assert_eq!(place, dir.path().join("rust"));
    let text = std::fs::read_to_string(place.join("kernel.json")).unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    {
      "argv": [
        "/opt/loopbot/bin/loopbot",
        "kernel",
        "run",
        "{connection_file}"
      ],
      "display_name": "Rust (LoopBot)",
      "language": "rust",
      "interrupt_mode": "message",
      "kernel_protocol_version": "5.5",
      "metadata": {
        "debugger": false,
        "loopbot": {
          "version": "VERSION"
        }
      }
    }
    "#);
    assert!(is_ours(&place));
    assert_eq!(names(&place), ["kernel.json", "logo-svg.svg"]);
}

#[test]
fn variables_are_written_where_jupyter_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let env = [("LOOPBOT_SHARED_CACHE".to_owned(), "/srv/class".to_owned())];
    let place = install_with(dir.path(), "rust", Path::new(EXE), env.into(), false).unwrap();
    let text = std::fs::read_to_string(place.join("kernel.json")).unwrap();
    let spec: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(spec["env"]["LOOPBOT_SHARED_CACHE"], "/srv/class");
}

#[test]
fn our_own_is_replaced_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let kernels = dir.path().join("share/jupyter/kernels");
    install(&kernels, "rust", Path::new("/old/loopbot"), false).unwrap();
    install(&kernels, "rust", Path::new(EXE), false).unwrap();
    let text = std::fs::read_to_string(kernels.join("rust/kernel.json")).unwrap();
    assert!(text.contains(EXE));
    assert_eq!(names(&kernels), ["rust"]);
}

#[test]
fn a_foreign_one_stays_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "rust");
    let refused = install(dir.path(), "rust", Path::new(EXE), false).unwrap_err();
    assert!(matches!(refused, SpecError::Foreign(_)));
    assert!(refused.to_string().contains("--force"), "{refused}");
    assert!(matches!(
        uninstall(dir.path(), "rust"),
        Err(SpecError::Foreign(_))
    ));
    assert_eq!(
        names(&dir.path().join("rust")),
        ["kernel.json", "logo-64x64.png"]
    );

    install(dir.path(), "rust", Path::new(EXE), true).unwrap();
    assert!(is_ours(&dir.path().join("rust")));
    assert_eq!(names(dir.path()), ["rust"]);
    assert!(!names(&dir.path().join("rust")).contains(&"logo-64x64.png".to_owned()));
}

#[test]
fn a_link_to_somewhere_else_is_foreign() {
    let dir = tempfile::tempdir().unwrap();
    foreign(dir.path(), "theirs");
    std::os::unix::fs::symlink(dir.path().join("theirs"), dir.path().join("rust")).unwrap();
    let refused = install(dir.path(), "rust", Path::new(EXE), false);
    assert!(matches!(refused, Err(SpecError::Foreign(_))));
    install(dir.path(), "rust", Path::new(EXE), true).unwrap();
    assert!(
        !is_ours(&dir.path().join("theirs")),
        "the link was replaced, not what it led to"
    );
}

#[test]
fn uninstall_removes_ours_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "rust", Path::new(EXE), false).unwrap();
    assert!(uninstall(dir.path(), "rust").unwrap());
    assert!(!uninstall(dir.path(), "rust").unwrap());
    assert!(names(dir.path()).is_empty());
}

#[test]
fn names_that_are_paths_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["", ".", "..", "../rust", "a/b", "my kernel", "/tmp/x"] {
        let refused = install(dir.path(), name, Path::new(EXE), false);
        assert!(matches!(refused, Err(SpecError::Name(_))), "{name:?}");
    }
}
