//! Several people in front of the same questions.

use anyhow::Result;

use super::scene::Scene;
use super::session::Kind;

#[test]
fn a_decided_question_leaves_the_inbox_of_others_by_itself() -> Result<()> {
    let scene = Scene::new("live")?;
    let question = scene.ask("t1", "May it go on?")?;
    scene.ask("t2", "Something else")?;
    let other = scene.signed_in("reader")?;
    assert!(other.text()?.contains("2 open questions"));
    let page = "window.isTheSamePage = true";
    other.evaluate(page)?;

    let browser = scene.signed_in("reviewer")?;
    browser.visit(&format!("/decisions/{question}"))?;
    browser.press("Approve")?;

    other.wait_for("1 open question")?;
    let shown = other.text()?;
    assert!(shown.contains("Something else") && !shown.contains("May it go on?"), "{shown}");
    assert_eq!(other.evaluate("window.isTheSamePage")?, true, "the page was not loaded again");
    Ok(())
}

#[test]
fn nothing_is_missed_between_a_page_and_its_stream() -> Result<()> {
    let scene = Scene::new("gap")?;
    let question = scene.ask("t1", "May it go on?")?;
    let other = scene.signed_in("reader")?;
    // The decision comes as early as it can after the page: before its stream, or after. Both must do.
    other.visit("/")?;
    let role = scene.role("reviewer");
    let decide = "SELECT orchestrator.decide($1::text::uuid, 'approve', $2)";
    scene.database.client_as(&role)?.execute(decide, &[&question, &role])?;
    other.wait_for("Nothing waits for you.")
}

#[test]
fn an_open_question_becomes_its_answer() -> Result<()> {
    let scene = Scene::new("answered")?;
    let question = scene.ask("t1", "May it go on?")?;
    let other = scene.signed_in("reviewer")?;
    other.visit(&format!("/decisions/{question}"))?;
    assert!(other.buttons()?.contains(&"Approve".to_owned()));

    let browser = scene.signed_in("admin")?;
    browser.visit(&format!("/decisions/{question}"))?;
    browser.press("Approve")?;
    other.wait_for(&format!("approved by {}", scene.role("admin")))?;
    assert!(other.buttons()?.is_empty());
    Ok(())
}

/// The second browser runs no script, so its page still asks.
#[test]
fn who_comes_second_is_told_who_was_first() -> Result<()> {
    let scene = Scene::new("second")?;
    let question = scene.ask("t1", "May it go on?")?;
    let page = format!("/decisions/{question}");
    let second = scene.signed_in_with("admin", Kind::WithoutScript)?;
    second.visit(&page)?;
    let first = scene.signed_in("reviewer")?;
    first.visit(&page)?;
    first.press("Approve")?;
    first.wait_for("approved by")?;

    second.fill("#notes", "No.")?;
    second.press("Reject")?;
    let told = second.text()?;
    assert!(told.contains(&format!("review {question} is already approved")), "{told}");
    assert!(told.contains(&format!("It was approved by {}", scene.role("reviewer"))), "{told}");
    assert_eq!(scene.status(&question)?, "approved");
    Ok(())
}
