\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.2'" to load this file. \quit

-- 0.2.1 -> 0.2.2: prompts in semantic versions, one of them active per agent type.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.2');

CREATE FUNCTION orchestrator.enforce_immutable()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_immutable_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_immutable() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_immutable() IS
    'BEFORE UPDATE row trigger (column [, column ...]): refuses changes of the named columns';

CREATE TABLE orchestrator.prompts (
    id          uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    agent_type  text        NOT NULL,
    version     text        NOT NULL,
    prompt_text text        NOT NULL,
    is_active   boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text,
    notes       text,
    CONSTRAINT uq_prompts_agent_version  UNIQUE (agent_type, version),
    CONSTRAINT prompts_agent_type_check  CHECK (btrim(agent_type) <> ''),
    -- Three numbers of 32 bits each, without leading zeros; the cast is safe behind the pattern.
    CONSTRAINT prompts_version_check     CHECK (CASE WHEN version ~ '^(0|[1-9][0-9]{0,9})[.](0|[1-9][0-9]{0,9})[.](0|[1-9][0-9]{0,9})$'
                                                     THEN 4294967295 >= ALL (string_to_array(version, '.')::bigint[]) ELSE false END),
    CONSTRAINT prompts_prompt_text_check CHECK (btrim(prompt_text) <> '')
);
COMMENT ON TABLE orchestrator.prompts IS 'Published prompts; a published prompt never changes, and a correction is a new version';
COMMENT ON COLUMN orchestrator.prompts.agent_type IS 'The kind of agent that uses the prompt';
COMMENT ON COLUMN orchestrator.prompts.version IS 'major.minor.patch, unique per agent type';
COMMENT ON COLUMN orchestrator.prompts.is_active IS 'Whether agents of the type use this version; true for at most one version';

SELECT orchestrator.restore_table('orchestrator.prompts');

CREATE INDEX idx_prompts_created ON orchestrator.prompts (created_at);
CREATE UNIQUE INDEX uq_prompts_active ON orchestrator.prompts (agent_type) WHERE is_active;

SELECT pg_extension_config_dump('orchestrator.prompts', '');

CREATE TRIGGER prompts_immutable BEFORE UPDATE ON orchestrator.prompts
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('agent_type', 'version', 'prompt_text', 'created_at');

CREATE VIEW orchestrator.prompt_history AS
SELECT p.agent_type, p.version, p.is_active, p.created_at, p.created_by, p.notes, p.prompt_text, p.id
FROM orchestrator.prompts AS p
ORDER BY p.agent_type, string_to_array(p.version, '.')::bigint[] DESC;
COMMENT ON VIEW orchestrator.prompt_history IS 'Every prompt, for each agent type the highest version first; 1.10.0 is higher than 1.9.0';

CREATE FUNCTION orchestrator.compare_versions(a text, b text)
RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'compare_versions_wrapper';
REVOKE ALL ON FUNCTION orchestrator.compare_versions(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.compare_versions(text, text) IS
    'Compares two versions major.minor.patch. Returns -1 if a is lower than b, 0 if they are equal, 1 if a is higher';

CREATE FUNCTION orchestrator.publish_prompt(agent_type text, version text, prompt_text text, created_by text DEFAULT NULL, notes text DEFAULT NULL, activate boolean DEFAULT false)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'publish_prompt_wrapper';
REVOKE ALL ON FUNCTION orchestrator.publish_prompt(text, text, text, text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.publish_prompt(text, text, text, text, text, boolean) IS
    'Publishes a version of a prompt, and activates it on request. Returns its id';

CREATE FUNCTION orchestrator.activate_prompt(agent_type text, version text)
RETURNS orchestrator.prompts
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'activate_prompt_wrapper';
REVOKE ALL ON FUNCTION orchestrator.activate_prompt(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.activate_prompt(text, text) IS
    'Makes a published version the active one of its agent type, and deactivates the previous one. Returns the row';

CREATE FUNCTION orchestrator.active_prompt(agent_type text)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'active_prompt_wrapper';
REVOKE ALL ON FUNCTION orchestrator.active_prompt(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.active_prompt(text) IS
    'The text of the active prompt of an agent type; an error if there is none';

CREATE FUNCTION orchestrator.next_prompt_version(agent_type text, bump text DEFAULT 'patch')
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'next_prompt_version_wrapper';
REVOKE ALL ON FUNCTION orchestrator.next_prompt_version(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.next_prompt_version(text, text) IS
    'The version after the highest one of an agent type, by a major, minor or patch step; 1.0.0 if there is none';
