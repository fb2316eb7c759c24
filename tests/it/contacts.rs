//! Messages to an attending doctor (主治医連絡票): kept until the contact hours, read with the PIN, answered in a word.

use touban::app::Who;
use touban::app::consult::Asking;
use touban::app::outbox::MailToSend;
use touban::app::people::NewInstitution;
use touban::domain::calendar::FiscalYear;
use touban::domain::contact::{ContactDetail, ContactFacts, NewContact};
use touban::domain::people::contact_window::{ContactWay, ContactWindow};
use touban::domain::people::{Day, Role};
use touban::ids::{MemberId, RequestId};
use touban::seal::Pin;
use touban::time::Millis;

use crate::pages::browser::{Town, mails, token_of};
use crate::support::{PIN, TestOffice, new_member, on_both};

on_both! {
    outside_the_contact_hours_it_is_kept_and_arrives_at_their_beginning,
    within_them_it_arrives_at_once_and_is_answered_in_a_word,
    a_silent_doctor_is_followed_by_the_officer_and_by_nobody_else,
    what_cannot_be_sent_is_said_in_words_and_the_draft_is_kept,
    where_no_mail_is_read_the_office_faxes_a_sheet_and_types_the_answer,
}

fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

/// 渡辺, a care manager; 佐藤, whose contact hours are 12:30 to 13:30 on weekdays, by telephone; an officer.
struct Desk {
    town: Town,
    manager: MemberId,
    officer: MemberId,
}

impl Desk {
    async fn new(office: TestOffice) -> Self {
        let cli = office.cli();
        let place = async |name: &str, kind: &str| {
            let new = NewInstitution {
                name: name.into(),
                kind: kind.into(),
                area: "青葉北".into(),
                ..NewInstitution::default()
            };
            office.app.institution_add(&cli, new, None).await.unwrap().into_inner()
        };
        let pin = Pin::parse(PIN).unwrap();
        let (care, board) =
            (place("青葉居宅介護支援事業所", "care_office").await, place("理事会", "clinic").await);
        let add = async |name: &str, place: &touban::ids::InstitutionId, role| {
            let new = new_member(name, place, role, vec![]);
            office.app.member_add(&cli, new, Some(&pin), None).await.unwrap().into_inner()
        };
        let manager = add("渡辺 幸子", &care, Role::CareOffice).await;
        let officer = add("理事 進", &board, Role::Officer).await;
        let noon = ContactWindow {
            way: ContactWay::Phone,
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            from_min: 750,
            to_min: 810,
            holidays: false,
            remarks: String::new(),
            public: true,
        };
        let fax = ContactWindow { way: ContactWay::Fax, from_min: 0, to_min: 0, ..noon.clone() };
        let year = (FiscalYear::of("2026-11-20".parse().unwrap()), 0);
        let doctor = office.asker.clone();
        office.app.contact_windows_put(&cli, &doctor, year, vec![noon, fax], None).await.unwrap();
        let town = Town::generous(office).await;
        mails(&town.office.app).await;
        Self { town, manager, officer }
    }

    fn set(&self, text: &str) {
        self.town.office.clock.set(at(text));
    }

    /// Does what is due; nothing of the patient and of the message is in any mail.
    async fn letters(&self) -> Vec<MailToSend> {
        let sent = mails(&self.town.office.app).await;
        for mail in &sent {
            assert!(!format!("{} {} {}", mail.subject, mail.text, mail.html).contains("CANARY"));
        }
        sent
    }

    async fn to<'a>(&self, id: &MemberId, letters: &'a [MailToSend]) -> Vec<&'a MailToSend> {
        let office = &self.town.office;
        let address = office.app.member(&office.association, id).await.unwrap().email.unwrap();
        letters.iter().filter(|m| m.to == address).collect()
    }

    async fn ask(&self) -> RequestId {
        let office = &self.town.office;
        let who = Who::member(&office.association, &self.manager);
        let asking = Asking { asker: self.manager.clone(), in_person: true, channel: "web" };
        let new = NewContact {
            facts: ContactFacts { clinic: office.clinic.clone(), topic: "state".to_owned() },
            detail: ContactDetail { patient: "CANARY-REF".to_owned(), text: "CANARY-TEXT".to_owned() },
        };
        office.app.contact_ask(&who, asking, new, None).await.unwrap().into_inner().request
    }
}

async fn outside_the_contact_hours_it_is_kept_and_arrives_at_their_beginning(office: TestOffice) {
    let desk = Desk::new(office).await;
    // Friday evening; Monday is a holiday.
    desk.set("2026-11-20T18:20:00+09:00");
    let manager = desk.town.signed_in(&desk.manager).await;
    let form = manager.get(&format!("/contacts/new?clinic={}", desk.town.office.clinic)).await;
    form.says("ほかの医療機関には何も送りません");
    let typed = [
        ("clinic", desk.town.office.clinic.as_str()),
        ("patient", "CANARY-REF"),
        ("topic", "state"),
        ("text", "CANARY-TEXT"),
    ];
    let page = manager.submit(&form, "/contacts", &typed).await;
    page.says("承りました。11月24日（火）12時30分に届きます。");
    for moment in ["2026-11-21T12:40:00+09:00", "2026-11-23T12:40:00+09:00", "2026-11-24T12:29:59+09:00"] {
        desk.set(moment);
        assert!(desk.letters().await.is_empty(), "{moment}");
    }
    desk.set("2026-11-24T12:30:00+09:00");
    let letters = desk.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(desk.to(&desk.town.office.asker, &letters).await.len(), 1);
    let manager = desk.town.signed_in(&desk.manager).await;
    manager.get(&page.path).await.says("主治医に届けました");
}

async fn within_them_it_arrives_at_once_and_is_answered_in_a_word(office: TestOffice) {
    let desk = Desk::new(office).await;
    desk.set("2026-11-24T12:45:00+09:00");
    let id = desk.ask().await;
    let letters = desk.letters().await;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    let doctor = desk.town.browser();
    let open = doctor.open(&token_of(letter)).await;
    open.says("渡辺 幸子").keeps_quiet_about("CANARY");
    doctor.submit(&open, "/k/contact", &[("pin", "9999")]).await.keeps_quiet_about("CANARY");
    let open = doctor.open(&token_of(letter)).await;
    let page = doctor.submit(&open, "/k/contact", &[("pin", PIN)]).await;
    page.says("CANARY-REF").says("CANARY-TEXT");
    let action = format!("/contacts/{id}/reply");
    let wrong = doctor.submit(&page, &action, &[("words", "DRAFT-WORDS")]).await;
    wrong.says("お返事を選んでください");
    assert!(wrong.body.contains("DRAFT-WORDS"), "{}", wrong.body);
    let typed = [("reply", "call_me"), ("words", "13時までにお電話ください")];
    doctor.submit(&wrong, &action, &typed).await.says("お返事を伝えました");
    let told = desk.letters().await;
    assert_eq!(desk.to(&desk.manager, &told).await.len(), 1, "{told:?}");
    let manager = desk.town.signed_in(&desk.manager).await;
    manager.get(&format!("/contacts/{id}")).await.says("連絡ください").says("13時までにお電話ください");
    // Answered: nobody is asked any more.
    desk.set("2026-11-27T12:45:00+09:00");
    assert!(desk.letters().await.is_empty());
    assert!(desk.town.office.app.verify().await.unwrap().problems.is_empty());
}

async fn a_silent_doctor_is_followed_by_the_officer_and_by_nobody_else(office: TestOffice) {
    let desk = Desk::new(office).await;
    desk.set("2026-11-24T12:45:00+09:00");
    let id = desk.ask().await;
    desk.letters().await;
    desk.set("2026-11-25T12:44:59+09:00");
    assert!(desk.letters().await.is_empty());
    desk.set("2026-11-25T12:45:00+09:00");
    let letters = desk.letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(desk.to(&desk.officer, &letters).await.len(), 1);
    let officer = desk.town.signed_in(&desk.officer).await;
    let page = officer.get(&format!("/contacts/{id}")).await;
    page.says("CANARY-TEXT");
    let typed = [("reply", "other"), ("words", "医院に電話して伝えました")];
    officer.submit(&page, &format!("/contacts/{id}/reply"), &typed).await.says("お返事を伝えました");
    let told = desk.letters().await;
    let doctor = desk.to(&desk.town.office.asker, &told).await;
    assert!(doctor.iter().any(|m| m.text.contains("担当理事がお返事しました")), "{told:?}");
    // Strangers see nothing of it.
    let stranger = desk.town.signed_in(&desk.town.office.dermatologists[0].clone()).await;
    assert_eq!(stranger.get(&format!("/contacts/{id}")).await.status, 404);
}

async fn what_cannot_be_sent_is_said_in_words_and_the_draft_is_kept(office: TestOffice) {
    let desk = Desk::new(office).await;
    let manager = desk.town.signed_in(&desk.manager).await;
    let clinic = desk.town.office.clinic.to_string();
    for (field, words) in [
        ("clinic", "主治医の医療機関を選んでください"),
        ("patient", "どの患者さんか"),
        ("topic", "用件を選んでください"),
        ("text", "内容を書いてください"),
    ] {
        let all =
            [("clinic", clinic.as_str()), ("patient", "DRAFT-A"), ("topic", "plan"), ("text", "DRAFT-B")];
        let typed: Vec<(&str, &str)> =
            all.iter().map(|(n, v)| (*n, if *n == field { "" } else { *v })).collect();
        let form = manager.get("/contacts/new").await;
        let page = manager.submit(&form, "/contacts", &typed).await;
        page.says(words);
        let kept = if field == "text" { "DRAFT-A" } else { "DRAFT-B" };
        assert!(page.body.contains(kept), "{field}: {}", page.body);
    }
    assert!(desk.letters().await.is_empty());
    // Whoever has not signed in comes to the door, and to the sheet by the public page.
    let guest = desk.town.browser();
    assert_eq!(guest.look("/contacts/new").await.leads_to(), "/sign-in");
}

async fn where_no_mail_is_read_the_office_faxes_a_sheet_and_types_the_answer(office: TestOffice) {
    let desk = Desk::new(office).await;
    desk.set("2026-11-24T12:45:00+09:00");
    let id = desk.ask().await;
    desk.letters().await;
    let clerk = desk.town.signed_in(&desk.town.office.clerk.clone()).await;
    clerk.get("/contacts").await.says("主治医に届けました");
    let sheet = clerk.get(&format!("/contacts/{id}/sheet")).await;
    sheet.says("CANARY-TEXT").says("来週まで待てる").says("往診します");
    let page = clerk.get(&format!("/contacts/{id}")).await;
    let doctor = desk.town.office.asker.to_string();
    let action = format!("/contacts/{id}/reply-for");
    let typed = [("member", doctor.as_str()), ("reply", "will_visit")];
    clerk.submit(&page, &action, &typed).await.says("電話かFAX");
    let typed = [("member", doctor.as_str()), ("reply", "will_visit"), ("channel", "fax")];
    clerk.submit(&page, &action, &typed).await.says("往診します");
    assert_eq!(desk.to(&desk.manager, &desk.letters().await).await.len(), 1);
}
