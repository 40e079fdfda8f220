//! Writes the page of one notebook, for looking at: `cargo run -p loopbot-export --example page -- IN.ipynb OUT.html`.

use std::path::Path;

use loopbot_export::{Options, page, wanted_files};
use loopbot_notebook::Notebook;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        return Err("name a notebook and the page to write".into());
    };
    let from = Path::new(&from);
    let notebook = Notebook::read(from)?;
    let folder = from.parent().unwrap_or(Path::new("."));
    let mut options = Options {
        file_name: from
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        ..Options::default()
    };
    for address in wanted_files(&notebook) {
        if let Ok(bytes) = std::fs::read(folder.join(&address)) {
            options.files.insert(address, bytes);
        }
    }
    std::fs::write(to, page(&notebook, &options)?)?;
    Ok(())
}
