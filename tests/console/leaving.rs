//! Signing out, consoles that sign nobody in, and two consoles in one browser.

use anyhow::Result;

use super::browser::Browser;
use super::plain::{self, Visitor};
use super::scene::Scene;
use super::session::Kind;

#[test]
fn a_person_signs_out_while_the_database_is_away() -> Result<()> {
    let scene = Scene::new("away")?;
    let browser = scene.signed_in_with("reader", Kind::WithoutScript)?;
    let visitor = Visitor::sign_in(&scene, "reader")?;
    scene.end_connections()?;
    assert_eq!(visitor.get("/")?.status, 503);
    let answer = visitor.post("/sign-out", &[], "token=wrong")?;
    assert_eq!(answer.status, 403, "a form of another session");
    assert_eq!(visitor.get("/")?.status, 503, "it is still signed in");

    browser.press("Sign out")?;
    assert_eq!(browser.heading()?, "Sign in");
    browser.visit("/")?;
    assert_eq!(browser.heading()?, "Sign in");
    let answer = visitor.post("/sign-out", &[], &format!("token={}", visitor.token))?;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")));
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(visitor.get("/")?.status, 303, "the session has ended");
    Ok(())
}

#[test]
fn a_console_that_signs_nobody_in_has_no_sign_in() -> Result<()> {
    let scene = Scene::of_one_person("unsigned", "reader")?;
    let browser = Browser::open(&scene.origin(), Kind::Usual)?;
    browser.visit("/")?;
    assert_eq!(
        browser.evaluate("document.querySelector('header').innerText.includes('Sign out')")?,
        false
    );
    let role = browser.evaluate("document.querySelector('.who').textContent")?;
    assert_eq!(role, scene.role("reader"));
    for (method, path) in [("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-out")] {
        let answer = plain::send(&scene, method, path, &[], "role=x&password=y")?;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let missing = plain::send(&scene, "GET", "/missing", &[], "")?;
    assert!(missing.body.contains("<a href=\"/\">Inbox</a>"), "{}", missing.body);
    assert!(!missing.body.contains("sign-in"), "{}", missing.body);
    Ok(())
}

#[test]
fn two_consoles_share_a_browser() -> Result<()> {
    let (scene, other) = (Scene::new("one_port")?, Scene::new("another_port")?);
    other.ask("t1", "Only the other one has it.")?;
    let browser = scene.signed_in("reader")?;
    let of_other = |path: &str| format!("{}{path}", other.origin());
    browser.visit_elsewhere(&of_other("/sign-in"))?;
    browser.fill("#role", &other.role("reader"))?;
    browser.press("Sign in")?;
    browser.wait_for("Only the other one has it.")?;
    browser.visit("/")?;
    browser.wait_for("Nothing waits for you.")?;
    browser.press("Sign out")?;
    browser.visit_elsewhere(&of_other("/"))?;
    assert!(browser.text()?.contains("Only the other one has it."), "it is still signed in there");
    Ok(())
}
