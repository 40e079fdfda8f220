//! What the private Python environment holds, read from `environment.yml`, the project's one list.
//!
//! It reads the flat form that file has and refuses anything else, so that a package can never be left out in silence.

/// The list, as it stood when this program was built.
const ENVIRONMENT: &str = include_str!("../../../../environment.yml");

/// Names that conda knows and pip does not, or that mean something else there. LoopBot brings its own kernel, and takes
/// Python and Rust from the system.
const CONDA_ALONE: [&str; 5] = ["python", "pip", "rust", "rust-src", "evcxr"];

/// The requirements to hand to pip, such as `jupyterlab>=4.2,<5`.
pub(crate) fn requirements() -> anyhow::Result<Vec<String>> {
    pip_requirements(ENVIRONMENT).map_err(|why| anyhow::anyhow!("environment.yml: {why}"))
}

fn pip_requirements(environment: &str) -> Result<Vec<String>, String> {
    let mut requirements = Vec::new();
    let mut in_dependencies = false;
    for (index, line) in environment.lines().enumerate() {
        let line = line
            .split_once(" #")
            .map_or(line, |(before, _)| before)
            .trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '-']) {
            in_dependencies = line == "dependencies:";
            continue;
        }
        if in_dependencies {
            let entry = line
                .trim_start()
                .strip_prefix("- ")
                .map(|entry| pip_requirement(entry.trim()));
            match entry {
                Some(Ok(requirement)) => requirements.extend(requirement),
                Some(Err(why)) => return Err(format!("line {}: {why}", index + 1)),
                None => {
                    return Err(format!(
                        "line {}: `{line}` is not of the form `- name >=version`",
                        index + 1
                    ));
                }
            }
        }
    }
    if requirements.is_empty() {
        Err("no packages under `dependencies:`".into())
    } else {
        Ok(requirements)
    }
}

/// One conda entry in pip's spelling; nothing if it is conda's alone.
fn pip_requirement(entry: &str) -> Result<Option<String>, String> {
    let name_ends = entry
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(entry.len());
    let (name, version) = (&entry[..name_ends], entry[name_ends..].trim());
    if CONDA_ALONE.contains(&name) {
        return Ok(None);
    }
    // conda's single `=` and its wildcards mean nothing to pip.
    let understood = version.is_empty()
        || version.split(',').all(|bound| {
            [">=", "<=", "==", "!=", "<", ">"]
                .iter()
                .find_map(|sign| bound.strip_prefix(sign))
                .is_some_and(|number| {
                    !number.is_empty()
                        && number
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || c == '.')
                })
        });
    if name.is_empty() || !understood {
        return Err(format!(
            "`{entry}` is not of the form `name >=version,<version`"
        ));
    }
    Ok(Some(format!("{name}{version}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check(dependencies: &str, expected: Result<&[&str], &str>) {
        let read = pip_requirements(&format!(
            "name: x\nchannels:\n  - conda-forge\ndependencies:\n{dependencies}"
        ));
        assert_eq!(
            read,
            expected
                .map(|list| list.iter().map(ToString::to_string).collect())
                .map_err(String::from)
        );
    }

    #[test]
    fn the_projects_list_holds_jupyter_and_nothing_of_conda() {
        let list = requirements().unwrap();
        let names: Vec<&str> = list
            .iter()
            .map(|entry| entry.split(['>', '<', '=']).next().unwrap())
            .collect();
        assert_eq!(names, ["jupyterlab", "nbclient", "nbconvert"]);
    }

    #[test]
    fn versions_comments_and_condas_own_names() {
        check(
            "  - python >=3.10\n  - jupyterlab >=4.2,<5 # server\n\n  - nbclient\n",
            Ok(&["jupyterlab>=4.2,<5", "nbclient"]),
        );
        check("- nbclient==1.0\n", Ok(&["nbclient==1.0"]));
    }

    #[test]
    fn what_pip_would_read_differently_is_refused() {
        check(
            "  - nbclient=0.10\n",
            Err("line 5: `nbclient=0.10` is not of the form `name >=version,<version`"),
        );
        check(
            "  - pip:\n    - x\n    y\n",
            Err("line 7: `    y` is not of the form `- name >=version`"),
        );
        check("  - python\n", Err("no packages under `dependencies:`"));
    }
}
