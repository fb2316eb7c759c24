//! What the office sets for its night number: the number, who is recognised by line or code, whose own physicians
//! are rung first. Who stands by after the duty is `pillars`.

use axum::response::Response;

use crate::app::AppError;
use crate::app::call::settings::{CallSettings, InstitutionCalls};
use crate::domain::call::number::{Number, Reading, read};
use crate::domain::people::rights::Right;
use crate::i18n::t;
use crate::ids::InstitutionId;

use super::caller::{Binding, Caller};
use super::clinic::EVERYWHERE;
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::calls::{NightInstitution, NightSettings};
use super::views::{Field, render};

pages! {
    get "/settings/calls" => settings;
    post "/settings/calls" => change;
}

const SETTINGS: Binding<'static> = Binding::Page("settings");
/// The largest limits that can be set.
const LIMIT_MAX: u32 = 200;
const MINUTES_MAX: u32 = 100_000;

fn shown(numbers: &[Number]) -> String {
    numbers.iter().map(Number::shown).collect::<Vec<_>>().join(" ")
}

/// Numbers between blanks, commas or line ends; `None` where one of them is no number.
fn numbers(text: &str) -> Option<Vec<Number>> {
    let one = |word: &str| match read(word) {
        Reading::Number(number) => Some(number),
        _ => None,
    };
    text.split([' ', '\u{3000}', ',', '、', '\n']).filter(|word| !word.trim().is_empty()).map(one).collect()
}

/// `08:00` as a minute of the day.
pub(super) fn minute(clock: &str) -> Option<u16> {
    let (hour, minute) = clock.trim().split_once(':')?;
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

pub(super) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// What was typed, and what is wrong with it: the field and the key of the words, in the order of the page.
struct Typed<'a> {
    fields: &'a Fields,
    wrong: Vec<(String, &'static str)>,
}

impl Typed<'_> {
    fn wrong(&mut self, field: &str, words: &'static str) {
        self.wrong.push((field.to_owned(), words));
    }

    /// What `read` makes of a field; its default, and a problem beside it, where that is nothing.
    fn read<T: Default>(
        &mut self,
        field: &str,
        words: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        read(self.fields.get(field)).unwrap_or_else(|| {
            self.wrong(field, words);
            T::default()
        })
    }
}

/// `GET /settings/calls`
pub(super) async fn settings(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Settings)?;
    let (revision, settings) = caller.web.app.call_settings(&person.association.id).await?;
    page(&caller, revision, &settings, None).await
}

/// The page: as it is set, or as it was typed.
async fn page(
    caller: &Caller,
    revision: i64,
    settings: &CallSettings,
    typed: Option<&Typed<'_>>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    let all = caller.web.app.institutions(&person.association.id, "", EVERYWHERE).await?;
    let words = |field: &str| {
        let (_, key) = typed?.wrong.iter().find(|(name, _)| name == field)?;
        Some(t(caller.lang, key))
    };
    let field = |name: &str, set: String| Field {
        value: typed.map_or(set, |sent| sent.fields.text(name)),
        problem: words(name),
    };
    let ticked = |name: &str, set: bool| typed.map_or(set, |sent| sent.fields.is_ticked(name));
    let row = |institution: crate::app::rows::Institution| {
        let set = settings.institutions.get(&institution.id).cloned().unwrap_or_default();
        let own = |name: &str| format!("{name}_{}", institution.id);
        NightInstitution {
            clinic: is_clinic(&institution.kind),
            code: field(&own("code"), set.code),
            lines: field(&own("lines"), shown(&set.lines)),
            forwarded: field(&own("forwarded"), set.forwarded.map(|n| n.shown()).unwrap_or_default()),
            own_line: ticked(&own("own"), set.own_line),
            id: institution.id.to_string(),
            name: institution.name,
        }
    };
    let limits = &settings.limits;
    let minutes = limits.minutes_per_month.map(|n| n.to_string()).unwrap_or_default();
    let view = NightSettings {
        shell: caller.shell_at(SETTINGS, "/settings/calls"),
        revision,
        numbers: field("numbers", shown(&settings.numbers)),
        problem: typed.and_then(|sent| sent.wrong.first()).map(|(_, key)| t(caller.lang, key)),
        together: ticked("together", settings.together),
        per_line: field("per_line", limits.calls_per_line_hour.to_string()),
        hidden: field("hidden", limits.hidden_per_hour.to_string()),
        in_use: field("in_use", limits.lines_in_use.to_string()),
        minutes: field("month_minutes", minutes),
        report_by: field("report_by", clock(settings.report_by())),
        institutions: all.into_iter().filter(|i| i.closed.is_none()).map(row).collect(),
    };
    Ok(caller.page(render(&view), false))
}

fn is_clinic(kind: &str) -> bool {
    matches!(kind, "clinic" | "home_care_clinic")
}

/// A whole number between `from` and `most`, typed with any keyboard.
fn limit(text: &str, from: u32, most: u32) -> Option<u32> {
    narrow(text).parse().ok().filter(|n| (from..=most).contains(n))
}

/// Everything that was typed, put into `settings`.
fn take(typed: &mut Typed<'_>, settings: &mut CallSettings, institutions: &[InstitutionId]) {
    let fields = typed.fields;
    settings.numbers = typed.read("numbers", "night-wrong-number", numbers);
    settings.together = fields.is_ticked("together");
    let by = typed.read("report_by", "night-wrong-clock", |text| minute(&narrow(text)));
    settings.report_by_min = Some(by);
    let wrong = "night-wrong-limit";
    let limits = &mut settings.limits;
    limits.calls_per_line_hour = typed.read("per_line", wrong, |text| limit(text, 1, LIMIT_MAX));
    limits.hidden_per_hour = typed.read("hidden", wrong, |text| limit(text, 0, LIMIT_MAX));
    limits.lines_in_use = typed.read("in_use", wrong, |text| limit(text, 1, LIMIT_MAX));
    limits.minutes_per_month = typed.read("month_minutes", wrong, |text| match narrow(text).as_str() {
        "" => Some(None),
        text => limit(text, 1, MINUTES_MAX).map(Some),
    });
    for id in institutions {
        let field = |name: &str| format!("{name}_{id}");
        let set = InstitutionCalls {
            code: narrow(fields.get(&field("code"))),
            lines: typed.read(&field("lines"), "night-wrong-number", numbers),
            forwarded: typed.read(&field("forwarded"), "night-wrong-number", |text| {
                numbers(text).filter(|all| all.len() < 2).map(|all| all.into_iter().next())
            }),
            own_line: fields.is_ticked(&field("own")),
        };
        if set == InstitutionCalls::default() {
            settings.institutions.remove(id);
        } else {
            settings.institutions.insert(id.clone(), set);
        }
    }
}

/// `POST /settings/calls`
pub(super) async fn change(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let association = &person.association.id;
    let (now, mut settings) = caller.web.app.call_settings(association).await?;
    let all = caller.web.app.institutions(association, "", EVERYWHERE).await?;
    let all: Vec<InstitutionId> = all.into_iter().map(|institution| institution.id).collect();
    let mut typed = Typed { fields: &fields, wrong: Vec::new() };
    take(&mut typed, &mut settings, &all);
    if typed.wrong.is_empty() {
        match caller.web.app.call_settings_put(&person.who(), revision, settings.clone()).await {
            Ok(()) => return Ok(caller.go_and_say("/settings", "saved")),
            Err(AppError::Invalid(_)) => {
                for id in settings.wrong_codes() {
                    typed.wrong(&format!("code_{id}"), "night-wrong-code");
                }
                if typed.wrong.is_empty() {
                    return Err(Failure::form_expired());
                }
            }
            Err(AppError::ChangedMeanwhile) => {
                // What was typed stays; sent again it counts over what the other one did.
                typed.wrong("", "rset-stale");
                return page(&caller, now, &settings, Some(&typed)).await;
            }
            Err(e) => return Err(Failure::from(e).back_to("/settings/calls")),
        }
    }
    page(&caller, revision, &settings, Some(&typed)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_nonsense_is_not_dropped() {
        let read = numbers("042-000-0099、０９０－００００－０００１").unwrap();
        assert_eq!(shown(&read), "0420000099 09000000001");
        assert_eq!(numbers(""), Some(Vec::new()));
        assert_eq!(numbers("042-000-0099 office"), None);
    }
}
