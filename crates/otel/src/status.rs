//! `google.rpc.Status`, in which OTLP and gRPC report errors, and the parts of protobuf needed to write it.

use door::problem::Problem;

/// Returns the `google.rpc.Code` of a problem, which is also the status of gRPC.
pub(crate) fn code_of(problem: &Problem) -> u8 {
    match problem.status.as_u16() {
        401 => 16,
        403 => 7,
        404 | 405 => 12,
        409 => 6,
        408 => 4,
        429 => 8,
        503 | 507 => 14,
        400..500 => 3,
        _ => 13,
    }
}

/// Writes `google.rpc.Status { code = 1, message = 2 }`.
pub(crate) fn status_message(code: u8, message: &str) -> Vec<u8> {
    let mut body = vec![1 << 3, code];
    write_text(2, message.as_bytes(), &mut body);
    body
}

/// Writes a text or a message as a field.
pub(crate) fn write_text(number: u8, text: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    write_varint(text.len() as u64, out);
    out.extend_from_slice(text);
}

/// Writes a varint.
pub(crate) fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
