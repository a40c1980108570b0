//! Signing in as each level, and what each level is offered.

use anyhow::Result;

use super::browser::Browser;
use super::scene::Scene;
use super::session::Kind;

/// The buttons of an open question, in the order of the page.
const DECIDE: [&str; 5] = ["Approve", "Reject", "Request changes", "I look at it", "Assign"];

#[test]
fn each_level_is_offered_what_it_may_do() -> Result<()> {
    let scene = Scene::new("levels")?;
    let question = scene.ask("t1", "May it go on?")?;
    let withdraw = ["Withdraw the question"];
    let stop = ["Stop the run"];
    let offers: [(&str, Vec<&str>); 4] = [
        ("reader", Vec::new()),
        // Somebody else asked it.
        ("worker", stop.to_vec()),
        ("reviewer", [&DECIDE[..], &stop].concat()),
        ("admin", [&DECIDE[..], &withdraw, &stop].concat()),
    ];
    for (level, buttons) in offers {
        let browser = Browser::open(&scene.origin(), Kind::Usual)?;
        browser.sign_in(&scene.role(level))?;
        assert_eq!(browser.path()?, "/", "the inbox follows the sign-in");
        assert_eq!(browser.heading()?, "Inbox", "{level}");
        browser.follow("gate_override review of story t1")?;
        assert!(browser.text()?.contains("May it go on?"), "{level}");
        assert_eq!(browser.buttons()?, buttons, "{level}");
    }
    assert_eq!(scene.status(&question)?, "pending");
    Ok(())
}

#[test]
fn a_role_that_may_not_log_in_is_told_so_and_not_whether_it_exists() -> Result<()> {
    let scene = Scene::new("refused_roles")?;
    let locked = scene.role("reader");
    scene.client()?.batch_execute(&format!("ALTER ROLE {locked} NOLOGIN"))?;
    let browser = Browser::open(&scene.origin(), Kind::Usual)?;
    for role in [locked.as_str(), "nobody_of_this_name"] {
        browser.sign_in(role)?;
        assert_eq!(browser.path()?, "/sign-in", "{role}");
        assert!(browser.text()?.contains("The role or the password is wrong."), "{role}");
    }
    browser.visit("/runs")?;
    assert_eq!(browser.path()?, "/sign-in", "a page without a session");
    Ok(())
}

#[test]
fn signing_out_ends_the_session() -> Result<()> {
    let scene = Scene::new("signed_out")?;
    let browser = scene.signed_in("reader")?;
    browser.press("Sign out")?;
    assert_eq!(browser.path()?, "/sign-in");
    browser.visit("/")?;
    assert_eq!(browser.path()?, "/sign-in");
    Ok(())
}

#[test]
fn a_role_that_may_no_longer_log_in_loses_its_session() -> Result<()> {
    let scene = Scene::new("lost_login")?;
    let browser = scene.signed_in("reader")?;
    browser.visit("/runs")?;
    assert_eq!(browser.path()?, "/runs");
    let role = scene.role("reader");
    scene.client()?.batch_execute(&format!("ALTER ROLE {role} NOLOGIN"))?;
    browser.visit("/runs")?;
    assert_eq!(browser.path()?, "/sign-in");
    Ok(())
}
