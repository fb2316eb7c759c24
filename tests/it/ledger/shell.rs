//! `touban ledger` as the shell sees it: a month is looked at, made, approved by somebody else, corrected, taken out and
//! checked; a copy of the files in another folder has the same seal; a changed byte is found.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use touban::app::{App, Who};
use touban::ids::{AssociationId, InstitutionId, MemberId, SeededChance, SharedChance};
use touban::seal::Seal;
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::ManualClock;

use super::{at, consult};
use crate::support::{ALL_AT_ONCE, TestOffice, dermatology, new_member, rules_with};

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn touban(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
    command.args(args).current_dir(folder).env("LANG", "C").env_remove("LC_ALL");
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let (code, out, err) = touban(folder, args);
    assert_eq!(code, Some(0), "{args:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"))
}

/// Consults of November 2025 in the database that the shell made, by the same key file.
async fn lived(folder: &Path, association: &AssociationId) -> (MemberId, MemberId, InstitutionId) {
    use touban::domain::people::Role;
    let url = format!("sqlite:{}", folder.join("touban.sqlite").display());
    let db = Db::open(&DbSettings { url, connections: 2 }).await.unwrap();
    let chance: SharedChance = Arc::new(SeededChance::new(5));
    let vault = Vault { seal: Seal::load(&folder.join("touban.key")).unwrap(), chance };
    let clock = Arc::new(ManualClock::at(at("2025-11-01T10:00:00+09:00")));
    let app = App::new(db, vault, clock.clone(), rules_with(ALL_AT_ONCE));
    let office = TestOffice::over(app, clock, association.clone()).await;
    let add = async |name: &str, role: Role| {
        let place = office.clinic.clone();
        let new = new_member(name, &place, role, vec![]);
        office.app.member_add(&Who::cli(association), new, None, None).await.unwrap().into_inner()
    };
    let officer = add("理事 長", Role::Officer).await;
    let own = crate::support::add_institution(&office.app, association, "ほしの皮膚科").await;
    let new = new_member("星野 翼", &own, Role::Specialist, vec![dermatology(true)]);
    let taker = office.app.member_add(&Who::cli(association), new, None, None).await.unwrap().into_inner();
    for day in ["05", "12", "19"] {
        consult(&office, &format!("2025-11-{day}T10:00:00+09:00"), &taker, true).await;
    }
    office.app.db.close().await;
    (office.clerk.clone(), officer, own)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_closed_corrected_taken_out_and_checked_from_the_shell() {
    let place = Place(std::env::temp_dir().join(format!("touban-ledger-{}", std::process::id())));
    let folder = place.0.as_path();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("touban.toml"), "listen = \"127.0.0.1:0\"\n").unwrap();
    let made = json(
        folder,
        &[
            "admin",
            "create-association",
            "--code",
            "aoba",
            "--name",
            "青葉市医師会",
            "--office-phone",
            "042-000-0000",
            "--json",
        ],
    );
    let home = AssociationId::from_api(made["id"].as_str().unwrap()).unwrap();
    let (clerk, officer, clinic) = lived(folder, &home).await;
    // The rules of the shop, as the office records them.
    std::fs::write(folder.join("tariffs.toml"), super::TARIFFS).unwrap();
    let of = ["--association", "aoba"];
    let run = |args: &[&str]| touban(folder, &[&["ledger"], args, &of].concat());
    let said = |args: &[&str]| json(folder, &[&["ledger"], args, &of, &["--json"]].concat());
    let recorded = run(&["tariffs", "--tariffs", "tariffs.toml", "--note", "令和7年度"]);
    assert_eq!(recorded.0, Some(0), "{}", recorded.2);
    std::fs::write(folder.join("wrong.toml"), super::TARIFFS.replace("yen = 2000", "yen = -1")).unwrap();
    let wrong = run(&["tariffs", "--tariffs", "wrong.toml", "--note", "誤り"]);
    assert_eq!(wrong.0, Some(2));
    assert!(wrong.2.contains("tariffs line ") && wrong.2.contains("key `yen`"), "{}", wrong.2);
    std::fs::write(folder.join("long.toml"), format!("{}#{}", super::TARIFFS, "x".repeat(65_536))).unwrap();
    let long = run(&["tariffs", "--tariffs", "long.toml", "--note", "誤り"]);
    assert!(long.0 == Some(2) && long.2.contains("too long"), "{long:?}");

    let (clerk, officer) = (clerk.api(), officer.api());
    let open = said(&["run", "--month", "2025-11"]);
    assert_eq!((open["state"].as_str(), open["total_yen"].as_i64()), (Some("open"), Some(3 * 2_500)));
    let early = run(&["export", "details", "out.csv", "--month", "2025-11", "--format", "csv"]);
    assert_eq!(early.0, Some(1), "an open month is not taken out");
    assert!(!folder.join("out.csv").exists());
    let making = said(&["close", "--month", "2025-11", "--member", &clerk]);
    assert_eq!(making["state"], "made");
    assert_eq!(said(&["close", "--month", "2025-11", "--member", &clerk])["run_hash"], making["run_hash"]);
    let own = run(&["close", "--month", "2025-11", "--member", &clerk, "--approve"]);
    assert!(own.0 == Some(1) && own.2.contains("Nobody approves a month they made"), "{own:?}");
    let closed = said(&["close", "--month", "2025-11", "--member", &officer, "--approve"]);
    assert_eq!((closed["state"].as_str(), closed["total_yen"].as_i64()), (Some("closed"), Some(7_500)));
    let head = closed["head_hash"].as_str().unwrap().to_owned();
    assert_eq!(said(&["run", "--month", "2025-11"])["head_hash"], head.as_str());

    let statement = said(&["statement", "--month", "2025-11", "--institution", &clinic.api()]);
    assert_eq!(
        (statement["total_yen"].as_i64(), statement["lines"].as_array().unwrap().len()),
        (Some(6_000), 3)
    );
    let line = statement["lines"][0]["id"].as_str().unwrap().to_owned();
    for format in ["xlsx", "csv", "csv-sjis", "json"] {
        for table in touban::app::ledger::tables::KINDS {
            let file = format!("{table}.{format}");
            let out = run(&["export", table, &file, "--month", "2025-11", "--format", format]);
            assert_eq!(out.0, Some(0), "{file}: {}", out.2);
        }
    }
    assert_eq!(
        run(&["export", "details", "details.csv", "--month", "2025-11"]).0,
        Some(1),
        "nothing is overwritten"
    );
    let details: Value =
        serde_json::from_slice(&std::fs::read(folder.join("details.json")).unwrap()).unwrap();
    let sum: i64 =
        details["rows"].as_array().unwrap().iter().map(|r| r["amount_yen"].as_i64().unwrap()).sum();
    assert_eq!(sum, 7_500);

    let larger =
        run(&["reverse", "--member", &clerk, "--line", &line, "--instead", "9999", "--note", "誤り"]);
    assert_eq!(larger.0, Some(1));
    let back =
        said(&["reverse", "--member", &clerk, "--line", &line, "--instead", "500", "--note", "単価の誤り"]);
    assert_eq!(back["instead_yen"], 500);
    assert_eq!(
        run(&["reverse", "--member", &clerk, "--line", &line, "--note", "また"]).0,
        Some(1),
        "it was ordered"
    );
    said(&["close", "--month", "2025-12", "--member", &clerk]);
    let december = said(&["close", "--month", "2025-12", "--member", &officer, "--approve"]);
    assert_eq!(december["total_yen"], -1_500);
    assert_eq!(said(&["verify"])["ok"], true);

    // Out of a backup: the same files in another folder.
    let copy = Place(folder.with_extension("restored"));
    std::fs::create_dir_all(&copy.0).unwrap();
    for name in ["touban.toml", "touban.key", "touban.sqlite", "touban.sqlite-wal"] {
        if folder.join(name).exists() {
            std::fs::copy(folder.join(name), copy.0.join(name)).unwrap();
        }
    }
    let restored = |args: &[&str]| json(&copy.0, &[&["ledger"], args, &of, &["--json"]].concat());
    assert_eq!(restored(&["verify"])["ok"], true);
    assert_eq!(restored(&["run", "--month", "2025-11"])["head_hash"], head.as_str());
    assert_eq!(json(&copy.0, &["verify", "--json"])["ok"], true);
    // A yen changed by somebody with the file in hand.
    let url = format!("sqlite:{}", copy.0.join("touban.sqlite").display());
    let db = Db::open(&DbSettings { url, connections: 1 }).await.unwrap();
    let tamper =
        super::statement("UPDATE ledger_sealed SET amount_yen = amount_yen + 1 WHERE seq = 1".to_owned());
    db.run(super::Tamper(tamper)).await.unwrap();
    db.close().await;
    let (code, out, _) = touban(&copy.0, &["ledger", "verify", "--association", "aoba"]);
    assert_eq!(code, Some(3), "{out}");
    assert!(out.contains("line 1"), "{out}");
}
