//! The households of a clinic: told of the pillars or not, and the printed notice for them. By the clinic's own
//! physician, or typed in by the office.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::households::{HouseholdList, PillarShown, ToldWhom};
use crate::domain::calendar::{civil_day, western_date};
use crate::domain::cover::households::{MEMBERS, Told};
use crate::i18n::{t, t_with};
use crate::ids::HouseholdId;

use super::caller::{Binding, Caller};
use super::clinic::Of;
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::covers::{HouseholdNotice, HouseholdRow, HouseholdsPage, NoticePillar, ToldCell};
use super::views::{Field, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/households" => own;
    post "/households/add" => own_add;
    post "/households/told" => own_told;
    post "/households/end" => own_end;
    post "/households/whole" => own_whole;
    get "/households/notice" => own_notice;
    get "/households/{id}" => theirs;
    post "/households/{id}/add" => their_add;
    post "/households/{id}/told" => their_told;
    post "/households/{id}/end" => their_end;
    post "/households/{id}/whole" => their_whole;
    get "/households/{id}/notice" => their_notice;
}

const HOUSEHOLDS: Binding<'static> = Binding::Page("households");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "household-added" => "said-household-added",
        "household-told" => "said-household-told",
        "household-ended" => "said-household-ended",
        "household-whole" => "said-household-whole",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

fn told(voice: Voice, told: Option<Told>) -> StateLine {
    let (key, day, tone) = match told {
        None => ("none", None, Tone::Warn),
        Some(Told::On { day }) => ("on", Some(day), Tone::Good),
        Some(Told::Refused { day }) => ("refused", Some(day), Tone::Bad),
    };
    let day = day.map(western_date).unwrap_or_default();
    StateLine { text: t_with(voice.lang, &format!("word-household-{key}"), &[("day", &day)]), tone }
}

fn pillar_state(voice: Voice, pillar: &PillarShown) -> StateLine {
    let today = civil_day(voice.now, voice.zone);
    let (key, tone) = if !pillar.pillar.on {
        ("off", Tone::Plain)
    } else if !pillar.pillar.contract.runs_on(today) {
        ("no-contract", Tone::Warn)
    } else if pillar.used {
        ("used", Tone::Good)
    } else {
        ("not-told", Tone::Warn)
    };
    StateLine { text: voice.word("pillar", key), tone }
}

/// What is shown beside the list.
#[derive(Default)]
struct Shown {
    problem: Option<String>,
    patient: Field,
}

async fn page(caller: &Caller, of: &Of<'_>, shown: Shown) -> Result<Response, Failure> {
    let list = caller.web.app.household_list(&of.reader.association.id, &of.clinic).await?;
    let voice = voice(caller);
    let members = (MEMBERS.to_owned(), t(caller.lang, "households-members"));
    let own = list.pillars.iter().map(|p| (p.institution.to_string(), p.name.clone()));
    let told_of: Vec<(String, String)> = std::iter::once(members).chain(own).collect();
    let rows = list.households.iter().map(|household| HouseholdRow {
        id: household.id.to_string(),
        patient: household.patient.clone(),
        told: told_of
            .iter()
            .map(|(pillar, title)| ToldCell {
                pillar: pillar.clone(),
                title: title.clone(),
                state: told(voice, household.told.get(pillar).copied()),
            })
            .collect(),
    });
    let rows: Vec<HouseholdRow> = rows.collect();
    let view = HouseholdsPage {
        shell: caller.shell_at(HOUSEHOLDS, &of.base),
        notice: said(caller),
        problem: shown.problem,
        base: of.base.clone(),
        clinic: list.clinic_name.clone(),
        pillars: list.pillars.iter().map(|p| (p.name.clone(), pillar_state(voice, p))).collect(),
        whole: list
            .whole_since
            .map(|day| t_with(caller.lang, "households-whole-since", &[("day", &western_date(day))])),
        patient: shown.patient,
        day: Field { value: civil_day(caller.now, voice.zone).to_string(), problem: None },
        rows,
        told_of,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

async fn add(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, HOUSEHOLDS)?;
    fields.key(&format!("POST {}/add", of.base))?;
    let typed = fields.text("patient");
    match caller.web.app.household_add(&of.reader.who(), &of.clinic, &typed).await {
        Ok(_) => Ok(caller.go_and_say(&of.base, "household-added")),
        Err(AppError::Invalid(wrong)) => {
            let problem = wrong.first().map(|w| Voice::wrong(caller.lang, w));
            let patient = Field { value: typed, problem };
            page(caller, of, Shown { patient, ..Shown::default() }).await
        }
        Err(e) => Err(e.into()),
    }
}

fn household(fields: &Fields) -> Result<HouseholdId, Failure> {
    HouseholdId::from_stored(fields.get("household")).map_err(|_| Failure::not_found())
}

async fn tell(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, HOUSEHOLDS)?;
    fields.key(&format!("POST {}/told", of.base))?;
    let whom = match fields.get("household") {
        "all" => ToldWhom::NotYet,
        _ => ToldWhom::One(household(fields)?),
    };
    let day = narrow(fields.get("day")).trim().parse().ok();
    let answer = match (fields.get("answer"), day) {
        ("told", Some(day)) => Some(Told::On { day }),
        ("refused", Some(day)) if whom != ToldWhom::NotYet => Some(Told::Refused { day }),
        _ => None,
    };
    let wrong = async || {
        let problem = Some(t(caller.lang, "households-wrong-day"));
        page(caller, of, Shown { problem, ..Shown::default() }).await
    };
    let Some(answer) = answer else { return wrong().await };
    let app = &caller.web.app;
    match app.households_told(&of.reader.who(), &of.clinic, whom, fields.get("pillar"), answer).await {
        Ok(()) => Ok(caller.go_and_say(&of.base, "household-told")),
        Err(AppError::Invalid(_)) => wrong().await,
        Err(e) => Err(e.into()),
    }
}

async fn end(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, HOUSEHOLDS)?;
    fields.key(&format!("POST {}/end", of.base))?;
    caller.web.app.household_end(&of.reader.who(), &of.clinic, &household(fields)?).await?;
    Ok(caller.go_and_say(&of.base, "household-ended"))
}

async fn whole(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, HOUSEHOLDS)?;
    fields.key(&format!("POST {}/whole", of.base))?;
    let whole = fields.get("whole") == "yes";
    caller.web.app.household_whole(&of.reader.who(), &of.clinic, whole).await?;
    Ok(caller.go_and_say(&of.base, "household-whole"))
}

fn notice_pillar(voice: Voice, pillar: &PillarShown) -> NoticePillar {
    let set = &pillar.pillar;
    let clock = |m: u16| format!("{}:{:02}", m / 60, m % 60);
    let day = |day: Option<crate::domain::calendar::CivilDate>| day.map(western_date).unwrap_or_default();
    NoticePillar {
        name: pillar.name.clone(),
        phone: pillar.phone.clone(),
        kind: t(voice.lang, &format!("pillar-kind-{}", set.kind.code())),
        people: pillar.people.join("、"),
        hours: if set.from_min == set.to_min {
            t(voice.lang, "household-notice-always")
        } else {
            format!("{}–{}", clock(set.from_min), clock(set.to_min))
        },
        contract: format!("{}–{}", day(set.contract.from), day(set.contract.until)),
    }
}

async fn notice(caller: &Caller, of: &Of<'_>) -> Result<Response, Failure> {
    let list: HouseholdList = caller.web.app.household_list(&of.reader.association.id, &of.clinic).await?;
    let voice = voice(caller);
    let today = civil_day(caller.now, voice.zone);
    let named = list.pillars.iter().filter(|p| p.pillar.on && p.pillar.contract.runs_on(today));
    let view = HouseholdNotice {
        shell: caller.shell_at(HOUSEHOLDS, &format!("{}/notice", of.base)),
        back: of.base.clone(),
        clinic: list.clinic_name.clone(),
        pillars: named.map(|p| notice_pillar(voice, p)).collect(),
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /households`
pub(super) async fn own(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Of::own(&caller, "/households")?, Shown::default()).await
}

/// `POST /households/add`
pub(super) async fn own_add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    add(&caller, &Of::own(&caller, "/households")?, &fields).await
}

/// `POST /households/told`
pub(super) async fn own_told(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    tell(&caller, &Of::own(&caller, "/households")?, &fields).await
}

/// `POST /households/end`
pub(super) async fn own_end(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    end(&caller, &Of::own(&caller, "/households")?, &fields).await
}

/// `POST /households/whole`
pub(super) async fn own_whole(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    whole(&caller, &Of::own(&caller, "/households")?, &fields).await
}

/// `GET /households/notice`
pub(super) async fn own_notice(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    notice(&caller, &Of::own(&caller, "/households")?).await
}

/// `GET /households/{id}`
pub(super) async fn theirs(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Of::office(&caller, "/households", &id).await?, Shown::default()).await
}

/// `POST /households/{id}/add`
pub(super) async fn their_add(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    add(&caller, &Of::office(&caller, "/households", &id).await?, &fields).await
}

/// `POST /households/{id}/told`
pub(super) async fn their_told(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    tell(&caller, &Of::office(&caller, "/households", &id).await?, &fields).await
}

/// `POST /households/{id}/end`
pub(super) async fn their_end(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    end(&caller, &Of::office(&caller, "/households", &id).await?, &fields).await
}

/// `POST /households/{id}/whole`
pub(super) async fn their_whole(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    whole(&caller, &Of::office(&caller, "/households", &id).await?, &fields).await
}

/// `GET /households/{id}/notice`
pub(super) async fn their_notice(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    notice(&caller, &Of::office(&caller, "/households", &id).await?).await
}
