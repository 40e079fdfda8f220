//! While a cell runs: questions are answered, the kernel stays busy, an interrupt gets through.

use jupyter_protocol::{
    CompleteRequest, ExecuteRequest, HistoryRequest, InterruptRequest, IsCompleteRequest,
    KernelInfoRequest, ReplyStatus,
};

use crate::client::{Client, execute_reply, line, parent_id};

/// A kernel with a cell that waits to be interrupted, and the id of that cell's request.
async fn waiting() -> (Client, String) {
    let mut client = Client::start().await;
    let id = client
        .send(ExecuteRequest::new("print on\nwait".to_owned()))
        .await;
    client.wait_for(&id, "stdout: on\n").await;
    (client, id)
}

#[tokio::test]
async fn questions_are_answered_at_once() {
    let (mut client, cell) = waiting().await;
    client.ask(KernelInfoRequest {}).await;
    client
        .ask(IsCompleteRequest {
            code: "x".to_owned(),
        })
        .await;
    client
        .ask(HistoryRequest::Tail {
            n: 1,
            output: false,
            raw: true,
        })
        .await;
    let code = "pri".to_owned();
    let reply = client
        .ask(CompleteRequest {
            code,
            cursor_pos: 3,
        })
        .await;
    assert_eq!(reply["matches"][0], "print");
    let stop = client.send_control(InterruptRequest {}).await;
    client.control_reply(&stop).await;
    assert_eq!(
        execute_reply(&client.reply(&cell).await).status,
        ReplyStatus::Error
    );
}

#[tokio::test]
async fn the_last_status_is_busy_until_the_cell_ends() {
    let (mut client, cell) = waiting().await;
    let question = client.send(KernelInfoRequest {}).await;
    client.wait_for(&question, "idle").await;
    let next = client.published().await;
    assert_eq!(
        (parent_id(&next), line(&next).as_str()),
        (cell.as_str(), "busy")
    );
    client.send_control(InterruptRequest {}).await;
    client.wait_for(&cell, "idle").await;
}

#[tokio::test]
async fn an_interrupt_ends_the_cell_and_the_cells_behind_it() {
    let (mut client, cell) = waiting().await;
    let behind = client
        .send(ExecuteRequest::new("print behind".to_owned()))
        .await;
    // Requests of one channel are read in order: this answer means that the cell before it waits in the queue.
    client.ask(KernelInfoRequest {}).await;
    let stop = client.send_control(InterruptRequest {}).await;
    client.control_reply(&stop).await;
    let reply = execute_reply(&client.reply(&cell).await);
    assert_eq!(reply.error.unwrap().ename, "interrupted");
    assert_eq!(
        execute_reply(&client.reply(&behind).await).status,
        ReplyStatus::Aborted
    );
    let (_, reply) = client
        .run(ExecuteRequest::new("print after".to_owned()))
        .await;
    assert_eq!(reply.status, ReplyStatus::Ok);
}

#[tokio::test]
async fn an_interrupt_between_cells_does_nothing() {
    let mut client = Client::start().await;
    let stop = client.send_control(InterruptRequest {}).await;
    client.control_reply(&stop).await;
    let (_, reply) = client
        .run(ExecuteRequest::new("print fine".to_owned()))
        .await;
    assert_eq!(reply.status, ReplyStatus::Ok);
}
