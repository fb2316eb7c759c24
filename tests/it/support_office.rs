//! The invented association in one process: an [`App`] on a database of its own, its people, and the wish of
//! a doctor for a consult. Used by the tests of the mail's way and by the figures in `benches`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use touban::app::consult::{Asked, Asking};
use touban::app::people::{NewAssociation, NewInstitution, NewMember};
use touban::app::{App, Rules, Who};
use touban::domain::calendar::{Calendar, NightHours};
use touban::domain::consult::NewConsult;
use touban::domain::dispatch::Plans;
use touban::domain::ledger::Tariffs;
use touban::domain::people::{Role, SpecialtyOffer, resolvable};
use touban::durable::runner::{Runner, RunnerSettings};
use touban::durable::schedule::Schedule;
use touban::i18n::Lang;
use touban::ids::{AssociationId, InstitutionId, MemberId, SystemChance};
use touban::ports::mail::MailPort;
use touban::seal::{Pin, Seal};
use touban::store::secrets::Vault;
use touban::store::{Db, DbSettings};
use touban::time::{Clock as _, SystemClock};

pub const BASE_URL: &str = "http://localhost";
/// The PIN of every doctor of [`Office`].
pub const PIN: &str = "5826";

/// A directory that goes when it is dropped; in `TOUBAN_FIGURES_DIR` where that is set.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let within = std::env::var_os("TOUBAN_FIGURES_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let path = within.join(format!("touban-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The address of a SQLite file in it.
    pub fn sqlite(&self) -> String {
        format!("sqlite:{}", self.0.join("touban.sqlite").display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind stays in the temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How the consults of a test are asked: one step, then nobody is left.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Asked at the same time; 0 = everybody.
    pub at_once: usize,
    /// The ladder of both lanes.
    pub retries_s: &'static [u32],
}

/// The rules of a test: the compiled defaults with short waits.
pub fn rules(manner: Manner) -> Rules {
    let plan = format!(
        "[[plan]]\nname = \"consult\"\nversion = 1\nkind = \"consult\"\nreport = true\n\
         [[plan.step]]\nask = \"specialists\"\nmode = \"seek\"\nchannels = [\"mail\"]\n\
         proof = [\"pin\", \"device\", \"act_for\"]\nat_once = {}\nwait_s = 14400\n",
        manner.at_once
    );
    Rules {
        base_url: BASE_URL.to_owned(),
        mail_host: "touban.example.jp".to_owned(),
        plans: Plans::parse("test", &plan, &resolvable).expect("a plan"),
        tariffs: Tariffs::parse("test", include_str!("../../config/tariffs.toml"), "test").expect("tariffs"),
        calendar: Calendar::national("test", NightHours::new(1_080, 480).expect("a night")),
        sign_in_life_s: 600,
        offer_life_max_s: 259_200,
        device_life_s: 7_776_000,
        session_idle_s: 1_800,
        session_max_s: 43_200,
        pin_tries_per_link: 5,
        pin_tries_total: 10,
        mail_retry_s: manner.retries_s.to_vec(),
        urgent_mail_retry_s: manner.retries_s.to_vec(),
        alarm_repeat_s: 1,
        lease_s: 30,
        poison_tries: 5,
        replay_keep_s: 604_800,
        recovery_delay_s: 86_400,
    }
}

/// An association with one asker, one coordinator and some dermatologists.
#[derive(Debug)]
pub struct Office {
    pub app: App,
    pub association: AssociationId,
    pub asker: MemberId,
    /// In the order of their addresses, `doctor0@…` first.
    pub doctors: Vec<MemberId>,
}

impl Office {
    /// Opens the database at `url`, brings it up to date and enters everybody.
    pub async fn open(url: &str, doctors: usize, manner: Manner) -> Self {
        let db = Db::open(&DbSettings { url: url.to_owned(), connections: 8 }).await.expect("a database");
        db.migrate(SystemClock.now()).await.expect("a schema");
        let vault = Vault { seal: Seal::in_memory(&SystemChance), chance: Arc::new(SystemChance) };
        Self::with(App::new(db, vault, Arc::new(SystemClock), rules(manner)), doctors).await
    }

    /// Enters everybody into an empty database.
    pub async fn with(app: App, doctors: usize) -> Self {
        let association = app
            .association_add(NewAssociation {
                code: "aoba".to_owned(),
                name: "青葉市医師会".to_owned(),
                zone: chrono_tz::Asia::Tokyo,
                office_phone: "050-0000-0000".to_owned(),
                lang: Lang::Ja,
            })
            .await
            .expect("an association");
        let institution = institution(&app, &association, "佐藤医院").await;
        let add = async |name: &str, email: &str, roles: Vec<Role>| {
            let new = person(name, email, &institution, roles);
            app.member_add(&Who::cli(&association), new, None, None).await.expect("a member").into_inner()
        };
        let asker = add("佐藤 義男", "sato@example.jp", vec![Role::Physician]).await;
        add("鈴木 健一", "suzuki@example.jp", vec![Role::Coordinator]).await;
        let mut office = Self { app, association, asker, doctors: Vec::new() };
        let pin: Pin = Pin::parse(PIN).expect("a PIN");
        for number in 0..doctors {
            let doctor = office.dermatologist(&format!("doctor{number}@example.jp"), Some(&pin)).await;
            office.doctors.push(doctor);
        }
        office
    }

    /// A volunteer of another institution, reachable around the clock and without a limit.
    pub async fn dermatologist(&self, email: &str, pin: Option<&Pin>) -> MemberId {
        let home = institution(&self.app, &self.association, "皮膚科医院").await;
        let roles = vec![Role::Physician, Role::Specialist];
        let new = NewMember {
            specialties: vec![SpecialtyOffer {
                specialty: "dermatology".to_owned(),
                visits: true,
                areas: Vec::new(),
                days: Vec::new(),
                from_min: 0,
                to_min: 0,
                monthly_cap: None,
            }],
            ..person("伊藤 恵子", email, &home, roles)
        };
        let who = Who::cli(&self.association);
        self.app.member_add(&who, new, pin, None).await.expect("a doctor").into_inner()
    }

    pub fn who_asks(&self) -> Who {
        Who::member(&self.association, &self.asker)
    }

    /// The asker wants a dermatologist's opinion within the day.
    pub async fn ask(&self) -> Asked {
        let asking = Asking { asker: self.asker.clone(), in_person: true, channel: "web" };
        let asked = self.app.consult_ask(&self.who_asks(), asking, self.consult(), None).await;
        asked.expect("a consult taken down").into_inner()
    }

    pub fn consult(&self) -> NewConsult {
        NewConsult {
            specialty: "dermatology".to_owned(),
            visit: false,
            area: "青葉北".to_owned(),
            answer_by: self.app.now().plus_s(86_400),
            decade: 80,
            sex: "female".to_owned(),
            condition: "wound".to_owned(),
            can_travel: "no".to_owned(),
            question: "仙骨部に3cmの黒色壊死があります。".to_owned(),
            tried: "洗浄と軟膏".to_owned(),
            patient_ref: "A.K.".to_owned(),
            details: String::new(),
        }
    }

    /// Starts the workers with `mail` as their way out.
    pub async fn work(&self, mail: Arc<dyn MailPort>) -> Runner {
        let settings = RunnerSettings {
            boot_id: "test".to_owned(),
            from: "jimukyoku@example.jp".to_owned(),
            reply_to: None,
            poll: Duration::from_millis(100),
            mail_workers: 4,
            urgent_workers: 2,
            self_check: Duration::from_millis(500),
            housekeeping: Schedule::parse("0 30 3 * * *").expect("a schedule"),
            reviews: touban::durable::reviews::Reviews {
                schedule: touban::durable::schedule::Schedule::parse("0 0 9 1 4,7,10 *").expect("a schedule"),
                after_days: 60,
            },
            stop: Duration::from_secs(5),
        };
        Runner::start(self.app.clone(), mail, settings).await.expect("workers")
    }
}

async fn institution(app: &App, association: &AssociationId, name: &str) -> InstitutionId {
    let new = NewInstitution {
        name: name.to_owned(),
        kind: "clinic".to_owned(),
        area: "青葉北".to_owned(),
        city_code: String::new(),
        phone: None,
        ..NewInstitution::default()
    };
    app.institution_add(&Who::cli(association), new, None).await.expect("an institution").into_inner()
}

fn person(name: &str, email: &str, institution: &InstitutionId, roles: Vec<Role>) -> NewMember {
    NewMember {
        name: name.to_owned(),
        kana: String::new(),
        institution: Some(institution.clone()),
        email: Some(email.to_owned()),
        phone: None,
        roles,
        lang: Lang::Ja,
        specialties: Vec::new(),
        ..NewMember::default()
    }
}
