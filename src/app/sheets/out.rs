//! Lists taken out of the association, and the empty sheet to begin with. Every taking out is noted.

use serde_json::json;

use super::world;
use crate::app::access::note;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::calendar::{FiscalYear, civil_day, era_date};
use crate::domain::people::sheet::{
    Column, InstitutionOf, Kind, OutCell, OutTable, said_of_institution, said_of_member, said_of_window,
};
use crate::i18n::{Lang, t, t_with};
use crate::store::people::association_by_id;
use crate::store::{Command, Conn, StoreError};

struct NoteExport {
    kit: Kit,
    who: Who,
    kind: Kind,
    format: &'static str,
    rows: usize,
}

impl Command for NoteExport {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        let detail = json!({ "kind": self.kind.code(), "format": self.format, "rows": self.rows });
        let subject = format!("association:{}", self.who.association);
        note(tx, &self.kit, &self.who, "sheet.export", &subject, detail).await.map(drop)
    }
}

fn columns(kind: Kind, lang: Lang) -> Vec<(Column, String)> {
    let name = |column: &Column| (*column, t(lang, &format!("sheet-column-{}", column.code())));
    kind.columns().iter().map(name).collect()
}

/// Rows of an example: invented people and places.
fn example(kind: Kind) -> Vec<Vec<String>> {
    let rows: &[&[&str]] = match kind {
        Kind::Members => &[
            &[
                "1001",
                "青葉 太郎",
                "アオバ タロウ",
                "青葉クリニック",
                "1319999999",
                "診療所",
                "青葉北",
                "在宅医、協力医",
                "皮膚科",
                "○",
                "月・水・金",
                "12:30〜13:30",
                "042-000-0001",
                "042-000-0002",
                "taro@example.jp",
                "メール、電話",
                "令和8年4月1日",
                "×",
                "×",
                "2",
                "×",
                "",
            ],
            &[
                "1002",
                "緑町 花子",
                "ミドリマチ ハナコ",
                "緑町訪問看護ステーション",
                "",
                "訪問看護ステーション",
                "青葉南",
                "訪問看護ステーション",
                "",
                "",
                "",
                "",
                "042-000-0003",
                "",
                "hanako@example.jp",
                "",
                "",
                "",
                "",
                "",
                "",
                "担当は平日のみ",
            ],
        ],
        Kind::Institutions => &[&[
            "1319999999",
            "青葉クリニック",
            "アオバクリニック",
            "診療所",
            "青葉北",
            "999991",
            "1990000",
            "青葉市北1-2-3",
            "042-000-0001",
            "042-000-0002",
            "月〜金 9時〜18時",
            "○",
            "青葉北、青葉南",
            "青葉 次郎",
            "ショートステイは要相談",
            "○",
            "",
        ]],
        Kind::Windows => &[
            &["1001", "青葉 太郎", "青葉クリニック", "電話、FAX", "月・水", "12:30〜13:30", "×", "○", ""],
            &["", "", "", "来院", "金", "17:00〜18:00", "×", "×", "前日までにお電話を"],
        ],
    };
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

fn text(text: String) -> OutCell {
    if text.is_empty() { OutCell::Nothing } else { OutCell::Text(text) }
}

impl App {
    /// Everybody who is here, or every institution, as a table with the headers that the import knows.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_export(&self, who: &Who, kind: Kind, lang: Lang) -> Result<OutTable, AppError> {
        let kit = self.kit();
        let mut conn = self.db.read().await?;
        let loaded = world::load(&mut conn, &kit, &who.association, lang).await?;
        let home = association_by_id(&mut conn, &who.association).await?.ok_or(AppError::NotFound)?;
        drop(conn);
        let world = &loaded.world;
        let columns = columns(kind, lang);
        let mut rows = Vec::new();
        match kind {
            Kind::Members => {
                let mut members: Vec<_> = world.members.iter().map(|m| &m.draft).collect();
                members
                    .sort_by(|a, b| (&a.kana, &a.name, &a.member_no).cmp(&(&b.kana, &b.name, &b.member_no)));
                for draft in members {
                    let cell = |column: Column| match column {
                        Column::Joined => draft.joined.map_or(OutCell::Nothing, OutCell::Day),
                        Column::MaxPerMonth => draft
                            .profile
                            .duty
                            .max_per_month
                            .map_or(OutCell::Nothing, |n| OutCell::Number(i64::from(n))),
                        // A place that is gone stands in no list any more.
                        Column::Institution if draft.institution == InstitutionOf::None => OutCell::Nothing,
                        column => text(said_of_member(draft, column, world)),
                    };
                    rows.push(columns.iter().map(|(column, _)| cell(*column)).collect());
                }
            }
            Kind::Institutions => {
                let mut all: Vec<_> = world.institutions.iter().map(|i| &i.draft).collect();
                all.sort_by(|a, b| (&a.kana, &a.name, &a.code).cmp(&(&b.kana, &b.name, &b.code)));
                for draft in all {
                    let cells =
                        columns.iter().map(|(column, _)| text(said_of_institution(draft, *column, world)));
                    rows.push(cells.collect());
                }
            }
            Kind::Windows => {
                let nobody = std::collections::BTreeMap::new();
                let of_year = world.windows.get(&world.year).unwrap_or(&nobody);
                let mut members: Vec<_> = world.members.iter().collect();
                members.sort_by(|a, b| (&a.draft.kana, &a.draft.name).cmp(&(&b.draft.kana, &b.draft.name)));
                for member in members {
                    for window in of_year.get(&member.id).map_or(&[][..], |(_, all)| all) {
                        let cells = columns.iter().map(|(column, _)| {
                            text(match column {
                                Column::MemberNo | Column::Name | Column::Institution => {
                                    said_of_member(&member.draft, *column, world)
                                }
                                column => said_of_window(window, *column, world),
                            })
                        });
                        rows.push(cells.collect());
                    }
                }
            }
        }
        let mut name = t(lang, &format!("sheet-kind-of-{}", kind.code()));
        // Its year stands in the title: so it is read again, and changed there it is the next year's list.
        if kind == Kind::Windows
            && let Some(year) = FiscalYear::beginning_in(world.year)
        {
            let year = if lang == Lang::Ja { year.long() } else { format!("FY{}", year.first_year()) };
            name = format!("{name} {year}");
        }
        let day = civil_day(kit.now, loaded.zone);
        let day = if lang == Lang::Ja { era_date(day) } else { day.to_string() };
        let values = [("what", name.as_str()), ("association", home.name.as_str()), ("day", day.as_str())];
        Ok(OutTable {
            title: t_with(lang, "sheet-out-title", &values),
            sheet: name,
            columns,
            rows,
            example: Vec::new(),
            example_sheet: String::new(),
            example_title: String::new(),
        })
    }

    /// Notes that a list was taken out, before it goes.
    ///
    /// # Errors
    /// The store's.
    pub async fn sheet_exported(
        &self,
        who: &Who,
        kind: Kind,
        format: &'static str,
        rows: usize,
    ) -> Result<(), AppError> {
        let note = NoteExport { kit: self.kit(), who: who.clone(), kind, format, rows };
        Ok(self.db.run(note).await?)
    }
}

/// An empty sheet with the headers, and an example beside it.
#[must_use]
pub fn template(kind: Kind, lang: Lang) -> OutTable {
    OutTable {
        title: t(lang, &format!("sheet-template-{}", kind.code())),
        sheet: t(lang, &format!("sheet-kind-of-{}", kind.code())),
        columns: columns(kind, lang),
        rows: Vec::new(),
        example: example(kind),
        example_sheet: t(lang, "sheet-example"),
        example_title: t(lang, "sheet-example-title"),
    }
}
