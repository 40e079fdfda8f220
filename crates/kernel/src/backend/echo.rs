//! A toy backend: a dozen commands, each showing one thing a cell can do on the wire. It compiles nothing.
//!
//! The kernel's tests run on it, and `examples/echo.rs` makes a kernel of it that any Jupyter client can be tried on.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use loopbot_engine::{
    Completeness, Completion, CompletionKind, Event, Failure, FailureKind, Inspection, Match,
    MimeBundle, Outcome,
};

use super::{Backend, Helper, Sink};

/// Echoes its cells. Each line of a cell is one command:
///
/// | line | does |
/// |---|---|
/// | `print TEXT`, `eprint TEXT` | writes the text and a newline to stdout or stderr |
/// | `lines N` | writes N numbered lines, one event each |
/// | `show TEXT` | shows the text as HTML and as plain text |
/// | `live ID TEXT` | shows the text under a name, in place of what is shown under it already |
/// | `verdict` | shows an output with a JSON type |
/// | `progress TEXT` | tells what it is doing |
/// | `later MS TEXT` | writes the text from another thread, MS milliseconds from now |
/// | `wait` | waits until it is interrupted |
/// | `fail TEXT` | ends the cell as a compile error |
/// | `panic` | panics on the backend's own thread |
/// | anything else | becomes the result of the cell, if it is the last line |
pub struct Echo {
    sink: Sink,
    bell: Arc<Bell>,
}

/// Rings when the running cell is interrupted.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Echo {
    /// A backend that sends its events to `sink`.
    pub fn new(sink: Sink) -> Echo {
        Echo {
            sink,
            bell: Arc::default(),
        }
    }

    fn line(&self, command: &str, rest: &str) -> Result<bool, Failure> {
        match command {
            "print" => (self.sink)(Event::Stdout(format!("{rest}\n"))),
            "eprint" => (self.sink)(Event::Stderr(format!("{rest}\n"))),
            "lines" => {
                for number in 0..rest.parse().unwrap_or(0_u64) {
                    (self.sink)(Event::Stdout(format!("{number}\n")));
                }
            }
            "show" => {
                let html = format!("<b>{rest}</b>");
                (self.sink)(Event::Display(bundle([
                    ("text/plain", rest),
                    ("text/html", &html),
                ])));
            }
            "live" => {
                let (id, text) = rest.split_once(' ').unwrap_or((rest, ""));
                (self.sink)(Event::Live {
                    id: id.to_owned(),
                    forms: bundle([("text/plain", text)]),
                });
            }
            "verdict" => (self.sink)(Event::Display(bundle([
                ("text/plain", "✔ done"),
                ("application/vnd.loopbot.verdict+json", r#"{"done":true}"#),
            ]))),
            "progress" => (self.sink)(Event::Progress(rest.to_owned())),
            "later" => {
                let (delay, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let delay = Duration::from_millis(delay.parse().unwrap_or(0));
                let (sink, text) = (self.sink.clone(), format!("{text}\n"));
                std::thread::spawn(move || {
                    std::thread::sleep(delay);
                    sink(Event::Stdout(text));
                });
            }
            "wait" => {
                self.bell.wait();
                let message = "the cell was interrupted";
                return Err(failure(FailureKind::Interrupted, "interrupted", message));
            }
            "fail" => {
                let codes = vec!["E0308".to_owned()];
                return Err(failure(FailureKind::Compile { codes }, "E0308", rest));
            }
            "panic" => panic!("the toy backend was told to panic"),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Backend for Echo {
    fn run(&mut self, code: &str) -> Outcome {
        self.bell.reset();
        let mut result = None;
        for line in code.lines() {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            match self.line(command, rest) {
                Ok(true) => result = None,
                Ok(false) => result = Some(bundle([("text/plain", line)])),
                Err(failure) => return Outcome::Failed(failure),
            }
        }
        Outcome::Done { result }
    }

    fn helper(&self) -> Arc<dyn Helper> {
        Arc::new(EchoHelper(self.bell.clone()))
    }
}

struct EchoHelper(Arc<Bell>);

/// The commands, which is also all that completion knows.
const COMMANDS: [&str; 11] = [
    "print", "eprint", "lines", "show", "live", "verdict", "progress", "later", "wait", "fail",
    "panic",
];

impl Helper for EchoHelper {
    fn interrupt(&self) {
        self.0.ring();
    }

    fn complete(&self, code: &str, cursor: usize) -> Completion {
        let (start, word) = word_before(code, cursor);
        let matches = COMMANDS
            .iter()
            .filter(|command| command.starts_with(word))
            .map(|command| Match {
                text: (*command).to_owned(),
                kind: CompletionKind::Function,
                detail: Some("echo command".to_owned()),
            });
        Completion {
            start,
            end: cursor,
            matches: matches.collect(),
        }
    }

    fn inspect(&self, code: &str, cursor: usize) -> Option<Inspection> {
        let (_, word) = word_before(code, cursor);
        COMMANDS.contains(&word).then(|| Inspection {
            plain: format!("{word}: a command of the toy backend"),
            markdown: format!("`{word}`: a command of the toy backend"),
        })
    }

    /// A last line that ends with a backslash wants another line; `)` alone can never be a command.
    fn completeness(&self, code: &str) -> Completeness {
        match code.trim_end() {
            ")" => Completeness::Invalid,
            text if text.ends_with('\\') => Completeness::Incomplete {
                indent: "  ".to_owned(),
            },
            _ => Completeness::Complete,
        }
    }
}

impl Bell {
    fn reset(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let _rung = self
            .changed
            .wait_while(rung, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

fn word_before(code: &str, cursor: usize) -> (usize, &str) {
    let before = code.get(..cursor).unwrap_or(code);
    let start = before
        .rfind(|c: char| !c.is_alphanumeric())
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    (start, &before[start..])
}

fn bundle<const N: usize>(forms: [(&str, &str); N]) -> MimeBundle {
    forms
        .map(|(mime, text)| (mime.to_owned(), text.to_owned()))
        .into()
}

fn failure(kind: FailureKind, name: &str, message: &str) -> Failure {
    Failure {
        kind,
        name: name.to_owned(),
        message: message.to_owned(),
        report: vec![format!("\u{1b}[31m{name}\u{1b}[0m: {message}")],
        position: None,
    }
}
