//! The connection file and the five sockets it names. Decides who may connect; knows no requests.
//!
//! An empty key means unsigned messages. That is accepted where only this machine can reach the sockets (a loopback
//! address or `ipc`), since the protocol allows it, and refused everywhere else.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jupyter_protocol::{ConnectionInfo, Transport};
use jupyter_zmq_client::{
    KernelControlConnection, KernelHeartbeatConnection, KernelIoPubXPubConnection,
    KernelShellConnection, KernelStdinConnection, create_kernel_control_connection,
    create_kernel_heartbeat_connection, create_kernel_iopub_xpub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection,
};

use crate::KernelError;

/// The kernel's ends, all bound.
pub(crate) struct Sockets {
    pub(crate) shell: KernelShellConnection,
    pub(crate) control: KernelControlConnection,
    pub(crate) stdin: KernelStdinConnection,
    pub(crate) iopub: KernelIoPubXPubConnection,
    pub(crate) heartbeat: KernelHeartbeatConnection,
    /// Dropped last: its files belong to the sockets above.
    pub(crate) _files: SocketFiles,
}

/// Reads and judges a connection file.
pub(crate) fn read(path: &Path) -> Result<ConnectionInfo, KernelError> {
    let text = std::fs::read_to_string(path).map_err(|source| KernelError::ReadConnection {
        path: path.to_owned(),
        source,
    })?;
    let info = serde_json::from_str(&text).map_err(|source| KernelError::ParseConnection {
        path: path.to_owned(),
        source,
    })?;
    allow(&info)?;
    Ok(info)
}

fn allow(info: &ConnectionInfo) -> Result<(), KernelError> {
    if info.key.is_empty() {
        let local = info.transport == Transport::IPC
            || info.ip == "localhost"
            || info.ip.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        return if local {
            Ok(())
        } else {
            Err(KernelError::Unsigned(info.ip.clone()))
        };
    }
    if info.signature_scheme != "hmac-sha256" {
        return Err(KernelError::SignatureScheme(info.signature_scheme.clone()));
    }
    Ok(())
}

/// Binds exactly the addresses of `info`.
pub(crate) async fn bind(info: &ConnectionInfo) -> Result<Sockets, KernelError> {
    let session = uuid::Uuid::new_v4().to_string();
    let mut files = SocketFiles(Vec::new());
    if info.transport == Transport::IPC {
        // A file that is already there is somebody's socket: binding fails on it, and it must not be removed after.
        let ports = [
            info.shell_port,
            info.control_port,
            info.stdin_port,
            info.iopub_port,
            info.hb_port,
        ];
        let paths = ports.map(|port| PathBuf::from(format!("{}-{port}", info.ip)));
        files.0 = paths.into_iter().filter(|path| !path.exists()).collect();
    }
    let failed = |channel, endpoint: String| {
        move |source: jupyter_zmq_client::RuntimeError| KernelError::Bind {
            channel,
            endpoint,
            source: source.into(),
        }
    };
    // Heartbeat first, and all of them before anything slow: a client starts to knock at once.
    Ok(Sockets {
        heartbeat: create_kernel_heartbeat_connection(info)
            .await
            .map_err(failed("heartbeat", info.hb_url()))?,
        shell: create_kernel_shell_connection(info, &session)
            .await
            .map_err(failed("shell", info.shell_url()))?,
        control: create_kernel_control_connection(info, &session)
            .await
            .map_err(failed("control", info.control_url()))?,
        stdin: create_kernel_stdin_connection(info, &session)
            .await
            .map_err(failed("stdin", info.stdin_url()))?,
        iopub: create_kernel_iopub_xpub_connection(info, &session)
            .await
            .map_err(failed("iopub", info.iopub_url()))?,
        _files: files,
    })
}

/// The files of `ipc` sockets; they outlive the sockets unless somebody removes them.
pub(crate) struct SocketFiles(Vec<PathBuf>);

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for path in &self.0 {
            // Gone already is as good as removed now.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ip: &str, transport: Transport, key: &str, scheme: &str, allowed: bool) {
        let info = ConnectionInfo {
            ip: ip.to_owned(),
            transport,
            shell_port: 1,
            iopub_port: 2,
            stdin_port: 3,
            control_port: 4,
            hb_port: 5,
            key: key.to_owned(),
            signature_scheme: scheme.to_owned(),
            kernel_name: None,
        };
        assert_eq!(allow(&info).is_ok(), allowed, "{info:?}");
    }

    #[test]
    fn unsigned_messages_only_from_this_machine() {
        check("127.0.0.1", Transport::TCP, "", "", true);
        check("::1", Transport::TCP, "", "", true);
        check("/tmp/kernel-ipc", Transport::IPC, "", "", true);
        check("0.0.0.0", Transport::TCP, "", "", false);
        check("192.0.2.1", Transport::TCP, "", "hmac-sha256", false);
        check("0.0.0.0", Transport::TCP, "key", "hmac-sha256", true);
    }

    #[test]
    fn other_signature_schemes_are_refused() {
        check("127.0.0.1", Transport::TCP, "key", "hmac-sha512", false);
    }
}
