//! Patients handed over (引継ぎ), through pages, mailed links and the office: the attending doctor's word comes before
//! anybody else hears of it.

mod crash;

use touban::app::Who;
use touban::app::consult::{Asked, Asking};
use touban::app::outbox::MailToSend;
use touban::app::people::NewInstitution;
use touban::app::transfer::TransferCase;
use touban::domain::people::Role;
use touban::domain::transfer::{NewTransfer, TransferFacts};
use touban::ids::{InstitutionId, MemberId, RequestId};
use touban::seal::Pin;
use touban::time::Millis;

use crate::pages::browser::{Browser, Page, Town, mails, token_of};
use crate::support::{PIN, TestOffice, add_association, new_member, on_both};

on_both! {
    with_the_attending_doctors_yes_clinics_are_asked_and_the_event_says_so,
    with_the_attending_doctors_no_nobody_else_ever_hears_of_it,
    a_silent_attending_doctor_is_not_gone_around_the_officer_decides,
    the_officers_no_ends_it_and_a_late_yes_of_the_attending_doctor_comes_first,
    nobody_takes_a_patient_over_without_having_spoken_to_the_attending_doctor,
    of_two_clinics_that_accept_one_takes_the_patient_over,
    who_asks_for_an_own_patient_has_agreed_by_asking,
    what_is_typed_for_a_doctor_is_not_his_word,
    what_cannot_be_asked_is_said_in_words_and_the_draft_is_kept,
    strangers_see_nothing_of_it,
    a_clinic_that_gives_it_back_is_followed_by_others,
    after_a_standstill_nothing_is_lost,
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

/// 佐藤's patient; a visiting nurse who asks; two home-care clinics of the area and one further away; an officer.
struct Ward {
    town: Town,
    nurse: MemberId,
    officer: MemberId,
    receivers: Vec<MemberId>,
}

impl Ward {
    async fn new(office: TestOffice) -> Self {
        let station = place(&office, "青葉訪問看護ステーション", "nursing_station", "青葉北").await;
        let desk = place(&office, "理事会", "clinic", "青葉北").await;
        let nurse = person(&office, "看護 光", &station, Role::NurseStation).await;
        let officer = person(&office, "理事 進", &desk, Role::Officer).await;
        let mut receivers = Vec::new();
        for (name, area) in [("在宅 一", "青葉北"), ("在宅 二", "青葉北"), ("在宅 三", "緑区")]
        {
            let clinic = place(&office, &format!("{name} クリニック"), "home_care_clinic", area).await;
            receivers.push(person(&office, name, &clinic, Role::Physician).await);
        }
        let town = Town::generous(office).await;
        mails(&town.office.app).await;
        Self { town, nurse, officer, receivers }
    }

    fn office(&self) -> &TestOffice {
        &self.town.office
    }

    fn attending(&self) -> &MemberId {
        &self.office().asker
    }

    fn new_transfer(&self) -> NewTransfer {
        NewTransfer {
            facts: TransferFacts {
                area: "青葉北".to_owned(),
                clinic: self.office().clinic.clone(),
                wished: "2026-12-01".parse().unwrap(),
                reason: "round_the_clock".to_owned(),
            },
            patient: "CANARY-PATIENT".to_owned(),
            details: "CANARY-DETAILS".to_owned(),
        }
    }

    async fn ask_of(&self, asker: &MemberId, in_person: bool) -> Asked {
        let office = self.office();
        let who = if in_person {
            Who::member(&office.association, asker)
        } else {
            Who::member_for(&office.association, &office.clerk, asker)
        };
        let channel = if in_person { "web" } else { "fax" };
        let asking = Asking { asker: asker.clone(), in_person, channel };
        office.app.transfer_ask(&who, asking, self.new_transfer(), None).await.unwrap().into_inner()
    }

    async fn ask(&self) -> RequestId {
        self.ask_of(&self.nurse, true).await.request
    }

    async fn case(&self, id: &RequestId) -> TransferCase {
        let office = self.office();
        let who = Who::member(&office.association, &self.nurse);
        office.app.transfer_case(&who, id, &self.nurse, false).await.unwrap()
    }

    async fn state(&self, id: &RequestId) -> String {
        self.case(id).await.line.request.state.code().to_owned()
    }

    async fn address(&self, id: &MemberId) -> String {
        self.office().app.member(&self.office().association, id).await.unwrap().email.unwrap()
    }

    /// Does what is due; nothing of the patient is in any of the mails.
    async fn letters(&self) -> Vec<MailToSend> {
        let sent = mails(&self.office().app).await;
        for mail in &sent {
            let all = format!("{} {} {}", mail.subject, mail.text, mail.html);
            assert!(!all.contains("CANARY") && !all.contains("さとう内科"), "{all}");
        }
        sent
    }

    async fn to<'a>(&self, id: &MemberId, letters: &'a [MailToSend]) -> Vec<&'a MailToSend> {
        let address = self.address(id).await;
        letters.iter().filter(|m| m.to == address).collect()
    }

    async fn link<'a>(&self, id: &MemberId, letters: &'a [MailToSend]) -> &'a MailToSend {
        let found = self.to(id, letters).await;
        let linked: Vec<_> = found.into_iter().filter(|m| m.text.contains("/k#")).collect();
        let [one] = linked.as_slice() else { panic!("{} mails with a link", linked.len()) };
        one
    }

    /// Who among the clinics got any mail.
    async fn clinics_told(&self, letters: &[MailToSend]) -> usize {
        let mut told = 0;
        for receiver in &self.receivers {
            told += self.to(receiver, letters).await.len();
        }
        told
    }

    /// Opens the link of a mail and answers with the PIN.
    async fn answers(&self, letter: &MailToSend, typed: &[(&str, &str)]) -> (Browser, Page) {
        let browser = self.town.browser();
        let page = browser.open(&token_of(letter)).await;
        let mut fields = vec![("pin", PIN)];
        fields.extend_from_slice(typed);
        let next = browser.submit(&page, "/k/transfer", &fields).await;
        (browser, next)
    }

    async fn agreed(&self) -> (RequestId, Vec<MailToSend>) {
        let id = self.ask().await;
        let letters = self.letters().await;
        let letter = self.link(self.attending(), &letters).await;
        self.answers(letter, &[("answer", "yes")]).await;
        (id, self.letters().await)
    }

    fn later(&self, seconds: i64) {
        self.office().clock.set(self.office().app.now().plus_s(seconds));
    }
}

async fn place(office: &TestOffice, name: &str, kind: &str, area: &str) -> InstitutionId {
    let new = NewInstitution {
        name: name.into(),
        kind: kind.into(),
        area: area.into(),
        city_code: "999991".into(),
        ..NewInstitution::default()
    };
    office.app.institution_add(&office.cli(), new, None).await.unwrap().into_inner()
}

async fn person(office: &TestOffice, name: &str, place: &InstitutionId, role: Role) -> MemberId {
    let pin = Pin::parse(PIN).unwrap();
    let new = new_member(name, place, role, vec![]);
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

const INFORMED: &[(&str, &str)] =
    &[("answer", "yes"), ("informed", "yes"), ("informed_date", "2026-11-20"), ("informed_time", "10:00")];

async fn with_the_attending_doctors_yes_clinics_are_asked_and_the_event_says_so(office: TestOffice) {
    let ward = Ward::new(office).await;
    let nurse = ward.town.signed_in(&ward.nurse).await;
    let form = nurse.get("/transfers/new").await;
    form.says("ほかの医療機関には何も送りません");
    let typed = [
        ("clinic", ward.office().clinic.as_str()),
        ("patient", "CANARY-PATIENT"),
        ("wished", "2026-12-01"),
        ("area", "青葉北"),
        ("reason", "round_the_clock"),
        ("details", "CANARY-DETAILS"),
    ];
    let page = nurse.submit(&form, "/transfers", &typed).await;
    page.says("主治医に伝えています").says("主治医のお返事待ち").says("CANARY-PATIENT");
    let id = RequestId::from_stored(page.path.rsplit('/').next().unwrap()).unwrap();

    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 0, "nobody but the attending doctor");
    let letter = ward.link(ward.attending(), &letters).await;
    // Behind the link nothing of the patient is shown before the PIN; with it the doctor may read first.
    let browser = ward.town.browser();
    let open = browser.open(&token_of(letter)).await;
    open.says("看護 光").keeps_quiet_about("CANARY");
    let read = browser.submit(&open, "/k/transfer", &[("answer", "look"), ("pin", PIN)]).await;
    read.says("CANARY-PATIENT").says("CANARY-DETAILS");
    assert_eq!(ward.state(&id).await, "open", "looking is no answer");
    let (_, said) = ward.answers(letter, &[("answer", "yes"), ("words", "よろしくお願いします")]).await;
    said.says("引き受ける医療機関を探します").says("よろしくお願いします");

    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 3);
    let first = ward.link(&ward.receivers[0], &letters).await;
    let reader = ward.town.browser();
    let open = reader.open(&token_of(first)).await;
    open.says("青葉北").keeps_quiet_about("CANARY").keeps_quiet_about("さとう内科");
    // With the PIN: whom to speak to first, and nothing of the patient.
    let read = reader.submit(&open, "/k/transfer", &[("answer", "look"), ("pin", PIN)]).await;
    read.says("さとう内科クリニック").keeps_quiet_about("CANARY");
    let (taker, took) = ward.answers(first, INFORMED).await;
    took.says("お引き受けありがとうございます").says("CANARY-PATIENT").says("さとう内科クリニック");
    let told = ward.letters().await;
    for person in [&ward.nurse, ward.attending(), &ward.receivers[0]] {
        assert_eq!(ward.to(person, &told).await.len(), 1, "{told:?}");
    }

    let page = taker.get(&format!("/transfers/{id}")).await;
    let date = format!("/transfers/{id}/date");
    taker.submit(&page, &date, &[("effective", "きのう")]).await.says("日付");
    let page = taker.submit(&page, &date, &[("effective", "2026-12-03"), ("note", "14時に伺います")]).await;
    page.says("引継ぎ日を知らせました");
    // The letter's headings, for the doctor who writes it.
    let sato = ward.town.signed_in(ward.attending()).await;
    let letter = sato.get(&format!("/transfers/{id}/letter")).await;
    for heading in
        ["紹介先", "紹介元", "傷病名", "紹介目的", "既往歴・家族歴", "病状経過・検査結果", "治療経過"]
    {
        letter.says(heading);
    }
    letter.says("現在の処方").says("備考").says("在宅 一").says("CANARY-PATIENT");
    let page = nurse.get(&format!("/transfers/{id}")).await;
    page.says("12月3日（木）").says("14時に伺います");
    nurse.submit(&page, &format!("/transfers/{id}/close"), &[]).await.says("引継ぎが終わりました");
    assert_eq!(ward.state(&id).await, "closed");
    let (event, _) = ward.office().app.ledger_event(&ward.office().association, &id).await.unwrap();
    let facts = serde_json::to_value(&event).unwrap();
    assert_eq!((facts["kind"].as_str(), facts["gate"].as_str()), (Some("transfer"), Some("agreed")));
    assert_eq!(facts["requester"]["role"], "other");
    assert!(ward.office().app.verify().await.unwrap().problems.is_empty());
}

async fn with_the_attending_doctors_no_nobody_else_ever_hears_of_it(office: TestOffice) {
    let ward = Ward::new(office).await;
    let id = ward.ask().await;
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 0);
    let letter = ward.link(ward.attending(), &letters).await;
    let (_, missing) = ward.answers(letter, &[("answer", "no")]).await;
    missing.says("ひとこと書いてください");
    assert_eq!(ward.state(&id).await, "open");
    // A wrong PIN loses nothing of what was written.
    let browser = ward.town.browser();
    let page = browser.open(&token_of(letter)).await;
    let typed = [("answer", "no"), ("words", "CANARY-WORDS"), ("pin", "9999")];
    let wrong = browser.submit(&page, "/k/transfer", &typed).await;
    assert!(wrong.body.contains("CANARY-WORDS"), "{}", wrong.body);
    let (_, said) = ward.answers(letter, &[("answer", "no"), ("words", "私が診ます CANARY-WORDS")]).await;
    said.says("承りました");
    assert_eq!(ward.state(&id).await, "refused");
    let told = ward.letters().await;
    assert_eq!(ward.to(&ward.nurse, &told).await.len(), 1, "the asker is told");
    let nurse = ward.town.signed_in(&ward.nurse).await;
    nurse.get(&format!("/transfers/{id}")).await.says("私が診ます").says("主治医が引き続き診ます");
    // Neither now nor later.
    for _ in 0..20 {
        ward.later(86_400);
        let letters = ward.letters().await;
        assert_eq!(ward.clinics_told(&letters).await, 0, "{letters:?}");
        assert!(ward.to(&ward.officer, &letters).await.iter().all(|m| !m.text.contains("/k#")));
    }
    assert_eq!(ward.case(&id).await.line.offers.len(), 1);
}

async fn a_silent_attending_doctor_is_not_gone_around_the_officer_decides(office: TestOffice) {
    let ward = Ward::new(office).await;
    let id = ward.ask().await;
    ward.letters().await;
    ward.later(86_399);
    assert!(ward.to(&ward.officer, &ward.letters().await).await.is_empty());
    ward.later(1);
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 0, "the day has passed, and nothing goes on by itself");
    let letter = ward.link(&ward.officer, &letters).await;
    for _ in 0..3 {
        ward.later(86_400);
        assert_eq!(ward.clinics_told(&ward.letters().await).await, 0);
    }
    // The link has lived three days; the officer decides on the page.
    ward.town.browser().open(&token_of(letter)).await.keeps_quiet_about("CANARY");
    let officer = ward.town.signed_in(&ward.officer).await;
    let page = officer.get(&format!("/transfers/{id}")).await;
    page.says("24時間お返事がありません").says("CANARY-PATIENT");
    let action = format!("/transfers/{id}/answer");
    officer.submit(&page, &action, &[("answer", "yes")]).await.says("ひとこと書いてください");
    assert_eq!(ward.clinics_told(&ward.letters().await).await, 0);
    let typed = [("answer", "yes"), ("words", "入院中と確認した")];
    officer.submit(&page, &action, &typed).await.says("引き受ける医療機関を探します");
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 3);
    let told = ward.to(ward.attending(), &letters).await;
    assert!(told.iter().any(|m| m.text.contains("担当理事が判断しました")), "he is told: {told:?}");
    let sato = ward.town.signed_in(ward.attending()).await;
    sato.get(&format!("/transfers/{id}")).await.says("入院中と確認した");
    let gate = touban::domain::transfer::gate_result(&ward.case(&id).await.line.request).unwrap();
    assert_eq!(serde_json::to_value(gate).unwrap(), "decided_by_officer");
}

async fn the_officers_no_ends_it_and_a_late_yes_of_the_attending_doctor_comes_first(office: TestOffice) {
    let ward = Ward::new(office).await;
    let (refused, late) = (ward.ask().await, ward.ask().await);
    let first = ward.letters().await;
    ward.later(86_400);
    ward.letters().await;
    let officer = ward.town.signed_in(&ward.officer).await;
    let page = officer.get(&format!("/transfers/{refused}")).await;
    let typed = [("answer", "no"), ("words", "主治医の復帰を待つ")];
    officer.submit(&page, &format!("/transfers/{refused}/answer"), &typed).await.says("承りました");
    assert_eq!(ward.state(&refused).await, "refused");
    assert_eq!(ward.clinics_told(&ward.letters().await).await, 0);
    // The other one: he answers after his day, while the officer has not decided yet.
    let case_no = ward.case(&late).await.line.case.case_no;
    let letters = ward.to(ward.attending(), &first).await;
    let letter = letters.into_iter().find(|m| m.text.contains(&case_no)).unwrap();
    ward.answers(letter, &[("answer", "yes")]).await.1.says("引き受ける医療機関を探します");
    let gate = touban::domain::transfer::gate_result(&ward.case(&late).await.line.request).unwrap();
    assert_eq!(serde_json::to_value(gate).unwrap(), "agreed");
    let page = officer.get(&format!("/transfers/{late}")).await;
    assert!(
        !page.body.contains(&format!("action=\"/transfers/{late}/answer\"")),
        "nothing to decide any more"
    );
}

async fn nobody_takes_a_patient_over_without_having_spoken_to_the_attending_doctor(office: TestOffice) {
    let ward = Ward::new(office).await;
    let (id, letters) = ward.agreed().await;
    let letter = ward.link(&ward.receivers[1], &letters).await;
    let refused = "主治医へ連絡したことと、その日時が必要です";
    let (_, page) = ward.answers(letter, &[("answer", "yes"), ("words", "DRAFT-WORDS")]).await;
    page.says(refused);
    assert!(page.body.contains("DRAFT-WORDS"), "the draft is kept");
    for (day, time, words) in
        [("2026-11-21", "10:00", refused), ("2026-10-01", "10:00", refused), ("", "", "日と時刻")]
    {
        let typed = [("answer", "yes"), ("informed", "yes"), ("informed_date", day), ("informed_time", time)];
        ward.answers(letter, &typed).await.1.says(words);
        assert_eq!(ward.state(&id).await, "open", "{day}");
    }
    // The general way, without the tick, is refused by the same rule.
    let offer = ward.case(&id).await.line.offers.into_iter().find(|o| o.person == ward.receivers[1]).unwrap();
    let who = Who::member(&ward.office().association, &ward.receivers[1]);
    let plain = touban::app::answers::Choice::Accept { terms: touban::domain::dispatch::Terms::Plain };
    let proof = touban::app::answers::ApiProof::Pin(PIN.to_owned());
    let answer = ward.office().app.offer_answer(&who, &offer.id, plain, proof, None).await.unwrap();
    assert!(format!("{answer:?}").contains("AttendingNotInformed"), "{answer:?}");
    assert_eq!(ward.state(&id).await, "open");
    ward.answers(letter, INFORMED).await.1.says("お引き受けありがとうございます");
    assert_eq!(ward.state(&id).await, "taken");
}

async fn of_two_clinics_that_accept_one_takes_the_patient_over(office: TestOffice) {
    let ward = Ward::new(office).await;
    let (id, letters) = ward.agreed().await;
    let (one, two) =
        (ward.link(&ward.receivers[0], &letters).await, ward.link(&ward.receivers[1], &letters).await);
    let (first, second) = tokio::join!(ward.answers(one, INFORMED), ward.answers(two, INFORMED));
    let texts = [first.1.text(), second.1.text()];
    let took = texts.iter().filter(|text| text.contains("お引き受けありがとうございます")).count();
    assert_eq!(took, 1, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("ほかの先生")), "the other is told so: {texts:?}");
    assert_eq!(ward.case(&id).await.line.request.claims().count(), 1);
}

async fn who_asks_for_an_own_patient_has_agreed_by_asking(office: TestOffice) {
    let ward = Ward::new(office).await;
    let asked = ward.ask_of(&ward.attending().clone(), true).await;
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 3, "at once");
    assert!(ward.to(ward.attending(), &letters).await.is_empty(), "he is not asked about his own wish");
    let sato = ward.town.signed_in(ward.attending()).await;
    sato.get(&format!("/transfers/{}", asked.request)).await.says("引き受ける医療機関を探しています");
}

async fn what_is_typed_for_a_doctor_is_not_his_word(office: TestOffice) {
    let ward = Ward::new(office).await;
    let clerk = ward.town.signed_in(&ward.office().clerk.clone()).await;
    let path = format!("/people/{}/for/transfer", ward.attending());
    let form = clerk.get(&path).await;
    form.says("佐藤 健");
    let typed = [
        ("clinic", ward.office().clinic.as_str()),
        ("patient", "CANARY-PATIENT"),
        ("wished", "2026-12-01"),
        ("area", "青葉北"),
        ("reason", "wish"),
        ("channel", "fax"),
    ];
    let page = clerk.submit(&form, &path, &typed).await;
    page.says("主治医のお返事待ち").keeps_quiet_about("CANARY");
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 0);
    assert_eq!(ward.to(ward.attending(), &letters).await.len(), 1, "he is asked whether it is so");
    // By fax he says yes, and the office types it in.
    let action = format!("{}/answer-for", page.path);
    let typed = [("member", ward.attending().as_str()), ("answer", "yes"), ("channel", "fax")];
    clerk.submit(&page, &action, &typed).await.says("引き受ける医療機関を探します");
    assert_eq!(ward.clinics_told(&ward.letters().await).await, 3);
}

async fn what_cannot_be_asked_is_said_in_words_and_the_draft_is_kept(office: TestOffice) {
    let ward = Ward::new(office).await;
    let nurse = ward.town.signed_in(&ward.nurse).await;
    let clinic = ward.office().clinic.to_string();
    let good = [
        ("clinic", clinic.as_str()),
        ("patient", "A.K."),
        ("wished", "2026-12-01"),
        ("area", "青葉北"),
        ("reason", "wish"),
        ("details", "DRAFT-DETAILS"),
    ];
    for (field, value, words) in [
        ("clinic", "", "主治医の医療機関を選んでください"),
        ("clinic", "00000000000000000000000000", "主治医の医療機関を選んでください"),
        ("patient", " ", "どの患者さんか"),
        ("wished", "2026-11-19", "希望日が過ぎています"),
        ("wished", "2027-11-19", "180日先まで"),
        ("wished", "いつか", "日付"),
        ("area", "緑町1-2-3", "地区を選んでください"),
        ("reason", "", "理由を選んでください"),
    ] {
        let form = nurse.get("/transfers/new").await;
        let typed: Vec<(&str, &str)> =
            good.iter().map(|(n, v)| (*n, if *n == field { value } else { *v })).collect();
        let page = nurse.submit(&form, "/transfers", &typed).await;
        page.says(words);
        assert!(page.body.contains("DRAFT-DETAILS"), "{field}: {}", page.body);
    }
    assert!(ward.letters().await.is_empty());
}

async fn strangers_see_nothing_of_it(office: TestOffice) {
    let ward = Ward::new(office).await;
    let id = ward.ask().await;
    ward.letters().await;
    let path = format!("/transfers/{id}");
    let stranger = ward.town.signed_in(&ward.office().dermatologists[0].clone()).await;
    assert_eq!(stranger.get(&path).await.status, 404);
    // A clinic of another association with the same kinds of people is neither asked nor let in.
    let midori = add_association(&ward.office().app, "midori", "緑市医師会").await;
    let cli = Who::cli(&midori);
    let new = NewInstitution {
        name: "緑在宅".into(),
        kind: "home_care_clinic".into(),
        area: "青葉北".into(),
        ..NewInstitution::default()
    };
    let clinic = ward.office().app.institution_add(&cli, new, None).await.unwrap().into_inner();
    let pin = Pin::parse(PIN).unwrap();
    let new = new_member("緑 在宅", &clinic, Role::Physician, vec![]);
    let other = ward.office().app.member_add(&cli, new, Some(&pin), None).await.unwrap().into_inner();
    let theirs = ward.town.signed_in_of(&midori, &other).await;
    assert_eq!(theirs.get(&path).await.status, 404);
    // Who is of no clinic that takes patients over may not ask the clinic of another association for it either.
    let who = Who::member(&ward.office().association, &ward.nurse);
    let asking = Asking { asker: ward.nurse.clone(), in_person: true, channel: "web" };
    let mut new = ward.new_transfer();
    new.facts.clinic = clinic;
    let refused = ward.office().app.transfer_ask(&who, asking, new, None).await;
    assert!(matches!(refused, Err(touban::app::AppError::Invalid(_))), "{refused:?}");
    // The city sees totals only.
    let city = person(ward.office(), "市 役所", &ward.office().clinic.clone(), Role::CityObserver).await;
    let city = ward.town.signed_in(&city).await;
    assert_eq!(city.get("/transfers").await.status, 404);
    let (_, letters) = ward.agreed().await;
    assert_eq!(letters.iter().filter(|m| m.text.contains("/k#")).count(), 3);
}

async fn a_clinic_that_gives_it_back_is_followed_by_others(office: TestOffice) {
    let ward = Ward::new(office).await;
    let (id, letters) = ward.agreed().await;
    let letter = ward.link(&ward.receivers[0], &letters).await;
    let (taker, _) = ward.answers(letter, INFORMED).await;
    ward.letters().await;
    let page = taker.get(&format!("/transfers/{id}")).await;
    taker.submit(&page, &format!("/transfers/{id}/give-back"), &[]).await.says("引き受けを取り消しました");
    taker.get(&format!("/transfers/{id}")).await.keeps_quiet_about("CANARY");
    assert_eq!(ward.state(&id).await, "open");
    let letters = ward.letters().await;
    assert_eq!(ward.to(&ward.nurse, &letters).await.len(), 1, "the asker is told");
    let letter = ward.link(&ward.receivers[1], &letters).await;
    ward.answers(letter, INFORMED).await.1.says("お引き受けありがとうございます");
}

async fn after_a_standstill_nothing_is_lost(office: TestOffice) {
    let ward = Ward::new(office).await;
    let id = ward.ask().await;
    // Nothing ran for two days: the attending doctor's mail has not even left.
    ward.later(2 * 86_400);
    let letters = ward.letters().await;
    assert_eq!(ward.clinics_told(&letters).await, 0);
    assert_eq!(ward.to(&ward.officer, &letters).await.len(), 1, "the officer is asked");
    assert_eq!(ward.office().app.self_check().await.unwrap(), 0);
    let officer = ward.town.signed_in(&ward.officer).await;
    let page = officer.get(&format!("/transfers/{id}")).await;
    let typed = [("answer", "yes"), ("words", "進める")];
    officer.submit(&page, &format!("/transfers/{id}/answer"), &typed).await;
    // Nobody takes it; the coordinator hears of the end of the plan, the asker of the end of the time.
    let end = at("2026-12-02T00:00:00+09:00");
    while ward.office().app.now() < end {
        ward.letters().await;
        ward.later(43_200);
    }
    let letters = ward.letters().await;
    assert_eq!(ward.state(&id).await, "expired");
    let told = ward.to(&ward.nurse, &letters).await;
    assert!(told.iter().any(|m| m.text.contains("引き受け手が決まりませんでした")), "{told:?}");
    assert!(ward.office().app.verify().await.unwrap().problems.is_empty());
}
