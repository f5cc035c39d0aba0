//! Request heads that hyper cannot parse. It answers them itself, with a status and no
//! body; this adds the body that every other error has.

use axum::http::StatusCode;

use crate::http::unread_head;

/// Returns hyper's own response to a head that it cannot parse, with a problem document
/// as its body; `None` for any other response, as all of ours have a body.
pub(super) fn with_problem(answer: &[u8]) -> Option<Vec<u8>> {
    const EMPTY: &str = "\r\ncontent-length: 0\r\n";
    let status = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    let status = StatusCode::from_bytes(status).ok()?;
    if !status.is_client_error() {
        return None;
    }
    let head = std::str::from_utf8(answer).ok()?;
    if !head.contains(EMPTY) || head.find("\r\n\r\n") != head.len().checked_sub(4) {
        return None;
    }
    let problem = unread_head(status);
    let length = problem.len();
    let fields =
        format!("\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\n");
    Some([head.replace(EMPTY, &fields).into_bytes(), problem].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_without_a_body_are_completed() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
                     content-length: 0\r\ndate: today\r\n\r\n";
        let whole = String::from_utf8(with_problem(bare).unwrap()).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 ") && head.contains("connection: close"));
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 431);
        for other in [
            &b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 30\r\n\r\n",
            b"\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.",
            b"",
        ] {
            assert_eq!(with_problem(other), None);
        }
    }
}
