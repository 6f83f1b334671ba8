//! Where partitions go on: offsets that the group committed, and the ends of partitions.

use std::collections::BTreeMap;

use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{Begin, Consumer, Partition, READ_COMMITTED, group_id};
use crate::Error;

const COMMIT: (i16, i16) = (2, 8);
const OFFSETS_OF_GROUP: (i16, i16) = (1, 6);
const OFFSETS_OF_TIME: (i16, i16) = (1, 6);

/// Times that mean the ends of a partition.
const OLDEST: i64 = -2;
const NEWEST: i64 = -1;

impl Consumer {
    /// Tells the group where its partitions go on.
    ///
    /// # Errors
    /// If the coordinator cannot be reached or refuses; the caller knows the messages that come again then.
    pub fn commit(&mut self) -> Result<(), Error> {
        if self.to_commit.is_empty() || self.positions.is_none() {
            return Ok(());
        }
        let mut topics: BTreeMap<String, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), offset) in std::mem::take(&mut self.to_commit) {
            let committed = OffsetCommitRequestPartition::default();
            let committed = committed.with_partition_index(partition).with_committed_offset(offset);
            topics.entry(topic).or_default().push(committed.with_committed_metadata(Some(StrBytes::default())));
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(partitions)
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id(&self.options))
            .with_generation_id_or_member_epoch(self.generation)
            .with_member_id(self.member.clone())
            .with_topics(topics.collect());
        let answer = self.find_coordinator()?.call(&request, COMMIT)?;
        let codes: Vec<i16> = answer.topics.iter().flat_map(|t| &t.partitions).map(|p| p.error_code).collect();
        codes.into_iter().try_for_each(|code| self.note_standing(code))
    }

    /// Returns where partitions go on for this group.
    pub(super) fn offsets(&mut self, partitions: Vec<Partition>) -> Result<BTreeMap<Partition, i64>, Error> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut topics: BTreeMap<&String, Vec<i32>> = BTreeMap::new();
        partitions.iter().for_each(|(topic, partition)| topics.entry(topic).or_default().push(*partition));
        let topics = topics.into_iter().map(|(topic, partitions)| {
            OffsetFetchRequestTopic::default().with_name(name(topic.clone())).with_partition_indexes(partitions)
        });
        let request =
            OffsetFetchRequest::default().with_group_id(group_id(&self.options)).with_topics(Some(topics.collect()));
        let answer = self.find_coordinator()?.call(&request, OFFSETS_OF_GROUP)?;
        types::ensure!(answer.error_code.is_ok(), self.group_refused(answer.error_code));
        let mut committed = BTreeMap::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                types::ensure!(partition.error_code.is_ok(), self.group_refused(partition.error_code));
                committed.insert((topic.name.0.to_string(), partition.partition_index), partition.committed_offset);
            }
        }
        let known = |partition: &Partition| committed.get(partition).copied().filter(|offset| *offset >= 0);
        // Those that begin elsewhere are asked for when their leader is there.
        Ok(partitions.into_iter().map(|partition| (partition.clone(), known(&partition).unwrap_or(-1))).collect())
    }

    /// Returns where a partition begins that the group never read.
    pub(super) fn beginning(&mut self, partition: &Partition) -> Result<i64, Error> {
        let time = match self.options.begin {
            Begin::Oldest => OLDEST,
            Begin::Newest => NEWEST,
        };
        self.end(partition, time)
    }

    /// Returns the offset of the oldest message of a partition.
    pub(super) fn oldest(&mut self, partition: &Partition) -> Result<i64, Error> {
        self.end(partition, OLDEST)
    }

    fn end(&mut self, (topic, partition): &Partition, time: i64) -> Result<i64, Error> {
        let wanted = ListOffsetsPartition::default().with_partition_index(*partition).with_timestamp(time);
        let wanted = ListOffsetsTopic::default().with_name(name(topic.clone())).with_partitions(vec![wanted]);
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_isolation_level(READ_COMMITTED)
            .with_topics(vec![wanted]);
        let leader = self.leaders.get(&(topic.clone(), *partition)).copied().unwrap_or(-1);
        let answer = self.leader(leader)?.call(&request, OFFSETS_OF_TIME)?;
        let found = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
        let what = format!("{topic}/{partition}");
        match found {
            Some(found) if found.error_code.is_ok() && found.offset >= 0 => Ok(found.offset),
            Some(found) if !found.error_code.is_ok() => Err(Error::refused(what, found.error_code)),
            _ => Err(Error::Answer { address: what, problem: "the leader says no offset".to_owned() }),
        }
    }
}

fn name(topic: String) -> TopicName {
    TopicName(StrBytes::from_string(topic))
}
