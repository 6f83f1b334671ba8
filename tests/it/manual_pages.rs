//! Completion in shells and pages of the manual, as `catat` prints them.

use crate::server::{catat, printed, run};

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for shell in ["bash", "zsh", "fish"] {
        let ran = printed(scratch.path(), &["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("COMPLETE") && ran.out.contains("catat"), "{shell}: {}", ran.err);
    }
    // What such a script asks.
    let completed = |words: &[&str]| {
        let mut command = catat(scratch.path());
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        command.args(["--", "catat"]).args(words);
        run(command, "").out
    };
    for (words, expected) in [
        (&["que"][..], "query"),
        (&["groups", "delete-e"], "delete-events"),
        (&["groups", "set", "--retention-a"], "--retention-age"),
        (&["query", "--language", "filt"], "filter-pattern"),
        (&["query", "-o", "csv-"], "csv-raw"),
    ] {
        assert!(completed(words).contains(expected), "{words:?}: {}", completed(words));
    }
    assert_eq!(printed(scratch.path(), &["completions", "tcsh"]).code, 2);

    let page = printed(scratch.path(), &["man"]);
    assert!(page.code == 0 && page.out.contains(".TH catat 1") && page.out.contains("CATAT_URL"), "{}", page.out);
    let page = printed(scratch.path(), &["man", "groups", "set"]);
    assert!(page.out.contains(".TH catat-groups-set 1") && page.out.contains("retention"), "{}", page.out);
    assert_eq!(printed(scratch.path(), &["man", "nothing"]).code, 2);
    let written = printed(scratch.path(), &["man", "--dir", "man1"]);
    assert_eq!(written.code, 0, "{}", written.err);
    for name in ["catat", "catat-query", "catat-keys-create", "catat-config-show"] {
        assert!(scratch.path().join(format!("man1/{name}.1")).is_file(), "{name}");
    }
}
