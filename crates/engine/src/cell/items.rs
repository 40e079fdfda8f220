//! Items as the engine sees them: what each defines and mentions, where it is at home, which state it has.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ForeignItem, ImplItem, Type};

use super::parse::range_of;
use super::{Edit, Item, ItemKind, Static, StaticSort, mentions, visibility};

pub(super) fn item_of(item: &syn::Item) -> Item {
    let mut found = BTreeSet::new();
    mentions::collect(item.to_token_stream(), &mut found);
    let ident = |name: &syn::Ident| vec![name.to_string()];
    let mut members = Vec::new();
    let (mut alias_of, mut inside) = (None, None);
    let mut statics = Vec::new();
    let (kind, names) = match item {
        syn::Item::Fn(item) => (ItemKind::Function, ident(&item.sig.ident)),
        syn::Item::Struct(item) => (ItemKind::Type, ident(&item.ident)),
        syn::Item::Enum(item) => (ItemKind::Type, ident(&item.ident)),
        syn::Item::Union(item) => (ItemKind::Type, ident(&item.ident)),
        syn::Item::Type(item) => {
            alias_of = head_of(&item.ty);
            (ItemKind::Type, ident(&item.ident))
        }
        syn::Item::ForeignMod(item) => {
            let names = item.items.iter().filter_map(foreign_name);
            (ItemKind::Function, names.collect())
        }
        syn::Item::Trait(item) => (ItemKind::Trait, ident(&item.ident)),
        syn::Item::TraitAlias(item) => (ItemKind::Trait, ident(&item.ident)),
        syn::Item::Const(item) => (ItemKind::Constant, ident(&item.ident)),
        syn::Item::Static(item) => {
            let named = ["no_mangle", "export_name", "unsafe", "link_section"];
            let sort = if named.iter().any(|name| visibility::has(&item.attrs, name)) {
                StaticSort::Fixed
            } else if matches!(item.mutability, syn::StaticMutability::Mut(_)) {
                StaticSort::Mutable
            } else {
                StaticSort::Plain
            };
            statics.push(Static {
                name: item.ident.to_string(),
                kind: item.ty.to_token_stream().to_string(),
                sort,
            });
            (ItemKind::Static, ident(&item.ident))
        }
        syn::Item::Mod(item) => (ItemKind::Module, ident(&item.ident)),
        syn::Item::Macro(item) => match &item.ident {
            Some(name) => (ItemKind::Macro, ident(name)),
            None => (ItemKind::Other, Vec::new()),
        },
        syn::Item::Impl(item) => {
            let mut header = item.clone();
            (header.items, header.attrs) = (Vec::new(), Vec::new());
            let mut about = BTreeSet::new();
            mentions::collect(header.to_token_stream(), &mut about);
            let inherent = item.trait_.is_none();
            inside = inside_of(item, &header);
            if inherent {
                members = item
                    .items
                    .iter()
                    .filter_map(|member| Some((member_name(member)?, range_of(member))))
                    .collect();
            }
            (
                ItemKind::Impl {
                    header: header.to_token_stream().to_string(),
                    about,
                    heads: heads_of(item),
                    of: item
                        .trait_
                        .as_ref()
                        .and_then(|(_, path, _)| Some(path.segments.last()?.ident.to_string())),
                    inherent,
                },
                Vec::new(),
            )
        }
        _ => (ItemKind::Other, Vec::new()),
    };
    for name in &names {
        found.remove(name);
    }
    Item {
        kind,
        names,
        range: range_of(item),
        tokens: item.to_token_stream().to_string(),
        mentions: found,
        edits: visibility::edits(item),
        statics,
        alias_of,
        inside,
        members,
    }
}

fn inside_of(item: &syn::ItemImpl, header: &syn::ItemImpl) -> Option<(String, BTreeSet<String>)> {
    let of_interest = |member: &&ImplItem| {
        matches!(
            member,
            ImplItem::Type(_) | ImplItem::Const(_) | ImplItem::Macro(_)
        )
    };
    let mut tokens = TokenStream::new();
    item.items
        .iter()
        .filter(of_interest)
        .for_each(|member| member.to_tokens(&mut tokens));
    if tokens.is_empty() {
        return None;
    }
    let mut found = BTreeSet::new();
    mentions::collect(tokens.clone(), &mut found);
    Some((format!("{} {tokens}", header.to_token_stream()), found))
}

fn foreign_name(item: &ForeignItem) -> Option<String> {
    match item {
        ForeignItem::Fn(item) => Some(item.sig.ident.to_string()),
        ForeignItem::Static(item) => Some(item.ident.to_string()),
        ForeignItem::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

/// The name that decides where a type is at home: `P` of `&mut Box<P>` and of `dyn P`, `Vec` of `Vec<P>`.
fn head_of(kind: &Type) -> Option<String> {
    match kind {
        Type::Reference(inner) => head_of(&inner.elem),
        Type::Paren(inner) => head_of(&inner.elem),
        Type::Group(inner) => head_of(&inner.elem),
        Type::TraitObject(object) => object.bounds.iter().find_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => {
                Some(bound.path.segments.last()?.ident.to_string())
            }
            _ => None,
        }),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let name = last.ident.to_string();
            match types_in(&last.arguments).first() {
                // What these wrap counts as if it stood there itself.
                Some(inner) if matches!(name.as_str(), "Box" | "Pin") => head_of(inner),
                _ => Some(name),
            }
        }
        _ => None,
    }
}

fn types_in(arguments: &syn::PathArguments) -> Vec<&Type> {
    let syn::PathArguments::AngleBracketed(arguments) = arguments else {
        return Vec::new();
    };
    let of_type = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(kind) => Some(kind),
        _ => None,
    });
    of_type.collect()
}

fn heads_of(item: &syn::ItemImpl) -> Vec<String> {
    let arguments = item
        .trait_
        .iter()
        .filter_map(|(_, path, _)| path.segments.last())
        .flat_map(|last| types_in(&last.arguments));
    std::iter::once(&*item.self_ty)
        .chain(arguments)
        .filter_map(head_of)
        .filter(|name| !item.generics.type_params().any(|own| own.ident == name))
        .collect()
}

fn member_name(member: &ImplItem) -> Option<String> {
    match member {
        ImplItem::Fn(member) => Some(member.sig.ident.to_string()),
        ImplItem::Const(member) => Some(member.ident.to_string()),
        _ => None,
    }
}

/// Macro calls that stand for `static` items wherever they are written.
pub(super) fn defines_statics(call: &syn::Macro) -> bool {
    call.path
        .segments
        .last()
        .is_some_and(|name| name.ident == "thread_local" || name.ident == "task_local")
}

pub(super) fn statics_of(call: &syn::StmtMacro) -> Item {
    let mut found = BTreeSet::new();
    mentions::collect(call.to_token_stream(), &mut found);
    let tokens: Vec<TokenTree> = call.mac.tokens.clone().into_iter().collect();
    let (mut names, mut edits) = (Vec::new(), Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        if let (TokenTree::Ident(keyword), Some(TokenTree::Ident(name))) =
            (token, tokens.get(index + 1))
            && keyword == "static"
        {
            names.push(name.to_string());
            let public = index > 0
                && matches!(&tokens[index - 1], TokenTree::Ident(before) if before == "pub");
            if !public {
                edits.push(Edit::Insert {
                    at: keyword.span().byte_range().start,
                    text: "pub ".into(),
                });
            }
        }
    }
    Item {
        kind: ItemKind::Static,
        names,
        range: range_of(call),
        tokens: call.to_token_stream().to_string(),
        mentions: found,
        edits,
        statics: keys_of(&call.mac),
        alias_of: None,
        inside: None,
        members: Vec::new(),
    }
}

/// The keys that `thread_local!` or `task_local!` defines; none if it does not parse.
fn keys_of(call: &syn::Macro) -> Vec<Static> {
    let of_threads = call
        .path
        .segments
        .last()
        .is_some_and(|name| name.ident == "thread_local");
    let sort = if of_threads {
        StaticSort::ThreadLocal
    } else {
        StaticSort::Fixed
    };
    let key = |input: ParseStream<'_>| {
        Attribute::parse_outer(input)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<syn::Token![static]>()?;
        let name = input.parse::<syn::Ident>()?.to_string();
        input.parse::<syn::Token![:]>()?;
        let kind = input.parse::<Type>()?.to_token_stream().to_string();
        while !input.is_empty() && !input.peek(syn::Token![;]) {
            input.parse::<TokenTree>()?;
        }
        input.parse::<Option<syn::Token![;]>>()?;
        syn::Result::Ok(Static { name, kind, sort })
    };
    let keys = |input: ParseStream<'_>| {
        let mut keys = Vec::new();
        while !input.is_empty() {
            keys.push(key(input)?);
        }
        Ok(keys)
    };
    keys.parse2(call.tokens.clone()).unwrap_or_default()
}
