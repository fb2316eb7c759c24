//! Which passwords are too easy: length, and words that anybody would try. No rules of composition, which only
//! make passwords worse (NIST SP 800-63B-4, OWASP ASVS 5.0, 6.2.5).

use std::collections::BTreeSet;

/// Characters a password must have (guideline of the Japanese ministry of health, 6.0, Q-54 a).
pub const PASSWORD_MIN_CHARS: usize = 13;
/// And may have (ASVS 6.2.9 asks for at least 64).
pub const PASSWORD_MAX_CHARS: usize = 128;
/// What must remain when the words that anybody would try are taken out.
const REST_MIN_CHARS: usize = 6;
/// Different characters a password must have.
const DIFFERENT_MIN: usize = 5;
/// A word of the surroundings that is shorter than this takes nothing away.
const WORD_MIN_CHARS: usize = 3;

/// Words of the lists of passwords that were found in the open, and runs on a keyboard; small letters.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pass",
    "パスワード",
    "パスワド",
    "ぱすわーど",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "zxcvbn",
    "1qaz2wsx3edc",
    "1qaz2wsx",
    "qazwsx",
    "1q2w3e4r5t",
    "1q2w3e4r",
    "q1w2e3r4",
    "abcdefghijklmnopqrstuvwxyz",
    "abcdefgh",
    "abcdef",
    "abcd",
    "abc",
    "123456789012",
    "1234567890",
    "123456789",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "1234",
    "123",
    "0987654321",
    "987654321",
    "87654321",
    "7654321",
    "654321",
    "54321",
    "4321",
    "iloveyou",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "login",
    "master",
    "dragon",
    "monkey",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "whatever",
    "starwars",
    "computer",
    "internet",
    "secret",
    "changeme",
    "default",
    "guest",
    "user",
    "root",
    "test",
    "hello",
    "freedom",
    "summer",
    "winter",
    "spring",
    "autumn",
    "sakura",
    "doraemon",
    "pokemon",
    "arigatou",
    "arigato",
    "konnichiwa",
    "ohayou",
    "nippon",
    "nihon",
    "japan",
    "tokyo",
    "osaka",
    "yokohama",
    "hospital",
    "clinic",
    "doctor",
    "nurse",
    "medical",
    "ishikai",
    "byouin",
    "kurinikku",
    "zaitaku",
    "jimukyoku",
    "touban",
    "iryou",
    "sensei",
    "医師会",
    "病院",
    "医院",
    "クリニック",
    "診療所",
    "在宅",
    "当番",
    "事務局",
    "先生",
    "医療",
    "看護",
    "あいうえお",
    "かきくけこ",
    "いろはにほへと",
    "ありがとう",
    "おはよう",
    "こんにちは",
    "さくら",
    "2020",
    "2021",
    "2022",
    "2023",
    "2024",
    "2025",
    "2026",
    "2027",
    "2028",
    "2029",
    "2030",
    "令和",
    "平成",
];

/// What is wrong with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordWrong {
    TooShort,
    TooLong,
    /// Anybody would try it: common words, the name of the association or the person, few characters.
    TooEasy,
}

/// What is wrong with this password (in its normal form), if anything. `surroundings` are the names and
/// addresses of the person and the association.
#[must_use]
pub fn password_wrong(password: &str, surroundings: &[&str]) -> Option<PasswordWrong> {
    let length = password.chars().count();
    if length < PASSWORD_MIN_CHARS {
        return Some(PasswordWrong::TooShort);
    }
    if length > PASSWORD_MAX_CHARS {
        return Some(PasswordWrong::TooLong);
    }
    let plain = letters(password);
    let different: BTreeSet<char> = plain.chars().collect();
    if different.len() < DIFFERENT_MIN || repeats(&plain) {
        return Some(PasswordWrong::TooEasy);
    }
    let mut words: Vec<String> = surroundings
        .iter()
        .flat_map(|text| {
            std::iter::once(letters(text)).chain(text.split(|c: char| !c.is_alphanumeric()).map(letters))
        })
        .filter(|word| {
            word.chars().count() >= WORD_MIN_CHARS || !word.is_ascii() && word.chars().count() >= 2
        })
        .chain(COMMON.iter().map(|word| letters(word)))
        .collect();
    // The longest first, so that a name goes as a whole.
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let mut rest = plain;
    for word in &words {
        rest = rest.replace(word.as_str(), "");
    }
    (rest.chars().count() < REST_MIN_CHARS).then_some(PasswordWrong::TooEasy)
}

/// Small letters and digits alone.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || *c == 'ー').flat_map(char::to_lowercase).collect()
}

/// Whether the text is a short pattern again and again.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 3).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AROUND: &[&str] =
        &["青葉市医師会", "aoba", "山田 和子", "やまだ かずこ", "kazuko.yamada@aoba.example.jp"];

    fn wrong(password: &str) -> Option<PasswordWrong> {
        password_wrong(password, AROUND)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(wrong("correct horse"), None);
        assert_eq!(wrong("correct hors"), Some(PasswordWrong::TooShort));
        assert_eq!(wrong("みどりの丘から海が見えます"), None);
        assert_eq!(wrong(""), Some(PasswordWrong::TooShort));
        let long = "海と山と川と空と".repeat(16);
        assert_eq!(wrong(&format!("{long}x")), Some(PasswordWrong::TooLong));
        assert_eq!(wrong("tqmcjv hgbn xkrw plzd"), None);
    }

    #[test]
    fn what_anybody_would_try_is_refused() {
        for easy in [
            "password12345",
            "Password-2026!",
            "1234567890123",
            "qwertyuiop123",
            "aaaaaaaaaaaaa",
            "abababababababab",
            "abcabcabcabcabc",
            "touban-touban-2026",
            "青葉市医師会の在宅当番2026",
            "aoba-ishikai-2026",
            "kazuko.yamada.1234",
            "山田和子・山田和子・2026",
            "Yamada Kazuko 99",
            "iloveyou-sakura-1",
        ] {
            assert_eq!(wrong(easy), Some(PasswordWrong::TooEasy), "{easy}");
        }
    }

    #[test]
    fn no_kind_of_character_is_asked_for() {
        for good in
            ["horse battery staple", "かえるがさんびきないている", "7306158249170", "CORRECTSTAPLEBATTERY"]
        {
            assert_eq!(wrong(good), None, "{good}");
        }
        // An easy word in something long takes nothing from the rest.
        assert_eq!(wrong("password kettle window"), None);
    }
}
