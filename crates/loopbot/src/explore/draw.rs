//! Outcomes and schedules as pictures. Pure: results in, picture out.

use std::fmt::Debug;

use super::outcome::{Exploration, Outcome};
use super::schedule::{EventKind, Found, Row, Schedule};
use crate::amount;
use crate::picture::Picture;
use crate::svg::{Anchor, BAD, PLAIN, SMALL, Svg, TEXT, TURN, WIDTH, WORK, hatched, number};
use crate::table::Table;

/// More rows than this are only in the table.
const MOST_ROWS: usize = 60;
const MOST_BARS: usize = 24;

/// A bar for each outcome, as long as the number of schedules that lead to it.
pub(crate) fn outcomes<T: Debug + Ord>(exploration: &Exploration<T>) -> Picture {
    const BAR: f64 = 34.0;
    const LEFT: f64 = 300.0;
    let mut svg = Svg::default();
    svg.define_hatching("bad", BAD);
    svg.heading(&exploration.title);
    let most = exploration
        .outcomes
        .iter()
        .map(|explored| explored.count)
        .max()
        .unwrap_or(1);
    let mut y = 42.0;
    for explored in exploration.outcomes.iter().take(MOST_BARS) {
        let middle = y + BAR / 2.0;
        let (is_value, label) = match &explored.outcome {
            Outcome::Value(value) => (true, format!("{value:?}")),
            other => (false, other.to_string()),
        };
        svg.text(
            (LEFT - 12.0, middle + 5.0),
            TEXT,
            Anchor::End,
            LEFT - 24.0,
            &label,
        );
        let length = (WIDTH - LEFT - 170.0) * explored.count as f64 / most as f64;
        let fill = if is_value {
            WORK.to_owned()
        } else {
            hatched("bad")
        };
        svg.rect((LEFT, middle - 10.0, length.max(2.0), 20.0), &fill);
        let count = amount::counted(explored.count, "schedule");
        svg.text(
            (LEFT + length.max(2.0) + 8.0, middle + 5.0),
            TEXT,
            Anchor::Start,
            160.0,
            &count,
        );
        y += BAR;
    }
    svg.line((LEFT, 40.0), (LEFT, y + 2.0), "stroke-opacity=\"0.5\"");
    if exploration.outcomes.len() > MOST_BARS {
        let more = format!(
            "… and {} more outcomes",
            amount::count(exploration.outcomes.len() - MOST_BARS)
        );
        svg.text((LEFT, y + 18.0), TEXT, Anchor::Start, 400.0, &more);
        y += 24.0;
    }
    let mut table = Table::new(["outcome", "schedules", "to replay one"]);
    for explored in &exploration.outcomes {
        table.row([
            explored.outcome.to_string(),
            amount::count(explored.count),
            explored.example.token().to_owned(),
        ]);
    }
    Picture::new(
        &exploration.title,
        svg.body,
        y + 14.0,
        exploration.verdict(),
        table,
    )
}

/// One column for each thread, one row for each step, time running down.
pub(crate) fn schedule<T: Debug>(schedule: &Schedule<T>) -> Picture {
    let Some(found) = &schedule.found else {
        let mut svg = Svg::default();
        svg.text(
            (10.0, 24.0),
            TEXT,
            Anchor::Start,
            WIDTH - 20.0,
            &schedule.why_not,
        );
        return Picture::new(
            "No such schedule",
            svg.body,
            40.0,
            schedule.verdict(),
            schedule.table(),
        );
    };
    let mut sheet = Sheet::of(found);
    let title = match &found.outcome {
        Outcome::Value(value) => format!("A schedule that leads to {value:?}"),
        Outcome::Panicked(_) => "A schedule that ends in a panic".into(),
        Outcome::Deadlock(_) => "A schedule that ends in a deadlock".into(),
        Outcome::Endless => "A schedule that does not end".into(),
    };
    sheet.svg.heading(&title);
    sheet.heads(found);
    let shown = &found.rows[..found.rows.len().min(MOST_ROWS)];
    sheet.waits(shown, &found.outcome);
    for (number, row) in shown.iter().enumerate() {
        sheet.row(number, row);
    }
    let height = sheet.ending(found, shown.len());
    Picture::new(
        &title,
        sheet.svg.body,
        height,
        schedule.verdict(),
        schedule.table(),
    )
}

/// Where things are in the picture of a schedule.
struct Sheet {
    svg: Svg,
    /// Column of each thread; threads without a step have none.
    columns: Vec<Option<usize>>,
    width: f64,
}

impl Sheet {
    const LEFT: f64 = 44.0;
    const TOP: f64 = 74.0;
    const ROW: f64 = 30.0;

    fn of(found: &Found<impl Debug>) -> Sheet {
        let mut columns = Vec::new();
        let mut used = 0;
        for thread in 0..found.threads.len() {
            let has_rows = found.rows.iter().any(|row| row.thread == thread);
            columns.push(has_rows.then_some(used));
            used += usize::from(has_rows);
        }
        let width = (WIDTH - Sheet::LEFT - 6.0) / used.max(1) as f64;
        Sheet {
            svg: Svg::default(),
            columns,
            width: width.min(380.0),
        }
    }

    fn x(&self, thread: usize) -> Option<f64> {
        let column = self.columns.get(thread).copied().flatten()?;
        Some(Sheet::LEFT + column as f64 * self.width)
    }

    fn y(row: usize) -> f64 {
        Sheet::TOP + row as f64 * Sheet::ROW
    }

    fn heads(&mut self, found: &Found<impl Debug>) {
        self.svg.define_hatching("wait", TURN);
        let shown = &found.rows[..found.rows.len().min(MOST_ROWS)];
        for (thread, name) in found.threads.iter().enumerate() {
            let Some(x) = self.x(thread) else { continue };
            let middle = x + self.width / 2.0;
            let at = (middle, Sheet::TOP - 14.0);
            self.svg.styled_text(
                at,
                TEXT,
                Anchor::Middle,
                self.width - 12.0,
                "font-weight=\"600\"",
                name,
            );
            // The line of its life runs behind no text of its own.
            for (number, _) in shown
                .iter()
                .enumerate()
                .filter(|(_, row)| row.thread != thread)
            {
                let y = Sheet::y(number);
                let dots = "stroke-opacity=\"0.35\" stroke-dasharray=\"2 4\"";
                self.svg.line((middle, y), (middle, y + Sheet::ROW), dots);
            }
        }
    }

    /// A hatched strip from where a thread starts to wait to its next step, or to the end.
    fn waits(&mut self, rows: &[Row], outcome: &Outcome<impl Debug>) {
        for (number, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.kind == EventKind::Wait)
        {
            let until = rows[number + 1..]
                .iter()
                .position(|later| later.thread == row.thread);
            let until = match (until, outcome) {
                (Some(rows), _) => number + 1 + rows,
                (None, Outcome::Deadlock(_)) => rows.len(),
                (None, _) => continue,
            };
            let Some(x) = self.x(row.thread) else {
                continue;
            };
            let (from, to) = (Sheet::y(number) + Sheet::ROW - 4.0, Sheet::y(until) + 4.0);
            let strip = (x + self.width / 2.0 - 7.0, from, 14.0, (to - from).max(2.0));
            self.svg.rect(strip, &hatched("wait"));
        }
    }

    fn row(&mut self, number: usize, row: &Row) {
        let y = Sheet::y(number);
        let Some(x) = self.x(row.thread) else { return };
        let count = (number + 1).to_string();
        let pale = "fill-opacity=\"0.7\"";
        self.svg.styled_text(
            (Sheet::LEFT - 12.0, y + 19.0),
            SMALL,
            Anchor::End,
            32.0,
            pale,
            &count,
        );
        let frame = match row.kind {
            EventKind::Step => format!(
                "fill=\"{WORK}\" fill-opacity=\"0.22\" stroke=\"{WORK}\" stroke-width=\"1.5\""
            ),
            EventKind::Wait => format!(
                "fill=\"{TURN}\" fill-opacity=\"0.22\" stroke=\"{TURN}\" stroke-dasharray=\"5 3\" stroke-width=\"1.5\""
            ),
            EventKind::Mark => format!("fill=\"none\" stroke=\"{PLAIN}\" stroke-dasharray=\"2 3\""),
            EventKind::Panic => {
                format!("fill=\"{BAD}\" fill-opacity=\"0.22\" stroke=\"{BAD}\" stroke-width=\"3\"")
            }
        };
        self.svg.shape(
            "rect",
            (x + 5.0, y + 3.0, self.width - 10.0, Sheet::ROW - 6.0),
            &format!("rx=\"4\" {frame}"),
        );
        let line = if row.line > 0 {
            format!("line {}", row.line)
        } else {
            String::new()
        };
        let line_room = if line.is_empty() || self.width < 150.0 {
            0.0
        } else {
            54.0
        };
        self.svg.text(
            (x + 13.0, y + 20.0),
            TEXT,
            Anchor::Start,
            self.width - 26.0 - line_room,
            &row.text,
        );
        if line_room > 0.0 {
            let at = (x + self.width - 12.0, y + 19.5);
            self.svg
                .styled_text(at, SMALL, Anchor::End, line_room, pale, &line);
        }
    }

    fn ending(&mut self, found: &Found<impl Debug>, shown: usize) -> f64 {
        let mut y = Sheet::y(shown);
        if shown < found.rows.len() {
            let more = format!(
                "… and {} more steps",
                amount::count(found.rows.len() - shown)
            );
            self.svg.text(
                (Sheet::LEFT + 6.0, y + 18.0),
                TEXT,
                Anchor::Start,
                400.0,
                &more,
            );
            y += 26.0;
        }
        let columns = self.columns.iter().flatten().count().max(1);
        let right = Sheet::LEFT + columns as f64 * self.width - 5.0;
        let y = y + 6.0;
        let d = format!(
            "M{} {}H{}",
            number(Sheet::LEFT + 5.0),
            number(y),
            number(right)
        );
        self.svg.path(
            &d,
            "fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.5\"",
        );
        let outcome = match &found.outcome {
            Outcome::Value(value) => format!("→ {value:?}"),
            other => format!("→ {other}"),
        };
        let bold = "font-weight=\"600\"";
        self.svg.styled_text(
            (Sheet::LEFT + 6.0, y + 22.0),
            TEXT + 1.0,
            Anchor::Start,
            right - 60.0,
            bold,
            &outcome,
        );
        y + 34.0
    }
}
