//! What somebody of the office is told on the pages until they say to have seen it: that new means of signing in were
//! asked for, for themselves or for a colleague.

use axum::response::Response;

use crate::app::rows::Recovery;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::RecoveryId;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::Fields;
use super::views::render;
use super::views::signin::{MyNotices, NoticeLine};
use super::words::{Voice, title};

pages! {
    get "/me/notices" => notices;
    post "/me/notices" => answer;
}

const NOTICES: Binding<'static> = Binding::Page("notices");
const HERE: &str = "/me/notices";

async fn line(caller: &Caller, recovery: &Recovery) -> Result<NoticeLine, Failure> {
    let person = caller.person()?;
    let voice = Voice { lang: caller.lang, zone: caller.zone(), now: caller.now };
    let own = recovery.member == person.member.id;
    let whose = caller.web.app.member(&person.association.id, &recovery.member).await?;
    let name = title(&whose.name, &whose.roles, caller.lang);
    let at = |key: &str, at| t_with(caller.lang, key, &[("when", &voice.moment(at))]);
    let looks = person.may(Right::Roles) || person.may(Right::Vouch);
    Ok(NoticeLine {
        title: if own {
            t(caller.lang, "notices-own")
        } else {
            t_with(caller.lang, "notices-of", &[("name", &name)])
        },
        asked: at("notices-asked", recovery.asked),
        stopped: recovery.stopped.map(|when| at("notices-stopped-at", when)),
        href: (!own && looks).then(|| format!("/settings/staff/{}", recovery.member)),
        may_stop: own && recovery.stopped.is_none(),
        own,
        id: recovery.id.to_string(),
    })
}

/// `GET /me/notices`
pub(super) async fn notices(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let said = caller.said().filter(|said| said.starts_with("notices-")).map(|said| t(caller.lang, said));
    let used = said.is_some();
    let mut rows = Vec::new();
    for recovery in &caller.recoveries {
        rows.push(line(&caller, recovery).await?);
    }
    let view = MyNotices { shell: caller.shell_at(NOTICES, HERE), notice: said, rows, once: caller.once() };
    Ok(caller.page(render(&view), used))
}

/// `POST /me/notices`: seen, or stopped by whose it is.
pub(super) async fn answer(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.signed_in.as_ref().ok_or(Failure::not_found())?;
    fields.check(&caller, NOTICES)?;
    fields.key("POST /me/notices")?;
    let told = RecoveryId::from_stored(fields.get("recovery"))
        .ok()
        .and_then(|id| caller.recoveries.iter().find(|r| r.id == id));
    let Some(told) = told else { return Ok(caller.go_and_say(HERE, "notices-nothing")) };
    let app = &caller.web.app;
    let said = match fields.get("deed") {
        "stop" if told.member == person.member.id => {
            if app.recovery_stop(person, &told.member).await? {
                "notices-stopped"
            } else {
                "notices-nothing"
            }
        }
        "seen" => {
            app.recovery_seen(person, &told.id).await?;
            "notices-seen-said"
        }
        _ => return Err(Failure::form_expired()),
    };
    Ok(caller.go_and_say(HERE, said))
}
