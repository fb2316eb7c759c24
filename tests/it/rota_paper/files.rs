//! Sheets to be printed and lists taken out, over HTTP.

use super::{doctors, publish, reader};
use crate::pages::browser::{Browser, Town};
use crate::support::TestOffice;

async fn town() -> (Town, Vec<touban::domain::rota::Holder>) {
    let town = Town::new(TestOffice::sqlite().await).await;
    let (app, home) = (town.office.app.clone(), town.office.association.clone());
    let doctors = doctors(&app, &home).await;
    publish(&app, &home, &doctors, ("2026-09-01", "2026-12-31"), None).await;
    (town, doctors)
}

async fn file(browser: &Browser, typed: &[(&str, &str)]) -> (String, Vec<u8>) {
    let form = browser.get("/rota/files").await;
    let mut fields = vec![("months", "1"), ("month", "令和８年９月")];
    fields.extend(typed);
    let fields = form.form("/rota/files", &fields);
    browser.download("/rota/files", &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rota_hangs_on_walls_lies_on_desks_and_goes_to_households() {
    let (town, doctors) = town().await;
    let doctor = town.signed_in(&doctors[1].person).await;
    let clerk = town.signed_in(&town.office.clerk).await;

    let wall = doctor.get("/rota/paper?month=2026-09").await;
    wall.says("令和8年9月").says("敬老の日").says("国民の休日").says("秋分の日").says("第1版");
    assert!(wall.body.contains("ground-saturday") && !wall.body.contains("【祝】"));
    let fax = doctor.get("/rota/paper?month=2026-09&print=fax&paper=a3-quarter").await;
    fax.says("【日】").says("【祝】").says("12月");
    assert!(fax.body.contains("wall-fax") && fax.body.contains("paper-a3-wide"));
    doctor.get("/rota/paper?month=2027-09").await.says("まだ公開されていません").says("（空き）");
    for wrong in ["/rota/paper?month=2026-13", "/rota/paper?month=x", "/rota/paper?area=nowhere"] {
        assert_eq!(doctor.look(wrong).await.status, 404, "{wrong}");
    }

    let own = doctor.get("/me/duties/paper?month=2026-09").await;
    own.says("上田 健 先生").says("令和8年9月〜11月").says("翌8:00").says("副");
    clerk.get(&format!("/rota/paper/people/{}?month=2026-09", doctors[1].person)).await.says("上田 健 先生");
    assert_eq!(doctor.look(&format!("/rota/paper/people/{}", doctors[2].person)).await.status, 404);

    let clinic = &doctors[1].institution;
    let notice = doctor.get(&format!("/rota/paper/notices/{clinic}?month=2026-09")).await;
    notice.says("上田内科クリニック").says("榎本 清子（榎本クリニック）").says("119番");
    assert_eq!(doctor.look(&format!("/rota/paper/notices/{}", doctors[2].institution)).await.status, 404);
    clerk.get("/rota/files").await.says("市へ出す当番一覧の期限").says("上田内科クリニック");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_out_with_real_days_and_in_letters_that_the_city_reads() {
    let (town, _) = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let (kind, bytes) = file(&clerk, &[("what", "rota"), ("format", "xlsx")]).await;
    assert!(kind.contains("spreadsheetml"), "{kind}");
    let book = reader("read_workbook.py", &bytes);
    let rows = book["rows"].as_array().unwrap();
    assert_eq!(rows[2][0], "日付");
    assert_eq!(rows[3][0]["day"], "2026-09-01", "a real day");
    assert_eq!(rows[3][4]["moment"], "2026-09-01T08:00:00", "a real moment");
    assert!(
        book["formats"].as_array().unwrap().iter().any(|f| f.as_str().unwrap().contains("ggge")),
        "era dates"
    );
    assert_eq!(book["fit"], serde_json::json!([true, 0, 9]), "one page of A4 wide, as long as it is");
    let night = rows.iter().find(|row| row[3] == "平日の夜").unwrap();
    assert_eq!(night[5]["moment"], "2026-09-02T08:00:00", "a night ends the next day");

    let (kind, bytes) = file(&clerk, &[("what", "city"), ("format", "csv")]).await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with("\u{FEFF}日付,曜日,祝日,枠,開始,終了,当番医療機関,所在地,電話,医師,変更\r\n"),
        "{}",
        &text[..200]
    );
    assert!(text.contains("2026-09-22,火,国民の休日,"), "{text}");
    let (kind, bytes) = file(&clerk, &[("what", "rota"), ("format", "csv-sjis")]).await;
    assert_eq!(kind, "text/csv; charset=shift_jis");
    let (plain, _, failed) = encoding_rs::SHIFT_JIS.decode(&bytes);
    assert!(!failed && plain.contains("髙橋 隆") && plain.contains("国民の休日"));

    let form = clerk.get("/rota/files").await;
    let wrong = form.form("/rota/files", &[("month", "来月"), ("months", "100")]);
    let page = clerk.send("/rota/files", &wrong).await;
    assert!(
        page.text().contains("月が読み取れません") && page.text().contains("1から12までの数"),
        "{}",
        page.text()
    );
}

/// How many pages a sheet takes, printed by the browser of the tests.
async fn printed(browser: &Browser, path: &str, name: &str) -> (usize, std::path::PathBuf) {
    let page = browser.get(path).await;
    let mut html = page.body.clone();
    // The same page without a server: its styles within it.
    while let Some(link) =
        html.split_once("<link rel=\"stylesheet\" href=\"").map(|(before, rest)| (before.len(), rest))
    {
        let (start, rest) = link;
        let (href, after) = rest.split_once('"').unwrap();
        let end =
            start + "<link rel=\"stylesheet\" href=\"".len() + href.len() + 1 + after.find('>').unwrap() + 1;
        let style = format!("<style>{}</style>", browser.look(href).await.body);
        html.replace_range(start..end, &style);
    }
    let folder =
        std::env::var_os("TOUBAN_FIGURES_DIR").map_or_else(std::env::temp_dir, std::path::PathBuf::from);
    let file = folder.join(format!("touban-paper-{}-{name}.html", std::process::id()));
    std::fs::write(&file, html).unwrap();
    let chrome = std::env::var("TOUBAN_CHROME")
        .expect("TOUBAN_CHROME is not set: run `scripts/test it`, which brings a browser");
    let (pdf, profile) = (file.with_extension("pdf"), file.with_extension("profile"));
    let output = std::process::Command::new(chrome)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--no-pdf-header-footer")
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let bytes = std::fs::read(&pdf).unwrap_or_default();
    assert!(!bytes.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let _ = std::fs::remove_dir_all(&profile);
    if std::env::var_os("TOUBAN_FIGURES_DIR").is_none() {
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_file(&pdf);
    }
    // The tree of pages says how many there are (ISO 32000-1, 7.7.3).
    let text = String::from_utf8_lossy(&bytes);
    let counts = text.split("/Count ").skip(1);
    let pages =
        counts.filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok());
    (pages.max().unwrap_or(0), pdf)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sheet_for_the_wall_fits_its_page() {
    let (town, doctors) = town().await;
    let doctor = town.signed_in(&doctors[1].person).await;
    for (paper, print) in [("a4", "colour"), ("a4", "fax"), ("a3-month", "colour"), ("a3-quarter", "fax")] {
        // September 2026 has a run of five days off, each with two slots, and Saturdays with four.
        let path = format!("/rota/paper?month=2026-09&paper={paper}&print={print}");
        let (pages, pdf) = printed(&doctor, &path, &format!("{paper}-{print}")).await;
        assert_eq!(pages, 1, "{paper} {print}: {}", pdf.display());
    }
    let slip = "/me/duties/paper?month=2026-09";
    assert!(printed(&doctor, slip, "slip").await.0 <= 2);
    let notice = format!("/rota/paper/notices/{}?month=2026-09", doctors[1].institution);
    assert!(printed(&doctor, &notice, "notice").await.0 <= 4);
}
