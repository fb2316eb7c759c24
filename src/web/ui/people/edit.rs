//! A new person, or one changed: every field with its problem beside it, and nothing lost.

use axum::extract::Path;
use axum::response::Response;

use crate::app::AppError;
use crate::app::people::NewMember;
use crate::app::rows::Member;
use crate::domain::consult::{FieldWrong, LONG_TEXT, SHORT_TEXT, Wrong};
use crate::domain::people::entry::{DutyProfile, MemberProfile};
use crate::domain::people::rights::Right;
use crate::domain::people::{Day, Role, SpecialtyOffer};
use crate::i18n::{Lang, keys, t, t_with};
use crate::ids::{InstitutionId, MemberId};
use crate::web::rate::Purpose;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::form::{Fields, narrow};
use super::super::views::people::{OfferBlock, PersonForm};
use super::super::views::{Choice, Choices, Field, render};
use super::super::words::Voice;
use super::me::{language_choices, ways_choices, ways_typed};
use super::person::clock;
use super::{PEOPLE, member_id, roles_in_words, voice};

/// Specialties one person can volunteer for on the form.
const OFFERS: u32 = 6;

/// Institutions to choose from.
const INSTITUTIONS: i64 = 5_000;

const DAYS: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

/// The stable word of a day.
pub(super) const fn day_code(day: Day) -> &'static str {
    match day {
        Day::Mon => "mon",
        Day::Tue => "tue",
        Day::Wed => "wed",
        Day::Thu => "thu",
        Day::Fri => "fri",
        Day::Sat => "sat",
        Day::Sun => "sun",
    }
}

const DUTIES: [&str; 3] = ["phone_only", "no_deep_night", "exempt"];

/// The id of a wrong field and what is wrong.
type Problem = (String, String);

/// A new person, or the one who is changed.
enum Whom<'a> {
    New,
    Known(&'a Member),
}

/// `9:30`, `9時半` is not; `24:00` is the end of the day. `None`: not a time.
fn minutes(typed: &str) -> Option<u32> {
    let plain = narrow(typed).replace(['時', '：'], ":").replace('分', "");
    let (hours, rest) = plain.split_once(':').unwrap_or((plain.as_str(), ""));
    let hours: u32 = hours.parse().ok()?;
    let rest: u32 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
    (rest < 60 && hours * 60 + rest <= 1_440 && hours <= 24).then(|| hours * 60 + rest)
}

/// The fields as they would be typed for what is known.
fn typed_of(member: &Member, phone: &str, fax: &str, offers: &[SpecialtyOffer]) -> Fields {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
    put("name", &member.name);
    put("kana", &member.kana);
    put("member_no", &member.member_no);
    put("institution", member.institution.as_ref().map_or("", |i| i.as_str()));
    for role in &member.roles {
        put("role", role.code());
    }
    put("email", member.email.as_deref().unwrap_or_default());
    put("phone", phone);
    put("fax", fax);
    for (place, way) in (1..).zip(&member.profile.ways) {
        put(&format!("way{place}"), way.code());
    }
    let duty = &member.profile.duty;
    for (holds, code) in
        [(duty.phone_only, "phone_only"), (duty.no_deep_night, "no_deep_night"), (duty.exempt, "exempt")]
    {
        if holds {
            put("duty", code);
        }
    }
    put("max_per_month", &duty.max_per_month.map(|n| n.to_string()).unwrap_or_default());
    put("lang", member.lang.tag());
    put("note", &member.profile.note);
    for (s, offer) in (1..).zip(offers) {
        put(&format!("s{s}_specialty"), &offer.specialty);
        put(&format!("s{s}_mode"), if offer.visits { "visit" } else { "advice" });
        for area in &offer.areas {
            put(&format!("s{s}_area"), area);
        }
        for day in &offer.days {
            put(&format!("s{s}_day"), day_code(*day));
        }
        if offer.from_min != offer.to_min {
            put(&format!("s{s}_from"), &clock(offer.from_min));
            put(&format!("s{s}_to"), &clock(offer.to_min));
        }
        put(&format!("s{s}_cap"), &offer.monthly_cap.map(|n| n.to_string()).unwrap_or_default());
    }
    Fields::of(fields)
}

/// What was typed, as far as it can be read; and what cannot.
fn read(fields: &Fields, lang: Lang) -> (NewMember, Vec<Problem>) {
    let mut problems: Vec<Problem> = Vec::new();
    let say = |key: &str| t(lang, key);
    let mut number = |name: String| -> Option<u32> {
        let typed = narrow(fields.get(&name));
        if typed.is_empty() {
            return None;
        }
        let read = typed.parse::<u32>().ok().filter(|n| (1..=99).contains(n));
        if read.is_none() {
            problems.push((name, say("people-w-number")));
        }
        read
    };
    let max_per_month = number("max_per_month".to_owned());
    let caps: Vec<Option<u32>> = (1..=OFFERS).map(|s| number(format!("s{s}_cap"))).collect();
    let mut specialties: Vec<SpecialtyOffer> = Vec::new();
    for (s, monthly_cap) in (1..=OFFERS).zip(caps) {
        let code = fields.get(&format!("s{s}_specialty"));
        if code.is_empty() {
            continue;
        }
        if specialties.iter().any(|o| o.specialty == code) {
            problems.push((format!("s{s}_specialty"), say("people-w-twice")));
        }
        let mut time = |name: String| {
            let typed = fields.get(&name).trim().to_owned();
            if typed.is_empty() {
                return None;
            }
            let read = minutes(&typed);
            if read.is_none() {
                problems.push((name, say("people-w-time")));
            }
            read
        };
        let (from, to) = (time(format!("s{s}_from")), time(format!("s{s}_to")));
        let half = fields.get(&format!("s{s}_from")).trim().is_empty()
            != fields.get(&format!("s{s}_to")).trim().is_empty();
        if half {
            problems.push((format!("s{s}_to"), say("people-w-both-times")));
        }
        let days =
            DAYS.into_iter().filter(|day| fields.all(&format!("s{s}_day")).any(|d| d == day_code(*day)));
        specialties.push(SpecialtyOffer {
            specialty: code.to_owned(),
            visits: fields.get(&format!("s{s}_mode")) == "visit",
            areas: fields.all(&format!("s{s}_area")).map(str::to_owned).collect(),
            days: days.collect(),
            from_min: from.unwrap_or(0),
            to_min: to.unwrap_or(0),
            monthly_cap,
        });
    }
    let institution = fields.get("institution");
    let institution = if institution.is_empty() {
        None
    } else {
        let id = InstitutionId::from_stored(institution).ok();
        if id.is_none() {
            problems.push(("institution".to_owned(), say("people-w-institution")));
        }
        id
    };
    let optional = |name: &str| Some(fields.text(name)).filter(|text| !text.is_empty());
    // Full-width letters of an address are a keyboard's doing.
    let email = optional("email").map(|typed| narrow(&typed));
    let duty = |code: &str| fields.all("duty").any(|d| d == code);
    let new = NewMember {
        name: fields.text("name"),
        kana: fields.text("kana"),
        institution,
        email,
        phone: optional("phone"),
        roles: roles_typed(fields),
        lang: Lang::from_tag(fields.get("lang")).unwrap_or_default(),
        specialties,
        member_no: narrow(fields.get("member_no")),
        fax: optional("fax"),
        profile: MemberProfile {
            ways: ways_typed(fields),
            duty: DutyProfile {
                phone_only: duty("phone_only"),
                no_deep_night: duty("no_deep_night"),
                max_per_month,
                exempt: duty("exempt"),
            },
            note: fields.text("note"),
        },
    };
    (new, problems)
}

/// The roles that are given here: those of the office are given elsewhere.
fn roles_typed(fields: &Fields) -> Vec<Role> {
    Role::ALL
        .into_iter()
        .filter(|role| !role.is_office() && fields.all("role").any(|code| code == role.code()))
        .collect()
}

/// What is wrong with a field, in words beside it.
fn say(lang: Lang, wrong: &FieldWrong) -> Problem {
    let field = match wrong.field {
        "specialties" => "s1_specialty",
        field => field,
    };
    let long = if wrong.field == "note" { LONG_TEXT } else { SHORT_TEXT };
    let key = match (wrong.field, wrong.wrong) {
        (_, Wrong::TooLong) => {
            return (field.to_owned(), t_with(lang, "ask-too-long", &[("n", &long.to_string())]));
        }
        ("name", Wrong::Missing) => "people-w-name",
        ("roles", _) => "people-w-roles",
        ("email", _) => "people-w-email",
        ("phone" | "fax", _) => "people-w-phone",
        ("member_no", Wrong::Taken) => "people-w-member-no",
        ("institution", _) => "people-w-institution",
        ("specialties", _) => "people-w-specialty",
        _ => "ask-not-text",
    };
    (field.to_owned(), t(lang, key))
}

fn ticks(options: Vec<(String, String)>, chosen: &[&str], problem: Option<String>) -> Choices {
    let option = |(value, label): (String, String)| Choice {
        chosen: chosen.contains(&value.as_str()),
        value,
        label,
        note: None,
    };
    Choices { options: options.into_iter().map(option).collect(), problem }
}

fn offer_block(
    voice: Voice,
    typed: &Fields,
    s: u32,
    areas: &[String],
    problem: &dyn Fn(&str) -> Option<String>,
) -> OfferBlock {
    let name = |part: &str| format!("s{s}_{part}");
    let field =
        |part: &str| Field { value: typed.get(&name(part)).to_owned(), problem: problem(&name(part)) };
    let chosen = typed.get(&name("specialty"));
    let known: Vec<String> = keys(Lang::Ja)
        .iter()
        .filter_map(|key| key.strip_prefix("word-specialty-").map(str::to_owned))
        .collect();
    let specialty = voice.choices("specialty", known.iter().map(String::as_str), chosen);
    let typed_areas: Vec<&str> = typed.all(&name("area")).collect();
    // An area nobody stands in any more is kept as long as it is chosen.
    let mut all: Vec<String> = areas.to_vec();
    all.extend(typed_areas.iter().filter(|a| !areas.iter().any(|b| b == *a)).map(|a| (*a).to_owned()));
    let days: Vec<&str> = typed.all(&name("day")).collect();
    let mode = if typed.get(&name("mode")) == "visit" { "visit" } else { "advice" };
    let legend = if chosen.is_empty() {
        t(voice.lang, "people-form-offer-more")
    } else {
        t_with(voice.lang, "people-form-offer", &[("name", &voice.word("specialty", chosen))])
    };
    OfferBlock {
        number: s,
        legend,
        specialty: Choices { problem: problem(&name("specialty")), ..specialty },
        mode: voice.choices("terms", ["advice", "visit"], mode),
        areas: ticks(all.into_iter().map(|a| (a.clone(), a)).collect(), &typed_areas, None),
        days: ticks(
            DAYS.map(|d| (day_code(d).to_owned(), voice.word("day", day_code(d)))).into(),
            &days,
            None,
        ),
        from: field("from"),
        to: field("to"),
        cap: field("cap"),
    }
}

async fn page(
    caller: &Caller,
    whom: Whom<'_>,
    typed: &Fields,
    revision: i64,
    problems: Vec<Problem>,
    notice: Option<String>,
) -> Result<Response, Failure> {
    let reader = caller.with_right(Right::Enrol)?;
    let (voice, app, home) = (voice(caller), &caller.web.app, &reader.association.id);
    let institutions = app.institutions(home, "", INSTITUTIONS).await?;
    let areas = app.areas(home).await?;
    let problem = |name: &str| problems.iter().find(|(id, _)| id == name).map(|(_, text)| text.clone());
    let field = |name: &str| Field { value: typed.get(name).to_owned(), problem: problem(name) };
    let chosen = typed.get("institution");
    let institution = institutions
        .iter()
        .filter(|i| i.closed.is_none() || i.id.as_str() == chosen)
        .map(|i| Choice {
            value: i.id.to_string(),
            label: i.name.clone(),
            note: None,
            chosen: i.id.as_str() == chosen,
        })
        .collect();
    let roles: Vec<&str> = typed.all("role").collect();
    let role_options = Role::ALL.into_iter().filter(|r| !r.is_office());
    let filled =
        (1..=OFFERS).filter(|s| !typed.get(&format!("s{s}_specialty")).is_empty()).max().unwrap_or(0);
    let duties: Vec<&str> = typed.all("duty").collect();
    let member = match whom {
        Whom::New => None,
        Whom::Known(member) => Some(member),
    };
    let office: Vec<Role> =
        member.map(|m| m.roles.iter().copied().filter(|r| r.is_office()).collect()).unwrap_or_default();
    let view = PersonForm {
        shell: caller.shell_at(PEOPLE, "/people"),
        notice,
        is_new: member.is_none(),
        back: member.map_or_else(|| "/people".to_owned(), |m| format!("/people/{}", m.id)),
        revision,
        name: field("name"),
        kana: field("kana"),
        member_no: field("member_no"),
        institution: Choices { options: institution, problem: problem("institution") },
        roles: ticks(
            role_options.map(|r| (r.code().to_owned(), voice.word("role", r.code()))).collect(),
            &roles,
            problem("roles"),
        ),
        office_roles: (!office.is_empty()).then(|| roles_in_words(voice, &office)),
        email: field("email"),
        phone: field("phone"),
        fax: field("fax"),
        ways: ways_choices(voice, &|place| typed.get(&format!("way{place}")).to_owned()),
        duty: ticks(DUTIES.map(|code| (code.to_owned(), voice.word("duty", code))).into(), &duties, None),
        max_per_month: field("max_per_month"),
        offers: (1..=(filled + 1).min(OFFERS))
            .map(|s| offer_block(voice, typed, s, &areas, &problem))
            .collect(),
        lang: language_choices(voice, typed.get("lang")),
        note: field("note"),
        problems: problems.clone(),
        once: caller.once(),
    };
    Ok(caller.page(render(&view), false))
}

/// `GET /people/new`
pub(super) async fn new(caller: Caller) -> Result<Response, Failure> {
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    page(&caller, Whom::New, &Fields::default(), 0, Vec::new(), None).await
}

/// `POST /people/new`
pub(super) async fn add(caller: Caller, fields: Fields) -> Result<Response, Failure> {
    let person = caller.with_right(Right::Enrol)?;
    if fields.check(&caller, PEOPLE).is_err() {
        let notice = Some(t(caller.lang, "message-form-expired-text"));
        return page(&caller, Whom::New, &fields, 0, Vec::new(), notice).await;
    }
    let key = fields.key("POST /people/new")?;
    let (new, mut problems) = read(&fields, caller.lang);
    problems.extend(new.wrong_fields().iter().map(|w| say(caller.lang, w)));
    if !problems.is_empty() {
        return page(&caller, Whom::New, &fields, 0, problems, None).await;
    }
    caller.limit(Purpose::Create)?;
    match caller.web.app.member_add(&person.who(), new, None, Some(&key)).await {
        Ok(done) => Ok(caller.go_and_say(&format!("/people/{}", done.into_inner()), "person-added")),
        Err(AppError::Invalid(wrong)) => {
            let problems = wrong.iter().map(|w| say(caller.lang, w)).collect();
            page(&caller, Whom::New, &fields, 0, problems, None).await
        }
        Err(e) => Err(Failure::from(e).back_to("/people")),
    }
}

async fn known(caller: &Caller, id: &MemberId) -> Result<Member, Failure> {
    let home = &caller.with_right(Right::Enrol)?.association.id;
    let member = caller.web.app.member(home, id).await?;
    if member.left_at.is_some() { Err(Failure::not_found()) } else { Ok(member) }
}

/// `GET /people/{id}/edit`
pub(super) async fn edit(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    if caller.signed_in.is_none() {
        return Ok(caller.to_sign_in());
    }
    let member = known(&caller, &id).await?;
    let (app, home) = (&caller.web.app, &caller.person()?.association.id);
    let row = id.as_str();
    let phone = app.number_shown(home, ("member", "phone", row), member.phone.as_deref()).await?;
    let fax = app.number_shown(home, ("member", "fax", row), member.fax.as_deref()).await?;
    let offers = app.volunteers_for(home, &id).await?;
    let typed = typed_of(&member, &phone.unwrap_or_default(), &fax.unwrap_or_default(), &offers);
    page(&caller, Whom::Known(&member), &typed, member.revision, Vec::new(), None).await
}

/// `POST /people/{id}/edit`
pub(super) async fn change(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = member_id(&id)?;
    let member = known(&caller, &id).await?;
    let revision = fields.number("revision").unwrap_or(-1);
    let again = |problems, notice| page(&caller, Whom::Known(&member), &fields, revision, problems, notice);
    if fields.check(&caller, PEOPLE).is_err() {
        return again(Vec::new(), Some(t(caller.lang, "message-form-expired-text"))).await;
    }
    let key = fields.key(&format!("POST /people/{id}/edit"))?;
    let (new, mut problems) = read(&fields, caller.lang);
    let wrong = new.wrong_fields();
    // Whoever works in the office needs no other role.
    let wrong = wrong.iter().filter(|w| w.field != "roles" || !member.is_office());
    problems.extend(wrong.map(|w| say(caller.lang, w)));
    if !problems.is_empty() {
        return again(problems, None).await;
    }
    let who = caller.person()?.who();
    match caller.web.app.member_change(&who, &id, revision, new, Some(&key)).await {
        Ok(()) => Ok(caller.go_and_say(&format!("/people/{id}"), "person-changed")),
        Err(AppError::Invalid(wrong)) => {
            again(wrong.iter().map(|w| say(caller.lang, w)).collect(), None).await
        }
        // What was typed stays; the newer entry is one tap away.
        Err(e) if e.is_stale() => again(Vec::new(), Some(t(caller.lang, "people-stale"))).await,
        Err(e) => Err(Failure::from(e).back_to(format!("/people/{id}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (typed, read) in [
            ("9:30", 570),
            ("０９：３０", 570),
            ("9時30分", 570),
            ("9時", 540),
            ("18", 1_080),
            ("24:00", 1_440),
            ("0:00", 0),
        ] {
            assert_eq!(minutes(typed), Some(read), "{typed}");
        }
        for typed in ["", "24:01", "25:00", "9:60", "朝", "-1", "9:3a", "99999999999"] {
            assert_eq!(minutes(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_problem_of_a_member_has_its_words() {
        let known = keys(Lang::Ja);
        let empty = NewMember {
            kana: "\u{202E}".to_owned(),
            email: Some("nobody".to_owned()),
            phone: Some("abc".to_owned()),
            fax: Some("1".to_owned()),
            member_no: "x".repeat(300),
            profile: MemberProfile { note: "\u{0}".to_owned(), ..MemberProfile::default() },
            ..NewMember::default()
        };
        let wrong = empty.wrong_fields();
        assert_eq!(wrong.len(), 8, "{wrong:?}");
        for wrong in &wrong {
            let (field, text) = say(Lang::Ja, wrong);
            assert!(!known.contains(&text) && !text.contains("people-"), "{field}: {text}");
        }
    }
}
