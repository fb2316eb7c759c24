//! What looks back on a fiscal year: its lines in the cuts of the cities' own yearly tables (record 001: by kind of
//! institution, by profession, by month, by task letter), and what the association thinks of it, A to D.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::access::note;
use super::super::{App, AppError, Kit, Who};
use super::close::MonthView;
use super::names::LedgerNames;
use super::tables::{columns, footer, titled, word};
use super::tariffs::needed_note;
use crate::domain::consult::Wrong;
use crate::domain::ledger::{Cell, Code, EventKind, LedgerTable, Line, Month, Side};
use crate::i18n::{Lang, t, t_with};
use crate::ids::{AssociationId, InstitutionId, MemberId};
use crate::money::Yen;
use crate::store::ledger::reports::{GradeRow, grade_put, grades_of, sealed_between};
use crate::store::{Command, Conn, StoreError};

/// What an association gives itself.
pub const GRADES: [&str; 4] = ["A", "B", "C", "D"];

/// The tasks of the cities' home-care programmes that this service feeds (在宅医療・介護連携推進事業 ウ, エ, オ, ク).
pub const TASKS: [&str; 4] = ["u", "e", "o", "ku"];

/// Whether a line counts for a task: providing care round the clock; telling each other what was done; being asked;
/// helping over the borders of cities.
fn counts_for(task: &str, line: &Line, names: &LedgerNames) -> bool {
    match task {
        "u" => line.kind != EventKind::Consult,
        "e" => line.report_ref.is_some(),
        "o" => line.kind == EventKind::Consult,
        _ => {
            let home = names.city(&line.institution);
            line.patient_city.as_ref().is_some_and(|city| !home.is_empty() && city.as_str() != home)
        }
    }
}

/// One count: lines by month of the event, and yen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell12 {
    months: [i64; 12],
    yen: i64,
}

impl Cell12 {
    fn add(&mut self, line: &Line) {
        let at = usize::try_from(Month::of(line.civil_date).in_fiscal_year()).unwrap_or(0);
        if let Some(month) = self.months.get_mut(at) {
            *month += i64::from(line.entry.is_original());
        }
        self.yen += line.amount.0;
    }

    fn lines(&self) -> i64 {
        self.months.iter().sum()
    }
}

/// A fiscal year counted, line by line and without keeping them.
#[derive(Default)]
struct Counted {
    /// By cut and value.
    cuts: BTreeMap<(&'static str, String), Cell12>,
    /// By who asked, took or held.
    people: BTreeMap<Option<MemberId>, Cell12>,
    institutions: BTreeSet<InstitutionId>,
}

const NONE: &str = "-";

impl Counted {
    fn add(&mut self, line: &Line) {
        let optional =
            |code: &Option<Code>| code.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
        for (cut, value) in [
            ("institution_kind", line.institution_kind.to_string()),
            ("specialty", optional(&line.specialty)),
            ("band", line.band.code().to_owned()),
            ("side", line.side.code().to_owned()),
            ("kind", line.kind.code().to_owned()),
            ("program", optional(&line.program)),
        ] {
            self.cuts.entry((cut, value)).or_default().add(line);
        }
        self.people.entry(line.person.clone()).or_default().add(line);
        self.institutions.insert(line.institution.clone());
    }
}

fn words_of(cut: &str) -> &'static str {
    match cut {
        "institution_kind" => "institution",
        "specialty" => "specialty",
        "band" => "band",
        "side" => "side",
        "profession" => "role",
        _ => "ledger-kind",
    }
}

fn cuts_table(view: &MonthView, counted: Counted, names: &LedgerNames, lang: Lang) -> LedgerTable {
    const MONTHS: [&str; 12] =
        ["apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "jan", "feb", "mar"];
    let (title, sheet) = titled(view, lang, "cuts");
    let april = Month::april(view.month.fiscal_year());
    let mut heads = columns(lang, &["cut", "value"]);
    for (n, key) in (0i64..).zip(MONTHS) {
        let number = april.plus(n).parts().1.to_string();
        heads.push((key, t_with(lang, "ledger-column-month", &[("n", &number)])));
    }
    heads.extend(columns(lang, &["year_lines", "year_yen"]));
    let mut cuts = counted.cuts;
    for (person, cell) in counted.people {
        let roles = person.and_then(|id| names.members.get(&id)).map(|m| m.roles.as_slice());
        let role = roles.and_then(|roles| roles.first()).map_or(NONE, |role| role.code());
        let sum = cuts.entry(("profession", role.to_owned())).or_default();
        sum.yen += cell.yen;
        for (sum, n) in sum.months.iter_mut().zip(cell.months) {
            *sum += n;
        }
    }
    let row = |((cut, value), cell): ((&str, String), Cell12)| {
        let name = match (cut, value.as_str()) {
            (_, NONE) => t(lang, "ledger-tally-none"),
            ("program", code) => {
                let known = view.tariffs.programs().values().find(|p| p.code.as_str() == code);
                known.map_or_else(|| code.to_owned(), |p| p.name.clone())
            }
            (cut, code) => word(lang, words_of(cut), code),
        };
        let mut row = vec![Cell::Text(t(lang, &format!("ledger-column-{cut}"))), Cell::Text(name)];
        row.extend(cell.months.map(Cell::Count));
        row.extend([Cell::Count(cell.lines()), Cell::Yen(cell.yen)]);
        row
    };
    let rows = cuts.into_iter().map(row).collect();
    LedgerTable { title, sheet, columns: heads, rows, footer: footer(view, lang) }
}

/// One item of a fiscal year that is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// `task:u`, `program:CODE`.
    pub item: String,
    pub name: String,
    /// Lines of the month, of those who took or held.
    pub lines: i64,
    pub year_lines: i64,
    pub year_yen: Yen,
    pub grade: Option<String>,
    pub comment: String,
}

struct Grade {
    kit: Kit,
    who: Who,
    fiscal_year: i32,
    grade: GradeRow,
}

impl Command for Grade {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let (association, at) = (&self.who.association, (self.kit.now, self.who.actor.as_str()));
        grade_put(tx, association, self.fiscal_year, &self.grade, at).await?;
        let detail =
            json!({ "item": self.grade.item, "grade": self.grade.grade, "comment": self.grade.comment });
        let subject = format!("fiscal_year:{}", self.fiscal_year);
        note(tx, &self.kit, &self.who, "ledger.grade", &subject, detail).await.map(drop)
    }
}

impl App {
    /// Counts the closed months of the fiscal year until the month; an open month's own lines are counted with them.
    async fn year_until(
        &self,
        association: &AssociationId,
        view: &MonthView,
        mut each: impl FnMut(Month, &Line),
    ) -> Result<(), AppError> {
        let mut conn = self.db.read().await?;
        let span = (Month::april(view.month.fiscal_year()), view.month);
        sealed_between(&mut conn, association, span, &mut each).await?;
        if !view.is_closed() {
            view.lines.iter().for_each(|line| each(view.month, line));
        }
        Ok(())
    }

    /// 年度の集計: every line of the fiscal year in each cut, month by month of the events.
    pub(super) async fn ledger_cuts(
        &self,
        association: &AssociationId,
        view: &MonthView,
        lang: Lang,
    ) -> Result<LedgerTable, AppError> {
        let mut counted = Counted::default();
        self.year_until(association, view, |_, line| counted.add(line)).await?;
        let people: Vec<MemberId> = counted.people.keys().flatten().cloned().collect();
        let names = self.ledger_members(association, &view.names, people.iter()).await?;
        Ok(cuts_table(view, counted, &names, lang))
    }

    /// The items of a fiscal year with what they came to until the month, and what the association thinks of them.
    ///
    /// # Errors
    /// The store's.
    pub async fn ledger_judged(
        &self,
        association: &AssociationId,
        view: &MonthView,
        lang: Lang,
    ) -> Result<Vec<Judged>, AppError> {
        // Cities do not change with names; today's do.
        let mut ids = BTreeSet::new();
        self.year_until(association, view, |_, line| {
            if line.patient_city.is_some() && !ids.contains(&line.institution) {
                ids.insert(line.institution.clone());
            }
        })
        .await?;
        let names = self.ledger_institutions(association, &view.names, ids.iter()).await?;
        let mut items: BTreeMap<String, [i64; 3]> =
            TASKS.iter().map(|task| (format!("task:{task}"), [0; 3])).collect();
        self.year_until(association, view, |month, line| {
            // Once for each event: whoever took or held it.
            if line.side == Side::Requester {
                return;
            }
            let mut add = |item: String| {
                let [lines, year_lines, yen] = items.entry(item).or_default();
                let one = i64::from(line.entry.is_original());
                *lines += if month == view.month { one } else { 0 };
                *year_lines += one;
                *yen += line.amount.0;
            };
            for task in TASKS.iter().filter(|task| counts_for(task, line, &names)) {
                add(format!("task:{task}"));
            }
            if let Some(program) = &line.program {
                add(format!("program:{program}"));
            }
        })
        .await?;
        let mut conn = self.db.read().await?;
        let grades = grades_of(&mut conn, association, view.month.fiscal_year()).await?;
        let one = |(item, [lines, year_lines, yen]): (String, [i64; 3])| {
            let name = match item.split_once(':') {
                Some(("task", task)) => t(lang, &format!("ledger-task-{task}")),
                Some((_, code)) => {
                    let known = view.tariffs.programs().values().find(|p| p.code.as_str() == code);
                    known.map_or_else(|| code.to_owned(), |p| p.name.clone())
                }
                None => item.clone(),
            };
            let grade = grades.iter().find(|g| g.item == item);
            Judged {
                name,
                lines,
                year_lines,
                year_yen: Yen(yen),
                grade: grade.map(|g| g.grade.clone()),
                comment: grade.map(|g| g.comment.clone()).unwrap_or_default(),
                item,
            }
        };
        let mut judged: Vec<Judged> = items.into_iter().map(one).collect();
        // The tasks in the order of their letters, then the programmes.
        let rank = |j: &Judged| TASKS.iter().position(|task| j.item.strip_prefix("task:") == Some(task));
        judged.sort_by_key(|j| (rank(j).unwrap_or(TASKS.len()), j.item.clone()));
        Ok(judged)
    }

    /// 自己評価: the items of the fiscal year with grade and comment.
    pub(super) async fn ledger_evaluation(
        &self,
        association: &AssociationId,
        view: &MonthView,
        lang: Lang,
    ) -> Result<LedgerTable, AppError> {
        let (title, sheet) = titled(view, lang, "evaluation");
        let keys = ["item", "lines", "year_lines", "year_yen", "grade", "comment"];
        let row = |judged: Judged| {
            vec![
                Cell::Text(judged.name),
                Cell::Count(judged.lines),
                Cell::Count(judged.year_lines),
                Cell::Yen(judged.year_yen.0),
                judged.grade.map_or(Cell::Nothing, Cell::Text),
                Cell::Text(judged.comment),
            ]
        };
        let rows = self.ledger_judged(association, view, lang).await?.into_iter().map(row).collect();
        Ok(LedgerTable { title, sheet, columns: columns(lang, &keys), rows, footer: footer(view, lang) })
    }

    /// Records what the association thinks of an item of a fiscal year. A later word stands over an older one.
    ///
    /// # Errors
    /// A grade that is none of [`GRADES`], a comment that is missing or too long; the store's.
    pub async fn ledger_grade(
        &self,
        who: &Who,
        fiscal_year: i32,
        (item, grade): (&str, &str),
        comment: &str,
    ) -> Result<(), AppError> {
        if !GRADES.contains(&grade) {
            return Err(AppError::field("grade", Wrong::Missing));
        }
        let known = match item.split_once(':') {
            Some(("task", task)) => TASKS.contains(&task),
            Some(("program", code)) => code.parse::<Code>().is_ok(),
            _ => false,
        };
        if !known {
            return Err(AppError::field("item", Wrong::Missing));
        }
        let grade =
            GradeRow { item: item.to_owned(), grade: grade.to_owned(), comment: needed_note(comment)? };
        Ok(self.db.run(Grade { kit: self.kit(), who: who.clone(), fiscal_year, grade }).await?)
    }
}
