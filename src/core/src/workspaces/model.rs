use crate::ids::WorkspaceId;

/// A workspace as its members see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceView {
    /// The id.
    pub id: WorkspaceId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// In which everybody there reads a deadline. Empty: UTC.
    pub time_zone: String,
}

/// The name in URLs that a name makes: lower-case letters, digits and single hyphens, 3 to 40 of them.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.chars().take(40).collect::<String>().trim_end_matches('-').to_owned();
    if slug.len() < 3 || slug == "platform" {
        format!("{slug}-workspace").trim_start_matches('-').to_owned()
    } else {
        slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_made_from_names() {
        for (name, slug) in [
            ("Acme", "acme"),
            ("Acme  GmbH & Co.", "acme-gmbh-co"),
            ("é", "workspace"),
            ("A1", "a1-workspace"),
            ("platform", "platform-workspace"),
            ("日本", "workspace"),
        ] {
            assert_eq!(slug_of(name), slug);
        }
    }

    proptest! {
        #[test]
        fn every_name_makes_a_slug(name in ".{1,64}") {
            let slug = slug_of(&name);
            prop_assert!((3..=50).contains(&slug.len()) && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{slug}");
        }
    }
}
