//! Everything that a function of the library can run, read from the sources. Each item that a function
//! names counts as reached, called or not, so this finds too much rather than too little.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ImplItem, Item, ItemUse, UseTree};

/// Words that begin a statement which reads or writes.
const STATEMENTS: [&str; 10] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "VALUES", "TABLE", "COPY", "LOCK"];

/// Functions of the server that look up a name without a statement.
const LOOKUPS: [&str; 12] = [
    "open_with_name",
    "open_with_name_and_share_lock",
    "new_composite_type",
    "composite_type",
    "makeRangeVarFromNameList",
    "RangeVarGetRelidExtended",
    "parseTypeString",
    "regclassin",
    "regtypein",
    "to_regclass",
    "to_regtype",
    "LookupFuncName",
];

/// Other crates: a path that begins with one of them leads to nothing of the library.
const FOREIGN: [&str; 5] = ["core", "pgrx", "serde_json", "std", "uuid"];

/// The module that passes constant statements to the server, and the one for statements composed at run
/// time. No other module passes statements.
const RUNS_CONSTANTS: &str = "statements";
const COMPOSES: &str = "dynamic_sql";

/// A function, constant, static or type.
struct Named {
    module: Vec<String>,
    /// The type that it belongs to.
    of: Option<String>,
    name: String,
    /// Whether it is reached together with its type, because functions of traits are called without
    /// their name.
    is_of_trait: bool,
    words: Words,
}

/// The names in a piece of source.
#[derive(Default)]
struct Words {
    paths: Vec<Vec<String>>,
    methods: BTreeSet<String>,
    texts: Vec<String>,
}

#[derive(Default)]
pub struct Sources {
    named: Vec<Named>,
    /// The places of the items of a name.
    places: BTreeMap<String, Vec<usize>>,
    /// The names that `use` brings into a module, each with its whole path.
    imports: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
}

/// Everything that can be reached from a function.
#[derive(Default)]
pub struct Reached {
    pub items: BTreeSet<usize>,
    pub statements: BTreeSet<String>,
    /// Functions that look up a name without a statement, or run a composed statement.
    pub lookups: BTreeSet<String>,
}

impl Sources {
    pub fn add(&mut self, module: &[String], source: &str) -> Result<()> {
        for item in syn::parse_file(source)?.items {
            self.item(module, item);
        }
        Ok(())
    }

    fn item(&mut self, module: &[String], item: Item) {
        match item {
            Item::Fn(function) => {
                let name = function.sig.ident.to_string();
                self.define(module, None, name, false, function.to_token_stream());
            }
            Item::Const(constant) => {
                let name = constant.ident.to_string();
                self.define(module, None, name, false, constant.to_token_stream());
            }
            Item::Static(fixed) => {
                let name = fixed.ident.to_string();
                self.define(module, None, name, false, fixed.to_token_stream());
            }
            Item::Impl(block) => {
                let of = last_word(&block.self_ty.to_token_stream());
                for item in block.items {
                    let name = match &item {
                        ImplItem::Fn(function) => function.sig.ident.to_string(),
                        ImplItem::Const(constant) => constant.ident.to_string(),
                        _ => continue,
                    };
                    let is_of_trait = block.trait_.is_some();
                    self.define(module, of.clone(), name, is_of_trait, item.to_token_stream());
                }
            }
            Item::Macro(defined) => {
                let name = defined.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                self.define(module, None, name, false, defined.mac.tokens);
            }
            Item::Mod(inner) => {
                let is_test = inner.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
                let module = [module, &[inner.ident.to_string()]].concat();
                for item in inner.content.into_iter().flat_map(|(_, items)| items) {
                    if !is_test {
                        self.item(&module, item);
                    }
                }
            }
            Item::Struct(type_) => {
                let name = type_.ident.to_string();
                self.define(module, None, name, false, type_.to_token_stream());
            }
            Item::Enum(type_) => {
                let name = type_.ident.to_string();
                self.define(module, None, name, false, type_.to_token_stream());
            }
            Item::Type(type_) => {
                let name = type_.ident.to_string();
                self.define(module, None, name, false, type_.to_token_stream());
            }
            Item::Use(import) => self.import(module, &import),
            _ => {}
        }
    }

    fn define(
        &mut self,
        module: &[String],
        of: Option<String>,
        name: String,
        is_of_trait: bool,
        tokens: TokenStream,
    ) {
        let mut words = Words::default();
        words.read(tokens);
        self.places.entry(name.clone()).or_default().push(self.named.len());
        self.named.push(Named { module: module.to_vec(), of, name, is_of_trait, words });
    }

    fn import(&mut self, module: &[String], import: &ItemUse) {
        let mut trees = vec![(Vec::new(), import.tree.clone())];
        while let Some((mut path, tree)) = trees.pop() {
            let (name, last) = match tree {
                UseTree::Path(step) => {
                    path.push(step.ident.to_string());
                    trees.push((path, *step.tree));
                    continue;
                }
                UseTree::Group(group) => {
                    trees.extend(group.items.into_iter().map(|tree| (path.clone(), tree)));
                    continue;
                }
                UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
                UseTree::Rename(name) => (name.rename.to_string(), name.ident.to_string()),
                UseTree::Glob(_) => continue,
            };
            let name = if last == "self" { path.last().cloned().unwrap_or_default() } else { name };
            if last != "self" {
                path.push(last);
            }
            self.imports.entry(module.to_vec()).or_default().entry(name).or_insert(path);
        }
    }

    /// Everything that the function of that name can reach, itself included.
    pub fn reached_from(&self, function: &str) -> Reached {
        let mut waiting = self.called(function, |named| named.of.is_none());
        let mut reached = Reached::default();
        let (mut types, mut methods) = (BTreeSet::new(), BTreeSet::new());
        while !waiting.is_empty() {
            while let Some(place) = waiting.pop() {
                if !reached.items.insert(place) {
                    continue;
                }
                let from = &self.named[place];
                for path in &from.words.paths {
                    let path = self.whole(from, path);
                    waiting.extend(self.meant(from, &path));
                    types.extend(path);
                }
                types.extend(from.of.clone());
                methods.extend(&from.words.methods);
                reached.statements.extend(from.words.statements());
                reached.lookups.extend(from.lookups());
            }
            // The type of each value is named by some item that is reached. Functions of its traits
            // are called without their name, so they are reached, too.
            let is_reached = |named: &Named| {
                let is_known = named.of.as_ref().is_some_and(|of| types.contains(of));
                is_known && (named.is_of_trait || methods.contains(&named.name))
            };
            waiting = (0..self.named.len())
                .filter(|place| !reached.items.contains(place) && is_reached(&self.named[*place]))
                .collect();
        }
        reached
    }

    /// The items with a text that holds a word.
    pub fn texts_with(&self, word: &str) -> Vec<String> {
        let holds = |named: &&Named| named.words.texts.iter().any(|text| text.contains(word));
        self.named.iter().filter(holds).map(Named::place).collect()
    }

    /// The items of a name that match.
    fn called(&self, name: &str, matches: impl Fn(&Named) -> bool) -> Vec<usize> {
        let places = self.places.get(name).into_iter().flatten().copied();
        places.filter(|place| matches(&self.named[*place])).collect()
    }

    /// The whole path of a path in an item: `use` defines its first name.
    fn whole(&self, from: &Named, path: &[String]) -> Vec<String> {
        let imported = self
            .imports
            .get(&from.module)
            .zip(path.split_first())
            .and_then(|(imports, (first, rest))| Some([imports.get(first)?, rest].concat()));
        imported.unwrap_or_else(|| path.to_vec())
    }

    /// The items that a whole path can mean in an item.
    fn meant(&self, from: &Named, path: &[String]) -> Vec<usize> {
        let Some((name, before)) = path.split_last() else { return Vec::new() };
        let Some(qualifier) = before.last() else {
            let is_beside = |named: &Named| named.of.is_none() && named.module == from.module;
            return self.called(name, is_beside);
        };
        let qualifier = match qualifier.as_str() {
            "Self" => from.of.clone().unwrap_or_default(),
            "self" => from.module.last().cloned().unwrap_or_default(),
            "super" => from.module.iter().nth_back(1).cloned().unwrap_or_default(),
            "crate" => String::new(),
            other => other.to_owned(),
        };
        let holds = |named: &Named| {
            named.of.as_ref() == Some(&qualifier)
                || named.module.last().map_or("", String::as_str) == qualifier
        };
        let known = self.called(name, holds);
        let is_foreign = path.first().is_some_and(|first| FOREIGN.contains(&first.as_str()));
        let is_ours = || self.places.contains_key(&qualifier) || self.named.iter().any(holds);
        if known.is_empty() && !is_foreign && is_ours() {
            // The name may be re-exported by a module.
            return self.called(name, |_| true);
        }
        known
    }
}

impl Named {
    /// Its place: module, type and name.
    fn place(&self) -> String {
        format!("{}::{}", self.module.join("::"), self.name)
    }

    /// Functions that look up a name without a statement, or run a statement that is not constant.
    fn lookups(&self) -> impl Iterator<Item = String> {
        let place = self.place();
        let module = self.module.last().map(String::as_str);
        let runs = |word: &str| word == "Spi" && module != Some(RUNS_CONSTANTS);
        let words = self.words.paths.iter().flatten().chain(&self.words.methods);
        let mut found: Vec<_> = words
            .filter(|word| LOOKUPS.contains(&word.as_str()) || runs(word))
            .map(|word| format!("{place} names {word}"))
            .collect();
        if module == Some(COMPOSES) && self.name != "quote" {
            found.push(format!("{place} runs statements that are composed"));
        }
        found.into_iter()
    }
}

impl Words {
    fn read(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut after_dot) = (0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    if after_dot {
                        self.methods.insert(word.to_string());
                    } else {
                        path.push(word.to_string());
                    }
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Punct(mark) => {
                    self.end(&mut path);
                    (colons, after_dot) = (0, mark.as_char() == '.');
                }
                TokenTree::Literal(literal) => {
                    self.text(&literal.to_string());
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Group(group) => {
                    if group.delimiter() != Delimiter::None {
                        self.end(&mut path);
                    }
                    self.read(group.stream());
                    (colons, after_dot) = (0, false);
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.paths.push(std::mem::take(path));
        }
    }

    fn text(&mut self, literal: &str) {
        if let Ok(text) = syn::parse_str::<syn::LitStr>(literal) {
            self.texts.push(text.value());
        }
    }

    /// The texts that are statements.
    fn statements(&self) -> impl Iterator<Item = String> {
        let begins = |text: &&String| {
            text.split_whitespace().next().is_some_and(|word| STATEMENTS.contains(&word))
        };
        self.texts.iter().filter(begins).cloned().collect::<Vec<_>>().into_iter()
    }
}

/// The name of a type, without its parameters.
fn last_word(tokens: &TokenStream) -> Option<String> {
    let before_arguments = tokens
        .clone()
        .into_iter()
        .take_while(|token| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == '<'));
    let words = before_arguments.filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    words.last()
}

#[test]
fn constants_methods_modules_and_traits_are_followed() -> Result<()> {
    let mut sources = Sources::default();
    sources.add(
        &["a".to_owned()],
        r#"use crate::b::{other, Thing as Renamed};
           const ASKED: [(&str, &str); 1] = [("x", "SELECT 1")];
           fn start() { for (_, query) in ASKED { other(query).method(); } let _: Renamed; crate::c::far(); unrelated(); }
           fn apart() { run("SELECT 6"); }"#,
    )?;
    sources.add(
        &["b".to_owned()],
        r#"pub fn other() { run(Self::X, "SELECT 2"); }
           impl Thing { fn method(&self) { const Q: &str = "SELECT 3"; } fn unnamed(&self) { run("SELECT 7"); } }
           impl Drop for Thing { fn drop(&mut self) { run("SELECT 4"); } }"#,
    )?;
    sources.add(
        &["c".to_owned()],
        r#"pub fn far() { macro_rules_of!(deep(1), "SELECT 5"); } fn deep() { Spi::run("x"); }"#,
    )?;
    let reached = sources.reached_from("start");
    let found: Vec<_> = reached.statements.iter().map(String::as_str).collect();
    assert_eq!(found, ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4", "SELECT 5"]);
    assert_eq!(reached.lookups.into_iter().collect::<Vec<_>>(), ["c::deep names Spi"]);
    Ok(())
}
