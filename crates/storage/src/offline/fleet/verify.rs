//! Checks every segment and object that the catalog of a fleet lists.

use std::path::Path;

use database::url::DatabaseUrl;

use super::super::verify::{Files, VerifyReport};
use super::Visit;
use crate::{ObjectStoreOptions, OpenError};

/// Checks every checksum of what the catalog of a fleet lists, and the catalog against it. Nodes may run meanwhile.
/// Objects of events that are in no segment yet are counted as files of the log.
pub fn verify_fleet(url: &DatabaseUrl, bucket: &ObjectStoreOptions) -> Result<VerifyReport, OpenError> {
    let visit = Visit::begin(url, bucket, "verify")?;
    let files = Files { dir: Path::new(""), store: visit.store, objects: Some(visit.objects.clone()) };
    let mut report = VerifyReport::default();
    for row in &visit.contents.contents.segments {
        let damage = files.check(&row.clone().into(), &mut report).err();
        report.damaged.extend(damage);
    }
    for row in &visit.contents.objects {
        match visit.read_object(row) {
            Ok(records) => {
                report.wal_files += 1;
                report.wal_records += records.len() as u64;
                report.bytes_checked += row.n_bytes;
            }
            Err(damage) => report.damaged.push(damage),
        }
    }
    if visit.is_lost() {
        let note = "the fleet's database did not answer for long: what is missing may have been removed meanwhile";
        report.notes.push(format!("{note}; verify again"));
    }
    Ok(report)
}
