//! `touban demo`: an invented association in a temporary folder, put there through the same use cases as a
//! real one, with a mail folder that is shown as a page and a clock that can jump.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::args::DemoArgs;
use super::demo_data::{
    DemoData, DemoInstitution, DemoInstitutionKind, DemoMember, DemoMode, DemoRole, DemoVolunteer,
};
use super::open;
use super::serve::{self, House, Ready, Signals};
use super::stop::{Stop, in_words};
use crate::app::call::settings::{CallSettings, InstitutionCalls};
use crate::app::demo::{Demo, DemoPerson};
use crate::app::people::{NewAssociation, NewInstitution, NewMember};
use crate::app::replay::Done;
use crate::app::{App, Who};
use crate::config::{Config, DatabaseUrl};
use crate::domain::calendar::{civil_day, instant_of, wall_clock};
use crate::domain::call::number::{Number, Reading, read};
use crate::domain::cover::CoverSettings;
use crate::domain::cover::cards::{DataMode, NightCard};
use crate::domain::people::contact_window::ContactWindow;
use crate::domain::people::entry::InstitutionEntry;
use crate::domain::people::{Day, Role, SpecialtyOffer};
use crate::i18n::Lang;
use crate::ids::{InstitutionId, MemberId, SharedChance, SystemChance};
use crate::ports::mail::FolderMail;
use crate::ports::phone::Simulator;
use crate::ports::phone::prompts::Sounds;
use crate::seal::Pin;
use crate::telemetry::counters::Counters;
use crate::telemetry::{LogFilter, LogFormat, init, report_places_only};
use crate::time::{Clock as _, LeapingClock, Millis, SharedClock};

const TARIFFS: &str = include_str!("../../config/tariffs.toml");
const CODE: &str = "aoba";
/// Whom a newcomer begins as, and who reads the ledger.
const ASKER: &str = "sato";
/// The home-care clinic that stands by.
const STANDBY: &str = "zaitaku-minori";
const CLERK: &str = "yamada";
/// The night number of the exercise, and the code of the clinic in which a newcomer begins.
const NIGHT: &str = "042-000-0099";
const CLINIC_CODE: &str = "12";
/// 主治医 and 副主治医 of all patients of a clinic.
const DEPUTIES: (&str, &str) = ("kimura", "ono");
/// Ports tried when the wanted one is taken, before any free one is.
const PORTS_TRIED: u16 = 20;
/// PINs hashed at once: each takes some 50 ms and 46 MiB.
const HASHES_AT_ONCE: usize = 4;
/// Nobody guesses PINs in a game on one's own machine, and a class may try it out together.
const PER_MINUTE: u32 = 6_000;

pub async fn run(arg: &DemoArgs, lang: Lang) -> Result<(), Stop> {
    let counters = Counters::new();
    init(LogFormat::Text, &LogFilter::parse("warn")?, &counters)?;
    report_places_only(&counters);
    let signals = Signals::new()?;
    let data = DemoData::built_in()?;
    let sounds = arg.sounds.as_deref().map(|folder| sounds_in(folder, lang)).transpose()?;
    let listener = listen(arg.listen, lang).await?;
    let folder = Folder::new()?;
    let config = config(folder.path())?;

    let clock = Arc::new(LeapingClock::default());
    if !arg.now {
        clock.leap_s(seconds_to_the_evening(clock.now(), data.association.zone));
    }
    let shared: SharedClock = clock.clone();
    let chance: SharedChance = Arc::new(SystemChance);
    let (db, vault) = serve::prepare(&config, &shared, chance, lang).await?;
    let mut rules = open::rules(&config, serve::base_url(&config, &listener)?, lang)?;
    rules.tariffs = open::tariffs_of("tariffs.toml", TARIFFS)?;
    let mailbox = Arc::new(FolderMail::new(folder.path().join("mail"))?);
    let app = App::new(db.clone(), vault.clone(), shared.clone(), rules.clone());
    let seeded = seed(&app, &data).await?;

    let greeting = Greeting {
        association: data.association.name.clone(),
        members: seeded.members.len(),
        institutions: data.institutions.len(),
        now: shared.now(),
        zone: data.association.zone,
    };
    let phones = Simulator::new();
    let demo = Demo {
        phones: phones.clone(),
        sounds,
        night: NIGHT.to_owned(),
        nurse: nurse(&data),
        numbers: seeded.numbers.clone(),
        association: seeded.who.association.clone(),
        clock,
        mailbox: mailbox.clone(),
        pins: pins(&data, &seeded),
        people: people(&data, &seeded),
        asker: ASKER.to_owned(),
        clerk: CLERK.to_owned(),
    };
    let house = House {
        db,
        vault,
        clock: shared,
        rules,
        mail: mailbox,
        phone: Some(Arc::new(phones)),
        demo: Some(demo),
        counters,
        lang,
    };
    house.serve(&config, listener, signals, |ready| greeting.print(ready)).await
}

fn sounds_in(folder: &Path, lang: Lang) -> Result<Sounds, Stop> {
    Sounds::read(folder).map_err(|e| {
        Stop::failed(
            lang,
            format!("電話の音声 {e} が読めません（{}）。scripts/prompts で作れます", e.source),
            format!("the sound {e} of the phone cannot be read ({}); scripts/prompts makes them", e.source),
        )
    })
}

/// The wanted port, or the next free one with a word about it.
async fn listen(wanted: SocketAddr, lang: Lang) -> Result<TcpListener, Stop> {
    let taken = match TcpListener::bind(wanted).await {
        Ok(listener) => return Ok(listener),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => e,
        Err(_) => return serve::bind(wanted, lang).await,
    };
    let next = (1..=PORTS_TRIED).filter_map(|n| wanted.port().checked_add(n)).chain([0]);
    for port in next {
        if let Ok(listener) = TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            let (old, new) = (wanted.port(), listener.local_addr()?.port());
            eprintln!(
                "{}",
                in_words(
                    lang,
                    format!("{old} 番は使われているので、{new} 番を使います"),
                    format!("port {old} is taken; using {new}")
                )
            );
            return Ok(listener);
        }
    }
    Err(Stop::from(taken))
}

/// A folder for one demo, open to nobody else, removed at the end.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let chance: SharedChance = Arc::new(SystemChance);
        let path = std::env::temp_dir().join(format!("touban-demo-{}", open::boot_id(&chance)));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(error = %e, "The folder of the demo could not be removed: {}", self.0.display());
        }
    }
}

/// The defaults, inside the folder. The environment is not asked: a demo is the same everywhere.
fn config(folder: &Path) -> Result<Config, Stop> {
    let mut config = Config::load(None, std::iter::empty())?;
    config.database.url = DatabaseUrl::Sqlite { path: folder.join("touban.sqlite") };
    config.keys.file = folder.join("touban.key");
    let limits = &mut config.limits;
    for each in [
        &mut limits.signin_per_minute_per_ip,
        &mut limits.pin_per_minute_per_ip,
        &mut limits.answer_per_minute_per_ip,
        &mut limits.create_per_minute_per_ip,
    ] {
        *each = PER_MINUTE;
    }
    limits.guesses_per_hour_total = PER_MINUTE * 60;
    limits.create_per_hour_total = PER_MINUTE * 60;
    Ok(config)
}

/// Until the next Wednesday 19:40: an evening on which somebody is there to answer.
fn seconds_to_the_evening(now: Millis, zone: Tz) -> u32 {
    let evening = NaiveTime::from_hms_opt(19, 40, 0).unwrap_or_default();
    let today = civil_day(now, zone);
    let at = (0..=7)
        .map(|days| today.plus_days(days))
        .filter(|day| day.weekday() == Weekday::Wed)
        .map(|day| instant_of(day, evening, zone))
        .find(|at| *at > now);
    at.map_or(0, |at| u32::try_from(at.since_ms(now) / 1_000).unwrap_or(0))
}

/// Whom the demo knows, by the keys of its data.
pub(super) struct Seeded {
    pub(super) who: Who,
    pub(super) members: BTreeMap<String, MemberId>,
    numbers: BTreeMap<Number, MemberId>,
}

pub(super) async fn seed(app: &App, data: &DemoData) -> Result<Seeded, Stop> {
    let home = &data.association;
    let association = NewAssociation {
        code: CODE.to_owned(),
        name: home.name.clone(),
        zone: home.zone,
        office_phone: home.office_phone.clone(),
        lang: Lang::Ja,
    };
    let id = app.association_add(association).await.map_err(unfit)?;
    let who = Who::cli(&id);
    let areas: BTreeMap<&str, &str> = data.areas.iter().map(|a| (a.key.as_str(), a.name.as_str())).collect();
    let mut institutions = BTreeMap::new();
    for institution in &data.institutions {
        let new = new_institution(institution, &areas);
        let (Done::Fresh(id) | Done::Again(id)) =
            app.institution_add(&who, new, None).await.map_err(unfit)?;
        institutions.insert(institution.key.as_str(), id);
    }
    let members = seed_members(app, data, &who, &institutions, &areas).await?;
    seed_windows(app, data, &who, &members).await?;
    seed_calls(app, data, &who, &institutions).await?;
    let number = |m: &DemoMember| match read(&m.mobile) {
        Reading::Number(number) => Some((number, members.get(&m.key)?.clone())),
        _ => None,
    };
    let numbers = data.members.iter().filter_map(number).collect();
    super::demo_rota::seed(app, &who, home.zone, &members).await?;
    seed_cards(app, data, &who, &institutions, &members).await?;
    let clinic = data.member(ASKER).and_then(|m| institutions.get(m.institution.as_str()));
    if let (Some(clinic), Some(standby)) = (clinic, institutions.get(STANDBY)) {
        super::demo_covers::seed_pillar(app, &who, home.zone, (clinic, standby)).await?;
    }
    if let Some(asker) = members.get(ASKER) {
        super::demo_covers::seed(app, &who, home.zone, asker).await?;
    }
    Ok(Seeded { who, members, numbers })
}

/// Members a few at a time, on threads that may block: their PINs are slow to hash, on purpose.
async fn seed_members(
    app: &App,
    data: &DemoData,
    who: &Who,
    institutions: &BTreeMap<&str, InstitutionId>,
    areas: &BTreeMap<&str, &str>,
) -> Result<BTreeMap<String, MemberId>, Stop> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(HASHES_AT_ONCE);
    let players = players(data);
    let mut waiting = Vec::new();
    for member in &data.members {
        let new = new_member(member, data, institutions, areas);
        // Nobody of the demo who has no part in what is built yet, such as the nurse; and no PIN for those
        // whom nobody plays and no phone call reaches.
        if !new.roles.is_empty() {
            let plays = players.contains(&member.key.as_str()) || new.roles.contains(&Role::Physician);
            let pin = plays.then(|| Pin::parse(member.pin.expose())).transpose()?;
            waiting.push((member.key.clone(), new, pin));
        }
    }
    let mut waiting = waiting.into_iter();
    let mut running = JoinSet::new();
    let mut members = BTreeMap::new();
    loop {
        while running.len() < at_once
            && let Some((key, new, pin)) = waiting.next()
        {
            let (app, who) = (app.clone(), who.clone());
            let runtime = tokio::runtime::Handle::current();
            running.spawn_blocking(move || {
                let added = runtime.block_on(app.member_add(&who, new, pin.as_ref(), None));
                added.map(|(Done::Fresh(id) | Done::Again(id))| (key, id))
            });
        }
        let Some(added) = running.join_next().await else { break };
        let (key, id) = added?.map_err(unfit)?;
        members.insert(key, id);
    }
    Ok(members)
}

/// The night number; the asker's clinic is rung on its own line first.
async fn seed_calls(
    app: &App,
    data: &DemoData,
    who: &Who,
    institutions: &BTreeMap<&str, InstitutionId>,
) -> Result<(), Stop> {
    let mut settings = CallSettings::default();
    if let Reading::Number(number) = read(NIGHT) {
        settings.numbers.push(number);
    }
    let clinic = data.member(ASKER).and_then(|m| institutions.get(m.institution.as_str()));
    if let Some(clinic) = clinic {
        let calls =
            InstitutionCalls { code: CLINIC_CODE.to_owned(), own_line: true, ..InstitutionCalls::default() };
        settings.institutions.insert(clinic.clone(), calls);
    }
    app.call_settings_put(who, 0, settings).await.map_err(unfit)
}

/// Two patients of the asker's clinic with night cards, and a deputy for those of another clinic.
async fn seed_cards(
    app: &App,
    data: &DemoData,
    who: &Who,
    institutions: &BTreeMap<&str, InstitutionId>,
    members: &BTreeMap<String, MemberId>,
) -> Result<(), Stop> {
    let (revision, before) = app.cover_settings(&who.association).await.map_err(unfit)?;
    let settings = CoverSettings { cards: DataMode::Handover, ..before };
    app.cover_settings_put(who, revision, settings).await.map_err(unfit)?;
    let today = civil_day(app.now(), data.association.zone);
    let doctor = data.member(ASKER);
    let clinic = doctor.and_then(|m| institutions.get(m.institution.as_str()));
    if let (Some(doctor), Some(clinic)) = (doctor, clinic) {
        let card = |adl: &str, surroundings: &str, medicines: &str, expect: &str| NightCard {
            adl: adl.to_owned(),
            surroundings: surroundings.to_owned(),
            things: "お薬と吸引器は寝室の棚".to_owned(),
            wishes: "家で過ごしたい。救急車の前に、まず先生へ電話を".to_owned(),
            wishes_on: Some(today.plus_days(-20)),
            wishes_by: format!("{} {}", doctor.family, doctor.given),
            medicines: medicines.to_owned(),
            last_visit_on: Some(today.plus_days(-5)),
            expect: expect.to_owned(),
        };
        let patients = [
            (
                "A.K.",
                card("つたい歩き", "鍵は郵便受け。犬がいます", "利尿薬", "息苦しさ。座位で楽になります"),
            ),
            ("M.S.", card("寝たきり", "妻と二人。駐車は向かいの空き地", "抗凝固薬", "発熱。解熱剤は台所")),
        ];
        for (patient, card) in patients {
            let household = app.household_add(who, clinic, patient).await.map_err(unfit)?;
            app.card_write(who, clinic, &household, card).await.map_err(unfit)?;
        }
    }
    let pair = (data.member(DEPUTIES.0), data.member(DEPUTIES.1));
    if let (Some(attending), Some(deputy)) = pair
        && let Some(clinic) = institutions.get(attending.institution.as_str())
    {
        let both = (members.get(&attending.key).cloned(), members.get(&deputy.key).cloned());
        app.attending_set(who, clinic, None, both).await.map_err(unfit)?;
    }
    Ok(())
}

/// The visiting nurse who calls: the number and the name of her station.
fn nurse(data: &DemoData) -> (String, String) {
    let station = data.institutions.iter().find(|i| i.kind == DemoInstitutionKind::NurseStation);
    station.map(|i| (i.phone.clone(), i.name.clone())).unwrap_or_default()
}

/// This fiscal year's contact windows.
async fn seed_windows(
    app: &App,
    data: &DemoData,
    who: &Who,
    members: &BTreeMap<String, MemberId>,
) -> Result<(), Stop> {
    let year = app.fiscal_year_now(&who.association).await.map_err(unfit)?;
    let mut all: BTreeMap<&str, Vec<ContactWindow>> = BTreeMap::new();
    for window in &data.windows {
        all.entry(window.member.as_str()).or_default().push(ContactWindow {
            way: window.way,
            days: window.days.iter().map(|day| Day::from(*day)).collect(),
            from_min: window.from_min,
            to_min: window.to_min,
            holidays: false,
            remarks: window.remarks.clone(),
            public: window.public,
        });
    }
    for (key, windows) in all {
        if let Some(member) = members.get(key) {
            app.contact_windows_put(who, member, (year, 0), windows, None).await.map_err(unfit)?;
        }
    }
    Ok(())
}

fn unfit(error: crate::app::AppError) -> Stop {
    Stop::app(Lang::En, error)
}

fn new_institution(institution: &DemoInstitution, areas: &BTreeMap<&str, &str>) -> NewInstitution {
    let kind = match institution.kind {
        DemoInstitutionKind::Clinic => "clinic",
        DemoInstitutionKind::HomeCareClinic => "home_care_clinic",
        DemoInstitutionKind::Hospital => "hospital",
        DemoInstitutionKind::NurseStation => "nursing_station",
        DemoInstitutionKind::LiaisonRoom => "liaison_room",
        DemoInstitutionKind::GeriatricFacility => "geriatric_facility",
        DemoInstitutionKind::Pharmacy => "pharmacy",
        DemoInstitutionKind::CareOffice => "care_office",
        DemoInstitutionKind::AssociationOffice => "association",
    };
    NewInstitution {
        name: institution.name.clone(),
        kind: kind.to_owned(),
        area: area(areas, &institution.area),
        city_code: String::new(),
        phone: Some(institution.phone.clone()),
        kana: institution.kana.clone(),
        code: institution.code.clone().unwrap_or_default(),
        fax: Some(institution.fax.clone()),
        entry: InstitutionEntry {
            hours: institution.hours.clone(),
            round_the_clock: institution.round_the_clock,
            contact_person: institution.contact_person.clone(),
            accepts: institution.accepts.clone(),
            public: institution.public,
            ..InstitutionEntry::default()
        },
    }
}

fn area(areas: &BTreeMap<&str, &str>, key: &str) -> String {
    areas.get(key).copied().unwrap_or(key).to_owned()
}

fn new_member(
    member: &DemoMember,
    data: &DemoData,
    institutions: &BTreeMap<&str, InstitutionId>,
    areas: &BTreeMap<&str, &str>,
) -> NewMember {
    NewMember {
        name: format!("{} {}", member.family, member.given),
        kana: format!("{} {}", member.family_kana, member.given_kana),
        institution: institutions.get(member.institution.as_str()).cloned(),
        email: Some(member.mail.clone()),
        phone: Some(member.mobile.clone()),
        roles: member.roles.iter().filter_map(|r| role(*r)).collect(),
        lang: Lang::Ja,
        specialties: data
            .volunteers
            .iter()
            .filter(|v| v.member == member.key)
            .map(|v| offer(v, areas))
            .collect(),
        ..NewMember::default()
    }
}

const fn role(role: DemoRole) -> Option<Role> {
    match role {
        DemoRole::Physician => Some(Role::Physician),
        DemoRole::Specialist => Some(Role::Specialist),
        DemoRole::Clerk => Some(Role::Clerk),
        DemoRole::Coordinator => Some(Role::Coordinator),
        DemoRole::Officer => Some(Role::Officer),
        DemoRole::Nurse => Some(Role::NurseStation),
    }
}

fn offer(volunteer: &DemoVolunteer, areas: &BTreeMap<&str, &str>) -> SpecialtyOffer {
    SpecialtyOffer {
        specialty: volunteer.specialty.clone(),
        visits: volunteer.modes.contains(&DemoMode::Visit),
        areas: volunteer.areas.iter().map(|key| area(areas, key)).collect(),
        days: volunteer.days.iter().map(|day| Day::from(*day)).collect(),
        from_min: u32::from(volunteer.from_min),
        to_min: u32::from(volunteer.to_min),
        monthly_cap: Some(u32::from(volunteer.monthly_cap)),
    }
}

/// Whom one can act as, in the order in which they are worth trying: the asker, the volunteers, the office.
fn players(data: &DemoData) -> Vec<&str> {
    let volunteers = data.volunteers.iter().map(|v| v.member.as_str());
    let in_office = |m: &&DemoMember| m.roles.iter().any(|r| role(*r).is_some_and(Role::is_office));
    let office = data.members.iter().filter(in_office).map(|m| m.key.as_str());
    let mut players = Vec::new();
    for key in [ASKER].into_iter().chain(volunteers).chain(office) {
        if !players.contains(&key) {
            players.push(key);
        }
    }
    players
}

fn pins(data: &DemoData, seeded: &Seeded) -> BTreeMap<MemberId, String> {
    let pin = |m: &DemoMember| Some((seeded.members.get(&m.key)?.clone(), m.pin.expose().to_owned()));
    data.members.iter().filter_map(pin).collect()
}

fn people(data: &DemoData, seeded: &Seeded) -> Vec<DemoPerson> {
    let person = |key: &str| {
        let (member, id) = (data.member(key)?, seeded.members.get(key)?);
        let pin = member.pin.expose().to_owned();
        Some(DemoPerson { key: key.to_owned(), member: id.clone(), pin })
    };
    players(data).into_iter().filter_map(person).collect()
}

/// What a newcomer reads first.
struct Greeting {
    association: String,
    members: usize,
    institutions: usize,
    now: Millis,
    zone: Tz,
}

impl Greeting {
    fn print(&self, ready: &Ready) {
        let url = &ready.base_url;
        let now = wall_clock(self.now, self.zone).format("%-m月%-d日 %-H:%M");
        let (association, members, institutions) = (&self.association, self.members, self.institutions);
        println!(
            "touban demo — 架空の「{association}」を用意しました（会員 {members} 名、施設 {institutions}。時計は {now}）\n  \
             はじめる        {url}/demo\n  \
             届いたメール    {url}/demo/mailbox\n  \
             夜間の電話      {url}/demo/phones\n  \
             止めるには Ctrl-C。データは一時フォルダーにあり、終わると消えます。\n  \
             An invented medical association to try out: open the first address. Ctrl-C ends it; nothing is kept."
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_begins_on_the_next_wednesday_evening() {
        let zone = chrono_tz::Tz::Asia__Tokyo;
        let wait = |at: &str| seconds_to_the_evening(Millis::parse_rfc3339(at).unwrap(), zone);
        assert_eq!(wait("2026-11-25T19:39:00+09:00"), 60);
        assert_eq!(wait("2026-11-25T19:40:00+09:00"), 7 * 86_400);
        assert_eq!(wait("2026-11-20T21:40:00+09:00"), 4 * 86_400 + 22 * 3_600);
        assert_eq!(wait("2026-11-24T19:40:00+09:00"), 86_400);
    }

    #[test]
    fn on_that_evening_a_dermatologist_is_there_in_every_part_of_the_city() {
        let data = DemoData::built_in().unwrap();
        for area in &data.areas {
            let there = data.volunteers.iter().any(|v| {
                v.specialty == "dermatology"
                    && v.areas.contains(&area.key)
                    && v.days.contains(&Weekday::Wed)
                    && (v.from_min..v.to_min).contains(&(19 * 60 + 40))
            });
            assert!(there, "{}", area.name);
        }
    }

    #[test]
    fn the_people_to_act_as_are_in_the_data() {
        let data = DemoData::built_in().unwrap();
        let players = players(&data);
        assert_eq!(players.first(), Some(&ASKER));
        assert!(players.contains(&CLERK) && players.contains(&"ito"));
        assert!(players.iter().all(|key| data.member(key).is_some()));
        assert!(players.len() < data.members.len());
    }

    /// Whenever it is started, the quarter has three gaps and nothing else is wrong with it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_quarter_of_the_demo_has_exactly_three_gaps() {
        use crate::seal::Seal;
        use crate::store::secrets::Vault;
        use crate::store::{Db, DbSettings};
        use crate::time::{ManualClock, Window};
        let data = DemoData::built_in().unwrap();
        for begins in ["2026-11-25T19:40:00+09:00", "2027-03-31T23:59:00+09:00"] {
            let now = Millis::parse_rfc3339(begins).unwrap();
            let folder = Folder::new().unwrap();
            let config = config(folder.path()).unwrap();
            let url = format!("sqlite:{}", folder.path().join("touban.sqlite").display());
            let db = Db::open(&DbSettings { url, connections: 4 }).await.unwrap();
            db.migrate(now).await.unwrap();
            let chance: SharedChance = Arc::new(SystemChance);
            let vault = Vault { seal: Seal::in_memory(chance.as_ref()), chance };
            let rules = open::rules(&config, "http://localhost:1".to_owned(), Lang::Ja).unwrap();
            let clock: SharedClock = Arc::new(ManualClock::at(now));
            let app = App::new(db, vault, clock, rules);
            let seeded = seed(&app, &data).await.unwrap();
            let home = &seeded.who.association;
            let first = civil_day(now, data.association.zone);
            let first = first.plus_days(1 - i64::from(first.day()));
            let world = app.rota_world(home).await.unwrap();
            let last = app.rota_publications(home, 1).await.unwrap()[0].period.to;
            let quarter = Window { from: world.period(first, first).unwrap().from, to: last };
            let holes = app.rota_holes(home, quarter).await.unwrap();
            assert_eq!(holes.len(), 3, "{begins}: {holes:?}");
            assert_eq!(app.rota_clashes(home, quarter).await.unwrap(), [], "{begins}");
            let board = app.rota_board(home, now).await.unwrap();
            assert!(board.areas[0].roles.iter().all(|on| on.now.people().len() == 1), "{begins}");
            assert!(!board.areas[0].holes.is_empty());
            // What was known before anything of it was recorded: nothing.
            let known = app.rota_overrides(home, now).await.unwrap();
            assert_eq!(known.len(), 2, "{begins}");
            assert_eq!(app.rota_swaps(home, now).await.unwrap().len(), 1, "{begins}");
            let round = &app.wish_rounds(home).await.unwrap()[0];
            let view = app.wish_round(home, &round.id).await.unwrap();
            assert!(view.silent().count() > 0 && view.silent().count() < view.people.len());
            app.db.close().await;
        }
    }
}
