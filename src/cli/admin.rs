//! `touban admin`: the first associations, people and keys. Works beside a running `serve`: the same use
//! cases on the same database.

use std::io::Read as _;

use serde_json::{Map, Value, json};

use super::args::{
    AdminCommand, AssociationArgs, At, InstitutionArgs, KeyArgs, MemberArgs, PinArgs, ReportArgs, StaffArgs,
};
use super::keep;
use super::open::{self, Missing};
use super::stop::{Stop, in_words};
use crate::app::people::{NewAssociation, NewInstitution, NewMember};
use crate::app::replay::Done;
use crate::app::signin::staff::NoStaffLink;
use crate::app::{App, Who};
use crate::domain::people::SpecialtyOffer;
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId};
use crate::seal::Pin;
use crate::store::people::Association;

/// Institutions read at a time when one is looked for by its name.
const PAGE: i64 = 500;
/// A PIN on standard input is four digits and a line break; more than this is a mistake.
const PIN_INPUT_MAX_BYTES: u64 = 64;

pub async fn run(command: AdminCommand, lang: Lang) -> Result<(), Stop> {
    match command {
        AdminCommand::CreateAssociation(arg) => create_association(arg, lang).await,
        AdminCommand::CreateInstitution(arg) => create_institution(arg, lang).await,
        AdminCommand::CreateMember(arg) => create_member(arg, lang).await,
        AdminCommand::CreateKey(arg) => create_key(arg, lang).await,
        AdminCommand::SetPin(arg) => set_pin(arg, lang).await,
        AdminCommand::Holidays(arg) => keep::holidays(arg, lang).await,
        AdminCommand::Calendar(arg) => keep::calendar(arg, lang).await,
        AdminCommand::Hold(arg) => keep::hold(arg, lang).await,
        AdminCommand::Retention(arg) => keep::retention(arg, lang).await,
        AdminCommand::StaffLink(arg) => staff_link(arg, lang).await,
        AdminCommand::SetupLink(arg) => setup_link(arg, lang).await,
    }
}

/// Prints named values: as JSON, or one to a line.
pub(super) fn say(report: &ReportArgs, values: &[(&str, String)]) {
    if report.json {
        let map: Map<String, Value> = values.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        println!("{}", Value::Object(map));
    } else {
        for (name, value) in values {
            println!("{name}: {value}");
        }
    }
}

/// To stderr, so that it is read by people and not by scripts.
fn note(lang: Lang, ja: &str, en: &str) {
    eprintln!("{}", in_words(lang, ja, en));
}

async fn create_association(arg: AssociationArgs, lang: Lang) -> Result<(), Stop> {
    let config = open::config(arg.report.config.config.as_deref(), lang)?;
    let app = open::app(&config, Missing::Make, lang).await?;
    let new = NewAssociation {
        code: arg.code,
        name: arg.name,
        zone: arg.zone,
        office_phone: arg.office_phone,
        lang: arg.lang,
    };
    let id = app.association_add(new).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    say(&arg.report, &[("id", id.api())]);
    Ok(())
}

/// The application and the association that a command is about.
pub(super) async fn at(at: &At, lang: Lang) -> Result<(App, Association, Who), Stop> {
    let config = open::config(at.report.config.config.as_deref(), lang)?;
    let app = open::app(&config, Missing::Refuse, lang).await?;
    let code = &at.association;
    let home = match app.association_by_code(code).await {
        Err(crate::app::AppError::NotFound) => {
            return Err(Stop::failed(
                lang,
                format!("{code} というコードの医師会は登録されていません"),
                format!("there is no association with the code {code}"),
            ));
        }
        found => found?,
    };
    let who = Who::cli(&home.id);
    Ok((app, home, who))
}

async fn create_institution(arg: InstitutionArgs, lang: Lang) -> Result<(), Stop> {
    let (app, _, who) = at(&arg.at, lang).await?;
    let new = NewInstitution {
        name: arg.name,
        kind: arg.kind,
        area: arg.area,
        city_code: arg.city_code,
        phone: arg.phone,
        ..NewInstitution::default()
    };
    let added = app.institution_add(&who, new, None).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    let (Done::Fresh(id) | Done::Again(id)) = added;
    say(&arg.at.report, &[("id", id.api())]);
    Ok(())
}

async fn create_member(arg: MemberArgs, lang: Lang) -> Result<(), Stop> {
    let specialties =
        arg.specialties.iter().map(|text| specialty(text, lang)).collect::<Result<Vec<_>, _>>()?;
    let typed = if arg.pin_stdin { Some(pin_from_stdin(lang)?) } else { None };
    let (app, home, who) = at(&arg.at, lang).await?;
    let institution = match &arg.institution {
        Some(named) => Some(institution(&app, &home, named, lang).await?),
        None => None,
    };
    let made = typed.is_none();
    let pin = typed.unwrap_or_else(|| Pin::random(app.chance.as_ref()));
    let new = NewMember {
        name: arg.name,
        kana: arg.kana,
        institution,
        email: arg.email,
        phone: arg.phone,
        roles: arg.roles,
        lang: arg.lang.unwrap_or(home.lang),
        specialties,
        ..NewMember::default()
    };
    let added = app.member_add(&who, new, Some(&pin), None).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    let (Done::Fresh(id) | Done::Again(id)) = added;
    say_pin(&arg.at.report, id.api(), made.then_some(&pin), lang);
    Ok(())
}

/// The id, and the PIN where it was made here: it is shown this once.
fn say_pin(report: &ReportArgs, id: String, made: Option<&Pin>, lang: Lang) {
    let mut values = vec![("id", id)];
    if let Some(pin) = made {
        values.push(("pin", pin.digits().to_owned()));
        note(
            lang,
            "暗証番号は二度と表示できません。紙に書いて本人に渡してください",
            "this PIN cannot be shown again; write it on paper and hand it to the member",
        );
    }
    say(report, &values);
}

async fn create_key(arg: KeyArgs, lang: Lang) -> Result<(), Stop> {
    let (app, _, who) = at(&arg.at, lang).await?;
    let made = app.key_add(&who, &arg.label, &arg.scopes).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    note(
        lang,
        "鍵は二度と表示できません。安全な場所に保存してください",
        "this secret cannot be shown again; keep it in a safe place",
    );
    let (id, secret) = made;
    say(&arg.at.report, &[("id", id.api()), ("secret", secret.as_str().to_owned())]);
    Ok(())
}

async fn set_pin(arg: PinArgs, lang: Lang) -> Result<(), Stop> {
    let member = MemberId::from_api(&arg.member).map_err(|_| {
        Stop::usage(
            lang,
            "member：mem_ で始まる番号を書いてください",
            "member takes an id that begins with mem_",
        )
    })?;
    let typed = if arg.pin_stdin { Some(pin_from_stdin(lang)?) } else { None };
    let (app, _, who) = at(&arg.at, lang).await?;
    let made = typed.is_none();
    let pin = typed.unwrap_or_else(|| Pin::random(app.chance.as_ref()));
    app.pin_set(&who, &member, &pin, None).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    say_pin(&arg.at.report, member.api(), made.then_some(&pin), lang);
    Ok(())
}

async fn staff_link(arg: StaffArgs, lang: Lang) -> Result<(), Stop> {
    let (app, home, who) = at(&arg.at, lang).await?;
    let member = match MemberId::from_api(&arg.whom) {
        Ok(id) => id,
        Err(_) => match app.members_at(&home.id, &arg.whom).await?.as_slice() {
            [one] => one.id.clone(),
            [] => {
                return Err(Stop::failed(
                    lang,
                    "そのメールアドレスの会員はいません",
                    "no member has this address",
                ));
            }
            _ => {
                return Err(Stop::failed(
                    lang,
                    "そのメールアドレスは何人かが使っています。mem_ で始まる番号で指定してください",
                    "several members use this address; give the id that begins with mem_",
                ));
            }
        },
    };
    let made = app.staff_link(&who, &member).await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    let link = made.map_err(|why| match why {
        NoStaffLink::NoPin => Stop::failed(
            lang,
            "この人には暗証番号がありません。先に admin set-pin で渡してください",
            "this person has no PIN; give them one with admin set-pin first",
        ),
        NoStaffLink::NotOffice => {
            Stop::failed(lang, "この人には事務局の役割がありません", "this person has no role of the office")
        }
    })?;
    note(
        lang,
        "リンクは二度と表示できません。本人だけに渡してください",
        "this link cannot be shown again; hand it to nobody but the person",
    );
    let needs_pin = if link.needs_pin { "yes" } else { "no" };
    let values = [("link", link.url), ("until", link.until.rfc3339()), ("needs_pin", needs_pin.to_owned())];
    say(&arg.at.report, &values);
    Ok(())
}

async fn setup_link(arg: ReportArgs, lang: Lang) -> Result<(), Stop> {
    let config = open::config(arg.config.config.as_deref(), lang)?;
    let app = open::app(&config, Missing::Make, lang).await?;
    let link = app.setup_link().await.map_err(|e| Stop::app(lang, e))?;
    app.db.close().await;
    match link {
        Some(link) => {
            say(&arg, &[("link", link)]);
            Ok(())
        }
        None => Err(Stop::failed(
            lang,
            "医師会はもう登録されています。初期設定のリンクはつくれません",
            "there is an association already; no link to the set-up is made",
        )),
    }
}

fn pin_from_stdin(lang: Lang) -> Result<Pin, Stop> {
    let mut typed = String::new();
    std::io::stdin().take(PIN_INPUT_MAX_BYTES).read_to_string(&mut typed)?;
    Pin::parse(&typed).map_err(|_| {
        Stop::usage(
            lang,
            "標準入力に暗証番号（数字 4 けた）がありません",
            "standard input does not hold a PIN of four digits",
        )
    })
}

/// Reads `dermatology`, `dermatology:visit`, `dermatology:青葉北,青葉中央`, `dermatology:visit:青葉北`.
fn specialty(text: &str, lang: Lang) -> Result<SpecialtyOffer, Stop> {
    let mut parts = text.split(':').map(str::trim);
    let specialty = parts.next().unwrap_or_default().to_owned();
    let mut offer = SpecialtyOffer {
        specialty,
        visits: false,
        areas: Vec::new(),
        days: Vec::new(),
        from_min: 0,
        to_min: 0,
        monthly_cap: None,
    };
    let rest: Vec<&str> = parts.collect();
    let areas = match rest.as_slice() {
        [] => "",
        ["visit"] => {
            offer.visits = true;
            ""
        }
        ["visit", areas] => {
            offer.visits = true;
            areas
        }
        ["" | "advice", areas] => areas,
        ["advice"] => "",
        [areas] => areas,
        _ => {
            return Err(Stop::usage(
                lang,
                format!("specialty：{text} は dermatology:visit:青葉北,青葉中央 の形ではありません"),
                format!("specialty: {text} is not of the form dermatology:visit:青葉北,青葉中央"),
            ));
        }
    };
    offer.areas =
        areas.split([',', '、']).map(str::trim).filter(|a| !a.is_empty()).map(str::to_owned).collect();
    Ok(offer)
}

/// The institution with this id or, if only one has it, this name.
async fn institution(app: &App, home: &Association, named: &str, lang: Lang) -> Result<InstitutionId, Stop> {
    if let Ok(id) = InstitutionId::from_api(named) {
        return Ok(id);
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = app.institutions(&home.id, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.id.as_str().clone_into(&mut after);
        found.extend(page.into_iter().filter(|i| i.name == named).map(|i| i.id));
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Stop::failed(
            lang,
            format!(
                "{named} という医療機関は登録されていません。先に admin create-institution で登録してください"
            ),
            format!("there is no institution called {named}; add it with admin create-institution first"),
        )),
        several => {
            let ids: Vec<String> = several.iter().map(InstitutionId::api).collect();
            let ids = ids.join(", ");
            Err(Stop::failed(
                lang,
                format!("{named} という医療機関がいくつもあります。番号で指定してください：{ids}"),
                format!("several institutions are called {named}; give the id: {ids}"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_volunteer_offers_is_read_from_one_word() {
        let read = |text| {
            let offer = specialty(text, Lang::En).unwrap();
            (offer.specialty, offer.visits, offer.areas.join("+"))
        };
        let expect = |s: &str, v, a: &str| (s.to_owned(), v, a.to_owned());
        assert_eq!(read("dermatology"), expect("dermatology", false, ""));
        assert_eq!(read("dermatology:visit"), expect("dermatology", true, ""));
        assert_eq!(read("dermatology:visit:青葉北,青葉中央"), expect("dermatology", true, "青葉北+青葉中央"));
        assert_eq!(read("psychiatry:青葉北"), expect("psychiatry", false, "青葉北"));
        assert_eq!(read("psychiatry::青葉北、緑町"), expect("psychiatry", false, "青葉北+緑町"));
        assert!(specialty("a:visit:b:c", Lang::Ja).is_err());
    }
}
