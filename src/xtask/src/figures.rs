//! Figures for people.

use std::time::Duration;

/// How long each of many things took.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of them (0 to 1) did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// `p50 1.2 ms  p99 3.4 ms  max 5.6 ms`
    pub fn summary(&self) -> String {
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| milliseconds(self.quantile(share)));
        format!("p50 {half:>6} ms  p99 {most:>6} ms  max {all:>6} ms")
    }
}

impl Extend<Times> for Times {
    fn extend<I: IntoIterator<Item = Times>>(&mut self, others: I) {
        self.0.extend(others.into_iter().flat_map(|times| times.0));
    }
}

/// `0.34`, `12.3`, `250`
pub fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    match ms {
        ..10.0 => format!("{ms:.2}"),
        10.0..100.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// `12,345`
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `12,345` per second
pub fn rate(count: usize, time: Duration) -> String {
    grouped((count as f64 / time.as_secs_f64()).round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_happened() {
        let mut times = Times::default();
        assert_eq!(times.quantile(0.5), Duration::ZERO);
        (1..=100).for_each(|ms| times.add(Duration::from_millis(ms)));
        assert_eq!([0.5, 0.99, 1.0].map(|share| times.quantile(share).as_millis()), [50, 99, 100]);
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(["1", "999", "1,000", "1,234,567"], [1, 999, 1000, 1_234_567].map(grouped).each_ref().map(|n| &**n));
        assert_eq!(["0.34", "12.3", "250"], [340, 12_340, 250_400].map(|us| milliseconds(Duration::from_micros(us))));
    }
}
