//! The five pages of the set-up, behind the link of the shell. What they make is `app::setup`.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::setup::{Draft, FirstAdministrator, Setup};
use crate::domain::consult::FieldWrong;
use crate::i18n::t;
use crate::seal::Pin;
use crate::web::rate::Purpose;
use crate::web::ui::caller::{Binding, Caller, Cookie, see_other, with};
use crate::web::ui::failure::Failure;
use crate::web::ui::form::{Fields, narrow};
use crate::web::ui::views::setup::{FormField, MailTested, SetupEnd, SetupEntry, SetupStep};
use crate::web::ui::views::{Choice, Choices, Field, render};

use super::office::{address_problem, mail_view, tested};
use super::{field, missing, office_fields, typed_office};

const PAGES: [&str; 5] = ["association", "office", "mail", "members", "administrator"];
const ENTRY: Binding<'static> = Binding::Page("setup");

/// What a page is drawn with beside the draft.
#[derive(Default)]
struct Shown {
    wrong: Vec<FieldWrong>,
    administrator: FirstAdministrator,
    pin_problem: Option<String>,
    address: Field,
    tested: Option<MailTested>,
}

/// There is no such page once there is an association, but for the browser that set it up.
async fn nothing_to_do(caller: &Caller) -> Result<Option<Response>, Failure> {
    if caller.web.app.setup_needed().await? {
        return Ok(None);
    }
    let done = match caller.setup() {
        Some(token) => caller.web.app.setup(token).await? == Setup::Done,
        None => false,
    };
    if done { Ok(Some(end(caller, "done"))) } else { Err(Failure::not_found()) }
}

fn end(caller: &Caller, kind: &'static str) -> Response {
    caller.page(render(&SetupEnd { shell: caller.shell_at(ENTRY, "/"), kind }), false)
}

/// `GET /setup`
pub(super) async fn entry(caller: Caller) -> Result<Response, Failure> {
    if let Some(done) = nothing_to_do(&caller).await? {
        return Ok(done);
    }
    Ok(entry_page(&caller, Field::default()))
}

fn entry_page(caller: &Caller, code: Field) -> Response {
    caller.page(render(&SetupEntry { shell: caller.shell_at(ENTRY, "/setup"), code }), false)
}

/// `POST /setup/open`: by the token that the page's script read, or by the pasted link.
pub(super) async fn open(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    if let Some(done) = nothing_to_do(&caller).await? {
        return Ok(done);
    }
    fields.check(&caller, ENTRY)?;
    caller.limit(Purpose::LinkAnswer)?;
    let typed = fields.get("code").trim();
    let token = match fields.get("token") {
        "" => typed.rsplit('#').next().unwrap_or_default().trim(),
        token => token,
    };
    let ours = token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match caller.web.app.setup(token).await? {
        Setup::Open(_) if ours => Ok(with(see_other("/setup/association"), caller.set(Cookie::Setup, token))),
        _ => {
            let problem = Some(t(caller.lang, "setup-link-over"));
            Ok(entry_page(&caller, Field { value: typed.to_owned(), problem }))
        }
    }
}

/// The draft behind this browser's link, or the page that says why there is none.
async fn draft(caller: &Caller) -> Result<Result<(String, Draft), Response>, Failure> {
    if let Some(done) = nothing_to_do(caller).await? {
        return Ok(Err(done));
    }
    let Some(token) = caller.setup() else { return Ok(Err(see_other("/setup"))) };
    Ok(match caller.web.app.setup(token).await? {
        Setup::Open(draft) => Ok((token.to_owned(), *draft)),
        Setup::Done => Err(end(caller, "done")),
        Setup::Over => Err(with(end(caller, "over"), caller.forget(Cookie::Setup))),
    })
}

fn known(page: &str) -> Result<(usize, &'static str), Failure> {
    PAGES.iter().copied().enumerate().find(|(_, p)| *p == page).ok_or(Failure::not_found())
}

/// `GET /setup/{page}`
pub(super) async fn show(caller: Caller, Path(page): Path<String>) -> Result<Response, Failure> {
    let (number, page) = known(&page)?;
    Ok(match draft(&caller).await? {
        Ok((token, draft)) => step(&caller, &token, (number, page), &draft, Shown::default()),
        Err(other) => other,
    })
}

fn step(
    caller: &Caller,
    token: &str,
    (number, page): (usize, &'static str),
    draft: &Draft,
    shown: Shown,
) -> Response {
    let (lang, wrong) = (caller.lang, &shown.wrong);
    let line =
        |id, kind, value: &str| FormField::new(lang, id, kind, field(lang, id, value.to_owned(), wrong));
    let number_of = |n: usize| u32::try_from(n).unwrap_or(1);
    let first = &shown.administrator;
    let mut view = SetupStep {
        shell: caller.shell_at(Binding::Link(token), &format!("/setup/{page}")),
        page,
        number: number_of(number + 1),
        of: number_of(PAGES.len()),
        back: number.checked_sub(1).and_then(|n| PAGES.get(n)).map(|p| format!("/setup/{p}")),
        fields: Vec::new(),
        choices: None,
        mail: None,
        pin: false,
        pin_problem: shown.pin_problem,
        is_last: number + 1 == PAGES.len(),
    };
    match page {
        "association" => {
            view.fields = vec![
                line("name", "text", &draft.texts.name),
                line("code", "text", &draft.code),
                line("zone", "text", &draft.zone),
            ];
        }
        "office" => view.fields = office_fields(lang, &draft.texts, wrong),
        "mail" => view.mail = Some(mail_view(caller, "/setup/mail/test", shown.address, shown.tested)),
        "members" => {
            let option = |value: &str, chosen| Choice {
                value: value.to_owned(),
                label: t(lang, &format!("setup-members-{value}")),
                note: None,
                chosen,
            };
            let options = vec![option("now", draft.import), option("later", !draft.import)];
            view.choices = Some(Choices { options, problem: None });
        }
        _ => {
            view.pin = true;
            view.fields = vec![
                line("admin_name", "text", &first.name),
                line("kana", "text", &first.kana),
                line("email", "email", &first.email),
            ];
            // The one thing that no mail can do without, where its page was passed over.
            if draft.texts.phone.is_empty() || wrong.iter().any(|w| w.field == "office_phone") {
                view.fields.push(line("office_phone", "tel", &draft.texts.phone));
            }
        }
    }
    caller.page(render(&view), false)
}

/// `POST /setup/{page}`
pub(super) async fn answer(
    caller: Caller,
    Path(page): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let (number, page) = known(&page)?;
    let (token, mut draft) = match draft(&caller).await? {
        Ok(open) => open,
        Err(other) => return Ok(other),
    };
    fields.check(&caller, Binding::Link(&token))?;
    if page == "administrator" {
        return finish(&caller, &token, draft, &fields).await;
    }
    let skip = fields.is_ticked("skip");
    let mut wrong = Vec::new();
    if !skip {
        match page {
            "association" => {
                draft.texts.name = fields.text("name");
                draft.code = narrow(fields.get("code")).to_lowercase();
                draft.zone = fields.text("zone");
                wrong = draft.association_wrong();
            }
            "office" => {
                draft.texts = typed_office(&fields, &draft.texts);
                wrong = draft.texts.office_wrong(false);
            }
            "members" => draft.import = fields.get("import") == "now",
            _ => {}
        }
    }
    if !wrong.is_empty() {
        return Ok(step(&caller, &token, (number, page), &draft, Shown { wrong, ..Shown::default() }));
    }
    let open = match page {
        // Going on without having tried is leaving it for later.
        "mail" => !draft.mail_works,
        "members" => skip || !draft.import,
        "office" => skip || draft.texts.phone.is_empty(),
        _ => skip,
    };
    draft.mark(page, open);
    if !caller.web.app.setup_keep(&token, &draft).await? {
        return Ok(end(&caller, "over"));
    }
    let next = PAGES.get(number + 1).copied().unwrap_or("administrator");
    Ok(see_other(&format!("/setup/{next}")))
}

/// `POST /setup/mail/test`
pub(super) async fn mail_test(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let (token, mut draft) = match draft(&caller).await? {
        Ok(open) => open,
        Err(other) => return Ok(other),
    };
    fields.check(&caller, Binding::Link(&token))?;
    let typed = fields.get("address").trim().to_owned();
    let mut shown = Shown { address: address_problem(&caller, &typed), ..Shown::default() };
    if shown.address.problem.is_none() {
        // It sends a mail to an address that a visitor types, like asking for a sign-in link.
        caller.limit(Purpose::SignIn)?;
        let result = caller.web.app.post_test(&narrow(&typed), &draft.texts.name, caller.lang).await;
        let result = tested(&caller, result);
        if result.good != draft.mail_works {
            draft.mail_works = result.good;
            caller.web.app.setup_keep(&token, &draft).await?;
        }
        shown.tested = Some(result);
    }
    Ok(step(&caller, &token, known("mail")?, &draft, shown))
}

/// Reads the PIN that was typed twice.
fn pin_of(caller: &Caller, fields: &Fields) -> Result<Pin, String> {
    let (pin, again) = (narrow(fields.get("pin")), narrow(fields.get("pin_again")));
    let key = if pin.is_empty() {
        "part-pin-missing"
    } else if pin != again {
        "setup-pin-differs"
    } else {
        match Pin::parse(&pin) {
            Ok(pin) => return Ok(pin),
            Err(_) => "part-pin-malformed",
        }
    };
    Err(t(caller.lang, key))
}

async fn finish(
    caller: &Caller,
    token: &str,
    mut draft: Draft,
    fields: &Fields,
) -> Result<Response, Failure> {
    let here = known("administrator")?;
    let administrator = FirstAdministrator {
        name: fields.text("admin_name"),
        kana: fields.text("kana"),
        email: narrow(fields.get("email")),
    };
    let mut wrong = administrator.wrong_fields();
    for problem in wrong.iter_mut().filter(|w| w.field == "name") {
        problem.field = "admin_name";
    }
    let asked_phone = draft.texts.phone.is_empty();
    if asked_phone {
        draft.texts.phone = crate::app::settings::printed_phone(fields.get("office_phone"));
        if draft.texts.phone.is_empty() {
            wrong.push(missing("office_phone"));
        } else {
            wrong.extend(draft.texts.office_wrong(true).into_iter().filter(|w| w.field == "office_phone"));
        }
    }
    let pin = pin_of(caller, fields);
    let (Ok(pin), true) = (&pin, wrong.is_empty()) else {
        let shown = Shown { wrong, administrator, pin_problem: pin.err(), ..Shown::default() };
        return Ok(step(caller, token, here, &draft, shown));
    };
    caller.limit(Purpose::Pin)?;
    let done = caller.web.app.setup_finish(token, &draft, &administrator, pin, caller.lang).await;
    let first = match done {
        Ok(Some(first)) => first,
        Ok(None) => return Ok(end(caller, "done")),
        Err(AppError::Invalid(wrong)) => {
            let shown = Shown { wrong, administrator, ..Shown::default() };
            return Ok(step(caller, token, here, &draft, shown));
        }
        Err(e) => return Err(e.into()),
    };
    let next = if draft.import { "/sheets/import" } else { "/settings" };
    Ok(with(see_other(&first.path), caller.set(Cookie::Next, next)))
}
