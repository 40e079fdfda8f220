//! What a recording says, in sentences. Every number in them comes from the recording.

use std::time::Duration;

use super::recording::{End, Kind, Lane, Recording, Span};
use crate::amount;

/// A poll longer than this keeps other tasks of its thread waiting noticeably. (Tokio's advice for the time between two
/// `.await`s is 10 to 100 µs; this is far above it, so that a busy machine is not blamed on the lesson.)
const LONG_POLL: Duration = Duration::from_millis(30);
/// Below this share of CPU a long poll slept, above the other it computed.
const SLEPT: f64 = 0.2;
const COMPUTED: f64 = 0.8;
/// At most so many polls are complained about.
const MOST_COMPLAINTS: usize = 3;

pub(crate) fn verdict(recording: &Recording) -> Vec<String> {
    let started = recording
        .lanes
        .iter()
        .filter(|lane| lane.start().is_some())
        .count();
    if started == 0 {
        return vec![
            "Nothing has run on this timeline yet. Run the cell that uses it, then show it again."
                .into(),
        ];
    }
    let mut sentences = vec![overlap(recording, started)];
    let tasks = recording
        .lanes
        .iter()
        .filter(|lane| lane.kind == Kind::Task);
    let mut long: Vec<(&Lane, &Span)> = tasks
        .flat_map(|lane| lane.spans.iter().map(move |span| (lane, span)))
        .filter(|(_, span)| span.real >= LONG_POLL)
        .collect();
    long.sort_by_key(|(_, span)| std::cmp::Reverse(span.real));
    sentences.extend(
        long.iter()
            .take(MOST_COMPLAINTS)
            .map(|(lane, span)| complaint(lane, span)),
    );
    if let Some(more @ 1..) = long.len().checked_sub(MOST_COMPLAINTS) {
        sentences.push(match more {
            1 => "One more poll was as long.".to_owned(),
            more => format!("{} more polls were as long.", amount::count(more)),
        });
    }
    let dropped = recording
        .lanes
        .iter()
        .filter(|lane| lane.end == End::Dropped && lane.start().is_some());
    let dropped: Vec<String> = dropped.map(|lane| format!("`{}`", lane.name)).collect();
    if (1..=5).contains(&dropped.len()) {
        let was = if dropped.len() == 1 { "was" } else { "were" };
        sentences.push(format!(
            "{} {was} dropped before the end: cancelled.",
            amount::list(&dropped)
        ));
    }
    sentences
}

fn overlap(recording: &Recording, started: usize) -> String {
    let (total, sum) = (recording.total(), recording.sum());
    let threads = recording.threads();
    let on = match threads.as_slice() {
        [one] => format!("on one thread (`{one}`)"),
        many => format!("on {}", amount::counted(many.len(), "thread")),
    };
    let clock = if recording.virtual_time {
        " of virtual time"
    } else {
        ""
    };
    if started == 1 {
        return format!("One lane, {}{clock}, {on}.", amount::duration(total));
    }
    let lanes = amount::counted(started, "lane");
    let most = recording.most_at_once();
    let from = format!(
        "{lanes} {on} took {}{clock} from the first start to the last end;",
        amount::duration(total)
    );
    let add_up = format!("their own times add up to {}", amount::duration(sum));
    if most <= 1 {
        format!("{from} {add_up}. They ran one after the other: nothing overlapped.")
    } else {
        let running = match recording.most_running() {
            0 | 1 => "never more than one running".into(),
            most => format!("{most} of them running"),
        };
        format!(
            "{from} {add_up}, so they overlapped: {most} at once at most, {running} at the same moment."
        )
    }
}

fn complaint(lane: &Lane, span: &Span) -> String {
    let name = &lane.name;
    let held = amount::seconds(span.real);
    let Some(cpu) = span.cpu else {
        return format!(
            "`{name}` held its thread for {held} in one poll: no other task of that thread could run."
        );
    };
    let share = cpu.as_secs_f64() / span.real.as_secs_f64();
    let used = amount::seconds(cpu);
    let cause = match share {
        share if share < SLEPT => "a blocking call, such as `thread::sleep`".to_owned(),
        share if share > COMPUTED => "computing".to_owned(),
        _ => format!(
            "partly computing, and for about {} blocked (by a call such as `thread::sleep`) or without a core",
            amount::seconds(span.real.saturating_sub(cpu))
        ),
    };
    format!(
        "`{name}` held its thread for {held} in one poll, using {used} of CPU: {cause}. Other tasks of that thread stood still."
    )
}
