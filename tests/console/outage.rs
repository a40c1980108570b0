//! The server ends a connection under an open page, answers late, or is busy.

use anyhow::Result;
use support::deadline::wait_until;

use super::plain::Visitor;
use super::scene::Scene;

/// The visible notice of a page that is not current.
const NOTICE: &str = "document.querySelector('#away:not([hidden])')?.textContent ?? ''";

#[test]
fn an_open_page_says_that_the_connection_ended_and_keeps_what_was_written() -> Result<()> {
    let scene = Scene::new("outage")?;
    let question = scene.ask("t1", "May it go on?")?;
    let page = format!("/decisions/{question}");
    let browser = scene.signed_in("reviewer")?;
    browser.visit(&page)?;
    browser.fill("#notes", "It is safe, because")?;
    scene.end_connections()?;

    browser.wait_for("The database has ended the connection. This page tries again.")?;
    assert!(browser.text()?.contains("May it go on?"), "the content stays");
    assert_eq!(browser.evaluate("document.getElementById('notes').value")?, "It is safe, because");
    // Another tab of the browser signs in: the page that was open is current by itself.
    let form = format!(
        "new URLSearchParams({{ role: '{}', password: 'secret' }})",
        scene.role("reviewer")
    );
    let sign_in = format!(
        "const done = arguments[arguments.length - 1]; fetch('/sign-in', {{ method: 'POST', body: {form} }}).then(answer => done(answer.status))"
    );
    assert_eq!(browser.evaluate_later(&sign_in)?, 200);
    wait_until("the page is current", || Ok(browser.evaluate(NOTICE)? == ""))?;
    assert_eq!(browser.evaluate("document.getElementById('notes').value")?, "It is safe, because");
    Ok(())
}

#[test]
fn an_open_page_leads_to_the_sign_in_and_back() -> Result<()> {
    let scene = Scene::new("outage_sign_in")?;
    let question = scene.ask("t1", "May it go on?")?;
    let page = format!("/decisions/{question}");
    let browser = scene.signed_in("reviewer")?;
    browser.visit(&page)?;
    scene.end_connections()?;
    browser.wait_for("Sign in again")?;
    browser.follow("Sign in again")?;
    browser.fill("#role", &scene.role("reviewer"))?;
    browser.press("Sign in")?;
    assert_eq!(browser.path()?, page);

    scene.end_connections()?;
    browser.visit("/runs?thread=t1")?;
    wait_until("the sign-in comes by itself", || Ok(browser.path()? == "/sign-in"))?;
    browser.fill("#role", &scene.role("reviewer"))?;
    browser.press("Sign in")?;
    assert_eq!((browser.path()?.as_str(), browser.heading()?.as_str()), ("/runs", "Runs"));
    Ok(())
}

#[test]
fn an_open_page_says_that_the_console_is_gone() -> Result<()> {
    let scene = Scene::new("gone")?;
    scene.ask("t1", "May it go on?")?;
    let browser = scene.signed_in("reviewer")?;
    assert!(browser.text()?.contains("May it go on?"));
    drop(scene);
    browser.wait_for("The console does not answer. This page tries again.")?;
    assert!(browser.text()?.contains("May it go on?"), "the content stays");
    Ok(())
}

/// The test ends the pauses of the page.
#[test]
fn a_busy_page_pauses_between_two_loads() -> Result<()> {
    const LOADS: &str = "performance.getEntriesByType('resource').filter(entry => entry.initiatorType === 'fetch').length";
    let scene = Scene::new("busy")?;
    let browser = scene.signed_in("reader")?;
    browser.evaluate(
        "(window.waiting = [], window.setTimeout = wake => window.waiting.push(wake), window.seen = 0, \
         (window.events = new EventSource('/live')).addEventListener('message', () => window.seen++))",
    )?;
    wait_until("the stream", || Ok(browser.evaluate("window.events.readyState")? == 1))?;
    let next = "window.waiting.splice(0).forEach(wake => wake())";
    // The load that brings the question is followed by a pause; those before are ended.
    scene.ask("t1", "The first question")?;
    let is_shown = "document.querySelector('main').textContent.includes('The first question')";
    let first = format!("{is_shown} || ({next}, false)");
    wait_until("the first question", || Ok(browser.evaluate(&first)? == true))?;
    let (seen, loads) = (browser.evaluate("window.seen")?, browser.evaluate(LOADS)?);
    for number in 2..6 {
        scene.ask(&format!("t{number}"), &format!("Question {number}"))?;
    }
    let more = format!("window.seen >= {seen} + 4");
    wait_until("the announcements", || Ok(browser.evaluate(&more)? == true))?;
    assert_eq!(browser.evaluate(LOADS)?, loads, "nothing is loaded during the pause");
    browser.evaluate(next)?;
    browser.wait_for("Question 5")?;
    let once = format!("{LOADS} - {loads}");
    assert_eq!(browser.evaluate(&once)?, 1, "four changes are loaded at once");
    Ok(())
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
