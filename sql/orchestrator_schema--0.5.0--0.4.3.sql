\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.3'" to load this file. \quit

-- 0.5.0 -> 0.4.3: removes runs, reviews and the types for applications; the rows stay in
-- orchestrator_archive. The events of runs and reviews stay in the audit trail.
-- Locks audit_events until the transaction ends; no row is read or written.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.4.3');

DROP FUNCTION orchestrator.json_schema(text);
DROP FUNCTION orchestrator.typescript_types();
DROP FUNCTION orchestrator.resolve_reviews(uuid[], text, text, text);
DROP FUNCTION orchestrator.resolve_review(uuid, text, text, text);
DROP FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb);
DROP FUNCTION orchestrator.kill_run(text, text);
DROP FUNCTION orchestrator.resume_run(text);
DROP FUNCTION orchestrator.pause_run(text, text);
DROP FUNCTION orchestrator.record_safety(text, numeric, text[]);
DROP FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text);
DROP FUNCTION orchestrator.start_run(text, uuid, text);
DROP VIEW orchestrator.run_summary;
DROP INDEX orchestrator.idx_audit_events_thread;

SELECT orchestrator.archive_table('orchestrator.human_review_queue');
SELECT orchestrator.archive_table('orchestrator.orchestrator_runs');
