"""A worker that writes release notes: a model drafts them, a human allows them.

It may be killed at any line. The next worker goes on from there, and does not pay again for a recorded call.
Usage: worker.py THREAD, with PGHOST, PGDATABASE and PGUSER for the connection.
"""

import sys
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from model import ask

PROJECT, PROMPT = UUID("0198c5a0-0000-7000-8000-000000000001"), "Write the release notes."
thread, worker = sys.argv[1], f"writer-{uuid4()}"
db = psycopg.connect(autocommit=True, row_factory=dict_row)


def sql(query, *values):
    return db.execute(query, values).fetchone()


def write(task, thread):
    step = sql("SELECT * FROM orchestrator.begin_step(%s, 'draft', 'model', %s)", task, Jsonb({"prompt": PROMPT}))
    if not step["done"]:
        step["output"], model, tokens_in, tokens_out = ask(PROMPT)
        # One statement is one transaction: the answer and its usage are recorded together.
        sql("SELECT orchestrator.finish_tool_execution(%s, 'completed', %s), orchestrator.record_token_usage("
            "%s, %s, %s, thread_id => %s, task_id => %s, call_id => %s::text)",
            step["execution_id"], step["output"], model, tokens_in, tokens_out, thread, task, step["execution_id"])
    # The same key is the same question, whoever asks. While it is open, the run is on hold.
    gate = sql("SELECT orchestrator.open_gate(%s, 'writer', 'manual', 'Publish this?', %s, %s, %s) AS id",
               PROJECT, Jsonb({"draft": step["output"]}), f"publish {task}", thread)
    answer = sql("SELECT status, notes FROM orchestrator.decision(%s)", gate["id"])
    if answer["status"] == "pending":  # The task can be claimed again when the human has answered.
        sql("SELECT orchestrator.release_task(%s, %s)", task, worker)
    elif answer["status"] == "rejected":
        sql("SELECT orchestrator.fail_task(%s, %s, %s, final => true), orchestrator.kill_run(%s, %s)", task, worker, answer["notes"], thread, answer["notes"])
    else:
        sql("SELECT orchestrator.complete_task(%s, %s, %s), (SELECT count(orchestrator.record_run_progress(%s, phase)) "
            "FROM unnest(array['development', 'testing', 'complete']) AS phase)", task, worker, Jsonb({"notes": step["output"]}), thread)


sql("SELECT orchestrator.ensure_run(%s, %s, 'release notes')", thread, PROJECT)
sql("SELECT orchestrator.create_task('write', %s, thread_id => %s, max_attempts => 3, idempotency_key => md5(%s)::uuid)",
    f"Notes of {thread}", thread, thread)
db.execute("LISTEN orchestrator_tasks")
while sql("SELECT completed_at FROM orchestrator.orchestrator_runs WHERE thread_id = %s", thread)["completed_at"] is None:
    task = sql("SELECT id, thread_id FROM orchestrator.claim_tasks(%s, array['write'], lease => '10 minutes')", worker)
    if task is None:  # Until a task can be claimed. A lease that expires is not announced, so it looks each minute.
        next(db.notifies(timeout=60, stop_after=1), None)
        continue
    try:
        write(task["id"], task["thread_id"])
    except Exception as error:  # The task waits, longer each time. If the claim is lost, this fails and the worker ends.
        sql("SELECT CASE WHEN t.status = 'failed' THEN orchestrator.kill_run(t.thread_id, t.error) END "
            "FROM orchestrator.fail_task(%s, %s, %s) AS t", task["id"], worker, str(error))
