//! Files with problems among more than fit the report.

use super::*;

fn file(n: u64, lag: u64) -> FileStatus {
    FileStatus {
        file: n.to_string(),
        path: format!("/var/log/{n}").into(),
        group: "g".into(),
        stream: "s".into(),
        begin: 0,
        offset: 100,
        size: 100 + lag,
        generation: 0,
        is_own: false,
        is_unasked: false,
        content: None,
        is_gone: false,
        last_error: (n == 2_500).then(|| "permission denied".into()),
    }
}

#[test]
fn files_with_trouble_are_told_also_where_there_are_too_many() {
    let identity = Identity { source: "s".into(), host: "h".into(), started: "t".into() };
    let mut files: Vec<FileStatus> = (0..3_000).map(|n| file(n, u64::from(n == 2_999) * 7)).collect();
    let report = identity.report(Status { files: files.clone(), ..Status::default() });
    assert_eq!((report.files.len(), report.files_left_out), (2_000, 1_000));
    assert_eq!([&*report.files[0].file, &*report.files[1].file], ["2500", "2999"]);
    files.iter_mut().for_each(|file| file.stream = "x".repeat(4_000));
    let report = identity.report(Status { files, ..Status::default() });
    assert_eq!(report.files.len() + report.files_left_out, 3_000);
    let body = serde_json::to_vec(&report).expect("it is JSON");
    assert!(body.len() < 2 << 20 && report.files.len() > 100, "{}", body.len());
}
