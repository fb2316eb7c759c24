//! Totals that may be shown outside: which numbers of two tables that share their columns are hidden, so that
//! no small number can be read or computed. What is counted is `app::settings::totals`.
//!
//! The two tables hang together: the sums of the columns, and the sum of all, are the same in both. Whoever
//! reads them knows for every sum that its parts add up, that a hidden number is at least 1 (a nought is
//! never hidden), and how the hiding works. A hidden number is safe when another value of it fits everything
//! that is shown.
//!
//! Rows, columns and sums are the places of a network and the numbers its pipes: what flows into a place flows
//! out of it. Another value fits exactly when one more can flow round a circle of hidden pipes (conformal
//! decomposition of a circulation; Ahuja, Magnanti, Orlin, *Network Flows*, 1993, §3.5). So for every number
//! below the minimum the cheapest circle is looked for, and its other pipes are hidden too. There always is
//! one: round by the sums.

use std::collections::BTreeSet;

/// The smallest minimum: below 3 a hidden number is known to be 1.
pub const MINIMUM_LEAST: i64 = 3;

/// Counts by row and column. Every row has as many counts as there are columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub rows: Vec<Vec<i64>>,
}

/// A table to be shown; `None` is hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub rows: Vec<Vec<Option<i64>>>,
    /// The sum of each row.
    pub row_sums: Vec<Option<i64>>,
}

/// Two tables of the same requests, with what they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub first: Shown,
    pub second: Shown,
    /// The sum of each column, the same in both.
    pub column_sums: Vec<Option<i64>>,
    pub sum: Option<i64>,
}

/// What it costs to hide a sum, compared with a cell: sums are worth more to a reader.
const ROW_SUM_COST: i64 = 1_000;
const COLUMN_SUM_COST: i64 = 10_000;
const SUM_COST: i64 = 100_000;

#[derive(Clone, Copy, Debug)]
struct Pipe {
    from: usize,
    to: usize,
    count: i64,
    cost: i64,
    hidden: bool,
}

/// Where a number stands among the pipes.
struct Plan {
    pipes: Vec<Pipe>,
    places: usize,
    rows: [usize; 2],
    columns: usize,
}

impl Plan {
    /// Places: the rows of the first table, its columns, the columns of the second, its rows, and on either
    /// side the place where row sums meet. Pipes in the order of [`Plan::index`].
    fn new(first: &Counts, second: &Counts, columns: usize) -> Self {
        let (m, k) = (first.rows.len(), second.rows.len());
        let column = |j: usize| m + j;
        let mirrored = |j: usize| m + columns + j;
        let row = |i: usize| m + 2 * columns + i;
        let (left, right) = (m + 2 * columns + k, m + 2 * columns + k + 1);
        let mut pipes = Vec::new();
        let mut pipe = |from, to, count, cost: i64| {
            pipes.push(Pipe { from, to, count, cost: cost.saturating_add(count), hidden: false });
        };
        let count = |counts: &Counts, i: usize, j: usize| {
            counts.rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0)
        };
        for i in 0..m {
            (0..columns).for_each(|j| pipe(i, column(j), count(first, i, j), 0));
        }
        for i in 0..m {
            pipe(left, i, (0..columns).map(|j| count(first, i, j)).sum(), ROW_SUM_COST);
        }
        for j in 0..columns {
            pipe(column(j), mirrored(j), (0..m).map(|i| count(first, i, j)).sum(), COLUMN_SUM_COST);
        }
        for i in 0..k {
            (0..columns).for_each(|j| pipe(mirrored(j), row(i), count(second, i, j), 0));
        }
        for i in 0..k {
            pipe(row(i), right, (0..columns).map(|j| count(second, i, j)).sum(), ROW_SUM_COST);
        }
        pipe(right, left, first.rows.iter().flatten().sum(), SUM_COST);
        Self { pipes, places: right + 1, rows: [m, k], columns }
    }

    /// Hides what is below the minimum and, for each of them, the cheapest circle.
    fn hide(&mut self, minimum: i64) {
        for pipe in &mut self.pipes {
            pipe.hidden = pipe.count > 0 && pipe.count < minimum;
        }
        let small: Vec<usize> =
            self.pipes.iter().enumerate().filter_map(|(at, pipe)| pipe.hidden.then_some(at)).collect();
        for at in small {
            for other in self.circle(at) {
                if let Some(pipe) = self.pipes.get_mut(other) {
                    pipe.hidden = true;
                }
            }
        }
    }

    /// The pipes of the cheapest circle round which one more can flow through this one: Dijkstra from its end
    /// to its beginning, along pipes that can take one more and against those that can give one and stay.
    fn circle(&self, at: usize) -> Vec<usize> {
        let Some(start) = self.pipes.get(at) else { return Vec::new() };
        let mut best: Vec<Option<(i64, usize)>> = vec![None; self.places];
        let mut open: BTreeSet<(i64, usize)> = BTreeSet::from([(0, start.to)]);
        let mut done = vec![false; self.places];
        while let Some((cost, place)) = open.pop_first() {
            if place == start.from {
                break;
            }
            match done.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            for (index, pipe) in self.pipes.iter().enumerate().filter(|(i, p)| *i != at && p.count > 0) {
                let next = if pipe.from == place {
                    pipe.to
                } else if pipe.to == place && pipe.count >= 2 {
                    pipe.from
                } else {
                    continue;
                };
                let cost = if pipe.hidden { cost } else { cost.saturating_add(pipe.cost) };
                if next != start.to
                    && let Some(known) = best.get_mut(next)
                    && known.is_none_or(|(before, _)| cost < before)
                {
                    *known = Some((cost, index));
                    open.insert((cost, next));
                }
            }
        }
        let mut circle = Vec::new();
        let mut place = start.from;
        while place != start.to && circle.len() <= self.pipes.len() {
            let Some((_, index)) = best.get(place).copied().flatten() else { break };
            let Some(pipe) = self.pipes.get(index) else { break };
            circle.push(index);
            place = if pipe.to == place { pipe.from } else { pipe.to };
        }
        circle
    }

    fn shown(&self) -> Totals {
        let (c, [m, k]) = (self.columns, self.rows);
        let at = |index: usize| self.pipes.get(index).filter(|p| !p.hidden).map(|p| p.count);
        let table = |begin: usize, rows: usize| Shown {
            rows: (0..rows).map(|i| (0..c).map(|j| at(begin + i * c + j)).collect()).collect(),
            row_sums: (0..rows).map(|i| at(begin + rows * c + i)).collect(),
        };
        let columns_begin = m * c + m;
        let second_begin = columns_begin + c;
        Totals {
            first: table(0, m),
            second: table(second_begin, k),
            column_sums: (0..c).map(|j| at(columns_begin + j)).collect(),
            sum: at(second_begin + k * c + k),
        }
    }
}

/// Hides every number of 1 or more below `minimum`, and as much more as it takes that none can be computed.
/// Both tables count the same requests by the same columns.
#[must_use]
pub fn protected(first: &Counts, second: &Counts, columns: usize, minimum: i64) -> Totals {
    let mut plan = Plan::new(first, second, columns);
    plan.hide(minimum.max(MINIMUM_LEAST));
    plan.shown()
}

#[cfg(test)]
mod tests;
