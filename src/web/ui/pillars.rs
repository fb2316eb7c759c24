//! The pillars (受け皿): who stands by after the duty, on what terms, and the own rota of those that have one. The terms
//! are the office's; the rota is written by the institution's own people, or typed in by the office.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::SignedIn;
use crate::app::call::settings::Pillar;
use crate::app::pillars::{PillarCase, PillarLine, PillarRota};
use crate::domain::calendar::{CivilDate, civil_day, western_date};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::cover::households::Contract;
use crate::domain::cover::pillars::{NewPillarDuty, PillarKind, ROTA_DAYS_MAX};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{InstitutionId, MemberId, PillarDutyId};

use super::caller::{Binding, Caller};
use super::clinic::{EVERYWHERE, Of};
use super::directory::{self, WITH_DOCTORS};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::night::{clock, minute};
use super::views::directory::{Fact, Input};
use super::views::pillars::{PillarDutyRow, PillarPage, PillarRotaPage, PillarRow, PillarsPage};
use super::views::{Choice, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/settings/pillars" => list;
    get "/settings/pillars/{id}" => form;
    post "/settings/pillars/{id}" => save;
    post "/settings/pillars/{id}/remove" => remove;
    get "/pillar" => own;
    post "/pillar/add" => own_add;
    post "/pillar/withdraw" => own_withdraw;
    get "/pillar/{id}" => theirs;
    post "/pillar/{id}/add" => their_add;
    post "/pillar/{id}/withdraw" => their_withdraw;
}

const SETTINGS: Binding<'static> = Binding::Page("settings");
const PILLAR: Binding<'static> = Binding::Page("pillar");
const LIST: &str = "/settings/pillars";
/// The fields of who answers for a pillar, in the order in which they are asked.
const PEOPLE: [&str; 3] = ["person1", "person2", "person3"];

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// Words between blanks or commas.
fn words(text: &str) -> Vec<String> {
    let parted = text.split([' ', '\u{3000}', ',', '、']);
    parted.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `18:00-08:00` as minutes of the day; nothing typed: always. `None`: it cannot be read.
fn hours(text: &str) -> Option<(u16, u16)> {
    let text = narrow(text);
    if text.trim().is_empty() {
        return Some((0, 0));
    }
    let (from, to) = text.split_once(['-', '~', '〜', '–'])?;
    Some((minute(from)?, minute(to)?))
}

fn hours_shown((from, to): (u16, u16)) -> String {
    if from == to { String::new() } else { format!("{}-{}", clock(from), clock(to)) }
}

fn day(text: &str) -> Option<CivilDate> {
    narrow(text).trim().replace('/', "-").parse().ok()
}

fn kind_of(caller: &Caller, kind: PillarKind) -> String {
    t(caller.lang, &format!("pillar-kind-{}", kind.code()))
}

/// What is wrong with the fields of a form, in the words of this page.
fn say(caller: &Caller, inputs: &mut [Input], wrong: &[FieldWrong]) -> Option<String> {
    let mut above = None;
    for one in wrong {
        let most = ROTA_DAYS_MAX.to_string();
        let words = match (one.field, one.wrong) {
            ("hours", _) => t(caller.lang, "pillar-wrong-hours"),
            ("from" | "until", _) => t(caller.lang, "pillar-wrong-contract"),
            ("place", _) => t(caller.lang, "pillar-wrong-place"),
            ("first", Wrong::Taken) => t(caller.lang, "pillar-wrong-twice"),
            ("first", Wrong::TooSoon) => t(caller.lang, "pillar-wrong-past"),
            ("last", Wrong::TooSoon) => t(caller.lang, "pillar-wrong-reversed"),
            ("last", Wrong::TooLate) => t_with(caller.lang, "pillar-wrong-long", &[("most", &most)]),
            ("duty", _) => t(caller.lang, "pillar-wrong-gone"),
            ("pillar", _) => t(caller.lang, "pillar-none-here"),
            _ => Voice::wrong(caller.lang, one),
        };
        let field = if one.field == "people" { PEOPLE[0] } else { one.field };
        match inputs.iter_mut().find(|input| input.id == field) {
            Some(input) => input.problem = Some(words),
            None => above = Some(words),
        }
    }
    above
}

fn people_choices(people: &[(MemberId, String)], chosen: &str) -> Vec<Choice> {
    let one = |(id, name): &(MemberId, String)| Choice {
        value: id.to_string(),
        label: name.clone(),
        note: None,
        chosen: id.as_str() == chosen,
    };
    people.iter().map(one).collect()
}

// ---- what the office sets -------------------------------------------------------------------------

fn row(caller: &Caller, line: &PillarLine) -> PillarRow {
    let (key, tone) = match (line.pillar.on, line.runs) {
        (false, _) => ("word-pillar-off", Tone::Plain),
        (true, false) => ("word-pillar-no-contract", Tone::Warn),
        (true, true) => ("pillar-on", Tone::Good),
    };
    let shown = |day: Option<CivilDate>| day.map(western_date).unwrap_or_default();
    let contract = line.pillar.contract;
    PillarRow {
        href: format!("{LIST}/{}", line.institution),
        name: line.name.clone(),
        kind: kind_of(caller, line.pillar.kind),
        state: StateLine { text: t(caller.lang, key), tone },
        contract: contract.from.map(|from| format!("{}–{}", western_date(from), shown(contract.until))),
        rota: t_with(caller.lang, "pillar-rota-lines", &[("count", &line.rota.to_string())]),
    }
}

/// `GET /settings/pillars`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Settings)?;
    let app = &caller.web.app;
    let pillars = app.pillars(&person.association.id).await?;
    let all = app.institutions(&person.association.id, "", EVERYWHERE).await?;
    let may = |kind: &str| kind == "visit_company" || WITH_DOCTORS.contains(&kind);
    let others = all.into_iter().filter(|i| {
        i.closed.is_none() && may(&i.kind) && pillars.iter().all(|line| line.institution != i.id)
    });
    let said = caller.said();
    let view = PillarsPage {
        shell: caller.shell_at(SETTINGS, LIST),
        notice: (said == Some("saved")).then(|| t(caller.lang, "settings-saved")),
        rows: pillars.iter().map(|line| row(&caller, line)).collect(),
        others: others.map(|i| (format!("{LIST}/{}", i.id), i.name)).collect(),
    };
    Ok(caller.page(render(&view), said.is_some()))
}

/// The fields as they are set, or as they were typed.
fn inputs(caller: &Caller, case: &PillarCase, typed: Option<&Fields>) -> Vec<Input> {
    let set = case.pillar.clone().unwrap_or_default();
    let get = |name: &str, set: String| typed.map_or(set, |fields| fields.text(name));
    let shown = |day: Option<CivilDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let kind = get("kind", set.kind.code().to_owned());
    let kinds = PillarKind::ALL.map(|one| Choice {
        value: one.code().to_owned(),
        label: kind_of(caller, one),
        note: None,
        chosen: one.code() == kind,
    });
    let hours = get("hours", hours_shown((set.from_min, set.to_min)));
    let place = get("place", set.place.to_string());
    let on = typed.map_or(set.on, |fields| fields.is_ticked("on"));
    let mut inputs = vec![
        directory::tick(caller, "on", "pillar-use", on),
        directory::select(caller, "kind", "pillar-kind", kinds.to_vec()),
        directory::line(caller, "place", "pillar-place", &place, "numeric"),
        directory::line(caller, "hours", "pillar-hours", &hours, "text"),
        directory::line(caller, "areas", "pillar-areas", &get("areas", set.areas.join(" ")), "text"),
        directory::day(caller, "from", "pillar-from", &get("from", shown(set.contract.from))),
        directory::day(caller, "until", "pillar-until", &get("until", shown(set.contract.until))),
    ];
    for (n, name) in PEOPLE.into_iter().enumerate() {
        let chosen = get(name, set.people.get(n).map(MemberId::to_string).unwrap_or_default());
        let key = if n == 0 { "pillar-person" } else { "pillar-person-next" };
        inputs.push(directory::select(caller, name, key, people_choices(&case.people, &chosen)));
    }
    inputs
}

/// What was typed; every field that cannot be read.
fn taken(fields: &Fields) -> Result<Pillar, Vec<FieldWrong>> {
    let mut wrong = Vec::new();
    let mut no = |field, what| wrong.push(FieldWrong { field, wrong: what });
    let kind = PillarKind::of(fields.get("kind"));
    if kind.is_none() {
        no("kind", Wrong::NotAChoice);
    }
    let place = match narrow(fields.get("place")).trim() {
        "" => Some(0),
        text => text.parse().ok(),
    };
    if place.is_none() {
        no("place", Wrong::OutOfRange);
    }
    let hours = hours(fields.get("hours"));
    if hours.is_none() {
        no("hours", Wrong::OutOfRange);
    }
    let mut days = [None, None];
    for (field, read) in ["from", "until"].into_iter().zip(&mut days) {
        if !fields.get(field).trim().is_empty() {
            *read = day(fields.get(field));
            if read.is_none() {
                no(field, Wrong::OutOfRange);
            }
        }
    }
    let mut people = Vec::new();
    for field in PEOPLE {
        match fields.get(field) {
            "" => {}
            text => match MemberId::from_stored(text) {
                Ok(id) if !people.contains(&id) => people.push(id),
                Ok(_) => {}
                Err(_) => no(field, Wrong::NotAChoice),
            },
        }
    }
    let (Some(kind), Some(place), Some((from_min, to_min)), true) = (kind, place, hours, wrong.is_empty())
    else {
        return Err(wrong);
    };
    Ok(Pillar {
        kind,
        place,
        on: fields.is_ticked("on"),
        people,
        from_min,
        to_min,
        areas: words(&fields.text("areas")),
        contract: Contract { from: days[0], until: days[1] },
    })
}

/// An institution of the reader's association, and who sets its terms.
async fn set_of<'a>(caller: &'a Caller, id: &str) -> Result<(&'a SignedIn, InstitutionId), Failure> {
    let person = caller.with_right(Right::Settings)?;
    let id = InstitutionId::from_stored(id).map_err(|_| Failure::not_found())?;
    caller.web.app.institution(&person.association.id, &id).await?;
    Ok((person, id))
}

fn page(
    caller: &Caller,
    id: &InstitutionId,
    case: &PillarCase,
    (revision, inputs, problem): (i64, Vec<Input>, Option<String>),
) -> Response {
    let known = case.pillar.is_some();
    let view = PillarPage {
        shell: caller.shell_at(SETTINGS, &format!("{LIST}/{id}")),
        id: id.api(),
        name: case.name.clone(),
        problem,
        revision,
        action: format!("{LIST}/{id}"),
        inputs,
        tariffs: Fact {
            label: t(caller.lang, "pillar-tariffs"),
            value: case.tariffs.join("、"),
            tel: false,
            long: false,
        },
        rota: known.then(|| format!("/pillar/{id}")),
        remove: known.then(|| format!("{LIST}/{id}/remove")),
    };
    caller.page(render(&view), false)
}

/// `GET /settings/pillars/{id}`
pub(super) async fn form(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (person, id) = set_of(&caller, &id).await?;
    let case = caller.web.app.pillar(&person.association.id, &id).await?;
    let fields = inputs(&caller, &case, None);
    Ok(page(&caller, &id, &case, (case.revision, fields, None)))
}

/// `POST /settings/pillars/{id}`
pub(super) async fn save(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, id) = set_of(&caller, &id).await?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let app = &caller.web.app;
    let case = app.pillar(&person.association.id, &id).await?;
    let mut shown = inputs(&caller, &case, Some(&fields));
    let wrong = match taken(&fields) {
        Err(wrong) => wrong,
        Ok(pillar) => match app.pillar_put(&person.who(), revision, &id, Some(pillar)).await {
            Ok(()) => return Ok(caller.go_and_say(LIST, "saved")),
            Err(AppError::Invalid(wrong)) => wrong,
            Err(AppError::ChangedMeanwhile) => {
                // What was typed stays; sent again it counts over what the other one did.
                let stale = Some(t(caller.lang, "rset-stale"));
                return Ok(page(&caller, &id, &case, (case.revision, shown, stale)));
            }
            Err(e) => return Err(Failure::from(e).back_to(LIST)),
        },
    };
    let problem = say(&caller, &mut shown, &wrong);
    Ok(page(&caller, &id, &case, (revision, shown, problem)))
}

/// `POST /settings/pillars/{id}/remove`
pub(super) async fn remove(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, id) = set_of(&caller, &id).await?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    match caller.web.app.pillar_put(&person.who(), revision, &id, None).await {
        Ok(()) => Ok(caller.go_and_say(LIST, "saved")),
        Err(e) => Err(Failure::from(e).back_to(LIST)),
    }
}

// ---- its own rota ---------------------------------------------------------------------------------

/// One's own institution: whoever may see who is on duty.
fn ours(caller: &Caller) -> Result<Of<'_>, Failure> {
    let reader = caller.with_right(Right::Duty)?;
    let clinic = reader.member.institution.clone().ok_or(Failure::not_found())?;
    Ok(Of { reader, clinic, base: "/pillar".to_owned(), office: false })
}

fn rota_inputs(caller: &Caller, rota: &PillarRota, typed: Option<&Fields>) -> Vec<Input> {
    let today = civil_day(caller.now, caller.zone()).to_string();
    let get = |name: &str, usual: &str| typed.map_or(usual.to_owned(), |fields| fields.text(name));
    let people = people_choices(&rota.people, &get("member", ""));
    vec![
        directory::select(caller, "member", "pillar-duty-person", people),
        directory::day(caller, "first", "pillar-duty-first", &get("first", &today)),
        directory::day(caller, "last", "pillar-duty-last", &get("last", "")),
        directory::line(caller, "hours", "pillar-duty-hours", &get("hours", "18:00-08:00"), "text"),
    ]
}

fn rota_page(
    caller: &Caller,
    of: &Of<'_>,
    rota: &PillarRota,
    (inputs, problem): (Vec<Input>, Option<String>),
) -> Response {
    let voice = voice(caller);
    let said = caller.said().filter(|said| matches!(*said, "pillar-added" | "pillar-withdrawn"));
    let view = PillarRotaPage {
        shell: caller.shell_at(PILLAR, &of.base),
        notice: said.map(|said| t(caller.lang, &format!("said-{said}"))),
        problem,
        base: of.base.clone(),
        back: of.office.then(|| format!("{LIST}/{}", of.clinic)).filter(|_| of.reader.may(Right::Settings)),
        name: rota.name.clone(),
        pillar: rota.pillar,
        otherwise: rota.otherwise.join("、"),
        inputs,
        rows: rota
            .lines
            .iter()
            .map(|(duty, person)| PillarDutyRow {
                id: duty.id.to_string(),
                hours: voice.hours(duty.window),
                person: person.clone(),
            })
            .collect(),
        once: caller.once(),
    };
    caller.page(render(&view), said.is_some())
}

async fn show(caller: &Caller, of: &Of<'_>) -> Result<Response, Failure> {
    let rota = caller.web.app.pillar_rota(&of.reader.association.id, &of.clinic).await?;
    let inputs = rota_inputs(caller, &rota, None);
    Ok(rota_page(caller, of, &rota, (inputs, None)))
}

/// What was typed; every field that cannot be read. One day only is that day.
fn duty_taken(fields: &Fields) -> Result<(MemberId, NewPillarDuty), Vec<FieldWrong>> {
    let member = MemberId::from_stored(fields.get("member")).map_err(|_| FieldWrong::missing("member"));
    let first = day(fields.get("first")).ok_or(FieldWrong::missing("first"));
    let last = match fields.get("last").trim() {
        "" => first,
        text => day(text).ok_or(FieldWrong::missing("last")),
    };
    let hours = hours(fields.get("hours")).ok_or(FieldWrong::missing("hours"));
    match (member, first, last, hours) {
        (Ok(member), Ok(first), Ok(last), Ok(hours)) => {
            Ok((member, NewPillarDuty { days: (first, last), hours }))
        }
        (member, first, last, hours) => {
            let all = [member.err(), first.err(), last.err().filter(|w| w.field == "last"), hours.err()];
            Err(all.into_iter().flatten().collect())
        }
    }
}

async fn refused(
    caller: &Caller,
    of: &Of<'_>,
    typed: Option<&Fields>,
    wrong: &[FieldWrong],
) -> Result<Response, Failure> {
    let rota = caller.web.app.pillar_rota(&of.reader.association.id, &of.clinic).await?;
    let mut inputs = rota_inputs(caller, &rota, typed);
    let problem = say(caller, &mut inputs, wrong);
    Ok(rota_page(caller, of, &rota, (inputs, problem)))
}

async fn add(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, PILLAR)?;
    fields.key(&format!("POST {}/add", of.base))?;
    let wrong = match duty_taken(fields) {
        Err(wrong) => wrong,
        Ok((member, new)) => {
            match caller.web.app.pillar_duty_add(&of.reader.who(), &of.clinic, &member, new).await {
                Ok(()) => return Ok(caller.go_and_say(&of.base, "pillar-added")),
                Err(AppError::Invalid(wrong)) => wrong,
                Err(e) => return Err(e.into()),
            }
        }
    };
    refused(caller, of, Some(fields), &wrong).await
}

async fn withdraw(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, PILLAR)?;
    fields.key(&format!("POST {}/withdraw", of.base))?;
    let id = PillarDutyId::from_stored(fields.get("duty")).map_err(|_| Failure::not_found())?;
    match caller.web.app.pillar_duty_withdraw(&of.reader.who(), &of.clinic, &id).await {
        Ok(()) => Ok(caller.go_and_say(&of.base, "pillar-withdrawn")),
        Err(AppError::Invalid(wrong)) => refused(caller, of, None, &wrong).await,
        Err(e) => Err(e.into()),
    }
}

/// `GET /pillar`
pub(super) async fn own(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    show(&caller, &ours(&caller)?).await
}

/// `POST /pillar/add`
pub(super) async fn own_add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    add(&caller, &ours(&caller)?, &fields).await
}

/// `POST /pillar/withdraw`
pub(super) async fn own_withdraw(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    withdraw(&caller, &ours(&caller)?, &fields).await
}

/// `GET /pillar/{id}`
pub(super) async fn theirs(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    show(&caller, &Of::office(&caller, "/pillar", &id).await?).await
}

/// `POST /pillar/{id}/add`
pub(super) async fn their_add(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    add(&caller, &Of::office(&caller, "/pillar", &id).await?, &fields).await
}

/// `POST /pillar/{id}/withdraw`
pub(super) async fn their_withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    withdraw(&caller, &Of::office(&caller, "/pillar", &id).await?, &fields).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them_and_shown_so_that_they_are_read_again() {
        assert_eq!(hours("１８:００-8:00"), Some((1_080, 480)));
        assert_eq!(hours(""), Some((0, 0)));
        for wrong in ["18-8", "25:00-08:00", "18:00-", "18:60-08:00"] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
        assert_eq!(hours(&hours_shown((1_080, 480))), Some((1_080, 480)));
        assert_eq!(words("青葉北　青葉南、青葉東"), ["青葉北", "青葉南", "青葉東"]);
    }
}
