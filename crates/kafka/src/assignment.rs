//! Who of a group reads which partitions. The first member deals them out, as Kafka's `range` does: of each topic, members in the order
//! of their names get neighbouring partitions, the first ones one more where they do not divide.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// The name of the way partitions are dealt out.
pub(crate) const RANGE: &str = "range";

/// A version that all clients know.
const VERSION: i16 = 0;

/// Says which topics a member wants.
pub(crate) fn subscription(topics: &[String]) -> Bytes {
    let names = topics.iter().map(|topic| StrBytes::from_string(topic.clone())).collect();
    encoded(&ConsumerProtocolSubscription::default().with_topics(names))
}

/// Returns all topics that members want.
pub(crate) fn topics(members: &[JoinGroupResponseMember]) -> Vec<String> {
    let all: BTreeSet<String> = members.iter().flat_map(|member| topics_of(&member.metadata)).collect();
    all.into_iter().collect()
}

/// Deals out the partitions of topics, by their numbers in order, among members.
pub(crate) fn range(
    members: &[JoinGroupResponseMember],
    partitions: &BTreeMap<String, Vec<i32>>,
) -> Vec<(StrBytes, Bytes)> {
    let mut wanted: BTreeMap<&str, Vec<&StrBytes>> = BTreeMap::new();
    let read: Vec<_> = members.iter().map(|member| (&member.member_id, topics_of(&member.metadata))).collect();
    for (member, topics) in &read {
        topics.iter().for_each(|topic| wanted.entry(topic).or_default().push(member));
    }
    let mut dealt: BTreeMap<&StrBytes, Vec<TopicPartition>> =
        read.iter().map(|(member, _)| (*member, vec![])).collect();
    for (topic, mut members) in wanted {
        let mut left = partitions.get(topic).map_or(&[][..], Vec::as_slice);
        members.sort_by(|left, right| left.as_str().cmp(right.as_str()));
        members.dedup();
        let (each, rest) = (left.len() / members.len(), left.len() % members.len());
        for (place, member) in members.into_iter().enumerate() {
            let (of_member, others) = left.split_at(each + usize::from(place < rest));
            left = others;
            let name = TopicName(StrBytes::from_string(topic.to_owned()));
            let part = TopicPartition::default().with_topic(name).with_partitions(of_member.to_vec());
            dealt.entry(member).or_default().push(part);
        }
    }
    let assignment = |parts| encoded(&ConsumerProtocolAssignment::default().with_assigned_partitions(parts));
    dealt.into_iter().map(|(member, parts)| (member.clone(), assignment(parts))).collect()
}

/// Reads the partitions of this member. Without any the assignment may be empty.
pub(crate) fn assigned(mut bytes: Bytes) -> Option<Vec<(String, i32)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let version = bytes.try_get_i16().ok()?;
    let assignment = ConsumerProtocolAssignment::decode(&mut bytes, version.min(3)).ok()?;
    let of_topic = |part: TopicPartition| {
        let topic = part.topic.to_string();
        part.partitions.into_iter().map(move |partition| (topic.clone(), partition))
    };
    Some(assignment.assigned_partitions.into_iter().flat_map(of_topic).collect())
}

fn topics_of(metadata: &Bytes) -> Vec<String> {
    let mut bytes = metadata.clone();
    let Ok(version) = bytes.try_get_i16() else { return Vec::new() };
    let subscription = ConsumerProtocolSubscription::decode(&mut bytes, version.clamp(0, 3));
    subscription.map_or_else(|_| Vec::new(), |read| read.topics.iter().map(StrBytes::to_string).collect())
}

fn encoded(message: &impl Encodable) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(VERSION);
    // Nothing in these messages can be too long.
    let _ = message.encode(&mut bytes, VERSION);
    bytes.freeze()
}
