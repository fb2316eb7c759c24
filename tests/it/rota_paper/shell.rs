//! `touban rota export` and `touban rota import` as the shell sees them.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::reader;
use crate::sheets::fixtures::stored;

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Place {
    fn run(&self, args: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
        command.args(args.split(' ')).current_dir(&self.0).env("LANG", "C").env_remove("LC_ALL");
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status.code(), text(stdout), text(stderr))
    }
}

#[test]
fn a_rota_goes_in_and_out_from_the_shell() {
    let place = Place(std::env::temp_dir().join(format!("touban-rota-{}", std::process::id())));
    std::fs::create_dir_all(&place.0).unwrap();
    std::fs::write(place.0.join("touban.toml"), "listen = \"127.0.0.1:0\"\n").unwrap();
    std::fs::write(place.0.join("rota.csv"), stored("rota-2026-q4.csv")).unwrap();
    let made =
        place.run("admin create-association --code aoba --name 青葉市医師会 --office-phone 042-000-0000");
    assert_eq!(made.0, Some(0), "{}", made.2);
    let mut members = String::from("氏名,ふりがな,医療機関名,地区,区分,役割\n");
    for (name, kana, clinic) in super::DOCTORS {
        members.push_str(&format!("{name},{kana},{clinic},青葉北,診療所,在宅医\n"));
    }
    std::fs::write(place.0.join("members.csv"), members).unwrap();
    let taken = place.run("import members members.csv --association aoba");
    assert_eq!(taken.0, Some(0), "{} {}", taken.1, taken.2);

    let days = "--association aoba --first 2026-10-01 --last 2026-12-31";
    let recorded = "--recorded-at 2026-08-10T09:00:00+09:00";
    let looked = place.run(&format!("rota import rota.csv {days} {recorded} --dry-run --json"));
    assert_eq!(looked.0, Some(3), "{}", looked.2);
    assert!(looked.2.contains("D70 佐藤: Several people have this name (佐藤 "), "{}", looked.2);
    assert!(looked.1.contains("\"written\":false"), "{}", looked.1);
    assert_eq!(
        place.run(&format!("rota import rota.csv {days} {recorded}")).0,
        Some(3),
        "not without being told"
    );
    let done = place.run(&format!("rota import rota.csv {days} {recorded} --leave-out --json"));
    assert_eq!(done.0, Some(0), "{}", done.2);
    assert!(done.1.contains("\"written\":true"), "{}", done.1);
    let draft = place.run(&format!("rota import rota.csv {days} --new-draft 冬 --leave-out"));
    assert_eq!(draft.0, Some(0), "{}", draft.2);
    assert_eq!(place.run("rota import rota.csv --association aoba").0, Some(2), "it does not say where to");

    let out = place.run(&format!("rota export out.xlsx {days} --format xlsx"));
    assert_eq!(out.0, Some(0), "{}", out.2);
    let book = reader("read_workbook.py", &std::fs::read(place.0.join("out.xlsx")).unwrap());
    assert_eq!(book["rows"][3][0]["day"], "2026-10-01");
    assert_eq!(book["rows"][3][6], "青木 一郎");
    assert_eq!(
        place.run(&format!("rota export out.xlsx {days} --format xlsx")).0,
        Some(1),
        "nothing is overwritten"
    );
    let out = place.run(&format!("rota export out.ics {days} --format ics --role primary"));
    assert_eq!(out.0, Some(0), "{}", out.2);
    let calendar = std::fs::read(place.0.join("out.ics")).unwrap();
    assert_eq!(reader("read_calendar.py", &calendar), reader("read_calendar.mjs", &calendar));
    assert!(reader("read_calendar.py", &calendar)["events"].as_array().unwrap().len() > 150);
    let out = place.run(&format!("rota export city.csv {days} --format csv --city"));
    assert_eq!(out.0, Some(0), "{}", out.2);
    assert!(std::fs::read(place.0.join("city.csv")).unwrap().starts_with(b"\xEF\xBB\xBFDate,"));
}
