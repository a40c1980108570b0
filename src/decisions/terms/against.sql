SELECT n.id, n.status, CASE WHEN n.status = 'approved' THEN v.approved ELSE v.rejected END,
       CASE n.status WHEN 'approved' THEN t.approvals_needed WHEN 'changes_requested' THEN 1 ELSE t.rejections_needed END,
       CASE WHEN t.claimed_until > clock_timestamp() THEN t.claimed_by END
FROM unnest($1, $2) AS n (id, status),
     LATERAL (SELECT o.* FROM orchestrator.decision_terms AS o WHERE o.decision_id = n.id AND o.kind = $3 LIMIT 1) AS t,
     LATERAL (SELECT count(*) FILTER (WHERE o.vote = 'approved') AS approved,
                     count(*) FILTER (WHERE o.vote = 'rejected') AS rejected,
                     count(*) FILTER (WHERE o.vote = 'changes_requested') AS changes_requested
              FROM orchestrator.decision_votes AS o WHERE o.decision_id = n.id) AS v
WHERE NOT CASE n.status
          WHEN 'withdrawn' THEN true
          WHEN 'approved' THEN v.approved >= t.approvals_needed OR (t.on_timeout = 'approve' AND t.due_at <= now()) IS TRUE
          WHEN 'changes_requested' THEN v.changes_requested >= 1
          ELSE v.rejected >= t.rejections_needed OR ($3 = 'gate' AND v.changes_requested >= 1)
               OR (t.on_timeout = 'reject' AND t.due_at <= now()) IS TRUE END
LIMIT 1
