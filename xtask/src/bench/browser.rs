//! A browser of a person who uses the console: one connection for pages, and one for the stream of announcements.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// No answer of the console takes longer, and no stream is silent for longer.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Browser {
    host: String,
    cookie: String,
    pages: BufReader<TcpStream>,
    stream: BufReader<TcpStream>,
}

/// A page, and the time until its first byte arrived.
pub struct Page {
    pub first_byte: Duration,
    pub text: String,
}

/// The head of an answer.
struct Head {
    status: u16,
    cookie: Option<String>,
    length: usize,
}

impl Browser {
    /// Signs a role in, loads the page that follows, and opens its stream.
    pub fn sign_in(port: u16, role: &str, password: &str) -> Result<Self> {
        let host = format!("127.0.0.1:{port}");
        let (pages, stream) = (connect(&host)?, connect(&host)?);
        let mut browser = Self { host, cookie: String::new(), pages, stream };
        let form = format!("role={role}&password={password}");
        let kind = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            form.len()
        );
        let request = browser.request("POST", "/sign-in", &kind) + &form;
        let (signed_in, _) = answer(&mut browser.pages, &request)?;
        let cookie = signed_in.cookie.with_context(|| {
            format!("{role} is not signed in: the console answers {}", signed_in.status)
        })?;
        browser.cookie = format!("Cookie: {cookie}\r\n");
        browser.load("/")?;
        let request = browser.request("GET", "/live", "");
        browser.stream.get_mut().write_all(request.as_bytes())?;
        let head = head(&mut browser.stream)?;
        if head.status != 200 {
            bail!("the console answers {} instead of a stream", head.status);
        }
        Ok(browser)
    }

    /// Loads a page.
    pub fn load(&mut self, path: &str) -> Result<Page> {
        let request = self.request("GET", path, "");
        let (head, page) = answer(&mut self.pages, &request)?;
        if head.status != 200 {
            bail!("the console answers {} at {path}", head.status);
        }
        Ok(page)
    }

    /// Waits for an announcement on the stream.
    pub fn announced(&mut self) -> Result<()> {
        while !line(&mut self.stream)?.starts_with("data:") {}
        Ok(())
    }

    fn request(&self, method: &str, path: &str, more: &str) -> String {
        let Self { host, cookie, .. } = self;
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}{more}\r\n")
    }
}

fn connect(host: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host).with_context(|| format!("cannot connect to {host}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Sends a request and reads the whole answer.
fn answer(connection: &mut BufReader<TcpStream>, request: &str) -> Result<(Head, Page)> {
    let start = Instant::now();
    connection.get_mut().write_all(request.as_bytes())?;
    connection.fill_buf().context("the console does not answer")?;
    let first_byte = start.elapsed();
    let head = head(connection)?;
    let mut text = vec![0; head.length];
    connection.read_exact(&mut text)?;
    Ok((head, Page { first_byte, text: String::from_utf8(text)? }))
}

fn head(connection: &mut BufReader<TcpStream>) -> Result<Head> {
    let first = line(connection)?;
    let status = first.split(' ').nth(1).context("an answer without a status")?.parse()?;
    let mut head = Head { status, cookie: None, length: 0 };
    loop {
        let line = line(connection)?;
        let Some((name, value)) = line.split_once(": ") else { return Ok(head) };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = value.parse()?,
            "set-cookie" => head.cookie = value.split(';').next().map(str::to_owned),
            _ => {}
        }
    }
}

/// A line without its end.
fn line(connection: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line).context("the console is silent")? == 0 {
        bail!("the console has closed a connection");
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}
