//! A table as one sees it: joined cells say the same everywhere they reach.

use std::collections::BTreeMap;

use super::Place;
use crate::domain::people::sheet::Table;

/// The most cells that joined cells reach over: more is no sheet of an office.
const JOINED_MAX: usize = 50_000;

pub(super) struct Matrix<'a> {
    table: &'a Table,
    joined: BTreeMap<Place, Place>,
    /// Rows that say something, in order.
    pub rows: Vec<u32>,
    /// One more than the last column.
    pub width: usize,
    by_number: BTreeMap<u32, usize>,
}

impl<'a> Matrix<'a> {
    pub fn new(table: &'a Table) -> Self {
        let mut joined = BTreeMap::new();
        for m in &table.merged {
            let (left, right) = (usize::try_from(m.left).unwrap_or(0), usize::try_from(m.right).unwrap_or(0));
            for row in m.top..=m.bottom {
                for column in left..=right {
                    if joined.len() < JOINED_MAX {
                        joined.insert(Place { row, column }, Place { row: m.top, column: left });
                    }
                }
            }
        }
        let rows: Vec<u32> = table.rows.iter().map(|row| row.number).collect();
        let by_number = rows.iter().enumerate().map(|(at, number)| (*number, at)).collect();
        let width = table.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        Self { table, joined, rows, width, by_number }
    }

    /// Where what stands at a place is written.
    pub fn origin(&self, place: Place) -> Place {
        self.joined.get(&place).copied().unwrap_or(place)
    }

    /// Whether the place only repeats what is written elsewhere.
    pub fn is_repeated(&self, place: Place) -> bool {
        self.origin(place) != place
    }

    /// What stands at a place, joined cells included; without blanks around it.
    pub fn at(&self, row: u32, column: usize) -> &'a str {
        let Place { row, column } = self.origin(Place { row, column });
        let found = self.by_number.get(&row).and_then(|at| self.table.rows.get(*at));
        found.map_or("", |row| row.cell(column).trim())
    }

    /// The cells of a row that say something, joined ones once.
    pub fn filled(&self, row: u32) -> Vec<(Place, &'a str)> {
        let places = (0..self.width).map(|column| Place { row, column });
        let said = places.filter(|place| !self.is_repeated(*place)).map(|p| (p, self.at(row, p.column)));
        said.filter(|(_, text)| !text.is_empty()).collect()
    }

    /// The name of the sheet.
    pub fn sheet(&self) -> &'a str {
        &self.table.sheet
    }
}
