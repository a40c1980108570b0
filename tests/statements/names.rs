//! The names in a statement that the server would look up along the search_path, read from the parse
//! tree of the server's own grammar.

use serde_json::{Map, Value};

/// The schemas in which only the owner can create objects.
const SCHEMAS: [&str; 2] = ["pg_catalog", "orchestrator"];

/// Kinds of statements that this module understands. It cannot find the names in other kinds.
const STATEMENTS: [&str; 5] = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];

/// Types with an input function that looks up a name.
const NAMES_AS_TEXT: [&str; 6] =
    ["regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype"];

/// The names of a statement that the server would look up along the search_path.
pub fn unqualified(statement: &str) -> Vec<String> {
    let tree = match pg_query::parse(statement) {
        Ok(tree) => tree.protobuf,
        Err(error) => return vec![format!("cannot be parsed: {error}")],
    };
    let mut names = Names::default();
    for statement in &tree.stmts {
        let tree = serde_json::to_value(statement).expect("a tree of plain values");
        let kind = tree["stmt"]["node"].as_object().and_then(|node| node.keys().next());
        if kind.is_none_or(|kind| !STATEMENTS.contains(&kind.as_str())) {
            names.found.push(format!("a statement of kind {kind:?}"));
        }
        names.common_tables(&tree);
        names.visit(&tree);
    }
    names.found
}

#[derive(Default)]
struct Names {
    /// Names of common table expressions, which belong to no schema.
    common: Vec<String>,
    found: Vec<String>,
}

impl Names {
    fn common_tables(&mut self, tree: &Value) {
        match tree {
            Value::Object(fields) => {
                self.common
                    .extend(fields.get("ctename").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| self.common_tables(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.common_tables(value)),
            _ => {}
        }
    }

    fn visit(&mut self, tree: &Value) {
        match tree {
            Value::Object(fields) => {
                self.node(fields);
                fields.values().for_each(|value| self.visit(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.visit(value)),
            _ => {}
        }
    }

    /// Visits one node. Its fields show its kind.
    fn node(&mut self, fields: &Map<String, Value>) {
        let list = |name: &str| fields.get(name).map(words).unwrap_or_default();
        let has = |name: &str| fields.contains_key(name);
        let is_set = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
        if has("relname") && has("schemaname") {
            self.relation(fields);
        } else if has("funcname") {
            self.must_be_ours("function", &list("funcname"));
        } else if has("names") && has("typemod") {
            self.must_be_ours("type", &list("names"));
        } else if has("lexpr") && has("rexpr") && has("name") {
            // IN, LIKE, BETWEEN, NULLIF, IS DISTINCT FROM: the parser names the operator itself.
            self.must_be_ours("operator", &list("name"));
        } else if has("sub_link_type") && (is_set("testexpr") || !list("oper_name").is_empty()) {
            self.must_be_ours("operator", &list("oper_name"));
        } else if has("defresult") && is_set("arg") {
            self.found.push("CASE with a value, which looks up =".to_owned());
        } else if has("using_clause") && has("is_natural") {
            if fields["is_natural"] == Value::Bool(true) || !list("using_clause").is_empty() {
                self.found.push("JOIN by name, which looks up =".to_owned());
            }
        } else if has("use_op") && !list("use_op").is_empty() {
            self.must_be_ours("operator", &list("use_op"));
        } else if has("collname") {
            self.must_be_ours("collation", &list("collname"));
        } else if has("opclass") && has("collation") {
            for (kind, name) in
                [("operator class", list("opclass")), ("collation", list("collation"))]
            {
                if !name.is_empty() {
                    self.must_be_ours(kind, &name);
                }
            }
        } else if has("fields") && has("location") {
            // If the table has no such column, the server looks for a function of that name.
            let names = list("fields");
            if names.len() > 1 {
                self.found.push(format!("{}, which may be a function", names.join(".")));
            }
        }
        if has("indirection") && has("arg") && !list("indirection").is_empty() {
            self.found.push("a field of a value, which may be a function".to_owned());
        }
        if has("type_name") && has("arg") {
            self.text_that_is_a_name(fields);
        }
    }

    fn relation(&mut self, fields: &Map<String, Value>) {
        let name = |field: &str| fields[field].as_str().unwrap_or_default().to_owned();
        let (schema, relation) = (name("schemaname"), name("relname"));
        let is_common = schema.is_empty() && self.common.contains(&relation);
        if !is_common && !SCHEMAS.contains(&schema.as_str()) {
            self.found.push(format!("relation {relation}"));
        }
    }

    fn must_be_ours(&mut self, kind: &str, names: &[String]) {
        let is_ours = matches!(names, [schema, _] if SCHEMAS.contains(&schema.as_str()));
        if !is_ours {
            self.found.push(format!("{kind} {}", names.join(".")));
        }
    }

    fn text_that_is_a_name(&mut self, cast: &Map<String, Value>) {
        let type_names = words(&cast["type_name"]["names"]);
        let is_name = type_names.last().is_some_and(|name| NAMES_AS_TEXT.contains(&name.as_str()));
        let text = cast["arg"].pointer("/node/AConst/val/Sval/sval").and_then(Value::as_str);
        let is_ours = text.is_some_and(|text| {
            SCHEMAS.iter().any(|schema| text.starts_with(&format!("{schema}.")))
        });
        if is_name && !is_ours {
            self.found.push(format!("the name of a {}", type_names.join(".")));
        }
    }
}

/// The texts of a list of nodes.
fn words(list: &Value) -> Vec<String> {
    let text =
        |node: &Value| node.pointer("/node/String/sval").and_then(Value::as_str).map(str::to_owned);
    list.as_array().into_iter().flatten().filter_map(text).collect()
}

#[test]
fn each_name_without_a_schema_is_found() {
    for (statement, found) in [
        ("SELECT id FROM runs", "relation runs"),
        ("SELECT id FROM other.runs", "relation runs"),
        ("INSERT INTO runs VALUES (1)", "relation runs"),
        ("UPDATE runs SET a = 1", "relation runs"),
        ("DELETE FROM runs", "relation runs"),
        (
            "MERGE INTO runs USING orchestrator.a AS x ON true WHEN MATCHED THEN DELETE",
            "relation runs",
        ),
        ("SELECT now()", "function now"),
        ("SELECT evil.now()", "function evil.now"),
        ("SELECT count(*)", "function count"),
        ("SELECT a = b", "operator ="),
        ("SELECT a OPERATOR(evil.=) b", "operator evil.="),
        ("SELECT - a", "operator -"),
        ("SELECT a = ANY (b)", "operator ="),
        ("SELECT a IN (1, 2)", "operator ="),
        ("SELECT a IN (SELECT 1)", "operator "),
        ("SELECT (a, b) < ALL (SELECT 1, 2)", "operator <"),
        ("SELECT a BETWEEN b AND c", "operator BETWEEN"),
        ("SELECT a LIKE 'x'", "operator ~~"),
        ("SELECT a IS DISTINCT FROM b", "operator ="),
        ("SELECT NULLIF(a, b)", "operator ="),
        ("SELECT (a, b) = (c, d)", "operator ="),
        ("SELECT CASE a WHEN 1 THEN 2 END", "CASE with a value, which looks up ="),
        ("SELECT a::text", "type text"),
        ("SELECT text 'a'", "type text"),
        ("SELECT CAST(a AS evil.text[])", "type evil.text"),
        ("SELECT a COLLATE \"C\"", "collation C"),
        ("SELECT a ORDER BY b USING <", "operator <"),
        (
            "SELECT x FROM orchestrator.a JOIN orchestrator.b USING (c)",
            "JOIN by name, which looks up =",
        ),
        (
            "SELECT x FROM orchestrator.a NATURAL JOIN orchestrator.b",
            "JOIN by name, which looks up =",
        ),
        (
            "INSERT INTO orchestrator.a VALUES (1) ON CONFLICT (b text_ops) DO NOTHING",
            "operator class text_ops",
        ),
        ("SELECT r.id FROM orchestrator.runs AS r", "r.id, which may be a function"),
        ("SELECT ($1).id", "a field of a value, which may be a function"),
        ("SELECT 'runs'::pg_catalog.regclass", "the name of a pg_catalog.regclass"),
        ("SELECT x FROM (SELECT now() AS x) AS y", "function now"),
        ("WITH c AS (SELECT now()) SELECT x FROM c", "function now"),
        ("SELECT x FROM orchestrator.a ORDER BY now()", "function now"),
        ("SELECT 1 LIMIT abs(1)", "function abs"),
        ("SELECT x FROM generate_series(1, 2) AS x", "function generate_series"),
    ] {
        let names = unqualified(statement);
        assert!(names.iter().any(|name| name == found), "{statement}: {names:?}");
    }
    assert_eq!(unqualified("LOCK TABLE orchestrator.a").len(), 1);
    assert_eq!(unqualified("SELECT FROM WHERE").len(), 1);
}

#[test]
fn qualified_names_and_expressions_without_names_pass() {
    for statement in [
        "SELECT id FROM orchestrator.orchestrator_runs WHERE thread_id OPERATOR(pg_catalog.=) $1",
        "SELECT pg_catalog.count(*), coalesce(a, b), greatest(a, 1) FROM pg_catalog.pg_class",
        "SELECT a::pg_catalog.text, b::bigint, timestamptz_column AT TIME ZONE 'UTC' FROM orchestrator.t",
        "WITH c AS (SELECT 1 AS x) SELECT x FROM c ORDER BY x DESC",
        "SELECT CASE WHEN a THEN 1 ELSE 2 END, a IS NULL, NOT a AND b, EXISTS (SELECT FROM orchestrator.t)",
        "SELECT 'orchestrator.gates'::pg_catalog.regclass",
        "SELECT a OPERATOR(pg_catalog.=) ANY ($1), a COLLATE pg_catalog.\"C\" FROM orchestrator.t",
    ] {
        assert_eq!(unqualified(statement), [""; 0], "{statement}");
    }
}
