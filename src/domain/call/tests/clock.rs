//! A clock that is set begins no wait and ends none.

use super::*;

/// S17: three hours on and back; a second is heard as any other.
const STEPS_MS: [i64; 4] = [-10_800_000, -1_000, 1_000, 10_800_000];

impl Night {
    fn clock_is_set(&mut self, by_ms: i64) {
        self.now = self.now.plus_ms(by_ms);
        move_waits(&mut self.call, by_ms);
        self.request.move_waits(by_ms);
    }
}

fn ringing() -> Night {
    let mut night = Night::nurse();
    night.hunting().rings(1).wait(3);
    night
}

fn talking() -> Night {
    let mut night = ringing();
    night.picks_up(1).says(1, "1").joined(1).wait(2);
    assert_eq!(night.call.stage.code(), "talking");
    night
}

/// A call in each of its stages, some seconds after it came there.
fn stages() -> Vec<(&'static str, Night)> {
    let begun = || {
        let mut night = Night::nurse();
        night.take(Event::Begin).wait(1);
        night
    };
    let nobody_left = || {
        let mut night = Night::nurse();
        night.hunting().wait(900);
        night
    };
    let promised = || {
        let mut night = ringing();
        night.picks_up(1).says(1, "2").wait(2);
        night
    };
    let asked = || {
        let mut night = ringing();
        night.picks_up(1).wait(4);
        night
    };
    let unheard = || {
        let mut night = ringing();
        night.take(Event::BridgeDown).wait(2);
        night
    };
    let gone = || {
        let mut night = ringing();
        night.take(Event::Ended { leg: inbound(), cause: Cause::HungUp }).wait(5);
        night
    };
    vec![
        ("identifying", begun()),
        ("ringing", ringing()),
        ("ringing", asked()),
        ("ringing", unheard()),
        ("ringing", gone()),
        ("talking", talking()),
        ("promised", promised()),
        ("last_resort", nobody_left()),
    ]
}

#[test]
fn what_comes_after_the_clock_was_set_comes_when_it_would_have_come() {
    for by_ms in STEPS_MS {
        let mut brought = 0;
        for ((stage, mut plain), (_, mut set)) in stages().into_iter().zip(stages()) {
            assert_eq!(plain.call.stage.code(), stage);
            set.clock_is_set(by_ms);
            for second in 0..700 {
                assert_eq!(plain.wait(1).effects, set.wait(1).effects, "{stage} {by_ms} {second}");
                brought += plain.effects.len();
                assert_eq!(plain.call.stage.code(), set.call.stage.code(), "{stage} {by_ms} {second}");
            }
        }
        assert!(brought > 50, "{brought}");
    }
}

#[test]
fn a_clock_that_is_set_before_anybody_is_rung_does_not_put_the_first_phone_off() {
    for by_ms in STEPS_MS {
        let mut night = Night::nurse();
        night.take(Event::Begin).wait(1).clock_is_set(by_ms);
        // In the same decision in which the message is kept.
        night.hunting();
        assert_eq!(night.call.legs.values().filter(|leg| leg.person().is_some()).count(), 1, "{by_ms}");
    }
}

#[test]
fn a_talk_is_as_long_as_it_was_and_the_report_is_due_at_its_hour() {
    let length = |by_ms: i64| {
        let mut night = talking();
        night.wait(60).clock_is_set(by_ms);
        let due = night.call.report_by;
        let leg = night.leg_of(1);
        night.wait(60).take(Event::Ended { leg, cause: Cause::HungUp });
        assert_eq!((night.call.stage.code(), night.call.report_by), ("report_due", due));
        let taker = night.call.taker.clone().unwrap();
        taker.ended.unwrap().since_ms(taker.joined.unwrap())
    };
    let plain = length(0);
    assert!(plain >= 120_000, "{plain}");
    for by_ms in STEPS_MS {
        assert_eq!(length(by_ms), plain, "{by_ms}");
    }
}
