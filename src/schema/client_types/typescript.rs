//! The catalog as TypeScript, in the shape that generators for PostgreSQL write.

use super::catalog::{Argument, Column, Function, Reference, Relation, Type};

const HEADING: &str = r#"// Written by: SELECT orchestrator.typescript_types();
//
// Rows have the types that PostgreSQL writes in JSON: bigint and numeric are numbers, times and
// uuids are strings. Set the parsers of a driver that returns other types. For node's pg:
//   pg.types.setTypeParser(pg.types.builtins.INT8, Number);
//   pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);
//   for (const time of [pg.types.builtins.TIMESTAMPTZ, pg.types.builtins.DATE])
//     pg.types.setTypeParser(time, (text) => text);

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];
"#;

/// Short names for the most used types, each with its meaning.
const ALIASES: &[(&str, Meaning)] = &[
    ("OrchestratorRun", Meaning::Shape("orchestrator_runs", "Row")),
    ("OrchestratorRunInsert", Meaning::Shape("orchestrator_runs", "Insert")),
    ("OrchestratorRunUpdate", Meaning::Shape("orchestrator_runs", "Update")),
    ("HumanReview", Meaning::Shape("human_review_queue", "Row")),
    ("HumanReviewInsert", Meaning::Shape("human_review_queue", "Insert")),
    ("HumanReviewUpdate", Meaning::Shape("human_review_queue", "Update")),
    ("OrchestratorPhase", Meaning::Values("orchestrator_runs", "phase")),
    ("GateStatus", Meaning::Values("orchestrator_runs", "gate_status")),
    ("ReviewType", Meaning::Values("human_review_queue", "review_type")),
    ("ReviewStatus", Meaning::Values("human_review_queue", "status")),
    (
        "OrchestratorRunWithReviews",
        Meaning::Composed("OrchestratorRun & { reviews: HumanReview[] }"),
    ),
    ("OrchestratorRunSummary", Meaning::Known("run_summary", "orchestrator_runs")),
];

/// The meaning of a short name.
enum Meaning {
    /// Row, Insert or Update of a table.
    Shape(&'static str, &'static str),
    /// The values of a table's column.
    Values(&'static str, &'static str),
    Composed(&'static str),
    /// A row of a view over a table. The catalog has no NOT NULL for columns of a view, but columns
    /// copied from the table are null only where the table's may be, and counts are never null.
    Known(&'static str, &'static str),
}

/// The whole module.
pub fn module(relations: &[Relation], functions: &[Function]) -> String {
    let mut out = Lines(HEADING.to_owned());
    out.line(0, "");
    out.line(0, "export type Database = {");
    out.line(1, "orchestrator: {");
    out.line(2, "Tables: {");
    for relation in relations.iter().filter(|relation| !relation.is_view) {
        table(&mut out, relation);
    }
    out.line(2, "};");
    out.line(2, "Views: {");
    for relation in relations.iter().filter(|relation| relation.is_view) {
        view(&mut out, relation);
    }
    out.line(2, "};");
    out.line(2, "Functions: {");
    for each in functions {
        function(&mut out, each, relations);
    }
    out.line(2, "};");
    out.line(2, "Enums: { [_ in never]: never };");
    out.line(2, "CompositeTypes: { [_ in never]: never };");
    out.line(1, "};");
    out.line(0, "};");
    out.line(0, "");
    for (name, meaning) in ALIASES {
        if let Some(meaning) = meaning.written(relations) {
            out.line(0, &format!("export type {name} = {meaning};"));
        }
    }
    // A program that prints the text, such as psql, adds the last line end.
    out.0.trim_end().to_owned()
}

/// Text that grows line by line.
struct Lines(String);

impl Lines {
    fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.0.push_str(&"  ".repeat(depth));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    fn comment(&mut self, depth: usize, comment: Option<&str>) {
        if let Some(comment) = comment {
            let words: Vec<_> = comment.split_whitespace().collect();
            self.line(depth, &format!("/** {} */", words.join(" ").replace("*/", "*\\/")));
        }
    }
}

/// The beginning of a table or a view: its comment, its name and its row.
fn row(out: &mut Lines, relation: &Relation) {
    out.comment(3, relation.comment.as_deref());
    out.line(3, &format!("{}: {{", key(&relation.name)));
    out.line(4, "Row: {");
    for column in &relation.columns {
        out.comment(5, column.comment.as_deref());
        out.line(5, &format!("{}: {};", key(&column.name), value(column)));
    }
    out.line(4, "};");
}

fn table(out: &mut Lines, relation: &Relation) {
    row(out, relation);
    for (shape, all_optional) in [("Insert", false), ("Update", true)] {
        out.line(4, &format!("{shape}: {{"));
        for column in &relation.columns {
            let optional = all_optional || column.nullable || column.has_default;
            let mark = if optional || column.generated { "?" } else { "" };
            let value = if column.generated { "never".to_owned() } else { value(column) };
            out.line(5, &format!("{}{mark}: {value};", key(&column.name)));
        }
        out.line(4, "};");
    }
    if relation.references.is_empty() {
        out.line(4, "Relationships: [];");
    } else {
        out.line(4, "Relationships: [");
        for each in &relation.references {
            reference(out, each);
        }
        out.line(4, "];");
    }
    out.line(3, "};");
}

fn reference(out: &mut Lines, reference: &Reference) {
    out.line(5, "{");
    out.line(6, &format!("foreignKeyName: {};", quoted(&reference.name)));
    out.line(6, &format!("columns: [{}];", list(&reference.columns)));
    out.line(6, &format!("isOneToOne: {};", reference.one_to_one));
    out.line(6, &format!("referencedRelation: {};", quoted(&reference.relation)));
    out.line(6, &format!("referencedColumns: [{}];", list(&reference.referenced)));
    out.line(5, "},");
}

fn view(out: &mut Lines, relation: &Relation) {
    row(out, relation);
    out.line(4, "Relationships: [];");
    out.line(3, "};");
}

fn function(out: &mut Lines, function: &Function, relations: &[Relation]) {
    out.comment(3, function.comment.as_deref());
    out.line(3, &format!("{}: {{", key(&function.name)));
    if function.arguments.is_empty() {
        out.line(4, "Args: Record<PropertyKey, never>;");
    } else {
        out.line(4, "Args: {");
        for argument in &function.arguments {
            let mark = if argument.has_default { "?" } else { "" };
            let kind = written(&argument.kind, relations);
            out.line(5, &format!("{}{mark}: {kind};", key(&argument.name)));
        }
        out.line(4, "};");
    }
    out.line(4, &format!("Returns: {};", result(function, relations)));
    out.line(3, "};");
}

fn result(function: &Function, relations: &[Relation]) -> String {
    let one = if function.columns.is_empty() {
        written(&function.returns, relations)
    } else {
        let field = |column: &Argument| {
            format!("{}: {}", key(&column.name), written(&column.kind, relations))
        };
        format!("{{ {} }}", function.columns.iter().map(field).collect::<Vec<_>>().join("; "))
    };
    if function.returns_set { array(&one) } else { one }
}

impl Meaning {
    /// The type to write; `None` if this version lacks its table.
    fn written(&self, relations: &[Relation]) -> Option<String> {
        let find = |name: &str| relations.iter().find(|relation| relation.name == name);
        match self {
            Meaning::Shape(table, shape) => find(table).map(|_| {
                format!(
                    "Database[\"orchestrator\"][\"Tables\"][{}][{}]",
                    quoted(table),
                    quoted(shape)
                )
            }),
            Meaning::Values(table, column) => {
                let column = find(table)?.columns.iter().find(|each| each.name == *column)?;
                Some(union(column.values()?))
            }
            Meaning::Composed(text) => Some((*text).to_owned()),
            Meaning::Known(view, table) => {
                let (view, table) = (find(view)?, find(table)?);
                let of_table =
                    |column: &Column| table.columns.iter().any(|own| own.name == column.name);
                let (own, counted): (Vec<_>, Vec<_>) =
                    view.columns.iter().partition(|column| of_table(column));
                let names: Vec<_> = own.iter().map(|column| quoted(&column.name)).collect();
                let counted: Vec<_> = counted
                    .iter()
                    .map(|column| {
                        format!("{}: {}", key(&column.name), written(&column.kind, relations))
                    })
                    .collect();
                Some(format!(
                    "Pick<Database[\"orchestrator\"][\"Tables\"][{}][\"Row\"], {}> & {{ {} }}",
                    quoted(&table.name),
                    names.join(" | "),
                    counted.join("; ")
                ))
            }
        }
    }
}

/// The type of a column's value, with null if the column may be null.
fn value(column: &Column) -> String {
    let mut value = match column.values() {
        Some(values) => union(values),
        None if column.holds_nulls() => {
            let element = Type { is_array: false, ..column.kind.clone() };
            array(&format!("{} | null", written(&element, &[])))
        }
        None => written(&column.kind, &[]),
    };
    // Json includes null.
    if column.nullable && value != "Json" {
        value.push_str(" | null");
    }
    value
}

/// The TypeScript type of a value of the server in JSON.
fn written(kind: &Type, relations: &[Relation]) -> String {
    let row_of = kind.row_of.as_deref();
    let element = match kind.name.as_str() {
        "bool" => "boolean".to_owned(),
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" => "number".to_owned(),
        "json" | "jsonb" => "Json".to_owned(),
        "void" => "undefined".to_owned(),
        _ => match relations.iter().find(|relation| Some(relation.name.as_str()) == row_of) {
            Some(relation) => {
                let part = if relation.is_view { "Views" } else { "Tables" };
                format!(
                    "Database[\"orchestrator\"][\"{part}\"][{}][\"Row\"]",
                    quoted(&relation.name)
                )
            }
            None if row_of.is_some() || kind.name == "record" => {
                "{ [column: string]: Json }".to_owned()
            }
            None => "string".to_owned(),
        },
    };
    if kind.is_array { array(&element) } else { element }
}

fn array(element: &str) -> String {
    if element.contains(" | ") { format!("({element})[]") } else { format!("{element}[]") }
}

fn union(values: &[String]) -> String {
    values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(" | ")
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A text as a literal.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A name as the key of an object type.
fn key(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    if plain { name.to_owned() } else { quoted(name) }
}
