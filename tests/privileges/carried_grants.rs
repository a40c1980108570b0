//! Grants by hand on functions and views that a step replaces: the new form has the same ones.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::extension::{differences, go_to, versions, walked_to};
use support::roles::{self, name};

use super::{assert_forbidden, text};

/// The functions that 0.7.0 gives more arguments: name, arguments before, arguments since.
const REPLACED: [(&str, &str, &str); 4] = [
    ("open_gate", "uuid,text,text,text,jsonb", "uuid,text,text,text,jsonb,text,text"),
    ("request_review", "text,text,text,numeric,jsonb", "text,text,text,numeric,jsonb,text"),
    ("request_approval", "uuid,text,text", "uuid,text,text,text"),
    (
        "record_token_usage",
        "text,bigint,bigint,uuid,text,timestamptz",
        "text,bigint,bigint,uuid,text,timestamptz,text,uuid,text",
    ),
];

const VIEW: &str = "orchestrator.run_summary";

/// The grants on every replaced function, on the view and on its columns, without those of the owner.
fn grants(client: &mut Client) -> Result<BTreeSet<String>> {
    let names: Vec<_> = REPLACED.iter().map(|(name, ..)| *name).collect();
    let row = client.query_one(
        "SELECT array_agg(format('%s %s%s %s', g.object, a.privilege_type, CASE WHEN a.is_grantable THEN '*' END, \
                    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)) \
         FROM (SELECT p.proname::text AS object, p.proacl AS acl, p.proowner AS owner FROM pg_proc AS p \
               WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = ANY ($1) \
               UNION ALL SELECT c.relname, c.relacl, c.relowner FROM pg_class AS c WHERE c.oid = $2::text::regclass \
               UNION ALL SELECT c.relname || '.' || t.attname, t.attacl, c.relowner FROM pg_attribute AS t JOIN pg_class AS c ON c.oid = t.attrelid \
               WHERE c.oid = $2::text::regclass) AS g, aclexplode(g.acl) AS a WHERE a.grantee <> g.owner",
        &[&names, &VIEW],
    )?;
    Ok(row.try_get::<_, Vec<String>>(0)?.into_iter().collect())
}

/// The differences that `verify()` reports, each without the arguments of a function.
fn reported(client: &mut Client) -> Result<Vec<String>> {
    let found = differences(client)?;
    Ok(found.iter().map(|found| found.split('(').next().unwrap_or_default().to_owned()).collect())
}

/// A database of a version with grants by hand, some of them passed on, to roles, to one with a name that
/// needs quotes, and to PUBLIC.
fn with_grants(prefix: &str, version: &str) -> Result<(Database, Client)> {
    let database = walked_to(prefix, version.parse()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    let (nobody, other) = (name(&database, "nobody"), name(&database, "other"));
    let quoted = format!("\"{}\"", name(&database, "My \"\" rôle"));
    roles::make(&mut client, &other)?;
    client.batch_execute(&format!(
        "DO $$ BEGIN IF to_regrole('{quoted}') IS NULL THEN CREATE ROLE {quoted}; END IF; END $$; \
         GRANT USAGE ON SCHEMA orchestrator TO {nobody}, {other}, {quoted}"
    ))?;
    let before = version == "0.6.0";
    for (function, old, new) in REPLACED {
        let signature = format!("orchestrator.{function}({})", if before { old } else { new });
        client.batch_execute(&format!(
            "GRANT EXECUTE ON FUNCTION {signature} TO {nobody} WITH GRANT OPTION; \
             GRANT EXECUTE ON FUNCTION {signature} TO {quoted}; \
             SET ROLE {nobody}; GRANT EXECUTE ON FUNCTION {signature} TO {other}; RESET ROLE"
        ))?;
    }
    client.batch_execute(&format!(
        "GRANT EXECUTE ON FUNCTION orchestrator.request_approval({}) TO PUBLIC; \
         GRANT SELECT ON {VIEW} TO {nobody} WITH GRANT OPTION; \
         GRANT SELECT, REFERENCES ON {VIEW} TO {quoted}; \
         SET ROLE {nobody}; GRANT SELECT ON {VIEW} TO {other}; RESET ROLE; \
         GRANT SELECT ON {VIEW} TO PUBLIC; \
         GRANT SELECT (thread_id, phase) ON {VIEW} TO {other} WITH GRANT OPTION",
        if before { REPLACED[2].1 } else { REPLACED[2].2 }
    ))?;
    Ok((database, client))
}

#[test]
fn grants_by_hand_go_over_to_the_form_that_a_step_creates() -> Result<()> {
    for (from, to) in [("0.6.0", "0.7.0"), ("0.7.0", "0.6.0")] {
        let (database, mut client) = with_grants("carried", from)?;
        let (before, reported) = (grants(&mut client)?, reported(&mut client)?);
        for version in [to, from, to] {
            go_to(&mut client, version.parse()?)?;
            assert_eq!(grants(&mut client)?, before, "{from} to {version}");
            assert_eq!(self::reported(&mut client)?, reported, "{from} to {version}");
        }
        // The grantee calls the new form, reads the new view, and passes both on.
        let mut nobody = database.client_as(&name(&database, "nobody"))?;
        let reader = name(&database, "reader");
        nobody.batch_execute(&format!(
            "SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'r'); \
             SELECT FROM {VIEW}; GRANT SELECT ON {VIEW} TO {reader}"
        ))?;
        let signature = text(
            &mut client,
            "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'orchestrator'::regnamespace AND proname = 'open_gate'",
        )?;
        nobody.batch_execute(&format!("GRANT EXECUTE ON FUNCTION {signature} TO {reader}"))?;
    }
    Ok(())
}

/// The server asks whoever reads a view for the right to call its functions, also through a user's view: no step up takes
/// a view away from a role that has a grant on one column, or only on a view of its own.
#[test]
fn a_step_up_takes_no_view_away_from_its_readers() -> Result<()> {
    const VIEWS: &str = "SELECT c.relname::text, (SELECT quote_ident(a.attname) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = 1) \
         FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'v'";
    let chain = versions()?;
    let [.., before, newest] = chain[..] else { panic!("a chain has steps") };
    let database = walked_to("readers", before)?;
    let mut client = database.client()?;
    let (nobody, other) = (name(&database, "nobody"), name(&database, "other"));
    roles::make(&mut client, &nobody)?;
    roles::make(&mut client, &other)?;
    client.batch_execute(&format!(
        "CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO {nobody}; GRANT USAGE ON SCHEMA orchestrator TO {other}"
    ))?;
    let views: Vec<(String, String)> = client
        .query(VIEWS, &[])?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_>>()?;
    for (view, column) in &views {
        client.batch_execute(&format!(
            "CREATE VIEW app.{view} AS SELECT * FROM orchestrator.{view}; GRANT SELECT ON app.{view} TO {nobody}; \
             GRANT SELECT ({column}) ON orchestrator.{view} TO {other}"
        ))?;
    }
    let (mut nobody, mut other) = (database.client_as(&nobody)?, database.client_as(&other)?);
    let readings = views.iter().flat_map(|(view, column)| {
        [
            (true, format!("SELECT * FROM app.{view}")),
            (false, format!("SELECT {column} FROM orchestrator.{view}")),
        ]
    });
    let mut reads = |is_own: bool, sql: &str| {
        let reader = if is_own { &mut nobody } else { &mut other };
        reader.query(sql, &[]).context(sql.to_owned())
    };
    // Some views call functions that no grant on the view alone has ever allowed.
    let readable: Vec<_> = readings.filter(|(is_own, sql)| reads(*is_own, sql).is_ok()).collect();
    go_to(&mut client, newest)?;
    for (is_own, sql) in &readable {
        reads(*is_own, sql)?;
    }
    assert!(readable.len() > 40, "{} readings", readable.len());
    Ok(())
}

/// A role without a grant has none afterwards.
#[test]
fn a_step_grants_nothing_new() -> Result<()> {
    let database = walked_to("uncarried", "0.6.0".parse()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "GRANT USAGE ON SCHEMA orchestrator TO {}",
        name(&database, "nobody")
    ))?;
    for version in ["0.7.0", "0.6.0"] {
        go_to(&mut client, version.parse()?)?;
        let mut nobody = database.client_as(&name(&database, "nobody"))?;
        let call = "SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'r')";
        for sql in [call.to_owned(), format!("SELECT FROM {VIEW}")] {
            assert_forbidden(&mut nobody, "nobody", &sql);
        }
    }
    Ok(())
}
