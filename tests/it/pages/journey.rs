//! A consult from the question to the ledger, by forms alone; and what happens beside the straight way.

use touban::i18n::{Lang, t};
use touban::ids::RequestId;

use super::browser::{CONSULT, Town, code_of, mails, token_of};
use crate::support::{ALL_AT_ONCE, PIN, TestOffice, on_both};

on_both! {
    a_question_is_asked_taken_answered_closed_and_paid_for_on_both_sides,
    five_wrong_pins_end_a_link_and_the_office_hears_of_it,
    a_second_tap_gets_the_same_answer_and_changes_nothing,
}

const ANSWER: &[(&str, &str)] = &[
    ("assessment", "壊死組織です。"),
    ("do_now", "今は切らずに、洗浄を続けてください。"),
    ("follow_up", "3日後"),
    ("refer_when", "発熱したとき"),
    ("minutes", "１５"),
];

const SURVEY: &[(&str, &str)] = &[
    ("avoided", "yes"),
    ("newly_needed", "no"),
    ("helpful", "5"),
    ("in_time", "yes"),
    ("note", "たすかりました"),
];

async fn a_question_is_asked_taken_answered_closed_and_paid_for_on_both_sides(office: TestOffice) {
    let town = Town::new(office).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let page = asker.get(&case).await;
    page.says("受付中").says("3名").says("返事待ち 3名").says("10時20分に次の手順へ").says("佐藤 健 先生");
    page.says("3名にお願いしました").says("R8-0001");

    // The specialist on the train: mail, link, what may be read before, PIN, all of it after.
    assert_eq!(letters.len(), 3);
    let phone = town.browser();
    let link = phone.open(&token_of(&letters[0])).await;
    link.says("相談のお願い（皮膚科）").says("80代 女性").says("青葉北").says("黒い部分").says("診療所");
    for later in ["CANARY", "佐藤", "さとう", "洗浄と被覆材"] {
        link.keeps_quiet_about(later);
    }
    let none = phone.submit(&link, "/k/answer", &[("answer", "accept_advice")]).await;
    none.says("暗証番号を入れてください。");
    let accept = [("answer", "accept_advice"), ("pin", "１２３４"), ("remember", "yes")];
    let taken = phone.submit(&link, "/k/answer", &accept).await;
    assert_eq!(taken.path, case);
    taken
        .says("引き受けました。お答えをお書きください。")
        .says("佐藤 健 先生")
        .says("CANARY-DETAILS")
        .says("助言のみ");
    // Said once.
    assert!(!phone.get(&case).await.text().contains("引き受けました。お答え"));

    // An answer that lacks something keeps what was typed.
    let again = phone.submit(&taken, &format!("{case}/answer"), &[("assessment", "壊死組織です。")]).await;
    again.says("ここをお書きください。").says("1から600まで");
    assert!(again.body.contains("\n壊死組織です。</textarea>"));
    let answered = phone.submit(&again, &format!("{case}/answer"), ANSWER).await;
    answered.says("お答えを送りました").says("15分");

    let told = mails(&town.office.app).await;
    assert!(told.iter().any(|m| m.text.contains(&case)), "{told:?}");
    asker.get("/consults").await.says("四つの質問に答えて閉じてください");
    let page = asker.get(&case).await;
    page.says("壊死組織です。").says("お答えあり").says("先生が患者さんの情報を開きました");
    let half = asker.submit(&page, &format!("{case}/close"), &[("avoided", "yes")]).await;
    half.says("どれか一つを選んでください。");
    let closed = asker.submit(&half, &format!("{case}/close"), SURVEY).await;
    closed.says("相談を閉じました").says("終わりました").says("とても役に立った");
    phone.get(&case).await.says("たすかりました").says("まで見られます");

    let clerk = town.signed_in(&town.office.clerk).await;
    let ledger = clerk.get("/ledger").await;
    ledger.says("令和8年11月").says("依頼側").says("受諾側").says("R8-0001").says("さとう内科クリニック");
    ledger.says("2件").says("満たす");
    clerk.get("/ledger?month=2026-10").await.says("この月の記録はまだありません");
    clerk.get("/board").await.says("受付中の相談はありません。");
}

async fn five_wrong_pins_end_a_link_and_the_office_hears_of_it(office: TestOffice) {
    let town = Town::new(office).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let thief = town.browser();
    let mut page = thief.open(&token_of(&letters[0])).await;
    for left in [4, 3, 2, 1] {
        page = thief.submit(&page, "/k/answer", &[("answer", "accept_advice"), ("pin", "0000")]).await;
        page.says(&format!("あと{left}回"));
    }
    page = thief.submit(&page, "/k/answer", &[("answer", "accept_advice"), ("pin", "0000")]).await;
    page.says("このリンクは止めました").says("050-0000-1000");
    // Now the right one does not help either.
    let closed = thief.open(&token_of(&letters[0])).await;
    closed.says("このリンクは止めました");
    asker.get(&case).await.says("受付中");

    let coordinator = town.signed_in(&town.office.coordinator).await;
    let board = coordinator.get("/board").await;
    board.says("先生 暗証番号が続けて合いませんでした");
    let (seen, _) = board.forms().into_iter().find(|(action, _)| action.ends_with("/seen")).unwrap();
    let after = coordinator.submit(&board, &seen, &[]).await;
    assert!(!after.text().contains("暗証番号が続けて"));
}

async fn a_second_tap_gets_the_same_answer_and_changes_nothing(office: TestOffice) {
    let town = Town::new(office).await;
    let asker = town.signed_in(&town.office.asker).await;
    let form = asker.get("/consults/new").await;
    let fields = form.form("/consults", CONSULT);
    let (first, second) = (asker.send("/consults", &fields).await, asker.send("/consults", &fields).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303));
    assert_eq!(first.leads_to(), second.leads_to());
    let case = first.leads_to();
    assert_eq!(asker.get("/consults").await.body.matches("class=\"row\"").count(), 1);
    // The same number with another text is somebody's old page: nothing is done.
    let mut other = fields.clone();
    other.iter_mut().find(|(k, _)| k == "question").unwrap().1 = "べつの相談".into();
    assert_eq!(asker.send("/consults", &other).await.status, 409);

    let letters = mails(&town.office.app).await;
    let phone = town.browser();
    let link = phone.open(&token_of(&letters[0])).await;
    let yes = link.form("/k/answer", &[("answer", "accept_advice"), ("pin", PIN)]);
    for _ in 0..2 {
        let tap = phone.send("/k/answer", &yes).await;
        assert_eq!((tap.status.as_u16(), tap.leads_to()), (303, case.clone()));
    }
    let page = phone.get(&case).await;
    let answer = page.form(&format!("{case}/answer"), ANSWER);
    for _ in 0..2 {
        let tap = phone.send(&format!("{case}/answer"), &answer).await;
        assert_eq!((tap.status.as_u16(), tap.leads_to()), (303, case.clone()));
    }
    let page = asker.get(&case).await;
    let close = page.form(&format!("{case}/close"), SURVEY);
    for _ in 0..2 {
        assert_eq!(asker.send(&format!("{case}/close"), &close).await.leads_to(), case);
    }
    let id = RequestId::from_stored(case.rsplit('/').next().unwrap()).unwrap();
    let lines = town.office.app.ledger_lines(&town.office.association, Some(&id), "", 10).await.unwrap();
    assert_eq!(lines.len(), 2);
    let takes = town.office.app.events(&town.office.association, 0, 1_000).await.unwrap();
    assert_eq!(takes.iter().filter(|e| e.action == "offer.accept").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_device_takes_with_one_tap_and_opens_the_case_with_the_pin() {
    let town = Town::new(TestOffice::sqlite_with(ALL_AT_ONCE).await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let phone = town.signed_in(&town.office.dermatologists[0]).await;
    // Signed in with the box ticked by default? No box, no device: the first answer remembers it.
    let (_, letters) = town.ask(&asker).await;
    let mine = |letters: &[touban::app::outbox::MailToSend], to: &str| {
        letters.iter().find(|m| m.to == to).map(token_of).unwrap()
    };
    let address = town
        .office
        .app
        .member(&town.office.association, &town.office.dermatologists[0])
        .await
        .unwrap()
        .email
        .unwrap();
    let link = phone.open(&mine(&letters, &address)).await;
    phone.submit(&link, "/k/answer", &[("answer", "accept_advice"), ("pin", PIN), ("remember", "yes")]).await;
    town.office.clock.advance_s(2_000);

    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let link = phone.open(&mine(&letters, &address)).await;
    link.keeps_quiet_about("name=\"pin\"");
    let locked = phone.submit(&link, "/k/answer", &[("answer", "accept_advice")]).await;
    assert_eq!(locked.path, case);
    locked.says("引き受けました").says("患者さんの情報を開く").keeps_quiet_about("CANARY");
    let unlock = format!("{case}/unlock");
    phone.submit(&locked, &unlock, &[("pin", "9999")]).await.says("番号が合いません。もう一度");
    let open = phone.submit(&locked, &unlock, &[("pin", PIN)]).await;
    open.says("CANARY-DETAILS").says("お答えを書く");

    // The door knows the device too.
    let out = phone.submit(&open, "/sign-out", &[]).await;
    assert_eq!(out.path, "/");
    let door = phone.get(&case).await;
    door.says("患者さんの情報を開く");
    let door = phone.get("/sign-in").await;
    let inside = phone.submit(&door, "/sign-in/device", &[("pin", PIN)]).await;
    inside.says("引き受けた相談").says("お答えをお書きください");
    phone.get("/sign-in?by=mail").await.says("メールアドレス");

    // A forwarded link on another device is worth nothing without the PIN.
    let stranger = town.browser();
    stranger.get(&case).await.says("名前を確かめる").keeps_quiet_about("CANARY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_late_is_thanked_and_told_what_became_of_it() {
    let town = Town::new(TestOffice::sqlite_with(ALL_AT_ONCE).await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, letters) = town.ask(&asker).await;
    let [first, second, third] = [0, 1, 2].map(|n| token_of(&letters[n]));
    let phone = town.browser();

    // Held, then declined with a reason.
    let link = phone.open(&third).await;
    let held = phone.submit(&link, "/k/answer", &[("answer", "hold"), ("pin", PIN)]).await;
    held.says("保留中").says("今日10時30分まで");
    let no = [("answer", "decline"), ("pin", PIN), ("reason", "schedule")];
    phone.submit(&held, "/k/answer", &no).await.says("お断りを承りました").says("050-0000-1000");
    phone.open(&third).await.says("お断りを承りました").says("R8-0001");

    // By the typed code, in small full-width letters.
    let code: String = code_of(&letters[0])
        .to_lowercase()
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap())
        .collect();
    let entry = phone.get("/k").await;
    phone.submit(&entry, "/k/open", &[("code", "ABCD")]).await.says("番号は12文字です");
    phone
        .submit(&entry, "/k/open", &[("code", "0000-0000-0000")])
        .await
        .says("リンクを確かめられませんでした");
    let link = phone.submit(&entry, "/k/open", &[("code", &code)]).await;
    let taken = phone.submit(&link, "/k/answer", &[("answer", "accept_advice"), ("pin", PIN)]).await;
    assert_eq!(taken.path, case);
    let other = town.browser();
    other.open(&second).await.says("ほかの先生がお引き受けくださいました").keeps_quiet_about("エラー");
    phone.open(&first).await.says("お引き受けいただいています").says("相談の内容を見る");
    assert_eq!(other.get(&case).await.path, "/sign-in");

    // Given back, asked again, withdrawn.
    let page = phone.get(&case).await;
    let given = phone.submit(&page, &format!("{case}/release"), &[]).await;
    given.says("引き受けを取り消しました");
    assert_eq!(phone.get(&case).await.status, 404);
    phone.open(&first).await.says("引き受けは取り消しました");
    let letters = mails(&town.office.app).await;
    let again = letters.iter().find(|m| m.text.contains("/k#")).map(token_of).unwrap();
    let page = asker.get(&case).await;
    asker.submit(&page, &format!("{case}/withdraw"), &[]).await.says("相談を取り下げました").says("取り下げ");
    other.open(&again).await.says("この依頼は取り下げられました");
    other.open(&"A".repeat(43)).await.says("リンクを確かめられませんでした").says("050-0000-1000");

    // Past its time.
    let (_, letters) = town.ask(&asker).await;
    town.office.clock.advance_s(27 * 3_600);
    other.open(&token_of(&letters[0])).await.says("この依頼の受付は終わりました");
    mails(&town.office.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_cannot_be_taken_comes_back_with_every_word() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let form = asker.get("/consults/new").await;
    let empty = asker.submit(&form, "/consults", &[]).await;
    for field in ["診療科", "お願いしたいこと", "いつまでか", "年代", "性別", "地区", "状態"]
    {
        empty.says(&format!("{field}を選んでください。"));
    }
    let mut now: Vec<(&str, &str)> = CONSULT.to_vec();
    now.iter_mut().find(|(k, _)| *k == "answer_by").unwrap().1 = "now";
    let urgent = asker.submit(&form, "/consults", &now).await;
    urgent.says("お急ぎの相談は、電話でお願いします。");
    assert!(urgent.body.contains("tel:05000001000") && urgent.body.contains("CANARY-DETAILS"));
    let own = |date: &'static str, time: &'static str| {
        let mut fields: Vec<(&str, &str)> = CONSULT.to_vec();
        fields.iter_mut().find(|(k, _)| *k == "answer_by").unwrap().1 = "own";
        fields.extend([("own_date", date), ("own_time", time)]);
        fields
    };
    asker.submit(&form, "/consults", &own("2026-11-20", "10:05")).await.says("30分より先の日時");
    asker.submit(&form, "/consults", &own("あした", "10:05")).await.says("日付は「11月21日」のように");
    asker.submit(&form, "/consults", &own("2027-11-20", "10:05")).await.says("30日以内");
    // A token of another day: everything typed stays, and one more press does it.
    let stale: Vec<_> = CONSULT.iter().copied().chain([("csrf", "stale")]).collect();
    let again = asker.submit(&form, "/consults", &stale).await;
    again.says("もう一度「相談を頼む」を押してください");
    assert!(again.body.contains("CANARY-DETAILS"));
    let sent = asker.submit(&again, "/consults", &own("令和８年１１月２１日", "９時")).await;
    sent.says("相談を送りました").says("11月21日（土）9時まで");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_sees_who_was_asked_and_can_take_a_request_back() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, _) = town.ask(&asker).await;
    let office = town.signed_in(&town.office.clerk).await;
    let board = office.get("/board").await;
    board.says("伊藤 静 先生").says("メール送信済み").says("返事待ち").says("10時20分に次の手順へ");
    let live = office.look_as_htmx("/board").await;
    assert!(live.body.trim().starts_with("<div id=\"live\"") && live.body.contains("R8-0001"));
    // The case itself is not the office's to read; its own page stands instead.
    let page = office.get(&case).await;
    assert!(page.path.starts_with("/board/"));
    page.says("伊藤 静 先生にお願いしました").says("さとう内科クリニック");
    for secret in ["CANARY", "黒い部分", "洗浄と被覆材"] {
        page.keeps_quiet_about(secret);
        board.keeps_quiet_about(secret);
    }
    let withdraw = format!("{}/withdraw", page.path);
    office.submit(&page, &withdraw, &[("reason", " ")]).await.says("理由を書いてください。");
    let done = office.submit(&page, &withdraw, &[("reason", "患者さんが入院")]).await;
    done.says("取り下げ").says("事務 花 さんが取り下げました");
    let events = town.office.app.events(&town.office.association, 0, 1_000).await.unwrap();
    assert!(events.iter().any(|e| e.action == "request.withdraw" && e.detail.contains("患者さんが入院")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn language_and_letters_are_kept_and_lead_back_to_the_page() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let browser = town.browser();
    let page = browser.get("/sign-in").await;
    let english = browser.submit(&page, "/lang", &[("lang", "en")]).await;
    assert_eq!(english.path, "/sign-in");
    english.says(&t(Lang::En, "sign-in-title"));
    let large = browser.submit(&english, "/text-size", &[("size", "extra-large")]).await;
    assert!(large.body.contains("class=\"text-extra-large\"") && large.body.contains("lang=\"en\""));
    let out = browser.submit(&large, "/lang", &[("lang", "ja"), ("back", "//evil.example")]).await;
    assert_eq!(out.path, "/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_leads_on_to_the_page_that_was_wanted() {
    let town = Town::new(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (case, _) = town.ask(&asker).await;
    let phone = town.browser();
    let door = phone.get(&case).await;
    assert_eq!(door.path, "/sign-in");
    door.says("そのあと、ご覧になるページへ進みます。");
    let who = town.office.app.member(&town.office.association, &town.office.asker).await.unwrap();
    phone.submit(&door, "/sign-in", &[("address", who.email.as_deref().unwrap())]).await;
    let letter = mails(&town.office.app).await.pop().unwrap();
    let page = phone.open(&token_of(&letter)).await;
    page.says("佐藤 健 先生");
    assert_eq!(phone.submit(&page, "/k/sign-in", &[("pin", PIN)]).await.path, case);
    phone.open(&token_of(&letter)).await.says("このリンクは使い終わっています");
}
