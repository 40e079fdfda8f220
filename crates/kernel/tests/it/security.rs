//! Who may give this kernel orders.

use jupyter_protocol::{ConnectionInfo, ExecuteRequest, HistoryRequest, ReplyStatus};
use loopbot_kernel::{Echo, KernelError, serve_backend};
use serde_json::json;

use crate::client::{Client, connect, free_tcp, ipc_in, write_info};

#[tokio::test]
async fn a_wrong_signature_is_dropped_and_never_runs() {
    let mut client = Client::start().await;
    let wrong = ConnectionInfo {
        key: "a guess".to_owned(),
        ..client.info.clone()
    };
    for key in ["a guess", ""] {
        let wrong = ConnectionInfo {
            key: key.to_owned(),
            ..wrong.clone()
        };
        let identity = jupyter_zmq_client::peer_identity_for_session("stranger").unwrap();
        let mut stranger = jupyter_zmq_client::create_client_shell_connection_with_identity(
            &wrong, "stranger", identity,
        )
        .await
        .unwrap();
        stranger
            .send(ExecuteRequest::new("print mine".to_owned()).into())
            .await
            .unwrap();
        // Requests of one connection are read in order, and connections in turn; two of ours are behind it for sure.
        for _ in 0..2 {
            let (_, reply) = client
                .run(ExecuteRequest::new("print ours".to_owned()))
                .await;
            assert_eq!(reply.status, ReplyStatus::Ok);
        }
    }
    let everything = HistoryRequest::Tail {
        n: 99,
        output: false,
        raw: true,
    };
    let history = client.ask(everything).await["history"].clone();
    let ours = |number| json!([1, number, "print ours"]);
    assert_eq!(history, json!([ours(1), ours(2), ours(3), ours(4)]));
}

#[tokio::test]
async fn without_a_key_messages_are_unsigned_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let info = ConnectionInfo {
        key: String::new(),
        ..ipc_in(dir.path()).await
    };
    let mut client = Client::try_start(info, dir).await.unwrap();
    let (_, reply) = client.run(ExecuteRequest::new("print x".to_owned())).await;
    assert_eq!(reply.status, ReplyStatus::Ok);
}

#[tokio::test]
async fn without_a_key_no_other_machine_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let info = ConnectionInfo {
        ip: "0.0.0.0".to_owned(),
        key: String::new(),
        ..free_tcp().await
    };
    let file = write_info(dir.path(), &info);
    let refused = serve_backend(&file, |sink| Ok(Echo::new(sink))).await;
    assert!(
        matches!(refused, Err(KernelError::Unsigned(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn two_clients_hear_the_same() {
    let mut client = Client::start().await;
    let (_shell, _control, mut iopub) = connect(&client.info).await;
    let id = client
        .send(ExecuteRequest::new("print hello".to_owned()))
        .await;
    client.transcript(&id).await;
    loop {
        let message = crate::client::within("the output", iopub.read())
            .await
            .unwrap();
        if crate::client::line(&message) == "stdout: hello\n" {
            assert_eq!(crate::client::parent_id(&message), id);
            break;
        }
    }
}
