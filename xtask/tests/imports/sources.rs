//! The files of a crate, found as the compiler finds them: from the root over `mod`.
//! Modules of tests are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Item};

/// A module's path below the crate, such as `["server", "error"]`.
pub type Module = Vec<String>;

/// The syntax of each file by the module that it is.
#[derive(Default)]
pub struct Sources {
    pub files: BTreeMap<Module, syn::File>,
}

impl Sources {
    /// Reads the crate whose `lib.rs` is in the folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut sources = Self::default();
        sources.add(Module::new(), &folder.join("lib.rs"), folder)?;
        Ok(sources)
    }

    fn add(&mut self, module: Module, file: &Path, folder: &Path) -> Result<()> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        self.add_text(module, &text, folder).with_context(|| format!("in {}", file.display()))
    }

    /// A file, and what lies below it in the folder.
    fn add_text(&mut self, module: Module, text: &str, folder: &Path) -> Result<()> {
        let syntax = syn::parse_file(text)?;
        for item in &syntax.items {
            let Item::Mod(item) = item else { continue };
            if item.content.is_some() || is_test(&item.attrs) {
                continue;
            }
            let name = item.ident.to_string();
            let mut child = module.clone();
            child.push(name.clone());
            self.add(child, &file_of(folder, &name)?, &folder.join(&name))?;
        }
        self.files.insert(module, syntax);
        Ok(())
    }
}

fn file_of(folder: &Path, name: &str) -> Result<PathBuf> {
    let candidates = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
    match candidates.iter().find(|file| file.is_file()) {
        Some(file) => Ok(file.clone()),
        None => bail!("there is no file of module {name} in {}", folder.display()),
    }
}

/// Whether the item is only there in tests.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && {
                let mut names_test = false;
                // Without an error: what is no list of names is no condition on tests.
                let _ = attribute.parse_nested_meta(|condition| {
                    names_test |= names_test_itself(&condition)?;
                    Ok(())
                });
                names_test
            }
    })
}

/// `test`, or `any(test, ...)`; not `not(test)`.
fn names_test_itself(condition: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<bool> {
    if condition.path.is_ident("test") {
        return Ok(true);
    }
    let mut names_test = false;
    if condition.path.is_ident("any") || condition.path.is_ident("all") {
        condition.parse_nested_meta(|inner| {
            names_test |= names_test_itself(&inner)?;
            Ok(())
        })?;
    } else if condition.input.peek(syn::Token![=]) {
        condition.value()?.parse::<syn::Lit>()?;
    } else if condition.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in condition.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(names_test)
}

#[test]
fn what_is_only_there_in_tests_is_recognised() -> Result<()> {
    for (item, expected) in [
        ("#[cfg(test)] mod a {}", true),
        ("#[cfg(any(test, feature = \"pg_test\"))] mod a {}", true),
        ("#[cfg(any(feature = \"pg_test\", test))] mod a {}", true),
        ("#[cfg(all(test, unix))] mod a {}", true),
        ("#[cfg(not(test))] mod a {}", false),
        ("#[cfg(feature = \"test\")] mod a {}", false),
        ("#[test] fn a() {}", true),
        ("mod a {}", false),
    ] {
        let attributes = match syn::parse_str::<Item>(item)? {
            Item::Mod(item) => item.attrs,
            Item::Fn(item) => item.attrs,
            _ => bail!("{item} is another item"),
        };
        assert_eq!(is_test(&attributes), expected, "{item}");
    }
    Ok(())
}
