\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3'" to load this file. \quit

-- 0.2.4 -> 0.2.3: removes staged knowledge; the rows stay in orchestrator_archive.knowledge_staging.
-- From here on resolving a gate stages nothing.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.2.3');

CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_wrapper';

DROP FUNCTION orchestrator.purge_knowledge(interval);
DROP FUNCTION orchestrator.mark_knowledge_embedded(uuid[]);
DROP FUNCTION orchestrator.claim_knowledge(integer);
DROP FUNCTION orchestrator.stage_knowledge(text, text, jsonb);
SELECT orchestrator.archive_table('orchestrator.knowledge_staging');
