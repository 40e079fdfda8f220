//! How the reader can start this program again, for advice such as "run `… lab`".
//!
//! It knows the two ways the README teaches and no others.

use std::path::Path;

/// `loopbot ARGUMENTS`, or the cargo command when the program runs out of a build folder and is on no search path.
pub(crate) fn command(arguments: &str) -> String {
    let built = std::env::current_exe().is_ok_and(|exe| in_build_folder(&exe));
    if built {
        format!("cargo run --release -- {arguments}")
    } else {
        format!("loopbot {arguments}")
    }
}

fn in_build_folder(exe: &Path) -> bool {
    exe.ancestors()
        .skip(2)
        .take(2)
        .any(|folder| folder.join("CACHEDIR.TAG").is_file())
}
