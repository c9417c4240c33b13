//! A PostgreSQL address (`postgres://user@host:port/base?name=value`), as far as the program judges it: does it leave
//! this machine, is it encrypted, which parameters does it already give.

use std::net::IpAddr;

/// The hosts an address names, and its parameters.
struct Parts {
    hosts: Vec<String>,
    parameters: Vec<(String, String)>,
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        let pair = (byte == b'%').then(|| (rest.clone().next(), rest.clone().nth(1)));
        let code = match pair {
            Some((Some(high), Some(low))) => {
                let text = [high, low];
                std::str::from_utf8(&text).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        if let Some(code) = code {
            out.push(code);
            rest.nth(1);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn parts(url: &str) -> Parts {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (main, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = main.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let name = |host: &str| match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.to_owned(),
        None => decoded(host.split(':').next().unwrap_or_default()),
    };
    let parameters = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    Parts { hosts: hosts.split(',').map(name).collect(), parameters: parameters.collect() }
}

/// No host, a socket's folder, or an address that never leaves this machine.
fn is_here(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether an address leads beyond this machine, or may: a `service` file is not read.
#[must_use]
pub fn leaves_this_machine(url: &str) -> bool {
    let Parts { hosts, parameters } = parts(url);
    let away = |list: &str| list.split(',').any(|host| !is_here(host));
    hosts.iter().any(|host| !is_here(host))
        || parameters.iter().any(|(name, value)| match name.as_str() {
            "host" | "hostaddr" => away(value),
            "service" => true,
            _ => false,
        })
}

/// How much an address protects what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// Clear text, or clear text when the server prefers (`disable`, `allow`, `prefer`, nothing).
    None,
    /// Encrypted, to whoever answers (`require`).
    Encrypted,
    /// Encrypted, to a server whose certificate is checked (`verify-ca`, `verify-full`).
    Verified,
}

/// What the address asks for by `sslmode`; said twice, the weaker one counts.
#[must_use]
pub fn protection(url: &str) -> Protection {
    let Parts { parameters, .. } = parts(url);
    let modes = parameters.iter().filter(|(name, _)| name == "sslmode").map(|(_, mode)| match mode.as_str() {
        "verify-ca" | "verify-full" => Protection::Verified,
        "require" => Protection::Encrypted,
        _ => Protection::None,
    });
    modes.min().unwrap_or(Protection::None)
}

/// Adds the parameters the address does not give itself. Names and values need no encoding.
pub(super) fn with_defaults(url: &str, defaults: &[(&str, String)]) -> String {
    let given = parts(url).parameters;
    let mut url = url.to_owned();
    for (name, value) in defaults {
        if !given.iter().any(|(known, _)| known == name) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(&value.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_', "_"));
        }
    }
    url
}

/// Whether the address names a host, here or elsewhere; else libpq takes a socket, or what `PGHOST` says.
pub(super) fn names_a_host(url: &str) -> bool {
    let Parts { hosts, parameters } = parts(url);
    hosts.iter().any(|host| !host.is_empty()) || parameters.iter().any(|(name, _)| name == "host" || name == "hostaddr")
}

/// The address without its password, and the password apart: a program's arguments are read by everybody.
#[must_use]
pub fn without_password(url: &str) -> (String, Option<String>) {
    let split = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (user, hosts) = authority.rsplit_once('@')?;
        let (name, password) = user.split_once(':')?;
        Some((format!("{scheme}://{name}@{hosts}{tail}"), decoded(password)))
    });
    split.map_or_else(|| (url.to_owned(), None), |(bare, password)| (bare, Some(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_loopback_stay_on_this_machine() {
        for url in [
            "postgres:///ent",
            "postgres://ent@/ent",
            "postgres://ent:p%40ss@localhost:5432/ent",
            "postgres://ent@127.0.0.1:5432/ent",
            "postgres://ent@[::1]:5432/ent",
            "postgres://ent@%2Fvar%2Frun%2Fpostgresql/ent",
            "postgres://ent@/ent?host=/var/run/postgresql",
            "postgres://ent@localhost,127.0.0.1:5433/ent",
        ] {
            assert!(!leaves_this_machine(url), "{url}");
        }
        for url in [
            "postgres://ent@postgres:5432/ent",
            "postgres://ent@10.0.0.1/ent",
            "postgres://ent@[2001:db8::1]/ent",
            "postgres://ent@localhost,db2/ent",
            "postgres://ent@localhost/ent?hostaddr=10.0.0.1",
            "postgres://ent@/ent?host=db",
            "postgres://ent@/ent?service=prod",
            "postgres://ent@127.0.0.1.example.fr/ent",
        ] {
            assert!(leaves_this_machine(url), "{url}");
        }
    }

    #[test]
    fn only_a_mode_that_never_falls_back_protects() {
        let of = |query: &str| protection(&format!("postgres://ent@db/ent{query}"));
        for weak in ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=disable", "?sslmode=", "?sslmode=x"] {
            assert_eq!(of(weak), Protection::None, "{weak}");
        }
        assert_eq!(of("?sslmode=require"), Protection::Encrypted);
        assert_eq!(of("?a=b&sslmode=verify-full&sslrootcert=/ca.crt"), Protection::Verified);
        assert_eq!(of("?sslmode=verify-full&sslmode=prefer"), Protection::None);
        assert_eq!(of("?ssl%6dode=require"), Protection::Encrypted);
    }

    #[test]
    fn what_the_address_says_itself_stands() {
        let defaults = [("connect_timeout", "5".to_owned()), ("application_name", "ent back".to_owned())];
        assert_eq!(
            with_defaults("postgres://ent@db/ent", &defaults),
            "postgres://ent@db/ent?connect_timeout=5&application_name=ent_back"
        );
        assert_eq!(
            with_defaults("postgres://ent@db/ent?connect_timeout=30", &defaults),
            "postgres://ent@db/ent?connect_timeout=30&application_name=ent_back"
        );
        assert!(names_a_host("postgres://db/ent") && !names_a_host("postgres:///ent"));
    }

    #[test]
    fn the_password_leaves_the_address() {
        let (bare, password) = without_password("postgres://ent:p%40ss%2F%C3%A9@db:5432/ent?sslmode=require");
        assert_eq!(
            (bare.as_str(), password.as_deref()),
            ("postgres://ent@db:5432/ent?sslmode=require", Some("p@ss/é"))
        );
        assert_eq!(without_password("postgres://ent@db/a@b:c"), ("postgres://ent@db/a@b:c".to_owned(), None));
    }
}
