//! The column of a variable.

use super::*;
use crate::template::{Granularity, Parts, TemplateText, split};

#[test]
fn what_stands_before_a_variable_decides_its_column() {
    let mut slots = Slots::new(2);
    for message in ["sshd[12]: from 10.0.0.1 port 7", "sshd[13]: closed port 9", "user u1 port 10.0.0.2"] {
        let mut parts = Parts::default();
        assert!(split(message, 0, Granularity::Fine, &mut parts));
        slots.add(TemplateText::of(&[parts.template]).template(0).expect("just added"));
    }
    assert_eq!(slots.of_template(1), [0, 1, 2]);
    assert_eq!(slots.of_template(2), [0, 3]);
    assert_eq!(slots.of_template(3), [4, 5]);
    assert!(slots.of_template(0).is_empty());
}
