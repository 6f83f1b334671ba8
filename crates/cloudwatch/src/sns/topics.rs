//! Topics: created, listed, described, deleted.

use alert::SUBSCRIPTION;
use door::to_json;
use serde_json::{Value, json};
use types::ensure;

use super::input::{SnsInput, invalid};
use super::registry::{SnsRegistry, TOPIC, TopicDocument, is_name};
use crate::answer::{CloudWatchProblem, Result};
use crate::metrics::alarms::ACCOUNT;
use crate::paging::{page_from, with_next_token};

type Answer = Result<Value>;

/// Most topics, entries of a page, and tags; the latter two as at Amazon.
const TOPICS_MAX: usize = 1_000;
const PAGE: usize = 100;
const TAGS_MAX: usize = 50;

impl SnsRegistry<'_> {
    pub(super) fn create_topic(&self, input: &SnsInput) -> Answer {
        input.know(&["Name", "Attributes", "Tags"])?;
        let name = input.needed("Name")?;
        ensure!(!name.ends_with(".fifo"), invalid("Topic Name: topics with an order (.fifo) are not supported here"));
        ensure!(is_name(name), invalid("Topic Name: it has 1 to 256 letters, digits, hyphens and underscores"));
        let mut topics = self.topics()?;
        let is_new = !topics.contains_key(name);
        if is_new && topics.len() >= TOPICS_MAX {
            return Err(CloudWatchProblem::new(
                "TopicLimitExceeded",
                format!("There are {TOPICS_MAX} topics already."),
            ));
        }
        let mut topic = topics.remove(name).unwrap_or_default();
        for (attribute, value) in input.map("Attributes")? {
            set_attribute(&mut topic, &attribute, &value)?;
        }
        topic.tags.extend(tags(input)?);
        self.store_topic(name, &topic)?;
        Ok(json!({"TopicArn": self.arn(name)}))
    }

    fn store_topic(&self, name: &str, topic: &TopicDocument) -> Result<()> {
        ensure!(topic.tags.len() <= TAGS_MAX, invalid(format!("Tags: a topic has {TAGS_MAX} at most")));
        Ok(self.server.settings().put(TOPIC, name, &to_json(topic)?)?)
    }

    /// Deletes a topic and its subscriptions. One that is not there is no error, as at Amazon.
    pub(super) fn delete_topic(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn"])?;
        let name = self.name_of(input.needed("TopicArn")?)?;
        let of_topic: Vec<_> = self.all_subscriptions()?.into_iter().filter(|(_, one)| one.topic == name).collect();
        if of_topic.iter().any(|(_, one)| !self.covers(&one.scope())) {
            return Err(CloudWatchProblem::denied("The topic has subscriptions that this key does not reach."));
        }
        for (id, _) in &of_topic {
            self.server.settings().remove(SUBSCRIPTION, id)?;
        }
        self.server.settings().remove(TOPIC, name)?;
        self.refresh()?;
        Ok(Value::Null)
    }

    pub(super) fn list_topics(&self, input: &SnsInput) -> Answer {
        input.know(&["NextToken"])?;
        let names: Vec<String> = self.topic_names()?.into_iter().collect();
        let (page, next) = page_of(input, &names)?;
        let topics: Vec<Value> = page.iter().map(|name| json!({"TopicArn": self.arn(name)})).collect();
        Ok(with_next_token(json!({"Topics": topics}), next))
    }

    pub(super) fn topic_attributes(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn"])?;
        let arn = input.needed("TopicArn")?;
        let name = self.known_topic(arn)?;
        let topic = self.topics()?.remove(name).unwrap_or_default();
        let of_topic: Vec<_> = self.subscriptions()?.into_values().filter(|one| one.topic == name).collect();
        let n_confirmed = of_topic.iter().filter(|one| one.is_confirmed).count();
        Ok(json!({"Attributes": {
            "TopicArn": arn,
            "Owner": ACCOUNT,
            "DisplayName": topic.display_name,
            "SubscriptionsConfirmed": n_confirmed.to_string(),
            "SubscriptionsPending": (of_topic.len() - n_confirmed).to_string(),
            "SubscriptionsDeleted": "0",
        }}))
    }

    pub(super) fn set_topic_attribute(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn", "AttributeName", "AttributeValue"])?;
        let name = self.known_topic(input.needed("TopicArn")?)?;
        let mut topic = self.topics()?.remove(name).unwrap_or_default();
        set_attribute(&mut topic, input.needed("AttributeName")?, input.text("AttributeValue").unwrap_or_default())?;
        self.store_topic(name, &topic)?;
        Ok(Value::Null)
    }

    pub(super) fn tag_topic(&self, input: &SnsInput, is_added: bool) -> Answer {
        let name = self.known_topic(input.needed("ResourceArn")?)?;
        let mut topic = self.topics()?.remove(name).unwrap_or_default();
        if is_added {
            topic.tags.extend(tags(input)?);
        } else {
            for key in input.list("TagKeys").iter().filter_map(Value::as_str) {
                topic.tags.remove(key);
            }
        }
        self.store_topic(name, &topic)?;
        Ok(json!({}))
    }

    pub(super) fn list_tags(&self, input: &SnsInput) -> Answer {
        let name = self.known_topic(input.needed("ResourceArn")?)?;
        let tags = self.topics()?.remove(name).unwrap_or_default().tags;
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        Ok(json!({"Tags": tags}))
    }
}

fn set_attribute(topic: &mut TopicDocument, name: &str, value: &str) -> Result<()> {
    ensure!(name == "DisplayName", invalid(format!("AttributeName: {name} is not supported here; DisplayName is")));
    topic.display_name = value.chars().take(100).collect();
    Ok(())
}

fn tags(input: &SnsInput) -> Result<Vec<(String, String)>> {
    let tag = |tag: &Value| {
        let key = tag["Key"].as_str().filter(|key| (1..=128).contains(&key.chars().count()));
        let value = tag["Value"].as_str().unwrap_or_default().chars().take(256).collect();
        Ok((key.ok_or_else(|| invalid("Tags: a key has 1 to 128 characters"))?.to_owned(), value))
    };
    input.list("Tags").iter().map(tag).collect()
}

/// Returns a page of a list, and the token of the next: the number of entries before it.
pub(super) fn page_of<'l, T>(input: &SnsInput, list: &'l [T]) -> Result<(&'l [T], Option<String>)> {
    let bad_token = || invalid("NextToken Reason: it is none of this list");
    let start = input.text("NextToken").map_or(Ok(0), |token| token.parse::<usize>().map_err(|_| bad_token()))?;
    Ok(page_from(list, start, PAGE))
}
