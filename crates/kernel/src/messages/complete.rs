//! `complete_request`: what could stand at the cursor.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#completion>

use std::sync::Arc;

use jupyter_protocol::{CompleteReply, CompleteRequest, JupyterMessageContent, ReplyStatus};
use loopbot_engine::{Completion, CompletionKind};
use serde_json::{Map, Value, json};

use crate::backend::Helper;
use crate::text::{byte_offset, char_offset};

/// Nothing while the backend starts.
pub(crate) async fn reply(
    helper: Option<&Arc<dyn Helper>>,
    request: &CompleteRequest,
) -> JupyterMessageContent {
    let CompleteRequest { code, cursor_pos } = request.clone();
    let empty = Completion {
        start: byte_offset(&code, cursor_pos),
        end: byte_offset(&code, cursor_pos),
        matches: Vec::new(),
    };
    let found = match helper.cloned() {
        Some(helper) => {
            let code = code.clone();
            let cursor = empty.start;
            // It may search many names; the thread that reads requests has no time for that.
            tokio::task::spawn_blocking(move || helper.complete(&code, cursor)).await
        }
        None => Ok(empty.clone()),
    };
    content(&code, &found.unwrap_or(empty))
}

fn content(code: &str, found: &Completion) -> JupyterMessageContent {
    let start = char_offset(code, found.start);
    let end = char_offset(code, found.end);
    let types = found.matches.iter().map(|one| {
        json!({
            "start": start,
            "end": end,
            "text": one.text,
            "type": kind(one.kind),
            "signature": one.detail.as_deref().unwrap_or(""),
        })
    });
    let metadata = Map::from_iter([(
        "_jupyter_types_experimental".to_owned(),
        Value::Array(types.collect()),
    )]);
    CompleteReply {
        matches: found.matches.iter().map(|one| one.text.clone()).collect(),
        cursor_start: start,
        cursor_end: end,
        metadata,
        status: ReplyStatus::Ok,
        error: None,
    }
    .into()
}

/// The names that JupyterLab has icons for.
fn kind(kind: CompletionKind) -> &'static str {
    match kind {
        CompletionKind::Variable => "instance",
        CompletionKind::Function => "function",
        CompletionKind::Type => "class",
        CompletionKind::Module => "module",
        CompletionKind::Macro => "function",
        CompletionKind::Constant => "statement",
        CompletionKind::Keyword => "keyword",
        CompletionKind::Directive => "magic",
    }
}
