//! `inspect_request`: what the name at the cursor is.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#introspection>

use std::sync::Arc;

use jupyter_protocol::{InspectReply, InspectRequest, JupyterMessageContent, Media, MediaType};

use crate::backend::Helper;
use crate::text::byte_offset;

/// Nothing found while the backend starts.
pub(crate) async fn reply(
    helper: Option<&Arc<dyn Helper>>,
    request: &InspectRequest,
) -> JupyterMessageContent {
    let cursor = byte_offset(&request.code, request.cursor_pos);
    let found = match helper.cloned() {
        Some(helper) => {
            let code = request.code.clone();
            tokio::task::spawn_blocking(move || helper.inspect(&code, cursor)).await
        }
        None => Ok(None),
    };
    let mut reply = InspectReply::default();
    if let Ok(Some(found)) = found {
        reply.found = true;
        reply.data = Media::new(vec![
            MediaType::Plain(found.plain),
            MediaType::Markdown(found.markdown),
        ]);
    }
    reply.into()
}
