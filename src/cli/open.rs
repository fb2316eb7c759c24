//! Opens an installation: database, keys, rules, the lock of the one serving process. What is then done with
//! it stands beside.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::stop::Stop;
use crate::app::post::{PostShown, ServerShown};
use crate::app::{self, App, Rules};
use crate::config::{BridgeKind, CalendarText, Config, DatabaseUrl, MailVia, SmtpSecurity};
use crate::domain::calendar::{Calendar, CivilDate, Listed, ListedDay, NightHours};
use crate::domain::dispatch::plan::PlanError;
use crate::domain::dispatch::{Plans, Selector};
use crate::domain::ledger::Tariffs;
use crate::domain::people::resolvable;
use crate::i18n::Lang;
use crate::ids::{SharedChance, SystemChance, crockford_128};
use crate::ports::mail::{FolderMail, MailPort, Secret, Security, SmtpMail, SmtpSettings};
use crate::ports::phone::{AsteriskBridge, AsteriskSettings, PhoneBridge, Simulator};
use crate::seal::{Seal, SealError};
use crate::store::secrets::{Vault, has_key};
use crate::store::{Command, Conn, Db, DbSettings, StoreError};
use crate::time::{SharedClock, SystemClock};

const BUILT_IN_PLANS: &str = include_str!("../../config/plans.toml");
const BUILT_IN_URGENT: &str = include_str!("../../config/urgent.toml");
/// The file of this folder that is read when none is named.
const USUAL_FILE: &str = "touban.toml";
/// What stands in lines where the installation has no tariffs.
const NO_TARIFFS: &str = "none";

/// A process that only asks who serves holds the lock for a moment.
const LOCK_RETRIES: u32 = 5;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Whether a database that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Make,
    Refuse,
}

/// The configuration a command was given: the named file, else the one of this folder, else the defaults;
/// then the environment.
pub fn config(file: Option<&Path>, lang: Lang) -> Result<Config, Stop> {
    load(file).map_err(|e| Stop::config(lang, &e))
}

/// As [`config`], for who wants to say the problems in another way.
pub fn load(file: Option<&Path>) -> Result<Config, crate::config::ConfigError> {
    let usual = Path::new(USUAL_FILE);
    let file = file.or_else(|| usual.is_file().then_some(usual));
    // A variable that is not text is nobody's of ours: they are all ASCII.
    let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    Config::load(file, env)
}

/// A name for this life of the process.
pub fn boot_id(chance: &SharedChance) -> String {
    let mut bytes = [0u8; 16];
    chance.fill(&mut bytes);
    crockford_128(u128::from_be_bytes(bytes))
}

/// The real clock and the real dice.
pub fn real_world() -> (SharedClock, SharedChance) {
    (Arc::new(SystemClock), Arc::new(SystemChance))
}

/// Held as long as this process serves a SQLite file.
#[derive(Debug)]
pub struct ServingLock(#[expect(dead_code, reason = "kept open: the lock goes with the file")] Option<File>);

/// The file whose lock says that somebody serves this database.
pub fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Whether another process serves this database.
pub fn is_served(database: &DatabaseUrl) -> bool {
    let DatabaseUrl::Sqlite { path } = database else { return false };
    let Ok(file) = File::open(lock_path(path)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Takes the right to serve the database. PostgreSQL takes several serving processes, a SQLite file one.
pub fn lock(database: &DatabaseUrl, lang: Lang) -> Result<ServingLock, Stop> {
    let DatabaseUrl::Sqlite { path } = database else { return Ok(ServingLock(None)) };
    let lock = lock_path(path);
    let opened = File::options().create(true).truncate(false).write(true).read(true).open(&lock);
    let file = opened.map_err(|e| {
        let at = lock.display();
        Stop::failed(
            lang,
            format!("{at} をつくれません（{e}）。[database] url のフォルダーを確かめてください"),
            format!("{at} cannot be made ({e}); look at the folder in [database] url"),
        )
    })?;
    let mut tried = file.try_lock();
    for _ in 0..LOCK_RETRIES {
        if !matches!(tried, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        tried = file.try_lock();
    }
    match tried {
        Ok(()) => Ok(ServingLock(Some(file))),
        Err(TryLockError::WouldBlock) => Err(Stop::failed(
            lang,
            format!(
                "{} では別の touban serve が動いています。1 つのファイルで動かせるのは 1 つだけです",
                path.display()
            ),
            format!(
                "another touban serve is running on {}; a SQLite file is served by one process only",
                path.display()
            ),
        )),
        Err(TryLockError::Error(e)) => Err(Stop::from(e)),
    }
}

/// Opens the database; nothing in it is changed yet.
pub async fn database(config: &Config, missing: Missing, lang: Lang) -> Result<Db, Stop> {
    let settings = match &config.database.url {
        DatabaseUrl::Sqlite { path } => {
            let at = path.display();
            if missing == Missing::Refuse && !path.is_file() {
                return Err(Stop::failed(
                    lang,
                    format!("データベース {at} がありません。--config は合っていますか"),
                    format!("there is no database at {at}; is --config right?"),
                ));
            }
            DbSettings { url: format!("sqlite:{at}"), connections: config.database.read_connections }
        }
        DatabaseUrl::Postgres { url } => {
            let connections = config.database.postgres_connections;
            DbSettings { url: url.expose().to_owned(), connections }
        }
    };
    Ok(Db::open(&settings).await?)
}

/// The keys that belong to this database. Only a database that never had one gets a new key file: a fresh
/// key would open nothing of what another has sealed.
pub async fn vault(db: &Db, config: &Config, chance: SharedChance, lang: Lang) -> Result<Vault, Stop> {
    let used = has_key(&mut db.read().await?).await?;
    let path = &config.keys.file;
    let loaded = if used { Seal::load(path) } else { Seal::load_or_create(path, chance.as_ref()) };
    let seal = loaded.map_err(|e| key_problem(&e, lang))?;
    let vault = Vault { seal, chance };
    match db.run(Recognise(vault.clone())).await {
        Ok(()) => Ok(vault),
        Err(StoreError::Unusable(_)) => Err(Stop::failed(lang, wrong_key_ja(path), wrong_key_en(path))),
        Err(e) => Err(Stop::from(e)),
    }
}

/// What to do about a key file that cannot be used.
pub fn key_problem(error: &SealError, lang: Lang) -> Stop {
    match (error, lang) {
        (SealError::Missing { path }, _) => Stop::failed(
            lang,
            format!(
                "鍵ファイル {} がありません。このデータベースは鍵を使っています。控えを元の場所に戻してください。\
                 何も変更していません",
                path.display()
            ),
            format!(
                "there is no key file at {}, and this database was made with one; put the copy back in its \
                 place; nothing was changed",
                path.display()
            ),
        ),
        (SealError::Exposed { path, .. }, Lang::Ja) => Stop::Failed(format!(
            "鍵ファイル {} をほかの利用者も読めます。chmod 600 で直してください",
            path.display()
        )),
        (other, _) => Stop::from(other),
    }
}

pub fn wrong_key_ja(path: &Path) -> String {
    format!(
        "鍵ファイル {} はこのデータベースのものではありません。正しい鍵ファイルを [keys] file の場所に置いてください。\
         何も変更していません",
        path.display()
    )
}

pub fn wrong_key_en(path: &Path) -> String {
    format!(
        "the key file {} is not the one this database was made with; put the right one in the place of \
         [keys] file; nothing was changed",
        path.display()
    )
}

struct Recognise(Vault);

impl Command for Recognise {
    type Output = ();

    async fn apply(&self, tx: &mut Conn) -> Result<(), StoreError> {
        self.0.recognise(tx).await
    }
}

/// An installation as the short commands use it: up to date, with its keys.
pub async fn app(config: &Config, missing: Missing, lang: Lang) -> Result<App, Stop> {
    let (clock, chance) = real_world();
    let base_url = match &config.base_url {
        Some(url) => url.to_string(),
        None => loopback_url(config.listen.port()),
    };
    let rules = rules(config, base_url, lang)?;
    let db = database(config, missing, lang).await?;
    db.migrate(clock.now()).await?;
    let vault = vault(&db, config, chance, lang).await?;
    Ok(App::new(db, vault, clock, rules))
}

/// Where an installation without `base_url` is found.
pub fn loopback_url(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// What the configuration lets the use cases do.
pub fn rules(config: &Config, base_url: String, lang: Lang) -> Result<Rules, Stop> {
    let (links, durable) = (&config.links, &config.durable);
    let from = config.mail.from.address();
    Ok(Rules {
        base_url,
        mail_host: from.rsplit_once('@').map_or(from, |(_, host)| host).to_owned(),
        plans: plans(config, lang)?,
        tariffs: tariffs(config, lang)?,
        calendar: calendar(&config.calendar)?,
        sign_in_life_s: links.signin_life.as_i64(),
        offer_life_max_s: links.offer_life_max.as_i64(),
        device_life_s: links.device_life.as_i64(),
        session_idle_s: links.session_idle.as_i64(),
        session_max_s: links.session_max.as_i64(),
        pin_tries_per_link: i64::from(links.pin_tries_per_link),
        pin_tries_total: i64::from(links.pin_tries_total),
        mail_retry_s: durable.mail_retry.steps_s().to_vec(),
        urgent_mail_retry_s: durable.urgent_mail_retry.steps_s().to_vec(),
        alarm_repeat_s: durable.alarm_repeat.as_i64(),
        lease_s: durable.lease.as_i64(),
        poison_tries: durable.poison_tries,
        replay_keep_s: config.http.idempotency_keep.as_i64(),
        recovery_delay_s: config.access.recovery_delay.as_i64(),
    })
}

fn read_text(path: &Path, lang: Lang) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|e| {
        let at = path.display();
        Stop::usage(lang, format!("{at} を読めません（{e}）"), format!("{at} cannot be read ({e})"))
    })
}

/// The plans that every installation begins with.
fn built_in_plans() -> Result<Plans, PlanError> {
    let urgent = Plans::parse("urgent.toml", BUILT_IN_URGENT, &app::call::resolvable)?;
    Ok(Plans::parse("plans.toml", BUILT_IN_PLANS, &resolvable)?.replaced_by(urgent))
}

/// Whether requests by mail or calls can find out whom a selector means.
fn known(selector: &Selector) -> bool {
    resolvable(selector) || app::call::resolvable(selector)
}

fn plans(config: &Config, lang: Lang) -> Result<Plans, Stop> {
    let mut own = Plans::default();
    for path in &config.files.plans {
        let name = path.display().to_string();
        let read = Plans::parse(&name, &read_text(path, lang)?, &known);
        let read = read.map_err(|e| Stop::Usage(e.to_string()))?;
        if let Some(twice) = read.iter().find(|plan| own.get(&plan.name).is_some()) {
            let plan = &twice.name;
            return Err(Stop::usage(
                lang,
                format!("{name}：{plan} は [plans] files の別のファイルにもあります"),
                format!("{name}: the plan {plan} stands in another file of [plans] files too"),
            ));
        }
        own = own.replaced_by(read);
    }
    Ok(built_in_plans()?.replaced_by(own))
}

fn tariffs(config: &Config, lang: Lang) -> Result<Tariffs, Stop> {
    // Without a file nothing is paid. A built-in one would write invented amounts into a real ledger.
    let Some(path) = &config.files.tariffs else { return Ok(Tariffs::none(NO_TARIFFS)) };
    let text = read_text(path, lang)?;
    tariffs_of(&path.display().to_string(), &text).map_err(|e| Stop::Usage(e.to_string()))
}

/// Tariffs named by the hash of their text, so that a line says under which text it was made.
pub fn tariffs_of(name: &str, text: &str) -> Result<Tariffs, crate::domain::ledger::TariffErrors> {
    let hash = Sha256::digest(text.as_bytes());
    let version: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    Tariffs::parse(name, text, version)
}

fn calendar(text: &CalendarText) -> Result<Calendar, Stop> {
    // Bounded by the configuration to minutes of a day.
    let minute = |m: u32| u16::try_from(m).unwrap_or(u16::MAX);
    let night = NightHours::new(minute(text.night_from_min), minute(text.night_to_min))?;
    let mut calendar = Calendar::national(text.version.clone(), night);
    let extra = text.holidays_extra.iter().map(|day| (day, Listed::Extra("休日".to_owned())));
    for (day, listed) in extra.chain(text.holidays_removed.iter().map(|day| (day, Listed::Removed))) {
        calendar.listed.insert(ListedDay::Once(CivilDate::from(*day)), listed);
    }
    Ok(calendar)
}

/// What of the mail's configuration may stand on a page.
pub fn mail_shown(config: &Config) -> PostShown {
    PostShown {
        from: config.mail.from.address().to_owned(),
        reply_to: config.mail.reply_to.as_ref().map(|a| a.address().to_owned()),
        server: match &config.mail.via {
            MailVia::Folder { .. } => None,
            MailVia::Smtp(smtp) => Some(ServerShown {
                host: smtp.host.as_str().to_owned(),
                port: smtp.port.get(),
                security: smtp.security.to_string(),
                username: smtp.login.as_ref().map(|login| login.username.clone()),
            }),
        },
    }
}

/// What carries the calls; `None`: nothing does.
pub fn bridge(config: &Config, lang: Lang) -> Result<Option<Arc<dyn PhoneBridge>>, Stop> {
    let written = match (config.phone.bridge, &config.phone.asterisk) {
        (BridgeKind::Simulator, _) => return Ok(Some(Arc::new(Simulator::new()))),
        (BridgeKind::Asterisk, Some(written)) => written,
        // The configuration has refused an Asterisk without a password.
        (BridgeKind::None | BridgeKind::Asterisk, _) => return Ok(None),
    };
    let settings = AsteriskSettings {
        ari: written.ari.clone(),
        user: written.user.clone(),
        password: Secret::from(written.password.expose().to_owned()),
        dial: written.dial.clone(),
        fallback_file: written.fallback_file.clone(),
        message_dir: written.message_dir.clone(),
    };
    let wrong = |e| {
        Stop::usage(lang, format!("[phone.asterisk] が使えません（{e}）"), format!("[phone.asterisk]: {e}"))
    };
    settings.usable().map_err(wrong)?;
    Ok(Some(Arc::new(AsteriskBridge::new(settings).map_err(wrong)?)))
}

/// The port that mail leaves by.
pub fn mail(config: &Config) -> Result<Arc<dyn MailPort>, Stop> {
    let smtp = match &config.mail.via {
        MailVia::Folder { path } => return Ok(Arc::new(FolderMail::new(path)?)),
        MailVia::Smtp(smtp) => smtp,
    };
    let (username, password) = match &smtp.login {
        Some(login) => (Some(login.username.clone()), Some(Secret::from(login.password.expose().to_owned()))),
        None => (None, None),
    };
    let plain = smtp.security == SmtpSecurity::Plain;
    let settings = SmtpSettings {
        host: smtp.host.as_str().to_owned(),
        port: Some(smtp.port.get()),
        security: match smtp.security {
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::StartTls => Security::StartTls,
            SmtpSecurity::Plain => Security::None,
        },
        // The configuration has refused `plain` where it was not allowed.
        allow_plain: plain,
        username,
        password,
        ca_file: smtp.ca_file.clone(),
        hello_name: smtp.hello_name.as_ref().map(|name| name.as_str().to_owned()),
        send_budget_s: smtp.send_budget.get(),
    };
    Ok(Arc::new(SmtpMail::new(settings)?))
}
