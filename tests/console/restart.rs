//! The server is really restarted under an open page, and stops for a while.

use anyhow::Result;
use support::deadline::wait_until;
use xtask::cluster::{Cluster, Settings};
use xtask::console;
use xtask::machine::program::Program;

use super::browser::Browser;
use super::program::path;
use super::scene;
use super::session::Kind;

const DATABASE: &str = "work";

/// A server of its own with a reviewer, and a console on it.
struct Place {
    // The console ends before its server.
    console: Program,
    server: Cluster,
}

impl Place {
    fn new(options: &[&str]) -> Result<Self> {
        let server = Cluster::start(support::server()?.pg_config(), &Settings::default())?;
        server.create_database(DATABASE)?;
        let mut client = server.connect(DATABASE)?;
        client.batch_execute(
            "CREATE EXTENSION orchestrator_schema; CREATE ROLE rosa LOGIN; \
             SELECT orchestrator.grant_access('rosa', 'reviewer')",
        )?;
        let program = path("ORCHESTRATOR_CONSOLE")?;
        let console = console::start(program, &server, DATABASE, options)?;
        let place = Self { console, server };
        place.ask("t1", "May it go on?")?;
        Ok(place)
    }

    fn ask(&self, thread: &str, reason: &str) -> Result<()> {
        scene::ask(&mut self.server.connect(DATABASE)?, thread, reason).map(drop)
    }

    fn browser(&self) -> Result<Browser> {
        Browser::open(&format!("http://127.0.0.1:{}", self.console.port), Kind::Usual)
    }
}

/// Waits until an open page says nothing about an outage any more.
fn wait_until_current(browser: &Browser) -> Result<()> {
    let is_current = "document.querySelector('#away').hidden";
    wait_until("the page is current", || Ok(browser.evaluate(is_current)? == true))
}

#[test]
fn an_open_page_says_that_the_server_was_restarted_and_leads_back() -> Result<()> {
    let place = Place::new(&[])?;
    let browser = place.browser()?;
    browser.sign_in("rosa")?;
    browser.wait_for("May it go on?")?;

    place.server.restart()?;
    browser.wait_for("The database has ended the connection. This page tries again.")?;
    assert!(browser.text()?.contains("May it go on?"), "the content stays");
    browser.follow("Sign in again")?;
    browser.fill("#role", "rosa")?;
    browser.press("Sign in")?;
    browser.wait_for("1 open question")?;
    place.ask("t2", "And this one?")?;
    browser.wait_for("And this one?")
}

#[test]
fn nobody_can_sign_in_while_the_server_is_stopped() -> Result<()> {
    let place = Place::new(&[])?;
    let browser = place.browser()?;
    browser.visit("/sign-in")?;
    place.server.stop()?;
    browser.sign_in("rosa")?;
    assert_eq!(browser.heading()?, "The database cannot be reached.");
    // The page leads back by itself, because nothing was written that could be lost.
    wait_until("the sign-in", || Ok(browser.heading().is_ok_and(|shown| shown == "Sign in")))?;
    place.server.restart()?;
    browser.sign_in("rosa")?;
    browser.wait_for("May it go on?")
}

/// Without a sign-in every page comes back by itself: the one that is open, and the one that could not be loaded.
#[test]
fn pages_without_a_sign_in_come_back_with_the_server() -> Result<()> {
    let place = Place::new(&["--as-role", "rosa"])?;
    let (open, other) = (place.browser()?, place.browser()?);
    open.visit("/")?;
    open.wait_for("May it go on?")?;
    open.evaluate("window.isTheSamePage = true")?;

    place.server.stop()?;
    open.wait_for("This page tries again.")?;
    assert!(open.text()?.contains("May it go on?"), "the content stays");
    other.visit("/runs?thread=t1")?;
    assert_eq!(other.heading()?, "The database cannot be reached.");

    place.server.restart()?;
    wait_until_current(&open)?;
    wait_until("the runs", || Ok(other.heading().is_ok_and(|shown| shown == "Runs")))?;
    assert_eq!(other.evaluate("location.search")?, "?thread=t1");
    place.ask("t2", "And this one?")?;
    open.wait_for("And this one?")?;
    assert_eq!(open.evaluate("window.isTheSamePage")?, true, "the page was not loaded again");
    Ok(())
}
