//! `docs/access.md` against the router: every page's route, every role, what is one's own, of the same
//! association, of another one, and what does not exist.

use std::collections::{BTreeMap, BTreeSet};

use touban::app::people::NewMember;
use touban::app::people::stations::NewStation;
use touban::domain::people::Role;
use touban::ids::{AssociationId, MemberId};
use touban::seal::Pin;

use super::browser::{Browser, CONSULT, Page, Town, mails, token_of};
use super::robots::{assert_unchanged, dump, every_byte, without_readings};
use crate::support::{PIN, TestOffice, access_table, add_association, add_institution, new_member};

/// What no object has.
const MISSING: &str = "00000000000000000000000000";
const NO_ID: &str = "no id at all";

/// What a caller gets, as the table says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gets {
    Yes,
    Own,
    All,
    No,
    Home,
    Door,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Looking,
    Refused,
    Doing,
}

#[derive(Clone, Debug)]
struct Row {
    post: bool,
    path: String,
    /// The kind of what `{…}` in the path names; empty where it does not matter.
    object: String,
    /// By caller, in the order of the head of the table.
    gets: Vec<(String, Gets)>,
}

fn rows() -> Vec<Row> {
    let table = access_table("| Method | Path | Object | guest");
    let head = &table[0];
    assert_eq!(
        head[5..],
        Role::ALL.map(Role::code),
        "every role has its column, in the order in which the program lists them"
    );
    table[1..]
        .iter()
        .map(|cells| {
            assert_eq!(cells.len(), head.len(), "{cells:?}");
            let gets = |word: &&str| match *word {
                "yes" => Gets::Yes,
                "own" => Gets::Own,
                "all" => Gets::All,
                "no" => Gets::No,
                "home" => Gets::Home,
                "door" => Gets::Door,
                other => panic!("{other} is no word of the table"),
            };
            Row {
                post: cells[0] == "post",
                path: cells[1].to_owned(),
                object: cells[2].to_owned(),
                gets: head[3..].iter().map(|h| (*h).to_owned()).zip(cells[3..].iter().map(gets)).collect(),
            }
        })
        .collect()
}

/// One of each kind of object: whose it is, by kind.
#[derive(Debug, Default)]
struct Objects {
    /// By role and kind.
    own: BTreeMap<(String, String), String>,
    same: BTreeMap<String, String>,
    other: BTreeMap<String, String>,
}

impl Objects {
    fn own(&mut self, role: Role, kind: &str, id: &str) {
        self.own.insert((role.code().to_owned(), kind.to_owned()), id.to_owned());
    }

    fn same(&mut self, kind: &str, id: &str) {
        self.same.insert(kind.to_owned(), id.to_owned());
    }

    fn other(&mut self, kind: &str, id: &str) {
        self.other.insert(kind.to_owned(), id.to_owned());
    }
}

/// The mails with a link that went out since the last time.
async fn letters(town: &Town) -> Vec<touban::app::outbox::MailToSend> {
    mails(&town.office.app).await.into_iter().filter(|m| m.text.contains("/k#")).collect()
}

/// Somebody with this role alone, with a PIN.
async fn somebody(town: &Town, home: &AssociationId, role: Role) -> MemberId {
    let app = &town.office.app;
    let who = touban::app::Who::cli(home);
    let place = add_institution(app, home, "どこかの医院").await;
    let specialties =
        if role == Role::Specialist { vec![crate::support::dermatology(true)] } else { Vec::new() };
    let new = NewMember {
        roles: vec![role],
        phone: Some("090-0000-0777".to_owned()),
        ..new_member("誰か 某", &place, role, specialties)
    };
    app.member_add(&who, new, Some(&Pin::parse(PIN).unwrap()), None).await.unwrap().into_inner()
}

/// A call that this person started; nobody plays the phones.
async fn call(town: &Town, home: &AssociationId, member: &MemberId) -> String {
    let app = &town.office.app;
    let cli = touban::app::Who::cli(home);
    let (revision, mut settings) = app.call_settings(home).await.unwrap();
    if revision == 0 {
        let night = touban::domain::call::number::read("042-000-0099");
        let touban::domain::call::number::Reading::Number(night) = night else { panic!("{night:?}") };
        settings.numbers.push(night);
        app.call_settings_put(&cli, 0, settings).await.unwrap();
    }
    let who = touban::app::Who::member(home, member);
    app.call_start(&who, member, None, None).await.unwrap().0.to_string()
}

async fn ask(asker: &Browser) -> String {
    let form = asker.get("/consults/new").await;
    let case = asker.submit(&form, "/consults", CONSULT).await;
    assert!(case.text().contains("相談を送りました"), "{}", case.text());
    case.path.rsplit('/').next().unwrap().to_owned()
}

/// Makes this browser's person the one who takes the case.
async fn take(town: &Town, taker: &MemberId, letters: &[touban::app::outbox::MailToSend]) {
    let who = town.office.app.member(&town.office.association, taker).await.unwrap();
    let letter = letters.iter().find(|m| Some(&m.to) == who.email.as_ref()).expect("they were asked");
    let phone = town.browser();
    let link = phone.open(&token_of(letter)).await;
    let taken = phone.submit(&link, "/k/answer", &[("answer", "accept_advice"), ("pin", PIN)]).await;
    assert!(!taken.path.starts_with("/k"), "{}", taken.text());
}

/// Locks somebody's PIN by wrong ones, which raises an alarm.
async fn lock(town: &Town, home: &AssociationId, member: &MemberId) {
    let address = town.office.app.member(home, member).await.unwrap().email.unwrap();
    let browser = town.browser();
    let door = browser.get("/sign-in").await;
    browser.submit(&door, "/sign-in", &[("address", &address)]).await;
    let letter = letters(town).await.into_iter().find(|m| m.to == address).unwrap();
    let mut page = browser.open(&token_of(&letter)).await;
    for _ in 0..5 {
        page = browser.submit(&page, "/k/sign-in", &[("pin", "9999")]).await;
    }
}

/// Another session of this browser's person.
async fn session_beside(browser: &Browser) -> String {
    let page = browser.get("/me/sessions").await;
    let end = page.forms().into_iter().map(|(action, _)| action).find(|a| a.ends_with("/end")).unwrap();
    end.trim_end_matches("/end").rsplit('/').next().unwrap().to_owned()
}

/// The first passkey of somebody of the office.
async fn passkey_of(town: &Town, home: &AssociationId, member: &MemberId) -> String {
    town.office.app.means(home, member).await.unwrap().passkeys[0].id.as_str().to_owned()
}

/// The things of the pages about people, all of the specialist of the table, and what midori has of each.
async fn people_and_devices<'a>(
    town: &Town,
    objects: &mut Objects,
    [home, midori]: [&AssociationId; 2],
    people: &BTreeMap<Role, MemberId>,
    their_asker: &MemberId,
    browser: impl Fn(Role) -> &'a Browser,
) {
    let app = &town.office.app;
    let doctor = &people[&Role::Specialist];
    objects.same("member", doctor.as_str());
    objects.other("member", their_asker.as_str());
    let clerk = browser(Role::Clerk);
    let page = clerk.get(&format!("/people/{doctor}/for")).await;
    for (kind, part) in [("offer to a member", "/for/offers/"), ("case of a member", "/for/cases/")] {
        let id: String = page.body.split_once(part).expect(part).1.chars().take(26).collect();
        objects.same(kind, &format!("{doctor} {id}"));
        objects.other(kind, &format!("{their_asker} {id}"));
    }
    for (association, member) in [(home, doctor), (home, &people[&Role::Physician]), (midori, their_asker)] {
        town.remembered(association, member).await;
        let device = app.devices(association, member).await.unwrap().remove(0).id;
        match (association == home, member == doctor) {
            (true, true) => {
                objects.same("device of a member", &format!("{member} {device}"));
                objects.same("device", device.as_str());
                objects.own(Role::Specialist, "device", device.as_str());
            }
            (true, false) => objects.own(Role::Physician, "device", device.as_str()),
            (false, _) => {
                objects.other("device of a member", &format!("{member} {device}"));
                objects.other("device", device.as_str());
            }
        }
    }
    for association in [home, midori] {
        let receiver = if association == home { doctor } else { their_asker };
        let receiver = app.member(association, receiver).await.unwrap();
        let (institution, receiver) = (receiver.institution.unwrap(), receiver.id);
        let new = NewStation { institution, name: "詰所".to_owned(), receiver, by_mail: false };
        let id = app.station_invite(&touban::app::Who::cli(association), new, None).await.unwrap();
        if association == home {
            objects.same("station", id.as_str());
        } else {
            objects.other("station", id.as_str());
        }
    }
    objects.same("rules", "1");
}

/// The things of the rota's pages: a draft, a publication, a change and a collection of wishes of each association.
async fn rota_of(
    town: &Town,
    objects: &mut Objects,
    associations: [&AssociationId; 2],
    doctors: [&MemberId; 2],
) {
    use touban::app::rota::changes::{NewOverride, OverrideMade};
    use touban::app::rota::publish::{Breaches, NewPublication, Published};
    use touban::domain::rota::RotaRole;
    use touban::time::Window;
    let app = &town.office.app;
    let now = app.now();
    for (n, (home, doctor)) in associations.into_iter().zip(doctors).enumerate() {
        let who = touban::app::Who::cli(home);
        let area: touban::domain::rota::Area = "all".parse().unwrap();
        let days = ("2030-01-01".parse().unwrap(), "2030-01-31".parse().unwrap());
        let draft = app.rota_draft_new(&who, &area, "第1案", days, None).await.unwrap();
        let window = Window { from: now, to: now.plus_s(3_600) };
        let new = NewPublication {
            area: area.clone(),
            period: window,
            assignments: Vec::new(),
            recorded_at: None,
            breaches: Breaches::Forbid,
            note: String::new(),
        };
        let Published::Done { id: publication, .. } = app.rota_import(&who, new, None).await.unwrap() else {
            panic!("an empty rota can be published")
        };
        let new = NewOverride {
            area,
            role: RotaRole::Primary,
            window,
            person: None,
            institution: None,
            reason: String::new(),
            recorded_at: None,
        };
        let OverrideMade::Done { id: change, .. } = app.rota_override_add(&who, new, None).await.unwrap()
        else {
            panic!("nobody can be put on")
        };
        let round = app.wish_round_open(&who, days, now.plus_s(86_400), None).await.unwrap();
        let of_member = format!("{round} {doctor}");
        for (kind, id) in [
            ("draft", draft.as_str()),
            ("publication", publication.as_str()),
            ("override", change.as_str()),
            ("wish_round", round.as_str()),
            ("wish_round of a member", &of_member),
        ] {
            if n == 0 { objects.same(kind, id) } else { objects.other(kind, id) }
        }
    }
}

/// A patient with a card of the clinic of each who asks, of a colleague and of midori; and the card opened.
async fn night_cards(
    town: &Town,
    objects: &mut Objects,
    [home, midori]: [&AssociationId; 2],
    people: &BTreeMap<Role, MemberId>,
    their_asker: &MemberId,
) {
    use touban::app::cards::{Door, Entered};
    use touban::domain::cover::cards::NightCard;
    let app = &town.office.app;
    let colleague = somebody(town, home, Role::Physician).await;
    let owners = [
        (home, &people[&Role::Physician], Some(Role::Physician)),
        (home, &people[&Role::Specialist], Some(Role::Specialist)),
        (home, &colleague, None),
        (midori, their_asker, None),
    ];
    for (association, member, role) in owners {
        let who = touban::app::Who::member(association, member);
        let clinic = app.member(association, member).await.unwrap().institution.unwrap();
        let household = app.household_add(&who, &clinic, "A.K.").await.unwrap();
        let card = NightCard { adl: "つたい歩き".into(), ..NightCard::default() };
        app.card_write(&who, &clinic, &household, card).await.unwrap();
        let door = Door::Glass { clinic: clinic.clone(), reason: "急ぎ".into() };
        let Entered::Pass(pass) = app.card_enter(&who, member, door, PIN).await.unwrap() else {
            panic!("the PIN is right")
        };
        let opening = app.card_open(&who, member, &pass, &household).await.unwrap().unwrap();
        let of_clinic = format!("{clinic} {household}");
        for (kind, id) in [
            ("household", household.as_str()),
            ("household of a clinic", &of_clinic),
            ("card_pass", pass.as_str()),
            ("card_opening", opening.as_str()),
        ] {
            match (association == home, role) {
                (true, Some(role)) if kind != "household of a clinic" => objects.own(role, kind, id),
                (true, Some(_)) => {}
                (true, None) => objects.same(kind, id),
                (false, _) => objects.other(kind, id),
            }
        }
    }
    mails(app).await;
}

/// What the audit log says of somebody who looked: the one thing that a look may write (guideline 6.0, 系17 ①).
const READINGS: &[&str] = &["request.read", "bank.read"];

/// A duty of the physician of the table and one of a colleague, each with a change asked for; the same of midori.
async fn duties_and_swaps(
    town: &Town,
    objects: &mut Objects,
    [home, midori]: [&AssociationId; 2],
    people: &BTreeMap<Role, MemberId>,
    their_asker: &MemberId,
) {
    use crate::swaps::{named, night, publish_in};
    let app = &town.office.app;
    let place = |day: u32| format!("all primary {}", night(day).from.0);
    for association in [home, midori] {
        let colleague = somebody(town, association, Role::Physician).await;
        let deputy = somebody(town, association, Role::Physician).await;
        let taker = somebody(town, association, Role::Physician).await;
        let physician = if association == home { &people[&Role::Physician] } else { their_asker };
        let who = touban::app::Who::cli(association);
        let nights = [(10, physician, &deputy), (12, physician, &deputy), (14, &colleague, &deputy)];
        publish_in(app, &who, &[nights[0], nights[1], nights[2], (16, &colleague, &deputy)]).await;
        for (asker, day) in [(physician, 12), (&colleague, 16)] {
            let new = touban::app::swap::NewSwap {
                form: touban::domain::rota::Form::Give,
                gives: named(day, touban::domain::rota::RotaRole::Primary),
                takes: None,
                other: Some(taker.clone()),
                note: String::new(),
            };
            let who = touban::app::Who::member(association, asker);
            let asking =
                touban::app::consult::Asking { asker: asker.clone(), in_person: true, channel: "web" };
            let asked = app.swap_ask(&who, asking, new, None).await.unwrap();
            let touban::app::swap::SwapAsked::Asked(asked) = asked else { panic!("{asked:?}") };
            let id = asked.request.as_str();
            match (association == home, asker == physician) {
                (true, true) => objects.own(Role::Physician, "swap", id),
                (true, false) => objects.same("swap", id),
                (false, _) => objects.other("swap", id),
            }
        }
        // Whoever is on duty covers the second: nobody else is asked.
        for (asker, day) in [(physician, 12), (&taker, 14)] {
            let new = touban::domain::cover::NewCover {
                window: (night(day).from, night(day).to),
                patients: None,
                manner: touban::domain::cover::Manner::Visit,
                note: String::new(),
            };
            let who = touban::app::Who::member(association, asker);
            let asking =
                touban::app::consult::Asking { asker: asker.clone(), in_person: true, channel: "web" };
            let made = app.cover_ask(&who, asking, new, None).await.unwrap().into_inner();
            let id = made.request.as_str();
            match (association == home, asker == physician) {
                (true, true) => objects.own(Role::Physician, "cover", id),
                (true, false) => objects.same("cover", id),
                (false, _) => objects.other("cover", id),
            }
        }
        if association == home {
            objects.own(Role::Physician, "duty", &place(10));
            objects.same("duty", &place(14));
            objects.same("duty of a member", &format!("{physician} {}", place(10)));
        } else {
            objects.other("duty of a member", &format!("{physician} {}", place(10)));
        }
    }
    mails(app).await;
}

/// A transfer and a message of each who may ask, of a patient of somebody else's clinic; one of a colleague's own, and one of midori.
async fn transfers(
    town: &Town,
    objects: &mut Objects,
    [home, midori]: [&AssociationId; 2],
    people: &BTreeMap<Role, MemberId>,
    their_asker: &MemberId,
) {
    use touban::domain::transfer::{NewTransfer, TransferFacts};
    let app = &town.office.app;
    let colleague = somebody(town, home, Role::Physician).await;
    // Who is written to; nobody writes to a clinic of their own.
    let readers =
        [somebody(town, home, Role::Physician).await, somebody(town, midori, Role::Physician).await];
    let mut askers = vec![(home, &colleague, None), (midori, their_asker, None)];
    for role in [Role::Physician, Role::Specialist, Role::NurseStation, Role::CareOffice] {
        askers.push((home, &people[&role], Some(role)));
    }
    for (association, asker, role) in askers {
        let attending = if association == home { &colleague } else { their_asker };
        let clinic = app.member(association, attending).await.unwrap().institution.unwrap();
        let facts = TransferFacts {
            area: "青葉北".into(),
            clinic,
            wished: touban::domain::calendar::civil_day(app.now(), chrono_tz::Asia::Tokyo).plus_days(9),
            reason: "wish".into(),
        };
        let new = NewTransfer { facts, patient: "A.K.".into(), details: String::new() };
        let who = touban::app::Who::member(association, asker);
        let asking = touban::app::consult::Asking { asker: asker.clone(), in_person: true, channel: "web" };
        let asked = app.transfer_ask(&who, asking, new, None).await.unwrap().into_inner();
        match (association == home, role) {
            (true, Some(role)) => objects.own(role, "transfer", asked.request.as_str()),
            (true, None) => objects.same("transfer", asked.request.as_str()),
            (false, _) => objects.other("transfer", asked.request.as_str()),
        }
        let reader = if association == home { &readers[0] } else { &readers[1] };
        let clinic = app.member(association, reader).await.unwrap().institution.unwrap();
        let facts = touban::domain::contact::ContactFacts { clinic, topic: "plan".into() };
        let detail =
            touban::domain::contact::ContactDetail { patient: "A.K.".into(), text: "面談の件".into() };
        let new = touban::domain::contact::NewContact { facts, detail };
        let asking = touban::app::consult::Asking { asker: asker.clone(), in_person: true, channel: "web" };
        let asked = app.contact_ask(&who, asking, new, None).await.unwrap().into_inner();
        match (association == home, role) {
            (true, Some(role)) => objects.own(role, "contact", asked.request.as_str()),
            (true, None) => objects.same("contact", asked.request.as_str()),
            (false, _) => objects.other("contact", asked.request.as_str()),
        }
    }
    mails(app).await;
}

/// Routes that end the session of whoever uses them: walked last.
const ENDING: &[&str] = &["/sign-out"];

/// Everybody at a browser, and one thing of every kind.
struct Walk {
    town: Town,
    browsers: Vec<(String, Browser)>,
    objects: Objects,
}

impl Walk {
    async fn begin() -> Self {
        let (_, swaps) = crate::support::PLANS.split_once("# Changes of a published rota").unwrap();
        let plans = format!("{}#{swaps}", crate::support::ALL_AT_ONCE);
        let mut office = TestOffice::sqlite_with(&plans).await;
        // One other asker, so that nobody is asked about a case of their own institution.
        let home = office.association.clone();
        office.dermatologists.clear();
        let town = Town::generous(office).await;
        let mut objects = Objects::default();
        let mut browsers = vec![("guest".to_owned(), town.browser())];
        let mut people = BTreeMap::new();
        for role in Role::ALL {
            people.insert(role, somebody(&town, &home, role).await);
        }
        let other_asker = somebody(&town, &home, Role::Physician).await;
        let mut by_role = Vec::new();
        for role in Role::ALL {
            by_role.push((role, town.signed_in(&people[&role]).await));
        }
        let browser = |role| &by_role.iter().find(|(r, _)| *r == role).unwrap().1;

        // Somebody else's case, taken by the specialist of the table; their own, taken by nobody yet.
        let other = town.signed_in(&other_asker).await;
        mails(&town.office.app).await;
        let case = ask(&other).await;
        let asking = letters(&town).await;
        take(&town, &people[&Role::Specialist], &asking).await;
        objects.own(Role::Specialist, "taken", &case);
        let untaken = ask(&other).await;
        let asking = letters(&town).await;
        for kind in ["case", "asked", "taken"] {
            objects.same(kind, &untaken);
        }
        for role in [Role::Physician, Role::Specialist] {
            let own = ask(browser(role)).await;
            objects.own(role, "case", &own);
            objects.own(role, "asked", &own);
        }
        let link = town.browser();
        link.open(&token_of(&asking[0])).await.says("相談");
        browsers.push(("link".to_owned(), link));

        // What another association has.
        let midori = add_association(&town.office.app, "midori", "緑市医師会").await;
        somebody(&town, &midori, Role::Specialist).await;
        let their_asker = somebody(&town, &midori, Role::Physician).await;
        let theirs = town.signed_in_of(&midori, &their_asker).await;
        let foreign = ask(&theirs).await;
        for kind in ["case", "asked", "taken"] {
            objects.other(kind, &foreign);
        }
        lock(&town, &midori, &their_asker).await;
        lock(&town, &home, &somebody(&town, &home, Role::Physician).await).await;
        for alarm in &town.office.app.alarms(&midori, "", 50).await.unwrap() {
            objects.other("alarm", alarm.id.as_str());
        }
        for alarm in &town.office.app.alarms(&home, "", 50).await.unwrap() {
            objects.same("alarm", alarm.id.as_str());
        }
        // How people sign in: sessions, passkeys, and the people themselves.
        let clerk = somebody(&town, &home, Role::Clerk).await;
        let theirs = somebody(&town, &midori, Role::Clerk).await;
        let desks = [town.signed_in(&clerk).await, town.signed_in(&clerk).await];
        let foreign = [town.signed_in_of(&midori, &theirs).await, town.signed_in_of(&midori, &theirs).await];
        objects.same("session", &session_beside(&desks[0]).await);
        objects.other("session", &session_beside(&foreign[0]).await);
        objects.same("passkey", &passkey_of(&town, &home, &clerk).await);
        objects.other("passkey", &passkey_of(&town, &midori, &theirs).await);
        for (role, browser) in &by_role {
            let beside = town.signed_in(&people[role]).await;
            objects.own(*role, "session", &session_beside(browser).await);
            drop(beside);
            if role.is_office() {
                objects.own(*role, "passkey", &passkey_of(&town, &home, &people[role]).await);
            }
        }
        people_and_devices(&town, &mut objects, [&home, &midori], &people, &their_asker, browser).await;
        for (association, member, ours) in [(&home, &other_asker, true), (&midori, &their_asker, false)] {
            let call = call(&town, association, member).await;
            for kind in ["call", "silent_call"] {
                if ours {
                    objects.same(kind, &call);
                } else {
                    objects.other(kind, &call);
                }
            }
        }
        for role in [Role::Physician, Role::Specialist] {
            objects.own(role, "call", &call(&town, &home, &people[&role]).await);
        }
        for (role, member) in &people {
            let who = touban::app::Who::member(&home, member);
            let made = town.office.app.feed_make(&who, member, None, None).await.unwrap();
            let touban::app::rota::feeds::FeedMade::Shown { id, .. } = made else { panic!("{made:?}") };
            objects.own(*role, "feed", id.as_str());
            objects.same("feed", id.as_str());
        }
        let who = touban::app::Who::member(&midori, &their_asker);
        let made = town.office.app.feed_make(&who, &their_asker, None, None).await.unwrap();
        let touban::app::rota::feeds::FeedMade::Shown { id, .. } = made else { panic!("{made:?}") };
        objects.other("feed", id.as_str());
        for (association, ours) in [(&home, true), (&midori, false)] {
            let who = touban::app::Who::cli(association);
            let into = touban::app::rota::sheets::Target::Draft(touban::ids::RotaDraftId::named(&["x"]));
            let sheet = town.office.app.rota_sheet_read(&who, &into, Default::default(), None).await.unwrap();
            if ours {
                objects.same("rota_sheet", sheet.as_str());
            } else {
                objects.other("rota_sheet", sheet.as_str());
            }
        }
        for association in [&home, &midori] {
            let cli = touban::app::Who::cli(association);
            let scopes = [touban::app::access::Scope::Read];
            let (id, _) = town.office.app.key_add(&cli, "連携", &scopes).await.unwrap();
            if association == &home {
                objects.same("key", id.as_str());
            } else {
                objects.other("key", id.as_str());
            }
        }
        duties_and_swaps(&town, &mut objects, [&home, &midori], &people, &their_asker).await;
        objects.same("sheet_kind", "members");
        for (association, ours) in [(&home, true), (&midori, false)] {
            let who = touban::app::Who::cli(association);
            let kind = touban::domain::people::sheet::Kind::Members;
            let run = town.office.app.sheet_read(&who, kind, Default::default(), None).await.unwrap();
            if ours {
                objects.same("sheet_run", run.as_str());
            } else {
                objects.other("sheet_run", run.as_str());
            }
        }
        let listed = async |association: &AssociationId, public: bool| {
            let who = touban::app::Who::cli(association);
            let entry = touban::domain::people::entry::InstitutionEntry { public, ..Default::default() };
            let new = touban::app::people::NewInstitution {
                name: "載る医院".into(),
                kind: "clinic".into(),
                area: "青葉北".into(),
                entry,
                ..Default::default()
            };
            town.office.app.institution_add(&who, new, None).await.unwrap().into_inner()
        };
        let (ours, their) = (listed(&home, true).await, listed(&midori, true).await);
        let unlisted = listed(&home, false).await;
        objects.same("institution", ours.as_str());
        objects.other("institution", their.as_str());
        for (association, ours) in [(&home, true), (&midori, false)] {
            let who = touban::app::Who::cli(association);
            let group = town.office.app.care_group_add(&who, "北", "", None).await.unwrap();
            if ours {
                objects.same("group", group.as_str());
            } else {
                objects.other("group", group.as_str());
            }
        }
        night_cards(&town, &mut objects, [&home, &midori], &people, &their_asker).await;
        transfers(&town, &mut objects, [&home, &midori], &people, &their_asker).await;
        rota_of(&town, &mut objects, [&home, &midori], [&people[&Role::Physician], &their_asker]).await;
        objects.same("public", "aoba");
        for object in ["public_entry", "public_sheet"] {
            objects.same(object, &format!("aoba {ours}"));
            // What is not public, and what is another association's, is not there.
            objects.other(object, &format!("aoba {unlisted}"));
        }
        objects.same("problem", "not-found");
        objects.same("rules", "1");
        let style =
            super::browser::between(&browsers[0].1.get("/").await.body, "/assets/", "\"").unwrap().to_owned();
        objects.same("asset", &style);
        browsers.extend(by_role.into_iter().map(|(role, b)| (role.code().to_owned(), b)));
        Self { town, browsers, objects }
    }

    fn browser(&self, caller: &str) -> &Browser {
        &self.browsers.iter().find(|(name, _)| name == caller).unwrap().1
    }

    /// What the route's object may be for this caller, with what the table says about it.
    fn variants(&self, row: &Row, caller: &str, gets: Gets) -> Vec<(&'static str, String, Gets)> {
        // Several ids of one object stand with a blank between them; a single one stands for all.
        let path = |ids: &str| {
            let ids: Vec<&str> = ids.split(' ').collect();
            let mut path = String::new();
            for (n, part) in row.path.split('{').enumerate() {
                match part.split_once('}') {
                    Some((_, rest)) => {
                        path.push_str(ids.get(n - 1).unwrap_or(&ids[0]));
                        path.push_str(rest);
                    }
                    None => path.push_str(part),
                }
            }
            path
        };
        if !row.path.contains('{') {
            return vec![("no object", row.path.clone(), gets)];
        }
        if row.object.is_empty() {
            return vec![("any object", path(MISSING), gets)];
        }
        let hidden = |given| if matches!(gets, Gets::Own | Gets::All) { Gets::No } else { given };
        let mut variants = Vec::new();
        if let Some(own) = self.objects.own.get(&(caller.to_owned(), row.object.clone())) {
            variants.push(("one's own", path(own), if gets == Gets::No { Gets::No } else { yes(gets) }));
        }
        let same = self.objects.same.get(&row.object);
        let same = same.unwrap_or_else(|| panic!("the walk has no {} of the association", row.object));
        let of_same = match gets {
            Gets::All => Gets::Yes,
            Gets::Own => Gets::No,
            other => other,
        };
        if self.objects.own.get(&(caller.to_owned(), row.object.clone())) != Some(same) {
            variants.push(("one of the association", path(same), of_same));
        }
        if let Some(other) = self.objects.other.get(&row.object) {
            variants.push(("one of another association", path(other), hidden(gets)));
        }
        variants.push(("one that never was", path(MISSING), hidden(gets)));
        variants.push((NO_ID, path("x"), hidden(gets)));
        variants
    }
}

const fn yes(gets: Gets) -> Gets {
    match gets {
        Gets::Own | Gets::All => Gets::Yes,
        other => other,
    }
}

/// What a page's reader sees: status, where it leads, the words without times of day.
fn seen(page: &Page) -> (u16, String, String) {
    let to = page.headers.get("location").map_or("", |v| v.to_str().unwrap()).to_owned();
    let words = page.text();
    (page.status.as_u16(), to, words)
}

/// What the caller got, in the table's words; a form that lacks its one-time number was theirs to send.
fn got(page: &Page, post: bool) -> Gets {
    let leads_to = page.headers.get("location").map_or("", |v| v.to_str().unwrap());
    match page.status.as_u16() {
        404 => Gets::No,
        303 if leads_to.starts_with("/sign-in") && !page.path.starts_with("/sign-in") => Gets::Door,
        403 if page.text().contains("もう一度お名前") => Gets::Door,
        403 if post && page.text().contains("もう一度送ってください") => Gets::Yes,
        303 if leads_to == "/" && !post => Gets::Home,
        200 | 303 | 409 | 422 => Gets::Yes,
        other => panic!("{} {other}: {}", page.path, page.text()),
    }
}

#[test]
fn the_table_lists_the_routes_of_the_router() {
    let demo = |path: &str| path.starts_with("/demo");
    let routes: BTreeSet<String> = touban::web::ui::ROUTES
        .iter()
        .flat_map(|part| part.iter())
        .filter(|(_, path)| !demo(path))
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let listed: Vec<String> =
        rows().iter().map(|r| format!("{} {}", if r.post { "post" } else { "get" }, r.path)).collect();
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), unique.len(), "a route stands twice");
    assert_eq!(unique, routes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_beside_the_pages_is_listed_and_changes_nothing() {
    let listed: BTreeSet<String> = access_table("| Method | Path | Who |")[1..]
        .iter()
        .map(|cells| {
            assert_eq!(cells[2], "everybody");
            format!("{} {}", cells[0], cells[1])
        })
        .collect();
    let routed: BTreeSet<String> =
        touban::web::router::BESIDE.iter().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(listed, routed);
    let town = Town::generous(TestOffice::sqlite().await).await;
    let clerk = town.signed_in(&town.office.clerk).await;
    let guest = town.browser();
    let before = every_byte(&town.office).await;
    for (_, path) in touban::web::router::BESIDE {
        let page = guest.look(path).await;
        assert!(page.status == 200 || *path == "/readyz", "{path}: {}", page.status);
        assert_eq!(page.body, clerk.look(path).await.body, "{path} says the same to everybody");
    }
    assert_unchanged(&before, &every_byte(&town.office).await, "looking beside");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_gets_from_every_route_what_the_table_says() {
    let walk = Walk::begin().await;
    let mut rows = rows();
    rows.sort_by_key(|row| ENDING.contains(&row.path.as_str()));
    let mut wrong = Vec::new();
    let mut cells = 0;
    let before = without_readings(dump(&walk.town.office).await);
    // While everybody only looks, the clock stands still: not even the time of the last look may change.
    let bytes = every_byte(&walk.town.office).await;
    // First what must change nothing: every reading, then every deed that is not the caller's.
    for phase in [Phase::Looking, Phase::Refused, Phase::Doing] {
        for row in &rows {
            for (caller, gets) in &row.gets {
                let browser = walk.browser(caller);
                let token = if row.post { browser.any_token().await } else { String::new() };
                let mut hidden: BTreeMap<u8, BTreeSet<(u16, String, String)>> = BTreeMap::new();
                for (what, path, expected) in walk.variants(row, caller, *gets) {
                    let of = match (row.post, expected) {
                        (false, _) => Phase::Looking,
                        (true, Gets::Yes) => Phase::Doing,
                        (true, _) => Phase::Refused,
                    };
                    if of != phase {
                        continue;
                    }
                    cells += 1;
                    let page = if row.post {
                        let mut form = vec![("csrf".to_owned(), token.clone())];
                        // A whole form where it must not help; where it would, its number is missing.
                        if expected != Gets::Yes {
                            form.push(("once".to_owned(), format!("{cells:026}")));
                        }
                        browser.send(&path, &form).await
                    } else {
                        browser.look(&path).await
                    };
                    let found = got(&page, row.post);
                    // A stranger's form: whichever way it is turned away.
                    let turned_away = row.post
                        && matches!(expected, Gets::Door | Gets::No)
                        && matches!(caller.as_str(), "guest" | "link")
                        && (page.status == 403 || matches!(found, Gets::Door | Gets::No));
                    // What is no id names nothing: a guest may learn that.
                    let no_id = what == NO_ID && expected == Gets::Door && found == Gets::No;
                    if found != expected && !turned_away && !no_id {
                        wrong.push(format!(
                            "{} {} as {caller}, {what}: {found:?} ({}) instead of {expected:?}",
                            if row.post { "post" } else { "get" },
                            row.path,
                            page.status
                        ));
                    }
                    if matches!(expected, Gets::No | Gets::Door) && !no_id {
                        let group = u8::from(expected == Gets::Door);
                        hidden.entry(group).or_default().insert(seen(&page));
                    }
                }
                for looks in hidden.into_values() {
                    if looks.len() > 1 {
                        wrong.push(format!(
                            "{} as {caller}: some look different from others: {:?}",
                            row.path,
                            looks
                                .iter()
                                .map(|(status, to, words)| (
                                    status,
                                    to,
                                    words.chars().take(30).collect::<String>()
                                ))
                                .collect::<Vec<_>>()
                        ));
                    }
                }
            }
        }
        if phase == Phase::Looking {
            let after = every_byte(&walk.town.office).await;
            assert_unchanged(&without_readings(bytes.clone()), &without_readings(after.clone()), "looking");
            // Who looked at what must be seen is written down, and nothing else.
            let read =
                |dump: &super::robots::Dump| dump["audit_event"].iter().cloned().collect::<BTreeSet<_>>();
            for row in read(&after).difference(&read(&bytes)) {
                assert!(
                    READINGS.iter().any(|action| row.contains(&format!("'{action}'"))),
                    "looking wrote {row}"
                );
            }
        }
        if phase != Phase::Doing {
            let mut after = without_readings(dump(&walk.town.office).await);
            if phase == Phase::Refused {
                // That the form was answered, and how, is kept for its second coming.
                after.insert("idempotency".to_owned(), before["idempotency"].clone());
            }
            assert_unchanged(&before, &after, "looking, or what was refused,");
        }
    }
    assert!(cells > 300, "{cells}");
    assert!(wrong.is_empty(), "{} of {cells} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
