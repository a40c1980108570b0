//! The inbox of the console while many people have it open.

use std::cell::RefCell;
use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use postgres::Client;
use postgres::types::{ToSql, Type};

use crate::address::{execute, explain, query};
use crate::bench::browser::Browser;
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, median, timed};
use crate::bench::questions;
use crate::console::{self, Build};

pub const CASE: Case = Case {
    name: "console",
    title: "The console's inbox",
    about: "The first byte of the inbox, which shows 50 questions, the number of all, and the roles that are asked. Each \
            person has signed in with a password, and has the inbox and its stream of announcements open. The baseline is the \
            queries of the page over a connection of the same person; the page also asks whether the role may still log in. \
            *Rows* is the number of open questions, all under a rule with a time for the answer. *After a decision* every \
            browser loads the inbox again at once, as soon as it hears of it: the time of a page, and the time from the \
            decision until the last person has the page with the new number. The second baseline is the queries of everybody \
            at once. The scale has the connections that the console then holds.",
    needs: &["pending_decisions", "set_decision_rule"],
    run,
};

/// The reviewers who have the inbox open.
const PEOPLE: usize = 200;

const PASSWORD: &str = "secret";

/// The pages that are loaded in each round, one after the other.
const LOADS: usize = 20;

/// The statements of the page.
const QUERIES: [&str; 3] = [
    include_str!("../../../../console/src/pages/inbox.sql"),
    include_str!("../../../../console/src/pages/inbox_count.sql"),
    include_str!("../../../../console/src/pages/inbox_roles.sql"),
];

/// Terms for every question.
const RULES: &str = "
    SELECT orchestrator.set_decision_rule(kind, respond_within => '1 day', on_timeout => 'reject')
    FROM unnest('{review,gate,approval}'::text[]) AS kind";

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["its queries", "everybody's queries at once"]);
    let program = console::build(&bench.toolchain, Build::Release)?;
    for size in bench.sizes(&[10_000]) {
        // Each person has a connection of the console, and another one for the baseline.
        let bench = bench.with_passwords(2 * PEOPLE)?;
        let database = prepared(&bench, size)?;
        let options = ["--sessions", &PEOPLE.to_string()];
        let console = console::start(&program, &bench.cluster, &database.name, &options)?;
        let reviewers = Reviewers {
            database: &database,
            browsers: RefCell::default(),
            clients: RefCell::default(),
        };
        for people in [1, PEOPLE] {
            reviewers.sign_in(console.port, people)?;
            let medians =
                in_turn(bench.rounds(), &[&|_| reviewers.first_byte(), &|_| reviewers.queries()])?;
            let scale = format!("{}, {}", case::rows(size), in_words(people));
            outcome.add("first byte", scale, &medians, Some(Target::Ratio(1.5)));
        }
        let scale = format!(
            "{}, {}, {}",
            case::rows(size),
            in_words(PEOPLE),
            case::connections(reviewers.connections()?)
        );
        let pages = RefCell::new(Vec::new());
        let decided = || {
            let (last, each) = reviewers.decided()?;
            pages.borrow_mut().push(each);
            Ok(last)
        };
        let medians = in_turn(
            bench.rounds(),
            &[&|_| decided(), &|_| reviewers.queries(), &|_| reviewers.everybodys_queries()],
        )?;
        let each = [median(pages.into_inner()), medians[1], medians[2]];
        outcome.add("page after a decision", scale.clone(), &each, None);
        outcome.add("last page after a decision", scale, &medians, None);
    }
    Ok(outcome)
}

/// A database with open questions, and with the reviewers.
fn prepared(bench: &Bench, questions: u64) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    execute(&mut client, RULES)?;
    questions::ask(&mut client, questions)?;
    for number in 1..=PEOPLE {
        let role = role(number);
        execute(
            &mut client,
            &format!(
                "CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; SELECT orchestrator.grant_access('{role}', 'reviewer')"
            ),
        )?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}

fn in_words(people: usize) -> String {
    if people == 1 { "1 person".to_owned() } else { format!("{people} people") }
}

fn role(number: usize) -> String {
    format!("reviewer_{number}")
}

/// The reviewers, each with a browser and with a connection for the baseline.
struct Reviewers<'a> {
    database: &'a Database,
    browsers: RefCell<Vec<Browser>>,
    clients: RefCell<Vec<Client>>,
}

impl Reviewers<'_> {
    /// Lets people sign in until there are that many.
    fn sign_in(&self, port: u16, people: usize) -> Result<()> {
        let (mut browsers, mut clients) = (self.browsers.borrow_mut(), self.clients.borrow_mut());
        for number in browsers.len() + 1..=people {
            let role = role(number);
            browsers.push(Browser::sign_in(port, &role, PASSWORD)?);
            clients.push(self.database.connect_with(&role, PASSWORD)?);
        }
        Ok(())
    }

    /// The median time until the first byte of the inbox.
    fn first_byte(&self) -> Result<Duration> {
        let mut browsers = self.browsers.borrow_mut();
        let people = browsers.len();
        let times = (0..LOADS).map(|load| Ok(browsers[load % people].load("/")?.first_byte));
        Ok(median(times.collect::<Result<_>>()?))
    }

    /// The median time of the queries of the inbox, with the same roles.
    fn queries(&self) -> Result<Duration> {
        let mut clients = self.clients.borrow_mut();
        let people = clients.len();
        let times = (0..LOADS).map(|load| timed(|| queries(&mut clients[load % people])));
        Ok(median(times.collect::<Result<_>>()?))
    }

    /// The time from the first of everybody's queries to the end of the last, if all of them begin at once. Each thread reads
    /// the clock itself: one that is not at work yet may wait long for a core.
    fn everybodys_queries(&self) -> Result<Duration> {
        let mut clients = self.clients.borrow_mut();
        let barrier = Barrier::new(clients.len());
        thread::scope(|scope| {
            let barrier = &barrier;
            let threads: Vec<_> = clients
                .iter_mut()
                .map(|client| {
                    scope.spawn(move || -> Result<(Instant, Instant)> {
                        barrier.wait();
                        let start = Instant::now();
                        queries(client)?;
                        Ok((start, Instant::now()))
                    })
                })
                .collect();
            let times = threads.into_iter().map(joined).collect::<Result<Result<Vec<_>>>>()??;
            let first = times.iter().map(|(start, _)| *start).min().context("nobody is there")?;
            let last = times.iter().map(|(_, end)| *end).max().context("nobody is there")?;
            Ok(last - first)
        })
    }

    /// Decides a question, upon which every browser loads the inbox again. Returns the time until the last one has the page
    /// with the new number, and the median time of a page.
    fn decided(&self) -> Result<(Duration, Duration)> {
        let mut client = self.database.connect()?;
        let open = count(&mut client, "orchestrator.pending_decisions")?;
        // The number is an element of its own.
        let left = format!(">{}<", open - 1);
        let mut browsers = self.browsers.borrow_mut();
        let barrier = Barrier::new(browsers.len() + 1);
        thread::scope(|scope| {
            let (barrier, left) = (&barrier, &left);
            let threads: Vec<_> = browsers
                .iter_mut()
                .map(|browser| {
                    scope.spawn(move || -> Result<Duration> {
                        barrier.wait();
                        browser.announced()?;
                        let start = Instant::now();
                        if !browser.load("/")?.text.contains(left) {
                            bail!("the page after the decision does not have the number {left}");
                        }
                        Ok(start.elapsed())
                    })
                })
                .collect();
            barrier.wait();
            let start = Instant::now();
            execute(&mut client, DECIDE)?;
            let pages = threads.into_iter().map(joined).collect::<Result<Result<_>>>()??;
            Ok((start.elapsed(), median(pages)))
        })
    }

    /// The connections that the console holds.
    fn connections(&self) -> Result<usize> {
        let mut client = self.database.connect()?;
        count(&mut client, "pg_stat_activity WHERE application_name = 'orchestrator-console'")
    }
}

/// The newest gate, which is not on the first page.
const DECIDE: &str = "
    SELECT orchestrator.decide((SELECT id FROM orchestrator.gates WHERE status = 'pending' ORDER BY created_at DESC LIMIT 1), 'approve', 'lead', 'go on')";

/// The queries of the first page without a filter, prepared each time as the console does. Each parameter is null.
fn queries(client: &mut Client) -> Result<()> {
    for sql in QUERIES {
        let parameters = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
        let values: Vec<&(dyn ToSql + Sync)> = vec![&None::<&str>; parameters];
        client
            .prepare_typed(sql, &vec![Type::TEXT; parameters])
            .and_then(|statement| client.query(&statement, &values))
            .map_err(|error| anyhow!("{}", explain(&error)))?;
    }
    Ok(())
}

fn count(client: &mut Client, relation: &str) -> Result<usize> {
    let rows = query(client, &format!("SELECT count(*) FROM {relation}"))?;
    let count: i64 = rows.first().context("no count")?.try_get(0)?;
    Ok(usize::try_from(count)?)
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a person's thread panicked"))
}
