//! When somebody is reminded of their duties: as the association does, or as they choose themselves.

use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::rota::{read_reminders, time_of_day};
use super::super::views::Field;
use super::super::views::duties::RemindersBox;
use super::{DUTIES, Principal, page};
use crate::i18n::t;

/// The form as it stands.
pub(super) async fn known(caller: &Caller, of: &Principal<'_>) -> Result<RemindersBox, Failure> {
    let (home, member) = (&of.reader.association.id, &of.member.id);
    let (reminders, own) = caller.web.app.rota_reminders_of(home, member).await?;
    let field = |value: Option<String>| Field { value: value.unwrap_or_default(), problem: None };
    Ok(RemindersBox {
        eve: field(reminders.day_before_min.map(time_of_day)),
        start: field(reminders.before_start_min.map(|minutes| minutes.to_string())),
        own,
        once: caller.once(),
    })
}

/// `POST /me/reminders`
pub(super) async fn save(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let of = Principal::own(&caller)?;
    fields.check(&caller, DUTIES)?;
    let key = fields.key("POST /me/reminders")?;
    let (eve, start) = (fields.get("remind_eve"), fields.get("remind_start"));
    let chosen = match (fields.get("reset"), read_reminders(eve, start)) {
        ("", Ok(reminders)) => Some(reminders),
        ("", Err(wrong)) => {
            let field = |name: &str, value: &str| Field {
                value: value.to_owned(),
                problem: (name == wrong).then(|| t(caller.lang, "duties-reminders-wrong")),
            };
            let form = RemindersBox {
                eve: field("remind_eve", eve),
                start: field("remind_start", start),
                own: known(&caller, &of).await?.own,
                once: caller.once(),
            };
            return page(&caller, &of, Some(form)).await;
        }
        // As the association does.
        _ => None,
    };
    caller.web.app.rota_reminders_set(&of.reader.who(), &of.member.id, chosen, Some(&key)).await?;
    Ok(caller.go_and_say("/duties", "reminders"))
}
