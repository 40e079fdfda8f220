//! cargo's complaints, put in terms of the learner's `:dep`. Plain text in, plain text out.

use crate::error::Unavailable;

/// Sums up a complaint and leaves out what only concerns our own workspace: packages called `own`, below `workspace`.
pub(super) fn read(complaint: &str, own: &str, workspace: &str) -> Unavailable {
    let said = tidy(complaint, own, workspace);
    let (crate_name, reason) = summary(&said);
    Unavailable {
        crate_name,
        reason,
        said,
    }
}

fn tidy(complaint: &str, own: &str, workspace: &str) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for line in complaint.lines() {
        let mut line = line.to_owned();
        let package = format!("package `{own}");
        if let Some(at) = line.find(&package)
            && let Some(end) = line[at + "package `".len()..].find('`')
        {
            line.replace_range(at..at + "package `".len() + end + 1, "this notebook");
        }
        if let Some(at) = line.find("; class=") {
            // libgit2's numbers for what was said in words.
            line.truncate(at);
        }
        let noise = line.contains(own)
            || line.contains(workspace)
            || line.starts_with("warning: build failed")
            || line.starts_with("warning: spurious network error")
            || line.starts_with("For more information about")
            || (line.trim().is_empty() && said.last().is_none_or(String::is_empty));
        if !noise {
            said.push(line);
        }
    }
    while said.last().is_some_and(String::is_empty) {
        said.pop();
    }
    said
}

/// Which crate, and why, in a sentence without an end.
fn summary(said: &[String]) -> (Option<String>, String) {
    let find = |part: &str| said.iter().find_map(|line| line.split_once(part));
    let named = |rest: &str| {
        let name = rest.split(['`', ' ', '@']).next().unwrap_or_default();
        (!name.is_empty()).then(|| name.to_owned())
    };
    let offline = [
        "resolve host",
        "connect to server",
        "Network is unreachable",
        "error sending request",
    ];
    if let Some((_, rest)) = find("could not compile `") {
        let errors = || said.iter().filter(|line| line.starts_with("error"));
        let why = errors()
            .filter_map(|line| line.split_once(": "))
            .map(|(_, why)| why)
            .find(|why| !why.starts_with("could not compile"))
            .map_or_else(String::new, |why| format!(": {why}"));
        return (
            named(rest),
            format!(
                "`{}` does not compile{why}",
                named(rest).unwrap_or_default()
            ),
        );
    }
    if let Some((_, rest)) = find("failed to run custom build command for `") {
        let name = named(rest);
        return (
            name.clone(),
            format!("the build script of `{}` failed", name.unwrap_or_default()),
        );
    }
    if said
        .iter()
        .any(|line| offline.iter().any(|sign| line.contains(sign)))
    {
        return (None, "it is not on this machine, and there is no way to the place it comes from (no network?)".into());
    }
    if let Some((_, rest)) = find("no matching package named `") {
        let name = named(rest);
        return (
            name.clone(),
            format!(
                "there is no crate `{}` in the registry",
                name.unwrap_or_default()
            ),
        );
    }
    if let Some((_, rest)) = find("failed to select a version for the requirement `") {
        let wanted = rest.split('`').next().unwrap_or_default();
        return (named(rest), format!("no version satisfies `{wanted}`"));
    }
    if let Some((asked, rest)) = find("` with feature `") {
        let name = asked.rsplit('`').next().unwrap_or_default().to_owned();
        let feature = rest.split('`').next().unwrap_or_default();
        let reason = format!("`{name}` has no feature `{feature}`");
        return (Some(name), reason);
    }
    let first = said
        .iter()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or("cargo could not build it");
    let about = [
        "dependency `",
        "crate `",
        "` depends on `",
        "package `",
        "`",
    ];
    let name = about.iter().find_map(|sign| named(find(sign)?.1));
    // The cause is what a learner can do something about; that there is no such file says little without its name.
    let causes = said.windows(2).filter(|lines| lines[0] == "Caused by:");
    let causes: Vec<&str> = causes.map(|lines| lines[1].trim()).collect();
    let cause = match causes.as_slice() {
        [.., file, last] if last.starts_with("No such file") => file,
        [.., last] => last,
        [] => first,
    };
    (name, cause.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(complaint: &str, crate_name: &str, reason: &str) {
        let read = read(complaint, "layer_12", "/cache/34");
        assert_eq!(read.crate_name.as_deref(), Some(crate_name));
        assert_eq!(read.reason, reason);
        let said = read.said.join("\n");
        assert!(
            !said.contains("layer_") && !said.contains("/cache"),
            "{said}"
        );
    }

    #[test]
    fn a_complaint_names_the_crate_and_the_reason() {
        check(
            "error[E0308]: mismatched types\n --> /home/me/one/src/lib.rs:2:5\n\nFor more information about this error, try\n\
             error: could not compile `one` (lib) due to 1 previous error\n",
            "one",
            "`one` does not compile: mismatched types",
        );
        check(
            "error: no matching package named `nothing` found\nlocation searched: crates.io index\n\
             required by package `layer_12 v0.0.0 (/cache/34/sets/layer_12/package)`\n",
            "nothing",
            "there is no crate `nothing` in the registry",
        );
        check(
            "error: failed to select a version for the requirement `rand = \"^99\"`\ncandidate versions found which didn't match: 0.9.2\n\
             required by package `layer_12 v0.0.0 (/cache/34/package)`\n",
            "rand",
            "no version satisfies `rand = \"^99\"`",
        );
        check(
            "error: failed to select a version for `itoa`.\n    ... required by package `layer_12 v0.0.0 (/cache/34/package)`\n\
             package `layer_12` depends on `itoa` with feature `nope` but `itoa` does not have that feature.\n",
            "itoa",
            "`itoa` has no feature `nope`",
        );
        check(
            "error: failed to get `far` as a dependency of package `layer_12 v0.0.0 (/cache/34/package)`\n\n\
             Caused by:\n  unable to update file:///far\n\nCaused by:\n  failed to resolve path '/far': No such file or directory; class=Os (2)\n",
            "far",
            "failed to resolve path '/far': No such file or directory",
        );
        check(
            "error: failed to run custom build command for `unlucky v0.1.0 (/home/me/unlucky)`\n\nCaused by:\n  process didn't exit successfully",
            "unlucky",
            "the build script of `unlucky` failed",
        );
        check(
            "error: failed to load manifest for workspace member `/cache/34/package`\nreferenced by workspace at `/cache/34/Cargo.toml`\n\n\
             Caused by:\n  failed to load manifest for dependency `ab`\n\nCaused by:\n  failed to read `/home/me/ab/Cargo.toml`\n\nCaused by:\n  No such file or directory (os error 2)\n",
            "ab",
            "failed to read `/home/me/ab/Cargo.toml`",
        );
    }
}
