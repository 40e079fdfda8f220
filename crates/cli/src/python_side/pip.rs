//! Runs pip and puts what went wrong into one sentence.
//!
//! The full output goes to a log file beside the packages. It refuses to pass pip's own pages of errors on: the beginner
//! gets the cause and the mend.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};

/// What the system calls a full disk, in every program that passes its word on.
pub(super) const DISK_FULL: &str = "No space left on device";

/// Installs `requirements` with the Python of `command`.
pub(super) fn install(
    mut command: Command,
    requirements: &[String],
    log: &Path,
    lock: &File,
    progress: &(dyn Fn(String) + Sync),
) -> Result<()> {
    command
        .args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
        ])
        // pip's five tries keep an offline beginner waiting for minutes.
        .args(["--retries", "2"])
        .args(requirements)
        .stdin(lock.try_clone()?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .context("pip cannot be started in the private Python environment")?;
    let mut kept =
        File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let said = std::thread::scope(|scope| {
        // Read beside each other: pip would stop at a full pipe.
        let errors = scope.spawn(|| stderr.map(|pipe| lines(pipe, |_| {})).unwrap_or_default());
        let mut packages = 0;
        let mut said = stdout
            .map(|pipe| {
                lines(pipe, |line| {
                    if line.starts_with("Collecting ") {
                        packages += 1;
                        if packages % 25 == 0 {
                            progress(format!("{packages} packages found"));
                        }
                    } else if let Some(list) = line.strip_prefix("Installing collected packages: ")
                    {
                        progress(format!("installing {} packages", list.split(", ").count()));
                    }
                })
            })
            .unwrap_or_default();
        said.push_str(&errors.join().unwrap_or_default());
        said
    });
    // A log that cannot be written on a full disk must not hide that the disk is full.
    let _ = kept.write_all(said.as_bytes());
    if child.wait().context("pip was lost")?.success() {
        return Ok(());
    }
    Err(explain(&said).unwrap_or_else(|| {
        let last = said
            .lines()
            .rfind(|line| line.contains("ERROR"))
            .unwrap_or("it did not say why");
        anyhow!(
            "pip could not install {}: {last}. Its whole output is in {}",
            requirements.join(" "),
            log.display()
        )
    }))
}

fn lines(pipe: impl std::io::Read, mut each: impl FnMut(&str)) -> String {
    let mut text = String::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        each(line.trim_end());
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The causes a learner can mend, recognised in the output of pip and venv.
pub(super) fn explain(said: &str) -> Option<anyhow::Error> {
    const OFFLINE: [&str; 8] = [
        "Temporary failure in name resolution",
        "Name or service not known",
        "nodename nor servname provided",
        "Failed to establish a new connection",
        "Network is unreachable",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ProxyError",
    ];
    let has = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    if has(&[DISK_FULL, "Disk quota exceeded"]) {
        return Some(anyhow!(
            "the disk is full; JupyterLab needs about 400 MB: make room and try again"
        ));
    }
    if has(&OFFLINE) {
        return Some(anyhow!(
            "pip could not reach the Python package index to download JupyterLab; \
             check the network (behind a proxy, set HTTPS_PROXY) and try again"
        ));
    }
    if has(&["CERTIFICATE_VERIFY_FAILED"]) {
        return Some(anyhow!(
            "pip does not trust the certificate that the network shows it; \
             set PIP_CERT to the file of your network's certificates and try again"
        ));
    }
    if has(&["Permission denied"]) {
        return Some(anyhow!(
            "LoopBot's data folder cannot be written; give it to your user, or set LOOPBOT_DATA"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[track_caller]
    fn check(said: &str, expected: Option<&str>) {
        let sentence = explain(said).map(|error| error.to_string());
        match expected {
            Some(part) => assert!(
                sentence.as_deref().is_some_and(|text| text.contains(part)),
                "{sentence:?}"
            ),
            None => assert_eq!(sentence, None),
        }
    }

    #[test]
    fn causes_are_named() {
        check(
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            Some("disk is full"),
        );
        check(
            "NewConnectionError('… [Errno -3] Temporary failure in name resolution')",
            Some("check the network"),
        );
        check("ERROR: ResolutionImpossible", None);
    }
}
