//! Programs that pay for calls from a budget are killed at every statement, as the workers in `lines` are. They are
//! scripts of psql. Some come back and do the same again under the same keys, others never do.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use support::deadline::wait_until;
use support::roles;

use crate::place::Place;
use crate::wire::{self, Cut, KILL, Moment, Wire};

/// A way to pay for a call. Statements count from 1.
struct Way {
    about: &'static str,
    /// It names itself by `:key`, and its budget by `:subject`.
    script: &'static str,
    /// The last one spends what is reserved, or gives it back.
    statements: usize,
    /// The USD that it reserves, and the statement after which they are reserved.
    reserves: Option<(&'static str, usize)>,
    /// The USD that it spends.
    spends: Option<&'static str>,
    records: bool,
    /// Whether its first reservation is refused, so that a human is asked.
    is_refused: bool,
    /// Whether it may come back: a reservation that was released cannot be made again.
    comes_back: bool,
}

/// One that is killed after it has paid must not call again: the reservation is refused, because it is settled. So each
/// looks first.
macro_rules! unless {
    ($paid:literal, $script:literal) => {
        concat!(
            "SELECT NOT EXISTS (",
            $paid,
            ") AS is_due \\gset\n\\if :is_due\n",
            $script,
            "\n\\endif\n"
        )
    };
}

const PLAIN: Way = Way {
    about: "",
    script: "",
    statements: 3,
    reserves: Some(("0.4", 2)),
    spends: Some("0.3"),
    records: true,
    is_refused: false,
    comes_back: true,
};

/// The budget of each program has a limit of 1 USD.
const WAYS: &[Way] = &[
    Way {
        about: "reserves, and records the call",
        script: unless!(
            "SELECT FROM orchestrator.llm_token_usage WHERE call_id = :'key'",
            "SELECT FROM orchestrator.reserve_budget(0.4, subject => :'subject', reservation_id => :'key');
             SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 0.3, subject => :'subject', call_id => :'key', reservation_id => :'key');"
        ),
        ..PLAIN
    },
    Way {
        about: "reserves, and settles",
        script: unless!(
            "SELECT FROM orchestrator.budget_holds WHERE reservation_id = :'key' AND state = 'settled'",
            "SELECT FROM orchestrator.reserve_budget(0.4, subject => :'subject', reservation_id => :'key');
             SELECT FROM orchestrator.settle_budget(:'key', 0.3);"
        ),
        records: false,
        ..PLAIN
    },
    Way {
        about: "records the call together with its effect",
        script: unless!(
            "SELECT FROM orchestrator.llm_token_usage WHERE call_id = :'key'",
            "BEGIN;
             SELECT FROM orchestrator.reserve_budget(0.4, subject => :'subject', reservation_id => :'key');
             COMMIT;
             BEGIN;
             INSERT INTO effects (worker) VALUES (:'key');
             SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 0.3, subject => :'subject', call_id => :'key', reservation_id => :'key');
             COMMIT;"
        ),
        statements: 8,
        reserves: Some(("0.4", 4)),
        ..PLAIN
    },
    Way {
        about: "records a call without a reservation, and may repeat it",
        script: "SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 0.3, subject => :'subject', call_id => :'key');",
        statements: 1,
        reserves: None,
        ..PLAIN
    },
    Way {
        about: "is refused, gets approval, and records the call",
        script: unless!(
            "SELECT FROM orchestrator.llm_token_usage WHERE call_id = :'key'",
            "SELECT FROM orchestrator.reserve_budget(7, subject => :'subject', reservation_id => :'key');
             SELECT FROM orchestrator.gates AS g, orchestrator.decide(g.id, 'approve', 'ada') WHERE g.status = 'pending';
             SELECT FROM orchestrator.reserve_budget(7, subject => :'subject', reservation_id => :'key');
             SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 7, subject => :'subject', call_id => :'key', reservation_id => :'key');"
        ),
        statements: 5,
        reserves: Some(("7", 4)),
        spends: Some("7"),
        is_refused: true,
        ..PLAIN
    },
    Way {
        about: "reserves, and releases",
        script: "SELECT FROM orchestrator.reserve_budget(0.4, subject => :'subject', reservation_id => :'key');
             SELECT orchestrator.release_budget(:'key');",
        statements: 2,
        reserves: Some(("0.4", 1)),
        spends: None,
        records: false,
        comes_back: false,
        ..PLAIN
    },
];

#[test]
fn a_program_that_pays_may_die_at_any_line() -> Result<()> {
    let mut stage = Stage::new()?;
    for way in WAYS {
        ensure!(
            stage.play(way, None)? == way.statements,
            "the statements of one that {}",
            way.about
        );
        for cut in (1..=way.statements).flat_map(|n| [(n, Moment::Before), (n, Moment::Unheard)]) {
            stage.play(way, Some(Death { cut, comes_back: false }))?;
            if way.comes_back {
                stage.play(way, Some(Death { cut, comes_back: true }))?;
            }
        }
    }
    println!("{} plays", stage.plays);
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Death {
    cut: Cut,
    comes_back: bool,
}

impl Way {
    /// What a budget has spent and reserved after a number of statements.
    fn sums_after(&self, statements: usize) -> (&'static str, &'static str) {
        let is_over = statements >= self.statements;
        let spent = self.spends.filter(|_| is_over);
        let reserved = self.reserves.filter(|(_, first)| !is_over && statements >= *first);
        (spent.unwrap_or("0"), reserved.map_or("0", |(usd, _)| usd))
    }
}

struct Stage {
    place: Place,
    role: String,
    plays: usize,
}

impl Stage {
    fn new() -> Result<Self> {
        let mut place = Place::new("payers")?;
        let role = roles::name(&place.database, "admin");
        place.client.execute("SELECT orchestrator.set_budget(1000000, 'total')", &[])?;
        Ok(Self { place, role, plays: 0 })
    }

    /// One payment from its beginning to its end; the program dies in the middle of it, if that is wanted. Returns the
    /// number of statements that it began.
    fn play(&mut self, way: &Way, death: Option<Death>) -> Result<usize> {
        // Shown if an assertion fails.
        println!("{}, killed: {death:?}", way.about);
        self.perform(way, death).with_context(|| format!("{}, killed: {death:?}", way.about))
    }

    fn perform(&mut self, way: &Way, death: Option<Death>) -> Result<usize> {
        const BUDGET: &str = "SELECT orchestrator.set_budget(1, 'total', subject => $1)";
        self.plays += 1;
        self.place.client.execute(BUDGET, &[&self.subject()])?;
        let before = self.sums(None)?;
        let wire = Wire::new(&self.place.database, death.map(|death| death.cut))?;
        let mut program = self.start(&wire, way)?;
        let mut done = way.statements;
        if let Some(Death { cut: (statement, moment), comes_back }) = death {
            wait_until("the cut", || {
                ensure!(program.try_wait()?.is_none(), "the program ended before the cut");
                Ok(wire.is_cut())
            })?;
            program.kill()?;
            ensure!(program.wait()?.signal() == Some(KILL), "the program was killed");
            self.place.until_gone(&self.role)?;
            if comes_back {
                let again = Wire::new(&self.place.database, None)?;
                let program = self.start(&again, way)?;
                self.end(program)?;
            } else {
                done = if moment == Moment::Unheard { statement } else { statement - 1 };
            }
        } else {
            self.end(program)?;
        }
        let (spent, reserved) = way.sums_after(done);
        self.assert_sums(&before, spent, reserved)?;
        self.assert_questions(way, done)?;
        self.expire()?;
        self.assert_sums(&before, spent, "0")?;
        Ok(wire.statements())
    }

    fn subject(&self) -> String {
        format!("play {}", self.plays)
    }

    fn start(&self, wire: &Wire, way: &Way) -> Result<Child> {
        let key = format!("key={:032}", self.plays);
        let mut program = self
            .place
            .database
            .command("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", &key])
            .args(["-v", &format!("subject={}", self.subject())])
            .args(["-U", &self.role, "-d", self.place.database.name()])
            .env("PGHOST", wire.socket_folder())
            .env("PGPORT", wire::PORT.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut input = program.stdin.take().context("the input of psql")?;
        input.write_all(way.script.as_bytes())?;
        Ok(program)
    }

    fn end(&mut self, mut program: Child) -> Result<()> {
        let status = program.wait()?;
        ensure!(status.success(), "psql ended with {status}");
        self.place.until_gone(&self.role)
    }

    /// What was spent and reserved from the budget with a subject, or from that of all calls.
    fn sums(&mut self, subject: Option<&str>) -> Result<(String, String)> {
        const SUMS: &str = "SELECT coalesce(sum(w.spent), 0)::text, coalesce(sum(w.reserved), 0)::text \
            FROM orchestrator.budgets AS b JOIN orchestrator.budget_windows AS w ON w.budget_id = b.id WHERE b.subject IS NOT DISTINCT FROM $1";
        let row = self.place.client.query_one(SUMS, &[&subject])?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// Fails unless both budgets of a program have spent and reserved so much since it began.
    fn assert_sums(
        &mut self,
        before: &(String, String),
        spent: &str,
        reserved: &str,
    ) -> Result<()> {
        const EQUAL: &str = "SELECT $1::text::numeric = $2::text::numeric + $3::text::numeric";
        let subject = self.subject();
        let nothing = ("0".to_owned(), "0".to_owned());
        for (subject, before) in [(Some(subject.as_str()), &nothing), (None, before)] {
            let after = self.sums(subject)?;
            for (what, after, before, more) in
                [("spent", &after.0, &before.0, spent), ("reserved", &after.1, &before.1, reserved)]
            {
                let row = self.place.client.query_one(EQUAL, &[after, before, &more])?;
                let is_equal: bool = row.try_get(0)?;
                assert!(is_equal, "{subject:?}: {what} {after}, not {before} and {more}");
            }
        }
        Ok(())
    }

    /// Fails unless a human was asked once if the program was refused, and its calls are recorded once.
    fn assert_questions(&mut self, way: &Way, done: usize) -> Result<()> {
        const FACTS: &str = "SELECT (SELECT count(*) FROM orchestrator.gates AS g WHERE g.context ->> 'subject' = $1), \
            (SELECT count(*) FROM orchestrator.llm_token_usage AS u WHERE u.subject = $1)";
        let row = self.place.client.query_one(FACTS, &[&self.subject()])?;
        let facts: (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let asked = way.is_refused && done >= 2;
        let recorded = way.records && done >= way.statements;
        assert_eq!(facts, (asked.into(), recorded.into()), "questions and recorded calls");
        Ok(())
    }

    /// Lets every reservation expire; the next one takes back what they held.
    fn expire(&mut self) -> Result<()> {
        const EXPIRE: &str =
            "UPDATE orchestrator.budget_holds SET expires_at = '2000-01-01' WHERE state = 'held'";
        const NEXT: &str = "SELECT orchestrator.release_budget(r.reservation_id) FROM orchestrator.reserve_budget(0, subject => $1) AS r";
        self.place.client.execute(EXPIRE, &[])?;
        self.place.client.execute(NEXT, &[&self.subject()])?;
        Ok(())
    }
}
