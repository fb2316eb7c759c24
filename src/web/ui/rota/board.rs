//! 今日の当番: who is on now and next, until when, and what is missing. With names and numbers for those who may see
//! them; for everybody else whether somebody is on, and the office's number (domain C5).

use std::fmt::Write as _;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::views::render;
use super::super::views::rota::{
    DutyArea, DutyBoard, DutyCard, DutyChooser, DutyDay, DutyNumber, DutyPerson, DutyTurn, HoleLine,
};
use super::super::words::Voice;
use super::{Asked, ROTA, asked, read_moment, voice};
use crate::app::rota::{BOARD_HOLES_DAYS, RotaWorld, gap_code};
use crate::app::rows::Association;
use crate::app::say;
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::people::rights::Right;
use crate::domain::rota::{
    Area, Clash, Gap, Holder, Hole, RotaRole, Timeline, VoidReason, VoidSwap, clashes,
};
use crate::i18n::{Lang, t, t_with};
use crate::time::{Millis, Window};

/// Days of the list of what comes.
const DAYS_AHEAD: i64 = 7;

/// What one looks at: a moment, as known at another.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Millis,
    as_of: Option<Millis>,
    /// Not simply now.
    chosen: bool,
}

/// `GET /duty`; with `HX-Request` the part that changes, alone.
pub(in crate::web::ui) async fn home(
    caller: Caller,
    query: Asked,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(home) = caller.home.clone() else { return Ok(caller.to_sign_in()) };
    let named = caller.with_right(Right::Duty).is_ok();
    if !named && asked(&query, "as") == "named" {
        return if caller.fragment { Err(Failure::session_ended()) } else { Ok(caller.to_sign_in()) };
    }
    page(&caller, &home, "/duty", named, &query, &headers).await
}

/// `GET /public/{code}/duty`: as everybody sees it, also whoever is signed in.
pub(in crate::web::ui) async fn public(
    caller: Caller,
    Path(code): Path<String>,
    query: Asked,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let home = caller.web.app.association_by_code(&code).await?;
    let guest = caller.as_guest_of(&home);
    page(&guest, &home, &format!("/public/{}/duty", home.code), false, &query, &headers).await
}

async fn page(
    caller: &Caller,
    home: &Association,
    path: &str,
    named: bool,
    query: &Asked,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let voice = voice(caller);
    let office = caller.with_right(Right::Rota).is_ok();
    let (mut chooser, mut moment) =
        (DutyChooser::default(), Moment { at: caller.now, as_of: None, chosen: false });
    if office {
        (chooser, moment) = choose(caller, query);
    }
    let app = &caller.web.app;
    let world = app.rota_world(&home.id).await?;
    let since = moment.at.plus_s(-2 * 86_400);
    let timeline = app.rota_laid(&home.id, since).await?.as_of(moment.as_of);
    let desk = Desk { voice, world: &world, timeline: &timeline, moment, named, office };
    let mut areas = Vec::with_capacity(world.settings.areas.len());
    for area in &world.settings.areas {
        areas.push(desk.area(caller, &area.key).await?);
    }
    let wall = asked(query, "view") == "wall" && !moment.chosen;
    let live = match (named, wall) {
        (true, true) => format!("{path}?as=named&view=wall"),
        (true, false) => format!("{path}?as=named"),
        (false, true) => format!("{path}?view=wall"),
        (false, false) => path.to_owned(),
    };
    let mut view = DutyBoard {
        shell: caller.shell_at(ROTA, path),
        day: day_words(voice, civil_day(moment.at, voice.zone)),
        stamp: say::time(moment.at, voice.zone, voice.lang),
        known: moment.as_of.map(|at| voice.moment(at)),
        chosen: moment.chosen,
        wall,
        named,
        path: path.to_owned(),
        live,
        tag: String::new(),
        tag_json: String::new(),
        areas,
        chooser: office.then_some(chooser),
    };
    view.tag = tag(&view.render_live());
    view.tag_json = serde_json::Value::from(view.tag.as_str()).to_string();
    let etag = HeaderValue::from_str(&view.tag).unwrap_or(HeaderValue::from_static("\"\""));
    if !caller.fragment {
        return Ok(caller.page(render(&view), false));
    }
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Html(view.render_live()).into_response()
    };
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

/// The name of a state of the part that changes.
fn tag(html: &str) -> String {
    let mut tag = String::from("\"");
    for byte in Sha256::digest(html.as_bytes()).iter().take(10) {
        // Writing into a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// The moment that the office chose, and the form that chose it.
fn choose(caller: &Caller, query: &Asked) -> (DutyChooser, Moment) {
    let now = Moment { at: caller.now, as_of: None, chosen: false };
    let field = |name: &str| asked(query, name).to_owned();
    let mut chooser = DutyChooser {
        day: field("day"),
        time: field("time"),
        known_day: field("known_day"),
        known_time: field("known_time"),
        problem: None,
    };
    let read = |day: &str, time: &str| read_moment(caller.zone(), day, time);
    let at = read(&chooser.day, &chooser.time);
    let known = read(&chooser.known_day, &chooser.known_time);
    match (at, known) {
        (Ok(None), Ok(None)) => (chooser, now),
        (Ok(at), Ok(as_of)) => (chooser, Moment { at: at.unwrap_or(caller.now), as_of, chosen: true }),
        _ => {
            chooser.problem = Some(t(caller.lang, "duty-choose-wrong"));
            (chooser, now)
        }
    }
}

fn day_words(voice: Voice, day: CivilDate) -> String {
    use crate::domain::calendar::{era_date, western_date};
    match voice.lang {
        Lang::Ja => era_date(day),
        Lang::En => western_date(day),
    }
}

/// What the cards are drawn from.
struct Desk<'a> {
    voice: Voice,
    world: &'a RotaWorld,
    timeline: &'a Timeline,
    moment: Moment,
    named: bool,
    office: bool,
}

impl Desk<'_> {
    fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        t_with(self.voice.lang, key, values)
    }

    /// A moment in few words, seen from the one that is looked at.
    fn short(&self, at: Millis) -> String {
        Voice { now: self.moment.at, ..self.voice }.short(at)
    }

    fn role(&self, role: RotaRole) -> String {
        t(self.voice.lang, &format!("word-rota-role-{}", role.code()))
    }

    fn name(&self, holder: &Holder) -> String {
        let member = self.world.members.get(&holder.person);
        member.map_or_else(|| holder.person.to_string(), |member| self.voice.name(member))
    }

    fn names(&self, people: &[Holder]) -> String {
        people.iter().map(|holder| self.name(holder)).collect::<Vec<_>>().join("・")
    }

    fn hours(&self, window: Window) -> String {
        let (from, to) = (self.voice.moment(window.from), self.voice.moment(window.to));
        self.say("duty-hours", &[("from", &from), ("to", &to)])
    }

    fn gap(&self, gap: &Gap) -> String {
        t(self.voice.lang, &format!("word-rota-gap-{}", gap_code(gap)))
    }

    async fn area(&self, caller: &Caller, area: &Area) -> Result<DutyArea, Failure> {
        let at = self.moment.at;
        let soon = Window { from: at, to: at.plus_s(BOARD_HOLES_DAYS * 86_400) };
        let holes: Vec<Hole> =
            self.world.holes(self.timeline, soon).into_iter().filter(|hole| hole.area == *area).collect();
        let shown =
            |role: &RotaRole| *role != RotaRole::Backing || !self.timeline.parts(area, *role).is_empty();
        let mut cards = Vec::new();
        for role in RotaRole::ALL.into_iter().filter(shown) {
            cards.push(self.card(caller, area, role, &holes).await?);
        }
        let told = clashes(self.timeline, &self.world.required(), area, soon);
        let ahead = |void: &&VoidSwap| void.legs.iter().any(|leg| leg.area == *area && at < leg.window.to);
        let void = self.timeline.void_swaps().iter().filter(ahead);
        Ok(DutyArea {
            name: (self.world.settings.areas.len() > 1).then(|| self.world.area_name(area).to_owned()),
            cards,
            heads: RotaRole::ALL.into_iter().filter(shown).map(|role| self.role(role)).collect(),
            days: if self.named { self.days(area, &shown, &holes) } else { Vec::new() },
            holes: if self.named { holes.iter().map(|hole| self.hole(hole)).collect() } else { Vec::new() },
            warnings: if self.named {
                told.iter().map(|clash| self.clash(clash)).chain(void.map(|void| self.void(void))).collect()
            } else {
                Vec::new()
            },
        })
    }

    async fn card(
        &self,
        caller: &Caller,
        area: &Area,
        role: RotaRole,
        holes: &[Hole],
    ) -> Result<DutyCard, Failure> {
        let at = self.moment.at;
        let part = self.timeline.who(area, role, at);
        let next = self.timeline.next_hand_over(area, role, at);
        let people = part.people();
        let until = next.map(|next| {
            let time = self.short(next.window.from);
            self.say("duty-until", &[("time", &time)])
        });
        // Hours that need nobody are no gap.
        let missing = people.is_empty() && holes.iter().any(|h| h.role == role && h.window.contains(at));
        let next = next.map(|next| {
            let time = self.short(next.window.from);
            let comes = next.people();
            if comes.is_empty() {
                self.say("duty-next-nobody", &[("time", &time)])
            } else if self.named {
                self.say("duty-next", &[("time", &time), ("name", &self.names(&comes))])
            } else {
                self.say("duty-next-somebody", &[("time", &time)])
            }
        });
        let mut shown = Vec::new();
        for holder in people.iter().filter(|_| self.named) {
            shown.push(self.person(caller, holder).await?);
        }
        Ok(DutyCard {
            role: role.code(),
            title: self.role(role),
            somebody: !people.is_empty(),
            people: shown,
            until,
            next,
            gap: part.gap.as_ref().filter(|_| missing).map(|gap| self.gap(gap)),
            fill: (missing && self.office && !self.moment.chosen)
                .then(|| holes.iter().find(|h| h.role == role && h.window.contains(at)))
                .flatten()
                .map(change_href),
        })
    }

    async fn person(&self, caller: &Caller, holder: &Holder) -> Result<DutyPerson, Failure> {
        let mut numbers = Vec::new();
        let (app, home) = (&caller.web.app, &self.world.home.id);
        let number = |key: &str, number: Option<String>| {
            let number = number.filter(|number| !number.is_empty())?;
            Some(DutyNumber { label: t(self.voice.lang, key), number })
        };
        if let Some(member) = self.world.members.get(&holder.person) {
            let sealed = ("member", "phone", member.id.as_str());
            let phone = app.number_shown(home, sealed, member.phone.as_deref()).await?;
            numbers.extend(number("duty-number-own", phone));
        }
        let mut institution = String::new();
        if let Some(place) = self.world.institutions.get(&holder.institution) {
            institution.clone_from(&place.name);
            numbers.extend(number("duty-number-clinic", app.numbers_of(home, place).await?.phone));
        }
        Ok(DutyPerson { name: self.name(holder), institution, numbers })
    }

    fn days(&self, area: &Area, shown: &impl Fn(&RotaRole) -> bool, holes: &[Hole]) -> Vec<DutyDay> {
        let zone = self.voice.zone;
        let first = civil_day(self.moment.at, zone);
        let Some(window) = self.world.period(first, first.plus_days(DAYS_AHEAD - 1)) else {
            return Vec::new();
        };
        let roles: Vec<RotaRole> = RotaRole::ALL.into_iter().filter(shown).collect();
        let lines: Vec<_> = roles.iter().map(|r| (*r, self.timeline.expand(area, *r, window))).collect();
        (0..DAYS_AHEAD)
            .map(|n| {
                let day = first.plus_days(n);
                let cell = |(role, segments): &(RotaRole, Vec<crate::domain::rota::Segment>)| {
                    let of_day = segments.iter().filter(|s| civil_day(s.window.from, zone) == day);
                    let turn = of_day.filter_map(|segment| {
                        let hole = holes.iter().any(|h| {
                            h.role == *role
                                && h.window.from < segment.window.to
                                && segment.window.from < h.window.to
                        });
                        let empty = segment.people.is_empty();
                        (!empty || hole).then(|| DutyTurn {
                            from: say::time(segment.window.from, zone, self.voice.lang),
                            who: if empty {
                                t(self.voice.lang, "duty-hole")
                            } else {
                                self.names(&segment.people)
                            },
                            empty,
                        })
                    });
                    turn.collect()
                };
                DutyDay {
                    day: say::day(crate::domain::calendar::start_of_day(day, zone), zone, self.voice.lang),
                    off: self.world.calendar.is_holiday(day),
                    cells: lines.iter().map(cell).collect(),
                }
            })
            .collect()
    }

    fn hole(&self, hole: &Hole) -> HoleLine {
        hole_line(self.voice, self.world, hole, self.office && !self.moment.chosen)
    }

    fn clash(&self, clash: &Clash) -> String {
        match clash {
            Clash::Several { role, window, people, .. } => self.say(
                "duty-clash-several",
                &[
                    ("role", &*self.role(*role)),
                    ("hours", &*self.hours(*window)),
                    ("names", &*self.names(people)),
                ],
            ),
            Clash::SameInstitution { window, institution, .. } => self.say(
                "duty-clash-institution",
                &[("hours", &*self.hours(*window)), ("name", self.world.institution_name(institution))],
            ),
        }
    }

    fn void(&self, void: &VoidSwap) -> String {
        let leg = void.legs.first();
        let hours = leg.map(|leg| self.hours(leg.window)).unwrap_or_default();
        let taker = leg.map(|leg| self.name(&leg.taker)).unwrap_or_default();
        let key = match void.why {
            VoidReason::TooLate => "duty-void-late",
            _ => "duty-void",
        };
        self.say(key, &[("hours", &*hours), ("name", &*taker)])
    }
}

/// Where the office puts somebody on for a hole.
pub(super) fn change_href(hole: &Hole) -> String {
    format!(
        "/rota/changes?area={}&role={}&from={}&to={}",
        hole.area,
        hole.role.code(),
        hole.window.from.0,
        hole.window.to.0
    )
}

/// A hole in words, with the next step for whoever may take it.
pub(super) fn hole_line(voice: Voice, world: &RotaWorld, hole: &Hole, may_fill: bool) -> HoleLine {
    let (from, to) = (voice.moment(hole.window.from), voice.moment(hole.window.to));
    let mut why: Vec<String> =
        hole.why.iter().map(|gap| t(voice.lang, &format!("word-rota-gap-{}", gap_code(gap)))).collect();
    why.dedup();
    HoleLine {
        hours: t_with(voice.lang, "duty-hours", &[("from", &from), ("to", &to)]),
        role: t(voice.lang, &format!("word-rota-role-{}", hole.role.code())),
        area: (world.settings.areas.len() > 1).then(|| world.area_name(&hole.area).to_owned()),
        why: why.join(" "),
        fill: may_fill.then(|| change_href(hole)),
    }
}
