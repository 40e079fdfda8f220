//! What a cell's text says about files and environment variables that the compiler reads for it: `include_str!`,
//! `include_bytes!`, `include!`, `env!` and `option_env!` with a plain text in their brackets.
//!
//! rustc looks for an included file beside the source file, which for a cell is a folder the learner never sees. So the
//! generated text reaches it through [`DOOR`], a link to the notebook's working directory; the link, not the directory,
//! is part of the text, and the same cell has the same name wherever the notebook lies. A module in a file of its own,
//! `mod name;`, gets a link beside the source files. Paths that only a macro makes up are not found here, so they do not
//! lead to the working directory; but whatever the compiler read, its own list (`store::inputs`) names.

use proc_macro2::{TokenStream, TokenTree};

use super::inputs::Reads;
use crate::diagnostic::Diagnostic;

/// The way from a generated source file to the working directory; ends with a slash.
pub(crate) const DOOR: &str = "../here/";

/// The link itself, in the folder in which rustc runs.
pub(crate) const LINK: &str = "here";

/// Where in `text` [`DOOR`] belongs: behind the opening quote of each relative path. Byte offsets, rising.
pub(crate) fn doors(text: &str) -> Vec<usize> {
    let relative = |mention: &Mention| {
        mention.kind == Kind::File && !mention.name.is_empty() && !mention.name.starts_with('/')
    };
    let found = mentions(text).into_iter().filter(relative);
    found.map(|mention| mention.inside).collect()
}

/// The files and folders beside the notebook in which the modules of `text` may be that have a file of their own.
pub(crate) fn module_files(text: &str) -> Vec<String> {
    let modules = mentions(text)
        .into_iter()
        .filter(|mention| mention.kind == Kind::Module);
    modules
        .flat_map(|mention| [format!("{}.rs", mention.name), mention.name])
        .collect()
}

/// What compiling these generated texts is sure to read.
pub(crate) fn sure_reads<'a>(texts: impl IntoIterator<Item = &'a str>) -> Reads {
    let mut reads = Reads::default();
    for mention in texts.into_iter().flat_map(mentions) {
        match mention.kind {
            Kind::File => {
                let name = mention.name.strip_prefix(DOOR).unwrap_or(&mention.name);
                reads.files.insert(name.to_owned())
            }
            Kind::Variable => reads.variables.insert(mention.name),
            Kind::Module => {
                reads.files.insert(format!("{}/mod.rs", mention.name));
                reads.files.insert(mention.name + ".rs")
            }
        };
    }
    reads
}

/// The learner's name for a file, given what follows the name of the cell's folder; nothing for a generated file.
///
/// `/../here/data.txt` and `/data.txt` are `data.txt`.
pub(crate) fn learners_file(inside: &str) -> Option<&str> {
    let file = inside.strip_prefix('/')?;
    let generated = ["lib.rs", "body.rs", "carried_"];
    let own = !generated.iter().any(|name| file.starts_with(name));
    own.then(|| file.strip_prefix(DOOR).unwrap_or(file))
}

/// What the compiler does not say about included files: where in them an error is, and why one is not found.
pub(crate) fn advice(error: &Diagnostic) -> Option<String> {
    if let Some(path) = error.message.strip_prefix("couldn't read `cell_") {
        return (!path.contains(DOOR)).then(|| {
            "only a path written as one text in the brackets starts at the notebook; write it so, or in full from `/`"
                .to_owned()
        });
    }
    let span = error.primary()?;
    let file = match span.file_name.strip_prefix("cell_") {
        Some(own) => learners_file(&own[own.find('/')?..])?,
        None => span.file_name.strip_prefix("./")?,
    };
    let (line, column) = (span.line_start, span.column_start);
    Some(format!("it is in {file}, line {line}, column {column}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Variable,
    Module,
}

#[derive(Debug)]
struct Mention {
    kind: Kind,
    name: String,
    /// Where the name begins in the text.
    inside: usize,
}

fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    if is_worth_a_look(text)
        && let Ok(tokens) = text.parse::<TokenStream>()
    {
        collect(tokens, text, &mut found);
    }
    found
}

/// Taking a text apart costs more than all else that is done to a cell that is in the cache; few need it.
fn is_worth_a_look(text: &str) -> bool {
    let outside = |(at, _): (usize, &str)| {
        let rest = text[at + "mod ".len()..].trim_start();
        let (name, rest) = rest.split_at(
            rest.find(|character: char| !(character.is_alphanumeric() || character == '_'))
                .unwrap_or(rest.len()),
        );
        rest.trim_start().starts_with(';') && !is_generated(name)
    };
    text.contains("include") || text.contains("env!") || text.match_indices("mod ").any(outside)
}

/// Whether a module is one of those that every cell has.
fn is_generated(module: &str) -> bool {
    module == "body" || module.starts_with("carried_")
}

fn collect(tokens: TokenStream, text: &str, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        if let [
            TokenTree::Ident(keyword),
            TokenTree::Ident(name),
            TokenTree::Punct(end),
            ..,
        ] = &tokens[index..]
            && keyword == "mod"
            && !is_generated(&name.to_string())
            && end.as_char() == ';'
        {
            found.push(Mention {
                kind: Kind::Module,
                name: name.to_string(),
                inside: name.span().byte_range().start,
            });
        }
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = index
            .checked_sub(2)
            .and_then(|first| tokens.get(first..index));
        if let Some([TokenTree::Ident(name), TokenTree::Punct(mark)]) = before
            && mark.as_char() == '!'
            && let Some(kind) = kind(&name.to_string())
            && let Some(TokenTree::Literal(literal)) = group.stream().into_iter().next()
            && let Ok(name) = syn::parse_str::<syn::LitStr>(&literal.to_string())
        {
            let start = literal.span().byte_range().start;
            let quote = text.get(start..).and_then(|rest| rest.find('"'));
            found.extend(quote.map(|quote| Mention {
                kind,
                name: name.value(),
                inside: start + quote + 1,
            }));
        }
        collect(group.stream(), text, found);
    }
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "include_str" | "include_bytes" | "include" => Some(Kind::File),
        "env" | "option_env" => Some(Kind::Variable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_go_through_the_door_others_stay() {
        let text = "let é = (include_str!(\"a.txt\"), std::include_bytes!(r#\"b\"#), include!(\"/c.rs\"), include_str!(concat!(\"d\")));";
        let behind: Vec<&str> = doors(text)
            .into_iter()
            .map(|at| text[at..].split('"').next().unwrap_or_default())
            .collect();
        assert_eq!(behind, ["a.txt", "b"]);
        assert!(doors("let include = 1; \"include_str!(\\\"a\\\")\"").is_empty());
        assert!(doors("include_str!(\"a\"").is_empty());
    }

    #[test]
    fn modules_with_files_of_their_own_are_found() {
        assert_eq!(
            module_files("mod inside { fn f() {} } pub mod outside;"),
            ["outside.rs", "outside"]
        );
    }

    #[test]
    fn reads_are_named_as_the_learner_names_them() {
        let reads = sure_reads([
            "println!(\"{}\", include_str!(\"../here/a.txt\"))",
            "env!(\"HOME\", \"set it\")",
        ]);
        assert_eq!(Vec::from_iter(reads.files), ["a.txt"]);
        assert_eq!(Vec::from_iter(reads.variables), ["HOME"]);
    }
}
