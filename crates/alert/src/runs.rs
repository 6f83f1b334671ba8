//! Runs queries over events in memory, for tests of rules.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use execute::{BlockVisitor, Request};
use types::{GroupPattern, Run, TimeRange};

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
        let range = question.plan.range(question.range, question.now, chrono_tz::UTC);
        let request = request(question, range, &cancelled);
        let mut runs_of = |named: &[GroupPattern]| self.of(if named.is_empty() { groups } else { named });
        let answer = execute::execute_with_subqueries(question.plan, &self.of(groups), &request, &mut runs_of);
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Table::of(answer, []))
    }

    fn visit(&self, question: &Question<'_>, visitor: &dyn BlockVisitor) -> Result<Vec<String>, String> {
        let cancelled = AtomicBool::new(false);
        let request = request(question, question.range, &cancelled);
        let answer = execute::visit_blocks(question.plan, &self.of(question.groups), &request, visitor);
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.partial_reasons.into_iter().map(|reason| reason.message).collect())
    }
}

fn request<'r>(question: &Question<'_>, range: TimeRange, cancelled: &'r AtomicBool) -> Request<'r> {
    Request {
        range,
        limit: Some(question.n_rows_max),
        time_zone: chrono_tz::UTC,
        now: question.now,
        memory_bytes_max: MEMORY_BYTES_MAX,
        deadline: None,
        cancelled,
        n_threads: 1,
        progress: None,
        support: execute::Support::default(),
    }
}
