//! A person answers a question, or says who does.

use anyhow::Result;

use super::browser::Browser;
use super::scene::Scene;

/// A reviewer in front of a question.
fn asked(scene: &Scene) -> Result<(Browser, String)> {
    let question = scene.ask("t1", "May it go on?")?;
    let browser = scene.signed_in("reviewer")?;
    browser.visit(&format!("/decisions/{question}"))?;
    Ok((browser, question))
}

#[test]
fn a_question_is_approved() -> Result<()> {
    let scene = Scene::new("approved")?;
    let (browser, question) = asked(&scene)?;
    browser.fill("#notes", "It is safe.")?;
    browser.press("Approve")?;
    assert_eq!(scene.status(&question)?, "approved");
    browser.wait_for(&format!("approved by {}", scene.role("reviewer")))?;
    assert!(browser.text()?.contains("It is safe."));
    assert!(browser.buttons()?.is_empty(), "nobody decides it again");
    Ok(())
}

#[test]
fn a_no_needs_a_reason() -> Result<()> {
    let scene = Scene::new("rejected")?;
    let (browser, question) = asked(&scene)?;
    browser.press("Reject")?;
    let refusal = browser.text()?;
    assert!(
        refusal.contains(&format!("review {question} cannot be rejected without notes")),
        "{refusal}"
    );
    let hint = "Say in argument \"notes\" what should be done instead.";
    assert!(refusal.contains(hint), "{refusal}");
    assert_eq!(scene.status(&question)?, "pending");

    browser.visit(&format!("/decisions/{question}"))?;
    browser.fill("#notes", "The tests are red.")?;
    browser.press("Reject")?;
    browser.wait_for(&format!("rejected by {}", scene.role("reviewer")))?;
    assert!(browser.text()?.contains("The tests are red."));
    assert_eq!(scene.status(&question)?, "rejected");
    Ok(())
}

#[test]
fn changes_are_requested() -> Result<()> {
    let scene = Scene::new("changes")?;
    let (browser, question) = asked(&scene)?;
    browser.fill("#notes", "Write the test first.")?;
    browser.press("Request changes")?;
    browser.wait_for("changes requested by")?;
    assert_eq!(scene.status(&question)?, "changes_requested");
    Ok(())
}

#[test]
fn a_question_is_claimed_released_and_assigned() -> Result<()> {
    let scene = Scene::new("claimed")?;
    let (browser, question) = asked(&scene)?;
    let looks = format!("{} looks at it", scene.role("reviewer"));
    browser.press("I look at it")?;
    browser.wait_for(&looks)?;
    browser.visit("/?mine=1")?;
    assert!(browser.text()?.contains(&looks), "it is mine");

    browser.visit(&format!("/decisions/{question}"))?;
    browser.press("Somebody else may")?;
    browser.wait_for("gate_override")?;
    browser.visit("/?mine=1")?;
    assert!(browser.text()?.contains("Nothing waits for you."), "it is nobody's");

    let admin = scene.role("admin");
    browser.visit(&format!("/decisions/{question}"))?;
    browser.fill("#assignee", &admin)?;
    browser.press("Assign")?;
    browser.wait_for(&format!("for {admin}"))?;
    Ok(())
}
