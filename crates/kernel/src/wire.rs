//! One message in, one message out, on the two sockets that carry requests. Checks signatures; judges no request.
//!
//! What the protocol crate cannot read is still somebody's question: it comes back as a [`Request`] with a `fault`, so
//! that it can be answered with an error rather than with silence.

use std::time::Duration;

use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::{
    Connection, RawMessage, RouterRecvConnection, RouterSendConnection, RuntimeError,
};
use serde_json::{Value, json};
use zeromq::SocketRecv;

/// The protocol version that this kernel speaks; 5.5 is the first with `iopub_welcome`.
pub(crate) const PROTOCOL: &str = "5.5";

/// A message whose signature was right.
pub(crate) struct Request {
    pub(crate) message: JupyterMessage,
    /// Why its content could not be read, if so.
    pub(crate) fault: Option<String>,
}

/// Waits for the next message that is signed correctly. Everything else is dropped without a word: an answer would tell
/// a stranger that somebody is here.
pub(crate) async fn receive(from: &mut RouterRecvConnection) -> Request {
    loop {
        match from.socket.recv().await {
            Ok(frames) => {
                let parsed = RawMessage::from_multipart(frames, &from.mac).and_then(parse);
                if let Ok(request) = parsed {
                    return request;
                }
            }
            // No message to drop, so nothing was consumed: without the pause this would spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn parse(raw: RawMessage) -> Result<Request, RuntimeError> {
    let header: Header = serde_json::from_slice(&raw.jparts[0])?;
    let mut content = serde_json::from_slice(&raw.jparts[3]).unwrap_or(Value::Null);
    complete_content(&header.msg_type, &mut content);
    let (content, fault) =
        match JupyterMessageContent::from_type_and_content(&header.msg_type, content.clone()) {
            Ok(content) => (content, None),
            Err(error) => {
                let msg_type = header.msg_type.clone();
                let content = UnknownMessage { msg_type, content };
                (content.into(), Some(error.to_string()))
            }
        };
    let message = JupyterMessage {
        zmq_identities: raw.zmq_identities,
        header,
        parent_header: None,
        metadata: json!({}),
        content,
        buffers: Vec::new(),
        channel: None,
    };
    Ok(Request { message, fault })
}

/// Fills in what clients leave out and the protocol gives a default for.
fn complete_content(msg_type: &str, content: &mut Value) {
    let Some(fields) = content.as_object_mut() else {
        return;
    };
    let defaults = match msg_type {
        "execute_request" => {
            let silent = fields.get("silent").and_then(Value::as_bool) == Some(true);
            json!({"silent": false, "store_history": !silent})
        }
        "history_request" => json!({
            "output": false, "raw": true, "session": 0, "start": 0, "stop": i32::MAX, "n": i32::MAX,
            "pattern": "*", "unique": false
        }),
        "shutdown_request" => json!({"restart": false}),
        _ => return,
    };
    if let Value::Object(defaults) = defaults {
        for (name, value) in defaults {
            let field = fields.entry(name).or_insert(Value::Null);
            if field.is_null() {
                *field = value;
            }
        }
    }
}

/// Answers requests on one socket. Cheap to clone.
pub(crate) struct Replier(RouterSendConnection);

impl Replier {
    pub(crate) fn new(to: RouterSendConnection) -> Replier {
        Replier(to)
    }

    /// Sends `content` as the answer to `request`. A client that is gone by now misses nothing, so that is no error.
    pub(crate) async fn reply(
        &mut self,
        request: &JupyterMessage,
        content: impl Into<JupyterMessageContent>,
    ) {
        self.reply_with(request, content, json!({})).await;
    }

    /// As [`reply`](Replier::reply), with metadata.
    pub(crate) async fn reply_with(
        &mut self,
        request: &JupyterMessage,
        content: impl Into<JupyterMessageContent>,
        metadata: Value,
    ) {
        let message = JupyterMessage::new(content, Some(request)).with_metadata(metadata);
        let _ = self.0.send(signed_by_us(message)).await;
    }
}

impl Clone for Replier {
    fn clone(&self) -> Replier {
        Replier(Connection {
            socket: self.0.socket.clone(),
            mac: self.0.mac.clone(),
            session_id: self.0.session_id.clone(),
        })
    }
}

/// Our name and protocol version in the header, instead of the protocol crate's.
pub(crate) fn signed_by_us(mut message: JupyterMessage) -> JupyterMessage {
    message.header.username = "kernel".to_owned();
    message.header.version = PROTOCOL.to_owned();
    message
}

/// A message that the protocol crate has no exact type for.
pub(crate) fn raw_content(msg_type: &str, content: Value) -> JupyterMessageContent {
    UnknownMessage {
        msg_type: msg_type.to_owned(),
        content,
    }
    .into()
}
