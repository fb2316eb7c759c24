//! A message to an attending doctor (主治医連絡票) from a care manager or a visiting nurse: what it is about, when it is
//! delivered, how it may be answered. How a request goes is `dispatch`.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::calendar::CivilDate;
use crate::domain::consult::{FieldWrong, Wrong, long_text, short_text};
use crate::domain::dispatch::Candidate;
use crate::domain::people::contact_window::{ContactWay, ContactWindow, next_opening, open_at};
use crate::ids::{InstitutionId, MemberId};
use crate::time::Millis;

/// What a message is about, as codes: those of the sheet.
pub const TOPICS: [&str; 4] = ["state", "plan", "meeting", "else"];

/// How a message is answered, as codes.
pub const REPLIES: [&str; 4] = ["can_wait", "call_me", "will_visit", "other"];

/// A message waits for its answer this long, in seconds: the longest way to a window, and a week.
pub const LIFE_S: i64 = 28 * 86_400;

/// What is open of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFacts {
    /// The attending doctor's clinic.
    pub clinic: InstitutionId,
    /// One of [`TOPICS`].
    pub topic: String,
}

/// The sealed part of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDetail {
    pub patient: String,
    pub text: String,
}

/// A message as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewContact {
    pub facts: ContactFacts,
    pub detail: ContactDetail,
}

impl NewContact {
    /// Every field that cannot be taken as it is.
    #[must_use]
    pub fn wrong_fields(&self) -> Vec<FieldWrong> {
        let topic = (!TOPICS.contains(&self.facts.topic.as_str())).then_some(Wrong::NotAChoice);
        [
            ("patient", short_text(&self.detail.patient, true)),
            ("topic", topic),
            ("text", long_text(&self.detail.text, true)),
        ]
        .into_iter()
        .filter_map(|(field, wrong)| wrong.map(|wrong| FieldWrong { field, wrong }))
        .collect()
    }
}

/// When a message may reach a doctor: now, or when the next window begins (ケアマネタイム). The windows for mail count;
/// a doctor without any is reached in every other window but that of the fax, which takes papers all day; one without
/// windows, now.
#[must_use]
pub fn deliver_from(
    windows: &[ContactWindow],
    now: Millis,
    zone: Tz,
    is_holiday: &dyn Fn(CivilDate) -> bool,
) -> Millis {
    let by_mail: Vec<ContactWindow> = windows.iter().filter(|w| w.way == ContactWay::Mail).cloned().collect();
    let own = if by_mail.is_empty() {
        windows.iter().filter(|w| w.way != ContactWay::Fax).cloned().collect()
    } else {
        by_mail
    };
    if own.is_empty() || !open_at(&own, now, zone, is_holiday).is_empty() {
        return now;
    }
    next_opening(&own, now, zone, is_holiday).map_or(now, |(at, _)| at)
}

/// The people of a message, as they are in this transaction: the physicians of the clinic, each with the moment from
/// which the message may reach them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactWorld {
    pub attending: Vec<(MemberId, Millis)>,
}

impl ContactWorld {
    /// Whom the message goes to, and from when.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        self.attending
            .iter()
            .map(|(person, from)| Candidate { person: person.clone(), from: *from })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::people::Day;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn window(way: ContactWay, from_min: u32, to_min: u32) -> ContactWindow {
        ContactWindow {
            way,
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            from_min,
            to_min,
            holidays: false,
            remarks: String::new(),
            public: true,
        }
    }

    #[test]
    fn a_message_waits_for_the_doctors_window() {
        let from = |windows: &[ContactWindow], now: &str| {
            deliver_from(windows, at(now), TOKYO, &|day: CivilDate| day.to_string() == "2026-11-23")
        };
        let noon = [window(ContactWay::Phone, 750, 810), window(ContactWay::Fax, 0, 0)];
        let friday_evening = "2026-11-20T18:20:00+09:00";
        // Over the weekend and a holiday.
        assert_eq!(from(&noon, friday_evening), at("2026-11-24T12:30:00+09:00"));
        assert_eq!(from(&noon, "2026-11-24T12:30:00+09:00"), at("2026-11-24T12:30:00+09:00"), "open now");
        assert_eq!(from(&noon, "2026-11-24T13:30:00+09:00"), at("2026-11-25T12:30:00+09:00"), "just over");
        let mail = [window(ContactWay::Phone, 750, 810), window(ContactWay::Mail, 0, 0)];
        assert_eq!(from(&mail, "2026-11-24T22:00:00+09:00"), at("2026-11-24T22:00:00+09:00"), "mail all day");
        assert_eq!(from(&[], friday_evening), at(friday_evening), "nobody said when");
        let fax = [window(ContactWay::Fax, 540, 600)];
        assert_eq!(from(&fax, friday_evening), at(friday_evening), "the fax says nothing of messages");
    }

    #[test]
    fn what_cannot_be_sent_is_named_field_by_field() {
        let good = NewContact {
            facts: ContactFacts { clinic: InstitutionId::named(&["x"]), topic: "state".to_owned() },
            detail: ContactDetail { patient: "A.K.".to_owned(), text: "発熱".to_owned() },
        };
        assert!(good.wrong_fields().is_empty());
        let wrong = |change: fn(&mut NewContact)| {
            let mut one = good.clone();
            change(&mut one);
            one.wrong_fields().into_iter().map(|w| w.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong(|n| n.facts.topic = String::new()), ["topic"]);
        assert_eq!(wrong(|n| n.detail.patient = String::new()), ["patient"]);
        assert_eq!(wrong(|n| n.detail.text = " ".to_owned()), ["text"]);
    }
}
