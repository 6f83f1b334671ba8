//! Bodies as they are sent to bodies as they are meant, never more than a limit allows.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::IngestError;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

/// Largest window of a Zstandard frame, as a power of two: 64 MiB. Every level of `zstd` without `--ultra` and
/// `--long` stays below it; the decoder allocates it at once.
const ZSTD_WINDOW_LOG_MAX: u32 = 26;

/// Decompresses `body` into at most `bytes_max` bytes, and allocates no more than that.
pub fn decode(body: &[u8], encoding: Encoding, bytes_max: usize) -> Result<Cow<'_, [u8]>, IngestError> {
    match encoding {
        Encoding::Identity if body.len() > bytes_max => Err(IngestError::TooLarge { bytes_max }),
        Encoding::Identity => Ok(Cow::Borrowed(body)),
        Encoding::Gzip => read_bounded(MultiGzDecoder::new(body), body.len(), bytes_max, "gzip").map(Cow::Owned),
        Encoding::Zstd => {
            let problem = |error: std::io::Error| bad("zstd", &error);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(problem)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(problem)?;
            read_bounded(decoder, body.len(), bytes_max, "zstd").map(Cow::Owned)
        }
    }
}

fn bad(encoding: &'static str, error: &std::io::Error) -> IngestError {
    IngestError::BadEncoding { encoding, problem: error.to_string() }
}

/// Reads all of `reader`; buffers grow by doubling, but never beyond one byte over the limit.
fn read_bounded(
    mut reader: impl Read,
    compressed_bytes: usize,
    bytes_max: usize,
    encoding: &'static str,
) -> Result<Vec<u8>, IngestError> {
    let capacity_max = bytes_max.saturating_add(1);
    // Logs shrink to a tenth or so.
    let mut decoded = Vec::with_capacity(compressed_bytes.saturating_mul(8).max(4096).min(capacity_max));
    loop {
        let room = capacity_max.min(decoded.capacity()) - decoded.len();
        let n_read =
            reader.by_ref().take(room as u64).read_to_end(&mut decoded).map_err(|error| bad(encoding, &error))?;
        if decoded.len() > bytes_max {
            return Err(IngestError::TooLarge { bytes_max });
        }
        if n_read < room {
            return Ok(decoded);
        }
        let grow = decoded.len().min(capacity_max - decoded.len());
        decoded.reserve_exact(grow);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn several_members_and_frames_are_one_body() {
        let members = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(decode(&members, Encoding::Gzip, 100), Ok(b"one\ntwo\n".into()));
        let frame = |text: &[u8]| zstd::stream::encode_all(text, 1).unwrap();
        let frames = [frame(b"one\n"), frame(b"two\n")].concat();
        assert_eq!(decode(&frames, Encoding::Zstd, 100), Ok(b"one\ntwo\n".into()));
    }

    #[test]
    fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        let zeros = vec![0; 10_000];
        for (encoding, body) in [
            (Encoding::Identity, zeros.clone()),
            (Encoding::Gzip, gzip(&zeros)),
            (Encoding::Zstd, zstd::stream::encode_all(zeros.as_slice(), 1).unwrap()),
        ] {
            assert_eq!(decode(&body, encoding, 10_000), Ok(Cow::Borrowed(zeros.as_slice())));
            assert_eq!(decode(&body, encoding, 9_999), Err(IngestError::TooLarge { bytes_max: 9_999 }));
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let mut bomb = gzip(&vec![0; 4 << 20]);
        for _ in 0..4 {
            bomb = [bomb.clone(), bomb].concat();
        }
        assert_eq!(decode(&bomb, Encoding::Gzip, 1 << 20), Err(IngestError::TooLarge { bytes_max: 1 << 20 }));
    }

    #[test]
    fn damaged_and_cut_bodies_are_refused() {
        let body = gzip(b"some text that is long enough to be cut");
        for broken in [body[..body.len() - 9].to_vec(), b"no gzip".to_vec()] {
            assert!(matches!(
                decode(&broken, Encoding::Gzip, 100),
                Err(IngestError::BadEncoding { encoding: "gzip", .. })
            ));
        }
        let body = zstd::stream::encode_all(&b"some text"[..], 1).unwrap();
        for broken in [body[..body.len() - 3].to_vec(), b"no zstd at all".to_vec()] {
            assert!(matches!(
                decode(&broken, Encoding::Zstd, 100),
                Err(IngestError::BadEncoding { encoding: "zstd", .. })
            ));
        }
    }
}
