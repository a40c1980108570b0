-- Sizes and use of the same tables, their indexes, and the database as a whole, as one JSON object.
-- Rows are what the server's statistics know; null where they know nothing yet.
WITH relation AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.reltuples, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm')
      AND NOT starts_with(n.nspname::text, 'pg_') AND n.nspname <> 'information_schema'
      AND ($1 IS NULL OR n.nspname::text = ANY ($1))
      AND has_schema_privilege(n.oid, 'USAGE')
      AND (pg_has_role(c.relowner, 'USAGE')
           OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
), database AS (
    SELECT oid FROM pg_database WHERE datname = current_database()
)
SELECT jsonb_build_object(
    'tables', coalesce((SELECT jsonb_object_agg(r.name, jsonb_build_object(
            'rows', coalesce(nullif(pg_stat_get_live_tuples(r.oid), 0), CASE WHEN r.reltuples >= 0 THEN r.reltuples::bigint END),
            'bytes', pg_table_size(r.oid),
            'total_bytes', pg_total_relation_size(r.oid),
            'scans', pg_stat_get_numscans(r.oid),
            'rows_read', pg_stat_get_tuples_returned(r.oid),
            'rows_inserted', pg_stat_get_tuples_inserted(r.oid),
            'rows_updated', pg_stat_get_tuples_updated(r.oid),
            'rows_deleted', pg_stat_get_tuples_deleted(r.oid)))
        FROM relation AS r), '{}'),
    'indexes', coalesce((SELECT jsonb_object_agg(format('%I.%I', n.nspname, i.relname), jsonb_build_object(
            'rows', CASE WHEN i.reltuples >= 0 THEN i.reltuples::bigint END,
            'bytes', pg_relation_size(i.oid),
            'scans', pg_stat_get_numscans(i.oid),
            'rows_read', pg_stat_get_tuples_returned(i.oid)))
        FROM relation AS r
        JOIN pg_index AS x ON x.indrelid = r.oid
        JOIN pg_class AS i ON i.oid = x.indexrelid
        JOIN pg_namespace AS n ON n.oid = i.relnamespace), '{}'),
    'database', (SELECT jsonb_build_object(
            'bytes', pg_database_size(d.oid),
            'commits', pg_stat_get_db_xact_commit(d.oid),
            'rollbacks', pg_stat_get_db_xact_rollback(d.oid),
            'blocks_read', pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid),
            'blocks_hit', pg_stat_get_db_blocks_hit(d.oid),
            'deadlocks', pg_stat_get_db_deadlocks(d.oid),
            'temporary_bytes', pg_stat_get_db_temp_bytes(d.oid))
        FROM database AS d)) AS metrics
