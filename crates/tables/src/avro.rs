//! Avro's binary encoding and object container files, as far as manifests need them.
//!
//! Source: Apache Avro 1.12, "Binary encoding" and "Object Container Files". Written here because a crate for all of Avro costs the build
//! more than these files are.

use types::codec::put_whole;

/// A container file that is being written: one block with all records.
pub(crate) struct AvroFile {
    header: Vec<u8>,
    sync: [u8; 16],
    records: Vec<u8>,
    n_records: i64,
}

impl AvroFile {
    /// Begins a file with metadata; its schema is one of the entries. `sync` separates blocks, and differs from file to file.
    pub(crate) fn new(metadata: &[(&str, String)], sync: [u8; 16]) -> Self {
        let mut header = b"Obj\x01".to_vec();
        put_long(&mut header, metadata.len() as i64);
        for (name, value) in metadata {
            put_bytes(&mut header, name.as_bytes());
            put_bytes(&mut header, value.as_bytes());
        }
        put_long(&mut header, 0);
        header.extend(sync);
        Self { header, sync, records: Vec::new(), n_records: 0 }
    }

    /// Adds a record, whose fields `write` appends.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.records);
        self.n_records += 1;
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let Self { header: mut file, sync, records, n_records } = self;
        if n_records > 0 {
            put_long(&mut file, n_records);
            put_bytes(&mut file, &records);
            file.extend(sync);
        }
        file
    }
}

/// Appends a whole number, small ones in few bytes.
pub(crate) fn put_long(out: &mut Vec<u8>, number: i64) {
    put_whole(number, out);
}

/// Appends bytes or a text.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// Appends a value that may be missing: a union with null first.
pub(crate) fn put_optional<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    put_long(out, i64::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

/// Appends an array.
pub(crate) fn put_array<T>(out: &mut Vec<u8>, items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    if !items.is_empty() {
        put_long(out, items.len() as i64);
        items.iter().for_each(|item| put(out, item));
    }
    put_long(out, 0);
}

#[cfg(test)]
mod tests;
