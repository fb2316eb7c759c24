//! Eighty invented people, in the forms in which offices keep such lists. The files in `tests/it/data` are made
//! here: `TOUBAN_WRITE_FIXTURES=1 cargo test --test it the_stored_lists` writes them anew.

use std::path::PathBuf;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};

const FAMILIES: &[(&str, &str)] = &[
    ("髙橋", "タカハシ"),
    ("山﨑", "ヤマザキ"),
    ("渡邊", "ワタナベ"),
    ("齋藤", "サイトウ"),
    ("佐々木", "ササキ"),
    ("濵田", "ハマダ"),
    ("德永", "トクナガ"),
    ("伊藤", "イトウ"),
    ("小林", "コバヤシ"),
    ("藤井", "フジイ"),
];
const GIVEN: &[(&str, &str)] = &[
    ("健一", "ケンイチ"),
    ("美咲", "ミサキ"),
    ("修", "オサム"),
    ("直子", "ナオコ"),
    ("大輔", "ダイスケ"),
    ("恵", "メグミ"),
    ("隆", "タカシ"),
    ("裕子", "ユウコ"),
];
const TOWNS: &[&str] = &["若葉", "緑", "泉", "桜", "松", "楓", "柏", "梅", "桂", "橘"];
const PLACES: &[(&str, &str)] = &[
    ("内科クリニック", "診療所"),
    ("在宅クリニック", "在支診"),
    ("訪問看護ステーション", "訪問看護ステーション"),
    ("病院", "病院"),
];
const AREAS: &[&str] = &["青葉北", "青葉南", "青葉東", "青葉西"];

/// One of the eighty.
#[derive(Clone, Debug)]
pub struct Person {
    pub no: u32,
    pub name: String,
    pub kana: String,
    pub clinic: String,
    pub code: String,
    pub kind: &'static str,
    pub area: &'static str,
    /// With hyphens, as it is to stand in the end.
    pub phone: String,
    pub fax: String,
    pub email: String,
}

pub fn people() -> Vec<Person> {
    (0..80u32)
        .map(|i| {
            let (family, family_kana) = FAMILIES[i as usize % 10];
            let (given, given_kana) = GIVEN[(i / 10) as usize % 8];
            let place = i / 2;
            let (what, kind) = PLACES[place as usize % 4];
            let clinic = format!("{}町{what}", TOWNS[(place / 4) as usize]);
            Person {
                no: 1_001 + i,
                name: format!("{family} {given}"),
                kana: format!("{family_kana} {given_kana}"),
                // The prefectures 01 to 09 begin with a 0, which spreadsheets drop.
                code: if place % 5 == 0 { format!("01{place:08}") } else { format!("13{place:08}") },
                clinic,
                kind,
                area: AREAS[place as usize % 4],
                phone: if i % 3 == 2 { format!("090-0000-{i:04}") } else { format!("042-200-{i:04}") },
                fax: format!("042-300-{i:04}"),
                email: format!("member{i}@aoba.example.jp"),
            }
        })
        .collect()
}

fn wide(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xFEE0).unwrap() } else { c })
        .collect()
}

fn narrow_kana(text: &str) -> String {
    const PAIRS: &str = "アｱイｲウｳオｵカｶキｷクｸケｹコｺサｻシｼスｽタﾀチﾁツﾂトﾄナﾅハﾊフﾌベﾍﾞマﾏミﾐムﾑメﾒヤﾔユﾕワﾜ";
    let mut out = String::new();
    for c in text.chars() {
        let (plain, voiced) = match c {
            'ガ' => ('カ', true),
            'グ' => ('ク', true),
            'ザ' => ('サ', true),
            'ジ' => ('シ', true),
            'ダ' => ('タ', true),
            'バ' => ('ハ', true),
            'ベ' => ('ヘ', true),
            c => (c, false),
        };
        let narrow = if plain == 'ヘ' {
            Some('ﾍ')
        } else {
            PAIRS.split_once(plain).and_then(|(_, rest)| rest.chars().next())
        };
        out.push(narrow.unwrap_or(plain));
        if voiced {
            out.push('ﾞ');
        }
    }
    out
}

/// The list as a workbook: titles above, a header of two rows with joined cells, numbers where there should be
/// texts, days of every kind, notes below, a second sheet.
pub fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::parse_from_str("2026-04-01T09:00:00Z").unwrap();
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let cover = book.add_worksheet();
    cover.set_name("表紙").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("R8名簿").unwrap();
    let bold = Format::new().set_bold();
    let day = Format::new().set_num_format("[$-411]ggge\"年\"m\"月\"d\"日\"");
    sheet.merge_range(0, 0, 0, 11, "令和８年度　青葉市医師会　在宅医療会員名簿", &bold).unwrap();
    sheet.write_string(1, 9, "（令和8年4月1日現在）").unwrap();
    for (at, name) in
        ["Ｎｏ．", "氏　名", "ﾌﾘｶﾞﾅ", "医療機関名", "医療機関コード", "地区", "区分"].iter().enumerate()
    {
        sheet.merge_range(3, at as u16, 4, at as u16, name, &bold).unwrap();
    }
    sheet.merge_range(3, 7, 3, 9, "連絡先", &bold).unwrap();
    for (at, name) in ["電　話", "ＦＡＸ", "Ｅ－ｍａｉｌ"].iter().enumerate() {
        sheet.write_string(4, 7 + at as u16, *name).unwrap();
    }
    sheet.merge_range(3, 10, 4, 10, "入会日", &bold).unwrap();
    sheet.merge_range(3, 11, 4, 11, "血液型", &bold).unwrap();
    let mut row = 5;
    for (i, p) in people().into_iter().enumerate() {
        if i == 40 {
            // As on every printed page.
            row += 1;
        }
        if i % 4 == 0 {
            sheet.write_string(row, 0, wide(&p.no.to_string())).unwrap();
        } else {
            sheet.write_number(row, 0, p.no).unwrap();
        }
        sheet
            .write_string(row, 1, if i % 3 == 0 { p.name.replace(' ', "　") } else { p.name.clone() })
            .unwrap();
        sheet.write_string(row, 2, if i % 5 == 0 { narrow_kana(&p.kana) } else { p.kana.clone() }).unwrap();
        sheet
            .write_string(row, 3, if i % 2 == 0 { p.clinic.clone() } else { format!(" {} ", p.clinic) })
            .unwrap();
        sheet.write_number(row, 4, p.code.parse::<u32>().unwrap()).unwrap();
        sheet.write_string(row, 5, p.area).unwrap();
        sheet.write_string(row, 6, p.kind).unwrap();
        match i % 4 {
            0 => sheet.write_string(row, 7, wide(&p.phone)).unwrap(),
            1 => sheet.write_number(row, 7, p.phone.replace('-', "").parse::<u64>().unwrap() as f64).unwrap(),
            2 => sheet.write_string(row, 7, p.phone.replacen('-', "（", 1).replacen('-', "）", 1)).unwrap(),
            _ => sheet.write_string(row, 7, p.phone.replace('-', "‐") + "（代）").unwrap(),
        };
        sheet.write_string(row, 8, p.fax.replace('-', "ー")).unwrap();
        sheet.write_string(row, 9, if i % 6 == 0 { wide(&p.email) } else { p.email.clone() }).unwrap();
        match i % 4 {
            0 => sheet.write_string(row, 10, "R5.4.1").unwrap(),
            1 => sheet.write_string(row, 10, "令和５年４月１日").unwrap(),
            2 => sheet.write_string(row, 10, "2023/4/1").unwrap(),
            _ => sheet.write_number_with_format(row, 10, 45_017, &day).unwrap(),
        };
        sheet.write_string(row, 11, "A").unwrap();
        row += 1;
    }
    sheet.write_string(row + 1, 0, "※ 太字は新入会の先生です。").unwrap();
    sheet.write_string(row + 2, 0, "以上80名").unwrap();
    let other = book.add_worksheet();
    other.set_name("賛助会員").unwrap();
    other.write_string(0, 0, "準備中").unwrap();
    book.save_to_buffer().unwrap()
}

/// The same people a season later, as another program exports them: Shift_JIS, other headers, some changes.
pub fn later_csv() -> Vec<u8> {
    let mut lines = vec![
        "青葉市医師会 会員データ,,,,,,,,,,".to_owned(),
        "会員番号,お名前,ふりがな,所属,エリア,ＴＥＬ,ＦＡＸ,メールアドレス,役割,診療科目,備考".to_owned(),
    ];
    for (i, p) in people().into_iter().enumerate() {
        if i == 79 {
            // One is missing: nobody leaves because of it.
            continue;
        }
        let phone = match i {
            // Seven have a new number, one is asked for.
            10..=16 => format!("090-1111-{i:04}"),
            20 => "問い合わせ中".to_owned(),
            _ => p.phone.clone(),
        };
        let (roles, specialties) = match i {
            0 => ("協力医", "皮膚科、内科"),
            30 => ("事務局", ""),
            31 => ("宇宙飛行士", ""),
            _ => ("", ""),
        };
        let note = if i == 1 { "①班、髙﨑先生の後任" } else { "" };
        let name = if i == 2 { p.name.replace("渡邊", "渡辺") } else { p.name.clone() };
        let clinic = wide(&p.clinic);
        lines.push(format!(
            "{},{name},{},{clinic},{},{phone},{},{},{roles},\"{specialties}\",{note}",
            p.no, p.kana, p.area, p.fax, p.email
        ));
    }
    lines.push(
        "1081,髙﨑 ①郎,タカサキ イチロウ,若葉町病院,青葉西,042-200-9001,,ichiro@aoba.example.jp,,,"
            .to_owned(),
    );
    lines.push("1082,新田 花,ニッタ ハナ,新町薬局,青葉南,042-200-9002,,hana@aoba.example.jp,,,".to_owned());
    lines.push("1082,新田 華,ニッタ ハナ,新町薬局,青葉南,042-200-9003,,,,,".to_owned());
    let text = lines.join("\r\n") + "\r\n\r\n※ 令和8年9月末現在\r\n";
    let (bytes, _, failed) = encoding_rs::SHIFT_JIS.encode(&text);
    assert!(!failed);
    bytes.into_owned()
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/data").join(name)
}

/// A stored list.
pub fn stored(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).unwrap()
}

#[test]
fn the_stored_lists_are_those_that_are_made_here() {
    for (name, made) in [("members.xlsx", workbook()), ("members-later.csv", later_csv())] {
        if std::env::var_os("TOUBAN_WRITE_FIXTURES").is_some() {
            std::fs::write(data(name), &made).unwrap();
        }
        assert!(stored(name) == made, "{name} is not what is made here: write it anew");
    }
}
