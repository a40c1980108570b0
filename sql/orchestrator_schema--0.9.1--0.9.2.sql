\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.9.2'" to load this file. \quit

-- 0.9.1 -> 0.9.2: budgets that hold: limits by scope and period, reservations, and a question to a human when one
-- is used up. Locks reviews and gates until the transaction ends. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.9.2');

-- budgets

CREATE TABLE orchestrator.budgets (
    id         uuid        PRIMARY KEY DEFAULT orchestrator.uuidv7(),
    project_id uuid,
    agent_id   text,
    thread_id  text,
    subject    text,
    period     text        NOT NULL,
    limit_usd  numeric     NOT NULL,
    enforce    boolean     NOT NULL DEFAULT true,
    hold       interval    NOT NULL DEFAULT '15 minutes',
    CONSTRAINT budgets_agent_id_check  CHECK (btrim(agent_id) <> ''),
    CONSTRAINT budgets_thread_id_check CHECK (btrim(thread_id) <> ''),
    CONSTRAINT budgets_subject_check   CHECK (btrim(subject) <> ''),
    CONSTRAINT budgets_period_check    CHECK (period IN ('day', 'week', 'month', 'total')),
    CONSTRAINT budgets_limit_usd_check CHECK (limit_usd >= 0 AND limit_usd < 1000000000000),
    CONSTRAINT budgets_hold_check      CHECK (hold > '0')
);
COMMENT ON TABLE orchestrator.budgets IS 'Limits for the cost of calls, one for each scope and period; set_budget sets them. A scope with NULL everywhere is every call';
COMMENT ON COLUMN orchestrator.budgets.project_id IS 'Only calls of this project; NULL for any';
COMMENT ON COLUMN orchestrator.budgets.agent_id IS 'Only calls of this agent; NULL for any';
COMMENT ON COLUMN orchestrator.budgets.thread_id IS 'Only calls of the run of this thread; NULL for any';
COMMENT ON COLUMN orchestrator.budgets.subject IS 'Only calls that are charged to this user, key or tag; NULL for any';
COMMENT ON COLUMN orchestrator.budgets.period IS 'How long a window lasts, by the UTC clock. day: from midnight; week: from Monday; month: from the first; total: for ever';
COMMENT ON COLUMN orchestrator.budgets.limit_usd IS 'USD for each window';
COMMENT ON COLUMN orchestrator.budgets.enforce IS 'Whether reservations beyond the limit are refused; without it the budget only counts';
COMMENT ON COLUMN orchestrator.budgets.hold IS 'How long a reservation is kept without another time';

SELECT orchestrator.restore_table('orchestrator.budgets');
SELECT pg_extension_config_dump('orchestrator.budgets', '');

-- A name may be too long for an index. The order of the columns is that in which the scopes of a call are looked up.
CREATE UNIQUE INDEX idx_budgets_scope ON orchestrator.budgets
    (orchestrator.text_sha256(subject), orchestrator.text_sha256(thread_id), orchestrator.text_sha256(agent_id), project_id, period)
    NULLS NOT DISTINCT;

CREATE TABLE orchestrator.budget_windows (
    budget_id uuid        NOT NULL CONSTRAINT budget_windows_budget_id_fkey REFERENCES orchestrator.budgets (id),
    starts_at timestamptz NOT NULL,
    spent     numeric     NOT NULL DEFAULT 0,
    reserved  numeric     NOT NULL DEFAULT 0,
    raised    numeric     NOT NULL DEFAULT 0,
    review_id uuid,
    PRIMARY KEY (budget_id, starts_at),
    CONSTRAINT budget_windows_spent_check    CHECK (spent >= 0 AND spent < 'Infinity'),
    CONSTRAINT budget_windows_reserved_check CHECK (reserved >= 0 AND reserved < 'Infinity'),
    CONSTRAINT budget_windows_raised_check   CHECK (raised >= 0 AND raised < 'Infinity')
);
COMMENT ON TABLE orchestrator.budget_windows IS 'The time in which a budget counts once: what is spent and reserved in it';
COMMENT ON COLUMN orchestrator.budget_windows.budget_id IS 'The budget';
COMMENT ON COLUMN orchestrator.budget_windows.starts_at IS 'When the window begins; -infinity for period total';
COMMENT ON COLUMN orchestrator.budget_windows.spent IS 'USD of the calls that were recorded or settled';
COMMENT ON COLUMN orchestrator.budget_windows.reserved IS 'USD of the reservations that are held, with those that have expired and were not yet taken back';
COMMENT ON COLUMN orchestrator.budget_windows.raised IS 'USD by which the limit was raised for this window';
COMMENT ON COLUMN orchestrator.budget_windows.review_id IS 'The last question to a human about it: a review, or a gate if no run waits';

SELECT orchestrator.restore_table('orchestrator.budget_windows');
SELECT pg_extension_config_dump('orchestrator.budget_windows', '');

CREATE INDEX idx_budget_windows_review ON orchestrator.budget_windows (review_id) WHERE review_id IS NOT NULL;

CREATE TABLE orchestrator.budget_holds (
    reservation_id uuid        NOT NULL,
    budget_id      uuid        NOT NULL,
    starts_at      timestamptz NOT NULL,
    amount         numeric     NOT NULL,
    expires_at     timestamptz NOT NULL,
    state          text        NOT NULL DEFAULT 'held',
    actual         numeric,
    PRIMARY KEY (reservation_id, budget_id),
    CONSTRAINT budget_holds_window_fkey      FOREIGN KEY (budget_id, starts_at) REFERENCES orchestrator.budget_windows (budget_id, starts_at),
    CONSTRAINT budget_holds_amount_check     CHECK (amount >= 0 AND amount < 1000000000000),
    CONSTRAINT budget_holds_expires_at_check CHECK (isfinite(expires_at)),
    CONSTRAINT budget_holds_state_check      CHECK (state IN ('held', 'settled', 'released', 'expired')),
    CONSTRAINT budget_holds_actual_check     CHECK ((state = 'settled') = (actual IS NOT NULL) AND actual >= 0 AND actual < 1000000000000)
);
COMMENT ON TABLE orchestrator.budget_holds IS 'Reservations: what each of them holds in each budget that is about its call';
COMMENT ON COLUMN orchestrator.budget_holds.reservation_id IS 'The reservation, the same in all its budgets';
COMMENT ON COLUMN orchestrator.budget_holds.budget_id IS 'The budget';
COMMENT ON COLUMN orchestrator.budget_holds.starts_at IS 'The window in which it was reserved';
COMMENT ON COLUMN orchestrator.budget_holds.amount IS 'USD that are reserved';
COMMENT ON COLUMN orchestrator.budget_holds.expires_at IS 'When it can be taken back';
COMMENT ON COLUMN orchestrator.budget_holds.state IS 'held: reserved; settled: the call was made; released: the call was not made; expired: taken back, and can still be settled';
COMMENT ON COLUMN orchestrator.budget_holds.actual IS 'USD that the call cost, once it is settled';

SELECT orchestrator.restore_table('orchestrator.budget_holds');
SELECT pg_extension_config_dump('orchestrator.budget_holds', '');

-- For the next reservation, which takes back what has expired in its windows.
CREATE INDEX idx_budget_holds_held ON orchestrator.budget_holds (budget_id, starts_at, expires_at) WHERE state = 'held';

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
COMMENT ON VIEW orchestrator.budget_status IS 'Each budget in its present window: spent, reserved and available';
COMMENT ON COLUMN orchestrator.budget_status.budget_id IS 'The budget';
COMMENT ON COLUMN orchestrator.budget_status.project_id IS 'Only calls of this project; NULL for any';
COMMENT ON COLUMN orchestrator.budget_status.agent_id IS 'Only calls of this agent; NULL for any';
COMMENT ON COLUMN orchestrator.budget_status.thread_id IS 'Only calls of the run of this thread; NULL for any';
COMMENT ON COLUMN orchestrator.budget_status.subject IS 'Only calls that are charged to this user, key or tag; NULL for any';
COMMENT ON COLUMN orchestrator.budget_status.period IS 'day, week, month or total';
COMMENT ON COLUMN orchestrator.budget_status.starts_at IS 'When the present window begins; -infinity for period total';
COMMENT ON COLUMN orchestrator.budget_status.ends_at IS 'When the next one begins; infinity for period total';
COMMENT ON COLUMN orchestrator.budget_status.limit_usd IS 'USD for each window';
COMMENT ON COLUMN orchestrator.budget_status.raised IS 'USD by which the limit was raised for this window';
COMMENT ON COLUMN orchestrator.budget_status.spent IS 'USD of the calls that were recorded or settled';
COMMENT ON COLUMN orchestrator.budget_status.reserved IS 'USD of the reservations that are held and have not expired';
COMMENT ON COLUMN orchestrator.budget_status.available IS 'USD that are left; less than 0 if more was spent than allowed';
COMMENT ON COLUMN orchestrator.budget_status.enforce IS 'Whether reservations beyond the limit are refused';
COMMENT ON COLUMN orchestrator.budget_status.review_id IS 'The last question to a human about the window';

CREATE FUNCTION orchestrator.set_budget(limit_usd numeric, period text, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, subject text DEFAULT NULL, enforce boolean DEFAULT true, hold interval DEFAULT '15 minutes')
RETURNS orchestrator.budgets
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_budget_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_budget(numeric, text, uuid, text, text, text, boolean, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_budget(numeric, text, uuid, text, text, text, boolean, interval) IS
    'Sets the limit of a scope and a period, from now on. Returns the row';

CREATE FUNCTION orchestrator.set_budget(limit_usd double precision, period text, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, subject text DEFAULT NULL, enforce boolean DEFAULT true, hold interval DEFAULT '15 minutes')
RETURNS orchestrator.budgets
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_budget_0_9_2_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_budget(double precision, text, uuid, text, text, text, boolean, interval) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_budget(double precision, text, uuid, text, text, text, boolean, interval) IS
    'Sets the limit of a scope and a period, from now on. Returns the row';

CREATE FUNCTION orchestrator.estimate_cost(model text, input_tokens bigint, max_output_tokens bigint, service_tier text DEFAULT 'standard')
RETURNS numeric
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'estimate_cost_wrapper';
REVOKE ALL ON FUNCTION orchestrator.estimate_cost(text, bigint, bigint, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.estimate_cost(text, bigint, bigint, text) IS
    'The cost of a call by the price in force now, to be reserved; NULL if there is none';

CREATE FUNCTION orchestrator.reserve_budget(amount numeric, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, subject text DEFAULT NULL, hold_for interval DEFAULT NULL, reservation_id uuid DEFAULT NULL)
RETURNS TABLE (reservation_id uuid, admitted boolean, refused_by uuid, available numeric, review_id uuid)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reserve_budget_wrapper';
REVOKE ALL ON FUNCTION orchestrator.reserve_budget(numeric, uuid, text, text, text, interval, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.reserve_budget(numeric, uuid, text, text, text, interval, uuid) IS
    'Reserves an amount in every budget that is about a call, or in none. A refusal is an answer, and asks a human';

CREATE FUNCTION orchestrator.reserve_budget(amount double precision, project_id uuid DEFAULT NULL, agent_id text DEFAULT NULL, thread_id text DEFAULT NULL, subject text DEFAULT NULL, hold_for interval DEFAULT NULL, reservation_id uuid DEFAULT NULL)
RETURNS TABLE (reservation_id uuid, admitted boolean, refused_by uuid, available numeric, review_id uuid)
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reserve_budget_0_9_2_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.reserve_budget(double precision, uuid, text, text, text, interval, uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.reserve_budget(double precision, uuid, text, text, text, interval, uuid) IS
    'Reserves an amount in every budget that is about a call, or in none. A refusal is an answer, and asks a human';

CREATE FUNCTION orchestrator.settle_budget(reservation_id uuid, cost numeric)
RETURNS orchestrator.budget_holds
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'settle_budget_wrapper';
REVOKE ALL ON FUNCTION orchestrator.settle_budget(uuid, numeric) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.settle_budget(uuid, numeric) IS
    'Settles a reservation at the cost of its call, also after it has expired. Returns the first of its holds';

CREATE FUNCTION orchestrator.settle_budget(reservation_id uuid, cost double precision)
RETURNS orchestrator.budget_holds
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'settle_budget_0_9_2_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.settle_budget(uuid, double precision) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.settle_budget(uuid, double precision) IS
    'Settles a reservation at the cost of its call, also after it has expired. Returns the first of its holds';

CREATE FUNCTION orchestrator.release_budget(reservation_id uuid)
RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_budget_wrapper';
REVOKE ALL ON FUNCTION orchestrator.release_budget(uuid) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.release_budget(uuid) IS
    'Gives a reservation back whose call is not made. Returns whether it was still held';

CREATE FUNCTION orchestrator.raise_budget(budget_id uuid, starts_at timestamptz, amount numeric, raised_by text)
RETURNS orchestrator.budget_windows
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'raise_budget_wrapper';
REVOKE ALL ON FUNCTION orchestrator.raise_budget(uuid, timestamptz, numeric, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.raise_budget(uuid, timestamptz, numeric, text) IS
    'Raises the limit of one window of a budget. Returns the row';

CREATE FUNCTION orchestrator.raise_budget(budget_id uuid, starts_at timestamptz, amount double precision, raised_by text)
RETURNS orchestrator.budget_windows
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'raise_budget_0_9_2_float_wrapper';
REVOKE ALL ON FUNCTION orchestrator.raise_budget(uuid, timestamptz, double precision, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.raise_budget(uuid, timestamptz, double precision, text) IS
    'Raises the limit of one window of a budget. Returns the row';

-- questions about budgets

CREATE FUNCTION orchestrator.raise_approved()
RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'raise_approved_wrapper';
REVOKE ALL ON FUNCTION orchestrator.raise_approved() FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.raise_approved() IS
    'AFTER UPDATE statement trigger of reviews and gates: approved questions about budgets raise their windows';

CREATE TRIGGER human_review_queue_budget AFTER UPDATE ON orchestrator.human_review_queue
    REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.raise_approved();
CREATE TRIGGER gates_budget AFTER UPDATE ON orchestrator.gates
    REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION orchestrator.raise_approved();

-- Below 0.9.2 an approval raises no window: then the window is raised by less than its question says.
DO $$
DECLARE
    approved text;
BEGIN
    SELECT string_agg(q.id::text, ', ' ORDER BY q.id) INTO approved
    FROM orchestrator.budget_windows AS w, LATERAL (
        SELECT r.id, (r.context ->> 'raise_by')::numeric AS raise_by FROM orchestrator.human_review_queue AS r
        WHERE r.id = w.review_id AND r.status = 'approved' AND jsonb_typeof(r.context -> 'raise_by') = 'number'
        UNION ALL SELECT g.id, (g.context ->> 'raise_by')::numeric FROM orchestrator.gates AS g
        WHERE g.id = w.review_id AND g.status = 'approved' AND jsonb_typeof(g.context -> 'raise_by') = 'number') AS q
    WHERE w.raised < q.raise_by;
    IF approved IS NOT NULL THEN
        -- A script of an extension shows no notices.
        RAISE WARNING 'questions about budgets whose approval has raised no window: %', approved
            USING DETAIL = 'They were approved below 0.9.2.', HINT = 'Raise the windows with orchestrator.raise_budget if they are still to have more.';
    END IF;
END
$$;

SELECT orchestrator.renew_access('0.9.1', '0.9.2');
