//! `execute_request`: one cell after another, their outcome on iopub and in the reply, and what happens to the cells
//! that wait when one fails. <https://jupyter-client.readthedocs.io/en/latest/messaging.html#execute>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jupyter_protocol::{
    ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest, ExecuteResult, ExecutionCount,
    ExpressionResult, JupyterMessage, JupyterMessageContent, ReplyError, ReplyStatus, Status,
    Transient,
};
use loopbot_engine::{Failure, MimeBundle, Outcome};
use serde_json::json;
use tokio::sync::mpsc;

use crate::outbox::{Outbox, media};
use crate::runner::RunnerHandle;
use crate::session::Session;
use crate::wire::{Replier, raw_content};

/// After a failed cell: how long cells that were sent together with it may be on their way. The reply waits as long, so
/// a client that reacts to the reply is never taken for one that sent everything at once.
const STRAGGLERS: Duration = Duration::from_millis(25);

/// A cell to run, with the message it came in.
pub(crate) type Job = (JupyterMessage, ExecuteRequest);

/// Runs the cells of one kernel, in the order they came.
pub(crate) struct Executor {
    pub(crate) jobs: mpsc::UnboundedReceiver<Job>,
    pub(crate) runner: RunnerHandle,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) session: Arc<Mutex<Session>>,
    pub(crate) replier: Replier,
}

impl Executor {
    pub(crate) async fn run(mut self) {
        while let Some((message, request)) = self.jobs.recv().await {
            let before = self.outbox.begin_cell(&message.header);
            let started = now();
            let (reply, failed) = self.execute(&message, &request).await;
            let mut aborted = Vec::new();
            if failed && request.stop_on_error {
                tokio::time::sleep(STRAGGLERS).await;
                while let Ok((message, _)) = self.jobs.try_recv() {
                    aborted.push(message);
                }
            }
            let metadata = json!({"started": started});
            self.replier.reply_with(&message, reply, metadata).await;
            // Later output never belongs to a cell that asked for silence.
            let back_to = before.filter(|_| request.silent);
            self.outbox.end_cell(&message.header, back_to);
            for message in aborted {
                self.abort(&message).await;
            }
        }
    }

    /// Runs one cell and publishes its outcome; the reply is sent by the caller.
    async fn execute(
        &self,
        message: &JupyterMessage,
        request: &ExecuteRequest,
    ) -> (ExecuteReply, bool) {
        let ExecuteRequest { code, silent, .. } = request;
        if code.trim().is_empty() {
            let count = self.session(|session| session.cells());
            return (reply(count, request, None), false);
        }
        let stored = request.store_history && !silent;
        let count = self.session(|session| {
            let number = session.next_number(stored);
            if stored {
                session.remember(number, code);
            }
            number
        });
        if !silent {
            let input = ExecuteInput {
                code: code.clone(),
                execution_count: ExecutionCount(count),
            };
            self.outbox.publish(Some(&message.header), input);
        }
        match self.runner.run(code).await {
            Outcome::Done { result } => {
                if let Some(shown) = result.filter(|_| !silent) {
                    if stored {
                        let plain = shown.get("text/plain").map_or("", String::as_str);
                        self.session(|session| session.remember_output(count, plain));
                    }
                    self.outbox.output(execute_result(count, shown));
                }
                (reply(count, request, None), false)
            }
            Outcome::Failed(failure) => {
                let error = reply_error(failure);
                if !silent {
                    self.outbox.output(ErrorOutput {
                        ename: error.ename.clone(),
                        evalue: error.evalue.clone(),
                        traceback: error.traceback.clone(),
                    });
                }
                (reply(count, request, Some(error)), true)
            }
        }
    }

    /// Answers a cell that will not run because one before it failed.
    async fn abort(&mut self, message: &JupyterMessage) {
        self.outbox.busy(&message.header);
        // An execution count here would be shown beside a cell that never ran.
        let content = raw_content("execute_reply", json!({"status": "aborted"}));
        self.replier.reply(message, content).await;
        self.outbox.idle(&message.header);
    }

    fn session<T>(&self, work: impl FnOnce(&mut Session) -> T) -> T {
        work(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn execute_result(count: usize, shown: MimeBundle) -> JupyterMessageContent {
    let mut result = ExecuteResult::new(ExecutionCount(count), media(shown));
    // Left out it would be `null`, which the protocol does not allow.
    result.transient = Some(Transient::default());
    result.into()
}

fn reply(count: usize, request: &ExecuteRequest, error: Option<ReplyError>) -> ExecuteReply {
    let expressions = request.user_expressions.iter().flatten().map(|(name, _)| {
        let refused = ExpressionResult::Error {
            ename: "not supported".to_owned(),
            evalue: "this kernel evaluates no user expressions; run a cell instead".to_owned(),
            traceback: Vec::new(),
        };
        (name.clone(), refused)
    });
    ExecuteReply {
        status: match error {
            None => ReplyStatus::Ok,
            Some(_) => ReplyStatus::Error,
        },
        execution_count: ExecutionCount(count),
        payload: Vec::new(),
        user_expressions: Some(expressions.collect::<HashMap<_, _>>()),
        error: error.map(Box::new),
    }
}

fn reply_error(failure: Failure) -> ReplyError {
    let traceback = match failure.report.is_empty() {
        true => vec![format!("{}: {}", failure.name, failure.message)],
        false => failure.report,
    };
    ReplyError {
        ename: failure.name,
        evalue: failure.message,
        traceback,
    }
}

/// This moment as the protocol writes it; the protocol crate stamps every message it makes.
fn now() -> String {
    let stamped: JupyterMessage = Status::idle().into();
    stamped.header.date.to_rfc3339()
}
