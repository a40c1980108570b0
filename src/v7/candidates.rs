//! Pairs of enum types that are worth a comparison. Two similar types share a key that can be looked
//! up, so a database with many types need not compare each with each.

use std::collections::{BTreeSet, HashMap};

use super::similarity;
use crate::server::interrupts;

/// A key that two similar types share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Trait<'a> {
    /// Their names, or these with a letter left out.
    Name(String),
    /// One of the rare labels of both.
    Label(&'a str),
}

/// The types by the keys that they could share with others.
pub struct Candidates<'a> {
    traits: Vec<Vec<Trait<'a>>>,
    places: HashMap<Trait<'a>, Vec<usize>>,
}

impl<'a> Candidates<'a> {
    /// `types`: the name and the labels of each; `minimum`: the common share of labels that counts.
    pub fn of(types: impl Iterator<Item = (&'a str, &'a [String])>, minimum: f64) -> Self {
        let types: Vec<_> = types.collect();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for label in types.iter().flat_map(|(_, labels)| *labels) {
            interrupts::allow();
            *uses.entry(label).or_default() += 1;
        }
        let traits: Vec<Vec<_>> = types
            .iter()
            .map(|(name, labels)| {
                interrupts::allow();
                let names = similarity::typos(name).into_iter().map(Trait::Name);
                names.chain(telling(labels, minimum, &uses).map(Trait::Label)).collect()
            })
            .collect();
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, own) in traits.iter().enumerate() {
            for each in own {
                interrupts::allow();
                places.entry(each.clone()).or_default().push(place);
            }
        }
        Candidates { traits, places }
    }

    /// The types behind the one at that place which may look like it, in order.
    pub fn behind(&self, place: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for each in self.traits.get(place).into_iter().flatten() {
            let places = self.places.get(each).map_or(&[][..], Vec::as_slice);
            let first = places.partition_point(|other| *other <= place);
            for other in &places[first..] {
                interrupts::allow();
                found.insert(*other);
            }
        }
        found
    }
}

/// The rarest labels of a type, as many as needed so that the remaining ones alone cannot reach a common
/// share of `minimum`: every similar type shares one of these.
fn telling<'a>(
    labels: &'a [String],
    minimum: f64,
    uses: &HashMap<&str, usize>,
) -> impl Iterator<Item = &'a str> {
    let mut rarest: Vec<(usize, &str)> = labels
        .iter()
        .map(|label| (uses.get(label.as_str()).copied().unwrap_or_default(), label.as_str()))
        .collect();
    rarest.sort_unstable();
    rarest.dedup();
    // A share of the labels of both is at least that share of the labels of one. Rounded so that a
    // product that is not exact takes one label too many, and never one too few.
    let common = (minimum * rarest.len() as f64 - 1e-6).ceil().max(1.0) as usize;
    rarest.truncate((rarest.len() + 1).saturating_sub(common));
    rarest.into_iter().map(|(_, label)| label)
}
