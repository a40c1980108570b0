-- rows
INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status, has_technical_debt, audit_status, v7_workflow_status)
SELECT lpad(i::text, 4, '0'), 'src/layer/' || i || '.py', i || '.py', 1 + i % 7, 'layer', 'SHARED', i % 50 = 0,
       CASE WHEN i % 300 = 0 THEN 'IN_PROGRESS' WHEN i % 100 < 38 THEN 'NOT_STARTED' ELSE 'COMPLETED' END, CASE WHEN i % 100 < 3 THEN 'testing' ELSE 'migrated' END
FROM generate_series(1, 9000) AS i;
-- idx_file_audit_layer: the files of a layer
SELECT * FROM orchestrator.file_audit WHERE layer_number = 3;
-- idx_file_audit_audit_status: the files with one audit status
SELECT * FROM orchestrator.file_audit WHERE audit_status = 'IN_PROGRESS';
-- idx_file_audit_technical_debt: the files with debt
SELECT * FROM orchestrator.file_audit WHERE has_technical_debt;
-- idx_file_audit_to_audit: the next file to audit
SELECT * FROM orchestrator.file_audit WHERE audit_status <> 'COMPLETED' ORDER BY file_number LIMIT 10;
-- idx_file_audit_v7_status: the files with one V7 status
SELECT * FROM orchestrator.file_audit WHERE v7_workflow_status = 'testing';
