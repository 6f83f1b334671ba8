//! The end of every query: what it took, and why something may be missing.

use crate::request::answer::Answer;
use crate::request::error::Result;
use crate::scan::scanner::Scan;
use evaluate::Stop;

/// Adds to the rows what finding them took, and why some may be missing. `is_cut`: there are more rows.
pub(crate) fn finish(scan: &Scan<'_>, answer: Result<Answer, Stop>, is_cut: bool) -> Result<Answer> {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(stop) => {
            scan.note_stop(stop);
            Answer::default()
        }
    };
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    answer.more = is_cut;
    answer.stats = scan.stats();
    answer.partial_reasons = scan.take_reasons();
    if answer.partial_reasons.is_empty() {
        // What was not looked at is not needed.
        answer.stats.segments_done = answer.stats.segments_total;
    }
    answer.warnings = scan.env.warnings.collect();
    Ok(answer)
}
