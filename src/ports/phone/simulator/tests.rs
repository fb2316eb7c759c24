use super::*;
use crate::domain::call::number::{Line, Number, Reading, read};
use crate::ids::SeededChance;

fn number(text: &str) -> Number {
    match read(text) {
        Reading::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

fn call() -> CallId {
    CallId::new(Millis(1_800_000_000_000), &SeededChance::new(7))
}

fn order(command: Command) -> Order {
    Order { call: call(), command, shown: number("03-1234-5678"), lang: Lang::Ja, message: None }
}

async fn give(bridge: &Simulator, command: Command) {
    bridge.obey(&order(command)).await.unwrap();
}

fn leg(n: u32) -> LegId {
    LegId::ours(&call(), n)
}

fn dial(n: u32, to: &str) -> Command {
    Command::Dial { leg: leg(n), to: Line::new(&number(to), &[]).unwrap(), ring_s: 25 }
}

async fn listening() -> (Simulator, Events) {
    let bridge = Simulator::new();
    let events = bridge.listen().await.unwrap();
    (bridge, events)
}

fn gather(number: u32, what: Collect) -> Option<Gather> {
    Some(Gather { number, what })
}

#[tokio::test]
async fn a_phone_rings_is_picked_up_and_its_keys_arrive_with_their_question() {
    let (bridge, mut events) = listening().await;
    give(&bridge, dial(1, "090-1234-5678")).await;
    // Given again it rings once.
    give(&bridge, dial(1, "090-1234-5678")).await;
    assert_eq!(events.next().await, Ok(BridgeEvent::Ringing { leg: leg(1) }));
    bridge.pick_up(&leg(1)).unwrap();
    assert_eq!(events.next().await, Ok(BridgeEvent::Answered { leg: leg(1) }));
    // Before the question keys mean nothing.
    bridge.press(&leg(1), "1").unwrap();
    let question = gather(3, Collect::Pin);
    let prompt =
        Command::Prompt { leg: leg(1), play: 2, prompt: Prompt::AskPin, gather: question, room: false };
    give(&bridge, prompt).await;
    bridge.press(&leg(1), "4821").unwrap();
    let Ok(BridgeEvent::Keys { gather: 3, what: Collect::Pin, digits, .. }) = events.next().await else {
        panic!("no keys");
    };
    assert_eq!(digits.reveal(), "4821");
    let [phone] = <[Phone; 1]>::try_from(bridge.phones()).unwrap();
    assert_eq!((phone.number.as_str(), phone.display.as_str()), ("09012345678", "0312345678"));
    assert_eq!(phone.heard.first().unwrap().text, prompts::shown(Lang::Ja, Prompt::AskPin));
    assert!(phone.speaking);
}

#[tokio::test]
async fn two_joined_phones_talk_and_the_room_closes_without_hanging_up() {
    let (bridge, mut events) = listening().await;
    let caller = bridge.call_in(&CallIn { from: "0311112222".into(), to: "0312345678".into() }).unwrap();
    assert!(
        matches!(events.next().await, Ok(BridgeEvent::Inbound(i)) if i.leg == caller && i.from == "0311112222")
    );
    give(&bridge, Command::Answer { leg: caller.clone() }).await;
    give(&bridge, dial(1, "09012345678")).await;
    bridge.pick_up(&leg(1)).unwrap();
    give(&bridge, Command::Join { legs: [caller.clone(), leg(1)], keys: 9 }).await;
    let joined = |events: Vec<BridgeEvent>| {
        events.into_iter().filter(|e| matches!(e, BridgeEvent::Joined { .. })).count()
    };
    let mut seen = Vec::new();
    while joined(seen.clone()) < 2 {
        seen.push(events.next().await.unwrap());
    }
    assert!(bridge.phones().iter().all(|phone| phone.talks_with.len() == 1));
    bridge.press(&leg(1), "9").unwrap();
    assert!(matches!(events.next().await, Ok(BridgeEvent::Keys { gather: 9, what: Collect::Key, .. })));
    let view = bridge.snapshot(Millis(5)).await.unwrap();
    assert!(view.legs.values().all(|seen| *seen == LegSeen::InRoom));
    assert_eq!(view.inbound.len(), 1);
    give(&bridge, Command::CloseRoom).await;
    let view = bridge.snapshot(Millis(6)).await.unwrap();
    assert_eq!(view.of(&call(), [caller].iter()).legs.len(), 2);
    assert!(view.legs.values().all(|seen| *seen == LegSeen::Up));
}

#[tokio::test]
async fn a_message_is_recorded_handed_over_and_deleted() {
    let (bridge, mut events) = listening().await;
    let caller = bridge.call_in(&CallIn { from: "anonymous".into(), to: "0312345678".into() }).unwrap();
    events.next().await.unwrap();
    give(&bridge, Command::Answer { leg: caller.clone() }).await;
    give(&bridge, Command::Record { leg: caller.clone(), recording: 4, max_s: 15 }).await;
    bridge.speak(&caller, Some(phones::tone(Duration::from_secs(2)))).unwrap();
    let told = BridgeEvent::Recorded { call: call(), recording: 4, usable: true };
    assert_eq!(events.next().await, Ok(told.clone()));
    // Told again to whoever asks for its end again.
    give(&bridge, Command::StopRecording { recording: 4 }).await;
    assert_eq!(events.next().await, Ok(told));
    let sound = bridge.message(&call(), 4).await.unwrap().unwrap();
    assert_eq!(phones::message_ms(Some(&sound)), 2_000);
    give(&bridge, Command::DeleteRecording { recording: 4 }).await;
    assert_eq!(bridge.message(&call(), 4).await, Ok(None));
}

#[tokio::test]
async fn busy_declined_voicemail_and_hanging_up_have_their_own_reasons() {
    let (bridge, mut events) = listening().await;
    give(&bridge, dial(1, "09012345678")).await;
    give(&bridge, dial(2, "09012345678")).await;
    give(&bridge, dial(3, "09087654321")).await;
    bridge.hang_up(&leg(3)).unwrap();
    bridge.let_go_to_voicemail(&leg(1)).unwrap();
    assert_eq!(bridge.press(&leg(1), "1"), Err(NotPossible::NotNow), "a machine presses no key");
    bridge.hang_up(&leg(1)).unwrap();
    let mut causes = BTreeMap::new();
    while causes.len() < 3 {
        if let BridgeEvent::Ended { leg, cause, .. } = events.next().await.unwrap() {
            causes.insert(leg, cause);
        }
    }
    let expected = [(leg(1), Cause::HungUp), (leg(2), Cause::Busy), (leg(3), Cause::Rejected)];
    assert_eq!(causes, expected.into());
}

#[tokio::test]
async fn an_unplugged_bridge_loses_every_line_and_comes_back_as_another_one() {
    let (bridge, mut events) = listening().await;
    give(&bridge, dial(1, "09012345678")).await;
    let before = bridge.snapshot(Millis(1)).await.unwrap();
    bridge.unplug();
    while events.next().await.is_ok() {}
    assert!(bridge.obey(&order(dial(2, "09012345678"))).await.unwrap_err().is_retryable());
    assert!(bridge.listen().await.is_err());
    bridge.plug_in();
    let _events = bridge.listen().await.unwrap();
    let after = bridge.snapshot(Millis(2)).await.unwrap();
    assert!(after.legs.is_empty() && after.generation != before.generation);
}

#[tokio::test]
async fn who_listens_later_takes_over() {
    let (bridge, mut first) = listening().await;
    let _second = bridge.listen().await.unwrap();
    assert_eq!(first.next().await, Err(BridgeError::Superseded));
}

#[tokio::test]
async fn prompts_end_by_themselves_and_so_does_ringing() {
    let (bridge, mut events) = listening().await;
    let ring = Command::Dial { leg: leg(1), to: Line::new(&number("09012345678"), &[]).unwrap(), ring_s: 0 };
    give(&bridge, ring).await;
    assert_eq!(events.next().await, Ok(BridgeEvent::Ringing { leg: leg(1) }));
    assert!(matches!(events.next().await, Ok(BridgeEvent::Ended { cause: Cause::NoAnswer, .. })));
    give(&bridge, dial(2, "09012345678")).await;
    bridge.pick_up(&leg(2)).unwrap();
    let over = Command::Prompt { leg: leg(2), play: 8, prompt: Prompt::Over, gather: None, room: false };
    give(&bridge, over).await;
    loop {
        if events.next().await.unwrap() == (BridgeEvent::PromptEnded { leg: leg(2), play: 8 }) {
            break;
        }
    }
}

#[test]
fn every_prompt_of_the_demo_is_over_before_the_machine_stops_waiting_for_it() {
    let longest = u64::try_from(crate::domain::call::Policy::default().prompt_max_s).unwrap() * 1_000;
    for prompt in prompts::ALL {
        for lang in [Lang::Ja, Lang::En] {
            let long = phones::spoken_ms(lang, prompt);
            assert!((500..longest).contains(&long), "{prompt:?} takes {long} ms");
        }
    }
}
