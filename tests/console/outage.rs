//! The server ends a connection under an open page.

use anyhow::Result;

use super::scene::Scene;

#[test]
fn an_open_page_says_that_the_connection_ended_and_leads_back() -> Result<()> {
    let scene = Scene::new("outage")?;
    scene.ask("t1", "May it go on?")?;
    let browser = scene.signed_in("reviewer")?;
    let end = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity \
         WHERE application_name = 'orchestrator-console' AND datname = current_database()";
    let ended: i64 = scene.client()?.query_one(end, &[])?.try_get(0)?;
    assert_eq!(ended, 1, "the connection of the session");

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
