//! Behaviour as a user of psql sees it: PostgreSQL's `pg_regress` over `tests/pg_regress`.
//! Each test runs in a new database, so none depends on another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::address::SUPERUSER;
use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::machine::process;
use crate::machine::toolchain::Toolchain;
use crate::machine::workers;

const DATABASE: &str = "contrib_regression";

pub const CHECK: Check = Check {
    name: "regress",
    about: "SQL prints the expected results (pg_regress over tests/pg_regress)",
    run: Run::WithExtension(|toolchain| run(toolchain, &[], false)),
};

/// Runs the named tests, or all, and either compares their results or accepts them as expected.
pub fn run(toolchain: &Toolchain, names: &[String], accept: bool) -> Result<()> {
    let input = toolchain.project.root().join("tests/pg_regress");
    let all = test_names(&input.join("sql"))?;
    let chosen: Vec<&String> = if names.is_empty() {
        all.iter().collect()
    } else {
        if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
            bail!("unknown test {unknown}; the tests are: {}", all.join(", "));
        }
        names.iter().collect()
    };
    let output = toolchain.project.scratch().join("regress");
    if output.exists() {
        fs::remove_dir_all(&output)
            .with_context(|| format!("cannot remove {}", output.display()))?;
    }
    let expected = input.join("expected");
    fs::create_dir_all(&expected)
        .with_context(|| format!("cannot create {}", expected.display()))?;

    // Each worker has a server of its own, because roles belong to all databases of a server.
    let server = || Cluster::start(&toolchain.pg, &Settings::default());
    let differences = workers::share(&chosen, server, |cluster, name| {
        let folder = output.join(name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let outcome = process::output(&mut pg_regress(cluster, &input, &folder, name)?);
        let result = folder.join("results").join(format!("{name}.out"));
        let wanted = expected.join(format!("{name}.out"));
        if accept {
            return accept_result(&result, &wanted).map(|()| None);
        }
        println!("{name}: {}", if outcome.is_ok() { "as expected" } else { "differs" });
        let difference =
            |error| difference(&folder.join("regression.diffs"), &result, &wanted, &error);
        Ok(outcome.err().map(difference))
    })?;
    let mut failed = Vec::new();
    for (name, difference) in chosen.iter().zip(differences) {
        if let Some(difference) = difference {
            println!("{name}: {difference}");
            failed.push(name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!(
            "{} differ; if the new results are right, run: cargo xtask regress --accept NAME",
            failed.join(", ")
        );
    }
    Ok(())
}

fn pg_regress(cluster: &Cluster, input: &Path, output: &Path, test: &str) -> Result<Command> {
    let pg = cluster.pg_config();
    let mut command = Command::new(pg.pg_regress()?);
    command
        .arg(option("inputdir", input))
        .arg(option("outputdir", output))
        .arg(option("bindir", &pg.bindir))
        .arg(option("host", cluster.socket_folder()))
        .arg(format!("--port={}", cluster.port()))
        .arg(format!("--user={SUPERUSER}"))
        .arg(format!("--dbname={DATABASE}"))
        .arg(test)
        // Pages include files beside them by their names.
        .current_dir(input);
    cluster.export(&mut command);
    Ok(command)
}

fn option(name: &str, value: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(format!("--{name}="));
    option.push(value);
    option
}

/// The tests of the folder, in order.
fn test_names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql")
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    if names.is_empty() {
        bail!("{} contains no test", folder.display());
    }
    names.sort();
    Ok(names)
}

fn accept_result(result: &Path, expected: &Path) -> Result<()> {
    let new = fs::read(result).with_context(|| format!("no result {}", result.display()))?;
    if fs::read(expected).is_ok_and(|old| old == new) {
        return Ok(());
    }
    fs::write(expected, new).with_context(|| format!("cannot write {}", expected.display()))?;
    println!("accepted {}", expected.display());
    Ok(())
}

/// The difference if pg_regress wrote one, else the whole result if no expected file exists, else
/// the error.
fn difference(diffs: &Path, result: &Path, expected: &Path, error: &anyhow::Error) -> String {
    let (file, title) = if expected.exists() {
        (diffs, String::new())
    } else {
        (result, format!("{} is missing; the result is:", expected.display()))
    };
    match fs::read_to_string(file) {
        Ok(text) => format!("{title}\n{text}"),
        Err(_) => format!("{error:#}"),
    }
}
