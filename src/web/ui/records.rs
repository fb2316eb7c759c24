//! The year of a home-care support clinic and the conferences: what the facility criteria ask, how far it is, what the
//! clinic writes down itself. By the clinic's own physician, or by the office for any clinic.

use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use crate::app::AppError;
use crate::app::clinic_records::{ClinicYear, NewConference};
use crate::app::ledger::tables::month_name;
use crate::app::rows::{CareGroup, Conference};
use crate::domain::calendar::{CivilDate, civil_day};
use crate::domain::clinic_records::{Counts, Demand, NUMBER_MAX, RecordKind};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::domain::ledger::{Cell, LedgerTable, Month};
use crate::domain::people::rights::Right;
use crate::export::ledger::{csv_shift_jis, csv_utf8, json, xlsx};
use crate::i18n::{t, t_with};
use crate::ids::{CareGroupId, ClinicRecordId, InstitutionId};

use super::caller::{Binding, Caller};
use super::clinic::Of;
use super::directory;
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::sheets::{XLSX, download, workbook};
use super::views::directory::Input;
use super::views::records::{
    ClinicYearPage, ConferenceRow, ConferencesPage, DemandRow, GroupTable, MonthRow, RecordRow,
};
use super::views::{Choice, Choices, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/records" => own;
    get "/records/file" => own_file;
    post "/records/add" => own_add;
    post "/records/withdraw" => own_withdraw;
    get "/records/{id}" => theirs;
    get "/records/{id}/file" => their_file;
    post "/records/{id}/add" => their_add;
    post "/records/{id}/withdraw" => their_withdraw;
    get "/conferences" => conferences;
    post "/conferences" => conference_add;
    post "/conferences/withdraw" => conference_withdraw;
}

const RECORDS: Binding<'static> = Binding::Page("records");
/// Files that can be taken out.
const FORMATS: [&str; 4] = ["xlsx", "csv", "csv-sjis", "json"];

/// `month=2026-11`, the last of the twelve; the one that runs now without it. `format`: of a file.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    month: String,
    #[serde(default)]
    format: String,
}

impl Asked {
    fn month(&self, caller: &Caller) -> Month {
        let now = Month::of(civil_day(caller.now, caller.zone()));
        self.month.parse().map_or(now, |asked: Month| asked.min(now))
    }
}

fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "record-added" => "said-record-added",
        "record-withdrawn" => "said-record-withdrawn",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

fn day_of(typed: &str) -> Option<CivilDate> {
    narrow(typed).trim().replace('/', "-").parse().ok()
}

fn wrong(inputs: &mut [Input], caller: &Caller, all: &[FieldWrong]) {
    for one in all {
        if let Some(input) = inputs.iter_mut().find(|input| input.id == one.field) {
            input.problem = Some(match (one.field, one.wrong) {
                (_, Wrong::Missing) => Voice::wrong(caller.lang, one),
                ("day", _) => t(caller.lang, "records-wrong-day"),
                ("number" | "people" | "patients", _) => {
                    t_with(caller.lang, "records-wrong-number", &[("most", &NUMBER_MAX.to_string())])
                }
                _ => Voice::wrong(caller.lang, one),
            });
        }
    }
}

fn record_inputs(caller: &Caller, typed: Option<&Fields>) -> Vec<Input> {
    let today = civil_day(caller.now, caller.zone()).to_string();
    let get = |name: &str| typed.map_or("", |fields| fields.get(name));
    let kind = |kind: RecordKind| Choice {
        value: kind.code().to_owned(),
        label: t(caller.lang, &format!("record-kind-{}", kind.code())),
        note: None,
        chosen: get("kind") == kind.code(),
    };
    vec![
        directory::select(caller, "kind", "record-kind", RecordKind::ALL.map(kind).to_vec()),
        directory::day(caller, "day", "record-day", typed.map_or(today.as_str(), |fields| fields.get("day"))),
        directory::line(caller, "number", "record-number", typed.map_or("1", |f| f.get("number")), "numeric"),
    ]
}

fn month_rows(caller: &Caller, months: &[Month], counts: &[Counts]) -> Vec<MonthRow> {
    let row = |name: String, c: &Counts| MonthRow {
        name,
        cells: [c.turns, c.visits, c.deaths, c.conferences].map(|n| n.to_string()),
    };
    let mut rows: Vec<MonthRow> =
        months.iter().zip(counts).map(|(month, c)| row(month_name(*month, caller.lang), c)).collect();
    let sum = counts.iter().fold(Counts::default(), |sum, c| sum.plus(*c));
    rows.push(row(t(caller.lang, "records-sum"), &sum));
    rows
}

fn demand_row(caller: &Caller, demand: &Demand) -> DemandRow {
    let (key, tone) = if demand.is_met() { ("met", Tone::Good) } else { ("short", Tone::Warn) };
    DemandRow {
        name: t(caller.lang, &format!("records-demand-{}", demand.code)),
        has: demand.has.to_string(),
        needs: demand.needs.to_string(),
        state: StateLine { text: t(caller.lang, &format!("records-{key}")), tone },
    }
}

async fn page(caller: &Caller, of: &Of<'_>, month: Month, inputs: Vec<Input>) -> Result<Response, Failure> {
    let year = caller.web.app.clinic_year(&of.reader.association.id, &of.clinic, month).await?;
    let now = Month::of(civil_day(caller.now, caller.zone()));
    let at = |month: Month| format!("{}?month={month}", of.base);
    let line = |line: &crate::app::rows::ClinicRecord| RecordRow {
        id: line.id.to_string(),
        day: directory::date(caller, line.day),
        what: t_with(
            caller.lang,
            &format!("record-line-{}", line.kind.code()),
            &[("n", &line.number.to_string())],
        ),
    };
    let file = |format: &str| {
        (
            format!("{}/file?month={month}&format={format}", of.base),
            t(caller.lang, &format!("export-format-{format}")),
        )
    };
    let view = ClinicYearPage {
        shell: caller.shell_at(RECORDS, &of.base),
        notice: said(caller),
        base: of.base.clone(),
        back: if of.office { "/conferences" } else { "/covers" }.to_owned(),
        clinic: year.name.clone(),
        month: month_name(month, caller.lang),
        month_key: month.to_string(),
        earlier: at(month.plus(-1)),
        later: (month < now).then(|| at(month.plus(1))),
        demands: year.demands.iter().map(|demand| demand_row(caller, demand)).collect(),
        mine: month_rows(caller, &year.months, &year.own),
        group: year.group.as_ref().map(|group| GroupTable {
            name: group.name.clone(),
            institutions: group.institutions.join("、"),
            rows: month_rows(caller, &year.months, &group.counts),
        }),
        inputs,
        lines: year.lines.iter().map(line).collect(),
        files: FORMATS.map(file).to_vec(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// The year as a table: a row for each month, the clinic's own figures, then those of its group.
fn table(caller: &Caller, year: &ClinicYear) -> LedgerTable {
    const COUNTS: [&str; 4] = ["turns", "visits", "deaths", "conferences"];
    const OF_GROUP: [&str; 4] = ["group_turns", "group_visits", "group_deaths", "group_conferences"];
    let head = |key: &str| t(caller.lang, &format!("records-{key}"));
    let mut columns = vec![("month", head("month"))];
    columns.extend(COUNTS.map(|key| (key, head(key))));
    if year.group.is_some() {
        let together = |key| t_with(caller.lang, "records-together", &[("what", &head(key))]);
        columns.extend(OF_GROUP.into_iter().zip(COUNTS).map(|(key, own)| (key, together(own))));
    }
    let cells = |c: &Counts| [c.turns, c.visits, c.deaths, c.conferences].map(Cell::Count);
    let row = |(n, month): (usize, &Month)| {
        let mut row = vec![Cell::Text(month_name(*month, caller.lang))];
        row.extend(year.own.get(n).map(cells).into_iter().flatten());
        row.extend(year.group.iter().filter_map(|g| g.counts.get(n)).flat_map(cells));
        row
    };
    let title = t_with(caller.lang, "records-file-title", &[("name", &year.name)]);
    let group = year.group.as_ref().map(|g| format!("{}（{}）", g.name, g.institutions.join("、")));
    LedgerTable {
        title,
        sheet: t(caller.lang, "records-sheet"),
        columns,
        rows: year.months.iter().enumerate().map(row).collect(),
        footer: group.unwrap_or_default(),
    }
}

async fn file(caller: &Caller, of: &Of<'_>, asked: &Asked) -> Result<Response, Failure> {
    let month = asked.month(caller);
    let year = caller.web.app.clinic_year(&of.reader.association.id, &of.clinic, month).await?;
    let table = table(caller, &year);
    let (content_type, ending, bytes) = match asked.format.as_str() {
        "csv" => ("text/csv; charset=utf-8", "csv", csv_utf8(&table)),
        // The words of the table are ours, and CP932 has them.
        "csv-sjis" => {
            let bytes = csv_shift_jis(&table, true).map_err(|_| Failure::broken())?;
            ("text/csv; charset=shift_jis", "csv", bytes)
        }
        "json" => ("application/json", "json", json(&table)),
        "" | "xlsx" => (XLSX, "xlsx", workbook(xlsx(&table))?),
        _ => return Err(Failure::not_found()),
    };
    Ok(download(&format!("clinic-year-{month}.{ending}"), content_type, bytes))
}

async fn add(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, RECORDS)?;
    fields.key(&format!("POST {}/add", of.base))?;
    let new = (RecordKind::of(fields.get("kind")), day_of(fields.get("day")), fields.number("number"));
    match caller.web.app.clinic_record_add(&of.reader.who(), &of.clinic, new).await {
        Ok(()) => Ok(caller.go_and_say(&of.base, "record-added")),
        Err(AppError::Invalid(all)) => {
            let mut inputs = record_inputs(caller, Some(fields));
            wrong(&mut inputs, caller, &all);
            let month = Month::of(civil_day(caller.now, caller.zone()));
            page(caller, of, month, inputs).await
        }
        Err(e) => Err(e.into()),
    }
}

fn record(fields: &Fields) -> Result<ClinicRecordId, Failure> {
    ClinicRecordId::from_stored(fields.get("record")).map_err(|_| Failure::not_found())
}

async fn withdraw(caller: &Caller, of: &Of<'_>, fields: &Fields) -> Result<Response, Failure> {
    fields.check(caller, RECORDS)?;
    fields.key(&format!("POST {}/withdraw", of.base))?;
    caller.web.app.clinic_record_withdraw(&of.reader.who(), &of.clinic, &record(fields)?).await?;
    Ok(caller.go_and_say(&of.base, "record-withdrawn"))
}

/// `GET /records`: the year of one's own clinic.
pub(super) async fn own(caller: Caller, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, &Of::own(&caller, "/records")?, asked.month(&caller), record_inputs(&caller, None)).await
}

/// `GET /records/file`
pub(super) async fn own_file(caller: Caller, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    file(&caller, &Of::own(&caller, "/records")?, &asked).await
}

/// `POST /records/add`
pub(super) async fn own_add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    add(&caller, &Of::own(&caller, "/records")?, &fields).await
}

/// `POST /records/withdraw`
pub(super) async fn own_withdraw(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    withdraw(&caller, &Of::own(&caller, "/records")?, &fields).await
}

/// `GET /records/{id}`: the year of any clinic, for the office.
pub(super) async fn theirs(
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let of = Of::office(&caller, "/records", &id).await?;
    page(&caller, &of, asked.month(&caller), record_inputs(&caller, None)).await
}

/// `GET /records/{id}/file`
pub(super) async fn their_file(
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    file(&caller, &Of::office(&caller, "/records", &id).await?, &asked).await
}

/// `POST /records/{id}/add`
pub(super) async fn their_add(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    add(&caller, &Of::office(&caller, "/records", &id).await?, &fields).await
}

/// `POST /records/{id}/withdraw`
pub(super) async fn their_withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    withdraw(&caller, &Of::office(&caller, "/records", &id).await?, &fields).await
}

// ---- conferences ----------------------------------------------------------------------------------

fn conference_inputs(caller: &Caller, groups: &[CareGroup], typed: Option<&Fields>) -> Vec<Input> {
    let today = civil_day(caller.now, caller.zone()).to_string();
    let get = |name: &str| typed.map_or("", |fields| fields.get(name));
    let group = |group: &CareGroup| Choice {
        value: group.id.to_string(),
        label: group.name.clone(),
        note: None,
        chosen: get("group") == group.id.as_str(),
    };
    let groups = groups.iter().map(group).collect();
    vec![
        directory::day(
            caller,
            "day",
            "conference-day",
            typed.map_or(today.as_str(), |fields| fields.get("day")),
        ),
        directory::select(caller, "group", "conference-group", groups),
        directory::tick(caller, "online", "conference-online", typed.is_some_and(|f| f.is_ticked("online"))),
        directory::line(caller, "people", "conference-people", get("people"), "numeric"),
        directory::line(caller, "patients", "conference-patients", get("patients"), "numeric"),
    ]
}

async fn conferences_page(
    caller: &Caller,
    typed: Option<&Fields>,
    all_wrong: &[FieldWrong],
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    let (app, home) = (&caller.web.app, &person.association.id);
    let view = app.directory(home).await?;
    let month = Month::of(civil_day(caller.now, caller.zone()));
    let name = |id: &InstitutionId| view.institution(id).map(|i| i.name.clone()).unwrap_or_default();
    let open = || view.institutions.iter().filter(|i| i.closed.is_none() && i.kind != "association");
    let row = |conference: &Conference| {
        let group = conference.group.as_ref().and_then(|id| view.groups.iter().find(|g| g.id == *id));
        let how = if conference.online { "online" } else { "in-person" };
        ConferenceRow {
            id: conference.id.to_string(),
            title: format!(
                "{} {}",
                directory::date(caller, conference.day),
                group.map_or_else(|| t(caller.lang, "conference-all"), |g| g.name.clone())
            ),
            attendees: conference.attendees.iter().map(name).collect::<Vec<_>>().join("、"),
            counts: t_with(
                caller.lang,
                &format!("conference-counts-{how}"),
                &[("people", &conference.people.to_string()), ("patients", &conference.patients.to_string())],
            ),
        }
    };
    let chosen: Vec<&str> = typed.map(|fields| fields.all("attendees").collect()).unwrap_or_default();
    let attendees = open().map(|i| Choice {
        value: i.id.to_string(),
        label: i.name.clone(),
        note: None,
        chosen: chosen.contains(&i.id.as_str()),
    });
    let problem = all_wrong.iter().find(|w| w.field == "attendees").map(|w| Voice::wrong(caller.lang, w));
    let mut inputs = conference_inputs(caller, &view.groups, typed);
    wrong(&mut inputs, caller, all_wrong);
    let clinics = open().filter(|i| i.kind.contains("clinic"));
    let page = ConferencesPage {
        shell: caller.shell_at(RECORDS, "/conferences"),
        notice: said(caller),
        rows: app.conferences(home, month).await?.iter().map(row).collect(),
        inputs,
        attendees: Choices { options: attendees.collect(), problem },
        clinics: clinics.map(|i| (format!("/records/{}", i.id), i.name.clone())).collect(),
        once: caller.once(),
    };
    Ok(caller.page(render(&page), true))
}

/// `GET /conferences`
pub(super) async fn conferences(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    conferences_page(&caller, None, &[]).await
}

/// `POST /conferences`
pub(super) async fn conference_add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, RECORDS)?;
    fields.key("POST /conferences")?;
    let attendees: Result<Vec<_>, _> = fields.all("attendees").map(InstitutionId::from_stored).collect();
    let group = Some(fields.get("group").trim()).filter(|id| !id.is_empty());
    let new = NewConference {
        day: day_of(fields.get("day")),
        online: fields.is_ticked("online"),
        group: group.map(CareGroupId::from_stored).transpose().map_err(|_| Failure::form_expired())?,
        attendees: attendees.map_err(|_| Failure::form_expired())?,
        people: fields.number("people"),
        patients: fields.number("patients"),
    };
    match caller.web.app.conference_add(&person.who(), new).await {
        Ok(()) => Ok(caller.go_and_say("/conferences", "record-added")),
        Err(AppError::Invalid(all)) => conferences_page(&caller, Some(&fields), &all).await,
        Err(e) => Err(e.into()),
    }
}

/// `POST /conferences/withdraw`
pub(super) async fn conference_withdraw(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, RECORDS)?;
    fields.key("POST /conferences/withdraw")?;
    caller.web.app.conference_withdraw(&person.who(), &record(&fields)?).await?;
    Ok(caller.go_and_say("/conferences", "record-withdrawn"))
}
