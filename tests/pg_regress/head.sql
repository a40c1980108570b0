\set ECHO none
-- The beginning of most pages: the newest version, plain output, and a function that shows the error of a
-- refused statement. Pages include it with \i, so that none repeats it.
\set VERBOSITY terse
\set QUIET on
SET client_min_messages = notice;
SET datestyle = 'ISO';
CREATE EXTENSION orchestrator_schema;
-- Runs a statement that must be refused; returns its error without ids and times.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE code text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(regexp_replace(concat_ws(E'\n', code || ': ' || message, nullif(detail, ''), nullif(hint, '')),
        '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g'), '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.0-9]*[-+]\d\d', '<time>', 'g');
END $$;
\pset format unaligned
\pset tuples_only on
\set ECHO all
