//! Addresses of pages: the one of a thing, the one that a request wants, and the sign-in that leads there.

use axum::http::header::{HOST, REFERER};
use axum::http::{HeaderMap, Method, Uri};

/// The longest address to which a sign-in leads.
const LONGEST: usize = 4000;

/// Where nobody wants to be led: the sign-in itself, and what is no page.
const NO_PAGES: [&str; 3] = ["/sign-in", "/sign-out", "/live"];

/// Where the page of one thing is.
pub fn address(path: &str, key: &str, value: &str) -> String {
    let query = serde_urlencoded::to_string([(key, value)]).unwrap_or_default();
    format!("{path}?{query}")
}

/// The sign-in that leads to a page.
pub fn sign_in(wanted: Option<&str>) -> String {
    match wanted {
        Some(page) if page != "/" => address("/sign-in", "next", page),
        _ => "/sign-in".to_owned(),
    }
}

/// A page of the console, if the text is the address of one. A browser would take two slashes, or a slash and a backslash,
/// for the beginning of another host, and leaves control characters out.
pub fn page(text: &str) -> Option<&str> {
    let is_local = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = text.split(['?', '#']).next().unwrap_or_default();
    (is_local && !NO_PAGES.contains(&path)).then_some(text)
}

/// The page that a request wants: the one that it asks for, or the one with the form that it sends.
pub fn wanted(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if method == Method::GET {
        return page(uri.path_and_query()?.as_str()).map(str::to_owned);
    }
    // The page of a question has the address of its acts, without the act.
    let path = uri.path();
    match path.strip_prefix("/decisions/").and_then(|rest| rest.split_once('/')) {
        Some((id, _)) => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            page(&format!("/decisions/{id}{query}")).map(str::to_owned)
        }
        None => referring(headers).and_then(page).map(str::to_owned),
    }
}

/// The page of the console from which a request comes.
fn referring(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, address) = text(REFERER)?.split_once("://")?;
    address.strip_prefix(text(HOST)?).filter(|page| page.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: [(&'static str, &'static str); 2]) -> HeaderMap {
        pairs
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .into_iter()
            .collect()
    }

    #[test]
    fn a_page_of_the_console_is_local() {
        for text in ["/", "/decisions/1", "/run?thread=a%2Fb&page=2", "/?kind=gate", "/a//b"] {
            assert_eq!(page(text), Some(text));
        }
        for text in [
            "",
            "runs",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/runs\r\nSet-Cookie: x=y",
            "/runs\0",
            "/runs and more",
            "/r\u{fc}ns",
            "https://evil.example/",
            "javascript:alert(1)",
            " /runs",
            "/sign-in",
            "/sign-in?next=/runs",
            "/sign-out",
            "/live",
        ] {
            assert_eq!(page(text), None, "{text:?}");
        }
        assert_eq!(page(&format!("/{}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn a_form_wants_the_page_on_which_it_stands() {
        let wanted = |method: Method, uri: &'static str, referer| {
            super::wanted(
                &method,
                &Uri::from_static(uri),
                &headers([("host", "h:1"), ("referer", referer)]),
            )
        };
        let of_run = "http://h:1/run?thread=t1";
        assert_eq!(wanted(Method::GET, "/runs?page=2", of_run).as_deref(), Some("/runs?page=2"));
        assert_eq!(wanted(Method::GET, "//evil.example/", of_run), None);
        assert_eq!(
            wanted(Method::POST, "/decisions/1/approve", of_run).as_deref(),
            Some("/decisions/1")
        );
        assert_eq!(wanted(Method::POST, "/run/stop", of_run).as_deref(), Some("/run?thread=t1"));
        for elsewhere in [
            "http://h:12/runs",
            "http://evil.example/runs",
            "http://h:1//evil.example",
            "/runs",
            "http://h:1",
        ] {
            assert_eq!(wanted(Method::POST, "/run/stop", elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn the_sign_in_leads_to_the_page() {
        assert_eq!(sign_in(None), "/sign-in");
        assert_eq!(sign_in(Some("/")), "/sign-in");
        assert_eq!(
            sign_in(Some("/run?thread=a&page=2")),
            "/sign-in?next=%2Frun%3Fthread%3Da%26page%3D2"
        );
    }
}
