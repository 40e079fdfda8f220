//! `core_load`: how busy each core of the machine is before and while some code runs. It counts everything that runs
//! on the machine, not only the notebook.

use std::time::{Duration, Instant};

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use crate::amount;
use crate::chart;
use crate::picture::Picture;
use crate::svg::{Anchor, PLAIN, SMALL, Svg, TEXT, WIDTH, WORK, hatched};
use crate::table::Table;

/// How long the machine is watched before the code runs.
const BEFORE: Duration = Duration::from_millis(300);
/// The system counts in hundredths of a second, so a shorter run says little.
const SHORT: Duration = Duration::from_millis(200);

/// Watches the cores for 0.3 s, then while the code runs.
///
/// ```
/// use loopbot::prelude::*;
/// let load = core_load(|| {
///     let end = std::time::Instant::now() + Duration::from_millis(250);
///     while std::time::Instant::now() < end {} // keeps one core busy
/// });
/// println!("{}", load.verdict().join(" "));
/// ```
pub fn core_load<T>(code: impl FnOnce() -> T) -> CoreLoad {
    let idle = read();
    std::thread::sleep(BEFORE);
    let begin = read();
    let start = Instant::now();
    std::hint::black_box(code());
    CoreLoad::new(&idle, &begin, &read(), start.elapsed())
}

/// Watches the cores for 0.3 s, then while the future is awaited.
///
/// ```
/// # use loopbot::prelude::*;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let load = core_load_async(tokio::time::sleep(Duration::from_millis(250))).await;
/// # let _ = load.cores();
/// # });
/// ```
pub async fn core_load_async<F: Future>(future: F) -> CoreLoad {
    let idle = read();
    tokio::time::sleep(BEFORE).await;
    let begin = read();
    let start = Instant::now();
    std::hint::black_box(future.await);
    CoreLoad::new(&idle, &begin, &read(), start.elapsed())
}

/// How busy each core was, before and during. As the last expression of a cell it shows a bar for each.
#[derive(Debug, Clone, PartialEq)]
pub struct CoreLoad {
    /// Shares from 0 to 1, before and during, for each core.
    cores: Vec<(f64, f64)>,
    took: Duration,
    /// Why there are none.
    unknown: Option<String>,
}

/// Ticks of a core since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    core: usize,
    busy: u64,
    all: u64,
}

fn read() -> Result<Vec<Ticks>, String> {
    match std::fs::read_to_string("/proc/stat") {
        Ok(text) => match parse(&text) {
            ticks if ticks.is_empty() => {
                Err("/proc/stat tells nothing about single cores here".into())
            }
            ticks => Ok(ticks),
        },
        Err(error) => Err(format!(
            "the load of single cores is read from /proc/stat, which is there on Linux only ({error}). On another system, \
             look at its activity monitor while the cell runs"
        )),
    }
}

/// The lines `cpu0 user nice system idle iowait irq softirq steal …` of proc_stat(5).
fn parse(text: &str) -> Vec<Ticks> {
    let line = |line: &str| {
        let (name, numbers) = line.split_once(' ')?;
        let core = name.strip_prefix("cpu")?.parse().ok()?;
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .take(8)
            .map_while(|number| number.parse().ok())
            .collect();
        let all: u64 = numbers.iter().sum();
        // Waiting for a disk is idle, and so is time that another virtual machine had.
        let idle: u64 = [3, 4, 7]
            .iter()
            .filter_map(|index| numbers.get(*index))
            .sum();
        Some(Ticks {
            core,
            busy: all - idle,
            all,
        })
    };
    text.lines().filter_map(line).collect()
}

fn share(from: &[Ticks], to: &Ticks) -> f64 {
    let Some(from) = from.iter().find(|ticks| ticks.core == to.core) else {
        return 0.0;
    };
    let all = to.all.saturating_sub(from.all);
    if all == 0 {
        return 0.0;
    }
    (to.busy.saturating_sub(from.busy) as f64 / all as f64).min(1.0)
}

impl CoreLoad {
    fn new(
        idle: &Result<Vec<Ticks>, String>,
        begin: &Result<Vec<Ticks>, String>,
        end: &Result<Vec<Ticks>, String>,
        took: Duration,
    ) -> CoreLoad {
        match (idle, begin, end) {
            (Ok(idle), Ok(begin), Ok(end)) => CoreLoad::of(
                end.iter().map(|end| {
                    let before = begin
                        .iter()
                        .find(|ticks| ticks.core == end.core)
                        .map_or(0.0, |begin| share(idle, begin));
                    (before, share(begin, end))
                }),
                took,
            ),
            (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => CoreLoad {
                cores: Vec::new(),
                took,
                unknown: Some(why.clone()),
            },
        }
    }

    /// Shares measured elsewhere: from 0 to 1, before and during, for each core.
    pub fn of(cores: impl IntoIterator<Item = (f64, f64)>, took: Duration) -> CoreLoad {
        CoreLoad {
            cores: cores.into_iter().collect(),
            took,
            unknown: None,
        }
    }

    /// For each core the shares of time it was busy, from 0 to 1: before and during. Empty where the system does not
    /// tell.
    pub fn cores(&self) -> &[(f64, f64)] {
        &self.cores
    }

    /// How many cores were busy for more than half of the time while the code ran.
    pub fn busy(&self) -> usize {
        self.cores
            .iter()
            .filter(|(_, during)| *during > 0.5)
            .count()
    }

    /// What was seen, in sentences.
    pub fn verdict(&self) -> Vec<String> {
        if let Some(why) = &self.unknown {
            return vec![format!("Not measured: {why}.")];
        }
        let sum = |shares: &dyn Fn(&(f64, f64)) -> f64| self.cores.iter().map(shares).sum::<f64>();
        let (before, during) = (sum(&|core| core.0), sum(&|core| core.1));
        let number = self.cores.len();
        let mut sentences = vec![
            format!(
                "While the code ran ({}), {} of {} had work for more than half of the time.",
                amount::duration(self.took),
                self.busy(),
                amount::counted(number, "core")
            ),
            format!(
                "All cores together did the work of {during:.1} cores; just before it was {before:.1}. The system may move \
                 the work from core to core."
            ),
        ];
        if self.took < SHORT {
            sentences.push(
                "The run was short for this meter: let it last 0.2 s or more to trust the figures."
                    .into(),
            );
        }
        sentences
    }

    /// The picture: two bars for each core.
    pub fn picture(&self) -> Picture {
        const TITLE: &str = "Load of each core";
        const HEIGHT: f64 = 276.0;
        let mut svg = Svg::default();
        svg.styled_text(
            (10.0, 24.0),
            17.0,
            Anchor::Start,
            WIDTH,
            "font-weight=\"600\"",
            TITLE,
        );
        let mut table = Table::new(["core", "before", "during"]);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        for (number, (before, during)) in self.cores.iter().enumerate() {
            table.row([number.to_string(), percent(*before), percent(*during)]);
        }
        if let Some(why) = &self.unknown {
            svg.text(
                (10.0, 50.0),
                TEXT,
                Anchor::Start,
                WIDTH - 20.0,
                &format!("Not measured: {why}"),
            );
            return Picture::new(TITLE, svg.body, 66.0, self.verdict(), table);
        }
        svg.define_hatching("before", PLAIN);
        let legend = |svg: &mut Svg, x: f64, fill: &str, text: &str| {
            svg.rect((x, 37.0, 26.0, 14.0), fill);
            svg.text((x + 34.0, 49.0), SMALL, Anchor::Start, 200.0, text);
        };
        legend(&mut svg, 10.0, &hatched("before"), "before");
        legend(&mut svg, 120.0, WORK, "while the code ran");
        svg.body += &chart::elements(HEIGHT, |area| self.draw(area))
            .replace(BEFORE_WRITTEN, &hatched("before"));
        Picture::new(TITLE, svg.body, HEIGHT, self.verdict(), table)
    }

    fn draw(&self, area: &chart::Area<'_>) -> Result<(), chart::Trouble> {
        let cores = self.cores.len().max(1);
        let every = cores.div_ceil(16);
        let mut chart = ChartBuilder::on(area)
            .margin_top(70)
            .margin_right(14)
            .margin_left(70)
            .margin_bottom(30)
            .build_cartesian_2d(0.0..cores as f64, 0.0..1.0)?;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let strength = if share == 0.0 { 0.5 } else { 0.16 };
            chart.draw_series([PathElement::new(
                [(0.0, share), (cores as f64, share)],
                chart::ink().mix(strength),
            )])?;
            let (x, y) = chart.backend_coord(&(0.0, share));
            area.draw(&chart::label(
                format!("{:.0} %", share * 100.0),
                (x - 8, y - 7),
                HPos::Right,
            ))?;
        }
        let bars = self
            .cores
            .iter()
            .enumerate()
            .flat_map(|(core, (before, during))| {
                let x = core as f64;
                // A core at rest keeps a trace of a bar: it was measured.
                let bar = |from: f64, share: f64, color: RGBColor| {
                    Rectangle::new(
                        [(x + from, 0.0), (x + from + 0.36, share.max(0.006))],
                        color.filled(),
                    )
                };
                [
                    bar(0.13, *before, chart::color(BEFORE_WRITTEN)),
                    bar(0.51, *during, chart::color(WORK)),
                ]
            });
        chart.draw_series(bars)?;
        for core in (0..cores).step_by(every) {
            let (x, y) = chart.backend_coord(&(core as f64 + 0.5, 0.0));
            let name = if cores <= 8 {
                format!("core {core}")
            } else {
                core.to_string()
            };
            area.draw(&chart::label(name, (x, y + 8), HPos::Center))?;
        }
        Ok(())
    }

    /// Shows the load now, for a cell whose last expression is something else.
    pub fn show(&self) {
        self.picture().show();
    }

    /// Shows the load as the result of a cell; kernels call it.
    pub fn evcxr_display(&self) {
        self.show();
    }
}

/// Stands for the hatching until plotters has drawn the bars.
const BEFORE_WRITTEN: &str = "#040506";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_stat_is_read_core_by_core() {
        let text = "cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 5 1 4 80 6 1 2 1 0 0\ncpu1 1 0 0 99 0 0 0 0 0 0\nintr 5\n";
        let ticks = parse(text);
        assert_eq!(
            ticks,
            [
                Ticks {
                    core: 0,
                    busy: 13,
                    all: 100
                },
                Ticks {
                    core: 1,
                    busy: 1,
                    all: 100
                }
            ]
        );
        let later = Ticks {
            core: 0,
            busy: 63,
            all: 200,
        };
        assert_eq!(share(&ticks, &later), 0.5);
        assert!(parse("no such thing").is_empty());
    }
}
