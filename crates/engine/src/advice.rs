//! What a notebook knows that the compiler does not: which cell a variable came from, where it went, what a crate is
//! called, what a learner who comes from another language meant.

use crate::diagnostic::Diagnostic;
use crate::generate::Part;
use crate::report::Files;
use crate::session::{LossReason, Session};

impl Files<'_> {
    /// Advice on one diagnostic, a sentence each.
    pub(crate) fn advice(&self, diagnostic: &Diagnostic, session: &Session) -> Vec<String> {
        let mut advice = Vec::new();
        let code = diagnostic.code.as_deref().unwrap_or_default();
        if matches!(code, "E0596" | "E0594" | "E0384") {
            let takes = diagnostic
                .spans
                .iter()
                .chain(diagnostic.children.iter().flat_map(|child| &child.spans));
            for part in takes.filter_map(|span| self.part(span)) {
                if let Part::Take(name) = part
                    && let Some(variable) = session.variable(&name)
                {
                    let cell = variable.cell;
                    advice.push(format!("`{name}` was defined without `mut` in cell [{cell}]: write `let mut {name}` there and run it again"));
                    break;
                }
            }
        }
        if code == "E0658" && diagnostic.message.contains("loaded from the sysroot") {
            advice
                .push("ask for the crate first, in a line of its own: `:dep NAME = \"*\"`".into());
        }
        if matches!(code, "E0432" | "E0433" | "E0463")
            && let Some(name) = missing_crate(diagnostic)
        {
            advice.push(format!(
                "if `{name}` is a crate, ask for it first, in a line of its own: `:dep {name} = \"*\"`"
            ));
        }
        advice
    }
}

/// What the notebook knows of a name that the compiler does not find: where it went, or why it is out of reach.
pub(crate) fn unknown_name(diagnostic: &Diagnostic, session: &Session) -> Option<String> {
    let code = diagnostic.code.as_deref()?;
    if !matches!(
        code,
        "E0405" | "E0412" | "E0422" | "E0423" | "E0424" | "E0425" | "E0433"
    ) {
        return None;
    }
    let named = |name: &str| diagnostic.message.contains(&format!("`{name}`"));
    if let Some((name, loss)) = session.lost.iter().find(|(name, _)| named(name)) {
        return Some(explain_loss(name, loss.cell, &loss.reason));
    }
    let variable = session
        .variables
        .iter()
        .find(|variable| code == "E0425" && named(&variable.name))?;
    Some(format!(
        "functions do not see a notebook's variables: pass `{}` as a parameter",
        variable.name
    ))
}

/// The name of the crate that rustc does not know, if that is the trouble.
fn missing_crate(diagnostic: &Diagnostic) -> Option<&str> {
    let texts = diagnostic
        .spans
        .iter()
        .filter_map(|span| span.label.as_deref())
        .chain([diagnostic.message.as_str()]);
    let signs = ["unlinked crate `", "can't find crate for `"];
    texts
        .into_iter()
        .find_map(|text| signs.iter().find_map(|sign| text.rsplit_once(sign)))?
        .1
        .split('`')
        .next()
}

/// Why a name is no variable, and what to do.
pub(crate) fn explain_loss(name: &str, cell: usize, reason: &LossReason) -> String {
    match reason {
        LossReason::Moved => format!(
            "cell [{cell}] moved `{name}` away (gave its value to something else): define it again, or pass a clone or a reference there"
        ),
        LossReason::Borrows => format!(
            "`{name}` of cell [{cell}] borrows from another variable and ended with its cell: keep an owned value instead, for example with `.clone()` or `.to_owned()`"
        ),
        LossReason::OtherCrate => format!(
            "`{name}` was of a type from a crate that `:dep` in cell [{cell}] replaced by another version: run the cell that defines it again"
        ),
        LossReason::Unassigned => format!(
            "cell [{cell}] declared `{name}` without giving it a value, so there was nothing to keep: write `let {name} = …`"
        ),
        LossReason::EndedEarly => format!(
            "cell [{cell}] ended early, before its new variables were kept, `{name}` among them: run it again when it works to its end"
        ),
        LossReason::NoLongerFits => format!(
            "`{name}` did not fit what cell [{cell}] defined anew, and was left out: change it and run its cell again"
        ),
        LossReason::ProcessEnded => format!(
            "`{name}` was lost when the process that ran the cells ended in cell [{cell}]: run the cell that defines it again"
        ),
        LossReason::Unnameable(kind) if kind.contains("{closure") && !kind.contains('<') => {
            format!(
                "`{name}` of cell [{cell}] is a closure, whose type has no name, so it ended with its cell: make it a `fn`, or box it as `Box<dyn Fn(…) -> …>`"
            )
        }
        LossReason::Unnameable(kind) if kind.contains("async") || kind.contains("Future") => {
            format!(
                "`{name}` of cell [{cell}] is a future, whose type has no name, so it ended with its cell: `.await` it there, spawn it, or keep `Box::pin({name})` as `std::pin::Pin<Box<dyn Future<Output = …>>>`"
            )
        }
        LossReason::MadeByMacro => format!(
            "the macro call in cell [{cell}] defines `{name}` for that cell alone: call it inside a module, `mod made {{ use super::*; … }}`, and write `pub` in the macro before what it defines; then it is `made::{name}`"
        ),
        LossReason::Unnameable(kind) if kind.starts_with("fn(") || kind.starts_with("for<") => {
            format!(
                "`{name}` of cell [{cell}] is a function itself, whose type has no name, so it ended with its cell: write a function pointer, `let {name}: fn(…) -> … = …;`"
            )
        }
        LossReason::Unnameable(kind) if kind.starts_with("impl ") => {
            let kind = crate::type_name::short(kind);
            format!(
                "`{name}` of cell [{cell}] is an `{kind}`, whose type has no name and which no box can stand for (a `Box<dyn …>` has one trait, whose methods must allow it), so it ended with its cell: use it there, or keep what you get from it"
            )
        }
        LossReason::Unnameable(kind) => {
            format!(
                "`{name}` of cell [{cell}] has a type that cannot be written (`{kind}`), so it ended with its cell: collect or box it there, for example as `Box<dyn Trait>`"
            )
        }
    }
}
