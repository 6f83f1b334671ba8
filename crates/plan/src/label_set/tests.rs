//! Sets of labels, their texts and their names.

use super::*;

fn shown(labels: &Labels) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_set_comes_back_from_its_text() {
    let mut set = LabelSet::new(true);
    set.add_stream("app", "a:b 7:é");
    set.add_metadata("app", "inner");
    set.extract("app".into(), "x");
    set.delete("pod");
    set.fail("JSONParserErr", "why");
    let text = set.write();
    assert_eq!(LabelSet::read(&text), set);
    assert_eq!(LabelSet::read("").labels(), Labels::new());
    assert_eq!(LabelSet::read("cp3:ab").labels(), Labels::new());
    assert_eq!(shown(&set.labels()), "__error__=JSONParserErr __error_details__=why app=a:b 7:é app_extracted=x");
}

#[test]
fn what_is_found_never_hides_what_was_pushed() {
    let mut set = LabelSet::new(false);
    set.add_stream("app", "pay");
    set.add_metadata("app", "inner");
    set.add_metadata("pod", "p1");
    set.extract("app".into(), "line");
    set.extract("pod".into(), "line");
    assert_eq!(shown(&set.categories().stream), "app=pay");
    assert_eq!(shown(&set.categories().metadata), "pod=p1");
    assert_eq!(shown(&set.categories().parsed), "app_extracted=line pod_extracted=line");
    set.set("app", "new");
    assert_eq!((set.get("app"), set.categories().stream.len()), (Some("new"), 0));
    set.delete("app");
    assert_eq!(set.get("app"), None);
    set.extract("app".into(), "again");
    assert_eq!(set.get("app_extracted"), Some("line"), "the first one counts");
}

#[test]
fn labels_are_renamed_kept_and_left_out_of_series() {
    let mut set = LabelSet::new(true);
    set.add_stream("app", "pay");
    set.extract("a".into(), "1");
    set.rename("a", "b");
    set.rename("nowhere", "c");
    assert_eq!(shown(&set.labels()), "app=pay b=1");
    assert!(set.admits_field("c") && !set.admits_field("a"));
    let series = set.of_series(&["b"]).write();
    assert_eq!(series, "cp3:app3:pay");
    set.keep(|name| name == "b");
    assert_eq!(shown(&set.labels()), "b=1");
    assert!(!set.admits_field("c"));
}

#[test]
fn the_name_of_a_stream_holds_its_labels() {
    let labels = labels_of_stream(r#"{app="pay", empty="", quote="a\"b, c=\"}"}"#).expect("labels");
    assert_eq!(shown(&labels), r#"app=pay quote=a"b, c="} service_name=pay"#);
    assert_eq!(shown(&labels_of_stream("{}").expect("labels")), "service_name=unknown_service");
    assert_eq!(shown(&labels_of_stream(r#"{job="j", service_name="s"}"#).expect("labels")), "job=j service_name=s");
    for other in ["web-1:/var/log/syslog", "{x", "{x=1}"] {
        assert_eq!(labels_of_stream(other), None, "{other}");
    }
}

#[test]
fn names_of_metadata_are_those_of_labels() {
    assert_eq!(
        ["pod", "user.id", "9x", "é"].map(|name| metadata_name(name).into_owned()),
        ["pod", "user_id", "key_9x", "_"]
    );
}
