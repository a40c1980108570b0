//! What was renamed. A member keeps its place in the extension under any name, so what is missing and
//! what is unexpected can be one and the same; its name comes back without losing a value.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::catalog::{Member, Members};
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::interrupts;

/// A member that has another name than its version gives it.
pub struct Rename {
    pub kind: &'static str,
    /// The name that it has; of a part, in the whole as the version names that.
    pub is: String,
    pub due: String,
}

impl Rename {
    /// The statement that gives it its name again.
    pub fn undo(&self) -> String {
        let Rename { kind, is, due } = self;
        let ((whole, name), (due_whole, due_name)) = (split(is), split(due));
        match *kind {
            "schema" => format!("ALTER SCHEMA {is} RENAME TO {due};"),
            "column" => format!("ALTER TABLE {due_whole} RENAME COLUMN {name} TO {due_name};"),
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
        [is] if is != SCHEMA => Some(Rename {
            kind: "schema",
            is: crate::server::dynamic_sql::quote(is),
            due: SCHEMA.to_owned(),
        }),
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
        self.found.push(Rename { kind, is: is.to_owned(), due: due.to_owned() });
    }

    /// Columns. Renaming one leaves it where it is among the others; what somebody added stands
    /// behind them.
    fn columns(&mut self, version: &str) -> Result<(), Error> {
        let (missing, unexpected) = self.unmatched("column");
        let tables: BTreeSet<String> =
            missing.iter().map(|column| column.split().0.to_owned()).collect();
        for table in tables {
            let of_table = |columns: &[Member]| -> BTreeSet<String> {
                let own = columns.iter().map(Member::split).filter(|(whole, _)| *whole == table);
                own.map(|(_, name)| name.to_owned()).collect()
            };
            let (gone, new) = (of_table(&missing), of_table(&unexpected));
            let due = manifest::columns_in_order(version, &table)?;
            let known =
                self.found.iter().find(|rename| rename.kind == "table" && rename.due == table);
            let is = catalog::columns_in_order(known.map_or(&table, |rename| &rename.is))?;
            let places = places(&is, &due, &new, &gone);
            let object = |name: &str| format!("{table}.{name}");
            let mut pairs = Vec::new();
            for (at, place) in places.iter().enumerate() {
                let fits = |is: &str, due: &str| self.fits(&object(is), &object(due));
                pairs.extend(place.pairs(at + 1 == places.len(), fits));
            }
            for (is, due) in pairs {
                self.rename_column(&table, &object(is), &object(due));
            }
        }
        Ok(())
    }

    /// Whether two columns are defined alike.
    fn fits(&self, is: &str, due: &str) -> bool {
        let column = |object: &str| Member { kind: "column".to_owned(), object: object.to_owned() };
        self.actual.get(&column(is)) == self.expected.get(&column(due))
    }

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
        self.found.push(Rename { kind: "column", is: is.to_owned(), due: due.to_owned() });
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
        self.found.push(Rename { kind, is: is.object.clone(), due: due.object.clone() });
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

/// Columns between two that kept their names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    new: Vec<String>,
    gone: Vec<String>,
    /// How many columns were dropped here.
    dropped: usize,
}

impl Place {
    /// The new columns, each with the one that it was: in their order, whatever became of their
    /// definitions. Where columns were dropped as well, the order proves nothing: then a definition
    /// must, which no other column there has.
    fn pairs(&self, is_last: bool, fits: impl Fn(&str, &str) -> bool) -> Vec<(&str, &str)> {
        let (new, gone) =
            (self.new.iter().map(String::as_str), self.gone.iter().map(String::as_str));
        let complete = new.len() == gone.len() || is_last && new.len() > gone.len();
        if self.dropped == 0 && complete {
            return new.zip(gone).collect();
        }
        let fitting = |(is, due): &(&str, &str)| fits(is, due);
        let all: Vec<_> =
            new.flat_map(|is| gone.clone().map(move |due| (is, due))).filter(fitting).collect();
        let is_alone = |pair: &&(&str, &str)| {
            all.iter().filter(|(is, due)| *is == pair.0 || *due == pair.1).count() == 1
        };
        all.iter().filter(is_alone).copied().collect()
    }
}

/// The places of a table in which a column is new or gone. None where the columns that kept their
/// names no longer follow each other as they should. `is` has an empty name for each dropped column.
fn places(
    is: &[String],
    due: &[&str],
    new: &BTreeSet<String>,
    gone: &BTreeSet<String>,
) -> Vec<Place> {
    let kept_is = is.iter().filter(|name| !name.is_empty() && !new.contains(*name));
    let kept_due = due.iter().filter(|name| !gone.contains(**name));
    if !kept_is.eq(kept_due.clone()) {
        return Vec::new();
    }
    let mut places: Vec<Place> = Vec::new();
    places.resize_with(kept_due.count() + 1, Place::default);
    let mut at = 0;
    for name in is {
        match places.get_mut(at) {
            Some(place) if name.is_empty() => place.dropped += 1,
            Some(place) if new.contains(name) => place.new.push(name.clone()),
            _ => at += 1,
        }
    }
    at = 0;
    for name in due {
        match places.get_mut(at) {
            Some(place) if gone.contains(*name) => place.gone.push((*name).to_owned()),
            _ => at += 1,
        }
    }
    places
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

    fn pairs(is: &[&str], due: &[&str]) -> Vec<(String, String)> {
        let is: Vec<String> = is.iter().map(|name| (*name).to_owned()).collect();
        let new = is.iter().filter(|name| !name.is_empty() && !due.contains(&name.as_str()));
        let new = new.cloned().collect();
        let gone = due.iter().filter(|name| !is.iter().any(|is| is == *name));
        let gone = gone.map(|name| (*name).to_owned()).collect();
        let places = places(&is, due, &new, &gone);
        // Definitions are alike where names end alike.
        let fits = |is: &str, due: &str| is.chars().last() == due.chars().last();
        let mut found = Vec::new();
        for (at, place) in places.iter().enumerate() {
            let pairs = place.pairs(at + 1 == places.len(), fits);
            found.extend(pairs.into_iter().map(|(is, due)| (is.to_owned(), due.to_owned())));
        }
        found
    }

    #[test]
    fn a_renamed_column_stands_where_the_missing_one_stood() {
        let pair = |is: &str, due: &str| (is.to_owned(), due.to_owned());
        let due = ["id", "a1", "b", "c1", "d1", "e2"];
        let found = pairs(&["id", "x1", "b", "y1", "z1", "w2", "mine1"], &due);
        assert_eq!(found, [pair("x1", "a1"), pair("y1", "c1"), pair("z1", "d1"), pair("w2", "e2")]);
        // One of two that are alike was dropped: nobody knows which. The other is known by its kind.
        assert_eq!(
            pairs(&["id", "x1", "b", "", "z1", "w2"], &due),
            [pair("x1", "a1"), pair("w2", "e2")]
        );
        // Another kind of column is another column, unless it can be no other one.
        assert_eq!(pairs(&["id", "b", "c1", "d1", "e2", "", "x9"], &due), []);
        assert_eq!(pairs(&["id", "x9", "b", "c1", "d1", "e2"], &due), [pair("x9", "a1")]);
        // Columns that were made again stand elsewhere, and prove nothing.
        assert_eq!(pairs(&["b", "id", "x1", "c1", "d1", "e2"], &due), []);
    }

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
        let undo = |kind, is: &str, due: &str| {
            Rename { kind, is: is.to_owned(), due: due.to_owned() }.undo()
        };
        assert_eq!(
            undo("table", "a.t", "o.u"),
            "ALTER TABLE a.t SET SCHEMA o; ALTER TABLE o.t RENAME TO u;"
        );
        assert_eq!(
            undo("function", "o.f(text,pg_catalog.int4)", "o.g(text,pg_catalog.int4)"),
            "ALTER FUNCTION o.f(text,pg_catalog.int4) RENAME TO g;"
        );
        assert_eq!(
            undo("column", "o.t.\"a.b\"", "o.t.c"),
            "ALTER TABLE o.t RENAME COLUMN \"a.b\" TO c;"
        );
        assert_eq!(undo("trigger", "o.t.a", "o.t.b"), "ALTER TRIGGER a ON o.t RENAME TO b;");
    }
}
