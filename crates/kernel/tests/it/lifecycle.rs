//! Start and end: sockets, heartbeat, shutdown.

use std::path::Path;

use jupyter_protocol::{
    ExecuteRequest, JupyterMessageContent as Content, KernelInfoRequest, ShutdownRequest,
};
use jupyter_zmq_client::create_client_heartbeat_connection;
use loopbot_engine::{Failure, FailureKind};
use loopbot_kernel::{Echo, KernelError, serve_backend};
use zeromq::{SocketRecv, SocketSend, ZmqMessage};

use crate::client::{Client, connect, ipc_in, json_of, within, write_info};

#[tokio::test]
async fn shutdown_is_replied_to_everyone_and_ends_the_kernel() {
    for restart in [false, true] {
        let mut client = Client::start().await;
        let id = client.send_control(ShutdownRequest { restart }).await;
        let reply = client.control_reply(&id).await;
        assert_eq!(json_of(&reply)["restart"], restart);
        assert_eq!(
            client.transcript(&id).await,
            [
                "busy".to_owned(),
                format!(r#"shutdown_reply {{"restart":{restart},"status":"ok"}}"#),
                "idle".to_owned(),
            ]
        );
        within("the kernel to end", client.kernel)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_running_cell() {
    let mut client = Client::start().await;
    let cell = client
        .send(ExecuteRequest::new("print on\nwait".to_owned()))
        .await;
    client.wait_for(&cell, "stdout: on\n").await;
    client
        .send_control(ShutdownRequest { restart: false })
        .await;
    within("the kernel to end", client.kernel)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_heartbeat_comes_back_as_it_was() {
    let client = Client::start().await;
    let mut heartbeat = create_client_heartbeat_connection(&client.info)
        .await
        .unwrap();
    for beat in ["ping", "pong", ""] {
        heartbeat.socket.send(ZmqMessage::from(beat)).await.unwrap();
        let back = within("the heartbeat", heartbeat.socket.recv())
            .await
            .unwrap();
        assert_eq!(back.get(0).unwrap().as_ref(), beat.as_bytes());
    }
}

#[tokio::test]
async fn ipc_sockets_work_and_leave_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    let mut client = Client::try_start(info, dir).await.unwrap();
    client.ask(KernelInfoRequest {}).await;
    client
        .send_control(ShutdownRequest { restart: false })
        .await;
    within("the kernel to end", client.kernel)
        .await
        .unwrap()
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(client.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["kernel.json"]);
}

#[tokio::test]
async fn kernel_info_does_not_wait_for_the_backend() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    let file = write_info(dir.path(), &info);
    let (go, started) = std::sync::mpsc::channel::<()>();
    let kernel = tokio::spawn(async move {
        serve_backend(&file, move |sink| {
            // Starts when the test says so, which it does after the answer.
            let _ = started.recv();
            Ok(Echo::new(sink))
        })
        .await
    });
    let (mut shell, mut control, _iopub) = connect(&info).await;
    shell.send(KernelInfoRequest {}.into()).await.unwrap();
    let reply = within("kernel_info_reply", shell.read()).await.unwrap();
    assert!(matches!(reply.content, Content::KernelInfoReply(_)));
    drop(go);
    control
        .send(ShutdownRequest { restart: false }.into())
        .await
        .unwrap();
    within("the kernel to end", kernel).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_backend_that_does_not_start_says_why_in_every_cell() {
    let dir = tempfile::tempdir().unwrap();
    let info = ipc_in(dir.path()).await;
    let file = write_info(dir.path(), &info);
    tokio::spawn(async move {
        serve_backend(&file, |_| {
            Err::<Echo, _>(Failure {
                kind: FailureKind::SetUp,
                name: "set-up".to_owned(),
                message: "no rustc".to_owned(),
                report: Vec::new(),
                position: None,
            })
        })
        .await
    });
    let (mut shell, _control, _iopub) = connect(&info).await;
    for _ in 0..2 {
        shell
            .send(ExecuteRequest::new("x".to_owned()).into())
            .await
            .unwrap();
        let reply = json_of(&within("a reply", shell.read()).await.unwrap());
        assert_eq!(reply["traceback"][0], "set-up: no rustc");
    }
}

#[tokio::test]
async fn a_bad_connection_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.json");
    let broken = dir.path().join("broken.json");
    std::fs::write(&broken, "{}").unwrap();
    check(&missing, "cannot be read").await;
    check(&broken, "is not one").await;

    async fn check(file: &Path, says: &str) {
        let error = serve_backend(file, |sink| Ok(Echo::new(sink)))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(says) && error.contains(".json"), "{error}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let client = Client::start().await;
    let file = write_info(client.dir.path(), &client.info);
    let error = serve_backend(&file, |sink| Ok(Echo::new(sink)))
        .await
        .unwrap_err();
    assert!(matches!(error, KernelError::Bind { .. }), "{error:?}");
    let port = client.info.hb_port.to_string();
    assert!(error.to_string().contains(&port), "{error}");
}
