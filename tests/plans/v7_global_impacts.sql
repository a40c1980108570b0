-- rows
INSERT INTO orchestrator.v7_global_impacts (change_type, change_detail, affected_workflows, affected_layers, impact_description, risk_assessment, mitigation_strategy, approval_status, created_at)
SELECT 'schema', '{}', '{WF1}', '{1}', 'impact ' || i, CASE WHEN i % 50 = 0 THEN 'critical' ELSE 'low' END, 'roll back',
       CASE WHEN i % 100 = 0 THEN 'pending' ELSE 'implemented' END, pg_temp.at(i)
FROM generate_series(1, 3000) AS i;
-- idx_global_impacts_risk: the critical impacts
SELECT * FROM orchestrator.v7_global_impacts WHERE risk_assessment = 'critical';
-- idx_global_impacts_open: the open impacts
SELECT * FROM orchestrator.v7_global_impacts WHERE approval_status IN ('pending', 'reviewing', 'approved') ORDER BY created_at, id LIMIT 10;
