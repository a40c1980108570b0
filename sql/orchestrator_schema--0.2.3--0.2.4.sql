\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.4'" to load this file. \quit

-- 0.2.3 -> 0.2.4: knowledge that waits to be embedded; resolving a gate stages its lesson.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.4');

CREATE TABLE orchestrator.knowledge_staging (
    id             uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    knowledge_type text        NOT NULL,
    content        text        NOT NULL,
    metadata       jsonb       NOT NULL DEFAULT '{}',
    embedded       boolean     NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    embedded_at    timestamptz,
    CONSTRAINT knowledge_staging_knowledge_type_check CHECK (knowledge_type IN ('failure_solution', 'gate_rejection', 'gate_approval', 'collaboration')),
    CONSTRAINT knowledge_staging_content_check        CHECK (btrim(content) <> ''),
    CONSTRAINT knowledge_staging_embedded_check       CHECK (embedded = (embedded_at IS NOT NULL)),
    -- A missing key has no type, and NULL passes.
    CONSTRAINT knowledge_staging_metadata_check       CHECK (
        jsonb_typeof(metadata) = 'object'
        AND metadata ->> 'project_id' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        AND jsonb_typeof(metadata -> 'project_id') = 'string'
        AND jsonb_typeof(metadata -> 'agent_type') = 'string'
        AND jsonb_typeof(metadata -> 'task_type') = 'string'
        AND jsonb_typeof(metadata -> 'technology') = 'string'
        AND jsonb_typeof(metadata -> 'success_verified') = 'boolean')
);
COMMENT ON TABLE orchestrator.knowledge_staging IS 'Lessons that wait to be embedded for retrieval, and those that are embedded';
COMMENT ON COLUMN orchestrator.knowledge_staging.content IS 'The text to embed';
COMMENT ON COLUMN orchestrator.knowledge_staging.metadata IS 'Keys to filter by at retrieval: project_id (uuid), agent_type, task_type, technology (text), success_verified (boolean), and any others';
COMMENT ON COLUMN orchestrator.knowledge_staging.embedded IS 'Whether the embedding is stored, elsewhere';
COMMENT ON COLUMN orchestrator.knowledge_staging.knowledge_type IS 'Origin of the lesson. failure_solution: the solution of a failure; gate_rejection: a denied gate; gate_approval: an approved gate; collaboration: the answer of a specialist';

SELECT orchestrator.restore_table('orchestrator.knowledge_staging');

CREATE INDEX idx_knowledge_staging_type    ON orchestrator.knowledge_staging (knowledge_type);
CREATE INDEX idx_knowledge_staging_created ON orchestrator.knowledge_staging (created_at);
-- The queue of knowledge to embed, in the order in which it is claimed.
CREATE INDEX idx_knowledge_staging_pending ON orchestrator.knowledge_staging (created_at, id) WHERE NOT embedded;

SELECT pg_extension_config_dump('orchestrator.knowledge_staging', '');

CREATE FUNCTION orchestrator.stage_knowledge(knowledge_type text, content text, metadata jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'stage_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.stage_knowledge(text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.stage_knowledge(text, text, jsonb) IS
    'Stages knowledge for embedding. Returns its id';

CREATE FUNCTION orchestrator.claim_knowledge(batch integer DEFAULT 50)
RETURNS TABLE (id uuid, knowledge_type text, content text, metadata jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'claim_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.claim_knowledge(integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.claim_knowledge(integer) IS
    'The oldest knowledge to embed that no other transaction has claimed; the claim ends with the transaction';

CREATE FUNCTION orchestrator.mark_knowledge_embedded(ids uuid[])
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mark_knowledge_embedded_wrapper';
REVOKE ALL ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) IS
    'Marks knowledge as embedded. Returns the number of entries that were not embedded before';

CREATE FUNCTION orchestrator.purge_knowledge(embedded_for interval DEFAULT '365 days')
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'purge_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.purge_knowledge(interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.purge_knowledge(interval) IS
    'Deletes knowledge that was embedded longer ago than the argument says. Returns the number of deleted entries';

-- From here on resolve_gate stages the lesson of the gate in its own transaction.
CREATE OR REPLACE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS orchestrator.gates
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_gate_0_2_4_wrapper';
