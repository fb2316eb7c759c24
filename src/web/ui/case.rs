//! A case as its two doctors see it, the list of one's own cases, and every step they take.

use axum::extract::Path;
use axum::response::Response;

use crate::app::consult::{Change, Told};
use crate::app::views::{CaseLine, FullCase, Kept, Names, Reader};
use crate::app::{AppError, access::SignedIn};
use crate::domain::calendar::civil_day;
use crate::domain::consult::{ConsultAnswer, FieldWrong, LONG_TEXT, Survey, Wrong};
use crate::domain::dispatch::{Answer, OfferState, State};
use crate::domain::people::rights::Right;
use crate::i18n::{t, t_with};
use crate::ids::{MemberId, RequestId};

use super::caller::{Binding, Caller, Cookie, see_other, with};
use super::entry::{ByDevice, prove_by_device};
use super::failure::Failure;
use super::form::Fields;
use super::views::{
    AnswerForm, AnswerView, AskedCounts, CaseView, Choices, ConsultAsker, ConsultRow, ConsultTaker,
    ConsultUnlock, Field, MyConsults, Party, PinProblem, Responsible, SurveyForm, SurveyView, render,
};
use super::words::Voice;

pages! {
    get "/consults" => mine;
    post "/consults" => super::ask::ask;
    get "/consults/new" => super::ask::form;
    get "/consults/{id}" => case;
    post "/consults/{id}/unlock" => unlock;
    post "/consults/{id}/answer" => answer;
    post "/consults/{id}/close" => close;
    post "/consults/{id}/withdraw" => withdraw;
    post "/consults/{id}/release" => release;
}

const CASE: Binding<'static> = Binding::Page("case");
const UNLOCK: Binding<'static> = Binding::Page("unlock");

/// Minutes of work that the form starts with.
const USUAL_MINUTES: &str = "10";

fn id_of(path: &str) -> Result<RequestId, Failure> {
    RequestId::from_stored(path).map_err(|_| Failure::not_found())
}

fn voice(caller: &Caller) -> Voice {
    Voice { lang: caller.lang, zone: caller.zone(), now: caller.now }
}

/// `GET /consults`
pub(super) async fn mine(caller: Caller) -> Result<Response, Failure> {
    let Some(person) = &caller.signed_in else {
        return Ok(caller.to_sign_in());
    };
    // Everybody who signs in comes here; who neither asks nor takes has their ways on the first page.
    if !person.may(Right::Ask) {
        return Ok(see_other("/"));
    }
    let (asked, taken) = caller.web.app.my_cases(&person.association.id, &person.member.id).await?;
    let voice = voice(&caller);
    let row = |line: &CaseLine, to_do: Option<&str>| ConsultRow {
        href: format!("/consults/{}", line.case.id),
        case_no: line.case.case_no.clone(),
        specialty: voice.word("specialty", &line.facts.specialty),
        state: voice.state(&line.request),
        answer_by: voice.until(line.request.answer_by),
        to_do: to_do.map(|key| t(caller.lang, key)),
    };
    let close =
        |line: &CaseLine| matches!(line.request.state, State::Reported { .. }).then_some("mine-do-close");
    let answer =
        |line: &CaseLine| matches!(line.request.state, State::Taken { .. }).then_some("mine-do-answer");
    let view = MyConsults {
        shell: caller.shell(CASE),
        notice: said(&caller),
        asked: asked.iter().map(|line| row(line, close(line))).collect(),
        taken: taken.iter().map(|line| row(line, answer(line))).collect(),
    };
    Ok(caller.page(render(&view), true))
}

/// What the step before is to say, once.
fn said(caller: &Caller) -> Option<String> {
    let key = match caller.said()? {
        "sent" => "ask-sent",
        "accepted" => "case-accepted",
        "answered" => "case-answered",
        "closed" => "case-closed",
        "withdrawn" => "case-withdrawn",
        "released" => "case-released",
        _ => return None,
    };
    Some(t(caller.lang, key))
}

/// `GET /consults/{id}`
pub(super) async fn case(caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    match &caller.signed_in {
        Some(person) => show(&caller, person, &id, None, None).await,
        None => locked(&caller, &id, None).await,
    }
}

/// What somebody typed and what is wrong with it, to be shown again.
type Again<'a> = Option<(&'a Fields, &'a [(&'static str, String)])>;

async fn show(
    caller: &Caller,
    person: &SignedIn,
    id: &RequestId,
    notice: Option<String>,
    again: Again<'_>,
) -> Result<Response, Failure> {
    let app = &caller.web.app;
    let full = match app.case_read(&person.who(), &person.member.id, id).await {
        Ok(full) => full,
        // The office sees the same case on its own page, without what is written in it.
        Err(AppError::NotFound) if person.may(Right::Board) => {
            app.case_for_office(&person.association.id, id).await?;
            return Ok(see_other(&format!("/board/{id}")));
        }
        Err(e) => return Err(e.into()),
    };
    let notice = notice.or_else(|| said(caller));
    let html = match full.reader {
        Reader::Asker => render(&asker_view(caller, &full, notice, again)),
        Reader::Taker => render(&taker_view(caller, &full, &person.member.id, notice, again)),
    };
    Ok(caller.page(html, true))
}

fn party(voice: Voice, full: &FullCase, id: &MemberId) -> Party {
    Party {
        name: voice.named(&full.names, id),
        institution: full.names.institution_of(id).to_owned(),
        phone: full.phones.get(id).cloned().unwrap_or_default(),
    }
}

/// Who carries the case now: whoever took it, and before and after that its asker.
pub(super) fn responsible(voice: Voice, line: &CaseLine, names: &Names) -> Responsible {
    let (who, since) = match (line.request.claims().next(), &line.request.state) {
        (Some(claim), State::Taken { since, .. }) => (&claim.person, *since),
        (_, State::Reported { since, .. }) => (&line.case.asker, *since),
        _ => (&line.case.asker, line.case.created),
    };
    Responsible { name: voice.named(names, who), since: voice.since(since) }
}

/// What stands in the place of a text whose time is over.
fn destroyed<T>(voice: Voice, text: &Kept<T>) -> Option<String> {
    let on = text.destroyed()?;
    let day = crate::app::say::day(on, voice.zone, voice.lang);
    let year = civil_day(on, voice.zone).year();
    Some(t_with(voice.lang, "case-destroyed", &[("year", &year.to_string()), ("day", &day)]))
}

fn case_view(voice: Voice, full: &FullCase) -> CaseView {
    let mut view = CaseView {
        area: full.line.facts.area.clone(),
        destroyed: destroyed(voice, &full.detail).or_else(|| destroyed(voice, &full.blind)),
        ..CaseView::default()
    };
    if let (Some(blind), Some(detail)) = (full.blind.text(), full.detail.text()) {
        view.decade = voice.word("decade", &blind.decade.to_string());
        view.sex = voice.word("sex", &blind.sex);
        view.condition = voice.word("condition", &blind.condition);
        view.travel = voice.word("travel", &blind.can_travel);
        view.question.clone_from(&detail.question);
        view.tried.clone_from(&detail.tried);
        view.patient_ref.clone_from(&detail.patient_ref);
        view.details.clone_from(&detail.details);
    }
    view
}

fn answer_view(voice: Voice, full: &FullCase) -> Option<AnswerView> {
    full.told.last().map(|told| {
        let answer = told.answer.text().cloned().unwrap_or_default();
        AnswerView {
            at: voice.moment(told.at),
            by: voice.named(&full.names, &told.member),
            assessment: answer.assessment,
            do_now: answer.do_now,
            follow_up: answer.follow_up,
            refer_when: answer.refer_when,
            minutes: u32::try_from(told.minutes).unwrap_or(0),
            destroyed: destroyed(voice, &told.answer),
        }
    })
}

fn survey_view(voice: Voice, full: &FullCase) -> Option<SurveyView> {
    let yes_no = |code: &str| match code {
        "yes" | "no" => t(voice.lang, &format!("word-{code}")),
        _ => voice.word("avoided", "unclear"),
    };
    full.survey.as_ref().map(|kept| match kept.text() {
        Some(survey) => SurveyView {
            avoided: voice.word("avoided", &survey.avoided),
            newly_needed: yes_no(&survey.newly_needed),
            helpful: voice.word("helpful", &survey.helpful.to_string()),
            in_time: yes_no(&survey.in_time),
            note: survey.note.clone(),
            destroyed: None,
        },
        None => SurveyView { destroyed: destroyed(voice, kept), ..SurveyView::default() },
    })
}

fn again_field(again: Again<'_>, name: &str, usual: &str) -> Field {
    match again {
        Some((typed, problems)) => {
            Field { value: typed.get(name).to_owned(), problem: problem_of(problems, name) }
        }
        None => Field { value: usual.to_owned(), problem: None },
    }
}

fn problem_of(problems: &[(&'static str, String)], name: &str) -> Option<String> {
    problems.iter().find(|(field, _)| *field == name).map(|(_, text)| text.clone())
}

fn survey_form(voice: Voice, again: Again<'_>) -> SurveyForm {
    let chosen = |name| again.map_or("", |(typed, _)| typed.get(name));
    let problem = |name| again.and_then(|(_, problems)| problem_of(problems, name));
    let yes_no = |name| {
        let options = ["yes", "no"].map(|code| super::views::Choice {
            value: code.to_owned(),
            label: t(voice.lang, &format!("word-{code}")),
            note: None,
            chosen: chosen(name) == code,
        });
        Choices { options: options.into(), problem: problem(name) }
    };
    let of = |name, codes: &[&str]| {
        let found = voice.choices(name, codes.iter().copied(), chosen(name));
        Choices { problem: problem(name), ..found }
    };
    SurveyForm {
        avoided: of("avoided", &["yes", "no", "unclear"]),
        newly_needed: yes_no("newly_needed"),
        helpful: of("helpful", &["5", "4", "3", "2", "1"]),
        in_time: yes_no("in_time"),
        note: again_field(again, "note", ""),
    }
}

fn asker_view(caller: &Caller, full: &FullCase, notice: Option<String>, again: Again<'_>) -> ConsultAsker {
    let voice = voice(caller);
    let line = &full.line;
    let offers = &line.request.offers;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let declined = offers.values().filter(|o| o.state == OfferState::Declined).count();
    let reported = matches!(line.request.state, State::Reported { .. });
    ConsultAsker {
        shell: caller.shell_at(CASE, &format!("/consults/{}", line.case.id)),
        id: line.case.id.to_string(),
        case_no: line.case.case_no.clone(),
        specialty: voice.word("specialty", &line.facts.specialty),
        wish: voice.wish(line.facts.visit),
        state: voice.state(&line.request),
        notice,
        answer_by: voice.until(line.request.answer_by),
        responsible: responsible(voice, line, &full.names),
        asked: AskedCounts {
            asked: count(offers.len()),
            waiting: count(offers.values().filter(|o| o.state.is_live()).count()),
            declined: count(declined),
        },
        next: voice.next(&line.request),
        taker: line.request.claims().next().map(|claim| party(voice, full, &claim.person)),
        answer: answer_view(voice, full),
        survey_form: reported.then(|| survey_form(voice, again)),
        survey: survey_view(voice, full),
        may_withdraw: !line.request.state.is_terminal() && !reported,
        case: case_view(voice, full),
        timeline: voice.timeline(line, &full.names, &full.history, false),
        once: caller.once(),
    }
}

fn taker_view(
    caller: &Caller,
    full: &FullCase,
    reader: &MemberId,
    notice: Option<String>,
    again: Again<'_>,
) -> ConsultTaker {
    let voice = voice(caller);
    let line = &full.line;
    let claim = line.request.claims().find(|a| a.person == *reader);
    let open = matches!(line.request.state, State::Taken { .. }) && claim.is_some();
    let until = match line.request.state {
        State::Closed { at } => Some(at.plus_s(line.request.plan.grant_after_report_s)),
        _ => None,
    };
    ConsultTaker {
        shell: caller.shell_at(CASE, &format!("/consults/{}", line.case.id)),
        id: line.case.id.to_string(),
        case_no: line.case.case_no.clone(),
        specialty: voice.word("specialty", &line.facts.specialty),
        mode: claim.map(|claim| voice.terms(&claim.terms)).unwrap_or_default(),
        state: voice.state(&line.request),
        notice,
        answer_by: voice.until(line.request.answer_by),
        responsible: responsible(voice, line, &full.names),
        asker: party(voice, full, &line.case.asker),
        case: case_view(voice, full),
        answer_form: open.then(|| AnswerForm {
            assessment: again_field(again, "assessment", ""),
            do_now: again_field(again, "do_now", ""),
            follow_up: again_field(again, "follow_up", ""),
            refer_when: again_field(again, "refer_when", ""),
            minutes: again_field(again, "minutes", USUAL_MINUTES),
        }),
        answer: answer_view(voice, full),
        survey: survey_view(voice, full),
        may_release: open,
        readable_until: until.map(|at| voice.moment(at)),
        timeline: voice.timeline(line, &full.names, &full.history, false),
        once: caller.once(),
    }
}

/// Nobody is signed in: on a known device of one of the case's doctors the PIN opens it; whoever else comes
/// is asked who they are, and learns nothing.
async fn locked(
    caller: &Caller,
    id: &RequestId,
    pin_problem: Option<PinProblem>,
) -> Result<Response, Failure> {
    let Some(known) = caller.known_device().await? else {
        return Ok(caller.to_sign_in());
    };
    let found = caller.web.app.case_reader(&known.association.id, &known.member.id, id).await?;
    let Some((_, case)) = found else {
        return Ok(caller.to_sign_in());
    };
    let guest = caller.as_guest_of(&known.association);
    let view = ConsultUnlock {
        shell: guest.shell_at(UNLOCK, &format!("/consults/{id}")),
        id: id.to_string(),
        case_no: case.case_no,
        person_name: super::words::title(&known.member.name, &known.member.roles, caller.lang),
        notice: said(caller),
        pin_problem,
        once: caller.once(),
    };
    Ok(caller.page(render(&view), true))
}

/// `POST /consults/{id}/unlock`
pub(super) async fn unlock(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    fields.check(&caller, UNLOCK)?;
    let there = format!("/consults/{id}");
    match prove_by_device(&caller, &fields).await? {
        ByDevice::SignedIn(cookie) => Ok(with(see_other(&there), cookie)),
        ByDevice::Wrong(problem) => locked(&caller, &id, Some(problem)).await,
        ByDevice::Unknown => Ok(with(see_other(&there), caller.forget(Cookie::Device))),
    }
}

/// The reader of the case, for a step that only `as_whom` may take.
async fn reader<'c>(caller: &'c Caller, id: &RequestId, as_whom: Reader) -> Result<&'c SignedIn, Failure> {
    let person = caller.person()?;
    let found = caller.web.app.case_reader(&person.association.id, &person.member.id, id).await?;
    match found {
        Some((reader, _)) if reader == as_whom => Ok(person),
        _ => Err(Failure::not_found()),
    }
}

/// On to the case, when the step was taken now or before.
fn after(caller: &Caller, change: &Change, path: &str, said: &str) -> Result<Response, Failure> {
    match change.answer {
        Answer::Done | Answer::Already => Ok(caller.go_and_say(path, said)),
        _ => Err(Failure::changed().back_to(path)),
    }
}

/// `POST /consults/{id}/answer`
pub(super) async fn answer(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = reader(&caller, &id, Reader::Taker).await?;
    if fields.check(&caller, CASE).is_err() {
        let notice = Some(t(caller.lang, "message-form-expired-text"));
        return show(&caller, person, &id, notice, Some((&fields, &[]))).await;
    }
    let key = fields.key(&format!("POST /consults/{id}/answer"))?;
    let told = ConsultAnswer {
        assessment: fields.text("assessment"),
        do_now: fields.text("do_now"),
        follow_up: fields.text("follow_up"),
        refer_when: fields.text("refer_when"),
    };
    let minutes = fields.number("minutes").filter(|n| (1..=600).contains(n));
    let mut problems = Vec::new();
    if told.do_now.is_empty() {
        problems.push(("do_now", t(caller.lang, "answer-missing")));
    }
    if minutes.is_none() {
        problems.push(("minutes", t(caller.lang, "answer-minutes-malformed")));
    }
    let outcome = "advice";
    let wrong = told.wrong_fields(minutes.unwrap_or(1), outcome);
    problems.extend(wrong.iter().map(|w| say(&caller, w, "answer-missing")));
    if !problems.is_empty() {
        return show(&caller, person, &id, None, Some((&fields, &problems))).await;
    }
    let told = Told {
        member: person.member.id.clone(),
        answer: told,
        minutes: minutes.unwrap_or(1),
        minutes_confirmed: fields.get("minutes").trim() != USUAL_MINUTES,
        outcome: outcome.to_owned(),
    };
    let change = caller.web.app.consult_report(&person.who(), &id, told, Some(&key)).await?;
    after(&caller, &change, &format!("/consults/{id}"), "answered")
}

fn say(caller: &Caller, wrong: &FieldWrong, missing: &str) -> (&'static str, String) {
    let text = match wrong.wrong {
        Wrong::TooLong => t_with(caller.lang, "ask-too-long", &[("n", &LONG_TEXT.to_string())]),
        Wrong::NotText => t(caller.lang, "ask-not-text"),
        _ => t(caller.lang, missing),
    };
    (wrong.field, text)
}

/// `POST /consults/{id}/close`
pub(super) async fn close(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = reader(&caller, &id, Reader::Asker).await?;
    if fields.check(&caller, CASE).is_err() {
        let notice = Some(t(caller.lang, "message-form-expired-text"));
        return show(&caller, person, &id, notice, Some((&fields, &[]))).await;
    }
    let key = fields.key(&format!("POST /consults/{id}/close"))?;
    let survey = Survey {
        avoided: fields.get("avoided").to_owned(),
        newly_needed: fields.get("newly_needed").to_owned(),
        helpful: fields.get("helpful").parse().unwrap_or(0),
        in_time: fields.get("in_time").to_owned(),
        note: fields.text("note"),
    };
    match caller.web.app.consult_close(&person.who(), &id, Some(survey), Some(&key)).await {
        Ok(change) => after(&caller, &change, &format!("/consults/{id}"), "closed"),
        Err(AppError::Invalid(wrong)) => {
            let problems: Vec<_> = wrong.iter().map(|w| say(&caller, w, "survey-missing")).collect();
            show(&caller, person, &id, None, Some((&fields, &problems))).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /consults/{id}/withdraw`
pub(super) async fn withdraw(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    let person = reader(&caller, &id, Reader::Asker).await?;
    fields.check(&caller, CASE)?;
    let key = fields.key(&format!("POST /consults/{id}/withdraw"))?;
    let change = caller.web.app.request_withdraw(&person.who(), &id, Some(&key)).await?;
    after(&caller, &change, &format!("/consults/{id}"), "withdrawn")
}

/// `POST /consults/{id}/release`
pub(super) async fn release(
    caller: Caller,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let id = id_of(&id)?;
    fields.check(&caller, CASE)?;
    let person = caller.person()?;
    // Not asked for as a reader: a second tap comes when the reading has ended, and gets the same answer.
    let key = fields.key(&format!("POST /consults/{id}/release"))?;
    let member = &person.member.id;
    let change = caller.web.app.request_release(&person.who(), &id, member, Some(&key)).await?;
    let done = after(&caller, &change, "/consults", "released");
    if done.is_err() {
        // Whoever never had it learns nothing about it.
        reader(&caller, &id, Reader::Taker).await?;
    }
    done
}
