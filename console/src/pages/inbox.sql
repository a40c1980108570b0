-- A page of open questions from place $5 on, of kind $1 and project $2, that ask role $4. With $3, the role that asks, only its
-- own: those that it has claimed, and those that ask it or a role of which it is a member, as decide() knows its members. An
-- approval asks its role until it is assigned to another one.
SELECT p.id::text, p.kind, left(p.subject, 200) AS subject, left(p.asks, 300) AS asks, p.overdue, left(p.assigned_to, 100) AS assigned_to,
       CASE WHEN p.claimed_until > now() THEN left(p.claimed_by, 100) END AS claimed_by, p.votes, p.votes_needed::bigint,
       CASE WHEN p.waiting >= '1 day' THEN extract(day FROM justify_hours(p.waiting))::text || ' d'
            WHEN p.waiting >= '1 hour' THEN extract(hour FROM p.waiting)::text || ' h'
            ELSE greatest(extract(minute FROM p.waiting), 0)::text || ' min' END AS waiting
FROM orchestrator.pending_decisions AS p
CROSS JOIN LATERAL (
    SELECT coalesce(p.assigned_to, (SELECT a.approver_role FROM orchestrator.approvals AS a WHERE p.kind = 'approval' AND a.id = p.id)) AS role) AS asked
WHERE ($1 IS NULL OR p.kind = $1) AND ($2 IS NULL OR p.project_id = $2::uuid)
  AND ($3 IS NULL OR p.claimed_by = $3 OR asked.role IN (SELECT r.rolname::text FROM pg_roles AS r WHERE pg_has_role(r.oid, 'MEMBER')))
  AND ($4 IS NULL OR asked.role = $4)
ORDER BY p.overdue DESC, p.requested_at, p.id LIMIT 50 OFFSET $5::bigint
