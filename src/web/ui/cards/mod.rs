//! Night cards: the clinic's own list, the card being written and printed here, by its physician or typed in by the
//! office, which never reads one; opening by who comes at night is `door`.

mod door;

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::cards::{CardLine, CardList, OpenedLine};
use crate::domain::calendar::{CivilDate, western_date, written_date};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::cover::cards::{DataMode, NightCard, sheet_no};
use crate::domain::people::rights::Right;
use crate::i18n::{Lang, t, t_with};
use crate::ids::{HouseholdId, MemberId};

use super::caller::{Binding, Caller};
use super::clinic::Of;
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::cards::{
    BrokenPage, BrokenRow, CardForm, CardPaper, CardPatient, CardSheet, CardsPage, OpenedRow,
};
use super::views::people::Fact;
use super::views::{Choice, Choices, Field, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/cards" => own;
    post "/cards/pair" => own_pair;
    get "/cards/broken" => broken;
    get "/cards/emergency" => door::emergency;
    post "/cards/emergency" => door::break_glass;
    get "/cards/passes/{id}" => door::pass;
    post "/cards/passes/{id}" => door::open;
    get "/cards/openings/{id}" => door::shown;
    get "/cards/{id}" => own_card;
    post "/cards/{id}" => own_write;
    get "/cards/{id}/paper" => own_paper;
    get "/cards/{id}/sheet" => own_sheet;
    get "/cards/of/{clinic}" => theirs;
    post "/cards/of/{clinic}/pair" => their_pair;
    get "/cards/of/{clinic}/{id}" => their_card;
    post "/cards/of/{clinic}/{id}" => their_write;
    get "/cards/of/{clinic}/{id}/sheet" => their_sheet;
    get "/calls/{id}/cards" => door::of_call;
    post "/calls/{id}/cards" => door::enter_call;
    get "/covers/{id}/cards" => door::of_cover;
    post "/covers/{id}/cards" => door::enter_cover;
}

const CARDS: Binding<'static> = Binding::Page("cards");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn household(id: &str) -> Result<HouseholdId, Failure> {
    HouseholdId::from_stored(id).map_err(|_| Failure::not_found())
}

fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "card-written" => "said-card-written",
        "card-pair" => "said-card-pair",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// The sentence that says what may stand on cards here.
fn mode_text(lang: Lang, mode: DataMode) -> String {
    t(lang, &format!("cards-mode-{}", mode.code()))
}

/// Whether a card is there, and fresh.
fn freshness(voice: Voice, card: Option<(crate::time::Millis, bool)>) -> StateLine {
    let (key, at, tone) = match card {
        None => ("none", None, Tone::Warn),
        Some((at, false)) => ("fresh", Some(at), Tone::Good),
        Some((at, true)) => ("old", Some(at), Tone::Bad),
    };
    let day = at.map(|at| western_date(crate::domain::calendar::civil_day(at, voice.zone)));
    let day = day.unwrap_or_default();
    StateLine { text: t_with(voice.lang, &format!("word-card-{key}"), &[("day", &day)]), tone }
}

/// What stands on a card, without the fields that are empty.
fn facts(lang: Lang, card: &NightCard) -> Vec<Fact> {
    let day = |day: Option<CivilDate>| day.map(western_date).unwrap_or_default();
    let confirmed = match (card.wishes_on, card.wishes_by.as_str()) {
        (None, _) => String::new(),
        (Some(on), by) => t_with(lang, "card-confirmed", &[("day", &western_date(on)), ("who", by)]),
    };
    [
        ("adl", card.adl.clone()),
        ("surroundings", card.surroundings.clone()),
        ("wishes", card.wishes.clone()),
        ("wishes-on", confirmed),
        ("medicines", card.medicines.clone()),
        ("last-visit", day(card.last_visit_on)),
        ("expect", card.expect.clone()),
        ("things", card.things.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| Fact { name: t(lang, &format!("card-{key}")), value })
    .collect()
}

fn people(all: &[(MemberId, String)], chosen: Option<&MemberId>) -> Choices {
    let choice = |(id, name): &(MemberId, String)| Choice {
        value: id.to_string(),
        label: name.clone(),
        note: None,
        chosen: chosen == Some(id),
    };
    Choices { options: all.iter().map(choice).collect(), problem: None }
}

fn opened(voice: Voice, line: &OpenedLine) -> OpenedRow {
    OpenedRow {
        at: voice.moment(line.at),
        who: line.member.clone(),
        via: match &line.case_no {
            Some(no) => t_with(voice.lang, &format!("word-card-via-{}", line.via), &[("no", no)]),
            None => t_with(voice.lang, &format!("word-card-via-{}", line.via), &[("no", "")]),
        },
        patient: match line.patient.as_deref() {
            None => t(voice.lang, "cards-opened-none"),
            Some("") => t(voice.lang, "cards-opened-gone"),
            Some(patient) => patient.to_owned(),
        },
        reason: line.reason.clone().unwrap_or_default(),
        glass: line.via == "glass",
    }
}

fn pair_text(lang: Lang, list: &CardList, line: &CardLine) -> String {
    let name = |own: &Option<MemberId>, panel: &Option<MemberId>| {
        own.as_ref().or(panel.as_ref()).map(|id| list.name_of(id).to_owned()).unwrap_or_default()
    };
    let (attending, deputy) = (name(&line.attending, &list.panel.0), name(&line.deputy, &list.panel.1));
    let none = || t(lang, "cards-pair-nobody");
    let say = |name: String| if name.is_empty() { none() } else { name };
    t_with(lang, "cards-pair-line", &[("attending", &say(attending)), ("deputy", &say(deputy))])
}

async fn page(caller: &Caller, of: &Of<'_>, problem: Option<String>) -> Result<Response, Failure> {
    let list = caller.web.app.card_list(&of.reader.association.id, &of.clinic).await?;
    let voice = voice(caller);
    let base = &of.base;
    let patients = list.lines.iter().map(|line| CardPatient {
        href: format!("{base}/{}", line.household),
        paper: (!of.office && line.written.is_some()).then(|| format!("{base}/{}/paper", line.household)),
        sheet: format!("{base}/{}/sheet", line.household),
        id: line.household.to_string(),
        patient: line.patient.clone(),
        state: freshness(voice, line.written.map(|at| (at, line.old))),
        last_visit: line
            .last_visit
            .map(|day| t_with(caller.lang, "cards-last-visit", &[("day", &western_date(day))])),
        pair: pair_text(caller.lang, &list, line),
        attending: people(&list.own, line.attending.as_ref()),
        deputy: people(&list.others, line.deputy.as_ref()),
    });
    let view = CardsPage {
        shell: caller.shell_at(CARDS, base),
        notice: said(caller),
        problem,
        base: base.clone(),
        office: of.office,
        off: list.mode == DataMode::None,
        mode: mode_text(caller.lang, list.mode),
        clinic: list.clinic_name.clone(),
        patients: patients.collect(),
        attending: people(&list.own, list.panel.0.as_ref()),
        deputy: people(&list.others, list.panel.1.as_ref()),
        opened: list.opened.iter().map(|line| opened(voice, line)).collect(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// Words for what is wrong with a field of a card.
fn wrong_text(lang: Lang, wrong: &FieldWrong) -> String {
    match (wrong.field, wrong.wrong) {
        (_, Wrong::TooLate) => t(lang, "card-wrong-late"),
        ("adl", Wrong::Missing) => t(lang, "card-wrong-empty"),
        ("wishes_on" | "wishes_by", Wrong::Missing) => t(lang, "card-wrong-unconfirmed"),
        ("wishes_on" | "last_visit_on", Wrong::NotText) => t(lang, "card-wrong-day"),
        _ => Voice::wrong(lang, wrong),
    }
}

/// The card as it was typed.
fn typed(fields: &Fields) -> (NightCard, Vec<FieldWrong>) {
    let mut wrong = Vec::new();
    let mut day = |field: &'static str| {
        let text = narrow(fields.get(field));
        if text.trim().is_empty() {
            return None;
        }
        let read = text.trim().parse().ok().or_else(|| written_date(text.trim()).ok());
        if read.is_none() {
            wrong.push(FieldWrong { field, wrong: Wrong::NotText });
        }
        read
    };
    let card = NightCard {
        wishes_on: day("wishes_on"),
        last_visit_on: day("last_visit_on"),
        adl: fields.text("adl"),
        surroundings: fields.text("surroundings"),
        things: fields.text("things"),
        wishes: fields.text("wishes"),
        wishes_by: fields.text("wishes_by"),
        medicines: fields.text("medicines"),
        expect: fields.text("expect"),
    };
    (card, wrong)
}

fn as_fields(card: &NightCard) -> Fields {
    let day = |day: Option<CivilDate>| day.map(|d| d.to_string()).unwrap_or_default();
    let field = |name: &str, value: String| (name.to_owned(), value);
    Fields::of(vec![
        field("adl", card.adl.clone()),
        field("surroundings", card.surroundings.clone()),
        field("things", card.things.clone()),
        field("wishes", card.wishes.clone()),
        field("wishes_on", day(card.wishes_on)),
        field("wishes_by", card.wishes_by.clone()),
        field("medicines", card.medicines.clone()),
        field("last_visit_on", day(card.last_visit_on)),
        field("expect", card.expect.clone()),
    ])
}

async fn form(
    caller: &Caller,
    of: &Of<'_>,
    id: &HouseholdId,
    sent: Option<(&Fields, &[FieldWrong])>,
) -> Result<Response, Failure> {
    let found = caller.web.app.card_own(&of.reader.association.id, &of.clinic, id).await?;
    // The office starts on an empty sheet: it writes what came by fax, and reads no card.
    let known = found.card.as_ref().filter(|_| !of.office).map(|(card, _)| as_fields(card));
    let empty = Fields::default();
    let (fields, wrong) = match (sent, &known) {
        (Some((fields, wrong)), _) => (fields, wrong),
        (None, Some(known)) => (known, &[][..]),
        (None, None) => (&empty, &[][..]),
    };
    let field = |name: &'static str| Field {
        value: fields.get(name).replace("\r\n", "\n"),
        problem: wrong.iter().find(|w| w.field == name).map(|w| wrong_text(caller.lang, w)),
    };
    let view = CardForm {
        shell: caller.shell_at(CARDS, &format!("{}/{id}", of.base)),
        problem: (!wrong.is_empty()).then(|| t(caller.lang, "card-problem")),
        back: of.base.clone(),
        action: format!("{}/{id}", of.base),
        office: of.office,
        off: found.mode == DataMode::None,
        mode: mode_text(caller.lang, found.mode),
        whole: found.mode == DataMode::Handover,
        clinic: found.clinic_name.clone(),
        patient: found.patient.clone(),
        state: freshness(voice(caller), found.card.as_ref().map(|(_, at)| (*at, found.old))),
        adl: field("adl"),
        surroundings: field("surroundings"),
        things: field("things"),
        wishes: field("wishes"),
        wishes_on: field("wishes_on"),
        wishes_by: field("wishes_by"),
        medicines: field("medicines"),
        last_visit_on: field("last_visit_on"),
        expect: field("expect"),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

async fn write(caller: &Caller, of: &Of<'_>, id: &str, fields: &Fields) -> Result<Response, Failure> {
    let id = household(id)?;
    caller.web.app.card_own(&of.reader.association.id, &of.clinic, &id).await?;
    fields.check(caller, CARDS)?;
    fields.key(&format!("POST {}/{id}", of.base))?;
    let (card, wrong) = typed(fields);
    if !wrong.is_empty() {
        return form(caller, of, &id, Some((fields, &wrong))).await;
    }
    match caller.web.app.card_write(&of.reader.who(), &of.clinic, &id, card).await {
        Ok(()) => Ok(caller.go_and_say(&of.base, "card-written")),
        Err(AppError::Invalid(wrong)) => form(caller, of, &id, Some((fields, &wrong))).await,
        Err(e) => Err(e.into()),
    }
}

async fn pair(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, CARDS)?;
    fields.key(&format!("POST {}/pair", of.base))?;
    let patient = match fields.get("household") {
        "" => None,
        id => Some(household(id)?),
    };
    let person = |name: &str| match fields.get(name) {
        "" => Ok(None),
        id => MemberId::from_stored(id).map(Some).map_err(|_| Failure::not_found()),
    };
    let people = (person("attending")?, person("deputy")?);
    match caller.web.app.attending_set(&of.reader.who(), &of.clinic, patient, people).await {
        Ok(()) => Ok(caller.go_and_say(&of.base, "card-pair")),
        Err(AppError::Invalid(_)) => page(caller, of, Some(t(caller.lang, "cards-pair-problem"))).await,
        Err(e) => Err(e.into()),
    }
}

/// `GET /cards`
pub(super) async fn own(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Of::own(&caller, "/cards")?, None).await
}

/// `POST /cards/pair`
pub(super) async fn own_pair(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    pair(&caller, &Of::own(&caller, "/cards")?, &fields).await
}

/// `GET /cards/{household}`
pub(super) async fn own_card(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    form(&caller, &Of::own(&caller, "/cards")?, &household(&id)?, None).await
}

/// `POST /cards/{household}`
pub(super) async fn own_write(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    write(&caller, &Of::own(&caller, "/cards")?, &id, &fields).await
}

/// `GET /cards/{household}/paper`
pub(super) async fn own_paper(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let (of, id) = (Of::own(&caller, "/cards")?, household(&id)?);
    let found = caller.web.app.card_own(&of.reader.association.id, &of.clinic, &id).await?;
    let voice = voice(&caller);
    let state = freshness(voice, found.card.as_ref().map(|(_, at)| (*at, found.old)));
    let view = CardPaper {
        shell: caller.shell_at(CARDS, &format!("/cards/{id}/paper")),
        back: ("/cards".to_owned(), t(caller.lang, "cards-title")),
        clinic: found.clinic_name,
        patient: found.patient,
        facts: found.card.map(|(card, _)| facts(caller.lang, &card)).unwrap_or_default(),
        state,
        old: found.old,
        empty: if found.mode == DataMode::None {
            mode_text(caller.lang, found.mode)
        } else {
            t(caller.lang, "card-none")
        },
        opened: None,
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}

/// A sheet to be filled in by hand: what came back by fax is typed in by the office, which finds it by its number.
async fn sheet(caller: &Caller, of: &Of<'_>, id: &HouseholdId) -> Result<Response, Failure> {
    let found = caller.web.app.card_own(&of.reader.association.id, &of.clinic, id).await?;
    let voice = voice(caller);
    let view = CardSheet {
        shell: caller.shell_at(CARDS, &format!("{}/{id}/sheet", of.base)),
        back: (of.base.clone(), t(caller.lang, "cards-title")),
        clinic: found.clinic_name,
        patient: found.patient,
        no: sheet_no(id),
        off: (found.mode == DataMode::None).then(|| mode_text(caller.lang, found.mode)),
        whole: found.mode == DataMode::Handover,
        made: t_with(caller.lang, "cover-sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /cards/{household}/sheet`
pub(super) async fn own_sheet(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    sheet(&caller, &Of::own(&caller, "/cards")?, &household(&id)?).await
}

/// `GET /cards/of/{clinic}/{household}/sheet`
pub(super) async fn their_sheet(
    caller: Caller,
    Path((clinic, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    sheet(&caller, &Of::office(&caller, "/cards/of", &clinic).await?, &household(&id)?).await
}

/// `GET /cards/of/{clinic}`
pub(super) async fn theirs(caller: Caller, Path(clinic): Path<String>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Of::office(&caller, "/cards/of", &clinic).await?, None).await
}

/// `POST /cards/of/{clinic}/pair`
pub(super) async fn their_pair(
    caller: Caller,
    Path(clinic): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    pair(&caller, &Of::office(&caller, "/cards/of", &clinic).await?, &fields).await
}

/// `GET /cards/of/{clinic}/{household}`
pub(super) async fn their_card(
    caller: Caller,
    Path((clinic, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    form(&caller, &Of::office(&caller, "/cards/of", &clinic).await?, &household(&id)?, None).await
}

/// `POST /cards/of/{clinic}/{household}`
pub(super) async fn their_write(
    caller: Caller,
    Path((clinic, id)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    write(&caller, &Of::office(&caller, "/cards/of", &clinic).await?, &id, &fields).await
}

/// `GET /cards/broken`: for the office, who broke the glass.
pub(super) async fn broken(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = caller.with_right(Right::Board)?;
    let voice = voice(&caller);
    let rows = caller.web.app.cards_broken(&reader.association.id).await?;
    let row = |row: crate::app::cards::Broken| BrokenRow {
        at: voice.moment(row.at),
        who: row.member,
        clinic: row.clinic,
        reason: row.reason.unwrap_or_else(|| t(caller.lang, "cards-reason-gone")),
    };
    let view = BrokenPage {
        shell: caller.shell_at(CARDS, "/cards/broken"),
        rows: rows.into_iter().map(row).collect(),
    };
    Ok(caller.page(render(&view), false))
}
