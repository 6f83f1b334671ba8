//! CloudWatch's alarms: on metrics, on expressions over metrics, and over other alarms.
//!
//! Alarms are rules of the crate `alert`, which schedules them, keeps their state and tells channels. Here is what only
//! CloudWatch knows: their definitions, the judgement over their datapoints, their history, and the operations on them.

mod children;
mod composite;
mod datapoints;
mod definition;
mod history;
mod judge;
mod judgement;
mod listing;
mod message;
mod operations;
mod state;
mod threshold;

pub(crate) use self::definition::topic_of;
pub(crate) use self::judge::start;
pub(crate) use self::operations::follow_filters;
pub(super) use self::operations::{carry_out, role_of};
pub(crate) use super::parameters::ACCOUNT;
