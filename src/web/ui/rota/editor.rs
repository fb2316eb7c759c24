//! The coordinator's month: a draft as a table of days, who could sit where and why not, undo, filling. What a draft
//! is and does stands in `app::rota`.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::{Caller, see_other};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::render;
use super::super::views::rota::{
    CandidateLine, DayCell, DraftPage, EmptyLine, FillPage, PersonLine, SeatCell, SeatPanel, SlotCell,
    StepLine, ViolationLine,
};
use super::super::words::Voice;
use super::{Asked, ROTA, asked, enter, said, say, voice};
use crate::app::AppError;
use crate::app::rota::RotaWorld;
use crate::app::rota::desk::{Candidate, SeatView};
use crate::app::rota::drafts::{DraftView, Drafted, SeatChange};
use crate::domain::calendar::CivilDate;
use crate::domain::people::kana;
use crate::domain::people::rights::Right;
use crate::domain::rota::{Assignment, Month, PlainFill, RotaRole, Slot, SlotKey, Violation, Wished};
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RotaDraftId};

pub(super) fn draft_id(path: &str) -> Result<RotaDraftId, Failure> {
    RotaDraftId::from_stored(path).map_err(|_| Failure::not_found())
}

fn month_key(month: Month) -> String {
    format!("{:04}-{:02}", month.year, month.month)
}

fn read_month(text: &str) -> Option<Month> {
    let (year, month) = text.split_once('-')?;
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    CivilDate::new(year, month, 1).map(|_| Month { year, month })
}

fn first_of(month: Month) -> Option<CivilDate> {
    CivilDate::new(month.year, month.month, 1)
}

fn month_words(voice: Voice, month: Month) -> String {
    let values = [("year", month.year.to_string()), ("month", month.month.to_string())];
    t_with(voice.lang, "rota-month", &[("year", &values[0].1), ("month", &values[1].1)])
}

/// A seat as addresses and forms name it.
fn seat_key(key: &SlotKey, role: RotaRole) -> String {
    format!("{key}/{}", role.code())
}

fn read_seat(text: &str) -> Option<(SlotKey, RotaRole)> {
    let (key, role) = text.rsplit_once('/')?;
    Some((key.parse().ok()?, RotaRole::from_code(role)?))
}

/// The id of a seat's place in the page.
fn seat_id(key: &SlotKey, role: RotaRole) -> String {
    let text = format!("s-{}-{}-{}", key.day, key.kind.as_str(), role.code());
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn seat_href(id: &RotaDraftId, key: &SlotKey, role: RotaRole) -> String {
    let month = month_key(Month::of(key.day));
    format!("/rota/drafts/{id}?month={month}&seat={}", seat_key(key, role))
}

/// `GET /rota/drafts/{id}`; `month` and `seat` say which part of it.
pub(in crate::web::ui) async fn draft(
    caller: Caller,
    Path(id): Path<String>,
    query: Asked,
) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let id = draft_id(&id)?;
    let home = &person.association.id;
    let view = caller.web.app.rota_draft(home, &id).await?;
    let voice = voice(&caller);
    let chosen = read_seat(asked(&query, "seat"));
    let months = months(&view);
    let wanted = read_month(asked(&query, "month"))
        .or_else(|| chosen.as_ref().map(|(key, _)| Month::of(key.day)))
        .filter(|month| months.contains(month));
    let month = wanted.or_else(|| months.first().copied()).ok_or(Failure::broken())?;
    let panel = match &chosen {
        Some((key, role)) => match caller.web.app.rota_seat(home, &id, key, *role).await {
            Ok(seat) => Some(panel(voice, &view, &seat, month)),
            Err(AppError::NotFound) => None,
            Err(e) => return Err(e.into()),
        },
        None => None,
    };
    let rounds = caller.web.app.wish_rounds(home).await?;
    let asked_round = rounds.iter().find(|r| r.first <= view.draft.last && view.draft.first <= r.last);
    let lots = match &view.draft.draw {
        Some(draw) => caller.web.app.rota_draws(home).await?.into_iter().find(|row| row.id == *draw),
        None => None,
    };
    let open = view.draft.publication.is_none() && view.draft.dropped_at.is_none();
    let at = months.iter().position(|m| *m == month).unwrap_or_default();
    let beside = |n: Option<usize>| {
        let month = n.and_then(|n| months.get(n))?;
        Some((format!("/rota/drafts/{id}?month={}", month_key(*month)), month_words(voice, *month)))
    };
    let (hard, soft) = counts(&view.violations);
    let undone = view.steps.iter().filter(|step| step.number > view.draft.position).min_by_key(|s| s.number);
    let last = view.steps.iter().find(|step| step.number == view.draft.position);
    let step_words = |what: &str| t(voice.lang, &format!("rota-step-{what}"));
    let silent: Vec<String> = view
        .people
        .iter()
        .filter(|p| !p.profile.exempt && !view.sheets.iter().any(|row| row.member == p.id))
        .map(|p| say::person(voice, &view.world, &p.id))
        .collect();
    let taking_part = view.people.iter().filter(|p| !p.profile.exempt).count();
    let notice = said(&caller);
    let used = caller.said().is_some();
    let newest = view.steps.first().filter(|_| caller.said() == Some("stale"));
    let page = DraftPage {
        shell: caller.shell_at(ROTA, &format!("/rota/drafts/{id}?month={}", month_key(month))),
        stale: newest.map(|step| {
            let (who, what) = (actor(voice, &view.world, &step.actor), step_words(&step.what));
            t_with(
                voice.lang,
                "rota-stale",
                &[("who", &who), ("what", &what), ("at", &voice.moment(step.at))],
            )
        }),
        notice: notice.filter(|_| newest.is_none()),
        id: id.to_string(),
        revision: view.draft.revision,
        name: view.draft.name.clone(),
        area: (view.world.settings.areas.len() > 1)
            .then(|| view.world.area_name(&view.draft.area).to_owned()),
        period: say::days(voice, view.draft.first, view.draft.last),
        month: month_words(voice, month),
        month_key: month_key(month),
        earlier: beside(at.checked_sub(1)),
        later: beside(Some(at + 1)),
        open,
        published: view.draft.publication.as_ref().map(|p| format!("/rota/publications/{p}")),
        empty: count(view.empty.len()),
        hard,
        soft,
        first_empty: view.empty.first().map(|(key, role)| seat_href(&id, key, *role)),
        heads: weekdays(voice),
        weeks: weeks(voice, &view, month, chosen.as_ref()),
        violations: view
            .violations
            .iter()
            .map(|violation| ViolationLine {
                text: say::violation(voice, &view.world, violation),
                hard: violation.rule.is_hard(),
                href: violation
                    .slot
                    .as_ref()
                    .zip(violation.role)
                    .map(|(key, role)| format!("{}#{}", seat_href(&id, key, role), seat_id(key, role))),
            })
            .collect(),
        panel,
        people: people_lines(voice, &view),
        spread: view.spread.map(|s| [say::points(s.least), say::points(s.median), say::points(s.most)]),
        answered: count(taking_part - silent.len()),
        to_answer: count(taking_part),
        silent,
        wishes_href: asked_round.map(|round| format!("/rota/wishes/{}", round.id)),
        undo: last.map(|step| step_words(&step.what)),
        redo: undone.map(|step| step_words(&step.what)),
        steps: view
            .steps
            .iter()
            .take(12)
            .map(|step| StepLine {
                at: voice.moment(step.at),
                what: step_words(&step.what),
                who: actor(voice, &view.world, &step.actor),
                undone: step.number > view.draft.position,
            })
            .collect(),
        has_year_end: days_of(view.draft.first, view.draft.last)
            .any(|day| view.world.calendar.is_year_end(day)),
        lots: lots.map(|row| {
            let order: Vec<String> =
                row.draw.order.iter().map(|id| say::person(voice, &view.world, id)).collect();
            (row.draw.seed.to_string(), order)
        }),
        once: caller.once(),
    };
    Ok(caller.page(render(&page), used))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Who did it, from the audit's word.
pub(super) fn actor(voice: Voice, world: &RotaWorld, actor: &str) -> String {
    let member = actor.strip_prefix("member:").and_then(|id| MemberId::from_stored(id).ok());
    member.map_or_else(|| voice.word("role", "clerk"), |id| say::person(voice, world, &id))
}

fn counts(violations: &[Violation]) -> (u32, u32) {
    let hard = violations.iter().filter(|v| v.rule.is_hard()).count();
    (count(hard), count(violations.len() - hard))
}

fn days_of(first: CivilDate, last: CivilDate) -> impl Iterator<Item = CivilDate> {
    (0..=last.days_since(first)).map(move |n| first.plus_days(n))
}

fn months(view: &DraftView) -> Vec<Month> {
    let months: BTreeSet<Month> = days_of(view.draft.first, view.draft.last).map(Month::of).collect();
    months.into_iter().collect()
}

fn weekdays(voice: Voice) -> Vec<String> {
    (0..7).map(|n| t(voice.lang, &format!("rota-weekday-{n}"))).collect()
}

/// The month in weeks from Sunday to Saturday; days beyond the draft are blank.
fn weeks(
    voice: Voice,
    view: &DraftView,
    month: Month,
    chosen: Option<&(SlotKey, RotaRole)>,
) -> Vec<Vec<Option<DayCell>>> {
    let Some(first) = first_of(month) else { return Vec::new() };
    let names = say::short_names(&view.world);
    let mut slots: BTreeMap<CivilDate, Vec<&Slot>> = BTreeMap::new();
    for slot in &view.slots {
        slots.entry(slot.key.day).or_default().push(slot);
    }
    let mut held: BTreeMap<(&SlotKey, RotaRole), Vec<&Assignment>> = BTreeMap::new();
    for duty in &view.duties {
        held.entry((&duty.slot, duty.role)).or_default().push(duty);
    }
    let mut wrong: BTreeMap<(&SlotKey, RotaRole), bool> = BTreeMap::new();
    for violation in &view.violations {
        if let Some(place) = violation.slot.as_ref().zip(violation.role) {
            *wrong.entry(place).or_default() |= violation.rule.is_hard();
        }
    }
    let seat = |slot: &Slot, role: RotaRole| {
        let duties = held.get(&(&slot.key, role)).map(Vec::as_slice).unwrap_or_default();
        let name = |d: &&Assignment| names.get(&d.holder.person).cloned().unwrap_or_default();
        let held_ms: i64 = duties.iter().map(|d| d.window.to.since_ms(d.window.from)).sum();
        let of = duties.first().and_then(|d| view.world.members.get(&d.holder.person));
        SeatCell {
            id: seat_id(&slot.key, role),
            href: seat_href(&view.draft.id, &slot.key, role),
            role: say::role(voice, role),
            who: duties.iter().map(name).collect::<Vec<_>>().join("→"),
            empty: held_ms < slot.window.to.since_ms(slot.window.from),
            wrong: wrong.get(&(&slot.key, role)).copied(),
            chosen: chosen.is_some_and(|(key, r)| *key == slot.key && *r == role),
            letter: of.map(|member| letter(&member.kana)).unwrap_or_default(),
        }
    };
    let cell = |day: CivilDate| {
        let within = view.draft.first <= day && day <= view.draft.last && Month::of(day) == month;
        within.then(|| DayCell {
            number: day.day(),
            name: say::day(voice, day),
            holiday: view.world.calendar.holiday_name(day).map(str::to_owned),
            off: view.world.calendar.is_holiday(day),
            saturday: day.weekday() == chrono::Weekday::Sat,
            slots: slots
                .get(&day)
                .into_iter()
                .flatten()
                .map(|slot| SlotCell {
                    name: say::kind(view.world.book(), &slot.key),
                    hours: say::hours(voice, slot.window),
                    seats: slot.roles.iter().map(|role| seat(slot, *role)).collect(),
                })
                .collect(),
        })
    };
    let start = first.plus_days(-i64::from(first.weekday().num_days_from_sunday()));
    (0..6)
        .map(|week| (0..7).map(|n| cell(start.plus_days(week * 7 + n))).collect::<Vec<_>>())
        .filter(|week| week.iter().any(Option::is_some))
        .collect()
}

/// The letter of a keyboard that leads to somebody: the first of the reading of their name.
fn letter(reading: &str) -> String {
    const ROWS: [(&str, char); 14] = [
        ("カキクケコ", 'k'),
        ("ガギグゲゴ", 'g'),
        ("サシスセソ", 's'),
        ("ザジズゼゾ", 'z'),
        ("タチツテト", 't'),
        ("ダヂヅデド", 'd'),
        ("ナニヌネノ", 'n'),
        ("ハヒフヘホ", 'h'),
        ("バビブベボ", 'b'),
        ("パピプペポ", 'p'),
        ("マミムメモ", 'm'),
        ("ヤユヨ", 'y'),
        ("ラリルレロ", 'r'),
        ("ワヲ", 'w'),
    ];
    let Some(first) = kana::fold(reading).chars().next() else { return String::new() };
    let vowel = "アイウエオ".chars().zip("aiueo".chars()).find(|(kana, _)| *kana == first);
    let row = ROWS.iter().find(|(row, _)| row.contains(first)).map(|(_, letter)| *letter);
    vowel.map(|(_, letter)| letter).or(row).unwrap_or(first).to_string()
}

fn candidate(voice: Voice, world: &RotaWorld, one: &Candidate) -> CandidateLine {
    let short = |key: &str, at: Option<crate::time::Millis>| {
        at.map(|at| t_with(voice.lang, key, &[("day", &crate::app::say::day(at, voice.zone, voice.lang))]))
    };
    let mut reasons = vec![
        t_with(voice.lang, "rota-in-month", &[("n", &one.in_month.to_string())]),
        t_with(voice.lang, "rota-points", &[("n", &say::points(one.points))]),
    ];
    reasons.extend(short("rota-last", one.last));
    reasons.extend(short("rota-next", one.next));
    reasons.extend(one.wished.then(|| t(voice.lang, "rota-wished")));
    let member = world.members.get(&one.person);
    CandidateLine {
        id: one.person.to_string(),
        name: say::person(voice, world, &one.person),
        institution: member
            .and_then(|m| m.institution.as_ref())
            .map(|id| world.institution_name(id).to_owned())
            .unwrap_or_default(),
        letter: member.map(|m| letter(&m.kana)).unwrap_or_default(),
        reasons: reasons.join("・"),
        against: one.against.iter().map(|violation| say::why(voice, violation)).collect(),
    }
}

fn panel(voice: Voice, view: &DraftView, seat: &SeatView, month: Month) -> SeatPanel {
    let world = &view.world;
    let held = |duty: &Assignment| {
        let who = say::person(voice, world, &duty.holder.person);
        if duty.window == seat.slot.window {
            who
        } else {
            format!("{who}（{}）", say::hours(voice, duty.window))
        }
    };
    let here = |v: &&Violation| v.slot.as_ref() == Some(&seat.slot.key) && v.role == Some(seat.role);
    SeatPanel {
        seat: seat_key(&seat.slot.key, seat.role),
        place: seat_id(&seat.slot.key, seat.role),
        month: month_key(month),
        title: say::seat(voice, world, &seat.slot.key, seat.role),
        hours: say::hours(voice, seat.slot.window),
        held: seat.held.iter().map(held).collect(),
        holds: seat.held.first().map(|duty| duty.holder.person.to_string()).unwrap_or_default(),
        wrong: view.violations.iter().filter(here).map(|v| say::why(voice, v)).collect(),
        can: seat.can.iter().map(|one| candidate(voice, world, one)).collect(),
        cannot: seat.cannot.iter().map(|one| candidate(voice, world, one)).collect(),
    }
}

/// Everybody in the order of their names, never of their figures.
fn people_lines(voice: Voice, view: &DraftView) -> Vec<PersonLine> {
    let world = &view.world;
    let mut people: Vec<&crate::domain::rota::DutyPerson> =
        view.people.iter().filter(|p| !p.profile.exempt).collect();
    people.sort_by_key(|p| {
        let member = world.members.get(&p.id);
        (member.map(|m| kana::sort_key(&m.kana)), p.id.clone())
    });
    let line = |p: &&crate::domain::rota::DutyPerson| {
        let mine = view.duties.iter().filter(|d| d.holder.person == p.id);
        let (mut turns, mut off) = (0, 0);
        for duty in mine {
            turns += 1;
            off += u32::from(crate::domain::rota::is_day_off(duty.slot.day, &world.calendar));
        }
        let sheet = view.sheets.iter().find(|row| row.member == p.id);
        let mut wishes = Vec::new();
        match sheet {
            None => wishes.push(t(voice.lang, "rota-no-sheet")),
            Some(row) => {
                for wish in &row.sheet.days {
                    let days = if wish.first == wish.last {
                        say::day(voice, wish.first)
                    } else {
                        say::days(voice, wish.first, wish.last)
                    };
                    let (key, weight) = match wish.wished {
                        Wished::Unavailable => ("rota-wish-unavailable", 0),
                        Wished::Off { weight } => ("rota-wish-off", weight),
                        Wished::On { weight } => ("rota-wish-on", weight),
                    };
                    wishes.push(t_with(voice.lang, key, &[("days", &days), ("n", &weight.to_string())]));
                }
                if !row.sheet.note.is_empty() {
                    wishes.push(row.sheet.note.clone());
                }
            }
        }
        PersonLine {
            name: say::person(voice, world, &p.id),
            turns,
            off,
            points: say::points(view.points.get(&p.id).copied().unwrap_or_default()),
            wishes,
        }
    };
    people.iter().map(line).collect()
}

/// Back to the month with what is to be said.
fn back(caller: &Caller, id: &RotaDraftId, fields: &Fields, said: &str) -> Response {
    let month = read_month(fields.get("month")).map(|m| format!("?month={}", month_key(m)));
    caller.go_and_say(&format!("/rota/drafts/{id}{}", month.unwrap_or_default()), said)
}

/// What became of a change, as the next page says it.
fn after(
    caller: &Caller,
    id: &RotaDraftId,
    fields: &Fields,
    done: Result<Drafted, AppError>,
    well: &str,
) -> Result<Response, Failure> {
    match done {
        Ok(Drafted::Done { .. }) => Ok(back(caller, id, fields, well)),
        Ok(Drafted::Nothing) => Ok(back(caller, id, fields, "nothing")),
        Ok(Drafted::NotOpen) => Ok(back(caller, id, fields, "not-open")),
        Ok(Drafted::Stale) | Err(AppError::ChangedMeanwhile) => Ok(back(caller, id, fields, "stale")),
        Ok(Drafted::NotFound) => Err(Failure::not_found()),
        Err(e) => Err(e.into()),
    }
}

fn revision(fields: &Fields) -> Result<i64, Failure> {
    fields.number("revision").ok_or(Failure::form_expired())
}

/// `POST /rota/drafts/{id}/seat`: puts somebody on a seat, or nobody.
pub(in crate::web::ui) async fn set(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/seat"))?;
    let (slot, role) = read_seat(fields.get("seat")).ok_or(Failure::form_expired())?;
    let who = match fields.get("person") {
        "" => None,
        id => Some(MemberId::from_stored(id).map_err(|_| Failure::form_expired())?),
    };
    let place = format!("{}#{}", seat_href(&id, &slot, role), seat_id(&slot, role));
    let change = SeatChange { slot, role, person: who, window: None };
    let revision = revision(&fields)?;
    let done = caller.web.app.rota_draft_edit(&person.who(), &id, revision, &[change], Some(&key)).await;
    match done {
        Ok(Drafted::Done { .. }) => Ok(see_other(&place)),
        done => after(&caller, &id, &fields, done, "seat"),
    }
}

/// `POST /rota/drafts/{id}/undo`
pub(in crate::web::ui) async fn undo(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/undo"))?;
    let done = caller.web.app.rota_draft_undo(&person.who(), &id, revision(&fields)?, Some(&key)).await;
    after(&caller, &id, &fields, done, "undone")
}

/// `POST /rota/drafts/{id}/redo`
pub(in crate::web::ui) async fn redo(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/redo"))?;
    let done = caller.web.app.rota_draft_redo(&person.who(), &id, revision(&fields)?, Some(&key)).await;
    after(&caller, &id, &fields, done, "redone")
}

/// `POST /rota/drafts/{id}/copy`: what was held a year before, onto the empty seats.
pub(in crate::web::ui) async fn copy(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/copy"))?;
    let done = caller.web.app.rota_draft_copy_year(&person.who(), &id, revision(&fields)?, Some(&key)).await;
    after(&caller, &id, &fields, done, "copied")
}

/// `POST /rota/drafts/{id}/draw`: lots for the year-end.
pub(in crate::web::ui) async fn draw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/draw"))?;
    let done = caller.web.app.rota_draft_draw(&person.who(), &id, revision(&fields)?, None, Some(&key)).await;
    after(&caller, &id, &fields, done.map(|(_, done)| done), "drawn")
}

/// `POST /rota/drafts/{id}/drop`
pub(in crate::web::ui) async fn drop_draft(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/drop"))?;
    let done = caller.web.app.rota_draft_drop(&person.who(), &id, revision(&fields)?, Some(&key)).await;
    match done {
        Ok(Drafted::Done { .. }) => Ok(caller.go_and_say("/rota", "dropped")),
        done => after(&caller, &id, &fields, done, "dropped"),
    }
}

/// `GET /rota/drafts/{id}/fill`: what filling would do.
pub(in crate::web::ui) async fn fill(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Rota) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let id = draft_id(&id)?;
    let voice = voice(&caller);
    let view = caller.web.app.rota_fill_preview(&person.association.id, &id, &PlainFill).await?;
    let world = &view.world;
    let range = |spread: Option<crate::domain::rota::Spread>| {
        spread.map(|spread| say::points(spread.range())).unwrap_or_default()
    };
    let empty = view.empty.iter().map(|seat| EmptyLine {
        seat: say::seat(voice, world, &seat.slot, seat.role),
        href: seat_href(&id, &seat.slot, seat.role),
        why: seat
            .why
            .iter()
            .map(|(person, rules)| {
                let rules: Vec<String> = rules.iter().map(|rule| say::rule(voice, rule)).collect();
                format!("{}：{}", say::person(voice, world, person), rules.join(" "))
            })
            .collect(),
    });
    let page = FillPage {
        shell: caller.shell_at(ROTA, &format!("/rota/drafts/{id}/fill")),
        id: id.to_string(),
        name: view.draft.name.clone(),
        revision: view.draft.revision,
        count: count(view.adds.len()),
        adds: view.adds.iter().map(|duty| say::duty(voice, world, duty)).collect(),
        empty: empty.collect(),
        before: range(view.before),
        after: range(view.after),
        open: view.draft.publication.is_none() && view.draft.dropped_at.is_none(),
        once: caller.once(),
    };
    Ok(caller.page(render(&page), false))
}

/// `POST /rota/drafts/{id}/fill`
pub(in crate::web::ui) async fn filled(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Rota)?;
    let id = draft_id(&id)?;
    caller.web.app.rota_draft_head(&person.association.id, &id).await?;
    fields.check(&caller, ROTA)?;
    let key = fields.key(&format!("POST /rota/drafts/{id}/fill"))?;
    let revision = revision(&fields)?;
    let done = caller.web.app.rota_draft_fill(&person.who(), &id, revision, &PlainFill, Some(&key)).await;
    let done = done.map(|filled| Drafted::Done { revision: filled.revision });
    after(&caller, &id, &fields, done, "filled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_leads_to_the_reading_of_a_name() {
        for (reading, key) in
            [("うえだ けん", "u"), ("じんない", "z"), ("フクダ", "h"), ("わたなべ", "w"), ("", "")]
        {
            assert_eq!(letter(reading), key, "{reading}");
        }
    }

    #[test]
    fn a_seat_survives_its_address() {
        let key: SlotKey = "2026-10-01/wn".parse().unwrap();
        assert_eq!(read_seat(&seat_key(&key, RotaRole::Deputy)), Some((key, RotaRole::Deputy)));
        assert_eq!(read_seat("2026-10-01/wn"), None);
        assert_eq!(read_month("2026-13"), None);
        assert_eq!(read_month("2026-09"), Some(Month { year: 2026, month: 9 }));
    }
}
