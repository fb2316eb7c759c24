//! Wishes out of a sheet: marks in a table of people and days, or days listed behind a name.

use chrono::Weekday;

use super::across;
use super::dates::{Days, day_said, month_said};
use super::duties::day_column;
use super::matrix::Matrix;
use super::names::{Names, Who};
use super::{Known, Layout, NoteKind, Place, ReadWish, Reading, Reason, Weights, World};
use crate::domain::calendar::{CivilDate, weekday_kanji};
use crate::domain::people::kana::narrow;
use crate::domain::people::sheet::Table;
use crate::domain::rota::rules::{Wish, Wished};

/// Reads a wish sheet. Nothing is taken that cannot be read: it is named in [`Reading::problems`].
#[must_use]
pub fn read_wishes(table: &Table, world: World<'_>) -> Reading {
    let matrix = Matrix::new(table);
    let names = Names::new(world.people);
    let mut read = Read { world, names: &names, matrix: &matrix, out: Reading::default() };
    let across = across::head(&matrix);
    let down = day_column(&matrix);
    let heads = name_heads(&matrix, &names);
    match (list_head(&matrix), heads, across) {
        (Some((row, columns)), ..) => read.lists(row, &columns),
        (None, Some((row, people)), across)
            if down.is_some_and(|(_, n)| across.is_none_or(|(_, a)| n >= a)) =>
        {
            read.down(row, &people, down.map_or(0, |(column, _)| column));
        }
        (None, _, Some((row, _))) => read.across(row),
        _ => {}
    }
    let mut out = read.out;
    join(&mut out.wishes);
    out.days =
        out.wishes.iter().map(|w| w.wish.first).min().zip(out.wishes.iter().map(|w| w.wish.last).max());
    out.ordered()
}

/// Days that follow each other with the same wish are one.
fn join(wishes: &mut Vec<ReadWish>) {
    wishes.sort_by(|a, b| {
        (&a.wish.person, a.wish.wished, a.wish.first).cmp(&(&b.wish.person, b.wish.wished, b.wish.first))
    });
    let mut joined: Vec<ReadWish> = Vec::with_capacity(wishes.len());
    for one in wishes.drain(..) {
        match joined.last_mut() {
            Some(last)
                if last.wish.person == one.wish.person
                    && last.wish.wished == one.wish.wished
                    && one.wish.first <= last.wish.last.plus_days(1) =>
            {
                last.wish.last = last.wish.last.max(one.wish.last);
            }
            _ => joined.push(one),
        }
    }
    joined.sort_by(|a, b| (&a.wish.person, a.wish.first).cmp(&(&b.wish.person, b.wish.first)));
    *wishes = joined;
}

/// What a mark wishes. `Ok(None)`: nothing.
fn mark(text: &str, weights: Weights) -> Result<Option<Wished>, Reason> {
    let plain = narrow(text).to_lowercase();
    let plain = plain.trim_matches(['(', ')', '.', '※']);
    Ok(Some(match plain {
        "" | "-" | "－" | "ー" | "―" | "可" | "ok" | "いつでも" | "・" => return Ok(None),
        "×" | "✕" | "✖" | "╳" | "❌" | "x" | "不可" | "不" | "ng" | "否" | "休" | "休み" | "出張"
        | "学会" | "旅行" | "都合悪い" | "だめ" | "バツ" => Wished::Unavailable,
        "△" | "▲" | "できれば不可" | "できれば避けたい" | "避けたい" | "さんかく" => {
            Wished::Off { weight: weights.off }
        }
        "○" | "◯" | "〇" | "◎" | "⚪" | "希望" | "希" | "可希望" | "当番希望" | "マル" => {
            Wished::On { weight: weights.on }
        }
        other => {
            let part = ["午前", "午後", "夜", "昼", "日中", "時", "am", "pm", "深夜", "朝"];
            let part = part.iter().any(|word| other.contains(word));
            return Err(if part { Reason::PartOfADay } else { Reason::NotAMark });
        }
    }))
}

/// What a column of a list of people holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Days(Wished),
    /// 日付 and 希望 of a list with one row for each wish.
    Day,
    Mark,
}

/// The head of a list of people: 氏名, 不可日, 希望日 …
fn list_head(matrix: &Matrix<'_>) -> Option<(u32, Vec<(usize, Column)>)> {
    matrix.rows.iter().take(20).find_map(|row| {
        let mut columns = Vec::new();
        for (place, text) in matrix.filled(*row) {
            let plain = narrow(text);
            let has = |words: &[&str]| words.iter().any(|word| plain.contains(word));
            // A mark alone is an answer, a long text a legend.
            let is_head = (2..=16).contains(&plain.chars().count()) || plain == "日";
            let names = [
                "氏名",
                "名前",
                "医師名",
                "医師",
                "医師氏名",
                "先生",
                "先生名",
                "お名前",
                "会員名",
                "会員氏名",
            ];
            let column = if !is_head {
                None
            } else if names.contains(&plain.as_str()) {
                Some(Column::Name)
            } else if has(&["できれば", "避けたい", "△"]) {
                Some(Column::Days(Wished::Off { weight: 0 }))
            } else if has(&["不可", "NG", "都合の悪い", "できない", "休み", "×"]) {
                Some(Column::Days(Wished::Unavailable))
            } else if has(&["希望日", "当番希望", "入れる日", "○"]) {
                Some(Column::Days(Wished::On { weight: 0 }))
            } else if ["日付", "月日", "日", "年月日"].contains(&plain.as_str()) {
                Some(Column::Day)
            } else if ["希望", "区分", "可否", "記号", "都合"].contains(&plain.as_str()) {
                Some(Column::Mark)
            } else {
                None
            };
            columns.extend(column.map(|column| (place.column, column)));
        }
        let has = |wanted: &dyn Fn(&Column) -> bool| columns.iter().any(|(_, column)| wanted(column));
        let lists = has(&|c| matches!(c, Column::Days(_)));
        let each = has(&|c| *c == Column::Day) && has(&|c| *c == Column::Mark);
        (has(&|c| *c == Column::Name) && (lists || each)).then_some((*row, columns))
    })
}

/// A row whose cells name people: the head of a table with the days below each other.
fn name_heads<'a>(matrix: &Matrix<'_>, names: &Names<'a>) -> Option<(u32, Vec<(usize, Place)>)> {
    matrix.rows.iter().take(10).find_map(|row| {
        let said = matrix.filled(*row);
        let known: Vec<_> = said.iter().filter(|(_, text)| names.knows(text)).collect();
        // Whatever stands between the first and the last person of the row is meant as a person.
        let (first, last) = (known.first()?.0.column, known.last()?.0.column);
        let people =
            said.iter().filter(|(p, _)| (first..=last).contains(&p.column)).map(|(p, _)| (p.column, *p));
        (known.len() >= 2).then(|| (*row, people.collect()))
    })
}

struct Read<'a, 'm> {
    world: World<'a>,
    names: &'m Names<'a>,
    matrix: &'m Matrix<'m>,
    out: Reading,
}

impl<'a> Read<'a, '_> {
    fn wish(&mut self, known: &Known, day: CivilDate, wished: Wished, place: Place) {
        let wish = Wish { person: known.holder.person.clone(), first: day, last: day, wished };
        self.out.wishes.push(ReadWish { wish, place });
    }

    fn marked(&mut self, known: &Known, day: CivilDate, place: Place, text: &str) {
        match mark(text, self.world.weights) {
            Ok(None) => {}
            Ok(Some(wished)) => self.wish(known, day, wished, place),
            Err(reason) => self.out.wrong(place, text, reason, ""),
        }
    }

    fn person(&mut self, place: Place, text: &str) -> Option<&'a Known> {
        match self.names.find(text) {
            Who::One { known, short } => {
                if short {
                    self.out.note(place, text, NoteKind::ShortName, known.name.clone());
                }
                self.out.answered.push(known.holder.person.clone());
                Some(known)
            }
            Who::None(reason, about) => {
                self.out.wrong(place, text, reason, about);
                None
            }
        }
    }

    /// People below each other, days beside each other.
    fn across(&mut self, row: u32) {
        self.out.layout = Some(Layout::Across);
        let mut days = Days::new(self.world, self.matrix);
        let table = across::read(self.matrix, row, self.names, &mut days, &mut self.out);
        for (row, known) in table.people {
            self.out.answered.push(known.holder.person.clone());
            for (column, day) in &table.days {
                let place = self.matrix.origin(Place { row, column: *column });
                let text = self.matrix.at(row, *column);
                self.marked(known, *day, place, text);
            }
        }
    }

    /// Days below each other, people beside each other.
    fn down(&mut self, head: u32, heads: &[(usize, Place)], day_column: usize) {
        self.out.layout = Some(Layout::Rows);
        let m = self.matrix;
        let mut days = Days::new(self.world, m);
        across::titles(m, head, &mut days);
        let mut people = Vec::new();
        for (column, place) in heads {
            let text = m.at(place.row, place.column);
            if let Some(known) = self.person(*place, text) {
                people.push((*column, known));
            }
        }
        for row in m.rows.iter().copied().filter(|row| *row > head) {
            let place = m.origin(Place { row, column: day_column });
            let text = m.at(row, day_column);
            if day_said(text).is_none() {
                if let Some(said) = month_said(text) {
                    days.title(said);
                }
                continue;
            }
            let beside = (0..m.width).filter(|c| *c != day_column).find_map(|c| {
                let text = m.at(row, c);
                (!people.iter().any(|(column, _)| *column == c))
                    .then(|| super::dates::weekday(text))
                    .flatten()
            });
            let Some(day) = days.read(text, place, beside, &mut self.out) else { continue };
            for (column, known) in &people {
                let place = m.origin(Place { row, column: *column });
                let text = m.at(row, *column);
                self.marked(known, day, place, text);
            }
        }
    }

    /// People below each other, their days in a cell.
    fn lists(&mut self, head: u32, columns: &[(usize, Column)]) {
        self.out.layout = Some(Layout::Lists);
        let m = self.matrix;
        let of = |wanted: Column| columns.iter().find(|(_, c)| *c == wanted).map(|(column, _)| *column);
        let Some(name_column) = of(Column::Name) else { return };
        let mut titles = Days::new(self.world, m);
        across::titles(m, head, &mut titles);
        let heads: Vec<(Place, &str)> = m.filled(head);
        for (place, text) in heads.iter().filter(|(p, _)| !columns.iter().any(|(c, _)| *c == p.column)) {
            let below =
                m.rows.iter().filter(|row| **row > head).any(|row| !m.at(*row, place.column).is_empty());
            if below && !["No", "NO", "番号", "No."].contains(&narrow(text).as_str()) {
                self.out.note(*place, text, NoteKind::NotUsed, "");
            }
        }
        for row in m.rows.iter().copied().filter(|row| *row > head) {
            let place = m.origin(Place { row, column: name_column });
            let text = m.at(row, name_column);
            let says = columns.iter().any(|(c, column)| *column != Column::Name && !m.at(row, *c).is_empty());
            if text.is_empty() || (!says && !self.names.knows(text)) || across::is_sum(text) {
                continue;
            }
            let Some(known) = self.person(place, text) else { continue };
            for (column, what) in columns {
                let place = m.origin(Place { row, column: *column });
                let text = m.at(row, *column);
                let weights = self.world.weights;
                let wished = match what {
                    Column::Days(Wished::Unavailable) => Wished::Unavailable,
                    Column::Days(Wished::Off { .. }) => Wished::Off { weight: weights.off },
                    Column::Days(Wished::On { .. }) => Wished::On { weight: weights.on },
                    Column::Day => {
                        // Not sorted by day: the month of each stands for itself.
                        let mut days = Days::new(self.world, m);
                        across::titles(m, head, &mut days);
                        let said = of(Column::Mark).map_or("", |c| m.at(row, c));
                        if !text.is_empty()
                            && let Some(day) = days.read(text, place, None, &mut self.out)
                        {
                            let at = of(Column::Mark).map_or(place, |column| m.origin(Place { row, column }));
                            self.marked(known, day, at, said);
                        }
                        continue;
                    }
                    Column::Name | Column::Mark => continue,
                };
                let mut days = Days::new(self.world, m);
                across::titles(m, head, &mut days);
                self.listed(known, place, text, wished, &mut days);
            }
        }
    }

    /// 3日、10〜12日、毎週水曜
    fn listed(&mut self, known: &Known, place: Place, text: &str, wished: Wished, days: &mut Days<'_>) {
        let (first, last) = self.world.days;
        for part in text.split(['、', ',', '，', '\n', ';', '；', '・', '　', ' ']) {
            let plain = narrow(part);
            if plain.is_empty()
                || ["なし", "無し", "特になし", "ありません", "-", "ー", "―"].contains(&plain.as_str())
            {
                continue;
            }
            if let Some(weekday) = every(&plain) {
                let all = (0..=last.days_since(first)).map(|n| first.plus_days(n));
                for day in all.filter(|day| day.weekday() == weekday) {
                    self.wish(known, day, wished, place);
                }
                continue;
            }
            if let Some((from, to)) =
                plain.split_once(['~', '〜', '～', '→']).or_else(|| plain.split_once("から"))
            {
                let to = to.trim_end_matches("まで");
                let begins = days.read(from, place, None, &mut self.out);
                let ends = begins.and_then(|_| days.read(to, place, None, &mut self.out));
                if let Some((begins, ends)) = begins.zip(ends) {
                    if ends < begins {
                        self.out.wrong(place, part, Reason::NotADay, "");
                        continue;
                    }
                    for n in 0..=ends.days_since(begins) {
                        self.wish(known, begins.plus_days(n), wished, place);
                    }
                }
                continue;
            }
            if let Some(day) = days.read(&plain, place, None, &mut self.out) {
                self.wish(known, day, wished, place);
            }
        }
    }
}

/// 毎週水曜, 水曜日, 毎水曜.
fn every(plain: &str) -> Option<Weekday> {
    let bare = plain.strip_prefix("毎週").or_else(|| plain.strip_prefix('毎')).unwrap_or(plain);
    let bare = bare.strip_suffix("曜日").or_else(|| bare.strip_suffix('曜'))?;
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    [Mon, Tue, Wed, Thu, Fri, Sat, Sun]
        .into_iter()
        .find(|day| bare.chars().count() == 1 && bare.starts_with(weekday_kanji(*day)))
}
