//! Enrolment sheets: made with a new PIN each, shown once.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::people::enrol::{SHEETS_AT_ONCE, Sheets};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::MemberId;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::people::{SheetPaper, SheetStart, SheetsPage};
use super::super::views::{Hidden, render};
use super::{PEOPLE, may_reset, member_id, qr_image, voice};

/// `GET /people/{id}/sheet`
pub(super) async fn start(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    start_for(&caller, std::slice::from_ref(&id), &format!("/people/{id}"), None).await
}

/// Asks once more: a new PIN ends the old one, and every device with it.
pub(super) async fn start_for(
    caller: &Caller,
    members: &[MemberId],
    back: &str,
    notice: Option<String>,
) -> Result<Response, Failure> {
    let reader = caller.with_right(Right::Enrol)?;
    let voice = voice(caller);
    let mut people = Vec::new();
    let mut left_out = false;
    for id in members {
        let member = caller.web.app.member(&reader.association.id, id).await?;
        if member.is_active(caller.now) && may_reset(caller, &member.roles) {
            people.push((id.to_string(), voice.name(&member), member.pin_hash.is_some()));
        } else {
            left_out = true;
        }
    }
    if people.is_empty() {
        return Err(Failure::not_found().back_to(back));
    }
    let max = SHEETS_AT_ONCE.to_string();
    let too_many =
        (people.len() > SHEETS_AT_ONCE).then(|| t_with(caller.lang, "sheet-too-many", &[("n", &max)]));
    people.truncate(SHEETS_AT_ONCE);
    let left_out = left_out.then(|| t(caller.lang, "sheet-left-out"));
    let view = SheetStart {
        shell: caller.shell_at(PEOPLE, back),
        notice: notice.or(too_many).or(left_out),
        back: back.to_owned(),
        people,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `POST /people/sheets`: the answer itself is the paper, because a PIN stands nowhere else; sent again, the
/// form says that it was shown.
pub(super) async fn make(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    fields.check(&caller, PEOPLE)?;
    let members: Vec<MemberId> = fields.all("member").map(member_id).collect::<Result<_, _>>()?;
    for id in &members {
        let roles = caller.web.app.member(&person.association.id, id).await?.roles;
        if !may_reset(&caller, &roles) {
            return Err(Failure::not_found());
        }
    }
    let key = fields.key("POST /people/sheets")?;
    let back = match members.as_slice() {
        [only] => format!("/people/{only}"),
        _ => "/people/readiness".to_owned(),
    };
    let sheets = match caller.web.app.sheets_make(&person.who(), &members, &key).await {
        Ok(Sheets::Made(sheets)) => sheets,
        Ok(Sheets::ShownBefore) => {
            let notice = t(caller.lang, "sheet-shown-before");
            return start_for(&caller, &members, &back, Some(notice)).await;
        }
        Err(e @ AppError::Invalid(_)) => return Err(Failure::from(e).back_to(back)),
        Err(e) => return Err(e.into()),
    };
    let voice = voice(&caller);
    let mut papers = Vec::with_capacity(sheets.len());
    for sheet in sheets {
        let institution = match &sheet.member.institution {
            Some(id) => caller.web.app.institution(&person.association.id, id).await?.name,
            None => String::new(),
        };
        papers.push(SheetPaper {
            name: voice.name(&sheet.member),
            institution,
            pin: Hidden(sheet.pin.digits().to_owned()),
        });
    }
    let address = format!("{}/", caller.web.app.rules.base_url);
    let view = SheetsPage {
        shell: caller.shell_at(PEOPLE, &back),
        sheets: papers,
        qr: qr_image(&address),
        address,
        made: t_with(caller.lang, "sheet-made", &[("time", &voice.moment(caller.now))]),
    };
    Ok(caller.page(render(&view), false))
}
