//! What only `touban demo` has: a clock that can jump ahead, the mail folder shown as a page, and the
//! invented people one can act as. The one place where `app` reads a port.

use std::sync::Arc;

use crate::domain::call::LegId;
use crate::domain::call::number::{Number, Reading, read};
use crate::ids::{AssociationId, MemberId};
/// A mail of the exercise, as its reader sees it.
pub use crate::ports::mail::CaughtMail as Mail;
use crate::ports::mail::FolderMail;
use crate::ports::phone::prompts::{Sounds, folder};
use crate::ports::phone::{CallIn, Simulator};
/// A phone of the exercise, as whoever holds it sees it.
pub use crate::ports::phone::{NotPossible, Phone, PhoneState};
use crate::store::jobs::Lane;
use crate::time::LeapingClock;

/// Somebody of the invented association.
#[derive(Clone, Debug)]
pub struct DemoPerson {
    /// The key in the data of the demo, such as `sato`.
    pub key: String,
    pub member: MemberId,
    /// Shown on the page: this is a game.
    pub pin: String,
}

/// The controls of the demo.
#[derive(Clone, Debug)]
pub struct Demo {
    pub association: AssociationId,
    pub clock: Arc<LeapingClock>,
    pub mailbox: Arc<FolderMail>,
    pub phones: Simulator,
    /// What a bridge would play; without: the page speaks with the voice of the browser.
    pub sounds: Option<Sounds>,
    /// The number that is dialled at night.
    pub night: String,
    /// The phone of a visiting nurse who calls, and its name on the page.
    pub nurse: (String, String),
    /// Whose phone each number is.
    pub numbers: std::collections::BTreeMap<Number, MemberId>,
    /// Everybody's PIN: who plays somebody knows nobody's.
    pub pins: std::collections::BTreeMap<MemberId, String>,
    pub people: Vec<DemoPerson>,
    /// The key of the doctor the newcomer begins as.
    pub asker: String,
    /// The key of the clerk who reads the ledger.
    pub clerk: String,
}

/// What one does with a phone of the exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneDeed {
    PickUp,
    HangUp,
    Voicemail,
    /// Says the message that is being recorded.
    Speak,
    Press(String),
}

impl Demo {
    /// Every phone in use, and the last that were.
    #[must_use]
    pub fn phones(&self) -> Vec<Phone> {
        self.phones.phones()
    }

    /// The PIN of whoever holds the phone: who plays it knows nobody's.
    #[must_use]
    pub fn pin_of(&self, phone: &Phone) -> Option<&str> {
        self.pins.get(self.member_of(phone)?).map(String::as_str)
    }

    /// The member whose phone it is, also where nobody plays them.
    #[must_use]
    pub fn member_of(&self, phone: &Phone) -> Option<&MemberId> {
        let Reading::Number(number) = read(&phone.number) else { return None };
        self.numbers.get(&number)
    }

    /// The nurse dials the night number.
    ///
    /// # Errors
    /// Her phone is in use, or too many are.
    pub fn dial(&self) -> Result<(), NotPossible> {
        let call = CallIn { from: self.nurse.0.clone(), to: self.night.clone() };
        self.phones.call_in(&call).map(drop)
    }

    /// Whoever had this phone dials the night number from it.
    ///
    /// # Errors
    /// The phone is gone or in use, or too many are.
    pub fn redial(&self, leg: &LegId) -> Result<(), NotPossible> {
        let phone = self.phones().into_iter().find(|phone| &phone.leg == leg).ok_or(NotPossible::Gone)?;
        self.phones.call_in(&CallIn { from: phone.number, to: self.night.clone() }).map(drop)
    }

    /// Where the newest words of a phone can be heard as a sound: its language and its name.
    #[must_use]
    pub fn sound_of(&self, phone: &Phone) -> Option<(&'static str, &'static str)> {
        let heard = phone.heard.last()?;
        let name = (folder(heard.lang), heard.prompt);
        self.sounds.as_ref()?.wav(name.0, name.1).map(|_| name)
    }

    /// # Errors
    /// The phone cannot do that now.
    pub fn phone(&self, leg: &LegId, deed: &PhoneDeed) -> Result<(), NotPossible> {
        match deed {
            PhoneDeed::PickUp => self.phones.pick_up(leg),
            PhoneDeed::HangUp => self.phones.hang_up(leg),
            PhoneDeed::Voicemail => self.phones.let_go_to_voicemail(leg),
            PhoneDeed::Speak => self.phones.speak(leg, None),
            PhoneDeed::Press(keys) => self.phones.press(leg, keys),
        }
    }
}

impl super::App {
    /// Jumps ahead, and lets the workers see what has become due.
    pub fn demo_leap(&self, demo: &Demo, seconds: u32) {
        demo.clock.leap_s(seconds);
        for lane in [Lane::Urgent, Lane::Wake, Lane::Mail, Lane::Reports, Lane::Calls] {
            self.db.work(lane).notify_one();
        }
    }

    /// Signs in as somebody of the demo, without a mail and a PIN. Only the demo has a caller for it.
    ///
    /// # Errors
    /// The store's.
    pub async fn demo_sign_in(
        &self,
        demo: &Demo,
        person: &DemoPerson,
    ) -> Result<crate::seal::Secret, super::AppError> {
        let (access, cookies) = super::access::new_access(self, false);
        let association = demo.association.clone();
        // It is a game: the people of the office are let in as if they had shown a passkey.
        let office = self.member(&association, &person.member).await?.is_office();
        let access = if office { access.strongly("demo") } else { access };
        let enter = Enter { kit: self.kit(), association, member: person.member.clone(), access };
        self.db.run(enter).await?;
        Ok(cookies.session)
    }
}

struct Enter {
    kit: super::Kit,
    association: AssociationId,
    member: MemberId,
    access: super::access::NewAccess,
}

impl crate::store::Command for Enter {
    type Output = ();

    async fn apply(&self, tx: &mut crate::store::Conn) -> Result<(), crate::store::StoreError> {
        super::access::write_access(tx, &self.kit, &self.association, &self.member, &self.access).await?;
        let who = super::Who::member(&self.association, &self.member);
        let subject = format!("member:{}", self.member);
        let detail = serde_json::json!({ "by": "demo", "strong": self.access.strong });
        super::access::note(tx, &self.kit, &who, "sign_in.done", &subject, detail).await.map(drop)
    }
}
