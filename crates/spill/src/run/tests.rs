//! Damage on disk.

use super::*;
use crate::SpillSpace;

#[test]
fn a_byte_that_changed_on_disk_is_damage_and_names_its_place() {
    let dir = tempfile::tempdir().expect("scratch");
    let space = SpillSpace::open(dir.path(), 1 << 20, 0).expect("a space");
    for at in [0, 9, 30] {
        let mut writer = RunWriter::new(space.create().expect("a file")).expect("room");
        (0..2_000u32).for_each(|n| writer.push(&n.to_be_bytes(), b"payload").expect("room"));
        let run = writer.finish().expect("room");
        let mut byte = [0];
        run.file.read_at(&mut byte, at).expect("written");
        run.file.overwrite(&[!byte[0]], at);
        let mut packed = Vec::new();
        let read = RunReader::new(run).and_then(|mut reader| {
            while reader.advance(&mut packed)? {}
            Ok(())
        });
        assert!(matches!(read, Err(SpillError::Damaged { .. })), "byte {at}: {read:?}");
    }
    assert_eq!(space.bytes_used(), 0);
}
