//! The crate contains the chain: `src/lib.rs` includes the base and the up scripts in order, the control
//! file takes its version from the crate, and the version of the crate is the newest of the chain.

use anyhow::Result;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Item, Lit, LitStr, Token};
use xtask::chain::{Chain, Script};

use super::source::Finding;

/// Base as bootstrap, then each up script requiring the one before.
pub fn library(chain: &Chain, source: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut report = |message: String| {
        findings.push(Finding { file: "src/lib.rs".to_owned(), line: 0, message });
    };
    let expected: Vec<String> = std::iter::once(chain.base())
        .chain(chain.ups())
        .map(|script: Script| script.file_name())
        .collect();
    let included = inclusions(source)?;
    let names: Vec<String> = included.iter().map(|inclusion| inclusion.file_name.clone()).collect();
    if names != expected {
        report(format!("must include, in this order: {}", expected.join(", ")));
        return Ok(findings);
    }
    let mut before: Option<String> = None;
    for inclusion in included {
        let file = &inclusion.file_name;
        match &before {
            None if !inclusion.is_bootstrap => {
                report(format!("{file} must be included as bootstrap"))
            }
            Some(name) if inclusion.requires != [name.as_str()] => {
                report(format!("{file} must be included with requires = [\"{name}\"]"));
            }
            _ => {}
        }
        before = Some(inclusion.name);
    }
    Ok(findings)
}

/// An `extension_sql_file!` of the library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Inclusion {
    /// The included file's name, without its folder.
    file_name: String,
    name: String,
    requires: Vec<String>,
    is_bootstrap: bool,
}

impl Parse for Inclusion {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = input.parse::<LitStr>()?.value();
        let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut inclusion = Self { file_name, ..Self::default() };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let option: Ident = input.parse()?;
            if option == "bootstrap" {
                inclusion.is_bootstrap = true;
                continue;
            }
            input.parse::<Token![=]>()?;
            match input.parse()? {
                Expr::Lit(name) if option == "name" => inclusion.name = text(&name.lit),
                Expr::Array(names) if option == "requires" => {
                    inclusion.requires = names.elems.iter().map(required).collect();
                }
                _ => {}
            }
        }
        Ok(inclusion)
    }
}

fn text(literal: &Lit) -> String {
    match literal {
        Lit::Str(text) => text.value(),
        _ => String::new(),
    }
}

fn required(name: &Expr) -> String {
    match name {
        Expr::Lit(name) => text(&name.lit),
        _ => String::new(),
    }
}

/// The scripts that a source file includes, in order.
fn inclusions(source: &str) -> syn::Result<Vec<Inclusion>> {
    let items = syn::parse_file(source)?.items;
    let calls = items.iter().filter_map(|item| match item {
        Item::Macro(item) if item.mac.path.is_ident("extension_sql_file") => Some(&item.mac),
        _ => None,
    });
    calls.map(syn::Macro::parse_body).collect()
}

/// The control file takes the version from the crate, and creates nothing in a schema that users may
/// drop.
pub fn control(text: &str) -> Vec<Finding> {
    const WANTED: [&str; 2] = ["default_version = '@CARGO_VERSION@'", "schema = pg_catalog"];
    WANTED
        .into_iter()
        .filter(|wanted| !text.lines().any(|line| line.trim() == *wanted))
        .map(|wanted| {
            let file = "orchestrator_schema.control".to_owned();
            Finding { file, line: 0, message: format!("must say: {wanted}") }
        })
        .collect()
}

/// The crate is at the version that the chain ends at.
pub fn version(chain: &Chain, manifest: &str) -> Vec<Finding> {
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    let version = version.unwrap_or_default().trim_matches('"');
    let newest = chain.newest().to_string();
    if newest == version {
        return Vec::new();
    }
    let message = format!("version is {version}, but the scripts end at {newest}");
    vec![Finding { file: "Cargo.toml".to_owned(), line: 0, message }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::messages;

    fn chain() -> Chain {
        let names = ["0.0.0", "0.0.0--0.1.0", "0.1.0--0.0.0", "0.1.0--0.2.0", "0.2.0--0.1.0"];
        let scripts = names
            .iter()
            .filter_map(|name| Script::parse(&format!("orchestrator_schema--{name}.sql")))
            .collect::<Result<_>>()
            .expect("scripts");
        Chain::of(&scripts).expect("a chain")
    }

    const LIBRARY: &str = r#"
        extension_sql_file!("../sql/orchestrator_schema--0.0.0.sql", name = "a", bootstrap);
        extension_sql_file!("../sql/orchestrator_schema--0.0.0--0.1.0.sql", name = "b", requires = ["a"]);
        extension_sql_file!("../sql/orchestrator_schema--0.1.0--0.2.0.sql", name = "c", requires = ["b"]);"#;

    #[test]
    fn the_library_includes_the_chain_in_order() {
        let found = |source: &str| messages(library(&chain(), source).expect("readable"));
        assert_eq!(found(LIBRARY), Vec::<String>::new());
        assert_eq!(found(&LIBRARY.replace(", bootstrap", "")).len(), 1);
        assert_eq!(found(&LIBRARY.replace(r#"requires = ["b"]"#, r#"requires = ["a"]"#)).len(), 1);
        assert!(
            found(&LIBRARY.replace("0.1.0--0.2.0", "0.2.0--0.1.0"))[0].contains("in this order")
        );
    }

    #[test]
    fn crate_control_file_and_chain_agree_on_the_version() {
        let right = "comment = 'x'\ndefault_version = '@CARGO_VERSION@'\nschema = pg_catalog\n";
        assert!(control(right).is_empty());
        assert_eq!(control("default_version = '0.2.0'\nschema = pg_catalog").len(), 1);
        assert_eq!(control("default_version = '@CARGO_VERSION@'\nschema = public").len(), 1);
        assert!(version(&chain(), "[package]\nversion = \"0.2.0\"\n").is_empty());
        assert_eq!(version(&chain(), "[package]\nversion = \"0.1.0\"\n").len(), 1);
    }

    #[test]
    fn inclusions_are_read_with_their_options() {
        let source = r#"
            // extension_sql_file!("../sql/old.sql", name = "old");
            extension_sql_file!("../sql/a.sql", name = "base", bootstrap);
            extension_sql_file!(
                "../sql/b.sql",
                name = "next",
                requires = ["base"],
            );"#;
        let found = inclusions(source).expect("inclusions");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].file_name.as_str(), found[0].is_bootstrap), ("a.sql", true));
        assert_eq!((found[1].name.as_str(), found[1].is_bootstrap), ("next", false));
        assert_eq!(found[1].requires, ["base"]);
    }
}
