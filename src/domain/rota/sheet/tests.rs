//! Single cells and small tables; whole files are read in `export::sheet`.

use super::dates::{Said, SaidMonth, day_said, month_said, weekday};
use super::names::{Named, Names, Who, names_in, role_in};
use super::*;
use crate::domain::calendar::NightHours;
use crate::domain::people::sheet::{Merged, Table, TableRow};
use crate::domain::rota::model::RotaRole;
use crate::domain::rota::rules::Wished;
use crate::ids::{InstitutionId, MemberId};
use chrono::Weekday;

const BOOK: &str = r#"
[[slot]]
kind = "wn"
name = "平日の夜"
days = ["weekday", "saturday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy"]

[[slot]]
kind = "hd"
name = "休日の昼"
days = ["sunday", "holiday"]
from = "08:00"
to = "18:00"
roles = ["primary", "deputy"]

[[slot]]
kind = "hn"
name = "休日の夜"
days = ["sunday", "holiday"]
from = "18:00"
to = "08:00"
roles = ["primary", "deputy"]
"#;

fn people() -> Vec<Known> {
    [
        ("青木 一郎", "アオキ イチロウ", "青木医院"),
        ("上田 健", "ウエダ ケン", "上田内科クリニック"),
        ("佐藤 健一", "サトウ ケンイチ", "緑町クリニック"),
        ("佐藤 花子", "サトウ ハナコ", "泉クリニック"),
        ("髙橋 隆", "タカハシ タカシ", "桜町医院"),
        ("副島 孝", "ソエジマ タカシ", "松町医院"),
    ]
    .into_iter()
    .map(|(name, kana, institution)| Known {
        holder: Holder {
            person: MemberId::named(&[name]),
            institution: InstitutionId::named(&[institution]),
        },
        name: name.to_owned(),
        kana: kana.to_owned(),
        institution: institution.to_owned(),
    })
    .collect()
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn table(rows: &[&[&str]], merged: &[(u32, u32, u32, u32)]) -> Table {
    let row = |(n, cells): (usize, &&[&str])| TableRow {
        number: u32::try_from(n).unwrap() + 1,
        cells: cells.iter().map(|c| (*c).to_owned()).collect(),
    };
    Table {
        rows: rows.iter().enumerate().map(row).filter(|r| r.filled() > 0).collect(),
        merged: merged
            .iter()
            .map(|(top, bottom, left, right)| Merged {
                top: *top,
                bottom: *bottom,
                left: *left,
                right: *right,
            })
            .collect(),
        ..Table::default()
    }
}

fn read(kind: Kind, table: &Table, first: &str, last: &str) -> Reading {
    let (people, area) = (people(), "aoba".parse().unwrap());
    let book = SlotBook::parse("book", BOOK, "1").unwrap();
    let calendar = Calendar::national("1", NightHours::new(18 * 60, 8 * 60).unwrap());
    let world = World {
        people: &people,
        area: &area,
        book: &book,
        calendar: &calendar,
        zone: chrono_tz::Asia::Tokyo,
        days: (day(first), day(last)),
        weights: Weights::default(),
    };
    match kind {
        Kind::Duties => read_duties(table, world),
        Kind::Wishes => read_wishes(table, world),
    }
}

fn name_of(person: &MemberId) -> String {
    people().into_iter().find(|p| p.holder.person == *person).map(|p| p.name).unwrap_or_default()
}

fn duties(reading: &Reading) -> Vec<String> {
    let said = |d: &ReadDuty| {
        let name = name_of(&d.duty.holder.person);
        format!("{} {} {} {name}", d.place, d.duty.slot, d.duty.role.code())
    };
    reading.duties.iter().map(said).collect()
}

fn problems(reading: &Reading) -> Vec<String> {
    let said = |p: &Problem| {
        format!("{} {} {} {}", p.place, p.value, p.reason.code(), p.about).trim_end().to_owned()
    };
    reading.problems.iter().map(said).collect()
}

fn wishes(reading: &Reading) -> Vec<String> {
    let said = |w: &ReadWish| {
        let what = match w.wish.wished {
            Wished::Unavailable => "×",
            Wished::Off { .. } => "△",
            Wished::On { .. } => "○",
        };
        format!("{} {} {}..{} {what}", w.place, name_of(&w.wish.person), w.wish.first, w.wish.last)
    };
    let mut all: Vec<String> = reading.wishes.iter().map(said).collect();
    all.sort();
    all
}

#[test]
fn cells_are_named_as_spreadsheets_name_them() {
    let named = |column| Place { row: 7, column }.to_string();
    assert_eq!([named(0), named(25), named(26), named(701), named(702)], ["A7", "Z7", "AA7", "ZZ7", "AAA7"]);
}

#[test]
fn a_day_is_read_in_every_form() {
    let whole = |text: &str| Said::Whole(day(text));
    for (text, said, on) in [
        ("令和８年１０月１日", whole("2026-10-01"), None),
        ("令和8年10月1日（木）", whole("2026-10-01"), Some(Weekday::Thu)),
        ("R8.10.1", whole("2026-10-01"), None),
        ("2026/10/1", whole("2026-10-01"), None),
        ("2026-10-01 9:00", Said::Day(0), None),
        ("46296", whole("2026-10-01"), None),
        ("10/1", Said::MonthDay(10, 1), None),
        ("１０／１（木）", Said::MonthDay(10, 1), Some(Weekday::Thu)),
        ("10月1日", Said::MonthDay(10, 1), None),
        ("１", Said::Day(1), None),
        ("1日", Said::Day(1), None),
        ("1(木)", Said::Day(1), Some(Weekday::Thu)),
        ("1 木", Said::Day(1), Some(Weekday::Thu)),
        ("5 月", Said::Day(5), Some(Weekday::Mon)),
        ("10月", Said::Day(0), None),
        ("4日日", Said::Day(4), Some(Weekday::Sun)),
        ("1日木曜日", Said::Day(1), Some(Weekday::Thu)),
        ("23(金・祝)", Said::Day(23), Some(Weekday::Fri)),
        ("㈬", Said::Day(0), None),
        ("日", Said::Day(0), None),
        ("32", Said::Day(0), None),
        ("10/32", Said::Day(0), None),
        ("佐藤", Said::Day(0), None),
    ] {
        let wanted = (said != Said::Day(0)).then_some((said, on));
        assert_eq!(day_said(text), wanted, "{text}");
    }
    for (text, on) in [
        ("木", Some(Weekday::Thu)),
        ("日", Some(Weekday::Sun)),
        ("（月・祝）", Some(Weekday::Mon)),
        ("土曜日", Some(Weekday::Sat)),
        ("火木", None),
        ("夜", None),
    ] {
        assert_eq!(weekday(text), on, "{text}");
    }
}

#[test]
fn a_title_says_its_month() {
    let said = |year, month| Some(SaidMonth { year, month });
    for (text, wanted) in [
        ("令和８年１０月　在宅当番医表", said(Some(2026), Some(10))),
        ("2026年10月〜12月", said(Some(2026), Some(10))),
        ("令和8年度1月分", said(Some(2027), Some(1))),
        ("令和元年5月", said(Some(2019), Some(5))),
        ("R8.10", said(Some(2026), Some(10))),
        ("2026/10", said(Some(2026), Some(10))),
        ("１１月", said(None, Some(11))),
        ("令和8年度 当番表", said(Some(2026), None)),
        ("月曜", None),
        ("日 月 火", None),
        ("青木", None),
    ] {
        assert_eq!(month_said(text), wanted, "{text}");
    }
}

#[test]
fn a_name_is_found_by_a_part_only_where_one_person_has_it() {
    let people = people();
    let names = Names::new(&people);
    for (text, wanted) in [
        ("青木 一郎", "青木 一郎"),
        ("青木先生", "青木 一郎"),
        ("★青木　医師", "青木 一郎"),
        ("青木（青木医院）", "青木 一郎"),
        ("高橋", "髙橋 隆"),
        ("ﾀｶﾊｼ", "髙橋 隆"),
        ("佐藤健", "佐藤 健一"),
        ("佐藤（花）先生", "佐藤 花子"),
        ("花子", "佐藤 花子"),
        ("上田内科クリニック", "上田 健"),
        ("Dr.上田", "上田 健"),
        ("副島", "副島 孝"),
    ] {
        match names.find(text) {
            Who::One { known, .. } => assert_eq!(known.name, wanted, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(names.find("佐藤"), Who::None(Reason::Several, "佐藤 健一、佐藤 花子".to_owned()));
    assert_eq!(names.find("田中"), Who::None(Reason::Nobody, String::new()));
    let named = |text: &str| -> Vec<String> {
        let said = |n: Named| {
            format!("{}{}{}", n.role.map_or("", RotaRole::code), if n.replaced { ">" } else { ":" }, n.name)
        };
        names_in(text, &names).into_iter().map(said).collect()
    };
    assert_eq!(named("正：青木　副：上田先生"), ["primary:青木", "deputy:上田先生"]);
    assert_eq!(named("(正)青木 (副)副島 孝"), ["primary:青木", "deputy:副島 孝"]);
    assert_eq!(named("正青木\n副佐藤 健一"), ["primary:青木", "deputy:佐藤 健一"]);
    assert_eq!(named("副島 孝／青木"), [":副島 孝", ":青木"]);
    assert_eq!(named("青木→上田"), [">上田"]);
    assert_eq!(named("青木・上田"), [":青木", ":上田"]);
    assert!(named("―").is_empty() && named("未定").is_empty());
    assert_eq!(
        [role_in("副当番"), role_in("夜間　正"), role_in("医師")],
        [Some(RotaRole::Deputy), Some(RotaRole::Primary), None]
    );
}

#[test]
fn a_list_with_two_rows_a_day_and_joined_days_is_read() {
    let sheet = table(
        &[
            &["R8.10 夜間当番"],
            &["日", "曜", "", "医師名"],
            &["１", "木", "正", "青木先生"],
            &["", "", "副", "上田"],
            &["2", "金", "正", "髙橋"],
            &["", "", "副", "未定"],
            &["３", "日", "正", "青木"],
            &["4", "日", "正", "佐藤"],
            &["", "", "副", "副島"],
        ],
        &[(3, 4, 0, 0), (5, 6, 0, 0), (8, 9, 0, 0)],
    );
    let reading = read(Kind::Duties, &sheet, "2026-10-01", "2026-10-31");
    assert_eq!(reading.layout, Some(Layout::Rows));
    assert_eq!(
        duties(&reading),
        [
            "D3 2026-10-01/wn primary 青木 一郎",
            "D4 2026-10-01/wn deputy 上田 健",
            "D5 2026-10-02/wn primary 髙橋 隆",
            "D9 2026-10-04/hd deputy 副島 孝",
            "D9 2026-10-04/hn deputy 副島 孝",
        ]
    );
    assert_eq!(
        problems(&reading),
        ["A7 ３ other_weekday 2026-10-03（土）", "D8 佐藤 several 佐藤 健一、佐藤 花子"]
    );
    assert_eq!(reading.empty, 1);
}

#[test]
fn days_without_a_month_or_outside_of_the_asked_ones_are_named() {
    let sheet = table(
        &[&["日", "正", "副"], &["1", "青木", "上田"], &["2", "髙橋", "副島"], &["3", "上田", "青木"]],
        &[],
    );
    let reading = read(Kind::Duties, &sheet, "2026-10-01", "2026-11-30");
    assert_eq!(problems(&reading), ["A2 1 which_month", "A3 2 which_month", "A4 3 which_month"]);
    let one = read(Kind::Duties, &sheet, "2026-10-01", "2026-10-02");
    assert_eq!(one.duties.len(), 4);
    assert_eq!(problems(&one), ["A4 3 outside_the_days 2026-10-03"]);
}

#[test]
fn people_down_and_days_across_are_read_for_duties_and_wishes() {
    let sheet = table(
        &[
            &["令和８年１０月"],
            &["", "氏名", "1", "2", "3", "4", "5", "6"],
            &["", "", "木", "金", "土", "日", "月", "火"],
            &["1", "青木 一郎", "正", "×", "", "夜", "", "△"],
            &["2", "上田", "副", "", "○", "", "午後×", "謎"],
            &["3", "佐藤", "", "×", "", "", "", ""],
            &["", "合計", "2", "", "", "", "", ""],
        ],
        &[],
    );
    let wished = read(Kind::Wishes, &sheet, "2026-10-01", "2026-10-31");
    assert_eq!(
        wishes(&wished),
        [
            "D4 青木 一郎 2026-10-02..2026-10-02 ×",
            "E5 上田 健 2026-10-03..2026-10-03 ○",
            "H4 青木 一郎 2026-10-06..2026-10-06 △"
        ]
    );
    assert_eq!(
        problems(&wished),
        [
            "C4 正 not_a_mark",
            "F4 夜 part_of_a_day",
            "C5 副 not_a_mark",
            "G5 午後× part_of_a_day",
            "H5 謎 not_a_mark",
            "B6 佐藤 several 佐藤 健一、佐藤 花子",
        ]
    );
    let held = read(Kind::Duties, &sheet, "2026-10-01", "2026-10-31");
    assert_eq!(
        duties(&held),
        [
            "C4 2026-10-01/wn primary 青木 一郎",
            "C5 2026-10-01/wn deputy 上田 健",
            "E5 2026-10-03/wn primary 上田 健",
            "F4 2026-10-04/hn primary 青木 一郎",
        ]
    );
}

#[test]
fn days_listed_behind_a_name_are_read() {
    let sheet = table(
        &[
            &["令和８年１０月　希望調査"],
            &["氏名", "不可日", "できれば避けたい日", "希望日"],
            &["青木 一郎", "３日、１０〜１２日", "", "20日(火)"],
            &["上田先生", "毎週水曜", "10/30・10/31", ""],
            &["佐藤花子", "なし", "", "中旬"],
        ],
        &[],
    );
    let reading = read(Kind::Wishes, &sheet, "2026-10-01", "2026-10-31");
    assert_eq!(reading.layout, Some(Layout::Lists));
    let said = wishes(&reading);
    assert!(said.contains(&"B3 青木 一郎 2026-10-10..2026-10-12 ×".to_owned()), "{said:?}");
    assert!(said.contains(&"D3 青木 一郎 2026-10-20..2026-10-20 ○".to_owned()), "{said:?}");
    assert!(said.contains(&"C4 上田 健 2026-10-30..2026-10-31 △".to_owned()), "{said:?}");
    assert_eq!(said.iter().filter(|w| w.starts_with("B4 上田")).count(), 4, "every Wednesday: {said:?}");
    assert_eq!(problems(&reading), ["D5 中旬 not_a_day"]);
    assert_eq!(reading.answered.len(), 3, "who wishes nothing has answered too");
}

#[test]
fn a_month_on_the_wall_is_read_with_the_names_below_or_in_the_number_s_own_cell() {
    let sheet = table(
        &[
            &["２０２６年１０月"],
            &["日", "月", "火", "水", "木", "金", "土"],
            &["", "", "", "", "1\n青木\n上田", "2", "3"],
            &["", "", "", "", "", "正 髙橋", "副島"],
            &["", "", "", "", "", "副 青木", "上田"],
            &["4", "5", "6", "8", "", "", ""],
            &["青木", "上田", "髙橋", "副島", "", "", ""],
        ],
        &[],
    );
    let reading = read(Kind::Duties, &sheet, "2026-10-01", "2026-10-31");
    assert_eq!(reading.layout, Some(Layout::Grid));
    assert_eq!(
        duties(&reading),
        [
            "E3 2026-10-01/wn primary 青木 一郎",
            "E3 2026-10-01/wn deputy 上田 健",
            "F4 2026-10-02/wn primary 髙橋 隆",
            "F5 2026-10-02/wn deputy 青木 一郎",
            "G4 2026-10-03/wn primary 副島 孝",
            "G5 2026-10-03/wn deputy 上田 健",
            "A7 2026-10-04/hd primary 青木 一郎",
            "A7 2026-10-04/hn primary 青木 一郎",
            "B7 2026-10-05/wn primary 上田 健",
            "C7 2026-10-06/wn primary 髙橋 隆",
        ]
    );
    assert_eq!(problems(&reading), ["D6 8 other_weekday 2026-10-08（木）"]);
}

#[test]
fn what_is_no_rota_reads_as_nothing() {
    for rows in [&[&["a", "b"][..], &["c"]][..], &[&["1"][..]]] {
        let reading = read(Kind::Duties, &table(rows, &[]), "2026-10-01", "2026-10-31");
        assert_eq!((reading.layout, reading.duties.len()), (None, 0));
        assert_eq!(read(Kind::Wishes, &table(rows, &[]), "2026-10-01", "2026-10-31").layout, None);
    }
}
