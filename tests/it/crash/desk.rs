//! The desks that work while the service is being killed: each takes cases from the question to the close
//! by the API, sends everything again under the same key until it is answered, and remembers what it was told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use touban::time::{Clock as _, Millis, SystemClock};

use super::covers::{Covers, EVERY, cover};

/// After this long without an answer from a service that seems to be up, the same is sent again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Where the service listens in its present life; `None` between lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Up {
    pub life: u32,
    pub base: Option<String>,
}

/// A change that was answered: the service owes it to us from now on.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub path: String,
    pub key: String,
    pub body: Value,
    pub status: u16,
    pub said: Value,
}

/// How far a case has been acknowledged. The order is the order of a case's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    Asked,
    Accepted,
    Reported,
    Completed,
    Withdrawn,
}

impl Reached {
    /// The states in which the case may be found after that.
    pub const fn states(self) -> &'static [&'static str] {
        match self {
            Self::Asked => &["open", "taken", "reported", "closed", "withdrawn"],
            Self::Accepted => &["taken", "reported", "closed"],
            Self::Reported => &["reported", "closed"],
            Self::Completed => &["closed"],
            Self::Withdrawn => &["withdrawn"],
        }
    }
}

#[derive(Clone, Debug)]
pub struct Case {
    pub request: String,
    pub case_no: String,
    pub reached: Reached,
    /// The doctor who was told that it is theirs.
    pub taker: Option<String>,
    /// A doctor was seen to have been asked: the mail server has that mail.
    pub asked: bool,
}

/// What all desks remember, and what they count.
#[derive(Debug, Default)]
pub struct Book {
    cases: Mutex<Vec<Case>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    pub covers: Covers,
    /// Sent, and the answer never came.
    pub in_doubt: AtomicUsize,
    /// Of these, had been done all the same.
    pub had_happened: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    pub fn cases(&self) -> Vec<Case> {
        lock(&self.cases).clone()
    }

    pub fn acknowledged(&self) -> usize {
        lock(&self.acknowledged).len()
    }

    /// One of the changes that were answered.
    pub fn some_acknowledged(&self, choice: impl Fn(u64) -> u64) -> Option<Acknowledged> {
        let all = lock(&self.acknowledged);
        all.get(usize::try_from(choice(u64::try_from(all.len()).ok()?)).ok()?).cloned()
    }

    fn asked(&self, case: Case) -> usize {
        let mut cases = lock(&self.cases);
        cases.push(case);
        cases.len() - 1
    }

    fn was_asked(&self, at: usize) {
        lock(&self.cases)[at].asked = true;
    }

    fn reached(&self, at: usize, reached: Reached, taker: Option<&str>) {
        let mut cases = lock(&self.cases);
        cases[at].reached = reached;
        if let Some(taker) = taker {
            cases[at].taker = Some(taker.to_owned());
        }
    }
}

/// The way to the service, over all its lives.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    secret: String,
    pub up: watch::Receiver<Up>,
}

impl Client {
    pub fn new(secret: String, up: watch::Receiver<Up>) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { http, secret, up }
    }

    async fn base(&mut self) -> Up {
        self.up.wait_for(|up| up.base.is_some()).await.expect("the test goes on").clone()
    }

    /// Waits for the next life, but not for ever: a connection can break without anybody dying.
    async fn next_life(&mut self, after: u32) {
        let _ = tokio::time::timeout(ASK_AGAIN, self.up.wait_for(|up| up.life > after)).await;
    }

    /// Sends it until it is answered.
    pub async fn post(&mut self, path: &str, key: &str, body: &Value, book: &Book) -> (u16, Value) {
        let mut doubt = false;
        loop {
            let up = self.base().await;
            let url = format!("{}{path}", up.base.unwrap_or_default());
            let sent =
                self.http.post(url).bearer_auth(&self.secret).header("Idempotency-Key", key).json(body);
            let answer = match sent.send().await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    let again = answer.headers().contains_key("idempotency-replayed");
                    answer.text().await.map(|text| (status, again, text))
                }
                Err(e) => Err(e),
            };
            match answer {
                Ok((503, ..)) => self.next_life(up.life).await,
                Ok((status, again, text)) => {
                    assert!(status < 500, "{path}: {status} {text}");
                    assert!(!again || doubt, "{path}: a first answer says that it was given before");
                    if again {
                        book.had_happened.fetch_add(1, Ordering::Relaxed);
                    }
                    let said: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                    lock(&book.acknowledged).push(Acknowledged {
                        path: path.to_owned(),
                        key: key.to_owned(),
                        body: body.clone(),
                        status,
                        said: said.clone(),
                    });
                    return (status, said);
                }
                Err(e) => {
                    // What could not even be connected to has done nothing.
                    if !e.is_connect() && !doubt {
                        doubt = true;
                        book.in_doubt.fetch_add(1, Ordering::Relaxed);
                    }
                    self.next_life(up.life).await;
                }
            }
        }
    }

    /// `None` when the service died on the way.
    pub async fn try_get(&mut self, path: &str) -> Option<(u16, Value)> {
        let up = self.base().await;
        let url = format!("{}{path}", up.base.unwrap_or_default());
        let answer = self.http.get(url).bearer_auth(&self.secret).send().await.ok()?;
        let status = answer.status().as_u16();
        let said = answer.json().await.ok()?;
        (status != 503).then_some((status, said))
    }

    pub async fn get(&mut self, path: &str) -> Value {
        loop {
            let life = self.up.borrow().life;
            match self.try_get(path).await {
                Some((200, said)) => return said,
                Some((status, said)) => panic!("GET {path}: {status} {said}"),
                None => self.next_life(life).await,
            }
        }
    }

    /// Says something again that was answered long ago; `None` when the service died on the way.
    pub async fn replay(&mut self, before: &Acknowledged) -> Option<(u16, bool, Value)> {
        let up = self.base().await;
        let url = format!("{}{}", up.base.unwrap_or_default(), before.path);
        let sent = self.http.post(url).bearer_auth(&self.secret).header("Idempotency-Key", &before.key);
        let answer = sent.json(&before.body).send().await.ok()?;
        let status = answer.status().as_u16();
        let again = answer.headers().contains_key("idempotency-replayed");
        let said = answer.json().await.ok()?;
        (status != 503).then_some((status, again, said))
    }
}

/// What the desks share.
#[derive(Debug)]
pub struct Desks {
    pub askers: Vec<String>,
    /// Doctors who have their clinic covered.
    pub clinics: Vec<String>,
    /// The midnight in UTC before all this began: covers lie whole days after it.
    pub midnight: Millis,
    pub book: Book,
    /// Cases that may have been begun by now; raised in every life, so that the mails keep up.
    pub allowed: AtomicUsize,
    pub begun: AtomicUsize,
    pub closing: AtomicBool,
}

impl Desks {
    /// The number of the next case; `None` when there is none to begin now.
    fn take(&self) -> Option<usize> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let take = |n| (n < allowed).then_some(n + 1);
        self.begun.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).ok()
    }
}

/// Works until the desks close; a case that was begun is brought to its end.
#[expect(clippy::disallowed_methods, reason = "a desk without work looks again")]
pub async fn work(desks: Arc<Desks>, mut client: Client) {
    loop {
        match desks.take() {
            Some(number) if number % EVERY == EVERY - 1 => cover(&desks, &mut client, number).await,
            Some(number) => case(&desks, &mut client, number).await,
            None if desks.closing.load(Ordering::SeqCst) => return,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn case(desks: &Desks, client: &mut Client, number: usize) {
    let book = &desks.book;
    let asker = &desks.askers[number % desks.askers.len()];
    let (status, said) =
        client.post("/api/v1/requests", &format!("ask-{number}"), &question(asker), book).await;
    assert_eq!(status, 201, "{said}");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {said}")).to_owned();
    let (request, case_no) = (text(&said["id"]), text(&said["case_no"]));
    let case = Case { request: request.clone(), case_no, reached: Reached::Asked, taker: None, asked: false };
    let at = book.asked(case);
    let place = format!("/api/v1/requests/{request}");
    // Most cases move on at once, the others when the mail has reached somebody.
    if number % 4 == 1 {
        until_asked(client, &place).await;
        book.was_asked(at);
    }
    if number % 16 == 5 || number % 16 == 10 {
        let (status, said) =
            client.post(&format!("{place}/cancel"), &format!("cancel-{number}"), &json!({}), book).await;
        assert_eq!((status, &said["state"]), (200, &json!("withdrawn")), "{said}");
        return book.reached(at, Reached::Withdrawn, None);
    }
    let found = client.get(&place).await;
    let offers: Vec<(String, String)> =
        offers(&found).map(|offer| (text(&offer["id"]), text(&offer["member"]))).collect();
    let racers = if number.is_multiple_of(4) { 2 } else { 1 };
    let (_, taker) = accept(book, client, number, &offers, (racers, "advice")).await;
    book.reached(at, Reached::Accepted, Some(&taker));
    let body = report(&taker);
    let (status, said) =
        client.post(&format!("{place}/report"), &format!("report-{number}"), &body, book).await;
    assert_eq!(status, 200, "{said}");
    book.reached(at, Reached::Reported, None);
    let (status, said) =
        client.post(&format!("{place}/complete"), &format!("complete-{number}"), &close(), book).await;
    assert_eq!(status, 200, "{said}");
    book.reached(at, Reached::Completed, None);
}

/// Everybody who was asked.
pub fn offers(found: &Value) -> impl Iterator<Item = &Value> {
    found["offers"].as_array().unwrap_or_else(|| panic!("no offers in {found}")).iter()
}

/// Waits until the mail server has taken the mail to one of the doctors.
#[expect(clippy::disallowed_methods, reason = "a state outside is waited for by looking again")]
async fn until_asked(client: &mut Client, place: &str) {
    while offers(&client.get(place).await).all(|offer| offer["state"] == "pending") {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// One doctor accepts, or two at the same time and one of them is told that it is taken: the offer and the doctor.
pub async fn accept(
    book: &Book,
    client: &Client,
    number: usize,
    offers: &[(String, String)],
    (racers, terms): (usize, &str),
) -> (String, String) {
    let said = futures_util::future::join_all(offers.iter().take(racers).map(|(offer, member)| {
        let mut client = client.clone();
        async move {
            let (path, key) = (format!("/api/v1/offers/{offer}/accept"), format!("accept-{number}-{offer}"));
            let (status, said) = client.post(&path, &key, &json!({ "terms": terms }), book).await;
            assert!(matches!(status, 200 | 409), "{status} {said}");
            (status, (offer.clone(), member.clone()))
        }
    }))
    .await;
    let takers: Vec<_> = said.into_iter().filter(|(status, _)| *status == 200).map(|(_, m)| m).collect();
    assert_eq!(takers.len(), 1, "one of {racers} has it");
    takers.into_iter().next().unwrap()
}

fn question(asker: &str) -> Value {
    json!({
        "kind": "consult",
        "on_behalf_of": asker,
        "consult": {
            "specialty": "dermatology",
            "mode": "advice",
            "area": "青葉北",
            "answer_by": SystemClock.now().plus_s(2 * 86_400).rfc3339(),
            "decade": 80,
            "sex": "female",
            "condition": "wound",
            "can_travel": "no",
            "question": "仙骨部に3cmの黒色壊死があります。",
            "tried": "洗浄と軟膏",
        },
    })
}

fn report(taker: &str) -> Value {
    json!({
        "on_behalf_of": taker,
        "minutes": 15,
        "outcome": "advice",
        "assessment": "III度の褥瘡と思われます。",
    })
}

fn close() -> Value {
    json!({ "survey": { "avoided": "yes", "newly_needed": "no", "helpful": 5, "in_time": "yes" } })
}
