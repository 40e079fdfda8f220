//! The backend's own thread: starts the backend there, feeds it cells, and drops it there.
//!
//! A cell blocks this thread for as long as it runs; nothing else in the kernel waits for it.

use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use loopbot_engine::{Failure, FailureKind, Outcome};
use tokio::sync::oneshot;

use crate::backend::{Backend, Helper, Sink};

/// How long the backend may take to end. Jupyter kills a kernel that takes longer than five seconds.
const FAREWELL: Duration = Duration::from_secs(4);

/// Hands cells to the backend's thread.
pub(crate) struct Runner {
    jobs: std_mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
    helper: HelperCell,
}

/// A way to give the backend one cell after another.
#[derive(Clone)]
pub(crate) struct RunnerHandle(std_mpsc::Sender<Job>);

/// The backend's helper, once it has started.
pub(crate) type HelperCell = Arc<OnceLock<Arc<dyn Helper>>>;

struct Job {
    code: String,
    answer: oneshot::Sender<Outcome>,
}

impl Runner {
    /// Starts the thread; the backend starts on it while this returns.
    pub(crate) fn start<B, F>(start: F, sink: Sink) -> Runner
    where
        B: Backend,
        F: FnOnce(Sink) -> Result<B, Failure> + Send + 'static,
    {
        let (jobs, todo) = std_mpsc::channel::<Job>();
        let (end, ended) = oneshot::channel();
        let helper = HelperCell::default();
        let place = helper.clone();
        let work = move || {
            match start(sink) {
                Ok(mut backend) => {
                    let _ = place.set(backend.helper());
                    for job in todo {
                        let _ = job.answer.send(backend.run(&job.code));
                    }
                }
                Err(failure) => {
                    for job in todo {
                        let _ = job.answer.send(Outcome::Failed(failure.clone()));
                    }
                }
            }
            let _ = end.send(());
        };
        // Without a thread `todo` is gone, and every cell gets the answer of a backend that has ended.
        let _ = std::thread::Builder::new()
            .name("backend".to_owned())
            .spawn(work);
        Runner {
            jobs,
            ended,
            helper,
        }
    }

    pub(crate) fn handle(&self) -> RunnerHandle {
        RunnerHandle(self.jobs.clone())
    }

    pub(crate) fn helper(&self) -> HelperCell {
        self.helper.clone()
    }

    /// Ends the backend: interrupts what runs, then waits until it is dropped, four seconds at most. All handles must be
    /// dropped before.
    pub(crate) async fn finish(self) {
        drop(self.jobs);
        if let Some(helper) = self.helper.get() {
            helper.interrupt();
        }
        let _ = tokio::time::timeout(FAREWELL, self.ended).await;
    }
}

impl RunnerHandle {
    /// Runs one cell and waits for its end.
    pub(crate) async fn run(&self, code: &str) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let code = code.to_owned();
        // A job that cannot be sent comes back with its answer still open: waiting for that would never end.
        if self.0.send(Job { code, answer }).is_err() {
            return Outcome::Failed(backend_is_gone());
        }
        match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Failed(backend_is_gone()),
        }
    }
}

fn backend_is_gone() -> Failure {
    let message = "the engine that runs the cells has stopped";
    Failure {
        kind: FailureKind::Crashed,
        name: "kernel error".to_owned(),
        message: message.to_owned(),
        report: vec![
            format!("LoopBot made a mistake, not you: {message}."),
            "Restart the kernel (menu Kernel, Restart) and run your cells again.".to_owned(),
        ],
        position: None,
    }
}
