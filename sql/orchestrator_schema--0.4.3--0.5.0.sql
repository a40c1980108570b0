\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.5.0'" to load this file. \quit

-- 0.4.3 -> 0.5.0: runs of the orchestrator, and the human reviews that hold, free or end them; the
-- schema as TypeScript and as JSON Schema.
-- Locks audit_events against writing while it is indexed; the time grows with its rows. Rows kept by
-- an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.5.0');

CREATE TABLE orchestrator.orchestrator_runs (
    id                    uuid            PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    thread_id             text            NOT NULL,
    project_id            uuid            NOT NULL,
    story_id              text            NOT NULL,
    phase                 text            NOT NULL DEFAULT 'planning',
    current_agent         text,
    gate_status           text            NOT NULL DEFAULT 'pending',
    safety_score          numeric(3, 2)   NOT NULL DEFAULT 1.00,
    violations            text[]          NOT NULL DEFAULT '{}',
    requires_human_review boolean         NOT NULL DEFAULT false,
    tokens_used           bigint          NOT NULL DEFAULT 0,
    cost_usd              numeric(18, 10) NOT NULL DEFAULT 0,
    started_at            timestamptz     NOT NULL DEFAULT now(),
    completed_at          timestamptz,
    updated_at            timestamptz     NOT NULL DEFAULT now(),
    files_created         text[]          NOT NULL DEFAULT '{}',
    error                 text,
    CONSTRAINT orchestrator_runs_thread_id_key       UNIQUE (thread_id),
    CONSTRAINT orchestrator_runs_thread_id_check     CHECK (btrim(thread_id) <> ''),
    CONSTRAINT orchestrator_runs_story_id_check      CHECK (btrim(story_id) <> ''),
    CONSTRAINT orchestrator_runs_phase_check         CHECK (phase IN ('planning', 'development', 'testing', 'complete', 'failed')),
    CONSTRAINT orchestrator_runs_current_agent_check CHECK (btrim(current_agent) <> ''),
    CONSTRAINT orchestrator_runs_gate_status_check   CHECK (gate_status IN ('pending', 'go', 'hold', 'kill', 'recycle')),
    CONSTRAINT orchestrator_runs_safety_score_check  CHECK (safety_score BETWEEN 0 AND 1),
    CONSTRAINT orchestrator_runs_violations_check    CHECK (array_position(violations, NULL) IS NULL),
    CONSTRAINT orchestrator_runs_tokens_used_check   CHECK (tokens_used >= 0),
    CONSTRAINT orchestrator_runs_cost_usd_check      CHECK (cost_usd >= 0 AND cost_usd <> 'NaN'),
    CONSTRAINT orchestrator_runs_files_created_check CHECK (array_position(files_created, NULL) IS NULL)
);
COMMENT ON TABLE orchestrator.orchestrator_runs IS 'Runs of the orchestrator, one per thread, with their phase, their use of tokens and money, and whether they may go on';
COMMENT ON COLUMN orchestrator.orchestrator_runs.thread_id IS 'The orchestrator''s own name of the run, by which every function finds it';
COMMENT ON COLUMN orchestrator.orchestrator_runs.project_id IS 'The project, which is stored elsewhere';
COMMENT ON COLUMN orchestrator.orchestrator_runs.story_id IS 'The story of the run, which is stored elsewhere';
COMMENT ON COLUMN orchestrator.orchestrator_runs.phase IS 'Phase of the run. planning: begins here; development: being built; testing: being tested; complete: ended with success; failed: ended with an error';
COMMENT ON COLUMN orchestrator.orchestrator_runs.current_agent IS 'The agent at work, for example cto, pm, dev, qa or supervisor';
COMMENT ON COLUMN orchestrator.orchestrator_runs.gate_status IS 'Whether the run may go on. pending: not judged yet; go: may go on; hold: waits for a human; kill: ended for good; recycle: sent back to be done again';
COMMENT ON COLUMN orchestrator.orchestrator_runs.safety_score IS 'The lowest score so far, from 0 to 1, rounded down';
COMMENT ON COLUMN orchestrator.orchestrator_runs.violations IS 'The findings of the scorers, in the order of their reports';
COMMENT ON COLUMN orchestrator.orchestrator_runs.requires_human_review IS 'Whether a human has to look at the run';
COMMENT ON COLUMN orchestrator.orchestrator_runs.tokens_used IS 'Sum of the tokens that its agents reported';
COMMENT ON COLUMN orchestrator.orchestrator_runs.cost_usd IS 'Sum of the costs that its agents reported, in USD';
COMMENT ON COLUMN orchestrator.orchestrator_runs.completed_at IS 'When it became complete or failed';
COMMENT ON COLUMN orchestrator.orchestrator_runs.files_created IS 'The files that its agents created, in the order of their reports';
COMMENT ON COLUMN orchestrator.orchestrator_runs.error IS 'The error of the run, or the reason why it was killed';

SELECT orchestrator.restore_table('orchestrator.orchestrator_runs');

CREATE INDEX idx_orchestrator_runs_project ON orchestrator.orchestrator_runs (project_id);
CREATE INDEX idx_orchestrator_runs_status  ON orchestrator.orchestrator_runs (phase, gate_status);

SELECT pg_extension_config_dump('orchestrator.orchestrator_runs', '');

CREATE TRIGGER orchestrator_runs_lifecycle BEFORE UPDATE ON orchestrator.orchestrator_runs
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('run_phase', 'phase', 'run_gate', 'gate_status');

CREATE TABLE orchestrator.human_review_queue (
    id               uuid          PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    thread_id        text          NOT NULL,
    review_type      text          NOT NULL,
    reason           text          NOT NULL,
    safety_score     numeric(3, 2),
    context          jsonb         NOT NULL DEFAULT '{}',
    status           text          NOT NULL DEFAULT 'pending',
    resolved_by      text,
    resolved_at      timestamptz,
    resolution_notes text,
    created_at       timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT human_review_queue_thread_id_fkey         FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs (thread_id) ON UPDATE CASCADE,
    CONSTRAINT human_review_queue_review_type_check      CHECK (review_type IN ('safety', 'gate_override', 'budget_exceeded')),
    CONSTRAINT human_review_queue_reason_check           CHECK (btrim(reason) <> ''),
    CONSTRAINT human_review_queue_safety_score_check     CHECK (safety_score BETWEEN 0 AND 1),
    CONSTRAINT human_review_queue_context_check          CHECK (jsonb_typeof(context) = 'object'),
    CONSTRAINT human_review_queue_status_check           CHECK (status IN ('pending', 'approved', 'rejected')),
    CONSTRAINT human_review_queue_resolution_check       CHECK (CASE status WHEN 'pending' THEN resolved_at IS NULL AND resolved_by IS NULL
                                                                            ELSE resolved_at IS NOT NULL AND btrim(coalesce(resolved_by, '')) <> '' END),
    CONSTRAINT human_review_queue_resolution_notes_check CHECK (status <> 'rejected' OR btrim(coalesce(resolution_notes, '')) <> '')
);
COMMENT ON TABLE orchestrator.human_review_queue IS 'Questions to a human about a run, with the decision; a run may have several reviews';
COMMENT ON COLUMN orchestrator.human_review_queue.thread_id IS 'The run; if its thread_id changes, this column follows, also in a resolved review';
COMMENT ON COLUMN orchestrator.human_review_queue.review_type IS 'Subject of the review. safety: a low safety score; gate_override: whether the run may pass a gate; budget_exceeded: whether the run may spend more';
COMMENT ON COLUMN orchestrator.human_review_queue.reason IS 'Why a human has to decide';
COMMENT ON COLUMN orchestrator.human_review_queue.safety_score IS 'The score that led to the review, from 0 to 1; a lower one that arrives while the review is pending replaces it';
COMMENT ON COLUMN orchestrator.human_review_queue.context IS 'Facts for the decision, a JSON object';
COMMENT ON COLUMN orchestrator.human_review_queue.resolution_notes IS 'The human''s notes on the decision; a rejection needs them';
COMMENT ON COLUMN orchestrator.human_review_queue.status IS 'State of the review. pending: waits for a decision; approved: the run may go on; rejected: the run is killed';

SELECT orchestrator.restore_table('orchestrator.human_review_queue');

CREATE INDEX idx_human_review_thread  ON orchestrator.human_review_queue (thread_id);
CREATE INDEX idx_human_review_status  ON orchestrator.human_review_queue (status);
CREATE INDEX idx_human_review_type    ON orchestrator.human_review_queue (review_type);
-- The queue of pending reviews, the longest wait first.
CREATE INDEX idx_human_review_pending ON orchestrator.human_review_queue (created_at, id) WHERE status = 'pending';

SELECT pg_extension_config_dump('orchestrator.human_review_queue', '');

CREATE TRIGGER human_review_queue_lifecycle BEFORE UPDATE ON orchestrator.human_review_queue
    FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('review', 'status');

-- The events of a run. Metadata may hold any text, so only its first 500 characters are indexed, and no
-- event is too long for the index. The functions accept only shorter values of thread_id.
CREATE INDEX idx_audit_events_thread ON orchestrator.audit_events (left(metadata ->> 'thread_id', 500)) WHERE metadata ->> 'thread_id' IS NOT NULL;

CREATE VIEW orchestrator.run_summary AS
SELECT r.thread_id, r.phase, r.current_agent, r.safety_score, r.gate_status, r.tokens_used, r.cost_usd,
       (SELECT count(*) FROM orchestrator.audit_events AS e
        WHERE left(e.metadata ->> 'thread_id', 500) = left(r.thread_id, 500)
          AND e.metadata ->> 'thread_id' = r.thread_id) AS actions,
       (SELECT count(*) FROM orchestrator.human_review_queue AS q
        WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending') AS pending_reviews
FROM orchestrator.orchestrator_runs AS r;
COMMENT ON VIEW orchestrator.run_summary IS 'Every run with the number of its audit events and of its pending reviews';
COMMENT ON COLUMN orchestrator.run_summary.actions IS 'Audit events whose metadata names the thread';

-- runs

CREATE FUNCTION orchestrator.start_run(thread_id text, project_id uuid, story_id text)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'start_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.start_run(text, uuid, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.start_run(text, uuid, text) IS
    'Starts the one run of a thread, in phase planning. Returns its id';

CREATE FUNCTION orchestrator.record_run_progress(thread_id text, phase text DEFAULT NULL, current_agent text DEFAULT NULL, tokens bigint DEFAULT 0, cost numeric DEFAULT 0, files text[] DEFAULT '{}', error text DEFAULT NULL)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_run_progress_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_run_progress(text, text, text, bigint, numeric, text[], text) IS
    'Adds tokens, cost and files to a run, and sets its phase, agent or error if given. Returns the row';

CREATE FUNCTION orchestrator.record_safety(thread_id text, score numeric, violations text[] DEFAULT '{}')
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'record_safety_wrapper';
REVOKE ALL ON FUNCTION orchestrator.record_safety(text, numeric, text[]) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.record_safety(text, numeric, text[]) IS
    'Records a safety score. A score below safety_block_below (0.70) holds the run and requests a review; a score below safety_review_below (0.85) only requests a review. Returns the row';

CREATE FUNCTION orchestrator.pause_run(thread_id text, reason text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.pause_run(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.pause_run(text, text) IS
    'Holds a run. Returns the row';

CREATE FUNCTION orchestrator.resume_run(thread_id text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.resume_run(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.resume_run(text) IS
    'Lets a run without pending reviews go on. Returns the row';

CREATE FUNCTION orchestrator.kill_run(thread_id text, reason text)
RETURNS orchestrator.orchestrator_runs
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'kill_run_wrapper';
REVOKE ALL ON FUNCTION orchestrator.kill_run(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.kill_run(text, text) IS
    'Ends a run as failed, with the reason as its error. Returns the row';

-- reviews

CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score numeric DEFAULT NULL, context jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_review_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_review(text, text, text, numeric, jsonb) IS
    'Asks a human about a run. Returns the id of the review';

CREATE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS orchestrator.human_review_queue
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_review_wrapper';
REVOKE ALL ON FUNCTION orchestrator.resolve_review(uuid, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.resolve_review(uuid, text, text, text) IS
    'Resolves a pending review as approved or rejected, once: the last approval frees the run, a rejection kills it. Returns the row';

CREATE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text)
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resolve_reviews_wrapper';
REVOKE ALL ON FUNCTION orchestrator.resolve_reviews(uuid[], text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.resolve_reviews(uuid[], text, text, text) IS
    'Resolves many reviews by one decision. Returns for each id resolved, already_resolved or unknown';

-- types

CREATE FUNCTION orchestrator.typescript_types()
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'typescript_types_wrapper';
REVOKE ALL ON FUNCTION orchestrator.typescript_types() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.typescript_types() IS
    'The schema as TypeScript types: Database["orchestrator"], and names for the most used ones';

CREATE FUNCTION orchestrator.json_schema(table_name text)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'json_schema_wrapper';
REVOKE ALL ON FUNCTION orchestrator.json_schema(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.json_schema(text) IS
    'JSON Schema (2020-12) of a row of a table or view of the schema, in the form of to_jsonb';
