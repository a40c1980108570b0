-- The log of tools with the same rules in PL/pgSQL.
CREATE FUNCTION plain.step_of_tool_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.status <> old.status THEN
        IF NOT (old.status = 'pending' AND new.status IN ('running', 'failed', 'timeout')
                OR old.status = 'running' AND new.status IN ('completed', 'failed', 'timeout')) THEN
            RAISE EXCEPTION 'tool execution % cannot go from % to %', old.id, old.status, new.status USING ERRCODE = '55000';
        END IF;
        IF new.status IN ('completed', 'failed', 'timeout') THEN
            new.completed_at := coalesce(new.completed_at, now());
            new.duration_ms := coalesce(new.duration_ms, extract(epoch FROM now() - new.created_at) * 1000);
        END IF;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER step BEFORE UPDATE ON plain.tool_executions FOR EACH ROW EXECUTE FUNCTION plain.step_of_tool_execution();

CREATE FUNCTION plain.start_tool_execution(task_id uuid, tool_name text, arguments jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql
SET search_path TO pg_catalog, pg_temp AS $$
DECLARE
    made uuid;
BEGIN
    IF task_id IS NULL OR tool_name IS NULL OR arguments IS NULL THEN
        RAISE EXCEPTION 'an argument must not be null' USING ERRCODE = '22004';
    END IF;
    IF btrim(tool_name) = '' THEN
        RAISE EXCEPTION 'the name must say something' USING ERRCODE = '22023';
    END IF;
    INSERT INTO plain.tool_executions (task_id, tool_name, arguments, status)
    SELECT t.id, start_tool_execution.tool_name, start_tool_execution.arguments, 'running'
    FROM plain.tasks AS t WHERE t.id = start_tool_execution.task_id FOR KEY SHARE
    RETURNING id INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'task % does not exist', task_id USING ERRCODE = 'P0002';
    END IF;
    RETURN made;
END $$;

CREATE FUNCTION plain.finish_tool_execution(execution_id uuid, status text, output text DEFAULT NULL, error text DEFAULT NULL)
RETURNS plain.tool_executions LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $$
DECLARE
    ended plain.tool_executions;
    stored text;
BEGIN
    IF execution_id IS NULL OR status IS NULL THEN
        RAISE EXCEPTION 'an argument must not be null' USING ERRCODE = '22004';
    END IF;
    IF status NOT IN ('completed', 'failed', 'timeout') THEN
        RAISE EXCEPTION '% is no end', status USING ERRCODE = '22023';
    END IF;
    UPDATE plain.tool_executions AS e
    SET status = finish_tool_execution.status, output = finish_tool_execution.output, error = finish_tool_execution.error
    WHERE e.id = execution_id
      AND (e.status = 'running' OR e.status = 'pending' AND finish_tool_execution.status <> 'completed')
    RETURNING e.* INTO ended;
    IF ended.id IS NULL THEN
        SELECT e.status INTO stored FROM plain.tool_executions AS e WHERE e.id = execution_id;
        IF stored IS NULL THEN
            RAISE EXCEPTION 'tool execution % does not exist', execution_id USING ERRCODE = 'P0002';
        END IF;
        RAISE EXCEPTION 'tool execution % is %', execution_id, stored USING ERRCODE = '55000';
    END IF;
    RETURN ended;
END $$;
