//! Where a bucket is.

use super::values::Reader;

/// Reads where a bucket is: its address, endpoint, region, and whether it may be without TLS, from the settings with these names. What
/// describes one that is not there is refused.
pub(super) fn read(
    read: &mut Reader<'_>,
    section: &'static str,
    [of_url, of_endpoint, of_region, of_http]: [&'static str; 4],
) -> Option<storage::ObjectStoreOptions> {
    let url = read.optional(section, of_url);
    let endpoint = read.optional(section, of_endpoint);
    let region = read.optional(section, of_region);
    let allow_http = read.switch(section, of_http);
    let Some(url) = url else {
        let wanted = format!("omitted unless {section}.{of_url} is set");
        read.require(endpoint.is_none(), section, of_endpoint, &wanted);
        read.require(region.is_none(), section, of_region, &wanted);
        return None;
    };
    let options = storage::ObjectStoreOptions { endpoint, region, allow_http, ..storage::ObjectStoreOptions::new(url) };
    read.accept(options.check_url(), section, of_url);
    let checked = options.check_endpoint();
    read.accept(checked.map_err(|problem| problem.replace("object_store_allow_http", of_http)), section, of_endpoint);
    Some(options)
}
