//! That the crate carries the chain: `src/lib.rs` includes base and up scripts in order,
//! the control file takes its version from the crate, and the crate's version is the chain's newest.

use anyhow::Result;

use super::source::Finding;
use crate::chain::{Chain, Script};
use crate::rust_source::inclusions;

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

/// The control file leaves the version to the crate, and puts nothing into a schema that users drop.
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
pub fn version(chain: &Chain, version: &str) -> Vec<Finding> {
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
    use crate::lint::source::fixture::messages;

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
        assert!(version(&chain(), "0.2.0").is_empty());
        assert_eq!(version(&chain(), "0.1.0").len(), 1);
    }
}
