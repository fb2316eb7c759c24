//! Finding people and institutions by name, reading, number: one fold for what is typed and what is stored.

use unicode_normalization::UnicodeNormalization as _;

/// Old and variant forms of characters that stand in names, and the form they are looked up under.
const VARIANTS: &[(char, char)] = &[
    ('髙', '高'),
    ('﨑', '崎'),
    ('嵜', '崎'),
    ('𠮷', '吉'),
    ('邊', '辺'),
    ('邉', '辺'),
    ('澤', '沢'),
    ('齋', '斎'),
    ('齊', '斎'),
    ('斉', '斎'),
    ('濵', '浜'),
    ('濱', '浜'),
    ('廣', '広'),
    ('眞', '真'),
    ('國', '国'),
    ('櫻', '桜'),
    ('惠', '恵'),
    ('嶋', '島'),
    ('嶌', '島'),
    ('德', '徳'),
    ('榮', '栄'),
    ('壽', '寿'),
];

/// A text as it is compared: NFKC (half-width katakana and full-width digits become the usual ones), small
/// letters, katakana as hiragana, variant characters of names as the usual one, and nothing but letters and
/// digits.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .map(|c| {
            let code = u32::from(c);
            // Katakana small a (U+30A1) to small ke (U+30F6) stand 0x60 above their hiragana.
            let kana = (0x30A1..=0x30F6).contains(&code).then(|| char::from_u32(code - 0x60)).flatten();
            let c = kana.unwrap_or(c);
            VARIANTS.iter().find(|(variant, _)| *variant == c).map_or(c, |(_, usual)| *usual)
        })
        .collect()
}

/// What somebody looks for: each of its words must stand somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<String>);

impl Query {
    /// Reads what was typed; words are parted by spaces of any width.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        Self(typed.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every word stands in one of the texts.
    #[must_use]
    pub fn finds(&self, texts: &[&str]) -> bool {
        let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
        self.0.iter().all(|word| folded.iter().any(|text| text.contains(word.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_found_however_its_kana_are_typed() {
        for typed in ["さとう", "サトウ", "ｻﾄｳ", "さとう けん", "サトウ　ケン", "とうけん"]
        {
            assert!(Query::new(typed).finds(&["佐藤 健", "さとう けん"]), "{typed}");
        }
        assert!(Query::new("ｶﾞ").finds(&["ガ行"]));
        assert!(Query::new("ヴ").finds(&["ゔ"]));
        assert!(!Query::new("かとう").finds(&["佐藤 健", "さとう けん"]));
    }

    #[test]
    fn variants_of_a_name_and_widths_of_a_number_are_one() {
        assert!(Query::new("渡辺").finds(&["渡邊 幸子"]) && Query::new("渡邉").finds(&["渡辺 幸子"]));
        assert!(Query::new("高崎").finds(&["髙﨑"]));
        assert!(Query::new("Ａ-０１２").finds(&["a012"]) && Query::new("a012").finds(&["A-012"]));
    }

    #[test]
    fn every_word_must_stand_somewhere_and_nothing_typed_finds_everybody() {
        assert!(Query::new("佐藤 青葉").finds(&["佐藤 健", "青葉クリニック"]));
        assert!(!Query::new("佐藤 緑町").finds(&["佐藤 健", "青葉クリニック"]));
        for typed in ["", "  ", "・", "%"] {
            assert!(Query::new(typed).is_empty() && Query::new(typed).finds(&["佐藤"]), "{typed}");
        }
    }
}
