//! A symbol of the library names its function and its first version: the first symbol of a function
//! has the name of the function, each later one has that name and the version of its script, and a form
//! with other arguments has words of its own behind that. So the name of a Rust function shows at which
//! versions it is live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xtask::chain::{Chain, Script};

use super::scripts;

/// The symbols of each function at one version. Overloads share a name.
type Live = BTreeMap<String, BTreeSet<String>>;

/// Every symbol that breaks the rule, with its script.
pub fn misnamed(folder: &Path) -> Result<Vec<String>> {
    let chain = Chain::read(folder)?;
    let (mut live, mut findings) = (Live::new(), Vec::new());
    let mut at_version = BTreeMap::new();
    for script in std::iter::once(chain.base()).chain(chain.ups()) {
        let version = script.target().to_string();
        for (function, symbol) in symbols(folder, &script)? {
            let known = live.entry(function.clone()).or_default();
            let due = due(&function, &version, known);
            if !known.contains(&symbol)
                && symbol != due
                && (known.is_empty() || !is_form(&symbol, &due))
            {
                findings.push(format!("{}: {symbol} should be {due}", script.file_name()));
            }
            known.insert(symbol);
        }
        at_version.insert(version, live.clone());
    }
    for script in chain.downs() {
        let live = &at_version[&script.target().to_string()];
        for (function, symbol) in symbols(folder, &script)? {
            if !live.get(&function).is_some_and(|known| known.contains(&symbol)) {
                findings.push(format!("{}: {symbol} of no version", script.file_name()));
            }
        }
    }
    Ok(findings)
}

/// The symbol that a script must use for a function if it changes the symbol.
fn due(function: &str, version: &str, known: &BTreeSet<String>) -> String {
    let name = function.rsplit('.').next().unwrap_or(function);
    if known.is_empty() {
        format!("{name}_wrapper")
    } else {
        format!("{name}_{}_wrapper", version.replace('.', "_"))
    }
}

/// Whether a symbol is the due one with words of its own.
fn is_form(symbol: &str, due: &str) -> bool {
    let stem = due.strip_suffix("wrapper").unwrap_or(due);
    symbol.starts_with(stem) && symbol.ends_with("_wrapper")
}

/// The functions that a script creates, each with its symbol.
fn symbols(folder: &Path, script: &Script) -> Result<Vec<(String, String)>> {
    let name = script.file_name();
    let text = fs::read_to_string(folder.join(&name)).with_context(|| name.clone())?;
    let created = scripts::created(&text).context(name)?;
    Ok(created.into_iter().filter_map(|one| Some((one.name, one.symbol?))).collect())
}

#[test]
fn a_later_symbol_has_the_version_of_its_script() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let function = |name: &str, symbol: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION s.{name}() RETURNS text LANGUAGE c AS 'MODULE_PATHNAME', '{symbol}_wrapper';"
        )
    };
    let write = |script: &str, functions: &[String]| {
        fs::write(
            folder.path().join(format!("orchestrator_schema--{script}.sql")),
            functions.join("\n"),
        )
    };
    write("0.0.0", &[function("f", "f"), function("g", "other")])?;
    write(
        "0.0.0--0.1.0",
        &[function("f", "f_0_1_0"), function("g", "other"), function("h", "h_0_1_0")],
    )?;
    write("0.1.0--0.2.0", &[function("f", "f_and_more"), function("f", "f_0_2_0_float")])?;
    write("0.2.0--0.1.0", &[function("f", "f_0_1_0")])?;
    write("0.1.0--0.0.0", &[function("f", "f_0_3_0")])?;
    let script = |name: &str, finding: &str| format!("orchestrator_schema--{name}.sql: {finding}");
    assert_eq!(
        misnamed(folder.path())?,
        [
            script("0.0.0", "other_wrapper should be g_wrapper"),
            script("0.0.0--0.1.0", "h_0_1_0_wrapper should be h_wrapper"),
            script("0.1.0--0.2.0", "f_and_more_wrapper should be f_0_2_0_wrapper"),
            script("0.1.0--0.0.0", "f_0_3_0_wrapper of no version"),
        ]
    );
    Ok(())
}
