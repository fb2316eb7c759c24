//! The pillars beside a cover: whether each may take its slots, and which households were not told of it yet.

use crate::app::cover::{PillarBeside, SlotLine, Untold};
use crate::domain::dispatch::Rule;
use crate::i18n::{t, t_with};
use crate::ids::InstitutionId;

use super::super::views::covers::PillarBox;
use super::super::views::{StateLine, Tone};
use super::super::words::Voice;

/// The state of a slot that a pillar took and may not be rung for as things are; `None`: nothing stands against it.
pub(super) fn stopped(voice: Voice, slot: &SlotLine, beside: &[PillarBeside]) -> Option<StateLine> {
    let pillar = beside.iter().find(|p| p.taken.contains(&slot.slot.request))?;
    let (_, against) = pillar.slots.iter().find(|(id, _)| *id == slot.slot.request)?;
    Some(StateLine { text: reason(voice, (*against)?), tone: Tone::Warn })
}

fn reason(voice: Voice, rule: Rule) -> String {
    voice.word("cover-pillar", rule.code())
}

/// What the asker and the office see. `names`: the reader may know whose households they are.
pub(super) fn boxes(voice: Voice, beside: &[PillarBeside], names: bool) -> Vec<PillarBox> {
    let one = |pillar: &PillarBeside| {
        let against: Vec<Rule> = pillar.slots.iter().filter_map(|(_, against)| *against).collect();
        let state = match against.first() {
            None => StateLine { text: voice.word("cover-pillar", "usable"), tone: Tone::Good },
            // Some of the slots lie in its hours: for those it is asked.
            Some(Rule::PillarHours) if against.len() < pillar.slots.len() => {
                StateLine { text: voice.word("cover-pillar", "some"), tone: Tone::Info }
            }
            Some(rule) => StateLine { text: reason(voice, *rule), tone: Tone::Warn },
        };
        let said = |untold: &Untold| {
            let key = if untold.refused { "word-cover-pillar-refused" } else { "word-cover-pillar-not-told" };
            t_with(voice.lang, key, &[("patient", &untold.patient)])
        };
        let count = pillar.untold.len();
        PillarBox {
            kind: t(voice.lang, &format!("word-cover-as-pillar_{}", pillar.kind.code())),
            name: pillar.name.clone(),
            state,
            untold: if names { pillar.untold.iter().map(said).collect() } else { Vec::new() },
            untold_count: (count > 0)
                .then(|| t_with(voice.lang, "cover-pillar-untold", &[("count", &count.to_string())])),
            list_open: pillar.list_open,
        }
    };
    beside.iter().filter(|pillar| !pillar.slots.is_empty()).map(one).collect()
}

/// Where the list of households and the notice to print are, for whoever may open them.
pub(super) fn households(asker: bool, types: bool, clinic: &InstitutionId) -> Option<(String, String)> {
    let base = if asker {
        "/households".to_owned()
    } else if types {
        format!("/households/{clinic}")
    } else {
        return None;
    };
    let notice = format!("{base}/notice");
    Some((base, notice))
}
