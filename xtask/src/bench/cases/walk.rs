//! The whole walk down and up again, with rows in every table.

use std::time::Duration;

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::Bench;
use crate::bench::measure::{median, timed};
use crate::bench::rows;
use crate::machine::process;

pub const CASE: Case = Case {
    name: "walk",
    title: "The whole walk down and up",
    about: "A downgrade through every version to the empty base and an upgrade back, with each row archived and restored. The \
            baseline keeps the rows without the extension: `pg_dump --format=custom` before, `pg_restore` after. *Rows* is the \
            intended size of every table; a table that its own rules keep small stays small. With 1,000,000 rows, which take the \
            better part of an hour, each way is measured once, and `max_wal_size` is 4GB, to spare the disk.",
    needs: &[],
    run,
};

/// A walk down and up shall take less than half the time of a dump and restore, at sizes where the rows
/// and not the scripts take the time.
const AT_MOST: f64 = 0.5;

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["pg_dump and pg_restore"]);
    for size in bench.sizes(&[0, 10_000, 100_000, 1_000_000]) {
        let wal = if size < 1_000_000 { "RESET max_wal_size" } else { "SET max_wal_size = '4GB'" };
        let mut anywhere = bench.cluster.connect("postgres")?;
        execute(&mut anywhere, &format!("ALTER SYSTEM {wal}"))?;
        execute(&mut anywhere, "SELECT pg_reload_conf()")?;
        let (database, all) = rows::filled(bench, size)?;
        let scale = format!("{} ({all} in all)", case::rows(size));
        let mut client = database.connect()?;
        let folder = tempfile::tempdir()?;
        let dump = folder.path().join("dump");
        let (mut down, mut up) = (Vec::new(), Vec::new());
        // The largest take minutes each.
        let rounds = if size < 1_000_000 { bench.few_rounds() } else { 1 };
        for _ in 0..rounds {
            let mut go = |version: &str| {
                let statement =
                    format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'");
                timed(|| execute(&mut client, &statement))
            };
            let ours = (go("0.0.0")?, go(bench.toolchain.project.version())?);
            let mut dumping = bench.cluster.command("pg_dump");
            dumping.args(["--format=custom", "--file"]).arg(&dump).arg(&database.name);
            let dumped = timed(|| process::output(&mut dumping).map(drop))?;
            let copy = bench.empty_database()?;
            let mut restoring = bench.cluster.command("pg_restore");
            restoring.args(["--exit-on-error", "--dbname", &copy.name]).arg(&dump);
            let restored = timed(|| process::output(&mut restoring).map(drop))?;
            down.push((ours.0, dumped));
            up.push((ours.1, restored));
            execute(&mut client, "VACUUM ANALYZE")?;
        }
        let (down, up) = (medians(&down), medians(&up));
        let both = [down[0] + up[0], down[1] + up[1]];
        outcome.add("down, against pg_dump", scale.clone(), &down, None);
        outcome.add("up, against pg_restore", scale.clone(), &up, None);
        let target = (size >= 100_000).then_some(Target::Ratio(AT_MOST));
        outcome.add("down and up", scale, &both, target);
    }
    Ok(outcome)
}

fn medians(pairs: &[(Duration, Duration)]) -> [Duration; 2] {
    let (ours, baseline) = pairs.iter().copied().unzip();
    [median(ours), median(baseline)]
}
