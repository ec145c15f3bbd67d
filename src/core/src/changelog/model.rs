use time::{Date, OffsetDateTime, macros::format_description};

const TEXT: &str = include_str!("../../../../CHANGELOG.md");

/// What changed on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The day.
    pub day: Date,
    /// One thing each. What stands between backticks is code.
    pub changes: Vec<String>,
}

impl Changes {
    /// How links and feeds name it: `2026-11-24`.
    pub fn id(&self) -> String {
        self.day.to_string()
    }

    /// Its midnight, UTC.
    pub fn at(&self) -> OffsetDateTime {
        self.day.midnight().assume_utc()
    }
}

/// Every day on which something changed, the newest first.
pub fn changelog() -> Vec<Changes> {
    parse(TEXT)
}

fn parse(text: &str) -> Vec<Changes> {
    let mut all: Vec<Changes> = vec![];
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let day = Date::parse(title, format_description!("[year]-[month]-[day]"));
            all.extend(day.map(|day| Changes { day, changes: vec![] }));
            continue;
        }
        let Some(changes) = all.last_mut().map(|last| &mut last.changes) else { continue };
        match (line.strip_prefix("- "), line.strip_prefix("  "), changes.last_mut()) {
            (Some(change), ..) => changes.push(change.trim().to_owned()),
            (None, Some(more), Some(last)) => {
                last.push(' ');
                last.push_str(more.trim());
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod model_tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_day_has_its_changes_whole() {
        let all = parse(
            "# Changelog\n\n## 2026-11-25\n\n- One thing,\n  on two lines.\n- `Another`.\n\n## 2026-11-24\n\nWords.\n\n- First.\n",
        );
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[0].day, &all[0].changes[..]),
            (date!(2026 - 11 - 25), &["One thing, on two lines.".to_owned(), "`Another`.".to_owned()][..])
        );
        assert_eq!(all[1].changes, ["First."]);
    }

    #[test]
    fn the_file_is_read_the_newest_day_first() {
        let all = changelog();
        assert!(!all.is_empty() && all.iter().all(|one| !one.changes.is_empty()));
        assert!(all.is_sorted_by(|one, next| one.day > next.day));
        let lines = TEXT.lines().filter(|line| line.starts_with("- ")).count();
        assert_eq!(all.iter().map(|one| one.changes.len()).sum::<usize>(), lines, "nothing is left out");
        assert!(all.iter().flat_map(|one| &one.changes).all(|change| change.matches('`').count() % 2 == 0));
    }
}
