//! The people as the office keeps them: entered, found, enrolled on paper, reached, spoken for, gone; and
//! their devices, their own and those they share. By forms alone.

use touban::app::Who;
use touban::app::call::settings::CallSettings;
use touban::app::people::NewMember;
use touban::domain::people::Role;
use touban::ids::MemberId;
use touban::seal::Pin;

use crate::pages::browser::{Browser, CONSULT, Page, Town, between, mails, token_of};
use crate::support::{PIN, TestOffice, add_association, add_institution, new_member, on_both, telephone};

on_both! {
    a_person_is_entered_found_by_any_reading_and_changed,
    a_test_call_is_asked_for_by_the_office_or_by_oneself,
    a_changed_number_counts_when_the_office_has_called_back,
    a_sheet_shows_its_pin_once_and_ends_the_old_one,
    a_test_mail_is_confirmed_by_a_button_and_never_by_looking,
    a_device_that_is_removed_ends_at_once,
    a_shared_device_lets_everybody_in_under_their_own_name,
    the_clerk_acts_for_a_doctor_and_both_names_stay,
    somebody_who_leaves_keeps_nothing,
}

/// The fields of a page's form as they stand there: ticked boxes, chosen options and texts too.
fn filled(page: &Page, action: &str) -> Vec<(String, String)> {
    let forms = page.forms();
    let (_, body) = forms.iter().find(|(a, _)| a == action).unwrap();
    let mut fields = Vec::new();
    for tag in body.split('<').skip(1) {
        let (head, text) = tag.split_once('>').unwrap_or((tag, ""));
        let of = |name: &str| between(head, &format!("{name}=\""), "\"").map(str::to_owned);
        if head.starts_with("input ") {
            let ticks = head.contains("type=\"checkbox\"") || head.contains("type=\"radio\"");
            if !ticks || head.ends_with(" checked") {
                fields.push((of("name").unwrap(), of("value").unwrap_or_default()));
            }
        } else if head.starts_with("textarea ") {
            fields.push((of("name").unwrap(), text.trim_start_matches('\n').to_owned()));
        }
    }
    for select in body.split("<select ").skip(1) {
        let name = between(select, "name=\"", "\"").unwrap().to_owned();
        let options = select.split("</select>").next().unwrap();
        let chosen = options.split("<option ").find(|o| o.split('>').next().unwrap().ends_with("selected"));
        let value = chosen.and_then(|o| between(o, "value=\"", "\"")).unwrap_or_default();
        fields.push((name, value.to_owned()));
    }
    fields
}

fn with(mut fields: Vec<(String, String)>, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.retain(|(name, _)| !typed.iter().any(|(n, _)| n == name));
    fields.extend(typed.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    fields
}

async fn find(clerk: &Browser, typed: &str) -> Page {
    let list = clerk.get("/people").await;
    clerk.submit(&list, "/people", &[("q", typed)]).await
}

/// What happened under this action: actor, in whose name, detail.
async fn audited(office: &TestOffice, action: &str) -> Vec<(String, Option<String>, String)> {
    let events = office.app.events(&office.association, 0, 10_000).await.unwrap();
    let fitting = events.into_iter().filter(|e| e.action == action);
    fitting.map(|e| (e.actor, e.on_behalf_of, e.detail)).collect()
}

async fn a_person_is_entered_found_by_any_reading_and_changed(office: TestOffice) {
    let town = Town::new(office).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let form = clerk.get("/people/new").await;
    let wrong = [
        ("name", ""),
        ("kana", "わたなべ さちこ"),
        ("role", "specialist"),
        ("email", "ｗatanabe＠"),
        ("phone", "０４２ー"),
        ("member_no", "Ａ-１２"),
        ("s1_specialty", "dermatology"),
        ("s1_from", "25:00"),
        ("s1_to", "23:00"),
        ("s1_day", "wed"),
        ("note", "午後は往診"),
    ];
    let again = clerk.send("/people/new", &with(filled(&form, "/people/new"), &wrong)).await;
    again
        .says("氏名を入れてください。")
        .says("メールアドレスの形")
        .says("番号は、数字で")
        .says("時刻は「18:00」");
    assert_eq!(again.status, 200);
    for kept in ["わたなべ さちこ", "午後は往診", "25:00", "Ａ-１２"] {
        assert!(again.body.contains(kept), "{kept} was lost");
    }
    let kept = filled(&again, "/people/new");
    assert!(
        kept.contains(&("role".into(), "specialist".into()))
            && kept.contains(&("s1_day".into(), "wed".into()))
    );
    let right = [
        ("name", "渡邊 幸子"),
        ("email", "ｗatanabe..s.@docomo.ne.jp"),
        ("phone", "０４２-０００-１１１１"),
        ("s1_from", "１８：００"),
        ("way1", "phone"),
        ("way2", "mail"),
        ("institution", town.office.clinic.as_str()),
    ];
    let sent = with(kept, &right);
    let (first, second) = (clerk.send("/people/new", &sent).await, clerk.send("/people/new", &sent).await);
    assert_eq!((first.status.as_u16(), first.leads_to()), (303, second.leads_to()), "{}", first.text());
    let person = clerk.get(&first.leads_to()).await;
    person.says("登録しました").says("渡邊 幸子 先生").says("A-12").says("０４２-０００-１１１１");
    person
        .says("届きにくいアドレスです")
        .says("電話 → メール")
        .says("水")
        .says("18:00〜23:00")
        .says("未確認");
    person.says("登録の用紙を作り、手渡してください。");

    for typed in
        ["わたなべ", "ワタナベ", "ﾜﾀﾅﾍﾞ", "渡辺", "a12", "Ａ１２", "さちこ　わたなべ", "佐藤 わたなべ"]
    {
        let found = find(&clerk, typed).await;
        assert_eq!(found.text().contains("渡邊 幸子"), typed != "佐藤 わたなべ", "{typed}");
        assert!(!found.path.contains('?'), "nobody's name stands in an address");
    }
    find(&clerk, "さとう内科").await.says("渡邊 幸子").says("佐藤 健");
    clerk.get("/people?role=specialist").await.says("渡邊 幸子").keeps_quiet_about("佐藤 健");
    clerk.get("/people?show=left").await.says("あてはまる方はいません");

    // Two clerks at the same entry: the second is told, and what they typed stays.
    let edit = format!("{}/edit", first.leads_to());
    let (one, two) = (clerk.get(&edit).await, clerk.get(&edit).await);
    let changed = clerk.send(&edit, &with(filled(&one, &edit), &[("note", "午前も可")])).await;
    assert_eq!(changed.status.as_u16(), 303, "{}", changed.text());
    clerk.get(&changed.leads_to()).await.says("変えました。").says("午前も可").says("18:00〜23:00");
    let late = clerk.send(&edit, &with(filled(&two, &edit), &[("note", "夜のみ可")])).await;
    late.says("ほかの方が先に変えました");
    assert!(late.body.contains("夜のみ可"));
    // The number of somebody else is taken.
    let asker = format!("/people/{}/edit", town.office.asker);
    let page = clerk.get(&asker).await;
    let taken = clerk.send(&asker, &with(filled(&page, &asker), &[("member_no", "A-12")])).await;
    taken.says("ほかの方が使っています");

    let id = first.leads_to().rsplit('/').next().unwrap().to_owned();
    let rows = audited(&town.office, "member.change").await;
    assert_eq!(
        rows.iter().filter(|(actor, ..)| *actor == format!("member:{}", town.office.clerk)).count(),
        1
    );
    assert!(rows.iter().all(|(.., detail)| !detail.contains("渡邊") && !detail.contains("docomo")));

    // Others of the house see no such pages; another association's person is not there.
    let doctor = town.signed_in(&town.office.asker).await;
    let elsewhere = add_association(&town.office.app, "midori", "緑町医師会").await;
    let home = add_institution(&town.office.app, &elsewhere, "緑町医院").await;
    let new = new_member("緑川 一", &home, Role::Physician, vec![]);
    let stranger =
        town.office.app.member_add(&Who::cli(&elsewhere), new, None, None).await.unwrap().into_inner();
    for path in ["/people", "/people/new", "/people/readiness", "/people/stations"] {
        assert_eq!(doctor.get(path).await.status.as_u16(), 404, "{path}");
    }
    for below in ["", "/edit", "/leave", "/sheet", "/for", "/for/new"] {
        assert_eq!(doctor.get(&format!("/people/{id}{below}")).await.status.as_u16(), 404, "{below}");
        assert_eq!(clerk.get(&format!("/people/{stranger}{below}")).await.status.as_u16(), 404, "{below}");
    }
    assert!(!find(&clerk, "緑川").await.text().contains("緑川 一"));
    let coordinator = town.signed_in(&town.office.coordinator).await;
    coordinator.get(&format!("/people/{id}")).await.says("渡邊 幸子").keeps_quiet_about("/edit\"");
    assert_eq!(coordinator.get(&format!("/people/{id}/edit")).await.status.as_u16(), 404);
}

/// The four digits on a sheet.
fn pins_of(page: &Page) -> Vec<String> {
    page.body.split("paper-digits\">").skip(1).map(|rest| rest.chars().take(4).collect()).collect()
}

async fn a_changed_number_counts_when_the_office_has_called_back(office: TestOffice) {
    let town = Town::generous(office).await;
    let (app, home) = (&town.office.app, &town.office.association);
    let clerk = town.signed_in(&town.office.clerk).await;
    let form = clerk.get("/people/new").await;
    let typed = [
        ("name", "柏木 修"),
        ("role", "physician"),
        ("email", "kashiwagi@aoba.example.jp"),
        ("phone", "090-0000-1111"),
        ("institution", town.office.clinic.as_str()),
    ];
    let added = clerk.send("/people/new", &with(filled(&form, "/people/new"), &typed)).await;
    let (here, edit) = (added.leads_to(), format!("{}/edit", added.leads_to()));
    let id = MemberId::from_stored(here.rsplit('/').next().unwrap()).unwrap();
    // The first number counts at once: there is none to call back.
    clerk.get(&here).await.says("090-0000-1111").keeps_quiet_about("変更を待っています");
    let number = async || {
        let member = app.member(home, &id).await.unwrap();
        let at = ("member", "phone", id.as_str());
        app.number_shown(home, at, member.phone.as_deref()).await.unwrap().unwrap_or_default()
    };
    let change = async |typed: &[(&str, &str)]| {
        let form = clerk.get(&edit).await;
        let sent = clerk.send(&edit, &with(filled(&form, &edit), typed)).await;
        assert_eq!(sent.status.as_u16(), 303, "{}", sent.text());
        clerk.get(&here).await
    };
    mails(app).await;

    // Another number and another address in one: the old number stays in force, the old address is told.
    let page = change(&[("phone", "090-0000-7777"), ("email", "new@elsewhere.example.jp")]).await;
    page.says("お電話番号の変更を待っています").says("090-0000-7777").says("090-0000-1111");
    assert_eq!(number().await, "090-0000-1111");
    let told = mails(app).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|m| m.to == "kashiwagi@aoba.example.jp"), "{told:?}");
    assert!(told.iter().all(|m| !m.text.contains("7777") && !m.text.contains("elsewhere")), "{told:?}");
    for subject in ["お電話番号の変更を承りました", "メールの宛先を切りかえました"]
    {
        assert!(told.iter().any(|m| m.subject.contains(subject)), "{subject}: {told:?}");
    }
    clerk.get("/").await.says("折り返しのお電話を待っています").says("柏木 修");
    // The same typed again, in other hyphens, asks nobody again; taking the number out and typing a new one is no way round.
    change(&[("phone", "０９０（００００）７７７７")]).await;
    change(&[("phone", "")]).await.says("これまでの番号を消します");
    assert_eq!(number().await, "090-0000-1111");
    change(&[("phone", "090-0000-7777")]).await.says("お電話番号の変更を待っています");
    assert_eq!(number().await, "090-0000-1111");
    let told = mails(app).await;
    assert!(told.iter().all(|m| m.subject.contains("承りました")), "{told:?}");

    // Only who enters people may say that they called; and they say on which line.
    let officer = town.signed_in(&town.office.coordinator).await;
    officer.get(&here).await.keeps_quiet_about("に電話して確かめました");
    let page = clerk.get(&here).await;
    let deed = format!("{here}/phone");
    let form = page.form(&deed, &[("deed", "old")]);
    clerk
        .submit(&page, &deed, &[("deed", "old")])
        .await
        .says("お電話番号を切りかえました")
        .says("090-0000-7777");
    assert_eq!(number().await, "090-0000-7777");
    clerk.send(&deed, &form).await;
    let rows = audited(&town.office, "member.phone_changed").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].2.contains("\"called\":\"old\"") && !rows[0].2.contains("090-"));
    assert!(rows[0].0.contains(town.office.clerk.as_str()));
    let told = mails(app).await;
    assert!(told.iter().any(|m| m.subject.contains("お電話番号を切りかえました")), "{told:?}");

    // Dropped: nothing changes, and the person is told.
    let page = change(&[("phone", "090-0000-8888")]).await;
    clerk.submit(&page, &deed, &[("deed", "drop")]).await.says("お電話番号の変更を取りやめました");
    assert_eq!(number().await, "090-0000-7777");
    let told = mails(app).await;
    assert!(told.iter().any(|m| m.subject.contains("これまでのままです")), "{told:?}");
    // An entry typed over an older one asks for no change.
    let (first, late) = (clerk.get(&edit).await, clerk.get(&edit).await);
    clerk.send(&edit, &with(filled(&first, &edit), &[("note", "午前も可")])).await;
    clerk
        .send(&edit, &with(filled(&late, &edit), &[("phone", "090-0000-9999")]))
        .await
        .says("先に変えました");
    assert!(app.phones_waiting(home).await.unwrap().is_empty());
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn a_test_call_is_asked_for_by_the_office_or_by_oneself(office: TestOffice) {
    let town = Town::generous(office).await;
    let (app, home) = (&town.office.app, &town.office.association);
    let new = NewMember {
        phone: Some("090-0000-4444".into()),
        ..new_member("橘 真", &town.office.clinic, Role::Physician, vec![])
    };
    let pin = Pin::parse(PIN).unwrap();
    let id = app.member_add(&town.office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let (clerk, doctor) = (town.signed_in(&town.office.clerk).await, town.signed_in(&id).await);
    let here = format!("/people/{id}");
    let ring = format!("{here}/ring");
    // Without a night number nobody can be rung, and the board asks for no test.
    let page = clerk.get(&here).await;
    page.says("未確認").keeps_quiet_about("試験の電話をかける");
    let form = page.form(&format!("{here}/test"), &[]);
    let refused = clerk.send(&ring, &form).await;
    clerk.get(&refused.leads_to()).await.says("夜間の電話番号がまだ設定されていません");
    assert!(app.calls_page(home, "", 10).await.unwrap().is_empty());

    let settings = CallSettings { numbers: vec![telephone("042-000-0099")], ..CallSettings::default() };
    app.call_settings_put(&town.office.cli(), 0, settings).await.unwrap();
    let page = clerk.get(&here).await;
    page.says("試験の電話をかける");
    clerk.submit(&page, &ring, &[]).await.says("まもなく電話が鳴ります").says("確認中");
    // Pressed by the person too, while it rings: one phone rings once.
    let me = doctor.get("/me").await;
    doctor.submit(&me, "/me/ring", &[]).await.says("まもなく電話が鳴ります");
    let calls = app.calls_page(home, "", 10).await.unwrap();
    assert_eq!(calls.iter().map(|line| line.row.kind.as_str()).collect::<Vec<_>>(), ["test"]);
    clerk.get("/people/readiness").await.says("試験の電話がいる方").says("確認中");
    // Who has no number has no button, and somebody else's page is not theirs.
    let without = town.signed_in(&town.office.asker).await;
    without.get("/me").await.keeps_quiet_about("届くか確かめる（電話）");
    let form = doctor.get("/me").await.form("/me/ring", &[]);
    assert_eq!(doctor.send(&ring, &form).await.status.as_u16(), 404);
    let rows = audited(&town.office, "reach.asked").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].2.contains("\"phone\"") && !rows[0].2.contains("090"), "{rows:?}");
}

async fn a_sheet_shows_its_pin_once_and_ends_the_old_one(office: TestOffice) {
    let town = Town::new(office).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let doctor = town.signed_in(&town.office.asker).await;
    doctor.get("/consults").await.says("佐藤 健 先生");
    let path = format!("/people/{}/sheet", town.office.asker);
    let start = clerk.get(&path).await;
    start.says("今の暗証番号と端末は、使えなくなります。");
    let fields = start.form("/people/sheets", &[]);
    let sheet = clerk.send("/people/sheets", &fields).await;
    sheet.says("佐藤 健 先生").says("暗証番号").says("050-0000-1000").says("青葉市医師会");
    assert!(sheet.body.contains("src=\"data:image/svg+xml;base64,"));
    assert_eq!(sheet.headers["cache-control"], "no-store");
    let pins = pins_of(&sheet);
    assert_eq!(pins.len(), 1);
    // Drawing the page again makes no other PIN and shows none.
    let reload = clerk.send("/people/sheets", &fields).await;
    reload.says("その用紙は一度お見せしました").keeps_quiet_about("paper-digits").keeps_quiet_about(&pins[0]);
    // The old session is over, the old PIN too; the new one opens.
    assert_eq!(doctor.look("/consults").await.status.as_u16(), 303);
    let member = town.office.app.member(&town.office.association, &town.office.asker).await.unwrap();
    let door = doctor.get("/sign-in").await;
    doctor.submit(&door, "/sign-in", &[("address", &member.email.unwrap())]).await;
    let mail = mails(&town.office.app).await.pop().unwrap();
    let page = doctor.open(&token_of(&mail)).await;
    let page = doctor.submit(&page, "/k/sign-in", &[("pin", PIN)]).await;
    page.says("番号が合いません");
    let page = doctor.submit(&page, "/k/sign-in", &[("pin", &pins[0])]).await;
    assert_eq!(page.status.as_u16(), 200);
    doctor.get("/consults").await.says("佐藤 健 先生");
    clerk.get(&format!("/people/{}", town.office.asker)).await.says("に用紙を作りました");
    let rows = audited(&town.office, "member.pin_set").await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].2.contains("\"sheet\":true") && !rows[0].2.contains(&pins[0]));

    // Several in one print, each with a PIN of their own; those of the office are not the clerk's to reset.
    let board = clerk.get("/people/readiness").await;
    let mut chosen = board.form("/people/readiness", &[("do", "sheets")]);
    let of_office = [&town.office.coordinator];
    for id in town.office.dermatologists.iter().chain(of_office) {
        chosen.push(("member".into(), id.to_string()));
    }
    let start = clerk.send("/people/readiness", &chosen).await;
    start.says("伊藤 静").says("川辺 学").says("管理者だけが変えられる方は外しました");
    let mut fields = start.form("/people/sheets", &[("member", "")]);
    fields.retain(|(name, _)| name != "member");
    fields.extend(town.office.dermatologists.iter().map(|id| ("member".to_owned(), id.to_string())));
    let sheets = clerk.send("/people/sheets", &fields).await;
    assert_eq!(pins_of(&sheets).len(), 3, "{}", sheets.text());
    fields.push(("member".into(), town.office.coordinator.to_string()));
    assert_eq!(clerk.send("/people/sheets", &fields).await.status.as_u16(), 404);
}

async fn a_test_mail_is_confirmed_by_a_button_and_never_by_looking(office: TestOffice) {
    let town = Town::new(office).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let person = format!("/people/{}", town.office.asker);
    let page = clerk.get(&person).await;
    page.says("未確認").says("確認メールを送ってください。");
    clerk.submit(&page, &format!("{person}/test"), &[]).await.says("確認メールを送りました。").says("確認中");
    let mail = mails(&town.office.app).await.pop().unwrap();
    assert!(mail.subject.contains("受信の確認"), "{}", mail.subject);
    assert!(!mail.text.contains("佐藤"), "{}", mail.text);
    let phone = town.browser();
    let open = phone.open(&token_of(&mail)).await;
    open.says("メールは届きましたか").says("佐藤 健 先生");
    phone.open(&token_of(&mail)).await;
    // A form sent without its button is no answer.
    phone.submit(&open, "/k/arrived", &[]).await.says("メールは届きましたか");
    clerk.get(&person).await.says("確認中");
    phone.submit(&open, "/k/arrived", &[("arrived", "yes")]).await.says("届いたことを事務局に伝えました");
    phone.submit(&open, "/k/arrived", &[("arrived", "yes")]).await.says("届いたことを事務局に伝えました");
    clerk.get(&person).await.says("確認済み").says("届きました");
    assert_eq!(audited(&town.office, "reach.confirmed").await.len(), 1);

    // Everybody else at once from the board; who stays silent for a week counts as not reached.
    let board = clerk.get("/people/readiness").await;
    board.says("まだ届かない会員").says("メール確認済み1");
    let mut chosen = board.form("/people/readiness", &[("do", "tests")]);
    chosen.extend(town.office.dermatologists.iter().map(|id| ("member".to_owned(), id.to_string())));
    let sent = clerk.send("/people/readiness", &chosen).await;
    assert_eq!(sent.status.as_u16(), 303, "{}", sent.text());
    let letters = mails(&town.office.app).await;
    assert_eq!(letters.len(), 3);
    town.office.clock.advance_s(8 * 86_400);
    let late = town.browser().open(&token_of(&letters[0])).await;
    assert!(!late.text().contains("メールは届きましたか"), "{}", late.text());
    let clerk = town.signed_in(&town.office.clerk).await;
    let board = clerk.get("/people/readiness").await;
    board.says("メールが届かない方3").says("メールが届いていません。電話で確かめてください。");
    clerk.get("/people?show=unreached").await.says("伊藤 静").keeps_quiet_about("佐藤 健");

    // Another address: what was confirmed of the old one says nothing of it.
    let edit = format!("{person}/edit");
    let form = clerk.get(&edit).await;
    let moved = clerk.send(&edit, &with(filled(&form, &edit), &[("email", "other@aoba.example.jp")])).await;
    assert_eq!(moved.status.as_u16(), 303);
    clerk.get(&person).await.says("未確認").says("宛先が変わりました");
    let told = mails(&town.office.app).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].subject.contains("メールの宛先を切りかえました") && told[0].to != "other@aoba.example.jp"
    );
}

/// Signs in and has the device remembered.
async fn remembered(town: &Town, member: &MemberId) -> Browser {
    let browser = town.browser();
    let who = town.office.app.member(&town.office.association, member).await.unwrap();
    let door = browser.get("/sign-in").await;
    browser.submit(&door, "/sign-in", &[("address", &who.email.unwrap())]).await;
    let mail = mails(&town.office.app).await.pop().unwrap();
    let page = browser.open(&token_of(&mail)).await;
    browser.submit(&page, "/k/sign-in", &[("pin", PIN), ("remember", "yes")]).await;
    // Devices stand in the order of their coming.
    town.office.clock.advance_s(1);
    browser
}

async fn a_device_that_is_removed_ends_at_once(office: TestOffice) {
    let town = Town::new(office).await;
    let asker = town.office.asker.clone();
    let (first, second) = (remembered(&town, &asker).await, remembered(&town, &asker).await);
    let third = remembered(&town, &asker).await;
    let me = first.get("/me").await;
    me.says("この端末").says("ほかの端末 の ほかのアプリ").says("最後に使ったのは");
    assert_eq!(me.body.matches("/revoke\"").count(), 3);
    let clerk = town.signed_in(&town.office.clerk).await;
    let person = format!("/people/{asker}");
    let page = clerk.get(&person).await;
    let revokes: Vec<String> =
        page.forms().into_iter().map(|(a, _)| a).filter(|a| a.ends_with("/revoke")).collect();
    assert_eq!(revokes.len(), 3);
    // The office takes the second one away: its open page and its known device end with it.
    clerk.submit(&page, &revokes[1], &[]).await.says("その端末を外しました。");
    assert_eq!(second.look("/me").await.status.as_u16(), 303);
    assert!(second.get("/sign-in").await.text().contains("メールアドレス"));
    first.get("/me").await.says("この端末");
    // The same button twice, or somebody else's device, is not there.
    let other = format!(
        "/people/{}/devices/{}",
        town.office.dermatologists[0],
        revokes[0].split('/').nth(4).unwrap()
    );
    let page = clerk.get(&person).await;
    let stolen = page.form(&revokes[0], &[]);
    assert_eq!(clerk.send(&format!("{other}/revoke"), &stolen).await.status.as_u16(), 404);

    // A new PIN with the old one: this device stays, the other goes.
    let me = first.get("/me").await;
    let change = |old: &'static str, new: &'static str, again: &'static str| {
        [("old", old), ("new", new), ("again", again)]
    };
    first.submit(&me, "/me/pin", &change("9999", "5826", "5826")).await.says("番号が合いません");
    first.submit(&me, "/me/pin", &change(PIN, "1985", "1985")).await.says("当てられやすい番号です");
    first.submit(&me, "/me/pin", &change(PIN, "5826", "5827")).await.says("二つの新しい番号が違います");
    third.get("/me").await.says("この端末");
    first.submit(&me, "/me/pin", &change(PIN, "5826", "5826")).await.says("暗証番号を変えました");
    assert_eq!(third.look("/me").await.status.as_u16(), 303);
    assert_eq!(first.get("/me").await.body.matches("/revoke\"").count(), 1);
    // The order of contact is one's own.
    let me = first.get("/me").await;
    first
        .submit(&me, "/me/ways", &[("way1", "fax"), ("way2", "phone"), ("way3", "fax")])
        .await
        .says("順番を変えました");
    clerk.get(&person).await.says("FAX → 電話");

    // Ten wrong ones lock; the office unlocks, and the alarm is seen to.
    for _ in 0..10 {
        town.office.clock.advance_s(60);
        let me = first.get("/me").await;
        first.submit(&me, "/me/pin", &change("9999", "8174", "8174")).await;
    }
    let me = first.get("/me").await;
    town.office.clock.advance_s(60);
    first.submit(&me, "/me/pin", &change("5826", "8174", "8174")).await.says("事務局へお電話ください");
    town.office.app.alarm(&town.office.association, "pin_locked", &format!("member:{asker}")).await.unwrap();
    let clerk = town.signed_in(&town.office.clerk).await;
    let page = clerk.get(&person).await;
    page.says("止まっています").says("暗証番号が止まっています。");
    clerk
        .submit(&page, &format!("{person}/unlock"), &[])
        .await
        .says("また使えるようにしました")
        .says("暗証番号あり");
    assert!(!clerk.get("/board").await.text().contains("暗証番号が続けて"));
    assert_eq!(audited(&town.office, "member.pin_unlocked").await.len(), 1);
}

async fn a_shared_device_lets_everybody_in_under_their_own_name(office: TestOffice) {
    let town = Town::new(office).await;
    let app = &town.office.app;
    let home = add_institution(app, &town.office.association, "みどり訪問看護ステーション").await;
    let pin = touban::seal::Pin::parse("5826").unwrap();
    let mut nurses = Vec::new();
    for name in ["高橋 文", "木村 葵"] {
        let new = new_member(name, &home, Role::NurseStation, vec![]);
        nurses.push(app.member_add(&town.office.cli(), new, Some(&pin), None).await.unwrap().into_inner());
    }
    let clerk = town.signed_in(&town.office.clerk).await;
    let path = format!("/people/stations?institution={home}");
    let form = clerk.get(&path).await;
    form.says("みどり訪問看護ステーションの端末を足す").says("高橋 文 さん");
    let invite = [("institution", home.as_str()), ("receiver", nurses[0].as_str())];
    let nameless = clerk.submit(&form, "/people/stations", &invite).await;
    nameless.says("端末の呼び名を入れてください。");
    let named = [invite[0], invite[1], ("name", "詰所のパソコン"), ("by", "paper")];
    let paper = clerk.submit(&nameless, "/people/stations", &named).await;
    paper.says("高橋 文 さんへお渡しください").says("詰所のパソコン");
    let code = between(&paper.body, "paper-code\">", "<").unwrap().to_owned();

    let desk = town.browser();
    let entry = desk.get("/k").await;
    let enrol = desk.submit(&entry, "/k/open", &[("code", &code)]).await;
    enrol.says("共用の端末を登録する").says("木村 葵 さん").keeps_quiet_about("佐藤");
    desk.submit(&enrol, "/k/station", &[("pin", "5826")]).await.says("お名前を選んでください。");
    let chosen = [("member", nurses[1].as_str()), ("pin", "0000")];
    desk.submit(&enrol, "/k/station", &chosen).await.says("あと4回");
    let right = [("member", nurses[1].as_str()), ("pin", "5826")];
    let door = desk.submit(&enrol, "/k/station", &right).await;
    assert_eq!(door.path, "/sign-in");
    door.says("この端末を登録しました").says("高橋 文 さん").says("木村 葵 さん");
    // The paper works once.
    let other = town.browser();
    let entry = other.get("/k").await;
    assert!(
        !other.submit(&entry, "/k/open", &[("code", &code)]).await.text().contains("共用の端末を登録する")
    );

    let come_in = [("member", nurses[0].as_str()), ("pin", "5826")];
    let inside = desk.submit(&door, "/sign-in/station", &come_in).await;
    assert_eq!(inside.path, "/directory", "{}", inside.text());
    desk.get("/me").await.says("高橋 文 さん");
    let rows = audited(&town.office, "sign_in.done").await;
    let (actor, _, detail) = rows.last().unwrap();
    assert_eq!(*actor, format!("member:{}", nurses[0]));
    assert!(detail.contains("shared_device_and_pin") && detail.contains("\"shared_device\":\""), "{detail}");
    // Nobody of another house comes in on it, whatever is sent.
    let foreign = [("member", town.office.asker.as_str()), ("pin", PIN)];
    desk.submit(&door, "/sign-in/station", &foreign).await.says("お名前を選んでください。");

    // Ten wrong PINs slow this device, and lock nobody out elsewhere.
    for _ in 0..10 {
        town.office.clock.advance_s(60);
        let wrong = [("member", nurses[0].as_str()), ("pin", "0000")];
        desk.submit(&door, "/sign-in/station", &wrong).await.says("番号が合いません");
    }
    let other_name = [("member", nurses[1].as_str()), ("pin", "5826")];
    desk.submit(&door, "/sign-in/station", &other_name).await.says("もう一度お試しください");
    let nurse = app.member(&town.office.association, &nurses[0]).await.unwrap();
    assert_eq!(nurse.pin_failures, 0);
    town.office.clock.advance_s(120);
    desk.submit(&door, "/sign-in/station", &come_in).await;
    desk.get("/me").await.says("高橋 文 さん");

    // Taken away, it knows nobody any more and the open page ends.
    let list = clerk.get("/people/stations").await;
    list.says("使えます");
    let (revoke, _) = list.forms().into_iter().find(|(a, _)| a.ends_with("/revoke")).unwrap();
    clerk.submit(&list, &revoke, &[]).await.says("共用の端末を外しました");
    assert_eq!(desk.look("/me").await.status.as_u16(), 303);
    assert!(!desk.get("/sign-in").await.text().contains("高橋"));
}

async fn the_clerk_acts_for_a_doctor_and_both_names_stay(office: TestOffice) {
    let town = Town::new(office).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let asker = format!("/people/{}/for", town.office.asker);
    let form = clerk.get(&format!("{asker}/new")).await;
    form.says("佐藤 健 先生の名前で相談を頼みます。");
    let unsaid = clerk.submit(&form, &format!("{asker}/new"), CONSULT).await;
    unsaid.says("電話かFAXかを選んでください。");
    assert!(unsaid.body.contains("CANARY-DETAILS"));
    let mut fields = CONSULT.to_vec();
    fields.push(("channel", "fax"));
    clerk.submit(&unsaid, &format!("{asker}/new"), &fields).await.says("代わりに相談を頼みました。");
    let rows = audited(&town.office, "request.ask").await;
    let by_clerk = format!("member:{}", town.office.clerk);
    assert_eq!(
        (&rows[0].0, rows[0].1.as_deref()),
        (&by_clerk, Some(format!("member:{}", town.office.asker).as_str()))
    );
    assert!(rows[0].2.contains("\"channel\":\"fax\""), "{}", rows[0].2);

    // The first says no by telephone, the second takes it.
    let of = |n: usize| format!("/people/{}/for", town.office.dermatologists[n]);
    let page = clerk.get(&of(0)).await;
    let (offer, _) = page.forms().into_iter().find(|(a, _)| a.contains("/offers/")).unwrap();
    clerk.submit(&page, &offer, &[("answer", "decline")]).await.says("電話かFAXかを選んでください。");
    // An offer of somebody else is not theirs to answer.
    let foreign =
        offer.replace(town.office.dermatologists[0].as_str(), town.office.dermatologists[1].as_str());
    let stolen = page.form(&offer, &[("answer", "decline"), ("channel", "phone")]);
    assert_eq!(clerk.send(&foreign, &stolen).await.status.as_u16(), 404);
    clerk
        .submit(&page, &offer, &[("answer", "decline"), ("channel", "phone")])
        .await
        .says("代わりにお返事を入れました");
    let page = clerk.get(&of(1)).await;
    let (offer, _) = page.forms().into_iter().find(|(a, _)| a.contains("/offers/")).unwrap();
    let taken = clerk.submit(&page, &offer, &[("answer", "accept_advice"), ("channel", "phone")]).await;
    taken.says("代わりにお返事を入れました").says("R8-0001");
    let rows = audited(&town.office, "offer.accept").await;
    let taker = format!("member:{}", town.office.dermatologists[1]);
    assert_eq!((&rows[0].0, rows[0].1.as_deref()), (&by_clerk, Some(taker.as_str())));
    assert!(rows[0].2.contains("\"channel\":\"phone\""));

    let case = between(&taken.body, &format!("{}/cases/", of(1)), "\"").unwrap().to_owned();
    let report = format!("{}/cases/{case}", of(1));
    let form = clerk.get(&report).await;
    form.says("星野 翼 先生の名前でお答えを入れます。");
    let half = clerk.submit(&form, &report, &[("assessment", "壊死です。"), ("minutes", "10")]).await;
    half.says("ここをお書きください。").says("電話かFAXかを選んでください。");
    assert!(half.body.contains("壊死です。"));
    let told = [("assessment", "壊死です。"), ("do_now", "洗浄"), ("minutes", "１５"), ("channel", "phone")];
    clerk.submit(&half, &report, &told).await.says("代わりにお答えを入れました");

    // Both names on the case, for the office and for the doctor.
    let board = clerk.get(&format!("/board/{case}")).await;
    board
        .says("星野 翼 先生が引き受けました（入力 事務 花 さん）")
        .says("星野 翼 先生がお答えしました（入力 事務 花 さん）");
    let doctor = town.signed_in(&town.office.asker).await;
    let mine = doctor.get(&format!("/consults/{case}")).await;
    mine.says("相談を受け付けました（入力").says("壊死です。");
    // The clerk saw none of what the doctors wrote.
    clerk.get(&format!("/board/{case}")).await.keeps_quiet_about("CANARY");
    assert_eq!(clerk.get(&format!("/people/{}/for", town.office.coordinator)).await.status.as_u16(), 404);
}

async fn somebody_who_leaves_keeps_nothing(office: TestOffice) {
    let town = Town::new(office).await;
    let leaver = town.office.dermatologists[0].clone();
    let device = remembered(&town, &leaver).await;
    let asker = town.signed_in(&town.office.asker).await;
    let (_, letters) = town.ask(&asker).await;
    let address = town.office.app.member(&town.office.association, &leaver).await.unwrap().email.unwrap();
    let letter = letters.iter().find(|m| m.to == address).unwrap();
    let clerk = town.signed_in(&town.office.clerk).await;
    let path = format!("/people/{leaver}/leave");
    let page = clerk.get(&path).await;
    page.says("覚えている端末と、開いている画面。").says("返事待ちのお願い。");
    clerk.submit(&page, &path, &[]).await.says("確かめてから、しるしを付けてください。");
    device.get("/me").await.says("伊藤 静 先生");
    let gone = clerk.submit(&page, &path, &[("sure", "yes")]).await;
    gone.says("退会にしました").says("に退会");
    assert_eq!(device.look("/me").await.status.as_u16(), 303);
    assert!(device.get("/sign-in").await.text().contains("メールアドレス"));
    let late = town.browser().open(&token_of(letter)).await;
    assert!(!late.body.contains("accept_advice"), "{}", late.text());
    assert_eq!(clerk.get(&path).await.status.as_u16(), 404);
    assert_eq!(clerk.get(&format!("/people/{leaver}/edit")).await.status.as_u16(), 404);
    clerk.get("/people?show=left").await.says("伊藤 静");
    let offers = town.office.app.offers_live_of(&town.office.association, &leaver, 100).await.unwrap();
    assert!(offers.is_empty());
    // A letter asked for now goes nowhere.
    let door = device.get("/sign-in").await;
    device.submit(&door, "/sign-in", &[("address", &address)]).await;
    assert!(mails(&town.office.app).await.iter().all(|m| m.to != address));
}
