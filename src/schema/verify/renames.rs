//! What was renamed. A member keeps its place in the extension under any name, so what is missing and
//! what is unexpected can be one and the same; its name comes back without losing a value.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{self, Likeness, Order, Steps};
use super::repair::Column;
use crate::schema::catalog::{Member, Members};
use crate::schema::manifest::Columns;
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::interrupts;

/// A member that has another name than its version gives it.
pub struct Rename {
    pub kind: &'static str,
    /// The name that it has; of a part, in the whole as the version names that.
    pub is: String,
    pub due: String,
    /// The names that columns get, one after the other.
    columns: Vec<(String, String)>,
    /// The column whose rename gives this one its name as well.
    with: Option<String>,
}

impl Rename {
    fn of(kind: &'static str, is: &str, due: &str) -> Rename {
        Rename { kind, is: is.to_owned(), due: due.to_owned(), columns: Vec::new(), with: None }
    }

    /// The statement that gives it its name again.
    pub fn undo(&self) -> String {
        let Rename { kind, is, due, columns, with } = self;
        if let Some(with) = with {
            return format!(
                "SELECT * FROM orchestrator.verify(); -- the hint for {with} gives this column its name as well"
            );
        }
        let ((whole, name), (due_whole, due_name)) = (split(is), split(due));
        match *kind {
            "schema" => format!("ALTER SCHEMA {is} RENAME TO {due};"),
            "column" => {
                let step = |(is, due): &(String, String)| {
                    format!("ALTER TABLE {due_whole} RENAME COLUMN {is} TO {due};")
                };
                columns.iter().map(step).collect::<Vec<_>>().join(" ")
            }
            "constraint" => {
                format!("ALTER TABLE {due_whole} RENAME CONSTRAINT {name} TO {due_name};")
            }
            "trigger" => format!("ALTER TRIGGER {name} ON {due_whole} RENAME TO {due_name};"),
            kind => {
                let kind = kind.to_uppercase();
                let mut statements = Vec::new();
                if whole != due_whole {
                    statements.push(format!("ALTER {kind} {is} SET SCHEMA {due_whole};"));
                }
                let bare = |name: &str| name.split('(').next().unwrap_or(name).to_owned();
                if bare(name) != bare(due_name) {
                    let due_name = bare(due_name);
                    statements
                        .push(format!("ALTER {kind} {due_whole}.{name} RENAME TO {due_name};"));
                }
                statements.join(" ")
            }
        }
    }
}

/// The whole that a name is in, and the name in it. Types in the arguments of a function have names
/// of their own.
fn split(object: &str) -> (&str, &str) {
    let end = object.find('(').unwrap_or(object.len());
    let (whole, _) = crate::schema::catalog::split(&object[..end]);
    (whole, object[whole.len()..].trim_start_matches('.'))
}

/// The schema of the extension, when it has another name.
pub fn of_schema(actual: &Members) -> Option<Rename> {
    const SCHEMA: &str = "orchestrator";
    let schemas: Vec<&str> = actual
        .keys()
        .filter(|member| member.kind == "schema")
        .map(|member| member.object.as_str())
        .collect();
    match schemas[..] {
        [is] if is != SCHEMA => {
            Some(Rename::of("schema", &crate::server::dynamic_sql::quote(is), SCHEMA))
        }
        _ => None,
    }
}

/// Every rename, in an order in which they can be undone, and the members as they are then.
pub fn find(
    version: &str,
    expected: &Members,
    actual: Members,
) -> Result<(Vec<Rename>, Members), Error> {
    let mut search = Search { expected, actual, found: Vec::new(), touched: BTreeSet::new() };
    for kind in ["function", "table", "sequence"] {
        search.wholes(kind);
    }
    search.columns(version)?;
    for kind in ["constraint", "index", "trigger"] {
        search.parts(kind);
    }
    search.wholes("view");
    search.follow_in_views();
    Ok((search.found, search.actual))
}

struct Search<'a> {
    expected: &'a Members,
    /// The members as they are once everything found so far is undone.
    actual: Members,
    found: Vec<Rename>,
    /// The views whose definition has changed with a name.
    touched: BTreeSet<Member>,
}

impl Search<'_> {
    /// What the version has and the catalog has not, and the other way round.
    fn unmatched(&self, kind: &str) -> (Vec<Member>, Vec<Member>) {
        let only = |these: &Members, those: &Members| {
            let of_kind = these.keys().filter(|member| member.kind == kind);
            of_kind.filter(|member| !those.contains_key(*member)).cloned().collect()
        };
        (only(self.expected, &self.actual), only(&self.actual, self.expected))
    }

    /// Tables, views, sequences and functions: each missing one is the unexpected one that is most
    /// like it.
    fn wholes(&mut self, kind: &'static str) {
        let (missing, unexpected) = self.unmatched(kind);
        let mut pairs = Vec::new();
        for due in &missing {
            for is in &unexpected {
                interrupts::allow();
                let likeness = self.likeness(is, due);
                if likeness > 0.5 {
                    pairs.push((likeness, is, due));
                }
            }
        }
        pairs.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let (mut taken, mut given) = (BTreeSet::new(), BTreeSet::new());
        for (_, is, due) in pairs {
            if !taken.contains(is) && !given.contains(due) {
                taken.insert(is);
                given.insert(due);
                self.rename(kind, &is.object, &due.object);
            }
        }
    }

    /// How much a member is like one of the version, from 0 to 1.
    fn likeness(&self, is: &Member, due: &Member) -> f64 {
        let (Some(actual), Some(expected)) = (self.actual.get(is), self.expected.get(due)) else {
            return 0.0;
        };
        match is.kind.as_str() {
            // Its parts may have other names, too; its columns are defined as they were.
            "table" => {
                let named = |members, table| {
                    parts(members, table, &PARTS, |part, _| part.split().1.to_owned())
                };
                let defined =
                    |members, table| parts(members, table, &PARTS[..1], |_, text| text.to_owned());
                let by_name =
                    common(&named(&self.actual, &is.object), &named(self.expected, &due.object));
                by_name.max(common(
                    &defined(&self.actual, &is.object),
                    &defined(self.expected, &due.object),
                ))
            }
            // Symbols are never shared.
            "function" => f64::from(u8::from(code(actual) == code(expected))),
            "sequence" => f64::from(u8::from(actual == expected)),
            _ => common(&words(actual), &words(expected)),
        }
    }

    /// Notes a rename of a whole, and undoes it in every name and definition.
    fn rename(&mut self, kind: &'static str, is: &str, due: &str) {
        let bare = |name: &str| name.split('(').next().unwrap_or(name).to_owned();
        let (old, new) = (bare(is), bare(due));
        let prefix = format!("{is}.");
        let (schema, due_schema) = (split(is).0, split(due).0);
        let mut renamed = Members::new();
        for (mut member, definition) in std::mem::take(&mut self.actual) {
            if member.object == is {
                member.object = due.to_owned();
            } else if let Some(part) = member.object.strip_prefix(&prefix) {
                member.object = format!("{due}.{part}");
            }
            let mut text = with_name(&definition, &old, &new, Quoted::Too);
            if member.kind == "view" {
                // A table without an alias gives its columns its own name.
                let (old, new) = (split(&old).1, split(&new).1);
                text = with_name(&text, old, new, Quoted::Not);
                if text != definition {
                    self.touched.insert(member.clone());
                }
            }
            // What belongs to a table moves with it.
            if kind == "table"
                && schema != due_schema
                && ["index", "sequence", "dump configuration"].contains(&member.kind.as_str())
                && split(&member.object).0 == schema
            {
                let moved = format!("{due_schema}.{}", split(&member.object).1);
                let moved = Member { kind: member.kind.clone(), object: moved };
                if self.expected.contains_key(&moved) {
                    member = moved;
                }
            }
            renamed.insert(member, text);
        }
        self.actual = renamed;
        let is_view = Member { kind: kind.to_owned(), object: is.to_owned() };
        if self.touched.remove(&is_view) {
            self.touched.insert(Member { object: due.to_owned(), ..is_view });
        }
        self.found.push(Rename::of(kind, is, due));
    }

    /// Columns, each by its place in its table.
    fn columns(&mut self, version: &str) -> Result<(), Error> {
        let mut tables = catalog::columns_in_order()?;
        for (table, Columns { in_order, brought }) in manifest::columns(version)? {
            interrupts::allow();
            let known =
                self.found.iter().find(|rename| rename.kind == "table" && rename.due == table);
            let Some(is) = tables.remove(known.map_or(table, |rename| &rename.is)) else {
                continue;
            };
            let object = |name: &str| format!("{table}.{name}");
            let likeness =
                |is: &str, due: &str| self.likeness_of_columns(&object(is), &object(due));
            let order = Order { is: &is, due: &in_order, brought: &brought };
            for Steps { of, steps } in places::undo(&is, &order.certain(likeness)) {
                for (is, due) in &steps {
                    self.rename_column(table, &object(is), &object(due));
                }
                let mut with = None;
                for (is, due) in of {
                    let mut rename = Rename::of("column", &object(&is), &object(&due));
                    rename.with = with.clone();
                    if with.is_none() {
                        rename.columns.clone_from(&steps);
                    }
                    with.get_or_insert_with(|| object(&due));
                    self.found.push(rename);
                }
            }
        }
        Ok(())
    }

    fn likeness_of_columns(&self, is: &str, due: &str) -> Likeness {
        let column = |object: &str| Member { kind: "column".to_owned(), object: object.to_owned() };
        match (self.actual.get(&column(is)), self.expected.get(&column(due))) {
            (Some(is), Some(due)) if is == due => Likeness::Whole,
            (Some(is), Some(due)) if Column::read(is).has_type_of(&Column::read(due)) => {
                Likeness::Type
            }
            _ => Likeness::Other,
        }
    }

    /// Gives a column another name in every name and definition.
    fn rename_column(&mut self, table: &str, is: &str, due: &str) {
        let (old, new) = (split(is).1, split(due).1);
        let mut renamed = Members::new();
        for (mut member, definition) in std::mem::take(&mut self.actual) {
            if member.object == is {
                member.object = due.to_owned();
            }
            let of_table = member.split().0 == table || mentions(&definition, table);
            let text = if of_table && member.kind != "column" {
                with_name(&definition, old, new, Quoted::Not)
            } else {
                definition.clone()
            };
            if member.kind == "view" && text != definition {
                self.touched.insert(member.clone());
            }
            renamed.insert(member, text);
        }
        self.actual = renamed;
    }

    /// Constraints, indexes and triggers: what is defined alike on the same table.
    fn parts(&mut self, kind: &'static str) {
        let (missing, mut unexpected) = self.unmatched(kind);
        for due in missing {
            let Some(expected) = self.expected.get(&due) else { continue };
            let wanted = shape(&due, expected);
            let found = unexpected.iter().position(|is| {
                interrupts::allow();
                self.actual.get(is).is_some_and(|actual| shape(is, actual) == wanted)
            });
            if let Some(at) = found {
                let is = unexpected.swap_remove(at);
                self.rename_part(kind, &is, &due);
            }
        }
    }

    fn rename_part(&mut self, kind: &'static str, is: &Member, due: &Member) {
        let (old, new) = (is.split().1, due.split().1);
        let mut moves = vec![(is.clone(), due.clone())];
        if kind == "constraint" {
            // Its index has its name.
            let index = |part: &Member| Member {
                kind: "index".to_owned(),
                object: format!("{}.{}", catalog::split(part.split().0).0, part.split().1),
            };
            moves.push((index(is), index(due)));
        }
        for (is, due) in moves {
            if let Some(definition) = self.actual.remove(&is) {
                let text = if is.kind == "constraint" {
                    definition
                } else {
                    definition.replacen(&format!(" {old} "), &format!(" {new} "), 1)
                };
                self.actual.insert(due, text);
            }
        }
        self.found.push(Rename::of(kind, &is.object, &due.object));
    }

    /// A view names what it reads in ways that only the server knows; it has followed the names that
    /// are to be undone, and follows them back.
    fn follow_in_views(&mut self) {
        for view in std::mem::take(&mut self.touched) {
            if let (Some(actual), Some(expected)) =
                (self.actual.get_mut(&view), self.expected.get(&view))
            {
                actual.clone_from(expected);
            }
        }
    }
}

/// The parts that tell one table from another, columns first.
const PARTS: [&str; 3] = ["column", "constraint", "trigger"];

/// What `by` says of the parts of a table, each with how often it said so before.
fn parts(
    members: &Members,
    table: &str,
    kinds: &[&str],
    by: impl Fn(&Member, &str) -> String,
) -> BTreeSet<String> {
    let mut said = BTreeMap::<String, usize>::new();
    let mut parts = BTreeSet::new();
    for (member, definition) in members {
        if kinds.contains(&member.kind.as_str()) && member.split().0 == table {
            let part = format!("{} {}", member.kind, by(member, definition));
            let times = said.entry(part.clone()).or_default();
            *times += 1;
            parts.insert(format!("{part} {times}"));
        }
    }
    parts
}

fn words(text: &str) -> BTreeSet<String> {
    text.split([' ', ',', '(', ')', '.']).map(str::to_owned).collect()
}

/// The share that two sets have in common, from 0 to 1.
fn common(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let shared = one.intersection(other).count() as f64;
    2.0 * shared / (one.len() + other.len()).max(1) as f64
}

/// What a function runs: its symbol, or its body.
fn code(definition: &str) -> Option<&str> {
    let at = definition.rfind(" AS ").or_else(|| definition.rfind(" BODY "))?;
    Some(&definition[at..])
}

/// A part of a table without its own name, and without the state that it can be in.
fn shape(part: &Member, definition: &str) -> (String, String) {
    const STATES: [&str; 6] =
        [" DISABLED", " NOT VALID", " INVALID", " REPLICA", " ALWAYS", " NOT VALID"];
    let mut text = definition;
    for state in STATES {
        text = text.strip_suffix(state).unwrap_or(text);
    }
    let (table, name) = part.split();
    if part.kind == "index" {
        // Its definition names the table.
        return (String::new(), text.replacen(&format!(" {name} "), " ", 1));
    }
    let text = if part.kind == "trigger" {
        text.replacen(&format!(" {name} "), " ", 1)
    } else {
        text.to_owned()
    };
    (table.to_owned(), text)
}

/// Whether names in strings are replaced as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Too,
    Not,
}

/// Whether a definition has a name.
fn mentions(text: &str, name: &str) -> bool {
    places_of(text, name, Quoted::Too).next().is_some()
}

/// A definition with one name in the place of another.
fn with_name(text: &str, old: &str, new: &str, quoted: Quoted) -> String {
    let mut result = String::with_capacity(text.len());
    let mut end = 0;
    for at in places_of(text, old, quoted) {
        result.push_str(&text[end..at]);
        result.push_str(new);
        end = at + old.len();
    }
    result.push_str(&text[end..]);
    result
}

/// Where a whole name stands in a definition. A part of a longer name is another name.
fn places_of(text: &str, name: &str, quoted: Quoted) -> impl Iterator<Item = usize> {
    let is_of_a_name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '"';
    text.match_indices(name).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&text[..*at], &text[at + name.len()..]);
        let alone = !before.ends_with(is_of_a_name) && !after.starts_with(is_of_a_name);
        let in_string = before.matches('\'').count() % 2 == 1;
        alone && (quoted == Quoted::Too || !in_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_a_whole_and_not_in_strings_of_users() {
        let with = |text: &str, quoted| with_name(text, "s.t", "s.u", quoted);
        assert_eq!(
            with("ON s.t USING (s.tx, xs.t, s.t.a)", Quoted::Not),
            "ON s.u USING (s.tx, xs.t, s.u.a)"
        );
        assert_eq!(with("nextval('s.t'::regclass)", Quoted::Too), "nextval('s.u'::regclass)");
        assert_eq!(with("a = 's.t' AND s.t.b", Quoted::Not), "a = 's.t' AND s.u.b");
    }

    #[test]
    fn a_name_comes_back_with_its_schema() {
        let undo = |kind, is: &str, due: &str| Rename::of(kind, is, due).undo();
        assert_eq!(
            undo("table", "a.t", "o.u"),
            "ALTER TABLE a.t SET SCHEMA o; ALTER TABLE o.t RENAME TO u;"
        );
        assert_eq!(
            undo("function", "o.f(text,pg_catalog.int4)", "o.g(text,pg_catalog.int4)"),
            "ALTER FUNCTION o.f(text,pg_catalog.int4) RENAME TO g;"
        );
        let mut column = Rename::of("column", "o.t.\"a.b\"", "o.t.c");
        column.columns.push(("\"a.b\"".to_owned(), "c".to_owned()));
        assert_eq!(column.undo(), "ALTER TABLE o.t RENAME COLUMN \"a.b\" TO c;");
        assert_eq!(undo("trigger", "o.t.a", "o.t.b"), "ALTER TRIGGER a ON o.t RENAME TO b;");
    }
}
