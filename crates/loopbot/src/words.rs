//! The fixed words inside pictures, so that a translated lesson can set its own. Sentences computed from measurements
//! are not here: they stay English.

use std::borrow::Cow;

/// Words that appear in pictures. Start from the default and set what differs:
///
/// ```
/// use loopbot::prelude::*;
/// let words = Words { running: "läuft".into(), ..Words::default() };
/// let timeline = Timeline::new("Zeitachse").with_words(words);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Legend: on a thread.
    pub running: Cow<'static, str>,
    /// Legend: woken, waits to be polled.
    pub ready: Cow<'static, str>,
    /// Legend: waits to be woken.
    pub waiting: Cow<'static, str>,
    /// Legend: a mark.
    pub note: Cow<'static, str>,
    /// Legend: ended before it was done.
    pub dropped: Cow<'static, str>,
    /// Before the thread or threads that a lane ran on.
    pub on: Cow<'static, str>,
    /// On the lane of a thread.
    pub thread: Cow<'static, str>,
    /// On a lane that was never polled.
    pub never_polled: Cow<'static, str>,
    /// Behind the title when the clock was paused.
    pub virtual_time: Cow<'static, str>,
    /// On the folded table.
    pub table: Cow<'static, str>,
}

impl Default for Words {
    fn default() -> Words {
        Words {
            running: "running".into(),
            ready: "ready: woken, waits for its turn".into(),
            waiting: "waiting".into(),
            note: "a mark".into(),
            dropped: "dropped before its end".into(),
            on: "on".into(),
            thread: "a thread".into(),
            never_polled: "never polled: nobody awaited it".into(),
            virtual_time: "virtual time".into(),
            table: "The same as a table".into(),
        }
    }
}
