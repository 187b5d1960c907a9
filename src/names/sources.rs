//! Where a statically linked binary looks names up.

use std::ffi::{CStr, c_char, c_int};

/// What the C library has built in; all else of nsswitch.conf(5) it would load, together with a second C library, and
/// crash.
const SOURCES: [(&CStr, &CStr); 6] = [
    (c"passwd", c"files"),
    (c"group", c"files"),
    (c"initgroups", c"files"),
    (c"hosts", c"files dns"),
    (c"services", c"files"),
    (c"protocols", c"files"),
];

unsafe extern "C" {
    /// Of the GNU C library (nss.h): takes the place of a line of nsswitch.conf.
    fn __nss_configure_lookup(database: *const c_char, sources: *const c_char) -> c_int;
}

/// Keeps the lookups of this process to what is built in.
pub fn keep_to_built_in_sources() {
    for (database, sources) in SOURCES {
        // SAFETY: both are strings that end with a NUL and live for ever; no other thread runs yet.
        unsafe { __nss_configure_lookup(database.as_ptr(), sources.as_ptr()) };
    }
}
