//! Sheets and pages in both languages.

use super::*;

fn ledger_of(service: &str) -> Ledger {
    let row = LedgerRow {
        service: service.into(),
        incidents: 2,
        ttd_ms: Some(90_000),
        ttm_ms: Some(3_660_000),
        ttr_ms: None,
        availability: Some(0.999_306),
        downtime_ms: 1_800_000,
        objective: 99.95,
        budget_ms: 1_296_000,
        budget_left_ms: -504_000,
    };
    let (from, to) = ("2026-11-01T00:00:00Z".to_owned(), "2026-12-01T00:00:00Z".to_owned());
    Ledger { month: "2026-11".into(), from, to, services: vec![row] }
}

#[test]
fn tables_for_spreadsheets_hold_no_formulas() {
    let head = "service,incidents,ttd_ms,ttm_ms,ttr_ms,availability,downtime_ms,objective,budget_ms,budget_left_ms\r\n";
    let csv = |service: &str| ledger_csv(&ledger_of(service)).strip_prefix(head).map(str::to_owned);
    assert_eq!(csv("pay").as_deref(), Some("pay,2,90000,3660000,,0.999306,1800000,99.95,1296000,-504000\r\n"));
    assert_eq!(
        csv("=1+1,\"x\"").as_deref(),
        Some("\"'=1+1,\"\"x\"\"\",2,90000,3660000,,0.999306,1800000,99.95,1296000,-504000\r\n")
    );
}

#[test]
fn the_page_speaks_both_languages_and_quotes_what_it_shows() {
    let english = ledger_html(&ledger_of("<b>pay"), &[], Tz::UTC, Locale::English);
    assert!(english.contains("<td>&lt;b&gt;pay</td><td>2</td><td>1 min 30 s</td><td>1 h 1 min</td><td>–</td><td>99.931 %</td><td>30 min</td><td>99.950 %</td><td>−8 min 24 s of 21 min 36 s</td>"), "{english}");
    let indonesian = ledger_html(&ledger_of("pay"), &[], Tz::Asia__Jakarta, Locale::Indonesian);
    assert!(indonesian.contains("<html lang=\"id\">") && indonesian.contains("<td>1 jam 1 mnt</td>"), "{indonesian}");
    assert!(indonesian.contains("<td>99,931 %</td>"), "{indonesian}");
    assert!(english.contains("<p>From 2026-11-01 00:00 to 2026-12-01 00:00 (UTC)</p>"), "{english}");
    let times = "<p>Dari 2026-11-01 07:00 sampai 2026-12-01 07:00 (Asia/Jakarta)</p>";
    assert!(indonesian.contains(times), "{indonesian}");
    assert!(!english.contains("style") && !english.contains("<script"));
    let empty = Ledger { services: Vec::new(), ..ledger_of("x") };
    assert!(ledger_html(&empty, &[], Tz::UTC, Locale::Indonesian).contains("Tidak ada insiden"));
}
