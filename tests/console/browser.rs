//! A browser with a profile of its own, driven as a person does: by what is on the page.

use std::future::Future;
use std::process::Command;

use anyhow::{Context, Result, bail};
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use support::deadline::{DEADLINE, wait_until};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use xtask::machine::program::Program;

/// How the browser shows pages.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Usual,
    /// Its user prefers dark pages.
    Dark,
    /// No page runs a script.
    WithoutScript,
    /// The screen of a phone.
    Phone,
}

/// The options of every browser: no window, no traffic of its own, and nothing that a container lacks.
const OPTIONS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1200,900",
    "--force-device-scale-factor=1",
];

/// How often the driver is started until it has a port.
const ATTEMPTS: u32 = 10;

pub struct Browser {
    client: Client,
    runtime: Runtime,
    origin: String,
    // These end in this order, after the session.
    _driver: Program,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser for the console at this address.
    pub fn open(origin: &str, kind: Kind) -> Result<Self> {
        let driver = driver()?;
        let profile = tempfile::tempdir()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let Value::Object(capabilities) = capabilities(&profile, kind) else {
            bail!("the capabilities are no object")
        };
        let address = format!("http://127.0.0.1:{}", driver.port);
        let client = runtime.block_on(
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&address),
        )?;
        let origin = origin.to_owned();
        Ok(Self { client, runtime, origin, _driver: driver, _profile: profile })
    }

    fn wait<T, E>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Ok(self.runtime.block_on(answer)?)
    }

    pub fn visit(&self, path: &str) -> Result<()> {
        self.wait(self.client.goto(&format!("{}{path}", self.origin)))
    }

    /// Loads an address that is not the console's.
    pub fn visit_elsewhere(&self, address: &str) -> Result<()> {
        self.wait(self.client.goto(address))
    }

    pub fn sign_in(&self, role: &str) -> Result<()> {
        self.visit("/sign-in")?;
        self.fill("#role", role)?;
        self.fill("#password", "secret")?;
        self.press("Sign in")
    }

    /// The path of the page that is shown.
    pub fn path(&self) -> Result<String> {
        Ok(self.wait(self.client.current_url())?.path().to_owned())
    }

    pub fn title(&self) -> Result<String> {
        self.wait(self.client.title())
    }

    /// Types a text into a field.
    pub fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.wait(self.client.find(Locator::Css(selector)));
        let field = field.with_context(|| format!("no field {selector}"))?;
        self.wait(field.clear())?;
        self.wait(field.send_keys(text))
    }

    /// Presses the button with this text.
    pub fn press(&self, text: &str) -> Result<()> {
        let path = format!("//button[normalize-space()='{text}']");
        self.leave_by(Locator::XPath(&path)).with_context(|| format!("button {text:?}"))
    }

    /// Follows the link with this text.
    pub fn follow(&self, text: &str) -> Result<()> {
        self.leave_by(Locator::LinkText(text)).with_context(|| format!("link {text:?}"))
    }

    /// Clicks on something that leads to another page, and waits for that page.
    fn leave_by(&self, place: Locator<'_>) -> Result<()> {
        let page = self.steadily(|| {
            let page = self.wait(self.client.find(Locator::Css("html")))?;
            self.wait(self.wait(self.client.find(place))?.click())?;
            Ok(page)
        })?;
        wait_until("the page goes", || Ok(self.wait(page.tag_name()).is_err()))?;
        wait_until("the next page comes", || {
            Ok(self.wait(self.client.find(Locator::Css("main"))).is_ok())
        })
    }

    /// The texts of all elements.
    fn texts(&self, selector: &str) -> Result<Vec<String>> {
        self.steadily(|| {
            let elements = self.wait(self.client.find_all(Locator::Css(selector)))?;
            elements.iter().map(|element| self.wait(element.text())).collect()
        })
    }

    /// Repeats a look at the page that its script replaced in the middle.
    fn steadily<T>(&self, look: impl Fn() -> Result<T>) -> Result<T> {
        let mut seen = None;
        wait_until("a look at the page", || match look() {
            Err(error)
                if error.downcast_ref().is_some_and(CmdError::is_stale_element_reference) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
            Ok(found) => {
                seen = Some(found);
                Ok(true)
            }
        })?;
        seen.context("nothing was seen")
    }

    /// The buttons of the page itself, in their order.
    pub fn buttons(&self) -> Result<Vec<String>> {
        self.texts("main button:not([hidden])")
    }

    /// The first heading.
    pub fn heading(&self) -> Result<String> {
        Ok(self.texts("h1")?.into_iter().next().unwrap_or_default())
    }

    /// The text of the page itself, as a person sees it.
    pub fn text(&self) -> Result<String> {
        Ok(self.texts("main")?.concat())
    }

    /// Waits until a page has this text. A page may be replaced while it is looked at.
    pub fn wait_for(&self, text: &str) -> Result<()> {
        wait_until(&format!("{text:?} on the page"), || {
            Ok(self.text().is_ok_and(|shown| shown.contains(text)))
        })
    }

    /// The value of an expression of JavaScript.
    pub fn evaluate(&self, expression: &str) -> Result<Value> {
        self.wait(self.client.execute(&format!("return {expression};"), Vec::new()))
    }

    /// The value that a script hands to its last argument, a function.
    pub fn evaluate_later(&self, script: &str) -> Result<Value> {
        self.wait(self.client.execute_async(script, Vec::new()))
    }

    /// The visible part of the page, as a PNG file.
    pub fn picture(&self) -> Result<Vec<u8>> {
        self.wait(self.client.screenshot())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with the session.
        if let Err(error) = self.wait(self.client.clone().close()) {
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
