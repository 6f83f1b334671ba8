//! Ids of traces and spans.

use data_encoding::HEXLOWER;
use ingest::FieldWriter;

/// The id of a trace or span.
#[derive(Default)]
pub(super) struct Id<'a>(pub(super) &'a [u8]);

impl Id<'_> {
    /// Writes the id in lower-case hex; an id of zeros is absent.
    pub(super) fn write(&self, name: &str, fields: &mut FieldWriter<'_>) {
        if self.0.iter().all(|byte| *byte == 0) {
            return;
        }
        let mut room = [0; 64];
        match room.get_mut(..self.0.len() * 2) {
            Some(hex) => fields.text(name, HEXLOWER.encode_mut_str(self.0, hex)),
            None => fields.text(name, &HEXLOWER.encode(self.0)),
        }
    }

    /// Returns the bytes of an id; `None` if it is empty or zero.
    ///
    /// # Errors
    /// A description of the problem if the id has another length. `ingest::otlp_json` leaves an id that is none as it was sent.
    pub(super) fn bytes<const N: usize>(&self) -> Result<Option<[u8; N]>, String> {
        if self.0.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sent = || std::str::from_utf8(self.0).ok()?.strip_suffix(' ');
        let id = <[u8; N]>::try_from(self.0).map_err(|_| match sent() {
            Some(text) => {
                let shown: String = text.trim_end().chars().take(40).collect();
                format!("{shown:?} is not {} hexadecimal digits", 2 * N)
            }
            None => format!("has {} bytes instead of {N}", self.0.len()),
        });
        id.map(Some)
    }
}
