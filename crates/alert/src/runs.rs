//! Runs queries over events in memory, for tests of rules.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use execute::Request;
use types::{GroupPattern, Run};

use crate::{Ask, Question, Table};

/// Most memory that a question may hold.
const MEMORY_BYTES_MAX: usize = 256 << 20;

/// Events in memory.
pub struct RunsAsk {
    runs: Vec<Arc<dyn Run>>,
}

impl RunsAsk {
    /// Answers over these runs.
    pub fn new(runs: Vec<Arc<dyn Run>>) -> Self {
        Self { runs }
    }

    fn of(&self, groups: &[GroupPattern]) -> Vec<Arc<dyn Run>> {
        let is_asked = |run: &&Arc<dyn Run>| GroupPattern::any_matches(groups, run.info().group.as_str());
        self.runs.iter().filter(is_asked).cloned().collect()
    }
}

impl Ask for RunsAsk {
    fn ask(&self, question: &Question<'_>) -> Result<Table, String> {
        let sources = &question.plan.sources;
        let groups = if sources.is_empty() { question.groups } else { sources };
        let cancelled = AtomicBool::new(false);
        let request = Request {
            range: question.plan.range(question.range, question.now, chrono_tz::UTC),
            limit: Some(question.n_rows_max),
            time_zone: chrono_tz::UTC,
            now: question.now,
            memory_bytes_max: MEMORY_BYTES_MAX,
            deadline: None,
            cancelled: &cancelled,
            n_threads: 1,
            progress: None,
            support: execute::Support::default(),
        };
        let mut runs_of = |named: &[GroupPattern]| self.of(if named.is_empty() { groups } else { named });
        let answer = execute::execute_with_subqueries(question.plan, &self.of(groups), &request, &mut runs_of);
        let answer = answer.map_err(|error| error.to_string())?;
        let reasons: Vec<String> = answer.partial_reasons.iter().map(|reason| reason.message.clone()).collect();
        Ok(Table {
            columns: answer.columns.into_iter().map(|column| column.name).collect(),
            rows: answer.rows,
            partial: (!reasons.is_empty()).then(|| reasons.join("; ")),
        })
    }
}
