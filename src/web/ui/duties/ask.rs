//! Asking for a change of a duty, and saying that one cannot come; by the doctor or typed in by the office.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::consult::Asking;
use crate::app::swap::{Choosable, Named, NewSwap, SwapAsked};
use crate::domain::calendar::{civil_day, instant_of, wall_clock};
use crate::domain::consult::Wrong;
use crate::domain::dispatch::Rule;
use crate::domain::rota::{Form, RotaRole};
use crate::i18n::t;
use crate::ids::MemberId;
use crate::time::{Millis, Window};

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::people::channel_of;
use super::super::views::duties::{SwapAskPage, SwapIllPage};
use super::super::views::people::{Fact, channels};
use super::super::views::{Choice, Choices, Field, render};
use super::super::words::Voice;
use super::{DUTIES, Place, Principal, area_of, role, voice};

type DutyPath = Path<(String, String, String)>;
type DutyPathFor = Path<(String, String, String, String)>;

/// What can be asked by a form; being ill and holes have their own.
const FORMS: [Form; 4] = [Form::Give, Form::Exchange, Form::Pool, Form::Cover];

/// `GET /duties/{area}/{role}/{from}`
pub(super) async fn form(caller: Caller, Path((area, role, from)): DutyPath) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let place = Place::of(&area, &role, &from)?;
    ask_page(&caller, &Principal::own(&caller)?, &place, None, None).await
}

/// `GET /people/{id}/for/duties/{area}/{role}/{from}`
pub(super) async fn form_for(
    caller: Caller,
    Path((id, area, role, from)): DutyPathFor,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let of = Principal::of(&caller, &id).await?;
    ask_page(&caller, &of, &Place::of(&area, &role, &from)?, None, None).await
}

/// `POST /duties/{area}/{role}/{from}`
pub(super) async fn ask(
    caller: Caller,
    Path((area, role, from)): DutyPath,
    fields: Fields,
) -> Result<Response, Failure> {
    let of = Principal::own(&caller)?;
    send(&caller, &of, &Place::of(&area, &role, &from)?, &fields).await
}

/// `POST /people/{id}/for/duties/{area}/{role}/{from}`
pub(super) async fn ask_for(
    caller: Caller,
    Path((id, area, role, from)): DutyPathFor,
    fields: Fields,
) -> Result<Response, Failure> {
    let of = Principal::of(&caller, &id).await?;
    send(&caller, &of, &Place::of(&area, &role, &from)?, &fields).await
}

async fn choosable(caller: &Caller, of: &Principal<'_>, place: &Place) -> Result<Choosable, Failure> {
    let home = &of.reader.association.id;
    let what = (&place.area, place.role, place.from);
    Ok(caller.web.app.swap_choosable(home, &of.member.id, what).await?)
}

fn duty_facts(voice: Voice, found: &Choosable) -> Vec<Fact> {
    let fact = |key: &str, value: String| Fact { name: t(voice.lang, key), value };
    let mut all = vec![
        fact("swap-when", voice.hours(found.duty.window)),
        fact("swap-role", role(voice, found.duty.role)),
    ];
    all.extend(area_of(&found.areas, &found.duty.area).map(|area| fact("swap-area", area)));
    all
}

/// A duty of another as the value of a choice.
fn word(area: &str, role: RotaRole, window: Window) -> String {
    format!("{area} {} {} {}", role.code(), window.from.0, window.to.0)
}

fn named(word: &str) -> Option<Named> {
    let mut parts = word.split(' ');
    let (area, role) = (parts.next()?.parse().ok()?, RotaRole::from_code(parts.next()?)?);
    let (from, to) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Named { area, role, window: Window::new(Millis(from), Millis(to))? })
}

/// What is wrong, by field: its words.
type Problem<'a> = Option<(&'a str, String)>;

async fn ask_page(
    caller: &Caller,
    of: &Principal<'_>,
    place: &Place,
    typed: Option<&Fields>,
    problem: Problem<'_>,
) -> Result<Response, Failure> {
    let found = choosable(caller, of, place).await?;
    let voice = voice(caller);
    let got = |name: &str| typed.map_or("", |fields| fields.get(name));
    let wrong = |name: &str| problem.as_ref().filter(|(f, _)| *f == name).map(|(_, text)| text.clone());
    let chosen = |name: &str, usual: &str| match got(name) {
        "" => usual.to_owned(),
        typed => typed.to_owned(),
    };
    let how = chosen("form", "give");
    let forms = FORMS.into_iter().map(|form| Choice {
        value: form.code().to_owned(),
        label: super::form(voice, form),
        note: Some(voice.word("swap-form-note", form.code())),
        chosen: form.code() == how,
    });
    let people = found.people.iter().map(|(id, name, place)| Choice {
        value: id.to_string(),
        label: format!("{name}（{place}）"),
        note: None,
        chosen: got("other") == id.as_str(),
    });
    let theirs = found.theirs.iter().map(|(held, _, name)| {
        let value = word(held.area.as_str(), held.role, held.window);
        let (role, hours) = (role(voice, held.role), voice.hours(held.window));
        let words = [("hours", hours.as_str()), ("role", role.as_str()), ("name", name.as_str())];
        Choice {
            chosen: got("takes") == value,
            label: crate::i18n::t_with(voice.lang, "word-swap-duty-of", &words),
            note: None,
            value,
        }
    });
    let clock = |at: Millis| wall_clock(at, voice.zone).format("%H:%M").to_string();
    let time = |name: &str, at: Millis| Field { value: chosen(name, &clock(at)), problem: wrong(name) };
    let top = problem
        .as_ref()
        .filter(|(field, _)| matches!(*field, "duty" | "asker"))
        .map(|(_, text)| text.clone());
    let phone_s = i64::from(found.phone_within_h) * 3_600;
    let base = of.base();
    let view = SwapAskPage {
        shell: caller.shell_at(DUTIES, &place.path(&base)),
        banner: of.banner(voice),
        action: place.path(&base),
        back: base,
        facts: duty_facts(voice, &found),
        form: Choices { options: forms.collect(), problem: wrong("form") },
        other: Choices { options: people.collect(), problem: wrong("other") },
        takes: Choices { options: theirs.collect(), problem: wrong("takes") },
        part: Choices {
            problem: wrong("part"),
            ..voice.choices("swap-part", ["whole", "part"], &chosen("part", "whole"))
        },
        from: time("from", found.duty.window.from.max(caller.now)),
        to: time("to", found.duty.window.to),
        note: Field { value: got("note").to_owned(), problem: wrong("note") },
        channel: of.by_office.then(|| channels(caller.lang, got("channel"), wrong("channel"))),
        late: found.duty.window.from < caller.now.plus_s(phone_s),
        problem: top,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// The instant of a time of day within a duty: the first one from its beginning on.
fn within(duty: Window, typed: &str, zone: chrono_tz::Tz, last: bool) -> Option<Millis> {
    let plain = narrow(typed).replace('：', ":");
    let (hour, minute) = plain.trim().split_once(':')?;
    let time = chrono::NaiveTime::from_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)?;
    let day = civil_day(duty.from, zone);
    let mut at = (0..4).map(|n| instant_of(day.plus_days(n), time, zone));
    // An end at the hour of the beginning is a day later.
    at.find(|at| if last { duty.from < *at } else { duty.from <= *at }).filter(|at| *at <= duty.to)
}

async fn send(
    caller: &Caller,
    of: &Principal<'_>,
    place: &Place,
    fields: &Fields,
) -> Result<Response, Failure> {
    fields.check(caller, DUTIES)?;
    let base = of.base();
    let key = fields.key(&format!("POST {}", place.path(&base)))?;
    let found = choosable(caller, of, place).await?;
    let say = |key: &str| t(caller.lang, key);
    let channel = if of.by_office { channel_of(fields) } else { Some("web") };
    let Some(channel) = channel else {
        let problem = ("channel", say("swap-problem-channel"));
        return ask_page(caller, of, place, Some(fields), Some(problem)).await;
    };
    let Some(form) = FORMS.into_iter().find(|form| form.code() == fields.get("form")) else {
        let problem = ("form", say("swap-problem-form"));
        return ask_page(caller, of, place, Some(fields), Some(problem)).await;
    };
    let mut window = found.duty.window;
    if fields.get("part") == "part" {
        let zone = caller.zone();
        let from = within(window, fields.get("from"), zone, false);
        let part = from.and_then(|from| {
            let to = within(Window { from, to: window.to }, fields.get("to"), zone, true)?;
            Window::new(from, to)
        });
        let Some(part) = part else {
            let problem = ("from", say("swap-problem-part"));
            return ask_page(caller, of, place, Some(fields), Some(problem)).await;
        };
        window = part;
    }
    let new = NewSwap {
        form,
        gives: Named { area: place.area.clone(), role: place.role, window },
        takes: named(fields.get("takes")).filter(|_| form == Form::Exchange),
        other: MemberId::from_stored(fields.get("other")).ok().filter(|_| form == Form::Give),
        note: fields.text("note"),
    };
    let asking = Asking { asker: of.member.id.clone(), in_person: !of.by_office, channel };
    match caller.web.app.swap_ask(&of.who(), asking, new, Some(&key)).await {
        Ok(SwapAsked::Asked(_)) => Ok(caller.go_and_say(&base, "swap-asked")),
        Ok(SwapAsked::Refused(rule)) => {
            let problem = ("duty", rule_words(caller, rule));
            ask_page(caller, of, place, Some(fields), Some(problem)).await
        }
        Ok(SwapAsked::Wrong(..)) => Err(Failure::form_expired().back_to(base)),
        Err(AppError::Invalid(wrong)) => {
            let (field, text) = wrong.first().map_or(("duty", say("swap-problem-duty")), |w| {
                let key = if w.wrong == Wrong::Taken { "taken" } else { w.field };
                (w.field, say(&format!("swap-problem-{key}")))
            });
            ask_page(caller, of, place, Some(fields), Some((field, text))).await
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) fn rule_words(caller: &Caller, rule: Rule) -> String {
    t(caller.lang, &format!("word-rule-{}", rule.code()))
}

/// `GET /duties/{area}/{role}/{from}/ill`
pub(super) async fn ill_form(
    caller: Caller,
    Path((area, role, from)): DutyPath,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    ill_page(&caller, &Principal::own(&caller)?, &Place::of(&area, &role, &from)?, None).await
}

/// `GET /people/{id}/for/duties/{area}/{role}/{from}/ill`
pub(super) async fn ill_form_for(
    caller: Caller,
    Path((id, area, role, from)): DutyPathFor,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let of = Principal::of(&caller, &id).await?;
    ill_page(&caller, &of, &Place::of(&area, &role, &from)?, None).await
}

async fn ill_page(
    caller: &Caller,
    of: &Principal<'_>,
    place: &Place,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let found = choosable(caller, of, place).await?;
    let (voice, base) = (voice(caller), of.base());
    let view = SwapIllPage {
        shell: caller.shell_at(DUTIES, &format!("{}/ill", place.path(&base))),
        banner: of.banner(voice),
        action: format!("{}/ill", place.path(&base)),
        back: base,
        facts: duty_facts(voice, &found),
        primary: place.role == RotaRole::Primary,
        begun: found.duty.window.from <= caller.now,
        channel: of.by_office.then(|| channels(caller.lang, "", None)),
        problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /duties/{area}/{role}/{from}/ill`
pub(super) async fn ill(
    caller: Caller,
    Path((area, role, from)): DutyPath,
    fields: Fields,
) -> Result<Response, Failure> {
    let of = Principal::own(&caller)?;
    cannot_come(&caller, &of, &Place::of(&area, &role, &from)?, &fields).await
}

/// `POST /people/{id}/for/duties/{area}/{role}/{from}/ill`
pub(super) async fn ill_for(
    caller: Caller,
    Path((id, area, role, from)): DutyPathFor,
    fields: Fields,
) -> Result<Response, Failure> {
    let of = Principal::of(&caller, &id).await?;
    cannot_come(&caller, &of, &Place::of(&area, &role, &from)?, &fields).await
}

async fn cannot_come(
    caller: &Caller,
    of: &Principal<'_>,
    place: &Place,
    fields: &Fields,
) -> Result<Response, Failure> {
    fields.check(caller, DUTIES)?;
    let base = of.base();
    let key = fields.key(&format!("POST {}/ill", place.path(&base)))?;
    let found = choosable(caller, of, place).await?;
    let channel = if of.by_office { channel_of(fields) } else { Some("web") };
    let Some(channel) = channel else {
        return ill_page(caller, of, place, Some(t(caller.lang, "swap-problem-channel"))).await;
    };
    let window = found.duty.window;
    let new = NewSwap {
        form: Form::Ill,
        gives: Named { area: place.area.clone(), role: place.role, window },
        takes: None,
        other: None,
        note: String::new(),
    };
    let asking = Asking { asker: of.member.id.clone(), in_person: !of.by_office, channel };
    match caller.web.app.swap_ask(&of.who(), asking, new, Some(&key)).await {
        Ok(SwapAsked::Asked(_)) => Ok(caller.go_and_say(&base, "swap-ill")),
        Ok(SwapAsked::Refused(rule)) => ill_page(caller, of, place, Some(rule_words(caller, rule))).await,
        Ok(SwapAsked::Wrong(..)) => Err(Failure::form_expired().back_to(base)),
        Err(AppError::Invalid(wrong)) => {
            let taken = wrong.iter().any(|w| w.wrong == Wrong::Taken);
            let key = if taken { "swap-problem-taken" } else { "swap-problem-duty" };
            ill_page(caller, of, place, Some(t(caller.lang, key))).await
        }
        Err(e) => Err(e.into()),
    }
}
