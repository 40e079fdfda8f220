//! A recording as a picture: lanes over time. Pure: recording in, picture out.
//!
//! Running is a tall solid bar, ready a lower hatched one, waiting a thin line: the states differ in shape, not only in
//! colour.

use std::time::Duration;

use super::recording::{End, Kind, Lane, Recording, State};
use crate::amount;
use crate::picture::Picture;
use crate::svg::{Anchor, BAD, SMALL, Svg, TEXT, TURN, WIDTH, WORK, fit, hatched, width};
use crate::table::Table;
use crate::words::Words;

/// More lanes than this are only in the table.
const MOST_LANES: usize = 40;
/// Lanes get a second line for their threads when there are at most so many.
const FEW_LANES: usize = 14;
/// The plot's left and right ends.
const LEFT: f64 = 190.0;
const RIGHT: f64 = WIDTH - 14.0;
/// More marks than this of one lane are left out of the table.
const MOST_MARKS: usize = 8;
/// Height of the strip for marks above a lane.
const NOTES: f64 = 16.0;

pub(crate) fn draw(recording: &Recording, words: &Words) -> Picture {
    let mut svg = Svg::default();
    let title = match recording.virtual_time {
        true => format!("{} ({})", recording.title, words.virtual_time),
        false => recording.title.clone(),
    };
    svg.heading(&title);
    let scale = Scale::of(recording);
    legend(&mut svg, recording, &scale, words, 48.0);
    let shown = &recording.lanes[..recording.lanes.len().min(MOST_LANES)];
    let height = if shown.len() <= FEW_LANES { 42.0 } else { 24.0 };
    let top = 66.0;
    let strips = |lane: &Lane| if lane.notes.is_empty() { 0.0 } else { NOTES };
    let bottom = top + shown.iter().map(|lane| height + strips(lane)).sum::<f64>();
    axis(&mut svg, &scale, top, bottom);
    let mut y = top;
    for lane in shown {
        y += strips(lane);
        draw_lane(&mut svg, lane, &scale, y, height, words);
        y += height;
    }
    let mut end = bottom + 28.0;
    if recording.lanes.len() > shown.len() {
        let more = format!(
            "… and {} more lanes",
            amount::count(recording.lanes.len() - shown.len())
        );
        svg.text((10.0, end + 14.0), TEXT, Anchor::Start, WIDTH, &more);
        end += 24.0;
    }
    Picture::new(
        &title,
        svg.body,
        end,
        super::verdict::verdict(recording),
        table(recording),
    )
    .with_table_title(&words.table)
}

/// From time to place.
struct Scale {
    end: f64,
    /// Tasks ran on more than one thread, so their bars say on which.
    several: bool,
}

impl Scale {
    fn of(recording: &Recording) -> Scale {
        let lasts = recording
            .lanes
            .iter()
            .filter_map(|lane| lane.last().max(lane.notes.last().map(|note| note.at)));
        let end = lasts.max().unwrap_or_default().as_secs_f64();
        let tasks = recording
            .lanes
            .iter()
            .filter(|lane| lane.kind != Kind::Thread);
        let mut threads = tasks.flat_map(Lane::threads);
        let first = threads.next();
        Scale {
            end: if end > 0.0 { end } else { 1e-6 },
            several: threads.any(|thread| Some(thread) != first),
        }
    }

    fn x(&self, at: Duration) -> f64 {
        LEFT + (at.as_secs_f64() / self.end).min(1.0) * (RIGHT - LEFT)
    }
}

fn legend(svg: &mut Svg, recording: &Recording, scale: &Scale, words: &Words, y: f64) {
    svg.define_hatching("ready", TURN);
    let phases = || {
        let phases = recording
            .lanes
            .iter()
            .take(MOST_LANES)
            .flat_map(Lane::phases);
        phases.filter(|phase| scale.x(phase.end) - scale.x(phase.start) >= 1.0)
    };
    let mut x = 10.0;
    let mut entry = |svg: &mut Svg, text: &str, sign: &dyn Fn(&mut Svg, f64)| {
        sign(svg, x);
        svg.text((x + 34.0, y), SMALL, Anchor::Start, 260.0, text);
        x += 34.0 + width(&fit(text, 260.0, SMALL), SMALL) + 22.0;
    };
    entry(svg, &words.running, &|svg, x| {
        running(svg, x, 26.0, y - 4.0)
    });
    if phases().any(|phase| phase.state == State::Ready) {
        entry(svg, &words.ready, &|svg, x| ready(svg, x, 26.0, y - 4.0));
    }
    if phases().any(|phase| phase.state == State::Waiting) {
        entry(svg, &words.waiting, &|svg, x| {
            waiting(svg, x, x + 26.0, y - 4.0)
        });
    }
    if recording
        .lanes
        .iter()
        .any(|lane| lane.end == End::Dropped && lane.start().is_some())
    {
        entry(svg, &words.dropped, &|svg, x| cross(svg, x + 13.0, y - 4.0));
    }
    if recording.lanes.iter().any(|lane| !lane.notes.is_empty()) {
        entry(svg, &words.note, &|svg, x| flag(svg, x + 13.0, y - 8.0));
    }
}

fn axis(svg: &mut Svg, scale: &Scale, top: f64, bottom: f64) {
    let ticks = amount::ticks(scale.end);
    let (labels, unit) = amount::tick_labels(&ticks);
    for (tick, label) in ticks.iter().zip(labels) {
        let x = LEFT + tick / scale.end * (RIGHT - LEFT);
        svg.line((x, top - 4.0), (x, bottom), "stroke-opacity=\"0.16\"");
        let anchor = if x > RIGHT - 30.0 {
            Anchor::End
        } else {
            Anchor::Middle
        };
        let x = if anchor == Anchor::End {
            RIGHT + 10.0
        } else {
            x
        };
        svg.text(
            (x, bottom + 18.0),
            SMALL,
            anchor,
            80.0,
            &format!("{label} {unit}"),
        );
    }
    svg.line((LEFT, bottom), (RIGHT, bottom), "stroke-opacity=\"0.5\"");
}

fn draw_lane(svg: &mut Svg, lane: &Lane, scale: &Scale, y: f64, height: f64, words: &Words) {
    let middle = y + height / 2.0;
    let threads = lane.threads().join(", ");
    if height > 30.0 && !threads.is_empty() {
        svg.text(
            (10.0, middle - 1.0),
            TEXT,
            Anchor::Start,
            LEFT - 20.0,
            &lane.name,
        );
        let on = match lane.kind {
            Kind::Thread => words.thread.to_string(),
            _ => format!("{} {threads}", words.on),
        };
        svg.styled_text(
            (10.0, middle + 14.0),
            SMALL,
            Anchor::Start,
            LEFT - 20.0,
            "fill-opacity=\"0.75\"",
            &on,
        );
    } else {
        svg.text(
            (10.0, middle + 5.0),
            TEXT,
            Anchor::Start,
            LEFT - 20.0,
            &lane.name,
        );
    }
    if lane.start().is_none() && lane.kind == Kind::Task && lane.notes.is_empty() {
        let style = "font-style=\"italic\" fill-opacity=\"0.75\"";
        svg.styled_text(
            (LEFT + 4.0, middle + 5.0),
            SMALL,
            Anchor::Start,
            RIGHT - LEFT,
            style,
            &words.never_polled,
        );
    }
    let phases = lane.phases();
    for state in [State::Waiting, State::Ready, State::Running] {
        // Of this state: a mark where the lane runs must not give way to the line where it begins to wait.
        let mut covered = f64::NEG_INFINITY;
        for phase in phases.iter().filter(|phase| phase.state == state) {
            let (from, to) = (scale.x(phase.start), scale.x(phase.end));
            // Thousands of polls share a pixel; one of them shows it.
            if to - from < 1.0 && (from - covered).abs() < 0.5 {
                continue;
            }
            covered = from;
            match state {
                State::Waiting => waiting(svg, from, to, middle),
                State::Ready => ready(svg, from, to - from, middle),
                State::Running => {
                    running(svg, from, to - from, middle);
                    if scale.several {
                        thread_label(
                            svg,
                            phase.thread.as_deref().unwrap_or_default(),
                            from,
                            to,
                            middle,
                        );
                    }
                }
            }
        }
    }
    if matches!(lane.end, End::Dropped | End::Panicked) && lane.start().is_some() {
        cross(svg, lane.last().map_or(LEFT, |last| scale.x(last)), middle);
    }
    draw_notes(svg, lane, scale, y - 2.0, middle - height.min(26.0) / 2.0);
}

/// The marks of a lane, their texts as far as there is room; the table has all of them.
fn draw_notes(svg: &mut Svg, lane: &Lane, scale: &Scale, baseline: f64, flags: f64) {
    // From the right: the last text may stand left of its mark, the others end where the next begins.
    let mut end = RIGHT + 12.0;
    for note in lane.notes.iter().rev() {
        let x = scale.x(note.at);
        flag(svg, x, flags);
        let (room, wanted) = (end - x - 12.0, width(&note.text, SMALL));
        if wanted > room && x > RIGHT - 90.0 && end > RIGHT {
            svg.text((x - 6.0, baseline), SMALL, Anchor::End, 160.0, &note.text);
            end = x - 6.0 - wanted.min(160.0);
            continue;
        }
        if wanted <= room || room > 30.0 {
            svg.text((x + 4.0, baseline), SMALL, Anchor::Start, room, &note.text);
        }
        end = end.min(x - 2.0);
    }
}

/// The thread's name on a bar if there is room: `2` for `worker 2`, which is written out beside the lane.
fn thread_label(svg: &mut Svg, name: &str, from: f64, to: f64, middle: f64) {
    let label = name.strip_prefix("worker ").unwrap_or(name);
    if width(label, SMALL) + 6.0 < to - from {
        let at = ((from + to) / 2.0, middle + 4.0);
        svg.styled_text(
            at,
            SMALL,
            Anchor::Middle,
            to - from,
            "style=\"fill:#ffffff\"",
            label,
        );
    }
}

fn running(svg: &mut Svg, x: f64, width: f64, middle: f64) {
    svg.rect((x, middle - 10.0, width.max(2.0), 20.0), WORK);
}

fn ready(svg: &mut Svg, x: f64, width: f64, middle: f64) {
    svg.rect((x, middle - 6.0, width, 12.0), &hatched("ready"));
}

fn waiting(svg: &mut Svg, from: f64, to: f64, middle: f64) {
    svg.line(
        (from, middle),
        (to, middle),
        "stroke-width=\"2\" stroke-opacity=\"0.55\"",
    );
}

fn cross(svg: &mut Svg, x: f64, y: f64) {
    let d = format!(
        "M{} {}l12 12m0 -12l-12 12",
        crate::svg::number(x - 6.0),
        crate::svg::number(y - 6.0)
    );
    svg.path(
        &d,
        &format!("fill=\"none\" stroke=\"{BAD}\" stroke-width=\"3\""),
    );
}

fn flag(svg: &mut Svg, x: f64, y: f64) {
    let d = format!(
        "M{} {}l-4 -7h8z",
        crate::svg::number(x),
        crate::svg::number(y + 4.0)
    );
    svg.path(&d, "");
}

fn table(recording: &Recording) -> Table {
    let noted = recording.lanes.iter().any(|lane| !lane.notes.is_empty());
    let mut head = vec![
        "lane",
        "on",
        "runs",
        "running",
        "waiting",
        "CPU",
        "first start",
        "end",
    ];
    if noted {
        head.push("marks");
    }
    let mut table = Table::new(head);
    for lane in &recording.lanes {
        let time = |time: Option<Duration>| time.map_or("–".into(), amount::duration);
        let end = match lane.end {
            End::Open => "not ended".into(),
            End::Done => time(lane.last()),
            End::Dropped if lane.start().is_none() => "never polled".into(),
            End::Dropped => format!("{}, dropped", time(lane.last())),
            End::Panicked => format!("{}, panicked", time(lane.last())),
        };
        let marks = lane
            .notes
            .iter()
            .map(|note| format!("{} {}", amount::duration(note.at), note.text));
        let mut marks: Vec<String> = marks.take(MOST_MARKS + 1).collect();
        if marks.len() > MOST_MARKS {
            marks.truncate(MOST_MARKS);
            marks.push(format!("… {} more", lane.notes.len() - MOST_MARKS));
        }
        let marks = marks.join("; ");
        table.row([
            lane.name.clone(),
            lane.threads().join(", "),
            amount::count(lane.polls()),
            amount::duration(lane.running()),
            amount::duration(lane.waiting()),
            time(lane.cpu()),
            time(lane.start()),
            end,
            marks,
        ]);
    }
    table
}
