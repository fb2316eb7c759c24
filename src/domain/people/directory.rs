//! Rules of the directory: bank accounts as the Zengin transfer format takes them, and which institution may
//! belong to which care group (在宅支援連携体制). Rows and pages are elsewhere.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong, short_text};
use crate::ids::{CareGroupId, InstitutionId};

/// Kinds of bank accounts (預金種目): 普通, 当座, 貯蓄; the codes of the Zengin format are 1, 2 and 4.
pub const ACCOUNT_KINDS: &[&str] = &["ordinary", "checking", "savings"];

/// A bank account (振込先), as transfers are written (全銀協 総合振込).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BankAccount {
    /// Four digits (金融機関コード).
    pub bank_code: String,
    pub bank_name: String,
    /// Three digits (支店コード).
    pub branch_code: String,
    pub branch_name: String,
    /// One of [`ACCOUNT_KINDS`].
    pub kind: String,
    /// Seven digits, with leading zeros.
    pub number: String,
    /// The holder in half-width kana (口座名義), at most [`HOLDER_MOST`] letters.
    pub holder: String,
}

impl std::fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BankAccount").finish_non_exhaustive()
    }
}

/// The letters of a holder's name in a transfer record.
pub const HOLDER_MOST: usize = 30;

impl BankAccount {
    /// What was typed with any keyboard, as it is kept: digits narrow, the holder in half-width letters, a
    /// short number filled with zeros.
    #[must_use]
    pub fn tidy(self) -> Self {
        let narrow =
            |text: String| text.nfkc().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>();
        let number = narrow(self.number);
        let short = !number.is_empty() && number.len() < 7 && number.bytes().all(|b| b.is_ascii_digit());
        Self {
            bank_code: narrow(self.bank_code),
            branch_code: narrow(self.branch_code),
            number: if short { format!("{number:0>7}") } else { number },
            holder: half_width(self.holder.trim()),
            ..self
        }
    }

    /// Nothing was filled in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be taken, by field.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let digits = |text: &str, n: usize| {
            if text.is_empty() {
                Some(Wrong::Missing)
            } else {
                (text.len() != n || !text.bytes().all(|b| b.is_ascii_digit())).then_some(Wrong::NotText)
            }
        };
        let holder = if self.holder.is_empty() {
            Some(Wrong::Missing)
        } else if !self.holder.chars().all(is_zengin) {
            Some(Wrong::NotText)
        } else {
            (self.holder.chars().count() > HOLDER_MOST).then_some(Wrong::TooLong)
        };
        [
            ("bank_code", digits(&self.bank_code, 4)),
            ("bank_name", short_text(&self.bank_name, true)),
            ("branch_code", digits(&self.branch_code, 3)),
            ("branch_name", short_text(&self.branch_name, true)),
            ("account_kind", (!ACCOUNT_KINDS.contains(&self.kind.as_str())).then_some(Wrong::NotAChoice)),
            ("number", digits(&self.number, 7)),
            ("holder", holder),
        ]
        .into_iter()
        .filter_map(|(field, wrong)| wrong.map(|wrong| FieldWrong { field, wrong }))
        .collect()
    }
}

/// The letters a holder's name may have in the Zengin format: half-width kana without small ones, voiced
/// marks, capitals, digits and `( ) - . /` and the blank.
#[must_use]
pub const fn is_zengin(c: char) -> bool {
    matches!(c, 'ｱ'..='ﾝ' | 'ﾞ' | 'ﾟ' | 'A'..='Z' | '0'..='9' | '(' | ')' | '-' | '.' | '/' | ' ')
}

const FULL: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
const HALF: &str = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ";

/// A name in the letters of the Zengin format as far as they exist: kana of any width, small ones large, ヲ as
/// オ, long marks as hyphens. What has no such letter stays, to be refused in words.
#[must_use]
pub fn half_width(text: &str) -> String {
    let mut out = String::new();
    for c in text.nfkc().collect::<String>().nfd() {
        let c = match c {
            'ぁ'..='ゖ' => char::from_u32(u32::from(c) + 0x60).unwrap_or(c),
            c => c,
        };
        let large = match c {
            'ァ' => 'ア',
            'ィ' => 'イ',
            'ゥ' => 'ウ',
            'ェ' => 'エ',
            'ォ' | 'ヲ' => 'オ',
            'ッ' => 'ツ',
            'ャ' => 'ヤ',
            'ュ' => 'ユ',
            'ョ' => 'ヨ',
            'ー' | '−' | '‐' | '―' => '-',
            '\u{3099}' => 'ﾞ',
            '\u{309A}' => 'ﾟ',
            c => c.to_ascii_uppercase(),
        };
        out.push(
            FULL.chars().zip(HALF.chars()).find(|(full, _)| *full == large).map_or(large, |(_, half)| half),
        );
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The institutions a care group may have at the same time (在支診・連携型: fewer than ten).
pub const GROUP_MOST: usize = 9;

/// An institution's time in a care group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub group: CareGroupId,
    pub institution: InstitutionId,
    /// The first day.
    pub from: CivilDate,
    /// The last day; `None` = open.
    pub until: Option<CivilDate>,
}

impl Membership {
    /// Whether it is in the group on this day.
    #[must_use]
    pub fn holds_on(&self, day: CivilDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    fn meets(&self, other: &Self) -> bool {
        let starts_before_end = |a: &Self, b: &Self| b.until.is_none_or(|until| a.from <= until);
        starts_before_end(self, other) && starts_before_end(other, self)
    }
}

/// Why an institution cannot join a care group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CannotJoin {
    /// The last day lies before the first.
    Backwards,
    /// It is in this group on one of these days.
    InGroup(CareGroupId),
    /// The group has [`GROUP_MOST`] on one of these days.
    Full,
}

/// Whether an institution may join, given everybody's times in every group.
///
/// # Errors
/// Why it may not.
pub fn may_join(all: &[Membership], new: &Membership) -> Result<(), CannotJoin> {
    if new.until.is_some_and(|until| until < new.from) {
        return Err(CannotJoin::Backwards);
    }
    if let Some(other) = all.iter().find(|m| m.institution == new.institution && m.meets(new)) {
        return Err(CannotJoin::InGroup(other.group.clone()));
    }
    let group: Vec<&Membership> = all.iter().filter(|m| m.group == new.group).collect();
    // A group only grows on first days: these and the new one's are the fullest.
    let fullest = group.iter().map(|m| m.from).chain([new.from]).filter(|day| new.holds_on(*day));
    let full = fullest.into_iter().any(|day| group.iter().filter(|m| m.holds_on(day)).count() >= GROUP_MOST);
    if full { Err(CannotJoin::Full) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> CivilDate {
        text.parse().unwrap()
    }

    fn membership(group: &str, institution: usize, from: &str, until: Option<&str>) -> Membership {
        Membership {
            group: CareGroupId::named(&[group]),
            institution: InstitutionId::named(&[&institution.to_string()]),
            from: day(from),
            until: until.map(day),
        }
    }

    fn account() -> BankAccount {
        BankAccount {
            bank_code: "0001".to_owned(),
            bank_name: "青葉銀行".to_owned(),
            branch_code: "001".to_owned(),
            branch_name: "本店".to_owned(),
            kind: "ordinary".to_owned(),
            number: "1234567".to_owned(),
            holder: "ｻﾄｳ ﾀﾛｳ".to_owned(),
        }
    }

    #[test]
    fn an_account_is_written_as_the_bank_reads_it() {
        assert!(account().wrong_fields().is_empty());
        let typed = BankAccount {
            bank_code: "０００１".to_owned(),
            number: "４５６７".to_owned(),
            holder: "医）青葉会　さとうクリニック".to_owned(),
            ..account()
        };
        let tidy = typed.tidy();
        assert_eq!((tidy.bank_code.as_str(), tidy.number.as_str()), ("0001", "0004567"));
        assert_eq!(tidy.wrong_fields().first().map(|w| w.field), Some("holder"), "kanji are no kana");
        assert_eq!(half_width("イ）アオバカイ　さとうくりにっく"), "ｲ)ｱｵﾊﾞｶｲ ｻﾄｳｸﾘﾆﾂｸ");
        assert_eq!(half_width("ケアセンター abc"), "ｹｱｾﾝﾀ- ABC");
        assert_eq!(half_width("ヲガタ パーク"), "ｵｶﾞﾀ ﾊﾟ-ｸ");
    }

    #[test]
    fn every_field_of_an_account_is_looked_at() {
        let wrong = |change: fn(&mut BankAccount)| {
            let mut one = account();
            change(&mut one);
            one.wrong_fields().into_iter().map(|w| w.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|a| a.bank_code = "001".to_owned()), ["bank_code"]);
        assert_eq!(wrong(|a| a.branch_code = "00a".to_owned()), ["branch_code"]);
        assert_eq!(wrong(|a| a.number = "12345678".to_owned()), ["number"]);
        assert_eq!(wrong(|a| a.kind = "gold".to_owned()), ["account_kind"]);
        assert_eq!(wrong(|a| a.holder = "ｱ".repeat(31)), ["holder"]);
        assert_eq!(wrong(|a| a.holder = "ｻﾄｳｬ".to_owned()), ["holder"], "small kana");
        assert_eq!(BankAccount::default().wrong_fields().len(), 7);
        assert!(!format!("{:?}", account()).contains("1234567"));
    }

    #[test]
    fn an_institution_is_in_one_group_at_a_time() {
        let all = [membership("a", 1, "2026-04-01", Some("2026-09-30"))];
        let join = |group, from, until| may_join(&all, &membership(group, 1, from, until));
        let in_a = Err(CannotJoin::InGroup(CareGroupId::named(&["a"])));
        assert_eq!(join("b", "2026-09-30", None), in_a, "the last day still counts");
        assert_eq!(join("b", "2026-01-01", Some("2026-04-01")), in_a);
        assert_eq!(join("b", "2026-10-01", None), Ok(()));
        assert_eq!(join("b", "2026-01-01", Some("2026-03-31")), Ok(()));
        assert_eq!(join("a", "2026-05-01", None), in_a, "twice in the same group is twice");
        assert_eq!(join("b", "2026-12-01", Some("2026-11-30")), Err(CannotJoin::Backwards));
    }

    #[test]
    fn a_group_has_at_most_nine_on_any_day() {
        let mut all: Vec<Membership> = (0..9).map(|n| membership("a", n, "2026-04-01", None)).collect();
        assert_eq!(may_join(&all[..8], &all[8]), Ok(()));
        let tenth = |from, until| membership("a", 10, from, until);
        assert_eq!(may_join(&all, &tenth("2026-05-01", None)), Err(CannotJoin::Full));
        assert_eq!(
            may_join(&all, &tenth("2026-01-01", Some("2026-03-31"))),
            Ok(()),
            "before the others came"
        );
        assert_eq!(may_join(&all, &tenth("2026-03-31", Some("2026-04-01"))), Err(CannotJoin::Full));
        all[0].until = Some(day("2026-06-30"));
        assert_eq!(may_join(&all, &tenth("2026-06-30", None)), Err(CannotJoin::Full));
        assert_eq!(may_join(&all, &tenth("2026-07-01", None)), Ok(()));
    }

    proptest! {
        #[test]
        fn no_order_of_joining_makes_a_group_too_large_or_an_institution_double(
            tries in prop::collection::vec((0usize..14, 0u8..2, 0i64..60, prop::option::of(0i64..60)), 1..60)
        ) {
            let first = day("2026-04-01");
            let mut all = Vec::new();
            for (institution, group, from, length) in tries {
                let from = first.plus_days(from);
                let new = Membership {
                    group: CareGroupId::named(&[&group.to_string()]),
                    institution: InstitutionId::named(&[&institution.to_string()]),
                    from,
                    until: length.map(|days| from.plus_days(days)),
                };
                if may_join(&all, &new).is_ok() {
                    all.push(new);
                }
            }
            for days in 0..150 {
                let day = first.plus_days(days);
                let on: Vec<_> = all.iter().filter(|m| m.holds_on(day)).collect();
                for m in &on {
                    prop_assert!(on.iter().filter(|o| o.group == m.group).count() <= GROUP_MOST);
                    prop_assert_eq!(on.iter().filter(|o| o.institution == m.institution).count(), 1);
                }
            }
        }

        #[test]
        fn what_is_tidied_is_tidy(text in "[ぁ-んァ-ヴｱ-ﾝ（）a-z0-9　 ]{0,20}") {
            let once = half_width(&text);
            prop_assert_eq!(half_width(&once), once);
        }
    }
}
