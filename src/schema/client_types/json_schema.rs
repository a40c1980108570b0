//! A table or view as JSON Schema, 2020-12, of the rows that `to_jsonb` returns.

use serde_json::{Map, Value, json};

use super::catalog::{Column, Relation, Type};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a row.
pub fn of_row(relation: &Relation) -> Value {
    let names: Vec<_> = relation.columns.iter().map(|column| column.name.as_str()).collect();
    let properties: Map<String, Value> =
        relation.columns.iter().map(|column| (column.name.clone(), of_column(column))).collect();
    let mut schema = json!({
        "$schema": DIALECT,
        "title": relation.name,
        "type": "object",
        "properties": properties,
        "required": names,
    });
    describe(&mut schema, relation.comment.as_deref());
    schema
}

fn of_column(column: &Column) -> Value {
    let mut schema = of_type(&column.kind);
    if column.holds_nulls()
        && let Some(kind) = schema["items"].get_mut("type")
    {
        *kind = json!([*kind, "null"]);
    }
    if let Some(kind) = column.document_type().filter(|kind| ["object", "array"].contains(kind)) {
        schema["type"] = kind.into();
    }
    if let Some(values) = column.values() {
        let mut values: Vec<Value> = values.iter().map(|value| json!(value)).collect();
        if column.nullable {
            values.push(Value::Null);
        }
        schema["enum"] = values.into();
    }
    if column.nullable
        && let Some(kind) = schema.get("type")
    {
        schema["type"] = json!([kind, "null"]);
    }
    describe(&mut schema, column.comment.as_deref());
    schema
}

fn describe(schema: &mut Value, comment: Option<&str>) {
    if let Some(comment) = comment {
        schema["description"] = comment.into();
    }
}

/// A type of the server. A type without a counterpart in JSON is a string; a document may have any
/// type.
fn of_type(kind: &Type) -> Value {
    let element = match kind.name.as_str() {
        "bool" => json!({ "type": "boolean" }),
        "int2" | "int4" | "int8" => json!({ "type": "integer" }),
        "numeric" | "float4" | "float8" => json!({ "type": "number" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "timestamptz" => json!({
            "type": "string",
            "anyOf": [{ "format": "date-time" }, { "enum": ["-infinity", "infinity"] }],
        }),
        "date" => json!({ "type": "string", "format": "date" }),
        "json" | "jsonb" => json!({}),
        _ if kind.row_of.is_some() => json!({ "type": "object" }),
        _ => json!({ "type": "string" }),
    };
    if kind.is_array { json!({ "type": "array", "items": element }) } else { element }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::check_expression::Rule;

    fn column(name: &str, kind: &str, nullable: bool, rules: &[Rule]) -> Column {
        Column {
            name: name.to_owned(),
            kind: Type { name: kind.to_owned(), ..Type::default() },
            nullable,
            rules: rules.to_vec(),
            ..Column::default()
        }
    }

    #[test]
    fn columns_have_their_types_values_and_nulls() {
        let states = &[Rule::Values(vec!["a".to_owned(), "b".to_owned()])];
        let document = |kind: &str| Rule::DocumentType(kind.to_owned());
        for (column, expected) in [
            (column("n", "int8", false, &[]), json!({ "type": "integer" })),
            (column("n", "numeric", true, &[]), json!({ "type": ["number", "null"] })),
            (
                column("t", "timestamptz", false, &[]),
                json!({
                    "type": "string",
                    "anyOf": [{ "format": "date-time" }, { "enum": ["-infinity", "infinity"] }],
                }),
            ),
            (
                column("status", "text", false, states),
                json!({ "type": "string", "enum": ["a", "b"] }),
            ),
            (
                column("status", "text", true, states),
                json!({ "type": ["string", "null"], "enum": ["a", "b", null] }),
            ),
            (column("d", "jsonb", true, &[]), json!({})),
            (column("d", "jsonb", false, &[document("object")]), json!({ "type": "object" })),
            (
                column("d", "jsonb", true, &[document("array")]),
                json!({ "type": ["array", "null"] }),
            ),
            // JSON has no such type.
            (column("d", "jsonb", false, &[document("banana")]), json!({})),
        ] {
            assert_eq!(of_column(&column), expected);
        }
    }

    #[test]
    fn lists_hold_nulls_unless_a_check_forbids_it() {
        let list = |rules: &[Rule]| {
            let mut column = column("names", "text", false, rules);
            column.kind.is_array = true;
            of_column(&column)
        };
        let nullable = json!({ "type": "array", "items": { "type": ["string", "null"] } });
        assert_eq!(list(&[]), nullable);
        assert_eq!(
            list(&[Rule::NoNullElements]),
            json!({ "type": "array", "items": { "type": "string" } })
        );
    }

    #[test]
    fn every_column_of_a_row_is_required() {
        let columns = vec![column("a", "text", false, &[]), column("b", "text", true, &[])];
        let schema = of_row(&Relation { name: "x".to_owned(), columns, ..Relation::default() });
        assert_eq!(schema["required"], json!(["a", "b"]));
        assert_eq!(schema["title"], "x");
    }
}
