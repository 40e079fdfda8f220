//! Draws the figures of `images/`: `cargo run -p loopbot --example figures`.
//!
//! Each is drawn from a recording written out here, so that it comes out the same on every machine.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Duration;

use loopbot::Words;
use loopbot::timeline::{End, Kind, Lane, Recording, Span, Wake};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images");
    let path = images.join("timeline.svg");
    three_dishes().picture(&Words::default()).save(&path)?;
    println!("drew {}", path.display());
    Ok(())
}

/// Three dishes on one thread: each needs the hands three times for 20 ms and the oven twice for 80 ms in between.
pub(crate) fn three_dishes() -> Recording {
    let ms = Duration::from_millis;
    let lanes = ["tea", "soup", "toast"]
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let starts = [0, 100, 200].map(|round| ms(round + 20 * place as u64));
            // The oven is ready 80 ms after the dish went in; the first time all are ordered at once.
            let wakes = [ms(0), starts[0] + ms(100), starts[1] + ms(100)];
            Lane {
                name: (*name).to_owned(),
                kind: Kind::Task,
                spans: starts
                    .map(|start| Span {
                        start,
                        end: start + ms(20),
                        thread: "main".to_owned(),
                        real: ms(20),
                        cpu: Some(ms(20)),
                    })
                    .into(),
                wakes: wakes
                    .iter()
                    .enumerate()
                    .map(|(polls, at)| Wake {
                        at: *at,
                        by: "the oven".to_owned(),
                        polls,
                    })
                    .collect(),
                notes: Vec::new(),
                end: End::Done,
                ended: Some(starts[2] + ms(20)),
            }
        });
    Recording {
        title: "Three dishes, one pair of hands: a task runs, waits for the oven, runs again"
            .to_owned(),
        virtual_time: false,
        lanes: lanes.collect(),
    }
}
