//! CREATE EXTENSION.

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{Case, Outcome};
use crate::bench::database::Bench;
use crate::bench::measure::{in_turn, timed};
use crate::bench::plain::{Indexes, statements};

pub const CASE: Case = Case {
    name: "install",
    title: "Installing the newest version",
    about: "`CREATE EXTENSION` in an empty database. The baseline is a script that creates the same tables, keys, checks and \
            indexes. The extension also creates functions, views, triggers and comments, version by version.",
    needs: &[],
    run,
};

fn run(bench: &Bench) -> Result<Outcome> {
    let script = statements(&mut bench.database()?.connect()?, Indexes::All)?;
    let making = |statements: &str| {
        let database = bench.empty_database()?;
        let mut client = database.connect()?;
        timed(|| execute(&mut client, statements))
    };
    let medians = in_turn(
        bench.rounds(),
        &[&|_| making("CREATE EXTENSION orchestrator_schema"), &|_| making(&script)],
    )?;
    let mut outcome = Outcome::against(&["the same tables by script"]);
    outcome.add("install", "empty database".into(), &medians, None);
    Ok(outcome)
}
