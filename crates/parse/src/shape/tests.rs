//! Readers on what is cut, twisted and hostile. What they find in whole lines is told by `tests/shapes.txt`.

use proptest::prelude::*;
use types::Level;

use super::*;

fn table() -> Vec<String> {
    let table = include_str!("../../tests/shapes.txt");
    let is_line = |line: &&str| !line.is_empty() && !line.starts_with("# ") && !line.starts_with("    ");
    table.lines().filter(is_line).map(|line| line.replace("\\n", "\n").replace("\\t", "\t")).collect()
}

/// Everything that a line says, and that it stands in the line.
fn said(shape: Option<Shape>, parts: &Parts, line: &str) -> String {
    let mut said = format!("{shape:?} {:?}", parts.level());
    parts.each(line, |name, below, value| {
        if let PartValue::Text(std::borrow::Cow::Borrowed(text)) = &value {
            assert!(
                line.contains(text) || matches!(name, "facility" | "severity" | "@type"),
                "{name}={text} of {line}"
            );
        }
        said.push_str(&format!(" {name}/{below:?}={value:?}"));
    });
    said
}

fn read_all(line: &str) {
    let mut parts = Parts::default();
    for shape in Shape::ALL {
        let fits = shape.read(line, &mut parts);
        assert!(fits || parts.is_empty(), "{shape:?} of {line}");
        said(Some(shape), &parts, line);
    }
    let shape = Shape::recognise(line, &mut parts);
    assert!(shape.is_some() || parts.is_empty(), "{line}");
    said(shape, &parts, line);
}

#[test]
fn lines_cut_anywhere_are_read_or_are_none() {
    for line in table() {
        for (end, _) in line.char_indices() {
            read_all(&line[..end]);
        }
    }
}

#[test]
fn what_a_line_says_does_not_depend_on_lines_before_it() {
    let mut kept = Parts::default();
    for line in table() {
        let mut fresh = Parts::default();
        let alone = Shape::recognise(&line, &mut fresh);
        let behind = Shape::recognise(&line, &mut kept);
        assert_eq!(said(alone, &fresh, &line), said(behind, &kept, &line));
    }
}

#[test]
fn every_shape_has_a_name_of_its_own_and_a_line_in_the_table() {
    let mut parts = Parts::default();
    let found: Vec<Shape> = table().iter().filter_map(|line| Shape::recognise(line, &mut parts)).collect();
    for shape in Shape::ALL {
        assert_eq!(Shape::of_name(shape.name()), Some(shape));
        // A line of W3C's has a shape only behind one that names its columns.
        assert!(found.contains(&shape) || shape == Shape::W3c, "{shape:?}");
    }
    assert_eq!(Shape::of_name("common"), Some(Shape::CommonLog));
    assert_eq!(Shape::of_name("nothing"), None);
}

#[test]
fn lines_of_a_hundred_kilobytes_are_read_to_their_end_once() {
    // Were a reader to begin again at each of these pieces, this would take minutes.
    let pieces =
        ["a=\"", "a=b ", "[", "[a ", "] \"", "\\\"", " - ", "<1>", "é", "1:", "x.y: ", ", client: ", "}: ", "{"];
    let heads = [
        "",
        "<34>1 - - - - - [a ",
        "<34>1 - - - - - ",
        "Nov 20 06:47:13 h a: ",
        "h - - [t] \"",
        "192.0.2.1 - ",
        "2026-11-20T06:47:13Z ",
        "2026-11-20 06:47:13 [",
        "2026/11/20 06:47:13 [error] 7#8: x, client: ",
        "REPORT RequestId: a\t",
        "level=info msg=\"",
        "2 1 ",
    ];
    for head in heads {
        for piece in pieces {
            read_all(&format!("{head}{}", piece.repeat(100_000 / piece.len())));
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(
        which in 0usize..1_000,
        at in 0usize..400,
        length in 0usize..6,
        put in r#"[ <>\[\]":=\\{}\n\t0-9a-zA-Zé|#,./-]{0,12}"#,
    ) {
        let lines = table();
        let line = &lines[which % lines.len()];
        let from = line.floor_char_boundary(at.min(line.len()));
        let to = line.ceil_char_boundary((from + length).min(line.len()));
        read_all(&format!("{}{put}{}", &line[..from], &line[to..]));
    }
}

#[test]
fn columns_are_those_that_a_header_names() {
    let header = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tmethod\turi\tstatus_code\tuser_agent";
    let columns = LineColumns::after(None, header).expect("a header");
    let line = "1795157233.123456\tCX7\t192.0.2.7\t1923\tGET\t/carts\t503\tMozilla/5.0 (X11)";
    let mut parts = Parts::default();
    let shape =
        Shape::read_columns(&columns, &mut parts.of(line, &crate::time::TimeMemo::default(), &parts::NoPrograms));
    assert_eq!(
        (shape, parts.level(), parts.time(line)),
        (Some(Shape::W3c), Some(Level::Error), Some("1795157233.123456"))
    );
    let said = said(shape, &parts, line);
    let wanted = [r#"client/None=Text("192.0.2.7")"#, "clientPort/None=Integer(1923)", r#"path/None=Text("/carts")"#];
    assert!(wanted.iter().all(|wanted| said.contains(wanted)), "{said}");
}
