//! Which row of a sheet names its columns, and what each of them says.

use std::collections::HashMap;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization as _;

use super::plan::Seen;
use super::table::{Table, TableRow};
use super::{Column, Kind};

/// Headers stand in the first rows; a table that begins later is another table.
const LOOK_AT_ROWS: usize = 40;

/// Where the names of the columns stand and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Index of the first row of data in the table.
    pub data_from: usize,
    /// The number of the row with the names.
    pub row: u32,
    pub columns: Vec<Seen>,
    /// The folded texts of the rows of the header, to know them again further down.
    pub(super) repeated: Vec<Vec<String>>,
}

impl Heading {
    /// The place of a column.
    #[must_use]
    pub fn place(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|seen| seen.column == Some(column))
    }

    /// Whether this row says the names of the columns again, as on every printed page.
    #[must_use]
    pub fn repeats(&self, row: &TableRow) -> bool {
        let folded: Vec<String> = row.cells.iter().map(|c| fold_header(c)).collect();
        self.repeated.iter().any(|header| {
            let width = header.len().max(folded.len());
            (0..width).all(|i| header.get(i).map_or("", |s| s) == folded.get(i).map_or("", |s| s))
        })
    }
}

/// A header without what does not matter: width, case, blanks, brackets and marks.
#[must_use]
pub(super) fn fold_header(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| {
            !c.is_whitespace()
                && !matches!(
                    c,
                    '(' | ')'
                        | '['
                        | ']'
                        | '「'
                        | '」'
                        | '【'
                        | '】'
                        | '〔'
                        | '〕'
                        | '<'
                        | '>'
                        | '〈'
                        | '〉'
                        | '.'
                        | ':'
                        | '*'
                        | '※'
                        | '・'
                        | '_'
                        | '-'
                        | '/'
                        | '#'
                        | '○'
                        | '●'
                        | '■'
                        | '◎'
                        | '★'
                )
        })
        .collect()
}

/// The names under which a column is known, folded: those that say it plainly, and those that say it where
/// no other column does.
fn names(kind: Kind, column: Column) -> (&'static [&'static str], &'static [&'static str]) {
    use Column as C;
    match (kind, column) {
        (_, C::MemberNo) => (
            &["会員番号", "会員no", "会員コード", "会員id", "memberno", "membernumber", "membershipnumber"],
            &["no", "番号", "№", "id", "整理番号", "通し番号"],
        ),
        (_, C::Name) => (
            &[
                "氏名",
                "名前",
                "お名前",
                "医師名",
                "医師氏名",
                "先生名",
                "先生",
                "会員名",
                "会員氏名",
                "担当者名",
                "担当医",
                "職員名",
                "漢字氏名",
                "氏名漢字",
                "name",
                "fullname",
                "doctor",
            ],
            &["姓名", "担当者"],
        ),
        (Kind::Members, C::Kana) => (
            &[
                "ふりがな",
                "フリガナ",
                "カナ",
                "かな",
                "よみ",
                "読み",
                "よみがな",
                "読み仮名",
                "カナ氏名",
                "氏名カナ",
                "氏名フリガナ",
                "氏名ふりがな",
                "氏名かな",
                "フリカナ",
                "kana",
                "reading",
            ],
            &[],
        ),
        (_, C::Kana) => (
            &[
                "ふりがな",
                "フリガナ",
                "カナ",
                "かな",
                "よみ",
                "読み",
                "よみがな",
                "医療機関カナ",
                "医療機関名カナ",
                "医療機関名フリガナ",
                "施設名カナ",
                "kana",
                "reading",
            ],
            &[],
        ),
        (Kind::Members | Kind::Windows, C::Institution) => (
            &[
                "医療機関名",
                "医療機関",
                "所属",
                "所属先",
                "所属医療機関",
                "所属医療機関名",
                "所属機関",
                "クリニック名",
                "病院名",
                "診療所名",
                "施設名",
                "勤務先",
                "勤務先名",
                "事業所名",
                "事業所",
                "名称",
                "institution",
                "clinic",
                "institutionname",
                "workplace",
            ],
            &["医院名", "会社名"],
        ),
        (Kind::Institutions, C::Institution) => (
            &[
                "医療機関名",
                "医療機関",
                "医療機関名称",
                "クリニック名",
                "病院名",
                "診療所名",
                "施設名",
                "施設名称",
                "名称",
                "事業所名",
                "事業所",
                "institution",
                "institutionname",
                "clinic",
            ],
            &["名前", "name", "医院名", "所属"],
        ),
        (_, C::InstitutionCode) => (
            &[
                "医療機関コード",
                "保険医療機関コード",
                "医療機関番号",
                "機関コード",
                "保険医療機関番号",
                "施設コード",
                "institutioncode",
                "insurercode",
            ],
            &["コード", "code"],
        ),
        (Kind::Members | Kind::Windows, C::Category) => (
            &["区分", "種別", "会員区分", "会員種別", "医療機関区分", "医療機関種別", "category"],
            &["種類", "kind", "type"],
        ),
        (Kind::Institutions, C::Category) => (
            &[
                "区分",
                "種別",
                "医療機関区分",
                "医療機関種別",
                "施設区分",
                "施設種別",
                "種類",
                "category",
                "kind",
                "type",
            ],
            &[],
        ),
        (_, C::Area) => (
            &["地区", "エリア", "地域", "地区名", "ブロック", "所在地区", "圏域", "area", "district"],
            &["班", "支部"],
        ),
        (_, C::Roles) => (&["役割", "担当", "役職", "登録区分", "role", "roles"], &["職種"]),
        (_, C::Specialties) => (
            &[
                "診療科",
                "診療科目",
                "科目",
                "専門",
                "専門科",
                "協力診療科",
                "協力科",
                "科",
                "specialty",
                "specialties",
            ],
            &["標榜科", "主な診療科"],
        ),
        (_, C::Visits) => {
            (&["往診", "往診可", "往診可否", "往診の可否", "訪問", "訪問診療", "visits", "homevisit"], &[])
        }
        (_, C::Weekdays) => (&["曜日", "対応曜日", "可能曜日", "連絡曜日", "weekdays", "days"], &["曜"]),
        (Kind::Members | Kind::Windows, C::Hours) => (
            &[
                "ケアマネタイム",
                "対応時間帯",
                "時間",
                "時間帯",
                "対応時間",
                "可能時間",
                "連絡時間",
                "連絡可能時間",
                "受付時間",
                "hours",
                "time",
            ],
            &[],
        ),
        (_, C::Phone) => (
            &[
                "電話",
                "電話番号",
                "tel",
                "連絡先電話",
                "連絡先電話番号",
                "連絡先tel",
                "代表電話",
                "代表番号",
                "phone",
                "telephone",
                "phonenumber",
            ],
            &["携帯", "携帯電話", "携帯番号", "緊急連絡先", "連絡先", "mobile", "cell"],
        ),
        (_, C::Fax) => (
            &[
                "fax",
                "fax番号",
                "ファックス",
                "ファクス",
                "ファクシミリ",
                "連絡先fax",
                "ファックス番号",
                "ファクス番号",
            ],
            &[],
        ),
        (Kind::Members | Kind::Windows, C::Email) => (
            &[
                "メール",
                "email",
                "mail",
                "eメール",
                "メールアドレス",
                "連絡先メール",
                "電子メール",
                "emailアドレス",
                "mailaddress",
                "連絡先email",
                "連絡先mail",
                "pcメール",
                "アドレス",
                "emailaddress",
            ],
            &["携帯メール"],
        ),
        (_, C::Ways) => (
            &[
                "連絡方法",
                "連絡手段",
                "希望連絡方法",
                "連絡の方法",
                "希望の連絡方法",
                "方法",
                "手段",
                "ways",
                "contactby",
            ],
            &[],
        ),
        (_, C::Joined) => {
            (&["入会日", "入会年月日", "登録日", "加入日", "開始日", "joined", "since"], &["入会"])
        }
        (_, C::PhoneOnly) => (&["電話対応のみ", "電話のみ", "phoneonly"], &[]),
        (_, C::NoDeepNight) => (&["深夜は不可", "深夜不可", "深夜帯不可", "nodeepnight"], &[]),
        (_, C::MaxPerMonth) => {
            (&["月の上限", "月上限", "上限回数", "当番上限", "月の当番上限", "maxpermonth"], &[])
        }
        (_, C::Exempt) => (&["当番免除", "免除", "輪番免除", "exempt"], &[]),
        (_, C::Note) => {
            (&["備考", "メモ", "摘要", "備考欄", "その他", "note", "notes", "remarks"], &["コメント"])
        }
        (_, C::CityCode) => (
            &[
                "市区町村コード",
                "自治体コード",
                "全国地方公共団体コード",
                "団体コード",
                "citycode",
                "municipalitycode",
            ],
            &[],
        ),
        (_, C::Postcode) => (&["郵便番号", "〒", "postcode", "zip", "postalcode"], &[]),
        (_, C::Address) => (&["住所", "所在地", "address"], &[]),
        (_, C::OpeningHours) => {
            (&["診療時間", "営業時間", "受付時間", "診療日時", "openinghours", "hours"], &["時間", "診療日"])
        }
        (_, C::RoundTheClock) => (
            &["24時間対応", "24時間", "二十四時間対応", "24h", "24時間体制", "roundtheclock", "24hours"],
            &[],
        ),
        (_, C::Serves) => {
            (&["対応地区", "訪問地区", "訪問エリア", "対応エリア", "対応地域", "areasserved", "serves"], &[])
        }
        (_, C::ContactPerson) => (
            &["連絡担当者", "担当者", "窓口担当者", "担当者名", "窓口", "contactperson", "contact"],
            &["責任者", "管理者", "院長"],
        ),
        (_, C::Accepts) => (&["受け入れ条件", "受入条件", "受け入れ", "受入", "accepts"], &[]),
        (_, C::Public) => (&["公開", "公表", "掲載", "公開可", "公開する", "public"], &[]),
        (_, C::Holidays) => (
            &["祝日", "祝日も可", "祝日可", "祝日対応", "祝日も受ける", "holidays", "alsoonholidays"],
            &["祝", "休日"],
        ),
        (Kind::Institutions, C::Hours | C::Email) => (&[], &[]),
    }
}

type Names = HashMap<String, (Column, bool)>;

/// Every name, folded, with its column and whether it says it plainly. Made once: a sheet has many cells.
fn known(kind: Kind) -> &'static Names {
    static MEMBERS: OnceLock<Names> = OnceLock::new();
    static INSTITUTIONS: OnceLock<Names> = OnceLock::new();
    static WINDOWS: OnceLock<Names> = OnceLock::new();
    let all = match kind {
        Kind::Members => &MEMBERS,
        Kind::Institutions => &INSTITUTIONS,
        Kind::Windows => &WINDOWS,
    };
    all.get_or_init(|| {
        let mut found = Names::new();
        for plain in [true, false] {
            for column in kind.columns() {
                let (strong, weak) = names(kind, *column);
                for name in if plain { strong } else { weak } {
                    found.entry(fold_header(name)).or_insert((*column, plain));
                }
            }
        }
        found
    })
}

/// What a folded header says: the column, and whether plainly.
fn column_of(kind: Kind, folded: &str) -> Option<(Column, bool)> {
    known(kind).get(folded).copied()
}

/// The header of a cell that may stand in two rows: its own words, the words above them, both together.
fn name_at(table: &Table, top: &TableRow, bottom: Option<&TableRow>, at: usize) -> Vec<String> {
    let Some(bottom) = bottom else { return vec![top.cell(at).trim().to_owned()] };
    let below = bottom.cell(at).trim();
    let mut above = top.cell(at).trim();
    if above.is_empty() && !below.is_empty() {
        // The joined cell above, or in a file that knows no joined cells the last one that says something.
        let joined = table.merged.iter().find(|m| {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            m.top <= top.number && top.number <= m.bottom && m.left <= at && at <= m.right
        });
        let from = match joined {
            Some(m) => usize::try_from(m.left).ok(),
            None if table.merged.is_empty() => (0..at).rev().find(|i| !top.cell(*i).trim().is_empty()),
            None => None,
        };
        above = from.map_or("", |i| top.cell(i).trim());
    }
    if below.is_empty() {
        vec![above.to_owned()]
    } else {
        vec![format!("{above}{below}"), below.to_owned(), above.to_owned()]
    }
}

/// The columns that these rows name, and how many of them are understood.
fn understood(kind: Kind, table: &Table, top: &TableRow, bottom: Option<&TableRow>) -> (Vec<Seen>, usize) {
    let width = top.cells.len().max(bottom.map_or(0, |b| b.cells.len()));
    let mut seen = Vec::with_capacity(width);
    let mut wishes: Vec<(usize, Column, bool)> = Vec::new();
    for at in 0..width {
        let mut texts = name_at(table, top, bottom, at);
        let found = texts.iter().find_map(|text| column_of(kind, &fold_header(text)));
        if let Some((column, plain)) = found {
            wishes.push((at, column, plain));
        }
        texts.retain(|t| !t.is_empty());
        let header = texts.into_iter().next().unwrap_or_default();
        seen.push(Seen { header: header.split_whitespace().collect::<Vec<_>>().join(" "), column: None });
    }
    // Whoever says it plainly comes first, then the first from the left.
    wishes.sort_by_key(|(at, _, plain)| (!plain, *at));
    let mut given: Vec<Column> = Vec::new();
    for (at, column, _) in wishes {
        if !given.contains(&column)
            && let Some(place) = seen.get_mut(at)
        {
            place.column = Some(column);
            given.push(column);
        }
    }
    (seen, given.len())
}

/// Finds the header: the row, or the two rows together, that name most columns. `None` when no row names the
/// column without which nothing can be taken, and another one.
#[must_use]
pub fn find_heading(kind: Kind, table: &Table) -> Option<Heading> {
    let needed = match kind {
        Kind::Members | Kind::Windows => Column::Name,
        Kind::Institutions => Column::Institution,
    };
    let mut best: Option<(usize, Heading)> = None;
    for (i, top) in table.rows.iter().enumerate().take(LOOK_AT_ROWS) {
        let below = table.rows.get(i + 1).filter(|b| b.number == top.number + 1);
        let both = std::iter::once(None).chain(below.map(Some));
        for bottom in both {
            let (columns, count) = understood(kind, table, top, bottom);
            // A title above the header names no column; it is not to stand before every name.
            let title = bottom.filter(|_| top.filled() <= 1);
            if title.is_some_and(|row| understood(kind, table, row, None).1 >= count) {
                continue;
            }
            let has_needed = columns.iter().any(|seen| seen.column == Some(needed));
            let better = best.as_ref().is_none_or(|(most, _)| count > *most);
            if has_needed && count >= 2 && better {
                let rows = [Some(top), bottom];
                let repeated = rows.into_iter().flatten();
                let heading = Heading {
                    data_from: i + 1 + usize::from(bottom.is_some()),
                    row: top.number,
                    columns,
                    repeated: repeated.map(|r| r.cells.iter().map(|c| fold_header(c)).collect()).collect(),
                };
                best = Some((count, heading));
            }
        }
    }
    best.map(|(_, heading)| heading)
}

/// Words that begin a note below or above the table.
const NOTES: &[&str] =
    &["※", "＊", "*", "注", "(注", "（注", "以上", "合計", "計", "小計", "備考:", "備考：", "作成", "■", "◆"];

/// Whether a row is a remark and no data.
#[must_use]
pub(super) fn is_remark(row: &TableRow) -> bool {
    row.filled() <= 2 && NOTES.iter().any(|mark| row.first().starts_with(mark))
}
