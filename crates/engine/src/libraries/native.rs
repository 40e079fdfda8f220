//! C code inside crates: which of its functions a layer must offer to the cells.
//!
//! rustc offers Rust functions of a shared library to others and hides everything else. A cell that calls a C function
//! itself, or a small Rust function that rustc compiles into the cell, would then find nothing when it is loaded. So a
//! library with C code inside is linked once more, with a list of the C functions. Linux alone, where linkers take a
//! second list; it compiles no C.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file with the list, beside the build script.
pub(super) const LIST: &str = "exports.map";

/// A build script that hands the list to the linker.
pub(super) const BUILD_SCRIPT: &str = "fn main() {
    println!(\"cargo:rerun-if-changed=exports.map\");
    println!(\"cargo:rustc-link-arg=-Wl,--version-script={}/exports.map\", env!(\"CARGO_MANIFEST_DIR\"));
}
";

/// The list for the linker, from cargo's reports of build scripts in packages that `concerns` chooses; nothing if no C
/// code is linked.
pub(super) fn exports(reports: &str, concerns: impl Fn(&str) -> bool) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let names: BTreeSet<String> = reports
        .lines()
        .filter(|line| line.contains("\"build-script-executed\""))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|report| report["package_id"].as_str().is_some_and(&concerns))
        .flat_map(|report| archives(&report))
        .filter_map(|archive| fs::read(archive).ok())
        .flat_map(|archive| symbols(&archive))
        .collect();
    if names.is_empty() {
        return None;
    }
    let names: String = names.iter().map(|name| format!("\"{name}\"; ")).collect();
    Some(format!("{{ global: {names}}};\n"))
}

/// The archives that a build script has made for linking.
fn archives(report: &Value) -> Vec<PathBuf> {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let folders = texts(&report["linked_paths"]);
    let folders: Vec<&str> = folders
        .iter()
        .map(|path| path.split_once('=').map_or(path.as_str(), |(_, path)| path))
        .collect();
    texts(&report["linked_libs"])
        .iter()
        .filter_map(|library| library.split_once('='))
        .filter(|(kind, _)| kind.starts_with("static"))
        .filter_map(|(_, name)| {
            let file = format!("lib{}.a", name.split(':').next().unwrap_or(name));
            folders
                .iter()
                .map(|folder| Path::new(folder).join(&file))
                .find(|path| path.is_file())
        })
        .collect()
}

/// The names in the index of an archive, as GNU `ar` and LLVM's write it: its first member, called `/`, holds a count,
/// as many offsets (all big-endian, four bytes), then the names, each with a zero behind it.
fn symbols(archive: &[u8]) -> Vec<String> {
    let index = || {
        let header = archive.strip_prefix(b"!<arch>\n")?.get(..60)?;
        if !header.starts_with(b"/ ") {
            return None;
        }
        let size: usize = std::str::from_utf8(&header[48..58])
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let index = archive.get(68..68 + size)?;
        let count = u32::from_be_bytes(index.get(..4)?.try_into().ok()?) as usize;
        let names = index.get(4 + 4 * count..)?;
        Some(
            names
                .split(|byte| *byte == 0)
                .take(count)
                .filter_map(|name| std::str::from_utf8(name).ok())
                .filter(|name| !name.contains('"'))
                .map(str::to_owned)
                .collect(),
        )
    };
    index().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_an_archive_names_its_functions() {
        let mut archive = b"!<arch>\n".to_vec();
        let mut index = 2u32.to_be_bytes().to_vec();
        index.extend([0; 8]);
        index.extend(b"c_add\0c_calls\0");
        archive.extend(format!("{:<48}{:<10}`\n", "/", index.len()).bytes());
        archive.extend(&index);
        assert_eq!(symbols(&archive), ["c_add", "c_calls"]);
        assert_eq!(symbols(&archive[..80]), Vec::<String>::new());
        assert_eq!(symbols(b"no archive"), Vec::<String>::new());
    }
}
