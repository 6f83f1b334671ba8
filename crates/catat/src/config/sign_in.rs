//! How people sign in besides with passwords: `[sign_in]` and `[oidc]`.

use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::HeaderName;
use serve::{OidcOptions, OidcProvider, ProxyUsers, RoleRules, SignIn};
use types::Secret;

use super::values::{Reader, text_of_file};

/// The settings of both sections, checked.
#[derive(Clone, Default)]
pub(crate) struct SignInConfig {
    roles: RoleRules,
    oidc: Option<OidcConfig>,
    proxy: Option<ProxyUsers>,
}

#[derive(Clone)]
struct OidcConfig {
    options: OidcOptions,
    client_secret_file: Option<PathBuf>,
}

impl SignInConfig {
    /// Reads both sections. A provider sends people back to the page, which is at `public_url`.
    pub(super) fn read(read: &mut Reader<'_>, public_url: Option<&Url>) -> Self {
        let mut roles = RoleRules::default();
        for rule in read.list("sign_in", "roles") {
            let rule = rule.parse().map(|rule| roles.0.push(rule));
            read.accept(rule, "sign_in", "roles");
        }
        let (oidc, proxy) = (OidcConfig::read(read, public_url), read_proxy(read));
        let is_wanted = read.optional("oidc", "issuer").is_some() || proxy.is_some();
        let wanted = "set if oidc.issuer or sign_in.proxy_header is: without roles no one may sign in with them";
        read.require(!roles.0.is_empty() || !is_wanted, "sign_in", "roles", wanted);
        Self { roles, oidc, proxy }
    }

    /// Reports whether people sign in with a provider or at a proxy.
    pub(crate) fn is_set(&self) -> bool {
        self.oidc.is_some() || self.proxy.is_some()
    }

    /// Returns what the server signs people in with.
    ///
    /// # Errors
    /// If the file with the secret cannot be read.
    pub(crate) fn open(&self) -> Result<SignIn, String> {
        let oidc = self.oidc.as_ref().map(|oidc| oidc.open().map(Into::into)).transpose()?;
        Ok(SignIn { roles: self.roles.clone(), oidc, proxy: self.proxy.clone() })
    }

    /// Asks the provider for its metadata; returns what is wrong.
    pub(crate) fn problem_of_provider(&self) -> Option<String> {
        let provider = self.oidc.as_ref()?.open();
        let asked = provider.and_then(|provider| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let asked =
                runtime.map_err(|error| error.to_string())?.block_on(provider.probe(storage::Clock::system().now()));
            asked.map_err(|error| format!("oidc.issuer: {error}"))
        });
        asked.err()
    }
}

impl OidcConfig {
    /// Reads the section; nothing where no issuer is set. What describes one that is not there is refused.
    fn read(read: &mut Reader<'_>, public_url: Option<&Url>) -> Option<Self> {
        let issuer = read.optional("oidc", "issuer");
        let (name, client_id) = (read.optional("oidc", "name"), read.optional("oidc", "client_id"));
        let client_secret = read.secret("oidc", "client_secret");
        let client_secret_file = read.optional("oidc", "client_secret_file").map(PathBuf::from);
        let scopes = read.list("oidc", "scopes");
        let [user_claim, groups_claim] = ["user_claim", "groups_claim"].map(|key| read.text("oidc", key).to_owned());
        let has_one = client_secret.is_none() || client_secret_file.is_none();
        read.require(has_one, "oidc", "client_secret_file", "omitted if oidc.client_secret is set");
        let Some(issuer) = issuer else {
            read.require(client_id.is_none(), "oidc", "issuer", "set if oidc.client_id is set");
            return None;
        };
        read.accept(serve::check_issuer(&issuer), "oidc", "issuer");
        read.require(client_id.is_some(), "oidc", "client_id", "set if oidc.issuer is set");
        let is_asked = scopes.iter().any(|scope| scope == "openid");
        read.require(is_asked, "oidc", "scopes", "a list with \"openid\"");
        let has_url = read.optional("server", "public_url").is_some();
        let wanted = "set if oidc.issuer is set: the provider sends people back there";
        read.require(has_url, "server", "public_url", wanted);
        read.require(!user_claim.is_empty(), "oidc", "user_claim", "the name of a claim");
        let host = Url::parse(&issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
        let name = name.or(host).unwrap_or_default();
        let (client_id, mut home) = (client_id?, public_url?.clone());
        if !home.path().ends_with('/') {
            home.set_path(&format!("{}/", home.path()));
        }
        let mut callback = home.clone();
        callback.set_path(&format!("{}api/v1/session/oidc/callback", home.path()));
        let options =
            OidcOptions { issuer, name, client_id, client_secret, scopes, user_claim, groups_claim, home, callback };
        Some(Self { options, client_secret_file })
    }

    fn open(&self) -> Result<OidcProvider, String> {
        let from_file = self.client_secret_file.as_deref().map(read_secret).transpose()?;
        let options = self.options.clone();
        OidcProvider::new(OidcOptions { client_secret: options.client_secret.or(from_file), ..options })
    }
}

fn read_secret(path: &Path) -> Result<Secret, String> {
    let secret = text_of_file("oidc.client_secret_file", path)?;
    if secret.is_empty() {
        return Err(format!("oidc.client_secret_file {}: the file is empty; write the secret into it", path.display()));
    }
    Ok(Secret::from(&*secret))
}

/// Reads what concerns a proxy; nothing where no header is set. What describes one that is not there is refused.
fn read_proxy(read: &mut Reader<'_>) -> Option<ProxyUsers> {
    let [header, groups_header] = ["proxy_header", "proxy_groups_header"].map(|key| read_header(read, key));
    let networks = read.networks("sign_in", "proxy_networks");
    let Some(header) = header else {
        let wanted = "omitted unless sign_in.proxy_header is set";
        read.require(groups_header.is_none(), "sign_in", "proxy_groups_header", wanted);
        read.require(networks.is_empty(), "sign_in", "proxy_networks", wanted);
        return None;
    };
    let wanted = "set if sign_in.proxy_header is set: the addresses of the proxy";
    read.require(!networks.is_empty(), "sign_in", "proxy_networks", wanted);
    Some(ProxyUsers::new(header, groups_header, networks))
}

fn read_header(read: &mut Reader<'_>, key: &'static str) -> Option<HeaderName> {
    let text = read.optional("sign_in", key)?;
    // A header that means something else would be taken from requests that do not come from the proxy.
    let is_taken = ["authorization", "cookie", "host", "x-catat-key"].contains(&&*text.to_ascii_lowercase());
    let name = text.parse::<HeaderName>().ok().filter(|_| !is_taken);
    let wrong = || format!("\"{text}\" is not a header such as X-Forwarded-User");
    read.accept(name.as_ref().map(|_| ()).ok_or_else(wrong), "sign_in", key);
    name
}
