//! A record in memory: a key and a payload, next to each other in a buffer of many.

/// Where a record is in the buffer. The first bytes of its key decide most comparisons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) prefix: u64,
    pub(crate) at: u32,
    pub(crate) n_key: u32,
    pub(crate) n_payload: u32,
}

impl Record {
    /// Returns the record's key.
    pub(crate) fn key<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        &buffer[self.at as usize..][..self.n_key as usize]
    }

    /// Returns the record's payload.
    pub(crate) fn payload<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        &buffer[self.at as usize + self.n_key as usize..][..self.n_payload as usize]
    }
}

/// Returns the first eight bytes of a key, such that what orders them orders the keys, unless they are equal.
pub(crate) fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let n = key.len().min(8);
    bytes[..n].copy_from_slice(&key[..n]);
    u64::from_be_bytes(bytes)
}
