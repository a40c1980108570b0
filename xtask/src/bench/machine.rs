//! The size of the machine, which readers need to judge a ratio.

use std::fs;
use std::thread;

use anyhow::Result;

use super::database::{Bench, PARAMETERS};

/// Cores, memory, server and its settings, in a sentence each.
pub fn describe(bench: &Bench) -> Result<String> {
    let cores = thread::available_parallelism()?;
    let settings: Vec<String> =
        PARAMETERS.iter().map(|(name, value)| format!("`{name}` {value}")).collect();
    Ok(format!(
        "{cores} cores, {} of memory; PostgreSQL {}; `fsync`, `synchronous_commit` and `full_page_writes` off, {}.",
        memory(),
        bench.toolchain.pg.release,
        settings.join(", ")
    ))
}

fn memory() -> String {
    let kilobytes = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    kilobytes.map_or("an unknown amount".to_owned(), |kilobytes| {
        format!("{} GB", (kilobytes + 512 * 1024) / (1024 * 1024))
    })
}
