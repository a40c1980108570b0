\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.0'" to load this file. \quit

-- 0.2.1 -> 0.2.0: collaboration goes; requests and outcomes stay in orchestrator_archive.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.2.0');

DROP FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer);
DROP FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid);
DROP VIEW orchestrator.collaboration_status;
SELECT orchestrator.archive_table('orchestrator.collaboration_outcomes');
SELECT orchestrator.archive_table('orchestrator.collaboration_requests');
