//! The real binary, killed with SIGKILL at random moments of the journey and started again (reliability S1, S2,
//! S4, S5, S7, F1): nothing acknowledged is lost, nothing happens twice, no mail is doubled beyond what was in
//! doubt, every open request has its next step. Of four cases at the desks one is a night cover.
//!
//! `TOUBAN_TEST_KILLS` and `TOUBAN_TEST_SEED` make it longer or another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod covers;
mod desk;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;
use touban::ids::{Chance as _, SeededChance};
use touban::time::{Clock as _, Millis, SystemClock};

use crate::support_office::Scratch;
use crate::support_smtp::{Act, FaultySmtp, ReceivedMail, Script};
use covers::{Cover, Now};
use desk::{Case, Client, Desks, Reached, Up, offers};
use service::{Installation, Life};

const KILLS: u64 = 200;
const SEED: u64 = 20_261_120;
const DESKS: usize = 6;
const DOCTORS: usize = 3;
const ASKERS: usize = 4;
/// Cases begun in one life.
const CASES_PER_LIFE: usize = 6;
/// After the service is ready it lives at most this long.
const LONGEST_LIFE_MS: u64 = 250;
/// One life in six ends this early, mostly before it is ready.
const SHORTEST_LIFE_MS: u64 = 120;
/// When the killing is over, everything has to have happened within this.
const DRAIN: Duration = Duration::from_secs(60);
/// The mails a worker can have in hand when it dies: one each, four for mails and two for urgent ones.
const WORKERS: usize = 6;
const DAY_MS: i64 = 86_400_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// For each life, how many connections the mail server had seen when its process was gone.
type Ends = Vec<usize>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_when_the_process_is_killed() {
    let (kills, seed) = (setting("TOUBAN_TEST_KILLS", KILLS), setting("TOUBAN_TEST_SEED", SEED));
    println!("crash: {kills} kills, TOUBAN_TEST_SEED={seed}");
    let scratch = Scratch::new("crash");
    let smtp = FaultySmtp::start(Script::always(Act::Deliver)).await;
    let service = Installation::make(scratch.path(), smtp.port());
    let People { askers, clinics, secret } = people(&service);
    let (tell, up) = watch::channel(Up::default());
    let client = Client::new(secret, up);
    let desks = Arc::new(Desks {
        askers,
        clinics,
        midnight: Millis(SystemClock.now().0.div_euclid(DAY_MS) * DAY_MS),
        book: desk::Book::default(),
        allowed: AtomicUsize::new(0),
        begun: AtomicUsize::new(0),
        closing: false.into(),
    });
    let mut working = tokio::task::JoinSet::new();
    for _ in 0..DESKS {
        working.spawn(desk::work(desks.clone(), client.clone()));
    }
    let chance = Arc::new(SeededChance::new(seed));
    let checked = Arc::new(AtomicUsize::new(0));
    working.spawn(keep_checking(desks.clone(), client.clone(), chance.clone(), checked.clone()));

    let begun = Instant::now();
    let mut ends: Ends = Vec::new();
    let (mut ready, mut unready) = (Vec::new(), 0);
    for _ in 0..kills {
        desks.allowed.store(desks.begun.load(Ordering::SeqCst) + CASES_PER_LIFE, Ordering::SeqCst);
        let mut life = service.serve();
        if chance.below(6) == 0 {
            wait_ms(chance.below(SHORTEST_LIFE_MS)).await;
            unready += 1;
        } else {
            ready.push(come_up(&service, &mut life, &tell).await);
            wait_ms(chance.below(LONGEST_LIFE_MS)).await;
        }
        let number = life.number;
        life.kill();
        tell.send_replace(Up { life: number + 1, base: None });
        ends.push(smtp.connections());
        assert!(!any_failed(&mut working), "a desk found something wrong\n{}", service.last_words());
    }
    let killing = begun.elapsed();

    // The last life: everything that was begun comes to its end.
    let mut life = service.serve();
    ready.push(come_up(&service, &mut life, &tell).await);
    desks.allowed.store(0, Ordering::SeqCst);
    desks.closing.store(true, Ordering::SeqCst);
    let finished = tokio::time::timeout(DRAIN, async {
        while working.join_next().await.is_some_and(|w| {
            w.expect("a desk that found nothing wrong");
            true
        }) {}
    });
    assert!(finished.await.is_ok(), "cases do not come to their end\n{}", service.last_words());
    let mut client = client;
    let (cases, covers) = (desks.book.cases(), desks.book.covers.all());
    everything_is_there(&mut client, &desks, &cases, &covers).await;
    let mails = drained(&smtp, &cases, &covers).await;
    let copies = mails_are_single(&mails, &ends, &covers);
    assert!(life.stop().await, "SIGTERM ends it well\n{}", service.last_words());

    let verified = service.run(&["verify", "--json"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let findings: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(findings["problems"], Value::Array(Vec::new()));
    // A cover is a request, and so is each of its slots.
    assert_eq!(findings["requests"], cases.len() + requests_of(&covers));

    ready.sort();
    let (doubt, happened) =
        (desks.book.in_doubt.load(Ordering::Relaxed), desks.book.had_happened.load(Ordering::Relaxed));
    println!(
        "crash: {kills} kills in {:.1} s ({unready} before it was ready), {} cases, {} covers, {} changes acknowledged, 0 lost; \
         {doubt} in doubt of which {happened} had happened; {} looks after a kill; {} mails and {copies} further \
         copies; ready p50 {:?} max {:?}",
        killing.as_secs_f64(),
        cases.len(),
        covers.len(),
        desks.book.acknowledged(),
        checked.load(Ordering::Relaxed),
        mails.len() - copies,
        ready[ready.len() / 2],
        ready[ready.len() - 1],
    );
    // A run in which the rare things did not happen has shown nothing.
    assert!(doubt > 0, "the kills never hit a change");
    assert!(happened > 0 || kills < KILLS, "no kill came between a commit and its answer");
    assert!(cases.iter().any(|c| c.reached == Reached::Withdrawn));
    let ends: Vec<_> = covers.iter().flat_map(|c| &c.slots).map(|slot| &slot.now).collect();
    let all = [Now::Open, Now::Withdrawn].iter().all(|now| ends.contains(&now))
        && ends.iter().any(|now| matches!(now, Now::Taken(_)));
    assert!(all || kills < KILLS, "slots end in every way: {ends:?}");
}

fn requests_of(covers: &[Cover]) -> usize {
    covers.iter().map(|cover| 1 + cover.parts).sum()
}

/// Who asks, for what, and the key of the API.
struct People {
    askers: Vec<String>,
    clinics: Vec<String>,
    secret: String,
}

/// An association with its people, by the commands an office would use.
fn people(service: &Installation) -> People {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let at = ["--association", "aoba"];
    service.admin(&[
        "create-association",
        "--code",
        "aoba",
        "--name",
        "青葉市医師会",
        "--office-phone",
        "050-0000-0000",
    ]);
    let institution = |name: &str| {
        let named = ["create-institution", "--name", name, "--area", "青葉北"];
        id(&service.admin(&[named.as_slice(), &at].concat()))
    };
    let member = |name: &str, email: &str, institution: &str, role: &str, more: &[&str]| {
        let named = ["create-member", "--name", name, "--email", email, "--institution", institution];
        id(&service.admin(&[named.as_slice(), &["--role", role], more, &at].concat()))
    };
    let clinic = institution("佐藤医院");
    let askers = (0..ASKERS)
        .map(|n| member("佐藤 義男", &format!("sato{n}@example.jp"), &clinic, "physician", &[]))
        .collect();
    member("鈴木 健一", "suzuki@example.jp", &clinic, "coordinator", &[]);
    for n in 0..DOCTORS {
        let home = institution(&format!("皮膚科医院{n}"));
        let offers = ["--specialty", "dermatology"];
        member("伊藤 恵子", &format!("ito{n}@example.jp"), &home, "specialist", &offers);
    }
    let clinics = (0..covers::CLINICS)
        .map(|n| {
            let home = institution(&format!("内科医院{n}"));
            member("田中 和子", &format!("tanaka{n}@example.jp"), &home, "physician", &[])
        })
        .collect();
    let scopes = ["read", "request", "act_for", "audit", "ledger"].map(|s| ["--scope", s]).concat();
    let key = service.admin(&[&["create-key", "--label", "crash"], scopes.as_slice(), &at].concat());
    People { askers, clinics, secret: key["secret"].as_str().unwrap().to_owned() }
}

async fn come_up(service: &Installation, life: &mut Life, tell: &watch::Sender<Up>) -> Duration {
    let Some((base, took)) = life.ready().await else {
        panic!("the service ended by itself\n{}", service.last_words());
    };
    tell.send_replace(Up { life: life.number, base: Some(base) });
    took
}

#[expect(clippy::disallowed_methods, reason = "the moment of a kill is a moment")]
async fn wait_ms(wait: u64) {
    tokio::time::sleep(Duration::from_millis(wait)).await;
}

fn any_failed(working: &mut tokio::task::JoinSet<()>) -> bool {
    working.try_join_next().is_some_and(|w| w.is_err())
}

/// In every life: what was acknowledged before is there, and is answered as before when it is said again.
async fn keep_checking(
    desks: Arc<Desks>,
    mut client: Client,
    chance: Arc<SeededChance>,
    checked: Arc<AtomicUsize>,
) {
    let mut next = 0;
    while !desks.closing.load(Ordering::SeqCst) {
        let cases = desks.book.cases();
        if cases.is_empty() {
            wait_ms(5).await;
            continue;
        }
        // The newest in turn, and old ones here and there.
        next = if next + 1 < cases.len() { next + 1 } else { 0 };
        let old = usize::try_from(chance.below(cases.len() as u64)).unwrap();
        for case in [&cases[next], &cases[old]] {
            if let Some((status, found)) = client.try_get(&format!("/api/v1/requests/{}", case.request)).await
            {
                assert_eq!(status, 200, "{} was acknowledged: {found}", case.case_no);
                holds(case, &found);
                checked.fetch_add(1, Ordering::Relaxed);
            }
        }
        let covers = desks.book.covers.all().len();
        if covers > 0 {
            let at = usize::try_from(chance.below(covers as u64)).unwrap();
            let looked = desks.book.covers.look(&mut client, at).await;
            checked.fetch_add(usize::from(looked), Ordering::Relaxed);
        }
        if let Some(before) = desks.book.some_acknowledged(|n| chance.below(n))
            && let Some((status, again, said)) = client.replay(&before).await
        {
            assert!(again, "{} {} was done again", before.path, before.key);
            assert_eq!((status, &said), (before.status, &before.said), "{}", before.path);
            checked.fetch_add(1, Ordering::Relaxed);
        }
        wait_ms(10).await;
    }
}

/// The case is at least where it was acknowledged to be.
fn holds(case: &Case, found: &Value) {
    let state = found["state"].as_str().unwrap_or_default();
    assert!(case.reached.states().contains(&state), "{} was {:?} and is {state}", case.case_no, case.reached);
    assert_eq!(found["case_no"], case.case_no.as_str());
    if let Some(taker) = &case.taker {
        let accepted: Vec<&Value> = offers(found).filter(|o| o["state"] == "accepted").collect();
        assert_eq!(accepted.len(), 1, "{found}");
        assert_eq!(accepted[0]["member"], taker.as_str());
    }
}

/// At the end: every case is where it was brought, and every change stands once in the log.
async fn everything_is_there(client: &mut Client, desks: &Desks, cases: &[Case], covers: &[Cover]) {
    assert_eq!(cases.len() + covers.len(), desks.begun.load(Ordering::SeqCst));
    let numbers: BTreeSet<&str> =
        cases.iter().map(|c| c.case_no.as_str()).chain(covers.iter().map(|c| c.case_no.as_str())).collect();
    assert_eq!(numbers.len(), cases.len() + covers.len(), "no case has the number of another");
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = client.get(&format!("/api/v1/events?after={after}&limit=500")).await;
        let events = page["items"].as_array().unwrap();
        for event in events {
            // The order of the feed has no holes: a reader that remembers the last number misses nothing.
            let seq = event["seq"].as_i64().unwrap();
            assert_eq!(seq, after + 1);
            after = seq;
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            *seen.entry((text("action"), text("subject"))).or_default() += 1;
        }
        if events.is_empty() {
            break;
        }
    }
    for case in cases {
        let found = client.get(&format!("/api/v1/requests/{}", case.request)).await;
        holds(case, &found);
        let stored = case.request.trim_start_matches("req_");
        let times = |action: &str| {
            let subjects = [format!("request:{stored}"), format!("request:{}", case.request)];
            let count =
                |subject: &String| seen.get(&(action.to_owned(), subject.clone())).copied().unwrap_or(0);
            subjects.iter().map(count).sum::<usize>()
        };
        let withdrawn = case.reached == Reached::Withdrawn;
        assert!(withdrawn || case.reached == Reached::Completed, "{case:?}");
        let once = usize::from(!withdrawn);
        let done =
            ["request.ask", "request.withdraw", "offer.accept", "request.report", "request.close"].map(times);
        assert_eq!(done, [1, 1 - once, once, once, once], "{}", case.case_no);
    }
    for cover in covers {
        cover.holds(&client.get(&format!("/api/v1/covers/{}", cover.request)).await);
        cover.stands_once(&seen);
        assert!(cover.slots.iter().all(|slot| slot.now != Now::Moving), "{cover:?}");
    }
    // Every wish that is open has had its next step all along: the self-check found nothing to mend.
    assert!(seen.keys().all(|(action, _)| action != "request.repaired"), "{seen:?}");
    let asked = seen.iter().filter(|((action, _), _)| action == "request.ask").count();
    assert_eq!(asked, cases.len() + requests_of(covers), "nothing was asked that nobody was told of");
}

/// What a doctor is asked with.
const OFFER: &str = "相談のお願い（";
/// What a completed case sends to its two doctors, whatever happens.
const NOTICES: [&str; 4] =
    ["お引き受けの確認", "お引き受けがありました", "回答が届きました", "相談が終わりました"];

/// Everything that was mailed, once every completed case has sent its notices.
async fn drained(smtp: &FaultySmtp, cases: &[Case], covers: &[Cover]) -> Vec<ReceivedMail> {
    let number =
        |subject: &str| subject.rsplit_once("（受付").map(|(_, n)| n.trim_end_matches('）').to_owned());
    let mut missing: BTreeSet<(String, &str)> = cases
        .iter()
        .flat_map(|case| {
            let notices = if case.reached == Reached::Completed { NOTICES.as_slice() } else { &[] };
            let offer = case.asked.then_some(OFFER);
            notices.iter().copied().chain(offer).map(|words| (case.case_no.clone(), words))
        })
        .collect();
    let taken = |cover: &&Cover| cover.slots.iter().any(|slot| slot.accepted > 0);
    missing.extend(covers.iter().filter(taken).map(|cover| (cover.case_no.clone(), covers::TAKEN)));
    let (deadline, mut read) = (Instant::now() + DRAIN, 0);
    loop {
        let mails = smtp.received();
        for subject in mails[read..].iter().map(ReceivedMail::subject) {
            for words in
                NOTICES.into_iter().chain([OFFER, covers::TAKEN]).filter(|words| subject.contains(words))
            {
                missing.remove(&(number(&subject).unwrap_or_default(), words));
            }
        }
        read = mails.len();
        match missing.first() {
            None => return mails,
            Some(mail) => assert!(Instant::now() < deadline, "{mail:?} and {} in all", missing.len()),
        }
        wait_ms(50).await;
    }
}

/// One logical mail is one Message-ID; a second copy comes from a later life than the first, and no kill
/// doubles more mails than there are workers. Returns the further copies.
fn mails_are_single(mails: &[ReceivedMail], ends: &Ends, covers: &[Cover]) -> usize {
    let life = |mail: &ReceivedMail| ends.iter().filter(|end| **end < mail.connection).count();
    let mut copies: BTreeMap<String, Vec<&ReceivedMail>> = BTreeMap::new();
    let mut meant: BTreeMap<(Vec<String>, String), BTreeSet<String>> = BTreeMap::new();
    for mail in mails {
        copies.entry(mail.message_id()).or_default().push(mail);
        let subject = mail.subject();
        if !covers.iter().any(|cover| cover.asks_again(&subject)) {
            meant.entry((mail.to.clone(), subject)).or_default().insert(mail.message_id());
        }
    }
    for ((to, subject), ids) in &meant {
        assert_eq!(ids.len(), 1, "{to:?} has {subject} under several Message-IDs");
    }
    let mut doubled_by = vec![0usize; ends.len() + 1];
    let mut further = 0;
    for (id, mails) in &copies {
        let lives: Vec<usize> = mails.iter().map(|m| life(m)).collect();
        assert!(lives.windows(2).all(|pair| pair[0] < pair[1]), "{id} came twice without a kill: {lives:?}");
        for died in &lives[..lives.len() - 1] {
            doubled_by[*died] += 1;
            further += 1;
        }
    }
    assert!(doubled_by.iter().all(|doubled| *doubled <= WORKERS), "{doubled_by:?}");
    further
}
