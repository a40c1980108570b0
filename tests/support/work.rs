//! The work of a statement, as the server counts it for the connection: blocks and WAL. Unlike time,
//! it is the same on a busy machine.

use anyhow::{Context, Result};
use postgres::Client;
use xtask::address::query;

/// The work of one statement.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Accesses to blocks of tables, indexes and temporary files.
    pub blocks: u64,
    /// Bytes of WAL that were written.
    pub wal: u64,
}

/// Runs a statement and counts its work, functions that it calls included.
pub fn of(client: &mut Client, sql: &str) -> Result<Work> {
    let explain = "EXPLAIN (ANALYZE, BUFFERS, WAL, TIMING OFF, FORMAT YAML)";
    let plan: String = query(client, &format!("{explain} {sql}"))?
        .first()
        .with_context(|| format!("no plan of {sql}"))?
        .try_get(0)?;
    // The first value of each name belongs to the topmost node, which includes those below it.
    let count = |name: &str| -> Result<u64> {
        let value = plan.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        Ok(value.with_context(|| format!("no {name} in\n{plan}"))?.trim().parse()?)
    };
    let mut blocks = 0;
    for name in ["Shared Hit Blocks", "Shared Read Blocks", "Local Hit Blocks", "Local Read Blocks"]
    {
        blocks += count(name)?;
    }
    for name in ["Temp Read Blocks", "Temp Written Blocks"] {
        blocks += count(name)?;
    }
    Ok(Work { blocks, wal: count("WAL Bytes")? })
}
