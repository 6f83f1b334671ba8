//! Asks the leaders of partitions for messages.

use std::collections::BTreeMap;

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{Consumer, Fetched, Partition, READ_COMMITTED, WAIT_MS};
use crate::Error;
use crate::connection::Connection;
use crate::records::{self, ReadRecords};

/// Bytes of an answer of all and of one partition. A broker sends one batch more than that rather than none.
const ANSWER_BYTES: i32 = 8 << 20;
const PARTITION_BYTES: i32 = 1 << 20;

/// Versions that this code is written for.
const FETCH: (i16, i16) = (4, 12);

impl Consumer {
    /// Asks all leaders, and then reads their answers.
    pub(super) fn fetch(&mut self) -> Result<Vec<Fetched>, Error> {
        self.find_beginnings();
        let positions = self.positions.clone().unwrap_or_default();
        let mut by_leader: BTreeMap<i32, BTreeMap<&str, Vec<FetchPartition>>> = BTreeMap::new();
        for ((topic, partition), offset) in &positions {
            let leader = self.leaders.get(&(topic.clone(), *partition)).copied();
            let leader = leader.filter(|leader| self.brokers.contains_key(leader) && *offset >= 0);
            let Some(leader) = leader else {
                // The others go on.
                self.asked_at = None;
                self.note(format!("{topic}/{partition} has no leader"));
                continue;
            };
            let wanted = FetchPartition::default()
                .with_partition(*partition)
                .with_fetch_offset(*offset)
                .with_partition_max_bytes(PARTITION_BYTES);
            by_leader.entry(leader).or_default().entry(topic).or_default().push(wanted);
        }
        let mut asked = Vec::new();
        for (leader, topics) in by_leader {
            let of_topic = |(topic, partitions): (&str, Vec<FetchPartition>)| {
                let name = TopicName(StrBytes::from_string(topic.to_owned()));
                FetchTopic::default().with_topic(name).with_partitions(partitions)
            };
            let request = FetchRequest::default()
                .with_max_wait_ms(WAIT_MS)
                .with_min_bytes(1)
                .with_max_bytes(ANSWER_BYTES)
                .with_isolation_level(READ_COMMITTED)
                .with_topics(topics.into_iter().map(of_topic).collect());
            let version = self.leader(leader)?.send(&request, FETCH)?;
            asked.push((leader, version));
        }
        if self.asked_at.is_some() {
            self.told.clear();
        }
        let mut fetched = Vec::new();
        for (leader, version) in asked {
            let answer: FetchResponse = self.leader(leader)?.receive::<FetchRequest>(version)?;
            self.leader(leader)?.check("messages", answer.error_code)?;
            for topic in answer.responses {
                for data in topic.partitions {
                    fetched.extend(self.read(topic.topic.0.to_string(), data, &positions)?);
                }
            }
        }
        Ok(fetched)
    }

    /// Looks where partitions begin whose leader was away when they were dealt out.
    fn find_beginnings(&mut self) {
        let is_open = |(_, offset): &(&Partition, &i64)| **offset < 0;
        let positions = self.positions.iter().flatten();
        let open: Vec<Partition> = positions.filter(is_open).map(|(partition, _)| partition.clone()).collect();
        for partition in open {
            if let Ok(begin) = self.beginning(&partition)
                && let Some(positions) = &mut self.positions
            {
                positions.insert(partition, begin);
            }
        }
    }

    pub(super) fn leader(&mut self, id: i32) -> Result<&mut Connection, Error> {
        let connection = match self.connections.remove(&id) {
            Some(known) => known,
            None => {
                let address = self.brokers.get(&id).cloned();
                let missing =
                    || Error::Answer { address: format!("broker {id}"), problem: "a partition has no leader".into() };
                Connection::open(&address.ok_or_else(missing)?, &self.options.access)?
            }
        };
        Ok(self.connections.entry(id).or_insert(connection))
    }

    /// Reads what a broker answers for one partition.
    fn read(
        &mut self,
        topic: String,
        data: PartitionData,
        positions: &BTreeMap<Partition, i64>,
    ) -> Result<Option<Fetched>, Error> {
        let partition = (topic, data.partition_index);
        let Some(from) = positions.get(&partition).copied() else { return Ok(None) };
        let name = format!("{}/{}", partition.0, partition.1);
        let topic_id = self.topic_ids.get(&partition.0).cloned().unwrap_or_default();
        let fetched = |messages, next, problem| {
            let topic_id = topic_id.clone();
            let (topic, partition) = partition.clone();
            Some(Fetched { topic, topic_id, partition, from, messages, next, problem })
        };
        match data.error_code.err() {
            None => {}
            Some(ResponseError::OffsetOutOfRange) => {
                self.ask_for_topics()?;
                if self.positions.is_none() {
                    return Ok(None);
                }
                let oldest = self.oldest(&partition)?;
                let lost = if oldest > from {
                    format!("{name}: offsets {from} to {oldest} are no longer there")
                } else {
                    // A leader was elected that had not all, or brokers without ids of topics had the topic deleted.
                    format!("{name}: the partition ends before offset {from}; new messages below it are not stored")
                };
                return Ok(fetched(Vec::new(), oldest, Some(lost)));
            }
            Some(error) if error.is_retriable() => {
                self.asked_at = None;
                return Ok(None);
            }
            Some(_) => return Err(Error::refused(name, data.error_code)),
        }
        let Some(bytes) = data.records.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let ReadRecords { messages, next, problem } =
            records::read(bytes, from, data.aborted_transactions.unwrap_or_default());
        Ok(match (next, problem) {
            (Some(next), _) if next > from => fetched(messages, next, None),
            // Read once more before it is given up: the broker may have a better copy.
            (None, Some((at, _, _))) if self.suspect != Some((partition.clone(), at)) => {
                self.suspect = Some((partition, at));
                self.asked_at = None;
                None
            }
            (None, Some((at, next, problem))) => {
                fetched(vec![], next, Some(format!("{name}: offsets {at} to {next}: {problem}")))
            }
            (_, None) | (Some(_), Some(_)) => {
                return Err(Error::Answer { address: name, problem: "an answer without a whole batch".to_owned() });
            }
        })
    }
}
