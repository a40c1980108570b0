\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.1'" to load this file. \quit

-- 0.2.2 -> 0.2.1: removes prompts; the rows stay in orchestrator_archive.prompts. Archiving drops the
-- trigger, so its function can be dropped after it.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.1');

DROP FUNCTION orchestrator.next_prompt_version(text, text);
DROP FUNCTION orchestrator.active_prompt(text);
DROP FUNCTION orchestrator.activate_prompt(text, text);
DROP FUNCTION orchestrator.publish_prompt(text, text, text, text, text, boolean);
DROP FUNCTION orchestrator.compare_versions(text, text);
DROP VIEW orchestrator.prompt_history;
SELECT orchestrator.archive_table('orchestrator.prompts');
DROP FUNCTION orchestrator.enforce_immutable();
