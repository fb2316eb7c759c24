//! Whole files as offices keep them, read from their bytes: see `scripts/lib/rota_sheets.py`.

use std::sync::atomic::AtomicBool;

use super::{LIMITS, read};
use crate::domain::calendar::{Calendar, NightHours};
use crate::domain::people::sheet::Table;
use crate::domain::rota::sheet::{Known, Layout, Reading, Weights, World, read_duties, read_wishes};
use crate::domain::rota::{Holder, RotaRole, SlotBook, Wished};
use crate::ids::{InstitutionId, MemberId};

const BOOK: &str = include_str!("../../../config/slots.toml");

pub(super) const PEOPLE: [(&str, &str); 11] = [
    ("青木 一郎", "青木医院"),
    ("上田 健", "上田内科クリニック"),
    ("榎本 清子", "榎本クリニック"),
    ("大野 誠", "大野医院"),
    ("伊藤 美咲", "伊藤クリニック"),
    ("小林 修", "小林内科"),
    ("木村 直子", "木村医院"),
    ("髙橋 隆", "桜町医院"),
    ("鈴木 裕子", "泉クリニック"),
    ("渡邊 恵", "緑町クリニック"),
    ("佐藤 健一", "楓クリニック"),
];

fn table(name: &str, sheet: &str) -> Table {
    let path = format!("{}/tests/it/data/{name}", env!("CARGO_MANIFEST_DIR"));
    read(&std::fs::read(path).unwrap(), sheet, &LIMITS, &AtomicBool::new(false)).unwrap()
}

fn reading(table: &Table, last: &str, wishes: bool) -> Reading {
    let mut people: Vec<Known> = PEOPLE
        .iter()
        .chain(&[("佐藤 花子", "柏クリニック")])
        .map(|(name, institution)| Known {
            holder: Holder {
                person: MemberId::named(&[name]),
                institution: InstitutionId::named(&[institution]),
            },
            name: (*name).to_owned(),
            kana: String::new(),
            institution: (*institution).to_owned(),
        })
        .collect();
    people.reverse();
    let (area, book) = ("aoba".parse().unwrap(), SlotBook::parse("slots.toml", BOOK, "1").unwrap());
    let calendar = Calendar::national("1", NightHours::new(18 * 60, 8 * 60).unwrap());
    let world = World {
        people: &people,
        area: &area,
        book: &book,
        calendar: &calendar,
        zone: chrono_tz::Asia::Tokyo,
        days: ("2026-10-01".parse().unwrap(), last.parse().unwrap()),
        weights: Weights::default(),
    };
    if wishes { read_wishes(table, world) } else { read_duties(table, world) }
}

fn problems(reading: &Reading) -> Vec<String> {
    let said = reading
        .problems
        .iter()
        .map(|p| format!("{} {} {} {}", p.place, p.value, p.reason.code(), p.about).trim_end().to_owned());
    said.collect()
}

fn seat(reading: &Reading, slot: &str, role: RotaRole) -> String {
    let found = reading.duties.iter().find(|d| d.duty.slot.to_string() == slot && d.duty.role == role);
    let person = found.map(|d| d.duty.holder.person.clone());
    let name = PEOPLE.iter().find(|(name, _)| Some(MemberId::named(&[name])) == person);
    name.map_or(String::new(), |(name, _)| (*name).to_owned())
}

#[test]
fn a_month_with_joined_cells_era_dates_and_wide_digits_is_read() {
    let table = table("rota-2026-10.xlsx", "R8.10");
    assert!(!table.merged.is_empty());
    let read = reading(&table, "2026-10-31", false);
    assert_eq!(read.layout, Some(Layout::Rows));
    assert_eq!(
        problems(&read),
        [
            "E17 佐藤先生 several 佐藤 花子、佐藤 健一",
            "F19 田中 nobody",
            "A27 21日（金） other_weekday 2026-10-21（水）",
            "A30 10月３２日 not_a_day",
            "C32 青木・上田・榎本・大野 too_many_names",
        ]
    );
    assert_eq!(seat(&read, "2026-10-01/wn", RotaRole::Primary), "小林 修");
    assert_eq!(seat(&read, "2026-10-01/wd", RotaRole::Primary), "青木 一郎");
    assert_eq!(seat(&read, "2026-10-02/wd", RotaRole::Primary), "上田 健", "a real date");
    assert_eq!(seat(&read, "2026-10-08/wd", RotaRole::Deputy), "青木 一郎");
    let three =
        ["2026-10-06/wn", "2026-10-07/wn", "2026-10-08/wn"].map(|s| seat(&read, s, RotaRole::Primary));
    assert_eq!(three, ["青木 一郎"; 3], "one cell joined over three nights");
    assert_eq!(seat(&read, "2026-10-09/wd", RotaRole::Primary), "小林 修", "the one behind the arrow");
    assert_eq!(seat(&read, "2026-10-10/sm", RotaRole::Primary), "渡邊 恵");
    assert_eq!(seat(&read, "2026-10-10/sp", RotaRole::Primary), "渡邊 恵", "a day of two slots");
    assert_eq!(seat(&read, "2026-10-10/sm", RotaRole::Deputy), "", "未定");
    assert!(
        read.duties
            .iter()
            .all(|d| !["2026-10-21", "2026-10-24"].contains(&d.duty.slot.day.to_string().as_str()))
    );
    let noted: Vec<_> =
        read.notes.iter().filter(|n| n.kind.code() == "replaced").map(|n| n.place.to_string()).collect();
    assert_eq!(noted, ["C14"]);
}

#[test]
fn a_wall_calendar_of_the_same_workbook_is_read() {
    let read = reading(&table("rota-2026-10.xlsx", "月表"), "2026-10-31", false);
    assert_eq!(read.layout, Some(Layout::Grid));
    assert_eq!(problems(&read), ["J5 田中 nobody"]);
    assert_eq!(read.duties.len(), 31 * 2 - 1);
    assert_eq!(seat(&read, "2026-10-01/wn", RotaRole::Deputy), "伊藤 美咲");
    assert_eq!(seat(&read, "2026-10-12/hn", RotaRole::Primary), "上田 健", "a holiday's name is no name");
    assert!(read.duties.iter().all(|d| !d.duty.slot.kind.to_string().ends_with('d')), "nights alone");
}

#[test]
fn a_quarter_in_shift_jis_is_read() {
    let table = table("rota-2026-q4.csv", "");
    assert_eq!(table.encoding, "shift_jis");
    let read = reading(&table, "2026-12-31", false);
    assert_eq!(read.layout, Some(Layout::Rows));
    assert_eq!(
        problems(&read),
        ["D70 佐藤 several 佐藤 花子、佐藤 健一", "A168 ２０日 other_weekday 2026-12-20（日）"]
    );
    assert_eq!(seat(&read, "2026-10-01/wd", RotaRole::Primary), "青木 一郎");
    assert_eq!(seat(&read, "2026-12-31/yn", RotaRole::Primary), "大野 誠");
    let months = ["2026-10", "2026-11", "2026-12"]
        .map(|month| read.duties.iter().filter(|d| d.duty.slot.to_string().starts_with(month)).count());
    assert!(months.iter().all(|n| *n > 110), "{months:?}");
}

#[test]
fn marks_and_listed_days_of_wish_sheets_are_read() {
    let read = reading(&table("wishes-2026-10.xlsx", "希望調査"), "2026-10-31", true);
    assert_eq!(read.layout, Some(Layout::Across));
    assert_eq!(
        problems(&read),
        [
            "O7 午後× part_of_a_day",
            "P8 ？？ not_a_mark",
            "B11 佐藤 several 佐藤 花子、佐藤 健一",
            "B12 田中 次郎 nobody",
        ]
    );
    let aoki = MemberId::named(&["青木 一郎"]);
    let away = read.wishes.iter().find(|w| w.wish.person == aoki && w.wish.first.day() == 18).unwrap();
    assert_eq!(
        (away.wish.last.day(), away.wish.wished),
        (22, Wished::Unavailable),
        "one cell joined over five days"
    );
    assert_eq!(read.answered.len(), 6);

    let lists = reading(&table("wishes-2026-10.xlsx", "はがき"), "2026-10-31", true);
    assert_eq!(lists.layout, Some(Layout::Lists));
    assert_eq!(
        problems(&lists),
        [
            "B8 佐藤 several 佐藤 花子、佐藤 健一",
            "C9 中旬はむずかしい not_a_day",
            "C10 9日(木) other_weekday 2026-10-09（金）",
        ]
    );
}
