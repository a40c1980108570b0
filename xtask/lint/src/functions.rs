//! Every function, aggregate and view has a comment. Only the owner may call a new function, and a function in C
//! pins its search path. pgspot demands that of other languages (PS005).

use pg_query::NodeEnum;
use pg_query::protobuf::{
    CommentStmt, CreateFunctionStmt, GrantStmt, ObjectType, RoleSpecType, VariableSetStmt,
};

use super::source::{Finding, Source};
use super::tree::{Name, option};

/// Functions that look up nothing by name and run once per row: pinning would cost more than they do.
const UNPINNED: [&str; 12] = [
    "uuidv7",
    "is_valid_configuration",
    "enforce_lifecycle",
    "v7_is_valid_file_name",
    "is_valid_llm_call",
    "llm_special_call",
    "llm_usage_sums_add",
    "llm_cost_line",
    "llm_call_cost",
    "llm_input_units",
    "llm_unpriced_units",
    "text_sha256",
];

/// Functions that views, checks or generated columns call and that read nothing but their arguments: everybody may call
/// them, so that everybody who may
/// read such a view, or a user's view over it, can. Decision `readers-of-costs-may-compute-them`.
const FOR_EVERYBODY: [&str; 8] = [
    "is_valid_llm_call",
    "llm_special_call",
    "llm_usage_sums",
    "llm_cost_line",
    "llm_call_cost",
    "llm_input_units",
    "llm_unpriced_units",
    "text_sha256",
];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    for statement in &source.statements {
        let mut report = |message: String| findings.push(source.finding(statement.line, message));
        match &statement.node {
            NodeEnum::CreateFunctionStmt(function) => {
                let name = Name::of_words(&function.funcname);
                let is_unpinned = UNPINNED.contains(&name.object.as_str());
                if is_in_c(function) && !pins_search_path(function) && !is_unpinned {
                    report(format!("function {name} must SET search_path"));
                }
                if function.replace {
                    // Rights and comment of the old text stay.
                    continue;
                }
                seen.push(name.clone());
                let overloads = seen.iter().filter(|other| **other == name).count();
                let kinds = [ObjectType::ObjectFunction, ObjectType::ObjectProcedure];
                if commented(source, &kinds, &name) < overloads {
                    report(format!("function {name} needs a COMMENT"));
                }
                let is_for_everybody = FOR_EVERYBODY.contains(&name.object.as_str());
                if revoked(source, &name) < overloads && !is_for_everybody {
                    report(format!("function {name} needs REVOKE ALL ON FUNCTION … FROM PUBLIC"));
                }
            }
            NodeEnum::DefineStmt(aggregate) if aggregate.kind() == ObjectType::ObjectAggregate => {
                let name = Name::of_words(&aggregate.defnames);
                if commented(source, &[ObjectType::ObjectAggregate], &name) == 0 {
                    report(format!("aggregate {name} needs a COMMENT"));
                }
                let is_for_everybody = FOR_EVERYBODY.contains(&name.object.as_str());
                if revoked(source, &name) == 0 && !is_for_everybody {
                    report(format!("aggregate {name} needs REVOKE ALL ON FUNCTION … FROM PUBLIC"));
                }
            }
            NodeEnum::ViewStmt(view) => {
                if let Some(name) = view.view.as_ref().map(Name::of_relation)
                    && commented(source, &[ObjectType::ObjectView], &name) == 0
                {
                    report(format!("view {name} needs a COMMENT"));
                }
            }
            _ => {}
        }
    }
    findings
}

fn is_in_c(function: &CreateFunctionStmt) -> bool {
    let is_c = |value: &&NodeEnum| matches!(value, NodeEnum::String(name) if name.sval.eq_ignore_ascii_case("c"));
    option(function, "language").iter().any(is_c)
}

fn pins_search_path(function: &CreateFunctionStmt) -> bool {
    let pins = |value: &&NodeEnum| matches!(value, NodeEnum::VariableSetStmt(VariableSetStmt { name, .. }) if name == "search_path");
    option(function, "set").iter().any(pins)
}

/// The number of comments of the script on objects of that name.
pub fn commented(source: &Source, kinds: &[ObjectType], name: &Name) -> usize {
    let is_on = |comment: &CommentStmt| {
        kinds.contains(&comment.objtype())
            && comment.object.as_deref().and_then(Name::of_node).as_ref() == Some(name)
    };
    let comments = source.statements.iter().filter(
        |statement| matches!(&statement.node, NodeEnum::CommentStmt(comment) if is_on(comment)),
    );
    comments.count()
}

/// The number of statements of the script that revoke EXECUTE on functions of that name from PUBLIC.
fn revoked(source: &Source, name: &Name) -> usize {
    let grants = source.statements.iter().filter_map(|statement| match &statement.node {
        NodeEnum::GrantStmt(grant) if takes_calls_from_everybody(grant) => Some(grant),
        _ => None,
    });
    grants
        .flat_map(|grant| grant.objects.iter().filter_map(Name::of_node))
        .filter(|revoked| revoked == name)
        .count()
}

fn takes_calls_from_everybody(grant: &GrantStmt) -> bool {
    let is_call = |privilege: &pg_query::protobuf::Node| matches!(&privilege.node, Some(NodeEnum::AccessPriv(privilege)) if privilege.priv_name == "execute");
    let is_public = |grantee: &pg_query::protobuf::Node| matches!(&grantee.node, Some(NodeEnum::RoleSpec(role)) if role.roletype() == RoleSpecType::RolespecPublic);
    !grant.is_grant
        && matches!(grant.objtype(), ObjectType::ObjectFunction | ObjectType::ObjectProcedure)
        && (grant.privileges.is_empty() || grant.privileges.iter().any(is_call))
        && grant.grantees.iter().any(is_public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, up};

    const COMPLETE: &str = "CREATE FUNCTION s.f(a text) RETURNS text LANGUAGE c SET search_path TO s AS 'MODULE_PATHNAME', 'f_wrapper';
        REVOKE ALL ON FUNCTION s.f(text) FROM PUBLIC;
        COMMENT ON FUNCTION s.f(text) IS 'x';
        CREATE VIEW s.v AS SELECT 1; COMMENT ON VIEW s.v IS 'x';";

    fn found(text: &str) -> Vec<String> {
        messages(check(&up(text)))
    }

    #[test]
    fn functions_and_views_with_their_companions_are_silent() {
        assert_eq!(found(COMPLETE), [""; 0]);
    }

    #[test]
    fn each_missing_companion_is_found() {
        assert_eq!(
            found("CREATE FUNCTION s.f() RETURNS text LANGUAGE c AS 'm', 'f';"),
            [
                "function s.f must SET search_path",
                "function s.f needs a COMMENT",
                "function s.f needs REVOKE ALL ON FUNCTION … FROM PUBLIC"
            ]
        );
        assert_eq!(found("CREATE VIEW s.v AS SELECT 1;"), ["view s.v needs a COMMENT"]);
        assert_eq!(
            found("CREATE AGGREGATE s.a(text) (SFUNC = s.f, STYPE = text);"),
            [
                "aggregate s.a needs a COMMENT",
                "aggregate s.a needs REVOKE ALL ON FUNCTION … FROM PUBLIC"
            ]
        );
        let kept = COMPLETE.replace("FROM PUBLIC", "FROM r");
        assert_eq!(found(&kept).len(), 1);
        let kept = COMPLETE
            .replace("REVOKE ALL", "REVOKE GRANT OPTION FOR ALL")
            .replace("FROM PUBLIC", "FROM r");
        assert_eq!(found(&kept).len(), 1);
    }

    #[test]
    fn a_second_function_of_the_same_name_needs_its_own() {
        let overload = "CREATE FUNCTION s.f(a integer) RETURNS text LANGUAGE c SET search_path TO s AS 'MODULE_PATHNAME', 'g_wrapper';";
        assert_eq!(found(&format!("{COMPLETE}{overload}")).len(), 2);
    }

    #[test]
    fn c_may_go_without_a_pinned_search_path_where_that_is_known_to_be_safe() {
        let unpinned = COMPLETE.replace(" SET search_path TO s", "");
        assert_eq!(found(&unpinned), ["function s.f must SET search_path"]);
        assert_eq!(found(&unpinned.replace("s.f(", "s.uuidv7(")), [""; 0]);
    }

    #[test]
    fn a_new_text_keeps_rights_and_comment_but_not_the_search_path() {
        let replaced = "CREATE OR REPLACE FUNCTION s.f() RETURNS text LANGUAGE c AS 'm', 'f';";
        assert_eq!(found(replaced), ["function s.f must SET search_path"]);
    }

    #[test]
    fn one_revoke_may_list_several_functions() {
        let text = "CREATE FUNCTION s.f(a text, b text) RETURNS text LANGUAGE c SET search_path TO s AS 'm', 'f';
            CREATE FUNCTION s.g() RETURNS text LANGUAGE c SET search_path TO s AS 'm', 'g';
            REVOKE ALL ON FUNCTION s.f(text, text), s.g() FROM PUBLIC;
            COMMENT ON FUNCTION s.f(text, text) IS 'x';
            COMMENT ON FUNCTION s.g() IS 'x';";
        assert_eq!(found(text), [""; 0]);
    }
}
