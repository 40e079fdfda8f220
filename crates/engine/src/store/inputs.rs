//! What the compiler reads besides a cell's text: files by `include_str!` and its kin, environment variables by `env!`.
//!
//! Names come from rustc's own list (dep-info); contents are noted as hashes, so that a token in the environment never
//! gets into the cache. What a procedural macro reads without telling the compiler is not known here, nor to cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::mentions::learners_file;
use crate::cache;

/// Names of what is read. Relative files start at the working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reads {
    pub(crate) files: BTreeSet<String>,
    pub(crate) variables: BTreeSet<String>,
}

/// The same with the hash of each content; nothing for what is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    files: BTreeMap<String, Option<String>>,
    variables: BTreeMap<String, Option<String>>,
}

impl Reads {
    /// Reads rustc's list for the crate `crate_name`, leaving out the generated files.
    pub(crate) fn from_dep_info(text: &str, crate_name: &str) -> Reads {
        let mut reads = Reads::default();
        for line in text.lines() {
            if let Some(variable) = line.strip_prefix("# env-dep:") {
                let name = variable.split('=').next().unwrap_or_default();
                reads.variables.insert(name.to_owned());
            } else if let Some(file) = line.strip_suffix(':') {
                let file = file.replace("\\ ", " ");
                let name = match file.strip_prefix(crate_name) {
                    Some(inside) => learners_file(inside),
                    None => Some(&*file),
                };
                reads.files.extend(name.map(str::to_owned));
            }
        }
        reads
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.variables.is_empty()
    }

    pub(crate) fn contains(&self, other: &Reads) -> bool {
        self.files.is_superset(&other.files) && self.variables.is_superset(&other.variables)
    }

    pub(crate) fn add(&mut self, other: &Reads) {
        self.files.extend(other.files.iter().cloned());
        self.variables.extend(other.variables.iter().cloned());
    }

    /// What all of it is at this moment.
    pub(crate) fn look(&self, working_dir: &Path) -> Inputs {
        let file = |name: &String| {
            let hash = cache::hash_file(&working_dir.join(name)).ok();
            (name.clone(), hash)
        };
        let variable = |name: &String| {
            let value = std::env::var_os(name);
            let hash = value.map(|value| cache::short_hash([value.as_encoded_bytes()]));
            (name.clone(), hash)
        };
        Inputs {
            files: self.files.iter().map(file).collect(),
            variables: self.variables.iter().map(variable).collect(),
        }
    }
}

impl Inputs {
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.variables.is_empty()
    }

    /// Whether everything that `other` holds is the same here.
    pub(crate) fn agree_with(&self, other: &Inputs) -> bool {
        let same = |here: &BTreeMap<_, _>, there: &BTreeMap<_, _>| {
            there
                .iter()
                .all(|(name, hash)| here.get(name) == Some(hash))
        };
        same(&self.files, &other.files) && same(&self.variables, &other.variables)
    }

    /// Only what `reads` names.
    pub(crate) fn only(mut self, reads: &Reads) -> Inputs {
        self.files.retain(|name, _| reads.files.contains(name));
        self.variables
            .retain(|name, _| reads.variables.contains(name));
        self
    }

    /// One text for all of it, to make a name of.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustc_s_list_is_read() {
        let text = "x.d: cell_x/lib.rs cell_x/../here/my\\ data.txt\n\nlibcell_x.so: cell_x/lib.rs\n\ncell_x/lib.rs:\ncell_x/../here/my\\ data.txt:\ncell_x/part.rs:\n/etc/hosts:\n\n# env-dep:HOME=/a=b\n# env-dep:NOT_SET\n";
        let reads = Reads::from_dep_info(text, "cell_x");
        assert_eq!(
            Vec::from_iter(reads.files),
            ["/etc/hosts", "my data.txt", "part.rs"]
        );
        assert_eq!(Vec::from_iter(reads.variables), ["HOME", "NOT_SET"]);
    }
}
