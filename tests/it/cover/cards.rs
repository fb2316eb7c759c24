//! Night cards: written by the clinic, opened by whoever took the call or covers the clinic, in an emergency by another
//! one with a reason; what is logged, told and destroyed. And the deputies of patients, who are asked first.

use touban::app::AppError;
use touban::app::Who;
use touban::app::call::CallTold;
use touban::app::cards::{Door, Entered, Shut};
use touban::app::consult::Asking;
use touban::app::retention::Held;
use touban::domain::consult::{FieldWrong, Wrong};
use touban::domain::cover::cards::{DataMode, NightCard, sheet_no};
use touban::domain::cover::{CoverSettings, Manner, NewCover};
use touban::ids::{HouseholdId, InstitutionId};

use super::{District, answers, at};
use crate::calls::{Night, OWN};
use crate::pages::browser::{Town, mails};
use crate::pages::robots::every_byte;
use crate::support::{PIN, TestOffice, add_association, add_institution, on_both};

on_both! {
    only_who_took_the_call_opens_a_card_and_until_a_day_after_the_report,
    the_cover_opens_cards_while_it_lasts_and_the_doctor_sees_it,
    a_card_that_came_by_fax_is_found_by_the_number_of_its_sheet_and_typed_in,
    whoever_covers_chosen_patients_opens_their_cards_only,
    who_breaks_the_glass_gives_a_reason_and_is_told_on_at_once,
    an_association_without_cards_writes_and_shows_none,
    a_card_is_written_again_where_it_could_not_be_taken,
    a_replaced_card_is_destroyed_after_a_month_and_a_removed_patients_at_once,
    the_doctor_is_reminded_once_of_cards_that_became_old,
    the_deputies_of_the_patients_are_asked_before_the_volunteers,
}

fn whole() -> NightCard {
    NightCard {
        adl: "CANARY-ADL".into(),
        surroundings: "CANARY-KEY".into(),
        things: "CANARY-THINGS".into(),
        wishes: "CANARY-WISH".into(),
        wishes_on: Some("2026-11-01".parse().unwrap()),
        wishes_by: "佐藤".into(),
        medicines: "CANARY-DRUG".into(),
        last_visit_on: Some("2026-11-18".parse().unwrap()),
        expect: "CANARY-EXPECT".into(),
    }
}

async fn set(office: &TestOffice, cards: DataMode) {
    let (revision, before) = office.app.cover_settings(&office.association).await.unwrap();
    let settings = CoverSettings { cards, ..before };
    office.app.cover_settings_put(&office.cli(), revision, settings).await.unwrap();
}

/// A patient of the asker's clinic with a card.
async fn patient(office: &TestOffice, name: &str) -> HouseholdId {
    let who = Who::member(&office.association, &office.asker);
    let household = office.app.household_add(&who, &office.clinic, name).await.unwrap();
    office.app.card_write(&who, &office.clinic, &household, whole()).await.unwrap();
    household
}

async fn only_who_took_the_call_opens_a_card_and_until_a_day_after_the_report(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let other = office.physician("緒方 秋").await;
    let household = patient(&office, "CANARY-AK").await;
    let night = Night::begins(office).await;
    let (app, home) = (&night.office.app, &night.office.association);
    let nurse = night.nurse_calls().await;
    let doctor = night.takes(OWN).await;
    night.talk(&nurse, &doctor).await;
    let call = night.stage("talking").await.row;
    let (who, door) = (Who::member(home, &night.own), Door::Call(call.id.clone()));
    // Not by somebody else, not with a wrong PIN.
    let stranger = Who::member(home, &other);
    let refused = app.card_enter(&stranger, &other, door.clone(), PIN).await;
    assert!(matches!(refused, Err(AppError::NotFound)), "{refused:?}");
    for (pin, said) in [("", Entered::PinMissing), ("12", Entered::PinMalformed), ("9999", Entered::PinWrong)]
    {
        assert_eq!(app.card_enter(&who, &night.own, door.clone(), pin).await.unwrap(), said);
    }
    let log = async || app.card_list(home, &night.office.clinic).await.unwrap().opened;
    assert_eq!(log().await, [], "nothing was opened yet");
    let Entered::Pass(pass) = app.card_enter(&who, &night.own, door.clone(), PIN).await.unwrap() else {
        panic!("the PIN is right")
    };
    let page = app.card_pass(home, &night.own, &pass).await.unwrap().unwrap();
    assert!(page.patients.iter().any(|(id, name, card)| {
        *id == household && name == "CANARY-AK" && card.is_some_and(|(_, old)| !old)
    }));
    // The pass is nobody else's, and opens no card of another clinic.
    assert!(matches!(app.card_pass(home, &other, &pass).await, Err(AppError::NotFound)));
    let theirs = app.member(home, &other).await.unwrap().institution.unwrap();
    let foreign = app.household_add(&stranger, &theirs, "B.B.").await.unwrap();
    app.card_write(&stranger, &theirs, &foreign, whole()).await.unwrap();
    assert!(matches!(app.card_open(&who, &night.own, &pass, &foreign).await, Err(AppError::NotFound)));
    let opening = app.card_open(&who, &night.own, &pass, &household).await.unwrap().unwrap();
    let shown = app.card_shown(home, &night.own, &opening).await.unwrap().unwrap();
    assert_eq!((shown.card, shown.patient.as_str(), shown.old), (whole(), "CANARY-AK", false));
    assert!(matches!(app.card_shown(home, &other, &opening).await, Err(AppError::NotFound)));
    // The clinic reads who, when, and from which call.
    let lines = log().await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.member.as_str(), line.via.as_str()), ("自院 一", "call"));
    assert_eq!((line.case_no.as_deref(), line.patient.as_deref()), (Some(&*call.case_no), Some("CANARY-AK")));
    // A quarter of an hour later the PIN is asked for again.
    night.office.clock.advance_s(15 * 60);
    assert_eq!(app.card_shown(home, &night.own, &opening).await.unwrap(), Err(Shut::Over));
    assert_eq!(app.card_open(&who, &night.own, &pass, &household).await.unwrap(), Err(Shut::Over));
    night.phones.hang_up(&doctor).unwrap_or_default();
    night.phones.hang_up(&nurse).unwrap_or_default();
    night.stage("report_due").await;
    let told =
        CallTold { outcome: "visited".into(), place: String::new(), text: String::new(), minutes: None };
    app.call_report(&who, &call.id, &night.own, told, None).await.unwrap();
    let reported = app.now();
    night.office.clock.set(reported.plus_s(86_400 - 1));
    let entered = app.card_enter(&who, &night.own, door.clone(), PIN).await.unwrap();
    assert!(matches!(entered, Entered::Pass(_)), "{entered:?}");
    night.office.clock.set(reported.plus_s(86_400));
    let entered = app.card_enter(&who, &night.own, door, PIN).await.unwrap();
    assert_eq!(entered, Entered::Shut(Shut::Over));
    assert!(app.verify().await.unwrap().problems.is_empty());
    night.ends().await;
}

async fn the_cover_opens_cards_while_it_lasts_and_the_doctor_sees_it(office: TestOffice) {
    let district = District::new(office).await;
    let town = &district.town;
    set(&town.office, DataMode::Handover).await;
    patient(&town.office, "CANARY-AK").await;
    let made = district.ask("2026-12-11T08:00:00+09:00", "2026-12-11T18:00:00+09:00").await;
    let letters = mails(&town.office.app).await;
    let case = district.case(&made.request).await;
    let slots = [case.line.slots[0].slot.request.clone()];
    answers(town, district.letter("大野", &letters).await, &slots, "accept").await;
    let (cover, cards) = (format!("/covers/{}", made.request), format!("/covers/{}/cards", made.request));
    let ono = town.signed_in(&district.people["大野"]).await;
    ono.get(&cover).await.keeps_quiet_about("夜間カードを開く");
    ono.get(&cards).await.says("開ける時間は終わりました");
    town.office.clock.set(at("2026-12-11T09:00:00+09:00"));
    let ono = town.signed_in(&district.people["大野"]).await;
    ono.get(&cover).await.says("夜間カードを開く");
    let door = ono.get(&cards).await;
    door.says("15分間").keeps_quiet_about("CANARY");
    ono.submit(&door, &cards, &[("pin", "9999")]).await.says("暗証番号").keeps_quiet_about("CANARY");
    let patients = ono.submit(&door, &cards, &[("pin", PIN)]).await;
    patients.says("CANARY-AK").keeps_quiet_about("CANARY-ADL");
    let pass = patients.path.clone();
    let card = ono.submit(&patients, &pass, &[]).await;
    for words in
        ["CANARY-ADL", "CANARY-WISH", "2026年11月1日（日） に 佐藤 が確認", "2026年11月18日", "記録されます"]
    {
        card.says(words);
    }
    // Nobody else comes behind it: not by the cover, not by the pass, not by the card that was opened.
    let other = town.signed_in(&district.people["江口"]).await;
    for path in [&cards, &pass, &card.path] {
        let page = other.look(path).await;
        assert_eq!(page.status, 404, "{path}");
    }
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get("/cards").await;
    page.says("大野 当番").says(&format!("夜間代行 {}", made.case_no)).says("CANARY-AK").says("12月11日");
    // The clerk may type a card and reads none.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/cards/of/{}", town.office.clinic);
    clerk.get(&theirs).await.says("大野 当番").keeps_quiet_about("CANARY-ADL");
    town.office.clock.set(at("2026-12-11T18:00:00+09:00"));
    let ono = town.signed_in(&district.people["大野"]).await;
    ono.get(&cards).await.says("開ける時間は終わりました");
    ono.get(&pass).await.says("開ける時間は終わりました").keeps_quiet_about("CANARY");
}

async fn whoever_covers_chosen_patients_opens_their_cards_only(office: TestOffice) {
    let district = District::new(office).await;
    let (town, app) = (&district.town, &district.town.office.app);
    let home = &town.office.association;
    set(&town.office, DataMode::Handover).await;
    let chosen = patient(&town.office, "A.K.").await;
    let other = patient(&town.office, "M.S.").await;
    let sato = Who::member(home, &town.office.asker);
    let asking = Asking { asker: town.office.asker.clone(), in_person: true, channel: "web" };
    let new = NewCover {
        window: (at("2026-12-15T18:00:00+09:00"), at("2026-12-16T08:00:00+09:00")),
        // As somebody writes initials by hand, and one who is on no list.
        patients: Some(vec!["Ａ Ｋ".to_owned(), "Z.Z.".to_owned()]),
        manner: Manner::Visit,
        note: String::new(),
    };
    let made = app.cover_ask(&sato, asking, new, None).await.unwrap().into_inner();
    let letters = mails(app).await;
    let case = district.case(&made.request).await;
    let slots = [case.line.slots[0].slot.request.clone()];
    answers(town, district.letter("大野", &letters).await, &slots, "accept").await;
    town.office.clock.set(at("2026-12-15T19:00:00+09:00"));
    let ono = &district.people["大野"];
    let who = Who::member(home, ono);
    let door = Door::Cover(made.request.clone());
    let Entered::Pass(pass) = app.card_enter(&who, ono, door, PIN).await.unwrap() else {
        panic!("the PIN is right")
    };
    let page = app.card_pass(home, ono, &pass).await.unwrap().unwrap();
    let behind: Vec<&HouseholdId> = page.patients.iter().map(|(id, ..)| id).collect();
    assert_eq!(behind, [&chosen]);
    app.card_open(&who, ono, &pass, &chosen).await.unwrap().unwrap();
    let refused = app.card_open(&who, ono, &pass, &other).await;
    assert!(matches!(refused, Err(AppError::NotFound)), "{refused:?}");
    let opened = app.card_list(home, &town.office.clinic).await.unwrap().opened;
    assert_eq!(opened.iter().filter_map(|line| line.patient.as_deref()).collect::<Vec<_>>(), ["A.K."]);
}

async fn a_card_that_came_by_fax_is_found_by_the_number_of_its_sheet_and_typed_in(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let household = patient(&office, "CANARY-AK").await;
    let town = Town::generous(office).await;
    let sato = town.signed_in(&town.office.asker).await;
    let sheet = sato.get(&format!("/cards/{household}/sheet")).await;
    let no = sheet_no(&household);
    sheet.says(&format!("カード番号 {no}")).says("CANARY-AK").says("最終訪問診療日");
    sheet.keeps_quiet_about("CANARY-ADL");
    // The same sheet from the office; and back by its number, as it was read from a fax.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/cards/of/{}/{household}", town.office.clinic);
    clerk.get(&format!("{theirs}/sheet")).await.says(&no).keeps_quiet_about("CANARY-ADL");
    let found = clerk.get(&format!("/covers/find?no={}", no.to_lowercase())).await;
    assert_eq!(found.path, theirs, "{}", found.text());
    let written = [("adl", "CANARY-FAXED"), ("things", "台所")];
    clerk.submit(&found, &theirs, &written).await.says("夜間カードを保存しました");
    sato.get(&format!("/cards/{household}")).await.says("CANARY-FAXED");
    // A misread number leads nowhere; a coordinator, who types no cards, is not led there either.
    let misread = format!("{}{}", if no.starts_with('7') { "1" } else { "7" }, &no[1..]);
    clerk.get(&format!("/covers/find?no={misread}")).await.says("番号が読めません");
    let coordinator = town.signed_in(&town.office.coordinator).await;
    coordinator.get(&format!("/covers/find?no={no}")).await.says("番号が読めません");
    set(&town.office, DataMode::None).await;
    sato.get(&format!("/cards/{household}/sheet")).await.keeps_quiet_about(&no);
}

async fn who_breaks_the_glass_gives_a_reason_and_is_told_on_at_once(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let other = office.physician("緒方 秋").await;
    patient(&office, "CANARY-AK").await;
    let midori = add_association(&office.app, "midori", "緑市医師会").await;
    let foreign = add_institution(&office.app, &midori, "緑の医院").await;
    let town = Town::generous(office).await;
    let app = &town.office.app;
    mails(app).await;
    let browser = town.signed_in(&other).await;
    let form = browser.get("/cards/emergency").await;
    form.says("緊急閲覧").keeps_quiet_about("CANARY");
    let send = async |clinic: &InstitutionId, reason: &str, pin: &str| {
        let typed = [("clinic", clinic.as_str()), ("reason", reason), ("pin", pin)];
        browser.send("/cards/emergency", &form.form("/cards/emergency", &typed)).await
    };
    let clinic = &town.office.clinic;
    let said = send(clinic, " ", PIN).await;
    assert!(said.text().contains("必須の項目です"), "{}", said.text());
    let said = send(clinic, "CANARY-REASON", "9999").await;
    // What was typed is kept.
    assert!(said.text().contains("CANARY-REASON") && said.text().contains("暗証番号"), "{}", said.text());
    assert_eq!(send(&foreign, "CANARY-REASON", PIN).await.status, 404, "another association's");
    assert!(mails(app).await.is_empty(), "nothing was opened");
    let opened = send(clinic, "CANARY-REASON", PIN).await;
    assert_eq!(opened.status, 303);
    // Told in the same moment, before any card was opened; nothing of a patient, no reason, no name.
    let letters = mails(app).await;
    let mut to: Vec<&str> = letters.iter().map(|m| m.to.as_str()).collect();
    to.sort_unstable();
    let address = async |id| app.member(&town.office.association, id).await.unwrap().email.unwrap();
    let mut wanted = vec![address(&town.office.asker).await, address(&town.office.coordinator).await];
    wanted.sort_unstable();
    assert_eq!(to, wanted);
    for letter in &letters {
        assert!(letter.subject.contains("緊急に開かれました"), "{}", letter.subject);
        for secret in ["CANARY", "緒方", "佐藤", "さとう"] {
            assert!(!letter.text.contains(secret) && !letter.html.contains(secret), "{}", letter.text);
        }
    }
    let patients = browser.get(&opened.leads_to()).await;
    let card = browser.submit(&patients, &patients.path, &[]).await;
    card.says("CANARY-ADL");
    let sato = town.signed_in(&town.office.asker).await;
    sato.get("/cards").await.says("緊急閲覧").says("緒方 秋").says("CANARY-REASON").says("CANARY-AK");
    let coordinator = town.signed_in(&town.office.coordinator).await;
    coordinator
        .get("/cards/broken")
        .await
        .says("緒方 秋")
        .says("CANARY-REASON")
        .keeps_quiet_about("CANARY-AK");
    let rows = app.events(&town.office.association, 0, 500).await.unwrap();
    let count = |action: &str| rows.iter().filter(|e| e.action == action).count();
    assert_eq!((count("card.glass"), count("card.open")), (1, 1));
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn an_association_without_cards_writes_and_shows_none(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let other = office.physician("緒方 秋").await;
    let household = patient(&office, "CANARY-AK").await;
    set(&office, DataMode::Minimal).await;
    let (app, home, clinic) = (&office.app, &office.association, &office.clinic);
    let card = app.card_own(home, clinic, &household).await.unwrap().card.unwrap().0;
    assert_eq!((card.adl.as_str(), card.wishes.as_str()), ("CANARY-ADL", ""), "history is not shown");
    let who = Who::member(home, &office.asker);
    app.card_write(&who, clinic, &household, whole()).await.unwrap();
    // What was not allowed was not kept either.
    set(&office, DataMode::Handover).await;
    assert_eq!(app.card_own(home, clinic, &household).await.unwrap().card.unwrap().0, card);
    set(&office, DataMode::None).await;
    let refused = app.card_write(&who, clinic, &household, whole()).await;
    let wrong = FieldWrong { field: "mode", wrong: Wrong::NotAChoice };
    assert!(matches!(&refused, Err(AppError::Invalid(fields)) if *fields == [wrong]), "{refused:?}");
    let glass = Door::Glass { clinic: clinic.clone(), reason: "急ぎ".into() };
    let entered = app.card_enter(&Who::member(home, &other), &other, glass, PIN).await.unwrap();
    assert_eq!(entered, Entered::Shut(Shut::NoCards));
    let town = Town::generous(office).await;
    let sato = town.signed_in(&town.office.asker).await;
    for path in ["/cards".to_owned(), format!("/cards/{household}"), format!("/cards/{household}/paper")] {
        sato.get(&path).await.says("夜間カードを使わない設定です").keeps_quiet_about("CANARY-ADL");
    }
    let other = town.signed_in(&other).await;
    other.get("/cards/emergency").await.says("夜間カードを使わない設定です");
    // The settings stand on one page of the office.
    let coordinator = town.signed_in(&town.office.coordinator).await;
    let page = coordinator.get("/covers/settings").await;
    let typed = [("at_once", "1"), ("month", "0"), ("summary", "7:00"), ("check", ""), ("cards", "minimal")];
    coordinator.submit(&page, "/covers/settings", &typed).await.says("保存しました");
    assert_eq!(town.office.app.card_mode(&town.office.association).await.unwrap(), DataMode::Minimal);
}

async fn a_card_is_written_again_where_it_could_not_be_taken(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let who = Who::member(&office.association, &office.asker);
    let household = office.app.household_add(&who, &office.clinic, "CANARY-AK").await.unwrap();
    let town = Town::generous(office).await;
    let sato = town.signed_in(&town.office.asker).await;
    let action = format!("/cards/{household}");
    let form = sato.get(&action).await;
    form.says("カードがありません");
    let typed = [("adl", "CANARY-ADL"), ("wishes", "CANARY-WISH"), ("last_visit_on", "2026-12-31")];
    let sent = sato.send(&action, &form.form(&action, &typed)).await;
    for words in
        ["CANARY-ADL", "CANARY-WISH", "今日までの日付", "確認した日と人が必要", "保存できませんでした"]
    {
        assert!(sent.text().contains(words), "{words}: {}", sent.text());
    }
    let typed = [
        ("adl", "CANARY-ADL"),
        ("wishes", "CANARY-WISH"),
        ("wishes_on", "2026-11-01"),
        ("wishes_by", "佐藤"),
    ];
    sato.submit(&form, &action, &typed).await.says("保存しました").says("2026年11月20日（金） に記入");
    sato.get(&format!("{action}/paper")).await.says("CANARY-WISH").says("2026年11月1日（日） に 佐藤 が確認");
    // The office takes down a newer one from a fax, on an empty sheet.
    let clerk = town.signed_in(&town.office.clerk).await;
    let theirs = format!("/cards/of/{}/{household}", town.office.clinic);
    let form = clerk.get(&theirs).await;
    form.keeps_quiet_about("CANARY-ADL").keeps_quiet_about("CANARY-WISH");
    clerk.submit(&form, &theirs, &[("adl", "CANARY-NEW")]).await.says("保存しました");
    sato.get(&action).await.says("CANARY-NEW").keeps_quiet_about("CANARY-WISH");
    // A patient of another clinic has no such page.
    let other = town.office.physician("緒方 秋").await;
    let other = town.signed_in(&other).await;
    assert_eq!(other.look(&action).await.status, 404);
}

async fn a_replaced_card_is_destroyed_after_a_month_and_a_removed_patients_at_once(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let (app, home, clinic) = (&office.app, &office.association, &office.clinic);
    let household = patient(&office, "CANARY-AK").await;
    let keeps = patient(&office, "CANARY-MS").await;
    let who = Who::member(home, &office.asker);
    let sqlite = app.db.is_sqlite();
    // What is under a card's key; none of it is in plain.
    let cards = async |alive: bool| {
        let dump = every_byte(&office).await;
        for (table, rows) in &dump {
            assert!(rows.iter().all(|row| !row.contains("CANARY")), "{table}");
        }
        let key = |row: &&String| row.contains("'c0000") && row.contains("A256GCM") == alive;
        dump["month_key"].iter().filter(key).count()
    };
    if sqlite {
        assert_eq!((cards(true).await, cards(false).await), (2, 0));
        let file = app.db.file().unwrap();
        for name in [file.clone(), file.with_extension("sqlite-wal")] {
            let bytes = std::fs::read(&name).unwrap_or_default();
            let plain = |w: &[u8]| w == b"CANARY-ADL" || w == b"CANARY-WIS";
            assert!(!bytes.windows(10).any(plain), "{}", name.display());
        }
    }
    let first = app.card_list(home, clinic).await.unwrap();
    assert_eq!(first.lines.len(), 2);
    let card = NightCard { adl: "CANARY-SECOND".into(), ..NightCard::default() };
    app.card_write(&who, clinic, &household, card.clone()).await.unwrap();
    office.clock.advance_s(30 * 86_400 - 1);
    app.retention_due().await.unwrap();
    if sqlite {
        assert_eq!((cards(true).await, cards(false).await), (3, 0));
    }
    office.clock.advance_s(1);
    // Nothing is destroyed while everything is held.
    let hold = app.hold_put(&office.cli(), Held::Everything, "訴訟", None).await.unwrap();
    app.retention_due().await.unwrap();
    if sqlite {
        assert_eq!((cards(true).await, cards(false).await), (3, 0));
    }
    app.hold_lift(&office.cli(), &hold, None).await.unwrap();
    assert_eq!(app.retention_due().await.unwrap(), 1);
    if sqlite {
        assert_eq!((cards(true).await, cards(false).await), (2, 1));
    }
    assert_eq!(app.card_own(home, clinic, &household).await.unwrap().card.unwrap().0, card);
    app.household_end(&who, clinic, &household).await.unwrap();
    if sqlite {
        assert_eq!((cards(true).await, cards(false).await), (1, 2));
    }
    assert!(matches!(app.card_own(home, clinic, &household).await, Err(AppError::NotFound)));
    assert_eq!(app.card_own(home, clinic, &keeps).await.unwrap().card.unwrap().0, whole());
    // The next month's report counts them.
    office.clock.advance_s(31 * 86_400);
    app.retention_due().await.unwrap();
    assert_eq!(app.retention_report(home).await.unwrap()[0].night_cards, 2);
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn the_doctor_is_reminded_once_of_cards_that_became_old(office: TestOffice) {
    set(&office, DataMode::Handover).await;
    let household = patient(&office, "CANARY-AK").await;
    patient(&office, "CANARY-MS").await;
    let app = &office.app;
    mails(app).await;
    // Written on 20 November: 19 January is the sixtieth day.
    office.clock.set(at("2027-01-19T23:00:00+09:00"));
    app.retention_due().await.unwrap();
    let about = |letters: &[touban::app::outbox::MailToSend]| {
        letters.iter().filter(|m| m.subject.contains("夜間カードが古くなりました")).count()
    };
    assert_eq!(about(&mails(app).await), 0);
    office.clock.set(at("2027-01-20T04:00:00+09:00"));
    app.retention_due().await.unwrap();
    let letters = mails(app).await;
    assert_eq!(about(&letters), 1, "{letters:?}");
    let letter = letters.iter().find(|m| m.subject.contains("古くなりました")).unwrap();
    assert!(letter.text.contains("2枚") && !letter.text.contains("CANARY"), "{}", letter.text);
    let doctor = app.member(&office.association, &office.asker).await.unwrap().email.unwrap();
    assert_eq!(letter.to, doctor);
    office.clock.set(at("2027-01-21T04:00:00+09:00"));
    app.retention_due().await.unwrap();
    assert_eq!(about(&mails(app).await), 0, "once");
    let line = |list: touban::app::cards::CardList| {
        list.lines.into_iter().find(|line| line.household == household).unwrap()
    };
    let list = async || app.card_list(&office.association, &office.clinic).await.unwrap();
    assert!(line(list().await).old);
    let who = Who::member(&office.association, &office.asker);
    app.card_write(&who, &office.clinic, &household, whole()).await.unwrap();
    assert!(!line(list().await).old);
}

async fn the_deputies_of_the_patients_are_asked_before_the_volunteers(office: TestOffice) {
    let district = District::new(office).await;
    let (town, people) = (&district.town, &district.people);
    let (app, asker) = (&town.office.app, &town.office.asker);
    let sato = town.signed_in(asker).await;
    let page = sato.get("/cards").await;
    // Nobody is deputy to themselves, and the attending doctor is one of the clinic.
    for typed in [
        [("attending", asker.as_str()), ("deputy", asker.as_str())],
        [("attending", people["大野"].as_str()), ("deputy", "")],
    ] {
        let sent = sato.send("/cards/pair", &page.form("/cards/pair", &typed)).await;
        assert!(sent.text().contains("別の先生から選んでください"), "{}", sent.text());
    }
    let typed = [("attending", asker.as_str()), ("deputy", people["大野"].as_str())];
    sato.submit(&page, "/cards/pair", &typed).await.says("主治医・副主治医を決めました");
    sato.get("/covers/new").await.says("はじめに副主治医（大野 当番）に伺い");
    mails(app).await;
    let made = district.ask("2026-12-11T08:00:00+09:00", "2026-12-11T18:00:00+09:00").await;
    let letters = mails(app).await;
    let asked: Vec<&str> = letters.iter().filter(|m| m.text.contains("/k#")).map(|m| m.to.as_str()).collect();
    assert_eq!(asked, [district.address(&people["大野"]).await], "the deputy, and nobody else yet");
    sato.get(&format!("/covers/{}", made.request)).await.says("はじめに副主治医（大野 当番）に伺い");
    // Silent for two hours: then the volunteers of the area.
    town.office.clock.advance_s(7_201);
    let letters = mails(app).await;
    let later = letters.iter().filter(|m| m.text.contains("/k#")).count();
    assert!(later >= 3, "{later}");
    assert!(district.to(&people["大野"], &letters).await.iter().all(|m| !m.text.contains("/k#")));
    // Nobody's deputy any more: the next cover goes to everybody at once.
    let who = Who::member(&town.office.association, asker);
    app.attending_set(&who, &town.office.clinic, None, (None, None)).await.unwrap();
    district.ask("2026-12-12T08:00:00+09:00", "2026-12-12T18:00:00+09:00").await;
    let letters = mails(app).await;
    assert!(letters.iter().filter(|m| m.text.contains("/k#")).count() >= 3);
}
