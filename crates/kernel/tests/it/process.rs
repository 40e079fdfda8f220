//! A kernel in a process of its own: signals, and a parent that goes away.
//!
//! The process is this test binary, started again for the one ignored test below.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use jupyter_protocol::{ExecuteRequest, JupyterMessageContent as Content, ReplyStatus};
use loopbot_kernel::{Echo, serve_backend};

use crate::client::{connect, execute_reply, ipc_in, line, within, write_info};

const FILE: &str = "LOOPBOT_TEST_CONNECTION_FILE";

/// Not a test: the kernel process of the tests below.
#[tokio::test]
#[ignore = "started by the other tests of this file"]
async fn kernel_process() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    serve_backend(Path::new(&file), |sink| Ok(Echo::new(sink)))
        .await
        .unwrap();
}

fn command(file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "process::kernel_process", "--ignored"])
        .env(FILE, file)
        .env_remove("JPY_PARENT_PID")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

async fn ended(mut child: Child) -> std::process::ExitStatus {
    let waiting = tokio::task::spawn_blocking(move || child.wait().unwrap());
    within("the kernel process to end", waiting).await.unwrap()
}

#[tokio::test]
async fn sigint_interrupts_and_sigterm_ends() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    let child = command(&write_info(dir.path(), &info)).spawn().unwrap();
    let (mut shell, _control, mut iopub) = connect(&info).await;
    shell
        .send(ExecuteRequest::new("print on\nwait".to_owned()).into())
        .await
        .unwrap();
    while line(&within("output", iopub.read()).await.unwrap()) != "stdout: on\n" {}
    signal(&child, "-INT");
    let reply = within("the reply", shell.read()).await.unwrap();
    assert_eq!(execute_reply(&reply).error.unwrap().ename, "interrupted");

    shell
        .send(ExecuteRequest::new("print fine".to_owned()).into())
        .await
        .unwrap();
    let reply = within("the reply", shell.read()).await.unwrap();
    assert_eq!(execute_reply(&reply).status, ReplyStatus::Ok);

    signal(&child, "-TERM");
    assert!(ended(child).await.success());
}

#[tokio::test]
async fn a_kernel_whose_parent_is_gone_ends() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    // A process that has ended already stands for a Jupyter server that was killed.
    let mut parent = Command::new("true").spawn().unwrap();
    let parent_id = parent.id().to_string();
    parent.wait().unwrap();
    let child = command(&write_info(dir.path(), &info))
        .env("JPY_PARENT_PID", parent_id)
        .spawn()
        .unwrap();
    assert!(ended(child).await.success());
}

#[tokio::test]
async fn a_kernel_that_was_told_of_no_parent_runs_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    let child = command(&write_info(dir.path(), &info)).spawn().unwrap();
    let (mut shell, _control, _iopub) = connect(&info).await;
    shell
        .send(jupyter_protocol::KernelInfoRequest {}.into())
        .await
        .unwrap();
    let reply = within("the reply", shell.read()).await.unwrap();
    assert!(matches!(reply.content, Content::KernelInfoReply(_)));
    signal(&child, "-TERM");
    assert!(ended(child).await.success());
}
