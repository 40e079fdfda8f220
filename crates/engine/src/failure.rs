//! Failures that do not come from the compiler, in the learner's words: directives, panics, interrupts, set-up.

use crate::EngineError;
use crate::cell::Directive;
use crate::directive;
use crate::event::{Failure, FailureKind, Position};
use crate::panics::DrawnPanic;
use crate::prepare::Refusal;

pub(crate) fn set_up_failure(error: EngineError) -> Box<Failure> {
    if matches!(error, EngineError::Stopped) {
        return interrupted(&error.to_string());
    }
    let message = error.to_string();
    Box::new(Failure {
        kind: FailureKind::SetUp,
        name: "set-up".into(),
        report: format!("\u{1b}[1;31mset-up\u{1b}[0m: {message}")
            .lines()
            .map(str::to_owned)
            .collect(),
        message: message.lines().next().unwrap_or_default().to_owned(),
        position: None,
    })
}

pub(crate) fn directive_failure(directive: &Directive, message: String) -> Box<Failure> {
    let name = if directive::find(&directive.name).is_ok() {
        "directive"
    } else {
        "unknown directive"
    };
    let written = format!(":{} {}", directive.name, directive.argument);
    at_directive(directive, name, written.trim_end(), message)
}

/// A command of the shell that did not end well.
pub(crate) fn command_failure(directive: &Directive, message: String) -> Box<Failure> {
    at_directive(
        directive,
        "command",
        &format!("!{}", directive.argument),
        message,
    )
}

fn at_directive(directive: &Directive, name: &str, written: &str, message: String) -> Box<Failure> {
    Box::new(Failure {
        kind: FailureKind::Directive,
        name: name.into(),
        report: vec![
            format!("\u{1b}[1;31m{name}\u{1b}[0m: {message}"),
            format!("  in line {}: {written}", directive.line),
        ],
        message,
        position: Some(Position {
            line: directive.line,
            column: 1,
        }),
    })
}

pub(crate) fn refused(refusal: Refusal) -> Box<Failure> {
    match refusal {
        Refusal::Cell(failure) => Box::new(failure),
        Refusal::Stopped => {
            interrupted("Interrupted while the cell was being compiled; nothing of it ran.")
        }
        Refusal::Engine(error) => set_up_failure(error),
    }
}

pub(crate) fn interrupted(text: &str) -> Box<Failure> {
    Box::new(Failure {
        kind: FailureKind::Interrupted,
        name: "interrupted".into(),
        message: text.to_owned(),
        report: vec![format!("\u{1b}[1;33minterrupted\u{1b}[0m: {text}")],
        position: None,
    })
}

pub(crate) fn panic_failure(panic: DrawnPanic, number: usize) -> Failure {
    Failure {
        kind: FailureKind::Panic,
        name: "panic".into(),
        message: panic.message,
        report: panic.report.lines().map(str::to_owned).collect(),
        position: panic
            .position
            .filter(|(cell, _)| *cell == number)
            .map(|(_, position)| position),
    }
}

pub(crate) fn unexplained() -> DrawnPanic {
    DrawnPanic {
        message: "a panic without a message".into(),
        report: "the cell panicked".into(),
        position: None,
    }
}
