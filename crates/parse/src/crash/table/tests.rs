//! Every line of the files is understood.

use super::*;

#[test]
fn every_line_says_something_known() {
    for file in FILES {
        let (reports, unknown) = read(file);
        assert_eq!(unknown, Vec::<&str>::new());
        assert!(reports.len() > 4 && reports.iter().all(|report| !report.starts.is_empty()));
    }
}

#[test]
fn a_line_that_says_nothing_known_is_told() {
    let file = "begins \"x\"\nreport no\nreport error survived likewise\nreport error survived\nbegins x\nbegins \"a\\tb\"\nnext week\nfree 3\nagain anywhere\n";
    let (reports, unknown) = read(file);
    assert_eq!(unknown, ["begins \"x\"", "report no", "report error survived likewise", "begins x", "next week"]);
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((&report.starts[..], report.n_free, report.again), (&["a\tb"][..], 3, Again::Anywhere));
    assert!(report.is_survived && !report.follows);
}
