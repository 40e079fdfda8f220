//! Turns what a running cell tells (events, its outcome) into outputs as a notebook stores them.

use loopbot_engine::{Event, Failure, MimeBundle, Outcome};
use serde_json::{Map, Value};

use crate::read::is_json;
use crate::{Output, OutputKind, StreamName};

/// Collects the outputs of one cell.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    outputs: Vec<Output>,
    /// Which outputs may change in place: their ids, which files have no place for, and where they stand.
    live: Vec<(String, usize)>,
}

impl Collector {
    /// Takes one event. `Progress` is no output.
    ///
    /// What is printed to one stream becomes one output up to the next picture; so two streams that take turns do not
    /// leave hundreds of scraps, and a picture still stands between what was printed before it and after it.
    pub(crate) fn event(&mut self, event: Event) {
        match event {
            Event::Stdout(text) => self.print(StreamName::Stdout, &text),
            Event::Stderr(text) => self.print(StreamName::Stderr, &text),
            Event::Display(bundle) => self.push(OutputKind::Display {
                data: to_data(bundle),
                metadata: Map::new(),
            }),
            Event::Live { id, forms } => {
                if !self.update(&id, &forms) {
                    self.live.push((id, self.outputs.len()));
                    self.event(Event::Display(forms));
                }
            }
            Event::Progress(_) => {}
        }
    }

    /// Puts new forms in the place of the output with this id; `false` if there is none.
    pub(crate) fn update(&mut self, id: &str, forms: &MimeBundle) -> bool {
        let Some((_, at)) = self.live.iter().find(|(own, _)| own == id) else {
            return false;
        };
        if let Some(Output {
            kind: OutputKind::Display { data, .. },
            ..
        }) = self.outputs.get_mut(*at)
        {
            *data = to_data(forms.clone());
        }
        true
    }

    /// Takes the end of the cell.
    pub(crate) fn outcome(&mut self, outcome: &Outcome, execution_count: i64) {
        match outcome {
            Outcome::Done { result: None } => {}
            Outcome::Done {
                result: Some(bundle),
            } => self.push(OutputKind::Result {
                execution_count: Some(execution_count),
                data: to_data(bundle.clone()),
                metadata: Map::new(),
            }),
            Outcome::Failed(failure) => self.push(to_error(failure)),
        }
    }

    /// Everything taken so far.
    pub(crate) fn into_outputs(self) -> Vec<Output> {
        self.outputs
    }

    fn print(&mut self, stream: StreamName, more: &str) {
        for output in self.outputs.iter_mut().rev() {
            match &mut output.kind {
                OutputKind::Stream { name, text } if *name == stream => {
                    text.push_str(more);
                    return;
                }
                OutputKind::Stream { .. } => {}
                _ => break,
            }
        }
        self.push(OutputKind::Stream {
            name: stream,
            text: more.to_owned(),
        });
    }

    fn push(&mut self, kind: OutputKind) {
        self.outputs.push(kind.into());
    }
}

fn to_data(bundle: MimeBundle) -> Map<String, Value> {
    let values = bundle.into_iter().map(|(mime, text)| {
        // JSON that does not parse is shown as the text it is.
        let value = match is_json(&mime) {
            true => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            false => Value::String(text),
        };
        (mime, value)
    });
    values.collect()
}

fn to_error(failure: &Failure) -> OutputKind {
    let traceback = match failure.report.is_empty() {
        true => vec![format!("{}: {}", failure.name, failure.message)],
        false => failure.report.clone(),
    };
    OutputKind::Error {
        name: failure.name.clone(),
        value: failure.message.clone(),
        traceback,
    }
}
