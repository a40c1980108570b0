//! The definition of a member in one line, written from its facts.

use crate::schema::facts::{Facts, Member, split};

/// The line that users read.
pub fn of(member: &Member, facts: &Facts) -> String {
    let parts = match member.kind.as_str() {
        "table" => table(facts),
        "child table" => vec![Some(format!("INHERITS {}", facts.list("parents").join(", ")))],
        "column" => column(facts),
        "constraint" => vec![
            facts.text("rule").map(str::to_owned),
            word(facts, "not_valid", "NOT VALID"),
            word(facts, "disabled", "DISABLED"),
        ],
        "index" => {
            vec![Some(create_index(&member.object, facts)), word(facts, "invalid", "INVALID")]
        }
        "sequence" => {
            let cycle = word(facts, "cycle", "CYCLE");
            vec![Some(sequence(facts)), cycle]
        }
        "view" => vec![options(facts), facts.text("query").map(str::to_owned)],
        "trigger" => {
            let create = create_trigger(split(&member.object).1, facts);
            vec![Some(create), facts.text("state").map(str::to_owned)]
        }
        "policy" => policy(facts),
        "function" => {
            vec![Some(function(facts)), Some(code(member, facts))]
        }
        "grant to PUBLIC" => vec![Some(facts.list("privileges").join(", "))],
        "dump configuration" => vec![facts.text("condition").map(str::to_owned)],
        _ => vec![facts.text("statement").map(str::to_owned)],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn word(facts: &Facts, fact: &str, word: &str) -> Option<String> {
    facts.holds(fact).then(|| word.to_owned())
}

fn after(word: &str, text: Option<&str>) -> Option<String> {
    text.map(|text| format!("{word} {text}"))
}

fn options(facts: &Facts) -> Option<String> {
    let options = facts.list("options");
    (!options.is_empty()).then(|| options.join(", "))
}

fn table(facts: &Facts) -> Vec<Option<String>> {
    vec![
        Some(facts.text("persistence").unwrap_or("logged").to_owned()),
        word(facts, "row_security", "ROW LEVEL SECURITY"),
        word(facts, "forced", "FORCED"),
        after("REPLICA IDENTITY", facts.text("replica_identity")),
        options(facts),
    ]
}

fn column(facts: &Facts) -> Vec<Option<String>> {
    let storage = facts.text("storage").zip(facts.text("usual_storage"));
    vec![
        Some(facts.text("type").unwrap_or("text").to_owned()),
        after("COLLATE", facts.text("collation")),
        word(facts, "not_null", "NOT NULL"),
        after("IDENTITY", facts.text("identity")),
        storage.map(|(own, usual)| format!("STORAGE {own} instead of {usual}")),
        after("COMPRESSION", facts.text("compression")),
        facts.number("statistics").map(|target| format!("STATISTICS {target}")),
        after("DEFAULT", facts.text("default")),
        after("GENERATED", facts.text("generated")),
    ]
}

/// The statement that creates an index.
pub fn create_index(object: &str, facts: &Facts) -> String {
    let unique = if facts.holds("unique") { "UNIQUE " } else { "" };
    let (name, table) = (split(object).1, facts.part_of.as_deref().unwrap_or_default());
    let method = facts.text("method").unwrap_or("btree");
    let keys = facts.list("keys").join(", ");
    let mut statement = format!("CREATE {unique}INDEX {name} ON {table} USING {method} ({keys})");
    let included = facts.list("included");
    if !included.is_empty() {
        statement.push_str(&format!(" INCLUDE ({})", included.join(", ")));
    }
    if facts.holds("nulls_not_distinct") {
        statement.push_str(" NULLS NOT DISTINCT");
    }
    let options: Vec<_> = facts.list("options").into_iter().map(option).collect();
    if !options.is_empty() {
        statement.push_str(&format!(" WITH ({})", options.join(", ")));
    }
    if let Some(condition) = facts.text("where") {
        statement.push_str(&format!(" WHERE {condition}"));
    }
    statement
}

/// An option with its value, as the server writes it.
fn option(option: &str) -> String {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let is_word = value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_word {
        format!("{name}={value}")
    } else {
        format!("{name}='{}'", value.replace('\'', "''"))
    }
}

/// The type, start and increment of a sequence, as CREATE and ALTER SEQUENCE take them.
pub fn sequence(facts: &Facts) -> String {
    format!(
        "{} START {} INCREMENT {}",
        facts.text("type").unwrap_or_default(),
        facts.number("start").unwrap_or_default(),
        facts.number("increment").unwrap_or_default()
    )
}

/// The statement that creates a trigger.
pub fn create_trigger(name: &str, facts: &Facts) -> String {
    let constraint = if facts.holds("constraint") { "CONSTRAINT " } else { "" };
    format!("CREATE {constraint}TRIGGER {name} {}", facts.text("fires").unwrap_or_default())
}

fn policy(facts: &Facts) -> Vec<Option<String>> {
    let kind = if facts.holds("restrictive") { "RESTRICTIVE" } else { "PERMISSIVE" };
    vec![
        facts.text("command").map(str::to_owned),
        Some(kind.to_owned()),
        after("USING", facts.text("using")),
        after("CHECK", facts.text("check")),
    ]
}

/// The arguments and options of a function, as CREATE FUNCTION takes them behind its name.
pub fn function(facts: &Facts) -> String {
    let parallel = facts.text("parallel").unwrap_or("UNSAFE");
    let settings = if is_pinned(facts) { vec![PINNED] } else { facts.list("settings") };
    let parts = [
        Some(format!("({})", facts.text("arguments").unwrap_or_default())),
        after("RETURNS", facts.text("returns")),
        Some(format!("LANGUAGE {}", facts.text("language").unwrap_or("c"))),
        Some(facts.text("volatility").unwrap_or("VOLATILE").to_owned()),
        word(facts, "strict", "STRICT"),
        word(facts, "definer", "SECURITY DEFINER"),
        word(facts, "leakproof", "LEAKPROOF"),
        Some(format!("PARALLEL {parallel}")),
        (!settings.is_empty()).then(|| format!("SET {}", settings.join(" SET "))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Whether the search_path of a function is pinned, and nothing else is set: the usual case.
pub fn is_pinned(facts: &Facts) -> bool {
    !facts.has("settings")
}

/// The setting of a function whose search_path is pinned.
const PINNED: &str = "search_path=pg_catalog, pg_temp";

/// The functions of an aggregate, the library and the symbol of another function, or the hash of its body.
pub fn code(member: &Member, facts: &Facts) -> String {
    if let Some(parts) = facts.text("aggregate") {
        return parts.to_owned();
    }
    match symbol(member, facts) {
        Some(symbol) => format!("AS {}, {symbol}", library(facts)),
        None => format!("BODY {}", facts.text("body").unwrap_or_default()),
    }
}

/// The symbol of a function of a library; the usual one has the name of the function.
pub fn symbol(member: &Member, facts: &Facts) -> Option<String> {
    let name = split(member.object.split('(').next().unwrap_or(&member.object)).1;
    let usual = || (!facts.has("language")).then(|| format!("{name}_wrapper"));
    facts.text("symbol").map(str::to_owned).or_else(usual)
}

/// The library that has the symbol of a function.
pub fn library(facts: &Facts) -> &str {
    facts.text("library").unwrap_or("orchestrator_schema")
}
