//! The rules for version scripts and tests, one kind in each file. Rules for scripts read the parse tree
//! of the server's grammar, so comments and strings cannot confuse them. Two rules are left to pgspot:
//! functions in SQL or PL/pgSQL pin their search path, and no object is created with `IF NOT EXISTS`.

mod characters;
mod clocks;
mod constraints;
mod forbidden;
mod functions;
mod grants;
mod heading;
mod inclusion;
mod names;
mod replacements;
mod source;
mod symbols;
mod tables;
mod tree;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xtask::chain::{Chain, scripts_in};
use xtask::machine::files::files_below;
use xtask::machine::project::EXTENSION;

pub use self::source::Finding;
use self::source::Source;

/// Every broken rule of the checkout in this folder.
pub fn tree(root: &Path) -> Result<Vec<Finding>> {
    let folder = root.join("sql");
    let chain = match Chain::of(&scripts_in(&folder)?) {
        Ok(chain) => chain,
        Err(error) => {
            let file = "sql".to_owned();
            return Ok(vec![Finding { file, line: 0, message: error.to_string() }]);
        }
    };
    let mut sources = Vec::new();
    for script in chain.scripts() {
        sources.push(Source::parse(script, read(&folder.join(script.file_name()))?)?);
    }
    let mut findings = scripts(&chain, &sources);
    findings.extend(inclusion::library(&chain, &read(&root.join("src/lib.rs"))?)?);
    findings.extend(inclusion::control(&read(&root.join(format!("{EXTENSION}.control")))?));
    findings.extend(inclusion::version(&chain, &read(&root.join("Cargo.toml"))?));
    findings.extend(tests_with_clocks(root)?);
    findings.extend(characters::project(root)?);
    Ok(findings)
}

/// The places in `tests/` that ask for the time.
fn tests_with_clocks(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in files_below(&root.join("tests"))? {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path);
            findings.extend(clocks::test(&name.to_string_lossy(), &read(&path)?));
        }
    }
    Ok(findings)
}

/// Every broken rule of these scripts, which are the chain's.
fn scripts(chain: &Chain, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        findings.extend(heading::check(source));
        findings.extend(forbidden::check(source));
        findings.extend(names::check(source));
        findings.extend(constraints::check(source));
        findings.extend(functions::check(source));
        findings.extend(grants::check(source));
    }
    findings.extend(replacements::check(chain, sources));
    findings.extend(symbols::check(chain, sources));
    findings.extend(tables::check(sources));
    findings
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
