//! Columns whose names were exchanged, shifted, or dropped beside a column of a user. A value stays at
//! the number of its column, so a name at another number shows the values of another column.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use postgres::Client;
use support::extension::{filled_to, go_to, newest};
use xtask::checks::cases;

use super::{Row, Whole, repair, to_run, verify};

/// A column of a table of the extension.
#[derive(Clone, Debug)]
struct Column {
    table: String,
    number: i16,
    name: String,
    kind: String,
}

fn columns(client: &mut Client) -> Result<Vec<Column>> {
    const COLUMNS: &str = "SELECT c.oid::regclass::text, a.attnum, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod) \
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' ORDER BY 1, 2";
    let rows = client.query(COLUMNS, &[])?;
    rows.iter()
        .map(|row| {
            Ok(Column {
                table: row.try_get(0)?,
                number: row.try_get(1)?,
                name: row.try_get(2)?,
                kind: row.try_get(3)?,
            })
        })
        .collect()
}

/// The name at each number of each table.
type Names = BTreeMap<(String, i16), String>;

fn names(client: &mut Client) -> Result<Names> {
    let columns = columns(client)?.into_iter();
    Ok(columns.map(|column| ((column.table, column.number), column.name)).collect())
}

/// Neighbouring columns of the same type, by table.
fn pairs(columns: &[Column]) -> BTreeMap<&str, Vec<(&Column, &Column)>> {
    let mut pairs = BTreeMap::<&str, Vec<_>>::new();
    for two in columns.windows(2) {
        let [one, other] = two else { continue };
        if one.table == other.table && one.kind == other.kind {
            pairs.entry(&one.table).or_default().push((one, other));
        }
    }
    pairs
}

type Damage = fn(&Column, &Column) -> String;

fn exchanged(one: &Column, other: &Column) -> String {
    let (table, a, b) = (&one.table, &one.name, &other.name);
    format!(
        "ALTER TABLE {table} RENAME {a} TO \"In between\"; ALTER TABLE {table} RENAME {b} TO {a}; \
         ALTER TABLE {table} RENAME \"In between\" TO {b}"
    )
}

fn shifted(one: &Column, other: &Column) -> String {
    let (table, a, b) = (&one.table, &one.name, &other.name);
    format!("ALTER TABLE {table} RENAME {b} TO \"Old {b}\"; ALTER TABLE {table} RENAME {a} TO {b}")
}

/// Fails if a column has a name of ours that is neither its original name nor the one after the damage.
fn assert_nothing_under_another(before: &Names, damaged: &Names, now: &Names, what: &str) {
    let ours: BTreeSet<(&str, &str)> =
        before.iter().map(|((table, _), name)| (table.as_str(), name.as_str())).collect();
    for (place, name) in now {
        let (was, left) = (before.get(place), damaged.get(place));
        let is_ours = ours.contains(&(place.0.as_str(), name.as_str()));
        let moved = was.or(left).is_some() && was != Some(name) && left != Some(name);
        assert!(
            !(moved && is_ours),
            "{what}: {place:?}, {was:?} before and {left:?} by the damage, is {name}"
        );
    }
}

/// Runs every hint and ignores errors, until `verify()` repeats its result.
fn follow(client: &mut Client, what: &str) -> Result<()> {
    let mut before = Vec::new();
    for _ in 0..4 {
        let rows = verify(client).context(what.to_owned())?;
        let now: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
        if now == before {
            break;
        }
        for row in to_run(&rows) {
            client.batch_execute("SAVEPOINT hint")?;
            if client.batch_execute(&row.hint).is_err() {
                client.batch_execute("ROLLBACK TO hint")?;
            }
        }
        before = now;
    }
    verify(client).context(what.to_owned())?;
    Ok(())
}

/// Damages the first pair of every table at once, then the second, and so on. Each time, calls `check`
/// with the names before and after the damage.
fn for_each_place(
    client: &mut Client,
    damage: Damage,
    check: impl Fn(&mut Client, &Names, &Names, &str) -> Result<()>,
) -> Result<usize> {
    let columns = columns(client)?;
    let pairs = pairs(&columns);
    let most = pairs.values().map(Vec::len).max().unwrap_or_default();
    let before = names(client)?;
    for place in cases::chosen(0..most, 2) {
        client.batch_execute("BEGIN")?;
        let mut statements = Vec::new();
        for (one, other) in pairs.values().filter_map(|of_table| of_table.get(place)) {
            statements.push(damage(one, other));
        }
        client.batch_execute(&statements.join("; ")).context(statements.join("; "))?;
        let what = statements.first().cloned().unwrap_or_default();
        let damaged = names(client)?;
        check(client, &before, &damaged, &what)?;
        client.batch_execute("ROLLBACK")?;
    }
    Ok(most)
}

/// Runs each hint alone. Rows with the same hint share its effect.
fn each_hint_alone(client: &mut Client, before: &Names, damaged: &Names, what: &str) -> Result<()> {
    let rows = verify(client)?;
    let distinct: BTreeMap<&str, &Row> =
        to_run(&rows).map(|row| (row.hint.as_str(), row)).collect();
    for (hint, row) in distinct {
        client.batch_execute("SAVEPOINT alone")?;
        let ran = client.batch_execute(hint).is_ok();
        if !ran {
            client.batch_execute("ROLLBACK TO alone")?;
        }
        let now = names(client)?;
        assert_nothing_under_another(before, damaged, &now, &format!("{what}: {}", row.text));
        client.batch_execute("ROLLBACK TO alone")?;
    }
    Ok(())
}

#[test]
fn names_of_neighbours_come_back() -> Result<()> {
    let database = filled_to("neighbours", newest()?)?;
    let mut client = database.client()?;
    let whole = Whole::of(&mut client)?;
    for damage in [exchanged as Damage, shifted] {
        let places = for_each_place(&mut client, damage, |client, before, damaged, what| {
            each_hint_alone(client, before, damaged, what)?;
            repair(client, what)?;
            assert_eq!(&names(client)?, before, "{what}");
            whole.assert_whole(client, what)
        })?;
        assert!(places > 3);
    }
    Ok(())
}

/// All columns of one type in a table exchange their names in a circle.
#[test]
fn names_in_a_circle_come_back() -> Result<()> {
    let database = filled_to("circle", newest()?)?;
    let mut client = database.client()?;
    let whole = Whole::of(&mut client)?;
    let before = names(&mut client)?;
    let mut circles = BTreeMap::<(String, String), Vec<String>>::new();
    for Column { table, kind, name, .. } in columns(&mut client)? {
        circles.entry((table, kind)).or_default().push(name);
    }
    client.batch_execute("BEGIN")?;
    for ((table, _), names) in circles.iter().filter(|(_, names)| names.len() > 2) {
        for (at, name) in names.iter().enumerate() {
            client.batch_execute(&format!("ALTER TABLE {table} RENAME {name} TO \"{at}\""))?;
        }
        for (at, name) in names.iter().enumerate() {
            let at = (at + 1) % names.len();
            client.batch_execute(&format!("ALTER TABLE {table} RENAME \"{at}\" TO {name}"))?;
        }
    }
    let damaged = names(&mut client)?;
    each_hint_alone(&mut client, &before, &damaged, "circles")?;
    repair(&mut client, "circles")?;
    assert_eq!(names(&mut client)?, before);
    whole.assert_whole(&mut client, "circles")
}

/// A walk leaves holes of dropped columns, with later columns after them. Columns before the holes are
/// restored; columns after them are restored, or stay unchanged.
#[test]
fn names_of_neighbours_after_walks() -> Result<()> {
    let database = filled_to("neighbours_walked", newest()?)?;
    let mut client = database.client()?;
    for below in ["0.4.1", "0.2.5"] {
        go_to(&mut client, below.parse()?)?;
        go_to(&mut client, newest()?)?;
    }
    const FIRST_HOLES: &str = "SELECT c.oid::regclass::text, min(a.attnum) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' AND a.attisdropped GROUP BY 1";
    let mut holes = BTreeMap::<String, i16>::new();
    for row in client.query(FIRST_HOLES, &[])? {
        holes.insert(row.try_get(0)?, row.try_get(1)?);
    }
    assert!(holes.len() > 1, "tables with dropped columns: {holes:?}");
    // A single renamed column is recognised after the holes, too, if there are others after them: a single
    // one there may as well be a user's own.
    let named = names(&mut client)?;
    let all = columns(&mut client)?;
    let mut recognised = Vec::new();
    for (table, hole) in &holes {
        let later: Vec<_> =
            named.iter().filter(|((of, number), _)| of == table && number > hole).collect();
        let alone = (later.len() == 1).then(|| later[0].1.as_str());
        let of_table = all.iter().filter(|column| column.table == *table);
        recognised.push(
            of_table.filter(|column| Some(column.name.as_str()) != alone).collect::<Vec<_>>(),
        );
    }
    // One column of each table at once.
    let most = recognised.iter().map(Vec::len).max().unwrap_or_default();
    for place in cases::chosen(0..most, 4) {
        let renames: Vec<_> = recognised
            .iter()
            .filter_map(|columns| columns.get(place))
            .map(|Column { table, name, .. }| {
                format!("ALTER TABLE {table} RENAME {name} TO \"Another\"")
            })
            .collect();
        let statements = renames.join("; ");
        client.batch_execute("BEGIN")?;
        client.batch_execute(&statements)?;
        repair(&mut client, &statements)?;
        assert_eq!(names(&mut client)?, named, "{statements}");
        client.batch_execute("ROLLBACK")?;
    }
    for damage in [exchanged as Damage, shifted] {
        for_each_place(&mut client, damage, |client, before, damaged, what| {
            each_hint_alone(client, before, damaged, what)?;
            follow(client, what)?;
            let now = names(client)?;
            assert_nothing_under_another(before, damaged, &now, what);
            for ((table, number), name) in before {
                // A hint may walk, which adds the columns of later versions again, also in other tables.
                let place = (table.clone(), *number);
                let added_again = !now.contains_key(&place)
                    && now.iter().any(|((of, _), again)| of == table && again == name);
                if holes.get(table).is_none_or(|hole| number < hole) && !added_again {
                    assert_eq!(now.get(&place), Some(name), "{table}: {what}");
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Each column in turn is dropped, and a user adds a column of the same type.
#[test]
fn an_own_column_never_gets_the_name_of_a_dropped_one() -> Result<()> {
    let database = filled_to("dropped", newest()?)?;
    let mut client = database.client()?;
    for below in [None, Some("0.2.5")] {
        if let Some(below) = below {
            go_to(&mut client, below.parse()?)?;
            go_to(&mut client, newest()?)?;
        }
        let columns = columns(&mut client)?;
        let before = names(&mut client)?;
        let mut of_tables = BTreeMap::<&str, Vec<&Column>>::new();
        for column in &columns {
            of_tables.entry(&column.table).or_default().push(column);
        }
        let most = of_tables.values().map(Vec::len).max().unwrap_or_default();
        let mut dropped = 0;
        for place in cases::chosen(0..most, 5) {
            let here: Vec<_> = of_tables.values().filter_map(|all| all.get(place)).collect();
            client.batch_execute("BEGIN")?;
            for Column { table, name, kind, .. } in here {
                client.batch_execute("SAVEPOINT damage")?;
                let statement =
                    format!("ALTER TABLE {table} DROP COLUMN {name}, ADD COLUMN mine {kind}");
                // A column that a view uses cannot be dropped.
                if client.batch_execute(&statement).is_err() {
                    client.batch_execute("ROLLBACK TO damage")?;
                } else {
                    dropped += 1;
                }
            }
            let damaged = names(&mut client)?;
            let what = format!("columns {place}");
            each_hint_alone(&mut client, &before, &damaged, &what)?;
            follow(&mut client, &what)?;
            let now = names(&mut client)?;
            assert_nothing_under_another(&before, &damaged, &now, &what);
            for (number, name) in damaged.iter().filter(|(_, name)| *name == "mine") {
                assert_eq!(now.get(number), Some(name), "{what}");
            }
            client.batch_execute("ROLLBACK")?;
        }
        assert!(dropped > cases::number(100, 10), "{dropped} columns were dropped");
    }
    Ok(())
}

/// A user's own column comes before the columns that a later version added.
#[test]
fn an_own_column_from_before_an_upgrade_stays_its_owners() -> Result<()> {
    let database = filled_to("own_before", "0.2.5".parse()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "ALTER TABLE orchestrator.tasks ADD COLUMN mine text DEFAULT 'kept'; \
         ALTER TABLE orchestrator.sessions ADD COLUMN mine text DEFAULT 'kept'",
    )?;
    go_to(&mut client, newest()?)?;
    for damage in [exchanged as Damage, shifted] {
        for_each_place(&mut client, damage, |client, before, damaged, what| {
            each_hint_alone(client, before, damaged, what)?;
            repair(client, what)?;
            let now = names(client)?;
            assert_nothing_under_another(before, damaged, &now, what);
            // The later columns of `tasks` are known by their types.
            for (place, name) in before {
                if place.0 == "orchestrator.tasks" && name != "mine" {
                    assert_eq!(now.get(place), Some(name), "{what}");
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A column was renamed, and a user's own column has its old name.
#[test]
fn an_own_column_under_a_name_of_ours_is_set_aside() -> Result<()> {
    let database = filled_to("set_aside", newest()?)?;
    let mut client = database.client()?;
    let before = names(&mut client)?;
    client.batch_execute(
        "BEGIN; ALTER TABLE orchestrator.tasks RENAME error TO failure; \
         ALTER TABLE orchestrator.tasks ADD COLUMN error text DEFAULT 'kept'",
    )?;
    repair(&mut client, "a column of the name")?;
    let mut now = names(&mut client)?;
    now.retain(|place, _| before.contains_key(place));
    assert_eq!(now, before);
    let rows = verify(&mut client)?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].problem.as_str(), rows[0].kind.as_str()), ("unexpected", "column"));
    Ok(())
}
