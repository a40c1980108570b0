\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.9.0'" to load this file. \quit

-- 0.9.1 -> 0.9.0: removes the history, labels and splits of prompts, and attempts and leases of knowledge;
-- orchestrator_archive keeps the rows and values. Gates of prompts become manual ones, whose approval makes no version live,
-- and no rule about activations holds. Knowledge that was given up waits
-- again. Locks prompts, knowledge, gates and rules until the transaction ends.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.9.0');

-- Levels lose what they may do only from 0.9.1 on.
SELECT orchestrator.renew_access('0.9.1', '0.9.0');

-- activations that need a decision

DROP TRIGGER gates_activation ON orchestrator.gates;
DROP FUNCTION orchestrator.activate_approved();

CREATE OR REPLACE FUNCTION orchestrator.set_decision_rule(kind text, type text DEFAULT NULL, respond_within interval DEFAULT NULL, on_timeout text DEFAULT NULL, escalate_to text DEFAULT NULL, approvals_needed integer DEFAULT 1, rejections_needed integer DEFAULT 1, requester_may_decide boolean DEFAULT true, assigned_to text DEFAULT NULL)
RETURNS orchestrator.decision_rules
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_decision_rule_wrapper';

CREATE OR REPLACE FUNCTION orchestrator.drop_decision_rule(kind text, type text DEFAULT NULL)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'drop_decision_rule_wrapper';

-- The nearest values below 0.9.1. A rule about activations is about a role that nobody asks. No user changed these rows,
-- so no user's trigger runs.
DO $$
BEGIN
    SET LOCAL session_replication_role TO replica;
    IF EXISTS (SELECT FROM orchestrator.gates WHERE gate_type = 'prompt_activation') THEN
        PERFORM orchestrator.archive_columns('orchestrator.gates', array['gate_type']);
        UPDATE orchestrator.gates SET gate_type = 'manual' WHERE gate_type = 'prompt_activation';
        PERFORM orchestrator.note_filled_in('orchestrator.gates', array['gate_type']);
    END IF;
    IF EXISTS (SELECT FROM orchestrator.decision_rules WHERE kind = 'gate' AND type = 'prompt_activation') THEN
        PERFORM orchestrator.archive_columns('orchestrator.decision_rules', array['kind', 'type']);
        UPDATE orchestrator.decision_rules SET kind = 'approval', type = 'activation of prompts: ' || id
        WHERE kind = 'gate' AND type = 'prompt_activation';
        PERFORM orchestrator.note_filled_in('orchestrator.decision_rules', array['kind', 'type']);
    END IF;
    SET LOCAL session_replication_role TO origin;
END
$$;

ALTER TABLE orchestrator.decision_rules
    DROP CONSTRAINT decision_rules_type_check,
    ADD CONSTRAINT decision_rules_type_check CHECK (CASE kind WHEN 'review' THEN type IN ('safety', 'gate_override', 'budget_exceeded')
                                                              WHEN 'gate' THEN type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual')
                                                              ELSE btrim(type) <> '' END);

ALTER TABLE orchestrator.gates
    DROP CONSTRAINT gates_gate_type_check,
    ADD CONSTRAINT gates_gate_type_check CHECK (gate_type IN ('loop_detected', 'high_risk', 'collaboration_deadlock', 'manual'));
COMMENT ON COLUMN orchestrator.gates.gate_type IS 'Why the agent stopped. loop_detected: it repeats the same error; high_risk: its next step is risky; collaboration_deadlock: agents ask each other in circles; manual: any other reason';

-- prompts

DROP FUNCTION orchestrator.prompt_diff(text, text, text);

CREATE FUNCTION orchestrator.active_prompt(agent_type text)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'active_prompt_wrapper';
REVOKE ALL ON FUNCTION orchestrator.active_prompt(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.active_prompt(text) IS
    'The text of the active prompt of an agent type; an error if there is none';
SELECT orchestrator.copy_grants('orchestrator.active_prompt(text, text, timestamptz, text)', 'orchestrator.active_prompt(text)');
DROP FUNCTION orchestrator.active_prompt(text, text, timestamptz, text);

CREATE FUNCTION orchestrator.activate_prompt(agent_type text, version text)
RETURNS orchestrator.prompts
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'activate_prompt_wrapper';
REVOKE ALL ON FUNCTION orchestrator.activate_prompt(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.activate_prompt(text, text) IS
    'Makes a published version the active one of its agent type, and deactivates the previous one. Returns the row';
SELECT orchestrator.copy_grants('orchestrator.activate_prompt(text, text, text, integer, text)', 'orchestrator.activate_prompt(text, text)');
DROP FUNCTION orchestrator.activate_prompt(text, text, text, integer, text);

CREATE OR REPLACE FUNCTION orchestrator.publish_prompt(agent_type text, version text, prompt_text text, created_by text DEFAULT NULL, notes text DEFAULT NULL, activate boolean DEFAULT false)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'publish_prompt_wrapper';

DROP TRIGGER prompts_activation ON orchestrator.prompts;
DROP TRIGGER prompts_waiting_active ON orchestrator.prompts;
DROP TRIGGER prompts_waiting ON orchestrator.prompts;
DROP TRIGGER prompts_published ON orchestrator.prompts;
SELECT orchestrator.archive_table('orchestrator.prompt_activations');
DROP FUNCTION orchestrator.wait_for_activations();
DROP FUNCTION orchestrator.record_activation();
DROP FUNCTION orchestrator.follow_activations();
DROP FUNCTION orchestrator.enforce_activations();
DROP FUNCTION orchestrator.enforce_published();

ALTER TABLE orchestrator.prompts DROP COLUMN text_sha256;
COMMENT ON COLUMN orchestrator.prompts.is_active IS 'Whether agents of the type use this version; true for at most one version';
DROP FUNCTION orchestrator.text_sha256(text);

-- knowledge

DROP FUNCTION orchestrator.restage_knowledge(text, boolean);
DROP FUNCTION orchestrator.fail_knowledge(uuid[], text, interval, text);

CREATE FUNCTION orchestrator.mark_knowledge_embedded(ids uuid[])
RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'mark_knowledge_embedded_wrapper';
REVOKE ALL ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.mark_knowledge_embedded(uuid[]) IS
    'Marks knowledge as embedded. Returns the number of entries that were not embedded before';
SELECT orchestrator.copy_grants('orchestrator.mark_knowledge_embedded(uuid[], text)', 'orchestrator.mark_knowledge_embedded(uuid[])');
DROP FUNCTION orchestrator.mark_knowledge_embedded(uuid[], text);

CREATE FUNCTION orchestrator.claim_knowledge(batch integer DEFAULT 50)
RETURNS TABLE (id uuid, knowledge_type text, content text, metadata jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'claim_knowledge_wrapper';
REVOKE ALL ON FUNCTION orchestrator.claim_knowledge(integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.claim_knowledge(integer) IS
    'The oldest knowledge to embed that no other transaction has claimed; the claim ends with the transaction';
SELECT orchestrator.copy_grants('orchestrator.claim_knowledge(integer, text, interval)', 'orchestrator.claim_knowledge(integer)');
DROP FUNCTION orchestrator.claim_knowledge(integer, text, interval);

SELECT orchestrator.archive_columns('orchestrator.knowledge_staging', array['attempts', 'last_error', 'retry_at', 'given_up_at', 'embedding_model', 'claimed_by', 'lease_expires_at']);
DROP INDEX orchestrator.idx_knowledge_staging_given_up;
DROP INDEX orchestrator.idx_knowledge_staging_pending;
ALTER TABLE orchestrator.knowledge_staging
    DROP CONSTRAINT knowledge_staging_claim_check,
    DROP CONSTRAINT knowledge_staging_embedding_model_check,
    DROP CONSTRAINT knowledge_staging_attempts_check,
    DROP COLUMN lease_expires_at,
    DROP COLUMN claimed_by,
    DROP COLUMN embedding_model,
    DROP COLUMN given_up_at,
    DROP COLUMN retry_at,
    DROP COLUMN last_error,
    DROP COLUMN attempts;
CREATE INDEX idx_knowledge_staging_pending ON orchestrator.knowledge_staging (created_at, id) WHERE NOT embedded;
