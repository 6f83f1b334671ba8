//! Notes that come back, and damage.

use super::*;

const STORE: [u8; 16] = [3; 16];

#[test]
fn notes_are_read_as_they_were_written_and_damage_is_noticed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    assert_eq!(MaintenanceRecord::read(dir.path(), &STORE), MaintenanceFile::Nothing);
    let clock = ClockRecord { seen: -5, other: Some((i64::MAX, 7)) };
    for clock in [None, Some(clock), Some(ClockRecord { other: None, ..clock })] {
        let notes = MaintenanceRecord { clock, scrub: ScrubProgress { began: 9, done: u128::MAX } };
        notes.write(dir.path(), &STORE).expect("room");
        assert_eq!(MaintenanceRecord::read(dir.path(), &STORE), MaintenanceFile::MaintenanceRecord(notes));
    }
    assert_eq!(MaintenanceRecord::read(dir.path(), &[4; 16]), MaintenanceFile::Damaged);
    let whole = std::fs::read(path_of(dir.path())).expect("just written");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(path_of(dir.path()), &bytes).expect("writable");
        // The line break after the checksum is not covered.
        let found = MaintenanceRecord::read(dir.path(), &STORE);
        assert!(found == MaintenanceFile::Damaged || at + 1 == whole.len(), "byte {at}: {found:?}");
        std::fs::write(path_of(dir.path()), &whole[..at]).expect("writable");
        assert!(
            MaintenanceRecord::read(dir.path(), &STORE) == MaintenanceFile::Damaged || at + 1 == whole.len(),
            "cut at {at}"
        );
    }
}
