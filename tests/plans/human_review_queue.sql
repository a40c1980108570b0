-- rows
INSERT INTO orchestrator.human_review_queue (id, thread_id, review_type, reason, status, resolved_by, resolved_at, resolution_notes, created_at)
SELECT pg_temp.id(i), 'thread ' || i % 20000, CASE WHEN i % 50 = 0 THEN 'budget_exceeded' ELSE 'safety' END, 'because of ' || i,
       CASE WHEN i % 100 = 0 THEN 'pending' WHEN i % 10 = 0 THEN 'rejected' ELSE 'approved' END,
       CASE WHEN i % 100 > 0 THEN 'ada' END, CASE WHEN i % 100 > 0 THEN pg_temp.at(i + 1) END, CASE WHEN i % 100 > 0 THEN 'read it' END, pg_temp.at(i)
FROM generate_series(1, 20000) AS i;
-- idx_human_review_thread: the reviews of a run
SELECT * FROM orchestrator.human_review_queue WHERE thread_id = 'thread 17';
-- idx_human_review_status: the rejected reviews
SELECT * FROM orchestrator.human_review_queue WHERE status = 'rejected';
-- idx_human_review_type: the reviews of one type
SELECT * FROM orchestrator.human_review_queue WHERE review_type = 'budget_exceeded';
-- idx_human_review_pending: the oldest pending reviews
SELECT * FROM orchestrator.human_review_queue WHERE status = 'pending' ORDER BY created_at, id LIMIT 20;
