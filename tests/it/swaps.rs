//! Changes of a published rota, as people make them: by the link of a mail with PIN, by the office on the
//! telephone; who is on duty follows in the same second, on both databases.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use touban::app::answers::{Choice, Ended, LinkAnswer};
use touban::app::consult::Asking;
use touban::app::outbox::MailToSend;
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::app::swap::{Named, NewSwap, SwapAsked};
use touban::app::{App, Who};
use touban::domain::dispatch::{Answer, Rule, Terms};
use touban::domain::people::Role;
use touban::domain::rota::{Area, Assignment, Form, Holder, RotaRole, SlotKey};
use touban::ids::{MemberId, RequestId};
use touban::seal::Pin;
use touban::time::{Millis, Window};

use crate::pages::browser::{Browser, Town, mails, token_of};
use crate::support::{PIN, TestOffice, add_institution, new_member, on_both};

on_both! {
    an_exchange_by_mail_link_moves_both_duties_or_none,
    of_many_who_take_a_duty_at_once_one_has_it,
    who_is_ill_on_friday_at_four_is_relieved_at_once_and_a_new_deputy_found,
    a_wrong_yes_is_undone_on_the_page_until_the_duty_begins,
    a_new_rota_makes_a_change_void_and_says_so,
    a_hole_is_filled_by_a_call_and_gaps_of_who_left_are_called_for,
    what_the_clerk_types_in_is_confirmed_by_the_doctor_and_both_names_stand,
    a_rule_of_the_rota_stands_against_it_when_it_is_asked_and_when_it_is_taken,
}

pub fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

pub fn area() -> Area {
    "all".parse().unwrap()
}

/// A night of December 2026, Tokyo time.
pub fn night(day: u32) -> Window {
    let text = |day: u32, hour: u32| at(&format!("2026-12-{day:02}T{hour:02}:00:00+09:00"));
    Window::new(text(day, 18), text(day + 1, 8)).unwrap()
}

pub fn named(day: u32, role: RotaRole) -> Named {
    Named { area: area(), role, window: night(day) }
}

/// Doctors of a clinic each, by name, and the nights that two of them hold.
pub struct Rota {
    pub town: Town,
    pub people: BTreeMap<&'static str, MemberId>,
}

const NAMES: [&str; 6] = ["青木", "井上", "上田", "江口", "大野", "加藤"];

/// Adds a doctor of a clinic of their own.
async fn doctor(office: &TestOffice, name: &str) -> MemberId {
    let clinic = add_institution(&office.app, &office.association, &format!("{name}医院")).await;
    let new = new_member(&format!("{name} 当番"), &clinic, Role::Physician, vec![]);
    let pin = Pin::parse(PIN).unwrap();
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

/// Publishes the nights of December: by day, who is primary and who deputy.
pub async fn publish(office: &TestOffice, nights: &[(u32, &MemberId, &MemberId)]) {
    let who = Who::member(&office.association, &office.coordinator);
    publish_in(&office.app, &who, nights).await;
}

/// The same for any association.
pub async fn publish_in(app: &App, who: &Who, nights: &[(u32, &MemberId, &MemberId)]) {
    let mut assignments = Vec::new();
    for (day, primary, deputy) in nights {
        let slot: SlotKey = format!("2026-12-{day:02}/wn").parse().unwrap();
        for (role, person) in [(RotaRole::Primary, primary), (RotaRole::Deputy, deputy)] {
            let member = app.member(&who.association, person).await.unwrap();
            assignments.push(Assignment {
                area: area(),
                slot: slot.clone(),
                role,
                window: night(*day),
                holder: Holder { person: member.id, institution: member.institution.unwrap() },
            });
        }
    }
    let period = Window { from: at("2026-12-01T00:00:00+09:00"), to: at("2027-01-01T00:00:00+09:00") };
    let new = NewPublication {
        area: area(),
        period,
        assignments,
        recorded_at: None,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let published = app.rota_import(who, new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
}

impl Rota {
    /// The 10th to the 13th: 青木 and 井上, 上田 and 江口, in turn.
    async fn new(office: TestOffice) -> Self {
        let mut people = BTreeMap::new();
        for name in NAMES {
            people.insert(name, doctor(&office, name).await);
        }
        // Who only asks takes no part in the rota.
        let town = Town::generous(office).await;
        let rota = Self { town, people };
        rota.publish_as_usual().await;
        mails(&rota.town.office.app).await;
        rota
    }

    async fn publish_as_usual(&self) {
        let of = |name| &self.people[name];
        let nights: Vec<_> = (10..14)
            .map(|day| {
                if day % 2 == 0 {
                    (day, of("青木"), of("井上"))
                } else {
                    (day, of("上田"), of("江口"))
                }
            })
            .collect();
        publish(&self.town.office, &nights).await;
    }

    /// Who is on in that night, by name; nobody is no name.
    async fn on(&self, day: u32, role: RotaRole) -> Vec<&'static str> {
        let office = &self.town.office;
        let moment = night(day).from.plus_s(3_600);
        let part = office.app.rota_who(&office.association, &area(), role, moment, None).await.unwrap();
        part.people().iter().map(|h| self.name(&h.person)).collect()
    }

    fn name(&self, id: &MemberId) -> &'static str {
        self.people.iter().find(|(_, known)| *known == id).map_or("somebody else", |(name, _)| name)
    }

    async fn address(&self, id: &MemberId) -> String {
        let office = &self.town.office;
        office.app.member(&office.association, id).await.unwrap().email.unwrap()
    }

    /// The mail of this person among these; everybody's are read at once.
    async fn letter<'a>(&self, name: &str, letters: &'a [MailToSend]) -> &'a MailToSend {
        let to = self.address(&self.people[name]).await;
        let mut found = letters.iter().filter(|m| m.to == to);
        let subjects: Vec<_> = letters.iter().map(|m| (&m.to, &m.subject)).collect();
        found.next().unwrap_or_else(|| panic!("no mail to {name}: {subjects:?}"))
    }

    async fn ask(&self, asker: &str, new: NewSwap) -> SwapAsked {
        let asker = &self.people[asker];
        let who = Who::member(&self.town.office.association, asker);
        let asking = Asking { asker: asker.clone(), in_person: true, channel: "web" };
        self.town.office.app.swap_ask(&who, asking, new, None).await.unwrap()
    }

    async fn asked(&self, asker: &str, new: NewSwap) -> RequestId {
        match self.ask(asker, new).await {
            SwapAsked::Asked(asked) => asked.request,
            other => panic!("{other:?}"),
        }
    }

    async fn state(&self, id: &RequestId) -> String {
        let office = &self.town.office;
        office.app.swap_case(&office.association, id).await.unwrap().line.case.state
    }
}

fn wish(form: Form, day: u32) -> NewSwap {
    let gives = named(day, RotaRole::Primary);
    NewSwap { form, gives, takes: None, other: None, note: "学会のため".to_owned() }
}

/// Opens the link of a mail and says yes with the PIN.
async fn agree(town: &Town, letter: &MailToSend) -> Browser {
    let browser = town.browser();
    let page = browser.open(&token_of(letter)).await;
    let typed = [("answer", "accept_duty"), ("pin", PIN)];
    browser.submit(&page, "/k/answer", &typed).await.says("引き受けました");
    browser
}

async fn an_exchange_by_mail_link_moves_both_duties_or_none(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let who = Who::member(&town.office.association, &town.office.coordinator);
    let (version, mut settings) = app.rota_settings(&town.office.association).await.unwrap();
    settings.swaps.coordinator_agrees = true;
    app.rota_settings_put(&who, version, settings, None).await.unwrap();
    // On the page: my night of the 10th for 上田's of the 11th.
    let browser = town.signed_in(&rota.people["青木"]).await;
    let mine = browser.get("/duties").await;
    mine.says("12月10日（木）18時").says("正");
    let path = format!("/duties/all/primary/{}", night(10).from.0);
    let form = browser.get(&path).await;
    let theirs = format!("all primary {} {}", night(11).from.0, night(11).to.0);
    form.says("上田 当番");
    let typed = [("form", "exchange"), ("takes", theirs.as_str()), ("part", "whole"), ("note", "学会のため")];
    browser.submit(&form, &path, &typed).await.says("お願いを送りました").says("お返事を待っています");
    let letters = mails(app).await;
    let asked = rota.letter("上田", &letters).await;
    assert!(asked.subject.contains("当番の交換"), "{}", asked.subject);
    for secret in ["青木", "上田", "学会"] {
        assert!(!asked.text.contains(secret), "{}", asked.text);
    }
    // Opening changes nothing; a robot without the PIN changes nothing.
    let page = town.browser().open(&token_of(asked)).await;
    page.says("青木 当番").says("学会のため").says("入れ替わります");
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["青木"]);
    agree(town, asked).await;
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["青木"], "the coordinator has not agreed yet");
    let letters = mails(app).await;
    let coordinator = app.member(&town.office.association, &town.office.coordinator).await.unwrap();
    let asked = letters.iter().find(|m| Some(&m.to) == coordinator.email.as_ref()).unwrap();
    assert!(asked.subject.contains("承認"), "{}", asked.subject);
    agree(town, asked).await;
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["上田"]);
    assert_eq!(rota.on(11, RotaRole::Primary).await, ["青木"]);
    assert_eq!(rota.on(12, RotaRole::Primary).await, ["青木"], "nothing else moved");
    // Everybody whom it concerns hears of it: the four who are on in these two nights.
    let told = mails(app).await;
    for name in ["青木", "井上", "上田", "江口"] {
        assert!(rota.letter(name, &told).await.subject.contains("変更が決まりました"), "{name}");
    }
    let twice = town.browser().open(&token_of(asked)).await;
    assert!(!twice.text().contains("承認する"), "{}", twice.text());
    let case = app.swap_board(&town.office.association).await.unwrap();
    assert_eq!((case.open.len(), case.agreed.len()), (0, 1));
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn of_many_who_take_a_duty_at_once_one_has_it(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let id = rota.asked("青木", wish(Form::Pool, 10)).await;
    let letters = mails(app).await;
    // Not 青木 who gives, not 井上 who is the deputy.
    let mut tokens = Vec::new();
    for name in ["上田", "江口", "大野", "加藤"] {
        let letter = rota.letter(name, &letters).await;
        tokens.push((name, token_of(letter)));
        tokens.push((name, token_of(letter)));
    }
    let yes = Choice::Accept { terms: Terms::Plain };
    let answers =
        join_all(tokens.iter().map(|(_, token)| app.link_answer(token, yes.clone(), Some(PIN), None, false)))
            .await;
    let (mut takers, mut late) = (Vec::new(), 0);
    for ((name, _), answer) in tokens.iter().zip(answers) {
        match answer.unwrap() {
            LinkAnswer::Accepted { .. } => takers.push(*name),
            LinkAnswer::Ended { why: Ended::TakenByAnother | Ended::AcceptedByYou { .. }, .. } => late += 1,
            other => panic!("{name}: {other:?}"),
        }
    }
    takers.dedup();
    assert_eq!((takers.len(), rota.on(10, RotaRole::Primary).await), (1, takers.clone()));
    assert!(late >= 6, "{late}");
    let swaps = app.rota_swaps(&town.office.association, night(9).from).await.unwrap();
    assert_eq!(swaps.len(), 1, "accepted twice, recorded once");
    assert_eq!(rota.state(&id).await, "taken");
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn who_is_ill_on_friday_at_four_is_relieved_at_once_and_a_new_deputy_found(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    // Friday, 11 December 2026: 上田 is on from 18 o'clock, 江口 is the deputy.
    town.office.clock.set(at("2026-12-11T16:00:00+09:00"));
    let browser = town.signed_in(&rota.people["上田"]).await;
    mails(app).await;
    let page = browser.get("/duties").await;
    let path = format!("/duties/all/primary/{}/ill", night(11).from.0);
    assert!(page.body.contains(&path), "{}", page.text());
    let confirm = browser.get(&path).await;
    confirm.says("副の先生が正になります");
    browser.submit(&confirm, &path, &[]).await.says("代わりをお願いしています");
    // In the same second.
    assert_eq!(rota.on(11, RotaRole::Primary).await, ["江口"]);
    assert!(rota.on(11, RotaRole::Deputy).await.is_empty(), "shown as a hole, not filled silently");
    let letters = mails(app).await;
    let deputy = rota.letter("江口", &letters).await;
    assert!(deputy.subject.contains("先生が正です"), "{}", deputy.subject);
    let hole = rota.letter("大野", &letters).await;
    assert!(hole.subject.contains("空いた当番"), "{}", hole.subject);
    agree(town, hole).await;
    assert_eq!(rota.on(11, RotaRole::Deputy).await, ["大野"]);
    assert_eq!(rota.on(11, RotaRole::Primary).await, ["江口"]);
    // Late changes are confirmed by telephone, too: the office sees it and notes it.
    let clerk = town.signed_in(&town.office.clerk).await;
    let list = clerk.get("/swaps").await;
    list.says("電話で確かめてください");
    let case =
        list.body.split_once("/swaps/01").map(|(_, rest)| format!("/swaps/01{}", &rest[..24])).unwrap();
    let page = clerk.get(&case).await;
    clerk.submit(&page, &format!("{case}/confirm"), &[]).await.says("電話で確かめました");
    // The doctor can come after all: everything is as it was.
    mails(app).await;
    let own = browser.get(&case).await;
    browser.submit(&own, &format!("{case}/withdraw"), &[]).await.says("取り下げました");
    assert_eq!(rota.on(11, RotaRole::Primary).await, ["上田"]);
    assert_eq!(rota.on(11, RotaRole::Deputy).await, ["江口"]);
    let told = mails(app).await;
    for name in ["江口", "大野"] {
        rota.letter(name, &told).await;
    }
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn a_wrong_yes_is_undone_on_the_page_until_the_duty_begins(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let give = NewSwap { other: Some(rota.people["大野"].clone()), ..wish(Form::Give, 10) };
    let id = rota.asked("青木", give).await;
    let letters = mails(app).await;
    let browser = agree(town, rota.letter("大野", &letters).await).await;
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["大野"]);
    mails(app).await;
    let page = browser.get(&format!("/swaps/{id}")).await;
    page.says("決まりました");
    browser.submit(&page, &format!("/swaps/{id}/undo"), &[]).await.says("取り消しました");
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["青木"]);
    assert_eq!(rota.state(&id).await, "open", "asked again");
    let letters = mails(app).await;
    let to = rota.address(&rota.people["大野"]).await;
    let again = letters.iter().find(|m| m.to == to && m.text.contains("/k#")).unwrap();
    agree(town, again).await;
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["大野"]);
    // From the first second of the duty on it stands.
    town.office.clock.set(night(10).from);
    mails(app).await;
    assert_eq!(rota.state(&id).await, "closed");
    let who = Who::member(&town.office.association, &rota.people["大野"]);
    let late = app.swap_undo(&who, &id, &rota.people["大野"], None).await.unwrap();
    assert!(matches!(late.answer, Answer::Closed | Answer::Taken), "{late:?}");
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["大野"]);
}

async fn a_new_rota_makes_a_change_void_and_says_so(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let taken = rota.asked("青木", wish(Form::Pool, 10)).await;
    let letters = mails(app).await;
    agree(town, rota.letter("大野", &letters).await).await;
    let give = NewSwap { other: Some(rota.people["加藤"].clone()), ..wish(Form::Give, 12) };
    let asked = rota.asked("青木", give).await;
    mails(app).await;
    // Published anew: 青木 is on in neither night.
    let of = |name| &rota.people[name];
    town.office.clock.advance_s(60);
    publish(&town.office, &[(10, of("上田"), of("井上")), (12, of("江口"), of("井上"))]).await;
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["上田"]);
    for id in [&taken, &asked] {
        assert_eq!(rota.state(id).await, "refused");
        assert!(app.swap_case(&town.office.association, id).await.unwrap().is_void());
    }
    let told = mails(app).await;
    for name in ["青木", "大野", "加藤"] {
        let to = rota.address(&rota.people[name]).await;
        assert!(told.iter().any(|m| m.to == to && m.text.contains("新しい当番表のため")), "{name}");
    }
    let browser = town.signed_in(of("青木")).await;
    browser.get(&format!("/swaps/{taken}")).await.says("当番表が変わり、なくなりました");
    // The link that was out leads to a courteous end.
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn a_hole_is_filled_by_a_call_and_gaps_of_who_left_are_called_for(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let clerk = town.signed_in(&town.office.clerk).await;
    mails(app).await;
    // 井上 leaves: two nights lack a deputy, and both are called for.
    let who = Who::member(&town.office.association, &town.office.clerk);
    app.member_leave(&who, &rota.people["井上"], None).await.unwrap();
    assert!(rota.on(10, RotaRole::Deputy).await.is_empty());
    let letters = mails(app).await;
    let to = rota.address(&rota.people["大野"]).await;
    let calls: Vec<_> = letters.iter().filter(|m| m.to == to && m.subject.contains("空いた当番")).collect();
    assert_eq!(calls.len(), 2, "{letters:?}");
    clerk.get("/swaps").await.says("募集しています");
    agree(town, calls[0]).await;
    agree(town, calls[1]).await;
    for day in [10, 12] {
        assert_eq!(rota.on(day, RotaRole::Deputy).await, ["大野"]);
    }
    // Hours that nobody holds at all are called for by one press.
    let page = clerk.get("/swaps").await;
    page.says("引き受け手を募る");
    let gives = Named { window: night(20), ..named(20, RotaRole::Primary) };
    let hole = NewSwap { gives, note: String::new(), ..wish(Form::Hole, 20) };
    let asking = Asking { asker: town.office.clerk.clone(), in_person: true, channel: "web" };
    let SwapAsked::Asked(_) = app.swap_ask(&who, asking, hole, None).await.unwrap() else { panic!("a hole") };
    let letters = mails(app).await;
    agree(town, rota.letter("加藤", &letters).await).await;
    assert_eq!(rota.on(20, RotaRole::Primary).await, ["加藤"]);
    assert!(app.verify().await.unwrap().problems.is_empty());
}

async fn what_the_clerk_types_in_is_confirmed_by_the_doctor_and_both_names_stand(office: TestOffice) {
    let rota = Rota::new(office).await;
    let (town, app) = (&rota.town, &rota.town.office.app);
    let clerk = town.signed_in(&town.office.clerk).await;
    let doctor = &rota.people["青木"];
    let path = format!("/people/{doctor}/for/duties/all/primary/{}", night(10).from.0);
    let list = clerk.get(&format!("/people/{doctor}/for/duties")).await;
    assert!(list.body.contains(&path), "{}", list.text());
    let form = clerk.get(&path).await;
    form.says("かわって入力しています");
    let other = rota.people["大野"].to_string();
    let typed = [
        ("form", "give"),
        ("other", other.as_str()),
        ("part", "part"),
        ("from", "20:00"),
        ("to", "０：００"),
    ];
    clerk.submit(&form, &path, &typed).await.says("電話かFAXか");
    let form = clerk.get(&path).await;
    let typed: Vec<_> = typed.into_iter().chain([("channel", "phone")]).collect();
    clerk.submit(&form, &path, &typed).await.says("お願いを送りました");
    // A clerk's entry is not the doctor's yes.
    let letters = mails(app).await;
    let own = rota.letter("青木", &letters).await;
    assert!(own.subject.contains("確認"), "{}", own.subject);
    assert_eq!(letters.len(), 1, "nobody else is asked before");
    agree(town, own).await;
    let letters = mails(app).await;
    // The other one phones in, and the clerk types the yes.
    let behalf = clerk.get(&format!("/people/{}/for", rota.people["大野"])).await;
    let action = behalf.forms().into_iter().map(|(a, _)| a).find(|a| a.contains("/offers/")).unwrap();
    let typed = [("answer", "accept_duty"), ("channel", "phone")];
    clerk.submit(&behalf, &action, &typed).await;
    assert!(!letters.is_empty());
    // A part of the night only.
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["青木"]);
    let evening = at("2026-12-10T21:00:00+09:00");
    let part =
        app.rota_who(&town.office.association, &area(), RotaRole::Primary, evening, None).await.unwrap();
    assert_eq!(rota.name(&part.people()[0].person), "大野");
    let id = &app.swap_lines(&town.office.association, None, "", 10).await.unwrap()[0].case.id.clone();
    let history = app.swap_case(&town.office.association, id).await.unwrap().history;
    let both = |action: &str, whose: &MemberId| {
        history.iter().any(|e| {
            e.action == action
                && e.actor == format!("member:{}", town.office.clerk)
                && e.on_behalf_of == Some(format!("member:{whose}"))
        })
    };
    assert!(both("request.ask", doctor) && both("offer.accept", &rota.people["大野"]), "{history:?}");
}

async fn a_rule_of_the_rota_stands_against_it_when_it_is_asked_and_when_it_is_taken(office: TestOffice) {
    let rota = Rota::new(office).await;
    let app = &rota.town.office.app;
    // The deputy cannot be the primary as well; a duty of somebody else cannot be given away.
    let to_deputy = NewSwap { other: Some(rota.people["井上"].clone()), ..wish(Form::Give, 10) };
    assert_eq!(rota.ask("青木", to_deputy).await, SwapAsked::Refused(Rule::DutyAtOnce));
    assert_eq!(rota.ask("青木", wish(Form::Pool, 11)).await, SwapAsked::Refused(Rule::DutyNotHeld));
    // Asked when it was right; meanwhile 大野 became the deputy of that night.
    let give = NewSwap { other: Some(rota.people["大野"].clone()), ..wish(Form::Give, 10) };
    let first = rota.asked("青木", give.clone()).await;
    let asker = Asking { asker: rota.people["青木"].clone(), in_person: true, channel: "web" };
    let who = Who::member(&rota.town.office.association, &rota.people["青木"]);
    let again = app.swap_ask(&who, asker, give, None).await;
    assert!(again.is_err(), "the same twice");
    let letters = mails(app).await;
    let asked = rota.letter("大野", &letters).await;
    let deputy = NewSwap {
        gives: named(10, RotaRole::Deputy),
        other: Some(rota.people["大野"].clone()),
        ..wish(Form::Give, 10)
    };
    rota.asked("井上", deputy).await;
    let letters = mails(app).await;
    agree(&rota.town, rota.letter("大野", &letters).await).await;
    let browser = rota.town.browser();
    let page = browser.open(&token_of(asked)).await;
    let typed = [("answer", "accept_duty"), ("pin", PIN)];
    let refused = browser.submit(&page, "/k/answer", &typed).await;
    refused.says("同じ時間に、ほかの当番があります");
    assert_eq!(rota.on(10, RotaRole::Primary).await, ["青木"]);
    assert_eq!(rota.on(10, RotaRole::Deputy).await, ["大野"]);
    assert_eq!(rota.state(&first).await, "open");
}
