\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3'" to load this file. \quit

-- 0.2.2 -> 0.2.3: token usage, one row per call of a language model.
-- Locks no existing object. Rows kept by an earlier downgrade are restored. The table has no trigger
-- and no foreign key, because calls are many and are inserted in bulk.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.3');

CREATE TABLE orchestrator.llm_token_usage (
    id            uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    "timestamp"   timestamptz NOT NULL DEFAULT now(),
    project_id    uuid,
    agent_id      text,
    model         text        NOT NULL,
    input_tokens  bigint      NOT NULL,
    output_tokens bigint      NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT llm_token_usage_agent_id_check      CHECK (btrim(agent_id) <> ''),
    CONSTRAINT llm_token_usage_model_check         CHECK (btrim(model) <> ''),
    CONSTRAINT llm_token_usage_input_tokens_check  CHECK (input_tokens >= 0),
    CONSTRAINT llm_token_usage_output_tokens_check CHECK (output_tokens >= 0)
);
COMMENT ON TABLE orchestrator.llm_token_usage IS 'Calls of language models with the tokens of each; views compute the cost';
COMMENT ON COLUMN orchestrator.llm_token_usage."timestamp" IS 'When the model was called';
COMMENT ON COLUMN orchestrator.llm_token_usage.project_id IS 'The project of the call; NULL for none';
COMMENT ON COLUMN orchestrator.llm_token_usage.agent_id IS 'The agent that called the model; NULL for none';
COMMENT ON COLUMN orchestrator.llm_token_usage.model IS 'The name of the model, as in llm_pricing';
COMMENT ON COLUMN orchestrator.llm_token_usage.created_at IS 'When the row was written';

SELECT orchestrator.restore_table('orchestrator.llm_token_usage');

CREATE INDEX idx_token_usage_timestamp     ON orchestrator.llm_token_usage ("timestamp");
CREATE INDEX idx_token_usage_agent         ON orchestrator.llm_token_usage (agent_id);
CREATE INDEX idx_token_usage_project_agent ON orchestrator.llm_token_usage (project_id, agent_id);
CREATE INDEX idx_token_usage_model         ON orchestrator.llm_token_usage (model);
-- Reports select by UTC day. Calls arrive in the order of their time, so a BRIN index, with one range of
-- days for each part of the table, is enough. A B-tree would make every insert more expensive.
CREATE INDEX idx_token_usage_day           ON orchestrator.llm_token_usage
    USING brin ((("timestamp" AT TIME ZONE 'UTC')::date)) WITH (pages_per_range = 32, autosummarize = on);

SELECT pg_extension_config_dump('orchestrator.llm_token_usage', '');

CREATE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, at timestamptz DEFAULT now())
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_token_usage_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_token_usage(text, bigint, bigint, uuid, text, timestamptz) IS
    'Records a call of a language model with its tokens. Returns the id of the row';
