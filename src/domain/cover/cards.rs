//! The night card (夜間カード): the one page about a patient that whoever comes at night needs, what of it an association
//! allows, how long it is fresh, and until when whoever came may read it. Who may open one is `app`.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong, short_text, text_within};
use crate::ids::HouseholdId;
use crate::time::Millis;

/// A card counts as fresh for so many days after it was written.
pub const FRESH_DAYS: i64 = 60;
/// A replaced card is destroyed after this.
pub const REPLACED_KEEP_S: i64 = 30 * 86_400;
/// Cards stay open to who took a call for so long after its report.
pub const AFTER_REPORT_S: i64 = 24 * 3_600;
/// A call that ended and was never reported opens no card after this.
pub const UNREPORTED_S: i64 = 7 * 86_400;
/// One proof by PIN opens cards for so long.
pub const PASS_S: i64 = 15 * 60;
/// The reason of who broke the glass is kept for so long: 5 years, as reports are.
pub const REASON_KEEP_S: i64 = 5 * 366 * 86_400;
/// Characters of one field: together they fit one sheet of A4.
pub const FIELD_MAX: usize = 400;
/// Characters of a reason.
pub const REASON_MAX: usize = 400;

/// How much of patients may stand here at all (domain rule C5.7), set by each association.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataMode {
    /// Case numbers and telephones only: no card is written or shown.
    None,
    /// Only what needs no history: ADL, family and surroundings, where things are.
    #[default]
    Minimal,
    /// The whole card.
    Handover,
}

impl DataMode {
    pub const ALL: [Self; 3] = [Self::None, Self::Minimal, Self::Handover];

    /// The stable word of the form.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Handover => "handover",
        }
    }

    /// Reads [`DataMode::code`].
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }
}

/// Whether two ways of writing name the same patient: width, case, blanks and the dots of initials do not count.
#[must_use]
pub fn same_patient(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let counts = |c: &char| !c.is_whitespace() && !matches!(c, '.' | '・' | '．');
        text.nfkc().filter(counts).flat_map(char::to_lowercase).collect::<String>()
    };
    let one = plain(one);
    !one.is_empty() && one == plain(other)
}

/// Characters of a household's id on a sheet for the fax.
const SHEET_CHARS: usize = 6;

fn check_digits(text: &str) -> String {
    let sum = text.bytes().fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 97);
    format!("{sum:02}")
}

/// The number on the sheet that a clinic fills in by hand and faxes, such as `K7Q2MX-31`: the end of the household's
/// id, and two digits by which a misread number is noticed. No proof of anything.
#[must_use]
pub fn sheet_no(household: &HouseholdId) -> String {
    let id = household.as_str();
    let end = id.get(id.len().saturating_sub(SHEET_CHARS)..).unwrap_or(id);
    format!("{end}-{}", check_digits(end))
}

/// The end of the household's id that a number of [`sheet_no`] names, as somebody typed it; `None`: it is none, or was
/// misread.
#[must_use]
pub fn sheet_end(typed: &str) -> Option<String> {
    let counts = |c: &char| c.is_ascii_alphanumeric();
    // Letters that the alphabet of the ids does not have are digits written by hand.
    let plain: String = typed
        .nfkc()
        .filter(counts)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    let (end, digits) = plain.split_at_checked(SHEET_CHARS)?;
    (digits == check_digits(end)).then(|| end.to_owned())
}

/// What stands on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NightCard {
    /// How the patient moves, eats, hears, understands.
    pub adl: String,
    /// Family and surroundings: key, pets, where to park.
    pub surroundings: String,
    /// Where things are: medicines, devices, papers.
    pub things: String,
    /// 療養上の意思
    pub wishes: String,
    /// The day on which the wishes were confirmed, and by whom.
    pub wishes_on: Option<CivilDate>,
    pub wishes_by: String,
    pub medicines: String,
    /// 最終訪問診療日
    pub last_visit_on: Option<CivilDate>,
    /// What to expect tonight.
    pub expect: String,
}

impl NightCard {
    /// What of it may be kept and shown under a mode; `None`: nothing.
    #[must_use]
    pub fn within(self, mode: DataMode) -> Option<Self> {
        match mode {
            DataMode::None => None,
            DataMode::Minimal => Some(Self {
                adl: self.adl,
                surroundings: self.surroundings,
                things: self.things,
                ..Self::default()
            }),
            DataMode::Handover => Some(self),
        }
    }

    /// Every field that cannot be taken as it is. Wishes without the day and the person of their confirmation are
    /// not taken: at night nobody could tell how old they are.
    #[must_use]
    pub fn wrong_fields(&self, today: CivilDate) -> Vec<FieldWrong> {
        let mut wrong = Vec::new();
        let mut say = |field, what| wrong.push(FieldWrong { field, wrong: what });
        let texts = [
            ("adl", &self.adl),
            ("surroundings", &self.surroundings),
            ("things", &self.things),
            ("wishes", &self.wishes),
            ("medicines", &self.medicines),
            ("expect", &self.expect),
        ];
        for (field, text) in texts {
            if let Some(what) = text_within(text, false, FIELD_MAX) {
                say(field, what);
            }
        }
        if texts.iter().all(|(_, text)| text.trim().is_empty()) {
            say("adl", Wrong::Missing);
        }
        let wishes = !self.wishes.trim().is_empty();
        if wishes && self.wishes_on.is_none() {
            say("wishes_on", Wrong::Missing);
        }
        if let Some(what) = short_text(&self.wishes_by, wishes) {
            say("wishes_by", what);
        }
        for (field, day) in [("wishes_on", self.wishes_on), ("last_visit_on", self.last_visit_on)] {
            if day.is_some_and(|day| day > today) {
                say(field, Wrong::TooLate);
            }
        }
        wrong
    }
}

/// Whether a card that was written on a day is old by now.
#[must_use]
pub fn is_old(written: CivilDate, today: CivilDate) -> bool {
    today.days_since(written) > FRESH_DAYS
}

/// Until when whoever took a call may open cards: a day after the report, or (never reported) a week after its end;
/// `None`: it still goes on.
#[must_use]
pub fn open_until(reported: Option<Millis>, ended: Option<Millis>) -> Option<Millis> {
    reported.map(|at| at.plus_s(AFTER_REPORT_S)).or(ended.map(|at| at.plus_s(UNREPORTED_S)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn whole() -> NightCard {
        NightCard {
            adl: "つたい歩き".into(),
            surroundings: "鍵は郵便受け".into(),
            things: "薬は台所".into(),
            wishes: "家で過ごしたい".into(),
            wishes_on: Some(day("2026-11-01")),
            wishes_by: "佐藤".into(),
            medicines: "利尿薬".into(),
            last_visit_on: Some(day("2026-11-18")),
            expect: "発熱".into(),
        }
    }

    #[test]
    fn the_modes_keep_nothing_what_needs_no_history_or_all() {
        assert_eq!(whole().within(DataMode::None), None);
        let minimal = whole().within(DataMode::Minimal).unwrap();
        assert_eq!(
            minimal,
            NightCard {
                adl: "つたい歩き".into(),
                surroundings: "鍵は郵便受け".into(),
                things: "薬は台所".into(),
                ..NightCard::default()
            }
        );
        assert_eq!(whole().within(DataMode::Handover), Some(whole()));
        assert_eq!(DataMode::default(), DataMode::Minimal);
        for mode in DataMode::ALL {
            assert_eq!(DataMode::from_code(mode.code()), Some(mode));
        }
    }

    #[test]
    fn wishes_carry_the_day_and_the_person_of_their_confirmation() {
        let today = day("2026-11-20");
        let wrong = |card: NightCard| card.wrong_fields(today);
        assert_eq!(wrong(whole()), []);
        let undated = wrong(NightCard { wishes_on: None, wishes_by: String::new(), ..whole() });
        assert_eq!(undated, [FieldWrong::missing("wishes_on"), FieldWrong::missing("wishes_by")]);
        let tomorrow = Some(day("2026-11-21"));
        let late = |field| FieldWrong { field, wrong: Wrong::TooLate };
        let early = NightCard { wishes_on: tomorrow, last_visit_on: tomorrow, ..whole() };
        assert_eq!(wrong(early), [late("wishes_on"), late("last_visit_on")]);
        assert_eq!(wrong(NightCard::default()), [FieldWrong::missing("adl")]);
        let long = NightCard { expect: "あ".repeat(FIELD_MAX + 1), ..whole() };
        assert_eq!(wrong(long), [FieldWrong { field: "expect", wrong: Wrong::TooLong }]);
        assert_eq!(wrong(NightCard { adl: "二\n行".into(), ..whole() }), []);
    }

    #[test]
    fn a_patient_is_the_same_however_the_initials_are_written() {
        for (one, other, same) in [
            ("A.K.", "Ａ．Ｋ．", true),
            ("A.K.", " a k", true),
            ("佐々木 花", "佐々木　花", true),
            ("A.K.", "A.K.2", false),
            ("A.K.", "K.A.", false),
            ("...", "・", false),
        ] {
            assert_eq!(same_patient(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn the_number_of_a_sheet_leads_back_and_a_misread_one_does_not() {
        let id = HouseholdId::named(&["household", "1"]);
        let no = sheet_no(&id);
        let end = sheet_end(&no).unwrap();
        assert!(id.as_str().ends_with(&end) && end.len() == 6, "{no}");
        assert_eq!(sheet_end(&format!(" {} ", no.to_lowercase().replace('-', "－"))), Some(end.clone()));
        let misread = if end.starts_with('7') { "1" } else { "7" };
        assert_eq!(sheet_end(&format!("{misread}{}", &no[1..])), None);
        for none in ["", "R8-0412-74", "K7Q2MX", "K7Q2MX-3"] {
            assert_eq!(sheet_end(none), None, "{none}");
        }
    }

    #[test]
    fn sixty_days_are_fresh_and_the_next_is_old() {
        let written = day("2026-11-01");
        assert!(!is_old(written, day("2026-12-31")));
        assert!(is_old(written, day("2027-01-01")));
    }

    #[test]
    fn access_ends_a_day_after_the_report() {
        let at = Millis(1_790_000_000_000);
        assert_eq!(open_until(None, None), None);
        assert_eq!(open_until(Some(at), None), Some(at.plus_s(86_400)));
        assert_eq!(open_until(Some(at), Some(at.plus_s(5))), Some(at.plus_s(86_400)));
        assert_eq!(open_until(None, Some(at)), Some(at.plus_s(7 * 86_400)));
    }
}
