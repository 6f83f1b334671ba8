//! From operators to a plan: the only constructors of [`Plan`], each of which optimises.

use types::GroupPattern;

use crate::optimise::optimise;
use crate::plan::{Operator, Plan};
use crate::times::Times;
use crate::warning::Warning;

/// A checked query as it was written, to which others may add before it becomes a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanDraft {
    /// Groups that the query names; empty means those of the request.
    pub sources: Vec<GroupPattern>,
    /// Times that the query names.
    pub times: Times,
    /// What happens to the rows, in order. The last one is always [`Operator::Project`].
    pub operators: Vec<Operator>,
    /// What the author of the query should know.
    pub warnings: Vec<Warning>,
}

impl PlanDraft {
    /// Returns the optimised plan.
    pub fn finish(self) -> Plan {
        Plan { operators: optimise(self.operators), ..Self { operators: Vec::new(), ..self }.unoptimised() }
    }

    /// Returns the plan as it was written, for tests that compare it with the optimised one.
    #[doc(hidden)]
    pub fn unoptimised(self) -> Plan {
        let Self { sources, times, operators, warnings } = self;
        Plan { sources, times, operators, warnings }
    }
}

impl From<Plan> for PlanDraft {
    fn from(plan: Plan) -> Self {
        let Plan { sources, times, operators, warnings } = plan;
        Self { sources, times, operators, warnings }
    }
}

impl Plan {
    /// Returns the optimised plan of some operators, for the groups and times of the request.
    pub fn new(operators: Vec<Operator>) -> Self {
        PlanDraft { operators, ..PlanDraft::default() }.finish()
    }

    /// Returns the optimised plan of other operators over the same groups and times.
    pub fn with_operators(&self, operators: Vec<Operator>) -> Self {
        let (sources, times, warnings) = (self.sources.clone(), self.times.clone(), self.warnings.clone());
        PlanDraft { sources, times, operators, warnings }.finish()
    }

    /// Changes the operators, then optimises them again.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut Vec<Operator>) -> T) -> T {
        let result = change(&mut self.operators);
        self.operators = optimise(std::mem::take(&mut self.operators));
        result
    }
}
