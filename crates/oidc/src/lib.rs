//! Signs people in with their account at a provider of OpenID Connect: authorization code with PKCE.
//!
//! ```text
//! begin    discovery → address at the provider, with state, nonce and code challenge; a cookie for this browser
//! finish   cookie and the provider's answer → code for tokens → ID token verified → name and groups
//! ```
//!
//! State, nonce and code verifier are derived from one secret in the cookie, so that any node of a fleet can finish what
//! another began. No token outlives [`Provider::finish`]. Every answer of the provider is bounded in time and size.
//!
//! Knows no route, no user and no role, and reads no clock: callers pass the time.

mod attempt;
mod error;
mod fetch;
mod metadata;
mod provider;
mod signature;
mod token;

pub use self::attempt::COOKIE_LIFE_S;
pub use self::error::{Result, SignInError};
pub use self::metadata::check_issuer;
pub use reqwest::Url;

pub use self::provider::{Account, Attempted, Options, Provider, ProviderAnswer};

#[cfg(test)]
mod tests;
