//! Databases in five encodings. In each, the extension installs and walks with rows, and a function
//! that receives a character it cannot read fails with that reason and changes nothing.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::extension::{differences, go_to, versions};
use support::snapshot::{Rows, assert_same_rows, rows};
use xtask::chain::Version;
use xtask::checks::cases;
use xtask::machine::project::Project;

/// An encoding of the server, and characters that it can hold.
struct Encoding {
    name: &'static str,
    letters: [char; 3],
}

const ENCODINGS: [Encoding; 5] = [
    Encoding { name: "UTF8", letters: ['\u{e9}', '\u{65e5}', '\u{1f600}'] },
    Encoding { name: "LATIN1", letters: ['\u{e9}', '\u{fc}', '\u{df}'] },
    Encoding { name: "WIN1251", letters: ['\u{436}', '\u{44f}', '\u{416}'] },
    Encoding { name: "EUC_JP", letters: ['\u{65e5}', '\u{672c}', '\u{3042}'] },
    Encoding { name: "EUC_KR", letters: ['\u{d55c}', '\u{ad6d}', '\u{c5b4}'] },
];

impl Encoding {
    fn database(&self) -> Result<Database> {
        Database::create_with(
            "encoding",
            &format!("ENCODING '{}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", self.name),
        )
    }

    /// The text with its letters replaced by letters of the encoding.
    fn spelled(&self, text: &str) -> String {
        text.chars()
            .map(|letter| match letter.is_ascii() {
                true => letter,
                false => self.letters[letter as usize % self.letters.len()],
            })
            .collect()
    }

    /// Inserts the rows of a version's fixture. If a function of the extension refuses the text in
    /// this encoding, inserts the rows in ASCII instead. Returns whether that was necessary.
    fn fill(&self, client: &mut Client, version: Version) -> Result<bool> {
        let folder = Project::find()?.root().join("tests").join("fixtures");
        let Ok(fixture) = fs::read_to_string(folder.join(format!("{version}.sql"))) else {
            return Ok(false);
        };
        let Err(error) = client.batch_execute(&self.spelled(&fixture)) else { return Ok(false) };
        self.assert_refused_for_its_text(&error, &format!("the fixture of {version}"));
        let ascii: String =
            fixture.chars().map(|letter| if letter.is_ascii() { letter } else { 'x' }).collect();
        client.batch_execute(&ascii).with_context(|| format!("{version} in {}", self.name))?;
        Ok(true)
    }

    fn assert_refused_for_its_text(&self, error: &Error, what: &str) {
        let name = self.name;
        assert_eq!(
            error.code(),
            Some(&SqlState::FEATURE_NOT_SUPPORTED),
            "{what}, {name}: {error:?}"
        );
        let error = error.as_db_error().expect("the server raised the error");
        let message =
            format!("text that is not ASCII cannot be read in a database with encoding {name}");
        assert_eq!(error.message(), message, "{what}");
        assert!(error.hint().is_some_and(|hint| hint.contains("ENCODING 'UTF8'")), "{what}");
    }
}

/// Every row in the schema and in the archive.
fn all_rows(client: &mut Client) -> Result<Rows> {
    let mut found = rows(client)?;
    found.retain(|_, rows| !rows.is_empty());
    Ok(found)
}

/// Walks up with rows in every version, down, and up again. No row changes, and verify() finds no
/// difference.
fn walks(encoding: &Encoding, client: &mut Client) -> Result<()> {
    let name = encoding.name;
    let verified = cases::chosen(versions()?, 5);
    for version in versions()? {
        go_to(client, version).with_context(|| name)?;
        let refused = encoding.fill(client, version)?;
        assert!(!refused || name != "UTF8", "{version}");
        if verified.contains(&version) {
            assert_eq!(differences(client)?, [""; 0], "verify() at {version} in {name}");
        }
    }
    let expected = all_rows(client)?;
    let holds = |rows: &String| encoding.letters.iter().any(|letter| rows.contains(*letter));
    let foreign = expected.values().flatten().filter(|rows| holds(rows)).count();
    assert!(foreign > 10, "{name}: {foreign} rows are not ASCII");
    let (down, up) = (versions()?.into_iter().rev().skip(1), versions()?.into_iter().skip(1));
    for version in down.chain(up) {
        go_to(client, version).with_context(|| name)?;
    }
    assert_same_rows(&format!("down and up in {name}"), &expected, &all_rows(client)?);
    assert_eq!(differences(client)?, [""; 0], "verify() in {name}");
    Ok(())
}

/// A function's name, with the types of its arguments.
type Function = (String, Vec<String>);

fn functions(client: &mut Client) -> Result<Vec<Function>> {
    let rows = client.query(
        "SELECT p.proname::text, coalesce((SELECT array_agg(format_type(t.oid, NULL) ORDER BY t.place) \
                FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (oid, place)), '{}') \
         FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace \
           AND p.prorettype <> 'trigger'::regtype AND p.proname !~ '^(archive|restore)_(table|columns)$' \
         ORDER BY 1",
        &[],
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Ids of rows of every table.
fn ids(client: &mut Client) -> Result<Vec<String>> {
    let tables = client.query(
        "SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' \
           AND attname = 'id' AND atttypid = 'uuid'::regtype",
        &[],
    )?;
    let mut ids = Vec::new();
    for table in tables {
        let table: String = table.try_get(0)?;
        let rows = client.query(&format!("SELECT id::text FROM {table} LIMIT 1"), &[])?;
        for row in rows {
            ids.push(row.try_get(0)?);
        }
    }
    Ok(ids)
}

/// An argument of a type: a text with a letter that is not ASCII, or any value of another type.
fn argument(kind: &str, text: &str, id: &str) -> String {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', "''"));
    match kind {
        "text" => quoted(text),
        "text[]" => format!("ARRAY[{}]", quoted(text)),
        "jsonb" => quoted(&format!("{{\"{text}\": \"{text}\"}}")),
        "uuid" => quoted(id),
        "uuid[]" => format!("ARRAY[{}]::uuid[]", quoted(id)),
        "boolean" => "true".to_owned(),
        "interval" => "interval '3 days'".to_owned(),
        "date" | "timestamp with time zone" => "now()".to_owned(),
        "regrole" => "'orchestrator_nobody'::regrole".to_owned(),
        _ => "1".to_owned(),
    }
}

/// Words that pass the check of an argument, so that the call goes on.
const WORDS: [&str; 5] = ["routing", "approved", "completed", "json", "safety"];

/// No function fails with an internal error because of a letter.
fn answers(encoding: &Encoding, client: &mut Client) -> Result<()> {
    client.batch_execute(
            "DO $$ BEGIN CREATE ROLE orchestrator_nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        )?;
    let (functions, ids) = (functions(client)?, ids(client)?);
    let letters: String = encoding.letters.iter().collect();
    let (mut calls, mut refused) = (0, 0);
    for (name, kinds) in functions {
        let ids =
            if kinds.iter().any(|kind| kind.starts_with("uuid")) { &ids[..] } else { &ids[..1] };
        let mut made = BTreeSet::new();
        for id in ids {
            for word in WORDS.iter().copied().chain([letters.as_str()]) {
                let arguments: Vec<_> = kinds
                    .iter()
                    .enumerate()
                    .map(|(at, kind)| {
                        let text = if at % 2 == 0 { letters.as_str() } else { word };
                        argument(kind, text, id)
                    })
                    .collect();
                let call = format!("SELECT * FROM orchestrator.{name}({})", arguments.join(", "));
                // The words change no call without a text at their places.
                if !made.insert(call.clone()) {
                    continue;
                }
                let mut transaction = client.transaction()?;
                let outcome = transaction.simple_query(&call);
                transaction.rollback()?;
                calls += 1;
                let Err(error) = outcome else { continue };
                let error_text = format!("{}: {call}: {error:?}", encoding.name);
                assert_ne!(error.code(), Some(&SqlState::INTERNAL_ERROR), "{error_text}");
                if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) {
                    assert_ne!(encoding.name, "UTF8", "{error_text}");
                    encoding.assert_refused_for_its_text(&error, &call);
                    refused += 1;
                }
            }
        }
    }
    assert!(calls > 500, "{calls} calls");
    assert_eq!(refused > 0, encoding.name != "UTF8", "{}", encoding.name);
    assert_eq!(differences(client)?, [""; 0], "verify() in {}", encoding.name);
    Ok(())
}

fn holds_in(encoding: &Encoding) -> Result<()> {
    let database = encoding.database()?;
    let mut client = database.client()?;
    walks(encoding, &mut client)?;
    answers(encoding, &mut client)
}

#[test]
fn utf8() -> Result<()> {
    holds_in(&ENCODINGS[0])
}

#[test]
fn latin1() -> Result<()> {
    holds_in(&ENCODINGS[1])
}

#[test]
fn win1251() -> Result<()> {
    holds_in(&ENCODINGS[2])
}

#[test]
fn euc_jp() -> Result<()> {
    holds_in(&ENCODINGS[3])
}

#[test]
fn euc_kr() -> Result<()> {
    holds_in(&ENCODINGS[4])
}

/// A caller can catch the error, and it does not change later errors.
#[test]
fn the_error_can_be_caught_and_explains_itself_once() -> Result<()> {
    let latin = &ENCODINGS[1];
    let database = latin.database()?;
    let mut client = database.client()?;
    client.batch_execute(
        "CREATE EXTENSION orchestrator_schema; CREATE TABLE public.caught (state text, at serial)",
    )?;
    client.batch_execute(
        "DO $$ BEGIN
             FOR i IN 1 .. 3 LOOP
                 BEGIN
                     PERFORM orchestrator.open_gate(gen_random_uuid(), E'\u{e9}', 'manual', 'why');
                 EXCEPTION WHEN OTHERS THEN INSERT INTO public.caught VALUES (SQLSTATE);
                 END;
                 BEGIN
                     PERFORM 1 / 0;
                 EXCEPTION WHEN OTHERS THEN INSERT INTO public.caught VALUES (SQLSTATE);
                 END;
                 BEGIN
                     PERFORM orchestrator.open_gate(gen_random_uuid(), 'a', 'no such type', 'why');
                 EXCEPTION WHEN OTHERS THEN INSERT INTO public.caught VALUES (SQLSTATE);
                 END;
             END LOOP;
         END $$",
    )?;
    let states: String = client
        .query_one("SELECT string_agg(state, ' ' ORDER BY at) FROM public.caught", &[])?
        .try_get(0)?;
    assert_eq!(states, ["0A000 22012 22023"; 3].join(" "));
    let gates: i64 =
        client.query_one("SELECT count(*) FROM orchestrator.gates", &[])?.try_get(0)?;
    assert_eq!(gates, 0);
    Ok(())
}
