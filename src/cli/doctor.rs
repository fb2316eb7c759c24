//! `touban doctor`: looks at everything that can be set wrongly and says in plain words what to fix. Changes
//! nothing.

use serde::Serialize;

use super::args::ReportArgs;
use super::open::{self, Missing};
use super::stop::{Stop, in_words};
use crate::app::verify::chain_of;
use crate::config::{BridgeKind, Config, DatabaseUrl};
use crate::domain::people::Role;
use crate::i18n::Lang;
use crate::seal::{Seal, SealError};
use crate::store::people::{associations, member_by_id, members_with_role};
use crate::store::secrets::key_fits;
use crate::store::{Db, StoreError};
use crate::time::Millis;

/// Before this the program did not exist, so a clock that says so is wrong: 2026-01-01T00:00:00Z.
const EARLIEST: Millis = Millis(1_767_225_600_000);
/// How far the last write may lie ahead of the clock before the clock was set back.
const CLOCK_SLACK_S: i64 = 60;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// `configuration`, `database`, `schema`, `key`, `clock`, `mail`, `phone`, `alarms`, `serving`.
    name: &'static str,
    ok: bool,
    /// What was found and, where it is not right, what to do.
    says: String,
}

struct Doctor {
    lang: Lang,
    checks: Vec<Check>,
}

pub async fn run(arg: &ReportArgs, lang: Lang) -> Result<(), Stop> {
    let mut doctor = Doctor { lang, checks: Vec::new() };
    let config = open::load(arg.config.config.as_deref());
    let effective = match &config {
        Ok(config) => {
            doctor.look(config).await;
            Some(config)
        }
        Err(e) => {
            doctor.add("configuration", false, e.text(lang));
            None
        }
    };
    let whole = doctor.checks.iter().all(|c| c.ok);
    if arg.json {
        let settings = effective.map(|c| {
            c.settings()
                .iter()
                .map(|s| (s.key.clone(), s.value.clone().into()))
                .collect::<serde_json::Map<_, _>>()
        });
        let report = serde_json::json!({ "ok": whole, "checks": doctor.checks, "settings": settings });
        println!("{report:#}");
    } else {
        if let Some(config) = effective {
            println!("{}", config.effective());
        }
        for check in &doctor.checks {
            let mark =
                if check.ok { in_words(lang, "よし", "ok") } else { in_words(lang, "要対応", "FIX") };
            for line in check.says.lines() {
                println!("{mark:>4}  {:<14}{line}", check.name);
            }
        }
    }
    if whole { Ok(()) } else { Err(Stop::Found) }
}

impl Doctor {
    fn add(&mut self, name: &'static str, ok: bool, says: impl Into<String>) {
        self.checks.push(Check { name, ok, says: says.into() });
    }

    fn say(&mut self, name: &'static str, ok: bool, ja: impl Into<String>, en: impl Into<String>) {
        let says = in_words(self.lang, ja, en);
        self.add(name, ok, says);
    }

    /// The words of a failure, as another command would print them.
    fn stopped(&mut self, name: &'static str, stop: Stop) {
        match stop {
            Stop::Usage(says) | Stop::Failed(says) => self.add(name, false, says),
            Stop::Found => {}
        }
    }

    async fn look(&mut self, config: &Config) {
        self.configuration(config);
        let now = open::real_world().0.now();
        self.clock(config, now);
        self.database(config).await;
        self.mail(config).await;
        self.phone(config).await;
    }

    fn configuration(&mut self, config: &Config) {
        match open::rules(config, open::loopback_url(config.listen.port()), self.lang) {
            Err(stop) => self.stopped("configuration", stop),
            Ok(rules) if rules.tariffs.all().is_empty() => self.say(
                "configuration",
                true,
                "補助基準がありません。台帳には残りますが、金額は付きません（[tariffs] file）",
                "no tariffs: lines are kept in the ledger, without amounts ([tariffs] file)",
            ),
            Ok(_) => self.say("configuration", true, "設定を読めました", "the configuration can be used"),
        }
        let outside = !config.listen.ip().is_loopback();
        if outside && config.base_url.is_none() {
            self.say(
                "configuration",
                false,
                "外から届くアドレスで待ち受けますが、base_url がないため、ほかのコンピューターからは使えません。\
                 base_url = \"https://…\" を書いてください",
                "it listens to other machines, but without base_url they are turned away; write base_url = \
                 \"https://…\"",
            );
        }
        if config.base_url.as_ref().is_some_and(|u| u.is_https()) && config.http.trusted_proxies.is_empty() {
            self.say(
                "configuration",
                false,
                "https は前に置くプロキシーが受け持ちますが、[http] trusted_proxies が空です。プロキシーのアドレスを\
                 書いてください（書かないと、利用者全員が 1 人として数えられます）",
                "https is the reverse proxy's work, but [http] trusted_proxies is empty; write its address there \
                 (else all users are counted as one)",
            );
        }
    }

    fn clock(&mut self, config: &Config, now: Millis) {
        if now < EARLIEST {
            return self.say(
                "clock",
                false,
                format!("時計が {now} になっています。このコンピューターの時刻を合わせてください（NTP）"),
                format!("the clock says {now}; set the time of this machine (NTP)"),
            );
        }
        if let Some(last) = last_write(config)
            && last > now.plus_s(CLOCK_SLACK_S)
        {
            return self.say(
                "clock",
                false,
                format!(
                    "データベースの最後の書き込みは {last} ですが、時計は {now} です。時刻を合わせてください"
                ),
                format!(
                    "the last write to the database was at {last} and the clock says {now}; set the time"
                ),
            );
        }
        self.say("clock", true, format!("時計は {now}"), format!("the clock says {now}"));
    }

    async fn database(&mut self, config: &Config) {
        let key = Seal::load(&config.keys.file);
        if let DatabaseUrl::Sqlite { path } = &config.database.url
            && !path.exists()
        {
            let at = path.display();
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            if folder.is_some_and(|f| !f.is_dir()) {
                self.say(
                    "database",
                    false,
                    format!("データベースを置くフォルダーがありません（{at}）。つくってください"),
                    format!("the folder for the database is not there ({at}); make it"),
                );
            } else {
                self.say(
                    "database",
                    true,
                    format!("{at} はまだありません。はじめての起動でつくります"),
                    format!("{at} is not there yet; the first start makes it"),
                );
            }
            return self.key(config, key, None);
        }
        let db = match open::database(config, Missing::Refuse, self.lang).await {
            Ok(db) => db,
            Err(stop) => return self.stopped("database", stop),
        };
        self.say(
            "database",
            true,
            format!("{} につながりました", config.database.url),
            format!("connected to {}", config.database.url),
        );
        if open::is_served(&config.database.url) {
            self.say("serving", true, "touban serve が動いています", "touban serve is running");
        }
        match db.migrations_missing().await {
            Err(e) => self.add("schema", false, chain_of(&e)),
            Ok(missing) if missing.is_empty() => {
                self.say("schema", true, "データベースの形は最新です", "the schema is up to date");
                self.key_of(config, key, &db).await;
                self.alarmed(config, &db).await;
            }
            Ok(_) => self.say(
                "schema",
                false,
                "データベースの形が古いままです。touban migrate を実行するか、serve を起動してください",
                "the schema is older than this program; run touban migrate or start serve",
            ),
        }
        db.close().await;
    }

    async fn key_of(&mut self, config: &Config, key: Result<Seal, SealError>, db: &Db) {
        let fits = async {
            let mut conn = db.read().await?;
            match &key {
                Ok(seal) => key_fits(&mut conn, seal).await,
                Err(_) => crate::store::secrets::has_key(&mut conn).await.map(|used| used.then_some(false)),
            }
        };
        match fits.await {
            Ok(fits) => self.key(config, key, fits),
            Err(e) => self.add("key", false, chain_of(&e)),
        }
    }

    /// `fits`: whether it is this database's key; `None` when the database has none.
    fn key(&mut self, config: &Config, key: Result<Seal, SealError>, fits: Option<bool>) {
        let path = &config.keys.file;
        match (key, fits) {
            (Err(SealError::Missing { .. }), None) => self.say(
                "key",
                true,
                format!("鍵ファイル {} はまだありません。はじめての起動でつくります", path.display()),
                format!("there is no key file at {} yet; the first start makes it", path.display()),
            ),
            (Err(e), _) => {
                let stop = open::key_problem(&e, self.lang);
                self.stopped("key", stop);
            }
            (Ok(_), Some(false)) => {
                self.say("key", false, open::wrong_key_ja(path), open::wrong_key_en(path))
            }
            (Ok(_), _) => self.say(
                "key",
                true,
                format!("鍵ファイル {} を読めました。控えを別の場所に置いてください", path.display()),
                format!("the key file {} can be read; keep a copy elsewhere", path.display()),
            ),
        }
    }

    async fn mail(&mut self, config: &Config) {
        let port = match open::mail(config) {
            Ok(port) => port,
            Err(stop) => return self.stopped("mail", stop),
        };
        match port.check().await {
            Ok(()) if matches!(config.mail.via, crate::config::MailVia::Folder { .. }) => self.say(
                "mail",
                true,
                "メールはフォルダーに書くだけで、誰にも届きません（[mail] kind = \"smtp\" で送ります）",
                "mail goes into a folder and reaches nobody ([mail] kind = \"smtp\" sends it)",
            ),
            Ok(()) => self.say("mail", true, "メールサーバーにつながりました", "the mail server answers"),
            Err(e) => self.say(
                "mail",
                false,
                format!("メールを送れません（{}）。[mail.smtp] を確かめてください", e.reason()),
                format!("mail cannot be sent ({}); look at [mail.smtp]", e.reason()),
            ),
        }
    }
}

impl Doctor {
    async fn phone(&mut self, config: &Config) {
        let bridge = match open::bridge(config, self.lang) {
            Ok(bridge) => bridge,
            Err(stop) => return self.stopped("phone", stop),
        };
        let Some(bridge) = bridge else {
            return self.say(
                "phone",
                true,
                "電話は使いません（[phone] bridge で変わります）",
                "no calls are carried ([phone] bridge changes that)",
            );
        };
        match bridge.check().await {
            Ok(missing) if missing.is_empty() => {
                self.say("phone", true, "電話をつなぐしくみが答えました", "the phone bridge answers");
            }
            Ok(missing) => {
                for sentence in missing {
                    self.add("phone", false, sentence);
                }
            }
            Err(e) => self.say(
                "phone",
                false,
                format!("電話をつなぐしくみに届きません（{e}）。Asterisk が動いているか、[phone.asterisk] を確かめてください"),
                format!("{e}; look whether Asterisk runs, and at [phone.asterisk]"),
            ),
        }
        if config.phone.bridge != BridgeKind::Asterisk {
            return;
        }
        // Whoever is alarmed because the bridge is down cannot be rung by it.
        let by_mail = !matches!(config.mail.via, crate::config::MailVia::Folder { .. });
        self.say(
            "alarms",
            by_mail,
            if by_mail {
                "警報は電話とメールで届きます。電話のしくみが止まっても、メールは届きます"
            } else {
                "電話のしくみが止まったときの警報が、どこにも届きません。[mail] kind = \"smtp\" を設定してください"
            },
            if by_mail {
                "alarms go out by phone and by mail; mail does not need the bridge"
            } else {
                "nobody would hear that the bridge is down: set [mail] kind = \"smtp\""
            },
        );
    }

    /// Whether there is somebody in each association who can be alarmed without the bridge.
    async fn alarmed(&mut self, config: &Config, db: &Db) {
        if config.phone.bridge != BridgeKind::Asterisk {
            return;
        }
        let now = open::real_world().0.now();
        match deaf(db, now).await {
            Ok(deaf) => {
                for code in deaf {
                    self.say(
                        "alarms",
                        false,
                        format!("{code}：メールアドレスのある調整役も役員もいません。電話の警報を受け取る人を登録してください"),
                        format!("{code}: no coordinator or officer has a mail address; nobody hears an alarm about calls"),
                    );
                }
            }
            Err(e) => self.add("alarms", false, chain_of(&e)),
        }
    }
}

/// The associations in which nobody would hear an alarm by mail.
async fn deaf(db: &Db, now: Millis) -> Result<Vec<String>, StoreError> {
    let mut conn = db.read().await?;
    let mut deaf = Vec::new();
    for home in associations(&mut conn).await? {
        let mut hears = false;
        for role in [Role::Coordinator, Role::Officer] {
            for id in members_with_role(&mut conn, &home.id, role, now).await? {
                let member = member_by_id(&mut conn, &home.id, &id).await?;
                hears |= member.is_some_and(|m| m.email.is_some() && m.mail_failing_since.is_none());
            }
        }
        if !hears {
            deaf.push(home.code);
        }
    }
    Ok(deaf)
}

/// When the SQLite file was last written.
fn last_write(config: &Config) -> Option<Millis> {
    let DatabaseUrl::Sqlite { path } = &config.database.url else { return None };
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}
