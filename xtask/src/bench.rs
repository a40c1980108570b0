//! `cargo xtask bench`: the cost of the extension compared with the usual alternatives, measured in a
//! private cluster. Results are ratios of medians to baselines that run in turn in the same session.

mod browser;
mod case;
mod cases;
mod database;
mod machine;
mod measure;
mod plain;
mod questions;
mod queues;
mod report;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::case::{Case, Measured};
use self::database::Bench;
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

pub use self::database::Options;

/// The names and titles of all cases.
pub fn overview() -> String {
    let width = cases::ALL.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let line = |case: &Case| format!("\n  {:width$}  {}", case.name, case.title);
    format!("Cases:{}", cases::ALL.iter().map(line).collect::<String>())
}

/// Runs the cases, prints their results, and writes `docs/benchmarks.md` from the last results of every
/// case.
pub fn run(toolchain: &Toolchain, options: &Options) -> Result<()> {
    let names = || cases::ALL.iter().map(|case| case.name);
    if let Some(unknown) = options.cases.iter().find(|name| !names().any(|known| known == *name)) {
        bail!("unknown case {unknown}; the cases are: {}", names().collect::<Vec<_>>().join(", "));
    }
    let bench = Bench::start(toolchain, options)?;
    let machine = machine::describe(&bench)?;
    let folder = toolchain.project.scratch().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut failures = Vec::new();
    for case in cases::ALL {
        if !options.cases.is_empty() && !options.cases.iter().any(|name| name == case.name) {
            continue;
        }
        if let Some(missing) = bench.missing(case.needs)? {
            println!("\n{}: left out, this version has no {missing}", case.name);
            continue;
        }
        match (case.run)(&bench).with_context(|| format!("case {} failed", case.name)) {
            Ok(outcome) => {
                print!("\n{}", report::for_the_terminal(case, &outcome));
                let (machine, Options { rows, rounds, .. }) = (machine.clone(), options);
                let measured = Measured { machine, rows: *rows, rounds: *rounds, outcome };
                let file = folder.join(case.name).with_extension("json");
                fs::write(&file, serde_json::to_string(&measured)?)
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
            Err(error) => {
                eprintln!("\nerror: {error:#}");
                failures.push(case.name);
            }
        }
    }
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    let path = path(&toolchain.project);
    let text = report::document(&measured(&folder)?);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nWrote {}", path.display());
    Ok(())
}

/// The last results of every case, in the order of the document.
fn measured(folder: &Path) -> Result<Vec<(&'static Case, Measured)>> {
    let mut all = Vec::new();
    for case in cases::ALL {
        let file = folder.join(case.name).with_extension("json");
        if file.exists() {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            all.push((case, serde_json::from_str(&text)?));
        }
    }
    Ok(all)
}

fn path(project: &Project) -> PathBuf {
    project.root().join("docs/benchmarks.md")
}
