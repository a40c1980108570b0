//! A browser with a profile of its own, driven as a person does: by what is on the page.

use std::future::Future;
use std::sync::Arc;

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::cookies::Cookie;
use fantoccini::error::CmdError;
use serde_json::Value;
use support::deadline::wait_until;

use super::session::{Kind, Session, Use};

pub struct Browser {
    session: Arc<Session>,
    origin: String,
    // Ends after the session was handed on.
    _use: Use,
}

impl Browser {
    /// Opens a browser for the console at this address. Nobody has signed in.
    pub fn open(origin: &str, kind: Kind) -> Result<Self> {
        let _use = Use::begin();
        let browser = Self { session: Session::of_kind(kind)?, origin: origin.to_owned(), _use };
        // Another test may have used this browser. Cookies belong to a host, and are found from any of its ports.
        browser.visit("/sign-in")?;
        browser.wait(browser.session.client.delete_all_cookies())?;
        Ok(browser)
    }

    fn wait<T, E>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Ok(self.session.runtime.block_on(answer)?)
    }

    pub fn visit(&self, path: &str) -> Result<()> {
        self.wait(self.session.client.goto(&format!("{}{path}", self.origin)))
    }

    /// Loads an address that is not the console's.
    pub fn visit_elsewhere(&self, address: &str) -> Result<()> {
        self.wait(self.session.client.goto(address))
    }

    /// Takes a cookie of the page that is shown.
    pub fn take(&self, cookie: String) -> Result<()> {
        let mut cookie = Cookie::parse(cookie)?;
        cookie.set_domain("127.0.0.1");
        self.wait(self.session.client.add_cookie(cookie))
    }

    /// Signs in as a person does.
    pub fn sign_in(&self, role: &str) -> Result<()> {
        self.visit("/sign-in")?;
        self.fill("#role", role)?;
        self.fill("#password", "secret")?;
        self.press("Sign in")
    }

    /// The path of the page that is shown.
    pub fn path(&self) -> Result<String> {
        Ok(self.wait(self.session.client.current_url())?.path().to_owned())
    }

    pub fn title(&self) -> Result<String> {
        self.wait(self.session.client.title())
    }

    /// Types a text into a field.
    pub fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.wait(self.session.client.find(Locator::Css(selector)));
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
            let page = self.wait(self.session.client.find(Locator::Css("html")))?;
            self.wait(self.wait(self.session.client.find(place))?.click())?;
            Ok(page)
        })?;
        wait_until("the page goes", || Ok(self.wait(page.tag_name()).is_err()))?;
        wait_until("the next page comes", || {
            Ok(self.wait(self.session.client.find(Locator::Css("main"))).is_ok())
        })
    }

    /// The texts of all elements.
    fn texts(&self, selector: &str) -> Result<Vec<String>> {
        self.steadily(|| {
            let elements = self.wait(self.session.client.find_all(Locator::Css(selector)))?;
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
        self.wait(self.session.client.execute(&format!("return {expression};"), Vec::new()))
    }

    /// The value that a script hands to its last argument, a function.
    pub fn evaluate_later(&self, script: &str) -> Result<Value> {
        self.wait(self.session.client.execute_async(script, Vec::new()))
    }

    /// The visible part of the page, as a PNG file.
    pub fn picture(&self) -> Result<Vec<u8>> {
        self.wait(self.session.client.screenshot())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session.hand_on();
    }
}
