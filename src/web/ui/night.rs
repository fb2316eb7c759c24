//! What the office sets for its night number: the number, who is recognised by line or code, whose own physicians
//! are rung first.

use axum::response::Response;

use crate::app::AppError;
use crate::app::call::settings::{CallSettings, InstitutionCalls};
use crate::domain::call::number::{Number, Reading, read};
use crate::domain::people::rights::Right;
use crate::i18n::t;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::views::calls::{NightInstitution, NightSettings};
use super::views::{Field, render};

pages! {
    get "/settings/calls" => settings;
    post "/settings/calls" => change;
}

const SETTINGS: Binding<'static> = Binding::Page("settings");
/// Institutions a page shows.
const EVERYWHERE: i64 = 1_000;

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

/// `GET /settings/calls`
pub(super) async fn settings(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let person = caller.with_right(Right::Settings)?;
    let (revision, settings) = caller.web.app.call_settings(&person.association.id).await?;
    let numbers = Field { value: shown(&settings.numbers), problem: None };
    page(&caller, revision, &settings, numbers, None).await
}

async fn page(
    caller: &Caller,
    revision: i64,
    settings: &CallSettings,
    numbers: Field,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    let all = caller.web.app.institutions(&person.association.id, "", EVERYWHERE).await?;
    let row = |institution: crate::app::rows::Institution| {
        let set = settings.institutions.get(&institution.id).cloned().unwrap_or_default();
        NightInstitution {
            id: institution.id.to_string(),
            clinic: is_clinic(&institution.kind),
            name: institution.name,
            code: set.code,
            lines: shown(&set.lines),
            forwarded: set.forwarded.map(|n| n.shown()).unwrap_or_default(),
            own_line: set.own_line,
        }
    };
    let view = NightSettings {
        shell: caller.shell_at(SETTINGS, "/settings/calls"),
        revision,
        numbers,
        problem,
        institutions: all.into_iter().filter(|i| i.closed.is_none()).map(row).collect(),
    };
    Ok(caller.page(render(&view), false))
}

fn is_clinic(kind: &str) -> bool {
    matches!(kind, "clinic" | "home_care_clinic")
}

/// `POST /settings/calls`
pub(super) async fn change(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Settings)?;
    fields.check(&caller, SETTINGS)?;
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let association = &person.association.id;
    let (_, mut settings) = caller.web.app.call_settings(association).await?;
    let typed = Field { value: fields.text("numbers"), problem: None };
    let say = |key: &str| Some(t(caller.lang, key));
    let Some(own) = numbers(&typed.value) else {
        let wrong = Field { problem: say("night-wrong-number"), ..typed };
        return page(&caller, revision, &settings, wrong, None).await;
    };
    settings.numbers = own;
    let mut unreadable = false;
    for institution in caller.web.app.institutions(association, "", EVERYWHERE).await? {
        let field = |name: &str| format!("{name}_{}", institution.id);
        let forwarded = numbers(&fields.text(&field("forwarded")));
        let lines = numbers(&fields.text(&field("lines")));
        unreadable |= forwarded.is_none() || lines.is_none();
        let set = InstitutionCalls {
            code: narrow(fields.get(&field("code"))),
            lines: lines.unwrap_or_default(),
            forwarded: forwarded.unwrap_or_default().into_iter().next(),
            own_line: fields.is_ticked(&field("own")),
        };
        if set == InstitutionCalls::default() {
            settings.institutions.remove(&institution.id);
        } else {
            settings.institutions.insert(institution.id.clone(), set);
        }
    }
    if unreadable {
        return page(&caller, revision, &settings, typed, say("night-wrong-number")).await;
    }
    match caller.web.app.call_settings_put(&person.who(), revision, settings.clone()).await {
        Ok(()) => Ok(caller.go_and_say("/settings", "saved")),
        Err(AppError::Invalid(_)) => page(&caller, revision, &settings, typed, say("night-wrong-code")).await,
        Err(e) => Err(Failure::from(e).back_to("/settings/calls")),
    }
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
