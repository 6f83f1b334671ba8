//! The scrapes of all jobs: looks for targets, fetches their pages when it is time, and writes what they give.
//!
//! One thread does all of it but fetching, so that the samples of a target are in order.

mod lists;
mod report;
mod run;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use self::lists::TargetLists;
use self::report::JobTargets;
use self::run::TargetRun;
use super::client::PageClient;
use super::host_page::HostPage;
use super::job::Job;
use super::labels::LabelSet;
use super::line::Descriptions;
use super::pool::{FetchPool, FetchRequest, Fetched, HttpRequest, PageSource, Purpose};
use super::prometheus::ConfigFile;
use super::target::Target;
use crate::input::{InputError, Sink};
use crate::scrape_status::ScrapeStatus;

/// How often files are looked at: the configuration, and lists of targets.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The longest wait: a shipper that stops waits for it.
const STEP: Duration = Duration::from_millis(200);

/// How often the state of the targets is published, if it changed.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// The first scrapes of all targets are spread over this time at most.
const START_SPREAD_NS: u64 = 1_000_000_000;

/// The scrapes of an input.
pub(super) struct Engine<'s> {
    sink: &'s Sink,
    pool: FetchPool,
    file: Option<ConfigFile>,
    host: Option<HostPage>,
    jobs: Vec<JobRun>,
    targets: HashMap<u64, TargetRun>,
    /// When which target is scraped next, or ends.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    number_next: u64,
    /// Why targets are down, by number.
    down: BTreeMap<u64, String>,
    descriptions: Descriptions,
    /// Whether something changed in the state of the targets since it was published.
    is_changed: bool,
}

/// A job at work.
struct JobRun {
    job: Arc<Job>,
    client: Option<PageClient>,
    lists: TargetLists,
    /// The numbers of its targets by what tells them apart.
    targets: HashMap<String, u64>,
    /// The labels of targets that relabelling drops.
    dropped: Vec<LabelSet>,
    /// Targets that cannot be scraped, as they were told last.
    problems: Vec<String>,
    is_over_limit: bool,
}

impl JobRun {
    fn new(job: Job) -> Self {
        Self {
            job: Arc::new(job),
            client: None,
            lists: TargetLists::default(),
            targets: HashMap::new(),
            dropped: Vec::new(),
            problems: Vec::new(),
            is_over_limit: false,
        }
    }
}

impl<'s> Engine<'s> {
    pub(super) fn new(sink: &'s Sink, jobs: &[Job], file: Option<ConfigFile>, host: Option<HostPage>) -> Self {
        let jobs = jobs.iter().cloned().map(JobRun::new).collect();
        Self {
            sink,
            pool: FetchPool::new(),
            file,
            host,
            jobs,
            targets: HashMap::new(),
            due: BinaryHeap::new(),
            number_next: 0,
            down: BTreeMap::new(),
            descriptions: Descriptions::default(),
            is_changed: true,
        }
    }

    /// Scrapes until the shipper stops.
    pub(super) fn run(mut self) -> Result<(), InputError> {
        let mut look = Instant::now();
        let mut publish = look;
        while !self.sink.is_stopping() {
            let now = Instant::now();
            if now >= look {
                self.look(now);
                look = now + LOOK_EVERY;
            }
            self.start_due(now)?;
            if self.is_changed && now >= publish {
                self.sink.set_scrapes(self.report());
                (self.is_changed, publish) = (false, now + PUBLISH_EVERY);
            }
            let next = self.due.peek().map_or(STEP, |Reverse((at, _))| at.saturating_duration_since(Instant::now()));
            if let Some(fetched) = self.pool.result(next.min(STEP)) {
                self.take(fetched)?;
            }
        }
        Ok(())
    }

    /// Returns the state of all targets.
    fn report(&self) -> ScrapeStatus {
        let of_job = |run: &'_ JobRun| run.targets.values().filter_map(|number| self.targets.get(number)).collect();
        let jobs: Vec<JobTargets<'_>> = self
            .jobs
            .iter()
            .map(|run| JobTargets { name: &run.job.name, active: of_job(run), dropped: &run.dropped })
            .collect();
        report::of(&jobs)
    }

    /// Looks at the configuration, and for targets.
    fn look(&mut self, now: Instant) {
        match self.file.as_mut().and_then(ConfigFile::changed) {
            None => {}
            Some(Ok(jobs)) => {
                tracing::info!(n_jobs = jobs.len(), "scrape configuration read again");
                self.replace_jobs(jobs, now);
            }
            Some(Err(problem)) => {
                tracing::warn!(problem, "scrape configuration not used; the one before it stays");
            }
        }
        for at in 0..self.jobs.len() {
            let run = &mut self.jobs[at];
            let requests = run.lists.refresh(&run.job, now, &mut self.number_next);
            requests.into_iter().for_each(|request| self.pool.start(request));
            self.find_targets(at, now);
        }
    }

    /// Takes other jobs; targets that are the same continue.
    fn replace_jobs(&mut self, jobs: Vec<Job>, now: Instant) {
        let mut before = std::mem::take(&mut self.jobs);
        for job in jobs {
            let mut run = JobRun::new(job);
            if let Some(at) = before.iter().position(|old| old.job.name == run.job.name) {
                let old = before.swap_remove(at);
                (run.lists, run.targets) = (old.lists, old.targets);
            }
            self.jobs.push(run);
        }
        self.is_changed = true;
        for number in before.iter().flat_map(|job| job.targets.values()) {
            if let Some(target) = self.targets.get_mut(number) {
                self.due.push(Reverse((target.end(now), *number)));
            }
        }
        // Numbers of jobs are places in the list.
        for (at, job) in self.jobs.iter().enumerate() {
            for number in job.targets.values() {
                if let Some(target) = self.targets.get_mut(number) {
                    target.job = at;
                }
            }
        }
    }

    /// Brings the targets of a job up to date with its lists.
    fn find_targets(&mut self, at: usize, now: Instant) {
        let run = &mut self.jobs[at];
        let (mut found, mut dropped, mut problems) = (HashMap::new(), Vec::new(), Vec::new());
        for labels in run.lists.discovered(&run.job) {
            match Target::of(&labels, &run.job) {
                Ok(Some(target)) => {
                    found.insert(target.key(), (target, labels));
                }
                Ok(None) => dropped.push(labels),
                Err(problem) => {
                    problems.push(format!("{}: {problem}", labels.get("__address__").map_or("a target", |text| text)));
                }
            }
        }
        if problems != run.problems {
            if let Some(problem) = problems.first() {
                tracing::warn!(
                    job = run.job.name,
                    n_targets = problems.len(),
                    problem,
                    "targets that cannot be scraped"
                );
            }
            run.problems = problems;
        }
        run.is_over_limit = found.len() > run.job.limits.targets;
        self.is_changed |= run.dropped != dropped;
        run.dropped = dropped;
        run.targets.retain(|key, number| {
            let same = found.remove(key).filter(|_| self.targets.contains_key(number));
            let Some(target) = self.targets.get_mut(number) else { return false };
            match same {
                Some((_, labels)) => {
                    self.is_changed |= target.discovered != labels;
                    target.discovered = labels;
                    true
                }
                None => {
                    self.due.push(Reverse((target.end(now), *number)));
                    self.is_changed = true;
                    false
                }
            }
        });
        self.is_changed |= !found.is_empty();
        for (key, (target, discovered)) in found {
            self.number_next += 1;
            let number = self.number_next;
            let spread = START_SPREAD_NS.min(u64::try_from(target.interval.as_nanos()).unwrap_or(u64::MAX)).max(1);
            let first = now + Duration::from_nanos(xxh3_64(key.as_bytes()) % spread);
            self.due.push(Reverse((first, number)));
            self.targets.insert(number, TargetRun::new(at, target, discovered));
            run.targets.insert(key, number);
        }
    }

    /// Starts the scrapes whose time has come.
    fn start_due(&mut self, now: Instant) -> Result<(), InputError> {
        while let Some(Reverse((at, number))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            let Some(target) = self.targets.get_mut(&number) else { continue };
            if target.ends_at.is_some_and(|end| end <= at) {
                self.end(number)?;
                continue;
            }
            if target.ends_at.is_some() || target.is_fetching {
                continue;
            }
            target.due = at;
            let run = &mut self.jobs[target.job];
            if run.is_over_limit {
                let limit = run.job.limits.targets;
                let error = format!("the job has more than {limit} targets (target_limit)");
                let (began, took) = (crate::shipper::now(), Duration::ZERO);
                self.take(Fetched { purpose: Purpose::Page(number), began, took, page: Err(error) })?;
                continue;
            }
            target.is_fetching = true;
            match source_of(run, target, self.host.as_ref()) {
                Ok(source) => self.pool.start(FetchRequest { purpose: Purpose::Page(number), source }),
                Err(error) => {
                    let (began, took) = (crate::shipper::now(), Duration::ZERO);
                    self.take(Fetched { purpose: Purpose::Page(number), began, took, page: Err(error) })?;
                }
            }
        }
        Ok(())
    }

    /// Takes what was fetched.
    fn take(&mut self, fetched: Fetched) -> Result<(), InputError> {
        let number = match fetched.purpose {
            Purpose::List(number) => {
                for at in 0..self.jobs.len() {
                    if self.jobs[at].lists.take(number, &fetched.page) {
                        self.find_targets(at, Instant::now());
                        break;
                    }
                }
                return Ok(());
            }
            Purpose::Page(number) => number,
        };
        let Some(target) = self.targets.get_mut(&number) else { return Ok(()) };
        target.is_fetching = false;
        if target.ends_at.is_some() {
            return Ok(());
        }
        let run = &self.jobs[target.job];
        let mut samples = target.write(&run.job, fetched);
        let now = Instant::now();
        self.due.push(Reverse(((target.due + target.target.interval).max(now), number)));
        for (metric, metadata) in &samples.metadata {
            self.descriptions.push(&mut samples.lines, metric, metadata, now);
        }
        send(self.sink, &samples.lines)?;
        self.note(number, samples.error);
        self.is_changed = true;
        Ok(())
    }

    /// Notes whether a target is down, for the status of the input and the log.
    fn note(&mut self, number: u64, error: Option<String>) {
        let Some(target) = self.targets.get(&number) else { return };
        let job = &self.jobs[target.job].job.name;
        let instance = target.target.labels.get("instance").map_or("", |text| text);
        match error {
            Some(error) => {
                let text = format!("{job} {instance}: {error}");
                if self.down.insert(number, text).is_none() {
                    tracing::warn!(job, instance, error, "target is down");
                }
            }
            None => {
                if self.down.remove(&number).is_some() {
                    tracing::info!(job, instance, "target is up again");
                }
            }
        }
        match self.down.values().next() {
            None => self.sink.works(),
            Some(first) if self.down.len() == 1 => self.sink.fails(first.clone()),
            Some(first) => self.sink.fails(format!("{} targets are down, such as {first}", self.down.len())),
        }
    }

    /// Writes stale markers for a target that is gone, unless another one has the same labels.
    fn end(&mut self, number: u64) -> Result<(), InputError> {
        let Some(mut target) = self.targets.remove(&number) else { return Ok(()) };
        self.down.remove(&number);
        let is_same = |labels: &LabelSet| *labels == target.target.labels;
        if self.targets.values().any(|other| other.ends_at.is_none() && is_same(&other.target.labels)) {
            return Ok(());
        }
        send(self.sink, &target.last_lines())
    }
}

/// Returns where the page of a target is.
fn source_of(run: &mut JobRun, target: &TargetRun, host: Option<&HostPage>) -> Result<PageSource, String> {
    if let Some(host) = host {
        return Ok(PageSource::Host(host.clone()));
    }
    let url = target.target.url.clone().map_err(|unusable| unusable.problem)?;
    let client = match &run.client {
        Some(client) => client.clone(),
        // Made again at the next scrape if a certificate cannot be read now.
        None => run.client.insert(run.job.client.client()?).clone(),
    };
    let (job, target) = (&run.job, &target.target);
    Ok(PageSource::Http(Box::new(HttpRequest {
        client,
        config: job.client.clone(),
        url,
        accept: job.accept.clone(),
        timeout: target.timeout,
        is_compressed: job.is_compressed,
        bytes_max: job.limits.body_bytes,
    })))
}

/// Hands over lines.
fn send(sink: &Sink, lines: &str) -> Result<(), InputError> {
    lines.lines().try_for_each(|line| sink.line(line.as_bytes()))
}
