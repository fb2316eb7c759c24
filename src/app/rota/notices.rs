//! What people are told of the rota by mail: what a publication means for them, that a duty is near, that hours are
//! empty, that turns fall short, that wishes are wanted. Each is a job with a key of its own, so it is told once;
//! in the last moment it is checked that it is still so. When this looks is `durable`'s.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::access::note;
use super::super::flow::{NewLink, make_link_as};
use super::super::mail_texts::{Deadline, DutyLine, Link, Mail, Moment, NotEnvelope, ShortMoment};
use super::super::outbox::personal_link;
use super::super::replay::Key;
use super::super::say as words;
use super::super::{App, AppError, Kit, Who};
use super::world::RotaWorld;
use super::{duties_within, laid_within, say};
use crate::domain::calendar::{CivilDate, civil_day, instant_of, start_of_day};
use crate::domain::people::Role;
use crate::domain::rota::{Area, Change, Month, Reminders, RotaRole, Timeline, turns_of_month};
use crate::i18n::{Lang, t_with};
use crate::ids::{AssociationId, LinkId, MemberId, WishRoundId};
use crate::store::access::{LinkPurpose, link_by_id};
use crate::store::jobs::{Job, Lane, NewJob, job_add};
use crate::store::people::{Association, Member, member_by_id};
use crate::store::rota::plans::reminders;
use crate::store::rota::wishes::{wish_ask_add, wish_round_by_id, wish_rounds, wish_sheets};
use crate::store::{Command, Conn, StoreError};
use crate::time::{Millis, Window};

/// A reminder at the hand-over that comes later than this is left out.
const START_LATE_S: i64 = 1_800;
/// A daily mail that could not be written at its hour is written within this.
const DAILY_LATE_S: i64 = 12 * 3_600;
/// The day of the month from which institutions that fall short are told of, and until when.
const TURNS_DAYS: std::ops::Range<u32> = 15..20;
/// Reminders of a collection go out at this hour.
const WISH_HOUR: u32 = 9;
/// Duties or holes named in one mail.
const LINES_MAX: usize = 12;
/// How long a link to one's wishes is good at most; the deadline ends it earlier.
const WISH_LINK_LIFE_S: i64 = 14 * 86_400;
/// Collections looked at.
const ROUNDS_MAX: i64 = 10;

/// Something to be told, once.
#[derive(Clone, Debug)]
struct Notice {
    kind: &'static str,
    key: String,
    body: serde_json::Value,
}

/// A person of a collection who is asked.
#[derive(Clone, Debug)]
struct WishAsk {
    round: WishRoundId,
    member: MemberId,
    what: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct DutyBody {
    member: MemberId,
    area: Area,
    role: RotaRole,
    from: Millis,
    to: Millis,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PublishedBody {
    member: MemberId,
    first: CivilDate,
    last: CivilDate,
    gained: Vec<(Window, RotaRole)>,
    lost: Vec<(Window, RotaRole)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OfDay {
    member: MemberId,
    day: CivilDate,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WishBody {
    member: MemberId,
    round: WishRoundId,
    /// Mails from before there were links have none; they are not sent any more.
    #[serde(default)]
    link: Option<LinkId>,
}

/// What this process has put into the outbox and what still would be due: it is not put there again.
#[derive(Debug, Default)]
pub struct Told(BTreeSet<String>);

struct Tell {
    kit: Kit,
    association: AssociationId,
    notices: Vec<Notice>,
    asks: Vec<WishAsk>,
}

impl Command for Tell {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        for notice in &self.notices {
            add(tx, &self.kit, &self.association, notice.kind, &notice.key, &notice.body).await?;
        }
        for ask in &self.asks {
            ask_for_wishes(tx, &self.kit, &self.association, ask).await?;
        }
        Ok(())
    }
}

async fn add(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    kind: &'static str,
    key: &str,
    body: &serde_json::Value,
) -> Result<(), StoreError> {
    let job = NewJob { lane: Lane::Mail, kind, key: key.to_owned(), body: body.clone(), due: kit.now };
    job_add(tx, association, &job, kit.now, kit.vault.chance.as_ref()).await
}

async fn ask_for_wishes(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    ask: &WishAsk,
) -> Result<(), StoreError> {
    let key = format!("wish_ask:{}:{}:{}", ask.round, ask.member, ask.what);
    let Some(round) = wish_round_by_id(tx, association, &ask.round).await? else { return Ok(()) };
    let link = LinkId::new(kit.now, kit.vault.chance.as_ref());
    if !wish_ask_add(tx, association, &ask.round, (&ask.member, &ask.what), &link, kit.now).await? {
        return Ok(());
    }
    let expires = round.deadline.min(kit.now.plus_s(WISH_LINK_LIFE_S));
    let new =
        NewLink { id: &link, member: &ask.member, purpose: LinkPurpose::Wishes, request: None, expires };
    make_link_as(tx, kit, association, &new).await?;
    let body = json!({ "member": ask.member.as_str(), "round": ask.round.as_str(), "link": link.as_str() });
    add(tx, kit, association, "wish_ask", &key, &body).await
}

/// Tells each person what a publication means for them, within the command that publishes.
pub(super) async fn tell_published(
    tx: &mut Conn,
    kit: &Kit,
    association: &AssociationId,
    (publication, changes): (&crate::ids::PublicationId, &[Change]),
    (first, last): (CivilDate, CivilDate),
) -> Result<(), StoreError> {
    for (member, mine) in super::publish::concerned(changes) {
        let holds = |people: &[crate::domain::rota::Holder]| people.iter().any(|h| h.person == member);
        let told = |fits: &dyn Fn(&Change) -> bool| {
            mine.iter().filter(|c| fits(c)).map(|c| (c.window, c.role)).collect::<Vec<_>>()
        };
        let gained = told(&|c| holds(&c.after) && !holds(&c.before));
        let lost = told(&|c| holds(&c.before) && !holds(&c.after));
        if gained.is_empty() && lost.is_empty() {
            continue;
        }
        let key = format!("rota_published:{publication}:{member}");
        let body = PublishedBody { member, first, last, gained, lost };
        let body = serde_json::to_value(&body).map_err(|e| StoreError::corrupt("job", publication, e))?;
        add(tx, kit, association, "rota_published", &key, &body).await?;
    }
    Ok(())
}

fn minute_of(day: CivilDate, minute: u32, zone: chrono_tz::Tz) -> Millis {
    let time = NaiveTime::from_num_seconds_from_midnight_opt((minute % 1_440) * 60, 0).unwrap_or_default();
    instant_of(day, time, zone)
}

/// The duties that begin soon and whose reminder has come.
fn duties_due(
    world: &RotaWorld,
    timeline: &Timeline,
    own: &[(MemberId, Reminders)],
    now: Millis,
) -> Vec<Notice> {
    let zone = world.zone();
    let soon = Window { from: now.plus_s(-START_LATE_S), to: now.plus_s(3 * 86_400) };
    let mut notices = Vec::new();
    for duty in duties_within(timeline, soon, zone) {
        let person = &duty.holder.person;
        let from = duty.window.from;
        if duty.role == RotaRole::Backing || from < soon.from {
            continue;
        }
        let chosen = own.iter().find(|(id, _)| id == person).map(|(_, reminders)| *reminders);
        let chosen = chosen.unwrap_or(world.settings.reminders);
        let eve = chosen.day_before_min.map(|m| minute_of(civil_day(from, zone).plus_days(-1), m, zone));
        let start = chosen.before_start_min.map(|m| from.plus_s(-i64::from(m) * 60));
        let eve = eve.filter(|eve| *eve <= now && now < from).map(|_| "eve");
        let start = start.filter(|at| *at <= now && now < from.plus_s(START_LATE_S)).map(|_| "start");
        // Who is told that it begins is not told beside it that it will.
        let Some(which) = start.or(eve) else { continue };
        let body = DutyBody {
            member: person.clone(),
            area: duty.area.clone(),
            role: duty.role,
            from,
            to: duty.window.to,
        };
        let Ok(body) = serde_json::to_value(&body) else { continue };
        let key = format!("rota_{which}:{person}:{}:{}:{}", duty.area, duty.role.code(), from.0);
        notices.push(Notice { kind: "rota_duty", key, body });
    }
    notices
}

impl App {
    /// Puts into the outbox what is due to be told of the rota of an association; how much was new.
    ///
    /// # Errors
    /// The store's.
    pub async fn rota_notices_due(
        &self,
        association: &AssociationId,
        told: &mut Told,
    ) -> Result<usize, AppError> {
        let kit = self.kit();
        let now = kit.now;
        let laid = self.rota_laid(association, now.plus_s(-86_400)).await?;
        let world = self.rota_world(association).await?;
        let (zone, today) = (world.zone(), civil_day(now, world.zone()));
        let mut conn = self.db.read().await?;
        let own = reminders(&mut conn, association).await?;
        let mut asks = Vec::new();
        for round in wish_rounds(&mut conn, association, ROUNDS_MAX).await? {
            if !round.is_open(now) {
                continue;
            }
            let passed = world.settings.wish_reminder_days.iter().find(|days| {
                let day = civil_day(round.deadline, zone).plus_days(-i64::from(**days));
                let at = minute_of(day, WISH_HOUR * 60, zone);
                round.opened_at < at && at <= now
            });
            let what = passed.map_or_else(|| "open".to_owned(), |days| format!("remind:{days}"));
            asks.extend(self.silent(&mut conn, association, &world, &round.id, &what).await?);
        }
        drop(conn);
        let mut notices = duties_due(&world, &laid.timeline, &own, now);
        let daily = minute_of(today, world.settings.holes.at_min, zone);
        if daily <= now && now < daily.plus_s(DAILY_LATE_S) {
            let ahead =
                Window { from: now, to: now.plus_s(i64::from(world.settings.holes.days_ahead) * 86_400) };
            let empty = ahead.from < ahead.to && !world.holes(&laid.timeline, ahead).is_empty();
            let short =
                TURNS_DAYS.contains(&today.day()) && !falling_short(&world, &laid.timeline, now).is_empty();
            for coordinator in coordinators(&world) {
                let body = json!({ "member": coordinator.as_str(), "day": today.to_string() });
                // Nothing was ever published: an association that does not keep its rota here.
                if empty && laid.timeline.lines().next().is_some() {
                    let key = format!("rota_holes:{coordinator}:{today}");
                    notices.push(Notice { kind: "rota_holes", key, body: body.clone() });
                }
                if short {
                    let key = format!("rota_turns:{coordinator}:{}-{}", today.year(), today.month());
                    notices.push(Notice { kind: "rota_turns", key, body });
                }
            }
        }
        let key_of = |ask: &WishAsk| format!("{}:{}:{}", ask.round, ask.member, ask.what);
        let all: BTreeSet<String> =
            notices.iter().map(|n| n.key.clone()).chain(asks.iter().map(key_of)).collect();
        notices.retain(|notice| !told.0.contains(&notice.key));
        asks.retain(|ask| !told.0.contains(&key_of(ask)));
        let fresh = notices.len() + asks.len();
        if fresh > 0 {
            self.db.run(Tell { kit, association: association.clone(), notices, asks }).await?;
        }
        told.0 = all;
        Ok(fresh)
    }

    async fn silent(
        &self,
        conn: &mut Conn,
        association: &AssociationId,
        world: &RotaWorld,
        round: &WishRoundId,
        what: &str,
    ) -> Result<Vec<WishAsk>, StoreError> {
        let answered: BTreeSet<MemberId> =
            wish_sheets(conn, association, round).await?.into_iter().map(|row| row.member).collect();
        let people = world.people().into_iter().filter(|p| !p.profile.exempt && !answered.contains(&p.id));
        Ok(people.map(|p| WishAsk { round: round.clone(), member: p.id, what: what.to_owned() }).collect())
    }

    /// Reminds everybody who has not answered a collection, now; how many.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where the collection is not there or not open; the store's.
    pub async fn wish_remind(
        &self,
        who: &Who,
        round: &WishRoundId,
        key: Option<&Key>,
    ) -> Result<usize, AppError> {
        let kit = self.kit();
        let world = self.rota_world(&who.association).await?;
        let mut conn = self.db.read().await?;
        let open = wish_round_by_id(&mut conn, &who.association, round).await?;
        if !open.is_some_and(|round| round.is_open(kit.now)) {
            return Err(AppError::NotFound);
        }
        let what = format!("hand:{}", kit.now.0);
        let asks = self.silent(&mut conn, &who.association, &world, round, &what).await?;
        drop(conn);
        let remind = Remind { kit: kit.clone(), who: who.clone(), round: round.clone(), asks };
        Ok(self.run_once(&kit, who, key, remind).await?.into_inner())
    }
}

struct Remind {
    kit: Kit,
    who: Who,
    round: WishRoundId,
    asks: Vec<WishAsk>,
}

impl Command for Remind {
    type Output = usize;

    async fn apply(&self, tx: &mut Conn) -> Result<usize, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        for ask in &self.asks {
            ask_for_wishes(tx, kit, association, ask).await?;
        }
        let detail = json!({ "people": self.asks.len() });
        note(tx, kit, &self.who, "wishes.remind", &format!("wish_round:{}", self.round), detail).await?;
        Ok(self.asks.len())
    }
}

fn coordinators(world: &RotaWorld) -> Vec<MemberId> {
    let active =
        world.members.values().filter(|m| m.left_at.is_none() && m.roles.contains(&Role::Coordinator));
    active.map(|m| m.id.clone()).collect()
}

/// The institutions that do not reach their target this month.
fn falling_short(world: &RotaWorld, timeline: &Timeline, now: Millis) -> Vec<crate::ids::InstitutionId> {
    let month = Month::of(civil_day(now, world.zone()));
    let counted = turns_of_month(timeline, month, &world.settings.turn_targets, now, world.zone());
    counted.into_iter().filter(|(_, count)| count.falls_short()).map(|(id, _)| id).collect()
}

pub(crate) type Written = Option<(Member, Result<Mail, NotEnvelope>)>;

/// The mail of a job of the rota; `None`: it is not so any more, or nobody is there to read it.
pub(crate) async fn mail_of(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    job: &Job,
) -> Result<Written, StoreError> {
    let page = |path: &str| Link::new(format!("{}{path}", kit.rules.base_url));
    let corrupt = |e: serde_json::Error| StoreError::corrupt("job", &job.id, e);
    let zone = home.zone;
    match job.kind.as_str() {
        "rota_published" => {
            let body: PublishedBody = serde_json::from_str(&job.body).map_err(corrupt)?;
            let Some(person) = reader(tx, kit, home, &body.member).await? else { return Ok(None) };
            let lang = person.lang;
            let line = |word: &str, (window, role): &(Window, RotaRole)| {
                let duty = format!("{} {}", say::hours(*window, zone, lang), say::role(*role, lang));
                DutyLine::new(t_with(lang, &format!("word-rota-{word}"), &[("duty", &duty)]))
            };
            let built = (|| {
                let gained = body.gained.iter().map(|duty| line("gained", duty));
                let lost = body.lost.iter().map(|duty| line("lost", duty));
                let all: Vec<DutyLine> = gained.chain(lost).collect::<Result<_, _>>()?;
                Ok(Mail::RotaPublished {
                    short: ShortMoment::new(words::day(start_of_day(body.first, zone), zone, lang))?,
                    period: period(body.first, body.last, zone, lang)?,
                    more: all.len().saturating_sub(LINES_MAX),
                    duties: all.into_iter().take(LINES_MAX).collect(),
                    page: page("/duties")?,
                })
            })();
            Ok(Some((person, built)))
        }
        "rota_duty" => {
            let body: DutyBody = serde_json::from_str(&job.body).map_err(corrupt)?;
            let Some(person) = reader(tx, kit, home, &body.member).await? else { return Ok(None) };
            let (_, timeline) = laid_within(tx, &home.id, body.from.plus_s(-86_400)).await?;
            let first = Window { from: body.from, to: body.from.plus_ms(1) };
            if !timeline.holds(&body.member, &body.area, body.role, first) {
                return Ok(None);
            }
            let lang = person.lang;
            let window = Window { from: body.from, to: body.to };
            let built = (|| {
                let duty = format!("{} {}", say::hours(window, zone, lang), say::role(body.role, lang));
                Ok(Mail::DutyReminder {
                    short: ShortMoment::new(words::short(body.from, job.created, zone, lang))?,
                    duty: DutyLine::new(duty)?,
                    page: page("/duties")?,
                })
            })();
            Ok(Some((person, built)))
        }
        "rota_holes" | "rota_turns" => {
            let body: OfDay = serde_json::from_str(&job.body).map_err(corrupt)?;
            let Some(person) = reader(tx, kit, home, &body.member).await? else { return Ok(None) };
            let Some(world) = super::world::rota_world(tx, kit, &home.id).await? else { return Ok(None) };
            let since = start_of_day(body.day.plus_days(-92), zone);
            let (_, timeline) = laid_within(tx, &home.id, since).await?;
            let lang = person.lang;
            if job.kind == "rota_turns" {
                let short = falling_short(&world, &timeline, job.created);
                if short.is_empty() {
                    return Ok(None);
                }
                let first = body.day.plus_days(1 - i64::from(body.day.day()));
                let last = CivilDate::new(first.year(), first.month(), 28).unwrap_or(first);
                let last =
                    (0..4).map(|n| last.plus_days(n)).take_while(|d| d.month() == first.month()).last();
                let built = (|| {
                    Ok(Mail::TurnsShort {
                        period: period(first, last.unwrap_or(first), zone, lang)?,
                        institutions: u32::try_from(short.len()).unwrap_or(u32::MAX),
                        page: page("/rota/counts")?,
                    })
                })();
                return Ok(Some((person, built)));
            }
            let days = i64::from(world.settings.holes.days_ahead);
            let ahead = Window { from: job.created, to: job.created.plus_s(days * 86_400) };
            let found = world.holes(&timeline, ahead);
            let Some(first) = found.first() else { return Ok(None) };
            let built = (|| {
                let lines = found.iter().take(LINES_MAX).map(|hole| {
                    let hours = say::hours(hole.window, zone, lang);
                    DutyLine::new(format!("{hours} {}", say::role(hole.role, lang)))
                });
                Ok(Mail::RotaHoles {
                    short: ShortMoment::new(words::day(first.window.from, zone, lang))?,
                    period: period(body.day, body.day.plus_days(days), zone, lang)?,
                    count: u32::try_from(found.len()).unwrap_or(u32::MAX),
                    holes: lines.collect::<Result<_, _>>()?,
                    page: page("/rota/holes")?,
                })
            })();
            Ok(Some((person, built)))
        }
        "wish_ask" => {
            let body: WishBody = serde_json::from_str(&job.body).map_err(corrupt)?;
            let Some(person) = reader(tx, kit, home, &body.member).await? else { return Ok(None) };
            let round = wish_round_by_id(tx, &home.id, &body.round).await?;
            let Some(round) = round.filter(|round| round.is_open(kit.now)) else { return Ok(None) };
            let answered = wish_sheets(tx, &home.id, &body.round).await?;
            if answered.iter().any(|row| row.member == body.member) {
                return Ok(None);
            }
            let link = match &body.link {
                Some(link) => link_by_id(tx, &home.id, link).await?,
                None => None,
            };
            let good = |link: &crate::store::access::Link| {
                link.voided.is_none() && link.consumed.is_none() && kit.now < link.expires
            };
            let Some(link) = link.filter(good) else { return Ok(None) };
            let lang = person.lang;
            let built = (|| {
                Ok(Mail::WishAsk {
                    period: period(round.first, round.last, zone, lang)?,
                    deadline: Deadline {
                        short: ShortMoment::new(words::day(round.deadline, zone, lang))?,
                        full: Moment::new(words::moment(round.deadline, zone, lang))?,
                    },
                    link: personal_link(kit, &link, home, lang)?,
                })
            })();
            Ok(Some((person, built)))
        }
        other => Err(StoreError::corrupt("job", &job.id, format!("kind {other}"))),
    }
}

pub(crate) async fn reader(
    tx: &mut Conn,
    kit: &Kit,
    home: &Association,
    member: &MemberId,
) -> Result<Option<Member>, StoreError> {
    let member = member_by_id(tx, &home.id, member).await?;
    Ok(member.filter(|m| m.is_active(kit.now) && m.email.is_some()))
}

/// `12月1日から2月28日まで`, `1 Dec to 28 Feb`.
pub(crate) fn period(
    first: CivilDate,
    last: CivilDate,
    zone: chrono_tz::Tz,
    lang: Lang,
) -> Result<Moment, NotEnvelope> {
    let day = |day: CivilDate| words::day(start_of_day(day, zone), zone, lang);
    let (first, last) = (day(first), day(last));
    Moment::new(match lang {
        Lang::Ja => format!("{first}から{last}まで"),
        Lang::En => format!("{first} to {last}"),
    })
}
