\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.6'" to load this file. \quit

-- 0.2.0 -> 0.1.6: removes gates; the rows stay in orchestrator_archive.gates.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.6');

DROP FUNCTION orchestrator.resolve_gate(uuid, text, text, text);
DROP FUNCTION orchestrator.open_gate(uuid, text, text, text, jsonb);
SELECT orchestrator.archive_table('orchestrator.gates');
