//! verify().

use anyhow::Result;

use crate::bench::case::{self, Case, Outcome};
use crate::bench::database::Bench;
use crate::bench::measure::{in_turn, statement, timed};
use crate::bench::rows;
use crate::machine::process;

pub const CASE: Case = Case {
    name: "verify",
    title: "Proving that the schema is intact",
    about: "`SELECT * FROM orchestrator.verify()`. The baseline is `pg_dump --schema-only --binary-upgrade` of the schema, which one \
            would otherwise compare with a known text. A dump does not show rows that break a rule; `verify()` also checks these \
            rules. *Rows* is the intended size of every table.",
    needs: &["verify"],
    run,
};

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["a dump of the schema"]);
    for size in bench.sizes(&[0, 100_000, 1_000_000]) {
        let (database, _) = rows::filled(bench, size)?;
        let client = database.shared()?;
        let dump = || {
            let mut command = bench.cluster.command("pg_dump");
            command
                .args([
                    "--schema-only",
                    "--binary-upgrade",
                    "--schema=orchestrator",
                    "--file=/dev/null",
                ])
                .arg(&database.name);
            timed(|| process::output(&mut command).map(drop))
        };
        let medians = in_turn(
            bench.few_rounds(),
            &[&|_| statement(&client, "SELECT * FROM orchestrator.verify()"), &|_| dump()],
        )?;
        outcome.add("verify()", case::rows(size), &medians, None);
    }
    Ok(outcome)
}
