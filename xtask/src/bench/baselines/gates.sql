-- Resolving a gate with the same rules in PL/pgSQL, the lesson staged, the event recorded and the decision announced in the same transaction.
CREATE FUNCTION plain.step_of_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.status <> 'pending' AND new IS DISTINCT FROM old THEN
        RAISE EXCEPTION 'gate % is %', old.id, old.status USING ERRCODE = '55000';
    END IF;
    IF new.status <> 'pending' THEN
        new.resolved_at := coalesce(new.resolved_at, now());
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER step BEFORE UPDATE ON plain.gates FOR EACH ROW EXECUTE FUNCTION plain.step_of_gate();

CREATE FUNCTION plain.resolve_gate(gate_id uuid, decision text, resolved_by text, feedback text DEFAULT NULL)
RETURNS plain.gates LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $$
DECLARE
    resolved plain.gates;
    stored plain.gates;
BEGIN
    IF gate_id IS NULL OR decision IS NULL OR resolved_by IS NULL THEN
        RAISE EXCEPTION 'an argument must not be null' USING ERRCODE = '22004';
    END IF;
    IF decision NOT IN ('approved', 'denied') OR btrim(resolved_by) = '' THEN
        RAISE EXCEPTION 'a value is outside its set' USING ERRCODE = '22023';
    END IF;
    IF decision = 'denied' AND btrim(coalesce(feedback, '')) = '' THEN
        RAISE EXCEPTION 'gate % cannot be denied without feedback', gate_id USING ERRCODE = '22023';
    END IF;
    UPDATE plain.gates AS g
    SET status = decision, resolved_by = resolve_gate.resolved_by, feedback = resolve_gate.feedback, resolved_at = now()
    WHERE g.id = gate_id AND g.status = 'pending' RETURNING g.* INTO resolved;
    IF resolved.id IS NULL THEN
        SELECT * INTO stored FROM plain.gates AS g WHERE g.id = gate_id;
        IF stored.id IS NULL THEN
            RAISE EXCEPTION 'gate % does not exist', gate_id USING ERRCODE = 'P0002';
        END IF;
        RAISE EXCEPTION 'gate % has been % by %', gate_id, stored.status, stored.resolved_by USING ERRCODE = '55000';
    END IF;
    INSERT INTO plain.knowledge_staging (knowledge_type, content, metadata)
    VALUES (CASE decision WHEN 'approved' THEN 'gate_approval' ELSE 'gate_rejection' END,
            format(E'A gate (%s) of agent %s was %s.\nReason: %s', replace(resolved.gate_type, '_', ' '), resolved.agent_id, decision, resolved.reason)
                || CASE WHEN btrim(resolved.feedback) <> '' THEN E'\nFeedback: ' || resolved.feedback ELSE '' END,
            (SELECT coalesce(jsonb_object_agg(c.key, c.value), '{}') FROM jsonb_each(resolved.context) AS c
             WHERE c.key IN ('agent_type', 'task_type', 'technology') AND jsonb_typeof(c.value) = 'string')
                || jsonb_build_object('project_id', resolved.project_id, 'gate_id', resolved.id, 'gate_type', resolved.gate_type,
                                      'agent_id', resolved.agent_id, 'success_verified', decision = 'approved'));
    INSERT INTO plain.audit_events (event_type, role, trace_id, metadata)
    VALUES ('gate_' || decision, resolve_gate.resolved_by,
            CASE WHEN resolved.context ->> 'trace_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                 THEN (resolved.context ->> 'trace_id')::uuid ELSE resolved.id END,
            jsonb_build_object('gate_id', resolved.id, 'project_id', resolved.project_id, 'gate_type', resolved.gate_type,
                               'agent_id', resolved.agent_id, 'session_user', session_user));
    PERFORM pg_notify('orchestrator_decisions', '{"kind":"gate","change":"decided","count":1}');
    RETURN resolved;
END $$;
