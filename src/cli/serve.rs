//! `touban serve`, and the part of it that `touban demo` shares: listen, work, say that we are ready, stop
//! when asked to.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::open::{self, Missing};
use super::stop::Stop;
use crate::app::demo::Demo;
use crate::app::post::Post;
use crate::app::verify::chain_of;
use crate::app::{App, Rules};
use crate::config::{self, Config};
use crate::durable::bridge::Calls;
use crate::durable::reviews::Reviews;
use crate::durable::runner::{Runner, RunnerSettings};
use crate::i18n::Lang;
use crate::ids::SharedChance;
use crate::ports::mail::MailPort;
use crate::ports::phone::PhoneBridge;
use crate::store::Db;
use crate::store::secrets::Vault;
use crate::telemetry::counters::Counters;
use crate::telemetry::{init, report_places_only};
use crate::time::SharedClock;
use crate::web::edge::{Edge, Framing};
use crate::web::rate::{Allowance, Allowances, Rate, RateLimiter};
use crate::web::router::{error_page, router};
use crate::web::server::{self, Limits};
use crate::web::trust::{Networks, Site};
use crate::web::{Web, metrics};

/// Runs the service until SIGTERM or SIGINT.
pub async fn run(config: &Config, lang: Lang) -> Result<(), Stop> {
    let counters = Counters::new();
    init(config.log.format, &config.log.level, &counters)?;
    report_places_only(&counters);
    let signals = Signals::new()?;

    let _lock = open::lock(&config.database.url, lang)?;
    let listener = bind(config.listen, lang).await?;
    let base_url = base_url(config, &listener)?;
    let rules = open::rules(config, base_url, lang)?;
    let mail = open::mail(config)?;
    let (clock, chance) = open::real_world();
    let (db, vault) = prepare(config, &clock, chance, lang).await?;
    if rules.tariffs.all().is_empty() {
        warn!("No tariffs are configured ([tariffs] file): every line says so and nothing is paid");
    }
    let phone = open::bridge(config, lang)?;
    let house = House { db, vault, clock, rules, mail, phone, demo: None, counters, lang };
    house.serve(config, listener, signals, |_| {}).await
}

/// The database, up to date, and its keys.
pub async fn prepare(
    config: &Config,
    clock: &SharedClock,
    chance: SharedChance,
    lang: Lang,
) -> Result<(Db, Vault), Stop> {
    let db = open::database(config, Missing::Make, lang).await?;
    for number in db.migrate(clock.now()).await? {
        info!(number, "Brought the database to schema {number}");
    }
    let vault = open::vault(&db, config, chance, lang).await?;
    Ok((db, vault))
}

/// Listens, or says why not.
pub async fn bind(address: SocketAddr, lang: Lang) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|e| {
        Stop::failed(
            lang,
            format!("{address} で待ち受けられません（{e}）"),
            format!("cannot listen on {address} ({e})"),
        )
    })
}

/// Where the pages are found: as configured, else on this machine at the bound port.
pub fn base_url(config: &Config, listener: &TcpListener) -> Result<String, Stop> {
    Ok(match &config.base_url {
        Some(url) => url.to_string(),
        None => open::loopback_url(listener.local_addr()?.port()),
    })
}

/// The signals that ask a service to stop.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn one(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }
}

/// The line on stdout that says that requests are answered.
#[derive(Debug, Serialize)]
pub struct Ready {
    pub event: &'static str,
    pub listen: String,
    pub base_url: String,
    pub boot_id: String,
    pub version: &'static str,
    /// Where the numbers are, when they are anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// The link to the set-up, where there is no association yet. Said to people, not on this line: stdout may
    /// be kept as a log.
    #[serde(skip)]
    pub setup: Option<String>,
}

/// Everything that serving needs, opened.
#[derive(Debug)]
pub struct House {
    pub db: Db,
    pub vault: Vault,
    pub clock: SharedClock,
    pub rules: Rules,
    pub mail: Arc<dyn MailPort>,
    /// `None`: no calls.
    pub phone: Option<Arc<dyn PhoneBridge>>,
    pub demo: Option<Demo>,
    pub counters: Counters,
    /// The language of what is said to the shell.
    pub lang: Lang,
}

/// The last part of a stop: closing the database checkpoints its log.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl House {
    /// Works and answers until asked to stop. `greet` runs after the ready line.
    pub async fn serve(
        self,
        config: &Config,
        listener: TcpListener,
        mut signals: Signals,
        greet: impl FnOnce(&Ready),
    ) -> Result<(), Stop> {
        let boot_id = open::boot_id(&self.vault.chance);
        let base_url = self.rules.base_url.clone();
        let site = if config.base_url.is_some() { Site::from_base_url(&base_url)? } else { Site::Loopback };
        let trusted = trusted(config)?;
        let framing = if self.demo.is_some() { Framing::OwnPages } else { Framing::Nobody };
        let edge = |site| Edge {
            site,
            trusted_proxies: trusted.clone(),
            boot_id: boot_id.clone(),
            framing,
            error_page,
            chance: self.vault.chance.clone(),
        };

        let post = Post { port: self.mail.clone(), shown: open::mail_shown(config) };
        let app =
            App::new(self.db.clone(), self.vault.clone(), self.clock.clone(), self.rules).with_post(post);
        let is_ready = Arc::new(AtomicBool::new(false));
        let web = Web {
            app: app.clone(),
            rates: Arc::new(RateLimiter::new(self.clock.clone(), allowances(&config.limits))),
            secure: site.https(),
            demo: self.demo.map(Arc::new),
            ready: is_ready.clone(),
        };
        let pages = metrics::counted(edge(site).apply(router(web))?, &self.counters);
        let runner = Runner::start(app.clone(), self.mail, runner_settings(config, &boot_id)).await?;
        let calls = self.phone.map(|bridge| Calls::start(app.clone(), bridge));
        let stop_timeouts = Stops::within(config.durable.graceful_stop.duration());
        let limits = limits(config, &trusted, stop_timeouts.requests);

        let (asked, mut stopped) = watch::channel(false);
        let numbers = match config.metrics.listen {
            None => None,
            Some(address) => {
                let listener = TcpListener::bind(address).await?;
                let address = listener.local_addr()?;
                let pages = edge(Site::Loopback).apply(metrics::router(app.clone(), self.counters))?;
                let mut stopped = stopped.clone();
                let shutdown = async move { drop(stopped.wait_for(|s| *s).await) };
                tokio::spawn(server::serve(listener, pages, limits.clone(), shutdown));
                Some(address)
            }
        };

        let ready = Ready {
            event: "ready",
            listen: listener.local_addr()?.to_string(),
            base_url,
            boot_id,
            version: env!("CARGO_PKG_VERSION"),
            metrics: numbers.map(|a| a.to_string()),
            setup: app.setup_link().await?,
        };
        is_ready.store(true, Ordering::SeqCst);
        say_ready(&ready);
        info!(listen = ready.listen, boot_id = ready.boot_id, "Ready on {}", ready.listen);
        greet(&ready);
        if let Some(link) = &ready.setup {
            say_setup_link(link, self.lang);
        }

        tokio::spawn(async move {
            let name = signals.one().await;
            info!(signal = name, "Stopping: {name} came");
            asked.send_replace(true);
            // Whoever asks twice does not want to wait.
            signals.one().await;
            std::process::exit(1);
        });
        let shutdown = async move { drop(stopped.wait_for(|s| *s).await) };
        server::serve(listener, pages, limits, shutdown).await?;
        is_ready.store(false, Ordering::SeqCst);
        if let Some(calls) = calls {
            calls.stop().await;
        }
        runner.stop().await;
        if tokio::time::timeout(CLOSE_TIMEOUT, self.db.close()).await.is_err() {
            warn!("The database was still busy at the stop; its log is read again at the next start");
        }
        info!("Stopped");
        Ok(())
    }
}

/// Exactly one line, flushed, so that whoever started us can go on.
fn say_ready(ready: &Ready) {
    let mut out = std::io::stdout().lock();
    let said = serde_json::to_string(ready)
        .map_err(std::io::Error::from)
        .and_then(|line| writeln!(out, "{line}"))
        .and_then(|()| out.flush());
    if let Err(e) = said {
        // Nobody listens; that is no reason not to serve.
        error!(error = chain_of(&e), "The ready line could not be written");
    }
}

/// To stderr: for people who stand before an installation without an association.
pub fn say_setup_link(link: &str, lang: Lang) {
    let words = match lang {
        Lang::Ja => format!(
            "touban: 医師会がまだ登録されていません。次のリンクをブラウザーで開いて設定してください\n\n  {link}\n\n             24 時間、設定が終わるまで使えます。ほかの人に見せないでください"
        ),
        Lang::En => format!(
            "touban: there is no association yet; open this link in a browser to set one up\n\n  {link}\n\n             it works for 24 hours, until the set-up is done; show it to nobody"
        ),
    };
    eprintln!("{words}");
}

/// How the time of a stop is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stops {
    /// Requests that are running.
    requests: Duration,
    /// Mails that are being sent.
    work: Duration,
}

impl Stops {
    /// Half for the requests, five seconds at most; what the database does not need is for the work.
    fn within(whole: Duration) -> Self {
        let requests = (whole / 2).min(Duration::from_secs(5));
        let rest = whole.saturating_sub(requests);
        Self { requests, work: rest.saturating_sub(CLOSE_TIMEOUT).max(rest / 2) }
    }
}

fn runner_settings(config: &Config, boot_id: &str) -> RunnerSettings {
    let durable = &config.durable;
    RunnerSettings {
        boot_id: boot_id.to_owned(),
        from: config.mail.from.address().to_owned(),
        reply_to: config.mail.reply_to.as_ref().map(|a| a.address().to_owned()),
        poll: durable.poll.duration(),
        mail_workers: durable.mail_workers,
        urgent_workers: durable.urgent_mail_workers,
        self_check: durable.self_check.duration(),
        housekeeping: config.schedules.housekeeping.clone(),
        reviews: Reviews {
            schedule: config.schedules.entry_review.clone(),
            after_days: i64::from(config.schedules.entry_review_after_days),
        },
        stop: Stops::within(durable.graceful_stop.duration()).work,
    }
}

fn trusted(config: &Config) -> Result<Networks, Stop> {
    let texts: Vec<String> = config.http.trusted_proxies.iter().map(ToString::to_string).collect();
    Ok(Networks::parse(&texts)?)
}

fn limits(config: &Config, trusted: &Networks, stop_timeout: Duration) -> Limits {
    let http = &config.http;
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Limits {
        max_connections: count(http.max_connections),
        max_connections_per_client: count(http.max_connections_per_ip),
        without_client_limit: Networks::loopback().and(trusted),
        header_bytes: count(http.header_max_bytes),
        body_bytes: count(http.body_max_bytes),
        header_timeout: http.header_read_timeout.duration(),
        body_timeout: http.body_timeout.duration(),
        keep_alive_timeout: http.keep_alive.duration(),
        stop_timeout,
        ..Limits::default()
    }
}

fn allowances(limits: &config::Limits) -> Allowances {
    let per = |span_ms: u32, n: u32, burst: u32| Rate { burst, every_ms: (span_ms / n.max(1)).max(1) };
    let client = |n: u32| per(60_000, n, n);
    // A fifth of the hour's allowance at once: a whole association may react to one event.
    let total = |n: u32| per(3_600_000, n, (n / 5).max(1));
    let guess = |n: u32| Allowance { per_client: client(n), in_total: total(limits.guesses_per_hour_total) };
    Allowances {
        link_answer: guess(limits.answer_per_minute_per_ip),
        sign_in: guess(limits.signin_per_minute_per_ip),
        pin: guess(limits.pin_per_minute_per_ip),
        create: Allowance {
            per_client: client(limits.create_per_minute_per_ip),
            in_total: total(limits.create_per_hour_total),
        },
        ..Allowances::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_are_ten_at_once_and_then_one_every_six_seconds() {
        let config = Config::load(None, std::iter::empty()).unwrap();
        let allowed = allowances(&config.limits);
        assert_eq!(allowed.sign_in.per_client, Rate { burst: 10, every_ms: 6_000 });
        assert_eq!(allowed.pin.in_total, Rate { burst: 4_000, every_ms: 180 });
        assert_eq!(allowed.create.in_total, Rate { burst: 2_400, every_ms: 300 });
    }

    #[test]
    fn a_stop_has_room_for_requests_work_and_the_database() {
        for whole_s in [1, 2, 10, 60] {
            let whole = Duration::from_secs(whole_s);
            let stops = Stops::within(whole);
            assert!(stops.requests + stops.work <= whole, "{stops:?}");
            assert!(stops.requests > Duration::ZERO && stops.work > Duration::ZERO);
        }
        let stops = Stops::within(Duration::from_secs(10));
        assert_eq!((stops.requests.as_secs(), stops.work.as_secs()), (5, 3));
    }
}
