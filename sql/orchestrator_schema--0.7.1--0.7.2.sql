\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.2'" to load this file. \quit

-- 0.7.1 -> 0.7.2: workflows that advance.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.7.2');
