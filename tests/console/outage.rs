//! The server ends a connection under an open page.

use anyhow::Result;

use super::plain::Visitor;
use super::scene::Scene;

#[test]
fn an_open_page_says_that_the_connection_ended_and_leads_back() -> Result<()> {
    let scene = Scene::new("outage")?;
    scene.ask("t1", "May it go on?")?;
    let browser = scene.signed_in("reviewer")?;
    scene.end_connections()?;

    // The open page notices by itself, and after a moment goes on to the sign-in.
    support::deadline::wait_until("the page notices", || {
        Ok(browser.heading().is_ok_and(|heading| heading != "Inbox"))
    })?;
    browser.visit("/runs")?;
    assert_eq!(browser.heading()?, "The database has ended the connection.");
    browser.follow("Sign in")?;
    browser.sign_in(&scene.role("reviewer"))?;
    browser.wait_for("May it go on?")
}

#[test]
fn no_statement_of_a_page_begins_late() -> Result<()> {
    let scene = Scene::new("slow")?;
    let visitor = Visitor::sign_in(&scene, "reader")?;
    // The first statement of the page takes longer than all before the last may take, and shorter than it may take itself.
    scene.client()?.batch_execute(&format!(
        "ALTER VIEW orchestrator.task_queue RENAME TO quick_queue; \
         CREATE VIEW orchestrator.task_queue AS SELECT q.* FROM pg_sleep(12.5) LEFT JOIN orchestrator.quick_queue AS q ON true; \
         GRANT SELECT ON orchestrator.task_queue TO {}",
        scene.role("reader")
    ))?;
    let answer = visitor.get("/queue")?;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("The page took too long."), "{}", answer.body);
    assert_eq!(visitor.get("/runs")?.status, 200, "other pages are quick");
    Ok(())
}
