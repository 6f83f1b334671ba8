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
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone() {
        let check = |function, text, expected: Option<&str>| {
            assert_eq!(scalar(function, text).map(|value| value.to_string()).as_deref(), expected, "{text}");
        };
        check(Function::UrlDecode, "a%20b%2Fc%", Some("a b/c%"));
        check(Function::UrlDecode, "%C3%A9%zz", Some("é%zz"));
        check(Function::Base64Decode, "aGFsbG8=", Some("hallo"));
        check(Function::Base64Decode, "aGFsbG8", Some("hallo"));
        check(Function::Base64Decode, "!", None);
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        let check = |function, expected: &str| assert_eq!(scalar(function, "abc"), Some(Value::text(expected)));
        check(Function::Md5, "900150983cd24fb0d6963f7d28e17f72");
        check(Function::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
