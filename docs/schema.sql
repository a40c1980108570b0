-- The schema of orchestrator_schema 0.9.2: the final definition of every table, view and function.
-- `cargo xtask docs` writes this file, and `cargo xtask check docs` compares it with a live database.
-- It is for reading. Each object names the scripts that made it: A--B.sql stands for sql/orchestrator_schema--A--B.sql.

-- The audit trail. An event is written in the transaction that it describes, and never changed; only purge_audit_events deletes events
-- Made by 0.2.5--0.3.0.sql, 0.4.3--0.5.0.sql
CREATE TABLE orchestrator.audit_events (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The kind of event, for example task_routed, approval_rejected, session_active
    event_type text NOT NULL,
    -- The role that acted, or that is asked; client for a session without a role, system where no role is involved
    role text NOT NULL,
    -- The time of the transaction; events of one transaction are in the order of their ids
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    -- The trail that the event belongs to: the id of the run, or the trace_id of the task or of the context of the gate; without a trace_id the id of the task, session or gate; an id of its own for a purge
    trace_id uuid NOT NULL,
    -- The ids and facts of the event, a JSON object; the recording function writes the login role into its key session_user, the role in force into role, and the subject of request.jwt.claims, if it is set, into subject
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_event_type_check CHECK (btrim(event_type) <> ''::text),
    CONSTRAINT audit_events_metadata_check CHECK (jsonb_typeof(metadata) = 'object'::text),
    CONSTRAINT audit_events_role_check CHECK (btrim(role) <> ''::text)
);
CREATE INDEX idx_audit_events_event_type ON orchestrator.audit_events USING btree (event_type);
CREATE INDEX idx_audit_events_thread ON orchestrator.audit_events USING btree ("left"((metadata ->> 'thread_id'::text), 500)) WHERE ((metadata ->> 'thread_id'::text) IS NOT NULL);
CREATE INDEX idx_audit_events_timestamp ON orchestrator.audit_events USING btree ("timestamp" DESC);
CREATE INDEX idx_audit_events_trace_id ON orchestrator.audit_events USING btree (trace_id);
CREATE TRIGGER audit_events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON orchestrator.audit_events FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_append_only();
CREATE TRIGGER audit_events_append_only_rows BEFORE DELETE OR UPDATE ON orchestrator.audit_events FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_append_only();

-- Seals over audit_events: each has the SHA-256 of the seal before it and of the events of a span
-- Made by 0.8.0--0.8.1.sql
CREATE TABLE orchestrator.audit_seals (
    -- The number of the seal, counted from 1
    sequence bigint NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The end of the span, which begins with the end of the span before; an event with this time is in the next one
    sealed_until timestamp with time zone NOT NULL,
    -- The number of events in the span
    events bigint NOT NULL,
    -- The SHA-256 of the digest before, the events, and the other columns of the seal
    digest bytea NOT NULL,
    -- The digest of the seal before; zeros in the first one
    previous bytea NOT NULL,
    -- When the events of the span were purged; NULL while they are there
    purged_at timestamp with time zone,
    CONSTRAINT audit_seals_pkey PRIMARY KEY (sequence),
    CONSTRAINT audit_seals_digest_check CHECK (length(digest) = 32),
    CONSTRAINT audit_seals_events_check CHECK (events > 0),
    CONSTRAINT audit_seals_previous_check CHECK (length(previous) = 32),
    CONSTRAINT audit_seals_sequence_check CHECK (sequence > 0)
);
CREATE TRIGGER audit_seals_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON orchestrator.audit_seals FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_append_only();
CREATE TRIGGER audit_seals_append_only_rows BEFORE DELETE OR UPDATE ON orchestrator.audit_seals FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_append_only();

-- Limits for the cost of calls, one for each scope and period; set_budget sets them. A scope with NULL everywhere is every call
-- Made by 0.9.1--0.9.2.sql
CREATE TABLE orchestrator.budgets (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Only calls of this project; NULL for any
    project_id uuid,
    -- Only calls of this agent; NULL for any
    agent_id text,
    -- Only calls of the run of this thread; NULL for any
    thread_id text,
    -- Only calls that are charged to this user, key or tag; NULL for any
    subject text,
    -- How long a window lasts, by the UTC clock. day: from midnight; week: from Monday; month: from the first; total: for ever
    period text NOT NULL,
    -- USD for each window
    limit_usd numeric NOT NULL,
    -- Whether reservations beyond the limit are refused; without it the budget only counts
    enforce boolean DEFAULT true NOT NULL,
    -- How long a reservation is kept without another time
    hold interval DEFAULT '00:15:00'::interval NOT NULL,
    CONSTRAINT budgets_pkey PRIMARY KEY (id),
    CONSTRAINT budgets_agent_id_check CHECK (btrim(agent_id) <> ''::text),
    CONSTRAINT budgets_hold_check CHECK (hold > '00:00:00'::interval),
    CONSTRAINT budgets_limit_usd_check CHECK (limit_usd >= 0::numeric AND limit_usd < '1000000000000'::bigint::numeric),
    CONSTRAINT budgets_period_check CHECK (period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'total'::text])),
    CONSTRAINT budgets_subject_check CHECK (btrim(subject) <> ''::text),
    CONSTRAINT budgets_thread_id_check CHECK (btrim(thread_id) <> ''::text)
);
CREATE UNIQUE INDEX idx_budgets_scope ON orchestrator.budgets USING btree (orchestrator.text_sha256(subject), orchestrator.text_sha256(thread_id), orchestrator.text_sha256(agent_id), project_id, period) NULLS NOT DISTINCT;

-- The time in which a budget counts once: what is spent and reserved in it
-- Made by 0.9.1--0.9.2.sql
CREATE TABLE orchestrator.budget_windows (
    -- The budget
    budget_id uuid NOT NULL,
    -- When the window begins; -infinity for period total
    starts_at timestamp with time zone NOT NULL,
    -- USD of the calls that were recorded or settled
    spent numeric DEFAULT 0 NOT NULL,
    -- USD of the reservations that are held, with those that have expired and were not yet taken back
    reserved numeric DEFAULT 0 NOT NULL,
    -- USD by which the limit was raised for this window
    raised numeric DEFAULT 0 NOT NULL,
    -- The last question to a human about it: a review, or a gate if no run waits
    review_id uuid,
    CONSTRAINT budget_windows_pkey PRIMARY KEY (budget_id, starts_at),
    CONSTRAINT budget_windows_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES orchestrator.budgets(id),
    CONSTRAINT budget_windows_raised_check CHECK (raised >= 0::numeric AND raised < 'Infinity'::numeric),
    CONSTRAINT budget_windows_reserved_check CHECK (reserved >= 0::numeric AND reserved < 'Infinity'::numeric),
    CONSTRAINT budget_windows_spent_check CHECK (spent >= 0::numeric AND spent < 'Infinity'::numeric)
);
CREATE INDEX idx_budget_windows_review ON orchestrator.budget_windows USING btree (review_id) WHERE (review_id IS NOT NULL);

-- Reservations: what each of them holds in each budget that is about its call
-- Made by 0.9.1--0.9.2.sql
CREATE TABLE orchestrator.budget_holds (
    -- The reservation, the same in all its budgets
    reservation_id uuid NOT NULL,
    -- The budget
    budget_id uuid NOT NULL,
    -- The window in which it was reserved
    starts_at timestamp with time zone NOT NULL,
    -- USD that are reserved
    amount numeric NOT NULL,
    -- When it can be taken back
    expires_at timestamp with time zone NOT NULL,
    -- held: reserved; settled: the call was made; released: the call was not made; expired: taken back, and can still be settled
    state text DEFAULT 'held'::text NOT NULL,
    -- USD that the call cost, once it is settled
    actual numeric,
    CONSTRAINT budget_holds_pkey PRIMARY KEY (reservation_id, budget_id),
    CONSTRAINT budget_holds_window_fkey FOREIGN KEY (budget_id, starts_at) REFERENCES orchestrator.budget_windows(budget_id, starts_at),
    CONSTRAINT budget_holds_actual_check CHECK ((state = 'settled'::text) = (actual IS NOT NULL) AND actual >= 0::numeric AND actual < '1000000000000'::bigint::numeric),
    CONSTRAINT budget_holds_amount_check CHECK (amount >= 0::numeric AND amount < '1000000000000'::bigint::numeric),
    CONSTRAINT budget_holds_expires_at_check CHECK (isfinite(expires_at)),
    CONSTRAINT budget_holds_state_check CHECK (state = ANY (ARRAY['held'::text, 'settled'::text, 'released'::text, 'expired'::text]))
);
CREATE INDEX idx_budget_holds_held ON orchestrator.budget_holds USING btree (budget_id, starts_at, expires_at) WHERE (state = 'held'::text);

-- Answers of specialists to the requests of a collaboration
-- Made by 0.2.0--0.2.1.sql
CREATE TABLE orchestrator.collaboration_outcomes (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    collaboration_id uuid NOT NULL,
    -- The agent that answered
    specialist_agent text NOT NULL,
    response text NOT NULL,
    -- The specialist's confidence, from 0 to 1
    confidence double precision NOT NULL,
    -- Tokens that the answer cost; NULL if unknown
    tokens_used integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT collaboration_outcomes_pkey PRIMARY KEY (id),
    CONSTRAINT collaboration_outcomes_confidence_check CHECK (confidence >= 0::double precision AND confidence <= 1::double precision),
    CONSTRAINT collaboration_outcomes_response_check CHECK (btrim(response) <> ''::text),
    CONSTRAINT collaboration_outcomes_specialist_agent_check CHECK (btrim(specialist_agent) <> ''::text),
    CONSTRAINT collaboration_outcomes_tokens_used_check CHECK (tokens_used >= 0)
);
CREATE INDEX idx_collab_outcomes_collab_id ON orchestrator.collaboration_outcomes USING btree (collaboration_id);
CREATE INDEX idx_collab_outcomes_specialist ON orchestrator.collaboration_outcomes USING btree (specialist_agent);

-- Questions of one agent to another; a collaboration may have several rounds
-- Made by 0.2.0--0.2.1.sql
CREATE TABLE orchestrator.collaboration_requests (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Shared by the requests and outcomes of one collaboration
    collaboration_id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Subject of the question. model_data: data models; security_review: security; api_clarification: an interface; bug_debugging: a fault; requirements: the requirements of a task; infrastructure: servers and deployment
    request_type text NOT NULL,
    requesting_agent text NOT NULL,
    -- The agent that is asked
    specialist_agent text NOT NULL,
    question text NOT NULL,
    -- Facts for the answer, a JSON object
    context jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- Urgency. low: can wait; medium: the default; high: soon; critical: work is blocked
    urgency text DEFAULT 'medium'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT collaboration_requests_pkey PRIMARY KEY (id),
    CONSTRAINT collaboration_requests_agents_check CHECK (requesting_agent <> specialist_agent),
    CONSTRAINT collaboration_requests_context_check CHECK (jsonb_typeof(context) = 'object'::text),
    CONSTRAINT collaboration_requests_question_check CHECK (char_length(question) >= 10 AND char_length(question) <= 2000 AND btrim(question) <> ''::text),
    CONSTRAINT collaboration_requests_request_type_check CHECK (request_type = ANY (ARRAY['model_data'::text, 'security_review'::text, 'api_clarification'::text, 'bug_debugging'::text, 'requirements'::text, 'infrastructure'::text])),
    CONSTRAINT collaboration_requests_requesting_agent_check CHECK (btrim(requesting_agent) <> ''::text),
    CONSTRAINT collaboration_requests_specialist_agent_check CHECK (btrim(specialist_agent) <> ''::text),
    CONSTRAINT collaboration_requests_urgency_check CHECK (urgency = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))
);
CREATE INDEX idx_collab_requests_collab_id ON orchestrator.collaboration_requests USING btree (collaboration_id);
CREATE INDEX idx_collab_requests_requesting ON orchestrator.collaboration_requests USING btree (requesting_agent);
CREATE INDEX idx_collab_requests_specialist ON orchestrator.collaboration_requests USING btree (specialist_agent);

-- Settings of the orchestrator; configuration_value reads one, configuration_listing lists all
-- Made by 0.1.4--0.1.5.sql, 0.1.5--0.1.6.sql
CREATE TABLE orchestrator.configurations (
    key text NOT NULL,
    -- The value as text, which must parse as value_type
    value text NOT NULL,
    -- Type of the value. string: any text; integer: a whole number; float: a number; boolean: true or false; json: a JSON document
    value_type text DEFAULT 'string'::text NOT NULL,
    description text,
    -- Whether listings mask the value; it is stored in plain text
    is_secret boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT configurations_pkey PRIMARY KEY (key),
    CONSTRAINT configurations_key_check CHECK (btrim(key) <> ''::text),
    CONSTRAINT configurations_value_check CHECK (orchestrator.is_valid_configuration(value, value_type)),
    CONSTRAINT configurations_value_type_check CHECK (value_type = ANY (ARRAY['string'::text, 'integer'::text, 'float'::text, 'boolean'::text, 'json'::text]))
);
CREATE INDEX idx_configurations_secret ON orchestrator.configurations USING btree (is_secret);
CREATE INDEX idx_configurations_type ON orchestrator.configurations USING btree (value_type);
CREATE INDEX idx_configurations_updated ON orchestrator.configurations USING btree (updated_at);
CREATE TRIGGER configurations_updated_at BEFORE UPDATE ON orchestrator.configurations FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

-- The rules by which questions are decided; a question follows the rule that stands when it is asked
-- Made by 0.7.3--0.8.0.sql, 0.9.0--0.9.1.sql
CREATE TABLE orchestrator.decision_rules (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task
    kind text NOT NULL,
    -- The review_type, the gate_type, or the approver_role; NULL for every type without a rule of its own
    type text,
    -- The time for an answer, from the request on
    respond_within interval,
    -- What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to
    on_timeout text,
    -- The person or role that is asked next
    escalate_to text,
    -- The number of different people who must approve
    approvals_needed integer DEFAULT 1 NOT NULL,
    -- The number of different people who must reject
    rejections_needed integer DEFAULT 1 NOT NULL,
    -- Whether the one who asked may answer
    requester_may_decide boolean DEFAULT true NOT NULL,
    -- The person or role that is asked first
    assigned_to text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The database role that set the rule last
    updated_by text,
    CONSTRAINT decision_rules_pkey PRIMARY KEY (id),
    CONSTRAINT decision_rules_kind_type_key UNIQUE NULLS NOT DISTINCT (kind, type),
    CONSTRAINT decision_rules_approvals_needed_check CHECK (approvals_needed >= 1 AND approvals_needed <= 1000),
    CONSTRAINT decision_rules_assigned_to_check CHECK (btrim(assigned_to) <> ''::text),
    CONSTRAINT decision_rules_escalate_to_check CHECK ((escalate_to IS NOT NULL) = (NOT on_timeout IS DISTINCT FROM 'escalate'::text) AND btrim(escalate_to) <> ''::text),
    CONSTRAINT decision_rules_kind_check CHECK (kind = ANY (ARRAY['review'::text, 'gate'::text, 'approval'::text])),
    CONSTRAINT decision_rules_on_timeout_check CHECK (on_timeout = ANY (ARRAY['approve'::text, 'reject'::text, 'escalate'::text])),
    CONSTRAINT decision_rules_rejections_needed_check CHECK (rejections_needed >= 1 AND rejections_needed <= 1000),
    CONSTRAINT decision_rules_respond_within_check CHECK (respond_within > '00:00:00'::interval AND respond_within <= '100 years'::interval),
    CONSTRAINT decision_rules_timeout_check CHECK (on_timeout IS NULL OR respond_within IS NOT NULL),
    CONSTRAINT decision_rules_type_check CHECK (
CASE kind
    WHEN 'review'::text THEN type = ANY (ARRAY['safety'::text, 'gate_override'::text, 'budget_exceeded'::text])
    WHEN 'gate'::text THEN type = ANY (ARRAY['loop_detected'::text, 'high_risk'::text, 'collaboration_deadlock'::text, 'manual'::text, 'prompt_activation'::text])
    ELSE btrim(type) <> ''::text
END)
);
CREATE TRIGGER decision_rules_updated_at BEFORE UPDATE ON orchestrator.decision_rules FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

-- The terms of a question, as its rule was when it was asked; a question without a rule has none until it is claimed or assigned
-- Made by 0.7.3--0.8.0.sql
CREATE TABLE orchestrator.decision_terms (
    -- The review, gate or approval
    decision_id uuid NOT NULL,
    -- The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task
    kind text NOT NULL,
    -- When an answer is due; an escalation sets it anew
    due_at timestamp with time zone,
    -- What happens without an answer in time. approve: it is approved; reject: it is rejected; escalate: it goes to escalate_to
    on_timeout text,
    -- The person or role that is asked next
    escalate_to text,
    -- The number of different people who must approve
    approvals_needed integer NOT NULL,
    -- The number of different people who must reject
    rejections_needed integer NOT NULL,
    -- Whether the one who asked may answer
    requester_may_decide boolean NOT NULL,
    -- Who asked, as the server knows it: the login, or behind a shared login the subject of the token or the role in force; empty if no event tells
    requested_as text NOT NULL,
    -- The person or role that is asked now; an assigned role may decide an approval like the role that was asked first
    assigned_to text,
    -- Who is working on the answer; others may not answer until claimed_until
    claimed_by text,
    -- When the claim ends
    claimed_until timestamp with time zone,
    -- How often no answer came in time; after the second time nothing more happens
    escalations integer DEFAULT 0 NOT NULL,
    CONSTRAINT decision_terms_pkey PRIMARY KEY (decision_id),
    CONSTRAINT decision_terms_approvals_needed_check CHECK (approvals_needed >= 1),
    CONSTRAINT decision_terms_assigned_to_check CHECK (btrim(assigned_to) <> ''::text),
    CONSTRAINT decision_terms_claim_check CHECK ((claimed_by IS NULL) = (claimed_until IS NULL) AND btrim(claimed_by) <> ''::text),
    CONSTRAINT decision_terms_escalate_to_check CHECK ((escalate_to IS NOT NULL) = (NOT on_timeout IS DISTINCT FROM 'escalate'::text) AND btrim(escalate_to) <> ''::text),
    CONSTRAINT decision_terms_escalations_check CHECK (escalations >= 0),
    CONSTRAINT decision_terms_kind_check CHECK (kind = ANY (ARRAY['review'::text, 'gate'::text, 'approval'::text])),
    CONSTRAINT decision_terms_on_timeout_check CHECK (on_timeout = ANY (ARRAY['approve'::text, 'reject'::text, 'escalate'::text])),
    CONSTRAINT decision_terms_rejections_needed_check CHECK (rejections_needed >= 1),
    CONSTRAINT decision_terms_timeout_check CHECK (on_timeout IS NULL OR due_at IS NOT NULL)
);
CREATE TRIGGER decision_terms_frozen BEFORE UPDATE ON orchestrator.decision_terms FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('decision_id', 'kind', 'on_timeout', 'escalate_to', 'approvals_needed', 'rejections_needed', 'requester_may_decide', 'requested_as');
CREATE TRIGGER decision_terms_kept BEFORE DELETE OR TRUNCATE ON orchestrator.decision_terms FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_frozen_terms();

-- The votes about questions with terms, one of each person; a vote can change while the question is open
-- Made by 0.7.3--0.8.0.sql
CREATE TABLE orchestrator.decision_votes (
    decision_id uuid NOT NULL,
    -- The name that the caller gave
    voter text NOT NULL,
    -- Who voted, as the server knows it: the login, or behind a shared login the subject of the token or the role in force
    voted_as text NOT NULL,
    -- The answer. approved: yes; rejected: no; changes_requested: change it and ask again
    vote text NOT NULL,
    notes text,
    -- When the vote was given its present form
    cast_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT decision_votes_pkey PRIMARY KEY (decision_id, voted_as),
    CONSTRAINT decision_votes_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES orchestrator.decision_terms(decision_id),
    CONSTRAINT decision_votes_vote_check CHECK (vote = ANY (ARRAY['approved'::text, 'rejected'::text, 'changes_requested'::text])),
    CONSTRAINT decision_votes_voter_check CHECK (btrim(voter) <> ''::text)
);
CREATE TRIGGER decision_votes_by_terms BEFORE INSERT OR DELETE OR UPDATE ON orchestrator.decision_votes FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_votes();
CREATE TRIGGER decision_votes_kept BEFORE TRUNCATE ON orchestrator.decision_votes FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_frozen_terms();

-- The inventory of the code base: every file with its layer, its workflows and the progress of its audit
-- Made by 0.3.0--0.4.0.sql, 0.4.1--0.4.2.sql
CREATE TABLE orchestrator.file_audit (
    id integer GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    -- Four digits, unique in the inventory
    file_number text NOT NULL,
    file_path text NOT NULL,
    file_name text NOT NULL,
    -- 1 Models and enums, 2 Schemas, 3 Routers, 4 Services, 5 Configuration, 6 UI, 7 Testing
    layer_number integer NOT NULL,
    layer_name text NOT NULL,
    -- Use of the file. NOVEL: serves one workflow; SHARED: serves several workflows; SYSTEM: belongs to no workflow
    status text NOT NULL,
    -- The workflows that the file serves, WF1 to WF7; empty for none
    workflows text[] DEFAULT '{}'::text[] NOT NULL,
    has_technical_debt boolean DEFAULT false NOT NULL,
    -- A description of the debt
    technical_debt text,
    jira_tickets text[] DEFAULT '{}'::text[] NOT NULL,
    -- Progress of the audit. NOT_STARTED: to be audited; IN_PROGRESS: being audited; COMPLETED: audited
    audit_status text DEFAULT 'NOT_STARTED'::text NOT NULL,
    -- When the file was last audited
    audit_date timestamp with time zone,
    audited_by text,
    notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    -- Progress of the migration of the file. pending_assessment: to be assessed; assessed: impact known; designed: target designed; approved: design approved; implementing: being rewritten; testing: being tested; migrated: in use; retired: the old file is gone
    v7_workflow_status text DEFAULT 'pending_assessment'::text NOT NULL,
    -- Its name after the migration: WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py
    v7_target_name text,
    -- The enum types that the file uses
    v7_database_enums jsonb,
    -- The new type of each of these types, and the mapping of their values
    v7_enum_mappings jsonb,
    -- Files that this file needs
    v7_dependencies text[],
    -- Files that need this file
    v7_dependents text[],
    -- How much a fault of the file breaks, 1 to 10
    v7_impact_score integer,
    v7_review_status text,
    v7_reviewed_by text[],
    v7_implementation_status text,
    v7_test_status text,
    -- The day on which the old file was retired
    v7_retirement_date date,
    CONSTRAINT file_audit_pkey PRIMARY KEY (id),
    CONSTRAINT file_audit_file_number_key UNIQUE (file_number),
    CONSTRAINT file_audit_file_path_key UNIQUE (file_path),
    CONSTRAINT file_audit_audit_status_check CHECK (audit_status = ANY (ARRAY['NOT_STARTED'::text, 'IN_PROGRESS'::text, 'COMPLETED'::text])),
    CONSTRAINT file_audit_file_name_check CHECK (btrim(file_name) <> ''::text),
    CONSTRAINT file_audit_file_number_check CHECK (file_number ~ '^[0-9]{4}$'::text),
    CONSTRAINT file_audit_file_path_check CHECK (btrim(file_path) <> ''::text),
    CONSTRAINT file_audit_layer_name_check CHECK (btrim(layer_name) <> ''::text),
    CONSTRAINT file_audit_layer_number_check CHECK (layer_number >= 1 AND layer_number <= 7),
    CONSTRAINT file_audit_status_check CHECK (status = ANY (ARRAY['NOVEL'::text, 'SHARED'::text, 'SYSTEM'::text])),
    CONSTRAINT file_audit_v7_impact_score_check CHECK (v7_impact_score >= 1 AND v7_impact_score <= 10),
    CONSTRAINT file_audit_v7_target_name_check CHECK (
CASE
    WHEN v7_target_name IS NOT NULL THEN orchestrator.v7_is_valid_file_name(v7_target_name)
    ELSE NULL::boolean
END),
    CONSTRAINT file_audit_v7_workflow_status_check CHECK (v7_workflow_status = ANY (ARRAY['pending_assessment'::text, 'assessed'::text, 'designed'::text, 'approved'::text, 'implementing'::text, 'testing'::text, 'migrated'::text, 'retired'::text]))
);
CREATE INDEX idx_file_audit_audit_status ON orchestrator.file_audit USING btree (audit_status);
CREATE INDEX idx_file_audit_layer ON orchestrator.file_audit USING btree (layer_number);
CREATE INDEX idx_file_audit_technical_debt ON orchestrator.file_audit USING btree (has_technical_debt) WHERE has_technical_debt;
CREATE INDEX idx_file_audit_to_audit ON orchestrator.file_audit USING btree (file_number) WHERE (audit_status <> 'COMPLETED'::text);
CREATE INDEX idx_file_audit_v7_status ON orchestrator.file_audit USING btree (v7_workflow_status);
CREATE TRIGGER file_audit_lifecycle BEFORE UPDATE ON orchestrator.file_audit FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_file', 'v7_workflow_status');

-- The values of the old columns of file_audit when the V7 columns were added, one row per file of that time; deleting a row accepts later changes
-- Made by 0.4.1--0.4.2.sql
CREATE TABLE orchestrator.file_audit_baseline (
    id integer NOT NULL,
    file_number text NOT NULL,
    file_path text NOT NULL,
    file_name text NOT NULL,
    layer_number integer NOT NULL,
    layer_name text NOT NULL,
    status text NOT NULL,
    workflows text[] NOT NULL,
    has_technical_debt boolean NOT NULL,
    technical_debt text,
    jira_tickets text[] NOT NULL,
    audit_status text NOT NULL,
    audit_date timestamp with time zone,
    audited_by text,
    notes text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT file_audit_baseline_pkey PRIMARY KEY (id)
);

-- Lessons that wait to be embedded for retrieval, and those that are embedded
-- Made by 0.2.3--0.2.4.sql, 0.9.0--0.9.1.sql
CREATE TABLE orchestrator.knowledge_staging (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Origin of the lesson. failure_solution: the solution of a failure; gate_rejection: a denied gate; gate_approval: an approved gate; collaboration: the answer of a specialist
    knowledge_type text NOT NULL,
    -- The text to embed
    content text NOT NULL,
    -- Keys to filter by at retrieval: project_id (uuid), agent_type, task_type, technology (text), success_verified (boolean), and any others
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- Whether the embedding is stored, elsewhere
    embedded boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    embedded_at timestamp with time zone,
    -- The number of attempts to embed it since it was staged: claims with a lease, and failures of others
    attempts integer DEFAULT 0 NOT NULL,
    -- Why the last failed attempt failed
    last_error text,
    -- When it can be claimed again after a failure; NULL for at once
    retry_at timestamp with time zone,
    -- When it was given up: it is not claimed again, unless it is restaged
    given_up_at timestamp with time zone,
    -- The model that embedded it; NULL for unknown
    embedding_model text,
    -- The embedder that is working on it, until lease_expires_at
    claimed_by text,
    -- When others can claim it
    lease_expires_at timestamp with time zone,
    CONSTRAINT knowledge_staging_pkey PRIMARY KEY (id),
    CONSTRAINT knowledge_staging_attempts_check CHECK (attempts >= 0),
    CONSTRAINT knowledge_staging_claim_check CHECK ((claimed_by IS NULL) = (lease_expires_at IS NULL) AND btrim(claimed_by) <> ''::text),
    CONSTRAINT knowledge_staging_content_check CHECK (btrim(content) <> ''::text),
    CONSTRAINT knowledge_staging_embedded_check CHECK (embedded = (embedded_at IS NOT NULL)),
    CONSTRAINT knowledge_staging_embedding_model_check CHECK (btrim(embedding_model) <> ''::text),
    CONSTRAINT knowledge_staging_knowledge_type_check CHECK (knowledge_type = ANY (ARRAY['failure_solution'::text, 'gate_rejection'::text, 'gate_approval'::text, 'collaboration'::text])),
    CONSTRAINT knowledge_staging_metadata_check CHECK (jsonb_typeof(metadata) = 'object'::text AND (metadata ->> 'project_id'::text) ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'::text AND jsonb_typeof(metadata -> 'project_id'::text) = 'string'::text AND jsonb_typeof(metadata -> 'agent_type'::text) = 'string'::text AND jsonb_typeof(metadata -> 'task_type'::text) = 'string'::text AND jsonb_typeof(metadata -> 'technology'::text) = 'string'::text AND jsonb_typeof(metadata -> 'success_verified'::text) = 'boolean'::text)
);
CREATE INDEX idx_knowledge_staging_created ON orchestrator.knowledge_staging USING btree (created_at);
CREATE INDEX idx_knowledge_staging_given_up ON orchestrator.knowledge_staging USING btree (given_up_at, id) WHERE ((NOT embedded) AND (given_up_at IS NOT NULL));
CREATE INDEX idx_knowledge_staging_pending ON orchestrator.knowledge_staging USING btree (created_at, id) WHERE ((NOT embedded) AND (given_up_at IS NULL));
CREATE INDEX idx_knowledge_staging_type ON orchestrator.knowledge_staging USING btree (knowledge_type);

-- Other names of models: calls by a name without a price have the price of the model
-- Made by 0.8.1--0.9.0.sql
CREATE TABLE orchestrator.llm_model_aliases (
    -- The name that calls use
    alias text NOT NULL,
    -- The name of the price; another alias does not count
    model text NOT NULL,
    CONSTRAINT llm_model_aliases_pkey PRIMARY KEY (alias),
    CONSTRAINT llm_model_aliases_alias_check CHECK (btrim(alias) <> ''::text AND alias <> model),
    CONSTRAINT llm_model_aliases_model_check CHECK (btrim(model) <> ''::text)
);

-- Prices of language models, each from a day on until the next price of the model
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
CREATE TABLE orchestrator.llm_pricing (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    model text NOT NULL,
    -- USD per million input tokens
    input_cost_per_million numeric NOT NULL,
    -- USD per million output tokens
    output_cost_per_million numeric NOT NULL,
    -- The first UTC day of the price
    effective_date date DEFAULT ((now() AT TIME ZONE 'UTC'::text))::date NOT NULL,
    -- Offer of the model. active: still offered; deprecated: no longer offered. The cost of calls does not depend on it
    status text DEFAULT 'active'::text NOT NULL,
    notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    -- The moment at which the price begins, on its effective_date; NULL: at the beginning of that UTC day
    effective_at timestamp with time zone,
    -- When another row took the place of this one; NULL while it counts
    replaced_at timestamp with time zone,
    -- The price in whose place this one stands; NULL for none
    replaces uuid,
    CONSTRAINT llm_pricing_pkey PRIMARY KEY (id),
    CONSTRAINT llm_pricing_effective_at_check CHECK ((effective_at AT TIME ZONE 'UTC'::text)::date = effective_date),
    CONSTRAINT llm_pricing_effective_date_check CHECK (effective_date <= '294276-12-31'::date OR effective_date = 'infinity'::date),
    CONSTRAINT llm_pricing_input_cost_per_million_check CHECK (input_cost_per_million >= 0::numeric AND input_cost_per_million < 100000000::numeric),
    CONSTRAINT llm_pricing_model_check CHECK (btrim(model) <> ''::text),
    CONSTRAINT llm_pricing_output_cost_per_million_check CHECK (output_cost_per_million >= 0::numeric AND output_cost_per_million < 100000000::numeric),
    CONSTRAINT llm_pricing_status_check CHECK (status = ANY (ARRAY['active'::text, 'deprecated'::text]))
);
CREATE INDEX idx_llm_pricing_status ON orchestrator.llm_pricing USING btree (status);
CREATE UNIQUE INDEX uq_llm_pricing_begins ON orchestrator.llm_pricing USING btree (model, COALESCE(effective_at, ((effective_date)::timestamp without time zone AT TIME ZONE 'UTC'::text))) WHERE (replaced_at IS NULL);
CREATE TRIGGER llm_pricing_updated_at BEFORE UPDATE ON orchestrator.llm_pricing FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle();

-- Unit costs of a price besides those of input and output: for cached tokens, other units, tiers, and long inputs
-- Made by 0.8.1--0.9.0.sql
CREATE TABLE orchestrator.llm_price_components (
    price_id uuid NOT NULL,
    -- A kind of token (input, output, cache_read, cache_write, cache_write_1h, reasoning), or the name of another unit
    component text NOT NULL,
    -- The tier for which the cost holds
    service_tier text DEFAULT 'standard'::text NOT NULL,
    -- The cost holds for calls whose whole input has more tokens than this; 0: for every call
    above_input bigint DEFAULT 0 NOT NULL,
    -- USD per unit, exact
    unit_cost numeric NOT NULL,
    CONSTRAINT llm_price_components_pkey PRIMARY KEY (price_id, component, service_tier, above_input),
    CONSTRAINT llm_price_components_price_id_fkey FOREIGN KEY (price_id) REFERENCES orchestrator.llm_pricing(id) ON DELETE CASCADE,
    CONSTRAINT llm_price_components_above_input_check CHECK (above_input >= 0),
    CONSTRAINT llm_price_components_base_check CHECK (NOT ((component = ANY (ARRAY['input'::text, 'output'::text])) AND service_tier = 'standard'::text AND above_input = 0)),
    CONSTRAINT llm_price_components_component_check CHECK (btrim(component) <> ''::text),
    CONSTRAINT llm_price_components_service_tier_check CHECK (btrim(service_tier) <> ''::text),
    CONSTRAINT llm_price_components_unit_cost_check CHECK (unit_cost >= 0::numeric AND unit_cost < '1000000000000'::bigint::numeric)
);

-- Calls of language models with the tokens of each; views compute the cost
-- Made by 0.2.2--0.2.3.sql, 0.6.0--0.7.0.sql, 0.8.1--0.9.0.sql
CREATE TABLE orchestrator.llm_token_usage (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- When the model was called
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    -- The project of the call; NULL for none
    project_id uuid,
    -- The agent that called the model; NULL for none
    agent_id text,
    -- The name of the model, as in llm_pricing
    model text NOT NULL,
    -- Tokens of the input that were neither read from the cache nor written to it
    input_tokens bigint NOT NULL,
    -- Tokens of the output without those of reasoning
    output_tokens bigint NOT NULL,
    -- When the row was written
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The run of the call, by its name at that time; NULL for none
    thread_id text,
    -- The task of the call; NULL for none
    task_id uuid,
    -- The caller's or the provider's id of the call: reporting it again adds nothing
    call_id text,
    -- Tokens of the input that were read from the cache
    cache_read_tokens bigint DEFAULT 0 NOT NULL,
    -- Tokens of the input that were written to the cache for five minutes
    cache_write_tokens bigint DEFAULT 0 NOT NULL,
    -- Tokens of the input that were written to the cache for an hour
    cache_write_1h_tokens bigint DEFAULT 0 NOT NULL,
    -- Tokens of the output that the model used for reasoning
    reasoning_tokens bigint DEFAULT 0 NOT NULL,
    -- Everything else that the provider charges for, by the name of its component, such as {"web_search": 2}
    units jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- The tier of the call, such as batch, flex, priority or a region, as the price names it
    service_tier text DEFAULT 'standard'::text NOT NULL,
    -- USD that the provider says; it is the cost of the call, whatever the price
    reported_cost numeric,
    -- The prompt of the call; NULL for none
    prompt_id uuid,
    -- The user, key or tag that is charged; NULL for none
    subject text,
    CONSTRAINT llm_token_usage_pkey PRIMARY KEY (id),
    CONSTRAINT llm_token_usage_agent_id_check CHECK (btrim(agent_id) <> ''::text),
    CONSTRAINT llm_token_usage_call_check CHECK (orchestrator.is_valid_llm_call(cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, units, service_tier, reported_cost, subject)),
    CONSTRAINT llm_token_usage_call_id_check CHECK (btrim(call_id) <> ''::text),
    CONSTRAINT llm_token_usage_input_tokens_check CHECK (input_tokens >= 0),
    CONSTRAINT llm_token_usage_model_check CHECK (btrim(model) <> ''::text),
    CONSTRAINT llm_token_usage_output_tokens_check CHECK (output_tokens >= 0),
    CONSTRAINT llm_token_usage_thread_id_check CHECK (btrim(thread_id) <> ''::text)
);
CREATE INDEX idx_token_usage_agent ON orchestrator.llm_token_usage USING btree (agent_id);
CREATE INDEX idx_token_usage_day ON orchestrator.llm_token_usage USING brin (((("timestamp" AT TIME ZONE 'UTC'::text))::date)) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX idx_token_usage_model ON orchestrator.llm_token_usage USING btree (model);
CREATE INDEX idx_token_usage_project_agent ON orchestrator.llm_token_usage USING btree (project_id, agent_id);
CREATE INDEX idx_token_usage_prompt ON orchestrator.llm_token_usage USING btree (prompt_id) WHERE (prompt_id IS NOT NULL);
CREATE INDEX idx_token_usage_thread ON orchestrator.llm_token_usage USING btree (thread_id) WHERE (thread_id IS NOT NULL);
CREATE INDEX idx_token_usage_timestamp ON orchestrator.llm_token_usage USING btree ("timestamp");
CREATE UNIQUE INDEX uq_llm_token_usage_call_id ON orchestrator.llm_token_usage USING btree (call_id) WHERE (call_id IS NOT NULL);

-- Runs of the orchestrator, one per thread, with their phase, their use of tokens and money, and whether they may go on
-- Made by 0.4.3--0.5.0.sql, 0.6.0--0.7.0.sql, 0.7.0--0.7.1.sql, 0.7.3--0.8.0.sql
CREATE TABLE orchestrator.orchestrator_runs (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The orchestrator's own name of the run, by which every function finds it
    thread_id text NOT NULL,
    -- The project, which is stored elsewhere
    project_id uuid NOT NULL,
    -- The story of the run, which is stored elsewhere
    story_id text NOT NULL,
    -- Phase of the run. planning: begins here; development: being built; testing: being tested; complete: ended with success; failed: ended with an error
    phase text DEFAULT 'planning'::text NOT NULL,
    -- The agent at work, for example cto, pm, dev, qa or supervisor
    current_agent text,
    -- Whether the run may go on. pending: not judged yet; go: may go on; hold: waits for a human; kill: ended for good; recycle: sent back to be done again
    gate_status text DEFAULT 'pending'::text NOT NULL,
    -- The lowest score so far, from 0 to 1, rounded down
    safety_score numeric(3,2) DEFAULT 1.00 NOT NULL,
    -- The findings of the scorers, in the order of their reports
    violations text[] DEFAULT '{}'::text[] NOT NULL,
    -- Whether a human has to look at the run
    requires_human_review boolean DEFAULT false NOT NULL,
    -- Sum of the tokens that its agents reported
    tokens_used bigint DEFAULT 0 NOT NULL,
    -- Sum of the costs that its agents reported, in USD
    cost_usd numeric(18,10) DEFAULT 0 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    -- When it became complete or failed
    completed_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The files that its agents created, in the order of their reports
    files_created text[] DEFAULT '{}'::text[] NOT NULL,
    -- The error of the run, or the reason why it was killed
    error text,
    -- Where a worker that comes back goes on, a JSON object of the application
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- The role that paused the run; NULL unless it is paused
    held_by text,
    -- Why the run was paused; NULL unless it is paused
    hold_reason text,
    CONSTRAINT orchestrator_runs_pkey PRIMARY KEY (id),
    CONSTRAINT orchestrator_runs_thread_id_key UNIQUE (thread_id),
    CONSTRAINT orchestrator_runs_cost_usd_check CHECK (cost_usd >= 0::numeric AND cost_usd <> 'NaN'::numeric),
    CONSTRAINT orchestrator_runs_current_agent_check CHECK (btrim(current_agent) <> ''::text),
    CONSTRAINT orchestrator_runs_files_created_check CHECK (array_position(files_created, NULL::text) IS NULL),
    CONSTRAINT orchestrator_runs_gate_status_check CHECK (gate_status = ANY (ARRAY['pending'::text, 'go'::text, 'hold'::text, 'kill'::text, 'recycle'::text])),
    CONSTRAINT orchestrator_runs_held_by_check CHECK (btrim(held_by) <> ''::text),
    CONSTRAINT orchestrator_runs_pause_check CHECK ((held_by IS NULL) = (hold_reason IS NULL) AND (held_by IS NULL OR gate_status = 'hold'::text)),
    CONSTRAINT orchestrator_runs_phase_check CHECK (phase = ANY (ARRAY['planning'::text, 'development'::text, 'testing'::text, 'complete'::text, 'failed'::text])),
    CONSTRAINT orchestrator_runs_safety_score_check CHECK (safety_score >= 0::numeric AND safety_score <= 1::numeric),
    CONSTRAINT orchestrator_runs_state_check CHECK (jsonb_typeof(state) = 'object'::text),
    CONSTRAINT orchestrator_runs_story_id_check CHECK (btrim(story_id) <> ''::text),
    CONSTRAINT orchestrator_runs_thread_id_check CHECK (btrim(thread_id) <> ''::text),
    CONSTRAINT orchestrator_runs_tokens_used_check CHECK (tokens_used >= 0),
    CONSTRAINT orchestrator_runs_violations_check CHECK (array_position(violations, NULL::text) IS NULL)
);
CREATE INDEX idx_orchestrator_runs_project ON orchestrator.orchestrator_runs USING btree (project_id);
CREATE INDEX idx_orchestrator_runs_status ON orchestrator.orchestrator_runs USING btree (phase, gate_status);
CREATE TRIGGER orchestrator_runs_lifecycle BEFORE UPDATE ON orchestrator.orchestrator_runs FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('run_phase', 'phase', 'run_gate', 'gate_status');
CREATE TRIGGER orchestrator_runs_questions AFTER UPDATE OF phase ON orchestrator.orchestrator_runs FOR EACH ROW WHEN (((new.phase = ANY (ARRAY['complete'::text, 'failed'::text])) AND (old.phase <> ALL (ARRAY['complete'::text, 'failed'::text])))) EXECUTE FUNCTION orchestrator.withdraw_questions('run');
CREATE TRIGGER orchestrator_runs_queue AFTER UPDATE ON orchestrator.orchestrator_runs FOR EACH ROW WHEN ((((old.gate_status = ANY (ARRAY['hold'::text, 'kill'::text])) IS DISTINCT FROM (new.gate_status = ANY (ARRAY['hold'::text, 'kill'::text]))) OR ((new.gate_status = 'recycle'::text) AND old.requires_human_review AND (NOT new.requires_human_review)) OR ((new.gate_status = 'recycle'::text) AND (old.gate_status = 'recycle'::text) AND (new.phase = old.phase) AND (new.tokens_used = old.tokens_used) AND (NOT (new.current_agent IS DISTINCT FROM old.current_agent))))) EXECUTE FUNCTION orchestrator.queue_tasks_of_run();

-- Approval gates: an agent waits, and a human decides
-- Made by 0.1.6--0.2.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.3--0.8.0.sql, 0.9.0--0.9.1.sql, 0.9.1--0.9.2.sql
CREATE TABLE orchestrator.gates (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The project, which is stored elsewhere
    project_id uuid NOT NULL,
    -- The agent that waits
    agent_id text NOT NULL,
    -- Why the agent stopped. loop_detected: it repeats the same error; high_risk: its next step is risky; collaboration_deadlock: agents ask each other in circles; manual: any other reason; prompt_activation: a version of its prompt is to go live
    gate_type text NOT NULL,
    -- Why a human has to decide
    reason text NOT NULL,
    -- Facts for the decision, a JSON object
    context jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- State of the gate. pending: waits for a decision; approved: the agent may go on; denied: the agent may not, and gets the feedback; withdrawn: no longer asked
    status text DEFAULT 'pending'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by text,
    -- The human's message to the agent, which a denial needs; or the reason of a withdrawal
    feedback text,
    -- The run that the gate holds while it is pending; if its thread_id changes, this column follows, also in a resolved gate
    thread_id text,
    -- The agent's key of the question: asking again with it opens no second gate
    request_key text,
    CONSTRAINT gates_pkey PRIMARY KEY (id),
    CONSTRAINT gates_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs(thread_id) ON UPDATE CASCADE,
    CONSTRAINT gates_agent_id_check CHECK (btrim(agent_id) <> ''::text),
    CONSTRAINT gates_context_check CHECK (jsonb_typeof(context) = 'object'::text),
    CONSTRAINT gates_feedback_check CHECK ((status <> ALL (ARRAY['denied'::text, 'withdrawn'::text])) OR btrim(COALESCE(feedback, ''::text)) <> ''::text),
    CONSTRAINT gates_gate_type_check CHECK (gate_type = ANY (ARRAY['loop_detected'::text, 'high_risk'::text, 'collaboration_deadlock'::text, 'manual'::text, 'prompt_activation'::text])),
    CONSTRAINT gates_reason_check CHECK (btrim(reason) <> ''::text),
    CONSTRAINT gates_request_key_check CHECK (btrim(request_key) <> ''::text),
    CONSTRAINT gates_resolution_check CHECK (
CASE status
    WHEN 'pending'::text THEN resolved_at IS NULL AND resolved_by IS NULL
    ELSE resolved_at IS NOT NULL AND btrim(COALESCE(resolved_by, ''::text)) <> ''::text
END),
    CONSTRAINT gates_status_check CHECK (status = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'withdrawn'::text]))
);
CREATE INDEX idx_gates_agent ON orchestrator.gates USING btree (agent_id);
CREATE INDEX idx_gates_created ON orchestrator.gates USING btree (created_at);
CREATE INDEX idx_gates_pending ON orchestrator.gates USING btree (created_at, id) WHERE (status = 'pending'::text);
CREATE INDEX idx_gates_project ON orchestrator.gates USING btree (project_id);
CREATE INDEX idx_gates_status ON orchestrator.gates USING btree (status);
CREATE INDEX idx_gates_thread ON orchestrator.gates USING btree (thread_id) WHERE (thread_id IS NOT NULL);
CREATE UNIQUE INDEX uq_gates_request_key ON orchestrator.gates USING btree (request_key) WHERE (request_key IS NOT NULL);
CREATE TRIGGER gates_activation AFTER UPDATE OF status ON orchestrator.gates FOR EACH ROW WHEN (((new.status = 'approved'::text) AND (old.status = 'pending'::text) AND (new.gate_type = 'prompt_activation'::text))) EXECUTE FUNCTION orchestrator.activate_approved();
CREATE TRIGGER gates_budget AFTER UPDATE ON orchestrator.gates REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.raise_approved();
CREATE TRIGGER gates_by_terms AFTER UPDATE ON orchestrator.gates REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('gate');
CREATE TRIGGER gates_decided AFTER UPDATE ON orchestrator.gates REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
CREATE TRIGGER gates_lifecycle BEFORE UPDATE ON orchestrator.gates FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('gate', 'status');
CREATE TRIGGER gates_requested AFTER INSERT ON orchestrator.gates REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('gate');
CREATE TRIGGER gates_terms AFTER INSERT ON orchestrator.gates REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('gate');

-- Questions to a human about a run, with the decision; a run may have several reviews
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.3--0.8.0.sql, 0.9.1--0.9.2.sql
CREATE TABLE orchestrator.human_review_queue (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The run; if its thread_id changes, this column follows, also in a resolved review
    thread_id text NOT NULL,
    -- Subject of the review. safety: a low safety score; gate_override: whether the run may pass a gate; budget_exceeded: whether the run may spend more
    review_type text NOT NULL,
    -- Why a human has to decide
    reason text NOT NULL,
    -- The score that led to the review, from 0 to 1; a lower one that arrives while the review is pending replaces it
    safety_score numeric(3,2),
    -- Facts for the decision, a JSON object
    context jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- State of the review. pending: waits for a decision; approved: the run may go on; rejected: the run is killed; changes_requested: the run is done again as the notes say; withdrawn: no longer asked
    status text DEFAULT 'pending'::text NOT NULL,
    resolved_by text,
    resolved_at timestamp with time zone,
    -- The human's notes on the decision, which every answer but an approval needs
    resolution_notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The agent's key of the question: asking again with it requests no second review
    request_key text,
    CONSTRAINT human_review_queue_pkey PRIMARY KEY (id),
    CONSTRAINT human_review_queue_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs(thread_id) ON UPDATE CASCADE,
    CONSTRAINT human_review_queue_context_check CHECK (jsonb_typeof(context) = 'object'::text),
    CONSTRAINT human_review_queue_reason_check CHECK (btrim(reason) <> ''::text),
    CONSTRAINT human_review_queue_request_key_check CHECK (btrim(request_key) <> ''::text),
    CONSTRAINT human_review_queue_resolution_check CHECK (
CASE status
    WHEN 'pending'::text THEN resolved_at IS NULL AND resolved_by IS NULL
    ELSE resolved_at IS NOT NULL AND btrim(COALESCE(resolved_by, ''::text)) <> ''::text
END),
    CONSTRAINT human_review_queue_resolution_notes_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text])) OR btrim(COALESCE(resolution_notes, ''::text)) <> ''::text),
    CONSTRAINT human_review_queue_review_type_check CHECK (review_type = ANY (ARRAY['safety'::text, 'gate_override'::text, 'budget_exceeded'::text])),
    CONSTRAINT human_review_queue_safety_score_check CHECK (safety_score >= 0::numeric AND safety_score <= 1::numeric),
    CONSTRAINT human_review_queue_status_check CHECK (status = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text, 'changes_requested'::text, 'withdrawn'::text]))
);
CREATE INDEX idx_human_review_pending ON orchestrator.human_review_queue USING btree (created_at, id) WHERE (status = 'pending'::text);
CREATE INDEX idx_human_review_status ON orchestrator.human_review_queue USING btree (status);
CREATE INDEX idx_human_review_thread ON orchestrator.human_review_queue USING btree (thread_id);
CREATE INDEX idx_human_review_type ON orchestrator.human_review_queue USING btree (review_type);
CREATE UNIQUE INDEX uq_human_review_request_key ON orchestrator.human_review_queue USING btree (request_key) WHERE (request_key IS NOT NULL);
CREATE TRIGGER human_review_queue_budget AFTER UPDATE ON orchestrator.human_review_queue REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.raise_approved();
CREATE TRIGGER human_review_queue_by_terms AFTER UPDATE ON orchestrator.human_review_queue REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('review');
CREATE TRIGGER human_review_queue_decided AFTER UPDATE ON orchestrator.human_review_queue REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('review');
CREATE TRIGGER human_review_queue_lifecycle BEFORE UPDATE ON orchestrator.human_review_queue FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('review', 'status');
CREATE TRIGGER human_review_queue_requested AFTER INSERT ON orchestrator.human_review_queue REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('review');
CREATE TRIGGER human_review_queue_terms AFTER INSERT ON orchestrator.human_review_queue REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('review');

-- Published prompts; a published prompt never changes, and a correction is a new version
-- Made by 0.2.1--0.2.2.sql, 0.9.0--0.9.1.sql
CREATE TABLE orchestrator.prompts (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The kind of agent that uses the prompt
    agent_type text NOT NULL,
    -- major.minor.patch, unique per agent type
    version text NOT NULL,
    prompt_text text NOT NULL,
    -- Whether callers of active_prompt without a key get this version in production; true for at most one version
    is_active boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text,
    notes text,
    -- The SHA-256 of the text in the encoding of the database
    text_sha256 bytea GENERATED ALWAYS AS (orchestrator.text_sha256(prompt_text)) STORED,
    CONSTRAINT prompts_pkey PRIMARY KEY (id),
    CONSTRAINT uq_prompts_agent_version UNIQUE (agent_type, version),
    CONSTRAINT prompts_agent_type_check CHECK (btrim(agent_type) <> ''::text),
    CONSTRAINT prompts_prompt_text_check CHECK (btrim(prompt_text) <> ''::text),
    CONSTRAINT prompts_version_check CHECK (
CASE
    WHEN version ~ '^(0|[1-9][0-9]{0,9})[.](0|[1-9][0-9]{0,9})[.](0|[1-9][0-9]{0,9})$'::text THEN '4294967295'::bigint >= ALL (string_to_array(version, '.'::text)::bigint[])
    ELSE false
END)
);
CREATE INDEX idx_prompts_created ON orchestrator.prompts USING btree (created_at);
CREATE UNIQUE INDEX uq_prompts_active ON orchestrator.prompts USING btree (agent_type) WHERE is_active;
CREATE TRIGGER prompts_activation AFTER INSERT OR UPDATE OF is_active ON orchestrator.prompts FOR EACH ROW EXECUTE FUNCTION orchestrator.record_activation();
CREATE TRIGGER prompts_immutable BEFORE UPDATE ON orchestrator.prompts FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('agent_type', 'version', 'prompt_text', 'created_at');
CREATE TRIGGER prompts_published BEFORE DELETE OR TRUNCATE ON orchestrator.prompts FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_published();
CREATE TRIGGER prompts_waiting BEFORE UPDATE OF is_active ON orchestrator.prompts FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.wait_for_activations();
CREATE TRIGGER prompts_waiting_active BEFORE INSERT ON orchestrator.prompts FOR EACH ROW WHEN (new.is_active) EXECUTE FUNCTION orchestrator.wait_for_activations();

-- Which version of a prompt was made live when, and by whom; rows are only added
-- Made by 0.9.0--0.9.1.sql
CREATE TABLE orchestrator.prompt_activations (
    -- The kind of agent that uses the prompt
    agent_type text NOT NULL,
    -- Under which the version is live: production, or another name such as staging or canary
    label text DEFAULT 'production'::text NOT NULL,
    -- The version; NULL: from then on none is live
    prompt_id uuid,
    -- From when on
    activated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    -- The person who made it live, or the role of a plain UPDATE of is_active; NULL for unknown
    activated_by text,
    -- Percent of those whom no newer version takes; the oldest takes the rest
    weight integer DEFAULT 100 NOT NULL,
    CONSTRAINT prompt_activations_pkey PRIMARY KEY (agent_type, label, activated_at),
    CONSTRAINT prompt_activations_prompt_id_fkey FOREIGN KEY (prompt_id) REFERENCES orchestrator.prompts(id),
    CONSTRAINT prompt_activations_activated_at_check CHECK (isfinite(activated_at)),
    CONSTRAINT prompt_activations_agent_type_check CHECK (btrim(agent_type) <> ''::text),
    CONSTRAINT prompt_activations_label_check CHECK (btrim(label) <> ''::text),
    CONSTRAINT prompt_activations_weight_check CHECK (weight >= 0 AND weight <= 100)
);
CREATE INDEX idx_prompt_activations_prompt ON orchestrator.prompt_activations USING btree (prompt_id);
CREATE TRIGGER prompt_activations_checked BEFORE INSERT ON orchestrator.prompt_activations FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_activations();
CREATE TRIGGER prompt_activations_followed AFTER INSERT ON orchestrator.prompt_activations FOR EACH ROW EXECUTE FUNCTION orchestrator.follow_activations();
CREATE TRIGGER prompt_activations_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON orchestrator.prompt_activations FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_published();

-- The schema of the database at one moment; capture_snapshot writes snapshots, compare_snapshots compares them
-- Made by 0.3.0--0.4.0.sql
CREATE TABLE orchestrator.schema_snapshots (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The name of the snapshot, for example before V7
    label text NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL,
    taken_by text DEFAULT SESSION_USER NOT NULL,
    -- Definitions by kind and name: tables, columns, types, enums, constraints, indexes, views, triggers, functions; and the number of objects left out because the caller may not see them
    catalog jsonb NOT NULL,
    -- Rows (by the statistics), bytes and scans of tables and indexes, totals of the database, and under scope the requested schemas, null for all
    metrics jsonb NOT NULL,
    -- SHA-256 of the catalog, in hexadecimal; equal for equal schemas
    fingerprint text NOT NULL,
    CONSTRAINT schema_snapshots_pkey PRIMARY KEY (id),
    CONSTRAINT schema_snapshots_label_key UNIQUE (label),
    CONSTRAINT schema_snapshots_catalog_check CHECK (jsonb_typeof(catalog) = 'object'::text),
    CONSTRAINT schema_snapshots_label_check CHECK (btrim(label) <> ''::text),
    CONSTRAINT schema_snapshots_metrics_check CHECK (jsonb_typeof(metrics) = 'object'::text)
);

-- Units of work, from the request to the end
-- Made by 0.0.0--0.1.0.sql, 0.1.5--0.1.6.sql, 0.2.5--0.3.0.sql, 0.6.0--0.7.0.sql, 0.7.0--0.7.1.sql, 0.7.3--0.8.0.sql
CREATE TABLE orchestrator.tasks (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The name for people; may be blank on a routed task, which has its description
    title text DEFAULT ''::text NOT NULL,
    description text,
    -- The kind of work; free text, for example tool, script, validation
    task_type text NOT NULL,
    -- State of the task. pending: waits to be started; running: in progress; completed: done; failed: ended with an error, can become pending again; cancelled: ended without being done
    status text DEFAULT 'pending'::text NOT NULL,
    -- The worker's instructions, a JSON object
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- Any further data of the caller
    metadata jsonb,
    -- The directory of the work
    workspace_path text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    -- When it last became running; NULL again while it waits for the next attempt
    started_at timestamp with time zone,
    -- When it became completed, failed or cancelled
    completed_at timestamp with time zone,
    -- Why it failed or was cancelled; task_attempts has the errors of earlier attempts
    error text,
    -- The role that routed the task; set only on routed tasks
    from_role text,
    -- The role that has to do the task
    to_role text,
    -- Input for the role, a JSON object
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- The trace of the task; audit_events with this trace_id are its history
    trace_id uuid,
    -- The caller's key: routing twice with it creates one task; NULL after it was released
    idempotency_key uuid,
    -- The run that the task belongs to; if its thread_id changes, this column follows
    thread_id text,
    -- Tasks with a greater number are claimed first
    priority smallint DEFAULT 0 NOT NULL,
    -- No worker claims the task before this time
    run_after timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    -- The number of attempts after which a failure is final; released attempts do not count
    max_attempts integer DEFAULT 1 NOT NULL,
    -- The result of the work, any JSON value of the application
    result jsonb,
    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT tasks_idempotency_key_key UNIQUE (idempotency_key),
    CONSTRAINT tasks_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES orchestrator.orchestrator_runs(thread_id) ON UPDATE CASCADE,
    CONSTRAINT tasks_completed_at_check CHECK (completed_at >= started_at),
    CONSTRAINT tasks_config_check CHECK (jsonb_typeof(config) = 'object'::text),
    CONSTRAINT tasks_data_check CHECK (jsonb_typeof(data) = 'object'::text),
    CONSTRAINT tasks_from_role_check CHECK (btrim(from_role) <> ''::text),
    CONSTRAINT tasks_max_attempts_check CHECK (max_attempts >= 1),
    CONSTRAINT tasks_routed_check CHECK (from_role IS NULL OR to_role IS NOT NULL AND trace_id IS NOT NULL AND description IS NOT NULL AND btrim(description) <> ''::text AND (task_type = ANY (ARRAY['notification'::text, 'approval'::text, 'routing'::text]))),
    CONSTRAINT tasks_status_check CHECK (status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])),
    CONSTRAINT tasks_task_type_check CHECK (btrim(task_type) <> ''::text),
    CONSTRAINT tasks_title_check CHECK (btrim(title) <> ''::text OR from_role IS NOT NULL),
    CONSTRAINT tasks_to_role_check CHECK (btrim(to_role) <> ''::text)
);
CREATE INDEX idx_tasks_created ON orchestrator.tasks USING btree (created_at);
CREATE INDEX idx_tasks_keyed ON orchestrator.tasks USING btree (created_at, id) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX idx_tasks_status ON orchestrator.tasks USING btree (status);
CREATE INDEX idx_tasks_thread ON orchestrator.tasks USING btree (thread_id) WHERE (thread_id IS NOT NULL);
CREATE INDEX idx_tasks_trace_id ON orchestrator.tasks USING btree (trace_id);
CREATE INDEX idx_tasks_type ON orchestrator.tasks USING btree (task_type);
CREATE INDEX idx_tasks_workspace ON orchestrator.tasks USING btree (workspace_path);
CREATE TRIGGER tasks_approvals BEFORE UPDATE OF status, title, description, config, data ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_approvals();
CREATE TRIGGER tasks_defaults BEFORE INSERT ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_defaults('created_at', 'updated_at', 'started_at', 'completed_at', 'from_role', 'to_role', 'data', 'trace_id', 'idempotency_key');
CREATE TRIGGER tasks_lifecycle BEFORE UPDATE ON orchestrator.tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('task', 'status');
CREATE TRIGGER tasks_questions AFTER UPDATE OF status ON orchestrator.tasks FOR EACH ROW WHEN (((new.status = ANY (ARRAY['failed'::text, 'cancelled'::text])) AND (old.status <> ALL (ARRAY['failed'::text, 'cancelled'::text])))) EXECUTE FUNCTION orchestrator.withdraw_questions('task');
CREATE TRIGGER tasks_queue AFTER UPDATE OF status, task_type, to_role, priority, run_after, created_at, thread_id ON orchestrator.tasks FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR (new.status = 'pending'::text))) EXECUTE FUNCTION orchestrator.queue_task();
CREATE TRIGGER tasks_queue_new AFTER INSERT ON orchestrator.tasks FOR EACH ROW WHEN ((new.status = 'pending'::text)) EXECUTE FUNCTION orchestrator.queue_task();
CREATE TRIGGER tasks_workflows AFTER UPDATE OF status ON orchestrator.tasks FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.advance_workflows();

-- Requests to a role to approve a task, with the decision; a task may need several
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.0--0.7.1.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE TABLE orchestrator.approvals (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    task_id uuid NOT NULL,
    -- The role that was asked; a person decides for it, or for the role that it was assigned to
    approver_role text NOT NULL,
    -- State of the request. pending: waits for a decision; approved: the role agreed; rejected: the role refused; changes_requested: the role wants changes first; withdrawn: no longer asked
    status text DEFAULT 'pending'::text NOT NULL,
    -- When it was decided; NULL exactly while it is pending
    decision_at timestamp with time zone,
    -- The notes of the request; notes of the decision replace them
    notes text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The agent's key of the question: asking again with it requests no second approval
    request_key text,
    -- Who decided: the person for the role, or the role; NULL for a decision from before this column, or by a plain UPDATE
    decided_by text,
    CONSTRAINT approvals_pkey PRIMARY KEY (id),
    CONSTRAINT approvals_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id) ON DELETE CASCADE,
    CONSTRAINT approvals_approver_role_check CHECK (btrim(approver_role) <> ''::text),
    CONSTRAINT approvals_decided_by_check CHECK (decided_by IS NULL OR status <> 'pending'::text AND btrim(decided_by) <> ''::text),
    CONSTRAINT approvals_decision_at_check CHECK ((status = 'pending'::text) = (decision_at IS NULL)),
    CONSTRAINT approvals_request_key_check CHECK (btrim(request_key) <> ''::text),
    CONSTRAINT approvals_status_check CHECK (status = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text, 'changes_requested'::text, 'withdrawn'::text]))
);
CREATE INDEX idx_approvals_pending ON orchestrator.approvals USING btree (created_at, id) WHERE (status = 'pending'::text);
CREATE INDEX idx_approvals_status ON orchestrator.approvals USING btree (status);
CREATE INDEX idx_approvals_task_id ON orchestrator.approvals USING btree (task_id);
CREATE UNIQUE INDEX uq_approvals_request_key ON orchestrator.approvals USING btree (request_key) WHERE (request_key IS NOT NULL);
CREATE TRIGGER approvals_by_terms AFTER UPDATE ON orchestrator.approvals REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.enforce_terms('approval');
CREATE TRIGGER approvals_decided AFTER UPDATE ON orchestrator.approvals REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('approval');
CREATE TRIGGER approvals_lifecycle BEFORE UPDATE ON orchestrator.approvals FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('approval', 'status');
CREATE TRIGGER approvals_queue AFTER INSERT OR DELETE OR UPDATE ON orchestrator.approvals FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_task_of_approval();
CREATE TRIGGER approvals_requested AFTER INSERT ON orchestrator.approvals REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.announce_decisions('approval');
CREATE TRIGGER approvals_terms AFTER INSERT ON orchestrator.approvals REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.write_terms('approval');

-- The pending tasks in the order of claims; kept up by triggers, and written by nothing else
-- Made by 0.7.0--0.7.1.sql
CREATE TABLE orchestrator.queued_tasks (
    task_id uuid NOT NULL,
    -- The first 200 characters of the task's
    task_type text NOT NULL,
    -- The first 200 characters of the task's
    to_role text,
    priority smallint NOT NULL,
    run_after timestamp with time zone NOT NULL,
    -- When the task was created
    created_at timestamp with time zone NOT NULL,
    -- The number of the last attempt, or 0
    attempts integer NOT NULL,
    -- Whether neither its run, nor a workflow, nor an approval keeps it back
    ready boolean NOT NULL,
    CONSTRAINT queued_tasks_pkey PRIMARY KEY (task_id),
    CONSTRAINT queued_tasks_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id) ON DELETE CASCADE
);
CREATE INDEX idx_queued_tasks_order ON orchestrator.queued_tasks USING btree (priority DESC, run_after, created_at, task_id) WHERE ready;
CREATE INDEX idx_queued_tasks_role ON orchestrator.queued_tasks USING btree (to_role, task_type, priority DESC, run_after, created_at, task_id) WHERE (ready AND (to_role IS NOT NULL));
CREATE INDEX idx_queued_tasks_type ON orchestrator.queued_tasks USING btree (task_type, priority DESC, run_after, created_at, task_id) WHERE ready;
CREATE TRIGGER queued_tasks_restored BEFORE INSERT ON orchestrator.queued_tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.replace_queued_task();

-- Work of a role or of a client, and the client connection that carries it
-- Made by 0.1.3--0.1.4.sql, 0.2.5--0.3.0.sql
CREATE TABLE orchestrator.sessions (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The client; one client may have several sessions, and the session of a role may have no client
    client_id text,
    user_id text,
    -- Protocol of the client. websocket: WebSocket; http: HTTP requests; grpc: gRPC
    connection_type text DEFAULT 'websocket'::text NOT NULL,
    -- Whether a client is attached; the state of the work is in status
    is_active boolean DEFAULT true NOT NULL,
    metadata jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    -- The client's last heartbeat
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    -- The role that works, for example finance or manager
    role text,
    -- The task of the session
    task_id uuid,
    -- State of the work. pending: not begun; active: in progress; completed: done; failed: ended with an error; expired: ended after a long silence
    status text DEFAULT 'pending'::text NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id) ON DELETE SET NULL,
    CONSTRAINT sessions_client_id_check CHECK (btrim(client_id) <> ''::text),
    CONSTRAINT sessions_connection_type_check CHECK (connection_type = ANY (ARRAY['websocket'::text, 'http'::text, 'grpc'::text])),
    CONSTRAINT sessions_party_check CHECK (client_id IS NOT NULL OR role IS NOT NULL),
    CONSTRAINT sessions_role_check CHECK (btrim(role) <> ''::text),
    CONSTRAINT sessions_status_check CHECK (status = ANY (ARRAY['pending'::text, 'active'::text, 'completed'::text, 'failed'::text, 'expired'::text]))
);
CREATE INDEX idx_sessions_active ON orchestrator.sessions USING btree (is_active);
CREATE INDEX idx_sessions_attached ON orchestrator.sessions USING btree (last_heartbeat, id) WHERE is_active;
CREATE INDEX idx_sessions_client ON orchestrator.sessions USING btree (client_id);
CREATE INDEX idx_sessions_created ON orchestrator.sessions USING btree (created_at);
CREATE INDEX idx_sessions_heartbeat ON orchestrator.sessions USING btree (last_heartbeat);
CREATE INDEX idx_sessions_open ON orchestrator.sessions USING btree (GREATEST(last_heartbeat, updated_at), id) WHERE (status = ANY (ARRAY['pending'::text, 'active'::text]));
CREATE INDEX idx_sessions_status ON orchestrator.sessions USING btree (status);
CREATE INDEX idx_sessions_task_id ON orchestrator.sessions USING btree (task_id);
CREATE INDEX idx_sessions_user ON orchestrator.sessions USING btree (user_id);
CREATE TRIGGER sessions_lifecycle BEFORE UPDATE ON orchestrator.sessions FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('session', 'status');

-- Each claim of a task, with its lease and its end; the open one is the claim that holds the task
-- Made by 0.7.0--0.7.1.sql
CREATE TABLE orchestrator.task_attempts (
    task_id uuid NOT NULL,
    -- The number of the claim of its task, from 1
    attempt integer NOT NULL,
    -- The name that the worker gave itself
    worker text NOT NULL,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL,
    -- From this time on the task can be taken back, unless the lease is renewed
    lease_expires_at timestamp with time zone NOT NULL,
    -- When the attempt ended; NULL exactly while the worker holds the task
    ended_at timestamp with time zone,
    -- End of the attempt. completed: the task is done; failed: the worker reported an error; released: the worker gave the task back; expired: the lease ran out; cancelled: the task was cancelled
    outcome text,
    -- The error that the worker reported, or the reason of the cancellation
    error text,
    -- The database role that was logged in
    claimed_as text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT task_attempts_pkey PRIMARY KEY (task_id, attempt),
    CONSTRAINT task_attempts_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id) ON DELETE CASCADE,
    CONSTRAINT task_attempts_attempt_check CHECK (attempt >= 1),
    CONSTRAINT task_attempts_end_check CHECK ((outcome IS NULL) = (ended_at IS NULL) AND ended_at >= claimed_at),
    CONSTRAINT task_attempts_outcome_check CHECK (outcome = ANY (ARRAY['completed'::text, 'failed'::text, 'released'::text, 'expired'::text, 'cancelled'::text])),
    CONSTRAINT task_attempts_worker_check CHECK (btrim(worker) <> ''::text)
);
CREATE INDEX idx_task_attempts_ended ON orchestrator.task_attempts USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX idx_task_attempts_lease ON orchestrator.task_attempts USING btree (lease_expires_at) WHERE (outcome IS NULL);
CREATE UNIQUE INDEX uq_task_attempts_open ON orchestrator.task_attempts USING btree (task_id) WHERE (ended_at IS NULL);

-- The log of tools: every call by a task, and its end
-- Made by 0.1.2--0.1.3.sql, 0.1.5--0.1.6.sql, 0.7.0--0.7.1.sql
CREATE TABLE orchestrator.tool_executions (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    task_id uuid NOT NULL,
    tool_name text NOT NULL,
    -- The arguments of the call
    arguments jsonb DEFAULT '{}'::jsonb NOT NULL,
    -- The output of the tool
    output text,
    -- State of the call. pending: not started; running: in progress; completed: the tool returned; failed: the tool returned an error; timeout: the tool did not return in time
    status text DEFAULT 'pending'::text NOT NULL,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    -- When it became completed, failed or timeout
    completed_at timestamp with time zone,
    -- Milliseconds from created_at to completed_at
    duration_ms bigint,
    -- The worker's key of the step within its task: begin_step finds the completed execution by it
    step_key text,
    CONSTRAINT tool_executions_pkey PRIMARY KEY (id),
    CONSTRAINT tool_executions_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id),
    CONSTRAINT tool_executions_completed_at_check CHECK (completed_at >= created_at),
    CONSTRAINT tool_executions_duration_ms_check CHECK (duration_ms >= 0),
    CONSTRAINT tool_executions_status_check CHECK (status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text, 'timeout'::text])),
    CONSTRAINT tool_executions_step_key_check CHECK (btrim(step_key) <> ''::text),
    CONSTRAINT tool_executions_tool_name_check CHECK (btrim(tool_name) <> ''::text)
);
CREATE INDEX idx_tool_executions_created ON orchestrator.tool_executions USING btree (created_at);
CREATE INDEX idx_tool_executions_status ON orchestrator.tool_executions USING btree (status);
CREATE INDEX idx_tool_executions_task ON orchestrator.tool_executions USING btree (task_id);
CREATE INDEX idx_tool_executions_tool ON orchestrator.tool_executions USING btree (tool_name);
CREATE UNIQUE INDEX uq_tool_executions_step ON orchestrator.tool_executions USING btree (task_id, step_key) WHERE ((step_key IS NOT NULL) AND (status <> ALL (ARRAY['failed'::text, 'timeout'::text])));
CREATE TRIGGER tool_executions_lifecycle BEFORE UPDATE ON orchestrator.tool_executions FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('tool_execution', 'status');

-- Consolidation of enum types: each row replaces one type by another, reversibly
-- Made by 0.4.0--0.4.1.sql
CREATE TABLE orchestrator.v7_enum_migrations (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The type to replace, as schema.name
    current_enum_name text NOT NULL,
    current_enum_values text[] NOT NULL,
    -- The type that replaces it
    v7_enum_name text NOT NULL,
    v7_enum_values text[] NOT NULL,
    -- Further types that the same type replaces
    consolidates_with text[] DEFAULT '{}'::text[] NOT NULL,
    affected_tables text[] DEFAULT '{}'::text[] NOT NULL,
    -- The columns of each table that use the type, a JSON object of arrays
    affected_columns jsonb DEFAULT '{}'::jsonb NOT NULL,
    migration_script text,
    -- The script that undoes the change; required from approval on
    rollback_script text,
    -- State of the replacement. proposed: waits for an approver; approved: may be implemented; implemented: in place, to be validated; validated: tested; retired: the old type is gone; rolled_back: undone, can be proposed again
    status text DEFAULT 'proposed'::text NOT NULL,
    -- Risk of the replacement. low: little can break; medium: the default; high: much can break; critical: everything can break
    risk_level text DEFAULT 'medium'::text NOT NULL,
    approved_by text,
    implemented_at timestamp with time zone,
    validated_at timestamp with time zone,
    retired_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT v7_enum_migrations_pkey PRIMARY KEY (id),
    CONSTRAINT v7_enum_migrations_names_key UNIQUE (current_enum_name, v7_enum_name),
    CONSTRAINT v7_enum_migrations_affected_columns_check CHECK (jsonb_typeof(affected_columns) = 'object'::text),
    CONSTRAINT v7_enum_migrations_approval_check CHECK (status = 'proposed'::text OR btrim(COALESCE(approved_by, ''::text)) <> ''::text AND btrim(COALESCE(rollback_script, ''::text)) <> ''::text),
    CONSTRAINT v7_enum_migrations_current_enum_name_check CHECK (btrim(current_enum_name) <> ''::text),
    CONSTRAINT v7_enum_migrations_risk_level_check CHECK (risk_level = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text])),
    CONSTRAINT v7_enum_migrations_status_check CHECK (status = ANY (ARRAY['proposed'::text, 'approved'::text, 'implemented'::text, 'validated'::text, 'retired'::text, 'rolled_back'::text])),
    CONSTRAINT v7_enum_migrations_v7_enum_name_check CHECK (btrim(v7_enum_name) <> ''::text)
);
CREATE INDEX idx_enum_migrations_proposed ON orchestrator.v7_enum_migrations USING btree (created_at, id) WHERE (status = 'proposed'::text);
CREATE INDEX idx_enum_migrations_status ON orchestrator.v7_enum_migrations USING btree (status);
CREATE TRIGGER v7_enum_migrations_lifecycle BEFORE UPDATE ON orchestrator.v7_enum_migrations FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_enum', 'status');

-- Changes that reach beyond one file: their reach, their risk and their approval
-- Made by 0.4.0--0.4.1.sql
CREATE TABLE orchestrator.v7_global_impacts (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Subject of the change. enum: an enum type; file: a file; api: an interface; schema: the database schema; config: configuration; dependency: a dependency
    change_type text NOT NULL,
    change_detail jsonb NOT NULL,
    -- WF1 to WF7
    affected_workflows text[] NOT NULL,
    -- 1 to 7, as in file_audit.layer_number
    affected_layers integer[] NOT NULL,
    impact_description text NOT NULL,
    -- Risk of the change. low: little can break; medium: something can break; high: much can break, needs a mitigation; critical: everything can break, needs a mitigation
    risk_assessment text NOT NULL,
    -- The plan against the risk; high and critical impacts need it before they are approved
    mitigation_strategy text,
    reviewed_by_personas text[] DEFAULT '{}'::text[] NOT NULL,
    -- State of the impact, which is open until it is implemented or rejected. pending: not looked at; reviewing: under review; approved: may be implemented; rejected: will not be implemented; implemented: done
    approval_status text DEFAULT 'pending'::text NOT NULL,
    implementation_notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT v7_global_impacts_pkey PRIMARY KEY (id),
    CONSTRAINT v7_global_impacts_approval_status_check CHECK (approval_status = ANY (ARRAY['pending'::text, 'reviewing'::text, 'approved'::text, 'rejected'::text, 'implemented'::text])),
    CONSTRAINT v7_global_impacts_change_type_check CHECK (change_type = ANY (ARRAY['enum'::text, 'file'::text, 'api'::text, 'schema'::text, 'config'::text, 'dependency'::text])),
    CONSTRAINT v7_global_impacts_impact_description_check CHECK (btrim(impact_description) <> ''::text),
    CONSTRAINT v7_global_impacts_mitigation_check CHECK ((risk_assessment <> ALL (ARRAY['high'::text, 'critical'::text])) OR (approval_status <> ALL (ARRAY['approved'::text, 'implemented'::text])) OR btrim(COALESCE(mitigation_strategy, ''::text)) <> ''::text),
    CONSTRAINT v7_global_impacts_risk_assessment_check CHECK (risk_assessment = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))
);
CREATE INDEX idx_global_impacts_open ON orchestrator.v7_global_impacts USING btree (created_at, id) WHERE (approval_status = ANY (ARRAY['pending'::text, 'reviewing'::text, 'approved'::text]));
CREATE INDEX idx_global_impacts_risk ON orchestrator.v7_global_impacts USING btree (risk_assessment);
CREATE TRIGGER v7_global_impacts_lifecycle BEFORE UPDATE ON orchestrator.v7_global_impacts FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_impact', 'approval_status');

-- The phases of the migration, one row each, with state, leader and approval
-- Made by 0.4.0--0.4.1.sql, 0.4.2--0.4.3.sql
CREATE TABLE orchestrator.v7_migration_workflow (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    phase_number integer NOT NULL,
    phase_name text NOT NULL,
    -- State of the phase. not_started: waits for the phase before; in_progress: work is going on; review: waits for approval; approved: can be completed; completed: done; blocked: held up; rolled_back: undone, can start again
    status text DEFAULT 'not_started'::text NOT NULL,
    -- The persona who is responsible for the phase
    lead_persona text NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    -- Approval of the present run of the phase. pending: not given; approved: given, the next phase may start; rejected: refused
    approval_status text DEFAULT 'pending'::text NOT NULL,
    approved_by text,
    -- The written approval, and why earlier ones ended
    approval_notes text,
    -- The results for the review, a JSON array
    deliverables jsonb DEFAULT '[]'::jsonb NOT NULL,
    -- Reasons why the phase is held up, a JSON array
    blockers jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT v7_migration_workflow_pkey PRIMARY KEY (id),
    CONSTRAINT v7_migration_workflow_phase_name_key UNIQUE (phase_name),
    CONSTRAINT v7_migration_workflow_phase_number_key UNIQUE (phase_number),
    CONSTRAINT v7_migration_workflow_approval_status_check CHECK (approval_status = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text])),
    CONSTRAINT v7_migration_workflow_blockers_check CHECK (jsonb_typeof(blockers) = 'array'::text),
    CONSTRAINT v7_migration_workflow_deliverables_check CHECK (jsonb_typeof(deliverables) = 'array'::text),
    CONSTRAINT v7_migration_workflow_lead_persona_check CHECK (btrim(lead_persona) <> ''::text),
    CONSTRAINT v7_migration_workflow_phase_name_check CHECK (btrim(phase_name) <> ''::text),
    CONSTRAINT v7_migration_workflow_phase_number_check CHECK (phase_number >= 1 AND phase_number <= 7),
    CONSTRAINT v7_migration_workflow_status_check CHECK (status = ANY (ARRAY['not_started'::text, 'in_progress'::text, 'review'::text, 'approved'::text, 'completed'::text, 'blocked'::text, 'rolled_back'::text]))
);
CREATE TRIGGER v7_migration_workflow_approval BEFORE UPDATE ON orchestrator.v7_migration_workflow FOR EACH ROW EXECUTE FUNCTION orchestrator.v7_enforce_approval();
CREATE TRIGGER v7_migration_workflow_lifecycle BEFORE UPDATE ON orchestrator.v7_migration_workflow FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_phase', 'status');

-- Signatures before a phase starts and after its work is done; v7_missing_sign_offs lists the missing ones
-- Made by 0.4.2--0.4.3.sql
CREATE TABLE orchestrator.migration_sign_offs (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    phase_number integer NOT NULL,
    -- Time of the signature. before: before the phase starts; after: after its work is done
    stage text NOT NULL,
    -- The signed item: the consent of a persona, or a fact
    item text NOT NULL,
    signed_by text NOT NULL,
    signed_at timestamp with time zone DEFAULT now() NOT NULL,
    -- Notes; the only column that can be changed later
    notes text,
    CONSTRAINT migration_sign_offs_pkey PRIMARY KEY (id),
    CONSTRAINT migration_sign_offs_item_key UNIQUE (phase_number, stage, item),
    CONSTRAINT migration_sign_offs_phase_number_fkey FOREIGN KEY (phase_number) REFERENCES orchestrator.v7_migration_workflow(phase_number),
    CONSTRAINT migration_sign_offs_item_check CHECK (btrim(item) <> ''::text),
    CONSTRAINT migration_sign_offs_signed_by_check CHECK (btrim(signed_by) <> ''::text),
    CONSTRAINT migration_sign_offs_stage_check CHECK (stage = ANY (ARRAY['before'::text, 'after'::text]))
);
CREATE TRIGGER migration_sign_offs_immutable BEFORE UPDATE ON orchestrator.migration_sign_offs FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_immutable('id', 'phase_number', 'stage', 'item', 'signed_by', 'signed_at');

-- The tasks of each phase, in the form in which they are handed to the external tracker
-- Made by 0.4.0--0.4.1.sql, 0.4.2--0.4.3.sql
CREATE TABLE orchestrator.v7_subworkflow_tasks (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    parent_phase integer NOT NULL,
    task_number integer NOT NULL,
    task_name text NOT NULL,
    responsible_persona text NOT NULL,
    -- State of the task. pending: waits to be started; in_progress: being done; blocked: held up; review: under review; completed: done; cancelled: will not be done; deferred: put off
    status text DEFAULT 'pending'::text NOT NULL,
    -- The id of the task in the external tracker; NULL before it is there
    dart_task_id text,
    dart_task_url text,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    blockers text[] DEFAULT '{}'::text[] NOT NULL,
    -- The ids of tasks that must be completed before this one is ready
    dependencies uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    deliverable_urls text[] DEFAULT '{}'::text[] NOT NULL,
    notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT v7_subworkflow_tasks_pkey PRIMARY KEY (id),
    CONSTRAINT v7_subworkflow_tasks_number_key UNIQUE (parent_phase, task_number),
    CONSTRAINT v7_subworkflow_tasks_parent_phase_fkey FOREIGN KEY (parent_phase) REFERENCES orchestrator.v7_migration_workflow(phase_number),
    CONSTRAINT v7_subworkflow_tasks_responsible_persona_check CHECK (btrim(responsible_persona) <> ''::text),
    CONSTRAINT v7_subworkflow_tasks_status_check CHECK (status = ANY (ARRAY['pending'::text, 'in_progress'::text, 'blocked'::text, 'review'::text, 'completed'::text, 'cancelled'::text, 'deferred'::text])),
    CONSTRAINT v7_subworkflow_tasks_task_name_check CHECK (btrim(task_name) <> ''::text)
);
CREATE INDEX idx_subworkflow_pending ON orchestrator.v7_subworkflow_tasks USING btree (parent_phase, task_number) WHERE (status = 'pending'::text);
CREATE INDEX idx_subworkflow_status ON orchestrator.v7_subworkflow_tasks USING btree (status);
CREATE TRIGGER v7_subworkflow_tasks_change AFTER UPDATE ON orchestrator.v7_subworkflow_tasks FOR EACH ROW WHEN (((old.parent_phase IS DISTINCT FROM new.parent_phase) OR (old.task_number IS DISTINCT FROM new.task_number) OR (old.task_name IS DISTINCT FROM new.task_name) OR (old.responsible_persona IS DISTINCT FROM new.responsible_persona) OR (old.status IS DISTINCT FROM new.status) OR (old.started_at IS DISTINCT FROM new.started_at) OR (old.completed_at IS DISTINCT FROM new.completed_at) OR (old.blockers IS DISTINCT FROM new.blockers) OR (old.dependencies IS DISTINCT FROM new.dependencies) OR (old.deliverable_urls IS DISTINCT FROM new.deliverable_urls) OR (old.notes IS DISTINCT FROM new.notes))) EXECUTE FUNCTION orchestrator.v7_note_change();
CREATE TRIGGER v7_subworkflow_tasks_dependencies BEFORE UPDATE ON orchestrator.v7_subworkflow_tasks FOR EACH ROW WHEN (((old.parent_phase IS DISTINCT FROM new.parent_phase) OR (old.dependencies IS DISTINCT FROM new.dependencies))) EXECUTE FUNCTION orchestrator.v7_enforce_dependencies();
CREATE TRIGGER v7_subworkflow_tasks_hand_over AFTER UPDATE OF dart_task_id, dart_task_url ON orchestrator.v7_subworkflow_tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.v7_note_hand_over();
CREATE TRIGGER v7_subworkflow_tasks_lifecycle BEFORE UPDATE ON orchestrator.v7_subworkflow_tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('v7_task', 'status');

-- When a task was handed over to the external tracker, and whether it was changed later; triggers of v7_subworkflow_tasks write it
-- Made by 0.4.2--0.4.3.sql
CREATE TABLE orchestrator.migration_hand_overs (
    task_id uuid NOT NULL,
    dart_task_id text NOT NULL,
    -- When dart_task_id or dart_task_url was last written
    handed_over_at timestamp with time zone DEFAULT now() NOT NULL,
    -- When the task was first changed after that; NULL while the tracker has the present form
    changed_at timestamp with time zone,
    CONSTRAINT migration_hand_overs_pkey PRIMARY KEY (task_id),
    CONSTRAINT migration_hand_overs_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.v7_subworkflow_tasks(id) ON DELETE CASCADE
);
CREATE INDEX idx_migration_hand_overs_changed ON orchestrator.migration_hand_overs USING btree (changed_at, task_id) WHERE (changed_at IS NOT NULL);

-- Results of tests of the migrated code, one row per test run
-- Made by 0.4.0--0.4.1.sql
CREATE TABLE orchestrator.v7_test_results (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- Kind of test. unit: one component; integration: several components together; system: the whole; performance: speed; regression: that older features still work; smoke: that it starts
    test_type text NOT NULL,
    component_tested text NOT NULL,
    v7_file_path text,
    -- Result of the test. pass: passed; fail: failed; skip: did not run; error: could not run; timeout: did not end in time. A failure is open until the same test of the same component passes
    test_status text NOT NULL,
    error_details text,
    performance_metrics jsonb,
    -- Whether earlier users of the component still work; NULL if that was not tested
    backwards_compatible boolean,
    tested_by text,
    tested_at timestamp with time zone DEFAULT now() NOT NULL,
    retest_required boolean DEFAULT false NOT NULL,
    notes text,
    CONSTRAINT v7_test_results_pkey PRIMARY KEY (id),
    CONSTRAINT v7_test_results_component_tested_check CHECK (btrim(component_tested) <> ''::text),
    CONSTRAINT v7_test_results_test_status_check CHECK (test_status = ANY (ARRAY['pass'::text, 'fail'::text, 'skip'::text, 'error'::text, 'timeout'::text])),
    CONSTRAINT v7_test_results_test_type_check CHECK (test_type = ANY (ARRAY['unit'::text, 'integration'::text, 'system'::text, 'performance'::text, 'regression'::text, 'smoke'::text]))
);
CREATE INDEX idx_test_results_failures ON orchestrator.v7_test_results USING btree (tested_at, id) WHERE (test_status = ANY (ARRAY['fail'::text, 'error'::text, 'timeout'::text]));
CREATE INDEX idx_test_results_latest ON orchestrator.v7_test_results USING btree (component_tested, test_type, tested_at, id);
CREATE INDEX idx_test_results_retest ON orchestrator.v7_test_results USING btree (tested_at, id) WHERE retest_required;
CREATE INDEX idx_test_results_status ON orchestrator.v7_test_results USING btree (test_status);

-- Definitions of work in several tasks; workflow_tasks lists the tasks of each
-- Made by 0.1.0--0.1.1.sql, 0.1.5--0.1.6.sql, 0.7.0--0.7.1.sql
CREATE TABLE orchestrator.workflows (
    id uuid DEFAULT orchestrator.uuidv7() NOT NULL,
    -- The name for people; several definitions may share it
    name text NOT NULL,
    description text,
    -- Nodes and edges in the orchestrator's own form, a JSON object
    definition jsonb NOT NULL,
    -- State of the definition. draft: being written; active: in use; paused: not in use for now; archived: out of use for good
    status text DEFAULT 'draft'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT workflows_pkey PRIMARY KEY (id),
    CONSTRAINT workflows_definition_check CHECK (jsonb_typeof(definition) = 'object'::text),
    CONSTRAINT workflows_name_check CHECK (btrim(name) <> ''::text),
    CONSTRAINT workflows_status_check CHECK (status = ANY (ARRAY['draft'::text, 'active'::text, 'archived'::text, 'paused'::text]))
);
CREATE INDEX idx_workflows_created ON orchestrator.workflows USING btree (created_at);
CREATE INDEX idx_workflows_name ON orchestrator.workflows USING btree (name);
CREATE INDEX idx_workflows_status ON orchestrator.workflows USING btree (status);
CREATE TRIGGER workflows_lifecycle BEFORE UPDATE ON orchestrator.workflows FOR EACH ROW EXECUTE FUNCTION orchestrator.enforce_lifecycle('workflow', 'status');
CREATE TRIGGER workflows_queue AFTER UPDATE ON orchestrator.workflows FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_tasks_of_workflow();

-- The tasks of each workflow; a workflow has a task at most once
-- Made by 0.1.1--0.1.2.sql, 0.7.0--0.7.1.sql
CREATE TABLE orchestrator.workflow_tasks (
    workflow_id uuid NOT NULL,
    task_id uuid NOT NULL,
    -- Place in the order of the workflow, from 0; tasks with the same number may run side by side
    sequence integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    -- Whether the task is completed or cancelled, and later ones may begin; kept up by triggers
    done boolean DEFAULT false NOT NULL,
    CONSTRAINT workflow_tasks_pkey PRIMARY KEY (workflow_id, task_id),
    CONSTRAINT workflow_tasks_task_id_fkey FOREIGN KEY (task_id) REFERENCES orchestrator.tasks(id) ON DELETE CASCADE,
    CONSTRAINT workflow_tasks_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES orchestrator.workflows(id) ON DELETE CASCADE,
    CONSTRAINT workflow_tasks_sequence_check CHECK (sequence >= 0)
);
CREATE INDEX idx_workflow_tasks_open ON orchestrator.workflow_tasks USING btree (workflow_id, sequence) WHERE (NOT done);
CREATE INDEX idx_workflow_tasks_sequence ON orchestrator.workflow_tasks USING btree (workflow_id, sequence);
CREATE INDEX idx_workflow_tasks_task ON orchestrator.workflow_tasks USING btree (task_id);
CREATE TRIGGER workflow_tasks_done BEFORE INSERT OR UPDATE ON orchestrator.workflow_tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.mark_done();
CREATE TRIGGER workflow_tasks_queue AFTER INSERT OR DELETE OR UPDATE ON orchestrator.workflow_tasks FOR EACH ROW EXECUTE FUNCTION orchestrator.queue_linked_tasks();

-- Active sessions, the last updated first
-- Made by 0.2.5--0.3.0.sql
CREATE VIEW orchestrator.active_sessions AS
SELECT s.id, s.role, s.task_id, s.created_at, s.updated_at
FROM orchestrator.sessions AS s
WHERE s.status = 'active'
ORDER BY s.updated_at DESC, s.id DESC;

-- Each budget in its present window: spent, reserved and available
-- Made by 0.9.1--0.9.2.sql
--   budget_id: The budget
--   project_id: Only calls of this project; NULL for any
--   agent_id: Only calls of this agent; NULL for any
--   thread_id: Only calls of the run of this thread; NULL for any
--   subject: Only calls that are charged to this user, key or tag; NULL for any
--   period: day, week, month or total
--   starts_at: When the present window begins; -infinity for period total
--   ends_at: When the next one begins; infinity for period total
--   limit_usd: USD for each window
--   raised: USD by which the limit was raised for this window
--   spent: USD of the calls that were recorded or settled
--   reserved: USD of the reservations that are held and have not expired
--   available: USD that are left; less than 0 if more was spent than allowed
--   enforce: Whether reservations beyond the limit are refused
--   review_id: The last question to a human about the window
CREATE VIEW orchestrator.budget_status AS
SELECT b.id AS budget_id, b.project_id, b.agent_id, b.thread_id, b.subject, b.period, p.starts_at,
       CASE b.period WHEN 'total' THEN 'infinity'
            ELSE (p.starts_at AT TIME ZONE 'UTC' + CASE b.period WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END) AT TIME ZONE 'UTC' END AS ends_at,
       b.limit_usd, coalesce(w.raised, 0) AS raised, coalesce(w.spent, 0) AS spent, r.reserved,
       b.limit_usd + coalesce(w.raised, 0) - coalesce(w.spent, 0) - r.reserved AS available, b.enforce, w.review_id
FROM orchestrator.budgets AS b
     CROSS JOIN LATERAL (SELECT CASE b.period WHEN 'total' THEN '-infinity' ELSE date_trunc(b.period, now(), 'UTC') END AS starts_at) AS p
     LEFT JOIN orchestrator.budget_windows AS w ON w.budget_id = b.id AND w.starts_at = p.starts_at
     CROSS JOIN LATERAL (
         SELECT coalesce(w.reserved, 0) - coalesce(sum(h.amount), 0) AS reserved FROM orchestrator.budget_holds AS h
         WHERE h.budget_id = b.id AND h.starts_at = p.starts_at AND h.state = 'held' AND h.expires_at <= now()) AS r;

-- Every collaboration: its first question with agents and urgency, the number of requests and outcomes, and whether the last request is answered
-- Made by 0.2.0--0.2.1.sql
--   tokens_used: Tokens of all answers, as far as they are known
--   status: answered: no request since the last answer; open: a request waits for an answer
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

-- Every setting, with the values of secrets masked
-- Made by 0.1.4--0.1.5.sql
CREATE VIEW orchestrator.configuration_listing WITH (security_barrier = true) AS
SELECT c.key,
       CASE WHEN c.is_secret THEN '********' ELSE c.value END AS value,
       c.value_type, c.description, c.is_secret, c.created_at, c.updated_at
FROM orchestrator.configurations AS c;

-- Everything that waits for a human, what is overdue first, then the oldest, with all that a person needs to decide. Filter by id for one card, or LIMIT a page as in pending_decisions
-- Made by 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
--   kind: The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each
--   subject: The subject in words
--   asks: The reason or the notes of the question, else the description of the task
--   project_id: The project of the run, or of the gate; NULL for an approval of a task without a run
--   thread_id: The run; for a gate without one the thread that its context names
--   waiting: How long it has waited
--   context: The facts that came with a review or a gate, a JSON object
--   violations: The findings of the scorers about the run
--   task_id: The task of an approval
--   task_data: Input for the role of the task, a JSON object
--   run_phase: Phase of the run; NULL without a run, as in the other columns of the run
--   run_agent: The agent at work
--   run_cost_usd: Sum of the costs of the run, in USD
--   last_events: The last five audit events of the run, without a run those of the task, the newest first: at, event_type, role, metadata. Longer metadata is a text of 2,000 characters
--   last_tool_calls: The last five tool calls of the run, without a run those of the task, the newest first: at, tool_name, status, arguments, output, error, duration_ms. Texts are cut to 2,000 characters
--   asked_role: The role that is asked to approve: acting_as of decide(); NULL if anyone who may decide is asked
--   rejection_needs_notes: Whether decide() rejects it only with notes
--   if_approved: The consequence of a yes, in words
--   if_rejected: The consequence of a no, in words
--   due_at: When an answer is due; NULL without a deadline
--   overdue: Whether the time has passed
--   assigned_to: The person or role that is asked now; NULL for anyone who may decide, or the role of an approval
--   claimed_by: Who is working on the answer; NULL if nobody is
--   claimed_until: When the claim ends
--   votes: The number of approvals so far
--   votes_needed: The number of approvals that are needed
CREATE VIEW orchestrator.decision_cards AS
SELECT d.kind, d.id, d.subject, d.asks, d.project_id, d.thread_id, d.requested_at, d.waiting,
       q.context, r.violations,
       t.id AS task_id, t.title AS task_title, t.description AS task_description, t.data AS task_data,
       r.phase AS run_phase, r.current_agent AS run_agent, r.cost_usd AS run_cost_usd, r.tokens_used AS run_tokens_used,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'at', e."timestamp", 'event_type', e.event_type, 'role', e.role,
                   'metadata', CASE WHEN length(e.metadata::text) <= 2000 THEN e.metadata ELSE to_jsonb(left(e.metadata::text, 2000) || '...') END)
                   ORDER BY e.id DESC), '[]')
        FROM orchestrator.audit_events AS e
        WHERE e.id = ANY (CASE WHEN r.id IS NOT NULL THEN (
                  SELECT (array_agg(p.id ORDER BY p.id DESC))[1:5]
                  FROM (SELECT o.id FROM orchestrator.audit_events AS o WHERE o.trace_id = r.id
                        UNION
                        SELECT o.id FROM orchestrator.audit_events AS o
                        WHERE left(o.metadata ->> 'thread_id', 500) = left(r.thread_id, 500) AND o.metadata ->> 'thread_id' = r.thread_id) AS p)
              ELSE (
                  SELECT (array_agg(o.id ORDER BY o.id DESC))[1:5]
                  FROM orchestrator.audit_events AS o WHERE o.trace_id = coalesce(t.trace_id, t.id)) END)) AS last_events,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'at', x.created_at, 'tool_name', x.tool_name, 'status', x.status,
                   'arguments', CASE WHEN length(x.arguments::text) <= 2000 THEN x.arguments ELSE to_jsonb(left(x.arguments::text, 2000) || '...') END,
                   'output', left(x.output, 2000), 'error', left(x.error, 2000), 'duration_ms', x.duration_ms)
                   ORDER BY x.created_at DESC, x.id DESC), '[]')
        FROM orchestrator.tool_executions AS x
        WHERE x.id = ANY (CASE WHEN r.id IS NOT NULL THEN (
                  SELECT (array_agg(o.id ORDER BY o.created_at DESC, o.id DESC))[1:5]
                  FROM (SELECT n.id FROM orchestrator.tasks AS n WHERE n.thread_id = r.thread_id OFFSET 0) AS n,
                       LATERAL (SELECT o.id, o.created_at FROM orchestrator.tool_executions AS o WHERE o.task_id = n.id OFFSET 0) AS o)
              ELSE (
                  SELECT (array_agg(o.id ORDER BY o.created_at DESC, o.id DESC))[1:5]
                  FROM orchestrator.tool_executions AS o WHERE o.task_id = t.id) END)) AS last_tool_calls,
       q.asked_role,
       d.kind <> 'approval' AS rejection_needs_notes,
       concat_ws(' ',
           CASE WHEN d.votes_needed - d.votes > 1 THEN 'This is one of ' || d.votes_needed - d.votes || ' approvals that are still needed. Then:' END,
           CASE d.kind WHEN 'review' THEN w.goes_on
                       WHEN 'gate' THEN coalesce(w.goes_on, 'The agent goes on.')
                       ELSE concat_ws(' ', 'The task is approved.', w.goes_on) END) AS if_approved,
       concat_ws(' ',
           CASE WHEN n.needed > 1 THEN 'This is one of ' || n.needed || ' rejections that are still needed. Then:' END,
           CASE WHEN d.kind = 'approval' THEN concat_ws(' ', 'The task is not approved: it waits for another approval.', w.goes_on)
                WHEN r.id IS NULL THEN 'The agent does not go on; the notes say how it proceeds.'
                WHEN r.phase IN ('complete', 'failed') THEN w.goes_on
                WHEN d.kind = 'review' THEN 'The run is killed: it ends as failed, and the notes are its error.'
                WHEN r.gate_status = 'kill' OR r.held_by IS NOT NULL THEN w.goes_on
                WHEN r.holding > 0 THEN 'The run is done again as the notes say, once the other questions that hold it are answered.'
                ELSE 'The run is done again as the notes say.' END) AS if_rejected,
       d.due_at, d.overdue, d.assigned_to, d.claimed_by, d.claimed_until, d.votes, d.votes_needed
FROM orchestrator.pending_decisions AS d
CROSS JOIN LATERAL (
    SELECT o.context, o.thread_id, NULL::uuid AS task_id, NULL::text AS asked_role
    FROM orchestrator.human_review_queue AS o WHERE d.kind = 'review' AND o.id = d.id
    UNION ALL
    SELECT o.context, o.thread_id, NULL::uuid AS task_id, NULL::text AS asked_role
    FROM orchestrator.gates AS o WHERE d.kind = 'gate' AND o.id = d.id
    UNION ALL
    SELECT NULL::jsonb AS context, d.thread_id, o.task_id, o.approver_role AS asked_role
    FROM orchestrator.approvals AS o WHERE d.kind = 'approval' AND o.id = d.id
) AS q
LEFT JOIN LATERAL (
    SELECT o.id, o.title, o.description, o.data, o.trace_id FROM orchestrator.tasks AS o WHERE o.id = q.task_id OFFSET 0
) AS t ON true
LEFT JOIN LATERAL (
    SELECT o.id, o.thread_id, o.phase, o.gate_status, o.current_agent, o.cost_usd, o.tokens_used, o.violations, o.held_by,
           -- The other open questions about the run, and those of them that hold it.
           (SELECT count(*) FROM orchestrator.human_review_queue AS n
            WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending')
           + (SELECT count(*) FROM orchestrator.gates AS n
              WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending')
           + (SELECT count(*)
              FROM (SELECT n.id FROM orchestrator.tasks AS n WHERE n.thread_id = o.thread_id OFFSET 0) AS n,
                   LATERAL (SELECT FROM orchestrator.approvals AS a
                            WHERE a.task_id = n.id AND a.status IS NOT DISTINCT FROM 'pending' OFFSET 0) AS a) - 1 AS others,
           (SELECT count(*) FROM orchestrator.human_review_queue AS n
            WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending' AND n.review_type = 'safety' AND n.id <> d.id)
           + (SELECT count(*) FROM orchestrator.gates AS n
              WHERE n.thread_id = o.thread_id AND n.status IS NOT DISTINCT FROM 'pending' AND n.id <> d.id) AS holding
    FROM orchestrator.orchestrator_runs AS o WHERE o.thread_id = q.thread_id OFFSET 0
) AS r ON true
LEFT JOIN LATERAL (
    SELECT o.rejections_needed - (SELECT count(*) FROM orchestrator.decision_votes AS v WHERE v.decision_id = o.decision_id AND v.vote = 'rejected') AS needed
    FROM orchestrator.decision_terms AS o WHERE o.decision_id = d.id AND o.kind = d.kind OFFSET 0
) AS n ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.id IS NULL THEN NULL
                WHEN r.phase IN ('complete', 'failed') THEN 'The run has ended and does not change.'
                WHEN r.gate_status = 'kill' THEN 'The run was killed and does not go on.'
                WHEN r.held_by IS NOT NULL THEN 'The run stays on hold until the pause by role ' || quote_ident(r.held_by) || ' is lifted.'
                WHEN r.gate_status = 'hold' AND r.others > 0 THEN 'The run goes on once the other open questions about it (' || r.others || ') are answered.'
                WHEN r.gate_status = 'recycle' AND r.holding > 0 THEN 'The run is done again once the other questions that hold it (' || r.holding || ') are answered.'
                WHEN r.gate_status = 'recycle' THEN 'The run is done again, because a gate was denied.'
                ELSE 'The run goes on.' END AS goes_on
) AS w
ORDER BY d.overdue DESC, d.requested_at, d.id;

-- Every question to a human, open or decided, in one vocabulary. pending_decisions lists the open ones in order
-- Made by 0.7.2--0.7.3.sql
--   kind: The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task
--   status: State of the question. pending: waits for a decision; approved: yes; rejected: no, also of a denied gate; changes_requested: change it and ask again; withdrawn: no longer asked, both since 0.8.0
--   subject: The subject in words
--   asks: The reason of the question; for an approval its notes while it is pending, else the description of the task
--   requested_by: The agent that waits at a gate, or the role that routed the task of an approval; NULL for a review, whose event review_requested has the role that was logged in
--   decided_by: The person who decided or withdrew it, or timeout at a deadline; for an approval that no person decided, the role that was asked
--   notes: The notes of the decision, or the feedback of a gate; for an approval that was decided without notes those of the request
--   project_id: The project of the run, or of the gate; NULL for an approval of a task without a run
--   thread_id: The run; for a gate without one the thread that its context names
--   task_id: The task of an approval
CREATE VIEW orchestrator.decisions AS
SELECT 'review' AS kind, q.id, q.status,
       q.review_type || ' review of story ' || r.story_id AS subject,
       q.reason AS asks, NULL::text AS requested_by, q.created_at AS requested_at,
       q.resolved_by AS decided_by, q.resolved_at AS decided_at, q.resolution_notes AS notes,
       r.project_id, q.thread_id, NULL::uuid AS task_id
FROM orchestrator.orchestrator_runs AS r
RIGHT JOIN orchestrator.human_review_queue AS q ON q.thread_id = r.thread_id
UNION ALL
SELECT 'gate' AS kind, g.id, g.status,
       g.gate_type || ' gate of agent ' || g.agent_id AS subject,
       g.reason AS asks, g.agent_id AS requested_by, g.created_at AS requested_at,
       g.resolved_by AS decided_by, g.resolved_at AS decided_at, g.feedback AS notes,
       g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id') AS thread_id, NULL::uuid AS task_id
FROM orchestrator.gates AS g
WHERE g.status <> 'denied'
UNION ALL
SELECT 'gate' AS kind, g.id, 'rejected' AS status,
       g.gate_type || ' gate of agent ' || g.agent_id AS subject,
       g.reason AS asks, g.agent_id AS requested_by, g.created_at AS requested_at,
       g.resolved_by AS decided_by, g.resolved_at AS decided_at, g.feedback AS notes,
       g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id') AS thread_id, NULL::uuid AS task_id
FROM orchestrator.gates AS g
WHERE g.status = 'denied'
UNION ALL
SELECT 'approval' AS kind, a.id, a.status,
       'approval by ' || a.approver_role || ' of task ' || coalesce(nullif(btrim(t.title), ''), left(btrim(t.description), 200)) AS subject,
       coalesce(CASE WHEN a.status = 'pending' THEN nullif(btrim(a.notes), '') END, t.description, '') AS asks,
       t.from_role AS requested_by, a.created_at AS requested_at,
       CASE WHEN a.status <> 'pending' THEN coalesce(a.decided_by, a.approver_role) END AS decided_by,
       a.decision_at AS decided_at,
       CASE WHEN a.status <> 'pending' THEN nullif(btrim(a.notes), '') END AS notes,
       r.project_id, t.thread_id, a.task_id
FROM orchestrator.orchestrator_runs AS r
RIGHT JOIN orchestrator.tasks AS t ON t.thread_id = r.thread_id
JOIN orchestrator.approvals AS a ON a.task_id = t.id;

-- Every enum type outside system schemas that the caller may see, with its labels in order and the columns that use it
-- Made by 0.3.0--0.4.0.sql
--   used_by: The columns of that type, of an array of it or of a domain over it, as schema.table.column
--   hidden_uses: The number of further columns that use it in tables that the caller may not see
CREATE VIEW orchestrator.enum_usage AS
WITH RECURSIVE enum AS (
    SELECT t.oid, n.nspname, t.typname
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.typtype = 'e' AND NOT starts_with(n.nspname::text, 'pg_')
      AND has_schema_privilege(n.oid, 'USAGE') AND has_type_privilege(t.oid, 'USAGE')
), carrier AS (
    -- The enum itself, and every array of it and domain over it, to any depth.
    SELECT e.oid AS enum, e.oid AS type FROM enum AS e
    UNION
    SELECT c.enum, t.oid
    FROM carrier AS c JOIN pg_type AS t ON t.typbasetype = c.type OR (t.typelem = c.type AND t.typcategory = 'A')
), use AS (
    SELECT c.enum, format('%I.%I.%I', n.nspname, r.relname, a.attname) AS name,
           has_schema_privilege(n.oid, 'USAGE')
           AND (pg_has_role(r.relowner, 'USAGE')
                OR has_table_privilege(r.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                OR has_any_column_privilege(r.oid, 'SELECT, INSERT, UPDATE, REFERENCES')) AS visible
    FROM carrier AS c
    JOIN pg_attribute AS a ON a.atttypid = c.type AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_class AS r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f', 'm') AND NOT r.relispartition
    JOIN pg_namespace AS n ON n.oid = r.relnamespace AND NOT starts_with(n.nspname::text, 'pg_')
)
SELECT e.nspname::text AS schema_name,
       e.typname::text AS enum_name,
       ARRAY(SELECT l.enumlabel::text FROM pg_enum AS l WHERE l.enumtypid = e.oid ORDER BY l.enumsortorder) AS labels,
       ARRAY(SELECT u.name FROM use AS u WHERE u.enum = e.oid AND u.visible ORDER BY u.name COLLATE "C") AS used_by,
       (SELECT count(*) FROM use AS u WHERE u.enum = e.oid AND u.visible) AS use_count,
       (SELECT count(*) FROM use AS u WHERE u.enum = e.oid AND NOT u.visible) AS hidden_uses
FROM enum AS e;

-- The cost of each project, agent and model on each UTC day
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
--   input_tokens: Tokens of the input that were neither read from a cache nor written to it
--   tokens: All tokens, those of caches and of reasoning too
--   cost: USD, exact, of the calls that have a cost; NULL if none has
--   unpriced_calls: Calls without a cost, because the model or one of the units had no price
CREATE VIEW orchestrator.llm_cost_by_day AS
SELECT u.day, u.project_id, u.agent_id, u.model, u.calls, u.input_tokens, u.output_tokens,
       u.input_tokens + u.output_tokens + coalesce(k.line[7], 0) AS tokens, k.line[1] AS cost, coalesce(k.line[2], 0)::bigint AS unpriced_calls,
       coalesce(k.line[3], 0) AS cache_read_tokens, coalesce(k.line[4], 0) AS cache_write_tokens,
       coalesce(k.line[5], 0) AS cache_write_1h_tokens, coalesce(k.line[6], 0) AS reasoning_tokens
FROM (SELECT (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
             orchestrator.llm_usage_sums(x.call) AS sums
      FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
      -- LEFT JOIN computes it below the sort or the hash, which then holds no other column of a plain call for it.
      LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                     c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
      GROUP BY (c."timestamp" AT TIME ZONE 'UTC')::date, c.project_id, c.agent_id, c.model) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
-- OFFSET keeps the planner from computing a line once for each of its numbers.
CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k;

-- The calls with each prompt, and their cost
-- Made by 0.8.1--0.9.0.sql
--   version: The version of the prompt; NULL if there is no such prompt
--   cost: USD, exact, of the calls that have a cost; NULL if none has
--   cost_per_call: USD, the average of the calls that have a cost; rounded
--   unpriced_calls: Calls without a cost
CREATE VIEW orchestrator.llm_cost_by_prompt AS
SELECT g.prompt_id, p.agent_type, p.version, g.calls, g.cost, g.cost / nullif(g.calls - g.unpriced_calls, 0) AS cost_per_call, g.unpriced_calls
FROM (SELECT u.prompt_id, sum(u.calls)::bigint AS calls, sum(k.line[1]) AS cost, coalesce(sum(k.line[2]), 0)::bigint AS unpriced_calls
      FROM (SELECT c.prompt_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model, count(*) AS calls,
                   sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
                   orchestrator.llm_usage_sums(x.call) AS sums
            FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
            LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                           c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
            WHERE c.prompt_id IS NOT NULL
            GROUP BY c.prompt_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
      LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
      -- OFFSET keeps the planner from computing a line once for each of its numbers.
      CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k
      GROUP BY u.prompt_id) AS g
LEFT JOIN orchestrator.prompts AS p ON p.id = g.prompt_id;

-- The calls of each run with every kind of token and their cost
-- Made by 0.8.1--0.9.0.sql
--   thread_id: The name of the run when the calls were recorded
--   cost: USD, exact, of the calls that have a cost; NULL if none has
--   unpriced_calls: Calls without a cost
CREATE VIEW orchestrator.llm_cost_by_run AS
SELECT u.thread_id, sum(u.calls)::bigint AS calls, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
       coalesce(sum(k.line[3]), 0) AS cache_read_tokens, coalesce(sum(k.line[4]), 0) AS cache_write_tokens,
       coalesce(sum(k.line[5]), 0) AS cache_write_1h_tokens, coalesce(sum(k.line[6]), 0) AS reasoning_tokens,
       sum(k.line[1]) AS cost, coalesce(sum(k.line[2]), 0)::bigint AS unpriced_calls, min(u.first_call) AS first_call, max(u.last_call) AS last_call
FROM (SELECT c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.model, count(*) AS calls,
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.reported_cost) AS reported_cost,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call, orchestrator.llm_usage_sums(x.call) AS sums
      FROM orchestrator.llm_token_usage AS c CROSS JOIN orchestrator.llm_price_limits AS s
      LEFT JOIN LATERAL (SELECT orchestrator.llm_special_call(c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens,
                                     c.units, c.service_tier, c.reported_cost, c."timestamp", s.steps, s.moments) AS call) AS x ON true
      WHERE c.thread_id IS NOT NULL
      GROUP BY c.thread_id, (c."timestamp" AT TIME ZONE 'UTC')::date, c.model) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model
-- OFFSET keeps the planner from computing a line once for each of its numbers.
CROSS JOIN LATERAL (SELECT orchestrator.llm_cost_line(p.begins, p.unit_costs, u.day, u.calls, u.input_tokens, u.output_tokens, u.sums, u.reported_cost) AS line OFFSET 0) AS k
GROUP BY u.thread_id;

-- One row: where a unit cost or a price begins within the calls of a UTC day, over all models
-- Made by 0.8.1--0.9.0.sql
--   steps: The lengths of the input above which a unit cost begins, in order; NULL for none
--   moments: The times within a UTC day at which a price begins, in order; NULL for none
CREATE VIEW orchestrator.llm_price_limits AS
SELECT (SELECT array_agg(DISTINCT c.above_input ORDER BY c.above_input)
        FROM orchestrator.llm_price_components AS c WHERE c.above_input > 0) AS steps,
       (SELECT array_agg(DISTINCT p.effective_at ORDER BY p.effective_at)
        FROM orchestrator.llm_pricing AS p WHERE p.effective_at IS NOT NULL AND p.replaced_at IS NULL) AS moments;

-- All prices of each name that a call can use, in the order of the times from which they are in force
-- Made by 0.8.1--0.9.0.sql
--   begins: The time from which each price is in force, until the next one
--   price_ids: Each price in llm_pricing
--   unit_costs: The unit costs of each price, as in llm_prices_by_name
CREATE VIEW orchestrator.llm_price_lists AS
SELECT p.name, array_agg(p.begins ORDER BY p.begins) AS begins, array_agg(p.price_id ORDER BY p.begins) AS price_ids,
       jsonb_agg(p.unit_costs ORDER BY p.begins) AS unit_costs
FROM orchestrator.llm_prices_by_name AS p
GROUP BY p.name;

-- Every price that was not replaced, with the time in which it is in force
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
--   valid_from: The first UTC day
--   valid_until: The UTC day of the next price, not included; NULL if there is none yet
--   begins: The moment from which the price is in force
--   ends: The moment of the next price, not included; NULL if there is none yet
CREATE VIEW orchestrator.llm_price_periods AS
SELECT p.model, p.effective_date AS valid_from,
       lead(p.effective_date) OVER (PARTITION BY p.model ORDER BY p.begins) AS valid_until,
       p.input_cost_per_million, p.output_cost_per_million, p.id AS price_id,
       p.begins, lead(p.begins) OVER (PARTITION BY p.model ORDER BY p.begins) AS ends
FROM (SELECT c.model, c.effective_date, c.input_cost_per_million, c.output_cost_per_million, c.id,
             coalesce(c.effective_at, c.effective_date::timestamp AT TIME ZONE 'UTC') AS begins
      FROM orchestrator.llm_pricing AS c WHERE c.replaced_at IS NULL) AS p;

-- The prices of each name that a call can use, of models and of aliases, with the time in which they are in force and all unit costs
-- Made by 0.8.1--0.9.0.sql
--   name: The name that calls use
--   ends: The moment of the next price, not included; NULL if there is none yet
--   model: The model of the price
--   unit_costs: Arrays of component, service tier, length of the input above which it holds, and USD per unit
CREATE VIEW orchestrator.llm_prices_by_name AS
SELECT n.name, n.begins, n.ends, n.model, n.price_id,
       jsonb_build_array(
           jsonb_build_array('input', 'standard', 0, (n.input_cost_per_million * 0.000001)::text),
           jsonb_build_array('output', 'standard', 0, (n.output_cost_per_million * 0.000001)::text))
       || coalesce((SELECT jsonb_agg(jsonb_build_array(c.component, c.service_tier, c.above_input, c.unit_cost::text))
                    FROM orchestrator.llm_price_components AS c WHERE c.price_id = n.price_id), '[]') AS unit_costs
FROM (SELECT p.model AS name, p.begins, p.ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
      FROM orchestrator.llm_price_periods AS p
      UNION ALL
      SELECT a.alias AS name, p.begins, least(p.ends, a.own_price_begins) AS ends, p.model, p.price_id, p.input_cost_per_million, p.output_cost_per_million
      FROM (SELECT m.alias, m.model,
                   (SELECT min(o.begins) FROM orchestrator.llm_price_periods AS o WHERE o.model = m.alias) AS own_price_begins
            FROM orchestrator.llm_model_aliases AS m) AS a
      JOIN orchestrator.llm_price_periods AS p ON p.model = a.model AND (a.own_price_begins IS NULL OR p.begins < a.own_price_begins)) AS n;

-- Every call with its cost: the one that the provider reported, else that by the price in force when it was made
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
--   day: The UTC day of the call
--   cost: USD, exact; NULL if there was no price, or none for one of the units
--   price_id: The price in llm_pricing; NULL if there was none
--   n: Tokens of the whole input, which decide the step of the price: new, read, written, and those of audio and images
--   unpriced_units: Units of the call that the price has no cost for; NULL if there was no price
CREATE VIEW orchestrator.llm_usage_costs AS
SELECT u.id, u."timestamp", u.day, u.project_id, u.agent_id, u.model, u.input_tokens, u.output_tokens,
       coalesce(u.reported_cost, orchestrator.llm_call_cost(p.unit_costs, width_bucket(u."timestamp", p.begins), u.service_tier, u.n, u.input_tokens, u.output_tokens,
           u.cache_read_tokens, u.cache_write_tokens, u.cache_write_1h_tokens, u.reasoning_tokens, u.units)) AS cost,
       p.price_ids[width_bucket(u."timestamp", p.begins)] AS price_id,
       u.cache_read_tokens, u.cache_write_tokens, u.cache_write_1h_tokens, u.reasoning_tokens, u.units, u.service_tier, u.n,
       u.thread_id, u.prompt_id,
       CASE WHEN u.units <> '{}' AND u.reported_cost IS NULL
            THEN orchestrator.llm_unpriced_units(p.unit_costs, width_bucket(u."timestamp", p.begins), u.service_tier, u.n, u.units)
            ELSE '{}' END AS unpriced_units
FROM (SELECT c.id, c."timestamp", (c."timestamp" AT TIME ZONE 'UTC')::date AS day, c.project_id, c.agent_id, c.model, c.input_tokens, c.output_tokens,
             c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.reasoning_tokens, c.units, c.service_tier,
             least(c.input_tokens, 4000000000000000000) + c.cache_read_tokens + c.cache_write_tokens + c.cache_write_1h_tokens
                 + CASE WHEN c.units = '{}' THEN 0 ELSE orchestrator.llm_input_units(c.units) END AS n,
             c.thread_id, c.prompt_id, c.reported_cost
      FROM orchestrator.llm_token_usage AS c) AS u
LEFT JOIN orchestrator.llm_price_lists AS p ON p.name = u.model;

-- Pending approvals with their tasks, the oldest first
-- Made by 0.2.5--0.3.0.sql
CREATE VIEW orchestrator.pending_approvals AS
SELECT a.id, a.task_id, a.approver_role, a.created_at, t.description, t.from_role, t.to_role
FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.status = 'pending'
ORDER BY a.created_at, a.id;

-- Everything that waits for a human, what is overdue first, then the oldest. The next page is WHERE (NOT overdue, requested_at, id) > (those of the last row). Never poll with it, because a late commit has an earlier requested_at. To poll, LISTEN orchestrator_decisions, read all rows after each connect, and after each notification the ids that it holds, or all rows if its count is greater
-- Made by 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
--   kind: The kind of question. review: about a run; gate: an agent waits; approval: a role approves a task. decide() takes the id of each
--   subject: The subject in words
--   asks: The reason or the notes of the question, else the description of the task
--   project_id: The project of the run, or of the gate; NULL for an approval of a task without a run
--   thread_id: The run; for a gate without one the thread that its context names
--   waiting: How long it has waited
--   due_at: When an answer is due; NULL without a deadline
--   overdue: Whether the time has passed
--   assigned_to: The person or role that is asked now; NULL for anyone who may decide, or the role of an approval
--   claimed_by: Who is working on the answer; NULL if nobody is
--   claimed_until: When the claim ends
--   votes: The number of approvals so far
--   votes_needed: The number of approvals that are needed
CREATE VIEW orchestrator.pending_decisions AS
SELECT d.kind, d.id, w.subject, w.asks, w.project_id, w.thread_id, d.requested_at,
       CASE WHEN isfinite(d.requested_at) THEN now() - d.requested_at END AS waiting,
       d.due_at, d.overdue, d.assigned_to,
       CASE WHEN d.claimed_until > now() THEN d.claimed_by END AS claimed_by,
       CASE WHEN d.claimed_until > now() THEN d.claimed_until END AS claimed_until,
       CASE WHEN d.approvals_needed IS NULL THEN 0
            ELSE (SELECT count(*) FROM orchestrator.decision_votes AS v WHERE v.decision_id = d.id AND v.vote = 'approved') END AS votes,
       coalesce(d.approvals_needed, 1) AS votes_needed
FROM (
    SELECT o.kind, o.id, o.requested_at, t.due_at, coalesce(t.due_at <= now(), false) AS overdue, t.assigned_to, t.claimed_by, t.claimed_until, t.approvals_needed
    FROM (
        SELECT 'review' AS kind, q.id, q.created_at AS requested_at FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending'
        UNION ALL
        SELECT 'gate' AS kind, g.id, g.created_at AS requested_at FROM orchestrator.gates AS g WHERE g.status = 'pending'
        UNION ALL
        SELECT 'approval' AS kind, a.id, a.created_at AS requested_at FROM orchestrator.approvals AS a WHERE a.status = 'pending'
    ) AS o
    LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id AND t.kind = o.kind
    ORDER BY 5 DESC, o.requested_at, o.id
) AS d
CROSS JOIN LATERAL (
    SELECT q.review_type || ' review of story ' || (SELECT r.story_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS subject,
           q.reason AS asks,
           (SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id) AS project_id,
           q.thread_id
    FROM orchestrator.human_review_queue AS q WHERE d.kind = 'review' AND q.id = d.id
    UNION ALL
    SELECT g.gate_type || ' gate of agent ' || g.agent_id, g.reason, g.project_id, coalesce(g.thread_id, g.context ->> 'thread_id')
    FROM orchestrator.gates AS g WHERE d.kind = 'gate' AND g.id = d.id
    UNION ALL
    SELECT 'approval by ' || a.approver_role || ' of task ' || coalesce(nullif(btrim(t.title), ''), left(btrim(t.description), 200)),
           coalesce(nullif(btrim(a.notes), ''), t.description, ''),
           (SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = t.thread_id), t.thread_id
    FROM orchestrator.approvals AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id WHERE d.kind = 'approval' AND a.id = d.id
) AS w
ORDER BY d.overdue DESC, d.requested_at, d.id;

-- Every prompt, for each agent type the highest version first; 1.10.0 is higher than 1.9.0
-- Made by 0.2.1--0.2.2.sql
CREATE VIEW orchestrator.prompt_history AS
SELECT p.agent_type, p.version, p.is_active, p.created_at, p.created_by, p.notes, p.prompt_text, p.id
FROM orchestrator.prompts AS p
ORDER BY p.agent_type, string_to_array(p.version, '.')::bigint[] DESC;

-- Runs whose cost is not the sum of the costs of their calls, for example because a price was corrected, or a cost was reported without a call
-- Made by 0.8.1--0.9.0.sql
--   run_cost: USD that the run says
--   calls_cost: USD, the sum of the costs of its calls
--   difference: USD that the run says beyond its calls
CREATE VIEW orchestrator.run_cost_differences AS
SELECT r.thread_id, r.cost_usd AS run_cost, coalesce(c.cost, 0) AS calls_cost, r.cost_usd - coalesce(c.cost, 0) AS difference,
       coalesce(c.calls, 0) AS calls, coalesce(c.unpriced_calls, 0) AS unpriced_calls
FROM orchestrator.orchestrator_runs AS r
LEFT JOIN orchestrator.llm_cost_by_run AS c ON c.thread_id = r.thread_id
-- A run adds the cost of each call with ten decimals.
WHERE abs(r.cost_usd - coalesce(c.cost, 0)) > coalesce(c.calls, 0) * 0.00000000005;

-- The recorded calls of each run with their tokens and exact cost
-- Made by 0.6.0--0.7.0.sql, 0.8.1--0.9.0.sql
--   thread_id: The name of the run when the calls were recorded
--   cost: USD, exact; calls without a price add nothing
--   unpriced_calls: Calls of models that had no price on their day
CREATE VIEW orchestrator.run_costs AS
SELECT r.thread_id, r.calls, r.input_tokens, r.output_tokens, coalesce(r.cost, 0) AS cost, r.unpriced_calls
FROM orchestrator.llm_cost_by_run AS r;

-- Every run with the number of its audit events and of its open questions, and who paused it
-- Made by 0.4.3--0.5.0.sql, 0.6.0--0.7.0.sql
--   actions: Audit events whose metadata names the thread
--   pending_gates: Open gates of the run
--   pending_approvals: Pending approvals of its tasks
--   held_by: The role that paused the run
CREATE VIEW orchestrator.run_summary AS
SELECT r.thread_id, r.phase, r.current_agent, r.safety_score, r.gate_status, r.tokens_used, r.cost_usd,
       (SELECT count(*) FROM orchestrator.audit_events AS e
        WHERE left(e.metadata ->> 'thread_id', 500) = left(r.thread_id, 500)
          AND e.metadata ->> 'thread_id' = r.thread_id) AS actions,
       (SELECT count(*) FROM orchestrator.human_review_queue AS q
        WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending') AS pending_reviews,
       r.project_id, r.story_id, r.started_at, r.updated_at, r.completed_at, r.error,
       (SELECT count(*) FROM orchestrator.gates AS g
        WHERE g.thread_id = r.thread_id AND g.status IS NOT DISTINCT FROM 'pending') AS pending_gates,
       (SELECT count(*) FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id
        WHERE t.thread_id = r.thread_id AND a.status IS NOT DISTINCT FROM 'pending') AS pending_approvals,
       r.held_by, r.hold_reason
FROM orchestrator.orchestrator_runs AS r;

-- Every foreign key between tables outside system schemas that the caller may see, with its place in the graph; capture_snapshot counts the tables that the caller may not see
-- Made by 0.3.0--0.4.0.sql
--   depth: 1 for a key to a table without foreign keys, else one more than the deepest key of the referenced table; edges of a cycle do not count
--   in_cycle: Whether the key is part of a cycle of references; such tables cannot be loaded one after the other
CREATE VIEW orchestrator.table_dependencies AS
WITH RECURSIVE visible AS (
    SELECT r.oid, format('%I.%I', n.nspname, r.relname) AS name
    FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace
    WHERE r.relkind IN ('r', 'p') AND NOT starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND (pg_has_role(r.relowner, 'USAGE')
           OR has_table_privilege(r.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(r.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
), edge AS MATERIALIZED (
    SELECT c.oid, c.conname, c.conrelid AS child, c.confrelid AS parent, c.conkey, c.confkey
    FROM pg_constraint AS c
    -- Skip the copies that partitions have of their parent's key.
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND c.conrelid IN (SELECT oid FROM visible) AND c.confrelid IN (SELECT oid FROM visible)
), reach AS (
    SELECT child AS origin, parent AS target FROM edge
    UNION
    SELECT r.origin, e.parent FROM reach AS r JOIN edge AS e ON e.child = r.target
), marked AS MATERIALIZED (
    SELECT e.*, EXISTS (SELECT FROM reach AS r WHERE r.origin = e.parent AND r.target = e.child) AS in_cycle
    FROM edge AS e
), height AS (
    -- Steps down from a table along the edges outside cycles; without cycles the recursion ends.
    SELECT v.oid AS relation, 0 AS steps FROM visible AS v WHERE v.oid IN (SELECT parent FROM edge)
    UNION
    SELECT m.child, h.steps + 1 FROM height AS h JOIN marked AS m ON m.parent = h.relation AND NOT m.in_cycle
), greatest_height AS (
    SELECT h.relation, max(h.steps) AS steps FROM height AS h GROUP BY h.relation
)
SELECT m.conname::text AS constraint_name,
       child.name AS from_table,
       ARRAY(SELECT a.attname::text FROM unnest(m.conkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = m.child AND a.attnum = k.attnum ORDER BY k.place) AS from_columns,
       parent.name AS to_table,
       ARRAY(SELECT a.attname::text FROM unnest(m.confkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute AS a ON a.attrelid = m.parent AND a.attnum = k.attnum ORDER BY k.place) AS to_columns,
       g.steps + 1 AS depth,
       m.in_cycle
FROM marked AS m
JOIN visible AS child ON child.oid = m.child
JOIN visible AS parent ON parent.oid = m.parent
JOIN greatest_height AS g ON g.relation = m.parent;

-- Open tasks by type and role: claimable, due later, kept back, and held by workers
-- Made by 0.7.0--0.7.1.sql
--   waiting: Tasks that a worker can claim now, unless their run is to be done again and waits for another answer
--   scheduled: Tasks that can be claimed after their run_after
--   blocked: Tasks whose run is on hold or was killed, or which wait in a workflow
--   running: Tasks that a worker holds
--   expired_leases: Those of them whose lease has expired: the next claim takes them back
--   oldest_wait: How long the longest waiting of the claimable tasks has been claimable
CREATE VIEW orchestrator.task_queue AS
SELECT w.task_type, w.to_role,
       sum(w.waiting)::bigint AS waiting, sum(w.scheduled)::bigint AS scheduled, sum(w.blocked)::bigint AS blocked,
       sum(w.running)::bigint AS running, sum(w.expired_leases)::bigint AS expired_leases,
       CASE WHEN isfinite(min(w.waits_since)) THEN now() - min(w.waits_since) END AS oldest_wait
FROM (
    SELECT q.task_type, q.to_role,
           count(*) FILTER (WHERE q.ready AND q.run_after <= now()) AS waiting,
           count(*) FILTER (WHERE q.ready AND q.run_after > now()) AS scheduled,
           count(*) FILTER (WHERE NOT q.ready) AS blocked,
           0 AS running, 0 AS expired_leases,
           min(greatest(q.created_at, q.run_after)) FILTER (WHERE q.ready AND q.run_after <= now()) AS waits_since
    FROM orchestrator.queued_tasks AS q GROUP BY q.task_type, q.to_role
    UNION ALL
    SELECT left(t.task_type, 200) AS task_type, left(t.to_role, 200) AS to_role, 0 AS waiting, 0 AS scheduled, 0 AS blocked,
           count(*) AS running, count(*) FILTER (WHERE a.lease_expires_at < now()) AS expired_leases, NULL::timestamptz AS waits_since
    FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
    WHERE a.ended_at IS NULL GROUP BY left(t.task_type, 200), left(t.to_role, 200)
) AS w
GROUP BY w.task_type, w.to_role;

-- Attempts of tasks that ended in the last 24 hours, by type of task; released and cancelled ones are left out
-- Made by 0.7.0--0.7.1.sql
--   failures: Attempts that failed, or whose lease expired
--   p50: The median time from the claim to the end of an attempt
--   p95: The time that 95 of 100 attempts took at most
CREATE VIEW orchestrator.task_stats AS
SELECT t.task_type, count(*) AS count, count(*) FILTER (WHERE a.outcome <> 'completed') AS failures,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN isfinite(a.claimed_at) AND isfinite(a.ended_at) THEN a.ended_at - a.claimed_at END) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN isfinite(a.claimed_at) AND isfinite(a.ended_at) THEN a.ended_at - a.claimed_at END) AS p95
FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id
WHERE a.ended_at > now() - interval '24 hours' AND a.outcome IN ('completed', 'failed', 'expired')
GROUP BY t.task_type;

-- Tool executions that were started in the last 24 hours and have ended, by tool
-- Made by 0.7.0--0.7.1.sql
--   failures: Executions that failed or timed out
--   p50: The median time of an execution
--   p95: The time that 95 of 100 executions took at most
CREATE VIEW orchestrator.tool_stats AS
SELECT e.tool_name, count(*) AS count, count(*) FILTER (WHERE e.status <> 'completed') AS failures,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN isfinite(e.created_at) AND isfinite(e.completed_at) THEN e.completed_at - e.created_at END) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY CASE WHEN isfinite(e.created_at) AND isfinite(e.completed_at) THEN e.completed_at - e.created_at END) AS p95
FROM orchestrator.tool_executions AS e
WHERE e.created_at > now() - interval '24 hours' AND e.status IN ('completed', 'failed', 'timeout')
GROUP BY e.tool_name;

-- Models, and units of models, with calls that have no cost, and the number of those calls
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
--   unit: The unit that the price has no cost for; NULL if the model had no price
--   suggested_model: A model with a price whose name is the beginning or the end of this one, for set_model_alias; nobody has decided that it is the same
CREATE VIEW orchestrator.unpriced_usage AS
SELECT u.model, u.calls, u.input_tokens, u.output_tokens, u.input_tokens + u.output_tokens + u.other_tokens AS tokens, u.first_call, u.last_call, u.unit,
       (SELECT p.model FROM (SELECT DISTINCT c.model FROM orchestrator.llm_pricing AS c WHERE c.replaced_at IS NULL) AS p
        WHERE u.unit IS NULL AND p.model <> u.model
          AND (starts_with(u.model, p.model) OR right(u.model, length(p.model) + 1) = '/' || p.model)
        ORDER BY length(p.model) DESC, p.model LIMIT 1) AS suggested_model
FROM (-- Every price has a cost for each kind of token.
      SELECT c.model, NULL AS unit, count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
             sum(c.cache_read_tokens) + sum(c.cache_write_tokens) + sum(c.cache_write_1h_tokens) + sum(c.reasoning_tokens) AS other_tokens,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call
      FROM orchestrator.llm_token_usage AS c
      LEFT JOIN (SELECT n.name, min(n.begins) AS begins FROM orchestrator.llm_prices_by_name AS n GROUP BY n.name) AS p ON p.name = c.model
      WHERE c.reported_cost IS NULL AND (p.begins IS NULL OR c."timestamp" < p.begins)
      GROUP BY c.model
      UNION ALL
      SELECT c.model, unit.name AS unit, count(*) AS calls, sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
             sum(c.cache_read_tokens) + sum(c.cache_write_tokens) + sum(c.cache_write_1h_tokens) + sum(c.reasoning_tokens) AS other_tokens,
             min(c."timestamp") AS first_call, max(c."timestamp") AS last_call
      FROM orchestrator.llm_usage_costs AS c, unnest(c.unpriced_units) AS unit (name)
      WHERE c.units <> '{}' AND c.cost IS NULL
      GROUP BY c.model, unit.name) AS u;

-- The planned replacements of enum types, grouped by target enum, status and risk, with the replaced types and the affected tables; the highest risk first
-- Made by 0.4.2--0.4.3.sql
CREATE VIEW orchestrator.v7_enum_consolidation_status AS
WITH used AS (
    SELECT DISTINCT m.v7_enum_name, m.status, m.risk_level, t.name
    FROM orchestrator.v7_enum_migrations AS m, unnest(m.affected_tables) AS t (name)
)
SELECT m.v7_enum_name, m.status, m.risk_level,
       count(DISTINCT m.current_enum_name) AS source_count,
       array_agg(DISTINCT m.current_enum_name ORDER BY m.current_enum_name) AS sources,
       (SELECT count(*) FROM used AS u WHERE (u.v7_enum_name, u.status, u.risk_level) = (m.v7_enum_name, m.status, m.risk_level)) AS table_count,
       ARRAY(SELECT u.name FROM used AS u WHERE (u.v7_enum_name, u.status, u.risk_level) = (m.v7_enum_name, m.status, m.risk_level) ORDER BY u.name) AS affected_tables
FROM orchestrator.v7_enum_migrations AS m
GROUP BY m.v7_enum_name, m.status, m.risk_level
ORDER BY array_position('{critical,high,medium,low}', m.risk_level), m.v7_enum_name, m.status;

-- For each layer: the migration progress of its workflow files. A workflow file is one that serves a workflow, whatever its path
-- Made by 0.4.2--0.4.3.sql
--   high_impact_not_migrated: Files with an impact score above 7 that are neither migrated nor retired
--   names_breaking_rule: Files without a target name, whose own name breaks the rule of V7
--   highest_open_risk: The highest risk among impacts on the layer that are neither implemented nor rejected
CREATE VIEW orchestrator.v7_file_migration_readiness AS
WITH file AS (
    SELECT f.layer_number, count(*) AS files,
           count(*) FILTER (WHERE f.v7_workflow_status = 'pending_assessment') AS pending_assessment,
           count(*) FILTER (WHERE f.v7_workflow_status = 'assessed') AS assessed,
           count(*) FILTER (WHERE f.v7_workflow_status = 'designed') AS designed,
           count(*) FILTER (WHERE f.v7_workflow_status = 'approved') AS approved,
           count(*) FILTER (WHERE f.v7_workflow_status = 'implementing') AS implementing,
           count(*) FILTER (WHERE f.v7_workflow_status = 'testing') AS testing,
           count(*) FILTER (WHERE f.v7_workflow_status = 'migrated') AS migrated,
           count(*) FILTER (WHERE f.v7_workflow_status = 'retired') AS retired,
           round(avg(f.v7_impact_score), 1) AS average_impact,
           count(*) FILTER (WHERE f.v7_impact_score > 7 AND f.v7_workflow_status NOT IN ('migrated', 'retired')) AS high_impact_not_migrated,
           count(*) FILTER (WHERE NOT orchestrator.v7_is_valid_file_name(coalesce(f.v7_target_name, f.file_name))) AS names_breaking_rule
    FROM orchestrator.file_audit AS f WHERE f.workflows <> '{}' GROUP BY f.layer_number
), risk AS (
    SELECT l.layer_number, max(array_position('{low,medium,high,critical}', i.risk_assessment)) AS risk
    FROM orchestrator.v7_global_impacts AS i, unnest(i.affected_layers) AS l (layer_number)
    WHERE i.approval_status IN ('pending', 'reviewing', 'approved') GROUP BY l.layer_number
)
SELECT l.layer_number, l.layer_name,
       coalesce(f.files, 0) AS files,
       coalesce(f.pending_assessment, 0) AS pending_assessment,
       coalesce(f.assessed, 0) AS assessed,
       coalesce(f.designed, 0) AS designed,
       coalesce(f.approved, 0) AS approved,
       coalesce(f.implementing, 0) AS implementing,
       coalesce(f.testing, 0) AS testing,
       coalesce(f.migrated, 0) AS migrated,
       coalesce(f.retired, 0) AS retired,
       f.average_impact,
       coalesce(f.high_impact_not_migrated, 0) AS high_impact_not_migrated,
       coalesce(f.names_breaking_rule, 0) AS names_breaking_rule,
       ('{low,medium,high,critical}'::text[])[r.risk] AS highest_open_risk
FROM (VALUES (1, 'Models and enums'), (2, 'Schemas'), (3, 'Routers'), (4, 'Services'), (5, 'Configuration'), (6, 'UI'), (7, 'Testing'))
     AS l (layer_number, layer_name)
LEFT JOIN file AS f ON f.layer_number = l.layer_number
LEFT JOIN risk AS r ON r.layer_number = l.layer_number
ORDER BY l.layer_number;

-- One row per phase: its state, its tasks, its missing sign-offs, and the open test failures and impacts of its time; each of these is counted on one row only
-- Made by 0.4.2--0.4.3.sql
--   percent_done: Completed tasks in percent of the tasks that are not cancelled; NULL if there is none
--   missing_sign_offs: Required sign-offs that nobody has given, with their stage
--   open_test_failures: Tests whose last result is fail, error or timeout, from the time of the phase: from its start to the start of the next one
--   open_impacts: Impacts recorded in the time of the phase that are neither implemented nor rejected
--   highest_open_risk: The highest risk among them, by rank: low, medium, high, critical
CREATE VIEW orchestrator.v7_migration_dashboard AS
WITH ordered AS (
    SELECT w.phase_number, w.started_at,
           row_number() OVER (ORDER BY w.started_at, w.phase_number) AS place,
           lead(w.started_at) OVER (ORDER BY w.started_at, w.phase_number) AS next_start
    FROM orchestrator.v7_migration_workflow AS w
), own_time AS (
    -- A time belongs to the phase that was started last before it; a time before every start, to the first phase.
    SELECT o.phase_number,
           CASE WHEN o.place = 1 THEN '-infinity' ELSE o.started_at END AS since,
           coalesce(o.next_start, 'infinity') AS until
    FROM ordered AS o WHERE o.place = 1 OR o.started_at IS NOT NULL
), task AS (
    SELECT t.parent_phase, count(*) AS total,
           count(*) FILTER (WHERE t.status = 'completed') AS completed,
           count(*) FILTER (WHERE t.status = 'blocked') AS blocked,
           count(*) FILTER (WHERE t.status <> 'cancelled') AS wanted
    FROM orchestrator.v7_subworkflow_tasks AS t GROUP BY t.parent_phase
), open_failure AS (
    -- A failure is open until the same test of the component runs again; a skipped run does not count.
    SELECT r.tested_at FROM orchestrator.v7_test_results AS r
    WHERE r.test_status IN ('fail', 'error', 'timeout') AND NOT EXISTS (
        SELECT FROM orchestrator.v7_test_results AS l
        WHERE l.component_tested = r.component_tested AND l.test_type = r.test_type
          AND coalesce(l.v7_file_path, '') = coalesce(r.v7_file_path, '')
          AND (l.tested_at, l.id) > (r.tested_at, r.id) AND l.test_status <> 'skip')
), failure AS (
    SELECT o.phase_number, count(*) AS open
    FROM open_failure AS r JOIN own_time AS o ON r.tested_at >= o.since AND (r.tested_at < o.until OR o.until = 'infinity')
    GROUP BY o.phase_number
), impact AS (
    SELECT o.phase_number, count(*) AS open,
           max(array_position('{low,medium,high,critical}', i.risk_assessment)) AS risk
    FROM orchestrator.v7_global_impacts AS i JOIN own_time AS o ON i.created_at >= o.since AND (i.created_at < o.until OR o.until = 'infinity')
    WHERE i.approval_status IN ('pending', 'reviewing', 'approved') GROUP BY o.phase_number
)
SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.lead_persona,
       coalesce(t.total, 0) AS total_tasks,
       coalesce(t.completed, 0) AS completed_tasks,
       coalesce(t.blocked, 0) AS blocked_tasks,
       round(100.0 * t.completed / nullif(t.wanted, 0), 1) AS percent_done,
       ARRAY(SELECT 'before: ' || m.item FROM orchestrator.v7_missing_sign_offs(w.phase_number, 'before') AS m (item))
       || ARRAY(SELECT 'after: ' || m.item FROM orchestrator.v7_missing_sign_offs(w.phase_number, 'after') AS m (item)) AS missing_sign_offs,
       coalesce(f.open, 0) AS open_test_failures,
       -- Infinite times cannot be subtracted, but their epoch numbers can.
       round((extract(epoch FROM coalesce(w.completed_at, CASE w.status WHEN 'rolled_back' THEN w.updated_at END, now()))
              - extract(epoch FROM w.started_at)) / 86400, 1) AS days_in_phase,
       coalesce(i.open, 0) AS open_impacts,
       ('{low,medium,high,critical}'::text[])[i.risk] AS highest_open_risk
FROM orchestrator.v7_migration_workflow AS w
LEFT JOIN task AS t ON t.parent_phase = w.phase_number
LEFT JOIN failure AS f ON f.phase_number = w.phase_number
LEFT JOIN impact AS i ON i.phase_number = w.phase_number
ORDER BY w.phase_number;

-- Pending tasks whose dependencies are all completed
-- Made by 0.4.2--0.4.3.sql
CREATE VIEW orchestrator.v7_ready_tasks AS
SELECT t.id, t.parent_phase, t.task_number, t.task_name, t.responsible_persona, t.dart_task_id, t.created_at
FROM orchestrator.v7_subworkflow_tasks AS t
WHERE t.status = 'pending'
  AND NOT EXISTS (
      SELECT FROM unnest(t.dependencies) AS d (id)
      LEFT JOIN orchestrator.v7_subworkflow_tasks AS o ON o.id = d.id
      WHERE o.status IS DISTINCT FROM 'completed')
ORDER BY t.parent_phase, t.task_number;

-- Tasks that the external tracker does not have, or has in an older form. An UPDATE of dart_task_id or dart_task_url, even to the same value, marks a task as up to date there
-- Made by 0.4.2--0.4.3.sql
CREATE VIEW orchestrator.v7_unsynced_tasks AS
SELECT t.id, t.parent_phase, t.task_number, t.task_name, t.responsible_persona, t.status, t.dart_task_id, t.dart_task_url,
       CASE WHEN t.dart_task_id IS NULL THEN 'new' ELSE 'changed' END AS reason,
       h.handed_over_at, h.changed_at
FROM orchestrator.v7_subworkflow_tasks AS t
LEFT JOIN orchestrator.migration_hand_overs AS h ON h.task_id = t.id
WHERE t.dart_task_id IS NULL OR h.changed_at IS NOT NULL
ORDER BY coalesce(h.changed_at, t.created_at), t.id;

-- How far each workflow is: its tasks by status, and the ones that stop it
-- Made by 0.7.1--0.7.2.sql
--   status: State of the workflow; its tasks are claimed only while it is active
--   tasks: Tasks of the workflow; the next five columns count them by status
--   current_sequence: The lowest sequence with a task that is neither completed nor cancelled; NULL if there is none
--   blocked_by: The failed tasks, which stop those of a higher sequence until retry_task or cancel_task; NULL if there is none
--   started_at: When the first of its tasks began, also if it waits again since
--   last_change_at: When the workflow or one of its tasks last changed
CREATE VIEW orchestrator.workflow_progress AS
SELECT w.id AS workflow_id, w.name, w.status, p.tasks, p.pending, p.running, p.completed, p.failed, p.cancelled,
       p.current_sequence, p.blocked_by,
       least(p.started_at, (SELECT min(a.claimed_at) FROM orchestrator.workflow_tasks AS l JOIN orchestrator.task_attempts AS a ON a.task_id = l.task_id
                            WHERE l.workflow_id = w.id)) AS started_at,
       greatest(w.updated_at, p.last_change_at) AS last_change_at
FROM orchestrator.workflows AS w,
     LATERAL (SELECT count(*) AS tasks,
                     count(*) FILTER (WHERE t.status = 'pending') AS pending,
                     count(*) FILTER (WHERE t.status = 'running') AS running,
                     count(*) FILTER (WHERE t.status = 'completed') AS completed,
                     count(*) FILTER (WHERE t.status = 'failed') AS failed,
                     count(*) FILTER (WHERE t.status = 'cancelled') AS cancelled,
                     min(l.sequence) FILTER (WHERE NOT l.done) AS current_sequence,
                     array_agg(t.id ORDER BY l.sequence, t.id) FILTER (WHERE t.status = 'failed') AS blocked_by,
                     min(t.started_at) AS started_at, max(t.updated_at) AS last_change_at
              FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id
              WHERE l.workflow_id = w.id) AS p;

-- Every role with privileges on the extension's objects: reader, worker, reviewer or admin; custom for privileges without a level
-- Made by 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.access()
 RETURNS TABLE(grantee text, level text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'access_wrapper';

-- AFTER UPDATE row trigger of gates: an approved gate of type prompt_activation makes its version live
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.activate_approved()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'activate_approved_wrapper';

-- Makes a published version live under a label, for all who ask or a part of them; an older one is rolled back to in the same way. Returns the row
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.activate_prompt(agent_type text, version text, label text DEFAULT 'production'::text, weight integer DEFAULT 100, activated_by text DEFAULT NULL::text)
 RETURNS orchestrator.prompts
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'activate_prompt_0_9_1_wrapper';

-- The text of the prompt that was live at a time; in a split the same key always has the same version
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.active_prompt(agent_type text, label text DEFAULT 'production'::text, at timestamp with time zone DEFAULT now(), key text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'active_prompt_0_9_1_wrapper';

-- AFTER UPDATE statement trigger of tasks: lets the tasks be claimed that come next in the workflows of those that are over
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.advance_workflows()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'advance_workflows_wrapper';

-- The steps that a state machine allows: task, workflow, tool_execution, session, gate, approval, review, run_phase, run_gate, v7_phase, v7_file, v7_enum, v7_task or v7_impact
-- Made by 0.1.5--0.1.6.sql
CREATE FUNCTION orchestrator.allowed_transitions(machine text)
 RETURNS TABLE(from_status text, to_status text)
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'allowed_transitions_wrapper';

-- AFTER INSERT or UPDATE statement trigger (kind): NOTIFY orchestrator_decisions with kind, change, count and ids, as many as fit; off with orchestrator_schema.notify
-- Made by 0.5.0--0.6.0.sql, 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.announce_decisions()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'announce_decisions_0_7_3_wrapper';

-- Answers a collaboration. Returns the id of the outcome
-- Made by 0.2.0--0.2.1.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.answer_collaboration(collaboration_id uuid, specialist_agent text, response text, confidence double precision, tokens_used integer DEFAULT NULL::integer)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'answer_collaboration_wrapper';

-- For down scripts: keeps the values of columns, with the key of their row, before the columns are dropped. Returns the number of rows kept
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.archive_columns(relation regclass, columns text[])
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'archive_columns_wrapper';

-- For down scripts: moves a table to schema orchestrator_archive and takes it out of the extension. Returns the number of rows kept
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.archive_table(relation regclass)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'archive_table_wrapper';

-- The tables and columns in schema orchestrator_archive that downgrades kept and no upgrade has restored yet
-- Made by 0.0.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.archived()
 RETURNS TABLE(object text, from_version text, archived_at timestamp with time zone, rows bigint)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'archived_wrapper';

-- Assigns a question to a person or role, which may then decide an approval like the role that was asked. Returns the row of view decisions
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.assign_decision(decision_id uuid, assignee text, assigned_by text, notes text DEFAULT NULL::text)
 RETURNS orchestrator.decisions
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'assign_decision_wrapper';

-- Returns the last seal over the audit events, to be kept outside of the database; verify_audit_seals takes its digest
-- Made by 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.audit_head()
 RETURNS TABLE(sequence bigint, sealed_until timestamp with time zone, digest bytea)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'audit_head_wrapper';

-- For down scripts: locks every table that the downgrade needs, and stops if a user's object depends on something that the script removes
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.begin_downgrade(target text)
 RETURNS void
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'begin_downgrade_wrapper';

-- Starts the tool of a step, or returns the output of the step if it is done already. Finish it with finish_tool_execution
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.begin_step(task_id uuid, step_key text, tool_name text, arguments jsonb DEFAULT '{}'::jsonb)
 RETURNS TABLE(execution_id uuid, done boolean, output text)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'begin_step_wrapper';

-- For up scripts: locks every table that the update needs
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.begin_upgrade(target text)
 RETURNS void
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'begin_upgrade_wrapper';

-- Cancels a task that has not ended; the claim of a worker ends with it. Returns the row
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.cancel_task(task_id uuid, reason text)
 RETURNS orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'cancel_task_wrapper';

-- Stores the present schema under a new label: definitions, sizes and use of all user schemas or of the named ones. Returns its id. A NOTICE counts the objects that the caller may not see
-- Made by 0.3.0--0.4.0.sql
CREATE FUNCTION orchestrator.capture_snapshot(label text, schemas text[] DEFAULT NULL::text[])
 RETURNS uuid
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'capture_snapshot_wrapper';

-- Keeps others from answering a question for a while, or extends the caller's claim. Returns the end of the claim
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.claim_decision(decision_id uuid, claimed_by text, for_how_long interval DEFAULT '00:15:00'::interval)
 RETURNS timestamp with time zone
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'claim_decision_wrapper';

-- The oldest knowledge to embed that nobody else has claimed. The claim lasts as long as the lease; without one it ends with the transaction
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.claim_knowledge(batch integer DEFAULT 50, worker text DEFAULT NULL::text, lease interval DEFAULT NULL::interval)
 RETURNS TABLE(id uuid, knowledge_type text, content text, metadata jsonb)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'claim_knowledge_0_9_1_wrapper';

-- Takes waiting tasks for a worker, the most urgent first, until their lease expires. Returns their rows
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.claim_tasks(worker text, task_types text[] DEFAULT NULL::text[], to_role text DEFAULT NULL::text, batch integer DEFAULT 1, lease interval DEFAULT '00:05:00'::interval)
 RETURNS SETOF orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'claim_tasks_wrapper';

-- Objects that were added, removed or changed between two snapshots, given by label; no row if their schemas are equal
-- Made by 0.3.0--0.4.0.sql
CREATE FUNCTION orchestrator.compare_snapshots(before text, after text)
 RETURNS TABLE(object text, change text, was text, now text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'compare_snapshots_wrapper';

-- Compares two versions major.minor.patch. Returns -1 if a is lower than b, 0 if they are equal, 1 if a is higher
-- Made by 0.2.1--0.2.2.sql
CREATE FUNCTION orchestrator.compare_versions(a text, b text)
 RETURNS integer
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'compare_versions_wrapper';

-- Completes a task that the worker holds. Repeating the call changes nothing. Returns the row
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.complete_task(task_id uuid, worker text, result jsonb DEFAULT NULL::jsonb)
 RETURNS orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'complete_task_wrapper';

-- Completes tasks that the worker holds: all of them, or none. Returns the number that this call completed
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.complete_tasks(task_ids uuid[], worker text, results jsonb[] DEFAULT NULL::jsonb[])
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'complete_tasks_wrapper';

-- The value of a setting as JSON of its type; for an unknown key the fallback, or an error without one. A secret is an error for a role that may not read the table
-- Made by 0.1.4--0.1.5.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.configuration_value(key text, fallback jsonb DEFAULT NULL::jsonb)
 RETURNS jsonb
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'configuration_value_0_6_0_wrapper';

-- For scripts: copies the grants on function or view source to target, which takes its place. Returns the number of grants
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.copy_grants(source text, target text)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'copy_grants_wrapper';

-- Creates a task for workers to claim, once per idempotency key. Returns its id, and whether this call created it
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.create_task(task_type text, title text, config jsonb DEFAULT '{}'::jsonb, thread_id text DEFAULT NULL::text, priority smallint DEFAULT 0, run_after timestamp with time zone DEFAULT NULL::timestamp with time zone, max_attempts integer DEFAULT 1, description text DEFAULT NULL::text, metadata jsonb DEFAULT NULL::jsonb, workspace_path text DEFAULT NULL::text, idempotency_key uuid DEFAULT NULL::uuid)
 RETURNS TABLE(task_id uuid, created boolean)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'create_task_wrapper';

-- Marks sessions without a heartbeat for longer than silent_for as inactive. Returns their ids
-- Made by 0.1.3--0.1.4.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.deactivate_stale_sessions(silent_for interval DEFAULT '00:01:00'::interval)
 RETURNS SETOF uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'deactivate_stale_sessions_wrapper';

-- Approves or rejects a pending review, gate or approval by the rules of its kind and its terms, or requests changes. Returns its kind, id and status, which is pending while more votes are needed
-- Made by 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.decide(decision_id uuid, decision text, decided_by text, notes text DEFAULT NULL::text, acting_as text DEFAULT NULL::text)
 RETURNS TABLE(kind text, id uuid, status text)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'decide_0_8_0_wrapper';

-- The question with this id, open or decided: the row of view decisions
-- Made by 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.decision(decision_id uuid)
 RETURNS orchestrator.decisions
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'decision_wrapper';

-- Everything that a downgrade to that version would archive, drop or replace, and the objects that would stop it; changes nothing
-- Made by 0.0.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.downgrade_plan(target text)
 RETURNS TABLE(step text, object text, action text, rows bigint)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'downgrade_plan_wrapper';

-- Removes a rule; questions that were asked before keep their terms. Returns whether there was one
-- Made by 0.7.3--0.8.0.sql, 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.drop_decision_rule(kind text, type text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'drop_decision_rule_0_9_1_wrapper';

-- Additions of users to the extension's tables that pg_dump would lose; severity error means that rows would be lost
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.dump_safety()
 RETURNS TABLE(object text, kind text, severity text, consequence text, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'dump_safety_wrapper';

-- BEFORE INSERT row trigger of prompt_activations: the version is one of the agent type, its time is not in the future, and it was approved if a rule asks for that
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.enforce_activations()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_activations_wrapper';

-- BEFORE UPDATE OR DELETE OR TRUNCATE trigger: refuses the statement and every row of it, for every role; only purge_audit_events may delete
-- Made by 0.2.5--0.3.0.sql
CREATE FUNCTION orchestrator.enforce_append_only()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_append_only_wrapper';

-- BEFORE UPDATE row trigger of tasks: a task that waits for an approval does not begin or end, and what is approved does not change
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.enforce_approvals()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_approvals_wrapper';

-- BEFORE INSERT row trigger (column [, column ...]): refuses a value other than the default in a column that the role may not update
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.enforce_defaults()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_defaults_wrapper';

-- BEFORE DELETE or TRUNCATE statement trigger of decision_terms and decision_votes: refuses the statement
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.enforce_frozen_terms()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_frozen_terms_wrapper';

-- BEFORE UPDATE row trigger (column [, column ...]): refuses changes of the named columns
-- Made by 0.2.1--0.2.2.sql
CREATE FUNCTION orchestrator.enforce_immutable()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_immutable_wrapper';

-- BEFORE UPDATE row trigger (machine, column [, machine, column ...]): refuses steps that allowed_transitions does not list, and sets the times of states and updated_at
-- Made by 0.1.5--0.1.6.sql
CREATE FUNCTION orchestrator.enforce_lifecycle()
 RETURNS trigger
 LANGUAGE c
AS 'orchestrator_schema', 'enforce_lifecycle_wrapper';

-- BEFORE UPDATE, DELETE or TRUNCATE statement trigger of prompts and their activations: refuses the statement
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.enforce_published()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_published_wrapper';

-- AFTER UPDATE statement trigger (kind) of questions: refuses an answer that the terms of the question do not allow
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.enforce_terms()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_terms_wrapper';

-- BEFORE INSERT, UPDATE or DELETE row trigger of decision_votes: each person votes once, as the terms allow, while the question is open; no vote is deleted
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.enforce_votes()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enforce_votes_wrapper';

-- Starts the run of a thread, or finds it. Returns its id, and whether this call started it
-- Made by 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.ensure_run(thread_id text, project_id uuid, story_id text)
 RETURNS TABLE(run_id uuid, created boolean)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'ensure_run_wrapper';

-- Pairs of enum types that are probably duplicates: their names agree apart from case, underscores and a trailing enum, or differ by one letter, or they share at least that part of their labels
-- Made by 0.3.0--0.4.0.sql
CREATE FUNCTION orchestrator.enum_duplicates(minimum_similarity double precision DEFAULT 0.8)
 RETURNS TABLE(enum_a text, enum_b text, reason text, similarity double precision, only_in_a text[], only_in_b text[])
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'enum_duplicates_wrapper';

-- The cost of a call by the price in force now, to be reserved; NULL if there is none
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.estimate_cost(model text, input_tokens bigint, max_output_tokens bigint, service_tier text DEFAULT 'standard'::text)
 RETURNS numeric
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'estimate_cost_wrapper';

-- Approves, rejects or escalates the questions without an answer in time, as their terms say. Returns each with its outcome
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.expire_decisions()
 RETURNS TABLE(decision_id uuid, kind text, outcome text)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'expire_decisions_wrapper';

-- Expires pending and active sessions without heartbeat or update for longer than the argument says, and records each. Returns the number of sessions. The session of a task that is pending, running or waits for an approval is kept. NULL: configuration session_retention_days, else 7 days
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.expire_sessions(retention interval DEFAULT NULL::interval)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'expire_sessions_wrapper';

-- Records that knowledge could not be embedded; it waits for another attempt, or is given up after knowledge_max_attempts. Returns the number of entries that failed
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.fail_knowledge(ids uuid[], error text, retry_in interval DEFAULT NULL::interval, worker text DEFAULT NULL::text)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'fail_knowledge_wrapper';

-- Ends the attempt of a task that the worker holds with an error: the task waits for its next attempt, or failed if none is left. Returns the row
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.fail_task(task_id uuid, worker text, error text, retry_in interval DEFAULT NULL::interval, final boolean DEFAULT false)
 RETURNS orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'fail_task_wrapper';

-- SHA-256 of every live member and its definition; equal schemas have equal fingerprints, whatever upgrades led to them
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.fingerprint()
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'fingerprint_wrapper';

-- Records that a tool call ended as completed, failed or timeout, once. Returns the row
-- Made by 0.1.2--0.1.3.sql, 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.finish_tool_execution(execution_id uuid, status text, output text DEFAULT NULL::text, error text DEFAULT NULL::text)
 RETURNS orchestrator.tool_executions
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'finish_tool_execution_0_3_0_wrapper';

-- AFTER INSERT row trigger of prompt_activations: lets is_active of prompts mark the version that is live
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.follow_activations()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'follow_activations_wrapper';

-- The value of a setting as text; an unknown key is an error, and so is a secret for a role that may not read the table
-- Made by 0.1.4--0.1.5.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.get_configuration(key text)
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'get_configuration_0_6_0_wrapper';

-- Gives a role exactly the privileges of a level, including those of functions that updates brought. Returns the number of changed privileges
-- Made by 0.5.0--0.6.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.grant_access(grantee regrole, level text)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'grant_access_0_8_1_wrapper';

-- Lists everything that exists, or describes one table, view, function or state machine in full, with an example; lines of text
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.help(topic text DEFAULT NULL::text)
 RETURNS SETOF text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'help_wrapper';

-- Sets the prices of LiteLLM's price file from a UTC day on (by default today). Returns one row per entry: added, changed, unchanged, alias, or skipped with the reason
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.import_prices(document jsonb, effective_date date DEFAULT NULL::date)
 RETURNS TABLE(model text, outcome text, reason text)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'import_prices_wrapper';

-- Whether a text is a value of that type: string, integer, float, boolean or json
-- Made by 0.1.4--0.1.5.sql
CREATE FUNCTION orchestrator.is_valid_configuration(value text, value_type text)
 RETURNS boolean
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'orchestrator_schema', 'is_valid_configuration_wrapper';

-- Whether tokens are from 0 to 10^18, units are an object of such numbers, a reported cost is from 0 to below 10^12 USD, and no name is blank. The check of llm_token_usage uses it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.is_valid_llm_call(cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb, service_tier text, reported_cost numeric, subject text)
 RETURNS boolean
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'orchestrator_schema', 'is_valid_llm_call_wrapper';

-- JSON Schema (2020-12) of a row of a table or view of the schema, in the form of to_jsonb
-- Made by 0.4.3--0.5.0.sql
CREATE FUNCTION orchestrator.json_schema(table_name text)
 RETURNS jsonb
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'json_schema_wrapper';

-- Ends a run as failed, with the reason as its error. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.kill_run(thread_id text, reason text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'kill_run_wrapper';

-- The exact cost of a call in USD; NULL if no price was in force or a unit has no cost. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_call_cost(unit_costs jsonb, place integer, service_tier text, n bigint, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb)
 RETURNS numeric
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'orchestrator_schema', 'llm_call_cost_wrapper';

-- The exact cost of a call in USD, by the price in force at that time; NULL if there is no price
-- Made by 0.2.4--0.2.5.sql, 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_cost(model text, input_tokens bigint, output_tokens bigint, at timestamp with time zone DEFAULT now())
 RETURNS numeric
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'llm_cost_0_9_0_wrapper';

-- View llm_cost_by_day as it was at a moment: with the calls and the prices that were recorded until then
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_cost_by_day_as_of(moment timestamp with time zone)
 RETURNS TABLE(day date, project_id uuid, agent_id text, model text, calls bigint, input_tokens numeric, output_tokens numeric, tokens numeric, cost numeric, unpriced_calls bigint, cache_read_tokens numeric, cache_write_tokens numeric, cache_write_1h_tokens numeric, reasoning_tokens numeric)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'llm_cost_by_day_as_of_wrapper';

-- The exact cost in USD, the calls without a cost, and the tokens besides input and output, of the calls of one model on one UTC day. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_cost_line(begins timestamp with time zone[], unit_costs jsonb, day date, calls bigint, input_tokens numeric, output_tokens numeric, sums bytea, reported_cost numeric)
 RETURNS numeric[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'orchestrator_schema', 'llm_cost_line_wrapper';

-- The tokens among the units of a call that belong to its input, such as those of audio. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_input_units(units jsonb)
 RETURNS bigint
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'orchestrator_schema', 'llm_input_units_wrapper';

-- A call for llm_usage_sums; NULL if its cost depends on nothing but its model, its day, and its tokens of input and output. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_special_call(input_tokens bigint, output_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint, cache_write_1h_tokens bigint, reasoning_tokens bigint, units jsonb, service_tier text, reported_cost numeric, at timestamp with time zone, steps bigint[], moments timestamp with time zone[])
 RETURNS bytea
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'orchestrator_schema', 'llm_special_call_wrapper';

-- The units of a call that have no cost at the price in force. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_unpriced_units(unit_costs jsonb, place integer, service_tier text, n bigint, units jsonb)
 RETURNS text[]
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'orchestrator_schema', 'llm_unpriced_units_wrapper';

-- Adds a call, or sums, to the sums of llm_usage_sums. Only that aggregate calls it
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.llm_usage_sums_add(sums bytea, others bytea)
 RETURNS bytea
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'orchestrator_schema', 'llm_usage_sums_add_wrapper';

-- Adds the list prices of eleven models from today (UTC) on, except for models that have a price. Returns the number of prices added
-- Made by 0.2.4--0.2.5.sql, 0.5.0--0.6.0.sql, 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.load_default_prices()
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'load_default_prices_0_9_0_wrapper';

-- Every member of a version with its definition; NULL means the installed version
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.manifest(version text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'manifest_wrapper';

-- BEFORE INSERT or UPDATE row trigger of workflow_tasks: sets done as the task is
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.mark_done()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'mark_done_wrapper';

-- Marks knowledge as embedded, and ends its claim. Returns the number of entries that were not embedded before
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.mark_knowledge_embedded(ids uuid[], embedding_model text DEFAULT NULL::text)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'mark_knowledge_embedded_0_9_1_wrapper';

-- The price in force for a name, which is that of a model or an alias; no row if there is none
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.model_price(name text, at timestamp with time zone DEFAULT now())
 RETURNS TABLE(price_id uuid, model text, input_cost_per_million numeric, output_cost_per_million numeric, begins timestamp with time zone, ends timestamp with time zone, components jsonb)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'model_price_wrapper';

-- Moves a session by activate, complete, fail or expire, and records it. Returns the row
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.move_session(session_id uuid, event text)
 RETURNS orchestrator.sessions
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'move_session_wrapper';

-- The version after the highest one of an agent type, by a major, minor or patch step; 1.0.0 if there is none
-- Made by 0.2.1--0.2.2.sql
CREATE FUNCTION orchestrator.next_prompt_version(agent_type text, bump text DEFAULT 'patch'::text)
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'next_prompt_version_wrapper';

-- For down scripts: records the values that the script wrote into archived columns that stay. Returns the number of rows recorded
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.note_filled_in(relation regclass, columns text[])
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'note_filled_in_wrapper';

-- Opens a gate, at which an agent waits, and holds its run. The same request_key finds the first gate. Returns its id
-- Made by 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.open_gate(project_id uuid, agent_id text, gate_type text, reason text, context jsonb DEFAULT '{}'::jsonb, request_key text DEFAULT NULL::text, thread_id text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'open_gate_0_7_0_wrapper';

-- Holds a run until resume_run, also beyond the answers to its questions. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.pause_run(thread_id text, reason text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'pause_run_0_7_0_wrapper';

-- Keeps the tasks of a workflow from being claimed, until it is started again. Tasks that workers hold go on. Returns the row
-- Made by 0.7.1--0.7.2.sql
CREATE FUNCTION orchestrator.pause_workflow(workflow_id uuid, reason text)
 RETURNS orchestrator.workflows
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'pause_workflow_wrapper';

-- The lines that two versions of a prompt do not have in common: removed or added, with their number
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.prompt_diff(agent_type text, a text, b text)
 RETURNS TABLE(line integer, change text, text text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'prompt_diff_wrapper';

-- Publishes a version of a prompt, and activates it on request. Returns its id
-- Made by 0.2.1--0.2.2.sql, 0.5.0--0.6.0.sql, 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.publish_prompt(agent_type text, version text, prompt_text text, created_by text DEFAULT NULL::text, notes text DEFAULT NULL::text, activate boolean DEFAULT false)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'publish_prompt_0_9_1_wrapper';

-- Deletes the events of the seals that end before older_than ago, at least one day; events that are not sealed yet are sealed first. Returns the number of deleted events
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.purge_audit_events(older_than interval)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'purge_audit_events_0_8_1_wrapper';

-- Deletes knowledge that was embedded longer ago than the argument says. Returns the number of deleted entries
-- Made by 0.2.3--0.2.4.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.purge_knowledge(embedded_for interval DEFAULT '365 days'::interval)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'purge_knowledge_wrapper';

-- AFTER INSERT, UPDATE or DELETE row trigger of workflow_tasks: keeps tasks from being claimed before their turn
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.queue_linked_tasks()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'queue_linked_tasks_wrapper';

-- AFTER INSERT or UPDATE row trigger of tasks: keeps queued_tasks up to date, announces tasks that can be claimed, and refuses to move a claimed task by UPDATE
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.queue_task()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'queue_task_wrapper';

-- AFTER INSERT, UPDATE or DELETE row trigger of approvals: keeps a task from being claimed while it waits for an approval
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.queue_task_of_approval()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'queue_task_of_approval_wrapper';

-- AFTER UPDATE row trigger of orchestrator_runs: keeps the tasks of a run that is on hold or was killed from being claimed
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.queue_tasks_of_run()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'queue_tasks_of_run_wrapper';

-- AFTER UPDATE row trigger of workflows: keeps the tasks of a workflow that is not active from being claimed
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.queue_tasks_of_workflow()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'queue_tasks_of_workflow_wrapper';

-- AFTER UPDATE statement trigger of reviews and gates: approved questions about budgets raise their windows
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.raise_approved()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'raise_approved_wrapper';

-- Raises the limit of one window of a budget. Returns the row
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.raise_budget(budget_id uuid, starts_at timestamp with time zone, amount double precision, raised_by text)
 RETURNS orchestrator.budget_windows
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'raise_budget_0_9_2_float_wrapper';

-- Raises the limit of one window of a budget. Returns the row
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.raise_budget(budget_id uuid, starts_at timestamp with time zone, amount numeric, raised_by text)
 RETURNS orchestrator.budget_windows
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'raise_budget_wrapper';

-- Writes queued_tasks again from the pending tasks, marks the links of tasks that are over, and ends open attempts of tasks that are not running. Needed only if triggers were off. Returns the number of rows
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.rebuild_task_queue()
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'rebuild_task_queue_wrapper';

-- Takes tasks with an expired lease back: they wait for their next attempt, or failed if none is left. Returns their number
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.reclaim_expired_tasks()
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'reclaim_expired_tasks_wrapper';

-- AFTER INSERT or UPDATE row trigger of prompts: a plain change of is_active enters the history
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.record_activation()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_activation_wrapper';

-- Adds an event to the audit trail, with the rights of the owner of the trail. Returns its id. The function adds the keys session_user, role and subject to the metadata
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.record_event(event_type text, role text, trace_id uuid, metadata jsonb DEFAULT '{}'::jsonb)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_event_wrapper';

-- Records a call with a cost that the provider reported, as the form for numeric does. Returns the id of the row
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.record_llm_call(reported_cost double precision, model text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint DEFAULT 0, cache_write_tokens bigint DEFAULT 0, cache_write_1h_tokens bigint DEFAULT 0, reasoning_tokens bigint DEFAULT 0, units jsonb DEFAULT '{}'::jsonb, service_tier text DEFAULT 'standard'::text, inclusive boolean DEFAULT false, call_id text DEFAULT NULL::text, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, task_id uuid DEFAULT NULL::uuid, prompt_id uuid DEFAULT NULL::uuid, subject text DEFAULT NULL::text, at timestamp with time zone DEFAULT now(), reservation_id uuid DEFAULT NULL::uuid)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_llm_call_0_9_0_float_wrapper';

-- Records a call of a language model with every kind of token, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.record_llm_call(model text, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint DEFAULT 0, cache_write_tokens bigint DEFAULT 0, cache_write_1h_tokens bigint DEFAULT 0, reasoning_tokens bigint DEFAULT 0, units jsonb DEFAULT '{}'::jsonb, service_tier text DEFAULT 'standard'::text, inclusive boolean DEFAULT false, call_id text DEFAULT NULL::text, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, task_id uuid DEFAULT NULL::uuid, prompt_id uuid DEFAULT NULL::uuid, subject text DEFAULT NULL::text, at timestamp with time zone DEFAULT now(), reported_cost numeric DEFAULT NULL::numeric, reservation_id uuid DEFAULT NULL::uuid)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_llm_call_wrapper';

-- Adds tokens, cost and files to a run, as the form for numeric does, in a call by name. Returns the row
-- Made by 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.record_run_progress(thread_id text, cost double precision, phase text DEFAULT NULL::text, tokens bigint DEFAULT 0, unused numeric DEFAULT NULL::numeric, files text[] DEFAULT '{}'::text[], current_agent text DEFAULT NULL::text, error text DEFAULT NULL::text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_run_progress_0_7_3_float_wrapper';

-- Adds tokens, cost and files to a run, as the form for numeric does, in a call by place. Returns the row
-- Made by 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.record_run_progress(thread_id text, phase text, current_agent text, tokens bigint, cost_usd double precision, files text[] DEFAULT '{}'::text[], error text DEFAULT NULL::text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_run_progress_0_7_3_float_by_place_wrapper';

-- Adds tokens, cost and files to a run, and sets its phase, agent or error if given. A run on hold takes no phase but failed. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.record_run_progress(thread_id text, phase text DEFAULT NULL::text, current_agent text DEFAULT NULL::text, tokens bigint DEFAULT 0, cost numeric DEFAULT 0, files text[] DEFAULT '{}'::text[], error text DEFAULT NULL::text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_run_progress_0_7_0_wrapper';

-- Records a safety score, as the form for numeric does. Returns the row
-- Made by 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.record_safety(thread_id text, score double precision, violations text[] DEFAULT '{}'::text[])
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_safety_0_7_3_float_wrapper';

-- Records a safety score. A score below safety_block_below (0.70) holds the run and requests a review; a score below safety_review_below (0.85) only requests a review. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.record_safety(thread_id text, score numeric, violations text[] DEFAULT '{}'::text[])
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_safety_0_7_0_wrapper';

-- Records a call of a language model, and adds its tokens and cost to its run. A call_id counts once. Returns the id of the row
-- Made by 0.6.0--0.7.0.sql, 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.record_token_usage(model text, input_tokens bigint, output_tokens bigint, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, at timestamp with time zone DEFAULT now(), thread_id text DEFAULT NULL::text, task_id uuid DEFAULT NULL::uuid, call_id text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'record_token_usage_0_9_0_wrapper';

-- Gives a reservation back whose call is not made. Returns whether it was still held
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.release_budget(reservation_id uuid)
 RETURNS boolean
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'release_budget_wrapper';

-- Ends a claim of a question. Returns whether there was one
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.release_decision(decision_id uuid, claimed_by text)
 RETURNS boolean
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'release_decision_wrapper';

-- Releases the keys of ended tasks that are older than ttl, so that the keys can be used again. Returns the number of keys. A task that is pending, running or waits for an approval keeps its key. NULL: configuration idempotency_ttl_seconds, else 86400 seconds
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.release_idempotency_keys(ttl interval DEFAULT NULL::interval)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'release_idempotency_keys_wrapper';

-- Puts a task that the worker holds back into the queue; the attempt does not count. Returns the row
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.release_task(task_id uuid, worker text, retry_in interval DEFAULT '00:00:00'::interval)
 RETURNS orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'release_task_wrapper';

-- For scripts: grants each role with a level the privileges that its level gains from version origin to version target, and revokes those that it loses. Returns the number of roles
-- Made by 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.renew_access(origin text, target text)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'renew_access_wrapper';

-- Extends the lease of a task that the worker holds. Returns its new end
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.renew_claim(task_id uuid, worker text, lease interval DEFAULT '00:05:00'::interval)
 RETURNS timestamp with time zone
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'renew_claim_wrapper';

-- BEFORE INSERT row trigger of queued_tasks: while a dump is restored, its rows replace those that the tasks have made
-- Made by 0.7.0--0.7.1.sql
CREATE FUNCTION orchestrator.replace_queued_task()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'replace_queued_task_wrapper';

-- Asks a role to approve a task. The same request_key finds the first approval. Returns its id
-- Made by 0.6.0--0.7.0.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.request_approval(task_id uuid, approver_role text, notes text DEFAULT ''::text, request_key text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'request_approval_0_8_0_wrapper';

-- Asks another agent. Returns the collaboration_id, which is new unless the caller passes one to ask again within it
-- Made by 0.2.0--0.2.1.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.request_collaboration(request_type text, requesting_agent text, specialist_agent text, question text, context jsonb DEFAULT '{}'::jsonb, urgency text DEFAULT 'medium'::text, collaboration_id uuid DEFAULT NULL::uuid)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'request_collaboration_wrapper';

-- Asks a human about a run, as the form for numeric does. The same request_key finds the first review. Returns its id
-- Made by 0.7.2--0.7.3.sql
CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score double precision, context jsonb DEFAULT '{}'::jsonb, request_key text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'request_review_0_7_3_float_wrapper';

-- Asks a human about a run. The same request_key finds the first review. Returns its id
-- Made by 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.request_review(thread_id text, review_type text, reason text, safety_score numeric DEFAULT NULL::numeric, context jsonb DEFAULT '{}'::jsonb, request_key text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'request_review_0_7_0_wrapper';

-- Reserves an amount in every budget that is about a call, or in none. A refusal is an answer, and asks a human
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.reserve_budget(amount double precision, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, subject text DEFAULT NULL::text, hold_for interval DEFAULT NULL::interval, reservation_id uuid DEFAULT NULL::uuid)
 RETURNS TABLE(reservation_id uuid, admitted boolean, refused_by uuid, available numeric, review_id uuid)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'reserve_budget_0_9_2_float_wrapper';

-- Reserves an amount in every budget that is about a call, or in none. A refusal is an answer, and asks a human
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.reserve_budget(amount numeric, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, subject text DEFAULT NULL::text, hold_for interval DEFAULT NULL::interval, reservation_id uuid DEFAULT NULL::uuid)
 RETURNS TABLE(reservation_id uuid, admitted boolean, refused_by uuid, available numeric, review_id uuid)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'reserve_budget_wrapper';

-- Decides a pending approval as approved or rejected, only by the role that was asked, and records it. Returns the row
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.resolve_approval(approval_id uuid, decision text, approver_role text, notes text DEFAULT NULL::text)
 RETURNS orchestrator.approvals
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'resolve_approval_0_8_0_wrapper';

-- Resolves a pending gate as approved or denied, once. Returns the row. A denial needs feedback
-- Made by 0.1.6--0.2.0.sql, 0.2.3--0.2.4.sql, 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL::text)
 RETURNS orchestrator.gates
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'resolve_gate_0_8_0_wrapper';

-- Resolves a pending review as approved or rejected, once: the last approval frees the run, a rejection kills it. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL::text)
 RETURNS orchestrator.human_review_queue
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'resolve_review_0_8_0_wrapper';

-- Resolves many reviews by one decision. Returns for each id resolved, already_resolved or unknown
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql, 0.7.2--0.7.3.sql, 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL::text)
 RETURNS TABLE(review_id uuid, outcome text)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'resolve_reviews_0_8_0_wrapper';

-- Lets knowledge wait again that another model embedded, or that was given up. Returns the number of entries
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.restage_knowledge(embedding_model text, given_up_only boolean DEFAULT false)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'restage_knowledge_wrapper';

-- Restores by hand the rows that an upgrade would restore, for example after a dump with an archive was restored
-- Made by 0.0.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.restore_archived()
 RETURNS TABLE(object text, restored bigint, left_behind bigint)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'restore_archived_wrapper';

-- For up scripts: restores the values of columns that a downgrade kept. Returns the number of rows whose values were restored
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.restore_columns(relation regclass, columns text[])
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'restore_columns_wrapper';

-- For up scripts: restores the rows of a table that a downgrade kept. Returns the number of restored rows
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.restore_table(relation regclass)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'restore_table_wrapper';

-- Lets a run without open questions go on. A pause by a reviewer or an admin is lifted only by one. Returns the row
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.resume_run(thread_id text)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'resume_run_0_7_0_wrapper';

-- Lets a task that failed be claimed again, for one more attempt or up to a number of attempts. Returns the row
-- Made by 0.7.1--0.7.2.sql
CREATE FUNCTION orchestrator.retry_task(task_id uuid, max_attempts integer DEFAULT NULL::integer)
 RETURNS orchestrator.tasks
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'retry_task_wrapper';

-- Revokes all privileges of a role on the extension's objects. Returns their number
-- Made by 0.5.0--0.6.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.revoke_access(grantee regrole)
 RETURNS bigint
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'revoke_access_0_8_1_wrapper';

-- Routes a task from one role to another. The same idempotency_key with the same content returns the first task again, with created false
-- Made by 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.route_task(task_type text, description text, from_role text, to_role text, data jsonb DEFAULT '{}'::jsonb, trace_id uuid DEFAULT NULL::uuid, idempotency_key uuid DEFAULT NULL::uuid)
 RETURNS TABLE(task_id uuid, created boolean)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'route_task_wrapper';

-- Expires, releases and purges, each by its configured age. Returns every task with the number of rows
-- Made by 0.5.0--0.6.0.sql, 0.7.0--0.7.1.sql, 0.7.3--0.8.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.run_maintenance()
 RETURNS TABLE(task text, affected bigint)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'run_maintenance_0_8_1_wrapper';

-- The audit events of a run, of its tasks and of its gates, the oldest first
-- Made by 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.run_trail(thread_id text)
 RETURNS SETOF orchestrator.audit_events
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'run_trail_wrapper';

-- Saves where a worker that comes back goes on: merged into the state key by key, or in its place. Returns the row
-- Made by 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.save_run_state(thread_id text, state jsonb, merge boolean DEFAULT true)
 RETURNS orchestrator.orchestrator_runs
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'save_run_state_wrapper';

-- Makes pg_cron call run_maintenance() as the caller. Returns the id of the job. A second call replaces the schedule
-- Made by 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.schedule_maintenance(cron text DEFAULT '*/15 * * * *'::text)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'schedule_maintenance_wrapper';

-- Seals the audit events to which no transaction can add any more. Returns the seal; no row if there is nothing new
-- Made by 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.seal_audit_events()
 RETURNS SETOF orchestrator.audit_seals
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'seal_audit_events_wrapper';

-- Records that the client of a session is alive and attached. Returns the time of this heartbeat
-- Made by 0.1.3--0.1.4.sql, 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.session_heartbeat(session_id uuid)
 RETURNS timestamp with time zone
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'session_heartbeat_0_3_0_wrapper';

-- Sets the limit of a scope and a period, from now on. Returns the row
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.set_budget(limit_usd double precision, period text, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, subject text DEFAULT NULL::text, enforce boolean DEFAULT true, hold interval DEFAULT '00:15:00'::interval)
 RETURNS orchestrator.budgets
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_budget_0_9_2_float_wrapper';

-- Sets the limit of a scope and a period, from now on. Returns the row
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.set_budget(limit_usd numeric, period text, project_id uuid DEFAULT NULL::uuid, agent_id text DEFAULT NULL::text, thread_id text DEFAULT NULL::text, subject text DEFAULT NULL::text, enforce boolean DEFAULT true, hold interval DEFAULT '00:15:00'::interval)
 RETURNS orchestrator.budgets
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_budget_wrapper';

-- Sets a new or existing setting. Returns the row. NULL keeps its type, description or secrecy
-- Made by 0.1.4--0.1.5.sql
CREATE FUNCTION orchestrator.set_configuration(key text, value text, value_type text DEFAULT NULL::text, description text DEFAULT NULL::text, is_secret boolean DEFAULT NULL::boolean)
 RETURNS orchestrator.configurations
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_configuration_wrapper';

-- Sets the rule by which questions of a kind and type are decided that are asked from now on. Returns the row
-- Made by 0.7.3--0.8.0.sql, 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.set_decision_rule(kind text, type text DEFAULT NULL::text, respond_within interval DEFAULT NULL::interval, on_timeout text DEFAULT NULL::text, escalate_to text DEFAULT NULL::text, approvals_needed integer DEFAULT 1, rejections_needed integer DEFAULT 1, requester_may_decide boolean DEFAULT true, assigned_to text DEFAULT NULL::text)
 RETURNS orchestrator.decision_rules
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_decision_rule_0_9_1_wrapper';

-- Lets calls by a name have the price of a model; NULL as the model ends that. Returns the row
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.set_model_alias(alias text, model text)
 RETURNS orchestrator.llm_model_aliases
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_model_alias_wrapper';

-- Sets the price of a model, as the form for numeric does. Returns the row
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million double precision, output_cost_per_million double precision, effective_date date DEFAULT NULL::date, notes text DEFAULT NULL::text, updated_by text DEFAULT NULL::text, components jsonb DEFAULT NULL::jsonb, effective_at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS orchestrator.llm_pricing
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_price_0_9_0_float_wrapper';

-- Sets the price of a model from a UTC day or a moment on (by default from today), in USD per million tokens, with components. A price that has begun stays, marked as replaced. Returns the row
-- Made by 0.8.1--0.9.0.sql
CREATE FUNCTION orchestrator.set_price(model text, input_cost_per_million numeric, output_cost_per_million numeric, effective_date date DEFAULT NULL::date, notes text DEFAULT NULL::text, updated_by text DEFAULT NULL::text, components jsonb DEFAULT NULL::jsonb, effective_at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS orchestrator.llm_pricing
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'set_price_0_9_0_wrapper';

-- Settles a reservation at the cost of its call, also after it has expired. Returns the first of its holds
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.settle_budget(reservation_id uuid, cost double precision)
 RETURNS orchestrator.budget_holds
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'settle_budget_0_9_2_float_wrapper';

-- Settles a reservation at the cost of its call, also after it has expired. Returns the first of its holds
-- Made by 0.9.1--0.9.2.sql
CREATE FUNCTION orchestrator.settle_budget(reservation_id uuid, cost numeric)
 RETURNS orchestrator.budget_holds
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'settle_budget_wrapper';

-- Stages knowledge for embedding. Returns its id
-- Made by 0.2.3--0.2.4.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.stage_knowledge(knowledge_type text, content text, metadata jsonb DEFAULT '{}'::jsonb)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'stage_knowledge_wrapper';

-- Starts the one run of a thread, in phase planning. Returns its id
-- Made by 0.4.3--0.5.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.start_run(thread_id text, project_id uuid, story_id text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'start_run_0_7_0_wrapper';

-- Records that a tool call of a task starts now. Returns the id of the execution
-- Made by 0.1.2--0.1.3.sql, 0.2.5--0.3.0.sql, 0.5.0--0.6.0.sql, 0.6.0--0.7.0.sql
CREATE FUNCTION orchestrator.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}'::jsonb)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'start_tool_execution_0_7_0_wrapper';

-- Lets the first tasks of a workflow be claimed, or those at which a pause stopped it. Returns the row
-- Made by 0.7.1--0.7.2.sql
CREATE FUNCTION orchestrator.start_workflow(workflow_id uuid)
 RETURNS orchestrator.workflows
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'start_workflow_wrapper';

-- The SHA-256 of a text in the encoding of the database. Column prompts.text_sha256 uses it
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.text_sha256(value text)
 RETURNS bytea
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE STRICT
AS 'orchestrator_schema', 'text_sha256_wrapper';

-- The schema as TypeScript types: Database["orchestrator"], and names for the most used ones
-- Made by 0.4.3--0.5.0.sql
CREATE FUNCTION orchestrator.typescript_types()
 RETURNS text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'typescript_types_wrapper';

-- Removes the caller's job from pg_cron. Returns whether there was one
-- Made by 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.unschedule_maintenance()
 RETURNS boolean
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'unschedule_maintenance_wrapper';

-- A new time-ordered UUID (version 7), greater than every earlier one of the same backend
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.uuidv7()
 RETURNS uuid
 LANGUAGE c
 PARALLEL SAFE
AS 'orchestrator_schema', 'uuidv7_wrapper';

-- Approves a phase under review, in writing. Returns the row
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.v7_approve_phase(phase_number integer, approved_by text, notes text)
 RETURNS orchestrator.v7_migration_workflow
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_approve_phase_0_8_1_wrapper';

-- Completes an approved phase, if no task is open and no sign-off is missing. Returns the row
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_complete_phase(phase_number integer)
 RETURNS orchestrator.v7_migration_workflow
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_complete_phase_wrapper';

-- BEFORE UPDATE trigger of the phases: no phase starts, is approved or is completed while a requirement is missing; rolling one back cancels its open tasks
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_enforce_approval()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_enforce_approval_wrapper';

-- BEFORE UPDATE trigger of the tasks: the dependencies of a task exist and form no cycle, and no task moves into a phase that is over
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_enforce_dependencies()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_enforce_dependencies_wrapper';

-- Whether a file name is WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py with 1 <= n <= m
-- Made by 0.4.1--0.4.2.sql
CREATE FUNCTION orchestrator.v7_is_valid_file_name(file_name text)
 RETURNS boolean
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
AS 'orchestrator_schema', 'v7_is_valid_file_name_wrapper';

-- Issues a task of a phase with the next number. Returns its id
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_issue_task(phase_number integer, task_name text, responsible_persona text, dependencies uuid[] DEFAULT '{}'::uuid[], dart_task_id text DEFAULT NULL::text, dart_task_url text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_issue_task_wrapper';

-- Loads the seven phases and the tasks of phases 1 and 4; existing rows stay unchanged
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_load_plan()
 RETURNS TABLE(loaded text, rows bigint)
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_load_plan_wrapper';

-- The required sign-offs before or after a phase that nobody has given
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_missing_sign_offs(phase_number integer, stage text)
 RETURNS SETOF text
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_missing_sign_offs_wrapper';

-- AFTER UPDATE trigger of the tasks: records that the external tracker has the task in an older form
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_note_change()
 RETURNS trigger
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_note_change_wrapper';

-- AFTER UPDATE trigger of the tasks: records that the external tracker has the present form of the task
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_note_hand_over()
 RETURNS trigger
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_note_hand_over_wrapper';

-- The parts of a file name that follows the rule of V7; no row if the name breaks it
-- Made by 0.4.1--0.4.2.sql
CREATE FUNCTION orchestrator.v7_parse_file_name(file_name text)
 RETURNS TABLE(workflow integer, layer integer, part integer, parts integer, name text)
 LANGUAGE c
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_parse_file_name_wrapper';

-- Records every pair of duplicate enum types as a proposal, none twice. Returns the number of new proposals
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_record_enum_duplicates(minimum_similarity double precision DEFAULT 0.8)
 RETURNS bigint
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_record_enum_duplicates_wrapper';

-- Puts a phase in progress under review, with its results, a JSON array. Returns the row
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_request_review(phase_number integer, deliverables jsonb)
 RETURNS orchestrator.v7_migration_workflow
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_request_review_wrapper';

-- Rolls a phase back: cancels its open tasks with the reason, and ends its approval. Returns the row
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_roll_back_phase(phase_number integer, reason text)
 RETURNS orchestrator.v7_migration_workflow
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_roll_back_phase_wrapper';

-- Signs an item before or after a phase, once. Returns the id of the sign-off
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql, 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.v7_sign(phase_number integer, stage text, item text, signed_by text, notes text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_sign_0_8_1_wrapper';

-- Starts a phase, if the phase before is completed and approved and no sign-off is missing. Returns the row
-- Made by 0.4.2--0.4.3.sql, 0.5.0--0.6.0.sql
CREATE FUNCTION orchestrator.v7_start_phase(phase_number integer)
 RETURNS orchestrator.v7_migration_workflow
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_start_phase_wrapper';

-- Every check of V7, each once: tables, inventory, infrastructure, data
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_verify()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_wrapper';

-- Checks the rows of the V7 tables: seven phases, enum mappings, owners, dependencies, and no phase started or completed without approval
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_verify_data()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_data_wrapper';

-- Checks the inventory under V7: its twelve columns, a V7 status on every row, and no old value changed or row deleted since the upgrade
-- Made by 0.4.1--0.4.2.sql
CREATE FUNCTION orchestrator.v7_verify_file_audit()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_file_audit_wrapper';

-- Compares the tables, columns, views, indexes and triggers of the V7 versions with the manifest
-- Made by 0.4.2--0.4.3.sql
CREATE FUNCTION orchestrator.v7_verify_infrastructure()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_infrastructure_wrapper';

-- Checks before the V7 versions: no v7_ table in any schema but the archive, and every name that they need is free
-- Made by 0.3.0--0.4.0.sql
CREATE FUNCTION orchestrator.v7_verify_preconditions()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_preconditions_wrapper';

-- Checks after a downgrade to 0.4.0: nothing named v7_ is left in any schema but the archive
-- Made by 0.3.0--0.4.0.sql
CREATE FUNCTION orchestrator.v7_verify_rollback()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_rollback_wrapper';

-- Checks the five V7 tables: base tables with all their columns, and no other table named v7_ in any schema; a view does not count as a table
-- Made by 0.4.0--0.4.1.sql
CREATE FUNCTION orchestrator.v7_verify_tables()
 RETURNS TABLE(check_name text, expected text, actual text, passed boolean, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'v7_verify_tables_wrapper';

-- Every difference between the live schema and the manifest of the installed version, with the statement that repairs it; no row if there is none
-- Made by 0.0.0.sql
CREATE FUNCTION orchestrator.verify()
 RETURNS TABLE(object text, kind text, problem text, expected text, actual text, hint text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'verify_wrapper';

-- Compares the audit events with their seals. Returns what was changed, deleted or added since; no row if nothing was
-- Made by 0.8.0--0.8.1.sql
CREATE FUNCTION orchestrator.verify_audit_seals(from_sequence bigint DEFAULT NULL::bigint, expected_head bytea DEFAULT NULL::bytea)
 RETURNS TABLE(sequence bigint, problem text, expected text, actual text)
 LANGUAGE c
 STABLE PARALLEL RESTRICTED
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'verify_audit_seals_wrapper';

-- BEFORE INSERT or UPDATE trigger of prompts: a plain change of is_active waits for those that activate versions
-- Made by 0.9.0--0.9.1.sql
CREATE FUNCTION orchestrator.wait_for_activations()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'wait_for_activations_wrapper';

-- Withdraws an open question, by who asked it or an admin. Returns the row of view decisions
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.withdraw_decision(decision_id uuid, withdrawn_by text, reason text)
 RETURNS orchestrator.decisions
 LANGUAGE c
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'withdraw_decision_wrapper';

-- AFTER UPDATE row trigger of runs and tasks: withdraws the open questions of a run that has ended, and the open approvals of a task that has failed or was cancelled
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.withdraw_questions()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'withdraw_questions_wrapper';

-- AFTER INSERT statement trigger (kind) of questions: writes the terms of each question that a rule applies to
-- Made by 0.7.3--0.8.0.sql
CREATE FUNCTION orchestrator.write_terms()
 RETURNS trigger
 LANGUAGE c
 SET search_path TO 'pg_catalog', 'pg_temp'
AS 'orchestrator_schema', 'write_terms_wrapper';

-- Sums of the calls of llm_special_call by all that their cost depends on besides the model, for llm_cost_line; NULL if all calls are plain. The views over calls use it
-- Made by 0.8.1--0.9.0.sql
CREATE AGGREGATE orchestrator.llm_usage_sums(call bytea) (SFUNC = orchestrator.llm_usage_sums_add, STYPE = bytea, COMBINEFUNC = orchestrator.llm_usage_sums_add);
