//! The sign-in leads to the page that was wanted, and a link of another site to the session that is there.

use anyhow::Result;

use super::browser::Browser;
use super::plain::{self, Visitor};
use super::scene::Scene;
use super::session::Kind;

#[test]
fn the_sign_in_leads_to_the_wanted_page() -> Result<()> {
    let scene = Scene::new("wanted")?;
    scene.ask("a b", "May it go on?")?;
    let browser = Browser::open(&scene.origin(), Kind::Usual)?;
    browser.visit("/run?thread=a%20b")?;
    assert_eq!(browser.path()?, "/sign-in");
    browser.fill("#role", "nobody_of_this_name")?;
    browser.press("Sign in")?;
    browser.wait_for("The role or the password is wrong.")?;
    browser.fill("#role", &scene.role("reader"))?;
    browser.press("Sign in")?;
    assert_eq!(browser.heading()?, "Run of thread a b", "also after a wrong attempt");
    Ok(())
}

#[test]
fn a_form_without_a_session_leads_to_its_page() -> Result<()> {
    let scene = Scene::new("formless")?;
    let question = scene.ask("t1", "May it go on?")?;
    let post = |path: &str, referer: &str| -> Result<String> {
        let answer = plain::send(&scene, "POST", path, &[("Referer", referer)], "notes=x")?;
        assert_eq!(answer.status, 303, "{path}");
        Ok(answer.header("location").unwrap_or_default().to_owned())
    };
    let origin = scene.origin();
    let place = post(&format!("/decisions/{question}/approve"), "")?;
    assert_eq!(place, format!("/sign-in?next=%2Fdecisions%2F{question}"));
    let place = post("/run/stop", &format!("{origin}/run?thread=t1"))?;
    assert_eq!(place, "/sign-in?next=%2Frun%3Fthread%3Dt1");
    assert_eq!(post("/run/stop", "http://localhost/run?thread=t1")?, "/sign-in");
    assert_eq!(post("/queue/retry", "")?, "/sign-in");
    Ok(())
}

#[test]
fn the_sign_in_leads_nowhere_else() -> Result<()> {
    let scene = Scene::new("nowhere_else")?;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/%5Cevil.example/",
        "%5C%5Cevil.example/",
        "/%09/evil.example/",
        "/%0A/evil.example/",
        "/runs%0D%0ASet-Cookie:%20a=b",
        "/runs%00",
        "javascript:alert(1)",
        "evil.example",
        "/sign-in",
        "/live",
    ] {
        let page = plain::send(&scene, "GET", &format!("/sign-in?next={next}"), &[], "")?;
        assert!(!page.body.contains("name=\"next\""), "{next}: {}", page.body);
        let form = format!("role={}&password=secret&next={next}", scene.role("reader"));
        let answer = plain::send(&scene, "POST", "/sign-in", &[], &form)?;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{next}");
    }
    // Such an address, asked for without a session, is not wanted either.
    for path in ["//evil.example/", "//evil.example/runs"] {
        let answer = plain::send(&scene, "GET", path, &[], "")?;
        assert!(!answer.body.contains("next="), "{path}: {}", answer.body);
    }
    Ok(())
}

#[test]
fn a_link_of_another_site_leads_into_the_session() -> Result<()> {
    let scene = Scene::new("linked")?;
    let question = scene.ask("t1", "May it go on?")?;
    let address = format!("{}/decisions/{question}", scene.origin());
    for kind in [Kind::Usual, Kind::WithoutScript] {
        let browser = scene.signed_in_with("reviewer", kind)?;
        // Another name of the same machine is another site.
        browser.visit_elsewhere(&format!("http://localhost:{}/sign-in", scene.port()))?;
        assert_eq!(browser.heading()?, "Sign in", "{kind:?}: the other site has no session");
        if let Kind::Usual = kind {
            browser.evaluate(&format!("location.assign('{address}')"))?;
        } else {
            browser
                .visit_elsewhere(&format!("data:text/html,<a href='{address}'>the question</a>"))?;
            browser.follow("the question")?;
        }
        browser.wait_for("May it go on?")?;
        assert_eq!(browser.path()?, format!("/decisions/{question}"), "{kind:?}");
        assert!(browser.buttons()?.contains(&"Approve".to_owned()), "{kind:?}");
    }
    Ok(())
}

#[test]
fn a_link_of_another_site_leads_to_the_sign_in_without_a_session() -> Result<()> {
    let scene = Scene::new("linked_out")?;
    let question = scene.ask("t1", "May it go on?")?;
    let browser = Browser::open(&scene.origin(), Kind::Usual)?;
    let address = format!("{}/decisions/{question}", scene.origin());
    browser.visit_elsewhere(&format!("data:text/html,<a href='{address}'>the question</a>"))?;
    browser.follow("the question")?;
    browser.wait_for("Sign in")?;
    browser.fill("#role", &scene.role("reviewer"))?;
    browser.press("Sign in")?;
    assert_eq!(browser.path()?, format!("/decisions/{question}"));
    Ok(())
}

/// Only a page is loaded again: no form, and nothing for which the browser sends the cookie.
#[test]
fn only_a_page_without_its_cookie_is_loaded_again() -> Result<()> {
    let scene = Scene::new("again")?;
    let question = scene.ask("t1", "May it go on?")?;
    let path = format!("/decisions/{question}?a=%22%3E&b=c");
    let elsewhere = ("Sec-Fetch-Site", "cross-site");
    let answer = plain::send(&scene, "GET", &path, &[elsewhere], "")?;
    assert_eq!(answer.status, 200);
    let refresh = format!("content=\"0; url=/decisions/{question}?a=%22%3E&#38;b=c\"");
    assert!(answer.body.contains(&refresh), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let same = plain::send(&scene, "GET", &path, &[("Sec-Fetch-Site", "same-origin")], "")?;
    assert_eq!(same.status, 303, "the second time it is no link of another site");
    let form = plain::send(&scene, "POST", "/queue/retry", &[elsewhere], "")?;
    assert_eq!(form.status, 303);
    assert_eq!(form.header("location"), Some("/sign-in"));
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    assert!(visitor.get_with("/", &[elsewhere])?.body.contains("1 open question"));
    let outside = plain::send(&scene, "GET", "//evil.example/", &[elsewhere], "")?;
    assert!(!outside.body.contains("refresh"), "{}", outside.body);
    Ok(())
}
