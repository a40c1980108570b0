\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.3'" to load this file. \quit

-- 0.1.4 -> 0.1.3: removes sessions; the rows stay in orchestrator_archive.sessions.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.3');

DROP FUNCTION orchestrator.deactivate_stale_sessions(interval);
DROP FUNCTION orchestrator.session_heartbeat(uuid);
SELECT orchestrator.archive_table('orchestrator.sessions');
