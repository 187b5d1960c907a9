//! How long one try to connect may take (`connect-timeout`), the same for every family.

use std::time::Duration;

use crate::address::{Key, Options};
use crate::error::Failure;
use crate::event_loop::timeout;

/// When nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The limit asked for, or ours.
pub fn limit(options: &Options) -> Duration {
    options.time(Key::ConnectTimeout).unwrap_or(CONNECT_TIMEOUT)
}

/// Runs one try to reach `name` within `limit`; status 124 when it takes longer.
pub async fn within<T>(
    limit: Duration,
    name: &str,
    attempt: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(limit, attempt).await.unwrap_or_else(|_| Err(late(name, limit)))
}

/// The failure of a try that took too long.
pub fn late(name: &str, limit: Duration) -> Failure {
    Failure::timeout(
        format!("cannot connect to {name}"),
        format!("no answer within {limit:?} (--connect-timeout)"),
    )
}
