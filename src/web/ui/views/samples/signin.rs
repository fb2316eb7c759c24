//! Signing in of the office: passkeys, passwords with one-time codes, recovery, sessions.

use super::super::signin::{
    ApiKeyLine, ApiKeyShown, ApiKeys, CarryOn, KeptForm, LinkSetup, LinkStop, LinkStopped, LostMeans,
    LostSent, MyMeans, MyPassword, MySessions, OfficeSignIn, PasskeyLine, ProveAgain, Qr, RecoveryCodes,
    RecoveryView, SessionLine, Staff, StaffLine, StaffPerson,
};
use super::super::{Choices, Field, Shell, render};
use super::{Choice, Maker, PinProblem, StateLine, Tone, hidden, s, t, t_with};

impl Maker {
    fn key(&self, n: u32) -> PasskeyLine {
        let at = |key: &str| t_with(self.lang, key, &[("when", "11月20日（金）9時")]);
        PasskeyLine {
            id: format!("key-{n}"),
            label: s(if n == 1 { "事務局のパソコン" } else { "和子のスマートフォン" }),
            created: at("means-since"),
            used: (n == 1).then(|| at("means-used")),
        }
    }

    fn office_sign_in(&self, wrong: bool) -> OfficeSignIn {
        OfficeSignIn {
            shell: self.shell("/sign-in/office"),
            address: Field { value: s(if wrong { "jimu@example.jp" } else { "" }), problem: None },
            problem: wrong.then(|| t_with(self.lang, "signin-wait", &[("n", "2")])),
            notice: (!wrong).then(|| t(self.lang, "sign-in-then")),
            remember: wrong,
            passkeys: true,
            once: hidden("once-20"),
        }
    }

    fn means(&self, first: bool) -> MyMeans {
        MyMeans {
            shell: self.office("/me/sign-in"),
            notice: (!first).then(|| t(self.lang, "means-added")),
            problem: first.then(|| t(self.lang, "signin-passkey-failed")),
            first,
            passkeys: if first { Vec::new() } else { vec![self.key(1), self.key(2)] },
            password: !first,
            several: !first,
            codes_left: 9,
            passkeys_here: true,
            label: t(self.lang, "means-passkey-default"),
            once: hidden("once-21"),
        }
    }

    fn my_password(&self, app: bool) -> MyPassword {
        MyPassword {
            shell: self.office("/me/sign-in/password"),
            qr: app.then(|| Qr { size: 33, path: s("M4 4h1v1h-1zM5 4h1v1h-1z") }),
            letters: s(if app { "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" } else { "" }),
            may_keep: app,
            password_problem: (!app).then(|| t(self.lang, "password-too-easy")),
            code_problem: app.then(|| t(self.lang, "password-code-wrong")),
            back: "/me/sign-in",
            once: hidden("once-22"),
        }
    }

    fn staff_person(&self, recovery: bool) -> StaffPerson {
        let state = if recovery { "staff-state-recovery" } else { "staff-state-ready" };
        StaffPerson {
            shell: self.office("/settings/staff/01jdabc"),
            notice: recovery.then(|| t(self.lang, "staff-invited")),
            problem: None,
            id: s("01jdabc"),
            name: self.named("title-staff", "山田 和子"),
            state: StateLine { text: t(self.lang, state), tone: Tone::Warn },
            passkeys: vec![self.key(1), self.key(2)],
            password: true,
            recovery: recovery.then(|| RecoveryView {
                text: t_with(self.lang, "staff-recovery-asked", &[("when", "11月20日（金）9時")]),
                may_vouch: true,
                may_stop: true,
            }),
            may_change: true,
            may_invite: recovery,
            roles: ["clerk", "coordinator", "officer", "administrator"]
                .map(|code| Choice {
                    value: s(code),
                    label: self.w(&format!("role-{code}")),
                    note: None,
                    chosen: code == "clerk",
                })
                .to_vec(),
            revision: 3,
            once: hidden("once-23"),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let lang = maker.lang;
    let carried = || vec![(s("f_role"), hidden("clerk")), (s("f_revision"), hidden("3"))];
    let again = |fields| ProveAgain {
        shell: maker.office("/sign-in/again"),
        problem: Some(t(lang, "signin-refused")),
        passkeys: true,
        password: true,
        then: s("/settings/staff/01jdabc/roles"),
        fields,
        once: hidden("once-24"),
    };
    let session = |n: u32| SessionLine {
        id: format!("session-{n}"),
        means: maker.w(if n == 1 { "means-passkey" } else { "means-pin" }),
        since: t_with(lang, "sessions-since", &[("when", "11月20日（金）9時")]),
        seen: t_with(lang, "sessions-seen", &[("when", "11月20日（金）正午")]),
        this: n == 1,
    };
    let setup = |takes_code, needs_pin| LinkSetup {
        shell: maker.shell("/k"),
        person_name: maker.named("title-staff", "山田 和子"),
        needs_pin,
        takes_code,
        pin_problem: Some(PinProblem::Wrong { tries_left: 4 }),
        problem: Some(t_with(lang, "part-pin-wrong", &[("n", "4")])),
        token: hidden("token-3"),
        once: hidden("once-25"),
    };
    let staff = Staff {
        shell: maker.office("/settings/staff"),
        notice: None,
        rows: vec![StaffLine {
            id: s("01jdabc"),
            name: maker.named("title-staff", "山田 和子"),
            roles: maker.w("role-clerk"),
            state: StateLine { text: t(lang, "staff-state-ready"), tone: Tone::Good },
        }],
        may_change: true,
        address: Field { value: s("nobody@example.jp"), problem: Some(t(lang, "staff-find-none")) },
        once: hidden("once-26"),
    };
    let keys = |full: bool| {
        let line = |id: &str, label: &str, ended: bool| ApiKeyLine {
            id: s(id),
            label: s(label),
            scopes: [maker.w("scope-read"), maker.w("scope-ledger")].join("・"),
            made: t_with(lang, "keys-made", &[("when", "11月2日（月）9時10分")]),
            ended: ended.then(|| t_with(lang, "keys-ended", &[("when", "11月20日（金）17時02分")])),
            state: StateLine {
                text: t(lang, if ended { "keys-state-revoked" } else { "keys-state-live" }),
                tone: if ended { Tone::Plain } else { Tone::Good },
            },
        };
        ApiKeys {
            shell: maker.office("/settings/keys"),
            notice: full.then(|| t(lang, "keys-revoked")),
            rows: if full {
                vec![line("k1", "会計システム", false), line("k2", "試験用", true)]
            } else {
                Vec::new()
            },
            label: Field { value: String::new(), problem: (!full).then(|| t(lang, "keys-label-missing")) },
            scopes: Choices {
                problem: (!full).then(|| t(lang, "keys-scope-missing")),
                ..maker.choices("scope-", &["read", "request", "ledger"], "read")
            },
            once: hidden("once-30"),
        }
    };
    let shown = ApiKeyShown {
        shell: maker.office("/settings/keys"),
        label: s("会計システム"),
        secret: hidden("tbk_Zk3vQ1yT0cB7uXw5rPq9sLm2nHd8aEfJ4gKiOoVtYbc"),
    };
    let lost = LostMeans {
        shell: maker.shell("/sign-in/lost"),
        problem: Some(t_with(lang, "signin-wait", &[("n", "15")])),
        address: Field { value: s("jimu"), problem: Some(t(lang, "sign-in-address-malformed")) },
        code_problem: Some(t(lang, "lost-code-malformed")),
        once: hidden("once-27"),
    };
    let codes = RecoveryCodes {
        shell: maker.shell("/me/sign-in"),
        notice: Some(t(lang, "means-added")),
        person_name: maker.named("title-staff", "山田 和子"),
        codes: (0..10).map(|n| format!("7F3K-2Q9D-XM{n}T")).collect(),
        next: s("/me/sign-in"),
    };
    let carry = CarryOn {
        shell: maker.office("/sign-in/again"),
        then: s("/settings/staff/01jdabc/roles"),
        fields: carried(),
    };
    let kept = |known: bool| KeptForm {
        shell: maker.shell("/sign-in"),
        problem: (!known).then(|| t(lang, "kept-not-yet")),
        person_name: known.then(|| maker.doctor("佐藤 健一")),
        pin_problem: known.then_some(PinProblem::WrongOnDevice),
        then: s("/consults"),
        fields: carried(),
    };
    let by_pin = Shell { office_door: true, ..maker.office("/me/sessions") };
    let sessions = MySessions {
        shell: by_pin,
        notice: Some(t(lang, "sessions-ended")),
        rows: vec![session(1), session(2)],
        once: hidden("once-28"),
    };
    let stop = LinkStop { shell: maker.shell("/k"), token: hidden("token-4"), once: hidden("once-29") };
    [
        ("office-sign-in", render(&maker.office_sign_in(false))),
        ("office-sign-in-wait", render(&maker.office_sign_in(true))),
        ("prove-again", render(&again(Vec::new()))),
        ("prove-again-kept", render(&again(carried()))),
        ("carry-on", render(&carry)),
        ("kept", render(&kept(false))),
        ("kept-known", render(&kept(true))),
        ("means", render(&maker.means(false))),
        ("means-first", render(&maker.means(true))),
        ("password-app", render(&maker.my_password(true))),
        ("password-change", render(&maker.my_password(false))),
        ("recovery-codes", render(&codes)),
        ("sessions", render(&sessions)),
        ("staff", render(&staff)),
        ("staff-person", render(&maker.staff_person(false))),
        ("staff-recovery", render(&maker.staff_person(true))),
        ("api-keys", render(&keys(true))),
        ("api-keys-none", render(&keys(false))),
        ("api-key-shown", render(&shown)),
        ("lost", render(&lost)),
        ("lost-sent", render(&LostSent { shell: maker.shell("/sign-in/lost/sent"), hours: 24 })),
        ("setup-link", render(&setup(false, true))),
        ("setup-link-recovery", render(&setup(true, true))),
        ("setup-link-first", render(&setup(false, false))),
        ("stop-link", render(&stop)),
        ("stopped-link", render(&LinkStopped { shell: maker.shell("/k") })),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}
