//! The manual's table of programs is made from the files of `formats/`: `PROGRAMS=write cargo test -p parse --test programs`
//! writes it.

use std::fmt::Write as _;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/programs.md");

/// Behind this line the page is made.
const MARK: &str = "<!-- made from formats/: PROGRAMS=write cargo test -p parse --test programs -->\n";

fn table() -> String {
    let mut table = String::from("\n| format | program | versions seen | fields |\n|---|---|---|---|\n");
    for format in parse::Formats::built_in().all() {
        let fields: Vec<String> = format.fields.iter().map(|field| format!("`{field}`")).collect();
        let row =
            [&*format.name, &format.title, &format.versions, &fields.join(" ")].map(|cell| cell.replace('|', "\\|"));
        writeln!(table, "| {} |", row.join(" | ")).expect("a string takes any text");
    }
    table
}

#[test]
fn the_manual_lists_every_format() {
    let page = std::fs::read_to_string(PATH).expect("the page");
    let (head, made) = page.split_once(MARK).expect("the page says where the table begins");
    if std::env::var_os("PROGRAMS").is_some_and(|mode| mode == "write") {
        std::fs::write(PATH, format!("{head}{MARK}{}", table())).expect("the page is written");
        return;
    }
    assert_eq!(made, table());
}
