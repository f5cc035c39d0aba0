//! Request heads that hyper cannot parse. It answers them itself, with a status and no
//! body; this adds the body that the server's other errors have.

use axum::http::StatusCode;

/// The media type and the body for a status.
pub(super) type Unread = fn(StatusCode) -> (&'static str, Vec<u8>);

/// Returns hyper's own response to a head that it cannot parse, with a body;
/// `None` for any other response, as all of ours have one.
pub(super) fn with_body(answer: &[u8], unread: Unread) -> Option<Vec<u8>> {
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
    let (media_type, body) = unread(status);
    let length = body.len();
    let fields = format!("\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n");
    Some([head.replace(EMPTY, &fields).into_bytes(), body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: StatusCode) -> (&'static str, Vec<u8>) {
        ("text/plain", status.as_str().into())
    }

    #[test]
    fn only_refusals_without_a_body_are_completed() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
                     content-length: 0\r\ndate: today\r\n\r\n";
        let whole = String::from_utf8(with_body(bare, told).unwrap()).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 ") && head.contains("connection: close"));
        assert!(head.contains("\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n"));
        assert_eq!(body, "431");
        for other in [
            &b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 30\r\n\r\n",
            b"\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.",
            b"",
        ] {
            assert_eq!(with_body(other, told), None);
        }
    }
}
