//! The sections of a configuration: every key with its default and bounds. The sample file says the same to
//! its reader; a test compares the two.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::NaiveDate;

use super::problem::Words;
use super::reader::Reader;
use super::values::{self, BaseUrl, DatabaseUrl, Ladder, Network, Seconds, SecretText};
use crate::durable::schedule::Schedule;
use crate::telemetry::{LogFilter, LogFormat};

const DAY_S: u32 = 86_400;
const YEAR_S: u32 = 366 * DAY_S;

const fn s(seconds: u32) -> Seconds {
    match Seconds::new(seconds) {
        Some(seconds) => seconds,
        None => Seconds::ONE,
    }
}

/// `[database]`
#[derive(Clone, Debug)]
pub struct Database {
    pub url: DatabaseUrl,
    /// Connections that only read (SQLite).
    pub read_connections: u32,
    /// Connections in all (PostgreSQL).
    pub postgres_connections: u32,
}

impl Database {
    pub(super) fn read(r: &mut Reader) -> Self {
        let default = "sqlite:touban.sqlite";
        let key = "database.url";
        let written = r.secret(key, DatabaseUrl::parse, |url| format!("\"{url}\""));
        r.shown_default(key, default);
        let url = written.unwrap_or_else(|| DatabaseUrl::Sqlite { path: PathBuf::from("touban.sqlite") });
        let url = match url {
            DatabaseUrl::Sqlite { path } => DatabaseUrl::Sqlite { path: r.placed(key, &path) },
            other => other,
        };
        Self {
            url,
            read_connections: r.number("database.read_connections", 4, 1..=64),
            postgres_connections: r.number("database.postgres_connections", 10, 2..=500),
        }
    }
}

/// `[keys]`
#[derive(Clone, Debug)]
pub struct Keys {
    /// The file with the master key; never in the database, never in a backup.
    pub file: PathBuf,
}

impl Keys {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self { file: r.path("keys.file", "touban.key") }
    }
}

/// `[durable]`
#[derive(Clone, Debug)]
pub struct Durable {
    /// The longest sleep between two looks at what is due.
    pub poll: Seconds,
    /// How long a claimed item belongs to its worker.
    pub lease: Seconds,
    /// How often open requests are checked for having a next step.
    pub self_check: Seconds,
    pub urgent_mail_retry: Ladder,
    pub mail_retry: Ladder,
    /// An item whose handling itself fails this often is set aside with an alarm.
    pub poison_tries: u32,
    pub urgent_mail_workers: u32,
    pub mail_workers: u32,
    /// How often an alarm that nobody has acknowledged is raised again.
    pub alarm_repeat: Seconds,
    /// From the signal to stop until the process ends.
    pub graceful_stop: Seconds,
}

impl Durable {
    pub(super) fn read(r: &mut Reader) -> Self {
        let ladder = |steps: &[u32]| Ladder::new(steps.to_vec()).unwrap_or_default();
        Self {
            poll: r.seconds("durable.poll_s", s(1), 60),
            lease: r.seconds_from("durable.lease_s", s(30), 3, 3_600),
            self_check: r.seconds("durable.self_check_s", s(10), 600),
            urgent_mail_retry: r.ladder("durable.urgent_mail_retry_s", ladder(&[5, 15, 30, 60, 120, 300])),
            // About a day in all: a mail server may be down over a night.
            mail_retry: r.ladder(
                "durable.mail_retry_s",
                ladder(&[60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800]),
            ),
            poison_tries: r.number("durable.poison_tries", 5, 1..=100),
            urgent_mail_workers: r.number("durable.urgent_mail_workers", 2, 1..=64),
            mail_workers: r.number("durable.mail_workers", 4, 1..=64),
            alarm_repeat: r.seconds("durable.alarm_repeat_s", s(60), DAY_S),
            graceful_stop: r.seconds("durable.graceful_stop_s", s(10), 600),
        }
    }
}

/// `[links]`
#[derive(Clone, Debug)]
pub struct Links {
    /// A sign-in link; at most ten minutes (ASVS 6.5.5).
    pub signin_life: Seconds,
    /// A link that asks for help lives until the answer is due, and at most this long.
    pub offer_life_max: Seconds,
    /// How long a known device (known by its cookie) stays known.
    pub device_life: Seconds,
    pub session_idle: Seconds,
    pub session_max: Seconds,
    /// Wrong PINs until a link ends.
    pub pin_tries_per_link: u32,
    /// Wrong PINs in a row, over all links, until the office must be called.
    pub pin_tries_total: u32,
}

impl Links {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            signin_life: r.seconds("links.signin_life_s", s(600), 600),
            offer_life_max: r.seconds("links.offer_life_max_s", s(3 * DAY_S), 3 * DAY_S),
            device_life: r.seconds("links.device_life_s", s(90 * DAY_S), YEAR_S),
            session_idle: r.seconds("links.session_idle_s", s(1_800), 3_600),
            session_max: r.seconds("links.session_max_s", s(43_200), DAY_S),
            pin_tries_per_link: r.number("links.pin_tries_per_link", 5, 1..=10),
            pin_tries_total: r.number("links.pin_tries_total", 10, 1..=100),
        }
    }
}

/// `[access]`
#[derive(Clone, Debug)]
pub struct Access {
    /// How long somebody of the office who lost every means to sign in waits, once a colleague has vouched
    /// for them: time for the real person to say that it was not them.
    pub recovery_delay: Seconds,
}

impl Access {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self { recovery_delay: r.seconds_from("access.recovery_delay_s", s(DAY_S), 3_600, 7 * DAY_S) }
    }
}

/// `[http]`
#[derive(Clone, Debug)]
pub struct Http {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    pub max_connections: u32,
    pub max_connections_per_ip: u32,
    pub header_max_bytes: u32,
    pub body_max_bytes: u32,
    pub header_read_timeout: Seconds,
    pub body_timeout: Seconds,
    pub keep_alive: Seconds,
    /// How long an answer is kept for a repeated `Idempotency-Key`; at least the promised week.
    pub idempotency_keep: Seconds,
}

impl Http {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            trusted_proxies: r.list("http.trusted_proxies", Network::parse),
            max_connections: r.number("http.max_connections", 512, 1..=65_536),
            max_connections_per_ip: r.number("http.max_connections_per_ip", 32, 1..=65_536),
            header_max_bytes: r.number("http.header_max_bytes", 16_384, 4_096..=1_048_576),
            body_max_bytes: r.number("http.body_max_bytes", 65_536, 4_096..=16_777_216),
            header_read_timeout: r.seconds("http.header_read_timeout_s", s(10), 300),
            body_timeout: r.seconds("http.body_timeout_s", s(10), 300),
            keep_alive: r.seconds("http.keep_alive_s", s(60), 3_600),
            idempotency_keep: r.seconds("http.idempotency_keep_s", s(7 * DAY_S), 30 * DAY_S),
        }
    }
}

/// `[limits]`: how often one client (an address, or an IPv6 /64), and all together, may try what can be
/// guessed or flooded. These bound the cost of a flood; what a guess can win is bounded by `[links]`. Generous,
/// because a hospital's whole staff, or a city's behind one carrier, may answer from one address at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Asking for a sign-in link, signing in.
    pub signin_per_minute_per_ip: u32,
    pub pin_per_minute_per_ip: u32,
    /// Opening a link or typing its code.
    pub answer_per_minute_per_ip: u32,
    /// Making something new, such as a request.
    pub create_per_minute_per_ip: u32,
    /// Each of the first three, over all clients.
    pub guesses_per_hour_total: u32,
    /// New things, over all clients.
    pub create_per_hour_total: u32,
}

impl Limits {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            signin_per_minute_per_ip: r.number("limits.signin_per_minute_per_ip", 10, 1..=60_000),
            pin_per_minute_per_ip: r.number("limits.pin_per_minute_per_ip", 600, 1..=60_000),
            answer_per_minute_per_ip: r.number("limits.answer_per_minute_per_ip", 600, 1..=60_000),
            create_per_minute_per_ip: r.number("limits.create_per_minute_per_ip", 60, 1..=60_000),
            guesses_per_hour_total: r.number("limits.guesses_per_hour_total", 20_000, 10..=3_600_000),
            create_per_hour_total: r.number("limits.create_per_hour_total", 12_000, 10..=3_600_000),
        }
    }
}

/// `[plans]` and `[tariffs]`: files of data besides the built-in ones.
#[derive(Clone, Debug)]
pub struct DataFiles {
    /// Plans for asking people; one with the name of a built-in plan takes its place.
    pub plans: Vec<PathBuf>,
    /// The programme's tariffs; none means that nothing is paid.
    pub tariffs: Option<PathBuf>,
}

impl DataFiles {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self { plans: r.paths("plans.files"), tariffs: r.optional_path("tariffs.file") }
    }
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogFilter,
}

impl Log {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            format: r.text("log.format", LogFormat::Json, |t| {
                LogFormat::from_word(t).ok_or_else(|| Words::one_of(&["json", "text"]))
            }),
            level: r.text("log.level", LogFilter::default(), |t| {
                LogFilter::parse(t).map_err(|_| {
                    Words::new(
                        "info や info,touban=debug の形で書いてください",
                        "write it as info or info,touban=debug",
                    )
                })
            }),
        }
    }
}

/// What carries the calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BridgeKind {
    /// No calls.
    #[default]
    None,
    /// Phones that a person plays on a page, to try things out.
    Simulator,
    /// An Asterisk on this machine.
    Asterisk,
}

impl std::fmt::Display for BridgeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Simulator => "simulator",
            Self::Asterisk => "asterisk",
        })
    }
}

/// `[phone]`
#[derive(Clone, Debug)]
pub struct Phone {
    pub bridge: BridgeKind,
    /// There where `bridge` is an Asterisk.
    pub asterisk: Option<Asterisk>,
}

/// `[phone.asterisk]`. Whether an Asterisk can be spoken to with these is the port's question.
#[derive(Clone, Debug)]
pub struct Asterisk {
    pub ari: String,
    pub user: String,
    pub password: SecretText,
    pub dial: String,
    pub fallback_file: Option<PathBuf>,
    pub message_dir: Option<PathBuf>,
}

impl Phone {
    pub(super) fn read(r: &mut Reader) -> Self {
        let bridge = r.text("phone.bridge", BridgeKind::None, |t| match t {
            "none" => Ok(BridgeKind::None),
            "simulator" => Ok(BridgeKind::Simulator),
            "asterisk" => Ok(BridgeKind::Asterisk),
            _ => Err(Words::one_of(&["none", "simulator", "asterisk"])),
        });
        let as_written = |t: &str| Ok::<_, Words>(t.to_owned());
        let ari = r.text("phone.asterisk.ari", "http://127.0.0.1:8088/ari".to_owned(), as_written);
        let user = r.text("phone.asterisk.user", "touban".to_owned(), as_written);
        let password = r.secret_text("phone.asterisk.password");
        let dial = r.text("phone.asterisk.dial", "PJSIP/{number}@trunk".to_owned(), as_written);
        let fallback_file = r.optional_path("phone.asterisk.fallback_file");
        let message_dir = r.optional_path("phone.asterisk.message_dir");
        let wanted = bridge == BridgeKind::Asterisk;
        if wanted && password.is_none() {
            r.unfit(
                "phone.asterisk.password",
                Words::new(
                    "Asterisk の ARI のパスワードが要ります",
                    "an Asterisk needs the password of its ARI",
                ),
            );
        }
        let asterisk = password.filter(|_| wanted).map(|password| Asterisk {
            ari,
            user,
            password,
            dial,
            fallback_file,
            message_dir,
        });
        Self { bridge, asterisk }
    }
}

/// `[metrics]`
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Where the numbers of this process can be read, on this machine only; nowhere when not set.
    pub listen: Option<SocketAddr>,
}

impl Metrics {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            listen: r.optional("metrics.listen", |t| {
                let address = values::listen(t)?;
                // There is no key to these numbers, so they stay on the machine.
                if address.ip().is_loopback() {
                    Ok(address)
                } else {
                    Err(Words::new(
                        "127.0.0.1:9464 のように、このコンピューターのアドレスにしてください",
                        "write an address of this machine itself, such as 127.0.0.1:9464",
                    ))
                }
            }),
        }
    }
}

/// `[calendar]`
#[derive(Clone, Debug)]
pub struct CalendarText {
    /// Names this calendar; recorded with every event.
    pub version: String,
    /// Days that count as holidays here besides the national ones.
    pub holidays_extra: Vec<NaiveDate>,
    /// National holidays that do not count here.
    pub holidays_removed: Vec<NaiveDate>,
    /// When the night begins and ends, in minutes of the civil day.
    pub night_from_min: u32,
    pub night_to_min: u32,
}

impl CalendarText {
    pub(super) fn read(r: &mut Reader) -> Self {
        let calendar = Self {
            version: r.text("calendar.version", "national-1".to_owned(), |t| {
                let fits = (1..=40).contains(&t.chars().count()) && !t.chars().any(char::is_control);
                fits.then(|| t.to_owned()).ok_or_else(|| {
                    Words::new("1 文字から 40 文字で書いてください", "write 1 to 40 characters")
                })
            }),
            holidays_extra: r.list("calendar.holidays_extra", values::day),
            holidays_removed: r.list("calendar.holidays_removed", values::day),
            night_from_min: r.number("calendar.night_from_min", 1_080, 0..=1_439),
            night_to_min: r.number("calendar.night_to_min", 480, 0..=1_439),
        };
        if calendar.night_from_min == calendar.night_to_min {
            r.unfit(
                "calendar.night_to_min",
                Words::new(
                    "calendar.night_from_min と違う時刻にしてください",
                    "it must differ from calendar.night_from_min",
                ),
            );
        }
        if calendar.holidays_extra.iter().any(|day| calendar.holidays_removed.contains(day)) {
            r.unfit(
                "calendar.holidays_removed",
                Words::new(
                    "calendar.holidays_extra と同じ日があります",
                    "a day stands in calendar.holidays_extra too",
                ),
            );
        }
        calendar
    }
}

/// `[schedules]`, in the civil time of the first association.
#[derive(Clone, Debug)]
pub struct Schedules {
    pub housekeeping: Schedule,
    /// When people are asked to look at their entries of the directory; in each association's own zone.
    pub entry_review: Schedule,
    /// Entries looked at within this many days are not asked about.
    pub entry_review_after_days: u32,
}

impl Schedules {
    pub(super) fn read(r: &mut Reader) -> Self {
        let mut read = |key, default| {
            let default =
                Schedule::parse(default).expect("the defaults below are schedules; every load reads them");
            r.text(key, default, schedule)
        };
        let housekeeping = read("schedules.housekeeping", "0 30 3 * * *");
        let entry_review = read("schedules.entry_review", "0 0 9 1 4,7,10 *");
        let entry_review_after_days = r.number("schedules.entry_review_after_days", 60, 1..=366);
        Self { housekeeping, entry_review, entry_review_after_days }
    }
}

fn schedule(text: &str) -> Result<Schedule, Words> {
    use crate::durable::schedule::NotASchedule;
    Schedule::parse(text).map_err(|e| {
        let ja = match &e {
            NotASchedule::Fields { fields } => format!(
                "秒 分 時 日 月 曜日 の 6 項目（または年を加えた 7 項目）で書いてください（いまは {fields} 項目）"
            ),
            NotASchedule::NumberedWeekday { field } => format!(
                "曜日は Mon-Fri のように名前で書いてください（{field} のような数字では、1 がここでは日曜、ほかでは月曜を指すためです）"
            ),
            NotASchedule::Unreadable(_) => "0 30 3 * * Mon-Fri のように書いてください".to_owned(),
            NotASchedule::Never => "その日付は来ません".to_owned(),
        };
        Words::new(ja, e.to_string())
    })
}

/// Where to listen; port 0 takes a free one.
pub(super) fn listen(r: &mut Reader) -> SocketAddr {
    r.text("listen", SocketAddr::from(([127, 0, 0, 1], 8_080)), values::listen)
}

/// Where the pages are found from outside.
pub(super) fn base_url(r: &mut Reader) -> Option<BaseUrl> {
    r.optional("base_url", BaseUrl::parse)
}
