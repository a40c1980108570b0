//! Parts of statements that several rules speak about.

use std::fmt;

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AConst, Constraint, CreateFunctionStmt, FuncCall, Node, RangeVar, a_const::Val,
};

/// A name, perhaps with its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub schema: Option<String>,
    pub object: String,
}

impl Name {
    /// Reads `schema.object` or `object` as it stands in a string.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((schema, object)) => {
                Self { schema: Some(schema.to_owned()), object: object.to_owned() }
            }
            None => Self { schema: None, object: text.to_owned() },
        }
    }

    /// A table, view, sequence or index.
    pub fn of_relation(relation: &RangeVar) -> Self {
        let schema = (!relation.schemaname.is_empty()).then(|| relation.schemaname.clone());
        Self { schema, object: relation.relname.clone() }
    }

    /// The words of a list of nodes.
    pub fn of_words(words: &[Node]) -> Self {
        Self::parse(&self::words(words).join("."))
    }

    /// What a node of a list of objects names.
    pub fn of_node(node: &Node) -> Option<Self> {
        match node.node.as_ref()? {
            NodeEnum::RangeVar(relation) => Some(Self::of_relation(relation)),
            NodeEnum::ObjectWithArgs(function) => Some(Self::of_words(&function.objname)),
            NodeEnum::List(list) => Some(Self::of_words(&list.items)),
            NodeEnum::TypeName(name) => Some(Self::of_words(&name.names)),
            NodeEnum::String(name) => Some(Self::parse(&name.sval)),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.object),
            None => formatter.write_str(&self.object),
        }
    }
}

/// Names and texts of a list.
pub fn words(nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter_map(word).collect()
}

/// A name or the text of a constant.
pub fn word(node: &Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::String(text) => Some(text.sval.clone()),
        NodeEnum::AConst(AConst { val: Some(Val::Sval(text)), .. }) => Some(text.sval.clone()),
        _ => None,
    }
}

/// The value of a function's option, such as `language`.
pub fn option<'a>(function: &'a CreateFunctionStmt, name: &str) -> Vec<&'a NodeEnum> {
    let value = |node: &'a Node| match node.node.as_ref()? {
        NodeEnum::DefElem(option) if option.defname == name => option.arg.as_ref()?.node.as_ref(),
        _ => None,
    };
    function.options.iter().filter_map(value).collect()
}

/// The functions that are the columns of a `SELECT`.
pub fn calls(statement: &NodeEnum) -> Vec<&FuncCall> {
    let NodeEnum::SelectStmt(select) = statement else { return Vec::new() };
    select
        .target_list
        .iter()
        .filter_map(|target| match target.node.as_ref()? {
            NodeEnum::ResTarget(target) => match target.val.as_ref()?.node.as_ref()? {
                NodeEnum::FuncCall(call) => Some(&**call),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// Whether a call is of this function, with this text as its first argument.
pub fn is_call(call: &FuncCall, function: &str, argument: &str) -> bool {
    words(&call.funcname).last().is_some_and(|name| name == function)
        && call.args.first().and_then(word).is_some_and(|text| text == argument)
}

/// The constraints of a table's or column's list.
pub fn constraints(nodes: &[Node]) -> impl Iterator<Item = &Constraint> {
    nodes.iter().filter_map(|node| match node.node.as_ref()? {
        NodeEnum::Constraint(constraint) => Some(&**constraint),
        _ => None,
    })
}
