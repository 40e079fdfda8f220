//! Comms, the channel of widgets: there are none, and whoever opens one is told so at once.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#custom-messages>

use jupyter_protocol::{CommClose, CommInfoReply, CommOpen, JupyterMessageContent};

pub(crate) fn info_reply() -> JupyterMessageContent {
    CommInfoReply::default().into()
}

/// The protocol's answer to a comm with an unknown target.
pub(crate) fn close(open: &CommOpen) -> JupyterMessageContent {
    let comm_id = open.comm_id.clone();
    let data = serde_json::Map::new();
    CommClose { comm_id, data }.into()
}
