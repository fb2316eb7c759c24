//! A consult's own words: what the asker fills in, what may be shown before somebody takes it (T1) and what
//! only after (T2), the answer, the survey. Whom to ask is `people`; how it moves is `dispatch`.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// What is wrong with a field; the words stand in the texts under `field-…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    Missing,
    TooLong,
    /// Contains control characters, NUL or marks that turn the writing direction.
    NotText,
    /// Not one of the choices.
    NotAChoice,
    /// The time lies in the past or too close.
    TooSoon,
    /// The time lies too far ahead.
    TooLate,
    OutOfRange,
    /// Not something that exists here.
    Unknown,
    /// It is there already.
    Taken,
}

impl Wrong {
    /// The stable word of the API and the key of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::NotText => "not_text",
            Self::NotAChoice => "not_a_choice",
            Self::TooSoon => "too_soon",
            Self::TooLate => "too_late",
            Self::OutOfRange => "out_of_range",
            Self::Unknown => "unknown",
            Self::Taken => "taken",
        }
    }
}

/// A field and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FieldWrong {
    /// The field's name in the API and in the form.
    pub field: &'static str,
    pub wrong: Wrong,
}

impl FieldWrong {
    /// Nothing stands in the field.
    #[must_use]
    pub const fn missing(field: &'static str) -> Self {
        Self { field, wrong: Wrong::Missing }
    }
}

/// The characters a long text may have.
pub const LONG_TEXT: usize = 4_000;
/// The characters a short text may have.
pub const SHORT_TEXT: usize = 200;
/// An answer cannot be wanted sooner than this; sooner is urgent and goes by phone.
pub const SOONEST_S: i64 = 30 * 60;
/// An answer cannot be wanted later than this.
pub const LATEST_S: i64 = 31 * 86_400;

/// The classes of a question that may be shown before acceptance (domain C5, T1).
pub const CONDITIONS: &[&str] = &[
    "wound",
    "skin",
    "gynecological",
    "mental",
    "dementia",
    "pain",
    "breathing",
    "urinary",
    "neurological",
    "movement",
    "medicine",
    "device",
    "other",
];
/// Decades of age, in years.
pub const DECADES: &[u32] = &[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
pub const SEXES: &[&str] = &["female", "male", "other"];
/// Whether the patient can come to a practice (通院可否).
pub const TRAVEL: &[&str] = &["no", "with_help", "yes"];
/// What came of a consult.
pub const OUTCOMES: &[&str] = &["advice", "visit", "joint_care", "referral", "transport_avoided"];

/// What the asker fills in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewConsult {
    pub specialty: String,
    /// A visit is wanted; otherwise advice.
    pub visit: bool,
    pub area: String,
    pub answer_by: Millis,
    pub decade: u32,
    pub sex: String,
    pub condition: String,
    pub can_travel: String,
    pub question: String,
    pub tried: String,
    /// Initials or whatever the asker chose.
    pub patient_ref: String,
    /// Name, birth date, address, medicines: as the asker likes; shown after acceptance only.
    pub details: String,
}

/// The blind summary (T1): shown to somebody who was asked, before they take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    pub decade: u32,
    pub sex: String,
    pub condition: String,
    pub can_travel: String,
    /// The question with what could identify somebody taken out.
    pub question: String,
}

/// What stands open after acceptance (T2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub question: String,
    pub tried: String,
    pub patient_ref: String,
    pub details: String,
}

impl NewConsult {
    /// Every field that cannot be taken as it is. `specialties`: those somebody volunteers for.
    #[must_use]
    pub fn wrong_fields(&self, now: Millis, specialties: &[String]) -> Vec<FieldWrong> {
        let mut wrong = Vec::new();
        let mut say = |field, problem: Option<Wrong>| {
            if let Some(problem) = problem {
                wrong.push(FieldWrong { field, wrong: problem });
            }
        };
        let choice = |given: &str, of: &[&str]| (!of.contains(&given)).then_some(Wrong::NotAChoice);
        let known = specialties.contains(&self.specialty);
        say("specialty", (!known).then_some(Wrong::NotAChoice));
        say("area", short_text(&self.area, true));
        say("answer_by", time_wrong(self.answer_by, now));
        say("decade", (!DECADES.contains(&self.decade)).then_some(Wrong::NotAChoice));
        say("sex", choice(&self.sex, SEXES));
        say("condition", choice(&self.condition, CONDITIONS));
        say("can_travel", choice(&self.can_travel, TRAVEL));
        say("question", long_text(&self.question, true));
        say("tried", long_text(&self.tried, false));
        say("patient_ref", short_text(&self.patient_ref, false));
        say("details", long_text(&self.details, false));
        wrong
    }

    /// The part that may be shown before acceptance.
    #[must_use]
    pub fn blind(&self) -> Blind {
        Blind {
            decade: self.decade,
            sex: self.sex.clone(),
            condition: self.condition.clone(),
            can_travel: self.can_travel.clone(),
            question: scrub(&self.question, &[&self.patient_ref]),
        }
    }

    /// The part that stands open after acceptance.
    #[must_use]
    pub fn detail(&self) -> Detail {
        Detail {
            question: self.question.clone(),
            tried: self.tried.clone(),
            patient_ref: self.patient_ref.clone(),
            details: self.details.clone(),
        }
    }
}

fn time_wrong(at: Millis, now: Millis) -> Option<Wrong> {
    if at < now.plus_s(SOONEST_S) {
        Some(Wrong::TooSoon)
    } else if at > now.plus_s(LATEST_S) {
        Some(Wrong::TooLate)
    } else {
        None
    }
}

/// Marks that turn or hide text (Unicode Bidi_Control and zero-width), which could make a page lie.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
}

/// What is wrong with a text of several lines.
#[must_use]
pub fn long_text(text: &str, needed: bool) -> Option<Wrong> {
    text_wrong(text, needed, LONG_TEXT, |c| matches!(c, '\n' | '\r' | '\t'))
}

/// What is wrong with a text of one line.
#[must_use]
pub fn short_text(text: &str, needed: bool) -> Option<Wrong> {
    text_wrong(text, needed, SHORT_TEXT, |_| false)
}

/// What is wrong with a text of several lines and at most so many characters.
#[must_use]
pub fn text_within(text: &str, needed: bool, longest: usize) -> Option<Wrong> {
    text_wrong(text, needed, longest, |c| c == '\n')
}

fn text_wrong(text: &str, needed: bool, longest: usize, allowed: impl Fn(char) -> bool) -> Option<Wrong> {
    if needed && text.trim().is_empty() {
        Some(Wrong::Missing)
    } else if text.chars().count() > longest {
        Some(Wrong::TooLong)
    } else if text.chars().any(|c| (c.is_control() && !allowed(c)) || is_hidden(c)) {
        Some(Wrong::NotText)
    } else {
        None
    }
}

/// What stands where something was taken out.
const GONE: char = '〓';

/// Takes out of a question what could name somebody: digits in rows of three or more (numbers, dates,
/// years, phones), ages in years, mail addresses, whatever stands before さん・様・氏, and `names`. Coarse on
/// purpose: too much taken out is a question asked back, too little is a leak.
#[must_use]
pub fn scrub(text: &str, names: &[&str]) -> String {
    let mut out = text.to_owned();
    for name in names.iter().map(|n| n.trim()).filter(|n| !n.is_empty()) {
        out = out.replace(name, &GONE.to_string());
    }
    let chars: Vec<char> = out.chars().collect();
    let mut gone = vec![false; chars.len()];
    let digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    let joined = |c: char| digit(c) || matches!(c, '-' | '－' | 'ー' | '‐' | '/' | '／' | '.' | '．');
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        if digit(c) {
            let run = chars.iter().skip(i).take_while(|c| joined(**c)).count();
            let digits = chars.iter().skip(i).take(run).filter(|c| digit(**c)).count();
            let unit = chars.get(i + run).copied();
            if digits >= 3 || matches!(unit, Some('歳' | '才' | '年' | '丁' | '番')) {
                gone.iter_mut().skip(i).take(run).for_each(|g| *g = true);
            }
            i += run.max(1);
        } else {
            i += 1;
        }
    }
    mark_names(&chars, &mut gone);
    mark_addresses(&chars, &mut gone);
    let mut scrubbed = String::with_capacity(out.len());
    let mut before = false;
    for (c, gone) in chars.into_iter().zip(gone) {
        match (gone, before) {
            (true, false) => scrubbed.push(GONE),
            (true, true) => {}
            (false, _) => scrubbed.push(c),
        }
        before = gone;
    }
    scrubbed
}

/// Words that stand before さん without naming anybody.
const NOT_NAMES: &[&str] =
    &["患者", "奥", "娘", "息子", "嫁", "お父", "お母", "家族", "ヘルパー", "看護師", "皆"];

fn mark_names(chars: &[char], gone: &mut [bool]) {
    let named = |c: char| {
        ('\u{4E00}'..='\u{9FFF}').contains(&c)
            || ('ァ'..='ヺ').contains(&c)
            || matches!(c, '々' | 'ー' | '髙' | '﨑')
    };
    for i in 0..chars.len() {
        let honorific = match (chars.get(i), chars.get(i + 1)) {
            (Some('さ'), Some('ん')) => true,
            (Some('様' | '氏'), next) => next.is_none_or(|c| !named(*c)),
            _ => false,
        };
        if !honorific {
            continue;
        }
        let length = chars.iter().take(i).rev().take(8).take_while(|c| named(**c)).count();
        let word: String = chars.iter().skip(i - length).take(length).collect();
        if length > 0 && !NOT_NAMES.iter().any(|w| word.ends_with(w)) {
            gone.iter_mut().skip(i - length).take(length).for_each(|g| *g = true);
        }
    }
}

fn mark_addresses(chars: &[char], gone: &mut [bool]) {
    let part = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    for (i, c) in chars.iter().enumerate() {
        if matches!(c, '@' | '＠') {
            let before = chars.iter().take(i).rev().take_while(part).count();
            let after = chars.iter().skip(i + 1).take_while(part).count();
            gone.iter_mut().skip(i - before).take(before + 1 + after).for_each(|g| *g = true);
        }
    }
}

/// The taker's answer under its fixed heads (J2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultAnswer {
    /// 見立て
    pub assessment: String,
    /// 今すること
    pub do_now: String,
    /// 次に見る目安
    pub follow_up: String,
    /// 送るべき時
    pub refer_when: String,
}

impl ConsultAnswer {
    /// What cannot be taken as it is; at least the assessment must be there.
    #[must_use]
    pub fn wrong_fields(&self, minutes: i64, outcome: &str) -> Vec<FieldWrong> {
        let fields = [
            ("assessment", long_text(&self.assessment, true)),
            ("do_now", long_text(&self.do_now, false)),
            ("follow_up", long_text(&self.follow_up, false)),
            ("refer_when", long_text(&self.refer_when, false)),
            ("minutes", (!(0..=600).contains(&minutes)).then_some(Wrong::OutOfRange)),
            ("outcome", (!OUTCOMES.contains(&outcome)).then_some(Wrong::NotAChoice)),
        ];
        fields.into_iter().filter_map(|(field, w)| w.map(|wrong| FieldWrong { field, wrong })).collect()
    }
}

/// The four questions at the end (B8: a mandatory close-out survey).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// 紹介を避けられたか: `yes`, `no`, `unclear`.
    pub avoided: String,
    /// 新たに必要になったか.
    pub newly_needed: String,
    /// 役立ったか, 1 to 5.
    pub helpful: u32,
    /// 期日に間に合ったか.
    pub in_time: String,
    /// A word to the adviser.
    #[serde(default)]
    pub note: String,
}

/// The answers to the survey's questions.
pub const SURVEY_ANSWERS: &[&str] = &["yes", "no", "unclear"];

impl Survey {
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let choice = |given: &str| (!SURVEY_ANSWERS.contains(&given)).then_some(Wrong::NotAChoice);
        let fields = [
            ("avoided", choice(&self.avoided)),
            ("newly_needed", choice(&self.newly_needed)),
            ("helpful", (!(1..=5).contains(&self.helpful)).then_some(Wrong::OutOfRange)),
            ("in_time", choice(&self.in_time)),
            ("note", long_text(&self.note, false)),
        ];
        fields.into_iter().filter_map(|(field, w)| w.map(|wrong| FieldWrong { field, wrong })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_loses_what_could_name_the_patient() {
        for (given, shown) in [
            ("山田花子さん、83歳の女性。仙骨部に3cmの黒色壊死", "〓さん、〓歳の女性。仙骨部に3cmの黒色壊死"),
            ("患者さんの娘さんから090-1234-5678に電話", "患者さんの娘さんから〓に電話"),
            ("昭和17年4月1日生まれ", "昭和〓年4月1日生まれ"),
            ("青葉町２丁目１−５", "青葉町〓丁目１−５"),
            ("連絡は taro.y@example.jp まで", "連絡は 〓 まで"),
            ("A.K.様の右足", "〓様の右足"),
            ("血圧 90/60、SpO2 93%", "血圧 〓、SpO2 93%"),
        ] {
            assert_eq!(scrub(given, &["A.K."]), shown);
        }
    }

    #[test]
    fn hidden_marks_and_control_characters_are_refused_and_line_breaks_are_not() {
        assert_eq!(long_text("一行目\n二行目", true), None);
        assert_eq!(short_text("一行目\n二行目", true), Some(Wrong::NotText));
        for bad in ["a\0b", "abc\u{202E}fdp", "\u{200B}", "x\u{7f}"] {
            assert_eq!(long_text(bad, false), Some(Wrong::NotText), "{bad:?}");
        }
        assert_eq!(long_text("  \n ", true), Some(Wrong::Missing));
        assert_eq!(long_text(&"あ".repeat(LONG_TEXT + 1), false), Some(Wrong::TooLong));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let now = Millis(0);
        let new = NewConsult {
            specialty: "astrology".into(),
            visit: false,
            area: String::new(),
            answer_by: now,
            decade: 83,
            sex: "f".into(),
            condition: "?".into(),
            can_travel: "maybe".into(),
            question: " ".into(),
            tried: "ok".into(),
            patient_ref: "A\nB".into(),
            details: String::new(),
        };
        let fields: Vec<_> = new.wrong_fields(now, &["dermatology".into()]).iter().map(|w| w.field).collect();
        assert_eq!(
            fields,
            [
                "specialty",
                "area",
                "answer_by",
                "decade",
                "sex",
                "condition",
                "can_travel",
                "question",
                "patient_ref"
            ]
        );
    }
}
