//! Targets of calls.

use super::*;

#[test]
fn targets_have_the_best_name_and_the_kind_of_their_system() {
    let check = |texts: [&str; 4], expected: Option<(TargetKind, &str)>| {
        let of_target = |index: usize| texts[index];
        let missing = |n| (0..n).map(|_| Arc::new(Column::Missing { n_rows: 1 }));
        let mut columns: Vec<Arc<Column>> = missing(OWN.len()).collect();
        for (index, names) in TARGETS.iter().enumerate() {
            // The last name of a kind is found as the first one is.
            columns.extend(missing(names.len() - 1));
            let value = (!of_target(index).is_empty()).then(|| Value::text(of_target(index)));
            columns.push(Arc::new(Column::of_values(vec![value])));
        }
        let found = BlockSpans::of(&columns).target(0).map(|target| (target.kind, target.name.to_string()));
        assert_eq!(found, expected.map(|(kind, name)| (kind, name.to_owned())));
    };
    check(["postgresql", "", "", "db-1"], Some((TargetKind::Database, "postgresql")));
    check(["postgresql", "", "orders-db", "db-1"], Some((TargetKind::Database, "orders-db")));
    check(["", "kafka", "", "k"], Some((TargetKind::Queue, "kafka")));
    check(["", "", "", "api.example.com"], Some((TargetKind::External, "api.example.com")));
    check(["", "", "", ""], None);
}
