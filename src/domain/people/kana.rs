//! How texts of the directory are compared and put in order: width, kana and long marks made equal. Which
//! texts are searched is decided elsewhere.

use unicode_normalization::UnicodeNormalization as _;

/// A text as it is compared: full and half width, hiragana and katakana, small and large kana, letters of
/// either case, a long mark and the vowel it stands for are the same; blanks and marks between words count
/// for nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        let c = large(katakana(c));
        match c {
            'ー' => folded.extend(folded.chars().last().and_then(vowel)),
            c if c.is_alphanumeric() || is_mark(c) => folded.push(c),
            _ => {}
        }
    }
    folded
}

/// Whether `text` holds what was typed, as [`fold`] sees both. Nothing typed is found everywhere.
#[must_use]
pub fn holds(text: &str, typed: &str) -> bool {
    fold(text).contains(&fold(typed))
}

/// Full-width letters and digits as narrow ones, without blanks: what a code or a number was meant to be.
#[must_use]
pub fn narrow(typed: &str) -> String {
    typed.nfkc().filter(|c| !c.is_whitespace()).collect()
}

/// The digits of a number typed with any keyboard and any marks.
#[must_use]
pub fn digits(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_digit).collect()
}

/// A key by which names stand in the order of the Japanese syllabary (after JIS X 4061): first without voiced
/// marks, then with them, then as written.
#[must_use]
pub fn sort_key(kana: &str) -> String {
    let folded = fold(kana);
    let plain: String = folded.nfd().filter(|c| !matches!(c, '\u{3099}' | '\u{309A}')).collect();
    format!("{plain}\u{1}{folded}\u{1}{kana}")
}

/// Marks that are part of names: repetition, and voiced marks that stand alone.
const fn is_mark(c: char) -> bool {
    matches!(c, '々' | '\u{3099}' | '\u{309A}')
}

fn katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
        c => c,
    }
}

const fn large(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        c => c,
    }
}

/// The vowel in which a katakana ends.
fn vowel(c: char) -> Option<char> {
    const ROWS: [(char, &str); 5] = [
        ('ア', "アカサタナハマヤラワガザダバパ"),
        ('イ', "イキシチニヒミリギジヂビピ"),
        ('ウ', "ウクスツヌフムユルグズヅブプヴ"),
        ('エ', "エケセテネヘメレゲゼデベペ"),
        ('オ', "オコソトノホモヨロヲゴゾドボポ"),
    ];
    ROWS.into_iter().find(|(_, row)| row.contains(c)).map(|(vowel, _)| vowel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_of_typing_the_same_sound_is_the_same() {
        for typed in
            ["あおばくりにっく", "アオバクリニック", "ｱｵﾊﾞｸﾘﾆｯｸ", "あおば クリニツク", "アオバ・クリニック"]
        {
            assert_eq!(fold(typed), "アオバクリニツク", "{typed}");
        }
        assert_eq!(fold("ケアセンター"), fold("けあせんたあ"));
        assert_eq!(fold("ｹｱｾﾝﾀｰ"), fold("ケアセンター"));
        assert_eq!(fold("ＡＢＣ１２"), "abc12");
        assert_eq!(fold("ー"), "", "a long mark after nothing is nothing");
        assert_ne!(fold("はし"), fold("ばし"), "voiced marks count in a search");
        assert!(holds("髙橋医院 たかはしいいん", "ﾀｶﾊｼ") && holds("髙橋医院", ""));
        assert_ne!(fold("髙橋"), fold("高橋"), "letters of names stay as they are");
    }

    #[test]
    fn numbers_are_their_digits() {
        assert_eq!(digits("０４２（０００）1001"), "0420001001");
        assert_eq!(digits("なし"), "");
    }

    #[test]
    fn names_stand_in_the_order_of_the_syllabary() {
        let mut names = ["さとう", "カトウ", "がとう", "いとう", "かとお", "ｱｵｷ", "かあとう"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["ｱｵｷ", "いとう", "かあとう", "カトウ", "がとう", "かとお", "さとう"]);
        assert!(sort_key("はし") < sort_key("ばし") && sort_key("ばし") < sort_key("はしご"));
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in ".{0,30}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn what_is_written_is_found(text in "[ぁ-んァ-ヴ一-龥a-zA-Z]{1,12}", at in 0usize..12) {
            let part: String = text.chars().skip(at % text.chars().count()).collect();
            // A part that begins with a small kana or a mark is still a part.
            prop_assert!(holds(&text, &part));
        }
    }
}
