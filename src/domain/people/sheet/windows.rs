//! The yearly list of contact windows (ケアマネタイム): how, on which weekdays and at what hours a doctor takes the
//! contact of care managers (domain A4-13). A list of April says everything about the doctors who stand in it, and
//! nothing about the others.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::header::{Heading, find_heading, is_remark};
use super::plan::{CellProblem, Diff, Outcome, Plan, PlannedRow, Reason, Target};
use super::values::{day_kanji, fold_name, hours, hours_text, line, mark, narrow, weekdays, words};
use super::{Column, InstitutionOf, Kind, MemberNow, Table, WindowsDraft, WindowsNow, Words, World};
use crate::domain::people::contact_window::{ContactWay, ContactWindow, WINDOWS_MOST};
use crate::ids::MemberId;

/// The fiscal year that begins in this year, as a title says it: 令和8年度, R8年度, 2026年度, FY2026.
fn year_said(text: &str) -> Option<i32> {
    let plain = narrow(text).replace('元', "1").to_uppercase();
    let western = |digits: &str| digits.parse::<i32>().ok().filter(|_| digits.len() == 4);
    if let Some((_, after)) = plain.split_once("FY") {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        return western(&digits);
    }
    plain.match_indices("年度").find_map(|(at, _)| {
        let before = plain.get(..at)?;
        let rest = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = before.get(rest.len()..)?;
        let within =
            |offset: i32| digits.parse::<i32>().ok().filter(|n| (1..=99).contains(n)).map(|n| n + offset);
        match rest {
            r if r.ends_with("令和") || r.ends_with('R') => within(2018),
            r if r.ends_with("平成") || r.ends_with('H') => within(1988),
            _ => western(digits),
        }
    })
}

/// The year of the list: as the first title above the header says.
fn year_of(table: &Table, heading: &Heading) -> Option<i32> {
    let above = table.rows.iter().take(heading.data_from);
    above.flat_map(|row| &row.cells).find_map(|cell| year_said(cell))
}

/// The ways of a cell, each with what it says beyond the way itself: MCS, 連携ノート.
fn ways(text: &str, known: &Words) -> Vec<(ContactWay, String)> {
    words(text)
        .into_iter()
        .map(|word| {
            let named = known.ways.iter().find(|(name, _)| fold_name(name) == fold_name(&word));
            let way = match narrow(&word).to_lowercase().as_str() {
                "メール" | "mail" | "email" | "e-mail" | "eメール" => Some(ContactWay::Mail),
                "電話" | "tel" | "phone" | "携帯" => Some(ContactWay::Phone),
                "fax" | "ファックス" | "ファクス" => Some(ContactWay::Fax),
                "面談" | "来院" | "訪問" | "対面" | "visit" => Some(ContactWay::Visit),
                _ => named.map(|(_, way)| *way),
            };
            way.map_or((ContactWay::Other, word), |way| (way, String::new()))
        })
        .collect()
}

/// Whom a row names.
fn who<'a>(cells: &Cells<'_>, world: &'a World) -> Result<&'a MemberNow, (Column, Reason)> {
    let no = cells.raw(Column::MemberNo).map(narrow).unwrap_or_default();
    if let Some(found) = world.members.iter().find(|m| !no.is_empty() && m.draft.member_no == no) {
        return Ok(found);
    }
    let name = cells.raw(Column::Name).map(fold_name).unwrap_or_default();
    let house = cells.raw(Column::Institution).map(fold_name);
    let named: Vec<_> =
        world.members.iter().filter(|m| fold_name(&m.draft.name) == name && !name.is_empty()).collect();
    let works_there = |m: &&MemberNow| {
        house.as_ref().is_none_or(|house| {
            let of = |id| m.draft.institution == InstitutionOf::There(id);
            world.institutions.iter().any(|i| of(i.id.clone()) && fold_name(&i.draft.name) == *house)
        })
    };
    let within: Vec<_> = named.iter().copied().filter(works_there).collect();
    match (within.as_slice(), named.as_slice()) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], []) => Err((Column::Name, Reason::NotAChoice)),
        _ => Err((Column::Name, Reason::Ambiguous)),
    }
}

/// One row, understood.
struct Read {
    row: u32,
    label: String,
    member: Option<MemberId>,
    /// What it says, or why it cannot be taken.
    said: Result<Vec<ContactWindow>, Vec<CellProblem>>,
}

fn windows_of(cells: &mut Cells<'_>, world: &World, public: bool) -> Vec<ContactWindow> {
    let by = cells.raw(Column::Ways).map(|text| ways(text, &world.words)).unwrap_or_default();
    if by.is_empty() {
        cells.wrong(Column::Ways, Reason::Missing);
    }
    let days = cells.take(Column::Weekdays, weekdays).unwrap_or_default();
    let (from_min, to_min) = cells.take(Column::Hours, hours).unwrap_or((0, 0));
    let holidays = cells.take(Column::Holidays, mark).unwrap_or(false);
    let public = cells.take(Column::Public, mark).unwrap_or(public);
    let remarks = cells.line(Column::Note).unwrap_or_default();
    by.into_iter()
        .map(|(way, more)| ContactWindow {
            way,
            days: days.clone(),
            from_min,
            to_min,
            holidays,
            remarks: [more.as_str(), remarks.as_str()].join(" ").trim().to_owned(),
            public,
        })
        .collect()
}

/// Every row of the list; one without a name goes on about the doctor of the row above, as under a joined cell.
fn read(table: &Table, heading: &Heading, world: &World, year: i32, plan: &mut Plan) -> Vec<Read> {
    let nobody = BTreeMap::new();
    let there = world.windows.get(&year).unwrap_or(&nobody);
    let before = world.windows.get(&(year - 1)).unwrap_or(&nobody);
    // Who agreed to stand on the public list, stands there until something else is said.
    let is_public = |id: &MemberId| {
        let known = there.get(id).filter(|(_, all)| !all.is_empty()).or_else(|| before.get(id));
        known.is_some_and(|(_, all)| !all.is_empty() && all.iter().all(|w| w.public))
    };
    let mut rows: Vec<Read> = Vec::new();
    for row in table.rows.iter().skip(heading.data_from) {
        let mut cells = Cells::new(heading, row);
        let named = cells.raw(Column::Name).is_some() || cells.raw(Column::MemberNo).is_some();
        let says = [Column::Ways, Column::Weekdays, Column::Hours].iter().any(|c| cells.raw(*c).is_some());
        let above = rows.last().filter(|_| !named && says).map(|r| (r.label.clone(), r.member.clone()));
        if heading.repeats(row) || is_remark(row) || (!named && above.is_none()) {
            plan.passed_over.push(row.number);
            continue;
        }
        let (label, member) = match above {
            Some(above) => above,
            None => {
                let member = match who(&cells, world) {
                    Ok(member) => Some(member.id.clone()),
                    Err((column, reason)) => {
                        cells.wrong(column, reason);
                        None
                    }
                };
                (cells.raw(Column::Name).map(line).unwrap_or_default(), member)
            }
        };
        let said = windows_of(&mut cells, world, member.as_ref().is_some_and(is_public));
        let said = if cells.problems.is_empty() && member.is_some() {
            Ok(said)
        } else {
            Err(std::mem::take(&mut cells.problems))
        };
        rows.push(Read { row: row.number, label, member, said });
    }
    rows
}

fn refused(row: &Read, problems: Vec<CellProblem>) -> PlannedRow {
    PlannedRow {
        row: row.row,
        label: row.label.clone(),
        outcome: Outcome::Refused(problems),
        notes: Vec::new(),
    }
}

fn whole(reason: Reason) -> Vec<CellProblem> {
    vec![CellProblem { column: None, value: String::new(), reason }]
}

/// What would be done with a list of contact windows: for each doctor who stands in it, everything they have that
/// year is what the list says. A doctor of whom one row cannot be taken stays as they were.
#[must_use]
pub fn plan_windows(table: &Table, world: &World) -> Plan {
    let Some(heading) = find_heading(Kind::Windows, table) else {
        return Plan::unreadable(Kind::Windows);
    };
    let year = year_of(table, &heading).unwrap_or(world.year);
    let mut plan = Plan {
        year: Some(year),
        heading: Some(heading.row),
        columns: heading.columns.clone(),
        ..Plan::unreadable(Kind::Windows)
    };
    plan.passed_over = table.rows.iter().take(heading.data_from).map(|r| r.number).collect();
    let rows = read(table, &heading, world, year, &mut plan);
    let mut of_whom: BTreeMap<&MemberId, Vec<&Read>> = BTreeMap::new();
    for row in &rows {
        if let Some(member) = &row.member {
            of_whom.entry(member).or_default().push(row);
        }
    }
    for row in &rows {
        let mine = row.member.as_ref().and_then(|member| of_whom.get_key_value(member));
        let Some((member, all)) = mine else {
            plan.rows.push(refused(row, row.said.as_ref().err().cloned().unwrap_or_default()));
            continue;
        };
        if let Err(problems) = &row.said {
            plan.rows.push(refused(
                row,
                if problems.is_empty() { whole(Reason::RowBeside) } else { problems.clone() },
            ));
        } else if all.iter().any(|other| other.said.is_err()) {
            plan.rows.push(refused(row, whole(Reason::RowBeside)));
        } else if all.first().is_some_and(|first| first.row == row.row) {
            let windows = all.iter().filter_map(|r| r.said.as_ref().ok()).flatten().cloned().collect();
            let draft = WindowsDraft { member: (*member).clone(), year, windows };
            plan.rows.push(PlannedRow { outcome: outcome(draft, world), ..refused(row, Vec::new()) });
        }
    }
    plan
}

fn outcome(draft: WindowsDraft, world: &World) -> Outcome {
    let Some(there) = world.windows.get(&draft.year) else {
        return Outcome::Refused(whole(Reason::OtherYear));
    };
    if draft.windows.len() > WINDOWS_MOST {
        return Outcome::Refused(whole(Reason::TooMany));
    }
    let nothing: WindowsNow = (0, Vec::new());
    let (revision, now) = there.get(&draft.member).unwrap_or(&nothing);
    if *now == draft.windows {
        return Outcome::Same;
    }
    if *revision == 0 {
        return Outcome::Add(Target::Windows(Box::new(draft)));
    }
    let said =
        |all: &[ContactWindow]| all.iter().map(|w| said_in_one(w, world)).collect::<Vec<_>>().join("／");
    let diffs = vec![Diff { column: Column::Hours, old: said(now), new: said(&draft.windows) }];
    let id = draft.member.to_string();
    Outcome::Change { id, revision: *revision, diffs, to: Target::Windows(Box::new(draft)) }
}

fn said_in_one(window: &ContactWindow, world: &World) -> String {
    let columns = [Column::Ways, Column::Weekdays, Column::Hours, Column::Note];
    let parts = columns.map(|column| said_of_window(window, column, world));
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

/// What a list says in a column about a window.
#[must_use]
pub fn said_of_window(window: &ContactWindow, column: Column, world: &World) -> String {
    let yes = |is: bool| if is { "○" } else { "×" }.to_owned();
    match column {
        Column::Ways if window.way == ContactWay::Other => String::from("その他"),
        Column::Ways => {
            let named = world.words.ways.iter().find(|(_, way)| *way == window.way);
            named.map_or_else(|| window.way.code().to_owned(), |(name, _)| name.clone())
        }
        Column::Weekdays if window.days.is_empty() => "毎日".to_owned(),
        Column::Weekdays => {
            window.days.iter().map(|day| day_kanji(*day).to_string()).collect::<Vec<_>>().join("・")
        }
        Column::Hours => hours_text(window.from_min, window.to_min),
        Column::Holidays => yes(window.holidays),
        Column::Public => yes(window.public),
        Column::Note => window.remarks.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_stands_in_the_title_as_offices_write_it() {
        for (title, year) in [
            ("令和８年度　ケアマネタイム一覧", Some(2026)),
            ("R9年度", Some(2027)),
            ("ケアマネタイム（２０２７年度版）", Some(2027)),
            ("平成31年度", Some(2019)),
            ("令和元年度", Some(2019)),
            ("Contact hours FY2026", Some(2026)),
            ("令和8年4月1日現在", None),
            ("年度", None),
            ("来年度", None),
            ("26年度", None),
        ] {
            assert_eq!(year_said(title), year, "{title}");
        }
    }
}
