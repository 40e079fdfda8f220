//! Kernelspecs: ours are written where Jupyter looks, others are left alone.

use std::fs;

use crate::Home;

const DECOY: &str = r#"{"argv": ["other"], "display_name": "Another Rust", "language": "rust"}"#;

#[test]
fn install_and_uninstall_for_an_environment() {
    let home = Home::new();
    let prefix = home.path().join("environment");
    fs::create_dir(&prefix).unwrap();
    let installed = home.loopbot(&["kernel", "install", "--prefix", "environment"]);
    assert_eq!((installed.status, installed.stderr.as_str()), (0, ""));
    let spec = fs::read_to_string(prefix.join("share/jupyter/kernels/rust/kernel.json")).unwrap();
    let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
    assert_eq!(spec["display_name"], "Rust (LoopBot)");
    let exe = env!("CARGO_BIN_EXE_loopbot");
    assert_eq!(
        spec["argv"],
        serde_json::json!([exe, "kernel", "run", "{connection_file}"])
    );

    assert_eq!(
        home.loopbot(&["kernel", "install", "--prefix", "environment"])
            .status,
        0,
        "our own is replaced"
    );
    assert_eq!(
        home.loopbot(&["kernel", "uninstall", "--prefix", "environment"])
            .status,
        0
    );
    assert!(!prefix.join("share/jupyter/kernels/rust").exists());
    let again = home.loopbot(&["kernel", "uninstall", "--prefix", "environment"]);
    assert!(again.stdout.contains("was not in"), "{}", again.stdout);
}

#[test]
fn the_users_folder_is_the_default() {
    let home = Home::new();
    let mut command = home.command(&["kernel", "install", "--name", "loopbot"]);
    command.env("JUPYTER_DATA_DIR", home.path().join("jupyter"));
    assert_eq!(crate::run(&mut command).status, 0);
    assert!(
        home.path()
            .join("jupyter/kernels/loopbot/kernel.json")
            .is_file()
    );
}

#[test]
fn another_rust_kernel_stays_unless_forced() {
    let home = Home::new();
    let folder = home.path().join("environment/share/jupyter/kernels/rust");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("kernel.json"), DECOY).unwrap();
    for arguments in [
        ["kernel", "install", "--prefix", "environment"],
        ["kernel", "uninstall", "--prefix", "environment"],
    ] {
        let said = home.loopbot(&arguments);
        assert_eq!(said.status, 2, "{}", said.stderr);
        assert!(said.stderr.contains("not LoopBot's"), "{}", said.stderr);
        assert_eq!(
            fs::read_to_string(folder.join("kernel.json")).unwrap(),
            DECOY
        );
    }
    assert_eq!(
        home.loopbot(&["kernel", "install", "--prefix", "environment", "--force"])
            .status,
        0
    );
    assert_ne!(
        fs::read_to_string(folder.join("kernel.json")).unwrap(),
        DECOY
    );
}

#[test]
fn a_name_that_jupyter_would_not_accept() {
    let said = Home::new().loopbot(&["kernel", "install", "--prefix", ".", "--name", "../rust"]);
    assert_eq!(said.status, 2);
    assert_eq!(
        said.stderr,
        "error: `../rust` is no kernel name; use letters, digits, `-`, `_` and `.`\n"
    );
}

#[test]
fn a_shared_cache_must_be_one_that_others_cannot_write_to() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let shared = home.path().join("class");
    fs::create_dir_all(home.path().join("environment")).unwrap();
    fs::create_dir(&shared).unwrap();
    let install = |shared: &str| {
        home.loopbot(&[
            "kernel",
            "install",
            "--prefix",
            "environment",
            "--shared-cache",
            shared,
        ])
    };
    for (folder, mode, expected) in [
        ("nowhere", 0o755, "No such file"),
        ("class", 0o777, "chmod go-w"),
    ] {
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
        let said = install(folder);
        assert_eq!(said.status, 2, "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    let said = install("class");
    assert_eq!((said.status, said.stderr.as_str()), (0, ""));
    let spec = home
        .path()
        .join("environment/share/jupyter/kernels/rust/kernel.json");
    let spec: serde_json::Value = serde_json::from_slice(&fs::read(spec).unwrap()).unwrap();
    assert_eq!(
        spec["env"]["LOOPBOT_SHARED_CACHE"],
        shared.canonicalize().unwrap().to_str().unwrap()
    );
}
