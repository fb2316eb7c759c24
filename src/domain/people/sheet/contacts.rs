//! Contact windows (ケアマネタイム): how, on which weekdays and at what hours a doctor takes the contact of
//! care managers; the yearly list of April (domain A4-13).

use unicode_normalization::UnicodeNormalization as _;

use super::cells::Cells;
use super::header::{Heading, fold_header, is_remark};
use super::plan::{CellProblem, Reason, Seen};
use super::values::{fold_name, hours, line, narrow, weekdays, words};
use super::{Column, MemberNow, Table, World};
use crate::domain::people::Day;
use crate::ids::MemberId;

/// A way in which a doctor takes contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactBy {
    Mail,
    Phone,
    Fax,
    /// In person at the clinic.
    Visit,
    /// Anything else in their own words: MCS, 連携ノート.
    Other(String),
}

/// When and how one doctor takes contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactWindow {
    pub member: MemberId,
    /// First choice first.
    pub by: Vec<ContactBy>,
    /// Empty: every day.
    pub days: Vec<Day>,
    /// Minutes after midnight, half-open; equal: all day.
    pub from_min: u32,
    pub to_min: u32,
    pub remarks: String,
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct ContactRow {
    pub row: u32,
    /// The name that stands in it.
    pub label: String,
    pub outcome: Result<ContactWindow, Vec<CellProblem>>,
}

/// The list as it would be taken.
#[derive(Clone, Debug, Default)]
pub struct ContactPlan {
    pub columns: Vec<Seen>,
    pub rows: Vec<ContactRow>,
}

const NAMES: &[(Column, &[&str])] = &[
    (Column::MemberNo, &["会員番号", "会員No", "No", "番号"]),
    (Column::Name, &["医師名", "氏名", "名前", "お名前", "先生", "担当医", "name", "doctor"]),
    (Column::Kana, &["ふりがな", "フリガナ", "カナ", "よみ", "kana"]),
    (Column::Institution, &["医療機関名", "医療機関", "クリニック名", "所属", "institution", "clinic"]),
    (Column::Ways, &["方法", "連絡方法", "連絡手段", "手段", "ways", "contactby"]),
    (Column::Weekdays, &["曜日", "対応曜日", "曜", "weekdays", "days"]),
    (Column::Hours, &["時間", "時間帯", "対応時間", "連絡時間", "ケアマネタイム", "hours", "time"]),
    (Column::Note, &["備考", "メモ", "注意事項", "その他", "remarks", "note"]),
];

fn heading(table: &Table) -> Option<Heading> {
    // The header that knows most of these columns; the search itself is that of the other sheets.
    let mut renamed = table.clone();
    let mut best: Option<(usize, usize)> = None;
    for (at, row) in table.rows.iter().enumerate().take(40) {
        let known = row
            .cells
            .iter()
            .filter(|c| NAMES.iter().any(|(_, names)| names.iter().any(|n| fold_header(n) == fold_header(c))))
            .count();
        if known >= 3 && best.is_none_or(|(most, _)| known > most) {
            best = Some((known, at));
        }
    }
    let (_, at) = best?;
    for cell in &mut renamed.rows.get_mut(at)?.cells {
        let column = NAMES
            .iter()
            .find(|(_, names)| names.iter().any(|n| fold_header(n) == fold_header(cell)))
            .map(|(column, _)| *column);
        if let Some(name) = column.and_then(|c| NAMES.iter().find(|(of, _)| *of == c)?.1.first()) {
            *cell = (*name).to_owned();
        }
    }
    renamed.rows.drain(..at);
    super::find_heading(super::Kind::Members, &renamed)
        .map(|found| Heading { data_from: found.data_from + at, ..found })
}

fn by(text: &str) -> Vec<ContactBy> {
    words(text)
        .into_iter()
        .map(|word| match word.nfkc().collect::<String>().to_lowercase().as_str() {
            "メール" | "mail" | "email" | "e-mail" => ContactBy::Mail,
            "電話" | "tel" | "phone" => ContactBy::Phone,
            "fax" | "ファックス" | "ファクス" => ContactBy::Fax,
            "面談" | "来院" | "訪問" | "対面" | "visit" => ContactBy::Visit,
            _ => ContactBy::Other(word),
        })
        .collect()
}

fn who<'a>(cells: &Cells<'_>, world: &'a World) -> Result<&'a MemberNow, (Column, Reason)> {
    let no = cells.raw(Column::MemberNo).map(narrow).unwrap_or_default();
    if let Some(found) = world.members.iter().find(|m| !no.is_empty() && m.draft.member_no == no) {
        return Ok(found);
    }
    let name = cells.raw(Column::Name).map(fold_name).unwrap_or_default();
    let kana = cells.raw(Column::Kana).map(fold_name).unwrap_or_default();
    let house = cells.raw(Column::Institution).map(fold_name);
    let named: Vec<_> = world
        .members
        .iter()
        .filter(|m| fold_name(&m.draft.name) == name && !name.is_empty())
        .filter(|m| kana.is_empty() || m.draft.kana.is_empty() || fold_name(&m.draft.kana) == kana)
        .collect();
    let within: Vec<_> = named
        .iter()
        .copied()
        .filter(|m| {
            house.as_ref().is_none_or(|house| {
                world.institutions.iter().any(|i| {
                    m.draft.institution == super::InstitutionOf::There(i.id.clone())
                        && fold_name(&i.draft.name) == *house
                })
            })
        })
        .collect();
    match (within.as_slice(), named.as_slice()) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], []) => Err((Column::Name, Reason::NotAChoice)),
        _ => Err((Column::Name, Reason::Ambiguous)),
    }
}

/// Understands a list of contact windows; every row names a member who is there.
#[must_use]
pub fn plan_contacts(table: &Table, world: &World) -> ContactPlan {
    let Some(heading) = heading(table) else { return ContactPlan::default() };
    let mut plan = ContactPlan { columns: heading.columns.clone(), rows: Vec::new() };
    for row in table.rows.iter().skip(heading.data_from) {
        let mut cells = Cells::new(&heading, row);
        if heading.repeats(row) || is_remark(row) || (cells.raw(Column::Name).is_none() && row.filled() <= 2)
        {
            continue;
        }
        let label = cells.raw(Column::Name).map(line).unwrap_or_default();
        let member = who(&cells, world);
        if let Err((column, reason)) = member {
            cells.wrong(column, reason);
        }
        let days = cells.take(Column::Weekdays, weekdays).unwrap_or_default();
        let (from_min, to_min) = cells.take(Column::Hours, hours).unwrap_or((0, 0));
        let remarks = cells.lines(Column::Note).unwrap_or_default();
        let by = cells.raw(Column::Ways).map(by).unwrap_or_default();
        let outcome = match member {
            Ok(member) if cells.problems.is_empty() => {
                Ok(ContactWindow { member: member.id.clone(), by, days, from_min, to_min, remarks })
            }
            _ => Err(std::mem::take(&mut cells.problems)),
        };
        plan.rows.push(ContactRow { row: row.number, label, outcome });
    }
    plan
}
