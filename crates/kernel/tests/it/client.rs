//! A Jupyter client for tests, and the kernel it talks to.

use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jupyter_protocol::{
    ConnectionInfo, ExecuteReply, ExecuteRequest, ExecutionState, JupyterMessage,
    JupyterMessageContent as Content, Stdio, Transport,
};
use jupyter_zmq_client::{
    ClientControlConnection, ClientIoPubConnection, ClientShellConnection,
    create_client_control_connection, create_client_iopub_connection,
    create_client_shell_connection_with_identity, peek_ports, peer_identity_for_session,
};
use loopbot_kernel::{Echo, KernelError, serve_backend};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Longer than anything here takes on a busy machine; only a hang reaches it.
const HANG: Duration = Duration::from_secs(30);

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(HANG, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// A kernel on the `echo` backend and a client connected to it.
pub(crate) struct Client {
    pub(crate) info: ConnectionInfo,
    pub(crate) kernel: JoinHandle<Result<(), KernelError>>,
    pub(crate) shell: ClientShellConnection,
    pub(crate) control: ClientControlConnection,
    pub(crate) iopub: ClientIoPubConnection,
    /// Read from iopub, but of other requests than the one that was waited for.
    put_by: VecDeque<JupyterMessage>,
    pub(crate) dir: TempDir,
}

impl Client {
    pub(crate) async fn start() -> Client {
        for _ in 0..5 {
            let info = free_tcp().await;
            if let Some(client) = Client::try_start(info, tempfile::tempdir().unwrap()).await {
                return client;
            }
        }
        panic!("no free ports in five attempts");
    }

    /// `None` when another process took one of the ports meanwhile.
    pub(crate) async fn try_start(info: ConnectionInfo, dir: TempDir) -> Option<Client> {
        let file = write_info(dir.path(), &info);
        let mut kernel =
            tokio::spawn(async move { serve_backend(&file, |sink| Ok(Echo::new(sink))).await });
        tokio::select! {
            ended = &mut kernel => match ended.unwrap() {
                Err(KernelError::Bind { .. }) => None,
                other => panic!("the kernel ended at once: {other:?}"),
            },
            channels = connect(&info) => {
                let (shell, control, iopub) = channels;
                Some(Client { info, kernel, shell, control, iopub, put_by: VecDeque::new(), dir })
            }
        }
    }

    /// Sends a request on shell and returns its id.
    pub(crate) async fn send(&mut self, content: impl Into<Content>) -> String {
        let message = JupyterMessage::new(content, None);
        let id = message.header.msg_id.clone();
        self.shell.send(message).await.unwrap();
        id
    }

    pub(crate) async fn send_control(&mut self, content: impl Into<Content>) -> String {
        let message = JupyterMessage::new(content, None);
        let id = message.header.msg_id.clone();
        self.control.send(message).await.unwrap();
        id
    }

    /// The next reply on shell; which request it answers is checked.
    pub(crate) async fn reply(&mut self, id: &str) -> JupyterMessage {
        let reply = within("a reply on shell", self.shell.read()).await.unwrap();
        assert_eq!(parent_id(&reply), id, "{reply:?}");
        reply
    }

    pub(crate) async fn control_reply(&mut self, id: &str) -> JupyterMessage {
        let reply = within("a reply on control", self.control.read())
            .await
            .unwrap();
        assert_eq!(parent_id(&reply), id, "{reply:?}");
        reply
    }

    /// Request and reply on shell, as JSON.
    pub(crate) async fn ask(&mut self, content: impl Into<Content>) -> Value {
        let id = self.send(content).await;
        json_of(&self.reply(&id).await)
    }

    pub(crate) async fn run(&mut self, request: ExecuteRequest) -> (Vec<String>, ExecuteReply) {
        let id = self.send(request).await;
        let transcript = self.transcript(&id).await;
        let reply = self.reply(&id).await;
        (transcript, execute_reply(&reply))
    }

    /// The next message on iopub, whatever it belongs to.
    pub(crate) async fn published(&mut self) -> JupyterMessage {
        match self.put_by.pop_front() {
            Some(message) => message,
            None => within("a message on iopub", self.iopub.read())
                .await
                .unwrap(),
        }
    }

    /// Waits until the line `wanted` was published for request `id`; see [`line`].
    pub(crate) async fn wait_for(&mut self, id: &str, wanted: &str) {
        loop {
            let message = self.published().await;
            if parent_id(&message) == id && line(&message) == wanted {
                return;
            }
        }
    }

    /// Everything published for request `id` until its `idle`, one line a message. Text that follows text of the same
    /// stream is joined, since where it was cut depends on the machine.
    pub(crate) async fn transcript(&mut self, id: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut others = VecDeque::new();
        loop {
            let message = self.published().await;
            if parent_id(&message) != id {
                others.push_back(message);
                continue;
            }
            let line = line(&message);
            let done = line == "idle";
            match (lines.last_mut(), line.split_once(": ")) {
                (Some(last), Some((stream @ ("stdout" | "stderr"), text)))
                    if last.starts_with(stream) =>
                {
                    last.push_str(text);
                }
                _ => lines.push(line),
            }
            if done {
                others.append(&mut self.put_by);
                self.put_by = others;
                return lines;
            }
        }
    }
}

/// Runs one cell on a fresh kernel and compares what is published.
pub(crate) async fn check(code: &str, expected: &[&str]) {
    let mut client = Client::start().await;
    let (transcript, _) = client.run(ExecuteRequest::new(code.to_owned())).await;
    assert_eq!(transcript, expected);
}

/// A message in one line: its kind and what matters of it.
pub(crate) fn line(message: &JupyterMessage) -> String {
    match &message.content {
        Content::Status(status) => match &status.execution_state {
            ExecutionState::Busy => "busy".to_owned(),
            ExecutionState::Idle => "idle".to_owned(),
            other => format!("{other:?}"),
        },
        Content::StreamContent(stream) => match stream.name {
            Stdio::Stdout => format!("stdout: {}", stream.text),
            Stdio::Stderr => format!("stderr: {}", stream.text),
        },
        Content::ExecuteInput(input) => {
            format!("input [{}]: {}", input.execution_count.value(), input.code)
        }
        _ => format!("{} {}", message.header.msg_type, json_of(message)),
    }
}

pub(crate) fn json_of(message: &JupyterMessage) -> Value {
    serde_json::to_value(&message.content).unwrap()
}

pub(crate) fn parent_id(message: &JupyterMessage) -> &str {
    message
        .parent_header
        .as_ref()
        .map_or("", |parent| &parent.msg_id)
}

pub(crate) fn execute_reply(message: &JupyterMessage) -> ExecuteReply {
    match &message.content {
        Content::ExecuteReply(reply) => reply.clone(),
        other => panic!("not an execute_reply: {other:?}"),
    }
}

pub(crate) async fn free_tcp() -> ConnectionInfo {
    let ports = peek_ports([127, 0, 0, 1].into(), 5).await.unwrap();
    ConnectionInfo {
        ip: "127.0.0.1".to_owned(),
        transport: Transport::TCP,
        shell_port: ports[0],
        iopub_port: ports[1],
        stdin_port: ports[2],
        control_port: ports[3],
        hb_port: ports[4],
        key: "a key that only the two of us know".to_owned(),
        signature_scheme: "hmac-sha256".to_owned(),
        kernel_name: None,
    }
}

/// Sockets that are files in `dir`: nobody else can take them, so a test that starts its kernel itself needs no second
/// attempt.
pub(crate) async fn ipc_in(dir: &Path) -> ConnectionInfo {
    ConnectionInfo {
        ip: dir.join("kernel").display().to_string(),
        transport: Transport::IPC,
        shell_port: 1,
        iopub_port: 2,
        stdin_port: 3,
        control_port: 4,
        hb_port: 5,
        ..free_tcp().await
    }
}

pub(crate) fn write_info(dir: &Path, info: &ConnectionInfo) -> PathBuf {
    let file = dir.join("kernel.json");
    std::fs::write(&file, serde_json::to_vec(info).unwrap()).unwrap();
    file
}

/// Connects like a front end: iopub first, and nothing is sent before the kernel said welcome.
pub(crate) async fn connect(
    info: &ConnectionInfo,
) -> (
    ClientShellConnection,
    ClientControlConnection,
    ClientIoPubConnection,
) {
    // Two clients with one identity would be one client to a router.
    let session = uuid::Uuid::new_v4().to_string();
    let connecting = async {
        let mut iopub = patient(|| create_client_iopub_connection(info, "", &session)).await;
        let identity = peer_identity_for_session(&session).unwrap();
        let shell = patient(|| {
            create_client_shell_connection_with_identity(info, &session, identity.clone())
        })
        .await;
        let control = patient(|| create_client_control_connection(info, &session)).await;
        let welcome = iopub.read().await.unwrap();
        assert!(
            matches!(welcome.content, Content::IoPubWelcome(_)),
            "{welcome:?}"
        );
        (shell, control, iopub)
    };
    within("the kernel to answer", connecting).await
}

/// Tries again while nobody listens yet.
async fn patient<T, E, F: Future<Output = Result<T, E>>>(connect: impl Fn() -> F) -> T {
    loop {
        match connect().await {
            Ok(connection) => return connection,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
