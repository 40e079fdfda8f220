//! What an exploration found: every outcome, how many schedules lead to it, and one of them for each.

use std::fmt;
use std::time::Duration;

use super::schedule::Schedule;
use crate::amount;
use crate::picture::Picture;

/// What one schedule of a program led to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome<T> {
    /// The program returned this.
    Value(T),
    /// The program panicked with this message.
    Panicked(String),
    /// Some threads can never go on, and why.
    Deadlock(String),
    /// It was stopped after the greatest number of steps: a loop that goes round for ever.
    Endless,
}

impl<T> Outcome<T> {
    /// What the program returned, if it did.
    pub fn value(&self) -> Option<&T> {
        match self {
            Outcome::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// The outcome in a few words.
impl<T: fmt::Debug> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Value(value) => write!(f, "{value:?}"),
            Outcome::Panicked(message) => write!(f, "panic: {message}"),
            Outcome::Deadlock(_) => f.write_str("deadlock"),
            Outcome::Endless => f.write_str("no end"),
        }
    }
}

/// All outcomes of a program over the schedules explored. As the last expression of a cell it shows them with counts.
#[derive(Debug, Clone)]
pub struct Exploration<T> {
    pub(crate) title: String,
    /// In the order of `Outcome`: values first.
    pub(crate) outcomes: Vec<Explored<T>>,
    pub(crate) schedules: usize,
    pub(crate) coverage: Coverage,
}

#[derive(Debug, Clone)]
pub(crate) struct Explored<T> {
    pub(crate) outcome: Outcome<T>,
    pub(crate) count: usize,
    pub(crate) example: Schedule<T>,
}

/// How much was explored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Coverage {
    All,
    /// Of the orders that differ only in steps that have nothing to do with each other, one each.
    Reduced,
    /// The greatest number of schedules was reached.
    Bound,
    /// The time was up.
    Time(Duration),
    /// The exploration could not go on, and why.
    Broken(String),
}

impl<T: fmt::Debug + Ord> Exploration<T> {
    /// Every outcome and the number of schedules that lead to it. The number says nothing about how likely it is.
    pub fn outcomes(&self) -> Vec<(&Outcome<T>, usize)> {
        self.outcomes
            .iter()
            .map(|explored| (&explored.outcome, explored.count))
            .collect()
    }

    /// Every value that the program returned, and in how many schedules.
    pub fn values(&self) -> Vec<(&T, usize)> {
        let values = self.outcomes.iter();
        values
            .filter_map(|explored| Some((explored.outcome.value()?, explored.count)))
            .collect()
    }

    /// How many schedules were explored.
    pub fn schedules(&self) -> usize {
        self.schedules
    }

    /// Whether no outcome can be missing: all schedules were explored, or all that can differ in what they lead to.
    pub fn complete(&self) -> bool {
        matches!(self.coverage, Coverage::All | Coverage::Reduced)
    }

    /// Whether every explored schedule returned a value of which this holds. A panic, a deadlock or a schedule without
    /// end make it false, and so does an exploration that explored nothing.
    pub fn always(&self, holds: impl Fn(&T) -> bool) -> bool {
        !matches!(self.coverage, Coverage::Broken(_))
            && !self.outcomes.is_empty()
            && self
                .outcomes
                .iter()
                .all(|explored| explored.outcome.value().is_some_and(&holds))
    }

    /// Whether at least one explored schedule returned a value of which this holds.
    pub fn ever(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.outcomes
            .iter()
            .any(|explored| explored.outcome.value().is_some_and(&holds))
    }

    /// How many schedules ended in a deadlock.
    pub fn deadlocks(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Deadlock(_)))
    }

    /// How many schedules ended in a panic.
    pub fn panics(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Panicked(_)))
    }

    /// How many schedules did not end.
    pub fn endless(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Endless))
    }

    fn count(&self, of: impl Fn(&Outcome<T>) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|explored| of(&explored.outcome))
            .map(|explored| explored.count)
            .sum()
    }

    /// Why the exploration stopped early because of the program, if it did: it blocks where the exploration cannot see
    /// it, or does not do the same each time.
    pub fn problem(&self) -> Option<&str> {
        match &self.coverage {
            Coverage::Broken(why) => Some(why),
            _ => None,
        }
    }

    /// What was found, in sentences, with the memory model and the bound they hold for.
    pub fn verdict(&self) -> Vec<String> {
        let number = amount::count(self.schedules);
        let mut sentences = vec![match &self.coverage {
            Coverage::All if self.schedules == 1 => {
                "There is one schedule: no step of one thread can come between those of another."
                    .into()
            }
            Coverage::All => format!(
                "All {number} schedules explored: every order that the steps of the threads can have."
            ),
            Coverage::Reduced => format!(
                "There are too many orders to explore them all. Of those that differ only in steps that have nothing to \
                 do with each other, one each was explored: {number} schedules. No outcome is missing; the counts are of \
                 these schedules."
            ),
            Coverage::Bound => format!(
                "The first {number} schedules explored, not all: that was the bound. Nothing is said about the others."
            ),
            Coverage::Time(time) => format!(
                "The first {number} schedules explored, not all: the {} for it were over. Nothing is said about the others.",
                amount::duration(*time)
            ),
            Coverage::Broken(why) => {
                format!("The exploration stopped after {number} schedules: {why}")
            }
        }];
        for explored in &self.outcomes {
            if let Outcome::Deadlock(why) = &explored.outcome {
                sentences.push(format!(
                    "Deadlock in {}: {why}.",
                    amount::counted(explored.count, "schedule")
                ));
            }
        }
        sentences.push(
            "Assumed: sequential consistency. Every step is seen by all threads at once, in one order; the `Ordering` \
             arguments are not explored."
                .into(),
        );
        sentences
    }

    /// The picture of all outcomes.
    pub fn picture(&self) -> Picture {
        super::draw::outcomes(self)
    }

    /// Shows the outcomes now, for a cell whose last expression is something else.
    pub fn show(&self) {
        self.picture().show();
    }

    /// Shows the outcomes as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

impl<T: fmt::Debug + Clone + Ord> Exploration<T> {
    /// A schedule whose value makes this true: the one with the fewest switches between threads. The cell shows who did
    /// what in which order.
    pub fn losing(&self, is_lost: impl Fn(&T) -> bool) -> Schedule<T> {
        self.example(|outcome| outcome.value().is_some_and(&is_lost))
    }

    /// A schedule that ends in a deadlock.
    pub fn deadlocked(&self) -> Schedule<T> {
        self.example(|outcome| matches!(outcome, Outcome::Deadlock(_)))
    }

    /// A schedule that ends in a panic.
    pub fn panicked(&self) -> Schedule<T> {
        self.example(|outcome| matches!(outcome, Outcome::Panicked(_)))
    }

    /// A schedule with an outcome of your choice.
    pub fn example(&self, of: impl Fn(&Outcome<T>) -> bool) -> Schedule<T> {
        let found = self.outcomes.iter().find(|explored| of(&explored.outcome));
        match found {
            Some(explored) => explored.example.clone(),
            None => Schedule::none(match self.coverage {
                Coverage::All | Coverage::Reduced => format!(
                    "None of the {} schedules leads there.",
                    amount::count(self.schedules)
                ),
                _ => format!(
                    "None of the {} explored schedules leads there; not all were explored.",
                    amount::count(self.schedules)
                ),
            }),
        }
    }
}
