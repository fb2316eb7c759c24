use super::fallback;
use super::told::{self, Told};
use super::*;
use crate::domain::call::number::{Number, Reading, read};
use crate::ids::SeededChance;

fn settings() -> AsteriskSettings {
    toml::from_str("password = \"canary-of-a-password\"").unwrap()
}

fn number(text: &str) -> Number {
    match read(text) {
        Reading::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

fn call() -> CallId {
    CallId::new(Millis(1_800_000_000_000), &SeededChance::new(7))
}

#[test]
fn the_address_is_on_this_machine_and_the_password_is_never_printed() {
    assert_eq!(settings().usable(), Ok(()));
    for (ari, wrong) in [
        ("http://192.0.2.1:8088/ari", SettingsError::NotThisMachine),
        ("http://localhost:8088/ari", SettingsError::NotThisMachine),
        ("https://127.0.0.1:8088/ari", SettingsError::Address),
        ("http://u:p@127.0.0.1:8088/ari", SettingsError::Address),
        ("ari", SettingsError::Address),
    ] {
        assert_eq!(AsteriskSettings { ari: ari.into(), ..settings() }.usable(), Err(wrong), "{ari}");
    }
    assert_eq!(AsteriskSettings { ari: "http://[::1]:8088/ari/".into(), ..settings() }.usable(), Ok(()));
    for dial in ["PJSIP/trunk", "PJSIP/{number}@trunk&PJSIP/{number}@other", "PJSIP/{number}@a,b"] {
        let wrong = AsteriskSettings { dial: dial.into(), ..settings() };
        assert_eq!(wrong.usable(), Err(SettingsError::Dial));
    }
    let relative = AsteriskSettings { message_dir: Some("messages".into()), ..settings() };
    assert_eq!(relative.usable(), Err(SettingsError::Path("message_dir")));
    let bridge = AsteriskBridge::new(settings()).unwrap();
    assert!(!format!("{bridge:?}").contains("canary-of-a-password"));
}

#[tokio::test]
async fn without_an_event_stream_nothing_is_ordered() {
    let bridge = AsteriskBridge::new(settings()).unwrap();
    let order = Order {
        call: call(),
        command: Command::CloseRoom,
        shown: number("0312345678"),
        lang: crate::i18n::Lang::Ja,
        message: None,
    };
    assert!(bridge.obey(&order).await.unwrap_err().is_retryable());
    bridge.inner.memory().superseded = true;
    assert_eq!(bridge.obey(&order).await, Err(BridgeError::Superseded));
}

#[test]
fn the_end_of_a_line_means_what_its_number_and_its_story_say() {
    for (q850, rang, up, cause) in [
        (17, false, false, Cause::Busy),
        (21, true, false, Cause::Rejected),
        (1, false, false, Cause::Unallocated),
        // "Nobody answered", where it rang and where it did not.
        (19, true, false, Cause::NoAnswer),
        (19, false, false, Cause::Unreachable),
        (20, false, false, Cause::Unreachable),
        (34, false, false, Cause::Congestion),
        (16, true, true, Cause::HungUp),
        (0, true, true, Cause::HungUp),
        (44, true, true, Cause::Lost),
        (38, false, false, Cause::Failed),
    ] {
        assert_eq!(told::cause(q850, rang, up), cause, "{q850} {rang} {up}");
    }
}

#[test]
fn events_are_read_and_those_of_no_interest_are_passed_over() {
    let read = |text: &str| serde_json::from_str::<Told>(text).unwrap();
    let keyed = r##"{"type":"ChannelDtmfReceived","digit":"#","duration_ms":100,"timestamp":"x","channel":
        {"id":"tb-X-1","name":"PJSIP/trunk-1","state":"Up","caller":{"name":"","number":"0312345678"},
        "dialplan":{"context":"touban-leg","exten":"s","priority":2,"app_name":"Stasis","app_data":"touban,leg"}}}"##;
    assert!(
        matches!(read(keyed), Told::ChannelDtmfReceived { digit, channel, .. } if digit == "#" && channel.id == "tb-X-1")
    );
    assert!(matches!(read(r#"{"type":"ChannelVarset","variable":"X","value":"Y"}"#), Told::Other));
    let finished = r#"{"type":"RecordingFinished","recording":{"name":"n","format":"wav","state":"done","duration":2,
        "talking_duration":0,"silence_duration":2}}"#;
    assert!(matches!(read(finished), Told::RecordingFinished { recording } if !recording.has_words()));
}

#[test]
fn a_channel_is_ours_by_its_name_or_by_having_called_us() {
    let channel = |id: &str, state: &str, app: &str, data: &str| Channel {
        id: id.into(),
        state: state.into(),
        caller: told::Party { number: "0311112222".into() },
        dialplan: told::Place { app_name: app.into(), app_data: data.into() },
    };
    let leg = LegId::ours(&call(), 3);
    let look =
        |c: &Channel, in_room| seen(c, in_room).map(|(_, seen, inbound)| (seen, inbound.map(|i| i.to)));
    let ours = |state, app| channel(leg.as_str(), state, app, "touban,leg");
    assert_eq!(look(&ours("Down", ""), false), Some((LegSeen::Ringing, None)));
    assert_eq!(look(&ours("Ringing", "AppDial2"), false), Some((LegSeen::Ringing, None)));
    assert_eq!(look(&ours("Up", "Wait"), false), Some((LegSeen::UpElsewhere, None)));
    assert_eq!(look(&ours("Up", "Stasis"), false), Some((LegSeen::Up, None)));
    assert_eq!(look(&ours("Up", "Stasis"), true), Some((LegSeen::InRoom, None)));
    let inbound = channel("1796031633.0", "Ring", "Stasis", "touban,inbound,0312345678");
    assert_eq!(look(&inbound, false), Some((LegSeen::Up, Some("0312345678".into()))));
    // Waiting for us, or with the dialplan's own fallback: not in our hands.
    assert_eq!(look(&channel("1796031633.0", "Up", "Wait", "1"), false), None);
    assert_eq!(look(&channel("1796031633.0", "Up", "Stasis", "other,inbound,03"), false), None);
}

#[test]
fn rooms_recordings_and_prompts_are_found_again_by_their_names() {
    let leg = LegId::ours(&call(), 3);
    assert_eq!(memory::room_of(&memory::room(&call())), Some(call()));
    assert_eq!(memory::recording_of(&memory::recording(&call(), 4)), Some((call(), 4)));
    assert_eq!(Play::parse(&Play::id(&leg, 12)), Some((leg, 12)));
    // Asterisk's own names have a dot in them.
    let inbound = LegId::inbound("1796031633.0");
    assert_eq!(Play::parse(&Play::id(&inbound, 5)), Some((inbound, 5)));
    for strange in ["", "touban-room", "touban-x-room", "someone-else"] {
        assert_eq!(memory::room_of(strange), None);
        assert_eq!(memory::recording_of(strange), None);
    }
}

#[test]
fn the_fallback_names_each_line_and_where_the_list_ends() {
    let line = |text: &str| Line::read(text, &[]).unwrap();
    let plan = Fallback {
        number: number("+81312345678"),
        lines: vec![line("090-1111-2222"), line("080-3333-4444")],
    };
    let variables = fallback::variables(&[plan], &settings());
    let value = |name: &str| variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(value("FALLBACK_0312345678_SHOWN"), Some("0312345678"));
    assert_eq!(value("FALLBACK_0312345678_1"), Some("PJSIP/09011112222@trunk"));
    assert_eq!(value("FALLBACK_0312345678_2"), Some("PJSIP/08033334444@trunk"));
    assert_eq!(value("FALLBACK_0312345678_3"), Some(""));
    let file = fallback::file(&variables);
    assert_eq!(file.lines().count(), 4, "{file}");
    let many = Fallback { number: number("0312345678"), lines: vec![line("090-1111-2222"); 20] };
    assert_eq!(fallback::variables(&[many], &settings()).len(), 2 + super::super::FALLBACK_LINES_MAX);
}

#[test]
fn a_missing_sound_is_named() {
    let sound = |id: &str, languages: &[&str]| Sound {
        id: id.into(),
        formats: languages.iter().map(|l| told::SoundFormat { language: (*l).into() }).collect(),
    };
    let codes = prompts::ALL.iter().map(|prompt| prompt.code()).chain(prompts::FALLBACK);
    let mut all: Vec<Sound> = codes.map(|code| sound(&format!("touban/{code}"), &["ja", "en"])).collect();
    assert_eq!(missing_sounds(&all), [""; 0]);
    all.retain(|s| s.id != "touban/screen");
    all.push(sound("touban/screen", &["en"]));
    assert_eq!(missing_sounds(&all), ["ja/screen"]);
}

#[test]
fn a_key_that_went_down_before_the_question_is_no_answer() {
    let mut leg = memory::Leg::default();
    leg.ask(Some(Gather { number: 4, what: Collect::Key }));
    let asked = leg.asked.unwrap();
    let after = |ms| asked + std::time::Duration::from_millis(ms);
    let held = std::time::Duration::from_millis(200);
    assert!(leg.press('1', held, after(100)).is_none());
    assert!(leg.press('1', held, after(210)).is_some());
    // The same question again does not begin anew.
    leg.ask(Some(Gather { number: 4, what: Collect::Key }));
    assert_eq!(leg.asked, Some(asked));
}
