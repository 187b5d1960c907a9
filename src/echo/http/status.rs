//! What belongs to a status: its words, and the fields without which an answer would break RFC 9110.

use super::request::METHODS;

/// The fields that an answer to `method` with this status needs; `length` is that of its content. Connection is not
/// among them.
pub fn fields(status: u16, method: &str, length: usize) -> String {
    match status {
        // Sections 15.3.7 and 14.4: a part that is all of it.
        206 => format!("Content-Range: bytes 0-{}/{length}\r\n", length.saturating_sub(1)),
        416 => format!("Content-Range: bytes */{length}\r\n"),
        // Section 15.4: elsewhere, and here all places are the same.
        301 | 302 | 303 | 307 | 308 => "Location: /\r\n".to_owned(),
        401 => "WWW-Authenticate: Basic realm=\"spile\"\r\n".to_owned(),
        407 => "Proxy-Authenticate: Basic realm=\"spile\"\r\n".to_owned(),
        // Section 10.2.1: none, for all are answered so.
        405 => "Allow:\r\n".to_owned(),
        // Section 15.5.22, with its example; section 7.8 has Connection name it.
        426 => "Upgrade: HTTP/3.0\r\n".to_owned(),
        // Section 9.3.7.
        200..=299 if method == "OPTIONS" => format!("Allow: {}\r\n", METHODS.join(", ")),
        _ => String::new(),
    }
}

/// The words beside a status; those without words may stand alone (RFC 9112, section 4).
pub fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == status).map_or("", |(_, words)| words)
}

/// From the registry of IANA.
const REASONS: &[(u16, &str)] = &[
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "Non-Authoritative Information"),
    (204, "No Content"),
    (205, "Reset Content"),
    (206, "Partial Content"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Content Too Large"),
    (414, "URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (418, "I'm a teapot"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Content"),
    (423, "Locked"),
    (424, "Failed Dependency"),
    (425, "Too Early"),
    (426, "Upgrade Required"),
    (428, "Precondition Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (451, "Unavailable For Legal Reasons"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
    (507, "Insufficient Storage"),
    (508, "Loop Detected"),
    (511, "Network Authentication Required"),
];
