\i head.sql
-- Where to start, and the groups in their order.
SELECT line FROM orchestrator.help() WITH ORDINALITY AS l (line, number)
WHERE number < (SELECT min(number) FROM orchestrator.help() WITH ORDINALITY AS l (line, number) WHERE line = 'Tasks') OR line ~ '^\S';
-- One topic in full: a function with an example, a table with the values of its columns, a state machine.
SELECT orchestrator.help('resolve_gate');
SELECT orchestrator.help('orchestrator.Workflows');
SELECT orchestrator.help('tasks');
SELECT orchestrator.help('run_gate');
SELECT orchestrator.help('collaboration_status');
-- Every function has help with an example, and every example is a statement that the server can plan.
CREATE FUNCTION pg_temp.unhelpful() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE member text; lines text[];
BEGIN
    FOR member IN
        SELECT DISTINCT p.proname::text FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e'
        WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.prorettype <> 'trigger'::regtype
    LOOP
        lines := ARRAY(SELECT orchestrator.help(member));
        IF array_position(lines, 'Example:') IS NULL THEN
            RETURN NEXT member || ': no example';
        ELSE
            EXECUTE 'EXPLAIN ' || array_to_string(lines[array_position(lines, 'Example:') + 1 :], E'\n');
        END IF;
    END LOOP;
END $$;
SELECT pg_temp.unhelpful();
-- Each member belongs to exactly one group.
SELECT count(*) FROM orchestrator.help() AS line WHERE line = 'Other members';
-- All topics: each relation and each function has a line and its COMMENT.
SELECT count(*) FILTER (WHERE line ~ '^  \S') = (
        SELECT count(DISTINCT coalesce(c.relname, p.proname)) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'orchestrator_schema'
        LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
        WHERE d.deptype = 'e' AND (c.relkind IN ('r', 'v') OR p.prorettype <> 'trigger'::regtype)) AS all_listed,
    count(*) FILTER (WHERE btrim(line) = '') AS without_comment
FROM orchestrator.help() AS line;
-- Refusals.
SELECT pg_temp.refusal($$SELECT orchestrator.help('')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.help('knowledge')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.help('resolv_gate')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.help('coffee')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.help(repeat('coffee ', 1000))$$) LIKE 'P0002: there is no help on "coffee coffee %';
-- It describes the version that is installed.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.1';
SELECT orchestrator.help();
SELECT pg_temp.refusal($$SELECT orchestrator.help('task')$$);
SELECT * FROM orchestrator.verify();
