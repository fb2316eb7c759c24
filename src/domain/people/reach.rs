//! Whether somebody can be reached by mail, from what is known: refusals, test mails, offers that were or
//! were not opened; and what the office should do next. Readiness is A4-11 and A4-12 of the records: growth
//! came where somebody set every device up and knew who could not be reached yet.

use crate::domain::call::Cause;
use crate::time::Millis;

/// A test mail that nobody confirmed within this says that mail does not arrive.
pub const TEST_PATIENCE_S: i64 = 7 * 86_400;
/// A test call is over within this, however it went.
pub const TEST_CALL_S: i64 = 600;
/// Offers of the last so many seconds count.
pub const OFFERS_WINDOW_S: i64 = 90 * 86_400;
/// An offer has this long to be opened before it counts as not opened.
pub const OFFER_PATIENCE_S: i64 = 2 * 86_400;
/// So many offers of which none was opened say that mail does not arrive.
pub const OFFERS_UNOPENED: i64 = 3;

/// What is known of a person's mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailFacts {
    pub has_address: bool,
    /// Since when the mail server refuses it.
    pub refused_since: Option<Millis>,
    pub test_asked: Option<Millis>,
    pub test_confirmed: Option<Millis>,
    /// The newest opening of an offer of the window.
    pub offer_opened: Option<Millis>,
    /// Offers of the window that had time to be opened.
    pub offers: i64,
}

/// Mail health (メールの届き具合).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailHealth {
    /// There is no address.
    NoAddress,
    /// 確認済み: the person said so, or opened an offer.
    Confirmed { at: Millis },
    /// 未確認
    Unknown,
    /// A test mail is under way.
    Waiting { since: Millis },
    /// 届かない
    Failing(WhyFailing),
}

/// Why mail counts as not arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyFailing {
    /// The mail server refused it.
    Refused,
    /// The test mail was never confirmed.
    TestSilent,
    /// Offers were never opened.
    OffersUnopened,
}

impl MailHealth {
    /// The stable word of the API and the key of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::Confirmed { .. } => "confirmed",
            Self::Unknown => "unknown",
            Self::Waiting { .. } => "waiting",
            Self::Failing(WhyFailing::Refused) => "refused",
            Self::Failing(WhyFailing::TestSilent) => "test_silent",
            Self::Failing(WhyFailing::OffersUnopened) => "offers_unopened",
        }
    }

    /// Mail is known to arrive.
    #[must_use]
    pub const fn arrives(self) -> bool {
        matches!(self, Self::Confirmed { .. })
    }
}

/// How mail reaches somebody at `now`.
#[must_use]
pub fn mail_health(facts: &MailFacts, now: Millis) -> MailHealth {
    if !facts.has_address {
        return MailHealth::NoAddress;
    }
    if facts.refused_since.is_some() {
        return MailHealth::Failing(WhyFailing::Refused);
    }
    let seen = facts.test_confirmed.max(facts.offer_opened);
    // A test asked after the last sign of life asks the question anew.
    let open = facts.test_asked.filter(|asked| seen.is_none_or(|seen| seen < *asked));
    if let Some(asked) = open.filter(|asked| asked.plus_s(TEST_PATIENCE_S) <= now) {
        let later = seen.is_some_and(|seen| seen > asked);
        if !later {
            return MailHealth::Failing(WhyFailing::TestSilent);
        }
    }
    if facts.offers >= OFFERS_UNOPENED && facts.offer_opened.is_none() {
        let confirmed_lately = facts.test_confirmed.is_some_and(|at| at.plus_s(OFFERS_WINDOW_S) > now);
        if !confirmed_lately {
            return MailHealth::Failing(WhyFailing::OffersUnopened);
        }
    }
    match (seen, open) {
        (Some(at), _) => MailHealth::Confirmed { at },
        (None, Some(since)) => MailHealth::Waiting { since },
        (None, None) => MailHealth::Unknown,
    }
}

/// What is known of a person's phone, from test calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhoneFacts {
    pub has_number: bool,
    pub asked: Option<Millis>,
    pub confirmed: Option<Millis>,
    /// The newest that nobody answered with the key, and why.
    pub failed: Option<(Millis, Option<Cause>)>,
}

/// Whether the phone rings where it should (電話の届き具合).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneHealth {
    NoNumber,
    /// 確認済み: answered, and the key was pressed.
    Confirmed {
        at: Millis,
    },
    /// 未確認
    Unknown,
    /// A test call is under way.
    Waiting {
        since: Millis,
    },
    /// 届かない: why, where the bridge said so.
    Failing(Option<Cause>),
}

impl PhoneHealth {
    /// The stable word of the API and the key of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoNumber => "no_number",
            Self::Confirmed { .. } => "confirmed",
            Self::Unknown => "unknown",
            Self::Waiting { .. } => "waiting",
            Self::Failing(_) => "failing",
        }
    }

    /// Somebody is known to answer.
    #[must_use]
    pub const fn is_confirmed(self) -> bool {
        matches!(self, Self::Confirmed { .. })
    }
}

/// How a phone reaches somebody at `now`: the newest test that ended counts.
#[must_use]
pub fn phone_health(facts: &PhoneFacts, now: Millis) -> PhoneHealth {
    if !facts.has_number {
        return PhoneHealth::NoNumber;
    }
    let failed = facts.failed.map(|(at, _)| at);
    if let Some(since) = facts.asked.filter(|at| facts.confirmed.max(failed).is_none_or(|end| end < *at))
        && now < since.plus_s(TEST_CALL_S)
    {
        return PhoneHealth::Waiting { since };
    }
    match (facts.confirmed, facts.failed) {
        (Some(at), failed) if failed.is_none_or(|(failed, _)| failed <= at) => PhoneHealth::Confirmed { at },
        // The lines here failed, not the phone there.
        (_, Some((_, Some(cause)))) if cause.is_fault() || cause == Cause::Congestion => PhoneHealth::Unknown,
        (_, Some((_, cause))) => PhoneHealth::Failing(cause),
        (_, None) => PhoneHealth::Unknown,
    }
}

/// What makes an address hard to reach. It is kept all the same: these addresses exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardAddress {
    /// Dots side by side, first or last before the `@`, which RFC 5322 §3.2.3 does not allow without quotes.
    BreaksRules,
    /// A carrier's address: many phones refuse mail with links from outside.
    Carrier,
}

impl HardAddress {
    /// The key of the text.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BreaksRules => "breaks_rules",
            Self::Carrier => "carrier",
        }
    }
}

/// Hosts of Japanese carriers' mail.
const CARRIERS: &[&str] = &[
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "vodafone.ne.jp",
    "disney.ne.jp",
    "willcom.com",
    "ymobile.ne.jp",
    "ymobile1.ne.jp",
    "rakumail.jp",
    "uqmobile.jp",
];

/// Whether an address is hard to reach (届きにくいアドレス).
#[must_use]
pub fn hard_address(address: &str) -> Option<HardAddress> {
    let (local, host) = address.trim().rsplit_once('@')?;
    if local.contains("..") || local.starts_with('.') || local.ends_with('.') {
        return Some(HardAddress::BreaksRules);
    }
    let host = host.to_ascii_lowercase();
    let of_carrier = CARRIERS.iter().any(|c| host == *c || host.ends_with(&format!(".{c}")));
    of_carrier.then_some(HardAddress::Carrier)
}

/// What else is known of somebody's way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    pub mail: MailHealth,
    pub phone: PhoneHealth,
    /// The association can ring its people.
    pub may_ring: bool,
    pub has_fax: bool,
    pub pin_set: bool,
    pub pin_locked: bool,
    pub sheet_made: bool,
    /// Known devices.
    pub devices: i64,
    /// The office's own people sign in another way and get no sheet.
    pub is_office: bool,
}

/// What the office should do next for somebody: the first thing that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NextStep {
    /// Ask for a way to reach them.
    AskForContact,
    /// Unlock the PIN.
    Unlock,
    /// Make a sheet with a PIN.
    MakeSheet,
    /// Call: the mail does not arrive.
    CallAboutMail,
    /// Send a test mail.
    SendTest,
    /// Wait for the test mail's answer.
    AwaitTest,
    /// No mail: agree on phone or fax.
    AgreeOnPhone,
    /// Help with signing in on their own device.
    HelpWithDevice,
    /// Nobody answered the test call: agree on a number.
    CallAboutPhone,
    /// Make a test call.
    TestCall,
    Nothing,
}

impl NextStep {
    /// The key of the sentence.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AskForContact => "ask_for_contact",
            Self::Unlock => "unlock",
            Self::MakeSheet => "make_sheet",
            Self::CallAboutMail => "call_about_mail",
            Self::SendTest => "send_test",
            Self::AwaitTest => "await_test",
            Self::AgreeOnPhone => "agree_on_phone",
            Self::HelpWithDevice => "help_with_device",
            Self::CallAboutPhone => "call_about_phone",
            Self::TestCall => "test_call",
            Self::Nothing => "nothing",
        }
    }
}

impl Readiness {
    /// The first thing that is missing.
    #[must_use]
    pub const fn next(&self) -> NextStep {
        let other_way = self.has_phone() || self.has_fax;
        match self.mail {
            MailHealth::NoAddress if !other_way => return NextStep::AskForContact,
            _ => {}
        }
        if self.pin_locked {
            return NextStep::Unlock;
        }
        if !self.is_office && !self.pin_set {
            return NextStep::MakeSheet;
        }
        match self.mail {
            MailHealth::NoAddress if self.phone.is_confirmed() => NextStep::Nothing,
            MailHealth::NoAddress if self.has_phone() && self.may_ring => self.next_of_phone(),
            MailHealth::NoAddress => NextStep::AgreeOnPhone,
            MailHealth::Failing(_) => NextStep::CallAboutMail,
            MailHealth::Unknown => NextStep::SendTest,
            MailHealth::Waiting { .. } => NextStep::AwaitTest,
            MailHealth::Confirmed { .. } if self.devices == 0 && !self.is_office => NextStep::HelpWithDevice,
            MailHealth::Confirmed { .. } => self.next_of_phone(),
        }
    }

    /// There is a number.
    #[must_use]
    pub const fn has_phone(&self) -> bool {
        !matches!(self.phone, PhoneHealth::NoNumber)
    }

    /// There is a number, it can be rung, and nobody is known to answer it.
    #[must_use]
    pub const fn wants_ring(&self) -> bool {
        self.may_ring && self.has_phone() && !self.phone.is_confirmed()
    }

    const fn next_of_phone(&self) -> NextStep {
        match self.phone {
            PhoneHealth::Failing(_) if self.may_ring => NextStep::CallAboutPhone,
            PhoneHealth::Unknown | PhoneHealth::Waiting { .. } if self.may_ring => NextStep::TestCall,
            _ => NextStep::Nothing,
        }
    }

    /// Nobody knows yet whether anything sent to them arrives (まだ届かない会員).
    #[must_use]
    pub const fn is_unreached(&self) -> bool {
        let by_phone_alone = matches!(self.mail, MailHealth::NoAddress) && self.phone.is_confirmed();
        !self.mail.arrives() && !by_phone_alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(day: i64) -> Millis {
        Millis(0).plus_s(day * DAY)
    }

    fn facts() -> MailFacts {
        MailFacts { has_address: true, ..MailFacts::default() }
    }

    #[test]
    fn mail_is_unknown_until_a_test_is_confirmed() {
        assert_eq!(mail_health(&facts(), at(100)), MailHealth::Unknown);
        let asked = MailFacts { test_asked: Some(at(100)), ..facts() };
        assert_eq!(mail_health(&asked, at(101)), MailHealth::Waiting { since: at(100) });
        assert_eq!(mail_health(&asked, at(107)), MailHealth::Failing(WhyFailing::TestSilent));
        let confirmed = MailFacts { test_confirmed: Some(at(108)), ..asked };
        assert_eq!(mail_health(&confirmed, at(109)), MailHealth::Confirmed { at: at(108) });
        assert_eq!(mail_health(&MailFacts::default(), at(1)), MailHealth::NoAddress);
    }

    #[test]
    fn a_later_test_that_stays_silent_outweighs_an_earlier_yes() {
        let again = MailFacts { test_asked: Some(at(100)), test_confirmed: Some(at(50)), ..facts() };
        assert_eq!(mail_health(&again, at(103)), MailHealth::Confirmed { at: at(50) });
        assert_eq!(mail_health(&again, at(108)), MailHealth::Failing(WhyFailing::TestSilent));
        let opened = MailFacts { offer_opened: Some(at(102)), ..again };
        assert_eq!(mail_health(&opened, at(108)), MailHealth::Confirmed { at: at(102) });
    }

    #[test]
    fn what_the_server_refused_does_not_arrive_whatever_was_said_before() {
        let refused = MailFacts { refused_since: Some(at(9)), test_confirmed: Some(at(8)), ..facts() };
        assert_eq!(mail_health(&refused, at(10)), MailHealth::Failing(WhyFailing::Refused));
    }

    #[test]
    fn offers_that_nobody_opens_say_that_mail_does_not_arrive() {
        let two = MailFacts { offers: 2, ..facts() };
        assert_eq!(mail_health(&two, at(10)), MailHealth::Unknown);
        let three = MailFacts { offers: 3, ..facts() };
        assert_eq!(mail_health(&three, at(10)), MailHealth::Failing(WhyFailing::OffersUnopened));
        let confirmed = MailFacts { test_confirmed: Some(at(9)), ..three };
        assert_eq!(mail_health(&confirmed, at(10)), MailHealth::Confirmed { at: at(9) });
        assert_eq!(mail_health(&confirmed, at(100)), MailHealth::Failing(WhyFailing::OffersUnopened));
        let opened = MailFacts { offer_opened: Some(at(8)), ..three };
        assert!(mail_health(&opened, at(10)).arrives());
    }

    #[test]
    fn the_newest_test_call_that_ended_says_whether_the_phone_is_answered() {
        assert_eq!(phone_health(&PhoneFacts::default(), at(1)), PhoneHealth::NoNumber);
        let facts = PhoneFacts { has_number: true, ..PhoneFacts::default() };
        assert_eq!(phone_health(&facts, at(1)), PhoneHealth::Unknown);
        let asked = PhoneFacts { asked: Some(at(3)), ..facts };
        assert_eq!(phone_health(&asked, at(3).plus_s(30)), PhoneHealth::Waiting { since: at(3) });
        assert_eq!(phone_health(&asked, at(4)), PhoneHealth::Unknown);
        let confirmed = PhoneFacts { confirmed: Some(at(3).plus_s(40)), ..asked };
        assert_eq!(
            phone_health(&confirmed, at(3).plus_s(41)),
            PhoneHealth::Confirmed { at: at(3).plus_s(40) }
        );
        let later = PhoneFacts { failed: Some((at(5), Some(Cause::Busy))), ..confirmed };
        assert_eq!(phone_health(&later, at(6)), PhoneHealth::Failing(Some(Cause::Busy)));
        let ours = PhoneFacts { failed: Some((at(5), Some(Cause::Lost))), ..later };
        assert_eq!(phone_health(&ours, at(6)), PhoneHealth::Unknown);
        let again = PhoneFacts { asked: Some(at(7)), confirmed: Some(at(7).plus_s(30)), ..later };
        assert!(phone_health(&again, at(8)).is_confirmed());
        assert!(Cause::from_code("no_key") == Some(Cause::NoKey) && Cause::from_code("?").is_none());
    }

    #[test]
    fn hard_addresses_are_told_and_usual_ones_are_not() {
        for broken in ["kato..osamu@docomo.ne.jp", ".kato@docomo.ne.jp", "kato.@ezweb.ne.jp"] {
            assert_eq!(hard_address(broken), Some(HardAddress::BreaksRules), "{broken}");
        }
        assert_eq!(hard_address("kato@DOCOMO.ne.jp"), Some(HardAddress::Carrier));
        assert_eq!(hard_address("kato@t.vodafone.ne.jp"), Some(HardAddress::Carrier));
        for usual in ["kato.osamu@aoba.example.jp", "kato@notdocomo.ne.jp", "", "kato"] {
            assert_eq!(hard_address(usual), None, "{usual}");
        }
    }

    #[test]
    fn the_first_thing_that_is_missing_is_to_be_done_next() {
        let confirmed = MailHealth::Confirmed { at: at(1) };
        let ready = Readiness {
            mail: confirmed,
            phone: PhoneHealth::Confirmed { at: at(1) },
            may_ring: true,
            has_fax: false,
            pin_set: true,
            pin_locked: false,
            sheet_made: true,
            devices: 1,
            is_office: false,
        };
        assert_eq!(ready.next(), NextStep::Nothing);
        assert_eq!(Readiness { devices: 0, ..ready }.next(), NextStep::HelpWithDevice);
        assert_eq!(Readiness { mail: MailHealth::Unknown, ..ready }.next(), NextStep::SendTest);
        assert_eq!(
            Readiness { mail: MailHealth::Unknown, pin_set: false, ..ready }.next(),
            NextStep::MakeSheet
        );
        assert_eq!(
            Readiness { mail: MailHealth::Unknown, pin_set: false, is_office: true, ..ready }.next(),
            NextStep::SendTest
        );
        assert_eq!(Readiness { pin_locked: true, ..ready }.next(), NextStep::Unlock);
        let no_mail = Readiness { mail: MailHealth::NoAddress, ..ready };
        assert_eq!(no_mail.next(), NextStep::Nothing);
        assert!(!no_mail.is_unreached());
        let unknown = PhoneHealth::Unknown;
        assert_eq!(Readiness { phone: unknown, ..ready }.next(), NextStep::TestCall);
        assert_eq!(Readiness { phone: unknown, ..no_mail }.next(), NextStep::TestCall);
        assert!(Readiness { phone: unknown, ..no_mail }.is_unreached());
        let failing = PhoneHealth::Failing(Some(Cause::Busy));
        assert_eq!(Readiness { phone: failing, ..ready }.next(), NextStep::CallAboutPhone);
        // Where nobody can be rung, no test is asked for.
        assert_eq!(Readiness { phone: unknown, may_ring: false, ..ready }.next(), NextStep::Nothing);
        assert_eq!(Readiness { phone: unknown, may_ring: false, ..no_mail }.next(), NextStep::AgreeOnPhone);
        assert_eq!(Readiness { phone: PhoneHealth::NoNumber, ..ready }.next(), NextStep::Nothing);
        assert_eq!(Readiness { phone: PhoneHealth::NoNumber, ..no_mail }.next(), NextStep::AskForContact);
        let failing = MailHealth::Failing(WhyFailing::Refused);
        assert_eq!(Readiness { mail: failing, ..ready }.next(), NextStep::CallAboutMail);
        assert!(!ready.is_unreached() && Readiness { mail: failing, ..ready }.is_unreached());
    }
}
