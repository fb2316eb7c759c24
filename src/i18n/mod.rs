//! The languages people read touban in, and how one is chosen. The texts themselves do not live here yet.

/// A language of the screens, mails and API details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// Japanese, the language of the office.
    #[default]
    Ja,
    /// English.
    En,
}

impl Lang {
    /// The best of our languages for an `Accept-Language` value (RFC 9110 §12.5.4); Japanese when nothing
    /// in it is ours.
    #[must_use]
    pub fn from_accept_language(value: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for item in value.split(',').take(32) {
            let mut parts = item.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let lang = match tag.split('-').next() {
                Some("ja" | "*") => Self::Ja,
                Some("en") => Self::En,
                _ => continue,
            };
            let weight = parts
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(w, _)| weight > w) {
                best = Some((weight, lang));
            }
        }
        best.map_or(Self::Ja, |(_, lang)| lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_the_language_asked_for_most_and_japanese_otherwise() {
        assert_eq!(Lang::from_accept_language(""), Lang::Ja);
        assert_eq!(Lang::from_accept_language("fr-FR"), Lang::Ja);
        assert_eq!(Lang::from_accept_language("en-GB,en;q=0.9,ja;q=0.8"), Lang::En);
        assert_eq!(Lang::from_accept_language("en;q=0.3, ja;q=0.8"), Lang::Ja);
        assert_eq!(Lang::from_accept_language("en;q=0"), Lang::Ja);
    }
}
