//! The mails of a consult against a mail server that is down, slow, refuses, greylists or loses its answers:
//! every case ends in a delivered mail, the next person, or an alarm that a human sees (reliability F9, S6, S7).

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use touban::app::answers::{Choice, LinkAnswer, Opened};
use touban::app::views::OfficeCase;
use touban::domain::dispatch::{Answer, Terms};
use touban::durable::runner::Runner;
use touban::ids::{MemberId, RequestId};
use touban::ports::mail::{MailPort, Secret, Security, SmtpMail, SmtpSettings};

use crate::support_office::{BASE_URL, Manner, Office, PIN, Scratch};
use crate::support_smtp::{Act, At, FaultySmtp, ReceivedMail, Script};

/// Nothing here takes longer unless it never happens.
const PATIENCE: Duration = Duration::from_secs(30);
/// One mail may take this long.
const SEND_BUDGET_S: u32 = 1;
const STEADY: &[u32] = &[1; 20];
const ALL_AT_ONCE: Manner = Manner { at_once: 0, retries_s: STEADY };

/// An office at work against one mail server.
struct Post {
    office: Office,
    smtp: FaultySmtp,
    runner: Runner,
    _scratch: Scratch,
}

fn towards(port: u16) -> Arc<dyn MailPort> {
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security: Security::None,
        allow_plain: false,
        username: Some("touban".to_owned()),
        password: Some(Secret::from("geheim".to_owned())),
        ca_file: None,
        hello_name: None,
        send_budget_s: SEND_BUDGET_S,
    };
    Arc::new(SmtpMail::new(settings).unwrap())
}

async fn post(doctors: usize, manner: Manner, script: Script) -> Post {
    post_to(doctors, manner, FaultySmtp::start(script).await).await
}

async fn post_to(doctors: usize, manner: Manner, smtp: FaultySmtp) -> Post {
    let scratch = Scratch::new("post");
    let office = Office::open(&scratch.sqlite(), doctors, manner).await;
    let runner = office.work(towards(smtp.port())).await;
    Post { office, smtp, runner, _scratch: scratch }
}

/// Looks until there is something to see; fails the test when there never is.
#[expect(clippy::disallowed_methods, reason = "a state outside is waited for by looking again")]
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not after {PATIENCE:?}"))
}

fn is_offer(mail: &ReceivedMail) -> bool {
    mail.subject().contains("相談のお願い（")
}

impl Post {
    async fn ask(&self) -> RequestId {
        self.office.ask().await.request
    }

    async fn case(&self, id: &RequestId) -> OfficeCase {
        self.office.app.case_for_office(&self.office.association, id).await.unwrap()
    }

    /// Waits until so many of the request's offers are in this state.
    async fn offers_are(&self, id: &RequestId, state: &str, count: usize) -> OfficeCase {
        until(&format!("{count} offers {state}"), async || {
            let case = self.case(id).await;
            (case.line.offers.iter().filter(|o| o.state == state).count() == count).then_some(case)
        })
        .await
    }

    /// Waits until so many of the request's tries are in this state.
    async fn tries_are(&self, id: &RequestId, state: &str, count: usize) -> OfficeCase {
        until(&format!("{count} tries {state}"), async || {
            let case = self.case(id).await;
            (case.line.attempts.iter().filter(|a| a.state == state).count() >= count).then_some(case)
        })
        .await
    }

    async fn alarm(&self, kind: &str) {
        until(&format!("alarm {kind}"), async || {
            self.alarms().await.contains(&kind.to_owned()).then_some(())
        })
        .await;
    }

    /// What the coordinator's board shows.
    async fn alarms(&self) -> Vec<String> {
        let board = self.office.app.board(&self.office.association).await.unwrap();
        board.alarms.into_iter().map(|a| a.kind).collect()
    }

    async fn mail_fails_for(&self, member: &MemberId) -> bool {
        let member = self.office.app.member(&self.office.association, member).await.unwrap();
        member.mail_failing_since.is_some()
    }

    fn offers_received(&self) -> Vec<ReceivedMail> {
        self.smtp.received().into_iter().filter(is_offer).collect()
    }

    fn to_coordinator(&self) -> Vec<ReceivedMail> {
        let mails = self.smtp.received();
        mails.into_iter().filter(|m| m.to == ["suzuki@example.jp"]).collect()
    }

    /// Nothing is left behind, whatever the server did.
    async fn end(self) {
        self.runner.stop().await;
        let findings = self.office.app.verify().await.unwrap();
        assert_eq!(findings.problems, Vec::<String>::new());
        assert!(findings.requests > 0 && findings.audit_rows > 0);
    }
}

/// Every doctor has one offer mail, and every try was the same mail.
fn one_each(post: &Post, doctors: usize) {
    let mails = post.offers_received();
    let mut to: Vec<_> = mails.iter().flat_map(|m| m.to.clone()).collect();
    to.sort();
    let everybody: Vec<_> = (0..doctors).map(|n| format!("doctor{n}@example.jp")).collect();
    assert_eq!(to, everybody);
}

fn token(mail: &ReceivedMail) -> String {
    let text = mail.text();
    let link = text.split_whitespace().find_map(|word| word.strip_prefix(&format!("{BASE_URL}/k#")));
    link.expect("a link in the mail").to_owned()
}

#[tokio::test]
async fn an_offer_waits_until_the_mail_server_is_up_again() {
    // The port is ours and shut: connections are refused until somebody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let scratch = Scratch::new("down");
    let office = Office::open(&scratch.sqlite(), 3, ALL_AT_ONCE).await;
    let runner = office.work(towards(port)).await;
    let placeholder = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let mut post = Post { office, smtp: placeholder, runner, _scratch: scratch };
    let request = post.ask().await;
    let case = post.tries_are(&request, "retrying", 3).await;
    let reasons: Vec<_> = case.line.attempts.iter().filter_map(|a| a.detail.as_deref()).collect();
    assert_eq!(reasons, ["connecting: connection refused"; 3]);

    let listener: TcpListener = socket.listen(64).unwrap();
    post.smtp = FaultySmtp::on(listener, Script::always(Act::Deliver));
    let case = post.offers_are(&request, "asked", 3).await;
    assert!(case.line.attempts.iter().all(|a| a.state == "sent" && a.tries > 1));
    one_each(&post, 3);
    assert_eq!(post.alarms().await, Vec::<String>::new());
    post.end().await;
}

#[tokio::test]
async fn a_server_slower_than_the_budget_is_asked_again_until_it_answers() {
    let slow = Act::SlowBanner(Duration::from_secs(10));
    let post = post(3, ALL_AT_ONCE, Script::first([slow.clone(), slow.clone(), slow])).await;
    let request = post.ask().await;
    // The three need not be waiting for their next try in the same moment.
    let slow = std::cell::RefCell::new(BTreeSet::new());
    until("three tries that were too slow", async || {
        let case = post.case(&request).await;
        let reason = Some("greeting: no answer within the time budget");
        let tries = case.line.attempts.into_iter().filter(|a| a.detail.as_deref() == reason);
        slow.borrow_mut().extend(tries.map(|a| a.person));
        (slow.borrow().len() == 3).then_some(())
    })
    .await;
    post.offers_are(&request, "asked", 3).await;
    one_each(&post, 3);
    post.end().await;
}

#[tokio::test]
async fn a_server_that_closes_for_the_moment_is_asked_again() {
    let closing = [At::Banner, At::Hello, At::Sender].map(|at| Act::Answer(at, "421 4.3.2 closing"));
    let post = post(3, ALL_AT_ONCE, Script::first(closing)).await;
    let request = post.ask().await;
    let case = post.offers_are(&request, "asked", 3).await;
    assert_eq!(case.line.attempts.iter().map(|a| a.tries).collect::<Vec<_>>(), [2, 2, 2]);
    one_each(&post, 3);
    assert_eq!(post.alarms().await, Vec::<String>::new());
    post.end().await;
}

#[tokio::test]
async fn a_greylisting_server_has_each_mail_at_the_second_try_and_its_link_works() {
    let post = post(2, ALL_AT_ONCE, Script::always(Act::Greylist)).await;
    let request = post.ask().await;
    let case = post.offers_are(&request, "asked", 2).await;
    assert!(case.line.attempts.iter().all(|a| a.state == "sent" && a.tries == 2));
    one_each(&post, 2);

    let token = token(&post.offers_received()[0]);
    assert!(matches!(post.office.app.link_open(&token).await.unwrap(), Opened::Offer(_)));
    let accept = Choice::Accept { terms: Terms::Advice };
    let said = post.office.app.link_answer(&token, accept, Some(PIN), None, false).await.unwrap();
    assert!(matches!(said, LinkAnswer::Accepted { .. }), "{said:?}");
    // The asker and the taker hear of it, past the greylist too.
    until("both notices", async || {
        let mails = post.smtp.received();
        let told = |words| mails.iter().filter(|m| m.subject().contains(words)).count() == 1;
        (told("お引き受けがありました") && told("お引き受けの確認")).then_some(())
    })
    .await;
    post.end().await;
}

#[tokio::test]
async fn a_refused_doctor_is_marked_and_the_next_one_asked_at_once() {
    // Two at a time out of three; the next step would come hours later.
    let manner = Manner { at_once: 2, ..ALL_AT_ONCE };
    let gone = Act::Answer(At::Recipient, "550 5.1.1 no such mailbox");
    let post = post(3, manner, Script::first([gone])).await;
    let request = post.ask().await;
    let case = post.offers_are(&request, "asked", 2).await;
    let refused: Vec<_> = case.line.offers.iter().filter(|o| o.state == "unreachable").collect();
    assert_eq!((refused.len(), case.line.offers.len()), (1, 3));
    for doctor in &post.office.doctors {
        assert_eq!(post.mail_fails_for(doctor).await, *doctor == refused[0].person);
    }
    let tried = case.line.attempts.iter().find(|a| a.person == refused[0].person).unwrap();
    assert_eq!((tried.state.as_str(), tried.tries), ("failed", 1), "a refusal for good is not tried again");
    post.alarm("undeliverable").await;
    until("the coordinator's mail", async || {
        post.to_coordinator().iter().any(|m| m.subject().contains("送れなかったメール")).then_some(())
    })
    .await;
    assert_eq!(post.offers_received().len(), 2);
    post.end().await;
}

#[tokio::test]
async fn a_wrong_password_marks_nobody_and_everything_goes_out_once_it_is_mended() {
    let post = post(3, ALL_AT_ONCE, Script::always(Act::Answer(At::Auth, "535 5.7.8 who are you?"))).await;
    let request = post.ask().await;
    post.alarm("mail_misconfigured").await;
    let case = post.tries_are(&request, "retrying", 3).await;
    assert!(case.line.offers.iter().all(|o| o.state == "pending"), "nobody is taken for unreachable");
    for doctor in &post.office.doctors {
        assert!(!post.mail_fails_for(doctor).await);
    }
    assert_eq!(post.alarms().await, ["mail_misconfigured"]);
    assert!(post.smtp.received().is_empty());

    post.smtp.now(Script::always(Act::Deliver));
    post.offers_are(&request, "asked", 3).await;
    one_each(&post, 3);
    // Whoever has to mend it hears of it as soon as mail can say so; until then the board does.
    until("the coordinator's mail", async || (!post.to_coordinator().is_empty()).then_some(())).await;
    post.end().await;
}

#[tokio::test]
async fn copies_of_a_mail_whose_answer_was_lost_are_one_mail_with_one_link() {
    for lost in [Act::LoseReply, Act::ResetAfterContent, Act::SlowAnswer(Duration::from_secs(10))] {
        let post = post(3, ALL_AT_ONCE, Script::first([lost.clone()])).await;
        let request = post.ask().await;
        post.tries_are(&request, "in_doubt", 1).await;
        let case = post.offers_are(&request, "asked", 3).await;
        let mails = post.offers_received();
        let doubtful = case.line.attempts.iter().find(|a| a.tries == 2).unwrap();
        let number = post.office.doctors.iter().position(|d| *d == doubtful.person).unwrap();
        let address = format!("doctor{number}@example.jp");
        for doctor in 0..3 {
            let to = format!("doctor{doctor}@example.jp");
            let copies: Vec<_> = mails.iter().filter(|m| m.to == [to.as_str()]).collect();
            let in_doubt = usize::from(to == address);
            assert!((1..=1 + in_doubt).contains(&copies.len()), "{lost:?}: {} copies", copies.len());
            assert!(copies.iter().all(|m| m.message_id() == copies[0].message_id()));
            assert!(copies.iter().all(|m| token(m) == token(copies[0])));
        }
        if !matches!(lost, Act::SlowAnswer(_)) {
            assert_eq!(mails.len(), 4, "the server has one twice");
        }
        post.end().await;
    }
}

#[tokio::test]
async fn a_mail_cut_off_in_the_middle_is_in_doubt_and_arrives_once() {
    let post = post(3, ALL_AT_ONCE, Script::first([Act::ResetInContent])).await;
    let request = post.ask().await;
    post.offers_are(&request, "asked", 3).await;
    one_each(&post, 3);
    post.end().await;
}

#[tokio::test]
async fn when_every_address_is_refused_the_coordinator_hears_that_nobody_is_left() {
    let post =
        post(3, ALL_AT_ONCE, Script::always(Act::Answer(At::Recipient, "550 5.1.1 no such mailbox"))).await;
    let request = post.ask().await;
    post.offers_are(&request, "unreachable", 3).await;
    assert_eq!(post.case(&request).await.line.case.state, "exhausted");
    post.alarm("exhausted").await;
    // The coordinator's own address is refused too: the alarm stays on the board and is mailed again.
    let before = post.smtp.connections();
    until("further rounds of the alarm", async || (post.smtp.connections() > before + 2).then_some(())).await;
    assert!(post.smtp.received().is_empty());
    post.smtp.now(Script::always(Act::Deliver));
    until("the coordinator's mail", async || {
        post.to_coordinator().iter().any(|m| m.subject().contains("お願いできる先生がいません")).then_some(())
    })
    .await;
    assert!(post.alarms().await.contains(&"exhausted".to_owned()), "until somebody has seen to it");
    post.end().await;
}

#[tokio::test]
async fn an_outage_longer_than_the_patience_ends_with_a_human() {
    let manner = Manner { at_once: 0, retries_s: &[1] };
    let post = post(3, manner, Script::always(Act::Refuse)).await;
    let request = post.ask().await;
    post.alarm("exhausted").await;
    post.alarm("dead_mail").await;
    assert_eq!(post.case(&request).await.line.case.state, "exhausted");
    for doctor in &post.office.doctors {
        assert!(!post.mail_fails_for(doctor).await, "the server was away, not the doctor");
    }
    post.smtp.now(Script::always(Act::Deliver));
    until("the coordinator's mail", async || {
        post.to_coordinator().iter().any(|m| m.subject().contains("お願いできる先生がいません")).then_some(())
    })
    .await;
    post.end().await;
}

#[tokio::test]
async fn no_mail_of_a_withdrawn_request_begins_while_it_is_being_retried() {
    let busy = Script::always(Act::Answer(At::Recipient, "450 4.3.0 come back later"));
    let post = post(3, ALL_AT_ONCE, busy).await;
    let request = post.ask().await;
    post.tries_are(&request, "retrying", 3).await;
    let withdrawn = post.office.app.request_withdraw(&post.office.who_asks(), &request, None).await.unwrap();
    assert_eq!((withdrawn.answer, withdrawn.state.as_str()), (Answer::Done, "withdrawn"));
    let under_way = usize::try_from(withdrawn.in_flight).unwrap();
    post.smtp.now(Script::always(Act::Deliver));

    // Every retry comes due and finds that it is not wanted any more.
    until("no try left", async || {
        let case = post.case(&request).await;
        case.line.attempts.iter().all(|a| a.ended.is_some()).then_some(())
    })
    .await;
    let of_it = post.offers_received().len();
    assert!(of_it <= under_way, "{of_it} mails began, {under_way} were under way");
    // The workers are not simply asleep: another request goes out.
    let other = post.ask().await;
    post.offers_are(&other, "asked", 3).await;
    assert_eq!(post.offers_received().len(), of_it + 3);
    assert!(post.smtp.received().iter().all(is_offer), "nobody is told of the end of what never arrived");
    post.end().await;
}
