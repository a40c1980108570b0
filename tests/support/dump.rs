//! Dumps and restores with PostgreSQL's programs, as users run them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use xtask::address::Address;

/// A way to dump, and whether psql or pg_restore reads the result.
#[derive(Debug)]
pub struct Format {
    options: &'static [&'static str],
    is_plain: bool,
}

pub const PLAIN: Format = Format { options: &["--format=plain"], is_plain: true };
pub const CUSTOM: Format = Format { options: &["--format=custom"], is_plain: false };
pub const PARALLEL: Format =
    Format { options: &["--format=directory", "--jobs=2"], is_plain: false };
pub const FORMATS: [Format; 3] = [PLAIN, CUSTOM, PARALLEL];

/// Runs a command to its end. A failure, and any message on standard error, is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() || !output.stderr.is_empty() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Dumps a database into a file or folder.
pub fn dump(from: &Address, database: &str, format: &Format, target: &Path) -> Result<()> {
    run(from.command("pg_dump").args(format.options).arg("--file").arg(target).arg(database))
}

/// The statements that restore a dump, in their order.
pub fn statements(programs_of: &Address, format: &Format, target: &Path) -> Result<String> {
    if format.is_plain {
        return Ok(without_key(&fs::read_to_string(target)?));
    }
    let output = programs_of.command("pg_restore").arg("--file=-").arg(target).output()?;
    if !output.status.success() {
        bail!("pg_restore failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(without_key(&String::from_utf8(output.stdout)?))
}

/// The text of a dump without the key that pg_dump draws for each.
pub fn without_key(dump: &str) -> String {
    let is_key = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    dump.lines().filter(|line| !is_key(line)).collect::<Vec<_>>().join("\n")
}

/// Restores a dump into an empty database, as into a new server.
pub fn restore(to: &Address, database: &str, format: &Format, target: &Path) -> Result<()> {
    if !format.is_plain {
        let mut restore = to.command("pg_restore");
        return run(restore.args(["--exit-on-error", "--dbname", database]).arg(target));
    }
    let mut psql = to.command("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", database, "-f"]);
    run(psql.arg(target))
}
