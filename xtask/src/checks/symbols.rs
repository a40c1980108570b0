//! Each C symbol that a script names is exported by the installed library,
//! with the `pg_finfo_` twin through which PostgreSQL learns its calling convention.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSymbol};

use crate::chain::Chain;
use crate::checks::check::{Check, Run};
use crate::machine::toolchain::Toolchain;
use crate::sql;

pub const CHECK: Check = Check {
    name: "symbols",
    about: "the library exports each C symbol that any script names",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let exported = exported(&toolchain.pg.library())?;
    let chain = Chain::read(&toolchain.project.sql_folder())?;
    let mut missing = Vec::new();
    let mut named = BTreeSet::new();
    for script in chain.scripts() {
        let file = toolchain.project.sql_folder().join(script.file_name());
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let symbols =
            named_symbols(&text).with_context(|| format!("cannot parse {}", script.file_name()))?;
        for symbol in symbols {
            let twin = format!("pg_finfo_{symbol}");
            for wanted in [&symbol, &twin] {
                if !exported.contains(wanted) {
                    missing.push(format!("{}: {wanted}", script.file_name()));
                }
            }
            named.insert(symbol);
        }
    }
    if !missing.is_empty() {
        bail!("not exported by the library:\n{}", missing.join("\n"));
    }
    println!("{} symbols are named and exported", named.len());
    Ok(())
}

/// The names that the library defines for others.
fn exported(library: &Path) -> Result<BTreeSet<String>> {
    let bytes = fs::read(library).with_context(|| format!("cannot read {}", library.display()))?;
    let file = object::File::parse(&*bytes)
        .with_context(|| format!("{} is no library", library.display()))?;
    // Mach-O puts an underscore before each name and has one table of symbols for all.
    let mangled = matches!(file, object::File::MachO32(_) | object::File::MachO64(_));
    let symbols: Box<dyn Iterator<Item = _>> =
        if mangled { Box::new(file.symbols()) } else { Box::new(file.dynamic_symbols()) };
    Ok(symbols
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .filter_map(|symbol| symbol.name().ok())
        .map(|name| if mangled { name.trim_start_matches('_') } else { name })
        .map(str::to_owned)
        .collect())
}

/// The C symbols of the functions that a script creates.
fn named_symbols(text: &str) -> Result<Vec<String>> {
    Ok(sql::statements(text)?
        .iter()
        .filter_map(sql::CreateFunction::read)
        .filter_map(|function| function.symbol)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_those_of_c_functions_only() {
        let text = "
            -- AS 'MODULE_PATHNAME', 'in_a_comment'
            CREATE FUNCTION s.a(x integer) RETURNS uuid LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'a_wrapper';
            CREATE OR REPLACE FUNCTION s.b() RETURNS text AS 'MODULE_PATHNAME' LANGUAGE \"c\";
            CREATE FUNCTION s.d() RETURNS text LANGUAGE sql AS 'SELECT ''x''';
            COMMENT ON FUNCTION s.a(integer) IS 'AS ''MODULE_PATHNAME'', ''c_wrapper''';";
        assert_eq!(named_symbols(text).expect("statements"), ["a_wrapper", "b"]);
    }
}
