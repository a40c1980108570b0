-- Routing a task once per key with the same rules in PL/pgSQL.
CREATE FUNCTION plain.route_task(task_type text, description text, from_role text, to_role text, data jsonb DEFAULT '{}',
                                 trace_id uuid DEFAULT NULL, idempotency_key uuid DEFAULT NULL)
RETURNS TABLE (task_id uuid, created boolean) LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    trail uuid := coalesce(trace_id, gen_random_uuid());
    first plain.tasks;
BEGIN
    IF task_type IS NULL OR description IS NULL OR from_role IS NULL OR to_role IS NULL OR data IS NULL THEN
        RAISE EXCEPTION 'an argument must not be null' USING ERRCODE = '22004';
    END IF;
    IF task_type NOT IN ('notification', 'approval', 'routing') OR btrim(description) = '' OR btrim(from_role) = '' OR btrim(to_role) = ''
       OR jsonb_typeof(data) <> 'object' THEN
        RAISE EXCEPTION 'a value is outside its set' USING ERRCODE = '22023';
    END IF;
    INSERT INTO plain.tasks (title, description, task_type, from_role, to_role, data, trace_id, idempotency_key)
    VALUES ('', route_task.description, route_task.task_type, route_task.from_role, route_task.to_role, route_task.data, trail, route_task.idempotency_key)
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING id INTO task_id;
    created := task_id IS NOT NULL;
    IF created THEN
        INSERT INTO plain.audit_events (event_type, role, trace_id, metadata)
        VALUES ('task_routed', route_task.from_role, trail,
                jsonb_strip_nulls(jsonb_build_object('task_id', task_id, 'task_type', route_task.task_type, 'from_role', route_task.from_role,
                                                     'to_role', route_task.to_role, 'idempotency_key', route_task.idempotency_key)));
    ELSE
        SELECT t.* INTO first FROM plain.tasks AS t WHERE t.idempotency_key = route_task.idempotency_key;
        IF (first.task_type, first.description, first.from_role, first.to_role, first.data)
           IS DISTINCT FROM (route_task.task_type, route_task.description, route_task.from_role, route_task.to_role, route_task.data)
           OR first.trace_id <> route_task.trace_id THEN
            RAISE EXCEPTION 'idempotency key % was used for other content', idempotency_key USING ERRCODE = '23505';
        END IF;
        task_id := first.id;
    END IF;
    RETURN NEXT;
END $$;
