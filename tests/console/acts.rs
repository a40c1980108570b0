//! Pages show the acts that the state allows, as the database accepts them.

use anyhow::Result;
use support::roles::make;

use super::plain::Visitor;
use super::scene::{PROJECT, Scene};

/// The acts that a page offers, by the addresses of its buttons and forms.
fn offered(visitor: &Visitor<'_>, page: &str) -> Result<Vec<String>> {
    let body = visitor.get(page)?.body;
    let addresses = body.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let acts = addresses.filter_map(|address| address.rsplit('/').next());
    Ok(acts.filter(|act| !["", "sign-out"].contains(act)).map(str::to_owned).collect())
}

/// Sends each act of a run. Returns those that the database accepts in a state that `before` makes each time.
fn accepted(visitor: &Visitor<'_>, scene: &Scene, before: &str) -> Result<Vec<&'static str>> {
    let mut accepted = Vec::new();
    for act in ["pause", "resume", "stop"] {
        scene.client()?.batch_execute(before)?;
        let thread =
            scene.value("SELECT max(thread_id) FROM orchestrator.orchestrator_runs", &[])?;
        let form = format!("token={}&thread={thread}&notes=why", visitor.token);
        if visitor.post(&format!("/run/{act}"), &[], &form)?.status == 303 {
            accepted.push(act);
        }
    }
    Ok(accepted)
}

#[test]
fn a_run_offers_what_its_state_allows() -> Result<()> {
    let scene = Scene::new("run_acts")?;
    let (worker, reviewer) = (scene.role("worker"), scene.role("reviewer"));
    let run = "SELECT orchestrator.start_run('t' || nextval('threads'), '0198c5a0-0000-7000-8000-000000000001', 's');";
    scene.client()?.batch_execute("CREATE SEQUENCE threads START 1000000")?;
    let of = |statement: &str| {
        format!("{run} SELECT {statement} FROM (SELECT 't' || currval('threads') AS t) AS r")
    };
    let states = [
        ("started", of("r.t")),
        ("go", of("orchestrator.resume_run(r.t)")),
        (
            "paused by the worker",
            format!(
                "{run} SET ROLE {worker}; {}; RESET ROLE",
                "SELECT orchestrator.pause_run((SELECT max(thread_id) FROM orchestrator.orchestrator_runs), 'x')"
            ),
        ),
        (
            "paused by the reviewer",
            format!(
                "{run} SET ROLE {reviewer}; {}; RESET ROLE",
                "SELECT orchestrator.pause_run((SELECT max(thread_id) FROM orchestrator.orchestrator_runs), 'x')"
            ),
        ),
        ("asked", of("orchestrator.request_review(r.t, 'gate_override', 'x')")),
        (
            "asked and go",
            format!(
                "{}; SELECT orchestrator.request_review('t' || currval('threads'), 'gate_override', 'x')",
                of("orchestrator.resume_run(r.t)")
            ),
        ),
        ("killed", of("orchestrator.kill_run(r.t, 'x')")),
        (
            "gate of a kill",
            format!(
                "{run} UPDATE orchestrator.orchestrator_runs SET gate_status = 'kill' WHERE thread_id = 't' || currval('threads')"
            ),
        ),
    ];
    for level in ["reader", "worker", "reviewer", "admin"] {
        let visitor = Visitor::sign_in(&scene, level)?;
        for (state, before) in &states {
            let mut accepted = accepted(&visitor, &scene, before)?;
            scene.client()?.batch_execute(before)?;
            let thread =
                scene.value("SELECT max(thread_id) FROM orchestrator.orchestrator_runs", &[])?;
            let offered = offered(&visitor, &format!("/run?thread={thread}"))?;
            // To resume a run that goes on changes nothing.
            if state == &"go" {
                accepted.retain(|act| *act != "resume");
            }
            assert_eq!(offered, accepted, "{level}, {state}");
        }
    }
    Ok(())
}

#[test]
fn a_question_offers_what_its_state_allows() -> Result<()> {
    let scene = Scene::new("question_acts")?;
    let mut client = scene.client()?;
    client.batch_execute(
        "SELECT orchestrator.set_decision_rule('review', 'budget_exceeded', requester_may_decide => false)",
    )?;
    let reviewer = Visitor::sign_in(&scene, "reviewer")?;
    let worker = Visitor::sign_in(&scene, "worker")?;
    let decide = ["approve", "reject", "request-changes"];
    let [hand_over, all] = [["claim", "assign"], ["claim", "release"]];

    let question = scene.ask("t1", "May it go on?")?;
    let page = format!("/decisions/{question}");
    assert_eq!(offered(&reviewer, &page)?, [&decide[..], &hand_over, &["stop"]].concat());
    assert_eq!(offered(&worker, &page)?, ["stop"], "somebody else asked it");
    let claim = "SELECT orchestrator.claim_decision($1::text::uuid, $2)";
    client.execute(claim, &[&question, &scene.role("reviewer")])?;
    assert_eq!(offered(&reviewer, &page)?, [&decide[..], &all, &["assign", "stop"]].concat());
    client.batch_execute(
        "SELECT orchestrator.release_decision(id, claimed_by) FROM orchestrator.pending_decisions",
    )?;
    client.execute(claim, &[&question, &"rosa"])?;
    assert_eq!(offered(&reviewer, &page)?, ["stop"], "somebody else looks at it");
    let body = reviewer.get(&page)?.body;
    assert!(body.contains("Nobody else decides it until the claim ends."), "{body}");
    let form = format!("token={}&notes=why&assignee=me", reviewer.token);
    for act in [&decide[..], &all, &["assign"]].concat() {
        let answer = reviewer.post(&format!("{page}/{act}"), &[], &form)?;
        assert_eq!(answer.status, 409, "{act} is refused as well");
    }

    // A worker withdraws what it asked, but not what a score asks.
    let mut as_worker = scene.database.client_as(&scene.role("worker"))?;
    let asked: String = as_worker
        .query_one("SELECT orchestrator.request_review('t1', 'gate_override', 'x')::text", &[])?
        .try_get(0)?;
    assert_eq!(offered(&worker, &format!("/decisions/{asked}"))?, ["withdraw", "stop"]);
    as_worker.execute("SELECT orchestrator.record_safety('t1', 0.01, ARRAY['x'])", &[])?;
    let scored = scene.value(
        "SELECT id FROM orchestrator.human_review_queue WHERE review_type = 'safety'",
        &[],
    )?;
    assert_eq!(offered(&worker, &format!("/decisions/{scored}"))?, ["stop"]);
    let form = format!("token={}&notes=why", worker.token);
    assert_eq!(worker.post(&format!("/decisions/{scored}/withdraw"), &[], &form)?.status, 403);
    assert_eq!(worker.post(&format!("/decisions/{asked}/withdraw"), &[], &form)?.status, 303);

    // A rule keeps out who asked.
    let mut as_reviewer = scene.database.client_as(&scene.role("reviewer"))?;
    client.batch_execute(&format!(
        "GRANT {} TO {}",
        scene.role("worker"),
        scene.role("reviewer")
    ))?;
    let own: String = as_reviewer
        .query_one("SELECT orchestrator.request_review('t1', 'budget_exceeded', 'x')::text", &[])?
        .try_get(0)?;
    let page = format!("/decisions/{own}");
    assert_eq!(offered(&reviewer, &page)?, [&hand_over[..], &["withdraw", "stop"]].concat());
    let body = reviewer.get(&page)?.body;
    assert!(body.contains("Its rule lets somebody else decide it."), "{body}");
    let form = format!("token={}", reviewer.token);
    assert_eq!(reviewer.post(&format!("{page}/approve"), &[], &form)?.status, 403);

    // A run that has ended is not stopped, and its questions are withdrawn: a gate without it stays.
    let gate =
        scene.value(&format!("orchestrator.open_gate('{PROJECT}', 'a', 'manual', 'x')"), &[])?;
    assert!(!offered(&reviewer, &format!("/decisions/{gate}"))?.contains(&"stop".to_owned()));
    Ok(())
}

#[test]
fn mine_is_what_asks_me_or_a_role_of_mine() -> Result<()> {
    let scene = Scene::new("mine")?;
    let mut client = scene.client()?;
    let reviewer = scene.role("reviewer");
    let (team, others) = (format!("{reviewer}_team"), format!("{reviewer}_others"));
    for role in [&team, &others] {
        make(&mut client, role)?;
    }
    client.batch_execute(&format!("GRANT {team} TO {reviewer}"))?;
    let questions = [
        "claimed by me",
        "claim of mine that ended",
        "claimed by rosa",
        "for me",
        "for my team",
        "for others",
        "for all",
    ];
    let mut ids = Vec::new();
    for asks in questions {
        ids.push(scene.ask(asks, asks)?);
    }
    for (id, name) in [(&ids[0], reviewer.as_str()), (&ids[1], &reviewer), (&ids[2], "rosa")] {
        client.execute("SELECT orchestrator.claim_decision($1::text::uuid, $2)", &[id, &name])?;
    }
    client.execute("UPDATE orchestrator.decision_terms SET claimed_until = now() - interval '1 second' WHERE decision_id = $1::text::uuid", &[&ids[1]])?;
    for (id, name) in [(&ids[3], &reviewer), (&ids[4], &team), (&ids[5], &others)] {
        client.execute(
            "SELECT orchestrator.assign_decision($1::text::uuid, $2, 'me')",
            &[id, name],
        )?;
    }
    // An approval asks its role, until it is assigned to another one.
    for (role, notes, assignee) in [
        (&team, "approval of my team", None),
        (&team, "approval given away", Some(&others)),
        (&others, "approval given to me", Some(&team)),
    ] {
        let task =
            scene.value("SELECT task_id FROM orchestrator.create_task('build', 'x')", &[])?;
        let approval = scene.value(
            "orchestrator.request_approval($1::text::uuid, $2, $3)",
            &[&task, role, &notes],
        )?;
        if let Some(assignee) = assignee {
            client.execute(
                "SELECT orchestrator.assign_decision($1::text::uuid, $2, 'me')",
                &[&approval, assignee],
            )?;
        }
    }
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    let expected =
        ["claimed by me", "for me", "for my team", "approval of my team", "approval given to me"];
    let body = visitor.get("/?mine=1")?.body;
    assert!(body.contains("<bdi>5</bdi> open questions"), "{body}");
    for asks in questions.iter().chain(&[
        "approval of my team",
        "approval given away",
        "approval given to me",
    ]) {
        let shown = body.contains(&format!("<p>{asks}</p>"));
        assert_eq!(shown, expected.contains(asks), "{asks}");
    }
    let of_project = visitor.get(&format!("/?mine=1&project={PROJECT}"))?.body;
    assert!(of_project.contains("<bdi>3</bdi> open questions"), "{of_project}");
    Ok(())
}

#[test]
fn every_event_of_a_run_can_be_seen() -> Result<()> {
    let scene = Scene::new("long_trail")?;
    scene.ask("t1", "May it go on?")?;
    scene.client()?.batch_execute(
        "DO $$ BEGIN FOR n IN 1..120 LOOP PERFORM orchestrator.pause_run('t1', 'pause ' || n || repeat('.', CASE n WHEN 7 THEN 1000 ELSE 1 END)); END LOOP; END $$",
    )?;
    let visitor = Visitor::sign_in(&scene, "reader")?;
    let mut page = "/run?thread=t1".to_owned();
    let mut bodies = Vec::new();
    loop {
        let body = visitor.get(&page)?.body;
        let next = body
            .split("href=\"")
            .filter_map(|rest| rest.split_once('"'))
            .find(|(_, rest)| rest.starts_with(">Earlier events"));
        let next = next.map(|(address, _)| address.replace("&amp;", "&"));
        bodies.push(body);
        match next {
            Some(address) => page = address.split('#').next().unwrap_or_default().to_owned(),
            None => break,
        }
    }
    assert_eq!(bodies.len(), 3, "the last page says that it is the last");
    for n in 1..=120 {
        let pages = bodies.iter().filter(|body| body.contains(&format!("pause {n}."))).count();
        assert!(pages >= 1, "event {n} is on no page");
    }
    assert!(bodies[2].contains("...</"), "facts that are cut say so");
    Ok(())
}
