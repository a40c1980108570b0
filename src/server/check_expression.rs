//! The rule of a CHECK, read from the expression tree that the catalog keeps in
//! `pg_constraint.conbin`. The nodes are the same on every major and in every session; the words in
//! which the server prints a rule are not.

use std::ffi::CString;
use std::slice;

use pgrx::{FromDatum, pg_sys};

/// A rule that says which values a column may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `column IN ('a', 'b')`, or `column = 'a'`.
    Values(Vec<String>),
    /// `jsonb_typeof(column) = 'object'`.
    DocumentType(String),
    /// `array_position(column, NULL) IS NULL`.
    NoNullElements,
}

/// The rule of a CHECK on one column; `None` if it is another than those of `Rule`.
///
/// `tree`: `pg_constraint.conbin` as text.
pub fn rule(tree: &str) -> Option<Rule> {
    let root = Node::read(tree)?;
    if let Some((_, values)) = root.values() {
        return Some(Rule::Values(values));
    }
    let document_type = || root.document_type().map(Rule::DocumentType);
    document_type().or_else(|| root.forbids_null_elements().then_some(Rule::NoNullElements))
}

/// The number of each column that a CHECK compares with a list of values, wherever in the rule, and
/// the values.
#[cfg(any(test, feature = "pg_test"))]
pub fn lists(tree: &str) -> Vec<(i16, Vec<String>)> {
    fn add(node: &Node, found: &mut Vec<(i16, Vec<String>)>) {
        match node.as_a::<pg_sys::BoolExpr>() {
            Some(combined) => {
                // SAFETY: the arguments of a node that the server read.
                let arguments = unsafe { Node::each(combined.args) };
                arguments.iter().for_each(|argument| add(argument, found));
            }
            None => found.extend(node.values()),
        }
    }
    let mut found = Vec::new();
    Node::read(tree).iter().for_each(|root| add(root, &mut found));
    found
}

/// A node of a tree that the server read. It lives as long as the memory context of the call.
struct Node(*mut pg_sys::Node);

/// A kind of node, with the tag that marks it.
trait Tagged {
    const TAG: pg_sys::NodeTag;
}

macro_rules! tagged {
    ($($kind:ident $tag:ident),+) => {
        $(impl Tagged for pg_sys::$kind {
            const TAG: pg_sys::NodeTag = pg_sys::NodeTag::$tag;
        })+
    };
}

tagged!(
    ArrayExpr T_ArrayExpr,
    Const T_Const,
    FuncExpr T_FuncExpr,
    NullTest T_NullTest,
    OpExpr T_OpExpr,
    ScalarArrayOpExpr T_ScalarArrayOpExpr,
    Var T_Var
);
#[cfg(any(test, feature = "pg_test"))]
tagged!(BoolExpr T_BoolExpr);

impl Node {
    fn read(tree: &str) -> Option<Node> {
        let tree = CString::new(tree).ok()?;
        // SAFETY: the text ends with a zero; the server reports one that is no tree as an error.
        let root = unsafe { pg_sys::stringToNode(tree.as_ptr()) };
        Some(Node(root.cast()))
    }

    /// # Safety
    /// The list is one of nodes, in a node that the server read.
    unsafe fn each(list: *mut pg_sys::List) -> Vec<Node> {
        // SAFETY: an empty list is NULL; another one has as many cells as it says, each with a node.
        unsafe {
            let Some(list) = list.as_ref() else { return Vec::new() };
            let length = usize::try_from(list.length).unwrap_or_default();
            let cells = slice::from_raw_parts(list.elements, length);
            cells.iter().map(|cell| Node(cell.ptr_value.cast())).collect()
        }
    }

    /// # Safety
    /// As for `each`.
    unsafe fn pair(list: *mut pg_sys::List) -> Option<[Node; 2]> {
        // SAFETY: the same promise.
        unsafe { Node::each(list) }.try_into().ok()
    }

    fn as_a<T: Tagged>(&self) -> Option<&T> {
        // SAFETY: the server read the node, and its tag says which structure it has.
        unsafe {
            let node = self.0.as_ref()?;
            (node.type_ == T::TAG).then(|| &*self.0.cast::<T>())
        }
    }

    /// The number of the column, if this is one.
    fn column(&self) -> Option<i16> {
        self.as_a::<pg_sys::Var>().map(|column| column.varattno)
    }

    /// The text, if this is a literal.
    fn text(&self) -> Option<String> {
        let literal = self.as_a::<pg_sys::Const>()?;
        if literal.consttype != pg_sys::TEXTOID {
            return None;
        }
        // SAFETY: the line above checked that the datum is a text.
        unsafe { String::from_datum(literal.constvalue, literal.constisnull) }
    }

    /// The sides of an equation of texts.
    fn equation(&self) -> Option<[Node; 2]> {
        let operation = self.as_a::<pg_sys::OpExpr>()?;
        // SAFETY: the arguments of a node that the server read.
        is_text_equality(operation.opno).then(|| unsafe { Node::pair(operation.args) })?
    }

    /// The column, and the values one of which it has.
    fn values(&self) -> Option<(i16, Vec<String>)> {
        if let Some([column, value]) = self.equation() {
            return Some((column.column()?, vec![value.text()?]));
        }
        let operation = self.as_a::<pg_sys::ScalarArrayOpExpr>()?;
        if !operation.useOr || !is_text_equality(operation.opno) {
            return None;
        }
        // SAFETY: the arguments of a node that the server read.
        let [column, list] = unsafe { Node::pair(operation.args) }?;
        // SAFETY: the elements of such a node.
        let values = unsafe { Node::each(list.as_a::<pg_sys::ArrayExpr>()?.elements) };
        let values: Option<Vec<String>> = values.iter().map(Node::text).collect();
        Some((column.column()?, values.filter(|values| !values.is_empty())?))
    }

    /// The type that the rule asks of a document.
    fn document_type(&self) -> Option<String> {
        let [call, value] = self.equation()?;
        let call = call.as_a::<pg_sys::FuncExpr>()?;
        // SAFETY: the arguments of a node that the server read.
        let arguments = unsafe { Node::each(call.args) };
        let is_of_column = arguments.first().is_some_and(|argument| argument.column().is_some());
        (is_of_column && u32::from(call.funcid) == pg_sys::F_JSONB_TYPEOF).then(|| value.text())?
    }

    fn forbids_null_elements(&self) -> bool {
        const POSITION: u32 = pg_sys::F_ARRAY_POSITION_ANYCOMPATIBLEARRAY_ANYCOMPATIBLE;
        let position = || {
            let test = self.as_a::<pg_sys::NullTest>()?;
            let call = Node(test.arg.cast());
            let call = call.as_a::<pg_sys::FuncExpr>()?;
            let is_position = test.nulltesttype == pg_sys::NullTestType::IS_NULL
                && u32::from(call.funcid) == POSITION;
            // SAFETY: the arguments of a node that the server read.
            is_position.then(|| unsafe { Node::pair(call.args) })?
        };
        position().is_some_and(|[column, element]| {
            column.column().is_some()
                && element.as_a::<pg_sys::Const>().is_some_and(|element| element.constisnull)
        })
    }
}

fn is_text_equality(operator: pg_sys::Oid) -> bool {
    u32::from(operator) == pg_sys::TextEqualOperator
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use super::*;

    /// The expression tree of `CHECK (rule)`.
    fn tree(rule: &str) -> String {
        let columns = "status text, \"from\" text, names text[], ids uuid[], d jsonb, n integer";
        Spi::run(&format!("CREATE TEMP TABLE checked ({columns}, CHECK ({rule}))"))
            .expect("a table");
        let tree = Spi::get_one::<String>(
            "SELECT conbin::text FROM pg_constraint WHERE conrelid = 'pg_temp.checked'::regclass AND contype = 'c'",
        );
        Spi::run("DROP TABLE pg_temp.checked").expect("no table");
        tree.expect("a constraint").expect("a rule")
    }

    fn values(values: &[&str]) -> Option<Rule> {
        Some(Rule::Values(values.iter().map(|value| (*value).to_owned()).collect()))
    }

    #[pg_test]
    fn rules_about_the_values_of_a_column_are_read_and_no_others() {
        for (check, due) in [
            ("status IN ('pending', 'it''s, ok')", values(&["pending", "it's, ok"])),
            ("status = ANY (ARRAY['[\"]'])", values(&["[\"]"])),
            ("\"from\" = 'only'", values(&["only"])),
            ("status IN ('', NULL)", None),
            ("status <> 'a'", None),
            ("status NOT IN ('a', 'b')", None),
            ("status = 'a' OR status = 'b'", None),
            ("status > 'a'", None),
            ("status = names[1]", None),
            ("btrim(status) IN ('a', 'b')", None),
            ("n IN (1, 2)", None),
            ("status = ANY (names)", None),
            ("array_position(names, NULL) IS NULL", Some(Rule::NoNullElements)),
            ("array_position(ids, NULL) IS NULL", Some(Rule::NoNullElements)),
            ("array_position(names, NULL) IS NOT NULL", None),
            ("array_position(names, 'a') IS NULL", None),
            ("array_position(names, NULL, 2) IS NULL", None),
            ("status IS NULL", None),
            ("jsonb_typeof(d) = 'object'", Some(Rule::DocumentType("object".to_owned()))),
            ("jsonb_typeof(d -> 'a') = 'object'", None),
            ("jsonb_typeof(d) <> 'object'", None),
            ("status IN ('a') AND n > 0", None),
        ] {
            assert_eq!(rule(&tree(check)), due, "{check}");
        }
    }

    #[pg_test]
    fn lists_are_found_wherever_they_are_in_a_rule() {
        let found = lists(&tree(
            "status IN ('a', 'b') OR NOT (n > 0 AND \"from\" = 'c' AND status NOT IN ('d'))",
        ));
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let due: [(i16, Vec<String>); 2] = [(1, texts(&["a", "b"])), (2, texts(&["c"]))];
        assert_eq!(found, due);
    }
}
