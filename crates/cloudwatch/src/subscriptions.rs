//! Subscription filters: matching events are posted to a URL.
//!
//! Filters are documents of kind `cloudwatch-subscription` in the control store, named `GROUP:NAME`. Each contains the
//! sequence of the last delivered event. `destinationArn` is the URL, `http://` or `https://`; the posted body is the JSON
//! that Amazon's receivers get, compressed with gzip; other schemes name other protocols (`forms`, `syslog`). URLs may contain
//! secrets: only callers who may set them see them.

mod delivery;
mod filter;
mod forms;
mod message;
mod pass;
pub(super) mod registry;
mod syslog;
mod workers;

use alert::check_address;
use serde_json::{Value as Json, json};
use storage::Settings;
use types::GroupName;

use self::filter::{Filter, filters};
use self::forms::Form;
use super::answer::{CloudWatchProblem, Result};
use super::filters::{document_name, filter_name};
use super::input::{Input, constraint};
use super::paging::{page_of, with_next};
use super::request::{OperationRequest, Step};
use super::time::milliseconds;
use door::Problem;

/// Limit on the filters of a page.
const PAGE_MAX: usize = 50;

/// Longest URL.
const ADDRESS_CHARS_MAX: usize = 2_000;

/// Returns group, name and pattern of all filters.
pub(super) fn patterns(settings: Settings<'_>) -> Result<Vec<(String, String, String)>, Problem> {
    let pattern = |filter: Filter| (filter.group, filter.name, filter.pattern);
    Ok(filters(settings)?.into_iter().map(pattern).collect())
}

impl OperationRequest {
    /// Blocks.
    pub(super) fn put_subscription_filter(self, input: &Input) -> Result<Step> {
        let group = self.known_group(input)?;
        self.change(&group)?;
        let filter = filter_of(input, &group, milliseconds(self.server.now()))?;
        Ok(Step::Later(Box::pin(async move {
            let server = self.server.clone();
            let _turn = self.server.state.subscriptions.probing.lock().await;
            let work = move || {
                let told = json!({"group": filter.group, "filter": filter.name});
                server.state.subscriptions.put(filter)?;
                server.audit_own("subscription filter put", &told);
                Ok(Json::Null)
            };
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|error| Problem::internal(error.to_string()))?
        })))
    }

    pub(super) fn describe_subscription_filters(&self, input: &Input) -> Result<Json> {
        let group = self.known_group(input)?;
        let prefix = input.text("filterNamePrefix")?.unwrap_or_default();
        let most = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let mut found = self.server.state.subscriptions.of_group(&group)?;
        found.retain(|(filter, _)| filter.name.starts_with(prefix));
        let (page, next) = page_of(&found, most, input)?;
        let shown: Vec<Json> = page.iter().map(|(filter, problem)| filter.to_json(problem.as_deref())).collect();
        Ok(with_next(json!({"subscriptionFilters": shown}), next))
    }

    pub(super) fn delete_subscription_filter(&self, input: &Input) -> Result<Json> {
        let group = self.known_group(input)?;
        self.change(&group)?;
        let key = document_name(group.as_str(), input.needed("filterName")?);
        if !self.server.state.subscriptions.remove(|filter| filter.key() == key)? {
            let message = "The specified subscription filter does not exist.";
            return Err(CloudWatchProblem::new("ResourceNotFoundException", message));
        }
        self.server.audit_own("subscription filter deleted", &json!({"filter": key}));
        Ok(Json::Null)
    }
}

/// Reads the filter of a request.
fn filter_of(input: &Input, group: &GroupName, created: i64) -> Result<Filter> {
    let destination = input.needed("destinationArn")?;
    if destination.chars().count() > ADDRESS_CHARS_MAX {
        let message = format!("destinationArn has {ADDRESS_CHARS_MAX} characters at most.");
        return Err(CloudWatchProblem::parameter(message));
    }
    let (form, url) = Form::of(destination);
    let refused = |reason: &str| {
        let message = format!("destinationArn must be a URL that accepts POST requests (https://…): {reason}");
        CloudWatchProblem::parameter(message)
    };
    let url = if let Form::Syslog(_) = form {
        if !is_host_with_port(url) {
            return Err(refused("HOST:PORT alone follows relp://, relp+tls://, syslog+tcp:// and syslog+tls://"));
        }
        &*format!("http://{url}")
    } else {
        url
    };
    let address = check_address(url).map_err(|reason| refused(&reason))?;
    if form == Form::Elasticsearch && address.path().trim_matches('/').is_empty() {
        return Err(refused("elasticsearch+https://HOST/INDEX names the index"));
    }
    let distribution = input.text("distribution")?;
    if let Some(other) = distribution.filter(|other| !matches!(*other, "Random" | "ByLogStream")) {
        return Err(constraint(other, "distribution", "Member must satisfy enum value set: [Random, ByLogStream]"));
    }
    let filter = Filter {
        group: group.as_str().to_owned(),
        name: filter_name(input)?.to_owned(),
        pattern: input.needed("filterPattern")?.to_owned(),
        destination: destination.to_owned(),
        role: input.text("roleArn")?.map(str::to_owned),
        distribution: distribution.map(str::to_owned),
        created,
        sequence: 0,
        n_events: 0,
        saved: 0,
        text: String::new(),
    };
    // Errors in the pattern are returned to the caller.
    filter.tail(&[])?;
    Ok(filter)
}

fn is_host_with_port(text: &str) -> bool {
    let of_host = |(host, port): (&str, &str)| !host.contains(['/', '@', '?', '#']) && port.parse::<u16>().is_ok();
    text.rsplit_once(':').is_some_and(of_host)
}

#[cfg(test)]
mod fleet_tests;
