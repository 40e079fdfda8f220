//! `interrupt_request`: the reply only says that the cell was told; the cell's own reply says how it ended.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#kernel-interrupt>

use jupyter_protocol::{InterruptReply, JupyterMessageContent};

pub(crate) fn reply() -> JupyterMessageContent {
    InterruptReply::new().into()
}
