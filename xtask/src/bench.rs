//! `cargo xtask bench`: what the extension costs against what one would have otherwise, in a private
//! cluster, as ratios of medians to baselines that run in the same session, in turn.

mod case;
mod cases;
mod database;
mod machine;
mod measure;
mod plain;
mod report;
mod rows;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use self::case::{Case, Outcome};
use self::database::Bench;
use crate::project::Project;
use crate::setup::Toolchain;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The names of the cases; all of them when empty.
    pub cases: Vec<String>,
    /// The largest number of rows in a table.
    pub rows: u64,
    /// How often each variant runs.
    pub rounds: usize,
}

/// The names of all cases, with what they measure.
pub fn overview() -> String {
    let width = cases::ALL.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let line = |case: &Case| format!("\n  {:width$}  {}", case.name, case.title);
    format!("Cases:{}", cases::ALL.iter().map(line).collect::<String>())
}

/// Runs the cases and prints what came out. When all were asked for, writes `docs/benchmarks.md`, too.
pub fn run(toolchain: &Toolchain, options: &Options) -> Result<()> {
    let names = || cases::ALL.iter().map(|case| case.name);
    if let Some(unknown) = options.cases.iter().find(|name| !names().any(|known| known == *name)) {
        bail!("there is no case {unknown}; there are {}", names().collect::<Vec<_>>().join(", "));
    }
    let bench = Bench::start(toolchain, options)?;
    let mut outcomes: Vec<(&Case, Outcome)> = Vec::new();
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
                outcomes.push((case, outcome));
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
    if options.cases.is_empty() {
        let path = path(&toolchain.project);
        let text = report::document(&machine::describe(&bench)?, options, &outcomes);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("\nWrote {}", path.display());
    }
    Ok(())
}

fn path(project: &Project) -> PathBuf {
    project.root().join("docs/benchmarks.md")
}
