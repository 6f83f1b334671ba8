//! Lists of targets in files.

use serde_json::json;

use super::*;

#[test]
fn lists_are_json_or_yaml_and_say_where_they_came_from() {
    let expected = TargetGroup {
        targets: vec!["a:1".into(), "b:2".into()],
        labels: [("env".into(), "7".into()), ("__meta_filepath".into(), "f".into())].into(),
    };
    let origin = ("__meta_filepath", "f");
    let json = r#"[{"targets": ["a:1", "b:2"], "labels": {"env": 7}}]"#;
    assert_eq!(read_list(json, true, origin), Ok(vec![expected.clone()]));
    assert_eq!(read_list("- targets: ['a:1', 'b:2']\n  labels: {env: 7}\n", false, origin), Ok(vec![expected]));
    assert_eq!(read_list("", false, origin), Ok(Vec::new()));
    let problem = "targets[0].target: unknown key \"target\"; did you mean \"targets\"?".to_owned();
    assert_eq!(read_list("- target: [a]\n", false, origin), Err(problem));
    assert!(read_list("{", true, origin).is_err());
}

#[test]
fn other_service_discoveries_are_refused_by_name() {
    let definition = json!({"ec2_sd_configs": [{}]});
    let error = check_supported(&Node::root("job", &definition)).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.starts_with("job.ec2_sd_configs: this service discovery is not")));
}

#[test]
fn patterns_mean_the_files_that_are_there() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    for name in ["b.json", "a.json", "c.yml"] {
        std::fs::write(dir.path().join(name), "[]").expect("scratch");
    }
    let names = |pattern: &str| -> Vec<String> {
        let files = files_of(&dir.path().join(pattern));
        files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect()
    };
    assert_eq!(names("*.json"), ["a.json", "b.json"]);
    assert_eq!(names("x.json"), ["x.json"]);
}
