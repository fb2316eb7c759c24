//! The whole program on the real bridge: what goes wrong on the phones at night, a bridge that dies, and what the doctor
//! says of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use touban::app::Who;
use touban::app::call::CallLine;
use touban::app::people::NewMember;
use touban::domain::call::policy::Policy;
use touban::domain::people::Role;

use super::network::{PATIENCE, a_moment, breathe};
use super::night::{DEPUTY, DEPUTY_VOICE, NIGHT, NURSE, NURSE_VOICE, Night, PRIMARY, PRIMARY_VOICE};
use crate::support::{PIN, new_member};

/// Waits until a call in the order of their beginning is so.
async fn until(night: &Night, what: &str, nth: usize, so: impl Fn(&CallLine) -> bool) -> CallLine {
    let begun = Instant::now();
    loop {
        let calls = night.calls().await;
        if let Some(line) = calls.get(nth).filter(|line| so(line)) {
            return line.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {calls:?}\n{}", night.last_words());
        breathe().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_wrong_pin_is_asked_again_and_the_report_comes_by_key() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.nurse_calls().await;
    night.picks_up(PRIMARY).await;
    let primary = night.primary.clone();
    night.presses_1(PRIMARY, &primary).await;
    night.network.press(PRIMARY, "*0000");
    a_moment().await;
    night.leg(&primary, "screening").await;
    night.keys_pin(PRIMARY).await;
    night.they_talk(PRIMARY, PRIMARY_VOICE).await;
    night.stage("talking").await;
    night.network.hang_up("nurse");
    night.network.wait(PRIMARY, "over").await;
    night.stage("report_due").await;
    let wrong = night.app.member(&night.association, &primary).await.unwrap().pin_failures;
    assert_eq!(wrong, 0, "a right PIN forgives the wrong one before it");

    // The physician calls the night number from the same phone.
    night.network.calls("doctor", Some(PRIMARY), NIGHT, PRIMARY_VOICE);
    night.network.wait("doctor", "up").await;
    night.network.until_spoken_to("doctor").await;
    until(&night, "the report is asked for", 1, |line| line.row.stage == "identifying").await;
    a_moment().await;
    night.network.press("doctor", "1");
    let begun = Instant::now();
    // A star begins the PIN anew, as a person does who was too early; behind it the key of the outcome.
    while night.calls().await.first().is_none_or(|line| line.row.stage != "over") {
        assert!(begun.elapsed() < PATIENCE, "no report: {:?}", night.calls().await);
        night.network.press("doctor", &format!("*{PIN}"));
        for _ in 0..4 {
            a_moment().await;
        }
        night.network.press("doctor", "2");
        a_moment().await;
        a_moment().await;
    }
    night.network.wait("doctor", "over").await;
    let calls = night.calls().await;
    assert_eq!(calls[0].row.outcome.as_deref(), Some("helped"));
    assert_eq!(calls[1].row.outcome.as_deref(), Some("reported"));
    let who = Who::member(&night.association, &primary);
    let page = night.app.call_page(&who, &calls[0].row.id).await.unwrap();
    assert_eq!(page.reports.iter().map(|r| r.outcome.as_str()).collect::<Vec<_>>(), ["visited"]);
    assert_eq!(night.network.told(PRIMARY, "rings"), 0, "nobody is rung for a report");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn two_who_press_1_at_once_are_one_taker_and_the_other_is_told() {
    let mut night = Night::begins().await;
    let who = Who::cli(&night.association);
    let (revision, mut settings) = night.app.call_settings(&night.association).await.unwrap();
    settings.together = true;
    night.app.call_settings_put(&who, revision, settings).await.unwrap();
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.nurse_calls().await;
    night.picks_up(PRIMARY).await;
    night.picks_up(DEPUTY).await;
    let (primary, deputy) = (night.primary.clone(), night.deputy.clone());
    night.leg(&primary, "screening").await;
    night.leg(&deputy, "screening").await;
    for phone in [PRIMARY, DEPUTY] {
        night.network.until_spoken_to(phone).await;
    }
    a_moment().await;
    for phone in [PRIMARY, DEPUTY] {
        night.network.press(phone, "1");
    }
    let begun = Instant::now();
    while night.calls().await.last().is_none_or(|line| line.row.taker.is_none()) {
        assert!(begun.elapsed() < PATIENCE, "nobody has it: {}", night.last_words());
        a_moment().await;
        for phone in [PRIMARY, DEPUTY] {
            night.network.press(phone, &format!("*{PIN}"));
        }
        a_moment().await;
        a_moment().await;
    }
    let line = night.stage("talking").await;
    let taker = line.row.taker.unwrap();
    let (won, voice, lost, loser) = if taker == primary {
        (PRIMARY, PRIMARY_VOICE, DEPUTY, &deputy)
    } else {
        (DEPUTY, DEPUTY_VOICE, PRIMARY, &primary)
    };
    night.they_talk(won, voice).await;
    night.network.wait(lost, "over").await;
    let line = night.until("the other line is over", |line| !Night::causes(line, loser).is_empty()).await;
    let cause = Night::causes(&line, loser);
    assert!(["not_taken", "outrun"].contains(&cause[0].as_str()), "{cause:?}");
    night.they_talk(won, voice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_caller_who_hangs_up_at_any_stage_is_called_back_by_whoever_takes_it() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(NURSE, NURSE_VOICE).await;
    let primary = night.primary.clone();
    let coordinator = Who::cli(&night.association);
    for (nth, stage) in ["identifying", "message", "ringing"].into_iter().enumerate() {
        night.network.calls("nurse", Some(NURSE), NIGHT, NURSE_VOICE);
        night.network.wait("nurse", "up").await;
        until(&night, "asked", nth, |line| line.row.stage == "identifying").await;
        if stage != "identifying" {
            night.network.until_spoken_to("nurse").await;
            a_moment().await;
            night.network.press("nurse", "12#");
        }
        until(&night, stage, nth, |line| line.row.stage == stage).await;
        if stage == "message" {
            // In the middle of what she says.
            a_moment().await;
        }
        night.network.hang_up("nurse");
        night.network.wait("nurse", "over").await;
        night.takes(PRIMARY, &primary).await;
        night.picks_up(NURSE).await;
        night.network.until_spoken_to(NURSE).await;
        a_moment().await;
        night.network.press(NURSE, "1");
        night.network.until_hears(NURSE, PRIMARY_VOICE).await;
        night.network.until_hears(PRIMARY, NURSE_VOICE).await;
        let line = until(&night, "they talk", nth, |line| line.row.stage == "talking").await;
        night.app.call_close(&coordinator, &line.row.id).await.unwrap();
        night.network.wait(PRIMARY, "over").await;
        night.network.wait(NURSE, "over").await;
    }
}

/// The nurse has hung up, the primary has taken it and waits while her phone rings.
async fn taken_while_the_nurse_is_rung_back(night: &mut Night) {
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.phone(NURSE, NURSE_VOICE).await;
    night.nurse_calls().await;
    night.network.wait(PRIMARY, "rings").await;
    night.network.hang_up("nurse");
    night.network.wait("nurse", "over").await;
    night.network.answer(PRIMARY);
    night.network.wait(PRIMARY, "up").await;
    let primary = night.primary.clone();
    night.presses_1(PRIMARY, &primary).await;
    night.keys_pin(PRIMARY).await;
    night.network.wait(NURSE, "rings").await;
    let line = night.stage("connecting").await;
    assert_eq!(line.row.taker.as_ref(), Some(&primary));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_taker_who_hangs_up_while_connecting_is_followed_by_the_next() {
    let mut night = Night::begins().await;
    taken_while_the_nurse_is_rung_back(&mut night).await;
    night.network.hang_up(PRIMARY);
    night.network.wait(PRIMARY, "over").await;
    // The yes is given back at once: the next physician is rung, the caller's phone rings on.
    let (primary, deputy) = (night.primary.clone(), night.deputy.clone());
    night.takes(DEPUTY, &deputy).await;
    night.network.answer(NURSE);
    night.network.wait(NURSE, "up").await;
    night.network.until_spoken_to(NURSE).await;
    a_moment().await;
    night.network.press(NURSE, "1");
    night.network.until_hears(NURSE, DEPUTY_VOICE).await;
    night.network.until_hears(DEPUTY, NURSE_VOICE).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&deputy));
    assert_eq!(Night::causes(&line, &primary), ["hung_up"]);
    assert_eq!(night.network.told(PRIMARY, "rings"), 0, "whoever gave it back is not asked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn a_caller_who_hangs_up_while_connecting_is_rung_once_more_while_the_taker_waits() {
    let policy = Policy { ring_s: 20, message_s: 2, caller_gap_s: 3, ..Policy::default() };
    let mut night = Night::begins_with(policy).await;
    taken_while_the_nurse_is_rung_back(&mut night).await;
    // Picked up and put down before the 1.
    night.network.answer(NURSE);
    night.network.wait(NURSE, "up").await;
    night.network.until_spoken_to(NURSE).await;
    night.network.hang_up(NURSE);
    night.network.wait(NURSE, "over").await;
    let line = night.stage("connecting").await;
    assert_eq!(line.row.taker.as_ref(), Some(&night.primary));
    night.picks_up(NURSE).await;
    night.network.until_spoken_to(NURSE).await;
    a_moment().await;
    night.network.press(NURSE, "1");
    night.network.until_hears(NURSE, PRIMARY_VOICE).await;
    night.network.until_hears(PRIMARY, NURSE_VOICE).await;
    night.stage("talking").await;
    assert_eq!(night.network.told(DEPUTY, "rings"), 0, "nobody else is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn when_the_bridge_dies_the_caller_is_rung_back_and_the_next_physician_is_asked() {
    let mut night = Night::begins().await;
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone(DEPUTY, DEPUTY_VOICE).await;
    night.phone(NURSE, NURSE_VOICE).await;
    night.nurse_calls().await;
    night.network.wait(PRIMARY, "rings").await;
    night.pbx.kill_and_restart().await;
    let begun = Instant::now();
    night.picks_up(NURSE).await;
    println!("the bridge is back -> the caller has picked up: {} ms", begun.elapsed().as_millis());
    night.network.until_spoken_to(NURSE).await;
    a_moment().await;
    night.network.press(NURSE, "1");
    let deputy = night.deputy.clone();
    night.takes(DEPUTY, &deputy).await;
    night.network.until_hears(NURSE, DEPUTY_VOICE).await;
    night.network.until_hears(DEPUTY, NURSE_VOICE).await;
    let line = night.stage("talking").await;
    assert_eq!(line.row.taker.as_ref(), Some(&deputy));
    assert_eq!(night.calls().await.len(), 1, "it is the same call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn somebody_whom_no_plan_names_is_rung_by_hand_and_takes_it() {
    let mut night = Night::begins().await;
    let new = NewMember {
        phone: Some("09011110009".to_owned()),
        ..new_member("応援 九", &night.clinic, Role::Physician, vec![])
    };
    let pin = touban::seal::Pin::parse(PIN).unwrap();
    let who = Who::cli(&night.association);
    let helper = night.app.member_add(&who, new, Some(&pin), None).await.unwrap().into_inner();
    night.phone(PRIMARY, PRIMARY_VOICE).await;
    night.phone("09011110009", DEPUTY_VOICE).await;
    night.nurse_calls().await;
    night.network.wait(PRIMARY, "rings").await;
    let line = night.stage("ringing").await;
    night.app.call_ring(&who, &line.row.id, &helper, None).await.unwrap();
    night.takes("09011110009", &helper).await;
    night.they_talk("09011110009", DEPUTY_VOICE).await;
    night.network.wait(PRIMARY, "over").await;
    assert_eq!(night.stage("talking").await.row.taker, Some(helper));
}

/// A mail server that greets, says what it can and takes leave.
fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut answer = stream.try_clone().unwrap();
            let _ = answer.write_all(b"220 aoba.example.jp ESMTP\r\n");
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let quits = line.to_ascii_uppercase().starts_with("QUIT");
                let word: &[u8] = if quits { b"221 bye\r\n" } else { b"250 aoba.example.jp\r\n" };
                if answer.write_all(word).is_err() || quits {
                    break;
                }
            }
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs an Asterisk: scripts/test phone"]
async fn the_doctor_asks_for_a_way_to_alarm_that_does_not_need_the_bridge() {
    let night = Night::begins().await;
    let folder = night.scratch.path();
    let section = std::fs::read_to_string(folder.join("touban.toml")).unwrap();
    let doctor = |more: &str| {
        std::fs::write(folder.join("doctor.toml"), format!("{section}\n{more}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_touban"));
        command.args(["doctor", "--json", "--config", "doctor.toml"]).env_clear().current_dir(folder);
        let said = command.output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&said.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&said.stderr)));
        let of = |name: &str| {
            let all = report["checks"].as_array().unwrap().iter().filter(|c| c["name"] == name);
            all.map(|c| c["ok"] == true).collect::<Vec<_>>()
        };
        (said.status.success(), of("phone"), of("alarms"))
    };
    let (_, phone, alarms) = doctor("");
    assert_eq!(phone, [true], "the real bridge lacks nothing");
    assert_eq!(alarms, [false], "mails into a folder wake nobody");
    let smtp = format!(
        "[mail]\nkind = \"smtp\"\nfrom = \"touban@example.jp\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
         security = \"plain\"\nallow_plain = true\n",
        greeter()
    );
    let (_, phone, alarms) = doctor(&smtp);
    assert_eq!((phone, alarms), (vec![true], vec![true]));
    // Nobody with a mail address is left to be alarmed.
    for member in night.app.members(&night.association, "", 100).await.unwrap() {
        if member.0.roles.iter().any(|r| matches!(r, Role::Coordinator | Role::Officer)) {
            night.app.member_leave(&Who::cli(&night.association), &member.0.id, None).await.unwrap();
        }
    }
    let (well, _, alarms) = doctor(&smtp);
    assert!(!well && alarms.contains(&false), "{alarms:?}");
}
