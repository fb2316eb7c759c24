//! The bank account of an institution, on a page of its own. Each reading is noted.

use axum::extract::Path;
use axum::response::Response;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::Fields;
use super::super::views::directory::{DirectoryForm, Input};
use super::super::views::{Hidden, render};
use super::list::id_of;
use super::{DIRECTORY, enter, line, said, say_wrong, select, voice};
use crate::app::AppError;
use crate::app::rows::Institution;
use crate::domain::people::directory::{ACCOUNT_KINDS, BankAccount};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};

fn inputs(caller: &Caller, account: &BankAccount) -> Vec<Input> {
    let kinds = voice(caller).choices("account", ACCOUNT_KINDS.iter().copied(), &account.kind);
    vec![
        line(caller, "bank_name", "bank-name", &account.bank_name, "text"),
        line(caller, "bank_code", "bank-code", &account.bank_code, "numeric"),
        line(caller, "branch_name", "bank-branch", &account.branch_name, "text"),
        line(caller, "branch_code", "bank-branch-code", &account.branch_code, "numeric"),
        select(caller, "account_kind", "bank-kind", kinds.options),
        line(caller, "number", "bank-number", &account.number, "numeric"),
        line(caller, "holder", "bank-holder", &account.holder, "text"),
    ]
}

fn view(
    caller: &Caller,
    institution: &Institution,
    revision: i64,
    inputs: Vec<Input>,
    notice: Option<String>,
) -> Response {
    let place = format!("/directory/{}/bank", institution.id);
    let view = DirectoryForm {
        shell: caller.shell_at(DIRECTORY, &format!("/directory/{}", institution.id)),
        title: t_with(caller.lang, "bank-title", &[("name", &institution.name)]),
        lead: said(caller).unwrap_or_else(|| t(caller.lang, "bank-what")),
        notice,
        facts: Vec::new(),
        inputs,
        hidden: vec![("revision", Hidden(revision.to_string()))],
        asks_pin: false,
        pin_problem: None,
        action: place,
        send: t(caller.lang, "directory-save"),
        back: Some(format!("/directory/{}", institution.id)),
        once: caller.once(),
    };
    caller.page(render(&view), caller.said().is_some())
}

/// `GET /directory/{id}/bank`
pub(in crate::web::ui) async fn page(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = match enter(&caller, Right::Bank) {
        Ok(person) => person,
        Err(instead) => return *instead,
    };
    caller.fresh(Right::Bank)?;
    let (institution, account) = caller.web.app.bank_read(&person.who(), &id).await?;
    let inputs = inputs(&caller, &account.unwrap_or_default());
    Ok(view(&caller, &institution, institution.revision, inputs, None))
}

/// `POST /directory/{id}/bank`; with nothing filled in, the account is taken out.
pub(in crate::web::ui) async fn save(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Bank)?;
    let id = id_of(&id)?;
    let account = BankAccount {
        bank_code: fields.text("bank_code"),
        bank_name: fields.text("bank_name"),
        branch_code: fields.text("branch_code"),
        branch_name: fields.text("branch_name"),
        kind: fields.get("account_kind").to_owned(),
        number: fields.text("number"),
        holder: fields.text("holder"),
    };
    let institution = caller.web.app.institution(&person.association.id, &id).await?;
    let revision = fields.number("revision").unwrap_or(-1);
    let mut inputs = inputs(&caller, &account);
    if fields.check(&caller, DIRECTORY).is_err() {
        let notice = Some(t(caller.lang, "ask-send-again"));
        return Ok(view(&caller, &institution, revision, inputs, notice));
    }
    caller.fresh_with(Right::Bank, &fields)?;
    let key = fields.key(&format!("POST /directory/{id}/bank"))?;
    let account = Some(account).filter(|account| !account.is_empty());
    match caller.web.app.bank_set(&person.who(), &id, revision, account, Some(&key)).await {
        Ok(()) => Ok(caller.go_and_say(&format!("/directory/{id}"), "saved")),
        Err(AppError::Invalid(wrong)) => {
            let notice = say_wrong(&caller, &mut inputs, &wrong);
            Ok(view(&caller, &institution, revision, inputs, notice))
        }
        Err(AppError::ChangedMeanwhile) => {
            let notice = Some(t(caller.lang, "directory-changed"));
            Ok(view(&caller, &institution, institution.revision, inputs, notice))
        }
        Err(e) => Err(e.into()),
    }
}
