//! Which files are taken, and what is said of the others.

use super::*;

fn search(paths: &[PathBuf]) -> (Vec<String>, Vec<SkippedFile>) {
    let roots: Vec<Root> = paths.iter().map(|path| root_of(path)).collect();
    let mut report = Discovery::default();
    let found = Search::new(&[], &mut report).run(&roots, &|_| None);
    let mut names: Vec<String> =
        found.values().map(|c| c.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    (names, report.left_out)
}

#[test]
fn directories_are_searched_and_patterns_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("nginx")).unwrap();
    for name in ["a.log", "b.txt", "nginx/c.log", "old.log.1.gz", "wtmp", "wtmp.1"] {
        fs::write(dir.path().join(name), "x\n").unwrap();
    }
    let (names, left_out) = search(&[dir.path().into()]);
    assert_eq!(names, ["a.log", "b.txt", "c.log"]);
    let reasons: Vec<&Reason> = left_out.iter().map(|left| &left.reason).collect();
    assert_eq!(reasons.iter().filter(|reason| ***reason == Reason::Compressed).count(), 1);
    assert_eq!(reasons.iter().filter(|reason| ***reason == Reason::Binary).count(), 2);
    assert_eq!(search(&[dir.path().join("*.log")]).0, ["a.log"]);
    assert_eq!(search(&[dir.path().join("**/*.log")]).0, ["a.log", "c.log"]);
}

#[test]
fn a_file_with_several_names_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.log"), "x\n").unwrap();
    fs::hard_link(dir.path().join("a.log"), dir.path().join("b.log")).unwrap();
    std::os::unix::fs::symlink("a.log", dir.path().join("c.log")).unwrap();
    std::os::unix::fs::symlink(".", dir.path().join("loop")).unwrap();
    assert_eq!(search(&[dir.path().into()]).0.len(), 1);
}

#[test]
fn what_is_not_there_is_named_and_a_device_is_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let (names, left_out) = search(&[dir.path().join("none.log"), "/dev/zero".into()]);
    assert!(names.is_empty());
    assert_eq!(left_out, [SkippedFile { path: dir.path().join("none.log"), reason: Reason::Absent }]);
}

#[test]
fn a_stray_nul_is_text_and_a_record_file_is_not() {
    assert_eq!(reason_of_content(b"a line\0 of text that goes on\n"), None);
    assert_eq!(reason_of_content(b""), None);
    assert_eq!(reason_of_content(&[0; 384]), Some(Reason::Binary));
    assert_eq!(reason_of_content(b"\x1f\x8b\x08 rest"), Some(Reason::Compressed));
}

fn root_of(path: &Path) -> Root {
    Root { place: PathSpec::new(path).unwrap(), excluded: Vec::new(), input: 0, unpacks: false }
}

#[test]
fn what_an_input_leaves_out_is_not_found_and_our_own_directory_only_where_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["app.log", "app.debug.log", "sub/x.log", "state/spool/journal/1.log"] {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), "line\n").unwrap();
    }
    let place = |path: PathBuf| PathSpec::new(&path).unwrap();
    let excluded = vec![place(path("*.debug.log")), place(path("sub"))];
    let roots = [
        Root { place: place(dir.path().into()), excluded, input: 0, unpacks: false },
        Root { place: place(path("state/spool/journal")), excluded: Vec::new(), input: 1, unpacks: false },
    ];
    let ours = [path("state")];
    let found = Search::new(&ours, &mut Discovery::default()).run(&roots, &|_| None);
    let mut names: Vec<_> = found.values().map(|file| (file.path.clone(), file.input)).collect();
    names.sort();
    assert_eq!(names, [(path("app.log"), 0), (path("state/spool/journal/1.log"), 1)]);
}

#[test]
fn a_pipe_that_took_the_place_of_a_file_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("a.log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(sniff(&pipe).unwrap_err(), Reason::Unreadable("not a regular file".into()));
}

#[test]
fn utf_16_is_named_as_what_it_is_also_where_it_has_no_nul() {
    for text in ["line\n", "\u{65e5}\u{672c}"] {
        let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
        let (little, big): (Vec<u8>, Vec<u8>) =
            (units().flat_map(u16::to_le_bytes).collect(), units().flat_map(u16::to_be_bytes).collect());
        assert_eq!(reason_of_content(&little), Some(Reason::Utf16));
        assert_eq!(reason_of_content(&big), Some(Reason::Utf16));
    }
    assert_eq!(reason_of_content("\u{feff}UTF-8 with a mark\n".as_bytes()), None);
}
