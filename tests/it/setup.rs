//! The set-up of an empty database, the office's texts, the rules, the totals.

use std::sync::Arc;

use touban::app::people::NewMember;
use touban::app::settings::OfficeTexts;
use touban::app::setup::Setup;
use touban::app::{App, Who};
use touban::domain::calendar::FiscalYear;
use touban::domain::people::Role;
use touban::ids::{MemberId, SeededChance, SharedChance};
use touban::seal::{Pin, Seal};
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{Clock as _, ManualClock, Millis};

use crate::pages::browser::{Browser, Page, Town, mails};
use crate::support::{PIN, PLANS, START, Served, TestOffice, new_member, on_both, rules_with};

/// An installation without an association.
struct Empty {
    app: App,
    clock: Arc<ManualClock>,
    served: Served,
    _folder: tempdir::Folder,
}

mod tempdir {
    use std::sync::atomic::{AtomicU32, Ordering};

    pub struct Folder(pub std::path::PathBuf);

    impl Folder {
        pub fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::SeqCst);
            let path = std::env::temp_dir().join(format!("touban-setup-{}-{number}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

impl Empty {
    async fn new() -> Self {
        let folder = tempdir::Folder::new();
        let url = format!("sqlite:{}", folder.0.join("touban.sqlite").display());
        let db = Db::open(&DbSettings { url, connections: 4 }).await.unwrap();
        let clock = Arc::new(ManualClock::at(Millis::parse_rfc3339(START).unwrap()));
        db.migrate(clock.now()).await.unwrap();
        let chance: SharedChance = Arc::new(SeededChance::new(5));
        let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance };
        let app = App::new(db, vault, clock.clone(), rules_with(PLANS));
        let office = TestOffice::sqlite().await;
        let web = touban::web::Web { app: app.clone(), ..office.web() };
        let served = office.serve_router(touban::web::router::router(web)).await;
        Self { app, clock, served, _folder: folder }
    }

    async fn token(&self) -> String {
        self.app.setup_link().await.unwrap().unwrap().split_once('#').unwrap().1.to_owned()
    }

    /// A browser that has opened the link.
    async fn opened(&self, token: &str) -> (Browser, Page) {
        let browser = Browser::new(&self.served);
        let entry = browser.get("/setup").await;
        let page = browser.submit(&entry, "/setup/open", &[("token", token)]).await;
        (browser, page)
    }
}

const ADMINISTRATOR: &[(&str, &str)] = &[
    ("admin_name", "渡辺 幸子"),
    ("email", "watanabe@aoba.example.jp"),
    ("office_phone", "０４２ー０００ー００００"),
    ("pin", "2468"),
    ("pin_again", "2468"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_but_the_last_can_be_passed_over_and_the_office_is_there() {
    let empty = Empty::new().await;
    let token = empty.token().await;
    let (browser, mut page) = empty.opened(&token).await;
    page.says("1 / 5");
    for action in ["/setup/association", "/setup/office", "/setup/mail", "/setup/members"] {
        page = browser.submit(&page, action, &[("skip", "yes")]).await;
    }
    page.says("最初の管理者").says("事務局の電話番号");
    // A wrong PIN loses nothing that was typed.
    let mut wrong = ADMINISTRATOR.to_vec();
    wrong[4] = ("pin_again", "1111");
    let again = browser.submit(&page, "/setup/administrator", &wrong).await;
    again.says("2つの暗証番号が違います");
    assert!(again.body.contains("渡辺 幸子") && !again.body.contains("2468"));
    let form = again.form("/setup/administrator", ADMINISTRATOR);
    let done = browser.send("/setup/administrator", &form).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let (path, link) = done.leads_to().split_once('#').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(path, "/k");

    let homes = empty.app.associations().await.unwrap();
    assert_eq!(homes.len(), 1);
    assert_eq!((homes[0].name.as_str(), homes[0].office_phone.as_str()), ("医師会", "042-000-0000"));
    let left = empty.app.left_for_later(&homes[0].id).await.unwrap();
    assert_eq!(left, ["association", "office", "mail", "members"]);

    // By the link and the PIN just chosen, to the means of signing in.
    let page = browser.open(&link).await;
    let means = browser.submit(&page, "/k/setup", &[("pin", "2468")]).await;
    assert_eq!(means.path, "/setup-sign-in");
    means.says("入る手だてを登録する");

    // Whoever comes later finds nothing; the browser that did it is told that it is done.
    assert_eq!(Browser::new(&empty.served).get("/setup").await.status, 404);
    assert_eq!(Browser::new(&empty.served).get("/setup/office").await.status, 404);
    browser.get("/setup/office").await.says("設定は終わっています");
    assert_eq!(empty.app.setup(&token).await.unwrap(), Setup::Done);
    assert!(empty.app.setup_link().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_kept_and_wrong_lines_are_said_beside_the_field() {
    let empty = Empty::new().await;
    let (browser, page) = empty.opened(&empty.token().await).await;
    let fields = [("name", "青葉市医師会"), ("code", "Ａｏｂａ"), ("zone", "Asia/Nowhere")];
    let wrong = browser.submit(&page, "/setup/association", &fields).await;
    wrong.says("Asia/Tokyo のように書いてください");
    assert!(wrong.body.contains("value=\"青葉市医師会\""));
    let right = [("name", "青葉市医師会"), ("code", "Ａｏｂａ"), ("zone", "Asia/Tokyo")];
    browser.submit(&wrong, "/setup/association", &right).await.says("2 / 5");
    assert!(browser.get("/setup/association").await.body.contains("value=\"aoba\""));
    // Another link, printed at the next start, finds the same answers.
    let (_, page) = empty.opened(&empty.token().await).await;
    assert!(page.body.contains("value=\"青葉市医師会\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_and_an_old_link_reach_nothing() {
    let empty = Empty::new().await;
    let token = empty.token().await;
    let stranger = Browser::new(&empty.served);
    assert_eq!(stranger.get("/setup/administrator").await.path, "/setup");
    let entry = stranger.get("/setup").await;
    stranger.submit(&entry, "/setup/open", &[("token", &"A".repeat(43))]).await.says("使えません");
    let mut form = vec![("csrf".to_owned(), stranger.any_token().await)];
    form.extend(ADMINISTRATOR.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    stranger.send("/setup/administrator", &form).await;
    let (browser, _) = empty.opened(&token).await;
    assert_eq!(browser.send("/setup/administrator", &form).await.status, 403, "without its own token");
    empty.clock.set(empty.clock.now().plus_s(86_401));
    browser.get("/setup/office").await.says("リンクの期限が過ぎました");
    assert!(empty.app.associations().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_browsers_at_once_make_one_association() {
    let empty = Empty::new().await;
    let mut sends = Vec::new();
    for _ in 0..2 {
        let (browser, _) = empty.opened(&empty.token().await).await;
        let page = browser.get("/setup/administrator").await;
        let form = page.form("/setup/administrator", ADMINISTRATOR);
        sends.push(async move { browser.send("/setup/administrator", &form).await });
    }
    let (a, b) = (sends.pop().unwrap(), sends.pop().unwrap());
    let (a, b) = tokio::join!(a, b);
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 303]);
    assert_eq!(empty.app.associations().await.unwrap().len(), 1);
}

on_both! {
    the_offices_new_number_stands_on_pages_and_mails_at_once,
    everybody_acknowledges_a_version_once,
    the_totals_count_requests_and_show_no_small_number,
}

async fn administrator(office: &TestOffice) -> MemberId {
    let new = NewMember {
        roles: vec![Role::Administrator],
        ..new_member("管理 司", &office.clinic, Role::Administrator, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

async fn the_offices_new_number_stands_on_pages_and_mails_at_once(office: TestOffice) {
    let who = Who::member(&office.association, &administrator(&office).await);
    let before = office.app.association(&office.association).await.unwrap();
    let mut texts = OfficeTexts::of(&before);
    texts.phone = "042-111-2222".into();
    texts.entry.hours = "平日9時〜17時".into();
    office.app.office_texts_change(&who, before.revision, texts.clone()).await.unwrap();
    let late = office.app.office_texts_change(&who, before.revision, texts).await;
    assert!(late.unwrap_err().is_stale());
    let asker = office.app.member(&office.association, &office.asker).await.unwrap();
    office.app.sign_in_links(&asker.email.unwrap()).await.unwrap();
    let letters = mails(&office.app).await;
    assert!(letters.iter().all(|m| m.text.contains("042-111-2222")), "{}", letters[0].text);
    let town = Town::new(office).await;
    town.browser().get("/").await.says("042-111-2222").says("平日9時〜17時");
}

async fn everybody_acknowledges_a_version_once(office: TestOffice) {
    let (app, home) = (&office.app, &office.association);
    let chief = Who::member(home, &administrator(&office).await);
    let reader = Who::member(home, &office.asker);
    assert_eq!(app.rules_now(home).await.unwrap().version, 1);
    app.rules_acknowledge(&reader, &office.asker, 1).await.unwrap();
    let first = app.rules_seen_by(home, &office.asker).await.unwrap().unwrap();
    office.clock.set(office.clock.now().plus_s(60));
    app.rules_acknowledge(&reader, &office.asker, 1).await.unwrap();
    assert_eq!(
        app.rules_seen_by(home, &office.asker).await.unwrap().unwrap(),
        first,
        "the first time counts"
    );
    let texts = || ("# 新しい約束\n- 一つ".to_owned(), String::new());
    assert_eq!(app.rules_publish(&chief, 1, texts(), true).await.unwrap(), 2);
    assert!(app.rules_publish(&chief, 1, texts(), true).await.unwrap_err().is_stale());
    assert!(app.rules_acknowledge(&reader, &office.asker, 1).await.unwrap_err().is_stale());
    assert_eq!(
        app.rules_publish(&chief, 2, texts(), true).await.unwrap(),
        2,
        "the same text is no new version"
    );
    assert!(app.rules_version(home, 1).await.unwrap().body_ja.contains("119"));
    let town = Town::new(office).await;
    town.browser().get("/rules").await.says("新しい約束");
    let asker = town.signed_in(&town.office.asker).await;
    asker.get("/").await.says("約束ごとをお読みください");
    let page = asker.get("/rules").await;
    asker.submit(&page, "/rules/seen", &[]).await.says("確認いただきました");
    asker.get("/").await.keeps_quiet_about("約束ごとをお読みください");
    assert_eq!(asker.get("/rules/readers").await.status, 404);
    let clerk = town.signed_in(&town.office.clerk).await;
    clerk.get("/rules/readers").await.says("いまの版を読んだ方：1名").says("佐藤 健");
    assert_eq!(clerk.get("/rules/edit").await.status, 404);
}

async fn the_totals_count_requests_and_show_no_small_number(office: TestOffice) {
    let town = Town::generous(office).await;
    let asker = town.signed_in(&town.office.asker).await;
    for _ in 0..3 {
        town.ask(&asker).await;
    }
    let (app, home) = (&town.office.app, &town.office.association);
    let year = FiscalYear::beginning_in(2026).unwrap();
    assert_eq!(app.totals(home, year).await.unwrap().totals.sum, Some(3));
    let (case, _) = town.ask(&asker).await;
    let page = asker.get(&case).await;
    let withdrawn = asker.submit(&page, &format!("{case}/withdraw"), &[]).await;
    assert_eq!(withdrawn.status, 200);
    // Three go on and one was withdrawn: the sum would tell.
    let found = app.totals(home, year).await.unwrap();
    assert_eq!(found.totals.first.rows[0][2], None, "{found:?}");
    assert!(found.totals.sum.is_none() || found.totals.first.rows[0][3].is_none(), "{found:?}");
    let clerk = town.signed_in(&town.office.clerk).await;
    clerk.get("/totals").await.says("＊").keeps_quiet_about("佐藤").keeps_quiet_about("R8-");
    let file = clerk.get("/totals.csv").await;
    assert!(file.body.starts_with('\u{feff}') && file.body.contains("\"＊\""), "{}", file.body);
    assert_eq!(asker.get("/totals").await.status, 404);
}
