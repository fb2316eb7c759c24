//! What is there already, as the understanding of sheets wants it; and the rules that every member and
//! institution is held to, however they come in.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::Kit;
use crate::app::people::{NewInstitution, NewMember};
use crate::domain::calendar::{FiscalYear, civil_day};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::people::contact_window::ContactWay;
use crate::domain::people::sheet::{
    CellProblem, Column, InstitutionDraft, InstitutionNow, InstitutionOf, Kind, MemberDraft, MemberNow,
    Outcome, Plan, Reason, Table, Target, Words, World,
};
use crate::domain::people::{INSTITUTION_KINDS, Role};
use crate::i18n::{Lang, keys, t};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::store::directory::contact_windows_of_year;
use crate::store::people::association_by_id;
use crate::store::secrets::Sealed;
use crate::store::sheets::{every_institution, every_member, every_specialty};
use crate::store::{Conn, StoreError};
use crate::time::Millis;

/// Everything a plan is made from, and what only writing it needs.
pub(super) struct Loaded {
    pub world: World,
    /// Codes of institutions that are gone: a code is one institution's for ever.
    pub gone_codes: BTreeSet<String>,
    pub langs: BTreeMap<MemberId, Lang>,
    pub active_from: BTreeMap<MemberId, Millis>,
    pub lang: Lang,
    pub zone: chrono_tz::Tz,
}

/// The words of codes, those of the reader's language first.
pub(super) fn words(lang: Lang) -> Words {
    let other = if lang == Lang::Ja { Lang::En } else { Lang::Ja };
    let mut words = Words::default();
    for lang in [lang, other] {
        for key in keys(Lang::Ja) {
            if let Some(code) = key.strip_prefix("word-specialty-") {
                words.specialties.push((t(lang, &key), code.to_owned()));
            }
        }
        for kind in INSTITUTION_KINDS {
            words.kinds.push((t(lang, &format!("sheet-kind-{kind}")), (*kind).to_owned()));
        }
        for role in Role::ALL {
            words.roles.push((t(lang, &format!("word-role-{}", role.code())), role));
        }
        for way in ContactWay::ALL {
            words.ways.push((t(lang, &format!("word-way-{}", way.code())), way));
        }
    }
    words
}

async fn opened(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    at: Sealed<'_>,
    sealed: Option<&Vec<u8>>,
) -> Result<Option<String>, StoreError> {
    match sealed {
        Some(sealed) => kit.vault.open(conn, association, at, sealed).await.map(Some),
        None => Ok(None),
    }
}

pub(super) async fn load(
    conn: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    lang: Lang,
) -> Result<Loaded, StoreError> {
    let home = association_by_id(conn, association).await?;
    let zone = home.as_ref().map_or(chrono_tz::UTC, |home| home.zone);
    let mut loaded = Loaded {
        world: World { words: words(lang), ..World::default() },
        gone_codes: BTreeSet::new(),
        langs: BTreeMap::new(),
        active_from: BTreeMap::new(),
        lang: home.map_or(Lang::Ja, |home| home.lang),
        zone,
    };
    for row in every_institution(conn, association).await? {
        if row.closed.is_some() {
            loaded.gone_codes.insert(row.code);
            continue;
        }
        let at = |column| Sealed { table: "institution", column, row: row.id.as_str() };
        let draft = InstitutionDraft {
            phone: opened(conn, kit, association, at("phone"), row.phone.as_ref()).await?,
            fax: opened(conn, kit, association, at("fax"), row.fax.as_ref()).await?,
            name: row.name,
            kana: row.kana,
            kind: row.kind,
            area: row.area,
            city_code: row.city_code,
            code: row.code,
            entry: row.entry,
        };
        loaded.world.institutions.push(InstitutionNow { id: row.id, revision: row.revision, draft });
    }
    let mut offers: BTreeMap<MemberId, Vec<_>> = BTreeMap::new();
    for (member, offer) in every_specialty(conn, association).await? {
        offers.entry(member).or_default().push(offer);
    }
    for row in every_member(conn, association).await? {
        if row.left_at.is_some() {
            continue;
        }
        let at = |column| Sealed { table: "member", column, row: row.id.as_str() };
        let mut roles = row.roles;
        roles.sort_unstable();
        let draft = MemberDraft {
            phone: opened(conn, kit, association, at("phone"), row.phone.as_ref()).await?,
            fax: opened(conn, kit, association, at("fax"), row.fax.as_ref()).await?,
            name: row.name,
            kana: row.kana,
            institution: row.institution.map_or(InstitutionOf::None, InstitutionOf::There),
            email: row.email,
            roles,
            specialties: offers.remove(&row.id).unwrap_or_default(),
            member_no: row.member_no,
            profile: row.profile,
            joined: Some(civil_day(row.active_from, zone)),
        };
        loaded.langs.insert(row.id.clone(), row.lang);
        loaded.active_from.insert(row.id.clone(), row.active_from);
        loaded.world.members.push(MemberNow { id: row.id, revision: row.revision, draft });
    }
    // A list may be of this fiscal year or one beside it: late in March the next one comes in.
    let year = FiscalYear::of(civil_day(kit.now, zone)).first_year();
    loaded.world.year = year;
    for year in year - 1..=year + 1 {
        let all = contact_windows_of_year(conn, association, year).await?;
        let all = all.into_iter().map(|of| (of.member, (of.revision, of.windows))).collect();
        loaded.world.windows.insert(year, all);
    }
    Ok(loaded)
}

/// A member as the use cases of people take them.
pub(super) fn new_member(draft: &MemberDraft, institution: Option<InstitutionId>, lang: Lang) -> NewMember {
    NewMember {
        name: draft.name.clone(),
        kana: draft.kana.clone(),
        institution,
        email: draft.email.clone(),
        phone: draft.phone.clone(),
        roles: draft.roles.clone(),
        lang,
        specialties: draft.specialties.clone(),
        member_no: draft.member_no.clone(),
        fax: draft.fax.clone(),
        profile: draft.profile.clone(),
    }
}

/// An institution as the use cases of people take it.
pub(super) fn new_institution(draft: &InstitutionDraft) -> NewInstitution {
    NewInstitution {
        name: draft.name.clone(),
        kind: draft.kind.clone(),
        area: draft.area.clone(),
        city_code: draft.city_code.clone(),
        phone: draft.phone.clone(),
        kana: draft.kana.clone(),
        code: draft.code.clone(),
        fax: draft.fax.clone(),
        entry: draft.entry.clone(),
    }
}

fn column_of(kind: Kind, field: &str) -> Option<Column> {
    Some(match (kind, field) {
        (Kind::Members, "name") => Column::Name,
        (Kind::Institutions, "name") => Column::Institution,
        (_, "kind") => Column::Category,
        (_, "area") => Column::Area,
        (_, "city_code") => Column::CityCode,
        (_, "phone") => Column::Phone,
        (_, "fax") => Column::Fax,
        (_, "kana") => Column::Kana,
        (_, "code") => Column::InstitutionCode,
        (_, "postcode") => Column::Postcode,
        (_, "address") => Column::Address,
        (_, "serves") => Column::Serves,
        (_, "hours") => Column::OpeningHours,
        (_, "contact_person") => Column::ContactPerson,
        (_, "accepts") => Column::Accepts,
        (_, "note") => Column::Note,
        (_, "email") => Column::Email,
        (_, "roles") => Column::Roles,
        (_, "specialties") => Column::Specialties,
        (_, "member_no") => Column::MemberNo,
        (Kind::Windows, "from_min" | "to_min") => Column::Hours,
        (Kind::Windows, "remarks") => Column::Note,
        _ => return None,
    })
}

fn problem(kind: Kind, wrong: &FieldWrong) -> CellProblem {
    let column = column_of(kind, wrong.field);
    let reason = match (column, wrong.wrong) {
        (Some(Column::Area | Column::Serves), Wrong::NotText) => Reason::NotAnArea,
        (Some(Column::Email), Wrong::NotText) => Reason::NotAnAddress,
        (Some(Column::Phone | Column::Fax), _) => Reason::NotAPhone,
        (_, Wrong::Missing) => Reason::Missing,
        (_, Wrong::TooLong) => Reason::TooLong,
        (_, Wrong::NotAChoice | Wrong::OutOfRange) => Reason::NotAChoice,
        _ => Reason::NotText,
    };
    CellProblem { column, value: String::new(), reason }
}

/// What would be done with a table, every row held to the rules of the use cases that would write it.
pub(super) fn plan(kind: Kind, table: &Table, loaded: &Loaded) -> Plan {
    let mut plan = crate::domain::people::sheet::plan(kind, table, &loaded.world);
    let houses: Vec<Vec<CellProblem>> = plan
        .new_institutions
        .iter()
        .map(|house| {
            let taken = loaded.gone_codes.contains(&house.draft.code) && !house.draft.code.is_empty();
            let wrong = new_institution(&house.draft).wrong_fields();
            let mut problems: Vec<_> = wrong
                .iter()
                .map(|w| match w.field {
                    "name" => CellProblem {
                        column: Some(Column::Institution),
                        value: house.draft.name.clone(),
                        reason: Reason::NotText,
                    },
                    _ => problem(Kind::Institutions, w),
                })
                .collect();
            if taken {
                let value = house.draft.code.clone();
                let column = Some(Column::InstitutionCode);
                problems.push(CellProblem { column, value, reason: Reason::Taken });
            }
            problems
        })
        .collect();
    for row in &mut plan.rows {
        let problems: Vec<CellProblem> = match &row.outcome {
            Outcome::Add(Target::Member(draft)) | Outcome::Change { to: Target::Member(draft), .. } => {
                let mut problems: Vec<_> = new_member(draft, None, Lang::Ja)
                    .wrong_fields()
                    .iter()
                    .map(|w| problem(Kind::Members, w))
                    .collect();
                if let InstitutionOf::New(n) = draft.institution {
                    problems.extend(houses.get(n).into_iter().flatten().cloned());
                }
                problems
            }
            Outcome::Add(Target::Institution(draft))
            | Outcome::Change { to: Target::Institution(draft), .. } => {
                let mut problems: Vec<_> = new_institution(draft)
                    .wrong_fields()
                    .iter()
                    .map(|w| problem(Kind::Institutions, w))
                    .collect();
                if loaded.gone_codes.contains(&draft.code) && !draft.code.is_empty() {
                    let value = draft.code.clone();
                    let column = Some(Column::InstitutionCode);
                    problems.push(CellProblem { column, value, reason: Reason::Taken });
                }
                problems
            }
            Outcome::Add(Target::Windows(draft)) | Outcome::Change { to: Target::Windows(draft), .. } => {
                let wrong = draft.windows.iter().flat_map(|window| window.wrong_fields());
                wrong.map(|w| problem(Kind::Windows, &w)).collect()
            }
            _ => Vec::new(),
        };
        if !problems.is_empty() {
            row.outcome = Outcome::Refused(problems);
        }
    }
    plan.settle();
    plan
}

/// The subject of a run in the audit.
pub(super) fn subject(id: &crate::ids::SheetRunId) -> String {
    format!("sheet_run:{id}")
}
