//! `compare`: which of several ways is faster, by how much, and whether the difference can be told from chance.

use std::fmt;
use std::time::{Duration, Instant};

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::amount;
use crate::chart;
use crate::picture::Picture;
use crate::svg::{Anchor, Svg, TEXT, WIDTH, WORK};
use crate::table::Table;

/// Runs of each alternative unless [`Compare::runs`] says otherwise.
const RUNS: usize = 7;

/// Starts a comparison. Add alternatives, then [`run`](Compare::run) it.
///
/// ```
/// use loopbot::prelude::*;
/// let result = compare("sum of squares")
///     .case("loop", || { let mut sum = 0_u64; for n in 0..1000 { sum += n * n } sum })
///     .case("iterator", || (0..1000_u64).map(|n| n * n).sum::<u64>())
///     .runs(5)
///     .run();
/// assert!(result.median("loop").is_some());
/// assert!(result.ratio("loop", "iterator").is_some_and(|ratio| ratio > 0.0));
/// ```
pub fn compare<'a>(title: &str) -> Compare<'a> {
    Compare {
        title: title.to_owned(),
        runs: RUNS,
        cases: Vec::new(),
    }
}

type Run<'a> = Box<dyn FnMut() -> Duration + Send + 'a>;

/// Alternatives to be compared; made by [`compare`].
#[must_use = "nothing is measured before `.run()`"]
pub struct Compare<'a> {
    title: String,
    runs: usize,
    cases: Vec<(String, Run<'a>)>,
}

impl<'a> Compare<'a> {
    /// Adds ordinary code. What it returns is thrown away after the clock has stopped.
    pub fn case<T>(mut self, name: &str, mut code: impl FnMut() -> T + Send + 'a) -> Compare<'a> {
        let run = move || {
            let start = Instant::now();
            let value = std::hint::black_box(code());
            let took = start.elapsed();
            drop(value);
            took
        };
        self.cases.push((name.to_owned(), Box::new(run)));
        self
    }

    /// Adds asynchronous code. Each run has a thread and a multi-threaded runtime of its own, both started before the
    /// clock, so it works in any cell.
    ///
    /// ```
    /// # use loopbot::prelude::*;
    /// use tokio::time::sleep;
    /// let result = compare("waiting")
    ///     .case_async("one by one", || async { for _ in 0..3 { sleep(Duration::from_millis(2)).await } })
    ///     .case_async("together", || async {
    ///         let nap = || sleep(Duration::from_millis(2));
    ///         tokio::join!(nap(), nap(), nap());
    ///     })
    ///     .runs(3)
    ///     .run();
    /// # assert!(result.median("together").is_some());
    /// ```
    pub fn case_async<F>(
        mut self,
        name: &str,
        mut code: impl FnMut() -> F + Send + 'a,
    ) -> Compare<'a>
    where
        F: Future,
    {
        let run = move || on_own_runtime(&mut code);
        self.cases.push((name.to_owned(), Box::new(run)));
        self
    }

    /// Sets how often each alternative is run; at least once.
    pub fn runs(mut self, runs: usize) -> Compare<'a> {
        self.runs = runs.max(1);
        self
    }

    /// Measures: one run of each that does not count, to warm up, then all alternatives in turn, so that a slow moment
    /// of the machine hits them all.
    pub fn run(mut self) -> Comparison {
        for (_, case) in &mut self.cases {
            case();
        }
        let mut times = vec![Vec::new(); self.cases.len()];
        for _ in 0..self.runs {
            for ((_, case), times) in self.cases.iter_mut().zip(&mut times) {
                times.push(case());
            }
        }
        let names = self.cases.into_iter().map(|(name, _)| name);
        Comparison::new(&self.title, names.zip(times))
    }
}

fn on_own_runtime<F: Future>(code: &mut (impl FnMut() -> F + Send)) -> Duration {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap_or_else(|error| panic!("the system cannot start a runtime: {error}"));
            let start = Instant::now();
            // The value is dropped with the future's thread, after the clock has been read.
            let value = runtime.block_on(code());
            let took = start.elapsed();
            drop(std::hint::black_box(value));
            took
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Measured alternatives. As the last expression of a cell it shows medians with their spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    title: String,
    cases: Vec<Measured>,
}

/// One alternative: its times, sorted.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    name: String,
    times: Vec<Duration>,
}

impl Measured {
    /// The time below which this share of the runs lies, between the two nearest runs.
    /// (Linear interpolation, the common definition R-7.)
    fn quantile(&self, share: f64) -> Duration {
        let at = share * (self.times.len().saturating_sub(1)) as f64;
        let below = self
            .times
            .get(at.floor() as usize)
            .copied()
            .unwrap_or_default();
        let above = self.times.get(at.ceil() as usize).copied().unwrap_or(below);
        below + above.saturating_sub(below).mul_f64(at.fract())
    }

    fn median(&self) -> Duration {
        self.quantile(0.5)
    }
}

impl Comparison {
    /// A comparison of times measured elsewhere.
    ///
    /// ```
    /// use loopbot::prelude::*;
    /// let ms = Duration::from_millis;
    /// let result = Comparison::new("by hand", [("one", vec![ms(20), ms(21), ms(19)]), ("two", vec![ms(10)])]);
    /// assert_eq!(result.verdict(), ["`two` is 2.0 times as fast as `one`."]);
    /// ```
    pub fn new<S: Into<String>>(
        title: &str,
        cases: impl IntoIterator<Item = (S, Vec<Duration>)>,
    ) -> Comparison {
        let cases = cases.into_iter().map(|(name, mut times)| {
            times.sort_unstable();
            Measured {
                name: name.into(),
                times,
            }
        });
        Comparison {
            title: title.to_owned(),
            cases: cases.filter(|case| !case.times.is_empty()).collect(),
        }
    }

    fn case(&self, name: &str) -> Option<&Measured> {
        self.cases.iter().find(|case| case.name == name)
    }

    /// The median time of an alternative; `None` if there is none of that name.
    pub fn median(&self, name: &str) -> Option<Duration> {
        self.case(name).map(Measured::median)
    }

    /// How many times as long the first takes as the second, by their medians.
    pub fn ratio(&self, slow: &str, fast: &str) -> Option<f64> {
        let (slow, fast) = (self.median(slow)?, self.median(fast)?);
        Some(slow.as_secs_f64() / fast.as_secs_f64().max(1e-9))
    }

    /// Whether the middle halves of the two do not overlap: a difference that chance would seldom make.
    pub fn differ(&self, one: &str, other: &str) -> bool {
        let (Some(one), Some(other)) = (self.case(one), self.case(other)) else {
            return false;
        };
        one.quantile(0.75) < other.quantile(0.25) || other.quantile(0.75) < one.quantile(0.25)
    }

    /// All alternatives and their medians, fastest first.
    pub fn medians(&self) -> Vec<(&str, Duration)> {
        let mut medians: Vec<_> = self
            .cases
            .iter()
            .map(|case| (case.name.as_str(), case.median()))
            .collect();
        medians.sort_by_key(|(_, median)| *median);
        medians
    }

    /// What was measured, in sentences: every alternative against the slowest.
    pub fn verdict(&self) -> Vec<String> {
        let medians = self.medians();
        let Some(((slowest, _), faster)) = medians.split_last() else {
            return vec!["Nothing was compared: add alternatives with `.case(…)`.".into()];
        };
        if faster.is_empty() {
            return vec![format!(
                "Only `{slowest}` was measured; add another `.case(…)` to compare it with."
            )];
        }
        let sentence = |(name, _): &(&str, Duration)| {
            if self.differ(name, slowest) {
                let ratio = self
                    .ratio(slowest, name)
                    .map_or_else(|| "–".into(), amount::ratio);
                format!("`{name}` is {ratio} times as fast as `{slowest}`.")
            } else {
                format!(
                    "No difference seen between `{name}` and `{slowest}`: the middle halves of their times overlap."
                )
            }
        };
        faster.iter().map(sentence).collect()
    }

    /// The picture: a bar to each median, a line over the middle half of the runs.
    pub fn picture(&self) -> Picture {
        const ROW: f64 = 44.0;
        const TOP: f64 = 40.0;
        let mut svg = Svg::default();
        svg.heading(&self.title);
        let height = TOP + ROW * self.cases.len().max(1) as f64 + 34.0;
        let elements = chart::elements(height, |area| self.draw(area, TOP));
        svg.body += &elements;
        for (index, case) in self.cases.iter().enumerate() {
            let middle = TOP + (index as f64 + 0.5) * ROW;
            svg.text(
                (LABELS - 10.0, middle + 5.0),
                TEXT,
                Anchor::End,
                LABELS - 20.0,
                &case.name,
            );
            let end = self.x(case.quantile(0.75).max(case.median())) + 10.0;
            let median = amount::duration(case.median());
            svg.text((end, middle + 5.0), TEXT, Anchor::Start, 120.0, &median);
        }
        let runs = self.cases.first().map_or(0, |case| case.times.len());
        let mut sentences = self.verdict();
        sentences.push(format!(
            "Medians of {}; the line over each bar spans the middle half of them.",
            amount::counted(runs, "run")
        ));
        let mut table = Table::new([
            "alternative",
            "median",
            "middle half",
            "fastest",
            "slowest",
            "runs",
        ]);
        for case in &self.cases {
            let half = format!(
                "{} – {}",
                amount::duration(case.quantile(0.25)),
                amount::duration(case.quantile(0.75))
            );
            table.row([
                case.name.clone(),
                amount::duration(case.median()),
                half,
                amount::duration(case.quantile(0.0)),
                amount::duration(case.quantile(1.0)),
                case.times.len().to_string(),
            ]);
        }
        Picture::new(&self.title, svg.body, height, sentences, table)
    }

    /// The end of the time axis, in seconds.
    fn end(&self) -> f64 {
        let ends = self
            .cases
            .iter()
            .map(|case| case.quantile(0.75).max(case.median()).as_secs_f64());
        ends.fold(1e-9, f64::max)
    }

    fn x(&self, time: Duration) -> f64 {
        LABELS + time.as_secs_f64() / self.end() * (WIDTH - LABELS - VALUES)
    }

    fn draw(&self, area: &chart::Area<'_>, top: f64) -> Result<(), chart::Trouble> {
        let cases = self.cases.len().max(1);
        let ticks = amount::ticks(self.end());
        let (labels, unit) = amount::tick_labels(&ticks);
        let cases = cases as f64;
        let mut chart = ChartBuilder::on(area)
            .margin_top(top as u32)
            .margin_right(VALUES as u32)
            .margin_left(LABELS as u32)
            .margin_bottom(34)
            .build_cartesian_2d(0.0..self.end(), cases..0.0)?;
        for (tick, label) in ticks.iter().zip(&labels) {
            chart.draw_series([PathElement::new(
                [(*tick, 0.0), (*tick, cases)],
                chart::ink().mix(0.16),
            )])?;
            let (x, y) = chart.backend_coord(&(*tick, cases));
            area.draw(&chart::label(
                format!("{label} {unit}"),
                (x, y + 8),
                HPos::Center,
            ))?;
        }
        chart.draw_series([PathElement::new(
            [(0.0, 0.0), (0.0, cases)],
            chart::ink().mix(0.5),
        )])?;
        chart.draw_series(self.cases.iter().enumerate().map(|(index, case)| {
            let y = index as f64;
            let bar = [(0.0, y + 0.22), (case.median().as_secs_f64(), y + 0.78)];
            Rectangle::new(bar, chart::color(WORK).filled())
        }))?;
        for (index, case) in self.cases.iter().enumerate() {
            let y = index as f64 + 0.5;
            let (from, to) = (
                case.quantile(0.25).as_secs_f64(),
                case.quantile(0.75).as_secs_f64(),
            );
            let whisker = [(from, y), (to, y)];
            let ends = [from, to].map(|x| {
                PathElement::new([(x, y - 0.14), (x, y + 0.14)], chart::ink().stroke_width(2))
            });
            chart.draw_series([PathElement::new(whisker, chart::ink().stroke_width(2))])?;
            chart.draw_series(ends)?;
        }
        Ok(())
    }

    /// Shows the comparison now, for a cell whose last expression is something else.
    pub fn show(&self) {
        self.picture().show();
    }

    /// Shows the comparison as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

/// Room for the names on the left and the medians on the right.
const LABELS: f64 = 190.0;
const VALUES: f64 = 110.0;

/// The verdict.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verdict().join("\n"))
    }
}
