//! Night covers at the desks: asked for in a doctor's name, each slot answered, given back, taken back by the API while
//! the service is being killed. All of them lie ahead, so that nothing ends by itself: a slot is taken, withdrawn, or
//! open with a next step.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::desk::{Client, Desks, accept, offers};

/// One in so many cases is a cover.
pub const EVERY: usize = 4;
/// The clinics that ask; their doctors are also whom the others ask.
pub const CLINICS: usize = 6;
/// Each cover begins on a day of its own, as long as there are days; then another clinic asks for the same.
const DAYS: usize = 360;
/// Later than any plan's reminders, so that nobody is asked again meanwhile.
const AHEAD_S: i64 = 5 * 86_400;
const HOUR_S: i64 = 3_600;
/// What whoever takes a slot is mailed.
pub const TAKEN: &str = "引き受けていただきました";
/// What those who may take slots are mailed.
const ASKED: &str = "夜間代行のお願い";

/// What was acknowledged of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Now {
    Open,
    Taken(String),
    Withdrawn,
    /// Something was sent, and is not answered yet.
    Moving,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub request: String,
    pub now: Now,
    /// How often a yes was acknowledged, and that it was given back.
    pub accepted: usize,
    pub released: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    pub request: String,
    pub case_no: String,
    /// How many slots it fell into.
    pub parts: usize,
    /// Empty until they were read.
    pub slots: Vec<Slot>,
}

impl Cover {
    /// Somebody was asked again: by a mail of the same subject, where the first one carried the same slot.
    pub fn asks_again(&self, subject: &str) -> bool {
        let again = self.slots.iter().any(|slot| slot.released > 0);
        again && subject.contains(ASKED) && subject.contains(&self.case_no)
    }

    /// The cover is as it was acknowledged; what is moving may be anywhere.
    pub fn holds(&self, found: &Value) {
        let slots = found["slots"].as_array().unwrap_or_else(|| panic!("no slots in {found}"));
        assert_eq!(found["case_no"], self.case_no.as_str());
        assert_eq!(slots.len(), self.parts, "{found}");
        for slot in &self.slots {
            let shown = slots.iter().find(|s| s["id"] == slot.request.as_str());
            let shown = shown.unwrap_or_else(|| panic!("{} is gone: {found}", slot.request));
            let stands = (shown["state"].as_str().unwrap_or_default(), shown["taker"].as_str());
            match &slot.now {
                Now::Open => assert_eq!(stands, ("open", None), "{found}"),
                Now::Taken(taker) => assert_eq!(stands, ("taken", Some(taker.as_str())), "{found}"),
                Now::Withdrawn => assert_eq!(stands.0, "withdrawn", "{found}"),
                Now::Moving => {}
            }
            let accepted = offers(shown).filter(|o| o["state"] == "accepted").count();
            assert!(accepted <= 1, "one covers it: {found}");
        }
    }

    /// Each change that was acknowledged stands once in the log, which counts by action and subject.
    pub fn stands_once(&self, seen: &BTreeMap<(String, String), usize>) {
        let times = |action: &str, request: &str| {
            let subject = format!("request:{}", request.trim_start_matches("req_"));
            seen.get(&(action.to_owned(), subject)).copied().unwrap_or(0)
        };
        assert_eq!(times("request.ask", &self.request), 1, "{self:?}");
        assert_eq!(self.slots.len(), self.parts, "{self:?}");
        for slot in &self.slots {
            let done = ["request.ask", "offer.accept", "offer.release"].map(|a| times(a, &slot.request));
            assert_eq!(done, [1, slot.accepted, slot.released], "{self:?}");
        }
    }
}

/// Around the change from night to day, so that it falls into slots.
fn wish(desks: &Desks, nth: usize) -> Value {
    let clinic = (nth + nth / DAYS) % CLINICS;
    let day = i64::try_from(nth % DAYS).unwrap() * 24 * HOUR_S;
    // From seven to nine in Tokyo.
    let from = desks.midnight.plus_s(AHEAD_S + day - 2 * HOUR_S);
    json!({
        "on_behalf_of": desks.clinics[clinic],
        "from": from.rfc3339(),
        "to": from.plus_s(2 * HOUR_S).rfc3339(),
        "manner": "visit",
    })
}

/// From asking to what is to become of it: one in five each is taken by halves, taken back, given back, taken and
/// taken back, taken whole.
pub async fn cover(desks: &Desks, client: &mut Client, number: usize) {
    let (book, nth) = (&desks.book, number / EVERY);
    let (status, said) =
        client.post("/api/v1/covers", &format!("cover-{number}"), &wish(desks, nth), book).await;
    assert_eq!(status, 201, "{said}");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {said}")).to_owned();
    let (request, case_no) = (text(&said["id"]), text(&said["case_no"]));
    let place = format!("/api/v1/covers/{request}");
    let parts = said["slots"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap();
    assert!(parts >= 2, "{said}");
    let at = book.covers.add(Cover { request, case_no, parts, slots: Vec::new() });
    let found = client.get(&place).await;
    let asked: Vec<Vec<(String, String)>> = found["slots"].as_array().unwrap().iter().map(offered).collect();
    let slots = found["slots"].as_array().unwrap().iter().map(|slot| Slot {
        request: text(&slot["id"]),
        now: Now::Open,
        accepted: 0,
        released: 0,
    });
    book.covers.slots(at, slots.collect());
    let takes: &[usize] = match nth % 5 {
        0 => &[0],
        1 => &[],
        2 => &[1],
        _ => &[0, 1],
    };
    for slot in takes {
        book.covers.moves(at, *slot);
        let racers = 1 + (nth + slot) % 2;
        let (offer, taker) = accept(book, client, number, &asked[*slot], (racers, "plain")).await;
        book.covers.change(at, *slot, |s| {
            s.now = Now::Taken(taker);
            s.accepted += 1;
        });
        if nth % 5 == 2 {
            book.covers.moves(at, *slot);
            let path = format!("/api/v1/offers/{offer}/release");
            let (status, said) =
                client.post(&path, &format!("release-{number}-{offer}"), &json!({}), book).await;
            assert_eq!(status, 200, "{said}");
            book.covers.change(at, *slot, |s| {
                s.now = Now::Open;
                s.released += 1;
            });
        }
    }
    if matches!(nth % 5, 1 | 3) {
        (0..parts).for_each(|slot| book.covers.moves(at, slot));
        let why = json!({ "reason": "学会がなくなりました" });
        let (status, said) =
            client.post(&format!("{place}/cancel"), &format!("back-{number}"), &why, book).await;
        assert_eq!((status, &said["state"]), (200, &json!("withdrawn")), "{said}");
        (0..parts).for_each(|slot| book.covers.change(at, slot, |s| s.now = Now::Withdrawn));
    }
}

/// Who was asked about a slot, and by which offer.
fn offered(slot: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    offers(slot).map(|offer| (text(&offer["id"]), text(&offer["member"]))).collect()
}

/// What all desks remember of covers.
#[derive(Debug, Default)]
pub struct Covers(std::sync::Mutex<Vec<Cover>>);

impl Covers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Cover>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn all(&self) -> Vec<Cover> {
        self.lock().clone()
    }

    pub fn nth(&self, at: usize) -> Option<Cover> {
        self.lock().get(at).cloned()
    }

    fn add(&self, cover: Cover) -> usize {
        let mut covers = self.lock();
        covers.push(cover);
        covers.len() - 1
    }

    fn slots(&self, at: usize, slots: Vec<Slot>) {
        self.lock()[at].slots = slots;
    }

    fn change(&self, at: usize, slot: usize, change: impl FnOnce(&mut Slot)) {
        change(&mut self.lock()[at].slots[slot]);
    }

    fn moves(&self, at: usize, slot: usize) {
        self.change(at, slot, |slot| slot.now = Now::Moving);
    }

    /// Looks at one cover: nothing of what was acknowledged and stood still meanwhile is otherwise. Whether the service
    /// answered.
    pub async fn look(&self, client: &mut Client, at: usize) -> bool {
        let Some(before) = self.nth(at) else { return false };
        let found = client.try_get(&format!("/api/v1/covers/{}", before.request)).await;
        let Some((status, found)) = found else { return false };
        assert_eq!(status, 200, "{} was acknowledged: {found}", before.case_no);
        if self.nth(at).as_ref() == Some(&before) {
            before.holds(&found);
        }
        true
    }
}
