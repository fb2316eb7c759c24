//! Devices that an institution's people share: the office's list and paper, enrolling one, coming in on one.

use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::people::stations::{AtStation, NewStation, Station};
use crate::app::rows::{Institution, Member, SharedDevice};
use crate::domain::people::Role;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{InstitutionId, MemberId, SharedDeviceId};
use crate::web::rate::Purpose;

use super::super::caller::{Binding, Caller, Cookie, see_other, with};
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{
    FilterLink, LinkStation, StationForm, StationLine, StationPaper, StationSignIn, StationsPage,
};
use super::super::views::{Choice, Choices, Field, Hidden, PinProblem, StateLine, Tone, render};
use super::super::words::{Voice, title};
use super::{PEOPLE, device_name, qr_image, said, voice};

const DOOR: Binding<'static> = Binding::Page("sign-in");

/// Institutions to choose from.
const INSTITUTIONS: i64 = 5_000;

/// For which institution the form is shown.
#[derive(Debug, Default, Deserialize)]
pub(super) struct For {
    #[serde(default)]
    institution: String,
}

fn line(voice: Voice, device: &SharedDevice, home: &Institution) -> StationLine {
    let (code, tone) = match (device.enrolled, device.slow_until) {
        (None, _) => ("invited", Tone::Info),
        (Some(_), Some(until)) if voice.now < until => ("slow", Tone::Bad),
        (Some(_), _) => ("enrolled", Tone::Good),
    };
    let said = |key: &str, at| t_with(voice.lang, key, &[("time", &voice.moment(at))]);
    let detail = match (device.enrolled, device.used) {
        (Some(_), Some(used)) => {
            format!("{} {}", device_name(voice, &device.label), said("people-device-used", used))
        }
        _ => said("station-until", device.invited_until),
    };
    StationLine {
        id: device.id.to_string(),
        name: device.name.clone(),
        institution: home.name.clone(),
        state: StateLine { text: voice.word("station", code), tone },
        detail,
        may_print: device.enrolled.is_none(),
    }
}

fn people(voice: Voice, members: &[Member], chosen: &str, problem: Option<String>) -> Choices {
    let option = |m: &Member| Choice {
        value: m.id.to_string(),
        label: title(&m.name, &m.roles, voice.lang),
        note: None,
        chosen: m.id.as_str() == chosen,
    };
    Choices { options: members.iter().map(option).collect(), problem }
}

/// `GET /people/stations`
pub(super) async fn list(caller: Caller, Query(of): Query<For>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = caller.with_right(Right::People)?;
    let institution = InstitutionId::from_stored(&of.institution).ok().filter(|_| reader.may(Right::Enrol));
    page(&caller, institution.as_ref(), &Fields::default(), &[]).await
}

async fn page(
    caller: &Caller,
    institution: Option<&InstitutionId>,
    typed: &Fields,
    problems: &[(&str, String)],
) -> Result<Response, Failure> {
    let reader = caller.with_right(Right::People)?;
    let (voice, app, home) = (voice(caller), &caller.web.app, &reader.association.id);
    let stations = app.stations(home, None).await?;
    let problem = |name: &str| problems.iter().find(|(f, _)| *f == name).map(|(_, text)| text.clone());
    let form = match institution {
        Some(id) => {
            let found = app.institution(home, id).await?;
            let receivers = app.station_people(home, id).await?;
            let no_one = receivers.is_empty().then(|| t(caller.lang, "station-nobody"));
            let by = voice.choices(
                "by-way",
                ["paper", "mail"],
                if typed.get("by") == "mail" { "mail" } else { "paper" },
            );
            Some(StationForm {
                institution_id: id.to_string(),
                institution: found.name,
                name: Field { value: typed.get("name").to_owned(), problem: problem("name") },
                receiver: people(voice, &receivers, typed.get("receiver"), problem("receiver").or(no_one)),
                by: Choices { problem: problem("by"), ..by },
            })
        }
        None => None,
    };
    let everybody = app.people(home).await?;
    let mut institutions: Vec<&Institution> = everybody
        .iter()
        .filter(|p| p.member.is_active(caller.now) && !p.member.is_office())
        .filter_map(|p| p.institution.as_ref())
        .filter(|i| i.closed.is_none())
        .collect();
    institutions.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    institutions.dedup_by(|a, b| a.id == b.id);
    let links = institutions.iter().take(usize::try_from(INSTITUTIONS).unwrap_or(usize::MAX));
    let view = StationsPage {
        shell: caller.shell_at(PEOPLE, "/people/stations"),
        notice: said(caller),
        stations: stations.iter().map(|(device, home)| line(voice, device, home)).collect(),
        institutions: links
            .map(|i| FilterLink {
                label: i.name.clone(),
                href: format!("/people/stations?institution={}", i.id),
                current: institution == Some(&i.id),
            })
            .collect(),
        form,
        may_enrol: reader.may(Right::Enrol),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /people/stations`
pub(super) async fn invite(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key("POST /people/stations")?;
    let Ok(institution) = InstitutionId::from_stored(fields.get("institution")) else {
        return Ok(see_other("/people/stations"));
    };
    let Ok(receiver) = MemberId::from_stored(fields.get("receiver")) else {
        let problem = [("receiver", t(caller.lang, "station-choose"))];
        return page(&caller, Some(&institution), &fields, &problem).await;
    };
    let by_mail = fields.get("by") == "mail";
    let new = NewStation { institution: institution.clone(), name: fields.text("name"), receiver, by_mail };
    match caller.web.app.station_invite(&person.who(), new, Some(&key)).await {
        Ok(_) if by_mail => Ok(caller.go_and_say("/people/stations", "station-mailed")),
        Ok(id) => Ok(see_other(&format!("/people/stations/{id}"))),
        Err(AppError::Invalid(wrong)) => {
            let problems: Vec<(&str, String)> = wrong
                .iter()
                .map(|w| match w.field {
                    "name" => ("name", t(caller.lang, "station-name-missing")),
                    field => (field, t(caller.lang, "station-receiver-unfit")),
                })
                .collect();
            page(&caller, Some(&institution), &fields, &problems).await
        }
        Err(e) => Err(Failure::from(e).back_to("/people/stations")),
    }
}

fn station_id(path: &str) -> Result<SharedDeviceId, Failure> {
    SharedDeviceId::from_stored(path).map_err(|_| Failure::not_found())
}

/// `GET /people/stations/{id}`: its paper, as long as nobody has used it.
pub(super) async fn paper(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = station_id(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = caller.with_right(Right::Enrol)?;
    let sheet = caller.web.app.station_sheet(&reader.association.id, &id).await?;
    let voice = voice(&caller);
    let base = &caller.web.app.rules.base_url;
    let view = StationPaper {
        shell: caller.shell_at(PEOPLE, "/people/stations"),
        institution: sheet.station.institution.name,
        device: sheet.station.device.name,
        receiver: voice.name(&sheet.receiver),
        address: format!("{base}/k"),
        code: Hidden(sheet.code),
        qr: qr_image(&format!("{base}/k#{}", sheet.token.as_str())),
        until: voice.moment(sheet.until),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /people/stations/{id}/revoke`
pub(super) async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = station_id(&id)?;
    let person = caller.with_right(Right::Enrol)?;
    caller.web.app.station_there(&person.association.id, &id).await?;
    fields.check(&caller, PEOPLE)?;
    let key = fields.key(&format!("POST /people/stations/{id}/revoke"))?;
    caller.web.app.station_revoke(&person.who(), &id, Some(&key)).await?;
    Ok(caller.go_and_say("/people/stations", "station-revoked"))
}

/// What was wrong with a name and a PIN.
enum Wrong {
    Nobody,
    Pin(PinProblem),
}

fn wrong_of(at: &AtStation) -> Option<Wrong> {
    Some(match at {
        AtStation::NobodyChosen => Wrong::Nobody,
        AtStation::PinMissing => Wrong::Pin(PinProblem::Missing),
        AtStation::PinMalformed => Wrong::Pin(PinProblem::Malformed),
        AtStation::PinWrong { tries_left: Some(left) } => {
            Wrong::Pin(PinProblem::Wrong { tries_left: u32::try_from(*left).unwrap_or(0) })
        }
        AtStation::PinWrong { tries_left: None } => Wrong::Pin(PinProblem::WrongOnDevice),
        AtStation::Done(_) | AtStation::Slow { .. } | AtStation::Over => return None,
    })
}

fn said_of(caller: &Caller, wrong: Option<Wrong>) -> (Option<String>, Option<PinProblem>) {
    match wrong {
        None => (None, None),
        Some(Wrong::Nobody) => (Some(t(caller.lang, "station-choose")), None),
        Some(Wrong::Pin(problem)) => (None, Some(problem)),
    }
}

/// The page behind the link that enrols a device.
pub(in crate::web::ui) fn enrol_page(caller: &Caller, station: &Station, token: &str) -> Response {
    enrol_again(caller, station, token, "", None)
}

fn enrol_again(
    caller: &Caller,
    station: &Station,
    token: &str,
    chosen: &str,
    wrong: Option<Wrong>,
) -> Response {
    let voice = Voice { lang: caller.lang, zone: station.association.zone, now: caller.now };
    let (problem, pin_problem) = said_of(caller, wrong);
    let view = LinkStation {
        shell: caller.as_guest_of(&station.association).shell_at(Binding::Link(token), "/k"),
        institution: station.institution.name.clone(),
        device: station.device.name.clone(),
        member: people(voice, &station.people, chosen, problem),
        pin_problem,
        token: Hidden(token.to_owned()),
        once: caller.once(),
    };
    caller.page(render(&view), false)
}

/// `POST /k/station`
pub(super) async fn enrol(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let token = fields.get("token");
    fields.check(&caller, Binding::Link(token))?;
    caller.limit(Purpose::Pin)?;
    let member = fields.get("member");
    let at = caller.web.app.station_enrol(token, member, fields.get("pin"), caller.agent()).await?;
    if let AtStation::Done(secret) = &at {
        let there = with(see_other("/sign-in"), caller.set(Cookie::Station, secret.as_str()));
        return Ok(with(there, caller.set(Cookie::Said, "station-enrolled")));
    }
    match (wrong_of(&at), caller.web.app.link_open(token).await?) {
        (Some(wrong), crate::app::answers::Opened::Station(station)) => {
            Ok(enrol_again(&caller, &station, token, member, Some(wrong)))
        }
        _ => super::super::link::ended_page(&caller, token).await,
    }
}

/// `GET /sign-in` on a shared device; `None`: it is none.
pub(in crate::web::ui) async fn door(caller: &Caller) -> Result<Option<Response>, Failure> {
    door_again(caller, "", None, None).await
}

async fn door_again(
    caller: &Caller,
    chosen: &str,
    notice: Option<String>,
    wrong: Option<Wrong>,
) -> Result<Option<Response>, Failure> {
    let Some(secret) = caller.station() else {
        return Ok(None);
    };
    let Some(station) = caller.web.app.station(secret).await? else {
        return Ok(None);
    };
    let voice = Voice { lang: caller.lang, zone: station.association.zone, now: caller.now };
    let (problem, pin_problem) = said_of(caller, wrong);
    let view = StationSignIn {
        shell: caller.as_guest_of(&station.association).shell_at(DOOR, "/sign-in"),
        institution: station.institution.name.clone(),
        notice: notice.or_else(|| said(caller)),
        member: people(voice, &station.people, chosen, problem),
        pin_problem,
        once: caller.once(),
    };
    Ok(Some(caller.page(render(&view), true)))
}

/// `POST /sign-in/station`
pub(super) async fn come_in(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    fields.check(&caller, DOOR)?;
    let Some(secret) = caller.station() else {
        return Ok(see_other("/sign-in"));
    };
    caller.limit(Purpose::Pin)?;
    let member = fields.get("member");
    let at = caller.web.app.station_sign_in(secret, member, fields.get("pin")).await?;
    let page = match &at {
        AtStation::Done(session) => {
            let to = caller.next().unwrap_or(first_page(&caller, member).await?);
            let there = with(see_other(to), caller.set(Cookie::Session, session.as_str()));
            return Ok(with(there, caller.forget(Cookie::Next)));
        }
        AtStation::Slow { until } => {
            let home = caller.home.as_ref().map_or(chrono_tz::UTC, |home| home.zone);
            let voice = Voice { lang: caller.lang, zone: home, now: caller.now };
            let text = t_with(caller.lang, "station-slow", &[("time", &voice.short(*until))]);
            door_again(&caller, member, Some(text), None).await?
        }
        at => door_again(&caller, member, None, wrong_of(at)).await?,
    };
    Ok(page.unwrap_or(see_other("/sign-in")))
}

/// Where somebody begins who came in without wanting a page: those who ask see what they asked.
async fn first_page(caller: &Caller, member: &str) -> Result<&'static str, Failure> {
    let Some(home) = &caller.home else { return Ok("/me") };
    let Ok(id) = MemberId::from_stored(member) else { return Ok("/me") };
    let member = caller.web.app.member(&home.id, &id).await;
    let asks = member.is_ok_and(|m| m.has(Role::Physician) || m.has(Role::Specialist));
    Ok(if asks { "/consults" } else { "/directory" })
}
