//! Flags that make a line slow or long, to see how the ends take it.

use std::time::Duration;

use super::flags::duration;
use crate::address;
use crate::endpoint::{Delayed, Endpoint, Lateness, Paced, Source};

/// How bytes are held back, in each session and each direction by itself.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Slow and long lines")]
pub struct ShapeArgs {
    /// Pass on no more than this a second, in each direction of each session
    #[arg(long, value_name = "SIZE/s", value_parser = rate)]
    rate: Option<u64>,
    /// Pass each piece on this much later, in both directions (at most 4 MiB are under way)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    delay: Option<Duration>,
    /// And up to this much later still, by chance; the order is kept
    #[arg(long, value_name = "TIME", value_parser = duration)]
    jitter: Option<Duration>,
}

/// Reads `1MiB/s` or `1MiB`; never 0.
fn rate(text: &str) -> Result<u64, String> {
    match address::size(text.strip_suffix("/s").unwrap_or(text))? {
        0 => Err("a rate of 0 would never end".to_owned()),
        rate => Ok(rate),
    }
}

impl ShapeArgs {
    /// Bytes a second, where that was asked for.
    pub fn rate(self) -> Option<u64> {
        self.rate
    }

    /// How late each piece is, where that was asked for.
    pub fn lateness(self) -> Option<Lateness> {
        let is_asked = self.delay.is_some() || self.jitter.is_some();
        let (delay, jitter) = (self.delay.unwrap_or_default(), self.jitter.unwrap_or_default());
        is_asked.then_some(Lateness { delay, jitter })
    }

    /// Holds back what both ends say, as far as that was asked for.
    pub fn apply(self, (mut left, mut right): (Endpoint, Endpoint)) -> (Endpoint, Endpoint) {
        left.source = self.around(left.source);
        right.source = self.around(right.source);
        (left, right)
    }

    fn around(self, source: Source) -> Source {
        let source = match self.rate {
            Some(rate) => Paced::around(source, rate),
            None => source,
        };
        match self.lateness() {
            Some(lateness) => Delayed::around(source, lateness),
            None => source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_sizes_with_or_without_per_second() {
        assert_eq!(rate("1MiB/s"), Ok(1 << 20));
        assert_eq!(rate("2kB"), Ok(2000));
        for bad in ["0", "0/s", "/s", "1MiB/m", "fast"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
