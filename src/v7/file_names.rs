//! The rule for file names: `WF[1-7]_V7_L[1-7]_<n>of<m>_<Name>.py`, with 1 <= n <= m.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::error::required;

/// The parts of a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileName<'a> {
    workflow: i32,
    layer: i32,
    part: i32,
    parts: i32,
    name: &'a str,
}

impl<'a> FileName<'a> {
    /// Reads a name that follows the rule.
    fn parse(text: &'a str) -> Option<Self> {
        let (workflow, rest) = one_to_seven(text.strip_prefix("WF")?)?;
        let (layer, rest) = one_to_seven(rest.strip_prefix("_V7_L")?)?;
        let (part, rest) = number(rest.strip_prefix('_')?)?;
        let (parts, rest) = number(rest.strip_prefix("of")?)?;
        let name = rest.strip_prefix('_')?.strip_suffix(".py")?;
        let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        (part <= parts && starts_well && plain).then_some(FileName {
            workflow,
            layer,
            part,
            parts,
            name,
        })
    }
}

/// A digit from 1 to 7, and what follows it.
fn one_to_seven(text: &str) -> Option<(i32, &str)> {
    let digit = text.bytes().next().filter(|digit| (b'1'..=b'7').contains(digit))?;
    Some((i32::from(digit - b'0'), &text[1..]))
}

/// A number from 1 on without leading zeros, and what follows it.
fn number(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (digits, rest) = text.split_at(end);
    if digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

/// The parts of a file name that follows the rule of V7.
///
/// Returns: one row, or none when the name breaks the rule.
/// Errors: 22004. Since 0.4.2. The rule is that of the V7 master workflow, with layers from 1.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[allow(clippy::type_complexity)]
fn v7_parse_file_name(
    file_name: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(workflow, i32),
            name!(layer, i32),
            name!(part, i32),
            name!(parts, i32),
            name!(name, String),
        ),
    >,
    ErrorReport,
> {
    let parsed = FileName::parse(required("file_name", file_name)?);
    Ok(TableIterator::new(
        parsed.map(|file| (file.workflow, file.layer, file.part, file.parts, file.name.to_owned())),
    ))
}

/// Whether a file name follows the rule of V7. Used by the CHECK of the inventory.
///
/// Errors: 22004. Since 0.4.2.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn v7_is_valid_file_name(file_name: Option<&str>) -> Result<bool, ErrorReport> {
    Ok(FileName::parse(required("file_name", file_name)?).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_follow_the_rule_are_taken_apart() {
        let parsed = FileName::parse("WF4_V7_L1_1of12_DomainModel.py");
        let expected = FileName { workflow: 4, layer: 1, part: 1, parts: 12, name: "DomainModel" };
        assert_eq!(parsed, Some(expected));
        for name in [
            "WF1_V7_L7_1of1_A.py",
            "WF7_V7_L1_2147483647of2147483647_a_b_.py",
            "WF2_V7_L3_2of2_2FactorLogin.py",
        ] {
            assert!(FileName::parse(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_that_break_the_rule_are_none() {
        for name in [
            "",
            "WF4",
            "domain_model.py",
            "WF0_V7_L1_1of1_A.py",
            "WF8_V7_L1_1of1_A.py",
            "WF1_V7_L0_1of1_A.py",
            "WF1_V7_L8_1of1_A.py",
            "WF1_V7_L1_2of1_A.py",
            "WF1_V7_L1_0of1_A.py",
            "WF1_V7_L1_01of1_A.py",
            "WF1_V7_L1_1of01_A.py",
            "WF1_V7_L1_1of2147483648_A.py",
            "WF1_V7_L1_of1_A.py",
            "WF1_V7_L1_1of_A.py",
            "WF1_V7_L1_1of1_.py",
            "WF1_V7_L1_1of1__A.py",
            "WF1_V7_L1_1of1_A.PY",
            "WF1_V7_L1_1of1_A.py ",
            " WF1_V7_L1_1of1_A.py",
            "WF1_V7_L1_1of1_A",
            "wf1_v7_l1_1of1_a.py",
            "WF1_V7_L1_1of1_A B.py",
            "WF1_V7_L1_1of1_A/B.py",
            "WF1_V7_L1_1of1_A.b.py",
            "WF1_V7_L1_1of1_\u{c4}.py",
            "WF12_V7_L1_1of1_A.py",
            "WF\u{e9}_V7_L1_1of1_A.py",
            "WF1_V8_L1_1of1_A.py",
            "WF1_V7_L1_1of1_A.py\n",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_by_the_rule_is_read_back(
            workflow in 1..=7i32, layer in 1..=7i32, part in 1..=i32::MAX, more in 0..=i32::MAX, name in "[A-Za-z0-9][A-Za-z0-9_]{0,20}",
        ) {
            let parts = part.saturating_add(more);
            let text = format!("WF{workflow}_V7_L{layer}_{part}of{parts}_{name}.py");
            prop_assert_eq!(FileName::parse(&text), Some(FileName { workflow, layer, part, parts, name: &name }));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), tail in "WF[1-7\u{e9}]_V7_L[0-9\u{e9}]_[0-9]{0,12}of[0-9]{0,12}_.{0,9}") {
            FileName::parse(&text);
            FileName::parse(&tail);
        }
    }
}
