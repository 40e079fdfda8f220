//! The Rust toolchain that compiles cells: the real `rustc`, not rustup's proxy, which costs time at every call.

use std::path::PathBuf;
use std::process::Command;

use crate::EngineError;

/// Where the toolchain is and which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toolchain {
    pub(crate) rustc: PathBuf,
    /// Holds std as a shared library.
    pub(crate) library_folder: PathBuf,
    /// `rustc -vV`, the identity of the compiler.
    pub(crate) version: String,
}

impl Toolchain {
    /// The platform that it compiles for.
    pub(crate) fn host(&self) -> &str {
        let mut lines = self.version.lines();
        lines
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default()
    }

    /// Asks the `rustc` on the path (or in `RUSTC`).
    pub(crate) fn find() -> Result<Toolchain, EngineError> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |argument: &[&str]| -> Result<String, EngineError> {
            let output = Command::new(&rustc)
                .args(argument)
                .output()
                .map_err(|_| EngineError::NoCompiler)?;
            if !output.status.success() {
                return Err(EngineError::NoCompiler);
            }
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        // One call for all: each goes through rustup's proxy.
        let answers = ask(&["--print=sysroot", "--print=target-libdir"])?;
        let mut lines = answers.lines().map(PathBuf::from);
        let (Some(sysroot), Some(library_folder)) = (lines.next(), lines.next()) else {
            return Err(EngineError::NoCompiler);
        };
        let real = sysroot.join("bin/rustc");
        let rustc = if real.is_file() {
            real
        } else {
            PathBuf::from(&rustc)
        };
        let output = Command::new(&rustc)
            .arg("-vV")
            .output()
            .map_err(|_| EngineError::NoCompiler)?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Toolchain {
            rustc,
            library_folder,
            version,
        })
    }
}
