//! The requests that no cell is needed for.

use jupyter_protocol::{
    CommId, CommInfoRequest, CommOpen, CompleteRequest, ExecuteRequest, HistoryRequest,
    InspectRequest, IsCompleteRequest, KernelInfoRequest, UnknownMessage,
};
use serde_json::{Value, json};

use crate::client::{Client, within};

/// `backend` answers as soon as it has started, which is a moment after the sockets.
async fn started() -> Client {
    let mut client = Client::start().await;
    client
        .run(ExecuteRequest::new("print ready".to_owned()))
        .await;
    client
}

#[tokio::test]
async fn kernel_info_names_the_language() {
    let mut client = Client::start().await;
    let reply = client.ask(KernelInfoRequest {}).await;
    assert_eq!(reply["protocol_version"], "5.5");
    assert_eq!(reply["implementation"], "loopbot");
    let expected = json!({
        "name": "rust",
        "version": "2024",
        "mimetype": "text/x-rust",
        "file_extension": ".rs",
        "pygments_lexer": "rust",
        "codemirror_mode": "rust",
    });
    assert_eq!(reply["language_info"], expected);
}

#[tokio::test]
async fn every_request_is_framed_by_busy_and_idle() {
    let mut client = Client::start().await;
    let id = client.send(KernelInfoRequest {}).await;
    assert_eq!(client.transcript(&id).await, ["busy", "idle"]);
    let id = client.send_control(KernelInfoRequest {}).await;
    assert_eq!(client.transcript(&id).await, ["busy", "idle"]);
    client.control_reply(&id).await;
}

#[tokio::test]
async fn completeness_as_the_backend_judges() {
    let mut client = started().await;
    let check = [
        ("print x", json!({"status": "complete"})),
        ("print \\", json!({"status": "incomplete", "indent": "  "})),
        (")", json!({"status": "invalid"})),
    ];
    for (code, expected) in check {
        let id = client
            .send(IsCompleteRequest {
                code: code.to_owned(),
            })
            .await;
        let reply = crate::client::json_of(&client.reply(&id).await);
        // The client's type always has an indent.
        assert_eq!(reply["status"], expected["status"], "{code}");
        assert_eq!(
            reply["indent"],
            *expected.get("indent").unwrap_or(&json!("")),
            "{code}"
        );
    }
}

#[tokio::test]
async fn completion_counts_code_points() {
    let mut client = started().await;
    let code = "🦀é pri".to_owned();
    let reply = client
        .ask(CompleteRequest {
            code,
            cursor_pos: 6,
        })
        .await;
    assert_eq!(reply["matches"], json!(["print"]));
    assert_eq!(
        (&reply["cursor_start"], &reply["cursor_end"]),
        (&json!(3), &json!(6))
    );
    assert_eq!(
        reply["metadata"]["_jupyter_types_experimental"],
        json!([{"start": 3, "end": 6, "text": "print", "type": "function", "signature": "echo command"}])
    );
}

#[tokio::test]
async fn inspection_finds_a_name_or_says_that_it_does_not() {
    let mut client = started().await;
    let ask = |code: &str| InspectRequest {
        code: code.to_owned(),
        cursor_pos: code.chars().count(),
        detail_level: None,
    };
    let reply = client.ask(ask("é print")).await;
    assert_eq!(reply["found"], true);
    assert_eq!(
        reply["data"]["text/plain"],
        "print: a command of the toy backend"
    );
    assert!(reply["data"]["text/markdown"].is_string());
    let reply = client.ask(ask("nothing")).await;
    assert_eq!(
        (&reply["found"], &reply["data"]),
        (&json!(false), &json!({}))
    );
}

#[tokio::test]
async fn history_remembers_inputs_and_results() {
    let mut client = Client::start().await;
    for code in ["print a", "b", "fail c"] {
        client.run(ExecuteRequest::new(code.to_owned())).await;
    }
    let tail = HistoryRequest::Tail {
        n: 2,
        output: true,
        raw: true,
    };
    let reply = client.ask(tail).await;
    assert_eq!(
        reply["history"],
        json!([[1, 2, ["b", "b"]], [1, 3, ["fail c", ""]]])
    );
}

#[tokio::test]
async fn history_requests_may_leave_fields_out() {
    let mut client = Client::start().await;
    client.run(ExecuteRequest::new("print a".to_owned())).await;
    let content = json!({"hist_access_type": "tail", "n": 5});
    let reply = client
        .ask(UnknownMessage {
            msg_type: "history_request".to_owned(),
            content,
        })
        .await;
    assert_eq!(reply["history"], json!([[1, 1, "print a"]]));
}

#[tokio::test]
async fn there_are_no_comms_and_a_new_one_is_closed() {
    let mut client = Client::start().await;
    let reply = client.ask(CommInfoRequest { target_name: None }).await;
    assert_eq!(
        (&reply["status"], &reply["comms"]),
        (&json!("ok"), &json!({}))
    );
    let open = CommOpen {
        comm_id: CommId("42".to_owned()),
        target_name: "jupyter.widget".to_owned(),
        ..CommOpen::default()
    };
    let id = client.send(open).await;
    let transcript = client.transcript(&id).await;
    assert_eq!(
        transcript,
        ["busy", r#"comm_close {"comm_id":"42","data":{}}"#, "idle"]
    );
}

#[tokio::test]
async fn what_is_not_supported_or_not_readable_gets_an_answer() {
    let mut client = Client::start().await;
    let check = [
        ("create_subshell_request", json!({}), "not supported"),
        ("complete_request", json!({"code": 7}), "bad request"),
        ("execute_request", json!({"code": 7}), "bad request"),
    ];
    for (msg_type, content, ename) in check {
        let message = UnknownMessage {
            msg_type: msg_type.to_owned(),
            content,
        };
        let id = client.send(message).await;
        let reply = within("an answer", client.shell.read()).await.unwrap();
        assert_eq!(crate::client::parent_id(&reply), id);
        let reply: Value = crate::client::json_of(&reply);
        assert_eq!(reply["status"], "error", "{msg_type}");
        if let Some(found) = reply.get("ename") {
            assert_eq!(found, ename, "{msg_type}");
        }
    }
}
