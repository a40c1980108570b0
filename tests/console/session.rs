//! Browsers that run. To start one takes as long as a short test, so one that a test is done with is handed on, as long as any
//! test has use for one.

use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Result, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use support::deadline::DEADLINE;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use xtask::cluster::fast_folder;
use xtask::machine::program::Program;

/// How the browser shows pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Usual,
    /// Its user prefers dark pages.
    Dark,
    /// No page runs a script.
    WithoutScript,
    /// The screen of a phone.
    Phone,
}

/// The options of every browser: no window, no traffic and no programs of its own, and nothing that a container lacks.
const OPTIONS: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-features=SpareRendererForSitePerProcess",
    "--disable-dev-shm-usage",
    "--window-size=1200,900",
    "--force-device-scale-factor=1",
];

/// How often the driver is started until it has a port.
const ATTEMPTS: u32 = 10;

/// The browsers that wait for the next test, and the number of tests and browsers that have use for them.
#[derive(Default)]
struct Waiting {
    sessions: HashMap<Kind, Vec<Arc<Session>>>,
    uses: usize,
}

static WAITING: LazyLock<Mutex<Waiting>> = LazyLock::new(Mutex::default);

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As long as one of these lives, browsers wait for the next test. With the last one they end, because nothing ends them
/// after the last test.
pub struct Use;

impl Use {
    pub fn begin() -> Self {
        waiting().uses += 1;
        Self
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut waiting = waiting();
        waiting.uses -= 1;
        if waiting.uses == 0 {
            waiting.sessions.clear();
        }
    }
}

/// A browser with a profile of its own, its driver, and what talks to them.
pub struct Session {
    pub client: Client,
    pub runtime: Runtime,
    kind: Kind,
    // These end in this order, after the session.
    _driver: Program,
    _profile: TempDir,
}

impl Session {
    /// One that waits, or a new one.
    pub fn of_kind(kind: Kind) -> Result<Arc<Self>> {
        let waiting = waiting().sessions.get_mut(&kind).and_then(Vec::pop);
        waiting.map_or_else(|| Self::start(kind).map(Arc::new), Ok)
    }

    fn start(kind: Kind) -> Result<Self> {
        let driver = driver()?;
        let profile = fast_folder()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let Value::Object(capabilities) = capabilities(&profile, kind) else {
            bail!("the capabilities are no object")
        };
        let address = format!("http://127.0.0.1:{}", driver.port);
        let client = runtime.block_on(
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&address),
        )?;
        Ok(Self { client, runtime, kind, _driver: driver, _profile: profile })
    }

    /// Leaves the page, and has the browser wait for the next test; not after a test that failed.
    pub fn hand_on(self: &Arc<Self>) {
        let blank = self.runtime.block_on(self.client.goto("about:blank"));
        if blank.is_ok() && !thread::panicking() {
            waiting().sessions.entry(self.kind).or_default().push(Arc::clone(self));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The driver ends the browser with the session.
        if let Err(error) = self.runtime.block_on(self.client.clone().close()) {
            eprintln!("a browser did not end: {error}");
        }
    }
}

/// Starts the driver. It chooses a port that is free for IPv4, and ends if that is taken for IPv6; then another one
/// is free.
fn driver() -> Result<Program> {
    let start = || {
        let mut command = Command::new("chromedriver");
        Program::start(command.arg("--port=0"), "successfully on port ", ".")
    };
    (1..ATTEMPTS).find_map(|_| start().ok()).map_or_else(start, Ok)
}

fn capabilities(profile: &TempDir, kind: Kind) -> Value {
    let mut options: Vec<String> = OPTIONS.map(str::to_owned).to_vec();
    options.push(format!("--user-data-dir={}", profile.path().display()));
    let mut chromium = json!({});
    match kind {
        Kind::Usual => {}
        Kind::Dark => options.push("--force-dark-mode".to_owned()),
        Kind::WithoutScript => {
            chromium["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        Kind::Phone => {
            let screen = json!({ "width": 390, "height": 844, "pixelRatio": 3, "mobile": true });
            chromium["mobileEmulation"] = json!({ "deviceMetrics": screen });
        }
    }
    chromium["args"] = json!(options);
    let deadline = DEADLINE.as_millis() as u64;
    json!({
        "browserName": "chrome",
        "timeouts": { "script": deadline, "pageLoad": deadline },
        "goog:chromeOptions": chromium,
    })
}
