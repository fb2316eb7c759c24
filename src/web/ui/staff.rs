//! The people of the office and how they sign in: for administrators, and for who vouches.

use axum::extract::Path;
use axum::response::Response;

use crate::app::access::SignedIn;
use crate::app::rows::Recovery;
use crate::app::signin::enrol::Removed;
use crate::app::signin::recovery::Vouched;
use crate::app::signin::staff::{Invited, RolesSet, StaffMember};
use crate::domain::people::Role;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, PasskeyId};

use super::caller::{Binding, Caller, see_other};
use super::failure::Failure;
use super::form::{Fields, narrow};
use super::means::passkey_lines;
use super::views::signin::{RecoveryView, Staff, StaffLine, StaffPerson};
use super::views::{Choice, Field, StateLine, Tone, render};
use super::words::{Voice, title};

pages! {
    get "/settings/staff" => list;
    post "/settings/staff" => find;
    get "/settings/staff/{id}" => person;
    post "/settings/staff/{id}/invite" => invite;
    post "/settings/staff/{id}/roles" => roles;
    post "/settings/staff/{id}/revoke" => revoke;
    post "/settings/staff/{id}/end" => end;
    post "/settings/staff/{id}/vouch" => vouch;
    post "/settings/staff/{id}/stop-recovery" => stop;
}

const STAFF: Binding<'static> = Binding::Page("staff");

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// Whoever may see this page: to change, or to vouch.
fn reader(caller: &Caller) -> Result<&SignedIn, Failure> {
    caller.with_right(Right::Roles).or_else(|_| caller.with_right(Right::Vouch))
}

fn said(caller: &Caller) -> Option<String> {
    caller.said().filter(|said| said.starts_with("staff-")).map(|said| t(caller.lang, said))
}

fn state_of(caller: &Caller, one: &StaffMember) -> StateLine {
    let (key, tone) = if one.recovery.is_some() {
        ("staff-state-recovery", Tone::Warn)
    } else if one.means.is_empty() {
        ("staff-state-none", Tone::Plain)
    } else {
        ("staff-state-ready", Tone::Good)
    };
    StateLine { text: t(caller.lang, key), tone }
}

async fn list_page(caller: &Caller, address: Field) -> Result<Response, Failure> {
    let person = reader(caller)?;
    let voice = voice(caller);
    let staff = caller.web.app.staff(&person.association.id).await?;
    let line = |one: &StaffMember| StaffLine {
        id: one.member.id.to_string(),
        name: voice.name(&one.member),
        roles: one.member.roles.iter().map(|r| voice.word("role", r.code())).collect::<Vec<_>>().join("・"),
        state: state_of(caller, one),
    };
    let notice = said(caller);
    let used = notice.is_some();
    let view = Staff {
        shell: caller.shell_at(STAFF, "/settings/staff"),
        notice,
        rows: staff.iter().map(line).collect(),
        may_change: person.may(Right::Roles),
        address,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// `GET /settings/staff`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    list_page(&caller, Field::default()).await
}

/// `POST /settings/staff`: looks for somebody by address.
pub(super) async fn find(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Roles)?;
    fields.check(&caller, STAFF)?;
    let typed = fields.get("address").trim();
    let found = caller.web.app.members_at(&person.association.id, &narrow(typed)).await?;
    match found.as_slice() {
        [one] => Ok(see_other(&format!("/settings/staff/{}", one.id))),
        none_or_several => {
            let key = if none_or_several.is_empty() { "staff-find-none" } else { "staff-find-several" };
            let field = Field { value: typed.to_owned(), problem: Some(t(caller.lang, key)) };
            list_page(&caller, field).await
        }
    }
}

fn recovery_view(caller: &Caller, person: &SignedIn, whose: &MemberId, open: &Recovery) -> RecoveryView {
    let voice = voice(caller);
    let text = match open.due {
        Some(due) => t_with(caller.lang, "staff-recovery-due", &[("when", &voice.moment(due))]),
        None => t_with(caller.lang, "staff-recovery-asked", &[("when", &voice.moment(open.asked))]),
    };
    let vouches = person.may(Right::Vouch);
    let may_vouch = vouches && open.vouched.is_none() && person.member.id != *whose;
    RecoveryView { text, may_vouch, may_stop: vouches }
}

/// The person of the path, of the reader's own association.
async fn one(caller: &Caller, person: &SignedIn, id: &str) -> Result<StaffMember, Failure> {
    let id = MemberId::from_stored(id).map_err(|_| Failure::not_found())?;
    Ok(caller.web.app.staff_member(&person.association.id, &id).await?)
}

/// `GET /settings/staff/{id}`
pub(super) async fn person(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    MemberId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let reader = reader(&caller)?;
    let one = one(&caller, reader, &id).await?;
    let voice = voice(&caller);
    let may_change = reader.may(Right::Roles);
    let notice = said(&caller);
    let used = notice.is_some();
    let role = |role: Role| Choice {
        value: role.code().to_owned(),
        label: voice.word("role", role.code()),
        note: None,
        chosen: one.member.has(role),
    };
    let view = StaffPerson {
        shell: caller.shell(STAFF),
        notice,
        problem: None,
        id,
        name: title(&one.member.name, &one.member.roles, caller.lang),
        state: state_of(&caller, &one),
        passkeys: passkey_lines(&caller, &one.means.passkeys),
        password: one.means.password,
        recovery: one.recovery.as_ref().map(|open| recovery_view(&caller, reader, &one.member.id, open)),
        may_change,
        may_invite: may_change && one.means.is_empty() && one.member.is_office(),
        roles: Role::ALL.into_iter().filter(|r| r.is_office()).map(role).collect(),
        revision: one.member.revision,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// What every deed on this page asks for: the right with a fresh proof, a whole form, the person.
async fn deed<'a>(
    caller: &'a Caller,
    right: Right,
    id: &str,
    fields: &Fields,
    operation: &str,
) -> Result<(&'a SignedIn, StaffMember), Failure> {
    let person = caller.with_right(right)?;
    fields.check(caller, STAFF)?;
    let one = one(caller, person, id).await?;
    fields.key(operation)?;
    Ok((caller.fresh_with(right, fields)?, one))
}

fn back(caller: &Caller, id: &MemberId, said: &str) -> Response {
    caller.go_and_say(&format!("/settings/staff/{id}"), said)
}

/// `POST /settings/staff/{id}/invite`
pub(super) async fn invite(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Roles, &id, &fields, "staff_invite").await?;
    let said = match caller.web.app.staff_invite(&person.who(), &one.member.id).await? {
        Invited::Sent => "staff-invited",
        Invited::NoPin => "staff-no-pin",
        Invited::NoAddress => "staff-no-address",
        Invited::HasMeans => "staff-has-means",
        Invited::NotOffice => "staff-not-office",
    };
    Ok(back(&caller, &one.member.id, said))
}

/// `POST /settings/staff/{id}/roles`
pub(super) async fn roles(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Roles, &id, &fields, "staff_roles").await?;
    let office = fields.all("role").filter_map(Role::from_code).collect();
    let revision = fields.number("revision").ok_or(Failure::form_expired())?;
    let app = &caller.web.app;
    let said = match app.office_roles_set(&person.who(), &one.member.id, revision, office).await? {
        RolesSet::Done => "staff-roles-set",
        RolesSet::LastAdministrator => "staff-last-administrator",
        RolesSet::NoRole => "staff-no-role",
        RolesSet::Changed => {
            return Err(Failure::changed().back_to(format!("/settings/staff/{}", one.member.id)));
        }
    };
    Ok(back(&caller, &one.member.id, said))
}

/// `POST /settings/staff/{id}/revoke`
pub(super) async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Roles, &id, &fields, "staff_revoke").await?;
    let key = PasskeyId::from_stored(fields.get("passkey")).map_err(|_| Failure::not_found())?;
    match caller.web.app.passkey_revoke(&person.who(), &one.member.id, &key).await? {
        Removed::Done => Ok(back(&caller, &one.member.id, "staff-revoked")),
        Removed::Last | Removed::NotThere => Err(Failure::not_found()),
    }
}

/// `POST /settings/staff/{id}/end`
pub(super) async fn end(caller: Caller, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Roles, &id, &fields, "staff_end").await?;
    caller.web.app.staff_sign_out(&person.who(), &one.member.id).await?;
    Ok(back(&caller, &one.member.id, "staff-ended"))
}

/// `POST /settings/staff/{id}/vouch`
pub(super) async fn vouch(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Vouch, &id, &fields, "staff_vouch").await?;
    let said = match caller.web.app.recovery_vouch(person, &one.member.id).await? {
        Vouched::Done => "staff-vouched",
        Vouched::Oneself => "staff-not-oneself",
        Vouched::NothingWaits => "staff-nothing-waits",
    };
    Ok(back(&caller, &one.member.id, said))
}

/// `POST /settings/staff/{id}/stop-recovery`
pub(super) async fn stop(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (person, one) = deed(&caller, Right::Vouch, &id, &fields, "staff_stop").await?;
    let stopped = caller.web.app.recovery_stop(person, &one.member.id).await?;
    Ok(back(&caller, &one.member.id, if stopped { "staff-recovery-stopped" } else { "staff-nothing-waits" }))
}
