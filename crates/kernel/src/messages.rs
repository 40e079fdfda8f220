//! One file per kind of request: each turns the request into the content of its reply. None of them sends anything.
//!
//! `execute_request` is not here: it takes time and has a module of its own.

pub(crate) mod comm;
pub(crate) mod complete;
pub(crate) mod history;
pub(crate) mod inspect;
pub(crate) mod interrupt;
pub(crate) mod is_complete;
pub(crate) mod kernel_info;
pub(crate) mod shutdown;

use jupyter_protocol::{JupyterMessage, JupyterMessageContent};
use serde_json::json;

use crate::wire::raw_content;

/// The answer to a request that this kernel does not know; `None` for what is not a request.
pub(crate) fn unsupported(message: &JupyterMessage) -> Option<JupyterMessageContent> {
    let why = format!(
        "LoopBot's kernel does not support `{}`",
        message.header.msg_type
    );
    error_reply(&message.header.msg_type, "not supported", why)
}

/// The answer to a request whose content does not parse.
pub(crate) fn unreadable(message: &JupyterMessage, fault: &str) -> Option<JupyterMessageContent> {
    let why = format!(
        "the content of this `{}` cannot be read: {fault}",
        message.header.msg_type
    );
    error_reply(&message.header.msg_type, "bad request", why)
}

fn error_reply(msg_type: &str, name: &str, why: String) -> Option<JupyterMessageContent> {
    let kind = msg_type.strip_suffix("_request")?;
    let content = json!({"status": "error", "ename": name, "evalue": why, "traceback": [why]});
    Some(raw_content(&format!("{kind}_reply"), content))
}
