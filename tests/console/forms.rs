//! Forms that are not ours, written by hand.

use anyhow::Result;

use super::plain::{self, Visitor};
use super::scene::Scene;

#[test]
fn a_form_that_is_not_of_the_session_is_refused() -> Result<()> {
    let scene = Scene::new("forged")?;
    let question = scene.ask("t1", "May it go on?")?;
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    let other = Visitor::sign_in(&scene, "reviewer")?;
    let path = format!("/decisions/{question}/approve");

    assert_eq!(visitor.post(&path, &[], "notes=yes")?.status, 403, "without a token");
    let of_other = format!("token={}", other.token);
    for form in ["token=", "token=wrong", &of_other] {
        assert_eq!(visitor.post(&path, &[], form)?.status, 403, "{form}");
    }
    let form = format!("token={}", visitor.token);
    for origin in ["https://example.com", "http://127.0.0.1:1", "null"] {
        let answer = visitor.post(&path, &[("Origin", origin)], &form)?;
        assert_eq!(answer.status, 403, "{origin}");
    }
    assert_eq!(scene.status(&question)?, "pending");

    let answer = visitor.post(&path, &[("Origin", &scene.origin())], &form)?;
    assert_eq!(answer.status, 303);
    assert_eq!(scene.status(&question)?, "approved");
    Ok(())
}

#[test]
fn a_decided_question_is_a_conflict() -> Result<()> {
    let scene = Scene::new("conflict")?;
    let question = scene.ask("t1", "May it go on?")?;
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    let form = format!("token={}&notes=No.", visitor.token);
    let act = |act| visitor.post(&format!("/decisions/{question}/{act}"), &[], &form);
    assert_eq!(act("approve")?.status, 303);
    assert_eq!(act("reject")?.status, 409);
    Ok(())
}

/// A button that is not shown is refused all the same.
#[test]
fn a_level_can_send_no_form_that_it_is_not_offered() -> Result<()> {
    let scene = Scene::new("beyond")?;
    let question = scene.ask("t1", "May it go on?")?;
    for (level, acts) in [
        ("reader", &["approve", "reject", "claim", "assign", "withdraw"][..]),
        ("worker", &["approve", "reject", "claim", "assign"]),
        ("reviewer", &["withdraw"]),
    ] {
        let visitor = Visitor::sign_in(&scene, level)?;
        let form = format!("token={}&notes=why&assignee=me", visitor.token);
        for act in acts {
            let answer = visitor.post(&format!("/decisions/{question}/{act}"), &[], &form)?;
            assert_eq!(answer.status, 403, "{level} {act}: {}", answer.body);
        }
    }
    assert_eq!(scene.status(&question)?, "pending");
    Ok(())
}

/// A page from elsewhere could give its own name the address of this machine, and needs no cookie here.
#[test]
fn without_a_sign_in_no_other_name_is_answered() -> Result<()> {
    let scene = Scene::of_one_person("rebound", "reviewer")?;
    let question = scene.ask("t1", "May it go on?")?;
    assert_eq!(plain::send(&scene, "GET", "/", &[], "")?.status, 200);
    for host in ["evil.example", "evil.example:80", "localhost.evil.example", "192.0.2.1"] {
        let headers = [("Host", host)];
        let answer = plain::send(&scene, "GET", &format!("/decisions/{question}"), &headers, "")?;
        assert_eq!(answer.status, 403, "{host}");
        assert!(!answer.body.contains("token"), "{host}");
    }
    Ok(())
}

#[test]
fn a_request_that_cannot_be_read_is_answered_with_a_page() -> Result<()> {
    let scene = Scene::new("unreadable")?;
    let visitor = Visitor::sign_in(&scene, "reviewer")?;
    for path in
        ["/?page=abc", "/?page=-1", "/?kind=a&kind=b", "/run", "/decisions/%ff", "/sign-out"]
    {
        let answer = visitor.get(path)?;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(answer.body.contains("<h1>The request cannot be read.</h1>"), "{path}");
    }
    Ok(())
}
