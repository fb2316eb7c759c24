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
