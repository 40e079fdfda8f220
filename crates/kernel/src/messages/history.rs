//! `history_request`: the cells of this session. <https://jupyter-client.readthedocs.io/en/latest/messaging.html#history>

use jupyter_protocol::{HistoryReply, HistoryRequest, JupyterMessageContent};

use crate::session::Session;

pub(crate) fn reply(session: &Session, request: &HistoryRequest) -> JupyterMessageContent {
    HistoryReply::new(session.history(request)).into()
}
