//! A provider, and the two steps of a sign-in with it.

use jsonwebtoken::decode_header;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use types::{Secret, Timestamp, ensure};

use crate::attempt::{Attempt, UsedStates};
use crate::error::{Result, SignInError};
use crate::fetch::{self, printable};
use crate::metadata::{Endpoint, Metadata, Publications};
use crate::signature;
use crate::token::{self, Claims, Expected};

/// Sign-ins that wait for the provider at once. A slow one must not collect connections.
const WAITING_MAX: usize = 16;

/// What is encoded in the client's name and secret (RFC 6749, section 2.3.1). Some providers do not decode them, and most names have
/// nothing but letters, digits and these marks.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Most groups of an account, and the longest name of one.
const GROUPS_MAX: usize = 1000;
const GROUP_BYTES_MAX: usize = 512;

/// Where the provider is, and as which application it knows this server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// What the provider is called on the page.
    pub name: String,
    /// The identifier of this application.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim with the name of a person.
    pub user_claim: String,
    /// The claim with their groups.
    pub groups_claim: String,
    /// The address of the page; ends with `/`.
    pub home: Url,
    /// Where the provider sends people back to.
    pub callback: Url,
}

/// A provider of OpenID Connect.
#[derive(Debug)]
pub struct Provider {
    options: Options,
    client: Client,
    publications: Publications,
    used: UsedStates,
    places: Semaphore,
}

/// What the provider sends back with a person: the parameters of the request.
#[derive(Debug, Default)]
pub struct ProviderAnswer {
    /// The code that is exchanged for tokens.
    pub code: Option<String>,
    /// The state that the sign-in began with.
    pub state: Option<String>,
    /// The issuer (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same for people.
    pub error_description: Option<String>,
}

/// Someone whom the provider knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What identifies the account for good: the issuer and its identifier there.
    pub subject: String,
    /// The name, as the configured claim has it.
    pub name: String,
    /// Groups, as the configured claim has them.
    pub groups: Vec<String>,
}

/// A sign-in that has come back from the provider.
#[derive(Debug)]
pub struct Attempted {
    /// Where the person was on the page when it began.
    pub to: Url,
    /// Who they are.
    pub account: Result<Account>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

impl Provider {
    /// Makes a provider; asks nothing of it.
    ///
    /// # Errors
    /// If the issuer is no address, or there is no client of HTTPS.
    pub fn new(options: Options) -> Result<Self, String> {
        signature::install();
        let publications = Publications::new(&options.issuer)?;
        let (used, places) = (UsedStates::default(), Semaphore::new(WAITING_MAX));
        Ok(Self { client: fetch::client()?, publications, used, places, options })
    }

    /// Returns what the provider is called on the page.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Returns where the provider sends people back to.
    pub fn callback(&self) -> &Url {
        &self.options.callback
    }

    /// Returns the address of the page.
    pub fn home(&self) -> &Url {
        &self.options.home
    }

    /// Asks the provider for its metadata.
    ///
    /// # Errors
    /// If it does not answer, or with something that cannot be used.
    pub async fn probe(&self, now: Timestamp) -> Result<()> {
        self.publications.metadata(&self.client, now).await.map(drop)
    }

    /// Begins a sign-in from the address `to` of the page: returns where the browser is sent, and the value of its cookie.
    ///
    /// # Errors
    /// If the provider does not answer, or with something that cannot be used.
    pub async fn begin(&self, to: &str, now: Timestamp) -> Result<(Url, String)> {
        let _place = self.places.try_acquire().map_err(|_| SignInError::Busy)?;
        let metadata = self.publications.metadata(&self.client, now).await?;
        let (options, attempt) = (&self.options, Attempt::new(to, now)?);
        let mut url = metadata.authorization_endpoint.0.clone();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &options.client_id),
            ("redirect_uri", options.callback.as_str()),
            ("scope", &options.scopes.join(" ")),
            ("state", &attempt.state(&options.issuer)),
            ("nonce", &attempt.nonce(&options.issuer)),
            ("code_challenge", &attempt.challenge(&options.issuer)),
            ("code_challenge_method", "S256"),
        ]);
        Ok((url, attempt.cookie()))
    }

    /// Finishes a sign-in with what the provider sent back and what the browser's cookie holds.
    pub async fn finish(&self, cookie: Option<&str>, answer: &ProviderAnswer, now: Timestamp) -> Attempted {
        let Some(attempt) = cookie.and_then(|cookie| Attempt::read(cookie, now)) else {
            return Attempted { to: self.options.home.clone(), account: Err(SignInError::Stale) };
        };
        Attempted { to: self.local(&attempt.to), account: self.account(&attempt, answer, now).await }
    }

    /// Returns where a person is sent after a sign-out here: to the provider, if it ends its own session.
    pub async fn sign_out_url(&self, now: Timestamp) -> Option<Url> {
        let metadata = self.publications.metadata(&self.client, now).await.ok()?;
        let mut url = metadata.end_session_endpoint.as_ref()?.0.clone();
        let (client_id, home) = (&*self.options.client_id, self.options.home.as_str());
        url.query_pairs_mut().extend_pairs([("client_id", client_id), ("post_logout_redirect_uri", home)]);
        Some(url)
    }

    /// Returns an address of this page; the page's first for one of another site.
    fn local(&self, to: &str) -> Url {
        let home = &self.options.home;
        let url = home.join(to).ok().filter(|url| url.origin() == home.origin());
        url.filter(|url| url.path().starts_with(home.path())).unwrap_or_else(|| home.clone())
    }

    async fn account(&self, attempt: &Attempt, answer: &ProviderAnswer, now: Timestamp) -> Result<Account> {
        let issuer = &*self.options.issuer;
        let state = attempt.state(issuer);
        ensure!(answer.state.as_deref() == Some(&state) && self.used.note(&state, now), SignInError::Stale);
        let _place = self.places.try_acquire().map_err(|_| SignInError::Busy)?;
        let metadata = self.publications.metadata(&self.client, now).await?;
        // RFC 9207: an answer of one provider is not to be finished with another.
        let is_named = answer
            .iss
            .as_deref()
            .map_or(!metadata.authorization_response_iss_parameter_supported, |named| named == issuer);
        ensure!(is_named, SignInError::BadAnswer("it does not come from oidc.issuer (iss)".into()));
        if let Some(error) = &answer.error {
            let description = answer.error_description.as_deref().unwrap_or_default();
            return Err(SignInError::Refused(printable(&format!("{error} {description}"))));
        }
        let code = answer.code.as_deref().ok_or_else(|| SignInError::BadAnswer("it has no code".into()))?;
        let tokens = self.exchange(&metadata, code, &attempt.verifier(issuer)).await?;
        let id_token = tokens.id_token.ok_or_else(|| SignInError::BadAnswer("it has no ID token".into()))?;
        let claims = self.verified(&metadata, &id_token, &attempt.nonce(issuer), now).await?;
        let claims = self.completed(&metadata, claims, tokens.access_token.as_deref()).await?;
        self.described(&claims)
    }

    /// Exchanges a code for tokens.
    async fn exchange(&self, metadata: &Metadata, code: &str, verifier: &str) -> Result<Tokens> {
        let options = &self.options;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", options.callback.as_str()),
            ("code_verifier", verifier),
        ];
        let place = &metadata.token_endpoint.0;
        let mut request = self.client.post(place.clone());
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        let takes_basic = methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        match &options.client_secret {
            Some(secret) if takes_basic => {
                let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
                request = request.basic_auth(encoded(&options.client_id), Some(encoded(secret.reveal())));
            }
            Some(secret) => fields.extend([("client_id", &*options.client_id), ("client_secret", secret.reveal())]),
            None => fields.push(("client_id", &options.client_id)),
        }
        // Parameters of an address and fields of a form are written the same way.
        let form = Url::parse_with_params("form:/", fields).ok();
        let body = form.and_then(|form| form.query().map(str::to_owned)).unwrap_or_default();
        fetch::json(request.header("content-type", "application/x-www-form-urlencoded").body(body), place).await
    }

    /// Returns the claims of an ID token made for this sign-in.
    async fn verified(&self, metadata: &Metadata, id_token: &str, nonce: &str, now: Timestamp) -> Result<Claims> {
        let header = decode_header(id_token);
        let header = header.map_err(|_| SignInError::BadToken("it is not signed in a way that is known".into()))?;
        let key = self.publications.key(&self.client, metadata, header.kid.as_deref(), now).await?;
        let expected = Expected { issuer: &self.options.issuer, client_id: &self.options.client_id, nonce };
        token::verify(id_token, header.alg, &key, &expected, now).map_err(SignInError::BadToken)
    }

    /// Adds what the provider says of the account elsewhere, if the ID token has not all that is needed.
    async fn completed(&self, metadata: &Metadata, mut claims: Claims, access_token: Option<&str>) -> Result<Claims> {
        let needed = [&self.options.user_claim, &self.options.groups_claim];
        let is_whole = needed.iter().all(|name| claim(&claims, name).is_some());
        let (false, Some(Endpoint(place)), Some(token)) = (is_whole, &metadata.userinfo_endpoint, access_token) else {
            return Ok(claims);
        };
        let further: Claims = fetch::json(self.client.get(place.clone()).bearer_auth(token), place).await?;
        if further.get("sub") != claims.get("sub") {
            return Err(SignInError::BadToken("the provider describes another account (sub)".into()));
        }
        for (name, value) in further {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    /// Returns the account that claims describe.
    fn described(&self, claims: &Claims) -> Result<Account> {
        let Options { issuer, user_claim, groups_claim, .. } = &self.options;
        let name = claim(claims, user_claim).and_then(Value::as_str).unwrap_or_default();
        ensure!(!name.is_empty(), SignInError::NoName(format!("there is no claim {user_claim:?} (oidc.user_claim)")));
        if user_claim == "email" && claims.get("email_verified") == Some(&Value::Bool(false)) {
            return Err(SignInError::NoName("it has not verified the e-mail address".into()));
        }
        let groups = match claim(claims, groups_claim) {
            Some(Value::String(group)) => vec![group.clone()],
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let groups = groups.into_iter().filter(|group| group.len() <= GROUP_BYTES_MAX).take(GROUPS_MAX).collect();
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        Ok(Account { subject: format!("{issuer} {subject}"), name: name.to_owned(), groups })
    }
}

/// Returns a claim by its name, else by its path, such as `realm_access.roles`.
fn claim<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    let on_path = || {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    claims.get(name).or_else(on_path)
}
