//! Where metrics are sent, and as whom.

use alert::metrics::Credentials;
use types::{Secret, Timestamp};

use super::values::Reader;

/// Where metrics are sent.
#[derive(Clone, Debug)]
pub(crate) struct RemoteWrite {
    url: Secret,
    interval_ns: i64,
    is_own_sent: bool,
    credentials: Option<Credentials>,
}

impl RemoteWrite {
    /// Reads the section; nothing where no address is set. What describes one that is not there is refused.
    pub(super) fn read(read: &mut Reader<'_>) -> Option<Self> {
        let url = read.optional("metrics", "remote_write");
        let interval_ns = read.duration("metrics", "remote_write_interval");
        read.require(interval_ns >= Timestamp::SECOND, "metrics", "remote_write_interval", "at least 1s");
        let is_own_sent = read.switch("metrics", "remote_write_own");
        let user = read.optional("metrics", "remote_write_user");
        let password = read.secret("metrics", "remote_write_password");
        let token = read.secret("metrics", "remote_write_token");
        let both = "set where metrics.remote_write_user is, and only there";
        read.require(user.is_some() == password.is_some(), "metrics", "remote_write_password", both);
        let one = "omitted if metrics.remote_write_user is set";
        read.require(user.is_none() || token.is_none(), "metrics", "remote_write_token", one);
        let basic = user.zip(password).map(|(user, password)| Credentials::Basic { user, password });
        let credentials = basic.or_else(|| token.map(Credentials::Bearer));
        let Some(url) = url else {
            let wanted = "omitted unless metrics.remote_write is set";
            read.require(credentials.is_none(), "metrics", "remote_write_token", wanted);
            return None;
        };
        read.accept(alert::check_address(&url).map(drop), "metrics", "remote_write");
        Some(Self { url: Secret::from(url.as_str()), interval_ns, is_own_sent, credentials })
    }

    /// Returns the settings with the address of this server as the instance.
    pub(crate) fn to(&self, instance: String) -> alert::metrics::RemoteWrite {
        let Self { url, interval_ns, is_own_sent, credentials } = self.clone();
        alert::metrics::RemoteWrite { url, interval_ns, is_own_sent, credentials, instance }
    }
}
