//! `google.rpc.Status`, in which OTLP and gRPC report errors.

use door::Problem;
use ingest::protobuf::put_bytes;

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
    put_bytes(2, message.as_bytes(), &mut body);
    body
}
