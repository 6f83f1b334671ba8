//! `[server] public_url`: the address at which people open the page.

use reqwest::Url;

use super::values::Reader;

/// Reads and checks the setting.
pub(super) fn read(read: &mut Reader<'_>) -> Option<Url> {
    let text = read.optional("server", "public_url")?;
    let checked = checked(&text);
    let url = checked.as_ref().ok().cloned();
    read.accept(checked.map(|_| ()), "server", "public_url");
    url
}

fn checked(text: &str) -> Result<Url, String> {
    let expected = || format!("\"{text}\" is not an address such as https://logs.example.org");
    let url = Url::parse(text).map_err(|_| expected())?;
    let host = url.host_str().unwrap_or_default();
    types::ensure!(["http", "https"].contains(&url.scheme()) && !host.is_empty(), expected());
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("has only a scheme, a host, and if need be a port and a path".to_owned());
    }
    if ["0.0.0.0", "[::]"].contains(&host) {
        return Err(format!(
            "{host} is not an address that a browser can open; write the name or address of this server"
        ));
    }
    Ok(url)
}

/// Returns the host of the address. Requests for it must be admitted, else the links in notifications would be refused.
pub(super) fn host(url: Option<&Url>) -> Option<String> {
    url.and_then(Url::host_str).map(str::to_owned)
}

/// Reports whether the address is no name of loopback, so that others than this machine's users may come by it.
pub(crate) fn is_elsewhere(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.map_or(host != "localhost", |address| !address.is_loopback())
}

#[cfg(test)]
mod tests;
