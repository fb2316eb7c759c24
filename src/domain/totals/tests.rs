//! Small tables, and everybody who tries to work out what was hidden.

use super::*;

fn counts(rows: &[&[i64]]) -> Counts {
    Counts { rows: rows.iter().map(|r| r.to_vec()).collect() }
}

#[test]
fn nothing_is_hidden_where_every_number_is_large_or_nought() {
    let table = counts(&[&[5, 0], &[4, 9]]);
    let shown = protected(&table, &table, 2, 3);
    assert_eq!(shown.first.rows, [[Some(5), Some(0)], [Some(4), Some(9)]]);
    assert_eq!(shown.sum, Some(18));
    assert_eq!(shown.column_sums, [Some(9), Some(9)]);
}

#[test]
fn a_single_small_number_takes_others_with_it() {
    let table = counts(&[&[1, 7], &[6, 9]]);
    let shown = protected(&table, &counts(&[&[7, 16]]), 2, 3);
    assert_eq!(shown.first.rows[0][0], None);
    let hidden = shown.first.rows.iter().flatten().filter(|c| c.is_none()).count();
    assert!(hidden >= 2, "{shown:?}");
    assert_eq!(shown.sum, Some(23), "the sum of all is kept where cells are enough: {shown:?}");
}

/// Every pair of tables with cells up to `most` that fits what is shown, as the hidden numbers in one order.
fn fitting(shown: &Totals, most: i64) -> Vec<Vec<i64>> {
    let cells: Vec<Option<i64>> =
        shown.first.rows.iter().chain(&shown.second.rows).flatten().copied().collect();
    let columns = shown.column_sums.len();
    let (m, k) = (shown.first.rows.len(), shown.second.rows.len());
    let hidden: Vec<usize> = (0..cells.len()).filter(|i| cells[*i].is_none()).collect();
    let mut found = Vec::new();
    let mut guess = vec![1; hidden.len()];
    'guesses: loop {
        let mut all: Vec<i64> = cells.iter().map(|c| c.unwrap_or(0)).collect();
        hidden.iter().zip(&guess).for_each(|(at, value)| all[*at] = *value);
        let row = |i: usize| all[i * columns..(i + 1) * columns].iter().sum::<i64>();
        let column = |from: usize, rows: usize, j: usize| {
            (from..from + rows).map(|i| all[i * columns + j]).sum::<i64>()
        };
        let fits = |said: Option<i64>, is: i64| said.is_none_or(|s| s == is);
        let good = (0..m).all(|i| fits(shown.first.row_sums[i], row(i)))
            && (0..k).all(|i| fits(shown.second.row_sums[i], row(m + i)))
            && (0..columns).all(|j| {
                let one = column(0, m, j);
                one == column(m, k, j) && fits(shown.column_sums[j], one)
            })
            && fits(shown.sum, (0..m).map(row).sum());
        if good {
            let mut numbers: Vec<i64> = guess.clone();
            let sums = (0..m)
                .filter(|i| shown.first.row_sums[*i].is_none())
                .map(row)
                .chain((0..k).filter(|i| shown.second.row_sums[*i].is_none()).map(|i| row(m + i)))
                .chain((0..columns).filter(|j| shown.column_sums[*j].is_none()).map(|j| column(0, m, j)))
                .chain(shown.sum.is_none().then(|| (0..m).map(row).sum()));
            numbers.extend(sums);
            found.push(numbers);
        }
        for digit in &mut guess {
            if *digit < most {
                *digit += 1;
                continue 'guesses;
            }
            *digit = 1;
        }
        return found;
    }
}

fn assert_safe(first: &Counts, second: &Counts, columns: usize, minimum: i64) {
    let shown = protected(first, second, columns, minimum);
    let plain = shown.first.rows.iter().chain(&shown.second.rows).flatten();
    for cell in plain.chain(&shown.first.row_sums).chain(&shown.second.row_sums).chain(&shown.column_sums) {
        assert!(cell.is_none_or(|n| n == 0 || n >= minimum), "{first:?} {second:?} shows {cell:?}");
    }
    let most = first.rows.iter().chain(&second.rows).flatten().max().copied().unwrap_or(0) + 1;
    let all = fitting(&shown, most);
    assert!(!all.is_empty(), "the truth itself does not fit: {shown:?}");
    for at in 0..all[0].len() {
        let values: BTreeSet<i64> = all.iter().map(|numbers| numbers[at]).collect();
        assert!(values.len() > 1, "number {at} can only be {values:?}: {first:?} {second:?} {shown:?}");
    }
}

#[test]
fn no_hidden_number_can_be_computed_from_what_is_shown() {
    // Every table of two by two with small cells; the second table has the column sums alone.
    for n in 0..5i64.pow(4) {
        let cell = |i: u32| n / 5i64.pow(i) % 5;
        let first = counts(&[&[cell(0), cell(1)], &[cell(2), cell(3)]]);
        let second = counts(&[&[cell(0) + cell(2), cell(1) + cell(3)]]);
        assert_safe(&first, &second, 2, 3);
    }
}

#[test]
fn two_tables_together_give_nothing_away() {
    // Pseudo-random pairs with the same column sums: the second shares each column out in another way.
    let mut seed = 7u64;
    let mut dice = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((seed >> 33) % n).unwrap()
    };
    for _ in 0..300 {
        let first = counts(&[&[dice(4), dice(4)], &[dice(4), dice(4)]]);
        let sums: Vec<i64> = (0..2).map(|j| first.rows[0][j] + first.rows[1][j]).collect();
        let parts: Vec<i64> = sums.iter().map(|s| dice(u64::try_from(*s).unwrap() + 1)).collect();
        let rest: Vec<i64> = sums.iter().zip(&parts).map(|(s, p)| s - p).collect();
        assert_safe(&first, &counts(&[&parts, &rest]), 2, 3);
    }
}
