//! A schema of traps before pg_catalog in the search_path. It has a function, operator or type for each
//! name in pg_catalog, and a relation for each name there and in the extension; each fails when it is
//! used. The traps are made from the catalog.

use anyhow::Result;
use postgres::Client;

/// The SQLSTATEs of traps: a function that was called; one whose arguments only the server's own
/// language can take; a domain without a value, and one of integers; and relations without a column, or
/// without one that may be read.
pub const CODES: [&str; 7] = ["XX001", "0A000", "23514", "22P02", "42703", "42501", "42809"];

/// Creates the traps in schema `evil`.
pub fn set(superuser: &mut Client) -> Result<()> {
    superuser.batch_execute(SCHEMA)?;
    superuser.batch_execute(&format!("{FUNCTIONS}{OPERATORS}{}", relations("")))?;
    let unset = superuser.query_one(UNSET, &[])?.try_get::<_, Option<String>>(0)?;
    assert_eq!(unset, None, "nobody could define these");
    Ok(())
}

/// Puts the traps before all other schemas for a session, and creates temporary relations and types of
/// the same names.
pub fn surround(client: &mut Client) -> Result<()> {
    client.batch_execute("SET search_path = pg_catalog")?;
    client.batch_execute(&relations("TEMP "))?;
    hostile(client)
}

/// Sets only the search_path.
pub fn hostile(client: &mut Client) -> Result<()> {
    Ok(client.batch_execute("SET search_path = evil, pg_temp, pg_catalog, orchestrator")?)
}

const SCHEMA: &str = "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;";

/// The objects of pg_catalog without a trap. Left out are functions that nobody can define, because no
/// argument determines the type of their result, and trigger functions, which are never called by name.
const UNSET: &str = "\
    SELECT string_agg(p.oid::pg_catalog.regprocedure::pg_catalog.text, ' ') FROM pg_proc AS p \
    WHERE p.pronamespace = 'pg_catalog'::regnamespace \
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype) \
      AND p.prorettype::regtype::text NOT LIKE 'any%' \
      AND NOT EXISTS (SELECT FROM pg_proc AS e WHERE e.pronamespace = 'evil'::regnamespace \
                      AND e.proname = p.proname AND e.proargtypes = p.proargtypes)";

/// Creates one trap. In PL/pgSQL, its error names the called function and the current user. For
/// pseudo-types that no other language accepts, the trap is an internal function that fails.
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
    -- No argument determines the type of the result: nobody can define such a function.
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

/// Statements that create relations without a column and domains without a value, in the schema of the
/// traps or as temporary objects of a session.
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
