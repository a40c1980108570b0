\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.9.1'" to load this file. \quit

-- 0.9.2 -> 0.9.1: removes budgets, their windows and reservations; orchestrator_archive keeps the rows. Questions about budgets
-- stay, and their approval raises no window. Locks reviews and gates until the transaction ends.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the downgrade needs, then stops before any change if a user's object depends
-- on something that this script removes.
SELECT orchestrator.begin_downgrade('0.9.1');

-- Levels lose what they may do only from 0.9.2 on.
SELECT orchestrator.renew_access('0.9.2', '0.9.1');

DROP TRIGGER gates_budget ON orchestrator.gates;
DROP TRIGGER human_review_queue_budget ON orchestrator.human_review_queue;
DROP FUNCTION orchestrator.raise_approved();

DROP FUNCTION orchestrator.raise_budget(uuid, timestamptz, double precision, text);
DROP FUNCTION orchestrator.raise_budget(uuid, timestamptz, numeric, text);
DROP FUNCTION orchestrator.release_budget(uuid);
DROP FUNCTION orchestrator.settle_budget(uuid, double precision);
DROP FUNCTION orchestrator.settle_budget(uuid, numeric);
DROP FUNCTION orchestrator.reserve_budget(double precision, uuid, text, text, text, interval, uuid);
DROP FUNCTION orchestrator.reserve_budget(numeric, uuid, text, text, text, interval, uuid);
DROP FUNCTION orchestrator.estimate_cost(text, bigint, bigint, text);
DROP FUNCTION orchestrator.set_budget(double precision, text, uuid, text, text, text, boolean, interval);
DROP FUNCTION orchestrator.set_budget(numeric, text, uuid, text, text, text, boolean, interval);

DROP VIEW orchestrator.budget_status;
SELECT orchestrator.archive_table('orchestrator.budget_holds');
SELECT orchestrator.archive_table('orchestrator.budget_windows');
SELECT orchestrator.archive_table('orchestrator.budgets');
