//! The installed library exports each C symbol that a script names, and the `pg_finfo_` symbol that
//! describes its calling convention. The server looks for both when it creates a function, and a walk
//! up the chain and down again creates each function of each script.

use anyhow::{Context, Result};

use crate::address::{execute, query};
use crate::chain::Chain;
use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "symbols",
    about: "the library exports each C symbol that any script names",
    run: Run::WithExtension(run),
};

const DATABASE: &str = "symbols";

fn run(toolchain: &Toolchain) -> Result<()> {
    let chain = Chain::read(&toolchain.project.sql_folder())?;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    let mut client = cluster.connect(DATABASE)?;
    execute(
        &mut client,
        &format!("CREATE EXTENSION {EXTENSION} VERSION '{}'", chain.base().target()),
    )?;
    let downs = chain.downs().collect::<Vec<_>>();
    let ups = chain.ups().collect::<Vec<_>>();
    let mut functions = 0;
    for script in ups.iter().chain(downs.iter().rev()) {
        let step = format!("ALTER EXTENSION {EXTENSION} UPDATE TO '{}'", script.target());
        execute(&mut client, &step).with_context(|| script.file_name())?;
        functions = functions.max(c_functions(&mut client)?);
    }
    println!(
        "{} scripts found their symbols; {functions} functions are in the library",
        ups.len() * 2 + 1
    );
    Ok(())
}

fn c_functions(client: &mut postgres::Client) -> Result<i64> {
    let sql = "SELECT count(*) FROM pg_catalog.pg_proc \
               WHERE pronamespace = 'orchestrator'::pg_catalog.regnamespace AND probin IS NOT NULL";
    let rows = query(client, sql)?;
    Ok(rows.first().context("a count has a row")?.try_get(0)?)
}
