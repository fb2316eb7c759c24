//! The pillars (受け皿) as a step of a cover: asked only for what nobody took, in order, three days, one day and six
//! hours before; never out of contract and never for a clinic with a household that was not told.

use touban::app::call::settings::Pillar;
use touban::app::people::NewInstitution;
use touban::domain::cover::households::{Contract, Told};
use touban::domain::cover::pillars::{PillarKind, pillar_of_step};
use touban::domain::people::Role;
use touban::ids::{HouseholdId, InstitutionId, MemberId, RequestId};
use touban::seal::Pin;

use super::{District, answers, at, ticked};
use crate::pages::browser::mails;
use crate::support::{PIN, TestOffice, new_member, on_both};

on_both! {
    what_nobody_takes_goes_to_the_pillars_in_order_with_the_coordinator_told,
    a_slot_that_is_asked_for_later_comes_in_a_mail_of_its_own,
    the_office_answers_for_a_pillar_that_faxed,
    no_pillar_is_asked_where_a_household_was_not_told_or_refused,
    a_pillar_out_of_contract_is_refused_in_plain_words,
    a_household_that_refuses_later_takes_the_pillar_out_and_the_coordinator_hears_of_it,
}

const HOURS: (&str, &str) = ("2026-12-15T18:00:00+09:00", "2026-12-16T08:00:00+09:00");

/// A district with both pillars set up, and one household of the clinic, told of both.
pub struct Standby {
    pub district: District,
    pub clinic: MemberId,
    pub company: MemberId,
    pub household: HouseholdId,
    /// Their institutions: the home-care clinic's, the visiting company's.
    places: [InstitutionId; 2],
}

impl Standby {
    pub async fn new(office: TestOffice) -> Self {
        let standby = Self::set_up(office).await;
        for name in ["home_care", "visits"] {
            standby.told(name, Told::On { day: "2026-11-01".parse().unwrap() }).await;
        }
        standby
    }

    /// The household was not told of either.
    pub async fn set_up(office: TestOffice) -> Self {
        let district = District::new(office).await;
        let office = &district.town.office;
        let clinic = contact(office, "みどり在宅クリニック", "緑川 守").await;
        let company = contact(office, "往診サービス葉月", "葉山 圭").await;
        let (revision, mut settings) = office.app.call_settings(&office.association).await.unwrap();
        let place = async |person| office.app.member(&office.association, person).await.unwrap().institution;
        let places = [place(&clinic).await.unwrap(), place(&company).await.unwrap()];
        for (kind, (person, place)) in [PillarKind::HomeCare, PillarKind::Visits]
            .into_iter()
            .zip([&clinic, &company].into_iter().zip(&places))
        {
            let contract = Contract { from: Some("2026-04-01".parse().unwrap()), until: None };
            let pillar =
                Pillar { kind, on: true, people: vec![person.clone()], contract, ..Pillar::default() };
            settings.pillars.insert(place.clone(), pillar);
        }
        office.app.call_settings_put(&office.cli(), revision, settings).await.unwrap();
        let household = office.app.household_add(&office.cli(), &office.clinic, "CANARY-AK").await.unwrap();
        office.app.household_whole(&office.cli(), &office.clinic, true).await.unwrap();
        Self { district, clinic, company, household, places }
    }

    /// The institution of a kind of pillar.
    pub fn place(&self, kind: &str) -> &InstitutionId {
        &self.places[usize::from(kind == "visits")]
    }

    pub async fn told(&self, kind: &str, told: Told) {
        let (office, place) = (&self.district.town.office, self.place(kind).as_str());
        let (app, who) = (&office.app, office.cli());
        app.household_told(&who, &office.clinic, &self.household, place, told).await.unwrap();
    }

    /// The clock stands there, and these were asked by a mail with a link.
    async fn asked_by(&self, moment: &str) -> Vec<&'static str> {
        let app = &self.district.town.office.app;
        self.district.town.office.clock.set(at(moment));
        let letters = mails(app).await;
        let mut found = Vec::new();
        for (name, person) in [("clinic", &self.clinic), ("company", &self.company)] {
            let mine = self.district.to(person, &letters).await;
            if mine.iter().any(|m| m.text.contains("/k#")) {
                found.push(name);
            }
        }
        found
    }

    pub async fn slots(&self, id: &RequestId) -> Vec<RequestId> {
        self.district.case(id).await.line.slots.iter().map(|s| s.slot.request.clone()).collect()
    }
}

async fn contact(office: &TestOffice, institution: &str, name: &str) -> MemberId {
    let new = NewInstitution {
        name: institution.into(),
        kind: "home_care_clinic".into(),
        area: "青葉南".into(),
        city_code: "999991".into(),
        phone: None,
        ..NewInstitution::default()
    };
    let home = office.app.institution_add(&office.cli(), new, None).await.unwrap().into_inner();
    let pin = Pin::parse(PIN).unwrap();
    let new = new_member(name, &home, Role::Specialist, vec![]);
    office.app.member_add(&office.cli(), new, Some(&pin), None).await.unwrap().into_inner()
}

async fn what_nobody_takes_goes_to_the_pillars_in_order_with_the_coordinator_told(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let made = district.ask(HOURS.0, HOURS.1).await;
    assert_eq!(standby.asked_by("2026-11-20T12:00:00+09:00").await, [""; 0]);
    assert_eq!(standby.asked_by("2026-12-12T17:59:00+09:00").await, [""; 0], "the doctors first");
    // Three days before: the coordinator, and the first of them.
    town.office.clock.set(at("2026-12-12T18:00:01+09:00"));
    let letters = mails(&town.office.app).await;
    let told = district.to(&town.office.coordinator, &letters).await;
    assert!(told.iter().any(|m| m.subject.contains("まだ決まっていない枠")), "{told:?}");
    let mine = district.to(&standby.clinic, &letters).await;
    let [letter] = mine.as_slice() else { panic!("{mine:?}") };
    assert!(letter.subject.contains("受け皿としての夜間代行のお願い"), "{}", letter.subject);
    for secret in ["CANARY", "佐藤", "さとう"] {
        assert!(!letter.text.contains(secret), "{}", letter.text);
    }
    assert!(district.to(&standby.company, &letters).await.is_empty(), "one after the other");
    // Says no: the next is asked at once.
    let slots = standby.slots(&made.request).await;
    let (_, said) = answers(town, letter, &slots, "decline").await;
    assert!(!said.contains("引き受けました"), "{said}");
    let letters = mails(&town.office.app).await;
    let mine = district.to(&standby.company, &letters).await;
    assert_eq!(mine.len(), 1);
    // Silent: again one day before, with the coordinator told.
    assert_eq!(standby.asked_by("2026-12-13T18:00:00+09:00").await, [""; 0]);
    assert_eq!(standby.asked_by("2026-12-14T18:00:01+09:00").await, ["company"]);
    // Her three hours pass, then the doctors are asked once more.
    for moment in ["2026-12-14T21:00:02+09:00", "2026-12-15T09:00:03+09:00"] {
        assert_eq!(standby.asked_by(moment).await, [""; 0], "{moment}");
    }
    town.office.clock.set(at("2026-12-15T12:00:01+09:00"));
    let letters = mails(&town.office.app).await;
    let told = district.to(&town.office.coordinator, &letters).await;
    assert!(told.iter().any(|m| m.subject.contains("まだ決まっていない枠")), "six hours before: {told:?}");
    let mine = district.to(&standby.company, &letters).await;
    let [letter] = mine.as_slice() else { panic!("{mine:?}") };
    let (_, said) = answers(town, letter, &slots, "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    // The asker's bar is green and shows whose it is.
    let case = district.case(&made.request).await;
    let claim = case.line.slots[0].request.claims().next().unwrap().clone();
    assert_eq!(claim.person, standby.company);
    assert_eq!(pillar_of_step(&case.line.slots[0].request, claim.step), Some(PillarKind::Visits));
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get(&format!("/covers/{}", made.request)).await;
    page.says("往診サービス葉月").says("受け皿の往診会社").says("決まりました");
    assert!(page.body.contains("slot-bar tone-good"), "{}", page.body);
    assert!(town.office.app.verify().await.unwrap().problems.is_empty());
}

async fn a_slot_that_is_asked_for_later_comes_in_a_mail_of_its_own(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let made = district.ask("2026-12-15T18:00:00+09:00", "2026-12-17T08:00:00+09:00").await;
    let slots = standby.slots(&made.request).await;
    mails(&town.office.app).await;
    // Three days before the night, and three days before the day after it; the first mail is not answered yet.
    let mut letters = Vec::new();
    for moment in ["2026-12-12T18:00:01+09:00", "2026-12-13T08:00:01+09:00"] {
        town.office.clock.set(at(moment));
        let sent = mails(&town.office.app).await;
        let mine = district.to(&standby.clinic, &sent).await;
        let [letter] = mine.as_slice() else { panic!("{mine:?}") };
        assert_eq!(letter.date, at(moment), "it is of now");
        letters.push((*letter).clone());
    }
    // A mailbox that has one of them would take another of the same Message-ID for a copy, and show it to nobody.
    assert_ne!(letters[0].message_id, letters[1].message_id);
    let (_, said) = answers(town, &letters[1], &slots[1..2], "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    let (_, said) = answers(town, &letters[0], &slots[..1], "accept").await;
    assert!(said.contains("引き受けました"), "{said}");
    assert_eq!(district.states(&made.request).await, ["taken", "taken", "open"]);
}

async fn the_office_answers_for_a_pillar_that_faxed(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let made = district.ask(HOURS.0, HOURS.1).await;
    mails(&town.office.app).await;
    assert_eq!(standby.asked_by("2026-12-12T18:00:01+09:00").await, ["clinic"]);
    let clerk = town.signed_in(&town.office.clerk).await;
    let page = clerk.get(&format!("/covers/{}", made.request)).await;
    page.says("緑川 守").says("みどり在宅クリニック");
    let action = format!("/covers/{}/answer-for", made.request);
    let slots = standby.slots(&made.request).await;
    let rest = [("member", standby.clinic.as_str()), ("channel", "fax"), ("answer", "accept")];
    let fields = ticked(page.form(&action, &[]), &slots, &rest);
    let sent = clerk.send(&action, &fields).await;
    clerk.get(&sent.leads_to()).await.says("決まりました").says("受け皿の在宅医療機関");
    assert_eq!(district.states(&made.request).await, ["taken"]);
}

async fn no_pillar_is_asked_where_a_household_was_not_told_or_refused(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let office = &town.office;
    standby.told("home_care", Told::Refused { day: "2026-11-10".parse().unwrap() }).await;
    let new = office.app.household_add(&office.cli(), &office.clinic, "CANARY-MS").await.unwrap();
    let made = district.ask(HOURS.0, HOURS.1).await;
    mails(&office.app).await;
    // The asker sees who stands in the way and prints the notice for them; so does the office; nobody else.
    let sato = town.signed_in(&office.asker).await;
    let page = sato.get(&format!("/covers/{}", made.request)).await;
    page.says("CANARY-AK（お断り）").says("CANARY-MS（説明前）").says("ご家庭へのお知らせを印刷する");
    assert!(page.body.contains("/households/notice"));
    let ono = town.signed_in(&district.people["大野"]).await;
    ono.get(&format!("/covers/{}", made.request))
        .await
        .keeps_quiet_about("CANARY")
        .keeps_quiet_about("受け皿");
    let coordinator = town.signed_in(&office.coordinator).await;
    let page = coordinator.get(&format!("/covers/{}", made.request)).await;
    page.says("説明の済んでいないご家庭 2").keeps_quiet_about("CANARY");
    for moment in ["2026-12-12T18:00:01+09:00", "2026-12-14T18:00:01+09:00"] {
        assert_eq!(standby.asked_by(moment).await, [""; 0], "{moment}");
    }
    // Told of the company meanwhile: six hours before, it is asked; the refused one is not.
    let told = Told::On { day: "2026-12-14".parse().unwrap() };
    office
        .app
        .household_told(&office.cli(), &office.clinic, &new, standby.place("visits").as_str(), told)
        .await
        .unwrap();
    assert_eq!(standby.asked_by("2026-12-15T12:00:01+09:00").await, ["company"]);
}

async fn a_pillar_out_of_contract_is_refused_in_plain_words(office: TestOffice) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let office = &town.office;
    let made = district.ask(HOURS.0, HOURS.1).await;
    mails(&office.app).await;
    town.office.clock.set(at("2026-12-12T18:00:01+09:00"));
    let letters = mails(&office.app).await;
    let mine = district.to(&standby.clinic, &letters).await;
    // Between the mail and the answer the contract is ended, in the middle of the night that was asked for.
    let (revision, mut settings) = office.app.call_settings(&office.association).await.unwrap();
    settings.pillars.get_mut(standby.place("home_care")).unwrap().contract.until =
        Some("2026-12-15".parse().unwrap());
    office.app.call_settings_put(&office.cli(), revision, settings).await.unwrap();
    let slots = standby.slots(&made.request).await;
    let (_, said) = answers(town, mine[0], &slots, "accept").await;
    assert!(said.contains("契約の期間ではない"), "{said}");
    assert_eq!(district.takers(&made.request).await, ["-"]);
    let clerk = town.signed_in(&office.clerk).await;
    clerk.get(&format!("/covers/{}", made.request)).await.says("契約の期間ではないので、使えません");
}

async fn a_household_that_refuses_later_takes_the_pillar_out_and_the_coordinator_hears_of_it(
    office: TestOffice,
) {
    let standby = Standby::new(office).await;
    let (district, town) = (&standby.district, &standby.district.town);
    let made = district.ask(HOURS.0, HOURS.1).await;
    mails(&town.office.app).await;
    town.office.clock.set(at("2026-12-12T18:00:01+09:00"));
    let letters = mails(&town.office.app).await;
    let mine = district.to(&standby.clinic, &letters).await;
    let slots = standby.slots(&made.request).await;
    answers(town, mine[0], &slots, "accept").await;
    assert_eq!(district.states(&made.request).await, ["taken"]);
    mails(&town.office.app).await;
    standby.told("home_care", Told::Refused { day: "2026-12-12".parse().unwrap() }).await;
    let told = mails(&town.office.app).await;
    for member in [&town.office.asker, &town.office.coordinator] {
        let mine = district.to(member, &told).await;
        assert_eq!(mine.iter().filter(|m| m.subject.contains("つながらない枠")).count(), 1, "{mine:?}");
    }
    let sato = town.signed_in(&town.office.asker).await;
    let page = sato.get(&format!("/covers/{}", made.request)).await;
    page.says("説明前のご家庭があるので、つながりません");
    assert!(page.body.contains("slot-bar tone-warn"), "amber: {}", page.body);
}
