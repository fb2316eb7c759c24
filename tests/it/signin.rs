//! Signing in of the office, from the first invitation to the last recovery code, on the pages alone.

use touban::app::access::SignedIn;
use touban::app::call::settings::CallSettings;
use touban::app::people::NewMember;
use touban::domain::people::{Role, rights::Right};
use touban::ids::MemberId;
use touban::seal::Pin;
use touban::seal::totp::{TotpSecret, step_at};

use crate::pages::browser::{Browser, Page, Town, between, mails, token_of};
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both, telephone};

on_both! {
    an_invited_colleague_sets_up_password_and_app_and_signs_in,
    a_passkey_is_made_used_and_taken_away,
    a_code_counts_once_also_when_two_use_it_at_the_same_moment,
    a_session_by_pin_has_no_right_of_the_office,
    wrong_passwords_make_strangers_wait_and_never_the_known_device,
    whoever_lost_every_means_comes_back_only_with_a_colleague_a_day_and_the_pin,
    a_recovery_is_told_on_every_way_until_it_was_seen,
    a_recovery_is_stopped_by_whoever_says_it_was_not_them,
    sessions_end_at_once_when_something_changes,
    what_was_typed_waits_while_the_person_proves_again,
    files_and_accounts_want_a_proof_of_the_last_minutes,
    a_key_is_made_after_a_proof_shown_once_and_taken_away,
    strangers_cannot_close_the_way_back,
}

const PASSWORD: &str = "kettle window marble";

/// The secret on the page, read off the letters.
fn secret_on(page: &Page) -> TotpSecret {
    let letters = between(&page.body, "id=\"letters\">", "<").unwrap().replace(' ', "");
    TotpSecret::from_letters(&letters).unwrap()
}

fn code(town: &Town, secret: &TotpSecret) -> String {
    secret.code(step_at(town.office.app.now()))
}

/// The next code is another one.
fn next_step(town: &Town) {
    town.office.clock.advance_s(30);
}

/// Sets up password and app on the page where means are set up; the secret, and the page that follows.
async fn set_up_password(town: &Town, browser: &Browser, from: &str) -> (TotpSecret, Page) {
    let page = browser.get(from).await;
    let page = browser.submit(&page, "/me/sign-in/app", &[]).await;
    page.says("認証アプリで、この絵を");
    let secret = secret_on(&page);
    let typed = [("password", PASSWORD), ("code", &code(town, &secret))];
    let page = browser.submit(&page, "/me/sign-in/password", &typed).await;
    (secret, page)
}

async fn enter(town: &Town, browser: &Browser, who: &MemberId, password: &str, code: &str) -> Page {
    let member = town.office.app.member(&town.office.association, who).await.unwrap();
    let page = browser.get("/sign-in/office").await;
    let typed = [("address", member.email.as_deref().unwrap()), ("password", password), ("code", code)];
    browser.submit(&page, "/sign-in/office", &typed).await
}

fn codes_on(page: &Page) -> Vec<String> {
    page.body
        .split("<li class=\"code\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

async fn somebody(town: &Town, name: &str, roles: Vec<Role>, pin: bool) -> MemberId {
    let place = add_institution(&town.office.app, &town.office.association, &format!("{name} 所属")).await;
    let new = touban::app::people::NewMember { roles, ..new_member(name, &place, Role::Clerk, vec![]) };
    let pin = pin.then(|| Pin::parse(PIN).unwrap());
    town.office.app.member_add(&town.office.cli(), new, pin.as_ref(), None).await.unwrap().into_inner()
}

async fn administrator(town: &Town) -> (MemberId, Browser) {
    let id = somebody(town, "管理 一", vec![Role::Administrator], true).await;
    let browser = town.signed_in(&id).await;
    (id, browser)
}

async fn staff_deed(browser: &Browser, whom: &MemberId, deed: &str, typed: &[(&str, &str)]) -> Page {
    let page = browser.get(&format!("/settings/staff/{whom}")).await;
    browser.submit(&page, &format!("/settings/staff/{whom}/{deed}"), typed).await
}

/// The newest mail to this person with a link.
async fn letter(town: &Town, who: &MemberId) -> String {
    let member = town.office.app.member(&town.office.association, who).await.unwrap();
    let letters = mails(&town.office.app).await;
    let mine = letters.iter().rfind(|m| Some(&m.to) == member.email.as_ref() && m.text.contains("/k#"));
    token_of(mine.unwrap_or_else(|| panic!("no mail to them among {}", letters.len())))
}

async fn an_invited_colleague_sets_up_password_and_app_and_signs_in(office: TestOffice) {
    let town = Town::generous(office).await;
    let (_, admin) = administrator(&town).await;
    let fresh = somebody(&town, "新任 花", vec![Role::Clerk], false).await;
    admin.get("/settings/staff").await.says("新任 花").says("未登録").says("管理 一");
    staff_deed(&admin, &fresh, "invite", &[]).await.says("暗証番号がまだありません");
    town.office.app.pin_set(&town.office.cli(), &fresh, &Pin::parse(PIN).unwrap(), None).await.unwrap();
    staff_deed(&admin, &fresh, "invite", &[]).await.says("登録のリンクを送りました");

    let token = letter(&town, &fresh).await;
    let browser = town.browser();
    let page = browser.open(&token).await;
    page.says("入る手だての登録").says("新任 花");
    browser.submit(&page, "/k/setup", &[("pin", "")]).await.says("暗証番号を入れてください");
    browser.submit(&page, "/k/setup", &[("pin", "9999")]).await.says("あと4回");
    let page = browser.submit(&page, "/k/setup", &[("pin", PIN)]).await;
    page.says("入る手だてを登録する");
    // The link and the PIN alone open nothing of the office.
    assert_eq!(browser.look("/board").await.status, 404);

    let page = browser.submit(&page, "/me/sign-in/app", &[]).await;
    let secret = secret_on(&page);
    let right = code(&town, &secret);
    for (password, code, words) in [
        ("short", right.as_str(), "13文字以上"),
        ("touban-touban-2026", &right, "よくある言葉"),
        (PASSWORD, "000000", "今アプリに出ている番号"),
    ] {
        let again = [("password", password), ("code", code)];
        let page = browser.submit(&page, "/me/sign-in/password", &again).await;
        page.says(words).keeps_quiet_about(password);
    }
    let done =
        browser.submit(&page, "/me/sign-in/password", &[("password", PASSWORD), ("code", &right)]).await;
    done.says("予備の番号").says("二度と表示しません");
    assert_eq!(codes_on(&done).len(), 10);
    browser.get("/board").await.says("受付中の相談はありません");
    browser.get("/me/sign-in").await.says("残り10個");
    // The link is used up.
    town.browser().open(&token).await.says("このリンクは使い終わっています");
    staff_deed(&admin, &fresh, "end", &[]).await.says("すべての端末を終わらせました");
    assert_eq!(browser.look("/board").await.status, 303);

    next_step(&town);
    let desk = town.browser();
    let page = enter(&town, &desk, &fresh, PASSWORD, &code(&town, &secret)).await;
    assert_eq!(page.path, "/board");
    desk.get("/me/sessions").await.says("パスワードと確認番号で").says("この画面");
    // Whoever has means and lost them goes the way of recovery, not that of a new invitation.
    let again = town.office.app.staff_invite(&town.office.cli(), &fresh).await.unwrap();
    assert_eq!(again, touban::app::signin::staff::Invited::HasMeans);
    admin.get(&format!("/settings/staff/{fresh}")).await.says("登録ずみ");
}

async fn a_passkey_is_made_used_and_taken_away(office: TestOffice) {
    let town = Town::generous(office).await;
    let clerk = town.office.clerk.clone();
    let first = town.signed_in(&clerk).await;
    first.get("/me/sign-in").await.says("試験の鍵").says("残り10個");
    let mut key = town.passkeys.lock().unwrap()[&clerk].clone();

    let again = town.browser();
    assert_eq!(again.enter_with(&mut key).await.path, "/board");
    // A copy of the device whose counter stayed behind, a device that did not verify its owner, an answer
    // to another question, one answer twice.
    let mut copy = key.clone();
    copy.counter = 0;
    let thief = town.browser();
    thief.enter_with(&mut copy).await.says("入れませんでした");
    let mut unverified = key.clone();
    unverified.verifies = false;
    thief.enter_with(&mut unverified).await.says("入れませんでした");
    let page = thief.get("/sign-in/office").await;
    let form = "/sign-in/office/passkey";
    let asked = thief.question(&page, form, "/sign-in/office/challenge").await;
    let other = thief.question(&page, form, "/sign-in/office/challenge").await;
    key.counter = 10;
    let answer = key.get(&asked["options"]).to_string();
    let (asked, other) = (asked["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    thief.submit(&page, form, &[("challenge", other), ("answer", &answer)]).await.says("入れませんでした");
    let right = [("challenge", asked), ("answer", answer.as_str())];
    assert_eq!(thief.submit(&page, form, &right).await.path, "/board");
    town.browser().submit(&page, form, &right).await.says("入れませんでした");
    // A question lives five minutes.
    let late = town.browser();
    let page = late.get("/sign-in/office").await;
    let asked = late.question(&page, form, "/sign-in/office/challenge").await;
    town.office.clock.advance_s(301);
    let answer = key.get(&asked["options"]).to_string();
    let typed = [("challenge", asked["id"].as_str().unwrap()), ("answer", answer.as_str())];
    late.submit(&page, form, &typed).await.says("入れませんでした");

    // The last means stays; with a second one the first can go, and its sessions with it.
    let desk = town.browser();
    desk.enter_with(&mut key).await;
    let only = desk.get("/me/sign-in").await;
    assert!(!only.body.contains("/remove"));
    desk.add_passkey("/me/sign-in").await;
    let page = desk.get("/me/sign-in").await;
    let remove = page.forms().into_iter().map(|(action, _)| action).find(|a| a.ends_with("/remove")).unwrap();
    desk.submit(&page, &remove, &[]).await.says("外しました");
    assert_eq!(first.look("/board").await.status, 303);
    town.browser().enter_with(&mut key).await.says("入れませんでした");
}

async fn a_code_counts_once_also_when_two_use_it_at_the_same_moment(office: TestOffice) {
    let town = Town::generous(office).await;
    let clerk = town.office.clerk.clone();
    let home = town.office.association.clone();
    let browser = town.browser();
    town.through_link(&browser, &home, &clerk).await;
    let (secret, _) = set_up_password(&town, &browser, "/setup-sign-in").await;
    // The code that confirmed the app is used up as well.
    enter(&town, &town.browser(), &clerk, PASSWORD, &code(&town, &secret)).await.says("入れませんでした");
    next_step(&town);
    let now = code(&town, &secret);
    let (one, two) = (town.browser(), town.browser());
    let (a, b) =
        tokio::join!(enter(&town, &one, &clerk, PASSWORD, &now), enter(&town, &two, &clerk, PASSWORD, &now));
    let let_in = [&a, &b].iter().filter(|page| page.path == "/board").count();
    assert_eq!(let_in, 1, "{} / {}", a.text(), b.text());
    enter(&town, &town.browser(), &clerk, PASSWORD, &now).await.says("入れませんでした");
    next_step(&town);
    let page = enter(&town, &town.browser(), &clerk, "kettle window marbles", &code(&town, &secret)).await;
    page.says("入れませんでした");
}

async fn a_session_by_pin_has_no_right_of_the_office(office: TestOffice) {
    let town = Town::generous(office).await;
    let both = somebody(&town, "兼任 守", vec![Role::Physician, Role::Coordinator], true).await;
    let home = town.office.association.clone();
    let by_pin = town.by_pin(&home, &both).await;
    let page = by_pin.get("/consults/new").await;
    page.says("相談を頼む").says("事務局の仕事をする");
    for path in ["/board", "/ledger", "/settings/staff"] {
        assert_eq!(by_pin.look(path).await.status, 404, "{path}");
    }
    assert_eq!(by_pin.look("/me/sign-in").await.leads_to(), "/sign-in/office");
    let strongly = town.strongly(&home, &both).await;
    strongly.get("/board").await.says("進みぐあい");
    assert_eq!(by_pin.look("/board").await.status, 303, "whoever sets up means begins anew everywhere");
}

async fn wrong_passwords_make_strangers_wait_and_never_the_known_device(office: TestOffice) {
    let town = Town::generous(office).await;
    let clerk = town.office.clerk.clone();
    let home = town.office.association.clone();
    let setup = town.browser();
    town.through_link(&setup, &home, &clerk).await;
    let (secret, _) = set_up_password(&town, &setup, "/setup-sign-in").await;
    let address = town.office.app.member(&home, &clerk).await.unwrap().email.unwrap();
    next_step(&town);
    let known = town.browser();
    let page = known.get("/sign-in/office").await;
    let typed = |code: &'static str| [("password", "x"), ("code", code), ("remember", "yes")];
    let right = code(&town, &secret);
    let entering =
        [("address", address.as_str()), ("password", PASSWORD), ("code", &right), ("remember", "yes")];
    assert_eq!(known.submit(&page, "/sign-in/office", &entering).await.path, "/board");

    // A stranger at the address of the clerk, and at one that nobody has: the same words, the same waits.
    let mut heard = Vec::new();
    for whose in [address.as_str(), "nobody@aoba.example.jp"] {
        let stranger = town.browser();
        let mut said = Vec::new();
        for _ in 0..14 {
            let page = stranger.get("/sign-in/office").await;
            let mut typed = typed("123456").to_vec();
            typed.push(("address", whose));
            let page = stranger.submit(&page, "/sign-in/office", &typed).await;
            assert_eq!(page.status, 200);
            said.push(page.text().replace(whose, "X"));
        }
        assert!(said[0].contains("入れませんでした") && said[13].contains("待ってから"), "{said:?}");
        heard.push(said);
        let audit = town.office.app.events(&home, 0, 10_000).await.unwrap();
        assert!(audit.iter().all(|e| !e.detail.contains("nobody@")));
    }
    assert_eq!(heard[0], heard[1]);
    // The real person waits on a strange device, and not on the known one.
    next_step(&town);
    let right = code(&town, &secret);
    let known_again = known.get("/sign-in/office").await;
    let entering = [("address", address.as_str()), ("password", PASSWORD), ("code", right.as_str())];
    assert_eq!(known.submit(&known_again, "/sign-in/office", &entering).await.path, "/board");
}

/// Somebody of the office with password, app and recovery codes, and those codes.
async fn with_codes(town: &Town, who: &MemberId) -> (Browser, Vec<String>) {
    let browser = town.browser();
    town.through_link(&browser, &town.office.association, who).await;
    let (_, page) = set_up_password(town, &browser, "/setup-sign-in").await;
    (browser, codes_on(&page))
}

async fn lose(town: &Town, who: &MemberId, code: &str) -> Page {
    let member = town.office.app.member(&town.office.association, who).await.unwrap();
    let browser = town.browser();
    let page = browser.get("/sign-in/lost").await;
    let typed = [("address", member.email.as_deref().unwrap()), ("code", code)];
    browser.submit(&page, "/sign-in/lost", &typed).await
}

async fn whoever_lost_every_means_comes_back_only_with_a_colleague_a_day_and_the_pin(office: TestOffice) {
    let town = Town::generous(office).await;
    let (admin_id, _) = administrator(&town).await;
    let clerk = town.office.clerk.clone();
    let (old, codes) = with_codes(&town, &clerk).await;
    mails(&town.office.app).await;

    // A wrong code and a right one get the same answer; only the right one is told to anybody.
    let wrong = lose(&town, &clerk, "0000-0000-0000").await;
    assert!(mails(&town.office.app).await.is_empty());
    let right = lose(&town, &clerk, &codes[0].to_lowercase()).await;
    assert_eq!(wrong.text(), right.text());
    right.says("受け付けました").says("24時間後");
    let told = mails(&town.office.app).await;
    let subjects = |words: &str| told.iter().filter(|m| m.subject.contains(words)).count();
    assert_eq!(subjects("入る手だてのつくり直しが頼まれました"), 2, "to the person and the administrator");
    assert_eq!(subjects("【要確認】入る手だてのつくり直し"), 1, "to the coordinator");

    // A day alone does nothing.
    town.office.clock.advance_s(3 * 86_400);
    let later = mails(&town.office.app).await;
    assert!(later.iter().all(|m| m.subject.contains("【要確認】")), "only the alarm goes on: {later:?}");
    // Nobody vouches for themselves: the clerk may not at all, an administrator not for their own.
    let admin = town.signed_in(&admin_id).await;
    let page = admin.get(&format!("/settings/staff/{clerk}")).await;
    page.says("本人の確認を待っています");
    staff_deed(&admin, &clerk, "vouch", &[]).await.says("確認しました");
    town.office.clock.advance_s(86_399);
    let later = mails(&town.office.app).await;
    assert!(later.iter().all(|m| m.subject.contains("【要確認】")), "no link yet: {later:?}");
    town.office.clock.advance_s(2);
    let token = letter(&town, &clerk).await;

    // The link alone does not let in, nor with the code that began it.
    let thief = town.browser();
    let page = thief.open(&token).await;
    page.says("もう一つの予備の番号");
    thief.submit(&page, "/k/setup", &[("code", &codes[0])]).await.says("あと4回");
    thief.submit(&page, "/k/setup", &[]).await.says("暗証番号を入れてください");
    assert_eq!(thief.look("/setup-sign-in").await.status, 404);
    let page = thief.submit(&page, "/k/setup", &[("code", &codes[1])]).await;
    page.says("入る手だてを登録する");
    // What was lost no longer counts.
    assert_ne!(old.look("/board").await.status, 200);
    let means = town.office.app.means(&town.office.association, &clerk).await.unwrap();
    assert!(means.is_empty() && means.codes_left == 0);
    thief.add_passkey("/setup-sign-in").await;
    thief.get("/board").await.says("進みぐあい");
    let audit = town.office.app.events(&town.office.association, 0, 10_000).await.unwrap();
    for action in ["recovery.asked", "recovery.refused", "recovery.vouch", "means.setup", "means.add"] {
        assert!(audit.iter().any(|e| e.action == action), "{action}");
    }
}

async fn a_recovery_is_told_on_every_way_until_it_was_seen(office: TestOffice) {
    let town = Town::generous(office).await;
    let app = &town.office.app;
    let home = town.office.association.clone();
    let mut texts = app.office_texts(&home).await.unwrap();
    texts.entry.mail = "jimu@aoba.example.jp".to_owned();
    app.office_texts_change(&town.office.cli(), 0, texts).await.unwrap();
    let (_, admin) = administrator(&town).await;
    let clerk = town.office.clerk.clone();
    let member = app.member(&home, &clerk).await.unwrap();
    let new = NewMember {
        phone: Some("090-0000-0009".into()),
        email: member.email.clone(),
        ..new_member(&member.name, &town.office.clinic, Role::Clerk, vec![])
    };
    app.member_change(&town.office.cli(), &clerk, member.revision, new, None).await.unwrap();
    let settings = CallSettings { numbers: vec![telephone("042-000-0099")], ..CallSettings::default() };
    app.call_settings_put(&town.office.cli(), 0, settings).await.unwrap();
    let (desk, codes) = with_codes(&town, &clerk).await;
    let elsewhere = town.browser();
    town.through_link(&elsewhere, &home, &clerk).await;
    desk.get("/me/sessions").await.keeps_quiet_about("つくり直しが頼まれました");
    mails(app).await;
    lose(&town, &clerk, &codes[0]).await;

    // By mail: the person, the administrator, the office's own address; the board's watchers.
    let told = mails(app).await;
    let to =
        |address: &str| told.iter().filter(|m| m.to == address && m.subject.contains("つくり直し")).count();
    assert_eq!(to("jimu@aoba.example.jp"), 1, "{told:?}");
    let own = app.member(&home, &clerk).await.unwrap().email.unwrap();
    assert_eq!(to(&own), 1);
    // By telephone: the person's own phone is rung.
    let calls = app.calls_page(&home, "", 10).await.unwrap();
    let rung: Vec<_> = calls.iter().map(|line| (line.row.kind.as_str(), line.row.asker.as_ref())).collect();
    assert_eq!(rung, [("recovery", Some(&clerk))]);
    // On every page of every signed-in device of the person, and on the office's first page.
    for browser in [&desk, &elsewhere] {
        browser.get("/me/sessions").await.says("あなたの入る手だてのつくり直しが頼まれました");
        browser.get("/").await.says("あなたの入る手だてのつくり直しが頼まれました");
    }
    admin.get("/").await.says("職員の入る手だてのつくり直しが頼まれています（1件）");
    admin.get("/me/sessions").await.keeps_quiet_about("つくり直しが頼まれ");
    let coordinator = town.signed_in(&town.office.coordinator).await;
    coordinator.get("/").await.says("職員の入る手だてのつくり直しが頼まれています（1件）");
    coordinator.get("/board").await.says("入る手だてのつくり直しが頼まれました");
    // It stands until each says to have seen it, and only for them.
    let page = admin.get("/me/notices").await;
    admin.submit(&page, "/me/notices", &[("deed", "seen")]).await.says("お知らせを消しました");
    admin.get("/").await.keeps_quiet_about("つくり直しが頼まれています");
    coordinator.get("/").await.says("つくり直しが頼まれています");
    desk.get("/").await.says("あなたの入る手だてのつくり直しが頼まれました");
    // A colleague stops nothing here; the person does.
    let page = coordinator.get("/me/notices").await;
    assert!(!page.body.contains("value=\"stop\""));
    let page = desk.get("/me/notices").await;
    desk.submit(&page, "/me/notices", &[("deed", "stop")]).await.says("つくり直しを止めました");
    let alarms = app.alarms(&home, "", 50).await.unwrap();
    for kind in ["recovery_asked", "recovery_stopped"] {
        assert!(alarms.iter().any(|a| a.kind == kind), "{kind}");
    }
    // Whoever asks for people without a role of the office is told nothing.
    let doctor = town.signed_in(&town.office.asker).await;
    doctor.get("/me/notices").await.says("いま確かめていただくことはありません");
}

async fn a_recovery_is_stopped_by_whoever_says_it_was_not_them(office: TestOffice) {
    let town = Town::generous(office).await;
    let (admin_id, admin) = administrator(&town).await;
    let clerk = town.office.clerk.clone();
    let (_, codes) = with_codes(&town, &clerk).await;
    mails(&town.office.app).await;
    lose(&town, &clerk, &codes[0]).await;
    let notice = letter(&town, &clerk).await;
    staff_deed(&admin, &clerk, "vouch", &[]).await.says("確認しました");
    town.office.clock.advance_s(86_401);
    let link = letter(&town, &clerk).await;
    // Looking stops nothing, pressing does; also after the link went out.
    let reader = town.browser();
    let page = reader.open(&notice).await;
    page.says("つくり直しを止める");
    town.browser().open(&link).await.says("入る手だての登録");
    reader.submit(&page, "/k/stop-recovery", &[]).await.says("止めました");
    town.browser().open(&link).await.keeps_quiet_about("action=\"/k/setup\"");
    let alarms = town.office.app.alarms(&town.office.association, "", 50).await.unwrap();
    assert!(alarms.iter().any(|a| a.kind == "recovery_stopped"));
    let coordinator = town.signed_in(&town.office.coordinator).await;
    coordinator.get("/board").await.says("事務 花 さん 入る手だてのつくり直しが止められました");

    // Another one, stopped by a colleague before its day: nothing comes.
    lose(&town, &clerk, &codes[1]).await;
    let admin = town.signed_in(&admin_id).await;
    staff_deed(&admin, &clerk, "vouch", &[]).await;
    staff_deed(&admin, &clerk, "stop-recovery", &[]).await.says("つくり直しを止めました");
    town.office.clock.advance_s(2 * 86_400);
    let later = mails(&town.office.app).await;
    assert!(
        later.iter().all(|m| !m.subject.contains("入る手だての登録")),
        "the coordinator is alarmed; no link goes out"
    );
    let administrator = town.signed_in(&admin_id).await;
    let own = administrator.get(&format!("/settings/staff/{admin_id}")).await;
    assert!(!own.body.contains("/vouch"));
}

async fn sessions_end_at_once_when_something_changes(office: TestOffice) {
    let town = Town::generous(office).await;
    let (admin_id, admin) = administrator(&town).await;
    let clerk = town.office.clerk.clone();
    let ended = async |browser: &Browser| browser.look("/board").await.status != 200;

    // The roles.
    let desk = town.signed_in(&clerk).await;
    assert!(!ended(&desk).await);
    let set = staff_deed(&admin, &clerk, "roles", &[("role", "clerk"), ("role", "coordinator")]).await;
    set.says("役割を変えました");
    assert!(ended(&desk).await);
    staff_deed(&admin, &admin_id, "roles", &[("role", "officer")]).await.says("管理者がいなくなる");

    // The password: the session that changes it goes on, others end.
    let (one, two) = (town.signed_in(&clerk).await, town.signed_in(&clerk).await);
    let (_, page) = set_up_password(&town, &one, "/me/sign-in").await;
    page.says("登録しました");
    assert!(!ended(&one).await && ended(&two).await);

    // One by one, and everywhere.
    let two = town.signed_in(&clerk).await;
    let page = two.get("/me/sessions").await;
    let end = page.forms().into_iter().map(|(a, _)| a).find(|a| a.ends_with("/end")).unwrap();
    two.submit(&page, &end, &[]).await.says("終わらせました");
    assert!(ended(&one).await && !ended(&two).await);
    let page = two.get("/me/sessions").await;
    two.submit(&page, "/me/sessions/end-all", &[]).await;
    assert!(ended(&two).await);

    // The PIN, a passkey that a colleague revokes, leaving.
    let desk = town.signed_in(&clerk).await;
    town.office.app.pin_set(&town.office.cli(), &clerk, &Pin::parse("4321").unwrap(), None).await.unwrap();
    assert!(ended(&desk).await);
    let desk = town.signed_in(&clerk).await;
    let page = admin.get(&format!("/settings/staff/{clerk}")).await;
    admin.submit(&page, &format!("/settings/staff/{clerk}/revoke"), &[]).await.says("使えなくしました");
    assert!(ended(&desk).await);
    let coordinator = town.signed_in(&town.office.coordinator).await;
    town.office.app.member_leave(&town.office.cli(), &town.office.coordinator, None).await.unwrap();
    assert!(ended(&coordinator).await);
    let mut key = town.passkeys.lock().unwrap()[&town.office.coordinator].clone();
    town.browser().enter_with(&mut key).await.says("入れませんでした");
}

async fn what_was_typed_waits_while_the_person_proves_again(office: TestOffice) {
    let town = Town::generous(office).await;
    let (admin_id, admin) = administrator(&town).await;
    let clerk = town.office.clerk.clone();
    let page = admin.get(&format!("/settings/staff/{clerk}")).await;
    town.office.clock.advance_s(301);
    let deed = format!("/settings/staff/{clerk}/roles");
    let asked = admin.submit(&page, &deed, &[("role", "officer")]).await;
    asked.says("もう一度ご本人を確かめます").says("入力した内容は残っています");
    let before = town.office.app.member(&town.office.association, &clerk).await.unwrap();
    assert_eq!(before.roles, [Role::Clerk]);
    let mut key = town.passkeys.lock().unwrap()[&admin_id].clone();
    let form = "/sign-in/again/passkey";
    // A colleague's passkey proves nothing here.
    town.signed_in(&clerk).await;
    let mut other = town.passkeys.lock().unwrap()[&clerk].clone();
    let question = admin.question(&asked, form, "/sign-in/office/challenge").await;
    let answer = other.get(&question["options"]).to_string();
    let typed = [("challenge", question["id"].as_str().unwrap()), ("answer", answer.as_str())];
    let asked = admin.submit(&asked, form, &typed).await;
    asked.says("入れませんでした").says("入力した内容は残っています");
    let question = admin.question(&asked, form, "/sign-in/office/challenge").await;
    let answer = key.get(&question["options"]).to_string();
    let typed = [("challenge", question["id"].as_str().unwrap()), ("answer", answer.as_str())];
    let on = admin.submit(&asked, form, &typed).await;
    on.says("入力した内容で続けます");
    admin.submit(&on, &deed, &[]).await.says("役割を変えました");
    let after = town.office.app.member(&town.office.association, &clerk).await.unwrap();
    assert_eq!(after.roles, [Role::Officer]);

    // A page that is only looked at leads there and back.
    town.office.clock.advance_s(301);
    let page = admin.get("/me/sign-in/password").await;
    assert_eq!(page.path, "/sign-in/again");
    let question = admin.question(&page, form, "/sign-in/office/challenge").await;
    let answer = key.get(&question["options"]).to_string();
    let typed = [("challenge", question["id"].as_str().unwrap()), ("answer", answer.as_str())];
    let back = admin.submit(&page, form, &typed).await;
    assert!(back.path.starts_with("/me/sign-in"), "{}", back.path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_person_of_an_office_needs_no_pin_and_only_the_first() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let (app, cli) = (&town.office.app, town.office.cli());
    let first = somebody(&town, "管理 一", vec![Role::Administrator], false).await;
    let second = somebody(&town, "事務 二", vec![Role::Clerk], false).await;
    let link = app.staff_link(&cli, &first).await.unwrap().unwrap();
    let other = app.staff_link(&cli, &second).await.unwrap().unwrap();
    assert!(!link.needs_pin && !other.needs_pin);
    let browser = town.browser();
    let page = browser.open(link.url.split_once("/k#").unwrap().1).await;
    page.says("暗証番号は要りません");
    browser.submit(&page, "/k/setup", &[]).await.says("入る手だてを登録する");
    browser.add_passkey("/setup-sign-in").await;
    // Now there is somebody: the other link would let a stranger in without a second factor.
    let late = town.browser().open(other.url.split_once("/k#").unwrap().1).await;
    late.keeps_quiet_about("action=\"/k/setup\"");
    assert!(app.staff_link(&cli, &second).await.unwrap().is_err());
    assert!(
        app.staff_link(&cli, &town.office.asker).await.unwrap().is_err(),
        "a doctor has nothing to set up"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_of_the_office_counts_only_after_a_strong_proof() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let home = town.office.app.association_by_code("aoba").await.unwrap();
    let member = town.office.app.member(&home.id, &town.office.coordinator).await.unwrap();
    let now = town.office.app.now();
    let signed_in = |strong_at| SignedIn {
        association: home.clone(),
        member: member.clone(),
        session: touban::ids::SessionId::named(&["one"]),
        strong_at,
        setup_until: None,
    };
    assert!(!signed_in(None).may(Right::Board) && signed_in(Some(now)).may(Right::Board));
    assert!(signed_in(None).is_office_by_pin());
    assert!(signed_in(Some(now.plus_s(-299))).is_fresh(now));
    assert!(!signed_in(Some(now.plus_s(-300))).is_fresh(now) && !signed_in(None).is_fresh(now));
}

async fn files_and_accounts_want_a_proof_of_the_last_minutes(office: TestOffice) {
    let town = Town::new(office).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let bank = format!("/directory/{}/bank", town.office.clinic);
    let pages = ["/sheets/export", bank.as_str()];
    for path in pages {
        assert_eq!(clerk.look(path).await.status, 200, "{path}");
    }
    let page = clerk.get("/sheets/export").await;
    town.office.clock.advance_s(301);
    for path in pages {
        assert_eq!(clerk.look(path).await.leads_to(), "/sign-in/again", "{path}");
    }
    let taken = clerk.submit(&page, "/sheets/export", &[("kind", "members"), ("format", "csv")]).await;
    taken.says("もう一度ご本人を確かめます");
    // Looking at people takes no more than being there.
    assert_eq!(clerk.look("/people").await.status, 200);
}

/// Proves again with the administrator's passkey; the page that goes on with what was typed.
pub async fn prove(town: &Town, browser: &Browser, who: &MemberId, asked: &Page) -> Page {
    let form = "/sign-in/again/passkey";
    let mut key = town.passkeys.lock().unwrap()[who].clone();
    let question = browser.question(asked, form, "/sign-in/office/challenge").await;
    let answer = key.get(&question["options"]).to_string();
    town.passkeys.lock().unwrap().insert(who.clone(), key);
    let typed = [("challenge", question["id"].as_str().unwrap()), ("answer", answer.as_str())];
    browser.submit(asked, form, &typed).await
}

async fn a_key_is_made_after_a_proof_shown_once_and_taken_away(office: TestOffice) {
    let town = Town::generous(office).await;
    let (admin_id, admin) = administrator(&town).await;
    let page = admin.get("/settings/keys").await;
    let typed = [("label", "会計システム"), ("scope", "read")];
    town.office.clock.advance_s(301);
    let asked = admin.submit(&page, "/settings/keys", &typed).await;
    asked.says("もう一度ご本人を確かめます").says("入力した内容は残っています");
    let on = prove(&town, &admin, &admin_id, &asked).await;
    let form = on.form("/settings/keys", &[]);
    let shown = admin.send("/settings/keys", &form).await;
    shown.says("この鍵は今だけ表示します");
    let secret = between(&shown.body, "id=\"secret\">", "<").unwrap().to_owned();
    assert!(secret.starts_with("tbk_"), "{secret}");
    // The same form again makes no second key, and shows none.
    let again = admin.send("/settings/keys", &form).await;
    again.says("一度お見せしました").keeps_quiet_about(&secret);
    let keys = town.office.app.keys(&town.office.association).await.unwrap();
    let made: Vec<_> = keys.iter().filter(|key| key.label == "会計システム").collect();
    assert_eq!((made.len(), made[0].scopes.as_str()), (1, "read"));

    let api = async || {
        let url = format!("{}/api/v1/members", town.served.base);
        let asked = reqwest::Client::builder().no_proxy().build().unwrap().get(url).bearer_auth(&secret);
        asked.send().await.unwrap().status().as_u16()
    };
    assert_eq!(api().await, 200);
    let list = admin.get("/settings/keys").await;
    list.says("会計システム").keeps_quiet_about(&secret);
    let deed = format!("/settings/keys/{}/revoke", made[0].id);
    admin.submit(&list, &deed, &[]).await.says("鍵を取り上げました").says("使えません");
    assert_eq!(api().await, 401);
    // What is missing is said beside the field.
    let page = admin.get("/settings/keys").await;
    let wrong = admin.submit(&page, "/settings/keys", &[("label", "")]).await;
    wrong.says("名前を書いてください").says("1つは選んでください");
    // Nobody else sees the page.
    let clerk = town.signed_in(&town.office.clerk).await;
    assert_eq!(clerk.look("/settings/keys").await.status, 404);
}

async fn strangers_cannot_close_the_way_back(office: TestOffice) {
    let town = Town::generous(office).await;
    let clerk = town.office.clerk.clone();
    let (_, codes) = with_codes(&town, &clerk).await;
    let app = &town.office.app;
    let address = app.member(&town.office.association, &clerk).await.unwrap().email.unwrap();
    // A stranger tries all day long, waiting as long as it takes.
    let mut tries = 0;
    while tries < 120 {
        match app.recovery_ask(&address, "0000-0000-0000", "203.0.113.5").await.unwrap() {
            touban::app::signin::recovery::Lost::Taken => tries += 1,
            touban::app::signin::recovery::Lost::Wait { .. } if tries >= 100 => break,
            touban::app::signin::recovery::Lost::Wait { seconds } => {
                town.office.clock.advance_s(i64::from(seconds));
            }
        }
    }
    assert!(tries >= 100, "{tries}");
    // Whoever has the code is let on their way at once, from anywhere else.
    let own = app.recovery_ask(&address, &codes[0], "198.51.100.7").await.unwrap();
    assert_eq!(own, touban::app::signin::recovery::Lost::Taken);
    let letters = mails(app).await;
    assert!(
        letters.iter().any(|m| m.to == address && m.subject.contains("つくり直し")),
        "the way back began"
    );
}
