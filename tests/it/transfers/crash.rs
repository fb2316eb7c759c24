//! Two transfers with a crash before any of their statements, or behind any of their commits (reliability S1, S4, S5,
//! S7): one that the attending doctor refuses, of which nobody else ever hears; and one on which he stays silent, so
//! that an officer decides and clinics are asked, of which one takes the patient over, gives it back, and is followed
//! by another. The gate holds wherever it crashes, and whoever says it again is told what stands.
//!
//! `TOUBAN_TEST_TRANSFER_CRASHES` makes it more points.

use std::collections::BTreeMap;
use std::sync::Arc;

use touban::app::answers::{Ended, LinkAnswer};
use touban::app::consult::Asking;
use touban::app::replay::Key;
use touban::app::transfer::{TransferAnswered, TransferDated, TransferSaid};
use touban::app::{App, Who};
use touban::domain::dispatch::Rule;
use touban::domain::transfer::gate_result;
use touban::ids::{MemberId, RequestId};

use super::{Ward, at};
use crate::crash_points::{Crash, Lives, Story, holds, points};
use crate::pages::browser::token_of;
use crate::support::{PIN, TestOffice};

/// Points of a run, spread over the statements and the commits of both transfers.
const POINTS: usize = 24;
const MORE: &str = "TOUBAN_TEST_TRANSFER_CRASHES";

struct Handovers {
    ward: Ward,
    lives: Lives,
    /// The one that goes on, and the one that is refused, with its number.
    goes_on: Option<RequestId>,
    refused: Option<(RequestId, String)>,
}

fn says(yes: bool, words: &str) -> TransferSaid {
    TransferSaid { yes, words: words.to_owned(), informed: None, reply: None }
}

/// A yes of a clinic that spoke to the attending doctor.
fn informed() -> TransferSaid {
    TransferSaid { informed: Some(at("2026-11-21T10:00:00+09:00")), ..says(true, "") }
}

/// The person is told that the answer stands; `again`: as somebody is who has answered before.
fn stands(answer: &TransferAnswered) -> bool {
    match answer {
        TransferAnswered::Answered { .. } => true,
        TransferAnswered::Not(link) => {
            let LinkAnswer::Ended { why, .. } = &**link else { return false };
            matches!(why, Ended::AcceptedByYou { .. } | Ended::DeclinedByYou)
        }
        _ => false,
    }
}

impl Handovers {
    fn who(&self, person: &MemberId) -> Who {
        Who::member(&self.ward.office().association, person)
    }

    async fn asks(&mut self, key: &'static str) -> (RequestId, String) {
        let nurse = self.ward.nurse.clone();
        let (who, new) = (self.who(&nurse), self.ward.new_transfer());
        let key = Key::new(key, "transfer", key.as_bytes());
        let asks = async |app: &App| {
            let asking = Asking { asker: nurse.clone(), in_person: true, channel: "web" };
            app.transfer_ask(&who, asking, new.clone(), Some(&key)).await
        };
        let asked = self.lives.again(asks).await.into_inner();
        self.lives.works().await;
        (asked.request, asked.case_no)
    }

    /// By the newest link that somebody has.
    async fn answers(&mut self, person: &MemberId, said: TransferSaid) -> TransferAnswered {
        let token = token_of(self.lives.newest_link(&self.ward.address(person).await));
        let answers = async |app: &App| {
            app.transfer_link_answer(&token, Some(said.clone()), Some(PIN), None, false).await
        };
        let answer = self.lives.again(answers).await;
        self.lives.works().await;
        answer
    }

    /// The clock stands there; nobody but the nurse, the attending doctor and the officer was told anything.
    async fn until_with_the_gate_shut(&mut self, moment: &str, crash: &str) {
        self.lives.until(moment).await;
        self.the_gate_is_shut(crash).await;
    }

    async fn the_gate_is_shut(&self, crash: &str) {
        assert_eq!(self.ward.clinics_told(&self.lives.sent).await, 0, "{crash}: a clinic heard of it");
    }

    async fn state(&self) -> String {
        self.ward.state(self.goes_on.as_ref().unwrap()).await
    }
}

impl Story for Handovers {
    /// What became of both, what the gate said, and for each reader and subject how many mails of their own there were.
    type Outcome = (Vec<String>, BTreeMap<(String, String), usize>);

    async fn begins(office: TestOffice, crash: Arc<Crash>) -> Self {
        let ward = Ward::new(office).await;
        let mut lives = Lives::of(ward.office());
        lives.crash(crash);
        Self { ward, lives, goes_on: None, refused: None }
    }

    async fn goes_by(&mut self, crash: &str) {
        let (attending, officer) = (self.ward.attending().clone(), self.ward.officer.clone());
        let nurse = self.ward.nurse.clone();
        let [first, second, third] = self.ward.receivers.clone().try_into().unwrap();
        let (id, _) = self.asks("goes on").await;
        self.goes_on = Some(id.clone());
        self.refused = Some(self.asks("is refused").await);
        // The newest link is that of the second.
        let no = self.answers(&attending, says(false, "私が診ます")).await;
        assert!(stands(&no), "{crash}: {no:?}");
        self.until_with_the_gate_shut("2026-11-21T09:59:59+09:00", crash).await;
        assert_eq!(self.ward.to(&officer, &self.lives.sent).await.len(), 0, "{crash}: not before a day");
        self.until_with_the_gate_shut("2026-11-21T10:00:01+09:00", crash).await;
        self.until_with_the_gate_shut("2026-11-22T09:00:00+09:00", crash).await;
        let decided = self.answers(&officer, says(true, "入院中と確認した")).await;
        assert!(stands(&decided), "{crash}: {decided:?}");
        for clinic in [&first, &second, &third] {
            let heard = self.lives.heard(&self.ward.address(clinic).await, "");
            assert_eq!(heard, 1, "{crash}: the gate is open");
        }
        // Not without having spoken to the attending doctor.
        let missing = self.answers(&first, says(true, "")).await;
        let rule = matches!(missing, TransferAnswered::Refused(Rule::AttendingNotInformed));
        assert!(rule, "{crash}: {missing:?}");
        let no = self.answers(&third, says(false, "")).await;
        assert!(stands(&no), "{crash}: {no:?}");
        let yes = self.answers(&first, informed()).await;
        assert!(stands(&yes), "{crash}: {yes:?}");
        let late = self.answers(&second, informed()).await;
        assert!(!stands(&late), "{crash}: one clinic has it: {late:?}");
        assert_eq!(self.state().await, "taken", "{crash}");
        self.lives.until("2026-11-22T15:00:00+09:00").await;
        let (gives, key) = (self.who(&first), Key::new("back", "transfer", b"first"));
        let back = async |app: &App| app.request_release(&gives, &id, &first, Some(&key)).await.map(drop);
        self.lives.again(back).await;
        self.lives.works().await;
        assert_eq!(self.state().await, "open", "{crash}");
        let yes = self.answers(&second, informed()).await;
        assert!(stands(&yes), "{crash}: {yes:?}");
        let taker = self.ward.case(&id).await.line.taker().cloned();
        assert_eq!(taker.as_ref(), Some(&second), "{crash}");
        // From which day; then the nurse closes it.
        self.lives.until("2026-11-23T09:00:00+09:00").await;
        let (dates, key) = (self.who(&second), Key::new("date", "transfer", b"second"));
        let dated =
            TransferDated { effective: "2026-12-03".parse().unwrap(), note: "CANARY-DATED".to_owned() };
        let date =
            async |app: &App| app.transfer_date(&dates, &id, &second, dated.clone(), "web", Some(&key)).await;
        self.lives.again(date).await;
        self.lives.works().await;
        let (closes, key) = (self.who(&nurse), Key::new("close", "transfer", b"nurse"));
        self.lives.again(async |app| app.transfer_close(&closes, &id, "web", Some(&key)).await).await;
        self.lives.works().await;
        self.lives.until("2026-12-03T00:00:30+09:00").await;

        // Of the one that was refused nobody but the two ever heard, and nothing of a patient left the house.
        let (_, number) = self.refused.as_ref().unwrap();
        let two = [self.ward.address(&nurse).await, self.ward.address(&attending).await];
        for mail in &self.lives.sent {
            assert!(!mail.subject.contains(number.as_str()) || two.contains(&mail.to), "{crash}: {mail:?}");
            let all = format!("{} {} {}", mail.subject, mail.text, mail.html);
            assert!(!all.contains("CANARY") && !all.contains("さとう内科"), "{crash}: {all}");
        }
        assert_eq!(self.lives.app.self_check().await.unwrap(), 0, "{crash}");
    }

    async fn outcome(&self) -> Self::Outcome {
        let case = self.ward.case(self.goes_on.as_ref().unwrap()).await;
        let said = case.said.iter().map(|said| said.code.clone());
        let gate = serde_json::to_string(&gate_result(&case.line.request)).unwrap();
        let (refused, _) = self.refused.as_ref().unwrap();
        let mut stand = vec![case.line.request.state.code().to_owned(), self.ward.state(refused).await, gate];
        stand.extend(said);
        let office = self.ward.office();
        let (event, _) = office.app.ledger_event(&office.association, &case.line.case.id).await.unwrap();
        let facts = serde_json::to_value(&event).unwrap();
        stand.push(format!("{} {}", facts["kind"], facts["gate"]));
        let mut names = BTreeMap::new();
        let desk = [("主治医", &office.asker), ("調整", &office.coordinator), ("事務", &office.clerk)];
        let ward = [("看護", &self.ward.nurse), ("理事", &self.ward.officer)];
        let clinics = ["在宅一", "在宅二", "在宅三"].into_iter().zip(&self.ward.receivers);
        for (name, id) in desk.into_iter().chain(ward).chain(clinics) {
            names.insert(self.ward.address(id).await, name.to_owned());
        }
        (stand, self.lives.mails(&names, |subject| subject))
    }

    fn lives(&self) -> &Lives {
        &self.lives
    }

    fn came_to((stand, mails): &Self::Outcome) {
        assert_eq!(stand[..3], ["closed", "refused", "\"decided_by_officer\""], "{stand:?}");
        let heard = |to: &str, words: &str| -> usize {
            let these = mails.iter().filter(|((reader, subject), _)| reader == to && subject.contains(words));
            these.map(|(_, n)| n).sum()
        };
        let asked = "患者さんの引き受けのお願い";
        assert_eq!(["在宅一", "在宅二", "在宅三"].map(|clinic| heard(clinic, asked)), [1, 2, 1], "{mails:?}");
        assert_eq!(heard("主治医", "患者さんの引継ぎのご相談"), 2, "one of each: {mails:?}");
        assert_eq!(
            (heard("理事", "引継ぎの判断のお願い"), heard("主治医", "担当理事が判断しました")),
            (1, 1)
        );
        assert_eq!(
            (heard("看護", "引き受け先が決まりました"), heard("看護", "引き受けが取り消されました")),
            (2, 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_keeps_its_gate_and_loses_nothing_wherever_it_crashes_on_sqlite() {
    holds::<Handovers>(async || TestOffice::sqlite().await, points(MORE, POINTS)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_keeps_its_gate_and_loses_nothing_wherever_it_crashes_on_postgres() {
    if TestOffice::postgres().await.is_none() {
        return;
    }
    holds::<Handovers>(async || TestOffice::postgres().await.expect("a server"), points(MORE, POINTS) / 4)
        .await;
}
