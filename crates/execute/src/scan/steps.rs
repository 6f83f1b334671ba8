//! What is done to the rows of each block: conditions first, cheapest first, then computed fields that are needed.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;

use plan::fields::{asks_labels, is_system, visit_unpushed_fields};
use plan::{Expr, Name, Operator, Parse, ParseMethod, TextPattern, fields_of, visit_fields};
use types::{RowSet, ScanError};

use evaluate::expressions::parse;
use evaluate::{BlockRows, Environment, Frame, Probe, Result, Source, conjunction, disjunction};

/// More questions about every block cost more than they save.
const ALTERNATIVES_MAX: usize = 16;

/// The same for ids, which filters of whole runs are asked for.
const IDS_MAX: usize = 64;

/// A condition on stored fields, with what an index may be asked for it.
struct Condition<'p> {
    expr: &'p Expr,
    probe: Option<Probe>,
    /// What is asked for the parts of an `or`, each of which has a probe: rows that none of them leaves are out.
    alternatives: Vec<Probe>,
}

/// The row-wise operators at the head of a plan, made ready for blocks.
pub(crate) struct Steps<'p> {
    /// Conditions on stored fields.
    conditions: Vec<Condition<'p>>,
    /// The other operators, in order.
    rest: Vec<&'p Operator>,
}

/// Reports whether an operator works row by row.
pub(crate) fn is_row_wise(operator: &Operator) -> bool {
    matches!(operator, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Lookup(_))
}

impl<'p> Steps<'p> {
    /// Prepares `operators`, all of them row-wise; computed fields that neither they nor `needed` ask for go.
    pub(crate) fn new(operators: &'p [Operator], needed: &BTreeSet<Name>) -> Self {
        let operators = needed_operators(operators, needed);
        let mut conditions: Vec<&Expr> = Vec::new();
        let mut rest: Vec<&Operator> = Vec::new();
        for operator in operators {
            match operator {
                Operator::Filter(expr) if conjunction(expr).iter().all(|part| !is_touched(part, &rest)) => {
                    conditions.extend(conjunction(expr));
                }
                other => rest.push(other),
            }
        }
        conditions.sort_by_key(|condition| cost(condition));
        let condition = |expr| Condition { expr, probe: Probe::of(expr), alternatives: alternatives_of(expr) };
        let conditions = conditions.into_iter().map(condition).collect();
        Self { conditions, rest }
    }

    /// Returns the same steps without conditions, for rows that were already chosen.
    pub(crate) fn without_conditions(operators: &'p [Operator], needed: &BTreeSet<Name>) -> Self {
        let rest = needed_operators(operators, needed);
        let rest = rest.into_iter().filter(|operator| !matches!(operator, Operator::Filter(_))).collect();
        Self { conditions: Vec::new(), rest }
    }

    /// Conditions on stored fields in the order in which they are applied, with what an index may be asked.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&'p Expr, Option<&Probe>)> {
        self.conditions.iter().map(|condition| (condition.expr, condition.probe.as_ref()))
    }

    /// Reports whether texts are looked for.
    pub(crate) fn is_search(&self) -> bool {
        self.conditions.iter().any(|condition| condition.probe.is_some() || !condition.alternatives.is_empty())
    }

    /// Returns what is done after them, in order.
    pub(crate) fn others(&self) -> impl Iterator<Item = &'p Operator> {
        self.rest.iter().copied()
    }

    /// Reports whether all that is done can be done knowing nothing of events but `fields`, where no Loki sender pushed
    /// them.
    pub(crate) fn are_about(&self, fields: &[&str]) -> bool {
        let mut known: Vec<&str> = fields.to_vec();
        let is_known = |expr: &Expr, known: &[&str]| {
            let mut is_known = true;
            visit_unpushed_fields(expr, &mut |field| is_known &= known.contains(&&**field));
            is_known
        };
        self.conditions.iter().all(|condition| is_known(condition.expr, &known))
            && self.rest.iter().all(|operator| match operator {
                Operator::Filter(expr) => is_known(expr, &known),
                Operator::Extend { name, expr } => {
                    let is_about = is_known(expr, &known);
                    known.push(name);
                    is_about
                }
                _ => false,
            })
    }

    /// Returns the fields that conditions and computed fields read, where no Loki sender pushed them; computed ones are
    /// not among them.
    pub(crate) fn fields(&self) -> BTreeSet<Name> {
        let (mut read, mut computed) = (BTreeSet::new(), BTreeSet::new());
        let mut note = |expr: &Expr, computed: &BTreeSet<Name>| {
            visit_unpushed_fields(expr, &mut |field| {
                if !computed.contains(field) {
                    read.insert(field.clone());
                }
            });
        };
        self.conditions.iter().for_each(|condition| note(condition.expr, &computed));
        for operator in &self.rest {
            match operator {
                Operator::Filter(expr) => note(expr, &computed),
                Operator::Extend { name, expr } => {
                    note(expr, &computed);
                    computed.insert(name.clone());
                }
                _ => {}
            }
        }
        read
    }

    /// Reports whether labels of LogQL are asked for.
    pub(crate) fn ask_labels(&self) -> bool {
        let of_operator = |operator: &&Operator| match operator {
            Operator::Filter(expr) | Operator::Extend { expr, .. } => asks_labels(expr),
            _ => false,
        };
        self.conditions.iter().any(|condition| asks_labels(condition.expr)) || self.rest.iter().any(of_operator)
    }

    /// Returns the rows of a block that fulfil all conditions, with their computed fields.
    pub(crate) fn apply<'a>(&self, mut block: BlockRows<'a>, env: &Environment) -> Result<Frame<'a>> {
        let mut is_settled = vec![false; self.conditions.len()];
        let n_rows = block.rows.count();
        for (condition, is_settled) in self.conditions.iter().zip(&mut is_settled) {
            if block.rows.is_empty() {
                break;
            }
            if let Some(probe) = &condition.probe {
                let Some(question) = probe.for_source(block.source)? else { continue };
                let narrowed = block.source.run.narrow(block.block, &question)?;
                block.rows.and(&narrowed.rows);
                *is_settled = narrowed.exact && probe.settles;
            } else if !condition.alternatives.is_empty() {
                narrow_to_any(&condition.alternatives, &mut block)?;
            }
        }
        env.events_skipped.fetch_add((n_rows - block.rows.count()) as u64, Relaxed);
        if block.rows.is_empty() {
            return Ok(Frame::of_block(block));
        }
        let mut frame = Frame::of_block(block);
        for (condition, is_settled) in self.conditions.iter().zip(is_settled) {
            if !is_settled {
                keep(condition.expr, &mut frame, env)?;
            }
        }
        for operator in &self.rest {
            apply_one(operator, &mut frame, env)?;
        }
        Ok(frame)
    }

    /// Reports whether an event of a run may fulfil all conditions, by what is known of the run as a whole.
    pub(crate) fn may_match(&self, source: &Source) -> Result<bool, ScanError> {
        for condition in &self.conditions {
            let mut probes = condition.probe.iter().chain(&condition.alternatives).peekable();
            let mut is_possible = probes.peek().is_none();
            for probe in probes {
                is_possible |= match probe.for_whole_run() {
                    Some(question) => source.run.may_hold(&question)?,
                    None => true,
                };
            }
            if !is_possible {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does the same on rows in memory.
    pub(crate) fn apply_to(&self, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
        for condition in &self.conditions {
            keep(condition.expr, frame, env)?;
        }
        self.rest.iter().try_for_each(|operator| apply_one(operator, frame, env))
    }
}

/// Returns probes for each part of an `or`, or for each id of a list; none for any other condition, or if a part has none.
fn alternatives_of(condition: &Expr) -> Vec<Probe> {
    let Expr::Or(..) = condition else { return probes_of_ids(condition).unwrap_or_default() };
    let one = |condition: &Expr| Probe::of(condition).map(|probe| vec![probe]);
    let of_part = |part: &Expr| {
        conjunction(part).into_iter().find_map(|condition| one(condition).or_else(|| probes_of_ids(condition)))
    };
    let parts = disjunction(condition);
    let probes: Option<Vec<Vec<Probe>>> =
        (parts.len() <= ALTERNATIVES_MAX).then(|| parts.into_iter().map(of_part).collect()).flatten();
    let probes: Vec<Probe> = probes.unwrap_or_default().into_iter().flatten().collect();
    if probes.len() <= IDS_MAX { probes } else { Vec::new() }
}

/// Returns a probe for each id of a list. For ids only: most blocks contain some of a list of other values.
fn probes_of_ids(condition: &Expr) -> Option<Vec<Probe>> {
    let Expr::In(item, ids) = condition else { return None };
    (ids.len() <= IDS_MAX).then(|| ids.iter().map(|id| Probe::of_id(item, id)).collect()).flatten()
}

/// Narrows a block to the rows that one of several probes leaves.
fn narrow_to_any(alternatives: &[Probe], block: &mut BlockRows<'_>) -> Result<()> {
    let mut left = RowSet::none(block.source.run.block_rows(block.block));
    for probe in alternatives {
        let Some(question) = probe.for_source(block.source)? else { return Ok(()) };
        left.or(&block.source.run.narrow(block.block, &question)?.rows);
    }
    block.rows.and(&left);
    Ok(())
}

fn keep(condition: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
    if frame.n_rows() > 0 {
        let n_leases = frame.n_leases();
        let rows: RowSet = env.truth(condition, frame)?;
        frame.end_leases(n_leases);
        frame.retain(&rows);
    }
    Ok(())
}

/// Applies one row-wise operator; others are left to their own places.
pub(crate) fn apply_one(operator: &Operator, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
    match operator {
        Operator::Filter(expr) => conjunction(expr).into_iter().try_for_each(|part| keep(part, frame, env)),
        Operator::Extend { name, expr } => {
            let column = env.evaluate(expr, frame)?;
            frame.define(name.clone(), column);
            Ok(())
        }
        Operator::Parse(parse) => parse::apply(parse, frame, env),
        Operator::Lookup(lookup) => evaluate::expressions::lookup::lookup(lookup, frame, env),
        _ => Ok(()),
    }
}

/// Leaves out computed fields that no one asks for later.
fn needed_operators<'p>(operators: &'p [Operator], needed: &BTreeSet<Name>) -> Vec<&'p Operator> {
    let mut needed = needed.clone();
    let mut kept = Vec::new();
    for operator in operators.iter().rev() {
        let is_asked = |name: &Name| needed.iter().any(|asked| is_at_or_below(asked, name));
        let is_kept = match operator {
            Operator::Extend { name, .. } => is_asked(name),
            Operator::Parse(parse) => match &parse.method {
                ParseMethod::Glob { names, .. } => names.iter().any(is_asked),
                ParseMethod::Regex { names, .. } => names.iter().any(|(name, _)| is_asked(name)),
                ParseMethod::Format { prefix: Some(prefix), .. } => is_asked(prefix),
                ParseMethod::Format { prefix: None, .. } => true,
            },
            Operator::Lookup(lookup) => lookup.columns.iter().any(|(_, name)| is_asked(name)),
            _ => true,
        };
        if is_kept {
            needed.extend(fields_of(std::slice::from_ref(operator)));
            kept.push(operator);
        }
    }
    kept.reverse();
    kept
}

fn is_at_or_below(name: &str, root: &str) -> bool {
    name.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Reports whether a condition speaks of a field that one of `operators` computes.
fn is_touched(condition: &Expr, operators: &[&Operator]) -> bool {
    let mut is_touched = false;
    visit_fields(condition, &mut |field| is_touched |= operators.iter().any(|operator| defines(operator, field)));
    is_touched
}

/// Reports whether an operator may change what `field` means.
pub(crate) fn defines(operator: &Operator, field: &str) -> bool {
    match operator {
        Operator::Extend { name, .. } => is_at_or_below(field, name),
        Operator::Parse(Parse { method, .. }) => match method {
            ParseMethod::Glob { names, .. } => names.iter().any(|name| is_at_or_below(field, name)),
            ParseMethod::Regex { names, .. } => names.iter().any(|(name, _)| is_at_or_below(field, name)),
            ParseMethod::Format { prefix: Some(prefix), .. } => is_at_or_below(field, prefix),
            ParseMethod::Format { prefix: None, .. } => true,
        },
        Operator::Lookup(lookup) => lookup.columns.iter().any(|(_, name)| is_at_or_below(field, name)),
        _ => false,
    }
}

/// Returns how much a condition costs a row, roughly: what reads least comes first.
fn cost(condition: &Expr) -> u32 {
    let mut cost = 0;
    visit_fields(condition, &mut |field| {
        cost += match &**field {
            "@any" => 100,
            "@message" => 20,
            name if is_system(name) => 1,
            _ => 3,
        };
    });
    cost + match condition {
        Expr::Match(_, TextPattern::Regex(_) | TextPattern::OneOf(_) | TextPattern::Words(_)) => 10,
        Expr::Match(..) => 2,
        _ => 0,
    }
}
