//! The state of the targets, for the report of the shipper.

use exposition::{ActiveTarget, DroppedTarget, TargetHealth};
use types::Timestamp;

use super::super::labels::LabelSet;
use super::super::target::shown;
use super::run::TargetRun;
use crate::scrape_status::{REPORT_BYTES_MAX, ScrapeStatus};

/// The targets of a job.
pub(super) struct JobTargets<'e> {
    pub(super) name: &'e str,
    pub(super) active: Vec<&'e TargetRun>,
    /// The labels of those that relabelling drops.
    pub(super) dropped: &'e [LabelSet],
}

/// Returns the state of the targets of all jobs, those in trouble first.
pub(super) fn of(jobs: &[JobTargets<'_>]) -> ScrapeStatus {
    let mut status = ScrapeStatus::new(jobs.iter().map(|job| job.name.to_owned()).collect(), REPORT_BYTES_MAX);
    let of_job =
        |job: &JobTargets<'_>| job.active.iter().map(|target| active_target(job.name, target)).collect::<Vec<_>>();
    let mut active: Vec<ActiveTarget> = jobs.iter().flat_map(of_job).collect();
    active.sort_by(|a, b| {
        let key =
            |target: &ActiveTarget| (target.health != TargetHealth::Down, target.pool.clone(), target.url.clone());
        key(a).cmp(&key(b))
    });
    active.into_iter().for_each(|target| status.add_active(target));
    for job in jobs {
        for discovered in job.dropped {
            status.add_dropped(DroppedTarget { pool: job.name.to_owned(), discovered: discovered.clone() });
        }
    }
    status
}

fn active_target(pool: &str, run: &TargetRun) -> ActiveTarget {
    let target = &run.target;
    let outcome = run.outcome.as_ref();
    let error = outcome.and_then(|outcome| outcome.error.clone());
    ActiveTarget {
        pool: pool.to_owned(),
        discovered: run.discovered.clone(),
        labels: target.labels.clone(),
        url: target.address().to_owned(),
        interval: shown(target.interval),
        timeout: shown(target.timeout),
        health: match (outcome, &error) {
            (None, _) => TargetHealth::Unknown,
            (Some(_), None) => TargetHealth::Up,
            (Some(_), Some(_)) => TargetHealth::Down,
        },
        last_error: error.unwrap_or_default(),
        last_scrape_ms: outcome.map(|outcome| outcome.began.0.div_euclid(Timestamp::MILLISECOND)),
        last_duration_ns: outcome.map_or(0, |outcome| u64::try_from(outcome.took.as_nanos()).unwrap_or(u64::MAX)),
    }
}
