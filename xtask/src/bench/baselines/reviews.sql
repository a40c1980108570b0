-- Resolving a review with the same rules in PL/pgSQL: review, run and audit event together.
CREATE FUNCTION plain.step_of_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.status <> 'pending' AND new IS DISTINCT FROM old THEN
        RAISE EXCEPTION 'review % is %', old.id, old.status USING ERRCODE = '55000';
    END IF;
    IF new.status <> 'pending' THEN
        new.resolved_at := coalesce(new.resolved_at, now());
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER step BEFORE UPDATE ON plain.human_review_queue FOR EACH ROW EXECUTE FUNCTION plain.step_of_review();

CREATE FUNCTION plain.step_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.phase <> old.phase THEN
        IF NOT (old.phase = 'planning' AND new.phase IN ('development', 'failed')
                OR old.phase = 'development' AND new.phase IN ('testing', 'failed')
                OR old.phase = 'testing' AND new.phase IN ('development', 'complete', 'failed')) THEN
            RAISE EXCEPTION 'run % cannot go from % to %', old.thread_id, old.phase, new.phase USING ERRCODE = '55000';
        END IF;
        IF new.phase IN ('complete', 'failed') THEN
            new.completed_at := coalesce(new.completed_at, now());
        END IF;
    END IF;
    IF new.gate_status <> old.gate_status AND NOT (
            old.gate_status = 'pending' AND new.gate_status IN ('go', 'hold', 'kill', 'recycle')
            OR old.gate_status = 'go' AND new.gate_status IN ('hold', 'kill', 'recycle')
            OR old.gate_status = 'hold' AND new.gate_status IN ('go', 'kill', 'recycle')
            OR old.gate_status = 'recycle' AND new.gate_status IN ('pending', 'go', 'hold', 'kill')) THEN
        RAISE EXCEPTION 'run % cannot go from % to %', old.thread_id, old.gate_status, new.gate_status USING ERRCODE = '55000';
    END IF;
    new.updated_at := now();
    RETURN new;
END $$;
CREATE TRIGGER step BEFORE UPDATE ON plain.orchestrator_runs FOR EACH ROW EXECUTE FUNCTION plain.step_of_run();

CREATE FUNCTION plain.resolve_review(review_id uuid, decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS plain.human_review_queue LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $$
DECLARE
    run plain.orchestrator_runs;
    review plain.human_review_queue;
BEGIN
    IF review_id IS NULL OR decision IS NULL OR resolved_by IS NULL THEN
        RAISE EXCEPTION 'an argument must not be null' USING ERRCODE = '22004';
    END IF;
    IF decision NOT IN ('approved', 'rejected') OR btrim(resolved_by) = '' THEN
        RAISE EXCEPTION 'a value is outside its set' USING ERRCODE = '22023';
    END IF;
    IF decision = 'rejected' AND btrim(coalesce(notes, '')) = '' THEN
        RAISE EXCEPTION 'a review cannot be rejected without notes' USING ERRCODE = '22023';
    END IF;
    SELECT r.* INTO run FROM plain.orchestrator_runs AS r
    WHERE r.thread_id = (SELECT q.thread_id FROM plain.human_review_queue AS q WHERE q.id = review_id) FOR NO KEY UPDATE;
    IF run.id IS NULL THEN
        RAISE EXCEPTION 'review % does not exist', review_id USING ERRCODE = 'P0002';
    END IF;
    UPDATE plain.human_review_queue AS q
    SET status = decision, resolved_by = resolve_review.resolved_by, resolution_notes = notes, resolved_at = now()
    WHERE q.id = review_id AND q.status = 'pending' RETURNING q.* INTO review;
    IF review.id IS NULL THEN
        SELECT q.* INTO review FROM plain.human_review_queue AS q WHERE q.id = review_id;
        RAISE EXCEPTION 'review % has been % by %', review_id, review.status, review.resolved_by USING ERRCODE = '55000';
    END IF;
    IF run.phase NOT IN ('complete', 'failed') THEN
        IF decision = 'rejected' THEN
            UPDATE plain.orchestrator_runs AS r
            SET gate_status = 'kill', phase = 'failed', error = format('review rejected by %s: %s', resolve_review.resolved_by, notes)
            WHERE r.id = run.id RETURNING r.* INTO run;
        ELSIF NOT EXISTS (SELECT FROM plain.human_review_queue AS q WHERE q.thread_id = run.thread_id AND q.status = 'pending') THEN
            UPDATE plain.orchestrator_runs AS r
            SET requires_human_review = false,
                gate_status = CASE WHEN r.gate_status <> 'hold'
                    OR (SELECT (array_agg(e.event_type ORDER BY e.id DESC))[1] FROM plain.audit_events AS e
                        WHERE e.trace_id = r.id AND e.event_type IN ('run_paused', 'run_resumed', 'review_requested')) = 'run_paused'
                    THEN r.gate_status ELSE 'go' END
            WHERE r.id = run.id RETURNING r.* INTO run;
        END IF;
    END IF;
    INSERT INTO plain.audit_events (event_type, role, trace_id, metadata)
    VALUES ('review_' || decision, resolve_review.resolved_by, run.id,
            jsonb_strip_nulls(jsonb_build_object('thread_id', run.thread_id, 'review_id', review_id, 'review_type', review.review_type,
                                                 'phase', run.phase, 'gate_status', run.gate_status, 'notes', notes)));
    PERFORM pg_notify('orchestrator_decisions', '{"kind":"review","change":"decided","count":1}');
    RETURN review;
END $$;

CREATE FUNCTION plain.resolve_reviews(review_ids uuid[], decision text, resolved_by text, notes text DEFAULT NULL)
RETURNS TABLE (review_id uuid, outcome text) LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $$
BEGIN
    FOREACH review_id IN ARRAY review_ids LOOP
        BEGIN
            PERFORM plain.resolve_review(review_id, decision, resolved_by, notes);
            outcome := 'resolved';
        EXCEPTION
            WHEN no_data_found THEN outcome := 'unknown';
            WHEN object_not_in_prerequisite_state THEN outcome := 'already_resolved';
        END;
        RETURN NEXT;
    END LOOP;
END $$;
