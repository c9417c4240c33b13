//! Addresses of databases, with what of them may be shown.

/// `url` with its password replaced by stars; unchanged when it has none.
#[must_use]
pub fn masked_url(url: &str) -> String {
    split_user(url)
        .and_then(|(scheme, user, rest)| {
            let (name, _password) = user.split_once(':')?;
            Some(format!("{scheme}://{name}:***@{rest}"))
        })
        .unwrap_or_else(|| url.to_owned())
}

/// Scheme, user (with its password), and what follows the `@`.
pub(super) fn split_user(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (user, rest) = rest.rsplit_once('@')?;
    Some((scheme, user, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_masked_whatever_it_contains() {
        assert_eq!(masked_url("postgres://u:a@b@host/d"), "postgres://u:***@host/d");
        assert_eq!(masked_url("postgres://u@host/d"), "postgres://u@host/d");
        assert_eq!(masked_url("sqlite://./data/x.sqlite"), "sqlite://./data/x.sqlite");
    }
}
