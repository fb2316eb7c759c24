//! A sheet of institutions: one row, one institution.

use std::collections::HashMap;

use super::cells::{Cells, put, put_kana, put_number};
use super::header::{find_heading, is_remark};
use super::houses::{Houses, kind_code, kind_of_name};
use super::plan::{CellProblem, Diff, Note, Outcome, Plan, PlannedRow, Reason, Target};
use super::values::{city_code, fold_name, institution_code, line, mark, postcode, words};
use super::{Column, InstitutionDraft, Kind, Table, World};

/// What would be done with a sheet of institutions.
#[must_use]
pub fn plan_institutions(table: &Table, world: &World) -> Plan {
    let Some(heading) = find_heading(Kind::Institutions, table) else {
        return Plan::unreadable(Kind::Institutions);
    };
    let houses = Houses::new(&world.institutions);
    let mut plan = Plan {
        heading: Some(heading.row),
        columns: heading.columns.clone(),
        ..Plan::unreadable(Kind::Institutions)
    };
    plan.passed_over = table.rows.iter().take(heading.data_from).map(|r| r.number).collect();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for row in table.rows.iter().skip(heading.data_from) {
        let mut cells = Cells::new(&heading, row);
        let nameless = cells.raw(Column::Institution).is_none() && row.filled() <= 2;
        if heading.repeats(row) || is_remark(row) || nameless {
            plan.passed_over.push(row.number);
            continue;
        }
        let label = cells.raw(Column::Institution).map(line).unwrap_or_default();
        let mut outcome = one(&mut cells, &houses, world);
        // The same place twice in one file: which row is right is not for us to say.
        let keys: Vec<String> = match &outcome {
            Outcome::Add(Target::Institution(d)) => {
                let code = (!d.code.is_empty()).then(|| format!("code:{}", d.code));
                let name = format!("name:{}:{}", fold_name(&d.name), fold_name(&d.area));
                code.into_iter().chain(std::iter::once(name)).collect()
            }
            Outcome::Change { id, .. } => vec![format!("id:{id}")],
            Outcome::Same => houses
                .find(&code_of(&cells), &label, cells.raw(Column::Area))
                .ok()
                .flatten()
                .map(|h| format!("id:{}", h.id))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        };
        if let Some(first) = keys.iter().find_map(|key| seen.get(key)) {
            let value = first.to_string();
            outcome = Outcome::Refused(vec![CellProblem { column: None, value, reason: Reason::Twice }]);
        }
        for key in keys {
            seen.entry(key).or_insert(row.number);
        }
        plan.rows.push(PlannedRow { row: row.number, label, outcome, notes: cells.notes });
    }
    plan
}

fn code_of(cells: &Cells<'_>) -> String {
    cells
        .raw(Column::InstitutionCode)
        .and_then(|text| institution_code(text).ok())
        .map(|(code, _)| code)
        .unwrap_or_default()
}

fn one(cells: &mut Cells<'_>, houses: &Houses<'_>, world: &World) -> Outcome {
    let name = cells.line(Column::Institution);
    if name.is_none() && cells.problems.is_empty() {
        cells.wrong(Column::Institution, Reason::Missing);
    }
    let code = cells.code(Column::InstitutionCode, institution_code);
    let area = cells.line(Column::Area);
    let name_text = name.clone().unwrap_or_default();
    let found = houses.find(code.as_deref().unwrap_or_default(), &name_text, area.as_deref());
    let now = match found {
        Ok(now) => now,
        Err(reason) => {
            cells.wrong(Column::Institution, reason);
            None
        }
    };
    let mut draft = now.map(|now| now.draft.clone()).unwrap_or_default();
    if let Some(now) = now
        && fold_name(&now.draft.name) != fold_name(&name_text)
        && !name_text.is_empty()
    {
        cells.notes.push(Note::NameChanges(now.draft.name.clone()));
    }
    let kind = cells.take(Column::Category, |text| kind_code(text, &world.words).ok_or(Reason::NotAChoice));
    if now.is_none() && kind.is_none() {
        draft.kind = kind_of_name(&name_text).to_owned();
        if cells.raw(Column::Category).is_none() {
            cells.notes.push(Note::KindGuessed(draft.kind.clone()));
        }
    }
    if now.is_none() && area.is_none() {
        cells.wrong(Column::Area, Reason::AreaNeeded);
    }
    put(&mut draft.name, name);
    put(&mut draft.kind, kind);
    put(&mut draft.area, area);
    put(&mut draft.code, code);
    let kana = cells.line(Column::Kana);
    put_kana(&mut draft.kana, kana);
    put(&mut draft.city_code, cells.take(Column::CityCode, city_code));
    let phone = cells.phone(Column::Phone);
    put_number(&mut draft.phone, phone);
    let fax = cells.phone(Column::Fax);
    put_number(&mut draft.fax, fax);
    let entry = &mut draft.entry;
    put(&mut entry.postcode, cells.code(Column::Postcode, postcode));
    put(&mut entry.address, cells.line(Column::Address));
    put(&mut entry.hours, cells.line(Column::OpeningHours));
    put(&mut entry.contact_person, cells.line(Column::ContactPerson));
    put(&mut entry.accepts, cells.lines(Column::Accepts));
    put(&mut entry.note, cells.lines(Column::Note));
    if let Some(yes) = cells.take(Column::RoundTheClock, mark) {
        entry.round_the_clock = yes;
    }
    if let Some(yes) = cells.take(Column::Public, mark) {
        entry.public = yes;
    }
    if let Some(areas) = cells.raw(Column::Serves).map(words) {
        entry.serves = areas;
    }
    if !cells.problems.is_empty() {
        return Outcome::Refused(std::mem::take(&mut cells.problems));
    }
    let to = |draft| Target::Institution(Box::new(draft));
    match now {
        None => Outcome::Add(to(draft)),
        Some(now) if now.draft == draft => Outcome::Same,
        Some(now) => Outcome::Change {
            id: now.id.to_string(),
            revision: now.revision,
            diffs: diffs(&now.draft, &draft, world),
            to: to(draft),
        },
    }
}

/// What a sheet says in a column about an institution.
pub(super) fn said(draft: &InstitutionDraft, column: Column, world: &World) -> String {
    let yes = |is: bool| if is { "○" } else { "×" }.to_owned();
    match column {
        Column::Institution => draft.name.clone(),
        Column::Kana => draft.kana.clone(),
        Column::InstitutionCode => draft.code.clone(),
        Column::Category => world
            .words
            .kinds
            .iter()
            .find(|(_, code)| *code == draft.kind)
            .map_or_else(|| draft.kind.clone(), |(name, _)| name.clone()),
        Column::Area => draft.area.clone(),
        Column::CityCode => draft.city_code.clone(),
        Column::Postcode => draft.entry.postcode.clone(),
        Column::Address => draft.entry.address.clone(),
        Column::Phone => draft.phone.clone().unwrap_or_default(),
        Column::Fax => draft.fax.clone().unwrap_or_default(),
        Column::OpeningHours => draft.entry.hours.clone(),
        Column::RoundTheClock => yes(draft.entry.round_the_clock),
        Column::Serves => draft.entry.serves.join("、"),
        Column::ContactPerson => draft.entry.contact_person.clone(),
        Column::Accepts => draft.entry.accepts.clone(),
        Column::Public => yes(draft.entry.public),
        Column::Note => draft.entry.note.clone(),
        _ => String::new(),
    }
}

fn diffs(old: &InstitutionDraft, new: &InstitutionDraft, world: &World) -> Vec<Diff> {
    let columns = Kind::Institutions.columns().iter();
    columns
        .map(|column| Diff {
            column: *column,
            old: said(old, *column, world),
            new: said(new, *column, world),
        })
        .filter(|diff| diff.old != diff.new)
        .collect()
}
