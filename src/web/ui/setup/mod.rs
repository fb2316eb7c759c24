//! Setting up an association, its texts, its rules page, totals. What they mean is `app::setup` and
//! `app::settings`.

mod office;
mod rules;
mod totals;
mod wizard;

use crate::app::settings::{OfficeTexts, plain_postcode, printed_phone};
use crate::domain::consult::{FieldWrong, Wrong};
use crate::i18n::{Lang, t};

use super::form::{Fields, narrow};
use super::views::Field;
use super::views::setup::FormField;

pages! {
    get "/setup" => wizard::entry;
    post "/setup/open" => wizard::open;
    get "/setup/{page}" => wizard::show;
    post "/setup/{page}" => wizard::answer;
    post "/setup/mail/test" => wizard::mail_test;
    get "/settings" => office::settings;
    get "/settings/office" => office::texts;
    post "/settings/office" => office::change;
    get "/settings/mail" => office::mail;
    post "/settings/mail" => office::mail_test;
    get "/rules" => rules::now;
    get "/rules/{version}" => rules::version;
    post "/rules/seen" => rules::acknowledge;
    get "/rules/edit" => rules::edit;
    post "/rules/edit" => rules::publish;
    get "/rules/readers" => rules::readers;
    get "/totals" => totals::show;
    get "/totals.csv" => totals::csv;
    post "/totals/minimum" => totals::minimum;
}

/// The words beside a field: `setup-wrong-FIELD-CODE`, or those of the code alone.
fn words(lang: Lang, wrong: &FieldWrong) -> String {
    let own = format!("setup-wrong-{}-{}", wrong.field, wrong.wrong.code());
    let known = crate::i18n::keys(Lang::Ja);
    if known.contains(&own) { t(lang, &own) } else { t(lang, &format!("setup-wrong-{}", wrong.wrong.code())) }
}

fn field(lang: Lang, name: &str, value: String, wrong: &[FieldWrong]) -> Field {
    Field { value, problem: wrong.iter().find(|w| w.field == name).map(|w| words(lang, w)) }
}

fn missing(field: &'static str) -> FieldWrong {
    FieldWrong { field, wrong: Wrong::Missing }
}

/// The office's texts as typed; the name is left as it is.
fn typed_office(fields: &Fields, before: &OfficeTexts) -> OfficeTexts {
    let mut texts = before.clone();
    texts.phone = printed_phone(fields.get("office_phone"));
    texts.entry.fax = printed_phone(fields.get("fax"));
    texts.entry.mail = narrow(fields.get("mail"));
    texts.entry.postcode = plain_postcode(fields.get("postcode"));
    texts.entry.address = fields.text("address");
    texts.entry.hours = fields.text("hours");
    texts.entry.closed = fields.text("closed");
    texts
}

/// The fields of the office's texts.
fn office_fields(lang: Lang, texts: &OfficeTexts, wrong: &[FieldWrong]) -> Vec<FormField> {
    let entry = &texts.entry;
    [
        ("office_phone", &texts.phone, "tel"),
        ("fax", &entry.fax, "tel"),
        ("mail", &entry.mail, "email"),
        ("postcode", &entry.postcode, "text"),
        ("address", &entry.address, "text"),
        ("hours", &entry.hours, "text"),
        ("closed", &entry.closed, "text"),
    ]
    .into_iter()
    .map(|(id, value, kind)| FormField::new(lang, id, kind, field(lang, id, value.clone(), wrong)))
    .collect()
}
