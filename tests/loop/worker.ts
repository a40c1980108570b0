// A worker that writes release notes: a model drafts them, a human allows them.
//
// It may be killed at any line. The next worker goes on from there, and does not pay again for a recorded call.
// Usage: node worker.js THREAD, with PGHOST, PGDATABASE and PGUSER for the connection.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

import { ask } from "./model.js";

const [project, prompt] = ["0198c5a0-0000-7000-8000-000000000001", "Write the release notes."];
const [thread, worker] = [process.argv[2] as string, `writer-${randomUUID()}`];
const db = new pg.Client();

async function sql(query: string, ...values: unknown[]): Promise<any> {
  return (await db.query(query, values)).rows[0];
}

async function write(task: string, thread: string): Promise<void> {
  const step = await sql("SELECT * FROM orchestrator.begin_step($1, 'draft', 'model', $2)", task, { prompt });
  if (!step.done) {
    const { text, model, tokensIn, tokensOut } = await ask(prompt);
    // One statement is one transaction: the answer and its usage are recorded together.
    await sql(`SELECT orchestrator.finish_tool_execution($1, 'completed', $2), orchestrator.record_token_usage(
      $3, $4, $5, thread_id => $6, task_id => $7, call_id => $1::text)`, step.execution_id, text, model, tokensIn, tokensOut, thread, task);
    step.output = text;
  }
  // The same key is the same question, whoever asks. While it is open, the run is on hold.
  const gate = await sql("SELECT orchestrator.open_gate($1, 'writer', 'manual', 'Publish this?', $2, $3, $4) AS id",
    project, { draft: step.output }, `publish ${task}`, thread);
  const { status, notes } = await sql("SELECT status, notes FROM orchestrator.decision($1)", gate.id);
  if (status === "pending") // The task can be claimed again when the human has answered.
    await sql("SELECT orchestrator.release_task($1, $2)", task, worker);
  else if (status === "rejected")
    await sql("SELECT orchestrator.fail_task($1, $2, $3, final => true), orchestrator.kill_run($4, $3)", task, worker, notes, thread);
  else
    await sql(`SELECT orchestrator.complete_task($1, $2, $3), (SELECT count(orchestrator.record_run_progress($4, phase))
      FROM unnest(array['development', 'testing', 'complete']) AS phase)`, task, worker, { notes: step.output }, thread);
}

let wake = () => {};
db.on("notification", () => wake());
await db.connect();
await sql("SELECT orchestrator.ensure_run($1, $2, 'release notes')", thread, project);
await sql("SELECT orchestrator.create_task('write', $1, thread_id => $2, max_attempts => 3, idempotency_key => md5($2)::uuid)", `Notes of ${thread}`, thread);
await db.query("LISTEN orchestrator_tasks");
while (!(await sql("SELECT completed_at FROM orchestrator.orchestrator_runs WHERE thread_id = $1", thread)).completed_at) {
  const news = new Promise<void>((resolve) => (wake = resolve));
  const task = await sql("SELECT id, thread_id FROM orchestrator.claim_tasks($1, array['write'], lease => '10 minutes')", worker);
  if (!task) // Until a task can be claimed. A lease that expires is not announced, so it looks each minute.
    await Promise.race([news, sleep(60_000, undefined, { ref: false })]);
  // After an error the task waits, longer each time. If the claim is lost, this fails and the worker ends.
  else await write(task.id, task.thread_id).catch((error) => sql(`SELECT CASE WHEN t.status = 'failed' THEN orchestrator.kill_run(t.thread_id, t.error) END
    FROM orchestrator.fail_task($1, $2, $3) AS t`, task.id, worker, String(error)));
}
await db.end();
