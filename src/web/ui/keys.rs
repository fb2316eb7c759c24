//! API keys: for administrators. What the keys open is the API.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::access::Scope;
use crate::app::people::keys::KeyMade;
use crate::app::rows::ApiKeyRow;
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::ApiKeyId;
use crate::web::rate::Purpose;

use super::caller::{Binding, Caller};
use super::failure::Failure;
use super::form::Fields;
use super::views::signin::{ApiKeyLine, ApiKeyShown, ApiKeys};
use super::views::{Choice, Choices, Field, Hidden, StateLine, Tone, render};
use super::words::Voice;

pages! {
    get "/settings/keys" => list;
    post "/settings/keys" => make;
    post "/settings/keys/{id}/revoke" => revoke;
}

const KEYS: Binding<'static> = Binding::Page("keys");
const HERE: &str = "/settings/keys";

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

fn line(voice: Voice, key: &ApiKeyRow) -> ApiKeyLine {
    let at = |text: &str, at| t_with(voice.lang, text, &[("when", &voice.moment(at))]);
    let words =
        key.scopes.split(' ').filter_map(Scope::from_code).map(|scope| voice.word("scope", scope.code()));
    let (state, tone) = if key.revoked.is_some() { ("revoked", Tone::Plain) } else { ("live", Tone::Good) };
    ApiKeyLine {
        id: key.id.to_string(),
        label: key.label.clone(),
        scopes: words.collect::<Vec<_>>().join("・"),
        made: at("keys-made", key.created),
        ended: key.revoked.map(|when| at("keys-ended", when)),
        state: StateLine { text: t(voice.lang, &format!("keys-state-{state}")), tone },
    }
}

/// What was typed into the form for a new key.
#[derive(Default)]
struct Wanted {
    label: Field,
    scopes: Vec<Scope>,
    scopes_problem: Option<String>,
}

async fn page(caller: &Caller, wanted: Wanted, notice: Option<String>) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Roles)?;
    let voice = voice(caller);
    let keys = caller.web.app.keys(&person.association.id).await?;
    let option = |scope: Scope| Choice {
        value: scope.code().to_owned(),
        label: voice.word("scope", scope.code()),
        note: None,
        chosen: wanted.scopes.contains(&scope),
    };
    let said = caller.said().filter(|said| said.starts_with("keys-")).map(|said| t(caller.lang, said));
    let used = said.is_some();
    let view = ApiKeys {
        shell: caller.shell_at(KEYS, HERE),
        notice: notice.or(said),
        rows: keys.iter().map(|key| line(voice, key)).collect(),
        label: wanted.label,
        scopes: Choices {
            options: Scope::ALL.into_iter().map(option).collect(),
            problem: wanted.scopes_problem,
        },
        once: caller.once(),
    };
    Ok(caller.page(render(&view), used))
}

/// `GET /settings/keys`
pub(super) async fn list(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, Wanted::default(), None).await
}

/// `POST /settings/keys`: the answer itself shows the key, because it stands nowhere else.
pub(super) async fn make(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    caller.with_right(Right::Roles)?;
    fields.check(&caller, KEYS)?;
    let key = fields.key("POST /settings/keys")?;
    let person = caller.fresh_with(Right::Roles, &fields)?;
    caller.limit(Purpose::Create)?;
    let label = fields.text("label");
    let scopes: Vec<Scope> = fields.all("scope").filter_map(Scope::from_code).collect();
    match caller.web.app.key_make(&person.who(), &label, &scopes, Some(&key)).await {
        Ok(KeyMade::New(_, secret)) => {
            let view = ApiKeyShown {
                shell: caller.shell_at(KEYS, HERE),
                label,
                secret: Hidden(secret.as_str().to_owned()),
            };
            Ok(caller.page(render(&view), false))
        }
        Ok(KeyMade::ShownBefore) => {
            page(&caller, Wanted::default(), Some(t(caller.lang, "keys-shown-before"))).await
        }
        Err(AppError::Invalid(wrong)) => {
            let problem = |field: &str, text: &str| {
                wrong.iter().any(|w| w.field == field).then(|| t(caller.lang, text))
            };
            let wanted = Wanted {
                label: Field { value: label, problem: problem("label", "keys-label-missing") },
                scopes_problem: problem("scopes", "keys-scope-missing"),
                scopes,
            };
            page(&caller, wanted, None).await
        }
        Err(e) => Err(Failure::from(e).back_to(HERE)),
    }
}

/// `POST /settings/keys/{id}/revoke`
pub(super) async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Roles)?;
    fields.check(&caller, KEYS)?;
    let id = ApiKeyId::from_stored(&id).map_err(|_| Failure::not_found())?;
    if !caller.web.app.keys(&person.association.id).await?.iter().any(|key| key.id == id) {
        return Err(Failure::not_found());
    }
    fields.key("key_revoke")?;
    let person = caller.fresh_with(Right::Roles, &fields)?;
    caller.web.app.key_revoke(&person.who(), &id).await?;
    Ok(caller.go_and_say(HERE, "keys-revoked"))
}
