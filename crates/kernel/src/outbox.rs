//! Everything on its way to iopub: one ordered queue that merges text, holds back floods, and knows which cell output
//! belongs to. Sends nothing itself.
//!
//! Rules, all in one place:
//! - The first piece of text goes out at once; what follows within [`PACE`] is merged into one message.
//! - Output belongs to the running cell, and after it ended to the last cell that ran.
//! - A writer waits once [`FULL`] bytes are queued; status messages never wait.
//! - A display that changes in place is shown once under its id, and then updated under it, wherever it stands.
//! - Progress is shown in the cell's output and cleared before its first real output.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jupyter_protocol::{
    ClearOutput, DisplayData, Header, JupyterMessageContent, Media, MediaType, Status, Stdio,
    StreamContent, Transient, UpdateDisplayData,
};
use loopbot_engine::{Event, MimeBundle};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Shortest time between two stream messages while text keeps coming.
const PACE: Duration = Duration::from_millis(10);
/// Bytes of queued text at which a writer waits for the reader.
const FULL: usize = 8 << 20;
/// Longest text of one stream message, so that a front end can draw while more is coming.
const CHUNK: usize = 128 << 10;

/// A message for iopub: which request it belongs to, and what it says.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) parent: Option<Header>,
    pub(crate) content: JupyterMessageContent,
}

/// The queue. Written from any thread, read by one task.
#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    changed: Notify,
    room: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    /// Bytes of text in `queue`.
    bytes: usize,
    last_stream: Option<Instant>,
    closed: bool,
    /// The request of the last cell that ran.
    owner: Option<Header>,
    /// Whether that cell still runs.
    running: bool,
    progress: Progress,
    displays: u64,
    /// Displays that were shown and can be shown again in place.
    live: HashSet<String>,
}

#[derive(Default)]
enum Progress {
    /// Nothing of this cell was shown yet.
    #[default]
    Possible,
    /// Shown under this display id.
    Shown(String),
    /// The cell has real output, which clearing would take away with it.
    Over,
}

impl Outbox {
    /// Queues a message that belongs to `parent`.
    pub(crate) fn publish(
        &self,
        parent: Option<&Header>,
        content: impl Into<JupyterMessageContent>,
    ) {
        self.lock().push(parent.cloned(), content);
        self.changed.notify_one();
    }

    /// Queues an output of the running cell.
    pub(crate) fn output(&self, content: impl Into<JupyterMessageContent>) {
        let mut state = self.lock();
        state.end_progress(true);
        let owner = state.owner.clone();
        state.push(owner, content);
        self.changed.notify_one();
    }

    /// Says that work on `request` has begun.
    pub(crate) fn busy(&self, request: &Header) {
        self.publish(Some(request), Status::busy());
    }

    /// Says that work on `request` is done. While a cell runs, front ends are told again that the kernel is busy: most
    /// show the last status they saw, whoever asked.
    pub(crate) fn idle(&self, request: &Header) {
        let mut state = self.lock();
        state.push(Some(request.clone()), Status::idle());
        if state.running {
            let owner = state.owner.clone();
            state.push(owner, Status::busy());
        }
        self.changed.notify_one();
    }

    /// From now on output belongs to the cell of `request`. Returns the cell it belonged to before.
    pub(crate) fn begin_cell(&self, request: &Header) -> Option<Header> {
        let mut state = self.lock();
        state.push(Some(request.clone()), Status::busy());
        state.running = true;
        state.progress = Progress::Possible;
        let before = state.owner.replace(request.clone());
        self.changed.notify_one();
        before
    }

    /// The cell of `request` is done. With `back_to`, later output belongs to that earlier cell again.
    pub(crate) fn end_cell(&self, request: &Header, back_to: Option<Header>) {
        let mut state = self.lock();
        state.end_progress(false);
        state.progress = Progress::Over;
        state.running = false;
        if back_to.is_some() {
            state.owner = back_to;
        }
        state.push(Some(request.clone()), Status::idle());
        self.changed.notify_one();
    }

    /// Queues what the backend reports. Waits while [`FULL`] bytes are queued already.
    pub(crate) fn event(&self, event: Event) {
        let mut state = self.lock();
        while state.bytes >= FULL && !state.closed {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match event {
            Event::Stdout(text) => state.text(Stdio::Stdout, &text),
            Event::Stderr(text) => state.text(Stdio::Stderr, &text),
            Event::Display(bundle) => {
                state.end_progress(true);
                let owner = state.owner.clone();
                state.push(owner, DisplayData::new(media(bundle)));
            }
            Event::Live { id, forms } => state.live(id, media(forms)),
            Event::Progress(text) => state.progress(text),
        }
        self.changed.notify_one();
    }

    /// No more messages; what is queued is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
        self.changed.notify_one();
    }

    /// The next message to send, `None` when closed and empty. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&self) -> Option<Outgoing> {
        loop {
            let wait_until = {
                let mut state = self.lock();
                match state.due() {
                    Due::Now => {
                        if let Some(outgoing) = state.pop() {
                            self.room.notify_all();
                            return Some(outgoing);
                        }
                        if state.closed {
                            return None;
                        }
                        None
                    }
                    Due::At(instant) => Some(instant),
                }
            };
            match wait_until {
                None => self.changed.notified().await,
                // Either the pause is over or something came that cannot wait; the loop finds out which.
                Some(instant) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(instant) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Due {
    Now,
    At(Instant),
}

impl State {
    fn push(&mut self, parent: Option<Header>, content: impl Into<JupyterMessageContent>) {
        let content = content.into();
        self.queue.push_back(Outgoing { parent, content });
    }

    fn text(&mut self, name: Stdio, text: &str) {
        if text.is_empty() {
            return;
        }
        self.end_progress(true);
        self.bytes += text.len();
        if let Some(Outgoing { parent, content }) = self.queue.back_mut()
            && let JupyterMessageContent::StreamContent(last) = content
            && is_same_stream(&last.name, &name)
            && msg_id(parent) == msg_id(&self.owner)
            && last.text.len() + text.len() <= CHUNK
        {
            last.text.push_str(text);
            return;
        }
        let owner = self.owner.clone();
        let text = text.to_owned();
        self.push(owner, StreamContent { name, text });
    }

    /// Text that may still grow waits for its turn; whatever is followed by another message goes now.
    fn due(&self) -> Due {
        match (self.queue.front(), self.last_stream) {
            (Some(front), Some(last))
                if self.queue.len() == 1
                    && !self.closed
                    && matches!(&front.content, JupyterMessageContent::StreamContent(_))
                    && last.elapsed() < PACE =>
            {
                Due::At(last + PACE)
            }
            _ => Due::Now,
        }
    }

    fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.queue.pop_front()?;
        if let JupyterMessageContent::StreamContent(stream) = &outgoing.content {
            self.bytes = self.bytes.saturating_sub(stream.text.len());
            self.last_stream = Some(Instant::now());
        }
        Some(outgoing)
    }

    /// Shows a display under its id, or again in place. Of updates that still wait, only the last one is sent.
    fn live(&mut self, id: String, data: Media) {
        if self.live.contains(&id) {
            let waiting =
                self.queue
                    .iter_mut()
                    .rev()
                    .find_map(|outgoing| match &mut outgoing.content {
                        JupyterMessageContent::UpdateDisplayData(update)
                            if update.transient.display_id.as_ref() == Some(&id) =>
                        {
                            Some(update)
                        }
                        _ => None,
                    });
            if let Some(update) = waiting {
                update.data = data;
                return;
            }
            let owner = self.owner.clone();
            return self.push(owner, UpdateDisplayData::new(data, &id));
        }
        self.end_progress(true);
        let mut display = DisplayData::new(data);
        display.transient = Some(Transient {
            display_id: Some(id.clone()),
        });
        self.live.insert(id);
        let owner = self.owner.clone();
        self.push(owner, display);
    }

    fn progress(&mut self, text: String) {
        if !self.running || self.owner.is_none() {
            return;
        }
        let data = Media::new(vec![MediaType::Plain(text)]);
        let owner = self.owner.clone();
        match &self.progress {
            Progress::Over => {}
            Progress::Shown(id) => {
                let update = UpdateDisplayData::new(data, id);
                self.push(owner, update);
            }
            Progress::Possible => {
                self.displays += 1;
                let id = format!("loopbot-progress-{}", self.displays);
                let mut display = DisplayData::new(data);
                display.transient = Some(Transient {
                    display_id: Some(id.clone()),
                });
                self.progress = Progress::Shown(id);
                self.push(owner, display);
            }
        }
    }

    /// Clears a shown progress line. `wait` keeps it until the output that follows, which spares a flicker.
    fn end_progress(&mut self, wait: bool) {
        if !self.running {
            return;
        }
        if let Progress::Shown(_) = std::mem::replace(&mut self.progress, Progress::Over) {
            let owner = self.owner.clone();
            self.push(owner, ClearOutput { wait });
        }
    }
}

fn msg_id(header: &Option<Header>) -> Option<&str> {
    header.as_ref().map(|header| header.msg_id.as_str())
}

fn is_same_stream(one: &Stdio, other: &Stdio) -> bool {
    matches!(
        (one, other),
        (Stdio::Stdout, Stdio::Stdout) | (Stdio::Stderr, Stdio::Stderr)
    )
}

/// A bundle of the engine as one of the protocol: JSON types hold JSON there, not text.
pub(crate) fn media(bundle: MimeBundle) -> Media {
    let forms = bundle.into_iter().map(|(mime, text)| {
        let is_json = mime == "application/json" || mime.ends_with("+json");
        let value = match serde_json::from_str(&text) {
            Ok(value) if is_json => value,
            _ => Value::String(text),
        };
        MediaType::Other((mime, value))
    });
    Media::new(forms.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use jupyter_protocol::{ExecuteRequest, JupyterMessage};

    fn request() -> Header {
        JupyterMessage::new(ExecuteRequest::default(), None).header
    }

    fn print(outbox: &Outbox, text: &str) {
        outbox.event(Event::Stdout(text.to_owned()));
    }

    async fn next(outbox: &Outbox) -> String {
        let outgoing = outbox.next().await.unwrap();
        serde_json::to_string(&outgoing.content).unwrap()
    }

    async fn text(outbox: &Outbox) -> String {
        match outbox.next().await.unwrap().content {
            JupyterMessageContent::StreamContent(stream) => stream.text,
            other => panic!("not text: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_text_goes_at_once_and_the_rest_is_merged() {
        let outbox = Outbox::default();
        let start = Instant::now();
        print(&outbox, "a");
        assert_eq!(text(&outbox).await, "a");
        assert_eq!(start.elapsed(), Duration::ZERO);
        print(&outbox, "b");
        print(&outbox, "c");
        assert_eq!(text(&outbox).await, "bc");
        assert_eq!(start.elapsed().as_millis(), PACE.as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn text_after_a_silence_goes_at_once() {
        let outbox = Outbox::default();
        print(&outbox, "a");
        text(&outbox).await;
        tokio::time::advance(PACE).await;
        let start = Instant::now();
        print(&outbox, "b");
        text(&outbox).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_overtakes_and_nothing_waits_behind_text() {
        let outbox = Outbox::default();
        let start = Instant::now();
        print(&outbox, "a");
        text(&outbox).await;
        print(&outbox, "b");
        outbox.event(Event::Stderr("e".to_owned()));
        print(&outbox, "c");
        outbox.publish(None, Status::idle());
        assert_eq!(next(&outbox).await, r#"{"name":"stdout","text":"b"}"#);
        assert_eq!(next(&outbox).await, r#"{"name":"stderr","text":"e"}"#);
        assert_eq!(next(&outbox).await, r#"{"name":"stdout","text":"c"}"#);
        assert_eq!(next(&outbox).await, r#"{"execution_state":"idle"}"#);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_live_display_is_shown_once_and_then_updated() {
        let outbox = Outbox::default();
        let live = |id: &str, text: &str| {
            outbox.event(Event::Live {
                id: id.to_owned(),
                forms: MimeBundle::from([("text/plain".to_owned(), text.to_owned())]),
            });
        };
        live("a", "1");
        live("b", "1");
        for text in ["2", "3"] {
            live("a", text);
        }
        outbox.close();
        let message = |text: &str, id: &str| {
            format!(
                r#"{{"data":{{"text/plain":"{text}"}},"metadata":{{}},"transient":{{"display_id":"{id}"}}}}"#
            )
        };
        let mut sent = Vec::new();
        while let Some(outgoing) = outbox.next().await {
            sent.push((
                outgoing.content.message_type().to_owned(),
                serde_json::to_string(&outgoing.content).unwrap(),
            ));
        }
        let expected = [
            ("display_data", message("1", "a")),
            ("display_data", message("1", "b")),
            // Nobody saw 2: it was still waiting when 3 came.
            ("update_display_data", message("3", "a")),
        ];
        assert_eq!(sent, expected.map(|(kind, text)| (kind.to_owned(), text)));
    }

    #[tokio::test(start_paused = true)]
    async fn text_of_two_cells_is_never_merged() {
        let outbox = Outbox::default();
        let (first, second) = (request(), request());
        outbox.begin_cell(&first);
        outbox.end_cell(&first, None);
        print(&outbox, "late");
        outbox.begin_cell(&second);
        print(&outbox, "second");
        outbox.close();
        let mut owners = Vec::new();
        while let Some(outgoing) = outbox.next().await {
            if let JupyterMessageContent::StreamContent(stream) = outgoing.content {
                owners.push((outgoing.parent.unwrap().msg_id, stream.text));
            }
        }
        let expected = [
            (first.msg_id, "late".to_owned()),
            (second.msg_id, "second".to_owned()),
        ];
        assert_eq!(owners, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn one_message_never_grows_past_a_chunk() {
        let outbox = Outbox::default();
        let piece = "x".repeat(CHUNK / 2 + 1);
        print(&outbox, &piece);
        print(&outbox, &piece);
        assert_eq!(text(&outbox).await, piece);
        assert_eq!(text(&outbox).await, piece);
    }

    #[tokio::test]
    async fn a_writer_waits_when_the_queue_is_full_and_goes_on_when_it_is_closed() {
        let outbox = Arc::new(Outbox::default());
        print(&outbox, &"x".repeat(FULL));
        let writer = outbox.clone();
        let writer = tokio::task::spawn_blocking(move || print(&writer, "more"));
        // Status messages pass; the writer is still there, or has not even begun.
        outbox.publish(None, Status::busy());
        assert!(!writer.is_finished());
        assert_eq!(text(&outbox).await.len(), FULL);
        writer.await.unwrap();

        print(&outbox, &"x".repeat(FULL));
        let writer = outbox.clone();
        let writer = tokio::task::spawn_blocking(move || print(&writer, "more"));
        outbox.close();
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_outbox_hands_out_what_it_has_and_ends() {
        let outbox = Outbox::default();
        print(&outbox, "a");
        outbox.close();
        assert_eq!(text(&outbox).await, "a");
        assert!(outbox.next().await.is_none());
    }

    #[test]
    fn only_json_types_are_parsed() {
        let bundle = [
            ("text/plain", "1"),
            ("application/json", "[1]"),
            ("a/b+json", "broken {"),
        ]
        .map(|(mime, text)| (mime.to_owned(), text.to_owned()));
        let media = serde_json::to_value(media(bundle.into())).unwrap();
        assert_eq!(media["text/plain"], "1");
        assert_eq!(media["application/json"], serde_json::json!([1]));
        assert_eq!(media["a/b+json"], "broken {");
    }
}
