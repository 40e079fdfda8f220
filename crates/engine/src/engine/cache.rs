//! `:cache`: what the compiled cells take, and the two things a learner can do about it.

use super::Engine;
use crate::cell::Directive;
use crate::event::Failure;
use crate::failure::directive_failure;
use crate::store::Room;

/// Bytes of what is shown as a megabyte.
const MEGABYTE: u64 = 1 << 20;

impl Engine {
    pub(super) fn cache(&mut self, directive: &Directive) -> Result<String, Box<Failure>> {
        let store = self.store()?;
        match directive.argument.as_str() {
            "" => {}
            "clear" => {
                let gone = store.clear();
                return Ok(format!(
                    "Removed {}. What running notebooks need stayed.",
                    in_words(gone)
                ));
            }
            limit => {
                let Ok(megabytes) = limit.parse::<u64>() else {
                    return Err(directive_failure(
                        directive,
                        format!(
                            "`:cache` takes nothing, `clear`, or a number of megabytes, not `{limit}`"
                        ),
                    ));
                };
                let gone = store.limit_to(megabytes.saturating_mul(MEGABYTE));
                return Ok(format!(
                    "Compiled cells now take at most {megabytes} MB while this notebook runs; removed {}.",
                    in_words(gone)
                ));
            }
        }
        let found = store.summary();
        let mut text = format!(
            "Compiled cells: {} in {} (at most {} MB; the oldest go first)\n",
            in_words(found.room),
            found.root.display(),
            found.limit / MEGABYTE
        );
        if let Some(shared) = found.shared {
            text += &format!("Shared cache, only read: {}\n", shared.display());
        }
        text += &format!(
            "This notebook: {} taken from the cache, {} compiled\n",
            found.hits, found.misses
        );
        Ok(text + "`:cache clear` empties it, `:cache 500` keeps it below 500 MB.")
    }
}

fn in_words(room: Room) -> String {
    let cells = if room.cells == 1 { "cell" } else { "cells" };
    let megabytes = room.bytes as f64 / MEGABYTE as f64;
    format!("{} {cells} ({megabytes:.1} MB)", room.cells)
}
