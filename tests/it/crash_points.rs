//! Crash points in the process: the database is gone before any of its statements, or the answer of any of its
//! commits. Whoever got no answer asks again after the restart. What happens meanwhile, and what must hold, stands
//! with the stories (`cover/crash.rs`, `cover/crash_pillars.rs`, `transfers/crash.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use touban::app::outbox::{MailToSend, Sent, Task};
use touban::app::{App, AppError};
use touban::store::Faults;
use touban::store::jobs::Lane;
use touban::time::ManualClock;

use crate::cover::at;
use crate::support::TestOffice;

/// How many points a story is told with; a variable of the environment makes it more.
pub fn points(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().map_or(usual, |n| n.parse().expect("a number"))
}

/// Where it crashes once: before a statement or behind a commit, each counted from 1; 0: nowhere.
#[derive(Debug, Default)]
pub struct Crash {
    before: usize,
    behind: usize,
    statements: AtomicUsize,
    commits: AtomicUsize,
}

impl Faults for Crash {
    fn crash_before(&self, _: &'static str) -> bool {
        self.statements.fetch_add(1, Ordering::SeqCst) + 1 == self.before
    }

    fn crash_after_commit(&self) -> bool {
        self.commits.fetch_add(1, Ordering::SeqCst) + 1 == self.behind
    }
}

impl Crash {
    /// One of the points over all that a run without a crash counted: the first loses the answer of the first commit,
    /// as a rule that of whoever asks; of the others two of three are before a statement. The places differ from run to
    /// run of the list, and cover all of it.
    fn nth(n: usize, points: usize, statements: usize, commits: usize) -> Self {
        let behind = n % 3 == 2;
        let of = if behind { commits } else { statements };
        let place = 1 + (n * of + of / 2) / points;
        match (n, behind) {
            (0, _) => Self { behind: 1, ..Self::default() },
            (_, true) => Self { behind: place, ..Self::default() },
            (_, false) => Self { before: place, ..Self::default() },
        }
    }
}

/// The process over its lives, and what it sent.
pub struct Lives {
    pub app: App,
    clock: Arc<ManualClock>,
    /// Which of them it is.
    pub life: usize,
    pub sent: Vec<MailToSend>,
}

impl Lives {
    /// Nothing crashes yet.
    pub fn of(office: &TestOffice) -> Self {
        Self { app: office.app.clone(), clock: office.clock.clone(), life: 0, sent: Vec::new() }
    }

    /// From here on it is counted, and crashes where it is to crash.
    pub fn crash(&mut self, crash: Arc<Crash>) {
        self.app.db = self.app.db.with_faults(crash);
    }

    fn owner(&self) -> String {
        format!("life {}", self.life)
    }

    /// The process is gone and comes up again in the same moment, so that the run without a crash tells which mails
    /// there are; nothing but the database knows what was.
    async fn restarts(&mut self, why: &AppError) {
        assert!(format!("{why:?}").contains("Crashed"), "{why:?}");
        self.life += 1;
        self.app.work_of_earlier_lives(&self.owner()).await.expect("one crash only");
    }

    /// Does it, and once more after a restart where no answer came.
    pub async fn again<T>(&mut self, deed: impl AsyncFn(&App) -> Result<T, AppError>) -> T {
        let app = self.app.clone();
        match deed(&app).await {
            Ok(done) => done,
            Err(crashed) => {
                self.restarts(&crashed).await;
                deed(&app).await.expect("one crash only")
            }
        }
    }

    /// Works until nothing is due.
    pub async fn works(&mut self) {
        loop {
            let owner = self.owner();
            let worked = async {
                let Some(job) = self.app.work_take((Lane::Urgent, Lane::Reports), &owner).await? else {
                    return Ok((None, false));
                };
                let Task::Mail(mail) = self.app.work_prepare(&job, &owner).await? else {
                    return Ok((None, true));
                };
                // The mail server has it before we know.
                let known = self.app.work_finish(&job, &owner, Sent::Delivered, None).await;
                Ok((Some((*mail, known)), true))
            };
            match worked.await {
                Ok((None, false)) => return,
                Ok((None, true)) => {}
                Ok((Some((mail, known)), _)) => {
                    self.sent.push(mail);
                    if let Err(crashed) = known {
                        self.restarts(&crashed).await;
                    }
                }
                Err(crashed) => self.restarts(&crashed).await,
            }
        }
    }

    /// The clock stands there, and everything due is done.
    pub async fn until(&mut self, moment: &str) {
        self.clock.set(at(moment));
        self.works().await;
    }

    /// The newest mail with a link to an address.
    pub fn newest_link(&self, address: &str) -> &MailToSend {
        let letter = self.sent.iter().rev().find(|m| m.to == address && m.text.contains("/k#"));
        letter.unwrap_or_else(|| panic!("{address} has a mail with a link"))
    }

    /// How many mails with these words in the subject an address has; copies of one count once.
    pub fn heard(&self, address: &str, words: &str) -> usize {
        let these = self.sent.iter().filter(|m| m.to == address && m.subject.contains(words));
        these.map(|m| m.message_id.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// For each reader by name and each subject, how many mails of their own there were; copies of one count once.
    /// `words`: what of a subject is the same wherever it crashes.
    pub fn mails(
        &self,
        names: &BTreeMap<String, String>,
        words: impl Fn(&str) -> &str,
    ) -> BTreeMap<(String, String), usize> {
        let mut mails: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for mail in &self.sent {
            let reader = names.get(&mail.to).cloned().unwrap_or_default();
            mails.entry((reader, words(&mail.subject).to_owned())).or_default().insert(&mail.message_id);
        }
        mails.into_iter().map(|(to, ids)| (to, ids.len())).collect()
    }

    /// Mails that went out once more under their own Message-ID.
    fn copies(&self) -> usize {
        self.sent.len() - self.sent.iter().map(|m| m.message_id.as_str()).collect::<BTreeSet<_>>().len()
    }
}

/// What happens, told again and again, each time with another crash.
pub trait Story: Sized {
    /// What must be the same wherever it crashed.
    type Outcome: Debug + PartialEq;

    /// Before anything can crash.
    async fn begins(office: TestOffice, crash: Arc<Crash>) -> Self;
    async fn goes_by(&mut self, crash: &str);
    async fn outcome(&self) -> Self::Outcome;
    fn lives(&self) -> &Lives;
    /// What it came to without a crash, so that a story in which nothing happens proves nothing.
    fn came_to(outcome: &Self::Outcome);
}

/// The story without a crash, and with one at each of so many points: the same outcome, no mail under a second
/// Message-ID, no copy of one beyond the one that was in doubt.
pub async fn holds<S: Story>(office: impl AsyncFn() -> TestOffice, points: usize) {
    let counted = Arc::new(Crash::default());
    let mut quiet = S::begins(office().await, counted.clone()).await;
    quiet.goes_by("no crash").await;
    let outcome = quiet.outcome().await;
    S::came_to(&outcome);
    assert_eq!(quiet.lives().copies(), 0, "nothing was in doubt");
    let (statements, commits) =
        (counted.statements.load(Ordering::SeqCst), counted.commits.load(Ordering::SeqCst));
    assert!(statements > 500 && commits > 50, "{statements} statements and {commits} commits");
    for n in 0..points {
        let crash = Crash::nth(n, points, statements, commits);
        let named = format!("{crash:?}");
        let mut story = S::begins(office().await, Arc::new(crash)).await;
        story.goes_by(&named).await;
        let lives = story.lives();
        assert_eq!(lives.life, 1, "{named}: it crashed once");
        assert_eq!(story.outcome().await, outcome, "{named}: the same, each mail under one Message-ID");
        assert!(lives.copies() <= lives.life, "{named}: {} copies", lives.copies());
        let verified = lives.app.verify().await.unwrap();
        assert!(verified.problems.is_empty(), "{named}: {:?}", verified.problems);
    }
}
