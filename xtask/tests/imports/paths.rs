//! The paths in a file that lead into the crate: in imports, expressions, types, patterns, and arguments
//! of macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Macro, UseTree, Visibility};

use super::sources::{Module, is_test};

/// Every path of the file, from the crate's root on. A path of a module alone does not count; those of
/// its items do.
pub fn of(file: &syn::File, own: &Module, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut reader = Reader::new(own, modules);
    // Two passes, because a name may come before the `use` that defines it.
    reader.visit_file(file);
    reader.visit_file(file);
    reader.found
}

struct Reader<'modules> {
    modules: &'modules BTreeSet<Module>,
    /// The module that is read, also one that stands within the file.
    place: Module,
    /// What names of the file lead to.
    names: BTreeMap<String, Module>,
    found: BTreeSet<Module>,
}

impl<'modules> Reader<'modules> {
    fn new(own: &Module, modules: &'modules BTreeSet<Module>) -> Self {
        Self { modules, place: own.clone(), names: BTreeMap::new(), found: BTreeSet::new() }
    }

    /// The path from the root; `None` if it leads out of the crate, or is a name of the file itself.
    fn resolve(&self, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut module = match first.as_str() {
            "crate" => Module::new(),
            "self" => self.place.clone(),
            "super" => self.place.split_last()?.1.to_vec(),
            name => {
                let mut child = self.place.clone();
                child.push(name.to_owned());
                if self.modules.contains(&child) { child } else { self.names.get(name)?.clone() }
            }
        };
        for name in rest {
            match name.as_str() {
                "super" => drop(module.pop()?),
                "self" => {}
                name => module.push(name.to_owned()),
            }
        }
        Some(module)
    }

    fn add(&mut self, path: &[String]) {
        if path.len() > 1
            && let Some(path) = self.resolve(path)
        {
            self.add_resolved(path);
        }
    }

    fn add_resolved(&mut self, path: Module) {
        if !self.modules.contains(&path) {
            self.found.insert(path);
        }
    }

    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(next) => {
                path.push(next.ident.to_string());
                self.import(&next.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path);
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                if name != "self" {
                    path.push(name.clone());
                }
                self.bind(path.last().cloned().unwrap_or(name.clone()), path);
                if name != "self" {
                    path.pop();
                }
            }
            UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                self.bind(rename.rename.to_string(), path);
                path.pop();
            }
            UseTree::Glob(_) => {
                if let Some(mut module) = self.resolve(path) {
                    module.push("*".to_owned());
                    self.found.insert(module);
                }
            }
        }
    }

    fn bind(&mut self, name: String, path: &[String]) {
        if let Some(path) = self.resolve(path) {
            self.names.insert(name, path.clone());
            self.add_resolved(path);
        }
    }

    /// The paths among the tokens that a macro receives.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                }
                TokenTree::Group(group) => {
                    self.add(&std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                _ => self.add(&std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.add(&path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.place.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths of module `a` in a crate of `a`, `a::child`, `b` and `b::c`.
    fn found(text: &str) -> Vec<String> {
        let module = |path: &str| -> Module { path.split("::").map(str::to_owned).collect() };
        let modules = ["a", "a::child", "b", "b::c"].map(module).into_iter().collect();
        let file = syn::parse_file(text).expect("Rust");
        of(&file, &module("a"), &modules).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn items_are_found_in_whatever_way_they_are_named() {
        for (text, expected) in [
            ("use crate::b::Thing;", &["b::Thing"][..]),
            ("use crate::b::{c::One, Two};", &["b::Two", "b::c::One"]),
            ("use crate::b::*;", &["b::*"]),
            ("use super::b::Thing as Other;", &["b::Thing"]),
            ("use super::Root;", &["Root"]),
            ("use self::child::Thing;", &["a::child::Thing"]),
            ("mod child; fn f() { child::g() }", &["a::child::g"]),
            ("use crate::b::{self, c}; fn f() { b::g(); c::h() }", &["b::c::h", "b::g"]),
            ("fn f() { g(); use crate::b; b::h() }", &["b::h"]),
            ("fn f(x: crate::b::Type) {}", &["b::Type"]),
            ("fn f() { if let crate::b::Pattern(x) = y {} }", &["b::Pattern"]),
            ("fn f() { println!(\"{}\", crate::b::g(1)) }", &["b::g"]),
            (
                "use crate::b; fn f() { assert!(x.y::<u8>() == b::c::g(b::Z)) }",
                &["b::Z", "b::c::g"],
            ),
            ("mod inner { use super::super::b::Thing; use super::Own; }", &["a::Own", "b::Thing"]),
            ("fn f() { super::super::Nothing::g() }", &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn tests_modules_alone_other_crates_and_visibilities_are_none() {
        for text in [
            "#[cfg(test)] mod tests { use crate::b::Thing; }",
            "#[cfg(test)] use crate::b::Thing;",
            "use crate::b;",
            "use std::b::Thing; fn f() { std::b::g() }",
            "use ::b::Thing;",
            "pub(in crate::b) fn f() {}",
            "fn f() { b::g() }",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
