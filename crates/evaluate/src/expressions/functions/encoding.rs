//! Decodings and digests of texts.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use percent_encoding::percent_decode_str;
use sha2::Digest;
use types::Value;

use plan::Function;

/// Returns the value of a function of one text.
pub(super) fn scalar(function: Function, text: &str) -> Option<Value> {
    Some(match function {
        // A `%` without two digits after it stays.
        Function::UrlDecode => Value::text(percent_decode_str(text).decode_utf8_lossy().into_owned()),
        Function::Base64Decode => {
            let bytes = BASE64.decode(text.as_bytes()).or_else(|_| BASE64_NOPAD.decode(text.as_bytes())).ok()?;
            Value::text(String::from_utf8_lossy(&bytes).into_owned())
        }
        Function::Md5 => Value::text(HEXLOWER.encode(&md5::Md5::digest(text.as_bytes()))),
        Function::Sha256 => Value::text(HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
