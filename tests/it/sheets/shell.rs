//! `touban import` and `touban export` as the shell sees them.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::fixtures::stored;

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Place {
    fn run(&self, lang: &str, args: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
        command.args(args.split(' ')).current_dir(&self.0).env("LANG", lang).env_remove("LC_ALL");
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (status.code(), text(stdout), text(stderr))
    }
}

#[test]
fn lists_go_in_and_out_from_the_shell() {
    let place = Place(std::env::temp_dir().join(format!("touban-sheets-{}", std::process::id())));
    std::fs::create_dir_all(&place.0).unwrap();
    std::fs::write(place.0.join("touban.toml"), "listen = \"127.0.0.1:0\"\n").unwrap();
    for name in ["members.xlsx", "members-later.csv"] {
        std::fs::write(place.0.join(name), stored(name)).unwrap();
    }
    std::fs::write(place.0.join("bad.xlsx"), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    let made = place
        .run("C", "admin create-association --code aoba --name 青葉市医師会 --office-phone 042-000-0000");
    assert_eq!(made.0, Some(0), "{}", made.2);

    let looked = place.run("C", "import members members.xlsx --association aoba --dry-run --json");
    assert_eq!(looked.0, Some(0), "{}", looked.2);
    assert!(looked.1.contains("\"added\":80") && looked.1.contains("\"written\":false"), "{}", looked.1);
    let taken = place.run("ja_JP.UTF-8", "import members members.xlsx --association aoba");
    assert_eq!(taken.0, Some(0), "{}", taken.2);
    assert!(taken.1.contains("追加: 80") && taken.1.contains("取り込みました"), "{}", taken.1);
    let again = place.run("C", "import members members.xlsx --association aoba");
    assert_eq!(again.0, Some(0));
    assert!(again.1.contains("Unchanged: 80") && again.1.contains("Nothing was changed"), "{}", again.1);

    let careful = place.run("C", "import members members-later.csv --association aoba --json");
    assert_eq!(careful.0, Some(3), "rows that cannot be taken stop the file");
    assert!(careful.2.contains("Row 23 Phone: It cannot be read as a phone number"), "{}", careful.2);
    assert!(careful.1.contains("\"written\":false"));
    let left_out = place.run("C", "import members members-later.csv --association aoba --leave-out --json");
    assert_eq!(left_out.0, Some(0), "{}", left_out.2);
    assert!(left_out.1.contains("\"changed\":10"), "{}", left_out.1);
    let bad = place.run("ja_JP.UTF-8", "import members bad.xlsx --association aoba");
    assert_eq!(bad.0, Some(2));
    assert!(bad.2.contains("画像かPDFです"), "{}", bad.2);
    assert_eq!(place.run("C", "import members nothing.csv --association aoba").0, Some(2));
    assert_eq!(place.run("C", "import members members.xlsx --association none").0, Some(1));

    let out = place.run("C", "export members out.csv --association aoba --format csv");
    assert_eq!(out.0, Some(0), "{}", out.2);
    assert!(std::fs::read(place.0.join("out.csv")).unwrap().starts_with(b"\xEF\xBB\xBFMember number,"));
    assert_eq!(
        place.run("C", "export members out.csv --association aoba").0,
        Some(1),
        "nothing is overwritten"
    );
    let back = place.run("C", "import members out.csv --association aoba --json");
    assert!(back.1.contains("\"changed\":0") && back.1.contains("\"added\":0"), "{} {}", back.1, back.2);
}
