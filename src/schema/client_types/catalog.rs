//! The source of the types: tables, views and functions of the extension, read from the catalog in an
//! order that does not depend on the locale.

use std::collections::BTreeSet;

use const_format::concatcp;
use pgrx::JsonB;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::server::check_expression::{self, Rule};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{concurrent_drop, rows};

/// A table or view.
#[derive(Debug, Default, Deserialize)]
pub struct Relation {
    pub name: String,
    pub is_view: bool,
    pub comment: Option<String>,
    pub columns: Vec<Column>,
    pub references: Vec<Reference>,
}

/// A column of a table or view.
#[derive(Debug, Default, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Type,
    pub nullable: bool,
    pub has_default: bool,
    /// Whether the server always computes its value, and no statement may write it.
    pub generated: bool,
    pub comment: Option<String>,
    /// The rules of the CHECK constraints on this column alone.
    #[serde(deserialize_with = "rules")]
    pub rules: Vec<Rule>,
}

/// A type by its name in pg_catalog; for an array, the name of its element type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Type {
    pub name: String,
    pub is_array: bool,
    /// The table or view, if this is its row type.
    pub row_of: Option<String>,
}

/// A foreign key to a table of the extension.
#[derive(Debug, Default, Deserialize)]
pub struct Reference {
    pub name: String,
    pub columns: Vec<String>,
    pub relation: String,
    pub referenced: Vec<String>,
    /// Whether the referring columns are unique.
    pub one_to_one: bool,
}

/// A function that SQL can call.
#[derive(Debug, Default, Deserialize)]
pub struct Function {
    pub name: String,
    pub comment: Option<String>,
    pub arguments: Vec<Argument>,
    /// The columns of a TABLE result.
    pub columns: Vec<Argument>,
    pub returns: Type,
    pub returns_set: bool,
}

/// An argument or a column of a result.
#[derive(Debug, Default, Deserialize)]
pub struct Argument {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Type,
    pub has_default: bool,
}

impl Function {
    fn takes_floats(&self) -> bool {
        self.arguments.iter().any(|argument| argument.kind.name == "float8")
    }
}

impl Column {
    /// Whether its value, an array, may contain nulls.
    pub fn holds_nulls(&self) -> bool {
        self.kind.is_array && !self.rules.contains(&Rule::NoNullElements)
    }

    /// The values that a CHECK lists for it.
    pub fn values(&self) -> Option<&[String]> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Values(values) => Some(values.as_slice()),
            _ => None,
        })
    }

    /// The JSON type that a CHECK requires of the document.
    pub fn document_type(&self) -> Option<&str> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::DocumentType(kind) => Some(kind.as_str()),
            _ => None,
        })
    }
}

/// The rules of expression trees; other rules are left out.
fn rules<'de, D: Deserializer<'de>>(trees: D) -> Result<Vec<Rule>, D::Error> {
    let trees = Vec::<String>::deserialize(trees)?;
    Ok(trees.iter().filter_map(|tree| check_expression::rule(tree)).collect())
}

/// A JSON object with the fields of `Type`, for the pg_type row `t`.
const DESCRIBED: &str = "jsonb_build_object( \
             'name', coalesce(e.typname, t.typname), 'is_array', e.oid IS NOT NULL, \
             'row_of', (SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                        WHERE c.oid = coalesce(e.typrelid, t.typrelid) AND n.nspname = 'orchestrator')) \
         FROM pg_type AS t LEFT JOIN pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'";

/// The tables and views of the extension.
pub fn relations() -> Result<Vec<Relation>, Error> {
    static RELATIONS: Statement = Statement::new(concatcp!(
        "SELECT jsonb_agg(jsonb_build_object( \
             'name', c.relname, 'is_view', c.relkind = 'v', 'comment', obj_description(c.oid, 'pg_class'), \
             'columns', (SELECT jsonb_agg(jsonb_build_object( \
                     'name', a.attname, \
                     'type', (SELECT ",
        DESCRIBED,
        "             WHERE t.oid = a.atttypid), \
                     'nullable', NOT a.attnotnull, \
                     'has_default', a.atthasdef OR a.attidentity <> '', \
                     'generated', a.attgenerated <> '' OR a.attidentity = 'a', \
                     'comment', col_description(c.oid, a.attnum), \
                     'rules', (SELECT coalesce(jsonb_agg(k.conbin::text ORDER BY k.conname COLLATE \"C\"), '[]') \
                                FROM pg_constraint AS k \
                                WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated AND k.conkey = ARRAY[a.attnum]) \
                 ) ORDER BY a.attnum) \
                 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
             'references', (SELECT coalesce(jsonb_agg(jsonb_build_object( \
                     'name', k.conname, 'relation', f.relname, \
                     'columns', (SELECT jsonb_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place) \
                                 JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number), \
                     'referenced', (SELECT jsonb_agg(a.attname ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place) \
                                 JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number), \
                     'one_to_one', EXISTS (SELECT FROM pg_constraint AS u WHERE u.conrelid = k.conrelid AND u.contype IN ('p', 'u') \
                                           AND u.conkey <@ k.conkey) \
                 ) ORDER BY k.conname COLLATE \"C\"), '[]') \
                 FROM pg_constraint AS k JOIN pg_class AS f ON f.oid = k.confrelid \
                 WHERE k.conrelid = c.oid AND k.contype = 'f' AND f.relnamespace = c.relnamespace) \
         ) ORDER BY c.relname COLLATE \"C\") \
         FROM pg_extension AS x \
         JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e' \
         JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid \
         WHERE x.extname = 'orchestrator_schema' AND c.relkind IN ('r', 'p', 'v')"
    ));
    read(&RELATIONS)
}

/// The functions of the extension, without trigger functions. Forms for floats are left out if there is
/// another: in JSON a number is a number.
pub fn functions() -> Result<Vec<Function>, Error> {
    static FUNCTIONS: Statement = Statement::new(concatcp!(
        "SELECT jsonb_agg(jsonb_build_object( \
             'name', p.proname, 'comment', obj_description(p.oid, 'pg_proc'), 'returns_set', p.proretset, \
             'returns', (SELECT ",
        DESCRIBED,
        "             WHERE t.oid = p.prorettype), \
             'arguments', coalesce(a.inputs, '[]'), 'columns', coalesce(a.results, '[]') \
         ) ORDER BY p.proname COLLATE \"C\", p.oid) \
         FROM pg_extension AS x \
         JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e' \
         JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid \
         CROSS JOIN LATERAL ( \
             SELECT jsonb_agg(s.described ORDER BY s.place) FILTER (WHERE s.mode = 'i') AS inputs, \
                    jsonb_agg(s.described ORDER BY s.place) FILTER (WHERE s.mode = 't') AS results \
             FROM (SELECT u.place, coalesce(p.proargmodes[u.place], 'i') AS mode, \
                          jsonb_build_object('name', coalesce(p.proargnames[u.place], ''), \
                              'has_default', u.place > p.pronargs - p.pronargdefaults AND u.place <= p.pronargs, \
                              'type', (SELECT ",
        DESCRIBED,
        "                      WHERE t.oid = u.type)) AS described \
                   FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)) AS s \
         ) AS a \
         WHERE x.extname = 'orchestrator_schema' AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype"
    ));
    let mut functions: Vec<Function> = read(&FUNCTIONS)?;
    let has_other: BTreeSet<String> = functions
        .iter()
        .filter(|function| !function.takes_floats())
        .map(|function| function.name.clone())
        .collect();
    functions.retain(|function| !function.takes_floats() || !has_other.contains(&function.name));
    Ok(functions)
}

fn read<T: DeserializeOwned>(statement: &'static Statement) -> Result<T, Error> {
    let found = concurrent_drop::while_others_drop(|| {
        statement.select(&[], |rows| rows::only::<JsonB>(rows, "catalog"))
    })?;
    serde_json::from_value(found.0).map_err(|error| {
        Error::new(Kind::Internal, format!("the catalog could not be read: {error}"))
    })
}
