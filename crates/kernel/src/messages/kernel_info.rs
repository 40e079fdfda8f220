//! `kernel_info_request`: who this kernel is and which language it speaks.
//! <https://jupyter-client.readthedocs.io/en/latest/messaging.html#kernel-info>

use jupyter_protocol::JupyterMessageContent;
use serde_json::json;

use crate::wire::{PROTOCOL, raw_content};

/// Written as JSON because the protocol crate's type lacks `supported_features` (protocol 5.5).
pub(crate) fn reply() -> JupyterMessageContent {
    let content = json!({
        "status": "ok",
        "protocol_version": PROTOCOL,
        "implementation": "loopbot",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": language_info(),
        "banner": concat!("LoopBot ", env!("CARGO_PKG_VERSION"), ": Rust, one cell at a time"),
        "debugger": false,
        "supported_features": [],
        "help_links": [
            {"text": "The Rust book", "url": "https://doc.rust-lang.org/book/"},
            {"text": "The standard library", "url": "https://doc.rust-lang.org/std/"},
            {"text": "Tokio", "url": "https://docs.rs/tokio"},
        ],
    });
    raw_content("kernel_info_reply", content)
}

/// Front ends copy this into the notebook, so it says nothing that differs from machine to machine: the version is the
/// edition, not the compiler's.
fn language_info() -> serde_json::Value {
    json!({
        "name": "rust",
        "version": "2024",
        "mimetype": "text/x-rust",
        "file_extension": ".rs",
        "pygments_lexer": "rust",
        "codemirror_mode": "rust",
    })
}
