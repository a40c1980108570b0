//! Attempts to sign in: how many may fail within a minute. An attempt counts from its beginning, so that many at once do
//! not pass, until it succeeds.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;

/// The time for which an attempt counts.
const WHILE: Duration = Duration::from_secs(60);

/// The most attempts of one address.
const MOST_OF_AN_ADDRESS: usize = 10;

/// The most attempts for one role, from wherever they come. It is higher, so that one person who fails keeps out nobody else.
const MOST_OF_A_ROLE: usize = 30;

/// An attempt that has not succeeded.
#[derive(Clone, PartialEq)]
pub struct Attempt {
    address: IpAddr,
    role: String,
}

impl Attempt {
    pub fn new(address: IpAddr, role: &str) -> Attempt {
        Attempt { address: of_one_person(address), role: role.to_owned() }
    }
}

/// Attempts of the last minute.
#[derive(Default)]
pub struct Attempts(Mutex<Vec<(Attempt, Instant)>>);

impl Attempts {
    /// Counts an attempt. Returns whether it may be made.
    pub fn begin(&self, attempt: &Attempt) -> bool {
        let mut attempts = self.locked();
        attempts.retain(|(_, at)| at.elapsed() < WHILE);
        let number = |is_alike: fn(&Attempt, &Attempt) -> bool| {
            attempts.iter().filter(|(other, _)| is_alike(other, attempt)).count()
        };
        let may = number(|a, b| a.address == b.address) < MOST_OF_AN_ADDRESS
            && number(|a, b| a.role == b.role) < MOST_OF_A_ROLE;
        if may {
            attempts.push((attempt.clone(), Instant::now()));
        }
        may
    }

    /// An attempt that nothing was wrong with does not count.
    pub fn forget(&self, attempt: &Attempt) {
        let mut attempts = self.locked();
        if let Some(place) = attempts.iter().rposition(|(other, _)| other == attempt) {
            attempts.remove(place);
        }
    }

    /// No code panics while it holds it.
    fn locked(&self) -> MutexGuard<'_, Vec<(Attempt, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of an address that stands for one person: whoever has an address of IPv6 has 2^64 of them.
fn of_one_person(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// The address from which a request comes: the peer, unless that is a proxy that the console trusts. A proxy adds to the
/// header X-Forwarded-For the address of its peer, so the last one that is no trusted proxy is true; whoever sends the
/// request may have written the others.
pub fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.contains(&address.to_canonical());
    if !is_proxy(&peer) {
        return peer;
    }
    let forwarded =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
    let addresses = forwarded.iter().rev().map_while(|text| text.trim().parse().ok());
    addresses.into_iter().find(|address| !is_proxy(address)).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// The number of attempts that may be made, of many.
    fn made(attempts: &Attempts, of: impl Fn(usize) -> Attempt) -> usize {
        (0..100).filter(|number| attempts.begin(&of(*number))).count()
    }

    #[test]
    fn an_address_has_few_attempts_for_all_roles() {
        let attempts = Attempts::default();
        assert_eq!(made(&attempts, |n| Attempt::new(ip("192.0.2.1"), &format!("role {n}"))), 10);
        assert!(attempts.begin(&Attempt::new(ip("192.0.2.2"), "role 1")), "another address");
        assert_eq!(made(&attempts, |n| Attempt::new(ip(&format!("2001:db8::{n}")), "a")), 10);
        assert!(attempts.begin(&Attempt::new(ip("2001:db8:0:1::1"), "a")), "another network");
    }

    #[test]
    fn a_role_has_few_attempts_from_all_addresses() {
        let attempts = Attempts::default();
        assert_eq!(made(&attempts, |n| Attempt::new(ip(&format!("192.0.2.{n}")), "rosa")), 30);
        assert!(attempts.begin(&Attempt::new(ip("192.0.2.99"), "ada")), "another role");
    }

    #[test]
    fn who_signs_in_has_no_attempt_less() {
        let attempts = Attempts::default();
        let attempt = Attempt::new(ip("192.0.2.1"), "rosa");
        for _ in 0..100 {
            assert!(attempts.begin(&attempt));
            attempts.forget(&attempt);
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_asks() {
        let headers = |lines: &[&str]| -> HeaderMap {
            let name = axum::http::HeaderName::from_static("x-forwarded-for");
            lines.iter().map(|line| (name.clone(), line.parse().expect("a value"))).collect()
        };
        let proxies = [ip("127.0.0.1"), ip("10.0.0.1")];
        let of = |peer, lines: &[&str]| address(ip(peer), &headers(lines), &proxies);
        assert_eq!(of("192.0.2.1", &["198.51.100.1"]), ip("192.0.2.1"), "no proxy");
        assert_eq!(of("127.0.0.1", &[]), ip("127.0.0.1"));
        assert_eq!(of("127.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(of("::ffff:127.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(of("127.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.1"]), ip("198.51.100.1"));
        assert_eq!(
            of("127.0.0.1", &["203.0.113.9", "2001:db8::1"]),
            ip("2001:db8::1"),
            "two lines"
        );
        assert_eq!(
            of("127.0.0.1", &["203.0.113.9, unknown"]),
            ip("127.0.0.1"),
            "nothing before it is true"
        );
    }
}
