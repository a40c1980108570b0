//! The first page of every view.

use anyhow::Result;

use crate::address::query;
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::Bench;
use crate::bench::measure::{in_turn, statement};
use crate::bench::rows;

pub const CASE: Case = Case {
    name: "dashboards",
    title: "Views and dashboards",
    about: "The first 20 rows of each view, against one pass over all tables behind it (`count(*)`), which is the least that a view costs which \
            has to read them. *Rows* is the number aimed at for every table; a table that its own rules keep small stays small. Reports that \
            add up every row cannot but grow with them; a dashboard shall not.",
    needs: &[],
    run,
};

/// The views that people keep open.
const DASHBOARDS: [&str; 6] = [
    "active_sessions",
    "collaboration_status",
    "pending_approvals",
    "run_summary",
    "v7_migration_dashboard",
    "v7_enum_consolidation_status",
];

/// Each view with a statement that reads the tables behind it, through other views, too.
const VIEWS: &str = "
    WITH RECURSIVE behind (view, relation) AS (
        SELECT c.oid, c.oid FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'v'
        UNION
        SELECT b.view, d.refobjid
        FROM behind AS b JOIN pg_rewrite AS r ON r.ev_class = b.relation
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    )
    SELECT v.relname::text,
           'SELECT ' || string_agg(format('(SELECT count(*) FROM %s)', t.oid::regclass), ' + ')
    FROM behind AS b JOIN pg_class AS v ON v.oid = b.view JOIN pg_class AS t ON t.oid = b.relation AND t.relkind = 'r'
    WHERE t.relnamespace = 'orchestrator'::regnamespace
    GROUP BY v.relname ORDER BY v.relname COLLATE \"C\"";

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["one pass over its tables"]);
    for size in bench.sizes(&[1_000, 10_000, 100_000, 1_000_000]) {
        let (database, _) = rows::filled(bench, size)?;
        let client = database.shared()?;
        let views = query(&mut client.borrow_mut(), VIEWS)?;
        for row in views {
            let (view, pass): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let page = format!("SELECT * FROM orchestrator.{view} LIMIT 20");
            let medians = in_turn(
                bench.few_rounds(),
                &[&|_| statement(&client, &page), &|_| statement(&client, &pass)],
            )?;
            let target = DASHBOARDS.contains(&view.as_str()).then_some(Target::Growth(1.5));
            outcome.add(&view, case::rows(size), &medians, target);
        }
    }
    outcome.lines.sort_by(|a, b| a.what.cmp(&b.what));
    Ok(outcome)
}
