//! Matches the columns of a table with those of the version by place, not by name. A column keeps its
//! place for ever. New columns follow all others, and a dropped column leaves a hole.

/// The columns of one table.
pub struct Order<'a> {
    /// The columns of the table, in order; an empty name for each hole.
    pub is: &'a [String],
    /// The columns of the version, in order.
    pub due: &'a [&'a str],
    /// The number of columns of `due` after each version that introduced some, up to all of them.
    pub brought: &'a [usize],
}

/// How much the definition of a live column agrees with that of a column of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    Other,
    Type,
    Whole,
}

/// A column that is certainly one of the version: its name now, and its name in the version.
pub type Pair<'a> = (&'a str, &'a str);

impl<'a> Order<'a> {
    /// The columns that are certain. A table that somebody made again, with its columns in another
    /// order, has none.
    pub fn certain(&self, likeness: impl Fn(&str, &str) -> Likeness) -> Vec<Pair<'a>> {
        let certain: Vec<Pair<'a>> =
            self.places(&likeness).into_iter().filter_map(|(at, of)| self.pair(at, of)).collect();
        let moved = |(is, due): &&Pair<'a>| is != due && self.due.contains(is);
        let (mut by_place, mut by_name) = (0, 0);
        for (is, due) in certain.iter().filter(moved) {
            match likeness(is, due) {
                Likeness::Other => return Vec::new(),
                Likeness::Type => {}
                Likeness::Whole => by_place += 1,
            }
            by_name += usize::from(likeness(is, is) == Likeness::Whole);
        }
        if by_name > by_place { Vec::new() } else { certain }
    }

    /// The column at a place with the name that is due there, unless the place is a hole.
    fn pair(&self, at: usize, of: usize) -> Option<Pair<'a>> {
        let (is, due) = (self.is.get(at)?.as_str(), *self.due.get(of)?);
        (!is.is_empty()).then_some((is, due))
    }

    /// Places, each with that of the version's column which it certainly is.
    fn places(&self, likeness: &impl Fn(&str, &str) -> Likeness) -> Vec<(usize, usize)> {
        let (all, due) = (self.is.len(), self.due.len());
        // Only a table that was made again has fewer.
        let Some(first) = self.brought.first().filter(|_| all >= due) else { return Vec::new() };
        let mut places: Vec<_> = (0..if all == due { due } else { *first }).zip(0..).collect();
        if all > due && self.is.iter().all(|name| !name.is_empty()) {
            places.extend(self.among_others(likeness));
        } else if all > due {
            places.extend(self.after_a_walk(likeness));
        }
        places
    }

    /// Columns of later versions among those of users, if none was dropped. The columns of one version
    /// follow each other. They are certain if their types fit in one place only.
    fn among_others(&self, likeness: &impl Fn(&str, &str) -> Likeness) -> Vec<(usize, usize)> {
        let others = self.is.len() - self.due.len();
        let blocks: Vec<(usize, usize)> =
            self.brought.windows(2).map(|ends| (ends[0], ends[1])).collect();
        let all = |(from, to): (usize, usize), by: usize, holds: &dyn Fn(Pair<'_>) -> bool| {
            (from..to).all(|of| self.pair(of + by, of).is_some_and(holds))
        };
        // By how many places each is moved, at least and at most.
        let mut moves: Vec<Vec<usize>> = Vec::new();
        for block in &blocks {
            let least = moves.last().map_or(Some(0), |before| before.first().copied());
            let Some(least) = least else { return Vec::new() };
            let has_type = |(is, due): Pair<'_>| likeness(is, due) != Likeness::Other;
            let fitting = (least..=others).filter(|by| all(*block, *by, &has_type));
            moves.push(fitting.collect());
        }
        let mut most = others;
        for fitting in moves.iter_mut().rev() {
            fitting.retain(|by| *by <= most);
            let Some(last) = fitting.last() else { return Vec::new() };
            most = *last;
        }
        let mut places = Vec::new();
        for (block, fitting) in blocks.into_iter().zip(moves) {
            let named = (0..=others).find(|by| all(block, *by, &|(is, due)| is == due));
            if let ([by], None) = (&fitting[..], named) {
                places.extend((block.0..block.1).map(|of| (of + by, of)));
            }
        }
        places
    }

    /// Columns of later versions that a downgrade and an upgrade added again, behind the holes that
    /// the dropped ones left. One column with an unknown name is certain if all others have theirs, and
    /// there are others: a single one may as well be a user's own, after ours was dropped.
    fn after_a_walk(&self, likeness: &impl Fn(&str, &str) -> Likeness) -> Option<(usize, usize)> {
        let (all, due) = (self.is.len(), self.due.len());
        let walked = |kept: usize| {
            let moved = all - due;
            let is_hole = |at: usize| self.is.get(at).is_some_and(String::is_empty);
            self.walks_leave(moved, kept) && (kept..kept + moved).all(is_hole)
        };
        let mut ends = self.brought.iter().copied().filter(|kept| *kept < due);
        let kept = ends.find(|kept| walked(*kept))?;
        if kept + 1 == due {
            return None;
        }
        let moved = |of: usize| if of < kept { of } else { of + all - due };
        let mut renamed = None;
        for of in *self.brought.first()?..due {
            let (is, name) = self.pair(moved(of), of)?;
            if is == name {
                continue;
            }
            let is_new = !self.due.contains(&is) && likeness(is, name) != Likeness::Other;
            if of < kept || !is_new || renamed.is_some() {
                return None;
            }
            renamed = Some((moved(of), of));
        }
        renamed
    }
}

impl Order<'_> {
    /// Whether walks can leave this number of holes, one of which went down to the version with `kept`
    /// columns, the others to that or to later ones. Each walk leaves a hole for each column that it
    /// added again.
    fn walks_leave(&self, holes: usize, kept: usize) -> bool {
        let due = self.due.len();
        let again = self.brought.iter().filter(|end| (kept..due).contains(*end));
        let again: Vec<usize> = again.map(|end| due - end).collect();
        let mut left = vec![false; holes + 1];
        for number in due - kept..=holes {
            left[number] = number == due - kept
                || again.iter().any(|each| number >= *each && left[number - each]);
        }
        left[holes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names end with their type; those of the version that are moved are of another definition.
    fn certain(is: &[&str], due: &[&str], brought: &[usize]) -> Vec<(String, String)> {
        let is: Vec<String> = is.iter().map(|name| (*name).to_owned()).collect();
        let likeness = |is: &str, due: &str| {
            if is.chars().last() == due.chars().last() { Likeness::Type } else { Likeness::Other }
        };
        let certain = Order { is: &is, due, brought }.certain(likeness);
        let renamed = certain.into_iter().filter(|(is, due)| is != due);
        renamed.map(|(is, due)| (is.to_owned(), due.to_owned())).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(is, due)| ((*is).to_owned(), (*due).to_owned())).collect()
    }

    #[test]
    fn a_column_is_the_one_whose_place_it_has() {
        let due = ["id", "a1", "b", "c1", "d1", "e2"];
        let found = certain(&["id", "x1", "b", "y1", "z1", "w2", "mine1"], &due, &[6]);
        assert_eq!(found, pairs(&[("x1", "a1"), ("y1", "c1"), ("z1", "d1"), ("w2", "e2")]));
        // Another type is changed as well.
        let found = certain(&["id", "x9", "b", "c1", "d1", "e2"], &due, &[6]);
        assert_eq!(found, pairs(&[("x9", "a1")]));
        let found = certain(&["id", "c1", "b", "a1", "d1", "e2"], &due, &[6]);
        assert_eq!(found, pairs(&[("c1", "a1"), ("a1", "c1")]));
        let found = certain(&["id", "a1", "b", "d1", "old1", "e2"], &due, &[6]);
        assert_eq!(found, pairs(&[("d1", "c1"), ("old1", "d1")]));
    }

    #[test]
    fn what_stands_behind_a_hole_is_its_owners() {
        let due = ["id", "a1", "b", "c1", "d1", "e2"];
        let found = certain(&["id", "x1", "b", "", "z1", "w2"], &due, &[6]);
        assert_eq!(found, pairs(&[("x1", "a1"), ("z1", "d1"), ("w2", "e2")]));
        assert_eq!(certain(&["id", "", "b", "c1", "d1", "e2", "mine1"], &due, &[6]), []);
        assert_eq!(certain(&["id", "", "b", "c1", "", "e2", "d1", "a1"], &due, &[6]), []);
    }

    #[test]
    fn a_table_that_was_made_again_proves_nothing() {
        let due = ["id", "a1", "b", "c1", "d1", "e2"];
        assert_eq!(certain(&["b", "id", "x1", "c1", "d1", "e2"], &due, &[6]), []);
        assert_eq!(certain(&["id", "b", "c1", "d1", "e2", "", "x9"], &due, &[6]), []);
        assert_eq!(certain(&["id", "x1", "b"], &due, &[6]), []);
        // Names fit as a whole, places do not.
        let is = ["b".to_owned(), "a".to_owned()];
        let by_name = |is: &str, due: &str| {
            if is == due { Likeness::Whole } else { Likeness::Type }
        };
        assert_eq!(Order { is: &is, due: &["a", "b"], brought: &[2] }.certain(by_name), []);
    }

    #[test]
    fn columns_of_later_versions_stand_together() {
        let due = ["id", "a1", "b1", "c2", "d1"];
        let brought = [2, 5];
        let found = certain(&["id", "a1", "mine1", "x1", "c2", "d1"], &due, &brought);
        assert_eq!(found, pairs(&[("x1", "b1")]));
        // A user's own column has exchanged names with one of the version.
        let found = certain(&["id", "a1", "b1", "mine1", "c2", "d1"], &due, &brought);
        assert_eq!(found, pairs(&[("mine1", "b1")]));
        // Of one type at both places: nobody knows which is whose.
        let due = ["id", "a1", "b1", "c1"];
        assert_eq!(certain(&["id", "a1", "x1", "b1", "y1"], &due, &[2, 4]), []);
        assert_eq!(certain(&["id", "a1", "mine1", "b1", "c1"], &due, &[2, 4]), []);
    }

    #[test]
    fn one_name_is_known_after_a_walk() {
        let due = ["id", "a1", "b1", "c2", "d1"];
        let found = |is: &[&str]| certain(is, &due, &[2, 5]);
        assert_eq!(found(&["id", "a1", "", "", "", "b1", "x2", "d1"]), pairs(&[("x2", "c2")]));
        assert_eq!(
            found(&["id", "y1", "", "", "", "", "", "", "x1", "c2", "d1"]),
            pairs(&[("y1", "a1"), ("x1", "b1")])
        );
        // After walks to two versions, of which the later brought one column.
        let due = ["id", "a1", "b1", "c2", "d1"];
        let is = ["id", "a1", "", "", "", "", "x1", "c2", "d1"];
        assert_eq!(certain(&is, &due, &[2, 4, 5]), pairs(&[("x1", "b1")]));
        // The only one, which may be a user's own.
        assert_eq!(certain(&["id", "a1", "", "x1"], &["id", "a1", "b1"], &[2, 3]), []);
        // Two, one of another type, and one beside another hole.
        assert_eq!(found(&["id", "a1", "", "", "", "x1", "c2", "y1"]), []);
        assert_eq!(found(&["id", "a1", "", "", "", "x9", "c2", "d1"]), []);
        assert_eq!(found(&["id", "a1", "", "", "", "", "x1", "c2", "d1"]), []);
        assert_eq!(found(&["id", "a1", "b1", "", "d1", "x2"]), []);
    }
}
