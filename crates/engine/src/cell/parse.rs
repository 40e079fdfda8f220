//! Text to [`Cell`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Block, Expr, Pat, Stmt, UseTree};

use super::items::{defines_statics, item_of, statics_of};
use super::{Binding, Cell, Directive, Use, mentions};

/// Takes a cell apart. Never fails: what does not parse is all statements.
pub(crate) fn parse(text: &str) -> Cell {
    parse_knowing(text, &|_| true)
}

/// [`parse`] for a notebook that `knows` names, which tells commands (`!ls`) from Rust (`!done`).
pub(crate) fn parse_knowing(text: &str, knows: &dyn Fn(&str) -> bool) -> Cell {
    let (text, directives) = split_directives(text, knows);
    let mut cell = Cell {
        text: text.as_str().into(),
        directives,
        ..Cell::default()
    };
    let whole =
        |input: ParseStream<'_>| Ok((Attribute::parse_inner(input)?, Block::parse_within(input)?));
    match whole.parse_str(&text) {
        Ok((attributes, statements)) => {
            cell.is_rust = true;
            cell.inner_attributes = attributes.iter().map(range_of).collect();
            let last = statements.len().saturating_sub(1);
            for (index, statement) in statements.iter().enumerate() {
                sort_in(statement, index == last, &mut cell);
            }
        }
        Err(_) => {
            cell.statements
                .extend((!text.trim().is_empty()).then_some(0..text.len()));
            cell.mentions = mentions::mentions_of_text(&text);
            cell.awaits = text.contains(".await");
        }
    }
    // Spans of this cell are all read; the parser's map of sources must not grow with every cell.
    proc_macro2::extra::invalidate_current_thread_spans();
    cell
}

/// Blanks directive lines. A line is one if it begins with `:` and a letter where the code before it is whole. The
/// `#!/usr/bin/env …` of a pasted script is blanked, too.
fn split_directives(text: &str, knows: &dyn Fn(&str) -> bool) -> (String, Vec<Directive>) {
    let (mut code, mut directives) = (String::with_capacity(text.len()), Vec::new());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim();
        // Every line so far is in `code` with its length in characters, but perhaps not in bytes.
        let here = line.as_ptr() as usize - text.as_ptr() as usize;
        if let Some(command) = super::command::command(&text[here..], &code, knows) {
            directives.push(Directive {
                line: index + 1,
                name: "sh".into(),
                argument: command.into(),
            });
            code.extend(
                line.chars()
                    .map(|character| if character == '\n' { '\n' } else { ' ' }),
            );
            continue;
        }
        let directive = trimmed.strip_prefix(':').filter(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphabetic()) && is_whole(&code)
        });
        if index == 0 && trimmed.starts_with("#!") && !trimmed[2..].trim_start().starts_with('[') {
            code.extend(blank(line));
            continue;
        }
        match directive {
            Some(rest) => {
                let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                directives.push(Directive {
                    line: index + 1,
                    name: name.into(),
                    argument: argument.trim().into(),
                });
                code.extend(blank(line));
            }
            None => code.push_str(line),
        }
    }
    (code, directives)
}

fn blank(line: &str) -> impl Iterator<Item = char> + '_ {
    line.chars()
        .map(|character| if character == '\n' { '\n' } else { ' ' })
}

fn is_whole(code: &str) -> bool {
    code.trim().is_empty() || TokenStream::from_str(code).is_ok()
}

fn sort_in(statement: &Stmt, last: bool, cell: &mut Cell) {
    match statement {
        Stmt::Item(syn::Item::Use(declaration)) => {
            cell.use_ranges.push(range_of(declaration));
            flatten(&declaration.tree, String::new(), &mut cell.uses);
            if declaration.leading_colon.is_some() {
                for one in cell
                    .uses
                    .iter_mut()
                    .filter(|one| !one.declaration.starts_with("use ::"))
                {
                    one.declaration = one.declaration.replacen("use ", "use ::", 1);
                }
            }
        }
        // `extern crate` only gives a name to a crate that every cell has.
        Stmt::Item(syn::Item::ExternCrate(declaration)) => {
            let renamed = declaration.rename.as_ref().map(|(_, name)| name);
            let name = renamed.unwrap_or(&declaration.ident).to_string();
            cell.use_ranges.push(range_of(declaration));
            cell.uses.push(Use {
                first: declaration.ident.to_string(),
                name: (name != "_").then_some(name),
                declaration: declaration.to_token_stream().to_string(),
            });
        }
        Stmt::Item(item) => cell.items.push(item_of(item)),
        Stmt::Macro(call) if defines_statics(&call.mac) => cell.items.push(statics_of(call)),
        statement => {
            let range = range_of(statement);
            let mut free = BTreeSet::new();
            mentions::collect(without_pattern(statement), &mut free);
            // What an earlier `let` of this cell bound is not an earlier cell's.
            free.retain(|name| !cell.bindings.iter().any(|bound| bound.name == *name));
            cell.mentions.append(&mut free);
            let mut control = Control::default();
            control.visit_stmt(statement);
            cell.awaits |= control.awaits;
            cell.questions |= control.questions;
            cell.assigned.append(&mut control.assigned);
            cell.captures.append(&mut control.captures);
            if let Stmt::Macro(call) = statement
                && let Some(name) = call.mac.path.get_ident()
            {
                let mut given = BTreeSet::new();
                mentions::collect(call.mac.tokens.clone(), &mut given);
                cell.calls.push((name.to_string(), given));
            }
            if let Stmt::Local(local) = statement {
                bind(&local.pat, &mut cell.bindings);
            }
            if last && is_shown(statement) {
                cell.trailing = Some(range.clone());
            }
            cell.statements.push(range);
        }
    }
}

/// The tokens of a statement, for a `let` without the names that it binds (a constant in the pattern is a path there).
fn without_pattern(statement: &Stmt) -> TokenStream {
    let Stmt::Local(local) = statement else {
        return statement.to_token_stream();
    };
    let mut bound = Vec::new();
    bind(&local.pat, &mut bound);
    let mut tokens: TokenStream = drop_names(local.pat.to_token_stream(), &bound);
    if let Some(init) = &local.init {
        tokens.extend(init.expr.to_token_stream());
        tokens.extend(
            init.diverge
                .as_ref()
                .map(|(_, diverge)| diverge.to_token_stream()),
        );
    }
    tokens
}

fn drop_names(tokens: TokenStream, names: &[Binding]) -> TokenStream {
    tokens
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Ident(ident) if names.iter().any(|bound| ident == bound.name) => None,
            TokenTree::Group(group) => Some(drop_names(group.stream(), names)),
            token => Some(token.into()),
        })
        .collect()
}

pub(super) fn range_of(spanned: &impl Spanned) -> Range<usize> {
    spanned.span().byte_range()
}

/// Whether a last statement without semicolon has a value worth showing.
fn is_shown(statement: &Stmt) -> bool {
    const SILENT: [&str; 12] = [
        "print",
        "println",
        "eprint",
        "eprintln",
        "panic",
        "todo",
        "unimplemented",
        "unreachable",
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
    ];
    match statement {
        Stmt::Expr(
            Expr::While(_) | Expr::ForLoop(_) | Expr::Loop(_) | Expr::Return(_) | Expr::Assign(_),
            None,
        ) => false,
        Stmt::Expr(_, None) => true,
        Stmt::Macro(call) => {
            call.semi_token.is_none()
                && call
                    .mac
                    .path
                    .segments
                    .last()
                    .is_some_and(|name| !SILENT.contains(&name.ident.to_string().as_str()))
        }
        _ => false,
    }
}

fn bind(pattern: &Pat, bindings: &mut Vec<Binding>) {
    struct Names<'a>(&'a mut Vec<Binding>);
    impl<'ast> Visit<'ast> for Names<'_> {
        fn visit_pat_ident(&mut self, ident: &'ast syn::PatIdent) {
            let name = ident.ident.to_string();
            // `None` or `MAX` in a pattern is a constant, not a new variable.
            if ident.subpat.is_some() || !name.starts_with(char::is_uppercase) {
                self.0.retain(|earlier| earlier.name != name);
                self.0.push(Binding {
                    name,
                    mutable: ident.mutability.is_some() && ident.by_ref.is_none(),
                });
            }
            syn::visit::visit_pat_ident(self, ident);
        }
        fn visit_expr(&mut self, _: &'ast Expr) {}
    }
    Names(bindings).visit_pat(pattern);
}

/// Finds `.await` and `?` that belong to the cell itself, not to a closure, an async block or an inner function; and
/// where variables are assigned to or captured.
#[derive(Default)]
struct Control {
    awaits: bool,
    questions: bool,
    assigned: BTreeSet<String>,
    captures: Vec<Range<usize>>,
    /// Within how many closures and async blocks the visit is.
    depth: usize,
}

impl<'ast> Visit<'ast> for Control {
    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.awaits |= self.depth == 0;
        syn::visit::visit_expr_await(self, expression);
    }
    fn visit_expr_try(&mut self, expression: &'ast syn::ExprTry) {
        self.questions |= self.depth == 0;
        syn::visit::visit_expr_try(self, expression);
    }
    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.capture(range_of(block));
        syn::visit::visit_expr_async(self, block);
        self.depth -= 1;
    }
    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.capture(range_of(closure));
        syn::visit::visit_expr_closure(self, closure);
        self.depth -= 1;
    }
    fn visit_expr_assign(&mut self, assignment: &'ast syn::ExprAssign) {
        mentions::collect(assignment.left.to_token_stream(), &mut self.assigned);
        syn::visit::visit_expr_assign(self, assignment);
    }
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Macros that await what they are given, by the names that Tokio and futures use for them.
        const AWAITING: [&str; 5] = ["join", "try_join", "select", "select_biased", "try_select"];
        let name = call
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default();
        if self.depth == 0 {
            self.awaits |= AWAITING.contains(&name.as_str());
            self.in_tokens(call.tokens.clone());
        }
        if assigns(call.tokens.clone()) {
            mentions::collect(call.tokens.clone(), &mut self.assigned);
        }
    }
}

/// Whether there may be an assignment in a macro's arguments.
fn assigns(tokens: TokenStream) -> bool {
    let mut before = ' ';
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Group(group) if assigns(group.stream()) => return true,
            TokenTree::Punct(punct) if punct.as_char() == '=' => {
                let next = match tokens.peek() {
                    Some(TokenTree::Punct(next)) => next.as_char(),
                    _ => ' ',
                };
                // Not a comparison, an arrow or a range.
                if !"=<>!.".contains(before) && !"=>".contains(next) {
                    return true;
                }
            }
            _ => {}
        }
        before = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
    }
    false
}

impl Control {
    fn capture(&mut self, range: Range<usize>) {
        if self.depth == 0 {
            self.captures.push(range);
        }
        self.depth += 1;
    }

    /// Looks into a macro's arguments token by token; code behind `async` or a closure's bars is taken for its own.
    fn in_tokens(&mut self, tokens: TokenStream) {
        let (mut after_dot, mut own) = (false, false);
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if ident == "await" && after_dot && !own => {
                    self.awaits = true
                }
                TokenTree::Ident(ident) if ident == "async" => own = true,
                TokenTree::Punct(punct) if punct.as_char() == '?' && !own => self.questions = true,
                TokenTree::Punct(punct) if punct.as_char() == '|' => own = true,
                TokenTree::Punct(punct) if punct.as_char() == ',' => own = false,
                TokenTree::Group(group) if !own => self.in_tokens(group.stream()),
                _ => {}
            }
            after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        }
    }
}

fn flatten(tree: &UseTree, path: String, uses: &mut Vec<Use>) {
    let first = |last: &str| {
        path.split("::")
            .next()
            .filter(|first| !first.is_empty())
            .unwrap_or(last)
            .to_owned()
    };
    match tree {
        UseTree::Path(step) => flatten(&step.tree, format!("{path}{}::", step.ident), uses),
        UseTree::Name(name) if name.ident == "self" => {
            let whole = path.trim_end_matches("::");
            let last = whole.rsplit("::").next().unwrap_or(whole).to_owned();
            uses.push(Use {
                first: first(&last),
                name: Some(last),
                declaration: format!("use {whole};"),
            });
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            uses.push(Use {
                first: first(&name),
                declaration: format!("use {path}{name};"),
                name: Some(name),
            });
        }
        UseTree::Rename(renamed) => {
            let (from, to) = (renamed.ident.to_string(), renamed.rename.to_string());
            let source = if from == "self" {
                path.trim_end_matches("::").to_owned()
            } else {
                format!("{path}{from}")
            };
            uses.push(Use {
                first: first(&from),
                name: (to != "_").then(|| to.clone()),
                declaration: format!("use {source} as {to};"),
            });
        }
        UseTree::Glob(_) => {
            uses.push(Use {
                first: first("*"),
                name: None,
                declaration: format!("use {path}*;"),
            });
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path.clone(), uses);
            }
        }
    }
}
