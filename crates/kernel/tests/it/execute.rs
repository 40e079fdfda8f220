//! `execute_request`: what is published, what is replied, in which order.

use std::collections::HashMap;

use jupyter_protocol::{
    ExecuteRequest, InterruptRequest, JupyterMessageContent as Content, KernelInfoRequest,
    ReplyStatus,
};
use serde_json::json;

use crate::client::{Client, check, execute_reply, json_of};

fn cell(code: &str) -> ExecuteRequest {
    ExecuteRequest::new(code.to_owned())
}

#[tokio::test]
async fn text_then_the_result() {
    check(
        "print one\neprint two\nprint three\n3 + 4",
        &[
            "busy",
            "input [1]: print one\neprint two\nprint three\n3 + 4",
            "stdout: one\n",
            "stderr: two\n",
            "stdout: three\n",
            r#"execute_result {"execution_count":1,"data":{"text/plain":"3 + 4"},"metadata":{},"transient":{}}"#,
            "idle",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_picture_is_one_display_in_all_its_forms() {
    let mut client = Client::start().await;
    let id = client.send(cell("show hello")).await;
    let display = loop {
        let message = client.published().await;
        if matches!(message.content, Content::DisplayData(_)) {
            break json_of(&message);
        }
    };
    assert_eq!(
        display["data"],
        json!({"text/plain": "hello", "text/html": "<b>hello</b>"})
    );
    client.reply(&id).await;
}

#[tokio::test]
async fn a_live_display_changes_in_place_also_from_a_later_cell() {
    let mut client = Client::start().await;
    for (code, expected) in [
        ("live bar 10 %", "display_data"),
        ("live bar 20 %", "update_display_data"),
    ] {
        let id = client.send(cell(code)).await;
        let message = loop {
            let message = client.published().await;
            let kind = message.content.message_type();
            if kind.ends_with("display_data") {
                assert_eq!(kind, expected);
                break json_of(&message);
            }
        };
        assert_eq!(message["transient"], json!({"display_id": "bar"}));
        assert_eq!(
            message["data"]["text/plain"],
            code.trim_start_matches("live bar ")
        );
        client.reply(&id).await;
    }
}

#[tokio::test]
async fn json_forms_are_json_not_text() {
    let mut client = Client::start().await;
    client.send(cell("verdict")).await;
    let display = loop {
        let message = client.published().await;
        if matches!(message.content, Content::DisplayData(_)) {
            break json_of(&message);
        }
    };
    assert_eq!(
        display["data"]["application/vnd.loopbot.verdict+json"],
        json!({"done": true})
    );
}

#[tokio::test]
async fn a_failure_is_published_and_replied() {
    let mut client = Client::start().await;
    let (transcript, reply) = client
        .run(cell("print before\nfail mismatched types"))
        .await;
    assert_eq!(
        transcript,
        [
            "busy",
            "input [1]: print before\nfail mismatched types",
            "stdout: before\n",
            r#"error {"ename":"E0308","evalue":"mismatched types","traceback":["\u001b[31mE0308\u001b[0m: mismatched types"]}"#,
            "idle",
        ]
    );
    assert_eq!(reply.status, ReplyStatus::Error);
    let error = reply.error.unwrap();
    assert_eq!(
        (error.ename.as_str(), error.evalue.as_str()),
        ("E0308", "mismatched types")
    );
    assert_eq!(error.traceback.len(), 1);
}

#[tokio::test]
async fn cells_are_numbered_from_one_and_failures_count() {
    let mut client = Client::start().await;
    for (code, number) in [("print a", 1), ("fail b", 2), ("c", 3)] {
        let (_, reply) = client.run(cell(code)).await;
        assert_eq!(reply.execution_count.value(), number, "{code}");
    }
}

#[tokio::test]
async fn a_silent_cell_shows_and_counts_nothing() {
    let mut client = Client::start().await;
    let silent = ExecuteRequest {
        silent: true,
        ..cell("5")
    };
    assert_eq!(client.run(silent).await.0, ["busy", "idle"]);
    let silent = ExecuteRequest {
        silent: true,
        ..cell("fail quietly")
    };
    let (transcript, reply) = client.run(silent).await;
    assert_eq!(transcript, ["busy", "idle"]);
    assert_eq!(reply.status, ReplyStatus::Error);
    assert_eq!(
        client.run(cell("print x")).await.1.execution_count.value(),
        1
    );
}

#[tokio::test]
async fn a_cell_that_is_not_stored_uses_up_no_number() {
    let mut client = Client::start().await;
    let request = ExecuteRequest {
        store_history: false,
        ..cell("print x")
    };
    let (transcript, reply) = client.run(request).await;
    assert_eq!(
        transcript,
        ["busy", "input [1]: print x", "stdout: x\n", "idle"]
    );
    assert_eq!(reply.execution_count.value(), 1);
    assert_eq!(
        client.run(cell("print y")).await.1.execution_count.value(),
        1
    );
}

#[tokio::test]
async fn an_empty_cell_is_done_at_once() {
    check("  \n", &["busy", "idle"]).await;
}

#[tokio::test]
async fn a_failure_stops_the_cells_behind_it() {
    let mut client = Client::start().await;
    // The first cell holds the others back until all of them are in the queue, which the answer to the question shows.
    let hold = ExecuteRequest {
        stop_on_error: false,
        ..cell("print on\nwait")
    };
    let mut ids = vec![client.send(hold).await];
    client.wait_for(&ids[0], "stdout: on\n").await;
    for code in ["fail two", "print three", "print four"] {
        ids.push(client.send(cell(code)).await);
    }
    client.ask(KernelInfoRequest {}).await;
    client.send_control(InterruptRequest {}).await;
    let mut statuses = Vec::new();
    for id in &ids {
        statuses.push(execute_reply(&client.reply(id).await).status);
    }
    let (error, aborted) = (ReplyStatus::Error, ReplyStatus::Aborted);
    assert_eq!(statuses, [error.clone(), error, aborted.clone(), aborted]);
    for id in &ids[2..] {
        assert_eq!(client.transcript(id).await, ["busy", "idle"]);
    }
    // Only what was sent with it is stopped; the next cell runs, under the next number.
    let (_, reply) = client.run(cell("print five")).await;
    assert_eq!(reply.status, ReplyStatus::Ok);
    assert_eq!(reply.execution_count.value(), 3);
}

#[tokio::test]
async fn without_stop_on_error_the_cells_behind_it_run() {
    let mut client = Client::start().await;
    let tolerant = ExecuteRequest {
        stop_on_error: false,
        ..cell("fail one")
    };
    let first = client.send(tolerant).await;
    let second = client.send(cell("print two")).await;
    assert_eq!(
        execute_reply(&client.reply(&first).await).status,
        ReplyStatus::Error
    );
    assert_eq!(
        execute_reply(&client.reply(&second).await).status,
        ReplyStatus::Ok
    );
}

#[tokio::test]
async fn late_output_goes_to_the_last_cell_that_ran() {
    let mut client = Client::start().await;
    let first = client.send(cell("later 50 from a thread")).await;
    client.wait_for(&first, "idle").await;
    client.wait_for(&first, "stdout: from a thread\n").await;

    let second = client.send(cell("later 50 from another thread")).await;
    client.wait_for(&second, "idle").await;
    let silent = client
        .send(ExecuteRequest {
            silent: true,
            ..cell("nothing")
        })
        .await;
    client.wait_for(&silent, "idle").await;
    client
        .wait_for(&second, "stdout: from another thread\n")
        .await;
}

#[tokio::test]
async fn progress_is_shown_and_cleared_before_the_first_output() {
    let mut client = Client::start().await;
    let (transcript, _) = client
        .run(cell("progress a\nprogress b\nprint done\nprogress c"))
        .await;
    assert_eq!(
        transcript[2..],
        [
            r#"display_data {"data":{"text/plain":"a"},"metadata":{},"transient":{"display_id":"loopbot-progress-1"}}"#,
            r#"update_display_data {"data":{"text/plain":"b"},"metadata":{},"transient":{"display_id":"loopbot-progress-1"}}"#,
            r#"clear_output {"wait":true}"#,
            "stdout: done\n",
            "idle",
        ]
    );
    let (transcript, _) = client.run(cell("progress only")).await;
    assert_eq!(transcript[3..], [r#"clear_output {"wait":false}"#, "idle"]);
}

#[tokio::test]
async fn a_flood_of_lines_arrives_whole_and_in_few_messages() {
    let mut client = Client::start().await;
    let id = client.send(cell("lines 200000")).await;
    let (mut text, mut messages) = (String::new(), 0);
    loop {
        let message = client.published().await;
        match &message.content {
            Content::StreamContent(stream) => {
                messages += 1;
                text.push_str(&stream.text);
            }
            _ if crate::client::line(&message) == "idle" => break,
            _ => {}
        }
    }
    client.reply(&id).await;
    let expected: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    assert!(
        text == expected,
        "{} bytes instead of {}",
        text.len(),
        expected.len()
    );
    assert!(messages < 5_000, "{messages} messages for 200000 lines");
}

#[tokio::test]
async fn user_expressions_are_refused_by_name() {
    let mut client = Client::start().await;
    let user_expressions = Some(HashMap::from([("answer".to_owned(), "42".to_owned())]));
    let id = client
        .send(ExecuteRequest {
            user_expressions,
            ..cell("print x")
        })
        .await;
    let reply = json_of(&client.reply(&id).await);
    assert_eq!(reply["status"], "ok");
    assert_eq!(reply["user_expressions"]["answer"]["status"], "error");
}

#[tokio::test]
async fn a_backend_that_breaks_down_leaves_a_kernel_that_says_so() {
    let mut client = Client::start().await;
    for code in ["panic", "print x"] {
        let (_, reply) = client.run(cell(code)).await;
        assert_eq!(reply.status, ReplyStatus::Error, "{code}");
        assert_eq!(reply.error.unwrap().ename, "kernel error");
    }
}
