//! A member whose name differs from that of its version, and the statements that rename it back.

use crate::schema::facts::split;

/// A member whose name differs from that of its version.
pub struct Rename {
    pub kind: &'static str,
    /// The name that it has now. For a part, the table in it has the name of the version.
    pub is: String,
    pub due: String,
    /// The names that columns get, one after the other.
    pub columns: Vec<(String, String)>,
    /// The column whose hint also renames this one.
    pub with: Option<String>,
}

impl Rename {
    pub fn of(kind: &'static str, is: &str, due: &str) -> Rename {
        Rename { kind, is: is.to_owned(), due: due.to_owned(), columns: Vec::new(), with: None }
    }

    /// The statement that renames it back.
    pub fn undo(&self) -> String {
        let Rename { kind, is, due, columns, with } = self;
        if let Some(with) = with {
            return format!(
                "SELECT * FROM orchestrator.verify(); -- the hint for {with} also renames this column"
            );
        }
        let ((whole, name), (due_whole, due_name)) = (split_signature(is), split_signature(due));
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

/// The schema or table that contains an object, and the object's own name with the arguments of a
/// function. Dots in the types of arguments do not count.
pub fn split_signature(object: &str) -> (&str, &str) {
    let end = object.find('(').unwrap_or(object.len());
    let (whole, _) = split(&object[..end]);
    (whole, object[whole.len()..].trim_start_matches('.'))
}

/// A name without the types of arguments.
pub fn bare(object: &str) -> &str {
    object.split('(').next().unwrap_or(object)
}

#[cfg(test)]
mod tests {
    use super::*;

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
