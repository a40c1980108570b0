//! The rules for version scripts. Each file below holds one kind of rule; those for scripts look at
//! parsed statements, so comments and strings cannot confuse them.

mod characters;
mod clocks;
mod companions;
mod constraints;
mod forbidden;
mod heading;
mod inclusion;
mod names;
mod source;

use std::fs;

use anyhow::{Context, Result};

use self::source::{Finding, Source};
use crate::chain::{Chain, scripts_in};
use crate::machine::files::files_below;
use crate::machine::project::{EXTENSION, Project};

/// Every broken rule of the project's scripts.
pub fn project(project: &Project) -> Result<Vec<Finding>> {
    let folder = project.sql_folder();
    let chain = match Chain::of(&scripts_in(&folder)?) {
        Ok(chain) => chain,
        Err(error) => {
            let file = "sql".to_owned();
            return Ok(vec![Finding { file, line: 0, message: error.to_string() }]);
        }
    };
    let mut sources = Vec::new();
    for script in chain.scripts() {
        let file = folder.join(script.file_name());
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        sources.push(Source::parse(script, text)?);
    }
    let read = |name: &str| {
        let file = project.root().join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let mut findings = scripts(&chain, &sources);
    findings.extend(inclusion::library(&chain, &read("src/lib.rs")?)?);
    findings.extend(inclusion::control(&read(&format!("{EXTENSION}.control"))?));
    findings.extend(inclusion::version(&chain, project.version()));
    findings.extend(tests_with_clocks(project)?);
    findings.extend(characters::project(project)?);
    Ok(findings)
}

/// The places in `tests/` that ask for the time.
fn tests_with_clocks(project: &Project) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in files_below(&project.root().join("tests"))? {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(project.root()).unwrap_or(&path);
            findings.extend(clocks::test(&name.to_string_lossy(), &text));
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
        findings.extend(companions::of_functions_and_views(source));
        findings.extend(companions::of_grants(source));
    }
    findings.extend(forbidden::replacements(chain, sources));
    findings.extend(companions::of_tables(sources));
    findings
}
