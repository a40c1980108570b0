\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.0'" to load this file. \quit

-- 0.2.1 -> 0.2.0: removes collaboration; requests and outcomes stay in orchestrator_archive.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.0');

DROP FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer);
DROP FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid);
DROP VIEW orchestrator.collaboration_status;
SELECT orchestrator.archive_table('orchestrator.collaboration_outcomes');
SELECT orchestrator.archive_table('orchestrator.collaboration_requests');
