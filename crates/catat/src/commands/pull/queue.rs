//! A queue of SQS (AWS, *Amazon SQS API Reference*: `ReceiveMessage`, `DeleteMessage`).

use reqwest::Url;
use serde_json::{Value, json};

use crate::commands::aws::AwsService;
use crate::commands::import::Side;
use crate::failure::Result;

/// Messages that are taken at once, and how long the service waits for one: the most of both.
const MESSAGES_MAX: u32 = 10;
const WAIT_S: u32 = 20;

pub(super) struct Queue<'a> {
    url: String,
    side: Side<'a>,
    service: AwsService,
    wait_s: u32,
}

pub(super) struct Message {
    pub(super) body: String,
    receipt: String,
}

impl Queue<'_> {
    /// Makes ready to ask a queue by its address; one that `is_brief` does not wait for messages.
    pub(super) fn new(url: &Url, is_brief: bool) -> Result<Self> {
        let mut service = url.clone();
        service.set_path("");
        let side = Side::of_url(&service, None, &[])?;
        let service = AwsService::new(&service, ("sqs", "AmazonSQS"), "application/x-amz-json-1.0")?;
        Ok(Self { url: url.to_string(), side, service, wait_s: if is_brief { 0 } else { WAIT_S } })
    }

    pub(super) fn receive(&self) -> Result<Vec<Message>> {
        let asked = json!({"QueueUrl": self.url, "MaxNumberOfMessages": MESSAGES_MAX, "WaitTimeSeconds": self.wait_s});
        let answer = self.service.ask(&self.side, "ReceiveMessage", &asked)?;
        let message = |message: &Value| {
            let text = |name: &str| message[name].as_str().map(str::to_owned);
            Some(Message { body: text("Body")?, receipt: text("ReceiptHandle")? })
        };
        Ok(answer["Messages"].as_array().into_iter().flatten().filter_map(message).collect())
    }

    pub(super) fn delete(&self, message: &Message) -> Result<()> {
        let asked = json!({"QueueUrl": self.url, "ReceiptHandle": message.receipt});
        self.service.ask(&self.side, "DeleteMessage", &asked).map(drop)
    }
}
