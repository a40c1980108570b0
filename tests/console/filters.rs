//! The filter of the inbox, its pages, and the way back from a question.

use anyhow::{Context, Result};

use super::plain::Visitor;
use super::scene::{PROJECT, Scene};
use super::session::Kind;

/// More questions than anybody reads: gates of two projects, and approvals of two roles.
const MANY: &str = "\
    INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, created_at) \
    SELECT ('0198c5a0-0000-7000-8000-00000000000' || n % 2)::uuid, 'agent', 'manual', 'Gate ' || n, now() - (20000 - n) * interval '1 second' FROM generate_series(1, 9880) AS n; \
    INSERT INTO orchestrator.tasks (title, task_type) SELECT 'Task ' || n, 'tool' FROM generate_series(1, 120) AS n; \
    INSERT INTO orchestrator.approvals (task_id, approver_role) SELECT t.id, CASE WHEN t.title LIKE '%7' THEN 'law' ELSE 'finance' END FROM orchestrator.tasks AS t; \
    ANALYZE";

/// The largest page of questions, in bytes.
const LARGEST: usize = 50_000;

/// The ids of the questions of a page, and its text.
fn cards(visitor: &Visitor<'_>, query: &str) -> Result<(Vec<String>, String)> {
    let page = visitor.get(&format!("/{query}"))?;
    assert_eq!(page.status, 200, "{query}");
    assert!(page.body.len() < LARGEST, "{query} has {} bytes", page.body.len());
    let page = page.body.replace("<bdi>", "").replace("</bdi>", "");
    let ids = page.split("<a id=\"q-").skip(1);
    Ok((ids.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect(), page))
}

/// Asserts the count of the page, and its place among the pages.
fn assert_place(page: &str, count: &str, place: &str) {
    assert!(page.contains(&format!("role=\"status\">{count}</p>")), "{count} in {page}");
    assert!(page.contains(&format!("<p>{place}")), "{place} in {page}");
}

#[test]
fn ten_thousand_questions_have_pages() -> Result<()> {
    let scene = Scene::new("many")?;
    scene.client()?.batch_execute(MANY)?;
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    let id = |place: &str| {
        scene.value(&format!("SELECT id FROM orchestrator.pending_decisions {place} LIMIT 1"), &[])
    };
    let oldest = id("ORDER BY requested_at, id")?;
    let newest = id("ORDER BY requested_at DESC, id DESC")?;

    let (first, page) = cards(&visitor, "")?;
    assert_eq!((first.len(), &first[0]), (50, &oldest));
    assert_place(&page, "10000 open questions", "Page 1 of 200");
    assert!(!page.contains("id=\"previous\""), "nothing is before the first page");
    let (second, page) = cards(&visitor, "?page=1")?;
    assert!(!second.iter().any(|id| first.contains(id)), "each question is on one page");
    assert_place(&page, "10000 open questions", "Page 2 of 200");
    let (last, page) = cards(&visitor, "?page=199")?;
    assert_eq!((last.len(), &last[49]), (50, &newest));
    assert_place(&page, "10000 open questions", "Page 200 of 200");
    assert!(!page.contains("id=\"next\""), "nothing is behind the last page");
    let (none, page) = cards(&visitor, "?page=200")?;
    assert!(none.is_empty());
    assert!(page.contains("<a id=\"last\" href=\"/?page=199\">"), "{page}");

    let mut seen = Vec::new();
    for (page, shown) in [(0, 50), (1, 50), (2, 8)] {
        let (ids, page) = cards(&visitor, &format!("?role=finance&page={page}"))?;
        assert_eq!(ids.len(), shown);
        assert!(page.contains("role=\"status\">108 open questions</p>"), "{page}");
        seen.extend(ids);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 108, "each approval of the role is on one page");
    for (query, count) in [
        ("?role=law", "12 open questions"),
        ("?kind=approval", "120 open questions"),
        ("?kind=gate&role=law", "Nothing waits for you."),
        (&format!("?project={PROJECT}"), "4940 open questions"),
        (&format!("?project={PROJECT}&role=law"), "Nothing waits for you."),
    ] {
        let page = cards(&visitor, query)?.1;
        assert!(page.contains(&format!("role=\"status\">{count}</p>")), "{query}: {page}");
    }

    let browser = scene.signed_in("reviewer")?;
    browser.follow("Last")?;
    browser.wait_for("Page 200 of 200")?;
    browser.follow("Previous")?;
    browser.wait_for("Page 199 of 200")
}

#[test]
fn the_inbox_is_filtered_by_the_role_that_is_asked() -> Result<()> {
    let scene = Scene::new("roles")?;
    let assigned = scene.ask("t1", "May it go on?")?;
    scene.ask("t2", "Something else")?;
    let create = "SELECT task_id FROM orchestrator.create_task('tool', 'Pay the invoice')";
    let task = scene.value(create, &[])?;
    scene.value("orchestrator.request_approval($1::text::uuid, 'finance')", &[&task])?;
    let admin = scene.role("admin");
    let mut client = scene.database.client_as(&admin)?;
    let assign = "SELECT orchestrator.assign_decision($1::text::uuid, 'finance', $2)";
    client.execute(assign, &[&assigned, &admin])?;

    for kind in [Kind::Usual, Kind::WithoutScript] {
        let browser = scene.signed_in_with("reviewer", kind)?;
        browser.fill("#asked", "finance")?;
        browser.press("Filter")?;
        let shown = browser.text()?;
        assert!(shown.contains("2 open questions"), "{kind:?}: {shown}");
        assert!(shown.contains("May it go on?") && shown.contains("Pay the invoice"), "{shown}");
        assert!(!shown.contains("Something else"), "{shown}");
    }
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    let page = visitor.get("/")?.body;
    assert_eq!(page.matches("<option value=\"finance\">").count(), 1, "{page}");
    Ok(())
}

#[test]
fn the_filter_is_kept_while_questions_are_decided() -> Result<()> {
    let scene = Scene::new("kept")?;
    let mut client = scene.client()?;
    client.batch_execute(MANY)?;
    let ids = "SELECT id::text FROM orchestrator.pending_decisions WHERE kind = 'gate' ORDER BY requested_at LIMIT 51";
    let rows = client.query(ids, &[])?;
    let second_page: String = rows.last().context("questions")?.try_get(0)?;

    let browser = scene.signed_in("reviewer")?;
    browser.visit("/?kind=gate")?;
    browser.follow("Next")?;
    browser.wait_for("Page 2 of 198")?;
    let first = "document.querySelector('.card a').pathname";
    assert_eq!(browser.evaluate(first)?, format!("/decisions/{second_page}"));
    browser.visit(&format!("/decisions/{second_page}?kind=gate&page=1"))?;
    let link = "document.querySelector('a[href^=\"/?\"]').getAttribute('href')";
    assert_eq!(browser.evaluate(link)?, "/?kind=gate&page=1");
    browser.press("Approve")?;
    browser.wait_for("approved by")?;
    browser.follow("Back to the questions of the filter")?;
    browser.wait_for("9879 open questions")?;
    assert!(browser.text()?.contains("Page 2 of 198"));
    assert_eq!(browser.evaluate("document.querySelector('#kind').value")?, "gate");
    Ok(())
}

/// A claim that is over makes a question nobody's, in the list and in its count.
#[test]
fn a_claim_that_is_over_is_not_counted() -> Result<()> {
    let scene = Scene::new("overdue_claim")?;
    let question = scene.ask("t1", "May it go on?")?;
    let role = scene.role("reviewer");
    let claim = "SELECT orchestrator.claim_decision($1::text::uuid, $2)";
    scene.database.client_as(&role)?.execute(claim, &[&question, &role])?;
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    assert_eq!(cards(&visitor, "?mine=1")?.0, [question]);
    scene.client()?.batch_execute(
        "UPDATE orchestrator.decision_terms SET claimed_until = now() - interval '1 second'",
    )?;
    let (ids, page) = cards(&visitor, "?mine=1")?;
    assert!(ids.is_empty() && page.contains("Nothing waits for you."), "{page}");
    Ok(())
}
