//! Places that are no files, become some, or hold very many.

use super::*;

#[test]
fn pipes_and_devices_that_a_path_names_are_refused_and_files_beside_them_go_on() {
    let mut bench = Bench::new(&[]);
    let pipe = bench.path("pipe.log");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", bench.path("zero.log")).unwrap();
    let mut options = bench.options();
    options.inputs[0].paths.extend([pipe.clone(), "/dev/zero".into()]);
    bench.start_with(options);
    bench.append("a.log", "one\n");
    bench.run(1_500);
    fs::remove_file(&pipe).unwrap();
    bench.append("pipe.log", "two\n");
    bench.run(1_500);
    bench.check(&["one", "two"]);
}

#[test]
fn a_directory_may_become_a_file_and_a_directory_again() {
    let mut bench = Bench::new(&[]);
    fs::create_dir(bench.path("app")).unwrap();
    bench.append("app/a.log", "one\n");
    bench.run(1_500);
    bench.rename("app", "before");
    bench.append("app", "two\n");
    bench.append("before/a.log", "three\n");
    bench.run(1_500);
    fs::remove_file(bench.path("app")).unwrap();
    bench.rename("before", "app");
    bench.append("app/a.log", "four\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three", "four"]);
}

#[test]
fn a_place_that_is_not_there_yet_is_followed_when_it_is() {
    let mut bench = Bench::new(&[]);
    let later = bench.dir.path().join("later/deep");
    let mut options = bench.options();
    options.inputs[0].paths.push(later.join("*.log"));
    bench.start_with(options);
    bench.run(1_500);
    fs::create_dir_all(&later).unwrap();
    fs::write(later.join("a.log"), "one\n").unwrap();
    bench.run(1_500);
    bench.check(&["one"]);
}

#[test]
fn five_hundred_equal_headers_and_five_hundred_tiny_files_are_all_told_apart() {
    let header = "#".repeat(4096);
    let mut bench = Bench::new(&[]);
    let mut expected = Vec::new();
    for i in 0..500 {
        bench.append(&format!("same-{i}x.log"), &format!("{header}\n{i}\n"));
        expected.extend([header.clone(), i.to_string()]);
        // One to twenty bytes, every other without a line end, many of them alike.
        let tiny = "x".repeat(1 + i % 20);
        let end = if i % 2 == 0 && tiny.len() < 20 { "\n" } else { "" };
        bench.append(&format!("tiny-{i}x.log"), &format!("{tiny}{end}"));
        bench.append(&format!("empty-{i}x.log"), "");
        expected.push(tiny);
    }
    bench.run(20_000);
    bench.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_moved_back_is_read_on_and_only_other_content_is_read_from_the_start() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(1_500);
    bench.rename("a.log", "a.log.1");
    bench.append("a.log", "two\n");
    bench.run(1_500);
    // Back over the one that took its place.
    bench.rename("a.log.1", "a.log");
    bench.append("a.log", "three\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three"]);
    // The same inode with the same beginning, shorter, longer, and of the same length.
    for (text, expected) in [("one\n", "one"), ("one longer\n", "one longer"), ("one langer\n", "one langer")] {
        bench.events.clear();
        fs::write(bench.path("a.log"), text).unwrap();
        bench.run(1_050);
        bench.check(&[expected]);
    }
}
