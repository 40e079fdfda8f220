//! What can go wrong before the kernel talks to anyone. Later troubles are answers on the wire, not errors here.

use std::path::PathBuf;

/// Why a kernel could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    #[error("connection file {} cannot be read: {source}", path.display())]
    ReadConnection {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "connection file {} is not one: {source}; it is written by Jupyter, not by hand",
        path.display()
    )]
    ParseConnection {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("signature scheme `{0}` is not supported; only hmac-sha256 is")]
    SignatureScheme(String),
    #[error(
        "the connection file has no key, and {0} can be reached from other machines: anyone could run code here; \
         start the kernel with a key or on 127.0.0.1"
    )]
    Unsigned(String),
    #[error("{channel} socket cannot be bound to {endpoint}: {source}")]
    Bind {
        channel: &'static str,
        endpoint: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("signals cannot be received: {0}")]
    Signals(#[source] std::io::Error),
}
