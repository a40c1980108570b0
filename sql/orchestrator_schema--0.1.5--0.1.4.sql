\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.4'" to load this file. \quit

-- 0.1.5 -> 0.1.4: removes configuration; the rows stay in orchestrator_archive.configurations.
-- Archiving drops the CHECK that uses is_valid_configuration, so the function can be dropped after it.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.1.4');

DROP FUNCTION orchestrator.configuration_value(text, jsonb);
DROP FUNCTION orchestrator.get_configuration(text);
DROP FUNCTION orchestrator.set_configuration(text, text, text, text, boolean);
DROP VIEW orchestrator.configuration_listing;
SELECT orchestrator.archive_table('orchestrator.configurations');
DROP FUNCTION orchestrator.is_valid_configuration(text, text);
