//! Reading from test runners how many tests passed and failed.

/// What a step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Checks or tests that passed.
    pub passed: usize,
    /// Checks or tests that failed.
    pub failed: usize,
    /// What the summary should say besides.
    pub note: String,
}

impl Count {
    /// One check.
    pub fn one(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed), note: String::new() }
    }

    /// A runner that failed without naming a test (it did not compile, say) failed once.
    pub fn unless(mut self, succeeded: bool) -> Self {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// From nextest's `Summary [ 1.2s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
pub fn nextest(written: &str) -> Count {
    let Some((_, summary)) = written.lines().rev().find_map(|line| line.split_once("Summary [")) else {
        return Count::default();
    };
    let run = number_before(summary, " tests run:").or(number_before(summary, " test run:"));
    let passed = number_before(summary, " passed").unwrap_or(0);
    Count { passed, failed: run.unwrap_or(0).saturating_sub(passed), note: String::new() }
}

/// From each `test result: ok. 3 passed; 0 failed; …` of `cargo test`.
pub fn cargo_test(written: &str) -> Count {
    let results = written.lines().filter(|line| line.starts_with("test result:"));
    results.fold(Count::default(), |sum, line| Count {
        passed: sum.passed + number_before(line, " passed").unwrap_or(0),
        failed: sum.failed + number_before(line, " failed").unwrap_or(0),
        note: sum.note,
    })
}

/// From the `stats` at the end of Playwright's JSON report. A flaky test is a failed one.
pub fn playwright(report: &str) -> Count {
    let stats = report.rfind("\"stats\"").map_or("", |at| &report[at..]);
    let stat = |name: &str| number_after(stats, &format!("\"{name}\":")).unwrap_or(0);
    Count {
        passed: stat("expected"),
        failed: stat("unexpected") + stat("flaky"),
        note: match (stat("flaky"), stat("skipped")) {
            (0, 0) => String::new(),
            (flaky, skipped) => format!("{flaky} flaky, {skipped} skipped"),
        },
    }
}

fn number_before(text: &str, mark: &str) -> Option<usize> {
    let before = &text[..text.find(mark)?];
    let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    before[start..].parse().ok()
}

fn number_after(text: &str, mark: &str) -> Option<usize> {
    let after = text[text.find(mark)? + mark.len()..].trim_start();
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Count, cargo_test, nextest, playwright};

    fn counted(passed: usize, failed: usize) -> Count {
        Count { passed, failed, note: String::new() }
    }

    #[test]
    fn nextest_counts_every_way_to_fail() {
        let line = "x\n  Summary [  1.2s] 12 tests run: 9 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 3 skipped\n";
        assert_eq!(nextest(line), counted(9, 3));
        assert_eq!(nextest("Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"), counted(1, 0));
    }

    #[test]
    fn a_runner_that_broke_counts_as_one_failure() {
        assert_eq!(nextest("error: could not compile").unless(false), counted(0, 1));
        assert_eq!(counted(3, 2).unless(false), counted(3, 2));
    }

    #[test]
    fn doc_tests_of_all_crates_add_up() {
        let line = "test result: ok. 3 passed; 0 failed; 0 ignored\ntest result: FAILED. 1 passed; 2 failed; 0 ignored";
        assert_eq!(cargo_test(line), counted(4, 2));
    }

    #[test]
    fn playwright_reports_flaky_tests_as_failed() {
        let report = r#"{"suites":[], "stats": {"expected": 7, "skipped": 0, "unexpected": 1, "flaky": 1}}"#;
        assert_eq!(playwright(report).passed, 7);
        assert_eq!(playwright(report).failed, 2);
    }
}
