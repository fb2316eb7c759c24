//! The rota's pages: two coordinators at one draft, publishing, who is on with and without names, wishes typed for
//! somebody else.

use touban::domain::people::Role;

use super::browser::{Page, Town};
use crate::support::{TestOffice, add_institution, new_member};

const DAYS: &[(&str, &str)] = &[("first", "2027-02-01"), ("last", "2027-02-02"), ("name", "二月の始め")];
const SEAT: &str = "2027-02-01/wn/primary";

/// A town with a second physician, of another institution.
async fn town() -> Town {
    let office = TestOffice::sqlite().await;
    let place = add_institution(&office.app, &office.association, "榎本医院").await;
    let who = touban::app::Who::cli(&office.association);
    let new = new_member("榎本 清子", &place, Role::Physician, vec![]);
    office.app.member_add(&who, new, None, None).await.unwrap().into_inner();
    Town::generous(office).await
}

/// The value of the button that puts somebody on the open seat.
fn button_of(page: &Page, name: &str) -> String {
    let before = page.body.split(name).next().unwrap();
    let button = before.rsplit("name=\"person\" value=\"").next().unwrap();
    button.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_coordinators_at_one_draft_lose_nothing() {
    let town = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let index = clerk.get("/rota").await;
    let draft = clerk.submit(&index, "/rota", DAYS).await;
    draft.says("二月の始め").says("空き");
    let path = draft.path.clone();
    let seat = clerk.get(&format!("{path}?seat={SEAT}")).await;
    seat.says("受け持てる先生");
    let (sato, enomoto) = (button_of(&seat, "佐藤 健 先生"), button_of(&seat, "榎本 清子 先生"));
    let set = format!("{path}/seat");
    // Both have the same page before them.
    clerk.submit(&seat, &set, &[("person", &sato)]).await.says("佐藤");
    let again = clerk.get(&format!("{path}?seat={SEAT}")).await;
    let late = clerk.send(&set, &once_more(&seat, &set, &enomoto)).await;
    let late = clerk.get(&late.leads_to()).await;
    late.says("最新の内容です").says("枠の変更");
    // What the first one did stands, and can be taken back after all.
    clerk.get(&format!("{path}?seat={SEAT}")).await.says("いま： 佐藤 健 先生");
    clerk.submit(&again, &format!("{path}/undo"), &[]).await.says("元に戻しました");
    let back = clerk.get(&format!("{path}?seat={SEAT}")).await;
    back.says("まだ誰もいません");
    clerk.submit(&back, &format!("{path}/redo"), &[]).await.says("やり直しました");
    clerk.get(&format!("{path}?seat={SEAT}")).await.says("いま： 佐藤 健 先生");
}

/// The form as it stood, pressed by somebody else.
fn once_more(page: &Page, action: &str, person: &str) -> Vec<(String, String)> {
    let mut fields = page.form(action, &[("person", person)]);
    number_anew(&mut fields);
    fields
}

fn number_anew(fields: &mut [(String, String)]) {
    for (_, value) in fields.iter_mut().filter(|(name, _)| name == "once") {
        "0000000000000000000000000Z".clone_into(value);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_is_on_the_board_with_names_for_those_who_may_see_them_alone() {
    let town = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let index = clerk.get("/rota").await;
    let path = clerk.submit(&index, "/rota", DAYS).await.path;
    let fill = clerk.get(&format!("{path}/fill")).await;
    fill.says("枠を埋めます");
    clerk.submit(&fill, &format!("{path}/fill"), &[]).await.says("空きを埋めました");
    let publish = clerk.get(&format!("{path}/publish")).await;
    publish.says("お知らせする方").says("佐藤 健 先生").says("これから");
    let done =
        clerk.submit(&publish, &format!("{path}/publish"), &[("note", "定例"), ("accept", "yes")]).await;
    done.says("公開しました").says("定例");
    clerk.get(&path).await.says("この下書きは公開しました");

    let then = "?day=2027-02-01&time=19:00";
    let board = clerk.get(&format!("/duty{then}")).await;
    board.says("19時 の当番").says("佐藤 健 先生").says("榎本 清子 先生");
    // As it was known before anything was published.
    let known = clerk.get(&format!("/duty{then}&known_day=2020-01-01&known_time=0:00")).await;
    known.says("分かっていた内容").says("当番が決まっていません").keeps_quiet_about("榎本");
    clerk.get("/duty?day=whenever").await.says("読めませんでした");

    let doctor = town.signed_in(&town.office.asker).await;
    doctor.get("/duty").await.says("今日の当番");
    let guest = town.browser();
    for page in
        ["/duty", "/public/aoba/duty", "/public/aoba/duty?view=wall", "/duty?day=2027-02-01&time=19:00"]
    {
        let page = guest.get(page).await;
        page.says("事務局からおつなぎします").keeps_quiet_about("佐藤").keeps_quiet_about("榎本");
    }
    assert_eq!(doctor.look("/rota").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_office_types_wishes_for_somebody_who_phoned_and_sees_who_is_silent() {
    let town = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let list = clerk.get("/rota/wishes").await;
    let days = [("first", "2027-03-01"), ("last", "2027-03-31"), ("deadline", "2027-02-10")];
    let round = clerk.submit(&list, "/rota/wishes", &days).await;
    round.says("まだの方 2人");
    let action = round.path.clone();
    let link = round.body.split(&format!("{action}/for/")).nth(1).unwrap();
    let member: String = link.chars().take(26).collect();
    let sheet = clerk.get(&format!("{action}/for/{member}")).await;
    let posts = format!("{action}/for/{member}");
    let wrong = clerk.submit(&sheet, &posts, &[("most", "たくさん"), ("d-2027-03-03", "no")]).await;
    wrong.says("0 から 31");
    assert!(wrong.body.contains("<option value=\"no\" selected>"), "what was chosen stays");
    let typed = [("d-2027-03-03", "no"), ("d-2027-03-04", "no"), ("most", "３"), ("source", "fax")];
    clerk.submit(&sheet, &posts, &typed).await.says("まだの方 1人").says("ファクス").says("日の希望 1件");

    let doctor = town.signed_in(&town.office.asker).await;
    let own = doctor.get("/me/wishes").await;
    own.says("3月1日");
    let id = action.rsplit('/').next().unwrap();
    let form = doctor.get(&format!("/me/wishes/{id}")).await;
    let answered = doctor.submit(&form, &format!("/me/wishes/{id}"), &[("d-2027-03-05", "on")]).await;
    answered.says("希望を受け取りました").says("締め切りまで直せます");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_counts_at_once_and_can_be_taken_back() {
    let town = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let form = clerk.get("/rota/changes").await;
    let enomoto = form.body.split("榎本 清子").next().unwrap().rsplit("value=\"").next().unwrap();
    let enomoto = enomoto.split('"').next().unwrap();
    let typed = [
        ("role", "primary"),
        ("from_day", "2027-02-01"),
        ("from_time", "18:00"),
        ("to_day", "2027-02-02"),
        ("to_time", "8:00"),
        ("person", enomoto),
        ("reason", "発熱のため"),
    ];
    let missing: Vec<(&str, &str)> = typed.iter().copied().filter(|(name, _)| *name != "from_day").collect();
    clerk.submit(&form, "/rota/changes", &missing).await.says("発熱のため");
    let done = clerk.submit(&form, "/rota/changes", &typed).await;
    done.says("すぐに反映されます").says("発熱のため");
    let then = "/duty?day=2027-02-01&time=19:00";
    clerk.get(then).await.says("榎本 清子 先生");
    let (withdraw, _) = done.forms().into_iter().find(|(action, _)| action.ends_with("/withdraw")).unwrap();
    clerk.submit(&done, &withdraw, &[]).await.says("変更を取り消しました");
    clerk.get(then).await.keeps_quiet_about("榎本");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_be_read_are_told_by_line_and_lose_nothing() {
    let town = town().await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let slots = clerk.get("/rota/settings/slots").await;
    let action = "/rota/settings/slots";
    clerk.submit(&slots, action, &[("body", "[[slot]]\nkind = 3\n")]).await.says("行目").says("kind = 3");
    let form = clerk.get("/rota/settings").await;
    let typed = [
        ("areas", "all, 全域\nnorth, 青葉北"),
        ("rest_nights", "２"),
        ("targets", "どこか, 2"),
        ("different", "yes"),
    ];
    let wrong = clerk.submit(&form, "/rota/settings", &typed).await;
    wrong.says("見つかりません").says("north, 青葉北");
    let typed = [
        ("areas", "all, 全域\nnorth, 青葉北"),
        ("rest_nights", "２"),
        ("targets", "榎本医院、2"),
        ("different", "yes"),
    ];
    clerk.submit(&form, "/rota/settings", &typed).await.says("設定を変えました").says("榎本医院, 2");
    let mut late = form.form("/rota/settings", &typed);
    number_anew(&mut late);
    clerk.send("/rota/settings", &late).await.says("ほかの方が設定を変えました").says("榎本医院、2");
    clerk.get("/duty").await.says("青葉北");
    clerk.get("/rota/counts").await.says("榎本医院");
    clerk.get("/rota/holes?first=2027-02-01&last=2027-02-02").await.says("青葉北");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_answers_by_the_link_of_the_mail_and_the_pin() {
    use super::browser::{mails, token_of};
    use touban::app::rota::notices::Told;
    let town = town().await;
    let office = &town.office;
    let clerk = town.signed_in(&office.clerk).await;
    let list = clerk.get("/rota/wishes").await;
    let days = [("first", "2027-03-01"), ("last", "2027-03-31"), ("deadline", "2027-02-10")];
    let round = clerk.submit(&list, "/rota/wishes", &days).await;
    mails(&office.app).await;
    office.app.rota_notices_due(&office.association, &mut Told::default()).await.unwrap();
    let sent = mails(&office.app).await;
    let address = office.app.member(&office.association, &office.asker).await.unwrap().email.unwrap();
    let mail = sent.iter().find(|mail| mail.to == address).unwrap();
    assert!(mail.subject.contains("当番の希望"), "{}", mail.subject);
    let token = token_of(mail);

    let phone = town.browser();
    let sheet = phone.open(&token).await;
    sheet.says("佐藤 健 先生").says("3月1日").keeps_quiet_about("榎本");
    let typed = [("d-2027-03-05", "no"), ("most", "2")];
    let missing = phone.submit(&sheet, "/k/wishes", &typed).await;
    missing.says("暗証番号");
    assert!(missing.body.contains("<option value=\"no\" selected>"), "what was chosen stays");
    let wrong = [("d-2027-03-05", "no"), ("most", "2"), ("pin", "9999")];
    phone.submit(&missing, "/k/wishes", &wrong).await.says("暗証番号");
    clerk.get(&round.path).await.says("まだの方 2人");
    let right = [("d-2027-03-05", "no"), ("most", "2"), ("pin", crate::support::PIN)];
    phone.submit(&missing, "/k/wishes", &right).await.says("希望を承りました");
    clerk.get(&round.path).await.says("まだの方 1人").says("日の希望 1件");
    // The link has brought its answer; it opens nothing, and another's PIN does nothing with it.
    phone.open(&token).await.says("希望を承りました").keeps_quiet_about("3月5日");
    let mut again = missing.form("/k/wishes", &[("pin", crate::support::PIN)]);
    number_anew(&mut again);
    phone.send("/k/wishes", &again).await.says("希望を承りました");
    clerk.get(&round.path).await.says("日の希望 1件");
    // Signed in it can be written anew until the deadline.
    let id = round.path.rsplit('/').next().unwrap();
    let doctor = town.signed_in(&office.asker).await;
    let own = doctor.get(&format!("/me/wishes/{id}")).await;
    assert!(own.body.contains("<option value=\"no\" selected>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_of_mails_qualifications_and_the_list_of_the_city_are_set_on_a_page() {
    let town = town().await;
    let (app, home) = (&town.office.app, &town.office.association);
    let clerk = town.signed_in(&town.office.clerk).await;
    let form = clerk.get("/rota/settings").await;
    form.says("お知らせメール").says("市へ出す当番一覧");
    let typed = [
        ("areas", "all, 全域"),
        ("different", "yes"),
        ("needs", "正, emergency"),
        ("qualified", "佐藤 健、emergency\n榎本 清子, emergency, visit"),
        ("apart", "佐藤 健, 榎本 清子, ３"),
        ("remind_eve", "１７：３０"),
        ("remind_start", ""),
        ("holes_at", "7:05"),
        ("holes_days", "21"),
        ("city_day", "31"),
        ("city_months", "1"),
        ("city_off", "earlier"),
    ];
    let with = |field: &'static str, value: &'static str| {
        let other =
            typed.iter().copied().map(move |(name, old)| (name, if name == field { value } else { old }));
        other.collect::<Vec<_>>()
    };
    for (field, value) in [
        ("qualified", "誰か 某, emergency"),
        ("qualified", "佐藤 健"),
        ("apart", "佐藤 健, 佐藤 健"),
        ("needs", "係, emergency"),
        ("remind_eve", "25:00"),
        ("remind_start", "721"),
        ("holes_at", ""),
        ("holes_days", "371"),
        ("city_day", "32"),
        ("city_off", "never"),
    ] {
        let wrong = clerk.submit(&form, "/rota/settings", &with(field, value)).await;
        assert!(wrong.body.contains(&format!("id=\"{field}-problem\"")), "{field} {value}: {}", wrong.text());
    }
    assert_eq!(app.rota_settings(home).await.unwrap().0, 0, "nothing of it was taken");
    clerk
        .submit(&form, "/rota/settings", &typed)
        .await
        .says("設定を変えました")
        .says("榎本 清子, emergency, visit");
    let (_, settings) = app.rota_settings(home).await.unwrap();
    assert_eq!((settings.reminders.day_before_min, settings.reminders.before_start_min), (Some(1_050), None));
    assert_eq!((settings.holes.at_min, settings.holes.days_ahead), (425, 21));
    assert_eq!((settings.city.day, settings.city.months_before), (31, 1));
    assert_eq!(settings.rules.apart.len(), 1);
    assert_eq!(settings.people[&town.office.asker].qualifications.len(), 1);

    // A doctor chooses for themselves, and goes back to what all have.
    let doctor = town.signed_in(&town.office.asker).await;
    let own = doctor.get("/duties").await;
    own.says("医師会の設定のとおりです");
    assert!(own.body.contains("value=\"17:30\""));
    doctor.submit(&own, "/me/reminders", &[("remind_eve", "夕方")]).await.says("読み取れません");
    let chosen = [("remind_eve", "20:00"), ("remind_start", "６０")];
    let saved = doctor.submit(&own, "/me/reminders", &chosen).await;
    saved.says("お知らせメールの時刻を保存しました").says("先生ご自身で選んだ時刻です");
    let (reminders, mine) = app.rota_reminders_of(home, &town.office.asker).await.unwrap();
    assert_eq!((reminders.day_before_min, reminders.before_start_min, mine), (Some(1_200), Some(60), true));
    doctor.submit(&saved, "/me/reminders", &[("reset", "yes")]).await.says("医師会の設定のとおりです");
    assert!(!app.rota_reminders_of(home, &town.office.asker).await.unwrap().1);
}
