//! Signatures of C functions, read from the catalog.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;
use postgres::Client;

use super::generated::SCHEMA;
use crate::address::{execute, query};
use crate::machine::project::EXTENSION;

/// The properties that must agree between a C function's SQL and its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Mode, name and type of each argument and result column.
    arguments: Vec<String>,
    defaults: i16,
    result: String,
    returns_set: bool,
    strict: bool,
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "({}) {} defaults, returns {}{}{}",
            self.arguments.join(", "),
            self.defaults,
            if self.returns_set { "set of " } else { "" },
            self.result,
            if self.strict { ", strict" } else { "" },
        )
    }
}

/// Functions by C symbol, without trigger functions: these all have the same signature.
const FUNCTIONS: &str = "
    SELECT p.prosrc,
           ARRAY(SELECT format('%s %s %s',
                               CASE coalesce(p.proargmodes[i], 'i') WHEN 'i' THEN 'in' WHEN 'o' THEN 'out'
                                    WHEN 'b' THEN 'inout' WHEN 'v' THEN 'variadic' ELSE 'column' END,
                               coalesce(p.proargnames[i], '?'), format_type(t.type, NULL))
                 FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
                      WITH ORDINALITY AS t (type, place),
                      LATERAL (SELECT t.place::integer) AS n (i)
                 ORDER BY i),
           p.pronargdefaults, format_type(p.prorettype, NULL), p.proretset,
           -- Without arguments there is nothing to be strict about.
           p.proisstrict AND p.pronargs > 0
    FROM pg_proc AS p
    WHERE p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)";

/// The C functions of the installed version of the extension.
pub fn of_extension(client: &mut Client) -> Result<BTreeMap<String, Signature>> {
    let owned = format!(
        "{FUNCTIONS} AND EXISTS (SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
               AND d.refclassid = 'pg_extension'::regclass AND e.extname = '{EXTENSION}')"
    );
    read(client, &owned)
}

/// Creates the derived functions and reads them back.
pub fn of_statements(
    client: &mut Client,
    statements: &[String],
) -> Result<BTreeMap<String, Signature>> {
    execute(client, &format!("CREATE SCHEMA {SCHEMA}; SET check_function_bodies = off"))?;
    for statement in statements {
        execute(client, statement)?;
    }
    read(client, &format!("{FUNCTIONS} AND p.pronamespace = '{SCHEMA}'::regnamespace"))
}

fn read(client: &mut Client, sql: &str) -> Result<BTreeMap<String, Signature>> {
    query(client, sql)?
        .iter()
        .map(|row| {
            let signature = Signature {
                arguments: row.try_get(1)?,
                defaults: row.try_get(2)?,
                result: row.try_get(3)?,
                returns_set: row.try_get(4)?,
                strict: row.try_get(5)?,
            };
            Ok((row.try_get(0)?, signature))
        })
        .collect()
}
