\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.9.1'" to load this file. \quit

-- 0.9.0 -> 0.9.1: prompts and knowledge that keep their past: which version was live when, labels and splits, activations
-- that need a decision; knowledge that cannot be embedded stops nobody.
-- active_prompt reads the history too: whoever could call it by grants of columns of prompts needs SELECT on the columns of
-- prompt_activations and on prompts.id.
-- Locks prompts, knowledge, gates and rules until the transaction ends. prompts is rewritten; the wider CHECKs read gates and
-- rules once. Rows and values kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.9.1');

-- knowledge_staging

ALTER TABLE orchestrator.knowledge_staging
    ADD COLUMN attempts         integer NOT NULL DEFAULT 0,
    ADD COLUMN last_error       text,
    ADD COLUMN retry_at         timestamptz,
    ADD COLUMN given_up_at      timestamptz,
    ADD COLUMN embedding_model  text,
    ADD COLUMN claimed_by       text,
    ADD COLUMN lease_expires_at timestamptz,
    ADD CONSTRAINT knowledge_staging_attempts_check        CHECK (attempts >= 0),
    ADD CONSTRAINT knowledge_staging_embedding_model_check CHECK (btrim(embedding_model) <> ''),
    ADD CONSTRAINT knowledge_staging_claim_check           CHECK ((claimed_by IS NULL) = (lease_expires_at IS NULL) AND btrim(claimed_by) <> '');
COMMENT ON COLUMN orchestrator.knowledge_staging.attempts IS 'The number of attempts to embed it since it was staged: claims with a lease, and failures of others';
COMMENT ON COLUMN orchestrator.knowledge_staging.last_error IS 'Why the last failed attempt failed';
COMMENT ON COLUMN orchestrator.knowledge_staging.retry_at IS 'When it can be claimed again after a failure; NULL for at once';
COMMENT ON COLUMN orchestrator.knowledge_staging.given_up_at IS 'When it was given up: it is not claimed again, unless it is restaged';
COMMENT ON COLUMN orchestrator.knowledge_staging.embedding_model IS 'The model that embedded it; NULL for unknown';
COMMENT ON COLUMN orchestrator.knowledge_staging.claimed_by IS 'The embedder that is working on it, until lease_expires_at';
COMMENT ON COLUMN orchestrator.knowledge_staging.lease_expires_at IS 'When others can claim it';

SELECT orchestrator.restore_columns('orchestrator.knowledge_staging', array['attempts', 'last_error', 'retry_at', 'given_up_at', 'embedding_model', 'claimed_by', 'lease_expires_at']);

-- What was given up is no longer in the queue.
DROP INDEX orchestrator.idx_knowledge_staging_pending;
CREATE INDEX idx_knowledge_staging_pending ON orchestrator.knowledge_staging (created_at, id) WHERE NOT embedded AND given_up_at IS NULL;
CREATE INDEX idx_knowledge_staging_given_up ON orchestrator.knowledge_staging (given_up_at, id) WHERE NOT embedded AND given_up_at IS NOT NULL;

CREATE FUNCTION orchestrator.claim_knowledge(batch integer DEFAULT 50, worker text DEFAULT NULL, lease interval DEFAULT NULL)
RETURNS TABLE (id uuid, knowledge_type text, content text, metadata jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'claim_knowledge_0_9_1_wrapper';
REVOKE ALL ON FUNCTION orchestrator.claim_knowledge(integer, text, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.claim_knowledge(integer, text, interval) IS
    'The oldest knowledge to embed that nobody else has claimed. The claim lasts as long as the lease; without one it ends with the transaction';
SELECT orchestrator.copy_grants('orchestrator.claim_knowledge(integer)', 'orchestrator.claim_knowledge(integer, text, interval)');
DROP FUNCTION orchestrator.claim_knowledge(integer);

CREATE FUNCTION orchestrator.mark_knowledge_embedded(ids uuid[], embedding_model text DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mark_knowledge_embedded_0_9_1_wrapper';
REVOKE ALL ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[], text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[], text) IS
    'Marks knowledge as embedded, and ends its claim. Returns the number of entries that were not embedded before';
SELECT orchestrator.copy_grants('orchestrator.mark_knowledge_embedded(uuid[])', 'orchestrator.mark_knowledge_embedded(uuid[], text)');
DROP FUNCTION orchestrator.mark_knowledge_embedded(uuid[]);

CREATE FUNCTION orchestrator.fail_knowledge(ids uuid[], error text, retry_in interval DEFAULT NULL, worker text DEFAULT NULL)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.fail_knowledge(uuid[], text, interval, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.fail_knowledge(uuid[], text, interval, text) IS
    'Records that knowledge could not be embedded; it waits for another attempt, or is given up after knowledge_max_attempts. Returns the number of entries that failed';

CREATE FUNCTION orchestrator.restage_knowledge(embedding_model text, given_up_only boolean DEFAULT false)
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'restage_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.restage_knowledge(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.restage_knowledge(text, boolean) IS
    'Lets knowledge wait again that another model embedded, or that was given up. Returns the number of entries';

-- prompts

CREATE FUNCTION orchestrator.text_sha256(value text)
RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'text_sha256_wrapper';
GRANT EXECUTE ON FUNCTION orchestrator.text_sha256(text) TO PUBLIC;
COMMENT ON FUNCTION orchestrator.text_sha256(text) IS
    'The SHA-256 of a text in the encoding of the database. Column prompts.text_sha256 uses it';

ALTER TABLE orchestrator.prompts
    ADD COLUMN text_sha256 bytea GENERATED ALWAYS AS (orchestrator.text_sha256(prompt_text)) STORED;
COMMENT ON COLUMN orchestrator.prompts.text_sha256 IS 'The SHA-256 of the text in the encoding of the database';
COMMENT ON COLUMN orchestrator.prompts.is_active IS 'Whether callers of active_prompt without a key get this version in production; true for at most one version';

CREATE FUNCTION orchestrator.enforce_published()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_published_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_published() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_published() IS
    'BEFORE UPDATE, DELETE or TRUNCATE statement trigger of prompts and their activations: refuses the statement';

CREATE TRIGGER prompts_published BEFORE DELETE OR TRUNCATE ON orchestrator.prompts
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_published();

-- prompt_activations

CREATE TABLE orchestrator.prompt_activations (
    agent_type   text        NOT NULL,
    label        text        NOT NULL DEFAULT 'production',
    prompt_id    uuid        CONSTRAINT prompt_activations_prompt_id_fkey REFERENCES orchestrator.prompts (id),
    activated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    activated_by text,
    weight       integer     NOT NULL DEFAULT 100,
    PRIMARY KEY (agent_type, label, activated_at),
    CONSTRAINT prompt_activations_agent_type_check   CHECK (btrim(agent_type) <> ''),
    CONSTRAINT prompt_activations_label_check        CHECK (btrim(label) <> ''),
    CONSTRAINT prompt_activations_activated_at_check CHECK (isfinite(activated_at)),
    CONSTRAINT prompt_activations_weight_check       CHECK (weight BETWEEN 0 AND 100)
);
COMMENT ON TABLE orchestrator.prompt_activations IS 'Which version of a prompt was made live when, and by whom; rows are only added';
COMMENT ON COLUMN orchestrator.prompt_activations.agent_type IS 'The kind of agent that uses the prompt';
COMMENT ON COLUMN orchestrator.prompt_activations.label IS 'Under which the version is live: production, or another name such as staging or canary';
COMMENT ON COLUMN orchestrator.prompt_activations.prompt_id IS 'The version; NULL: from then on none is live';
COMMENT ON COLUMN orchestrator.prompt_activations.activated_at IS 'From when on';
COMMENT ON COLUMN orchestrator.prompt_activations.activated_by IS 'The person who made it live, or the role of a plain UPDATE of is_active; NULL for unknown';
COMMENT ON COLUMN orchestrator.prompt_activations.weight IS 'Percent of those whom no newer version takes; the oldest takes the rest';

SELECT orchestrator.restore_table('orchestrator.prompt_activations');
SELECT pg_extension_config_dump('orchestrator.prompt_activations', '');
-- Whoever can read prompts can ask which one is live.
SELECT orchestrator.copy_grants('orchestrator.prompts', 'orchestrator.prompt_activations');

CREATE INDEX idx_prompt_activations_prompt ON orchestrator.prompt_activations (prompt_id);

-- Nobody knows when the versions went live that were activated before 0.9.1. Below it, is_active may have changed since the
-- history was kept. The shares are those of active_prompt.
WITH RECURSIVE newest AS (
    SELECT DISTINCT ON (a.agent_type, a.prompt_id) a.agent_type, a.prompt_id, a.activated_at, a.weight
    FROM orchestrator.prompt_activations AS a
    WHERE a.label = 'production' AND a.activated_at >= coalesce(
        (SELECT max(f.activated_at) FROM orchestrator.prompt_activations AS f
         WHERE f.agent_type = a.agent_type AND f.label = 'production' AND f.weight = 100), '-infinity')
    ORDER BY a.agent_type, a.prompt_id, a.activated_at DESC
), placed AS (
    SELECT n.agent_type, n.prompt_id, n.weight, row_number() OVER (PARTITION BY n.agent_type ORDER BY n.activated_at DESC) AS place
    FROM newest AS n
), shares AS (
    SELECT p.agent_type, p.prompt_id, p.place, p.weight::numeric AS size, 100 - p.weight::numeric AS rest FROM placed AS p WHERE p.place = 1
    UNION ALL
    SELECT p.agent_type, p.prompt_id, p.place, s.rest * p.weight * 0.01, s.rest * (100 - p.weight) * 0.01
    FROM shares AS s JOIN placed AS p ON p.agent_type = s.agent_type AND p.place = s.place + 1
), live AS (
    SELECT DISTINCT ON (s.agent_type) s.agent_type, s.prompt_id
    FROM (SELECT o.agent_type, o.prompt_id, o.place,
                 o.size + CASE WHEN o.place = max(o.place) OVER (PARTITION BY o.agent_type)
                               THEN (SELECT min(r.rest) FROM shares AS r WHERE r.agent_type = o.agent_type) ELSE 0 END AS size
          FROM shares AS o WHERE o.size > 0) AS s
    ORDER BY s.agent_type, s.size DESC, s.place
)
INSERT INTO orchestrator.prompt_activations (agent_type, prompt_id)
SELECT p.agent_type, p.id FROM orchestrator.prompts AS p LEFT JOIN live AS l ON l.agent_type = p.agent_type
WHERE p.is_active AND l.prompt_id IS DISTINCT FROM p.id
UNION ALL
SELECT l.agent_type, NULL FROM live AS l
WHERE l.prompt_id IS NOT NULL AND NOT EXISTS (SELECT FROM orchestrator.prompts AS p WHERE p.agent_type = l.agent_type AND p.is_active);

CREATE FUNCTION orchestrator.enforce_activations()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enforce_activations_wrapper';
REVOKE ALL ON FUNCTION orchestrator.enforce_activations() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.enforce_activations() IS
    'BEFORE INSERT row trigger of prompt_activations: the version is one of the agent type, its time is not in the future, and it was approved if a rule asks for that';

CREATE FUNCTION orchestrator.follow_activations()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'follow_activations_wrapper';
REVOKE ALL ON FUNCTION orchestrator.follow_activations() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.follow_activations() IS
    'AFTER INSERT row trigger of prompt_activations: lets is_active of prompts mark the version that is live';

CREATE FUNCTION orchestrator.record_activation()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_activation_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_activation() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_activation() IS
    'AFTER INSERT or UPDATE row trigger of prompts: a plain change of is_active enters the history';

CREATE FUNCTION orchestrator.wait_for_activations()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'wait_for_activations_wrapper';
REVOKE ALL ON FUNCTION orchestrator.wait_for_activations() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.wait_for_activations() IS
    'BEFORE INSERT or UPDATE trigger of prompts: a plain change of is_active waits for those that activate versions';

CREATE TRIGGER prompt_activations_checked BEFORE INSERT ON orchestrator.prompt_activations
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_activations();
CREATE TRIGGER prompt_activations_followed AFTER INSERT ON orchestrator.prompt_activations
    FOR EACH ROW EXECUTE FUNCTION orchestrator.follow_activations();
CREATE TRIGGER prompt_activations_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON orchestrator.prompt_activations
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_published();
CREATE TRIGGER prompts_waiting BEFORE UPDATE OF is_active ON orchestrator.prompts
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.wait_for_activations();
CREATE TRIGGER prompts_waiting_active BEFORE INSERT ON orchestrator.prompts
    FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION orchestrator.wait_for_activations();
CREATE TRIGGER prompts_activation AFTER INSERT OR UPDATE OF is_active ON orchestrator.prompts
    FOR EACH ROW EXECUTE FUNCTION orchestrator.record_activation();

CREATE OR REPLACE FUNCTION orchestrator.publish_prompt(agent_type text, version text, prompt_text text, created_by text DEFAULT NULL, notes text DEFAULT NULL, activate boolean DEFAULT false)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'publish_prompt_0_9_1_wrapper';

CREATE FUNCTION orchestrator.activate_prompt(agent_type text, version text, label text DEFAULT 'production', weight integer DEFAULT 100, activated_by text DEFAULT NULL)
RETURNS orchestrator.prompts
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'activate_prompt_0_9_1_wrapper';
REVOKE ALL ON FUNCTION orchestrator.activate_prompt(text, text, text, integer, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.activate_prompt(text, text, text, integer, text) IS
    'Makes a published version live under a label, for all who ask or a part of them; an older one is rolled back to in the same way. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.activate_prompt(text, text)', 'orchestrator.activate_prompt(text, text, text, integer, text)');
DROP FUNCTION orchestrator.activate_prompt(text, text);

CREATE FUNCTION orchestrator.active_prompt(agent_type text, label text DEFAULT 'production', at timestamptz DEFAULT now(), key text DEFAULT NULL)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'active_prompt_0_9_1_wrapper';
REVOKE ALL ON FUNCTION orchestrator.active_prompt(text, text, timestamptz, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.active_prompt(text, text, timestamptz, text) IS
    'The text of the prompt that was live at a time; in a split the same key always has the same version';
SELECT orchestrator.copy_grants('orchestrator.active_prompt(text)', 'orchestrator.active_prompt(text, text, timestamptz, text)');
DROP FUNCTION orchestrator.active_prompt(text);

CREATE FUNCTION orchestrator.prompt_diff(agent_type text, a text, b text)
RETURNS TABLE (line integer, change text, text text)
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'prompt_diff_wrapper';
REVOKE ALL ON FUNCTION orchestrator.prompt_diff(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.prompt_diff(text, text, text) IS
    'The lines that two versions of a prompt do not have in common: removed or added, with their number';

-- activations that need a decision. The constraints keep their names.

ALTER TABLE orchestrator.gates
    DROP CONSTRAINT gates_gate_type_check,
    ADD CONSTRAINT gates_gate_type_check CHECK (gate_type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual', 'prompt_activation'));
COMMENT ON COLUMN orchestrator.gates.gate_type IS 'Why the agent stopped. loop_detected: it repeats the same error; high_risk: its next step is risky; collaboration_deadlock: agents ask each other in circles; manual: any other reason; prompt_activation: a version of its prompt is to go live';

ALTER TABLE orchestrator.decision_rules
    DROP CONSTRAINT decision_rules_type_check,
    ADD CONSTRAINT decision_rules_type_check CHECK (CASE kind WHEN 'review' THEN type IN ('safety', 'gate_override', 'budget_exceeded')
                                                              WHEN 'gate' THEN type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual', 'prompt_activation')
                                                              ELSE btrim(type) <> '' END);

SELECT orchestrator.restore_columns('orchestrator.gates', array['gate_type']);
SELECT orchestrator.restore_columns('orchestrator.decision_rules', array['kind', 'type']);

-- Below 0.9.1 an approval makes no version live.
DO $$
DECLARE
    approved text;
BEGIN
    SELECT string_agg(g.id::text, ', ' ORDER BY g.resolved_at, g.id) INTO approved
    FROM orchestrator.gates AS g
    WHERE g.gate_type = 'prompt_activation' AND g.status = 'approved' AND NOT EXISTS (
        SELECT FROM orchestrator.prompt_activations AS a
        WHERE a.agent_type = g.context ->> 'agent_type' AND a.label = g.context ->> 'label'
          AND a.prompt_id::text = g.context ->> 'prompt_id' AND a.activated_at >= g.resolved_at);
    IF approved IS NOT NULL THEN
        -- A script of an extension shows no notices.
        RAISE WARNING 'gates whose approval has made no version live: %', approved
            USING DETAIL = 'They were approved below 0.9.1.', HINT = 'Ask again with orchestrator.activate_prompt if the versions are still to go live.';
    END IF;
END
$$;

CREATE FUNCTION orchestrator.activate_approved()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'activate_approved_wrapper';
REVOKE ALL ON FUNCTION orchestrator.activate_approved() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.activate_approved() IS
    'AFTER UPDATE row trigger of gates: an approved gate of type prompt_activation makes its version live';

CREATE TRIGGER gates_activation AFTER UPDATE OF status ON orchestrator.gates
    FOR EACH ROW WHEN (NEW.status = 'approved' AND OLD.status = 'pending' AND NEW.gate_type = 'prompt_activation')
    EXECUTE FUNCTION orchestrator.activate_approved();

CREATE OR REPLACE FUNCTION orchestrator.set_decision_rule(kind text, type text DEFAULT NULL, respond_within interval DEFAULT NULL, on_timeout text DEFAULT NULL, escalate_to text DEFAULT NULL, approvals_needed integer DEFAULT 1, rejections_needed integer DEFAULT 1, requester_may_decide boolean DEFAULT true, assigned_to text DEFAULT NULL)
RETURNS orchestrator.decision_rules
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_decision_rule_0_9_1_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.drop_decision_rule(kind text, type text DEFAULT NULL)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'drop_decision_rule_0_9_1_wrapper';

SELECT orchestrator.renew_access('0.9.0', '0.9.1');
