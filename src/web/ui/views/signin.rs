//! Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.
//!
//! A form with `data-passkey` is filled in by `passkey.js`: `challenge` and `answer`.

use askama::Template;

use super::links::PinProblem;
use super::{Choice, Choices, Field, Hidden, Shell, StateLine, quiet_debug};

/// `GET /sign-in/office`. Posts `/sign-in/office`: `address`, `password`, `code`, `remember`; and
/// `/sign-in/office/passkey`: `challenge`, `answer`.
#[derive(Template)]
#[template(path = "office-sign-in.html")]
pub struct OfficeSignIn {
    pub shell: Shell,
    pub address: Field,
    /// Why it did not work; the same whoever it is.
    pub problem: Option<String>,
    pub notice: Option<String>,
    pub remember: bool,
    /// Passkeys can be used at this address.
    pub passkeys: bool,
    pub once: Hidden,
}

/// Asks who it is once more. Posts `/sign-in/again`: `password`, `code`; `/sign-in/again/passkey`; both with
/// `then` and the fields that were typed before, each with `f_` before its name.
#[derive(Template)]
#[template(path = "prove-again.html")]
pub struct ProveAgain {
    pub shell: Shell,
    pub problem: Option<String>,
    pub passkeys: bool,
    pub password: bool,
    /// The page that was wanted.
    pub then: String,
    /// What was typed there.
    pub fields: Vec<(String, Hidden)>,
    pub once: Hidden,
}

/// A form sent after its session ended. Posts `/sign-in/kept`: `then`, the fields that were typed, each with `f_`
/// before its name, and on a known device `pin`.
#[derive(Template)]
#[template(path = "kept-form.html")]
pub struct KeptForm {
    pub shell: Shell,
    pub problem: Option<String>,
    /// Whose known device this is: the PIN is enough.
    pub person_name: Option<String>,
    pub pin_problem: Option<PinProblem>,
    /// Where the form belongs.
    pub then: String,
    pub fields: Vec<(String, Hidden)>,
}

/// After the proof: what was typed before goes where it was meant to go. Posts `then`.
#[derive(Template)]
#[template(path = "carry-on.html")]
pub struct CarryOn {
    pub shell: Shell,
    pub then: String,
    pub fields: Vec<(String, Hidden)>,
}

/// A passkey in a list.
pub struct PasskeyLine {
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    pub created: String,
    pub used: Option<String>,
}

/// `GET /me/sign-in`, `GET /setup-sign-in`. Posts `/me/sign-in/…`.
#[derive(Template)]
#[template(path = "my-means.html")]
pub struct MyMeans {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    /// There is none yet: this is the page behind an invitation.
    pub first: bool,
    pub passkeys: Vec<PasskeyLine>,
    pub password: bool,
    /// One can be taken away.
    pub several: bool,
    pub codes_left: u32,
    pub passkeys_here: bool,
    /// What a new passkey would be called.
    pub label: String,
    pub once: Hidden,
}

impl MyMeans {
    const fn title(&self) -> &'static str {
        if self.first { "means-first-title" } else { "means-title" }
    }

    const fn app_key(&self) -> &'static str {
        if self.password { "means-app-new" } else { "means-password-add" }
    }
}

/// A QR code: the number of squares of a side, and the dark ones as a path.
pub struct Qr {
    pub size: usize,
    pub path: String,
}

/// `GET /me/sign-in/password`. Posts there: `password`, and `code` where there is a QR code.
#[derive(Template)]
#[template(path = "my-password.html")]
pub struct MyPassword {
    pub shell: Shell,
    pub qr: Option<Qr>,
    /// The secret for those who type it.
    pub letters: String,
    /// There is a password that may stay as it is.
    pub may_keep: bool,
    pub password_problem: Option<String>,
    pub code_problem: Option<String>,
    pub back: &'static str,
    pub once: Hidden,
}

/// The answer to the first means, and to `POST /me/sign-in/codes`: shown this once.
#[derive(Template)]
#[template(path = "recovery-codes.html")]
pub struct RecoveryCodes {
    pub shell: Shell,
    pub notice: Option<String>,
    pub person_name: String,
    pub codes: Vec<String>,
    pub next: String,
}

/// A session in the list.
pub struct SessionLine {
    pub id: String,
    /// How it was begun.
    pub means: String,
    pub since: String,
    pub seen: String,
    /// The one that looks at this page.
    pub this: bool,
}

/// `GET /me/sessions`. Posts `/me/sessions/{id}/end` and `/me/sessions/end-all`.
#[derive(Template)]
#[template(path = "my-sessions.html")]
pub struct MySessions {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<SessionLine>,
    pub once: Hidden,
}

/// Somebody of the office in the list.
pub struct StaffLine {
    pub id: String,
    pub name: String,
    pub roles: String,
    pub state: StateLine,
}

/// `GET /settings/staff`. Posts there: `address`, to look for somebody.
#[derive(Template)]
#[template(path = "staff.html")]
pub struct Staff {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<StaffLine>,
    pub may_change: bool,
    pub address: Field,
    pub once: Hidden,
}

/// A key of the API in the list.
pub struct ApiKeyLine {
    pub id: String,
    pub label: String,
    /// What it may do, in words.
    pub scopes: String,
    pub made: String,
    /// `None`: it opens something.
    pub ended: Option<String>,
    pub state: StateLine,
}

/// `GET /settings/keys`. Posts there: `label`, `scope` for each; `/settings/keys/{id}/revoke`.
#[derive(Template)]
#[template(path = "api-keys.html")]
pub struct ApiKeys {
    pub shell: Shell,
    pub notice: Option<String>,
    pub rows: Vec<ApiKeyLine>,
    pub label: Field,
    pub scopes: Choices,
    pub once: Hidden,
}

/// A new key, shown this once.
#[derive(Template)]
#[template(path = "api-key-shown.html")]
pub struct ApiKeyShown {
    pub shell: Shell,
    pub label: String,
    pub secret: Hidden,
}

/// A recovery that waits.
pub struct RecoveryView {
    pub text: String,
    pub may_vouch: bool,
    pub may_stop: bool,
}

/// `GET /settings/staff/{id}`. Posts `…/invite`, `…/roles` (`role`, `revision`), `…/revoke` (`passkey`),
/// `…/end`, `…/vouch`, `…/stop-recovery`.
#[derive(Template)]
#[template(path = "staff-person.html")]
pub struct StaffPerson {
    pub shell: Shell,
    pub notice: Option<String>,
    pub problem: Option<String>,
    pub id: String,
    pub name: String,
    pub state: StateLine,
    pub passkeys: Vec<PasskeyLine>,
    pub password: bool,
    pub recovery: Option<RecoveryView>,
    pub may_change: bool,
    pub may_invite: bool,
    pub roles: Vec<Choice>,
    pub revision: i64,
    pub once: Hidden,
}

/// `GET /sign-in/lost`. Posts there: `address`, `code`.
#[derive(Template)]
#[template(path = "lost.html")]
pub struct LostMeans {
    pub shell: Shell,
    pub problem: Option<String>,
    pub address: Field,
    pub code_problem: Option<String>,
    pub once: Hidden,
}

/// `GET /sign-in/lost/sent`: the same for every address.
#[derive(Template)]
#[template(path = "lost-sent.html")]
pub struct LostSent {
    pub shell: Shell,
    pub hours: u32,
}

/// Behind an invitation's link. Posts `/k/setup`: `token`, `pin`, and `code` after a recovery.
#[derive(Template)]
#[template(path = "link-setup.html")]
pub struct LinkSetup {
    pub shell: Shell,
    pub person_name: String,
    pub needs_pin: bool,
    /// A recovery code may stand for the PIN.
    pub takes_code: bool,
    pub pin_problem: Option<PinProblem>,
    /// The same where a code may stand for it.
    pub problem: Option<String>,
    pub token: Hidden,
    pub once: Hidden,
}

/// Behind the link of a notice. Posts `/k/stop-recovery`: `token`.
#[derive(Template)]
#[template(path = "link-stop.html")]
pub struct LinkStop {
    pub shell: Shell,
    pub token: Hidden,
    pub once: Hidden,
}

/// After it was stopped, or was over before.
#[derive(Template)]
#[template(path = "link-stopped.html")]
pub struct LinkStopped {
    pub shell: Shell,
}

quiet_debug!(
    OfficeSignIn,
    ProveAgain,
    CarryOn,
    KeptForm,
    PasskeyLine,
    MyMeans,
    Qr,
    MyPassword,
    RecoveryCodes,
    SessionLine,
    MySessions,
    StaffLine,
    Staff,
    ApiKeyLine,
    ApiKeys,
    ApiKeyShown,
    RecoveryView,
    StaffPerson,
    LostMeans,
    LostSent,
    LinkSetup,
    LinkStop,
    LinkStopped,
);
