//! Night cover through pages, mailed links, the office and the phones. One file per journey.

mod asking;
mod cards;
mod crash;
mod crash_pillars;
mod fax;
mod ledgered;
mod night;
mod pillar_rota;
mod pillars;
mod records;
mod refused;
mod standby;
mod tonight;
mod undone;

use std::collections::BTreeMap;

use touban::app::Who;
use touban::app::consult::Asking;
use touban::app::cover::{CoverCase, CoverMade};
use touban::app::outbox::MailToSend;
use touban::domain::cover::{Manner, NewCover};
use touban::ids::{MemberId, RequestId};
use touban::time::Millis;

use crate::pages::browser::{Browser, Town, mails, token_of};
use crate::support::{PIN, TestOffice};
use crate::swaps::publish;

pub fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

/// 佐藤, who has the clinic alone, and colleagues of the same area; 青木 and 井上 hold the nights of the 10th and the
/// 12th of December 2026, 上田 and 江口 those of the 11th and the 13th.
pub struct District {
    pub town: Town,
    pub people: BTreeMap<&'static str, MemberId>,
}

impl District {
    pub async fn new(office: TestOffice) -> Self {
        let mut people = BTreeMap::new();
        for name in ["青木", "井上", "上田", "江口", "大野"] {
            people.insert(name, office.physician(&format!("{name} 当番")).await);
        }
        let town = Town::generous(office).await;
        let of = |name| &people[name];
        let nights: Vec<_> = (10..14)
            .map(|day| {
                if day % 2 == 0 {
                    (day, of("青木"), of("井上"))
                } else {
                    (day, of("上田"), of("江口"))
                }
            })
            .collect();
        publish(&town.office, &nights).await;
        mails(&town.office.app).await;
        Self { town, people }
    }

    pub async fn ask(&self, from: &str, to: &str) -> CoverMade {
        self.ask_of(&self.town.office.asker.clone(), from, to).await
    }

    pub async fn ask_of(&self, asker: &MemberId, from: &str, to: &str) -> CoverMade {
        let office = &self.town.office;
        let who = Who::member(&office.association, asker);
        let asking = Asking { asker: asker.clone(), in_person: true, channel: "web" };
        let new = NewCover {
            window: (at(from), at(to)),
            patients: None,
            manner: Manner::Visit,
            note: "CANARY-NOTE".to_owned(),
        };
        office.app.cover_ask(&who, asking, new, None).await.unwrap().into_inner()
    }

    pub async fn case(&self, id: &RequestId) -> CoverCase {
        self.town.office.app.cover_case(&self.town.office.association, id).await.unwrap()
    }

    /// The states of the slots, by time.
    pub async fn states(&self, id: &RequestId) -> Vec<String> {
        self.case(id).await.line.slots.iter().map(|s| s.request.state.code().to_owned()).collect()
    }

    /// Who covers each slot, by name; nobody is "-".
    pub async fn takers(&self, id: &RequestId) -> Vec<&'static str> {
        let case = self.case(id).await;
        let name =
            |id: &MemberId| self.people.iter().find(|(_, known)| *known == id).map_or("?", |(n, _)| *n);
        case.line.slots.iter().map(|s| s.taker().map_or("-", name)).collect()
    }

    pub async fn address(&self, id: &MemberId) -> String {
        let office = &self.town.office;
        office.app.member(&office.association, id).await.unwrap().email.unwrap()
    }

    /// Who is meant by an address.
    pub async fn names(&self) -> BTreeMap<String, String> {
        let office = &self.town.office;
        let desk = [("佐藤", &office.asker), ("調整", &office.coordinator), ("事務", &office.clerk)];
        let mut names = BTreeMap::new();
        for (name, id) in self.people.iter().map(|(name, id)| (*name, id)).chain(desk) {
            names.insert(self.address(id).await, name.to_owned());
        }
        names
    }

    /// The mails to somebody among these.
    pub async fn to<'a>(&self, id: &MemberId, letters: &'a [MailToSend]) -> Vec<&'a MailToSend> {
        let address = self.address(id).await;
        letters.iter().filter(|m| m.to == address).collect()
    }

    /// The one mail with a link to somebody.
    pub async fn letter<'a>(&self, name: &str, letters: &'a [MailToSend]) -> &'a MailToSend {
        let found = self.to(&self.people[name], letters).await;
        let linked: Vec<_> = found.into_iter().filter(|m| m.text.contains("/k#")).collect();
        let [one] = linked.as_slice() else { panic!("{} mails to {name}", linked.len()) };
        one
    }
}

/// The form as it is sent with these slots ticked.
pub fn ticked(
    form: Vec<(String, String)>,
    slots: &[RequestId],
    rest: &[(&str, &str)],
) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> =
        form.into_iter().filter(|(name, _)| name != "slot" && rest.iter().all(|(n, _)| n != name)).collect();
    fields.extend(slots.iter().map(|id| ("slot".to_owned(), id.to_string())));
    fields.extend(rest.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    fields
}

/// Opens the link of a mail and answers these slots with the PIN.
pub async fn answers(
    town: &Town,
    letter: &MailToSend,
    slots: &[RequestId],
    answer: &str,
) -> (Browser, String) {
    let browser = town.browser();
    let page = browser.open(&token_of(letter)).await;
    let fields = ticked(page.form("/k/cover", &[]), slots, &[("answer", answer), ("pin", PIN)]);
    let sent = browser.send("/k/cover", &fields).await;
    let next = if sent.status == 303 { browser.get(&sent.leads_to()).await } else { sent };
    let text = next.text();
    (browser, text)
}
