//! Versions of prompts: semantic versions without pre-release and build parts, with numbers of 32
//! bits.

use std::fmt;

use crate::server::error::{Error, Kind};

/// The first version of an agent type.
pub const FIRST: &str = "1.0.0";

/// The steps from one version to a later one.
pub const STEPS: [&str; 3] = ["major", "minor", "patch"];

/// The greatest number in a version.
const GREATEST: u64 = u32::MAX as u64;

/// A version; ordered by its numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(semver::Version);

impl Version {
    /// Errors: 22023 not major.minor.patch, or a number of more than 32 bits.
    pub fn parse(text: &str) -> Result<Version, Error> {
        let refused = |detail: String| {
            Error::new(Kind::InvalidValue, format!("invalid version \"{text}\""))
                .detail(detail)
                .hint("A version is major.minor.patch: three numbers from 0 to 4294967295 without leading zeros, for example 1.10.0.")
        };
        let version = semver::Version::parse(text)
            .map_err(|error| refused(oversized(text).unwrap_or_else(|| sentence(&error))))?;
        if !version.pre.is_empty() || !version.build.is_empty() {
            return Err(refused("It has a pre-release or build part.".to_owned()));
        }
        for number in [version.major, version.minor, version.patch] {
            if number > GREATEST {
                return Err(refused(too_big(&number.to_string())));
            }
        }
        Ok(Version(version))
    }

    /// The next version by a major, minor or patch step.
    ///
    /// Errors: 22023 the number is the greatest possible.
    pub fn next(&self, step: &str) -> Result<Version, Error> {
        let semver::Version { major, minor, patch, .. } = self.0;
        let next = match step {
            "major" => semver::Version::new(major + 1, 0, 0),
            "minor" => semver::Version::new(major, minor + 1, 0),
            _ => semver::Version::new(major, minor, patch + 1),
        };
        if next.major.max(next.minor).max(next.patch) > GREATEST {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("version {self} has no next {step} version"),
            )
            .detail("The number is the greatest that fits into 32 bits.")
            .hint("Take a greater step: major, or minor."));
        }
        Ok(Version(next))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn too_big(number: &str) -> String {
    format!("{number} does not fit into 32 bits.")
}

/// The sentence about the first number of a text that does not even fit into the 64 bits of the
/// parser.
fn oversized(text: &str) -> Option<String> {
    text.split('.')
        .find(|part| part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() > 19)
        .filter(|number| !number.starts_with('0'))
        .map(too_big)
}

/// An error of the parser as a sentence.
fn sentence(error: &semver::Error) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn numbers_are_compared_and_not_their_spelling() {
        let mut versions = ["1.10.0", "1.9.0", "0.0.0", "2.0.0", "1.9.10", "1.9.9", "10.0.0"];
        versions.sort_by_key(|text| version(text));
        assert_eq!(versions, ["0.0.0", "1.9.0", "1.9.9", "1.9.10", "1.10.0", "2.0.0", "10.0.0"]);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            " ",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            "1.2.x",
            "01.2.3",
            "1.02.3",
            "1.2.03",
            "1.2.3-beta",
            "1.2.3+7",
            "1.2.3 ",
            " 1.2.3",
            "1..3",
            "-1.2.3",
            "+1.2.3",
            "1.2.4294967296",
            "4294967296.0.0",
            "1.99999999999999999999.0",
            "\u{ff11}.2.3",
            "1.2.3\n",
        ] {
            assert!(Version::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn steps_start_the_lower_numbers_again() {
        for (step, expected) in [("patch", "1.9.4"), ("minor", "1.10.0"), ("major", "2.0.0")] {
            assert_eq!(version("1.9.3").next(step).expect(step).to_string(), expected);
        }
    }

    #[test]
    fn the_greatest_number_has_no_next() {
        let greatest = version("4294967295.4294967295.4294967295");
        assert!(STEPS.iter().all(|step| greatest.next(step).is_err()));
        assert!(version("1.2.4294967295").next("minor").is_ok());
    }

    proptest! {
        #[test]
        fn versions_are_ordered_by_their_numbers(a in any::<[u32; 3]>(), b in any::<[u32; 3]>()) {
            let text = |[major, minor, patch]: [u32; 3]| format!("{major}.{minor}.{patch}");
            prop_assert_eq!(version(&text(a)).cmp(&version(&text(b))), a.cmp(&b));
            prop_assert_eq!(version(&text(a)).to_string(), text(a));
        }

        #[test]
        fn every_step_leads_upwards(numbers in any::<[u32; 3]>(), step in 0..STEPS.len()) {
            let [major, minor, patch] = numbers;
            let from = version(&format!("{major}.{minor}.{patch}"));
            if let Ok(next) = from.next(STEPS[step]) {
                prop_assert!(next > from);
                prop_assert_eq!(&version(&next.to_string()), &next);
            } else {
                prop_assert_eq!(numbers[step], u32::MAX);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = Version::parse(&text);
        }
    }
}
