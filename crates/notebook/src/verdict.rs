//! What the check cells of an executed lesson said, and whether that is what they should say.

use serde_json::Value;

use crate::{Finding, Notebook, exercises};

/// The MIME type under which a check cell shows its verdict.
pub const VERDICT_MIME: &str = "application/vnd.loopbot.verdict+json";

/// One verdict of an executed notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Id of the exercise.
    pub exercise: String,
    pub done: bool,
    /// What is missing, in the learner's terms; empty when done.
    pub missing: Vec<String>,
    /// Index of the cell that showed it.
    pub cell: usize,
}

impl Verdict {
    /// Reads one verdict from its JSON; `None` when it is none.
    pub fn from_json(value: &Value, cell: usize) -> Option<Verdict> {
        // A tool that knows no JSON types may have stored the text.
        let parsed;
        let value = match value {
            Value::String(text) => {
                parsed = serde_json::from_str(text).ok()?;
                &parsed
            }
            value => value,
        };
        let missing = value.get("missing").and_then(Value::as_array);
        let missing = missing.into_iter().flatten().filter_map(Value::as_str);
        Some(Verdict {
            exercise: value.get("exercise")?.as_str()?.to_owned(),
            done: value.get("done")?.as_bool()?,
            missing: missing.map(str::to_owned).collect(),
            cell,
        })
    }
}

/// All verdicts in the outputs of a notebook, in order.
pub fn verdicts(executed: &Notebook) -> Vec<Verdict> {
    let mut found = Vec::new();
    for (index, cell) in executed.cells.iter().enumerate() {
        for output in &cell.outputs {
            let value = output.data().and_then(|data| data.get(VERDICT_MIME));
            found.extend(value.and_then(|value| Verdict::from_json(value, index)));
        }
    }
    found
}

/// What is wrong with the verdicts of an executed lesson when all its exercises should be `done` (solutions in place)
/// or none should be (as shipped). An exercise whose check cell shows no verdict is a finding in both cases.
pub fn verdict_findings(executed: &Notebook, done: bool) -> Vec<Finding> {
    let verdicts = verdicts(executed);
    let mut findings = Vec::new();
    for exercise in exercises(executed) {
        let id = &exercise.id;
        let Some(check) = exercise.check else {
            continue; // `findings` names it.
        };
        let own = verdicts.iter().rfind(|verdict| &verdict.exercise == id);
        let text = match own {
            None => format!("the check of exercise `{id}` showed no verdict"),
            Some(verdict) if verdict.done == done => continue,
            Some(_) if !done => {
                format!("exercise `{id}` is done as shipped; it must leave something to do")
            }
            Some(verdict) => format!(
                "exercise `{id}` is not done with its own solution: {}",
                verdict.missing.join("; ")
            ),
        };
        findings.push(Finding {
            cell: Some(own.map_or(check, |verdict| verdict.cell)),
            text,
        });
    }
    for verdict in &verdicts {
        if !done && !verdict.done && verdict.missing.is_empty() {
            let text = format!(
                "the verdict of exercise `{}` does not say what is missing",
                verdict.exercise
            );
            let cell = Some(verdict.cell);
            findings.push(Finding { cell, text });
        }
    }
    findings
}
