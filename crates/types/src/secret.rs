//! Texts that no one is to read who reads logs.

use std::fmt;

/// A key, a password, or an address that holds one. Its [`fmt::Debug`] does not show it, and it has no other form: who
/// sends it somewhere asks for it by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An address that may hold a secret: a user and a password, a path, parameters. It is only ever shown as its scheme and host; who asks
/// it takes the text from where this was made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretUrl<'u>(pub &'u str);

impl fmt::Display for SecretUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str("***") };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) {
            return write!(f, "{scheme}://***");
        }
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for SecretUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
