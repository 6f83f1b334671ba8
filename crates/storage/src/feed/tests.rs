//! Readers that lag, filter and leave.

use super::*;

fn batch(group: &str, n_events: usize) -> Arc<AcceptedBatch> {
    let mut builder = types::BatchBuilder::new();
    (0..n_events).for_each(|_| builder.commit());
    let group = GroupName::new(group).expect("a valid name");
    Arc::new(AcceptedBatch { group, group_id: 1, batch: Arc::new(builder.finish()) })
}

#[test]
fn a_lagging_reader_is_told_what_it_lost_before_what_follows() {
    let feed = Feed::default();
    let reader = feed.subscribe(GroupChoice::Of(vec![GroupPattern::new("a/*")], GroupScope::All), 2);
    for n_events in 1..=4 {
        feed.publish(&batch("a/x", n_events));
        feed.publish(&batch("b", 100));
    }
    feed.close();
    let next = || reader.receive(Duration::ZERO);
    assert!(matches!(next(), FeedItem::Lagged(3)));
    assert!(matches!(next(), FeedItem::Batch(b) if b.batch.len() == 3));
    assert!(matches!(next(), FeedItem::Batch(b) if b.batch.len() == 4));
    assert!(matches!(next(), FeedItem::Closed));
}

#[test]
fn a_group_that_is_left_out_is_not_received() {
    let feed = Feed::default();
    let reader = feed.subscribe(GroupChoice::Besides(vec![GroupPattern::new("metrics/*")]), 1);
    feed.publish(&batch("metrics/node", 1));
    assert!(matches!(reader.receive(Duration::ZERO), FeedItem::Idle));
    feed.publish(&batch("app", 1));
    feed.publish(&batch("metrics/node", 1));
    assert!(matches!(reader.receive(Duration::ZERO), FeedItem::Batch(batch) if batch.group.as_str() == "app"));
}

#[test]
fn a_dropped_subscription_is_forgotten() {
    let feed = Feed::default();
    drop(feed.subscribe(GroupChoice::Besides(Vec::new()), 1));
    let reader = feed.subscribe(GroupChoice::Besides(Vec::new()), 1);
    assert_eq!(feed.n_subscriptions(), 1);
    assert!(matches!(reader.receive(Duration::ZERO), FeedItem::Idle));
}
