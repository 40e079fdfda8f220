//! `shutdown_request`: the reply goes out before the engine ends, since that can take a moment.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#kernel-shutdown>

use jupyter_protocol::{JupyterMessageContent, ReplyStatus, ShutdownReply, ShutdownRequest};

pub(crate) fn reply(request: &ShutdownRequest) -> JupyterMessageContent {
    ShutdownReply {
        restart: request.restart,
        status: ReplyStatus::Ok,
        error: None,
    }
    .into()
}
