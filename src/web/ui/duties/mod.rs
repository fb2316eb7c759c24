//! One's own duties and changes of them: the list, asking, being ill (`ask`), what becomes of it and the office's
//! list (`swaps`), the link of somebody who is asked (`link`), when one is reminded (`reminders`).

mod ask;
mod link;
mod reminders;
mod swaps;

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::Response;

use crate::app::Who;
use crate::app::access::SignedIn;
use crate::app::rota::HeldDuty;
use crate::app::rows::Member;
use crate::app::swap::{Duty, SwapCase, SwapLine};
use crate::app::views::Names;
use crate::domain::people::Role;
use crate::domain::people::rights::{Right, any_may};
use crate::domain::rota::{Area, Form, RotaRole, Stretch, SwapFacts};
use crate::i18n::{t, t_with};
use crate::ids::MemberId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::views::duties::{DutiesPage, DutyRow, RemindersBox, SwapRow};
use super::views::people::Fact;
use super::views::{StateLine, Tone, render};
use super::words::Voice;

pub(super) use link::{offer_page, terms_of};

pages! {
    get "/duties" => mine;
    post "/me/reminders" => reminders::save;
    get "/duties/{area}/{role}/{from}" => ask::form;
    post "/duties/{area}/{role}/{from}" => ask::ask;
    get "/duties/{area}/{role}/{from}/ill" => ask::ill_form;
    post "/duties/{area}/{role}/{from}/ill" => ask::ill;
    get "/people/{id}/for/duties" => theirs;
    get "/people/{id}/for/duties/{area}/{role}/{from}" => ask::form_for;
    post "/people/{id}/for/duties/{area}/{role}/{from}" => ask::ask_for;
    get "/people/{id}/for/duties/{area}/{role}/{from}/ill" => ask::ill_form_for;
    post "/people/{id}/for/duties/{area}/{role}/{from}/ill" => ask::ill_for;
    get "/swaps" => swaps::list;
    post "/swaps/holes" => swaps::call;
    get "/swaps/{id}" => swaps::one;
    post "/swaps/{id}/answer" => swaps::answer;
    post "/swaps/{id}/withdraw" => swaps::withdraw;
    post "/swaps/{id}/undo" => swaps::undo;
    post "/swaps/{id}/confirm" => swaps::confirm;
}

const DUTIES: Binding<'static> = Binding::Page("duties");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// Whose duties a page is about, and who looks at it.
struct Principal<'a> {
    reader: &'a SignedIn,
    member: Member,
    /// The office types it in.
    by_office: bool,
}

impl Principal<'_> {
    /// The signed-in doctor.
    fn own(caller: &Caller) -> Result<Principal<'_>, Failure> {
        let reader = caller.with_right(Right::Ask)?;
        Ok(Principal { reader, member: reader.member.clone(), by_office: false })
    }

    /// A doctor of whom somebody of the office types something in.
    async fn of<'a>(caller: &'a Caller, id: &str) -> Result<Principal<'a>, Failure> {
        let id = MemberId::from_stored(id).map_err(|_| Failure::not_found())?;
        let reader = caller.with_right(Right::Enrol)?;
        let member = caller.web.app.member(&reader.association.id, &id).await?;
        let doctor = member.roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist));
        if member.is_active(caller.now) && doctor && any_may(&member.roles, Right::Ask) {
            Ok(Principal { reader, member, by_office: true })
        } else {
            Err(Failure::not_found())
        }
    }

    fn who(&self) -> Who {
        self.reader.who_for(&self.member.id)
    }

    /// The page of their duties.
    fn base(&self) -> String {
        if self.by_office { format!("/people/{}/for/duties", self.member.id) } else { "/duties".to_owned() }
    }

    fn banner(&self, voice: Voice) -> Option<String> {
        let name = voice.name(&self.member);
        self.by_office.then(|| t_with(voice.lang, "for-banner-duties", &[("name", &name)]))
    }
}

fn role(voice: Voice, role: RotaRole) -> String {
    voice.word("duty-role", role.code())
}

fn form(voice: Voice, form: Form) -> String {
    voice.word("swap-form", form.code())
}

/// The name of an area where there are several to tell apart.
fn area_of(areas: &BTreeMap<Area, String>, area: &Area) -> Option<String> {
    (areas.len() > 1).then(|| areas.get(area).cloned().unwrap_or_else(|| area.to_string()))
}

fn duty_words(voice: Voice, stretch: &Stretch) -> String {
    let (role, hours) = (role(voice, stretch.role), voice.hours(stretch.window));
    t_with(voice.lang, "word-swap-duty", &[("role", &role), ("hours", &hours)])
}

/// What a request is about, in the order in which it is read.
fn facts(voice: Voice, facts: &SwapFacts, names: &Names, areas: &BTreeMap<Area, String>) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let named = |id: &MemberId| {
        let (name, place) = (voice.named(names, id), names.institution_of(id));
        if place.is_empty() { name } else { format!("{name}（{place}）") }
    };
    let mut all = vec![
        fact("swap-when", voice.hours(facts.gives.window)),
        fact("swap-role", role(voice, facts.gives.role)),
    ];
    all.extend(area_of(areas, &facts.area).map(|area| fact("swap-area", area)));
    let giver = facts.giver.as_ref().filter(|_| !facts.form.is_a_hole());
    all.push(fact("word-swap-giver", giver.map_or_else(|| t(voice.lang, "word-swap-nobody"), named)));
    all.extend(facts.takes.as_ref().map(|takes| fact("word-swap-back", duty_words(voice, takes))));
    all.extend(facts.other.as_ref().map(|other| fact("word-swap-taker", named(other))));
    all
}

fn state(voice: Voice, line: &SwapLine, void: bool) -> StateLine {
    use crate::domain::dispatch::State;
    let tone = match line.request.state {
        State::Running { .. } => Tone::Info,
        State::Exhausted { .. } | State::Expired { .. } => Tone::Bad,
        State::Taken { .. } | State::Reported { .. } | State::Closed { .. } => Tone::Good,
        State::Refused { .. } if void => Tone::Warn,
        State::Refused { .. } | State::Withdrawn { .. } => Tone::Plain,
    };
    let refused = matches!(line.request.state, State::Refused { .. });
    let code = if void && refused { "void" } else { line.request.state.code() };
    StateLine { text: voice.word("swap-state", code), tone }
}

fn row(voice: Voice, line: &SwapLine, names: &Names, to_do: Option<&str>) -> SwapRow {
    let people: Vec<String> = line.facts.parties().iter().map(|id| voice.named(names, id)).collect();
    SwapRow {
        href: format!("/swaps/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        form: form(voice, line.facts.form),
        hours: duty_words(voice, &line.facts.gives),
        who: people.join(" → "),
        state: state(voice, line, false),
        to_do: to_do.map(|key| t(voice.lang, key)),
    }
}

fn duty_row(voice: Voice, base: &str, duty: &Duty, areas: &BTreeMap<Area, String>) -> DutyRow {
    let HeldDuty { area, role: held_as, window, slot, changed, .. } = &duty.held;
    let place = format!("{base}/{area}/{}/{}", held_as.code(), window.from.0);
    DutyRow {
        hours: voice.hours(*window),
        role: role(voice, *held_as),
        area: area_of(areas, area),
        changed: *changed,
        on_now: window.contains(voice.now),
        open: duty.open.as_ref().map(|(id, asked)| {
            let form = form(voice, *asked);
            (t_with(voice.lang, "duties-open", &[("form", &form)]), format!("/swaps/{id}"))
        }),
        // Hours that the office put somebody on for are not theirs to give.
        ask_href: slot.as_ref().filter(|_| duty.open.is_none()).map(|_| place.clone()),
        ill_href: format!("{place}/ill"),
    }
}

/// What the step before is to say, once.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "swap-asked" => "said-swap-asked",
        "swap-ill" => "said-swap-ill",
        "swap-accepted" => "said-swap-accepted",
        "swap-declined" => "said-swap-declined",
        "swap-undone" => "said-swap-undone",
        "swap-withdrawn" => "said-swap-withdrawn",
        "swap-confirmed" => "said-swap-confirmed",
        "swap-called" => "said-swap-called",
        "reminders" => "said-reminders",
        "tonight-ok" => "said-tonight-ok",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// `GET /duties`
pub(super) async fn mine(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Principal::own(&caller)?, None).await
}

/// `GET /people/{id}/for/duties`
pub(super) async fn theirs(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Principal::of(&caller, &id).await?, None).await
}

/// `typed`: what somebody typed about reminders and could not be read.
async fn page(caller: &Caller, of: &Principal<'_>, typed: Option<RemindersBox>) -> Result<Response, Failure> {
    let (voice, member) = (voice(caller), &of.member);
    let found = caller.web.app.my_duties(&of.reader.association.id, &member.id).await?;
    let base = of.base();
    let reminders = match typed {
        None if of.by_office => None,
        None => Some(reminders::known(caller, of).await?),
        typed => typed,
    };
    let pillar = match member.institution.as_ref().filter(|_| !of.by_office) {
        Some(own) => caller.web.app.pillar_rota(&of.reader.association.id, own).await?.pillar,
        None => false,
    };
    let asks = |line: &SwapLine| {
        let live = line.request.offers.get(&member.id).is_some_and(|o| o.state.is_live());
        (live && line.request.state.is_open()).then_some("duties-to-do")
    };
    let view = DutiesPage {
        shell: caller.shell_at(DUTIES, &base),
        notice: said(caller),
        banner: of.banner(voice).map(|text| (text, format!("/people/{}", member.id))),
        rows: found.duties.iter().map(|duty| duty_row(voice, &base, duty, &found.areas)).collect(),
        requests: found.requests.iter().map(|line| row(voice, line, &found.names, asks(line))).collect(),
        pillar,
        reminders,
    };
    Ok(caller.page(render(&view), true))
}

/// The duty that a path names.
struct Place {
    area: Area,
    role: RotaRole,
    from: crate::time::Millis,
}

impl Place {
    fn of(area: &str, role: &str, from: &str) -> Result<Self, Failure> {
        let parsed = area.parse().ok().zip(RotaRole::from_code(role)).zip(from.parse().ok());
        let ((area, role), from) = parsed.ok_or(Failure::not_found())?;
        Ok(Self { area, role, from: crate::time::Millis(from) })
    }

    fn path(&self, base: &str) -> String {
        format!("{base}/{}/{}/{}", self.area, self.role.code(), self.from.0)
    }
}

/// Whether a reader may see a request: one of its people, or the office.
fn may_see(person: &SignedIn, case: &SwapCase) -> bool {
    person.may(Right::Board) || case.line.concerns(&person.member.id)
}
