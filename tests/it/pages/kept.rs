//! A form sent after its session ended: what was written stays, whoever wrote it shows who they are, and it goes.

use super::browser::{CONSULT, Town, mails, token_of};
use crate::support::{PIN, TestOffice};

const WORDS: &str = "切開した方がよいか、迷っています。\n二行目です。";

fn wordy() -> Vec<(&'static str, &'static str)> {
    let mut typed = CONSULT.to_vec();
    typed.retain(|(name, _)| *name != "question");
    typed.push(("question", WORDS));
    typed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_outlives_the_session_on_a_known_device() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let (home, asker) = (town.office.association.clone(), town.office.asker.clone());
    let phone = town.remembered(&home, &asker).await;
    let form = phone.get("/consults/new").await;
    town.office.clock.advance_s(1_801);
    let kept = phone.submit(&form, "/consults", &wordy()).await;
    assert_eq!(kept.status, 403);
    kept.says("もう一度お名前を確かめます").says("書いたことは、この画面に残っています").says("佐藤");
    assert!(
        mails(&town.office.app).await.iter().all(|m| !m.subject.contains("相談のお願い")),
        "nothing was asked"
    );

    // The first form of the page is that of the PIN.
    let wrong = phone.submit(&kept, "/sign-in/kept", &[("pin", "9999")]).await;
    wrong.says("番号が合いません");
    let on = phone.submit(&wrong, "/sign-in/kept", &[("pin", PIN)]).await;
    on.says("入力した内容で続けます").says("佐藤");
    let sent = phone.submit(&on, "/consults", &[]).await;
    sent.says("相談を送りました");
    let case = phone.get(&sent.path).await;
    case.says("迷っています。").says("二行目です。");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elsewhere_one_signs_in_in_another_window_and_goes_on() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let asker = town.signed_in(&town.office.asker).await;
    let form = asker.get("/consults/new").await;
    town.office.clock.advance_s(1_801);
    let kept = asker.submit(&form, "/consults", &wordy()).await;
    kept.says("新しい窓で、お名前を確かめます");
    let early = asker.submit(&kept, "/sign-in/kept", &[]).await;
    early.says("まだ確かめられていません");
    // The other window of the same browser.
    let address =
        town.office.app.member(&town.office.association, &town.office.asker).await.unwrap().email.unwrap();
    let door = asker.get("/sign-in").await;
    asker.submit(&door, "/sign-in", &[("address", &address)]).await;
    let letter = mails(&town.office.app).await.into_iter().find(|m| m.to == address).unwrap();
    let link = asker.open(&token_of(&letter)).await;
    asker.submit(&link, "/k/sign-in", &[("pin", PIN)]).await;
    let on = asker.submit(&early, "/sign-in/kept", &[]).await;
    on.says("入力した内容で続けます");
    asker.submit(&on, "/consults", &[]).await.says("相談を送りました").says("二行目です。");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_form_waits_too_and_a_secret_or_a_stranger_is_not_kept() {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let clerk_id = town.office.clerk.clone();
    let clerk = town.signed_in(&clerk_id).await;
    let form = clerk.get("/directory/new").await;
    let me = clerk.get("/me").await;
    town.office.clock.advance_s(43_201);
    let typed = [("name", "新しい医院"), ("kind", "clinic"), ("area", "青葉北")];
    let kept = clerk.submit(&form, "/directory/new", &typed).await;
    kept.says("書いたことは、この画面に残っています").says("事務局の方");
    assert!(kept.body.contains("name=\"f_name\" value=\"新しい医院\""), "{}", kept.body);
    let mut key = town.passkeys.lock().unwrap()[&clerk_id].clone();
    clerk.enter_with(&mut key).await;
    let on = clerk.submit(&kept, "/sign-in/kept", &[]).await;
    let made = clerk.submit(&on, "/directory/new", &typed).await;
    made.says("新しい医院");

    // PINs stand in no page of ours, and a form without a session was nobody's.
    town.office.clock.advance_s(43_201);
    let refused = clerk.submit(&me, "/me/pin", &[("old", PIN), ("new", "4711"), ("again", "4711")]).await;
    refused.keeps_quiet_about("4711").keeps_quiet_about("f_old");
    let stranger = town.browser().send("/directory/new", &form.form("/directory/new", &typed)).await;
    stranger.keeps_quiet_about("新しい医院");
    // Nothing leads out of touban.
    let mut fields = kept.form("/sign-in/kept", &[]);
    fields.retain(|(name, _)| name != "then");
    fields.push(("then".to_owned(), "//evil.example/x".to_owned()));
    assert_eq!(clerk.send("/sign-in/kept", &fields).await.leads_to(), "/");
}
