//! The member of a group.

mod fetch;
mod offsets;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    FindCoordinatorRequest, FindCoordinatorResponse, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, MetadataRequest, MetadataResponse, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::assignment::{self, RANGE};
use crate::connection::{Access, Connection};
use crate::records::Message;
use crate::{Address, Error};

/// How long members have to join again when one comes or goes.
const REBALANCE_TIMEOUT_MS: i32 = 60_000;

const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);

/// How long a cluster may take until it has a coordinator.
const COORDINATOR_PATIENCE: Duration = Duration::from_secs(30);

/// How often a member asks to join: once without a name, once with the one that it is given, and once more.
const JOIN_ATTEMPTS: u32 = 3;

/// How often new partitions are looked for.
const METADATA_EVERY: Duration = Duration::from_secs(60);

/// How long a broker may wait for a message.
const WAIT_MS: i32 = 500;

/// Messages of transactions are read when these are committed.
const READ_COMMITTED: i8 = 1;

/// Versions of requests that this code is written for. Those of the group are the last of the old encoding, which all brokers know.
const METADATA: (i16, i16) = (4, 12);
const FIND_COORDINATOR: (i16, i16) = (0, 3);
const JOIN: (i16, i16) = (2, 5);
const SYNC: (i16, i16) = (1, 3);
const HEARTBEAT: (i16, i16) = (1, 3);
const LEAVE: (i16, i16) = (0, 2);

/// Where a partition begins that the group never read.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// With the oldest message that is there.
    Oldest,
    /// With those that come from now on.
    Newest,
}

/// What is read by whom.
pub struct Options {
    /// Brokers and topics.
    pub address: Address,
    /// How brokers are connected to.
    pub access: Access,
    /// The name of the consumer group.
    pub group: String,
    /// Where a partition begins that the group never read.
    pub begin: Begin,
    /// After which silence of a member its partitions go to others: a caller may store for so long without losing its own.
    pub session_timeout: Duration,
}

type Partition = (String, i32);

/// Messages of a partition, in their order.
#[derive(Debug)]
pub struct Fetched {
    /// The topic.
    pub topic: String,
    /// Tells a topic from others that had its name before; empty if the brokers are too old to say it.
    pub topic_id: String,
    /// The number of the partition.
    pub partition: i32,
    /// The offset that was asked for.
    pub from: i64,
    /// The messages; there may be none in a range of offsets.
    pub messages: Vec<Message>,
    /// The offset to go on with.
    pub next: i64,
    /// What could not be read.
    pub problem: Option<String>,
}

/// A member of a consumer group.
pub struct Consumer {
    options: Options,
    /// The identity of the cluster; its first address if the brokers are too old to say it.
    cluster: String,
    brokers: BTreeMap<i32, String>,
    leaders: BTreeMap<Partition, i32>,
    topic_ids: HashMap<String, String>,
    connections: BTreeMap<i32, Connection>,
    asked_at: Option<Instant>,
    coordinator: Option<Connection>,
    member: StrBytes,
    generation: i32,
    /// Where each partition of this member goes on; `None` if it has to join.
    positions: Option<BTreeMap<Partition, i64>>,
    heard_at: Instant,
    to_commit: BTreeMap<Partition, i64>,
    /// A batch that could not be read: it is passed over if the same happens again.
    suspect: Option<(Partition, i64)>,
    notes: Vec<String>,
    /// What was noted since all went well.
    told: Vec<String>,
}

impl Consumer {
    /// Asks the brokers for the topics.
    ///
    /// # Errors
    /// If no broker answers, or a topic does not exist or may not be read.
    pub fn new(options: Options) -> Result<Self, Error> {
        let mut consumer = Self {
            cluster: options.address.brokers.join(","),
            options,
            brokers: BTreeMap::new(),
            leaders: BTreeMap::new(),
            topic_ids: HashMap::new(),
            connections: BTreeMap::new(),
            asked_at: None,
            coordinator: None,
            member: StrBytes::default(),
            generation: -1,
            positions: None,
            heard_at: Instant::now(),
            to_commit: BTreeMap::new(),
            suspect: None,
            notes: Vec::new(),
            told: Vec::new(),
        };
        consumer.ask_for_topics()?;
        Ok(consumer)
    }

    /// Returns the identity of the cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Returns how many partitions this member has; `None` while it has to join the group or to look for leaders.
    pub fn n_partitions(&self) -> Option<usize> {
        self.positions.as_ref().filter(|_| self.asked_at.is_some()).map(BTreeMap::len)
    }

    /// Joins the group if it has to, and returns messages of its partitions: none after half a second without any, and while
    /// the group deals out its partitions anew.
    ///
    /// # Errors
    /// If a broker cannot be reached or refuses; a later call begins anew.
    pub fn poll(&mut self) -> Result<Vec<Fetched>, Error> {
        let polled = self.try_poll();
        if polled.is_err() {
            // Which of the connections, leaders and addresses is to blame is not worth knowing.
            self.connections.clear();
            self.coordinator = None;
            self.asked_at = None;
        }
        polled
    }

    /// Notes that the messages are stored: the next poll goes on behind them, and the next commit says so.
    pub fn stored(&mut self, fetched: &Fetched) {
        let partition = (fetched.topic.clone(), fetched.partition);
        if let Some(position) = self.positions.as_mut().and_then(|positions| positions.get_mut(&partition)) {
            *position = fetched.next;
            self.to_commit.insert(partition, fetched.next);
        }
    }

    /// Leaves the group, so that others have its partitions at once.
    pub fn leave(&mut self) {
        let Some(coordinator) = self.coordinator.as_mut().filter(|_| self.positions.is_some()) else { return };
        let request =
            LeaveGroupRequest::default().with_group_id(group_id(&self.options)).with_member_id(self.member.clone());
        // The group notices it after a while, too.
        let _ = coordinator.call(&request, LEAVE);
        self.positions = None;
    }

    fn try_poll(&mut self) -> Result<Vec<Fetched>, Error> {
        if self.asked_at.is_none() && self.positions.is_some() {
            // A partition had no leader, or a broker was away: not at once again.
            std::thread::sleep(Duration::from_millis(WAIT_MS as u64));
        }
        if self.asked_at.is_none_or(|at| at.elapsed() >= METADATA_EVERY) {
            let before = self.leaders.len();
            self.ask_for_topics()?;
            // The group deals out new partitions when somebody joins.
            if before != self.leaders.len() {
                self.positions = None;
            }
        }
        if self.positions.is_none() {
            self.join()?;
        } else if self.coordinator.is_none() || self.heard_at.elapsed() >= HEARTBEAT_EVERY {
            self.heartbeat()?;
        }
        match self.positions.as_ref().map(BTreeMap::is_empty) {
            Some(false) => self.fetch(),
            // More members than partitions: this one waits until another goes.
            Some(true) => {
                std::thread::sleep(Duration::from_millis(WAIT_MS as u64));
                Ok(Vec::new())
            }
            None => Ok(Vec::new()),
        }
    }

    /// Asks any broker for topics.
    fn metadata(&self, topics: &[String]) -> Result<MetadataResponse, Error> {
        let name = |topic: &String| TopicName(StrBytes::from_string(topic.clone()));
        let topics = topics.iter().map(|topic| MetadataRequestTopic::default().with_name(Some(name(topic))));
        let request =
            MetadataRequest::default().with_topics(Some(topics.collect())).with_allow_auto_topic_creation(false);
        self.any_broker(|broker| broker.call(&request, METADATA))
    }

    /// Asks one broker after the other, until one answers.
    fn any_broker<A>(&self, ask: impl Fn(&mut Connection) -> Result<A, Error>) -> Result<A, Error> {
        let mut last = Error::Usage("no broker is named".to_owned());
        for address in self.brokers.values().chain(&self.options.address.brokers) {
            match Connection::open(address, &self.options.access).and_then(|mut broker| ask(&mut broker)) {
                Ok(answer) => return Ok(answer),
                Err(error @ (Error::Refused { .. } | Error::Usage(_))) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Learns the brokers, and who leads the partitions. Topics have to be there at the beginning only.
    fn ask_for_topics(&mut self) -> Result<(), Error> {
        let is_first = self.brokers.is_empty();
        let answer = self.metadata(&self.options.address.topics)?;
        if let Some(cluster) = answer.cluster_id {
            self.cluster = cluster.to_string();
        }
        let brokers =
            answer.brokers.iter().map(|broker| (broker.node_id.0, format!("{}:{}", broker.host, broker.port)));
        let brokers: BTreeMap<i32, String> = brokers.collect();
        let mut leaders = BTreeMap::new();
        for topic in answer.topics {
            let name = topic.name.map(|name| name.0.to_string()).unwrap_or_default();
            if !topic.error_code.is_ok() {
                let refused = Error::refused(format!("topic {name}"), topic.error_code);
                types::ensure!(!is_first, refused);
                self.note(refused.to_string());
                continue;
            }
            let id = if topic.topic_id.is_nil() { String::new() } else { topic.topic_id.simple().to_string() };
            if self.topic_ids.insert(name.clone(), id.clone()).is_some_and(|before| before != id) {
                // Another topic of the same name: its offsets begin anew.
                self.note(format!("topic {name} was deleted and made again"));
                self.positions = None;
                self.to_commit.clear();
            }
            leaders.extend(topic.partitions.iter().map(|p| ((name.clone(), p.partition_index), p.leader_id.0)));
        }
        (self.brokers, self.leaders) = (brokers, leaders);
        self.connections.retain(|id, connection| self.brokers.get(id) == Some(&connection.address));
        self.asked_at = Some(Instant::now());
        Ok(())
    }

    /// Notes what somebody should know of; once while it lasts.
    fn note(&mut self, text: String) {
        if !self.told.contains(&text) {
            self.notes.push(text.clone());
            self.told.push(text);
        }
    }

    /// Returns what went wrong since the last call without ending a poll.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn find_coordinator(&mut self) -> Result<&mut Connection, Error> {
        let coordinator = match self.coordinator.take() {
            Some(known) => known,
            None => {
                let found = self.ask_for_coordinator()?;
                Connection::open(&format!("{}:{}", found.host, found.port), &self.options.access)?
            }
        };
        Ok(self.coordinator.insert(coordinator))
    }

    /// A cluster that never had a group makes ready for one when it is asked for the first.
    fn ask_for_coordinator(&mut self) -> Result<FindCoordinatorResponse, Error> {
        let key = StrBytes::from_string(self.options.group.clone());
        let request = FindCoordinatorRequest::default().with_key(key);
        let began = Instant::now();
        loop {
            let found = self.any_broker(|broker| broker.call(&request, FIND_COORDINATOR))?;
            match found.error_code.err() {
                Some(error) if error.is_retriable() && began.elapsed() < COORDINATOR_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(WAIT_MS as u64));
                }
                Some(_) => return Err(self.group_refused(found.error_code)),
                None => return Ok(found),
            }
        }
    }

    /// Joins the group, and learns which partitions are this member's and where they go on.
    fn join(&mut self) -> Result<(), Error> {
        self.to_commit.clear();
        let session_timeout = self.options.session_timeout;
        let mut n_refused = 0;
        let joined = loop {
            let group = group_id(&self.options);
            let metadata = assignment::subscription(&self.options.address.topics);
            let protocol =
                JoinGroupRequestProtocol::default().with_name(RANGE.to_owned().into()).with_metadata(metadata);
            let request = JoinGroupRequest::default()
                .with_group_id(group)
                .with_session_timeout_ms(session_timeout.as_millis().try_into().unwrap_or(i32::MAX))
                .with_rebalance_timeout_ms(REBALANCE_TIMEOUT_MS)
                .with_member_id(self.member.clone())
                .with_protocol_type(StrBytes::from_static_str("consumer"))
                .with_protocols(vec![protocol]);
            let coordinator = self.find_coordinator()?;
            let joined = coordinator.call(&request, JOIN)?;
            match joined.error_code.err() {
                None => break joined,
                Some(_) if n_refused == JOIN_ATTEMPTS => return Err(self.group_refused(joined.error_code)),
                Some(ResponseError::MemberIdRequired) => self.member = joined.member_id,
                Some(ResponseError::UnknownMemberId) if !self.member.is_empty() => self.member = StrBytes::default(),
                Some(_) => return Err(self.group_refused(joined.error_code)),
            }
            n_refused += 1;
        };
        self.member = joined.member_id.clone();
        self.generation = joined.generation_id;
        let request = SyncGroupRequest::default()
            .with_group_id(group_id(&self.options))
            .with_generation_id(self.generation)
            .with_member_id(self.member.clone())
            .with_assignments(self.dealt(&joined)?);
        let coordinator = self.find_coordinator()?;
        let synced = coordinator.call(&request, SYNC)?;
        self.heard_at = Instant::now();
        if !synced.error_code.is_ok() {
            // Somebody came or went meanwhile: the next poll joins again.
            return self.note_standing(synced.error_code);
        }
        let assigned = assignment::assigned(synced.assignment);
        let assigned = assigned.ok_or_else(|| self.group_problem("an assignment that is not understood"))?;
        self.positions = Some(self.offsets(assigned)?);
        Ok(())
    }

    /// Deals out the partitions if this member is the first: those of all topics that members named.
    fn dealt(&self, joined: &JoinGroupResponse) -> Result<Vec<SyncGroupRequestAssignment>, Error> {
        if joined.leader != joined.member_id {
            return Ok(Vec::new());
        }
        let mut partitions: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for topic in self.metadata(&assignment::topics(&joined.members))?.topics {
            let mut numbers: Vec<i32> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
            numbers.sort_unstable();
            partitions.insert(topic.name.map(|name| name.0.to_string()).unwrap_or_default(), numbers);
        }
        let of_member = |(member, assignment)| {
            SyncGroupRequestAssignment::default().with_member_id(member).with_assignment(assignment)
        };
        Ok(assignment::range(&joined.members, &partitions).into_iter().map(of_member).collect())
    }

    fn heartbeat(&mut self) -> Result<(), Error> {
        let request = HeartbeatRequest::default()
            .with_group_id(group_id(&self.options))
            .with_generation_id(self.generation)
            .with_member_id(self.member.clone());
        let code = self.find_coordinator()?.call(&request, HEARTBEAT)?.error_code;
        self.heard_at = Instant::now();
        self.note_standing(code)
    }

    /// Notes what the coordinator says of this member: with most errors it joins again.
    fn note_standing(&mut self, code: i16) -> Result<(), Error> {
        match code.err() {
            None => return Ok(()),
            // The cluster within librdkafka says the third of a member that is late.
            Some(
                ResponseError::RebalanceInProgress | ResponseError::IllegalGeneration | ResponseError::InvalidRequest,
            ) => {}
            Some(ResponseError::UnknownMemberId) => self.member = StrBytes::default(),
            Some(_) => return Err(self.group_refused(code)),
        }
        self.positions = None;
        Ok(())
    }

    fn group_refused(&mut self, code: i16) -> Error {
        self.positions = None;
        Error::refused(format!("consumer group {}", self.options.group), code)
    }

    fn group_problem(&self, problem: &str) -> Error {
        Error::Answer { address: format!("consumer group {}", self.options.group), problem: problem.to_owned() }
    }
}

fn group_id(options: &Options) -> GroupId {
    GroupId(StrBytes::from_string(options.group.clone()))
}
