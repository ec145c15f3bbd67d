//! A letter as it is sent: plain text, and HTML that says the same. The HTML loads nothing from anywhere, and leaves the
//! colours of text and page to the reader's own program, dark or light.

use super::Letter;

/// What the one button says.
pub const BUTTON: &str = "Open send0";
/// The last line of every mail.
pub const FOOT: &str = "Sent by the send0 console.";

impl Letter {
    /// The text part.
    pub fn as_text(&self) -> String {
        let parts = [Some(self.text.trim_end()), self.link.as_deref(), Some(FOOT)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n") + "\n"
    }

    /// The HTML part.
    pub fn as_html(&self) -> String {
        let subject = escaped(&self.subject);
        let paragraphs: String =
            self.paragraphs().map(|lines| format!("<p>{}</p>\n", escaped(lines).replace('\n', "<br>\n"))).collect();
        let button = self.link.as_deref().map(button).unwrap_or_default();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{subject}</title>\n</head>\n\
             <body style=\"font-family: ui-sans-serif, system-ui, sans-serif; font-size: 16px; line-height: 1.5\">\n\
             <div style=\"max-width: 560px; margin: 0 auto; padding: 16px\">\n\
             <h1 style=\"font-size: 20px; font-weight: 600\">{subject}</h1>\n\
             {paragraphs}{button}\
             <p style=\"font-size: 13px\">{}</p>\n</div>\n</body>\n</html>\n",
            escaped(FOOT)
        )
    }

    /// The text in its paragraphs.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.text.split("\n\n").map(str::trim).filter(|lines| !lines.is_empty())
    }
}

/// A button, and the address in full: whoever does not trust the one can read the other.
fn button(link: &str) -> String {
    let link = escaped(link);
    format!(
        "<p><a href=\"{link}\" style=\"display: inline-block; padding: 8px 16px; border-radius: 6px; background: #3f51c7; \
         color: #ffffff; text-decoration: none\">{BUTTON}</a></p>\n\
         <p style=\"font-size: 13px; overflow-wrap: anywhere\">{link}</p>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, link: Option<&str>) -> Letter {
        Letter { to: "ana@example.com".into(), subject: text.into(), text: text.into(), link: link.map(Into::into) }
    }

    #[test]
    fn what_people_typed_stays_text() {
        let evil = "</title><script>alert(1)</script><img src=x onerror='alert(1)'> \" & done";
        let html = letter(evil, Some("https://a.example/\"><script>x</script>")).as_html();
        for part in ["<script", "<img", "</title><", "'alert", "/\">"] {
            assert!(!html.contains(part), "{part} in {html}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("&quot; &amp; done"), "{html}");
        assert_eq!(html.matches("<a ").count(), 1);
    }

    #[test]
    fn nothing_is_loaded_from_anywhere() {
        let html = letter("One.\n\nTwo,\nthree.", Some("https://a.example/x")).as_html();
        for part in ["src=", "url(", "<link", "<style", "@import", "cid:"] {
            assert!(!html.contains(part), "{part}");
        }
        assert!(html.contains("<p>One.</p>") && html.contains("<p>Two,<br>\nthree.</p>"), "{html}");
        assert!(!letter("One.", None).as_html().contains("<a "));
    }

    #[test]
    fn both_parts_say_the_same() {
        let letter = letter("One.\n\nTwo.", Some("https://a.example/x?y=1&z=2"));
        let (text, html) = (letter.as_text(), letter.as_html());
        assert_eq!(text, format!("One.\n\nTwo.\n\nhttps://a.example/x?y=1&z=2\n\n{FOOT}\n"));
        for part in ["One.", "Two.", FOOT] {
            assert!(html.contains(part), "{part}");
        }
        assert_eq!(html.matches("https://a.example/x?y=1&amp;z=2").count(), 2, "the button, and the address in full");
    }
}
