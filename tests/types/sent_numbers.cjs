// Numbers as node-postgres sends them: as text without a type, and null as NULL.
const assert = require("node:assert");
const { Client } = require("pg");

async function main() {
  const client = new Client();
  await client.connect();
  const value = async (call, ...given) => (await client.query(`SELECT (${call}) AS value`, given)).rows[0].value;
  await value("orchestrator.start_run('numbers.cjs', orchestrator.uuidv7(), 's')");
  assert.equal(await value("(orchestrator.record_safety('numbers.cjs', $1)).safety_score", 0.1), "0.10");
  assert.equal(await value("(orchestrator.set_price('m', $1, $2)).input_cost_per_million", 0.1, 1), "0.1");
  for (const cost of [0.1, "0.2", 1, null]) {
    await value("orchestrator.record_run_progress('numbers.cjs', cost => $1)", cost);
  }
  const spent = "SELECT cost_usd FROM orchestrator.orchestrator_runs WHERE thread_id = 'numbers.cjs'";
  assert.equal(await value(spent), "1.3000000000");
  for (const cost of ["0.2", 0.1, null]) {
    await value("orchestrator.record_run_progress($1, $2, $3, $4, $5, $6, $7)", "numbers.cjs", null, "a", 1, cost, ["f"], null);
  }
  assert.equal(await value(spent), "1.6000000000");
  const review = await value("orchestrator.request_review($1, $2, $3, $4)", "numbers.cjs", "safety", "r", 0.1);
  assert.equal(await value("SELECT safety_score FROM orchestrator.human_review_queue WHERE id = $1", review), "0.10");
  await client.end();
  console.log("numbers of node-postgres find their functions, and 0.1 is stored as 0.1");
}

main();
