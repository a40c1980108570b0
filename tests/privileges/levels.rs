//! Granting and revoking levels: repeatable, exact, only by permitted roles, and kept across
//! downgrades.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::dump::{self, CUSTOM};
use support::extension::{differences, go_to, newest, versions, walked_to};
use support::roles::{self, LEVELS, grant, name};
use xtask::address::quote_identifier;
use xtask::chain::Version;
use xtask::checks::cases;

use super::{assert_forbidden, refusal, text};

fn with_roles(prefix: &str) -> Result<Database> {
    let database = walked_to(prefix, newest()?)?;
    roles::of_every_level(&database)?;
    Ok(database)
}

/// Every role of this test with its level.
fn listed(database: &Database) -> Result<String> {
    let own = format!("{}_", database.name());
    let mut client = database.client()?;
    let row = client.query_one(
        "SELECT coalesce(string_agg(substr(grantee, length($1) + 1) || ' ' || level, ', ' ORDER BY grantee), '') \
         FROM orchestrator.access() WHERE starts_with(grantee, $1)",
        &[&own],
    )?;
    Ok(row.try_get(0)?)
}

/// The last version without levels.
const WITHOUT_LEVELS: &str = "0.5.0";

const ALL: &str = "admin admin, reader reader, reviewer reviewer, worker worker";

#[test]
fn granting_is_repeatable_and_a_level_takes_the_place_of_the_one_before() -> Result<()> {
    let database = with_roles("exact")?;
    let mut client = database.client()?;
    assert_eq!(listed(&database)?, ALL);
    for level in LEVELS {
        assert_eq!(grant(&mut client, &name(&database, level), level)?, 0, "{level} again");
    }
    let role = name(&database, "worker");
    for level in ["reviewer", "admin", "reader", "worker"] {
        assert!(grant(&mut client, &role, level)? > 0);
        assert_eq!(differences(&mut client)?, [""; 0], "a {level} after another level");
        assert_eq!(
            text(
                &mut client,
                &format!("SELECT level FROM orchestrator.access() WHERE grantee = '{role}'")
            )?,
            level
        );
    }
    client.batch_execute(&format!("SELECT orchestrator.revoke_access('{role}')"))?;
    assert_eq!(text(&mut client, &format!("SELECT orchestrator.revoke_access('{role}')"))?, "0");
    client.batch_execute(&format!("DROP ROLE {role}"))?;
    assert_eq!(listed(&database)?, "admin admin, reader reader, reviewer reviewer");
    Ok(())
}

#[test]
fn privileges_changed_by_hand_are_reported_and_corrected() -> Result<()> {
    let database = with_roles("by_hand")?;
    let mut client = database.client()?;
    let (reader, worker) = (name(&database, "reader"), name(&database, "worker"));
    client.batch_execute(&format!(
        "GRANT UPDATE ON orchestrator.gates TO {reader} WITH GRANT OPTION; \
         GRANT INSERT (event_type) ON orchestrator.audit_events TO {reader}; \
         SET ROLE {reader}; GRANT UPDATE ON orchestrator.gates TO {worker}; RESET ROLE; \
         REVOKE EXECUTE ON FUNCTION orchestrator.start_run(text, uuid, text) FROM {worker}"
    ))?;
    let reported = differences(&mut client)?;
    assert_eq!(
        reported,
        [
            format!(
                "changed access level {reader}: reader / also holds INSERT (event_type) ON TABLE orchestrator.audit_events, UPDATE ON TABLE orchestrator.gates (with grant option or from another grantor)"
            ),
            format!(
                "changed access level {worker}: worker / lacks EXECUTE ON FUNCTION orchestrator.start_run(text,uuid,text); also holds UPDATE ON TABLE orchestrator.gates (with grant option or from another grantor)"
            ),
        ]
    );
    // The hint of each deviation corrects it. Privileges that the reader granted to others are revoked
    // together with its own.
    let hints =
        client.query("SELECT hint FROM orchestrator.verify() WHERE kind = 'access level'", &[])?;
    for hint in hints {
        client.batch_execute(hint.try_get(0)?)?;
    }
    assert_eq!(differences(&mut client)?, [""; 0]);
    assert_forbidden(
        &mut database.client_as(&worker)?,
        "worker",
        "UPDATE orchestrator.gates SET feedback = 'x'",
    );
    Ok(())
}

#[test]
fn levels_are_given_by_admins_and_the_owner_of_the_database_without_a_superuser() -> Result<()> {
    let database = with_roles("givers")?;
    let mut client = database.client()?;
    let (owner, new) = (name(&database, "owner"), name(&database, "new"));
    roles::make(&mut client, &owner)?;
    roles::make(&mut client, &new)?;
    client.batch_execute(&format!(
        "ALTER DATABASE {} OWNER TO {owner}",
        quote_identifier(database.name())
    ))?;
    for giver in [owner.clone(), name(&database, "admin")] {
        let mut giving = database.client_as(&giver)?;
        assert!(grant(&mut giving, &new, "reader")? > 0, "{giver}");
        giving.batch_execute(&format!("SELECT orchestrator.revoke_access('{new}')"))?;
    }
    for level in ["nobody", "reader", "worker", "reviewer"] {
        let mut theirs = database.client_as(&name(&database, level))?;
        for sql in [
            format!("SELECT orchestrator.grant_access('{new}', 'reader')"),
            format!("SELECT orchestrator.revoke_access('{owner}')"),
        ] {
            assert_forbidden(&mut theirs, level, &sql);
        }
    }
    let (code, _) = refusal(&mut client, "SELECT orchestrator.grant_access('postgres', 'reader')");
    assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE);
    // The owner of the database works without a superuser from there on.
    let mut owners = database.client_as(&owner)?;
    grant(&mut owners, &owner, "admin")?;
    owners.batch_execute(
        "SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's'); \
         SELECT orchestrator.request_review('t', 'gate_override', 'may I?'); \
         SELECT orchestrator.decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions; \
         SELECT orchestrator.run_maintenance()",
    )?;
    assert_eq!(text(&mut owners, "SELECT count(*) FROM orchestrator.verify()")?, "0");
    client.batch_execute(&format!("SELECT orchestrator.revoke_access('{owner}')"))?;
    assert_eq!(listed(&database)?, ALL, "who owns the database is no holder of a level");
    let theirs = "SELECT count(*) FROM orchestrator.access()";
    assert_eq!(text(&mut owners, theirs)?, "4", "and sees who is");
    Ok(())
}

/// A transaction with an older snapshot fails with 40001 and changes nothing.
#[test]
fn grants_of_other_transactions_are_never_missed() -> Result<()> {
    let database = with_roles("isolated")?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    let new = name(&database, "new");
    roles::make(&mut second, &new)?;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        for change in
            [format!("revoke_access('{new}')"), format!("grant_access('{new}', 'reader')")]
        {
            first.batch_execute(&format!(
                "BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM orchestrator.access()"
            ))?;
            second
                .batch_execute(&format!("SELECT orchestrator.grant_access('{new}', 'worker')"))?;
            let (code, _) = refusal(&mut first, &format!("SELECT orchestrator.{change}"));
            assert_eq!(code, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{level} {change}");
            first.batch_execute("ROLLBACK")?;
            second.batch_execute(&format!("SELECT orchestrator.revoke_access('{new}')"))?;
        }
    }
    // In the default isolation level, the transaction that waited sees the changes of the other.
    second.batch_execute(&format!("BEGIN; SELECT orchestrator.grant_access('{new}', 'admin')"))?;
    let revoke = format!("SELECT orchestrator.revoke_access('{new}')");
    let waiting = std::thread::spawn(move || first.batch_execute(&revoke));
    while text(
        &mut second,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )? == "0"
    {}
    second.batch_execute("COMMIT")?;
    waiting.join().expect("the thread ends")?;
    assert_eq!(listed(&database)?, ALL);
    // An upgrade may run in a transaction of any isolation level.
    go_to(&mut second, versions()?.into_iter().rev().nth(1).expect("a version below"))?;
    second.batch_execute(
        "BEGIN ISOLATION LEVEL SERIALIZABLE; ALTER EXTENSION orchestrator_schema UPDATE; COMMIT",
    )?;
    assert_eq!(listed(&database)?, ALL);
    Ok(())
}

/// Every step down and up again, and all of them at once: the levels are restored exactly.
#[test]
fn levels_survive_every_way_down_and_up() -> Result<()> {
    let database = with_roles("walk")?;
    let mut client = database.client()?;
    let without_levels: Version = WITHOUT_LEVELS.parse()?;
    let assert_held = |client: &mut Client, version: Version| -> Result<()> {
        assert_eq!(differences(client)?, [""; 0], "at {version}");
        if version <= without_levels {
            assert_eq!(text(client, KEPT)?, "4", "kept at {version}");
        } else {
            assert_eq!(listed(&database)?, ALL, "at {version}");
            assert_eq!(text(client, KEPT)?, "0", "kept at {version}");
        }
        Ok(())
    };
    let versions = versions()?;
    for step in cases::chosen(versions.windows(2).rev(), 8) {
        let [lower, upper] = step else { continue };
        for version in [lower, upper, lower] {
            go_to(&mut client, *version)?;
            assert_held(&mut client, *version)?;
        }
    }
    go_to(&mut client, newest()?)?;
    assert_held(&mut client, newest()?)?;
    // A role that was dropped meanwhile causes no error.
    go_to(&mut client, versions[0])?;
    let reader = name(&database, "reader");
    client.batch_execute(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"))?;
    go_to(&mut client, newest()?)?;
    assert_eq!(listed(&database)?, "admin admin, reviewer reviewer, worker worker");
    Ok(())
}

/// The number of kept levels in the archive.
const KEPT: &str = "SELECT coalesce(sum(rows), 0) FROM orchestrator.archived() WHERE object = 'orchestrator.access_levels'";

/// The level that `access()` lists for a role, or that it holds nothing.
fn holds(client: &mut Client, role: &str) -> Result<String> {
    let sql = format!(
        "SELECT coalesce((SELECT level FROM orchestrator.access() WHERE grantee = '{role}'), 'nothing')"
    );
    text(client, &sql)
}

/// A kept level belongs to the role, not to its name. A renamed role has its level again, and a new role
/// with its old name has none. The level of a dropped role stays in the archive.
#[test]
fn a_kept_level_follows_the_role() -> Result<()> {
    let database = with_roles("away")?;
    let mut client = database.client()?;
    let below = WITHOUT_LEVELS.parse()?;
    let (reader, other) = (name(&database, "reader"), name(&database, "other"));
    go_to(&mut client, below)?;
    client.batch_execute(&format!(
        "ALTER ROLE {} RENAME TO {}",
        quote_identifier(&reader),
        quote_identifier(&other)
    ))?;
    roles::make(&mut client, &reader)?;
    go_to(&mut client, newest()?)?;
    assert_eq!(
        (holds(&mut client, &other)?, holds(&mut client, &reader)?),
        ("reader".to_owned(), "nothing".to_owned())
    );
    assert_eq!(text(&mut client, KEPT)?, "0");
    assert_eq!(differences(&mut client)?, [""; 0]);
    // After a role is dropped, no role with one of its names gets its level.
    go_to(&mut client, below)?;
    client.batch_execute(&format!("DROP OWNED BY {other}; DROP ROLE {other}"))?;
    roles::make(&mut client, &other)?;
    go_to(&mut client, newest()?)?;
    let outcome = text(
        &mut client,
        "SELECT string_agg(format('%s %s %s', object, restored, left_behind), ', ') FROM orchestrator.restore_archived()",
    )?;
    assert_eq!(outcome, "orchestrator.access_levels 0 1");
    assert_eq!(listed(&database)?, "admin admin, reviewer reviewer, worker worker");
    assert_eq!(text(&mut client, KEPT)?, "1");
    assert_eq!(differences(&mut client)?, [""; 0]);
    client.batch_execute(&format!("DROP ROLE {reader}; DROP ROLE {other}"))?;
    Ok(())
}

/// In another cluster the identifiers belong to other roles, so the name decides.
#[test]
fn in_another_cluster_a_kept_level_is_restored_by_name() -> Result<()> {
    let database = with_roles("elsewhere")?;
    let mut client = database.client()?;
    let below = WITHOUT_LEVELS.parse()?;
    let (reader, worker) = (name(&database, "reader"), name(&database, "worker"));
    go_to(&mut client, below)?;
    // As if the level had been kept in another cluster, in which the reader had the identifier that the
    // worker has here.
    client.batch_execute(&format!(
        "UPDATE orchestrator_archive.access_levels SET system_identifier = system_identifier - 1, kept_in = 1, role = '{worker}'::regrole; \
         UPDATE orchestrator_archive.access_levels SET grantee = 'nobody of that name' WHERE grantee = '{worker}'"
    ))?;
    go_to(&mut client, newest()?)?;
    assert_eq!(holds(&mut client, &reader)?, "reader");
    assert_eq!(text(&mut client, KEPT)?, "1");
    client.batch_execute(&format!(
        "UPDATE orchestrator_archive.access_levels SET grantee = '{worker}'"
    ))?;
    // The role still holds its grants on objects that stayed, and is listed with them; its level is
    // restored.
    assert_eq!(holds(&mut client, &worker)?, "custom");
    assert_eq!(differences(&mut client)?.len(), 1);
    client.batch_execute("SELECT FROM orchestrator.restore_archived()")?;
    assert_eq!(listed(&database)?, ALL);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// pg_upgrade makes a cluster with another identifier, in which roles and tables keep their
/// identifiers. The role decides there, too, also after a second downgrade and a second pg_upgrade.
#[test]
fn after_pg_upgrade_a_kept_level_follows_the_role() -> Result<()> {
    const UPGRADE: &str =
        "UPDATE orchestrator_archive.access_levels SET system_identifier = system_identifier - 1";
    let database = with_roles("upgraded")?;
    let mut client = database.client()?;
    let below = WITHOUT_LEVELS.parse()?;
    let (reader, other) = (name(&database, "reader"), name(&database, "other"));
    let worker = name(&database, "worker");
    go_to(&mut client, below)?;
    client.batch_execute(&format!("ALTER ROLE {reader} RENAME TO {other}"))?;
    roles::make(&mut client, &reader)?;
    client.batch_execute(UPGRADE)?;
    go_to(&mut client, newest()?)?;
    assert_eq!(holds(&mut client, &other)?, "reader");
    assert_eq!(holds(&mut client, &reader)?, "nothing");
    assert_eq!(text(&mut client, KEPT)?, "0");
    // Once more, after the restored levels were kept again.
    go_to(&mut client, below)?;
    client.batch_execute(UPGRADE)?;
    client.batch_execute(&format!("ALTER ROLE {worker} RENAME TO {worker}_2"))?;
    roles::make(&mut client, &worker)?;
    go_to(&mut client, newest()?)?;
    assert_eq!(holds(&mut client, &worker)?, "nothing");
    assert_eq!(holds(&mut client, &format!("{worker}_2"))?, "worker");
    client.batch_execute(&format!(
        "DROP ROLE {reader}; DROP ROLE {worker}; \
         DROP OWNED BY {other}, {worker}_2; DROP ROLE {other}, {worker}_2"
    ))?;
    Ok(())
}

/// A kept level that could not be restored joins those of the next downgrade, and still belongs to its
/// role after pg_upgrade.
#[test]
fn after_pg_upgrade_an_older_kept_level_follows_the_role() -> Result<()> {
    let database = with_roles("joined")?;
    let mut client = database.client()?;
    let below = WITHOUT_LEVELS.parse()?;
    let (reader, other) = (name(&database, "reader"), name(&database, "other"));
    go_to(&mut client, below)?;
    // A level that does not exist stays in the archive, and joins the others in the next downgrade.
    client.batch_execute(&format!(
        "ALTER TABLE orchestrator_archive.access_levels DROP CONSTRAINT IF EXISTS access_levels_level_check; \
         UPDATE orchestrator_archive.access_levels SET level = 'later' WHERE grantee = '{reader}'"
    ))?;
    go_to(&mut client, newest()?)?;
    assert_eq!(text(&mut client, KEPT)?, "1");
    client.batch_execute(&format!("SELECT orchestrator.revoke_access('{reader}')"))?;
    go_to(&mut client, below)?;
    assert_eq!(text(&mut client, KEPT)?, "4");
    client.batch_execute(&format!(
        "UPDATE orchestrator_archive.access_levels SET level = 'reader' WHERE level = 'later'; \
         UPDATE orchestrator_archive.access_levels SET system_identifier = system_identifier - 1; \
         ALTER ROLE {reader} RENAME TO {other}"
    ))?;
    roles::make(&mut client, &reader)?;
    go_to(&mut client, newest()?)?;
    assert_eq!(holds(&mut client, &other)?, "reader");
    assert_eq!(holds(&mut client, &reader)?, "nothing");
    client
        .batch_execute(&format!("DROP ROLE {reader}; DROP OWNED BY {other}; DROP ROLE {other}"))?;
    Ok(())
}

/// A role of a level that loses privileges is still reported, also after a walk down and up.
#[test]
fn a_role_that_lost_its_marks_is_reported() -> Result<()> {
    const FUNCTIONS: &str = "SELECT p.oid::regprocedure::text FROM pg_proc AS p, aclexplode(p.proacl) AS a \
         WHERE p.pronamespace = 'orchestrator'::regnamespace AND a.grantee = $1::text::regrole ORDER BY 1";
    let database = with_roles("unmarked")?;
    let mut client = database.client()?;
    let below = WITHOUT_LEVELS.parse()?;
    for level in cases::chosen(LEVELS, 2) {
        let role = name(&database, level);
        for function in cases::chosen(client.query(FUNCTIONS, &[&role])?, 4) {
            let function: String = function.try_get(0)?;
            client.batch_execute(&format!("REVOKE EXECUTE ON FUNCTION {function} FROM {role}"))?;
            let reported = differences(&mut client)?;
            assert_eq!(reported.len(), 1, "{level} without {function}: {reported:?}");
            let start = format!(
                "changed access level {role}: {level} / lacks EXECUTE ON FUNCTION {function}"
            );
            assert!(reported[0].starts_with(&start), "{reported:?}");
            assert_ne!(holds(&mut client, &role)?, "nothing", "{level} without {function}");
            assert_eq!(grant(&mut client, &role, level)?, 1);
        }
        // Without the mark that all levels have, the role has no level, and a downgrade keeps none.
        let revoke = format!("REVOKE EXECUTE ON FUNCTION orchestrator.access() FROM {role}");
        client.batch_execute(&revoke)?;
        assert_eq!(holds(&mut client, &role)?, "custom");
        let reported = differences(&mut client)?;
        go_to(&mut client, below)?;
        assert_eq!(text(&mut client, KEPT)?, "3", "{level}");
        go_to(&mut client, newest()?)?;
        assert_eq!(holds(&mut client, &role)?, "custom");
        let still = differences(&mut client)?;
        assert_eq!(still.len(), reported.len(), "{still:?}");
        assert!(
            still[0].starts_with(&format!("changed access level {role}: {level} / lacks ")),
            "{still:?}"
        );
        let hint = text(&mut client, "SELECT hint FROM orchestrator.verify()")?;
        let other_way =
            format!(" -- or, to revoke everything: SELECT orchestrator.revoke_access('{role}');");
        assert!(hint.ends_with(&other_way), "{hint}");
        client.batch_execute(&hint)?;
        assert_eq!(holds(&mut client, &role)?, level);
        assert_eq!(differences(&mut client)?, [""; 0]);
    }
    Ok(())
}

/// A role without a level is listed for a privilege of any kind that was granted by hand. It is not
/// reported as a deviation.
#[test]
fn a_role_with_any_privilege_is_listed() -> Result<()> {
    const GRANTS: [&str; 6] = [
        "USAGE ON SCHEMA orchestrator",
        "SELECT ON orchestrator.configurations",
        "UPDATE (title) ON orchestrator.tasks",
        "SELECT ON orchestrator.pending_decisions",
        "USAGE ON SEQUENCE orchestrator.file_audit_id_seq",
        "EXECUTE ON FUNCTION orchestrator.verify()",
    ];
    let database = with_roles("holding")?;
    let mut client = database.client()?;
    let nobody = name(&database, "nobody");
    assert_eq!(holds(&mut client, &nobody)?, "nothing");
    for granted in GRANTS {
        client.batch_execute(&format!("GRANT {granted} TO {nobody}"))?;
        assert_eq!(holds(&mut client, &nobody)?, "custom", "{granted}");
        assert_eq!(differences(&mut client)?, [""; 0], "{granted}");
        client.batch_execute(&format!("REVOKE {granted} FROM {nobody}"))?;
        assert_eq!(holds(&mut client, &nobody)?, "nothing", "{granted}");
    }
    client.batch_execute(&format!("GRANT {} TO {nobody}", GRANTS[1]))?;
    assert_eq!(text(&mut client, &format!("SELECT orchestrator.revoke_access('{nobody}')"))?, "1");
    assert_eq!(holds(&mut client, &nobody)?, "nothing");
    Ok(())
}

/// A dump contains the grants. A dump of a version below 0.6.0 contains the levels in the archive, and the
/// update restores them. A dump of an older version is restored beside the extension at that version: the
/// newest version has other arguments for some functions on which the dump grants privileges.
#[test]
fn levels_survive_dump_and_restore() -> Result<()> {
    let database = with_roles("dumped")?;
    let mut client = database.client()?;
    let newest = newest()?;
    let (with_levels, below) = ("0.6.0".parse()?, WITHOUT_LEVELS.parse()?);
    // After the grants; after a walk down and up; at older versions.
    for way in [&[][..], &[below, newest], &[with_levels], &[below]] {
        for version in way {
            go_to(&mut client, *version)?;
        }
        let version = way.last().copied().unwrap_or(newest);
        let folder = tempfile::tempdir()?;
        let target = folder.path().join("dump");
        dump::dump(&database, database.name(), &CUSTOM, &target)?;
        let restored = Database::create("restored")?;
        let mut theirs = restored.client()?;
        theirs
            .batch_execute(&format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'"))?;
        dump::restore(&restored, restored.name(), &CUSTOM, &target)?;
        go_to(&mut theirs, newest)?;
        let count = "SELECT count(*) FROM orchestrator.access()";
        assert_eq!(text(&mut theirs, count)?, "4", "restored after {way:?}");
        assert_eq!(differences(&mut theirs)?, [""; 0], "restored after {way:?}");
        let mut worker = restored.client_as(&name(&database, "worker"))?;
        worker.batch_execute("SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's')")?;
    }
    Ok(())
}

/// Queries that every level may run, with results that do not depend on rows.
const ASKED: [&str; 49] = [
    "SELECT orchestrator.estimate_cost('m', 1, 1)",
    "SELECT * FROM orchestrator.verify()",
    "SELECT * FROM orchestrator.dump_safety()",
    "SELECT * FROM orchestrator.access()",
    "SELECT orchestrator.help()",
    "SELECT orchestrator.fingerprint()",
    "SELECT orchestrator.manifest()",
    "SELECT * FROM orchestrator.allowed_transitions('task')",
    "SELECT * FROM orchestrator.run_trail('t')",
    "SELECT orchestrator.configuration_value('none', '1')",
    "SELECT orchestrator.get_configuration('limit')",
    "SELECT orchestrator.is_valid_configuration('1', 'integer')",
    "SELECT orchestrator.active_prompt('coder')",
    "SELECT * FROM orchestrator.prompt_diff('coder', '1.0.0', '1.0.0')",
    "SELECT orchestrator.text_sha256('x')",
    "SELECT orchestrator.next_prompt_version('coder')",
    "SELECT orchestrator.compare_versions('1.0.0', '1.0.1')",
    "SELECT orchestrator.llm_cost('gpt-5', 1, 1)",
    "SELECT * FROM orchestrator.model_price('gpt-5')",
    "SELECT * FROM orchestrator.llm_cost_by_day_as_of(now())",
    "SELECT orchestrator.is_valid_llm_call(0, 0, 0, 0, '{}', 'standard', NULL, NULL)",
    "SELECT orchestrator.llm_call_cost('[]', 1, 'standard', 1, 1, 0, 0, 0, 1, 0, '{}')",
    "SELECT orchestrator.llm_cost_line(NULL, NULL, '2026-01-01', 0, 0, 0, NULL, NULL)",
    "SELECT orchestrator.llm_special_call(1, 0, 0, 0, 0, 0, '{}', 'flex', NULL, now(), NULL, NULL)",
    "SELECT orchestrator.llm_usage_sums(NULL)",
    "SELECT orchestrator.llm_usage_sums_add('\\x', '\\x')",
    "SELECT orchestrator.llm_input_units('{}')",
    "SELECT orchestrator.llm_unpriced_units('[]', 1, 'standard', 1, '{}')",
    "SELECT orchestrator.typescript_types()",
    "SELECT orchestrator.json_schema('gates')",
    "SELECT * FROM orchestrator.compare_snapshots('a', 'b')",
    "SELECT * FROM orchestrator.enum_duplicates()",
    "SELECT * FROM orchestrator.v7_parse_file_name('WF1_V7_L1_1of2_Name.py')",
    "SELECT orchestrator.v7_is_valid_file_name('x')",
    "SELECT orchestrator.v7_missing_sign_offs(4, 'before')",
    "SELECT * FROM orchestrator.v7_verify()",
    "SELECT * FROM orchestrator.v7_verify_data()",
    "SELECT * FROM orchestrator.v7_verify_file_audit()",
    "SELECT * FROM orchestrator.v7_verify_infrastructure()",
    "SELECT * FROM orchestrator.v7_verify_preconditions()",
    "SELECT * FROM orchestrator.v7_verify_rollback()",
    "SELECT * FROM orchestrator.v7_verify_tables()",
    "SELECT * FROM orchestrator.pending_decisions",
    "SELECT * FROM orchestrator.decision_cards",
    "SELECT * FROM orchestrator.decisions",
    "SELECT * FROM orchestrator.decision('0198c5a0-0000-7000-8000-0000000000b1')",
    "SELECT * FROM orchestrator.configuration_listing",
    "SELECT * FROM orchestrator.audit_head()",
    "SELECT * FROM orchestrator.verify_audit_seals()",
];

#[test]
fn every_level_reads_everything_but_secrets() -> Result<()> {
    let database = with_roles("reading")?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.set_configuration('limit', '5'); SELECT orchestrator.publish_prompt('coder', '1.0.0', 'x', activate => true); \
         INSERT INTO orchestrator.gates (id, project_id, agent_id, gate_type, reason) VALUES ('0198c5a0-0000-7000-8000-0000000000b1', orchestrator.uuidv7(), 'a', 'manual', 'r'); \
         SELECT orchestrator.capture_snapshot('a'), orchestrator.capture_snapshot('b'); SELECT orchestrator.v7_load_plan()",
    )?;
    let callable = text(
        &mut client,
        &format!(
            "SELECT string_agg(p.proname, ' ') FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace AND has_function_privilege('{}', p.oid, 'EXECUTE')",
            name(&database, "reader")
        ),
    )?;
    for function in callable.split(' ') {
        let asked = ASKED.iter().any(|sql| sql.contains(&format!("orchestrator.{function}(")));
        assert!(asked, "a reader may call {function}: it must be asked here");
    }
    for level in LEVELS {
        let mut theirs = database.client_as(&name(&database, level))?;
        for sql in ASKED {
            if let Err(error) = theirs.batch_execute(sql) {
                panic!("{level}: {sql}: {}", xtask::address::explain(&error));
            }
        }
    }
    Ok(())
}

/// Admins may take the steps of a phase for which no function exists, within the rules of the trigger.
#[test]
fn an_admin_takes_a_phase_up_again_and_blocks_it() -> Result<()> {
    let database = with_roles("phases")?;
    let mut admins = database.client_as(&name(&database, "admin"))?;
    let to = |status: &str| {
        format!(
            "UPDATE orchestrator.v7_migration_workflow SET status = '{status}' WHERE phase_number = 1"
        )
    };
    admins.batch_execute(
        "SELECT orchestrator.v7_load_plan(); SELECT orchestrator.v7_start_phase(1); \
         SELECT orchestrator.v7_roll_back_phase(1, 'x')",
    )?;
    for status in [
        "not_started",
        "in_progress",
        "blocked",
        "in_progress",
        "review",
        "in_progress",
        "rolled_back",
    ] {
        admins.batch_execute(&to(status))?;
    }
    admins.batch_execute(&to("not_started"))?;
    let (code, _) = refusal(&mut admins, &to("completed"));
    assert_eq!(code, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    let mut workers = database.client_as(&name(&database, "worker"))?;
    assert_forbidden(&mut workers, "a worker", &to("in_progress"));
    Ok(())
}
