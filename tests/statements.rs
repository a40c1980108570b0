//! Functions without a pinned search_path look names up in the search_path of their caller, so their
//! statements must qualify every name. The test reads the scripts that create the functions, the
//! sources that they reach, and the parse trees of the statements in them.

#[path = "statements/long.rs"]
mod long;
#[path = "statements/names.rs"]
mod names;
#[path = "statements/reach.rs"]
mod reach;
#[path = "statements/scripts.rs"]
mod scripts;
#[path = "statements/symbols.rs"]
mod symbols;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use xtask::machine::files::files_below;
use xtask::machine::project::Project;

use reach::Sources;
use scripts::Function;

fn unpinned() -> Result<Vec<Function>> {
    let mut functions = scripts::functions(&Project::find()?.sql_folder())?;
    functions.retain(|function| !function.is_pinned);
    Ok(functions)
}

/// The sources of the library, read once.
fn sources() -> Result<&'static Sources> {
    static SOURCES: OnceLock<Result<Sources, String>> = OnceLock::new();
    let sources = SOURCES.get_or_init(|| read_sources().map_err(|error| format!("{error:#}")));
    sources.as_ref().map_err(|error| anyhow!("{error}"))
}

/// The sources of the library, by the path of their module.
fn read_sources() -> Result<Sources> {
    let folder = Project::find()?.root().join("src");
    let mut sources = Sources::default();
    for path in rust_files(&folder)? {
        let folder_of_file = path.parent().context("a file has a folder")?;
        sources
            .add(
                &module(&folder, &path)?,
                &with_files(&fs::read_to_string(&path)?, folder_of_file)?,
            )
            .with_context(|| format!("{}", path.display()))?;
    }
    Ok(sources)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_below(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

/// The path of the module that a source file below `folder` holds.
fn module(folder: &Path, file: &Path) -> Result<Vec<String>> {
    let mut module = Vec::new();
    for part in file.strip_prefix(folder)?.with_extension("").iter() {
        module.push(part.to_str().context("a file name")?.to_owned());
    }
    module.pop_if(|name| ["mod", "lib"].contains(&name.as_str()));
    Ok(module)
}

/// A source in which the text of each included SQL file replaces its name.
fn with_files(source: &str, folder: &Path) -> Result<String> {
    const INCLUDED: &str = "include_str!(\"";
    let mut parts = source.split(INCLUDED);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("\")").context("an included file has a name")?;
        let text = fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())?;
        whole.push_str(&format!("{text:?}{rest}"));
    }
    Ok(whole)
}

#[test]
fn a_function_without_a_search_path_looks_up_no_name_of_its_caller() -> Result<()> {
    let sources = sources()?;
    let mut findings = Vec::new();
    for function in unpinned()? {
        let symbol = function.symbol.as_deref();
        let Some(start) = symbol.and_then(|symbol| symbol.strip_suffix("_wrapper")) else {
            findings
                .push(format!("{} is no function of the library, and pins nothing", function.name));
            continue;
        };
        let reached = sources.reached_from(start);
        assert!(!reached.items.is_empty(), "{start} is in the sources");
        findings
            .extend(reached.lookups.iter().map(|lookup| format!("{}: {lookup}", function.name)));
        for statement in &reached.statements {
            let names = names::unqualified(statement);
            findings
                .extend(names.iter().map(|name| format!("{}: {name}: {statement}", function.name)));
        }
    }
    findings.sort();
    findings.dedup();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    Ok(())
}

/// The statement that a change of a thread's name makes the trigger run.
#[test]
fn the_statement_of_the_trigger_is_found() -> Result<()> {
    let reached = sources()?.reached_from("enforce_lifecycle");
    let reads = |statement: &&String| statement.contains("FROM orchestrator.orchestrator_runs");
    assert_eq!(reached.statements.iter().filter(reads).count(), 1, "{:?}", reached.statements);
    Ok(())
}

/// Reached items are followed through modules, constants and methods.
#[test]
fn the_statements_of_other_functions_are_found() -> Result<()> {
    let sources = sources()?;
    for (function, statement) in [
        ("set_configuration", "SELECT c.value_type FROM orchestrator.configurations"),
        (
            "record_event",
            "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata)",
        ),
        ("verify", "SELECT extversion FROM pg_catalog.pg_extension"),
    ] {
        let reached = sources.reached_from(function);
        assert!(reached.statements.iter().any(|found| found.contains(statement)), "{function}");
    }
    let lookups = sources.reached_from("record_event").lookups;
    assert!(lookups.iter().any(|lookup| lookup.contains("open_with_name")), "{lookups:?}");
    Ok(())
}

#[test]
fn long_sql_is_in_files_of_its_own() -> Result<()> {
    let folder = Project::find()?.root().join("src");
    assert_eq!(long::literals(&folder)?, [""; 0]);
    Ok(())
}

#[test]
fn each_symbol_names_its_function_and_its_first_version() -> Result<()> {
    assert_eq!(symbols::misnamed(&Project::find()?.sql_folder())?, [""; 0]);
    Ok(())
}

/// A reader of `docs/schema.sql` finds every table and view of the chain there, as SQL.
#[test]
fn the_schema_in_one_file_is_sql() -> Result<()> {
    let path = Project::find()?.root().join("docs/schema.sql");
    let tree = pg_query::parse(&fs::read_to_string(&path)?)?;
    let mut kinds = std::collections::BTreeMap::<_, usize>::new();
    for statement in tree.protobuf.stmts.iter().filter_map(|statement| statement.stmt.as_ref()) {
        let kind = match &statement.node {
            Some(pg_query::NodeEnum::CreateStmt(_)) => "table",
            Some(pg_query::NodeEnum::ViewStmt(_)) => "view",
            Some(pg_query::NodeEnum::CreateFunctionStmt(_)) => "function",
            Some(pg_query::NodeEnum::DefineStmt(_)) => "aggregate",
            Some(pg_query::NodeEnum::IndexStmt(_)) => "index",
            Some(pg_query::NodeEnum::CreateTrigStmt(_)) => "trigger",
            other => anyhow::bail!("a statement of another kind: {other:?}"),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    Ok(())
}

/// Any role can take an advisory lock and keep it.
#[test]
fn nothing_waits_for_an_advisory_lock() -> Result<()> {
    let mut found = sources()?.texts_with("advisory");
    for path in files_below(&Project::find()?.sql_folder())? {
        if path.extension().is_some_and(|extension| extension == "sql")
            && fs::read_to_string(&path)?.contains("advisory")
        {
            found.push(format!("{}", path.display()));
        }
    }
    assert_eq!(found, [""; 0]);
    Ok(())
}

/// No code of the server runs while a loop of the library reads rows, so each loop must check for
/// interrupts.
#[test]
fn each_loop_over_rows_can_be_interrupted() -> Result<()> {
    let (mut loops, mut deaf) = (0, Vec::new());
    for path in rust_files(&Project::find()?.root().join("src"))? {
        let text = fs::read_to_string(&path)?;
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for (place, line) in lines.iter().enumerate() {
            let is_loop = line.starts_with("for row in ") && line.ends_with('{');
            loops += usize::from(is_loop);
            if is_loop && lines.get(place + 1) != Some(&"interrupts::allow();") {
                deaf.push(format!("{}:{}", path.display(), place + 1));
            }
        }
    }
    assert!(loops > 10, "{loops} loops are found");
    assert_eq!(deaf, [""; 0]);
    Ok(())
}

/// The list of functions without a pinned search_path is complete.
#[test]
fn few_functions_pin_no_search_path() -> Result<()> {
    let mut names: Vec<_> = unpinned()?.into_iter().map(|function| function.name).collect();
    names.sort();
    names.dedup();
    let known = [
        "enforce_lifecycle",
        "is_valid_configuration",
        "is_valid_llm_call",
        "llm_call_cost",
        "llm_cost_line",
        "llm_input_units",
        "llm_special_call",
        "llm_unpriced_units",
        "llm_usage_sums_add",
        "text_sha256",
        "uuidv7",
        "v7_is_valid_file_name",
    ];
    assert_eq!(names, known.map(|name| format!("orchestrator.{name}")));
    Ok(())
}
