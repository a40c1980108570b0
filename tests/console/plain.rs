//! Requests without a browser, for what no browser sends.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};

use super::scene::Scene;

/// The answer to a request.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Somebody who is signed in and writes requests by hand.
pub struct Visitor<'a> {
    scene: &'a Scene,
    pub cookie: String,
    /// The token of the forms of the session.
    pub token: String,
}

impl<'a> Visitor<'a> {
    pub fn sign_in(scene: &'a Scene, level: &str) -> Result<Self> {
        let cookie = cookie(scene, level)?.split(';').next().unwrap_or_default().to_owned();
        let mut visitor = Self { scene, cookie, token: String::new() };
        let page = visitor.get("/")?.body;
        let (_, rest) = page.split_once("name=\"token\" value=\"").context("no token")?;
        visitor.token = rest.split('"').next().unwrap_or_default().to_owned();
        Ok(visitor)
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut headers = headers.to_vec();
        headers.push(("Cookie", &self.cookie));
        send(self.scene, "GET", path, &headers, "")
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> Result<Answer> {
        let mut headers = headers.to_vec();
        headers.push(("Cookie", &self.cookie));
        send(self.scene, "POST", path, &headers, form)
    }
}

/// Signs in as somebody of a level. Returns the cookie, with its attributes.
pub fn cookie(scene: &Scene, level: &str) -> Result<String> {
    let form = format!("role={}&password=secret", scene.role(level));
    let answer = send(scene, "POST", "/sign-in", &[], &form)?;
    Ok(answer.header("set-cookie").context("no cookie")?.to_owned())
}

/// Sends a request and reads the whole answer.
pub fn send(
    scene: &Scene,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    form: &str,
) -> Result<Answer> {
    let place = format!("127.0.0.1:{}", scene.port());
    let mut stream = TcpStream::connect(&place)?;
    let host = headers.iter().find(|(name, _)| *name == "Host").map_or(&*place, |(_, host)| host);
    let headers = headers.iter().filter(|(name, _)| *name != "Host");
    let more: String = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = form.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n{more}\r\n{form}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
