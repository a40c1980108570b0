\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.3'" to load this file. \quit

-- 0.1.4 -> 0.1.3: sessions go; they stay in orchestrator_archive.sessions.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- What of users' needs what goes here stops the downgrade, before anything has changed.
SELECT FROM orchestrator.downgrade_plan('0.1.3');

DROP FUNCTION orchestrator.deactivate_stale_sessions(interval);
DROP FUNCTION orchestrator.session_heartbeat(uuid);
SELECT orchestrator.archive_table('orchestrator.sessions');
