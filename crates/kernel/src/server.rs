//! The request loops: reads shell and control, answers what needs no cell at once, hands cells to the executor, and
//! winds everything down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jupyter_protocol::{JupyterMessage, JupyterMessageContent, ShutdownRequest};
use jupyter_zmq_client::{KernelHeartbeatConnection, KernelStdinConnection, RouterRecvConnection};
use loopbot_engine::Failure;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use zeromq::{SocketRecv, SocketSend};

use crate::backend::{Backend, Sink};
use crate::connection::Sockets;
use crate::execute::{Executor, Job};
use crate::iopub;
use crate::lifecycle::{Signals, orphaned};
use crate::messages;
use crate::outbox::Outbox;
use crate::runner::{HelperCell, Runner};
use crate::session::Session;
use crate::wire::{Replier, Request, receive};

/// How long the last replies may take to leave the process.
const LINGER: Duration = Duration::from_millis(100);

/// Serves `sockets` until a client, a signal or the loss of the parent ends it.
pub(crate) async fn run<B, F>(sockets: Sockets, signals: Signals, start: F)
where
    B: Backend,
    F: FnOnce(Sink) -> Result<B, Failure> + Send + 'static,
{
    let outbox = Arc::new(Outbox::default());
    outbox.publish(None, jupyter_protocol::Status::starting());
    let writer = tokio::spawn(iopub::run(sockets.iopub, outbox.clone()));

    let sink_outbox = outbox.clone();
    let runner = Runner::start(start, Arc::new(move |event| sink_outbox.event(event)));
    let helper = runner.helper();
    let session = Arc::new(Mutex::new(Session::default()));
    let (jobs, todo) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let (shell_out, shell_in) = sockets.shell.split();
    let (control_out, control_in) = sockets.control.split();

    let desk = Desk {
        outbox: outbox.clone(),
        helper: helper.clone(),
        session: session.clone(),
        jobs,
        end: Arc::new(Mutex::new(Some(end))),
    };
    let executor = Executor {
        jobs: todo,
        runner: runner.handle(),
        outbox: outbox.clone(),
        session,
        replier: Replier::new(shell_out),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(heartbeat(sockets.heartbeat));
    tasks.spawn(drain(sockets.stdin));
    let for_shell = executor.replier.clone();
    tasks.spawn(desk.clone().serve(Channel::Shell, shell_in, for_shell));
    tasks.spawn(desk.serve(Channel::Control, control_in, Replier::new(control_out)));
    tasks.spawn(executor.run());

    tokio::select! {
        _ = ended => {}
        () = signals.watch(|| interrupt(&helper)) => {}
        () = orphaned() => {}
    }

    outbox.close();
    // The executor holds a way to the backend, and the backend cannot end before that is gone.
    tasks.shutdown().await;
    // The last replies are still being written by tasks of the socket library while the engine ends.
    let _ = tokio::join!(
        tokio::time::timeout(Duration::from_secs(1), writer),
        tokio::time::sleep(LINGER),
        runner.finish(),
    );
}

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Shell,
    Control,
}

/// Everything a request can be answered from.
#[derive(Clone)]
struct Desk {
    outbox: Arc<Outbox>,
    helper: HelperCell,
    session: Arc<Mutex<Session>>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Taken by the first request to shut down.
    end: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

impl Desk {
    /// Answers the requests of one channel, one after another. Never waits for a cell.
    async fn serve(self, channel: Channel, mut from: RouterRecvConnection, mut to: Replier) {
        loop {
            let Request { message, fault } = receive(&mut from).await;
            if channel == Channel::Shell
                && let JupyterMessageContent::ExecuteRequest(request) = &message.content
            {
                let request = request.clone();
                // The executor says busy and idle when the cell's turn comes.
                let _ = self.jobs.send((message, request));
                continue;
            }
            self.outbox.busy(&message.header);
            let shutdown = match (fault, &message.content) {
                (Some(fault), _) => {
                    if let Some(content) = messages::unreadable(&message, &fault) {
                        to.reply(&message, content).await;
                    }
                    None
                }
                (None, JupyterMessageContent::ShutdownRequest(request)) => Some(request),
                (None, _) => {
                    self.answer(&message, &mut to).await;
                    None
                }
            };
            if let Some(request) = shutdown {
                self.shut_down(&message, request, &mut to).await;
            }
            self.outbox.idle(&message.header);
            if shutdown.is_some() {
                let end = self
                    .end
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                if let Some(end) = end {
                    let _ = end.send(());
                }
            }
        }
    }

    async fn answer(&self, message: &JupyterMessage, to: &mut Replier) {
        use JupyterMessageContent as Content;
        let reply = match &message.content {
            Content::KernelInfoRequest(_) => Some(messages::kernel_info::reply()),
            Content::IsCompleteRequest(request) => {
                let helper = self.helper.get().cloned();
                Some(messages::is_complete::reply(helper.as_deref(), request))
            }
            Content::CompleteRequest(request) => {
                Some(messages::complete::reply(self.helper.get(), request).await)
            }
            Content::InspectRequest(request) => {
                Some(messages::inspect::reply(self.helper.get(), request).await)
            }
            Content::HistoryRequest(request) => {
                let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
                Some(messages::history::reply(&session, request))
            }
            Content::CommInfoRequest(_) => Some(messages::comm::info_reply()),
            Content::CommOpen(open) => {
                let close = messages::comm::close(open);
                self.outbox.publish(Some(&message.header), close);
                None
            }
            // Of a comm that was closed above, or of one that never was.
            Content::CommMsg(_) | Content::CommClose(_) => None,
            Content::InterruptRequest(_) => {
                interrupt(&self.helper);
                Some(messages::interrupt::reply())
            }
            _ => messages::unsupported(message),
        };
        if let Some(reply) = reply {
            to.reply(message, reply).await;
        }
    }

    async fn shut_down(
        &self,
        message: &JupyterMessage,
        request: &ShutdownRequest,
        to: &mut Replier,
    ) {
        let reply = messages::shutdown::reply(request);
        // Every client hears of it, not only the one that asked.
        self.outbox.publish(Some(&message.header), reply.clone());
        to.reply(message, reply).await;
    }
}

fn interrupt(helper: &HelperCell) {
    if let Some(helper) = helper.get() {
        helper.interrupt();
    }
}

/// Sends every heartbeat back as it came.
async fn heartbeat(mut connection: KernelHeartbeatConnection) {
    loop {
        match connection.socket.recv().await {
            // It fails when the client left meanwhile.
            Ok(beat) => drop(connection.socket.send(beat).await),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// The stdin socket must exist, but no cell asks for input, so nothing that comes in is an answer.
async fn drain(mut connection: KernelStdinConnection) {
    loop {
        if connection.socket.recv().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
