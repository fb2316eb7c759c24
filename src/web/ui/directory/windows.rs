//! Contact windows (ケアマネタイム): the list by weekday, and the form of one doctor, for the office and for the
//! doctor themselves.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::directory::{WeekdayPart, WindowLine, WindowRow, WindowsForm, WindowsPage};
use super::super::views::{Choice, render};
use super::super::words::Voice;
use super::{Asked, DIRECTORY, asked, enter, fiscal_year, said, voice, year_text};
use crate::app::AppError;
use crate::app::directory::DirectoryView;
use crate::app::rows::{Member, YearWindows};
use crate::domain::calendar::FiscalYear;
use crate::domain::consult::short_text;
use crate::domain::people::contact_window::{ContactWay, ContactWindow, DAY_MIN, WINDOWS_MOST};
use crate::domain::people::rights::Right;
use crate::domain::people::{Day, Role};
use crate::i18n::{Lang, t, t_with};
use crate::ids::MemberId;

/// The days of the week with their codes, as in the data.
pub(super) const DAYS: [(Day, &str); 7] = [
    (Day::Mon, "mon"),
    (Day::Tue, "tue"),
    (Day::Wed, "wed"),
    (Day::Thu, "thu"),
    (Day::Fri, "fri"),
    (Day::Sat, "sat"),
    (Day::Sun, "sun"),
];

/// Empty rows below what is there.
const SPARE: usize = 2;

fn clock(minute: u32, lang: Lang) -> String {
    match (lang, minute % 60) {
        (Lang::Ja, 0) => format!("{}時", minute / 60),
        (Lang::Ja, m) => format!("{}時{m}分", minute / 60),
        (Lang::En, m) => format!("{}:{m:02}", minute / 60),
    }
}

/// The hours of a window: 12時30分〜13時30分, 22時〜翌2時, 終日.
pub(in crate::web::ui) fn hours(window: &ContactWindow, lang: Lang) -> String {
    if window.is_all_day() {
        return t(lang, "windows-all-day");
    }
    let values = [("from", &*clock(window.from_min, lang)), ("to", &*clock(window.to_min, lang))];
    let key = if window.from_min > window.to_min { "windows-hours-over" } else { "windows-hours-of" };
    t_with(lang, key, &values)
}

/// The days of a window: 月〜金, 火・木, 毎日.
pub(in crate::web::ui) fn days(window: &ContactWindow, lang: Lang) -> String {
    let on: Vec<bool> = DAYS.iter().map(|(day, _)| window.days.contains(day)).collect();
    if window.days.is_empty() || on.iter().all(|on| *on) {
        return t(lang, "windows-every-day");
    }
    let name =
        |n: usize| DAYS.get(n).map(|(_, code)| t(lang, &format!("windows-day-{code}"))).unwrap_or_default();
    let mut parts = Vec::new();
    let mut n = 0;
    while n < on.len() {
        let run = on.iter().skip(n).take_while(|on| **on).count();
        match run {
            0 => {}
            1 | 2 => parts.extend((n..n + run).map(name)),
            _ => parts.push(t_with(
                lang,
                "windows-days-run",
                &[("from", &name(n)), ("to", &name(n + run - 1))],
            )),
        }
        n += run.max(1);
    }
    parts.join(if lang == Lang::Ja { "・" } else { ", " })
}

/// A window of somebody, for a list.
pub(super) fn window_line(
    voice: Voice,
    window: &ContactWindow,
    who: String,
    institution: String,
) -> WindowLine {
    let mut remarks = window.remarks.clone();
    if window.holidays {
        let also = t(voice.lang, "windows-also-holidays");
        remarks = if remarks.is_empty() { also } else { format!("{also} {remarks}") };
    }
    WindowLine {
        who,
        institution,
        way: voice.word("way", window.way.code()),
        days: days(window, voice.lang),
        hours: hours(window, voice.lang),
        remarks,
        open_now: false,
        href: None,
    }
}

/// Every window by the day of the week, those of a day in the order of their hours.
pub(super) fn by_weekday(voice: Voice, lines: &[(ContactWindow, WindowLine)]) -> Vec<WeekdayPart> {
    let part = |(day, code): &(Day, &'static str)| {
        let mut on: Vec<&(ContactWindow, WindowLine)> =
            lines.iter().filter(|(w, _)| w.days.is_empty() || w.days.contains(day)).collect();
        on.sort_by_key(|(w, _)| (w.is_all_day(), w.from_min, w.to_min));
        WeekdayPart {
            id: code,
            title: t(voice.lang, &format!("windows-weekday-{code}")),
            lines: on.into_iter().map(|(_, line)| line.clone()).collect(),
        }
    };
    DAYS.iter().map(part).filter(|part| !part.lines.is_empty()).collect()
}

/// Everybody's windows of a year with the names that belong to them.
pub(super) fn lines(
    voice: Voice,
    view: &DirectoryView,
    year: &[YearWindows],
    shown: impl Fn(&Member, &ContactWindow) -> bool,
) -> Vec<(ContactWindow, WindowLine)> {
    let mut lines = Vec::new();
    for one in year {
        let Some(member) = view.members.iter().find(|m| m.id == one.member) else { continue };
        let institution = member.institution.as_ref().and_then(|id| view.institution(id));
        let institution = institution.map(|i| i.name.clone()).unwrap_or_default();
        for window in one.windows.iter().filter(|w| shown(member, w)) {
            let line = window_line(voice, window, voice.name(member), institution.clone());
            lines.push((window.clone(), line));
        }
    }
    lines
}

fn is_doctor(member: &Member) -> bool {
    member.roles.iter().any(|r| matches!(r, Role::Physician | Role::Specialist))
}

fn other_year(caller: &Caller, year: FiscalYear, place: &str) -> Option<(String, String)> {
    let now = fiscal_year(caller, "");
    let other = if year == now { now.first_year() + 1 } else { now.first_year() };
    let name = year_text(caller, FiscalYear::beginning_in(other)?);
    Some((name, format!("{place}?year={other}")))
}

/// `GET /directory/windows`
pub(in crate::web::ui) async fn list(caller: Caller, query: Asked) -> Result<Response, Failure> {
    let person = match enter(&caller, Right::Directory) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    let year = fiscal_year(&caller, asked(&query, "year"));
    let association = &person.association.id;
    let view = caller.web.app.directory(association).await?;
    let windows = caller.web.app.contact_windows_of_year(association, year).await?;
    let voice = voice(&caller);
    let enrols = person.may(Right::Enrol);
    let has = |m: &Member| windows.iter().any(|w| w.member == m.id && !w.windows.is_empty());
    let link = |m: &MemberId| format!("/directory/windows/{m}?year={}", year.first_year());
    let missing = view.members.iter().filter(|m| enrols && is_doctor(m) && !has(m));
    let mut lines = lines(voice, &view, &windows, |_, _| true);
    if enrols {
        let owners = windows.iter().flat_map(|one| {
            let known = view.members.iter().any(|m| m.id == one.member);
            one.windows.iter().filter(move |_| known).map(|_| one.member.clone())
        });
        for ((_, line), owner) in lines.iter_mut().zip(owners) {
            line.href = Some(link(&owner));
        }
    }
    let page = WindowsPage {
        shell: caller.shell_at(DIRECTORY, "/directory/windows"),
        year: year_text(&caller, year),
        other_year: other_year(&caller, year, "/directory/windows"),
        parts: by_weekday(voice, &lines),
        missing: missing.map(|m| (voice.name(m), link(&m.id))).collect(),
        back: "/directory".to_owned(),
    };
    Ok(caller.page(render(&page), false))
}

/// Whose windows a form is about, and where it stands.
struct Whose {
    member: Member,
    /// `/me/windows` or `/directory/windows/{id}`.
    place: String,
    back: String,
}

async fn whose(caller: &Caller, path: Option<&str>) -> Result<Whose, Failure> {
    let Some(path) = path else {
        let person = caller.person()?;
        // Nobody else has hours for care managers.
        if !is_doctor(&person.member) {
            return Err(Failure::not_found());
        }
        let member = person.member.clone();
        return Ok(Whose { member, place: "/me/windows".to_owned(), back: "/me".to_owned() });
    };
    let person = caller.with_right(Right::Enrol)?;
    let id = MemberId::from_stored(path).map_err(|_| Failure::not_found())?;
    let member = caller.web.app.member(&person.association.id, &id).await?;
    if !member.is_active(caller.now) {
        return Err(Failure::not_found());
    }
    Ok(Whose { member, place: format!("/directory/windows/{id}"), back: "/directory/windows".to_owned() })
}

/// What stands in a row of the form.
#[derive(Clone, Default)]
struct Typed {
    way: String,
    days: Vec<Day>,
    from: String,
    to: String,
    holidays: bool,
    remarks: String,
    public: bool,
    problem: Option<String>,
}

impl Typed {
    fn of(window: &ContactWindow) -> Self {
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let all_day = window.is_all_day();
        Self {
            way: window.way.code().to_owned(),
            days: window.days.clone(),
            from: if all_day { String::new() } else { time(window.from_min) },
            to: if all_day { String::new() } else { time(window.to_min) },
            holidays: window.holidays,
            remarks: window.remarks.clone(),
            public: window.public,
            problem: None,
        }
    }

    fn read(fields: &Fields, n: usize) -> Self {
        let get = |name: &str| fields.text(&format!("w{n}_{name}"));
        let ticked = |name: &str| fields.is_ticked(&format!("w{n}_{name}"));
        Self {
            way: get("way"),
            days: DAYS.iter().filter(|(_, code)| ticked(code)).map(|(day, _)| *day).collect(),
            from: get("from"),
            to: get("to"),
            holidays: ticked("holidays"),
            remarks: get("remarks"),
            public: ticked("public"),
            problem: None,
        }
    }

    fn is_blank(&self) -> bool {
        self.way.is_empty() && self.from.is_empty() && self.to.is_empty() && self.remarks.is_empty()
    }

    /// The window, or the key of what is wrong with the row.
    fn window(&self) -> Result<ContactWindow, &'static str> {
        let way = ContactWay::from_code(&self.way).ok_or("windows-wrong-way")?;
        let (from_min, to_min) = match (self.from.is_empty(), self.to.is_empty()) {
            (true, true) => (0, 0),
            (false, false) => {
                let from = minutes(&self.from).filter(|m| *m < DAY_MIN);
                (from.ok_or("windows-wrong-time")?, minutes(&self.to).ok_or("windows-wrong-time")?)
            }
            _ => return Err("windows-wrong-half"),
        };
        let window = ContactWindow {
            way,
            days: self.days.clone(),
            from_min,
            to_min,
            holidays: self.holidays,
            remarks: self.remarks.clone(),
            public: self.public,
        };
        if way == ContactWay::Other && self.remarks.is_empty() {
            return Err("windows-wrong-other");
        }
        if short_text(&self.remarks, false).is_some() {
            return Err("windows-wrong-remarks");
        }
        Ok(window)
    }

    fn row(&self, n: usize, voice: Voice) -> WindowRow {
        let way = |way: ContactWay| Choice {
            value: way.code().to_owned(),
            label: voice.word("way", way.code()),
            note: None,
            chosen: way.code() == self.way,
        };
        let day = |(day, code): &(Day, &str)| {
            let label = t(voice.lang, &format!("windows-day-{code}"));
            ((*code).to_owned(), label, self.days.contains(day))
        };
        WindowRow {
            n: u32::try_from(n).unwrap_or(u32::MAX),
            problem: self.problem.clone(),
            way: ContactWay::ALL.map(way).into(),
            days: DAYS.iter().map(day).collect(),
            from: self.from.clone(),
            to: self.to.clone(),
            holidays: self.holidays,
            remarks: self.remarks.clone(),
            public: self.public,
        }
    }
}

/// Minutes after midnight of `12:30`, `12時30分`, `12時半`, `1230`, `24:00`; any keyboard.
fn minutes(typed: &str) -> Option<u32> {
    let typed = narrow(typed).replace('半', "30分").replace("正午", "12時");
    let mut parts: Vec<u32> = Vec::new();
    for part in typed.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()) {
        parts.push(part.parse().ok()?);
    }
    let (hour, minute) = match *parts.as_slice() {
        [hour, minute] => (hour, minute),
        [packed] if typed.len() == 4 && typed.bytes().all(|b| b.is_ascii_digit()) => {
            (packed / 100, packed % 100)
        }
        [hour] => (hour, 0),
        _ => return None,
    };
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
}

fn draw(
    caller: &Caller,
    whose: &Whose,
    (year, revision): (FiscalYear, i64),
    typed: &[Typed],
    problem: Option<String>,
) -> Response {
    let voice = voice(caller);
    let mut rows: Vec<WindowRow> =
        typed.iter().enumerate().map(|(n, typed)| typed.row(n + 1, voice)).collect();
    let spare = (rows.len() + 1..=WINDOWS_MOST).take(SPARE);
    rows.extend(spare.map(|n| Typed::default().row(n, voice)));
    let page = WindowsForm {
        shell: caller.shell_at(DIRECTORY, &whose.place),
        action: whose.place.clone(),
        notice: said(caller).filter(|_| problem.is_none()),
        problem,
        person_name: voice.name(&whose.member),
        year: year_text(caller, year),
        year_value: year.first_year(),
        other_year: other_year(caller, year, &whose.place),
        revision,
        rows,
        back: whose.back.clone(),
        once: caller.once(),
    };
    caller.page(render(&page), caller.said().is_some())
}

async fn show(caller: &Caller, path: Option<&str>, query: &Asked) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let whose = whose(caller, path).await?;
    let year = fiscal_year(caller, asked(query, "year"));
    let association = &caller.person()?.association.id;
    let now = caller.web.app.contact_windows(association, &whose.member.id, year).await?;
    let typed: Vec<Typed> = now.windows.iter().map(Typed::of).collect();
    Ok(draw(caller, &whose, (year, now.revision), &typed, None))
}

async fn write(caller: &Caller, path: Option<&str>, fields: &Fields) -> Result<Response, Failure> {
    let whose = whose(caller, path).await?;
    let person = caller.person()?;
    let year = fiscal_year(caller, fields.get("year"));
    let revision = fields.number("revision").unwrap_or(-1);
    let mut typed: Vec<Typed> =
        (1..=WINDOWS_MOST).map(|n| Typed::read(fields, n)).filter(|typed| !typed.is_blank()).collect();
    if fields.check(caller, DIRECTORY).is_err() {
        let problem = Some(t(caller.lang, "ask-send-again"));
        return Ok(draw(caller, &whose, (year, revision), &typed, problem));
    }
    let key = fields.key(&format!("POST {}", whose.place))?;
    let mut windows = Vec::new();
    for typed in &mut typed {
        match typed.window() {
            Ok(window) => windows.push(window),
            Err(wrong) => typed.problem = Some(t(caller.lang, wrong)),
        }
    }
    if windows.len() < typed.len() {
        let problem = Some(t(caller.lang, "directory-problems"));
        return Ok(draw(caller, &whose, (year, revision), &typed, problem));
    }
    let at = (year, revision);
    let (who, member) = (person.who(), &whose.member.id);
    match caller.web.app.contact_windows_put(&who, member, at, windows, Some(&key)).await {
        Ok(()) => {
            let there = format!("{}?year={}", whose.place, year.first_year());
            Ok(caller.go_and_say(&there, "saved"))
        }
        Err(AppError::ChangedMeanwhile) => {
            let association = &person.association.id;
            let now = caller.web.app.contact_windows(association, &whose.member.id, year).await?;
            let problem = Some(t(caller.lang, "directory-changed"));
            Ok(draw(caller, &whose, (year, now.revision), &typed, problem))
        }
        Err(e) => Err(e.into()),
    }
}

/// `GET /directory/windows/{id}`
pub(in crate::web::ui) async fn form(
    caller: Caller,
    Path(id): Path<String>,
    query: Asked,
) -> Result<Response, Failure> {
    MemberId::from_stored(&id).map_err(|_| Failure::not_found())?;
    show(&caller, Some(&id), &query).await
}

/// `POST /directory/windows/{id}`
pub(in crate::web::ui) async fn save(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    caller.with_right(Right::Enrol)?;
    write(&caller, Some(&id), &fields).await
}

/// `GET /me/windows`
pub(in crate::web::ui) async fn own_form(caller: Caller, query: Asked) -> Result<Response, Failure> {
    show(&caller, None, &query).await
}

/// `POST /me/windows`
pub(in crate::web::ui) async fn own_save(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    write(&caller, None, &fields).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (typed, minute) in [
            ("12:30", 750),
            ("１２：３０", 750),
            ("12時30分", 750),
            ("12時半", 750),
            ("1230", 750),
            ("9", 540),
            ("9時", 540),
            ("正午", 720),
            ("24:00", 1_440),
            ("0:00", 0),
        ] {
            assert_eq!(minutes(typed), Some(minute), "{typed}");
        }
        for typed in ["", "昼", "25:00", "24:01", "12:60", "1:2:3", "99999999999"] {
            assert_eq!(minutes(typed), None, "{typed}");
        }
    }

    #[test]
    fn days_and_hours_are_said_in_few_words() {
        let window = |days: &[Day], from_min, to_min| ContactWindow {
            way: ContactWay::Phone,
            days: days.to_vec(),
            from_min,
            to_min,
            holidays: false,
            remarks: String::new(),
            public: false,
        };
        use Day::{Fri, Mon, Sat, Thu, Tue, Wed};
        let said = |days: &[Day]| super::days(&window(days, 0, 0), Lang::Ja);
        assert_eq!(said(&[]), "毎日");
        assert_eq!(said(&[Mon, Tue, Wed, Thu, Fri]), "月〜金");
        assert_eq!(said(&[Tue, Thu]), "火・木");
        assert_eq!(said(&[Mon, Tue, Sat]), "月・火・土");
        assert_eq!(hours(&window(&[], 750, 810), Lang::Ja), "12時30分〜13時30分");
        assert_eq!(hours(&window(&[], 1_320, 120), Lang::Ja), "22時〜翌2時");
        assert_eq!(hours(&window(&[], 0, 0), Lang::Ja), "終日");
    }
}
