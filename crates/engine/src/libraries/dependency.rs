//! What a learner asks for with `:dep`: parsing it, and judging whether the libraries at hand already satisfy it.

use std::path::Path;

use toml::{Table, Value};

use super::sources;

/// One dependency, as cargo would write it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) specification: Value,
}

/// A package of the libraries at hand.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Package {
    /// The name under which code reaches it.
    pub(crate) crate_name: String,
    pub(crate) version: String,
    pub(crate) features: Vec<String>,
    /// Whether it is one of our own, which a lesson may name by path.
    pub(crate) own: bool,
}

impl Dependency {
    /// Reads `name = "1"`, `name = { … }`, `name` alone, or a path; relative paths start at `folder`.
    pub(crate) fn parse(text: &str, folder: &Path) -> Result<Dependency, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("name a crate, for example `:dep rand = \"0.9\"`".into());
        }
        if text.starts_with('.') || text.starts_with('/') {
            return Dependency::at_path(text, folder);
        }
        let table: Table = match text.contains('=') {
            true => text.parse().map_err(|error: toml::de::Error| {
                format!(
                    "`{text}` is not a dependency as in Cargo.toml: {}",
                    error.message().trim()
                )
            })?,
            false => [(text.to_owned(), Value::from("*"))].into_iter().collect(),
        };
        let mut entries = table.into_iter();
        let (Some((name, mut specification)), None) = (entries.next(), entries.next()) else {
            return Err("one dependency for each `:dep`, please".into());
        };
        if !name
            .chars()
            .all(|character| character.is_alphanumeric() || character == '-' || character == '_')
        {
            return Err(format!("`{name}` cannot be the name of a crate"));
        }
        if let Some(Value::String(path)) = specification.get_mut("path") {
            let whole = folder.join(path.as_str());
            *path = whole
                .canonicalize()
                .unwrap_or(whole)
                .to_string_lossy()
                .into_owned();
        }
        Ok(Dependency {
            name,
            specification,
        })
    }

    fn at_path(path: &str, folder: &Path) -> Result<Dependency, String> {
        let whole = folder.join(path);
        let manifest = std::fs::read_to_string(whole.join("Cargo.toml"))
            .map_err(|_| format!("there is no Cargo.toml in {}", whole.display()))?;
        let manifest: Table = manifest
            .parse()
            .map_err(|_| format!("{}/Cargo.toml cannot be read", whole.display()))?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .ok_or_else(|| format!("{}/Cargo.toml names no package", whole.display()))?;
        Dependency::parse(
            &format!("{name} = {{ path = {:?} }}", whole.to_string_lossy()),
            folder,
        )
    }

    /// The name of its package, which `package = "…"` may set apart from its own.
    pub(crate) fn package(&self) -> &str {
        self.specification
            .get("package")
            .and_then(Value::as_str)
            .unwrap_or(&self.name)
    }

    /// The folder of a dependency given by path.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.specification
            .get("path")
            .and_then(Value::as_str)
            .map(Path::new)
    }

    /// Whether `package` is what is asked for, so that nothing needs to be built.
    pub(crate) fn is_satisfied_by(&self, package: &Package) -> bool {
        if package.crate_name != self.name.replace('-', "_") {
            return false;
        }
        if package.own {
            return true;
        }
        let specification = match &self.specification {
            Value::String(version) => [("version".to_owned(), Value::from(version.as_str()))]
                .into_iter()
                .collect(),
            Value::Table(table) => table.clone(),
            _ => return false,
        };
        specification
            .iter()
            .all(|(key, value)| match (key.as_str(), value) {
                ("version", Value::String(wanted)) => {
                    match (
                        semver::VersionReq::parse(wanted),
                        semver::Version::parse(&package.version),
                    ) {
                        (Ok(wanted), Ok(version)) => wanted.matches(&version),
                        _ => false,
                    }
                }
                ("features", Value::Array(wanted)) => wanted.iter().all(|wanted| {
                    let has = |wanted: &str| package.features.iter().any(|has| has == wanted);
                    wanted.as_str().is_some_and(|wanted| {
                        has(wanted)
                            || (package.crate_name == "tokio"
                                && wanted == "full"
                                && sources::FULL_TOKIO.into_iter().all(has))
                    })
                }),
                // More than asked for does no harm.
                ("default-features", _) => true,
                _ => false,
            })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tokio() -> Package {
        let features = ["full", "rt", "macros"].map(str::to_owned).to_vec();
        Package {
            crate_name: "tokio".into(),
            version: "1.48.0".into(),
            features,
            own: false,
        }
    }

    fn check(text: &str, satisfied: bool) {
        let dependency = Dependency::parse(text, Path::new("/")).unwrap();
        assert_eq!(dependency.is_satisfied_by(&tokio()), satisfied, "{text}");
    }

    #[test]
    fn what_is_at_hand_satisfies_equal_and_lesser_wishes() {
        check("tokio", true);
        check("tokio = \"1\"", true);
        check(
            "tokio = { version = \"1.20\", features = [\"full\"] }",
            true,
        );
        check(
            "tokio = { version = \"1\", default-features = false, features = [\"rt\", \"macros\"] }",
            true,
        );
        check("tokio = \"0.2\"", false);
        check(
            "tokio = { version = \"1\", features = [\"io-uring\"] }",
            false,
        );
        check("tokio = { git = \"https://example.org/tokio\" }", false);
        check("tokio-util = \"0.7\"", false);
    }

    #[test]
    fn wrong_wishes_are_named() {
        let message = |text: &str| Dependency::parse(text, Path::new("/nowhere")).unwrap_err();
        assert!(message("").contains("name a crate"));
        assert!(message("rand = ").contains("not a dependency"));
        assert!(message("./missing").contains("no Cargo.toml"));
    }
}
