//! The value of a secret is for admins: nobody below sees it, in no table, view, function or error.

use anyhow::Result;
use support::extension::{newest, walked_to};
use support::roles::{self, name};

use super::{assert_forbidden, refusal, text};

const SECRET: &str = "hunter2-4711";

#[test]
fn nobody_below_admin_sees_the_value_of_a_secret() -> Result<()> {
    let database = walked_to("secret", newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.set_configuration('password', '{SECRET}', is_secret => true); \
         SELECT orchestrator.set_configuration('limit', '5', 'integer'); \
         SELECT orchestrator.set_configuration('{SECRET}x', 'no age', 'string', is_secret => false); \
         DELETE FROM orchestrator.configurations WHERE key <> 'password' AND key <> 'limit'; \
         ANALYZE orchestrator.configurations"
    ))?;
    let mut admin = database.client_as(&name(&database, "admin"))?;
    assert_eq!(text(&mut admin, "SELECT orchestrator.get_configuration('password')")?, SECRET);
    assert_eq!(
        text(&mut admin, "SELECT orchestrator.configuration_value('password')")?,
        format!("\"{SECRET}\"")
    );
    for level in ["nobody", "reader", "worker", "reviewer"] {
        let mut theirs = database.client_as(&name(&database, level))?;
        for sql in [
            "SELECT * FROM orchestrator.configurations",
            "SELECT value FROM orchestrator.configurations",
            "SELECT key FROM orchestrator.configurations",
            "COPY orchestrator.configurations TO STDOUT",
            "SELECT orchestrator.get_configuration('password')",
            "SELECT orchestrator.configuration_value('password')",
            "SELECT orchestrator.configuration_value('password', '1')",
            "SELECT orchestrator.set_configuration('password', 'x', 'integer')",
            "SELECT orchestrator.set_configuration('password', 'mine', is_secret => false)",
            "UPDATE orchestrator.configurations SET is_secret = false",
        ] {
            let (_, message) = refusal(&mut theirs, sql);
            assert!(!message.contains(SECRET), "{level}: {sql}: {message}");
            assert_forbidden(&mut theirs, level, sql);
        }
        if level == "nobody" {
            continue;
        }
        assert_eq!(text(&mut theirs, "SELECT orchestrator.configuration_value('limit')")?, "5");
        assert_eq!(text(&mut theirs, "SELECT orchestrator.get_configuration('limit')")?, "5");
        let listed = "SELECT string_agg(key || ' ' || value, ', ' ORDER BY key) FROM orchestrator.configuration_listing";
        assert_eq!(text(&mut theirs, listed)?, "limit 5, password ********");
        // A condition of the caller's is not asked before the mask is on.
        theirs.batch_execute(
            "CREATE FUNCTION pg_temp.look(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN \
                 IF t LIKE 'hunter%' THEN RAISE 'seen %', t; END IF; RETURN true; END $$; \
             SELECT * FROM orchestrator.configuration_listing WHERE pg_temp.look(value)",
        )?;
        assert_eq!(
            text(
                &mut theirs,
                &format!(
                    "SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%{SECRET}%' OR histogram_bounds::text LIKE '%{SECRET}%'"
                )
            )?,
            "0"
        );
        for relation in readable(&mut theirs)? {
            let found =
                format!("SELECT count(*) FROM {relation} AS t WHERE t::text LIKE '%{SECRET}%'");
            assert_eq!(text(&mut theirs, &found)?, "0", "{level} in {relation}");
        }
    }
    Ok(())
}

/// Every table and view that a role may read as a whole.
fn readable(client: &mut postgres::Client) -> Result<Vec<String>> {
    let rows = client.query(
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace \
         AND c.relkind IN ('r', 'v') AND has_table_privilege(c.oid, 'SELECT')",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
