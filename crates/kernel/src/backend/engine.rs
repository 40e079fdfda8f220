//! The real backend: a thin coat over [`loopbot_engine::Engine`] with no decisions of its own.

use std::sync::Arc;

use loopbot_engine::{
    Completeness, Completion, Config, Engine, Failure, FailureKind, Inspection, Interrupter,
    Outcome, ScopeHandle, completeness,
};

use super::{Backend, Helper, Sink};

pub(crate) struct EngineBackend(Engine);

impl EngineBackend {
    pub(crate) fn start(config: Config, sink: Sink) -> Result<EngineBackend, Failure> {
        match Engine::start(config, move |event| sink(event)) {
            Ok(engine) => Ok(EngineBackend(engine)),
            Err(error) => Err(Failure {
                kind: FailureKind::SetUp,
                name: "set-up".to_owned(),
                message: error.to_string(),
                report: vec![
                    format!("The engine that runs your cells could not start: {error}"),
                    "Mend this, then restart the kernel. `loopbot doctor` says what is missing."
                        .to_owned(),
                ],
                position: None,
            }),
        }
    }
}

impl Backend for EngineBackend {
    fn run(&mut self, code: &str) -> Outcome {
        self.0.run_cell(code)
    }

    fn helper(&self) -> Arc<dyn Helper> {
        Arc::new(EngineHelper {
            scope: self.0.scope(),
            interrupter: self.0.interrupter(),
        })
    }
}

struct EngineHelper {
    scope: ScopeHandle,
    interrupter: Interrupter,
}

impl Helper for EngineHelper {
    fn interrupt(&self) {
        self.interrupter.interrupt();
    }

    fn complete(&self, code: &str, cursor: usize) -> Completion {
        self.scope.complete(code, cursor)
    }

    fn inspect(&self, code: &str, cursor: usize) -> Option<Inspection> {
        self.scope.inspect(code, cursor)
    }

    fn completeness(&self, code: &str) -> Completeness {
        completeness(code)
    }
}
