//! People below each other and days beside each other: which column is which day, which row is whose.

use chrono::Weekday;

use super::dates::{Days, day_said, month_said, weekday};
use super::matrix::Matrix;
use super::names::{Names, Who};
use super::{Known, Place, Reading, Reason};
use crate::domain::calendar::CivilDate;

/// Days beside each other that make a head: fewer are a table of something else.
const DAYS_MIN: usize = 5;

/// A table of people and days.
pub(super) struct Across<'a> {
    /// Column and day.
    pub days: Vec<(usize, CivilDate)>,
    /// Row and person.
    pub people: Vec<(u32, &'a Known)>,
}

/// The row that holds most days beside each other, if any does.
pub(super) fn head(matrix: &Matrix<'_>) -> Option<(u32, usize)> {
    let count = |row: u32| {
        let said = matrix.filled(row).into_iter().filter(|(_, text)| day_said(text).is_some()).count();
        (said, row)
    };
    let counted = matrix.rows.iter().map(|row| count(*row)).filter(|(said, _)| *said >= DAYS_MIN);
    counted.max_by_key(|(said, row)| (*said, std::cmp::Reverse(*row))).map(|(said, row)| (row, said))
}

/// Reads the titles above a row.
pub(super) fn titles(matrix: &Matrix<'_>, before: u32, days: &mut Days<'_>) {
    for row in matrix.rows.iter().take_while(|row| **row < before) {
        for (_, text) in matrix.filled(*row) {
            if let Some(said) = month_said(text) {
                days.title(said);
            }
        }
    }
}

/// The table whose head is `row`; rows of people without a readable name are told when they hold anything.
pub(super) fn read<'a>(
    matrix: &Matrix<'_>,
    row: u32,
    names: &Names<'a>,
    days: &mut Days<'_>,
    reading: &mut Reading,
) -> Across<'a> {
    titles(matrix, row, days);
    // A row of weekdays stands above or below the days.
    let at = matrix.rows.iter().position(|r| *r == row).unwrap_or(0);
    let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
    let weekdays = beside.filter_map(|at| matrix.rows.get(at)).find(|row| {
        let said = matrix.filled(**row);
        said.iter().filter(|(_, text)| weekday(text).is_some()).count() >= DAYS_MIN
    });
    let on = |column: usize| -> Option<Weekday> { weekday(matrix.at(*weekdays?, column)) };
    let mut columns = Vec::new();
    let mut first_column = None;
    for (place, text) in matrix.filled(row) {
        if day_said(text).is_none() {
            // A month that begins within the row: 11月.
            if let Some(said) = month_said(text).filter(|_| first_column.is_some()) {
                days.title(said);
            }
            continue;
        }
        // 区分 before the days may hold numbers too, but no head: the first day is the first column.
        first_column.get_or_insert(place.column);
        if let Some(day) = days.read(text, place, on(place.column), reading) {
            columns.push((place.column, day));
        }
    }
    let first_column = first_column.unwrap_or(0);
    let below: Vec<u32> =
        matrix.rows.iter().copied().filter(|r| *r > row && Some(r) != weekdays.as_ref().copied()).collect();
    let known = |column: usize| below.iter().filter(|r| names.knows(matrix.at(**r, column))).count();
    let name_column = (0..first_column).max_by_key(|column| (known(*column), std::cmp::Reverse(*column)));
    let mut people = Vec::new();
    let Some(name_column) = name_column.filter(|column| known(*column) > 0) else {
        return Across { days: columns, people };
    };
    for row in below {
        let place = matrix.origin(Place { row, column: name_column });
        let text = matrix.at(row, name_column);
        let says = columns.iter().any(|(column, _)| !matrix.at(row, *column).is_empty());
        match names.find(text) {
            Who::One { known, short } => {
                if short {
                    reading.note(place, text, super::NoteKind::ShortName, known.name.clone());
                }
                people.push((row, known));
            }
            // Notes below the table, counts in the last row.
            Who::None(..) if text.is_empty() || !says => {}
            Who::None(reason, about) => {
                let counts = matches!(reason, Reason::Nobody) && is_sum(text);
                if !counts {
                    reading.wrong(place, text, reason, about);
                }
            }
        }
    }
    Across { days: columns, people }
}

/// Rows that count what stands above them.
pub(super) fn is_sum(text: &str) -> bool {
    let plain = crate::domain::people::kana::narrow(text);
    ["計", "合計", "小計", "人数", "可能数", "凡例"].iter().any(|word| plain.starts_with(word))
}
