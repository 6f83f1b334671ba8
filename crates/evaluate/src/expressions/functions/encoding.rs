//! Decodings and digests of texts.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use sha2::Digest;
use types::Value;

use plan::function::Function;

/// Returns the value of a function of one text.
pub(super) fn scalar(function: Function, text: &str) -> Option<Value> {
    Some(match function {
        Function::UrlDecode => Value::text(String::from_utf8_lossy(&percent_decode(text)).into_owned()),
        Function::Base64Decode => {
            let bytes = BASE64.decode(text.as_bytes()).or_else(|_| BASE64_NOPAD.decode(text.as_bytes())).ok()?;
            Value::text(String::from_utf8_lossy(&bytes).into_owned())
        }
        Function::Md5 => Value::text(HEXLOWER.encode(&md5::Md5::digest(text.as_bytes()))),
        Function::Sha256 => Value::text(HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()))),
        _ => return None,
    })
}

/// Undoes percent-encoding; a `%` without two digits after it stays.
fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
