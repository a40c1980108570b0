//! A schema of traps in front of pg_catalog: each function, operator and type of the same name fails
//! when it is used, and so does each relation, of the extension too. It is made from the catalog.

use anyhow::Result;
use postgres::Client;

/// What a trap fails with: one that was called; one whose arguments only the server's own language can
/// take; a domain without a value, of integers; and relations that have no column, or none that may be read.
pub const CODES: [&str; 7] = ["XX001", "0A000", "23514", "22P02", "42703", "42501", "42809"];

/// Sets the traps in schema `evil`.
pub fn set(superuser: &mut Client) -> Result<()> {
    superuser.batch_execute(SCHEMA)?;
    superuser.batch_execute(&format!("{FUNCTIONS}{OPERATORS}{}", relations("")))?;
    let unset = superuser.query_one(UNSET, &[])?.try_get::<_, Option<String>>(0)?;
    assert_eq!(unset, None, "nobody could define these");
    Ok(())
}

/// Puts the traps in front of everything else for a session, and relations and types of the same
/// names among its temporary objects.
pub fn surround(client: &mut Client) -> Result<()> {
    client.batch_execute("SET search_path = pg_catalog")?;
    client.batch_execute(&relations("TEMP "))?;
    hostile(client)
}

/// Only the path.
pub fn hostile(client: &mut Client) -> Result<()> {
    Ok(client.batch_execute("SET search_path = evil, pg_temp, pg_catalog, orchestrator")?)
}

const SCHEMA: &str = "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;";

/// What of pg_catalog has no trap, but for what nobody can define: a result of a type that no argument
/// tells. Triggers are called by name nowhere.
const UNSET: &str = "\
    SELECT string_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text, ' ') FROM pg_proc AS p \
    WHERE p.pronamespace = 'pg_catalog'::regnamespace \
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype) \
      AND p.prorettype::regtype::text NOT LIKE 'any%' \
      AND NOT EXISTS (SELECT FROM pg_proc AS e WHERE e.pronamespace = 'evil'::regnamespace \
                      AND e.proname = p.proname AND e.proargtypes = p.proargtypes)";

/// Makes one trap: in PL/pgSQL it says what was called and as whom; what takes pseudo-types that no
/// other language knows is an internal function that fails.
const FUNCTIONS: &str = r#"
CREATE FUNCTION pg_temp.trap(name text, function oid, what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p pg_proc;
    arguments text;
    result text;
    is_plain boolean;
BEGIN
    SELECT * INTO p FROM pg_proc WHERE oid = function;
    SELECT coalesce(string_agg(CASE WHEN a.place = p.pronargs AND p.provariadic <> 0 THEN 'VARIADIC ' ELSE '' END
                               || format_type(a.type, NULL), ', ' ORDER BY a.place), ''),
           coalesce(bool_and(t.typtype <> 'p' OR (t.typname LIKE 'any%' AND t.typname <> 'any')), true)
      INTO arguments, is_plain
      FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, place) JOIN pg_type AS t ON t.oid = a.type;
    SELECT CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || format_type(t.oid, NULL),
           is_plain AND (t.typtype <> 'p' OR t.typname IN ('void', 'record') OR (t.typname LIKE 'any%' AND t.typname <> 'any'))
      INTO result, is_plain FROM pg_type AS t WHERE t.oid = p.prorettype;
    IF p.prokind = 'a' AND p.pronargs = 0 THEN
        CREATE FUNCTION evil.next(bigint) RETURNS bigint LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''trap an aggregate, as % for %'', current_user, session_user USING ERRCODE = ''XX001''; END';
        EXECUTE format('CREATE AGGREGATE evil.%I(*) (SFUNC = evil.next, STYPE = bigint, INITCOND = ''0'')', name);
    ELSIF is_plain THEN
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', name, arguments, result,
            format('BEGIN RAISE EXCEPTION ''trap %%, as %% for %%'', %L, current_user, session_user USING ERRCODE = ''XX001''; END', what));
    ELSE
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE internal AS ''any_in''', name, arguments, result);
    END IF;
EXCEPTION WHEN invalid_function_definition THEN
    -- A result of a type that no argument tells: nobody can define such a function.
    NULL;
END $$;
DO $$
DECLARE
    p record;
BEGIN
    SET LOCAL search_path = pg_catalog, pg_temp;
    FOR p IN SELECT oid, proname FROM pg_proc
             WHERE pronamespace = 'pg_catalog'::regnamespace AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) LOOP
        PERFORM pg_temp.trap(p.proname, p.oid, p.proname);
    END LOOP;
END $$;
"#;

const OPERATORS: &str = r#"
DO $$
DECLARE
    o record;
BEGIN
    SET LOCAL search_path = pg_catalog, pg_temp;
    FOR o IN SELECT oid, oprname, oprleft, oprright, oprcode FROM pg_operator
             WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprcode <> 0 LOOP
        PERFORM pg_temp.trap('operator_' || o.oid, o.oprcode, o.oprname);
        CONTINUE WHEN to_regproc('evil.operator_' || o.oid) IS NULL;
        EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.%I, %s RIGHTARG = %s)', o.oprname, 'operator_' || o.oid,
            'LEFTARG = ' || nullif(o.oprleft, 0)::regtype || ',', o.oprright::regtype);
    END LOOP;
END $$;
"#;

/// Relations without a column, and domains without a value, beside the traps or among the temporary
/// objects of a session.
fn relations(temporary: &str) -> String {
    let schema = if temporary.is_empty() { "evil" } else { "pg_temp" };
    format!(
        "DO $$
        DECLARE
            name text;
        BEGIN
            SET LOCAL search_path = pg_catalog;
            FOR name IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
                        AND typtype IN ('b', 'r', 'm') AND typelem = 0 LOOP
                EXECUTE format('CREATE DOMAIN {schema}.%I AS pg_catalog.int4 CHECK (false)', name);
            END LOOP;
            FOR name IN SELECT DISTINCT relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                        WHERE n.nspname IN ('pg_catalog', 'orchestrator') AND relkind IN ('r', 'v', 'S', 'p') LOOP
                EXECUTE format('CREATE {temporary}TABLE {schema}.%I ()', name);
            END LOOP;
        END $$;"
    )
}
