//! `is_complete_request`: does the console run this text, or wait for another line?
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#code-completeness>

use jupyter_protocol::{IsCompleteRequest, JupyterMessageContent};
use loopbot_engine::Completeness;
use serde_json::json;

use crate::backend::Helper;
use crate::wire::raw_content;

/// Unknown while the backend starts. Written as JSON because `indent` exists only where more lines are wanted.
pub(crate) fn reply(
    helper: Option<&dyn Helper>,
    request: &IsCompleteRequest,
) -> JupyterMessageContent {
    let content = match helper.map(|helper| helper.completeness(&request.code)) {
        Some(Completeness::Complete) => json!({"status": "complete"}),
        Some(Completeness::Incomplete { indent }) => {
            json!({"status": "incomplete", "indent": indent})
        }
        Some(Completeness::Invalid) => json!({"status": "invalid"}),
        None => json!({"status": "unknown"}),
    };
    raw_content("is_complete_reply", content)
}
