//! A rota out of a sheet, in whichever of three layouts it is kept.

use std::collections::BTreeMap;

use chrono::Weekday;

use super::across;
use super::dates::{Days, day_said, month_said, weekday};
use super::matrix::Matrix;
use super::names::{Named, Names, Who, is_empty_seat, names_in, role_in, role_word};
use super::{Known, Layout, NoteKind, Place, ReadDuty, Reading, Reason, World};
use crate::domain::calendar::CivilDate;
use crate::domain::people::kana::narrow;
use crate::domain::people::sheet::{Table, fold_name};
use crate::domain::rota::model::{Assignment, RotaRole};
use crate::domain::rota::slots::Slot;

/// Days below each other that make a list.
const DAYS_MIN: usize = 3;
/// Heads of a list stand in so many rows at most.
const HEAD_ROWS: usize = 4;

/// Reads a rota. Nothing is taken that cannot be read: it is named in [`Reading::problems`].
#[must_use]
pub fn read_duties(table: &Table, world: World<'_>) -> Reading {
    let matrix = Matrix::new(table);
    let names = Names::new(world.people);
    let mut read =
        Read { world, names: &names, matrix: &matrix, out: Reading::default(), seats: BTreeMap::new() };
    let down = day_column(&matrix);
    let across = across::head(&matrix);
    let weeks = week_head(&matrix);
    match (weeks, down, across) {
        (Some((row, columns)), ..) => read.grid(row, &columns),
        (None, Some((column, down)), across) if across.is_none_or(|(_, across)| down >= across) => {
            read.rows(column);
        }
        (None, _, Some((row, _))) => read.across(row),
        _ => {}
    }
    let duties = read.out.duties.iter().map(|d| d.duty.slot.day);
    read.out.days = duties.clone().min().zip(duties.max());
    read.out.ordered()
}

/// The column that holds most days below each other.
pub(super) fn day_column(matrix: &Matrix<'_>) -> Option<(usize, usize)> {
    let days = |column: usize| {
        let places = matrix.rows.iter().map(|row| Place { row: *row, column });
        let said =
            places.filter(|p| !matrix.is_repeated(*p)).filter_map(|p| day_said(matrix.at(p.row, column)));
        let days: Vec<_> = said.map(|(said, _)| said).collect();
        // Numbers of people count up too, but never begin anew, and stand beside names: days are told by the
        // head above them, or by being the first.
        days.len()
    };
    let headed = |column: usize| {
        let first = matrix.rows.iter().find(|row| day_said(matrix.at(**row, column)).is_some());
        let above = matrix.rows.iter().take_while(|row| Some(*row) != first);
        let head = above.last().map(|row| narrow(matrix.at(*row, column))).unwrap_or_default();
        ["日付", "月日", "日", "期日", "年月日", "date", "day"].contains(&head.to_lowercase().as_str())
    };
    let counted = (0..matrix.width).map(|column| (column, days(column))).filter(|(_, n)| *n >= DAYS_MIN);
    counted.max_by_key(|(column, n)| (headed(*column), *n, std::cmp::Reverse(*column)))
}

/// A row of seven weekdays beside each other: row, and the columns at which each begins, with the end.
fn week_head(matrix: &Matrix<'_>) -> Option<(u32, Vec<(usize, Weekday)>)> {
    matrix.rows.iter().find_map(|row| {
        let found: Vec<(usize, Weekday)> = matrix
            .filled(*row)
            .into_iter()
            .filter_map(|(place, text)| weekday(text).map(|day| (place.column, day)))
            .collect();
        let follows = found.windows(2).all(|pair| match pair {
            [(_, a), (_, b)] => a.succ() == *b,
            _ => true,
        });
        (found.len() == 7 && follows).then_some((*row, found))
    })
}

/// Which of a day's slots a heading means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hint {
    role: Option<RotaRole>,
    /// The text, for the names of the association's own patterns.
    text: String,
}

impl Hint {
    fn of(text: &str) -> Self {
        Self { role: role_in(text), text: narrow(text) }
    }

    /// A heading of a row within the heading of a column.
    fn with(&self, other: &Self) -> Self {
        Self { role: other.role.or(self.role), text: format!("{} {}", self.text, other.text) }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }

    fn is_day(&self) -> bool {
        self.has(&["日中", "昼", "日直", "日勤", "日当直", "午後"]) || self.text.trim() == "日"
    }

    fn is_night(&self) -> bool {
        self.has(&["夜", "宿直", "当直", "準夜", "深夜", "オンコール"])
    }
}

struct Read<'a, 'm> {
    world: World<'a>,
    names: &'m Names<'a>,
    matrix: &'m Matrix<'m>,
    out: Reading,
    /// Who was put where, and at which place it was said.
    seats: BTreeMap<(CivilDate, String, RotaRole), (&'a Known, Place)>,
}

impl<'a> Read<'a, '_> {
    /// The slots of a day that a heading means.
    fn slots(&self, day: CivilDate, hint: &Hint) -> Vec<Slot> {
        let w = &self.world;
        let all = w.book.slots(w.area, day, day, w.calendar, w.zone);
        let named = |slot: &Slot| {
            let pattern = w.book.patterns().iter().find(|p| p.kind == slot.key.kind);
            let name = pattern.map(|p| fold_name(&p.name)).unwrap_or_default();
            let said = fold_name(&hint.text);
            !name.is_empty() && (said.contains(&name) || said == slot.key.kind.as_str())
        };
        if all.iter().any(named) {
            return all.into_iter().filter(named).collect();
        }
        let begins = |slot: &Slot| crate::domain::calendar::wall_clock(slot.window.from, w.zone).time();
        let noon = chrono::NaiveTime::from_hms_opt(15, 0, 0).unwrap_or_default();
        match (hint.is_day(), hint.is_night()) {
            (true, false) => all.into_iter().filter(|slot| begins(slot) < noon).collect(),
            (false, true) => all.into_iter().filter(|slot| begins(slot) >= noon).collect(),
            _ => all,
        }
    }

    /// Puts the names of a cell into the seats that its headings mean. `order`: which role a name has that says
    /// none, by its number.
    fn cell(&mut self, day: CivilDate, place: Place, text: &str, hint: &Hint, order: usize) {
        let place = self.matrix.origin(place);
        let named = names_in(text, self.names);
        if named.is_empty() {
            if !text.trim().is_empty() && role_word(text).is_none() {
                self.out.empty += 1;
            }
            return;
        }
        // Below a heading that names one role, or without any that could tell them apart.
        let unsaid = named.iter().filter(|n| n.role.is_none()).count();
        if (hint.role.is_some() && unsaid > 1) || order + unsaid > RotaRole::ALL.len() {
            self.out.wrong(place, text, Reason::TooManyNames, "");
            return;
        }
        let mut n = order;
        for Named { role, name, replaced } in named {
            let role = role.or(hint.role).or_else(|| {
                n += 1;
                RotaRole::ALL.get(n - 1).copied()
            });
            let Some(role) = role else { continue };
            match self.names.find(&name) {
                Who::One { known, short } => {
                    if replaced {
                        self.out.note(place, text, NoteKind::Replaced, known.name.clone());
                    } else if short {
                        self.out.note(place, text, NoteKind::ShortName, known.name.clone());
                    }
                    self.seat(day, place, text, hint, role, known);
                }
                Who::None(reason, about) => self.out.wrong(place, text, reason, about),
            }
        }
    }

    fn seat(
        &mut self,
        day: CivilDate,
        place: Place,
        text: &str,
        hint: &Hint,
        role: RotaRole,
        known: &'a Known,
    ) {
        let slots = self.slots(day, hint);
        if slots.is_empty() {
            self.out.wrong(place, text, Reason::NoSlot, day.to_string());
            return;
        }
        let with_role: Vec<Slot> = slots.into_iter().filter(|slot| slot.roles.contains(&role)).collect();
        if with_role.is_empty() {
            self.out.wrong(place, text, Reason::NoRole, day.to_string());
            return;
        }
        if with_role.len() > 1 {
            self.out.note(place, text, NoteKind::WholeDay, with_role.len().to_string());
        }
        for slot in with_role {
            let key = (day, slot.key.kind.to_string(), role);
            match self.seats.get(&key) {
                Some((before, _)) if before.holder == known.holder => {}
                Some((_, said)) => {
                    let said = said.to_string();
                    self.out.wrong(place, text, Reason::SaidBefore, said);
                }
                None => {
                    self.seats.insert(key, (known, place));
                    self.out.duties.push(ReadDuty {
                        duty: Assignment {
                            area: self.world.area.clone(),
                            slot: slot.key,
                            role,
                            window: slot.window,
                            holder: known.holder.clone(),
                        },
                        place,
                    });
                }
            }
        }
    }

    /// One day below the other.
    fn rows(&mut self, column: usize) {
        self.out.layout = Some(Layout::Rows);
        let (m, names) = (self.matrix, self.names);
        let mut days = Days::new(self.world, m);
        let Some(first) = m.rows.iter().copied().find(|row| day_said(m.at(*row, column)).is_some()) else {
            return;
        };
        across::titles(m, first, &mut days);
        let data: Vec<u32> = m.rows.iter().copied().filter(|row| *row >= first).collect();
        let uses = self.uses(column, first, &data);
        // An order for columns of names that say no role.
        let mut unsaid = 0;
        let orders: Vec<usize> = uses
            .iter()
            .map(|u| {
                let order = unsaid;
                unsaid += usize::from(matches!(u, Use::Names(hint) if hint.role.is_none()));
                order
            })
            .collect();
        let weekday_column = uses.iter().position(|u| *u == Use::Weekday);
        let mut open: Option<(Place, Option<CivilDate>)> = None;
        for row in data {
            let place = m.origin(Place { row, column });
            let text = m.at(row, column);
            let filled = m.filled(row);
            if text.is_empty() || day_said(text).is_none() {
                let title = filled.first().filter(|_| filled.len() == 1);
                if let Some(said) = title.and_then(|(_, text)| month_said(text)) {
                    days.title(said);
                    open = None;
                    continue;
                }
                let says = uses.iter().enumerate().any(|(c, u)| {
                    matches!(u, Use::Names(_))
                        && names_in(m.at(row, c), names).iter().any(|n| names.knows(&n.name))
                });
                if !text.is_empty() {
                    // A heading that is printed again on each page, a note below: only a row with names is missed.
                    if says {
                        self.out.wrong(place, text, Reason::NotADay, "");
                    }
                    open = None;
                    continue;
                }
                // The second row of a day whose date stands in the first.
                if open.is_none() {
                    continue;
                }
            } else if open.is_none_or(|(at, _)| at != place) {
                let beside = weekday_column.and_then(|c| weekday(m.at(row, c)));
                open = Some((place, days.read(text, place, beside, &mut self.out)));
            }
            let Some((_, Some(day))) = open else { continue };
            let labels = uses.iter().enumerate().filter(|(_, u)| **u == Use::Label);
            let label = labels.fold(Hint::default(), |hint, (c, _)| hint.with(&Hint::of(m.at(row, c))));
            for (c, (using, order)) in uses.iter().zip(&orders).enumerate() {
                let Use::Names(head) = using else { continue };
                let cell = Place { row, column: c };
                // A name joined over several days is said for each of them; a title across is none.
                if m.is_repeated(cell) && m.origin(cell).column != c {
                    continue;
                }
                let text = m.at(row, c);
                if text.is_empty() {
                    self.out.empty += 1;
                    continue;
                }
                self.cell(day, cell, text, &head.with(&label), *order);
            }
        }
    }

    /// What each column of a list holds.
    fn uses(&mut self, day_column: usize, first: u32, data: &[u32]) -> Vec<Use> {
        let m = self.matrix;
        let above: Vec<u32> = m.rows.iter().copied().filter(|row| *row < first).collect();
        let heads: Vec<u32> = above
            .iter()
            .rev()
            .take(HEAD_ROWS)
            .rev()
            // A title stands alone in its row.
            .filter(|row| m.filled(**row).len() > 1)
            .copied()
            .collect();
        (0..m.width)
            .map(|column| {
                if column == day_column {
                    return Use::Nothing;
                }
                let mut said: Vec<&str> = heads.iter().map(|row| m.at(*row, column)).collect();
                said.dedup();
                let head = said.join(" ").trim().to_owned();
                let texts: Vec<&str> =
                    data.iter().map(|row| m.at(*row, column)).filter(|text| !text.is_empty()).collect();
                if texts.is_empty() {
                    return Use::Nothing;
                }
                let most = |n: usize| n * 2 > texts.len();
                let count = |fits: &dyn Fn(&str) -> bool| texts.iter().filter(|text| fits(text)).count();
                if most(count(&|text| weekday(text).is_some())) {
                    return Use::Weekday;
                }
                let label = |text: &str| {
                    let hint = Hint::of(text);
                    role_word(text).is_some()
                        || ((hint.is_day() || hint.is_night()) && !self.names.knows(text))
                };
                if most(count(&label)) {
                    return Use::Label;
                }
                let known = |text: &str| {
                    let named = names_in(text, self.names);
                    !named.is_empty() && named.iter().any(|n| self.names.knows(&n.name))
                };
                let plain = narrow(&head);
                let other = [
                    "備考",
                    "医療機関",
                    "病院名",
                    "診療所",
                    "所在地",
                    "住所",
                    "電話",
                    "TEL",
                    "tel",
                    "連絡先",
                    "行事",
                    "祝日",
                    "地区",
                    "曜",
                ];
                let is_other = other.iter().any(|word| plain.contains(word));
                let seats = ["当番", "担当", "医師", "氏名", "先生", "名前"];
                let is_seat = role_in(&head).is_some()
                    || seats.iter().any(|word| plain.contains(word))
                    || Hint::of(&head).is_day()
                    || Hint::of(&head).is_night();
                if !is_other && (is_seat || most(count(&known))) {
                    return Use::Names(Hint::of(&head));
                }
                if !head.is_empty() {
                    let place = Place { row: heads.last().copied().unwrap_or(first), column };
                    let place = m.origin(place);
                    self.out.note(place, &head, NoteKind::NotUsed, "");
                }
                Use::Nothing
            })
            .collect()
    }

    /// Weeks below each other.
    fn grid(&mut self, head: u32, columns: &[(usize, Weekday)]) {
        self.out.layout = Some(Layout::Grid);
        let m = self.matrix;
        let mut days = Days::new(self.world, m);
        across::titles(m, head, &mut days);
        let ends: Vec<usize> =
            columns.iter().skip(1).map(|(c, _)| *c).chain([m.width.max(columns.len())]).collect();
        let first_column = columns.first().map_or(0, |(c, _)| *c);
        // The day of each of the seven columns in the week that is being read, and rows of names so far.
        let mut week: Vec<Option<CivilDate>> = vec![None; columns.len()];
        let mut row_in_week = 0;
        for row in m.rows.iter().copied().filter(|row| *row > head) {
            let filled = m.filled(row);
            if let [(_, text)] = filled.as_slice()
                && let Some(said) = month_said(text)
            {
                days.title(said);
                continue;
            }
            let first_line = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
            let dayish = |c: usize, end: usize| {
                (c..end).find_map(|c| {
                    let cell = Place { row, column: c };
                    let text = m.at(row, c);
                    (!m.is_repeated(cell) && day_said(&first_line(text)).is_some()).then_some((cell, text))
                })
            };
            let found: Vec<_> = columns.iter().zip(&ends).map(|((c, _), end)| dayish(*c, *end)).collect();
            let is_week = found.iter().any(Option::is_some);
            if is_week {
                row_in_week = 0;
                for (n, cell) in found.iter().enumerate() {
                    let on = columns.get(n).map(|(_, weekday)| *weekday);
                    let day =
                        cell.and_then(|(place, text)| days.read(&first_line(text), place, on, &mut self.out));
                    if let Some(place) = week.get_mut(n) {
                        *place = day;
                    }
                }
            }
            let labels = (0..first_column).map(|c| Hint::of(m.at(row, c)));
            let label = labels.fold(Hint::default(), |hint, other| hint.with(&other));
            let mut said = false;
            for (n, ((c, _), end)) in columns.iter().zip(&ends).enumerate() {
                let Some(Some(day)) = week.get(n).copied() else { continue };
                for c in *c..*end {
                    let cell = Place { row, column: c };
                    if m.is_repeated(cell) {
                        continue;
                    }
                    let text = m.at(row, c);
                    // What stands below the number in the same cell, or beside it.
                    let is_day = found.get(n).copied().flatten().is_some_and(|(place, _)| place == cell);
                    let names: String = if is_day {
                        text.lines().skip(1).collect::<Vec<_>>().join("\n")
                    } else {
                        text.to_owned()
                    };
                    if names.trim().is_empty() || self.is_remark(&names) {
                        continue;
                    }
                    said = true;
                    self.cell(day, cell, &names, &label, if is_week { 0 } else { row_in_week });
                }
            }
            row_in_week += usize::from(said && !is_week);
        }
    }

    /// The name of a holiday in a month table.
    fn is_remark(&self, text: &str) -> bool {
        let plain = narrow(text);
        let holiday = ["の日", "祝", "元日", "元旦", "振替休日", "記念日", "大晦日", "年末", "年始"];
        holiday.iter().any(|word| plain.contains(word)) && !self.names.knows(text)
    }

    /// People below each other.
    fn across(&mut self, row: u32) {
        self.out.layout = Some(Layout::Across);
        let mut days = Days::new(self.world, self.matrix);
        let table = across::read(self.matrix, row, self.names, &mut days, &mut self.out);
        for (row, known) in table.people {
            for (column, day) in &table.days {
                let cell = Place { row, column: *column };
                let text = self.matrix.at(row, *column);
                if text.is_empty() || is_empty_seat(text) {
                    continue;
                }
                let plain = narrow(text);
                let role = role_in(&plain).or_else(|| {
                    let on = ["○", "◯", "〇", "●", "◎", "当", "当番", "夜", "日", "昼", "日直", "当直", "1"];
                    on.contains(&plain.as_str()).then_some(RotaRole::Primary)
                });
                match role {
                    Some(role) => self.seat(*day, cell, text, &Hint::of(text), role, known),
                    None => self.out.wrong(cell, text, Reason::NotAMark, ""),
                }
            }
        }
    }
}

/// What a column of a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Use {
    Names(Hint),
    /// 正, 副, 日中, 夜: said for the row.
    Label,
    Weekday,
    Nothing,
}
