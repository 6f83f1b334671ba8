//! Receipts that come back, and reasons with line ends.

use super::*;

#[test]
fn a_receipt_is_read_back_as_it_was_written_and_damage_is_noticed() {
    let group = GroupName::new("/aws/λ".replace('λ', "x").as_str()).expect("a valid name");
    let mut receipt = DeletionReceipt::new(3, group, Timestamp(-5));
    receipt.reason = "ticket 7".into();
    receipt.query_digest[31] = 0xfe;
    receipt.note_segment(u128::MAX, 40);
    receipt.note_segment(9, 2);
    assert_eq!(DeletionReceipt::parse(&receipt.text()), Ok(receipt.clone()));
    receipt.reclaimed = Some(Timestamp(88));
    let text = receipt.text();
    assert_eq!(DeletionReceipt::parse(&text), Ok(receipt));
    for at in 0..text.len() {
        let mut flipped = text.clone().into_bytes();
        flipped[at] ^= 1;
        let flipped = String::from_utf8(flipped).expect("ASCII stays ASCII");
        assert!(DeletionReceipt::parse(&flipped).is_err() || flipped.trim_end() == text.trim_end(), "byte {at}");
    }
    let newer = text.replace("format 1", "format 2");
    assert_eq!(DeletionReceipt::parse(&newer), Err(ReceiptError::Newer(2)));
}

#[test]
fn a_reason_cannot_forge_lines() {
    let group = GroupName::new("g").expect("a valid name");
    let mut receipt = DeletionReceipt::new(3, group, Timestamp(0));
    receipt.reason = "because\nreclaimed 5".into();
    let read = DeletionReceipt::parse(&receipt.text()).expect("it is right");
    assert_eq!((read.reason.as_str(), read.reclaimed), ("because reclaimed 5", None));
}
