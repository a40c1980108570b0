// Installs the schemas of graphile-worker and pg-boss into the database of the PG* variables, and prints
// the statements that their own code sends: to add, claim and complete one task and 50 tasks. `$ids` stands
// for the ids of the claimed tasks.

import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { runMigrations } from "graphile-worker";
import pg from "pg";
import { PgBoss } from "pg-boss";

const BATCHES = [1, 50];
const pool = new pg.Pool({ max: 2 });
pool.on("error", (error) => console.error(error));

/** The values of a statement as PostgreSQL writes them; `ids` are left to the benchmark. */
function recorded({ text, values = [] }, ids = []) {
  const list = (array) => `{${array.map((item) => JSON.stringify(String(item))).join(",")}}`;
  const same = (value) => ids.length > 0 && String(value) === String(ids);
  const written = (value) => {
    if (value === null || value === undefined) return null;
    if (same(value)) return "$ids";
    return Array.isArray(value) ? list(value) : String(value);
  };
  return { text, values: values.map(written) };
}

/** What a worker of graphile-worker sends, with prepared statements and without its optional local queue. */
async function graphileWorker() {
  await runMigrations({ pgPool: pool });
  const main = createRequire(import.meta.url).resolve("graphile-worker");
  const own = (file) => import(pathToFileURL(path.join(path.dirname(main), "sql", file)));
  const { batchGetJobs } = await own("getJobs.js");
  const { batchCompleteJobs } = await own("completeJobs.js");
  const schema = "graphile_worker";
  const options = {
    escapedWorkerSchema: schema,
    workerSchema: schema,
    resolvedPreset: { worker: { preparedStatements: true, useNodeTime: false } },
    logger: console,
  };
  let sent;
  const send = (statement, values) => {
    sent = statement.text ? statement : { text: statement, values };
    return pool.query(statement, values);
  };
  const withClient = (work) => work({ query: send });
  withClient.withRetries = withClient;

  const statements = {};
  for (const batch of BATCHES) {
    const many = `${schema}.add_jobs(ARRAY(SELECT ('work', '{}', NULL, NULL, NULL, NULL, NULL, NULL)::${schema}.job_spec FROM generate_series(1, ${batch})))`;
    await send(`SELECT * FROM ${batch === 1 ? `${schema}.add_job('work', '{}')` : many}`);
    const add = recorded(sent);
    const jobs = await batchGetJobs(options, withClient, { work: () => {} }, "worker", null, batch);
    const claim = recorded(sent);
    await batchCompleteJobs(options, withClient, "worker", jobs);
    const ids = jobs.map((job) => job.id);
    statements[batch] = { add, claim, complete: recorded(sent, batch === 1 ? [ids[0]] : ids) };
  }
  return statements;
}

async function pgBoss() {
  let sent;
  const executeSql = async (text, values) => {
    sent = { text, values };
    return pool.query(text, values);
  };
  const boss = new PgBoss({ db: { executeSql }, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error.message));
  await boss.start();
  await boss.createQueue("work");

  const statements = {};
  for (const batch of BATCHES) {
    if (batch === 1) await boss.send("work", {});
    else await boss.insert("work", Array.from({ length: batch }, () => ({ data: {} })));
    const add = recorded(sent);
    const jobs = await boss.fetch("work", { batchSize: batch });
    const claim = recorded(sent);
    const ids = jobs.map((job) => job.id);
    await boss.complete("work", ids);
    statements[batch] = { add, claim, complete: recorded(sent, ids) };
  }
  return statements;
}

const statements = { graphile: await graphileWorker(), boss: await pgBoss() };
process.stdout.write(JSON.stringify(statements), () => process.exit(0));
