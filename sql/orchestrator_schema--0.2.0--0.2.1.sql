\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.1'" to load this file. \quit

-- 0.2.0 -> 0.2.1: collaboration: one agent asks another, a specialist.
-- Locks no existing object. Rows kept by an earlier downgrade are restored. Outcomes have no foreign
-- key to requests, because a collaboration has several of both: answer_collaboration refuses an outcome
-- of an unknown collaboration, and verify() reports an outcome that was inserted without it.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.2.1');

CREATE TABLE orchestrator.collaboration_requests (
    id               uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    collaboration_id uuid        NOT NULL DEFAULT orchestrator.uuidv7(),
    request_type     text        NOT NULL,
    requesting_agent text        NOT NULL,
    specialist_agent text        NOT NULL,
    question         text        NOT NULL,
    context          jsonb       NOT NULL DEFAULT '{}',
    urgency          text        NOT NULL DEFAULT 'medium',
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT collaboration_requests_request_type_check     CHECK (request_type IN ('model_data', 'security_review', 'api_clarification', 'bug_debugging', 'requirements', 'infrastructure')),
    CONSTRAINT collaboration_requests_requesting_agent_check CHECK (btrim(requesting_agent) <> ''),
    CONSTRAINT collaboration_requests_specialist_agent_check CHECK (btrim(specialist_agent) <> ''),
    CONSTRAINT collaboration_requests_agents_check           CHECK (requesting_agent <> specialist_agent),
    CONSTRAINT collaboration_requests_question_check         CHECK (char_length(question) >= 10 AND char_length(question) <= 2000 AND btrim(question) <> ''),
    CONSTRAINT collaboration_requests_context_check          CHECK (jsonb_typeof(context) = 'object'),
    CONSTRAINT collaboration_requests_urgency_check          CHECK (urgency IN ('low', 'medium', 'high', 'critical'))
);
COMMENT ON TABLE orchestrator.collaboration_requests IS 'Questions of one agent to another; a collaboration may have several rounds';
COMMENT ON COLUMN orchestrator.collaboration_requests.collaboration_id IS 'Shared by the requests and outcomes of one collaboration';
COMMENT ON COLUMN orchestrator.collaboration_requests.specialist_agent IS 'The agent that is asked';
COMMENT ON COLUMN orchestrator.collaboration_requests.context IS 'Facts for the answer, a JSON object';
COMMENT ON COLUMN orchestrator.collaboration_requests.request_type IS 'Subject of the question. model_data: data models; security_review: security; api_clarification: an interface; bug_debugging: a fault; requirements: the requirements of a task; infrastructure: servers and deployment';
COMMENT ON COLUMN orchestrator.collaboration_requests.urgency IS 'Urgency. low: can wait; medium: the default; high: soon; critical: work is blocked';

SELECT orchestrator.restore_table('orchestrator.collaboration_requests');

CREATE INDEX idx_collab_requests_collab_id  ON orchestrator.collaboration_requests (collaboration_id);
CREATE INDEX idx_collab_requests_requesting ON orchestrator.collaboration_requests (requesting_agent);
CREATE INDEX idx_collab_requests_specialist ON orchestrator.collaboration_requests (specialist_agent);

SELECT pg_extension_config_dump('orchestrator.collaboration_requests', '');

CREATE TABLE orchestrator.collaboration_outcomes (
    id               uuid             PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    collaboration_id uuid             NOT NULL,
    specialist_agent text             NOT NULL,
    response         text             NOT NULL,
    confidence       double precision NOT NULL,
    tokens_used      integer,
    created_at       timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT collaboration_outcomes_specialist_agent_check CHECK (btrim(specialist_agent) <> ''),
    CONSTRAINT collaboration_outcomes_response_check         CHECK (btrim(response) <> ''),
    -- NaN is greater than every number, so it is refused too.
    CONSTRAINT collaboration_outcomes_confidence_check       CHECK (confidence >= 0 AND confidence <= 1),
    CONSTRAINT collaboration_outcomes_tokens_used_check      CHECK (tokens_used >= 0)
);
COMMENT ON TABLE orchestrator.collaboration_outcomes IS 'Answers of specialists to the requests of a collaboration';
COMMENT ON COLUMN orchestrator.collaboration_outcomes.specialist_agent IS 'The agent that answered';
COMMENT ON COLUMN orchestrator.collaboration_outcomes.confidence IS 'The specialist''s confidence, from 0 to 1';
COMMENT ON COLUMN orchestrator.collaboration_outcomes.tokens_used IS 'Tokens that the answer cost; NULL if unknown';

SELECT orchestrator.restore_table('orchestrator.collaboration_outcomes');

CREATE INDEX idx_collab_outcomes_collab_id  ON orchestrator.collaboration_outcomes (collaboration_id);
CREATE INDEX idx_collab_outcomes_specialist ON orchestrator.collaboration_outcomes (specialist_agent);

SELECT pg_extension_config_dump('orchestrator.collaboration_outcomes', '');

CREATE VIEW orchestrator.collaboration_status AS
SELECT r.collaboration_id, r.question, r.requesting_agent, r.specialist_agent, r.urgency,
       r.requests, coalesce(o.outcomes, 0) AS outcomes, o.best_confidence, o.tokens_used,
       r.opened_at, r.last_request_at, o.last_answer_at,
       CASE WHEN o.last_answer_at >= r.last_request_at THEN 'answered' ELSE 'open' END AS status
FROM (SELECT DISTINCT ON (q.collaboration_id)
             q.collaboration_id, q.question, q.requesting_agent, q.specialist_agent, q.urgency,
             count(*) OVER collaboration AS requests,
             min(q.created_at) OVER collaboration AS opened_at,
             max(q.created_at) OVER collaboration AS last_request_at
      FROM orchestrator.collaboration_requests AS q
      -- The order is that of DISTINCT ON: one sort along the index serves both, and a first page reads no more rows than it shows.
      WINDOW collaboration AS (PARTITION BY q.collaboration_id ORDER BY q.created_at, q.id
                               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
      ORDER BY q.collaboration_id, q.created_at, q.id) AS r
LEFT JOIN (SELECT a.collaboration_id, count(*) AS outcomes, max(a.confidence) AS best_confidence,
                  sum(a.tokens_used) AS tokens_used, max(a.created_at) AS last_answer_at
           FROM orchestrator.collaboration_outcomes AS a
           GROUP BY a.collaboration_id) AS o ON o.collaboration_id = r.collaboration_id;
COMMENT ON VIEW orchestrator.collaboration_status IS
    'Every collaboration: its first question with agents and urgency, the number of requests and outcomes, and whether the last request is answered';
COMMENT ON COLUMN orchestrator.collaboration_status.tokens_used IS 'Tokens of all answers, as far as they are known';
COMMENT ON COLUMN orchestrator.collaboration_status.status IS 'answered: no request since the last answer; open: a request waits for an answer';

CREATE FUNCTION orchestrator.request_collaboration(request_type text, requesting_agent text, specialist_agent text, question text, context jsonb DEFAULT '{}', urgency text DEFAULT 'medium', collaboration_id uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'request_collaboration_wrapper';
REVOKE ALL ON FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.request_collaboration(text, text, text, text, jsonb, text, uuid) IS
    'Asks another agent. Returns the collaboration_id, which is new unless the caller passes one to ask again within it';

CREATE FUNCTION orchestrator.answer_collaboration(collaboration_id uuid, specialist_agent text, response text, confidence double precision, tokens_used integer DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'answer_collaboration_wrapper';
REVOKE ALL ON FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.answer_collaboration(uuid, text, text, double precision, integer) IS
    'Answers a collaboration. Returns the id of the outcome';
