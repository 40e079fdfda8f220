//! What must change in an item's text so that later cells can use it: cells are crates, so what stands at top level
//! becomes public, its fields and inherent members too. What a learner hides inside a `mod` stays hidden.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, ForeignItem, ImplItem, Item, Visibility};

use super::Edit;

/// The edits for one top-level item.
pub(super) fn edits(item: &Item) -> Vec<Edit> {
    let mut edits = Vec::new();
    match item {
        Item::Fn(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Struct(item) => {
            open(&item.vis, &item.attrs, item, &mut edits);
            fields(&item.fields, &mut edits);
        }
        Item::Union(item) => {
            open(&item.vis, &item.attrs, item, &mut edits);
            for field in &item.fields.named {
                open(&field.vis, &field.attrs, field, &mut edits);
            }
        }
        Item::Enum(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Trait(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::TraitAlias(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Type(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Const(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Static(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::Mod(item) => open(&item.vis, &item.attrs, item, &mut edits),
        Item::ForeignMod(item) => {
            for item in &item.items {
                match item {
                    ForeignItem::Fn(item) => open(&item.vis, &item.attrs, item, &mut edits),
                    ForeignItem::Static(item) => open(&item.vis, &item.attrs, item, &mut edits),
                    ForeignItem::Type(item) => open(&item.vis, &item.attrs, item, &mut edits),
                    _ => {}
                }
            }
        }
        Item::Impl(item) if item.trait_.is_none() => {
            for member in &item.items {
                match member {
                    ImplItem::Fn(member) => open(&member.vis, &member.attrs, member, &mut edits),
                    ImplItem::Const(member) => open(&member.vis, &member.attrs, member, &mut edits),
                    _ => {}
                }
            }
        }
        Item::Macro(item) if item.ident.is_some() && !has(&item.attrs, "macro_export") => {
            edits.push(Edit::Insert {
                at: item.mac.path.span().byte_range().start,
                text: "#[macro_export] ".into(),
            });
        }
        _ => {}
    }
    edits
}

fn fields(fields: &Fields, edits: &mut Vec<Edit>) {
    for field in fields {
        open(&field.vis, &field.attrs, field, edits);
    }
}

/// Makes one thing public, whatever its visibility was.
fn open(
    visibility: &Visibility,
    attributes: &[Attribute],
    whole: &impl ToTokens,
    edits: &mut Vec<Edit>,
) {
    match visibility {
        Visibility::Public(_) => {}
        Visibility::Restricted(restricted) => {
            // `pub(crate)` becomes `pub`.
            edits.push(Edit::Blank(restricted.paren_token.span.join().byte_range()));
        }
        Visibility::Inherited => {
            if let Some(first) = after_attributes(attributes, whole.to_token_stream()) {
                edits.push(Edit::Insert {
                    at: first.byte_range().start,
                    text: "pub ".into(),
                });
            }
        }
    }
}

/// The first token behind the attributes.
fn after_attributes(attributes: &[Attribute], tokens: TokenStream) -> Option<Span> {
    let skipped: usize = attributes
        .iter()
        .map(|attribute| attribute.to_token_stream().into_iter().count())
        .sum();
    tokens.into_iter().nth(skipped).map(|token| token.span())
}

pub(super) fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident(name))
}
