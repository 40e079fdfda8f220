//! From rustc's name for a type to a path that any later cell can write.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::visit_mut::VisitMut;

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Path(String),
    /// Closures, futures and functions have types without a name.
    Unnameable,
}

/// The type called `kind` inside the crate `home`, whose own items are `own`, as other crates write it.
pub(crate) fn for_later_cells(kind: &str, home: &str, own: &BTreeSet<&str>) -> Named {
    if kind.contains('{') || kind.contains("impl ") {
        return Named::Unnameable;
    }
    let Ok(mut parsed) = syn::parse_str::<syn::Type>(kind) else {
        return Named::Unnameable;
    };
    let mut qualify = Qualify {
        home,
        own,
        possible: true,
    };
    qualify.visit_type_mut(&mut parsed);
    if qualify.possible {
        Named::Path(unspaced(&parsed.to_token_stream().to_string()))
    } else {
        Named::Unnameable
    }
}

struct Qualify<'a> {
    home: &'a str,
    own: &'a BTreeSet<&'a str>,
    possible: bool,
}

impl VisitMut for Qualify<'_> {
    fn visit_type_mut(&mut self, kind: &mut syn::Type) {
        self.possible &= !matches!(
            kind,
            syn::Type::Infer(_) | syn::Type::ImplTrait(_) | syn::Type::Verbatim(_)
        );
        syn::visit_mut::visit_type_mut(self, kind);
    }

    /// What is kept between cells borrows nothing, so every lifetime that the message leaves out is `'static`.
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(syn::Lifetime::new(
                "'static",
                proc_macro2::Span::call_site(),
            ));
        }
        syn::visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = syn::Lifetime::new("'static", lifetime.span());
        }
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        const PRIMITIVES: [&str; 18] = [
            "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
            "i64", "i128", "isize", "f32", "f64", "Self",
        ];
        if let Some(first) = path.segments.first() {
            let name = first.ident.to_string();
            let own = self.own.contains(name.as_str())
                || name.starts_with("carried_")
                || (path.segments.len() == 1 && !PRIMITIVES.contains(&name.as_str()));
            if own && path.leading_colon.is_none() {
                let home = syn::PathSegment::from(syn::Ident::new(
                    self.home,
                    proc_macro2::Span::call_site(),
                ));
                path.segments.insert(0, home);
            }
        }
        syn::visit_mut::visit_path_mut(self, path);
    }
}

/// How a value is kept whose own type has no name: behind a trait object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Boxed {
    /// The type of the box, as later cells write it.
    pub(crate) kind: String,
    /// The function that makes the box; empty if the value is in one already.
    pub(crate) wrap: String,
}

const SEND: &str = " + std::marker::Send";

impl Boxed {
    /// The box for a value of the type that rustc calls `kind`: one `impl Trait`, alone or in a box. Whether it can be
    /// made, and whether it can be sent to another thread, only a compilation tells.
    pub(crate) fn new(kind: &str, home: &str, own: &BTreeSet<&str>) -> Option<Boxed> {
        let parsed = syn::parse_str::<syn::Type>(kind).ok()?;
        let mut within = Vec::new();
        let mut inner = &parsed;
        let opaque = loop {
            match inner {
                syn::Type::ImplTrait(opaque) => break opaque,
                syn::Type::Path(path) => {
                    let last = path.path.segments.last()?;
                    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
                        return None;
                    };
                    let Some(syn::GenericArgument::Type(argument)) = arguments.args.first() else {
                        return None;
                    };
                    // The wrappers that turn from a box of a type into a box of a trait object by themselves.
                    within.push(match last.ident.to_string().as_str() {
                        "Box" => "std::boxed::Box",
                        "Pin" => "std::pin::Pin",
                        "Rc" => "std::rc::Rc",
                        "Arc" => "std::sync::Arc",
                        _ => return None,
                    });
                    inner = argument;
                }
                _ => return None,
            }
        };
        let bounds = opaque.bounds.iter().filter_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => Some(bound),
            _ => None,
        });
        const AUTO: [&str; 6] = [
            "Send",
            "Sync",
            "Unpin",
            "UnwindSafe",
            "RefUnwindSafe",
            "Sized",
        ];
        let name = |bound: &syn::TraitBound| {
            bound
                .path
                .segments
                .last()
                .map(|last| last.ident.to_string())
        };
        let mut traits =
            bounds.filter(|bound| !name(bound).is_some_and(|name| AUTO.contains(&&*name)));
        // A trait object has one trait of its own.
        let (Some(bound), None) = (traits.next(), traits.next()) else {
            return None;
        };
        let mut bound = bound.clone();
        if bound.path.segments.len() == 1
            && name(&bound).is_some_and(|name| matches!(name.as_str(), "Fn" | "FnMut" | "FnOnce"))
        {
            bound.path.segments.insert(0, syn::parse_quote!(ops));
            bound.path.segments.insert(0, syn::parse_quote!(std));
        }
        let is_future = name(&bound).is_some_and(|name| name == "Future");
        let wrap = match (within.is_empty(), is_future) {
            (false, _) => "",
            (true, true) => "::std::boxed::Box::pin",
            (true, false) => "::std::boxed::Box::new",
        };
        if within.is_empty() {
            within.extend(is_future.then_some("std::pin::Pin"));
            within.push("std::boxed::Box");
        }
        let object = format!("dyn {}{SEND}", bound.to_token_stream());
        let kind = within
            .iter()
            .rev()
            .fold(object, |inner, outer| format!("{outer}<{inner}>"));
        match for_later_cells(&kind, home, own) {
            Named::Path(kind) => Some(Boxed {
                kind,
                wrap: wrap.into(),
            }),
            Named::Unnameable => None,
        }
    }

    /// The same box for a value that must stay on its thread; `None` if this one is already.
    pub(crate) fn unsendable(&self) -> Option<Boxed> {
        let (before, after) = self.kind.rsplit_once(SEND)?;
        Some(Boxed {
            kind: format!("{before}{after}"),
            wrap: self.wrap.clone(),
        })
    }
}

/// Token text without the spaces that readers would not write.
fn unspaced(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (from, to) in [
        (" :: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("& ", "&"),
        ("( ", "("),
        (" )", ")"),
        (":: ", "::"),
        (" <", "<"),
    ] {
        text = text.replace(from, to);
    }
    text.replace("->", "-> ")
        .replace("->  ", "-> ")
        .replace("Fn (", "Fn(")
        .replace("FnMut (", "FnMut(")
        .replace("FnOnce (", "FnOnce(")
}

/// The type as shown to the learner: without the paths that everyone knows and those of generated crates.
pub(crate) fn short(kind: &str) -> String {
    struct Short;
    impl VisitMut for Short {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            let first = path
                .segments
                .first()
                .map(|first| first.ident.to_string())
                .unwrap_or_default();
            if matches!(first.as_str(), "std" | "core" | "alloc") || first.starts_with("cell_") {
                path.leading_colon = None;
                while path.segments.len() > 1 {
                    path.segments = path.segments.iter().skip(1).cloned().collect();
                }
            }
            syn::visit_mut::visit_path_mut(self, path);
        }
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = None;
            syn::visit_mut::visit_type_reference_mut(self, reference);
        }
    }
    let Ok(mut parsed) = syn::parse_str::<syn::Type>(kind) else {
        return crate::report::clean(kind);
    };
    Short.visit_type_mut(&mut parsed);
    unspaced(&parsed.to_token_stream().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOME: &str = "cell_0123456789abcdef";

    fn check(kind: &str, path: &str, shown: &str) {
        let own = ["Movie", "inner"].into_iter().collect();
        let named = for_later_cells(kind, HOME, &own);
        assert_eq!(named, Named::Path(path.replace("HOME", HOME)), "{kind}");
        let Named::Path(path) = named else { return };
        assert_eq!(short(&path), shown);
    }

    #[test]
    fn types_become_paths_for_everyone() {
        check("i32", "i32", "i32");
        check("&str", "&'static str", "&str");
        check(
            "std::vec::Vec<Movie>",
            "std::vec::Vec<HOME::Movie>",
            "Vec<Movie>",
        );
        check("inner::Deep", "HOME::inner::Deep", "Deep");
        check(
            "tokio::sync::mpsc::Sender<u32>",
            "tokio::sync::mpsc::Sender<u32>",
            "tokio::sync::mpsc::Sender<u32>",
        );
        check(
            "std::borrow::Cow<'_, str>",
            "std::borrow::Cow<'static, str>",
            "Cow<'static, str>",
        );
        check("[u8; 4]", "[u8; 4]", "[u8; 4]");
        check(
            "(i32, std::string::String)",
            "(i32, std::string::String)",
            "(i32, String)",
        );
        check(
            "std::boxed::Box<dyn std::ops::Fn(i32) -> i32 + std::marker::Send>",
            "std::boxed::Box<dyn std::ops::Fn(i32) -> i32 + std::marker::Send>",
            "Box<dyn Fn(i32) -> i32 + Send>",
        );
    }

    #[test]
    fn an_opaque_type_gets_a_box() {
        let boxed = |kind: &str| Boxed::new(kind, HOME, &["Movie"].into_iter().collect());
        let iterator = boxed("impl std::iter::Iterator<Item = Movie>").unwrap();
        let home = iterator.kind.replace(HOME, "HOME");
        assert_eq!(
            home,
            "std::boxed::Box<dyn std::iter::Iterator<Item = HOME::Movie> + std::marker::Send>"
        );
        let here = iterator.unsendable().unwrap();
        assert!(!here.kind.contains("Send") && here.unsendable().is_none());
        let future =
            boxed("std::pin::Pin<std::boxed::Box<impl std::future::Future<Output = i32>>>");
        assert_eq!(future.unwrap().wrap, "");
        assert!(boxed("impl Fn(i32) -> i32 + std::marker::Send").is_some());
        for kind in [
            "impl std::iter::Iterator<Item = u32> + std::clone::Clone",
            "[impl Fn(i32) -> i32; 2]",
            "std::vec::Vec<impl std::fmt::Debug>",
            "i32",
        ] {
            assert_eq!(boxed(kind), None, "{kind}");
        }
    }

    #[test]
    fn some_types_have_no_name() {
        for kind in [
            "{closure@body.rs:1:2: 3:4}",
            "std::iter::Map<A, {closure@x}>",
            "impl std::future::Future<Output = i32>",
            "fn() {main}",
            "?",
        ] {
            assert_eq!(
                for_later_cells(kind, HOME, &BTreeSet::new()),
                Named::Unnameable,
                "{kind}"
            );
        }
    }
}
