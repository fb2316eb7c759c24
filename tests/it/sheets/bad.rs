//! Files that are not what they say: each is refused in words, and nothing changes.

use std::io::Write as _;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use rust_xlsxwriter::{Formula, Workbook};
use touban::domain::people::sheet::{Kind, OutCell, OutTable, Table};
use touban::export::sheet::{FileRefused, LIMITS, csv_shift_jis, csv_utf8, read, write_xlsx};
use touban::i18n::Lang;

use super::fixtures::{stored, workbook};

fn refused(bytes: &[u8]) -> FileRefused {
    read(bytes, "", &LIMITS, &AtomicBool::new(false)).unwrap_err()
}

fn taken(bytes: &[u8]) -> Table {
    read(bytes, "", &LIMITS, &AtomicBool::new(false)).unwrap()
}

fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file(*name, packed).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook whose sheet is a megabyte of nothing many times over.
pub fn bomb() -> Vec<u8> {
    let zeros = vec![b' '; 60 << 20];
    zip_of(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/worksheets/sheet1.xml", &zeros),
    ])
}

/// The same, saying of itself that it is small: the sizes in the file are overwritten.
pub fn lying_bomb() -> Vec<u8> {
    let mut bytes = bomb();
    let size = u32::try_from(60 << 20).unwrap().to_le_bytes();
    let mut at = 0;
    let mut changed = 0;
    while at + 4 <= bytes.len() {
        if bytes[at..at + 4] == size {
            bytes[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
            changed += 1;
        }
        at += 1;
    }
    assert!(changed >= 1);
    bytes
}

pub fn rows(count: usize) -> Vec<u8> {
    let mut text = "会員番号,氏名\r\n".to_owned();
    for n in 0..count {
        text.push_str(&format!("{n},名前 {n}\r\n"));
    }
    text.into_bytes()
}

/// Every bad file with the reason it is refused for.
pub fn bad_files() -> Vec<(&'static str, Vec<u8>, FileRefused)> {
    let good = workbook();
    let utf16: Vec<u8> =
        "\u{FEFF}会員番号,氏名\r\n1,髙橋\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (euc, _, _) = encoding_rs::EUC_JP
        .encode("会員番号,氏名,所属\r\n1,高橋健一,青葉在宅医院\r\n2,伊藤美咲,緑町内科\r\n");
    let mut broken = stored("members-later.csv");
    broken.truncate(300);
    broken.extend_from_slice(&[0x81, 0x20, 0xFD, 0xFE, 0xFF]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend_from_slice(&[0; 64]);
    let mut old = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    old.extend_from_slice(&[0; 600]);
    let mut locked = old.clone();
    locked.extend("EncryptedPackage".bytes().flat_map(|b| [b, 0]));
    let mut far = Workbook::new();
    far.add_worksheet().write_string(0, 0, "氏名").unwrap().write_string(0, 200, "x").unwrap();
    vec![
        ("empty", Vec::new(), FileRefused::Empty),
        ("six megabytes", vec![b'a'; 6 << 20], FileRefused::TooLarge),
        ("UTF-16", utf16, FileRefused::Encoding),
        ("EUC-JP", euc.into_owned(), FileRefused::Encoding),
        ("broken letters", broken, FileRefused::Encoding),
        ("fifty thousand rows", rows(50_000), FileRefused::TooManyRows),
        ("a bomb", bomb(), FileRefused::Bomb),
        ("a bomb that lies", lying_bomb(), FileRefused::Damaged),
        ("half a workbook", good[..good.len() / 2].to_vec(), FileRefused::Damaged),
        ("a renamed picture", png, FileRefused::Picture),
        ("old Excel", old, FileRefused::OldExcel),
        ("a locked workbook", locked, FileRefused::Locked),
        (
            "macros",
            zip_of(&[("[Content_Types].xml", b"<x>macroEnabled.main+xml</x>"), ("xl/workbook.xml", b"<w/>")]),
            FileRefused::Macros,
        ),
        (
            "OpenDocument",
            zip_of(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")]),
            FileRefused::OpenDocument,
        ),
        ("another archive", zip_of(&[("readme.txt", b"hello")]), FileRefused::Unknown),
        ("a wide sheet", far.save_to_buffer().unwrap(), FileRefused::TooManyColumns),
        (
            "a long cell",
            format!("氏名,備考\r\n誰,{}\r\n", "あ".repeat(2_001)).into_bytes(),
            FileRefused::CellTooLong(2),
        ),
        ("nothing but lines", b"\r\n,,,\r\n  \r\n".to_vec(), FileRefused::NoData),
    ]
}

#[test]
fn every_bad_file_is_refused_for_its_own_reason() {
    for (name, bytes, why) in bad_files() {
        let found = refused(&bytes);
        // A bomb that lies about its sizes is caught by either wall.
        let either = name == "a bomb that lies" && found == FileRefused::Bomb;
        assert!(found == why || either, "{name}: {found:?}");
    }
    let wanted = read(&workbook(), "ない名前", &LIMITS, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(wanted, FileRefused::NoSuchSheet);
    let stopped = read(&workbook(), "", &LIMITS, &AtomicBool::new(true)).unwrap_err();
    assert_eq!(stopped, FileRefused::TooSlow);
}

#[test]
fn every_refusal_has_its_words_in_both_languages() {
    for refused in FileRefused::ALL {
        for lang in [Lang::Ja, Lang::En] {
            assert!(
                touban::i18n::keys(lang).contains(&format!("sheet-file-{}", refused.code())),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn a_workbook_is_read_as_texts_and_no_formula_is_worked_out() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "氏名").unwrap().write_string(0, 1, "備考").unwrap();
    sheet.write_formula(1, 0, Formula::new("=1+1").set_result("髙橋")).unwrap();
    sheet.write_string(1, 1, "=cmd|'/c calc'!A1").unwrap();
    sheet.write_number(2, 0, 1_234_567_890_123.0).unwrap().write_number(2, 1, 0.5).unwrap();
    let table = taken(&book.save_to_buffer().unwrap());
    assert_eq!(table.formulas, 1);
    assert_eq!((table.rows[1].cell(0), table.rows[1].cell(1)), ("髙橋", "=cmd|'/c calc'!A1"));
    assert_eq!((table.rows[2].cell(0), table.rows[2].cell(1)), ("1234567890123", "0.5"));
    let table = taken(&workbook());
    assert_eq!(
        (table.sheet.as_str(), table.other_sheets.as_slice()),
        ("R8名簿", &["表紙".to_owned(), "賛助会員".to_owned()][..])
    );
    assert_eq!(table.rows[0].number, 1);
    let chosen = read(&workbook(), "賛助会員", &LIMITS, &AtomicBool::new(false)).unwrap();
    assert_eq!(chosen.rows[0].cell(0), "準備中");
}

#[test]
fn csv_is_read_in_every_dress() {
    let cells = |bytes: &[u8]| -> Vec<(u32, Vec<String>)> {
        taken(bytes).rows.into_iter().map(|r| (r.number, r.cells)).collect()
    };
    let wanted = vec![
        (1, vec!["氏名".to_owned(), "備考".to_owned()]),
        (3, vec!["髙﨑".to_owned(), "a,\"b".to_owned()]),
    ];
    let text = "氏名,備考\r\n\r\n髙﨑,\"a,\"\"b\"\r\n";
    assert_eq!(cells(text.as_bytes()), wanted);
    assert_eq!(cells(text.replace("\r\n", "\n").as_bytes()), wanted);
    assert_eq!(cells(format!("\u{FEFF}{text}").as_bytes()), wanted);
    let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    assert_eq!(cells(&sjis), wanted);
    assert_eq!(taken(&sjis).encoding, "shift_jis");
    for sign in ['\t', ';'] {
        let text = format!("氏名{sign}備考\r\n\r\n髙﨑{sign}\"a,\"\"b\"\r\n");
        assert_eq!(cells(text.as_bytes()), wanted, "{sign:?}");
    }
    let broken_lines = "氏名,備考\r\n髙﨑,\"一行目\r\n二行目\"\r\n伊藤,x\r\n";
    let numbers: Vec<u32> = taken(broken_lines.as_bytes()).rows.iter().map(|r| r.number).collect();
    assert_eq!(numbers, [1, 2, 3], "rows as a spreadsheet counts them");
}

fn one_cell(text: &str) -> OutTable {
    OutTable {
        title: "題".into(),
        sheet: "表".into(),
        columns: vec![
            (touban::domain::people::sheet::Column::Name, "氏名".into()),
            (touban::domain::people::sheet::Column::Note, "備考".into()),
        ],
        rows: vec![vec![OutCell::Text(text.into()), OutCell::Nothing]],
        example: Vec::new(),
        example_sheet: String::new(),
        example_title: String::new(),
    }
}

#[test]
fn no_cell_that_goes_out_is_taken_for_a_formula() {
    for begin in ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"] {
        let text = format!("{begin}SUM(A1)");
        let bytes = csv_utf8(&one_cell(&text));
        let line = String::from_utf8(bytes).unwrap();
        assert!(line.contains(&format!("'{begin}SUM")), "{line:?}");
    }
    let plain = String::from_utf8(csv_utf8(&one_cell("髙﨑"))).unwrap();
    assert_eq!(plain, "\u{FEFF}氏名,備考\r\n髙﨑,\r\n");
}

#[test]
fn what_shift_jis_does_not_have_is_said_and_never_a_question_mark() {
    let missing = csv_shift_jis(&one_cell("𠮷田〜三郎\u{E0101}"), false).unwrap_err();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].row, missing[0].column.as_str()), (1, "氏名"));
    assert_eq!(missing[0].characters, "𠮷\u{E0101}", "the wave dash has a twin");
    let bytes = csv_shift_jis(&one_cell("𠮷田"), true).unwrap();
    let (text, _, _) = encoding_rs::SHIFT_JIS.decode(&bytes);
    assert!(text.contains("〓田") && !text.contains('?'), "{text}");
    let kept = csv_shift_jis(&one_cell("髙﨑①"), false).unwrap();
    assert_eq!(encoding_rs::SHIFT_JIS.decode(&kept).0, "氏名,備考\r\n髙﨑①,\r\n");
}

#[test]
fn the_workbook_that_goes_out_has_its_looks() {
    let bytes = write_xlsx(&one_cell("00123")).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
        text
    };
    let sheet = part("xl/worksheets/sheet1.xml");
    for looks in [
        "<pane ",
        "state=\"frozen\"",
        "<autoFilter ref=\"A3:B4\"",
        "paperSize=\"9\"",
        "fitToWidth",
        "orientation=\"landscape\"",
    ] {
        assert!(
            sheet.contains(looks) || (looks == "fitToWidth" && sheet.contains("fitToHeight=\"0\"")),
            "{looks}: {sheet}"
        );
    }
    assert!(part("xl/workbook.xml").contains("Print_Titles"));
    for kind in Kind::ALL {
        let out = touban::app::sheets::template(kind, Lang::Ja);
        assert!(
            out.example.iter().all(|row| row.len() == out.columns.len()),
            "{kind:?}: the example is askew"
        );
        let table = taken(&write_xlsx(&out).unwrap());
        assert_eq!(table.other_sheets, ["記入例"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_break(bytes in proptest::collection::vec(any::<u8>(), 0..600), head in 0usize..4) {
        let heads: [&[u8]; 4] = [b"", b"PK\x03\x04", b"\xEF\xBB\xBF", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"];
        let mut file = heads[head].to_vec();
        file.extend(bytes);
        let _ = read(&file, "", &LIMITS, &AtomicBool::new(false));
    }

    #[test]
    fn no_damage_to_a_workbook_makes_the_reader_break(at in 0usize..100_000, byte: u8, cut in 0usize..3) {
        let mut file = stored("members.xlsx");
        let length = file.len();
        file[at % length] = byte;
        if cut == 0 {
            file.truncate(at % length);
        }
        let _ = read(&file, "", &LIMITS, &AtomicBool::new(false));
    }

    #[test]
    fn what_is_written_as_csv_is_read_again(text in "[\\PC]{1,30}") {
        let clean: String = text.chars().filter(|c| !matches!(*c, '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')).collect();
        prop_assume!(!clean.trim().is_empty() && !clean.starts_with('\''));
        let table = taken(&csv_utf8(&one_cell(&clean)));
        prop_assert_eq!(table.rows[1].cell(0), clean);
    }
}
