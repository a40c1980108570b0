\i head.sql
\set project '0198c5a0-0000-7000-8000-000000000001'
-- An agent opens a gate; a human denies it with feedback, and the lesson is staged in the same step.
SELECT orchestrator.open_gate(:'project', 'backend_developer', 'loop_detected', 'the same error three times', '{"technology": "rust", "task_type": 7, "attempt": 3}') AS gate \gset
SELECT agent_id, gate_type, status, context, resolved_at IS NULL, resolved_by IS NULL FROM orchestrator.gates WHERE id = :'gate';
SELECT status, resolved_by, feedback, resolved_at = now() FROM orchestrator.resolve_gate(:'gate', 'denied', 'ada', 'read the error first');
SELECT knowledge_type, content, embedded FROM orchestrator.knowledge_staging;
SELECT metadata - 'gate_id', metadata ->> 'gate_id' = :'gate' FROM orchestrator.knowledge_staging;
-- A gate is resolved once. Later calls fail, and the error reports by whom, how and when it was resolved.
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'approved', 'bob'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L, %L)', :'gate', 'denied', 'bob', 'read the error first'));
SELECT pg_temp.refusal('UPDATE orchestrator.gates SET status = ''pending'', resolved_at = NULL, resolved_by = NULL');
SELECT pg_temp.refusal('UPDATE orchestrator.gates SET status = ''approved''');
SELECT pg_temp.refusal('UPDATE orchestrator.gates SET feedback = ''better words''');
SELECT count(*) FROM orchestrator.knowledge_staging;
-- Approving needs no feedback; arguments by name.
SELECT orchestrator.open_gate(project_id => :'project', agent_id => 'qa_engineer', gate_type => 'manual', reason => 'may I?') AS gate \gset
SELECT status, resolved_by, feedback FROM orchestrator.resolve_gate(gate_id => :'gate', decision => 'approved', resolved_by => 'bob');
SELECT knowledge_type, content, metadata ->> 'success_verified' FROM orchestrator.knowledge_staging ORDER BY id DESC LIMIT 1;
-- Refused calls, and the gate is still pending.
SELECT orchestrator.open_gate(:'project', 'qa_engineer', 'high_risk', 'drops a table') AS gate \gset
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'denied', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L, %L)', :'gate', 'denied', 'ada', E' \t\n'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'rejected', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'pending', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, %L)', :'gate', 'approved', ' '));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, NULL, %L)', :'gate', 'ada'));
SELECT pg_temp.refusal(format('SELECT orchestrator.resolve_gate(%L, %L, NULL)', :'gate', 'approved'));
SELECT pg_temp.refusal('SELECT orchestrator.resolve_gate(NULL, ''approved'', ''ada'')');
SELECT pg_temp.refusal('SELECT orchestrator.resolve_gate(orchestrator.uuidv7(), ''approved'', ''ada'')');
SELECT status, resolved_by IS NULL FROM orchestrator.gates WHERE id = :'gate';
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(NULL, %L, %L, %L)', 'a', 'manual', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, NULL, %L, %L)', :'project', 'manual', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, %L)', :'project', '', 'manual', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, %L)', :'project', repeat('字', 501), 'manual', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, %L)', :'project', 'a', 'banana', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, NULL, %L)', :'project', 'a', 'x'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, NULL)', :'project', 'a', 'manual'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, %L)', :'project', 'a', 'manual', E'\n'));
SELECT pg_temp.refusal(format('SELECT orchestrator.open_gate(%L, %L, %L, %L, %L)', :'project', 'a', 'manual', 'x', '[]'));
SELECT count(*) FROM orchestrator.gates;
-- Rows written without the functions must satisfy the CHECKs.
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.gates SET status = ''denied'', resolved_at = now(), resolved_by = ''ada'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.gates SET status = ''approved'', resolved_at = now() WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.gates SET resolved_by = ''ada'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal('UPDATE orchestrator.gates SET status = ''expired'' WHERE status = ''pending'''), E'\n', 1);
SELECT split_part(pg_temp.refusal(format('INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES (%L, %L, %L, %L)', :'project', 'a', 'other', 'x')), E'\n', 1);
UPDATE orchestrator.gates SET status = 'approved', resolved_by = 'by hand' WHERE status = 'pending' RETURNING status, resolved_at = now();
-- Before 0.2.4 the table for lessons does not exist, and resolving works without it.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.0';
SELECT orchestrator.open_gate(:'project', 'qa_engineer', 'manual', 'early') AS gate \gset
SELECT status, feedback FROM orchestrator.resolve_gate(:'gate', 'denied', 'ada', 'too early');
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT status, count(*) FROM orchestrator.gates GROUP BY status ORDER BY status;
SELECT count(*) FROM orchestrator.knowledge_staging;
SELECT * FROM orchestrator.verify();
