//! What a server is asked to make: saved views, and what CloudWatch's operations make.

use reqwest::Method;
use serde_json::{Value, json};
use types::counted;

use crate::client::Server;
use crate::failure::{Failure, Result};

/// Something that a server is asked to make.
pub(super) struct Order {
    pub(super) name: String,
    pub(super) way: Way,
    pub(super) body: Value,
}

/// How a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A saved view.
    View,
    /// An operation of CloudWatch.
    Operation(&'static str),
}

/// Has a server make objects. One that needs another that comes later is tried again after that.
pub(super) fn apply(server: &Server, orders: &[Order]) -> Result<()> {
    let mut left: Vec<&Order> = orders.iter().collect();
    loop {
        let (mut failed, n_before) = (Vec::new(), left.len());
        for order in left {
            match order.send(server) {
                Ok(()) => say!("catat: {}: made", order.name),
                Err(failure) => failed.push((order, failure)),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        if failed.len() == n_before {
            for (order, failure) in &failed {
                say!("catat: {}: not made: {}", order.name, failure.message);
            }
            return Err(Failure::other(format!("{} of {} not made", failed.len(), counted(orders.len(), "object"))));
        }
        left = failed.into_iter().map(|(order, _)| order).collect();
    }
}

impl Order {
    fn send(&self, server: &Server) -> Result<()> {
        let operation = |name: &str, body: &Value| {
            let request = server.request(Method::POST, "/cloudwatch").header("x-amz-target", name);
            request.header("content-type", "application/x-amz-json-1.0").body(body.to_string())
        };
        let request = match self.way {
            Way::View => server.request(Method::POST, "/api/v1/views").json(&self.body),
            Way::Operation(name) => operation(name, &self.body),
        };
        // A filter may be made before the first event of its group. One that is there already is refused, and that is well.
        if let Some(group) = self.body.get("logGroupName") {
            server.attempt(operation("Logs_20140328.CreateLogGroup", &json!({"logGroupName": group})))?;
        }
        server.send(request, "").map(drop)
    }
}
