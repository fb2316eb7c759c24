//! Cells, headers and rows as offices write them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::header::{find_heading, fold_header};
use super::values::*;
use super::*;
use crate::domain::people::Day;
use crate::ids::{InstitutionId, MemberId};

fn table(rows: &[&[&str]]) -> Table {
    let rows = rows.iter().enumerate().map(|(n, cells)| TableRow {
        number: u32::try_from(n + 1).unwrap(),
        cells: cells.iter().map(|c| (*c).to_owned()).collect(),
    });
    Table { rows: rows.filter(|r| r.filled() > 0).collect(), ..Table::default() }
}

fn house(name: &str, code: &str) -> InstitutionNow {
    InstitutionNow {
        id: InstitutionId::named(&[name, code]),
        revision: 3,
        draft: InstitutionDraft {
            name: name.into(),
            kind: "clinic".into(),
            area: "青葉北".into(),
            code: code.into(),
            ..InstitutionDraft::default()
        },
    }
}

fn member(no: &str, name: &str, kana: &str, at: &InstitutionNow) -> MemberNow {
    MemberNow {
        id: MemberId::named(&[no, name]),
        revision: 5,
        draft: MemberDraft {
            name: name.into(),
            kana: kana.into(),
            institution: InstitutionOf::There(at.id.clone()),
            email: Some(format!("m{no}@example.jp")),
            phone: Some("042-211-2345".into()),
            roles: vec![Role::Physician],
            member_no: no.into(),
            ..MemberDraft::default()
        },
    }
}

fn world() -> World {
    let (aoba, midori) = (house("青葉クリニック", "1310000001"), house("緑町内科", ""));
    let members = vec![
        member("101", "髙橋 健一", "タカハシ ケンイチ", &aoba),
        member("102", "伊藤 美咲", "イトウ ミサキ", &aoba),
        member("", "佐藤 修", "", &midori),
    ];
    World {
        members,
        institutions: vec![aoba, midori],
        words: Words {
            specialties: vec![("皮膚科".into(), "dermatology".into()), ("内科".into(), "internal".into())],
            kinds: vec![("診療所".into(), "clinic".into()), ("病院".into(), "hospital".into())],
            roles: vec![
                ("在宅医".into(), Role::Physician),
                ("協力医".into(), Role::Specialist),
                ("事務局".into(), Role::Clerk),
            ],
            ways: vec![("電話".into(), ContactWay::Phone)],
        },
        ..World::default()
    }
}

const HEAD: &[&str] = &["会員番号", "氏名", "フリガナ", "所属", "地区", "電話", "メール", "役割", "診療科"];

fn outcome(row: &[&str]) -> Outcome {
    plan_members(&table(&[HEAD, row]), &world()).rows.remove(0).outcome
}

fn reasons(outcome: &Outcome) -> Vec<(Option<Column>, Reason)> {
    match outcome {
        Outcome::Refused(problems) => problems.iter().map(|p| (p.column, p.reason)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn phones_are_read_however_they_are_written() {
    for (typed, number, zero_put) in [
        ("０４２－２１１－２３４５", "042-211-2345", false),
        ("042（211）2345", "042-211-2345", false),
        ("(042)211-2345（代）", "042-211-2345", false),
        ("042ー211—2345", "042-211-2345", false),
        ("042‐211−2345", "042-211-2345", false),
        ("422511234", "0422511234", true),
        ("9012345678", "09012345678", true),
        ("TEL:0422-51-1234", "0422-51-1234", false),
        ("+81 42 211 2345", "+81422112345", false),
        ("０９０ １２３４ ５６７８", "09012345678", false),
    ] {
        let read = phone(typed).unwrap_or_else(|e| panic!("{typed}: {e:?}"));
        assert_eq!((read.number.as_str(), read.zero_put), (number, zero_put), "{typed}");
    }
    assert_eq!(phone("042-211-2345 内線12").unwrap().extension, "12");
    for wrong in ["", "なし", "1234", "042-211", "042-211-23456789", "42112345678x"] {
        assert!(phone(wrong).is_err(), "{wrong}");
    }
    assert_eq!(phone("042-211-2345、090-1234-5678"), Err(Reason::TwoPhones));
    assert_eq!(phone("042-211-2345\n090-1234-5678"), Err(Reason::TwoPhones));
}

#[test]
fn days_are_read_in_every_calendar_of_the_office() {
    let wanted = CivilDate::new(2026, 10, 14).unwrap();
    for typed in [
        "2026-10-14",
        "2026/10/14",
        "２０２６年１０月１４日",
        "R8.10.14",
        "Ｒ８．１０．１４",
        "令和8年10月14日",
        "令和８年１０月１４日（水）",
        "46309",
        "20261014",
        "r8/10/14",
        "2026-10-14T00:00:00",
    ] {
        assert_eq!(day(typed), Ok(wanted), "{typed}");
    }
    assert_eq!(day("令和元年5月1日"), Ok(CivilDate::new(2019, 5, 1).unwrap()));
    assert_eq!(day("S60.1.2"), Ok(CivilDate::new(1985, 1, 2).unwrap()));
    for wrong in
        ["令和8年13月1日", "H31.5.1", "R0.1.1", "8.10.14", "来年", "2026/2/30", "令和99999999年1月1日", "100"]
    {
        assert_eq!(day(wrong), Err(Reason::NotADay), "{wrong}");
    }
}

#[test]
fn weekdays_and_hours_are_read_in_the_words_of_the_lists() {
    use Day::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    for (typed, days) in [
        ("月・水・金", vec![Mon, Wed, Fri]),
        ("月水金", vec![Mon, Wed, Fri]),
        ("月曜日、木曜日", vec![Mon, Thu]),
        ("月〜金", vec![Mon, Tue, Wed, Thu, Fri]),
        ("平日", vec![Mon, Tue, Wed, Thu, Fri]),
        ("土日", vec![Sat, Sun]),
        ("土～月", vec![Mon, Sat, Sun]),
        ("毎日", vec![]),
        ("Mon-Wed", vec![Mon, Tue, Wed]),
    ] {
        assert_eq!(weekdays(typed), Ok(days), "{typed}");
    }
    for wrong in ["祝日", "第2火曜", "〜金", "月〜", ""] {
        assert!(weekdays(wrong).is_err(), "{wrong}");
    }
    for (typed, found) in [
        ("12:30〜13:30", (750, 810)),
        ("９時～１７時", (540, 1_020)),
        ("9時半-12時", (570, 720)),
        ("午後1時〜2時", (780, 840)),
        ("18:00から20:00まで", (1_080, 1_200)),
        ("終日", (0, 0)),
        ("22:00〜6:00", (1_320, 360)),
    ] {
        assert_eq!(hours(typed), Ok(found), "{typed}");
        assert_eq!(hours(&hours_text(found.0, found.1)), Ok(found), "{typed}");
    }
    for wrong in ["昼休み", "25:00〜26:00", "12:30", "9:00〜9:00"] {
        assert!(hours(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn codes_keep_their_zeros_and_marks_are_yes_or_no() {
    assert_eq!(institution_code("１３１００００００１"), Ok(("1310000001".into(), false)));
    assert_eq!(institution_code("112345678"), Ok(("0112345678".into(), true)));
    assert_eq!(institution_code("12345"), Err(Reason::NotACode));
    assert_eq!(postcode("〒１９９ー０００１"), Ok(("1990001".into(), false)));
    assert_eq!(postcode("600001"), Ok(("0600001".into(), true)));
    for (typed, yes) in [("○", true), ("◯", true), ("有", true), ("×", false), ("✕", false), ("不可", false)]
    {
        assert_eq!(mark(typed), Ok(yes), "{typed}");
    }
    assert_eq!(mark("たぶん"), Err(Reason::NotAMark));
    assert_eq!(email("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ"), Ok("taro@example.jp".into()));
    assert_eq!(email("a..b.@docomo.ne.jp"), Ok("a..b.@docomo.ne.jp".into()), "old carrier addresses exist");
    assert!(email("taro＠").is_err() && email("太郎@example.jp").is_err());
}

#[test]
fn names_keep_their_characters_and_are_compared_without_them() {
    assert_eq!(line(" 髙﨑　①郎 "), "髙﨑 ①郎", "no character of a name is changed");
    assert_eq!(line("ﾊﾞﾝﾄﾞｳ ｼﾞﾛｳ"), "バンドウ ジロウ");
    assert_eq!(fold_name("髙﨑　次郎"), fold_name("高崎次郎"));
    assert_eq!(fold_name("たかさき じろう"), fold_name("ﾀｶｻｷｼﾞﾛｳ"));
    assert_ne!(fold_name("斎藤"), fold_name("斉藤"));
}

#[test]
fn the_header_is_found_below_titles_and_in_two_rows() {
    let rows: &[&[&str]] = &[
        &["令和8年度 会員名簿"],
        &["", "（令和8年4月1日現在）"],
        &["Ｎｏ．", "氏　名", "フリガナ", "医療機関名", "連絡先", "", "", "備考"],
        &["", "", "", "", "電 話", "ＦＡＸ", "Ｅ－ｍａｉｌ", ""],
        &["101", "髙橋 健一", "タカハシ ケンイチ", "青葉クリニック", "042-211-2345", "", "", ""],
        &["※ 太字は新しい会員です"],
    ];
    let mut sheet = table(rows);
    let heading = find_heading(Kind::Members, &sheet).unwrap();
    assert_eq!((heading.row, heading.data_from), (3, 4));
    let found: Vec<_> = heading.columns.iter().map(|c| c.column).collect();
    use Column as C;
    let wanted = [C::MemberNo, C::Name, C::Kana, C::Institution, C::Phone, C::Fax, C::Email, C::Note];
    assert_eq!(found, wanted.map(Some));
    // The same with cells joined as a spreadsheet joins them.
    sheet.merged = vec![Merged { top: 3, bottom: 3, left: 4, right: 6 }];
    assert_eq!(find_heading(Kind::Members, &sheet).unwrap().columns, heading.columns);
    let plan = plan_members(&sheet, &world());
    assert_eq!(plan.counts(), Counts { same: 1, ..Counts::default() });
    assert_eq!(plan.passed_over, [1, 2, 3, 4, 6]);
    assert!(find_heading(Kind::Members, &table(&[&["りんご", "みかん"], &["1", "2"]])).is_none());
}

#[test]
fn every_column_is_known_by_the_names_our_own_sheets_give_it() {
    for lang in [crate::i18n::Lang::Ja, crate::i18n::Lang::En] {
        for kind in Kind::ALL {
            let name = |c: &Column| crate::i18n::t(lang, &format!("sheet-column-{}", c.code()));
            let names: Vec<String> = kind.columns().iter().map(name).collect();
            let cells: Vec<&str> = names.iter().map(String::as_str).collect();
            let heading = find_heading(kind, &table(&[&cells])).unwrap();
            let found: Vec<_> = heading.columns.iter().filter_map(|c| c.column).collect();
            assert_eq!(found, kind.columns(), "{kind:?} {lang:?}");
        }
    }
}

#[test]
fn a_member_is_known_by_number_then_by_name_and_place_then_by_mail() {
    let same = |row: &[&str]| matches!(outcome(row), Outcome::Same);
    assert!(same(&["１０１", "髙橋　健一", "たかはし けんいち", "青葉クリニック", "", "042(211)2345"]));
    assert!(!same(&["", "高橋健一", "", "青葉クリニック"]), "高 is another character than 髙");
    assert!(!same(&["", "髙橋健一", "", "青葉クリニック"]), "a blank in a name is kept as typed");
    assert!(same(&["", "佐藤 修", "", "緑町内科"]));
    assert!(same(&["0101", "髙橋 健一"]), "a number without its zeros is the same number");
    let moved = outcome(&["102", "伊藤 美咲", "", "緑町内科"]);
    let Outcome::Change { diffs, revision: 5, .. } = moved else { panic!() };
    assert_eq!((diffs[0].column, diffs[0].old.as_str()), (Column::Institution, "青葉クリニック"));
    assert_eq!(diffs.len(), 1);
    let married = outcome(&["", "小林 美咲", "イトウ ミサキ", "", "", "", "m102@example.jp"]);
    assert!(matches!(married, Outcome::Change { .. }));
    let other = outcome(&["", "小林 次郎", "", "", "", "", "m102@example.jp"]);
    assert_eq!(reasons(&other), [(Some(Column::Email), Reason::OtherName)]);
    let slipped = outcome(&["102", "髙橋 健一", "タカハシ ケンイチ"]);
    assert_eq!(reasons(&slipped), [(Some(Column::MemberNo), Reason::OtherName)], "rows that slipped");
    let renumbered = outcome(&["999", "髙橋 健一", "タカハシ ケンイチ", "青葉クリニック"]);
    assert_eq!(reasons(&renumbered), [(Some(Column::MemberNo), Reason::Ambiguous)]);
}

#[test]
fn two_members_of_one_name_are_not_chosen_between() {
    let mut world = world();
    let house = world.institutions[0].clone();
    world.members.push(member("103", "伊藤 美咲", "", &house));
    let plan = plan_members(&table(&[HEAD, &["", "伊藤 美咲", "", "青葉クリニック"]]), &world);
    assert_eq!(reasons(&plan.rows[0].outcome), [(Some(Column::Name), Reason::Ambiguous)]);
    assert_eq!(plan.rows[0].row, 2);
}

#[test]
fn a_new_member_brings_their_institution_once() {
    let rows: &[&[&str]] = &[
        HEAD,
        &["201", "新田 一", "", "新町訪問看護ステーション", "青葉南"],
        &["202", "新田 二", "", "新町 訪問看護ステーション", ""],
        &["203", "新田 三", "", "どこかの医院", ""],
    ];
    let plan = plan_members(&table(rows), &world());
    assert_eq!(plan.new_institutions.len(), 1, "the one whose area is known");
    let new = &plan.new_institutions[0].draft;
    assert_eq!((new.kind.as_str(), new.area.as_str()), ("nursing_station", "青葉南"));
    let Outcome::Add(Target::Member(draft)) = &plan.rows[1].outcome else { panic!() };
    assert_eq!(
        (&draft.institution, draft.roles.as_slice()),
        (&InstitutionOf::New(0), &[Role::NurseStation][..])
    );
    assert_eq!(reasons(&plan.rows[2].outcome), [(Some(Column::Area), Reason::AreaNeeded)]);
}

#[test]
fn every_unreadable_cell_of_a_row_is_named() {
    let row = outcome(&["204", "新田 四", "", "青葉クリニック", "", "電話なし", "mail", "宇宙飛行士", ""]);
    assert_eq!(
        reasons(&row),
        [
            (Some(Column::Email), Reason::NotAnAddress),
            (Some(Column::Phone), Reason::NotAPhone),
            (Some(Column::Roles), Reason::NotAChoice),
        ]
    );
    let office = outcome(&["102", "伊藤 美咲", "", "", "", "", "", "事務局"]);
    assert_eq!(reasons(&office), [(Some(Column::Roles), Reason::OfficeRole)]);
    let nobody = outcome(&["205", "", "", "青葉クリニック", "青葉北", "042-211-0000"]);
    assert_eq!(reasons(&nobody), [(Some(Column::Name), Reason::Missing)]);
}

#[test]
fn what_stands_twice_in_a_file_is_refused_the_second_time() {
    let rows: &[&[&str]] = &[
        HEAD,
        &["201", "新田 一", "", "青葉クリニック"],
        &["201", "新田 二", "", "青葉クリニック"],
        &["102", "伊藤 美咲"],
        &["", "伊藤 美咲", "", "青葉クリニック"],
    ];
    let plan = plan_members(&table(rows), &world());
    assert_eq!(reasons(&plan.rows[1].outcome), [(None, Reason::Twice)]);
    assert_eq!(reasons(&plan.rows[3].outcome), [(None, Reason::Twice)]);
    assert_eq!(plan.counts(), Counts { added: 1, same: 1, refused: 2, ..Counts::default() });
}

#[test]
fn office_roles_stay_and_specialties_belong_to_specialists() {
    let mut world = world();
    world.members[1].draft.roles = vec![Role::Physician, Role::Clerk];
    let rows: &[&[&str]] = &[
        HEAD,
        &["102", "伊藤 美咲", "", "", "", "", "", "協力医", "皮膚科、内科"],
        &["101", "髙橋 健一", "", "", "", "", "", "", "皮膚科"],
    ];
    let plan = plan_members(&table(rows), &world);
    let Outcome::Change { to: Target::Member(draft), .. } = &plan.rows[0].outcome else { panic!() };
    assert_eq!(draft.roles, [Role::Specialist, Role::Clerk]);
    let codes: Vec<_> = draft.specialties.iter().map(|s| s.specialty.as_str()).collect();
    assert_eq!(codes, ["dermatology", "internal"]);
    assert_eq!(plan.rows[1].outcome, Outcome::Same);
    assert_eq!(plan.rows[1].notes, [Note::NotUsed(Column::Specialties, "皮膚科".into())]);
}

#[test]
fn institutions_are_known_by_code_then_by_name() {
    let rows: &[&[&str]] = &[
        &["医療機関コード", "医療機関名", "区分", "地区", "住所", "24時間対応", "電話番号"],
        &["1310000001", "青葉クリニック", "診療所", "青葉北"],
        &["", "緑町内科", "病院", "青葉北", "緑町1-2", "○", "0422-51-1234"],
        &["1310000009", "新しい薬局", "", "青葉南"],
        &["", "コードのない所", "", ""],
    ];
    let plan = plan_institutions(&table(rows), &world());
    assert_eq!(plan.counts(), Counts { added: 1, changed: 1, same: 1, refused: 1, ..Counts::default() });
    let Outcome::Change { diffs, .. } = &plan.rows[1].outcome else { panic!() };
    let columns: Vec<_> = diffs.iter().map(|d| d.column).collect();
    assert_eq!(columns, [Column::Category, Column::Address, Column::Phone, Column::RoundTheClock]);
    let Outcome::Add(Target::Institution(new)) = &plan.rows[2].outcome else { panic!() };
    assert_eq!(new.kind, "pharmacy");
    assert_eq!(reasons(&plan.rows[3].outcome), [(Some(Column::Area), Reason::AreaNeeded)]);
}

/// The world in April of the fiscal year 2026, with windows of the first doctor from the year before.
fn april() -> World {
    let window = ContactWindow {
        way: ContactWay::Phone,
        days: vec![Day::Mon],
        from_min: 720,
        to_min: 780,
        holidays: false,
        remarks: String::new(),
        public: true,
    };
    let first = world().members[0].id.clone();
    let last_year = BTreeMap::from([(first, (2, vec![window]))]);
    World {
        year: 2026,
        windows: BTreeMap::from([(2025, last_year), (2026, BTreeMap::new()), (2027, BTreeMap::new())]),
        ..world()
    }
}

const LIST: &[&str] = &["医療機関名", "医師名", "方法", "曜日", "時間", "備考"];

fn windows_in(outcome: &Outcome) -> &[ContactWindow] {
    match outcome {
        Outcome::Add(Target::Windows(draft)) | Outcome::Change { to: Target::Windows(draft), .. } => {
            &draft.windows
        }
        _ => panic!("no windows"),
    }
}

#[test]
fn a_list_of_contact_windows_says_everything_of_the_doctors_who_stand_in_it() {
    let rows: &[&[&str]] = &[
        &["令和８年度　ケアマネタイム一覧"],
        LIST,
        &[
            "青葉クリニック",
            "髙橋　健一",
            "電話・FAX・MCS",
            "月・水",
            "１２：３０～１３：３０",
            "急ぎは午前も可",
        ],
        // Under a joined cell.
        &["", "", "来院", "平日", "終日", ""],
        &["緑町内科", "佐藤修", "面談", "", "", ""],
        &["※ 変更は事務局へ"],
    ];
    let plan = plan_windows(&table(rows), &april());
    assert_eq!((plan.year, plan.rows.len()), (Some(2026), 2));
    assert_eq!(plan.counts(), Counts { added: 2, ..Counts::default() });
    let first = windows_in(&plan.rows[0].outcome);
    let ways: Vec<_> = first.iter().map(|w| (w.way, w.remarks.as_str())).collect();
    assert_eq!(
        ways,
        [
            (ContactWay::Phone, "急ぎは午前も可"),
            (ContactWay::Fax, "急ぎは午前も可"),
            (ContactWay::Other, "MCS 急ぎは午前も可"),
            (ContactWay::Visit, ""),
        ]
    );
    assert_eq!(
        (first[0].days.as_slice(), first[0].from_min, first[0].to_min),
        (&[Day::Mon, Day::Wed][..], 750, 810)
    );
    assert!(first.iter().all(|w| w.public), "who agreed last year still does");
    let second = windows_in(&plan.rows[1].outcome);
    assert!(second[0].is_all_day() && second[0].days.is_empty() && !second[0].public);
}

#[test]
fn a_doctor_of_whom_one_row_is_wrong_stays_as_they_were() {
    let rows: &[&[&str]] = &[
        LIST,
        &["青葉クリニック", "髙橋　健一", "電話", "月", "9時〜10時", ""],
        &["青葉クリニック", "髙橋　健一", "電話", "月", "朝のうち", ""],
        &["緑町内科", "知らない人", "電話", "月", "9時", ""],
        &["青葉クリニック", "伊藤美咲", "", "月", "9時〜10時", ""],
    ];
    let plan = plan_windows(&table(rows), &april());
    assert_eq!((plan.year, plan.counts().refused), (Some(2026), 4));
    let wrong: Vec<Vec<_>> = plan
        .rows
        .iter()
        .map(|row| match &row.outcome {
            Outcome::Refused(problems) => problems.iter().map(|p| (p.column, p.reason)).collect(),
            _ => panic!("{}", row.row),
        })
        .collect();
    assert_eq!(wrong[0], [(None, Reason::RowBeside)]);
    assert_eq!(wrong[1], [(Some(Column::Hours), Reason::NotAnHour)]);
    assert_eq!(
        wrong[2],
        [(Some(Column::Name), Reason::NotAChoice), (Some(Column::Hours), Reason::NotAnHour)]
    );
    assert_eq!(wrong[3], [(Some(Column::Ways), Reason::Missing)]);
}

#[test]
fn a_list_of_another_age_is_not_taken_and_one_of_the_next_year_is() {
    let row: &[&str] = &["青葉クリニック", "髙橋　健一", "電話", "月", "9時〜10時", ""];
    let plan = |title: &str| plan_windows(&table(&[&[title], LIST, row]), &april());
    assert_eq!(plan("令和9年度").counts().added, 1);
    assert_eq!(plan("令和7年度").counts().changed, 1);
    let old = plan("平成30年度");
    assert!(matches!(&old.rows[0].outcome, Outcome::Refused(p) if p[0].reason == Reason::OtherYear));
    let many: Vec<&[&str]> = std::iter::once(LIST).chain(std::iter::repeat_n(row, 13)).collect();
    let many = plan_windows(&table(&many), &april());
    assert!(matches!(&many.rows[0].outcome, Outcome::Refused(p) if p[0].reason == Reason::TooMany));
}

#[test]
fn every_reason_and_column_has_its_words() {
    let known = crate::i18n::keys(crate::i18n::Lang::Ja);
    for reason in Reason::ALL {
        assert!(known.contains(&format!("sheet-reason-{}", reason.code())), "{reason:?}");
    }
    for column in Column::ALL {
        assert!(known.contains(&format!("sheet-column-{}", column.code())), "{column:?}");
    }
    for kind in crate::domain::people::INSTITUTION_KINDS {
        assert!(known.contains(&format!("sheet-kind-{kind}")), "{kind}");
    }
}

proptest! {
    #[test]
    fn a_header_is_the_same_in_any_width_and_with_any_blanks(blanks in 0usize..4, wide: bool, bracket: bool) {
        let name = if wide { "Ｆ Ａ Ｘ番号" } else { "fax番号" };
        let mut typed = format!("{}{name}{}", " ".repeat(blanks), "　".repeat(blanks));
        if bracket {
            typed = format!("【{typed}】");
        }
        prop_assert_eq!(fold_header(&typed), "fax番号");
    }

    #[test]
    fn no_cell_makes_the_understanding_break(texts in proptest::collection::vec("\\PC{0,12}|[0-9０-９/.:〜\\-年月日時令和]{0,12}", 9)) {
        let cells: Vec<&str> = texts.iter().map(String::as_str).collect();
        let plan = plan_members(&table(&[HEAD, &cells, &cells]), &world());
        prop_assert!(plan.rows.len() <= 2);
        for text in &texts {
            let _ = (day(text), hours(text), weekdays(text), phone(text), mark(text), institution_code(text));
        }
        let heads = plan_institutions(&table(&[&cells, &cells]), &world());
        prop_assert!(heads.rows.len() <= 2);
    }
}
