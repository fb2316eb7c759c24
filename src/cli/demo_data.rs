//! The invented association of `touban demo`, read from the file compiled into the program. How it gets into
//! a database is decided by the demo itself, through the same use cases as a real one.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use crate::config::SecretText;
use crate::domain::people::contact_window::ContactWay;

const BUILT_IN: &str = include_str!("../../config/demo.toml");

/// Everything the demo begins with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoData {
    pub association: DemoAssociation,
    pub programme: DemoProgramme,
    #[serde(rename = "area")]
    pub areas: Vec<DemoName>,
    #[serde(rename = "specialty")]
    pub specialties: Vec<DemoName>,
    #[serde(rename = "institution")]
    pub institutions: Vec<DemoInstitution>,
    #[serde(rename = "member")]
    pub members: Vec<DemoMember>,
    #[serde(rename = "volunteer")]
    pub volunteers: Vec<DemoVolunteer>,
    #[serde(rename = "window")]
    pub windows: Vec<DemoWindow>,
}

/// The association (地区医師会) and its office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoAssociation {
    pub name: String,
    pub name_en: String,
    #[serde(deserialize_with = "zone")]
    pub zone: chrono_tz::Tz,
    pub office_phone: String,
    pub office_fax: String,
    pub office_mail: String,
    pub mail_from: String,
}

/// The subsidy programme (補助事業): who pays stands in its tariffs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoProgramme {
    pub key: String,
    pub name: String,
    pub name_en: String,
    /// First day.
    #[serde(deserialize_with = "day")]
    pub from: NaiveDate,
    /// Last day.
    #[serde(deserialize_with = "day")]
    pub to: NaiveDate,
}

/// An area or a specialty.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoName {
    pub key: String,
    pub name: String,
    pub name_en: String,
}

/// What an institution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoInstitutionKind {
    /// 診療所
    Clinic,
    /// 在宅療養支援診療所
    HomeCareClinic,
    /// 病院
    Hospital,
    /// 訪問看護ステーション
    NurseStation,
    /// 病院連携室
    LiaisonRoom,
    /// 介護老人保健施設
    GeriatricFacility,
    /// 薬局
    Pharmacy,
    /// 居宅介護支援事業所
    CareOffice,
    /// 医師会事務局
    AssociationOffice,
}

/// An institution (医療機関) or the office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoInstitution {
    pub key: String,
    pub name: String,
    pub kana: String,
    pub kind: DemoInstitutionKind,
    pub area: String,
    /// Ten digits (保険医療機関コード); the office has none.
    pub code: Option<String>,
    pub phone: String,
    pub fax: String,
    #[serde(default)]
    pub hours: String,
    #[serde(default)]
    pub round_the_clock: bool,
    #[serde(default)]
    pub contact_person: String,
    #[serde(default)]
    pub accepts: String,
    /// Stands in the public list.
    #[serde(default)]
    pub public: bool,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoRole {
    Physician,
    /// 協力医
    Specialist,
    Nurse,
    /// 事務局
    Clerk,
    /// 調整担当（世話人）
    Coordinator,
    /// 担当理事
    Officer,
}

/// A member (会員, 利用者).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoMember {
    pub key: String,
    pub family: String,
    pub given: String,
    pub family_kana: String,
    pub given_kana: String,
    /// Year of birth.
    pub born: u16,
    pub institution: String,
    pub roles: Vec<DemoRole>,
    pub specialties: Vec<String>,
    pub mail: String,
    pub mobile: String,
    /// Four digits.
    #[serde(deserialize_with = "secret")]
    pub pin: SecretText,
}

/// How a volunteer helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoMode {
    /// 助言
    Advice,
    /// 往診
    Visit,
}

/// A cooperating specialist's offer (手挙げ名簿の一行).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoVolunteer {
    pub member: String,
    pub specialty: String,
    pub modes: Vec<DemoMode>,
    pub areas: Vec<String>,
    #[serde(deserialize_with = "days")]
    pub days: Vec<chrono::Weekday>,
    /// Minutes of the civil day, `[from, to)`.
    pub from_min: u16,
    pub to_min: u16,
    /// Consults a month at most.
    pub monthly_cap: u16,
}

/// A contact window (ケアマネタイム) of a doctor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoWindow {
    pub member: String,
    pub way: ContactWay,
    /// Empty = every day.
    #[serde(deserialize_with = "days")]
    pub days: Vec<chrono::Weekday>,
    /// Minutes of the civil day; the same twice is all day.
    pub from_min: u32,
    pub to_min: u32,
    #[serde(default)]
    pub remarks: String,
    #[serde(default)]
    pub public: bool,
}

/// The demo's file is wrong.
#[derive(Debug, thiserror::Error)]
pub enum DemoDataError {
    #[error("reading the data of the demo")]
    Unreadable(#[source] toml::de::Error),
    #[error("the data of the demo: {what} {key}")]
    Wrong { what: &'static str, key: String },
}

impl DemoData {
    /// The association that comes with the program.
    ///
    /// # Errors
    /// When the program was built with a wrong file; a test reads it.
    pub fn built_in() -> Result<Self, DemoDataError> {
        Self::parse(BUILT_IN)
    }

    /// Reads an association and checks that it hangs together: keys and addresses stand once, and what is
    /// referred to is there.
    ///
    /// # Errors
    /// When it cannot be read or does not hang together.
    pub fn parse(text: &str) -> Result<Self, DemoDataError> {
        let data: Self = toml::from_str(text).map_err(DemoDataError::Unreadable)?;
        data.check()?;
        Ok(data)
    }

    /// The member with this key.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&DemoMember> {
        self.members.iter().find(|m| m.key == key)
    }

    fn check(&self) -> Result<(), DemoDataError> {
        let areas = once("area twice", self.areas.iter().map(|a| a.key.as_str()))?;
        let specialties = once("specialty twice", self.specialties.iter().map(|s| s.key.as_str()))?;
        let institutions = once("institution twice", self.institutions.iter().map(|i| i.key.as_str()))?;
        let members = once("member twice", self.members.iter().map(|m| m.key.as_str()))?;
        once("institution code twice", self.institutions.iter().filter_map(|i| i.code.as_deref()))?;
        once("mail address twice", self.members.iter().map(|m| m.mail.as_str()))?;
        once("mobile number twice", self.members.iter().map(|m| m.mobile.as_str()))?;
        for institution in &self.institutions {
            there("area of institution", &areas, &institution.area)?;
            let code = institution.code.as_deref();
            let whole = code.is_none_or(|c| c.len() == 10 && c.bytes().all(|b| b.is_ascii_digit()));
            fits(whole, "institution code of", &institution.key)?;
        }
        for member in &self.members {
            there("institution of member", &institutions, &member.institution)?;
            for specialty in &member.specialties {
                there("specialty of member", &specialties, specialty)?;
            }
            let pin = member.pin.expose();
            fits(pin.len() == 4 && pin.bytes().all(|b| b.is_ascii_digit()), "PIN of", &member.key)?;
            fits(!member.roles.is_empty(), "no role for", &member.key)?;
        }
        for volunteer in &self.volunteers {
            there("volunteer", &members, &volunteer.member)?;
            there("specialty of volunteer", &specialties, &volunteer.specialty)?;
            for area in &volunteer.areas {
                there("area of volunteer", &areas, area)?;
            }
            let hours = volunteer.from_min < volunteer.to_min && volunteer.to_min <= 1_440;
            fits(hours, "hours of volunteer", &volunteer.member)?;
            let offers =
                !volunteer.modes.is_empty() && !volunteer.areas.is_empty() && !volunteer.days.is_empty();
            fits(offers && volunteer.monthly_cap > 0, "nothing offered by", &volunteer.member)?;
            let own = self.member(&volunteer.member).is_some_and(|m| {
                m.roles.contains(&DemoRole::Specialist) && m.specialties.contains(&volunteer.specialty)
            });
            fits(own, "another specialty than their own for", &volunteer.member)?;
        }
        for window in &self.windows {
            there("window", &members, &window.member)?;
            let hours = window.from_min < 1_440 && window.to_min <= 1_440;
            fits(hours, "hours of window", &window.member)?;
        }
        Ok(())
    }
}

fn once<'k>(
    what: &'static str,
    keys: impl Iterator<Item = &'k str>,
) -> Result<BTreeSet<&'k str>, DemoDataError> {
    let mut seen = BTreeSet::new();
    for key in keys {
        fits(seen.insert(key), what, key)?;
    }
    Ok(seen)
}

fn there(what: &'static str, known: &BTreeSet<&str>, key: &str) -> Result<(), DemoDataError> {
    fits(known.contains(key), what, key)
}

fn fits(fits: bool, what: &'static str, key: &str) -> Result<(), DemoDataError> {
    if fits { Ok(()) } else { Err(DemoDataError::Wrong { what, key: key.to_owned() }) }
}

fn zone<'de, D: Deserializer<'de>>(from: D) -> Result<chrono_tz::Tz, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn day<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<chrono::Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    names
        .iter()
        .map(|name| name.parse().map_err(|_| serde::de::Error::custom("weekdays are Mon, Tue … Sun")))
        .collect()
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<SecretText, D::Error> {
    String::deserialize(from).map(SecretText::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_association_hangs_together() {
        let data = DemoData::built_in().unwrap();
        assert_eq!(data.association.name, "青葉市医師会");
        assert_eq!(data.association.zone, chrono_tz::Tz::Asia__Tokyo);
        let kinds = |kind| data.institutions.iter().filter(|i| i.kind == kind).count();
        assert_eq!(kinds(DemoInstitutionKind::Hospital), 2);
        assert_eq!(kinds(DemoInstitutionKind::NurseStation), 2);
        assert_eq!(kinds(DemoInstitutionKind::AssociationOffice), 1);
        assert!(kinds(DemoInstitutionKind::Clinic) + kinds(DemoInstitutionKind::HomeCareClinic) >= 25);
        let doctors = data.members.iter().filter(|m| m.roles.contains(&DemoRole::Physician)).count();
        assert_eq!(doctors, 40);
        for role in [DemoRole::Clerk, DemoRole::Coordinator, DemoRole::Officer, DemoRole::Nurse] {
            assert!(data.members.iter().any(|m| m.roles.contains(&role)), "{role:?}");
        }
    }

    #[test]
    fn three_to_five_specialists_volunteer_in_each_specialty_of_the_journeys() {
        let data = DemoData::built_in().unwrap();
        for specialty in ["dermatology", "gynaecology", "psychiatry"] {
            let pool: Vec<_> = data.volunteers.iter().filter(|v| v.specialty == specialty).collect();
            assert!((3..=5).contains(&pool.len()), "{specialty}: {}", pool.len());
            assert!(pool.iter().any(|v| v.modes.contains(&DemoMode::Visit)), "{specialty}");
            for area in &data.areas {
                assert!(pool.iter().any(|v| v.areas.contains(&area.key)), "{specialty} in {}", area.name);
            }
        }
    }

    #[test]
    fn the_people_of_the_journeys_are_there() {
        let data = DemoData::built_in().unwrap();
        let sato = data.member("sato").unwrap();
        assert_eq!(2026 - sato.born, 68);
        let colleagues = data.members.iter().filter(|m| m.institution == sato.institution).count();
        assert_eq!(colleagues, 1, "alone in the clinic");
        let ito = data.member("ito").unwrap();
        assert_eq!((ito.family.as_str(), 2026 - ito.born), ("伊藤", 50));
        // A mail of 21:40 still reaches her.
        let hers = data.volunteers.iter().find(|v| v.member == "ito").unwrap();
        assert!(hers.from_min <= 21 * 60 + 40 && hers.to_min >= 23 * 60);
        assert!(hers.areas.contains(&"kita".to_owned()));
        assert!(data.member("suzuki").unwrap().roles.contains(&DemoRole::Coordinator));
        assert!(data.member("yamada").unwrap().roles.contains(&DemoRole::Clerk));
        assert!(data.member("takahashi").unwrap().roles.contains(&DemoRole::Nurse));
    }

    #[test]
    fn nobody_in_the_demo_can_be_reached_by_accident() {
        let data = DemoData::built_in().unwrap();
        let association = &data.association;
        let mails =
            data.members.iter().map(|m| &m.mail).chain([&association.office_mail, &association.mail_from]);
        for mail in mails {
            assert!(mail.ends_with(".example.jp"), "{mail}");
        }
        let phones = data.institutions.iter().flat_map(|i| [&i.phone, &i.fax]);
        let phones = phones.chain(data.members.iter().map(|m| &m.mobile));
        for phone in phones.chain([&association.office_phone, &association.office_fax]) {
            let digits = phone.bytes().filter(u8::is_ascii_digit).count();
            let unused = phone.starts_with("042-000-") || phone.starts_with("050-0000-");
            assert!(unused && (10..=11).contains(&digits), "{phone}");
        }
    }

    #[test]
    fn pins_are_not_shown() {
        let data = DemoData::built_in().unwrap();
        let shown = format!("{:?}", data.member("ito"));
        assert!(shown.contains("pin: ***"), "{shown}");
    }

    #[test]
    fn a_demo_that_does_not_hang_together_is_refused() {
        for (right, wrong) in [
            ("institution = \"sato\"", "institution = \"nowhere\""),
            ("key = \"ito\"", "key = \"sato\""),
            ("ito@aoba.example.jp", "sato@aoba.example.jp"),
            ("area = \"midori\"", "area = \"atlantis\""),
            ("to_min = 1380", "to_min = 1441"),
            ("to_min = 810", "to_min = 1441"),
            ("days = [\"Mon\"", "days = [\"Monkey\""),
            ("pin = \"4071\"", "pin = \"407\""),
            ("monthly_cap = 6", "monthly_cap = 6\ncolour = \"blue\""),
            ("code = \"1399990001\"", "code = \"139\""),
        ] {
            assert!(BUILT_IN.contains(right), "{right}");
            assert!(DemoData::parse(&BUILT_IN.replacen(right, wrong, 1)).is_err(), "{wrong}");
        }
    }
}
