\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.1'" to load this file. \quit

-- 0.7.2 -> 0.7.1: removes workflows that advance; orchestrator_archive keeps the rows.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.7.1');
