//! The cells of one row, read column by column; what cannot be read is collected.

use super::Column;
use super::header::Heading;
use super::plan::{CellProblem, Note, Reason};
use super::table::TableRow;
use super::values::{line, lines};
use crate::domain::consult::{Wrong, long_text, short_text};

pub(super) struct Cells<'a> {
    heading: &'a Heading,
    row: &'a TableRow,
    pub problems: Vec<CellProblem>,
    pub notes: Vec<Note>,
}

impl<'a> Cells<'a> {
    pub const fn new(heading: &'a Heading, row: &'a TableRow) -> Self {
        Self { heading, row, problems: Vec::new(), notes: Vec::new() }
    }

    /// What stands in a column; `None` where the column or the cell is empty: that changes nothing.
    pub fn raw(&self, column: Column) -> Option<&'a str> {
        let text = self.row.cell(self.heading.place(column)?).trim();
        (!text.is_empty()).then_some(text)
    }

    pub fn wrong(&mut self, column: Column, reason: Reason) {
        let value = self.raw(column).unwrap_or_default().to_owned();
        self.problems.push(CellProblem { column: Some(column), value, reason });
    }

    /// A cell read with `read`; what it cannot read is a problem.
    pub fn take<T>(&mut self, column: Column, read: impl Fn(&str) -> Result<T, Reason>) -> Option<T> {
        match read(self.raw(column)?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.wrong(column, reason);
                None
            }
        }
    }

    /// A text of one line, such as a name.
    pub fn line(&mut self, column: Column) -> Option<String> {
        self.take(column, |text| checked(line(text), short_text))
    }

    /// A text of several lines.
    pub fn lines(&mut self, column: Column) -> Option<String> {
        self.take(column, |text| checked(lines(text), long_text))
    }

    /// A code or number whose leading 0 may have been dropped.
    pub fn code(
        &mut self,
        column: Column,
        read: impl Fn(&str) -> Result<(String, bool), Reason>,
    ) -> Option<String> {
        let (code, zero_put) = self.take(column, read)?;
        if zero_put {
            self.notes.push(Note::ZeroPut(column, code.clone()));
        }
        Some(code)
    }

    /// A phone or fax number.
    pub fn phone(&mut self, column: Column) -> Option<String> {
        let phone = self.take(column, super::values::phone)?;
        if phone.zero_put {
            self.notes.push(Note::ZeroPut(column, phone.number.clone()));
        }
        if !phone.extension.is_empty() {
            self.notes.push(Note::NotUsed(column, format!("内線{}", phone.extension)));
        }
        Some(phone.number)
    }
}

fn checked(text: String, wrong: impl Fn(&str, bool) -> Option<Wrong>) -> Result<String, Reason> {
    match wrong(&text, true) {
        None => Ok(text),
        Some(Wrong::Missing) => Err(Reason::Missing),
        Some(Wrong::TooLong) => Err(Reason::TooLong),
        Some(_) => Err(Reason::NotText),
    }
}

/// A text that a sheet gives over one that is there: only where it says something else.
pub(super) fn put(old: &mut String, new: Option<String>) {
    if let Some(new) = new
        && !super::values::same_text(old, &new)
    {
        *old = new;
    }
}

/// A number over one that is there: another way to write it is the same number.
pub(super) fn put_number(old: &mut Option<String>, new: Option<String>) {
    if let Some(new) = new
        && old.as_deref().is_none_or(|old| super::values::digits(old) != super::values::digits(&new))
    {
        *old = Some(new);
    }
}

/// A reading in kana over one that is there: the other kana are the same reading.
pub(super) fn put_kana(old: &mut String, new: Option<String>) {
    if let Some(new) = new
        && super::values::fold_name(old) != super::values::fold_name(&new)
    {
        *old = new;
    }
}
