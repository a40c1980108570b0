// A small orchestrator: it starts a run, which is held because of a bad score, reviewed and continued.
// The check of types/orchestrator.ts compiles it with tsc --strict and runs it against a real server.

import assert from "node:assert/strict";
import { Client, types } from "pg";

import type {
  Database,
  GateStatus,
  HumanReview,
  OrchestratorPhase,
  OrchestratorRun,
  OrchestratorRunInsert,
  OrchestratorRunSummary,
  OrchestratorRunUpdate,
  OrchestratorRunWithReviews,
  ReviewStatus,
  ReviewType,
} from "../../types/orchestrator";

// The parsers that the heading of types/orchestrator.ts recommends.
types.setTypeParser(types.builtins.INT8, Number);
types.setTypeParser(types.builtins.NUMERIC, Number);
for (const time of [types.builtins.TIMESTAMPTZ, types.builtins.DATE]) {
  types.setTypeParser(time, (text) => text);
}

type Schema = Database["orchestrator"];
type Functions = Schema["Functions"];

/** Calls a function of the schema by name: arguments and result have its types. */
async function call<Name extends keyof Functions>(
  client: Client,
  name: Name,
  args: Functions[Name]["Args"],
): Promise<Functions[Name]["Returns"]> {
  const given = Object.entries(args);
  const list = given.map(([argument], place) => `${argument} => $${place + 1}`).join(", ");
  const values = given.map(([, value]) => value);
  const result = await client.query(`SELECT * FROM orchestrator.${name}(${list})`, values);
  const rows: unknown[] = result.rows;
  const scalar = result.fields.length === 1 && result.fields[0]?.name === name;
  return (scalar ? (rows[0] as Record<string, unknown>)[name] : rows.length === 1 ? rows[0] : rows) as Functions[Name]["Returns"];
}

/** The rows of a query, of the type that the caller knows. */
async function rows<Row extends object>(client: Client, query: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query(query, values)).rows as Row[];
}

function only<Row>(found: Row[]): Row {
  assert.equal(found.length, 1);
  return found[0] as Row;
}

/** What a value must be at run time where its type says number, string, boolean or list. */
function assertRun(run: OrchestratorRun): void {
  for (const text of [run.id, run.thread_id, run.project_id, run.story_id, run.started_at, run.updated_at]) {
    assert.equal(typeof text, "string");
  }
  for (const number of [run.safety_score, run.tokens_used, run.cost_usd]) {
    assert.equal(typeof number, "number");
  }
  assert.equal(typeof run.requires_human_review, "boolean");
  assert.ok(Array.isArray(run.violations) && Array.isArray(run.files_created));
}

async function main(): Promise<void> {
  const client = new Client();
  await client.connect();

  // Functions.
  const thread_id = "typed";
  const project_id = "0198c5a0-0000-7000-8000-000000000001";
  const id: string = await call(client, "start_run", { thread_id, project_id, story_id: "S-1" });
  const progressed = await call(client, "record_run_progress", {
    thread_id,
    phase: "development",
    current_agent: "dev",
    tokens: 1200,
    cost: 0.0345,
    files: ["src/a.ts", "it's.ts"],
  });
  assertRun(progressed);
  assert.deepEqual([progressed.id, progressed.tokens_used, progressed.cost_usd], [id, 1200, 0.0345]);
  const held: OrchestratorRun = await call(client, "record_safety", { thread_id, score: 0.4, violations: ["drops a table"] });
  assert.deepEqual([held.gate_status, held.safety_score, held.requires_human_review], ["hold", 0.4, true]);
  const review_id = await call(client, "request_review", {
    thread_id,
    review_type: "gate_override",
    reason: "it is a test table",
    context: { table: "scratch", rows: [1, 2, null] },
  });
  const review: HumanReview = await call(client, "resolve_review", { review_id, decision: "approved", resolved_by: "ada" });
  const status: ReviewStatus = review.status;
  const kind: ReviewType = review.review_type;
  assert.deepEqual([status, kind, review.resolved_by, review.safety_score], ["approved", "gate_override", "ada", null]);
  assert.deepEqual(review.context, { table: "scratch", rows: [1, 2, null] });

  // Rows, with their related rows.
  const reviews = await rows<HumanReview>(
    client,
    "SELECT * FROM orchestrator.human_review_queue WHERE thread_id = $1 ORDER BY id",
    [thread_id],
  );
  const run = only(await rows<OrchestratorRun>(client, "SELECT * FROM orchestrator.orchestrator_runs WHERE thread_id = $1", [thread_id]));
  assertRun(run);
  const whole: OrchestratorRunWithReviews = { ...run, reviews };
  assert.deepEqual(whole.reviews.map((each) => each.status), ["pending", "approved"]);
  const pending = reviews.filter((each) => each.status === "pending").map((each) => each.id);
  const outcomes = await rows<Functions["resolve_reviews"]["Returns"][number]>(
    client,
    "SELECT * FROM orchestrator.resolve_reviews($1, 'approved', 'ada')",
    [pending],
  );
  assert.deepEqual(outcomes, [{ review_id: pending[0], outcome: "resolved" }]);
  const summary = only(
    await rows<OrchestratorRunSummary>(client, "SELECT * FROM orchestrator.run_summary WHERE thread_id = $1", [thread_id]),
  );
  const gate: GateStatus = summary.gate_status;
  const phase: OrchestratorPhase = summary.phase;
  assert.deepEqual([gate, phase, summary.pending_reviews, typeof summary.actions], ["go", "development", 0, "number"]);

  // An insert needs only the columns without a default; an update accepts any columns.
  const insert: OrchestratorRunInsert = { thread_id: "inserted", project_id, story_id: "S-2" };
  const inserted = only(
    await rows<OrchestratorRun>(
      client,
      "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) VALUES ($1, $2, $3) RETURNING *",
      [insert.thread_id, insert.project_id, insert.story_id],
    ),
  );
  assertRun(inserted);
  assert.equal(inserted.phase, "planning");
  const update: OrchestratorRunUpdate = { gate_status: "hold", error: null };
  const updated = only(
    await rows<OrchestratorRun>(
      client,
      "UPDATE orchestrator.orchestrator_runs SET gate_status = $2, error = $3 WHERE id = $1 RETURNING *",
      [inserted.id, update.gate_status, update.error],
    ),
  );
  assert.equal(updated.gate_status, "hold");

  // Each of these lines must not compile.
  // @ts-expect-error: no phase is called "banana"
  const wrongPhase: OrchestratorPhase = "banana";
  // @ts-expect-error: a review is rejected, a gate is denied
  const wrongStatus: OrchestratorRunUpdate | HumanReview["status"] = "denied";
  // @ts-expect-error: a run has a story
  const incomplete: OrchestratorRunInsert = { thread_id: "x", project_id };
  // @ts-expect-error: a score is not a text
  const wrongScore: string = run.safety_score;
  // @ts-expect-error: the completion time of a run may be null
  const noTime: string = run.completed_at;
  // @ts-expect-error: an unknown argument
  const wrongArgument: Functions["pause_run"]["Args"] = { thread_id, why: "lunch" };
  assert.ok([wrongPhase, wrongStatus, incomplete, wrongScore, noTime, wrongArgument].length === 6);

  await client.end();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
