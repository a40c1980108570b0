//! An example of use for each member, from `examples.sql`.

/// One statement per member, each under a line `-- name`.
const EXAMPLES: &str = include_str!("examples.sql");

/// The statement that shows how a member is used.
pub fn of(member: &str) -> Option<&'static str> {
    all().find(|(name, _)| *name == member).map(|(_, statement)| statement)
}

/// Every member with its statement.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.split("\n-- ").filter_map(|block| {
        let (name, statement) = block.split_once('\n')?;
        Some((name.trim_start_matches("-- "), statement.trim_end()))
    })
}
