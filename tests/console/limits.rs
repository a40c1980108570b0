//! How many sessions, streams and attempts to sign in there may be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use anyhow::{Context, Result};
use support::deadline::wait_until;

use super::plain::{self, Visitor};
use super::scene::Scene;

/// The connections of the console to the database.
fn connections(scene: &Scene) -> Result<i64> {
    const COUNT: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orchestrator-console' AND datname = current_database()";
    Ok(scene.client()?.query_one(COUNT, &[])?.try_get(0)?)
}

fn is_signed_in(visitor: &Visitor<'_>) -> Result<bool> {
    Ok(visitor.get("/")?.status == 200)
}

#[test]
fn another_session_ends_the_one_that_was_used_longest_ago() -> Result<()> {
    let scene = Scene::with("most_sessions", &["--sessions", "2"])?;
    let first = Visitor::sign_in(&scene, "reader")?;
    let second = Visitor::sign_in(&scene, "worker")?;
    assert!(is_signed_in(&first)?);
    let by_script = [("Accept", "text/event-stream"), ("X-Loads-Again", "1")];
    for header in by_script {
        assert_eq!(second.get_with("/", &[header])?.status, 200, "an open page is no use");
    }
    let third = Visitor::sign_in(&scene, "reviewer")?;
    assert!(!is_signed_in(&second)?, "the second was used before the first");
    assert!(is_signed_in(&first)? && is_signed_in(&third)?);
    wait_until("the connection ends", || Ok(connections(&scene)? == 2))
}

#[test]
fn signing_in_again_ends_the_session_before() -> Result<()> {
    let scene = Scene::new("again_signed_in")?;
    let before = Visitor::sign_in(&scene, "reader")?;
    let form = format!("role={}&password=secret", scene.role("reviewer"));
    assert_eq!(before.post("/sign-in", &[], &form)?.status, 303);
    assert!(!is_signed_in(&before)?);
    wait_until("the connection ends", || Ok(connections(&scene)? == 1))
}

/// Opens a stream of announcements and reads the status of the answer.
fn stream(scene: &Scene, cookie: &str) -> Result<(TcpStream, u16)> {
    let mut stream = TcpStream::connect(("127.0.0.1", scene.port()))?;
    write!(
        stream,
        "GET /live HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {cookie}\r\n\r\n",
        scene.port()
    )?;
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    let status = str::from_utf8(&start)?.rsplit(' ').next().context("no status")?.parse()?;
    Ok((stream, status))
}

#[test]
fn a_session_has_a_limited_number_of_streams() -> Result<()> {
    let scene = Scene::new("streams")?;
    let visitor = Visitor::sign_in(&scene, "reader")?;
    let mut streams = Vec::new();
    for number in 0..16 {
        let (open, status) = stream(&scene, &visitor.cookie)?;
        assert_eq!(status, 200, "stream {number}");
        streams.push(open);
    }
    assert_eq!(stream(&scene, &visitor.cookie)?.1, 429);
    assert!(is_signed_in(&visitor)?, "pages are loaded all the same");
    let other = Visitor::sign_in(&scene, "reader")?;
    assert_eq!(stream(&scene, &other.cookie)?.1, 200, "another session has its own");
    streams.pop();
    // The console notices the end of a stream when it writes to it, as it does for each announcement.
    scene.ask("t1", "May it go on?")?;
    wait_until("a stream is free", || Ok(stream(&scene, &visitor.cookie)?.1 == 200))
}

/// Tries to sign in as somebody who does not exist, and returns the status.
fn try_to_sign_in(scene: &Scene, role: &str, headers: &[(&str, &str)]) -> Result<u16> {
    let form = format!("role={role}&password=wrong");
    Ok(plain::send(scene, "POST", "/sign-in", headers, &form)?.status)
}

#[test]
fn attempts_at_once_do_not_pass_the_limit() -> Result<()> {
    let scene = Scene::new("at_once")?;
    let statuses: Vec<u16> = thread::scope(|scope| {
        let attempt = |number: usize| {
            let scene = &scene;
            scope.spawn(move || try_to_sign_in(scene, &format!("nobody_{number}"), &[]))
        };
        let attempts: Vec<_> = (0..40).map(attempt).collect();
        attempts.into_iter().map(|attempt| attempt.join().expect("a thread")).collect::<Result<_>>()
    })?;
    let number = |status| statuses.iter().filter(|other| **other == status).count();
    assert_eq!((number(401), number(429)), (10, 30), "{statuses:?}");
    let right = format!("role={}&password=secret", scene.role("reader"));
    assert_eq!(plain::send(&scene, "POST", "/sign-in", &[], &right)?.status, 429);
    Ok(())
}

#[test]
fn people_behind_a_trusted_proxy_have_attempts_of_their_own() -> Result<()> {
    let scene = Scene::with("proxied", &["--trusted-proxy", "127.0.0.1"])?;
    let from =
        |address: &str, role: &str| try_to_sign_in(&scene, role, &[("X-Forwarded-For", address)]);
    for number in 0..10 {
        assert_eq!(
            from(&format!("203.0.113.{number}, 192.0.2.1"), &format!("nobody_{number}"))?,
            401
        );
    }
    assert_eq!(
        from("203.0.113.99, 192.0.2.1", "nobody")?,
        429,
        "the first address may be invented"
    );
    assert_eq!(from("192.0.2.2", "nobody")?, 401, "another person");
    for number in 0..29 {
        assert_eq!(from(&format!("198.51.100.{number}"), "nobody")?, 401);
    }
    assert_eq!(from("198.51.100.99", "nobody")?, 429, "many addresses try one role");
    Ok(())
}

#[test]
fn nobody_else_says_for_whom_they_ask() -> Result<()> {
    let scene = Scene::new("unproxied")?;
    let from = |number: usize| {
        let address = format!("192.0.2.{number}");
        try_to_sign_in(&scene, &format!("nobody_{number}"), &[("X-Forwarded-For", &address)])
    };
    let statuses = (0..11).map(from).collect::<Result<Vec<u16>>>()?;
    assert_eq!(statuses, [&[401; 10][..], &[429]].concat());
    Ok(())
}

#[test]
fn who_signs_in_has_no_attempt_less() -> Result<()> {
    let scene = Scene::new("no_attempt_less")?;
    for _ in 0..12 {
        Visitor::sign_in(&scene, "reader")?;
    }
    Ok(())
}

#[test]
fn an_impossible_login_is_a_wrong_one() -> Result<()> {
    let scene = Scene::new("impossible")?;
    let role = scene.role("reader");
    let long = "x".repeat(64);
    for form in [
        "".to_owned(),
        "role=".to_owned(),
        "role=%00&password=secret".to_owned(),
        format!("role={role}%00&password=secret"),
        format!("role={role}&password=sec%00ret"),
        "role=%ff%fe&password=%ff".to_owned(),
        "role=%0D%0A&password=".to_owned(),
        format!("role={long}&password=secret"),
        format!("role={}&password={}", "%F0%9F%90%98".repeat(15), "x".repeat(100_000)),
    ] {
        let answer = plain::send(&scene, "POST", "/sign-in", &[], &form)?;
        assert_eq!(answer.status, 401, "{form}");
        assert!(answer.body.contains("The role or the password is wrong."), "{form}");
    }
    Ok(())
}
