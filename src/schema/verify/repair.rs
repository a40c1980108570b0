//! The statements that undo a difference, so that `verify()` tells the next step and not only what
//! is wrong. Each can be run as it stands.

use super::Difference;
use crate::schema::catalog::Member;
use crate::schema::manifest;
use crate::server::dynamic_sql;
use crate::server::error::Error;

/// Where a difference stands in the order of undoing: what is too much goes before what it may be
/// built on, what is missing comes after what it is built on.
pub fn rank(difference: &Difference) -> (u8, Member) {
    const ADDED: [&str; 8] =
        ["policy", "rule", "trigger", "view", "function", "statistics", "constraint", "index"];
    const MISSING: [&str; 6] = ["function", "schema", "table", "sequence", "column", "constraint"];
    let Difference { member, expected, .. } = difference;
    let order: &[&str] = if expected.is_none() { &ADDED } else { &MISSING };
    let place = order.iter().position(|kind| *kind == member.kind).unwrap_or(order.len()) as u8;
    let definition = expected.as_deref().or(difference.actual.as_deref()).unwrap_or_default();
    // A foreign key needs the key that it refers to.
    let refers = member.kind == "constraint" && definition.starts_with("FOREIGN KEY");
    let rank = match expected {
        None => place * 2 + u8::from(member.kind == "constraint" && !refers),
        Some(_) => 100 + place * 2 + u8::from(refers),
    };
    (rank, member.clone())
}

/// The next step towards what should be. It never loses a value: a column that the version does not
/// have is its owner's to keep or to drop.
pub fn hint(difference: &Difference, installed: &str) -> Result<String, Error> {
    const PARTS: [&str; 6] = ["constraint", "index", "statistics", "trigger", "rule", "policy"];
    let kind = difference.member.kind.as_str();
    if difference.expected.is_some() {
        return undo(difference, installed);
    }
    if kind == "column" {
        return Ok("SELECT * FROM orchestrator.dump_safety(); -- the column is yours and keeps its values; a dump would lose them, and dump_safety() says how to keep them".to_owned());
    }
    let undo = undo(difference, installed)?;
    Ok(if PARTS.contains(&kind) {
        format!("{undo} -- unless it is yours and you want it")
    } else {
        undo
    })
}

/// The statement that undoes a difference.
pub fn undo(difference: &Difference, installed: &str) -> Result<String, Error> {
    let Difference { member, expected, actual } = difference;
    let (owner, name) = member.split();
    let hint = match (member.kind.as_str(), expected.as_deref(), actual.as_deref()) {
        ("column", None, _) => Some(format!("ALTER TABLE {owner} DROP COLUMN {name};")),
        ("column", Some(expected), None) => Some(add_column(owner, name, expected)),
        ("column", Some(expected), Some(actual)) => change_column(owner, name, expected, actual),
        ("child table", None, Some(inherits)) => Some(leave_parents(&member.object, inherits)),
        ("constraint", None, _) => Some(format!("ALTER TABLE {owner} DROP CONSTRAINT {name};")),
        ("constraint", Some(expected), None) => {
            Some(format!("ALTER TABLE {owner} ADD CONSTRAINT {name} {expected};"))
        }
        ("constraint", Some(expected), Some(actual)) => {
            Some(change_constraint(owner, name, expected, actual))
        }
        ("index", None, _) => Some(format!("DROP INDEX {};", member.object)),
        ("index", Some(expected), None) => Some(format!("{expected};")),
        ("index", Some(expected), Some(actual)) => Some(change_index(member, expected, actual)),
        ("statistics", None, _) => Some(format!("DROP STATISTICS {};", member.object)),
        ("trigger", None, _) => Some(format!("DROP TRIGGER {name} ON {owner};")),
        ("trigger", Some(expected), actual) => Some(make_trigger(owner, name, expected, actual)),
        ("rule", None, _) => Some(format!("DROP RULE {name} ON {owner};")),
        ("policy", None, _) => Some(format!("DROP POLICY {name} ON {owner};")),
        ("sequence", Some(expected), Some(_)) => Some(change_sequence(&member.object, expected)),
        ("table", Some(_), Some(actual)) => Some(reset_table(&member.object, actual)),
        ("function", Some(expected), _) => make_function(member, expected, actual.is_none())?,
        ("view", Some(expected), None) => Some(make_view(member, expected)?),
        ("table" | "sequence", Some(_), None) if exists(member)? => {
            Some(alter_extension("ADD", member))
        }
        ("grant to PUBLIC", None, Some(privileges)) => {
            Some(format!("REVOKE {privileges} ON {} FROM PUBLIC;", granted_on(member)?))
        }
        ("table" | "view" | "function" | "sequence" | "schema" | "other", None, _) => {
            Some(alter_extension("DROP", member))
        }
        _ => None,
    };
    match hint {
        Some(hint) => Ok(hint),
        None => make_again(difference, installed),
    }
}

/// The table keeps its rows, and is its owner's alone.
fn leave_parents(child: &str, inherits: &str) -> String {
    let parents = inherits.trim_start_matches("INHERITS ").split(", ");
    let leave = parents.map(|parent| format!("ALTER TABLE {child} NO INHERIT {parent};"));
    leave.collect::<Vec<_>>().join(" ")
}

/// A statement that takes a member into the extension, or out of it.
fn alter_extension(action: &str, member: &Member) -> String {
    let Member { kind, object } = member;
    let object = match kind.as_str() {
        // The object of another kind begins with what it is.
        "other" => object.clone(),
        "schema" => format!("SCHEMA {}", dynamic_sql::quote(object)),
        "function" => format!("ROUTINE {object}"),
        kind => format!("{} {object}", kind.to_uppercase()),
    };
    format!("ALTER EXTENSION orchestrator_schema {action} {object};")
}

/// Whether there is an object of that name, a member or not.
fn exists(member: &Member) -> Result<bool, Error> {
    let sql = match member.kind.as_str() {
        "function" => "SELECT to_regprocedure($1) IS NOT NULL",
        _ => "SELECT to_regclass($1) IS NOT NULL",
    };
    dynamic_sql::known(sql, &[member.object.as_str().into()], "to_regclass")
}

/// What `members.sql` says about a column, taken apart.
pub struct Column<'a> {
    /// The type with its collation.
    type_name: &'a str,
    not_null: bool,
    identity: Option<&'a str>,
    /// The storage that it has, and the one that its type usually has.
    storage: Option<(&'a str, &'a str)>,
    compression: bool,
    statistics: bool,
    default: Option<&'a str>,
    generated: bool,
}

impl<'a> Column<'a> {
    pub fn read(definition: &'a str) -> Column<'a> {
        const MARKS: [&str; 7] = [
            " NOT NULL",
            " IDENTITY ",
            " STORAGE ",
            " COMPRESSION ",
            " STATISTICS ",
            " DEFAULT ",
            " GENERATED ",
        ];
        let found = |mark: &str| definition.find(mark);
        let end = MARKS.iter().filter_map(|mark| found(mark)).min().unwrap_or(definition.len());
        // An expression comes last, and may hold any of the words.
        let (plain, expression) =
            match found(" DEFAULT ").into_iter().chain(found(" GENERATED ")).min() {
                Some(at) => definition.split_at(at),
                None => (definition, ""),
            };
        let after = |mark: &str| plain.split_once(mark).map(|(_, rest)| rest);
        Column {
            type_name: &definition[..end],
            not_null: plain.contains(" NOT NULL"),
            identity: after(" IDENTITY ")
                .map(|rest| if rest.starts_with("ALWAYS") { "ALWAYS" } else { "BY DEFAULT" }),
            storage: after(" STORAGE ").and_then(|rest| {
                let mut words = rest.split(' ');
                Some((words.next()?, words.nth(2)?))
            }),
            compression: after(" COMPRESSION ").is_some(),
            statistics: after(" STATISTICS ").is_some(),
            default: expression.strip_prefix(" DEFAULT "),
            generated: expression.starts_with(" GENERATED "),
        }
    }

    /// Whether a row that does not name the column cannot be.
    pub fn needs_a_value(&self) -> bool {
        self.not_null && self.default.is_none() && self.identity.is_none() && !self.generated
    }

    pub fn has_type_of(&self, other: &Column<'_>) -> bool {
        self.type_name == other.type_name
    }

    /// Whether each of its values could stand in a column like the other one.
    pub fn takes_no_more_than(&self, other: &Column<'_>) -> bool {
        self.type_name == other.type_name
            && (self.not_null || !other.not_null)
            && self.generated == other.generated
    }
}

fn add_column(table: &str, name: &str, expected: &str) -> String {
    let Column { type_name, not_null, identity, default, .. } = Column::read(expected);
    let mut statement = format!("ALTER TABLE {table} ADD COLUMN {name} {type_name}");
    if let Some(identity) = identity {
        statement.push_str(&format!(" GENERATED {identity} AS IDENTITY"));
    }
    if let Some(default) = default {
        statement.push_str(&format!(" DEFAULT {default}"));
    }
    match (not_null, identity.is_some() || default.is_some()) {
        (true, true) => statement.push_str(" NOT NULL;"),
        // With rows in the table the values are missing.
        (true, false) => statement.push_str(&format!(
            "; -- give every row its value, then ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;"
        )),
        (false, _) => statement.push(';'),
    }
    statement
}

/// Nothing where a column of identity or a generated one would have to be made of a plain one.
fn change_column(table: &str, name: &str, expected: &str, actual: &str) -> Option<String> {
    let (due, is) = (Column::read(expected), Column::read(actual));
    if due.generated || (due.identity.is_some() && due.identity != is.identity) {
        return None;
    }
    let mut actions = Vec::new();
    if is.generated {
        actions.push("DROP EXPRESSION".to_owned());
    }
    if due.identity.is_none() && is.identity.is_some() {
        actions.push("DROP IDENTITY".to_owned());
    }
    let other_type = due.type_name != is.type_name;
    if is.default.is_some() && (other_type || due.default.is_none()) {
        actions.push("DROP DEFAULT".to_owned());
    }
    if other_type {
        actions.push(format!("TYPE {} USING {}", due.type_name, converted(name, due.type_name)));
    }
    if let Some(default) = due.default
        && (other_type || is.default != due.default)
    {
        actions.push(format!("SET DEFAULT {default}"));
    }
    if due.not_null != is.not_null {
        actions.push(format!("{} NOT NULL", if due.not_null { "SET" } else { "DROP" }));
    }
    if let Some((_, usual)) = is.storage {
        actions.push(format!("SET STORAGE {usual}"));
    }
    if is.compression {
        actions.push("SET COMPRESSION default".to_owned());
    }
    if is.statistics {
        actions.push("SET STATISTICS -1".to_owned());
    }
    let actions: Vec<_> =
        actions.into_iter().map(|action| format!("ALTER COLUMN {name} {action}")).collect();
    Some(format!("ALTER TABLE {table} {};", actions.join(", ")))
}

/// A value in another type. A length is left to the assignment, which refuses what does not fit where
/// a cast would cut it; a scale would be rounded to, so a number with more digits is refused as well.
fn converted(name: &str, type_name: &str) -> String {
    let plain = type_name.split(" COLLATE ").next().unwrap_or(type_name);
    let Some((base, modifier)) = plain.split_once('(') else {
        return format!("{name}::text::{plain}");
    };
    match modifier.trim_end_matches(')').split_once(',') {
        Some((_, scale)) if base == "numeric" => format!(
            "CASE WHEN {name}::text::numeric = round({name}::text::numeric, {scale}) THEN {name}::text::numeric \
             ELSE ({name}::text || ' has more than {scale} decimals')::numeric END"
        ),
        None if base == "character varying" || base == "character" => {
            format!("{name}::text::{base}")
        }
        _ => format!("{name}::text::{plain}"),
    }
}

fn change_constraint(table: &str, name: &str, expected: &str, actual: &str) -> String {
    let (is, disabled) = match actual.strip_suffix(" DISABLED") {
        Some(is) => (is, true),
        None => (actual, false),
    };
    if is != expected && is.strip_suffix(" NOT VALID") != Some(expected) {
        return format!(
            "ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {expected};"
        );
    }
    let mut statements = Vec::new();
    if disabled {
        statements.push(format!("ALTER TABLE {table} ENABLE TRIGGER ALL;"));
        // A foreign key has triggers on both of its tables.
        let parent = expected.split_once(" REFERENCES ").and_then(|(_, rest)| rest.split_once('('));
        if let Some((parent, _)) = parent.filter(|(parent, _)| *parent != table) {
            statements.push(format!("ALTER TABLE {parent} ENABLE TRIGGER ALL;"));
        }
    }
    if is != expected {
        statements.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"));
    }
    statements.join(" ")
}

fn change_index(member: &Member, expected: &str, actual: &str) -> String {
    let index = &member.object;
    let is = actual.strip_suffix(" INVALID").unwrap_or(actual);
    if is == expected {
        return format!("REINDEX INDEX {index};");
    }
    // The options of an index stand in its definition, whether a constraint owns it or not.
    if let Some((before, rest)) = is.split_once(" WITH (")
        && let Some((options, after)) = rest.split_once(')')
        && format!("{before}{after}") == expected
    {
        return format!("ALTER INDEX {index} RESET ({});", option_names(options));
    }
    format!("DROP INDEX {index}; {expected};")
}

/// The names in a list of options with their values.
fn option_names(options: &str) -> String {
    let names: Vec<_> =
        options.split(", ").map(|option| option.split('=').next().unwrap_or(option)).collect();
    names.join(", ")
}

fn make_trigger(table: &str, name: &str, expected: &str, actual: Option<&str>) -> String {
    let (due, state) = trigger_state(expected);
    let enable = match state {
        None => format!("ALTER TABLE {table} ENABLE TRIGGER {name};"),
        Some(state) => format!("ALTER TABLE {table} ENABLE {state} TRIGGER {name};"),
    };
    let is = actual.map(|actual| trigger_state(actual).0);
    if is == Some(due) {
        return enable;
    }
    let drop = is.map(|_| format!("DROP TRIGGER {name} ON {table};"));
    let enable = state.map(|_| enable);
    let create = Some(format!("{due};"));
    [drop, create, enable].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The statement that makes a trigger, and when it fires unless that is as usual.
fn trigger_state(definition: &str) -> (&str, Option<&str>) {
    ["DISABLED", "REPLICA", "ALWAYS"]
        .into_iter()
        .find_map(|state| {
            let plain = definition.strip_suffix(state)?.strip_suffix(' ')?;
            Some((plain, Some(state)))
        })
        .unwrap_or((definition, None))
}

fn change_sequence(sequence: &str, expected: &str) -> String {
    let cycle = if expected.ends_with(" CYCLE") { "" } else { " NO CYCLE" };
    format!("ALTER SEQUENCE {sequence} AS {expected}{cycle};")
}

/// No version has an option on a table.
fn reset_table(table: &str, actual: &str) -> String {
    const RESETS: [(&str, &str); 6] = [
        ("UNLOGGED", "SET LOGGED"),
        ("ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
        ("FORCED", "NO FORCE ROW LEVEL SECURITY"),
        ("REPLICA IDENTITY f", "REPLICA IDENTITY DEFAULT"),
        ("REPLICA IDENTITY n", "REPLICA IDENTITY DEFAULT"),
        ("REPLICA IDENTITY i", "REPLICA IDENTITY DEFAULT"),
    ];
    let mut actions = Vec::new();
    let mut rest = actual.strip_prefix("logged").unwrap_or(actual).trim_start();
    for (state, reset) in RESETS {
        if let Some(after) = rest.strip_prefix(state) {
            actions.push(reset.to_owned());
            rest = after.trim_start();
        }
    }
    if !rest.is_empty() {
        actions.push(format!("RESET ({})", option_names(rest)));
    }
    format!("ALTER TABLE {table} {};", actions.join(", "))
}

/// Every function of a version is a symbol of the library.
fn make_function(member: &Member, expected: &str, missing: bool) -> Result<Option<String>, Error> {
    if missing && exists(member)? {
        return Ok(Some(alter_extension("ADD", member)));
    }
    let Some((text, symbol)) = expected.rsplit_once(" AS ") else { return Ok(None) };
    let Some((library, symbol)) = symbol.split_once(", ") else { return Ok(None) };
    let object = &member.object;
    let name = object.split('(').next().unwrap_or(object);
    let create = format!("CREATE OR REPLACE FUNCTION {name}{text} AS '{library}', '{symbol}';");
    Ok(Some(if missing {
        format!(
            "{create} REVOKE ALL ON FUNCTION {object} FROM PUBLIC; {}",
            alter_extension("ADD", member)
        )
    } else {
        create
    }))
}

fn make_view(member: &Member, expected: &str) -> Result<String, Error> {
    if exists(member)? {
        return Ok(alter_extension("ADD", member));
    }
    let start = if expected.starts_with("SELECT ") || expected.starts_with("WITH ") {
        Some(0)
    } else {
        expected.find(" SELECT ").into_iter().chain(expected.find(" WITH ")).min()
    };
    let (options, query) = expected.split_at(start.unwrap_or_default());
    let options = if options.is_empty() { String::new() } else { format!(" WITH ({options})") };
    Ok(format!(
        "CREATE VIEW {}{options} AS {} {}",
        member.object,
        query.trim_start(),
        alter_extension("ADD", member)
    ))
}

/// What a grant is on, as GRANT and REVOKE name it.
fn granted_on(member: &Member) -> Result<String, Error> {
    const IS_SEQUENCE: &str =
        "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'S')";
    let object = &member.object;
    if object.ends_with(')') {
        return Ok(format!("ROUTINE {object}"));
    }
    let (owner, _) = member.split();
    if owner.is_empty() {
        return Ok(format!("SCHEMA {}", dynamic_sql::quote(object)));
    }
    // A grant on a column goes with those on the whole table.
    let column_of = Member { kind: String::new(), object: owner.to_owned() };
    if !column_of.split().0.is_empty() {
        return Ok(format!("TABLE {owner}"));
    }
    let is_sequence = dynamic_sql::value::<bool>(IS_SEQUENCE, &[object.as_str().into()])?;
    let kind = if is_sequence == Some(true) { "SEQUENCE" } else { "TABLE" };
    Ok(format!("{kind} {object}"))
}

/// A downgrade below the version that brought the member, and the way back, make it anew.
fn make_again(difference: &Difference, installed: &str) -> Result<String, Error> {
    let Member { kind, object } = &difference.member;
    let is_there = difference.actual.is_some() || kind == "dump configuration";
    let versions = manifest::versions()?;
    let place = manifest::introduced(kind, object)?;
    if is_there && (1..=manifest::position(installed)?).contains(&place) {
        let below = versions[place - 1];
        return Ok(format!(
            "ALTER EXTENSION orchestrator_schema UPDATE TO '{below}'; ALTER EXTENSION orchestrator_schema UPDATE TO '{installed}';"
        ));
    }
    Ok("Restore a dump into a database with a fresh CREATE EXTENSION orchestrator_schema."
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_may_hold_the_words_of_a_definition() {
        let Column { type_name, not_null, default, storage, .. } = Column::read(
            "character varying(40) STORAGE PLAIN instead of EXTENDED DEFAULT ' NOT NULL'::text",
        );
        assert_eq!((type_name, not_null), ("character varying(40)", false));
        assert_eq!((default, storage), (Some("' NOT NULL'::text"), Some(("PLAIN", "EXTENDED"))));
        let Column { identity, generated, .. } =
            Column::read("integer NOT NULL IDENTITY BY DEFAULT");
        assert_eq!((identity, generated), (Some("BY DEFAULT"), false));
    }

    #[test]
    fn a_part_is_told_by_its_last_name() {
        let split = |object: &str| {
            let member = Member { kind: String::new(), object: object.to_owned() };
            let (owner, name) = member.split();
            (owner.to_owned(), name.to_owned())
        };
        let pair = |owner: &str, name: &str| (owner.to_owned(), name.to_owned());
        assert_eq!(split("s.t.c"), pair("s.t", "c"));
        assert_eq!(split("s.t.\"a.\"\"b\""), pair("s.t", "\"a.\"\"b\""));
        assert_eq!(split("s.\"T.1\".c"), pair("s.\"T.1\"", "c"));
        assert_eq!(split("s"), pair("", "s"));
    }
}
