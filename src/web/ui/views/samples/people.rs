//! The people as the office sees them, and what each sees of themselves: devices, PINs, reachability.

use super::super::people::{
    BehalfAnswer, BehalfOffer, BehalfPage, BehalfTaken, DeviceLine, Fact, FilterLink, LeavePage, LinkArrived,
    LinkStation, MePage, OfferBlock, PeopleList, PersonForm, PersonLine, PersonPage, PhoneWaiting,
    ReadinessPage, ReadyLine, SheetPaper, SheetStart, SheetsPage, StationForm, StationLine, StationPaper,
    StationSignIn, StationsPage, TestLine, channels,
};
use super::*;

const ID: &str = "01JDABC0000000000000000000";

fn fact(name: String, value: &str) -> Fact {
    Fact { name, value: s(value) }
}

impl Maker {
    fn t(&self, key: &str) -> String {
        t(self.lang, key)
    }

    fn people_list(&self, full: bool) -> PeopleList {
        let row = |name: &str, kana: &str, mail: (&str, Tone), left: bool| PersonLine {
            href: format!("/people/{ID}"),
            name: self.doctor(name),
            kana: s(kana),
            member_no: s("1042"),
            institution: s("さとう在宅クリニック"),
            roles: self.w("role-physician"),
            mail: self.line(mail.0, mail.1),
            left: left.then(|| t_with(self.lang, "people-left-at", &[("time", "11月1日（日）9時")])),
        };
        PeopleList {
            shell: self.office("/people"),
            notice: full.then(|| self.t("said-person-left")),
            query: s("さとう"),
            filters: vec![
                FilterLink { label: self.t("people-all"), href: s("/people"), current: true },
                FilterLink {
                    label: self.t("people-unreached"),
                    href: s("/people?show=unreached"),
                    current: false,
                },
            ],
            rows: if full {
                vec![
                    row("佐藤 健一", "さとう けんいち", ("mail-confirmed", Tone::Good), false),
                    row("加藤 修", "かとう おさむ", ("mail-refused", Tone::Bad), true),
                ]
            } else {
                Vec::new()
            },
            count: t_with(self.lang, "people-count", &[("n", "2")]),
            previous_href: full.then(|| s("/people?page=1")),
            next_href: full.then(|| s("/people?page=3")),
            may_enrol: full,
        }
    }

    fn devices(&self) -> Vec<DeviceLine> {
        let name = |system: &str, browser: &str| {
            let (system, browser) = (self.w(system), self.w(browser));
            t_with(self.lang, "word-device", &[("system", &system), ("browser", &browser)])
        };
        let at = |key: &str| t_with(self.lang, key, &[("time", "11月20日（金）21時40分")]);
        [("system-iphone", "browser-safari", true), ("system-windows", "browser-edge", false)]
            .into_iter()
            .enumerate()
            .map(|(n, (system, browser, is_this))| DeviceLine {
                id: format!("{ID}{n}"),
                name: name(system, browser),
                since: at("people-device-since"),
                used: at("people-device-used"),
                is_this,
            })
            .collect()
    }

    fn person_page(&self, left: bool) -> PersonPage {
        PersonPage {
            shell: self.office("/people"),
            notice: (!left).then(|| self.t("said-test-sent")),
            id: s(ID),
            name: self.doctor("加藤 修"),
            kana: s("かとう おさむ"),
            facts: vec![
                fact(self.t("people-f-member-no"), "1042"),
                fact(self.t("people-f-email"), "kato..osamu@docomo.example"),
                fact(self.t("people-f-phone"), "090-0000-0000"),
            ],
            phone: (!left).then(|| PhoneWaiting {
                new: s("090-0000-7777"),
                asked: t_with(self.lang, "phone-asked", &[("time", "11月20日（金）9時")]),
                ring: Some(StateLine { text: self.t("phone-new-silent"), tone: Tone::Warn }),
                old: Some(s("090-0000-0000")),
                clinic: Some(s("042-000-1111")),
            }),
            volunteers: vec![s("皮膚科　助言のみ　青葉北　月・水　18:00〜23:00")],
            mail: self.line("mail-test_silent", Tone::Bad),
            mail_note: Some(self.w("hard-breaks_rules")),
            next: self.w("next-for-unlock"),
            tests: vec![TestLine {
                asked: t_with(
                    self.lang,
                    "people-test-asked",
                    &[("way", &self.w("way-mail")), ("time", "11月10日（火）9時")],
                ),
                state: self.line("test-waiting", Tone::Info),
            }],
            phone_state: self.line("phone-confirmed", Tone::Good),
            pin: self.line("pin-locked", Tone::Bad),
            pin_locked: true,
            sheet: self.t("people-sheet-none"),
            devices: if left { Vec::new() } else { self.devices() },
            left: left.then(|| t_with(self.lang, "people-left-at", &[("time", "11月1日（日）9時")])),
            may_enrol: !left,
            may_reset: !left,
            may_test: !left,
            may_ring: !left,
            may_behalf: !left,
            once: hidden("once-20"),
        }
    }

    fn ticks_of(&self, prefix: &str, values: &[&str], chosen: &str) -> Choices {
        self.choices(prefix, values, chosen)
    }

    fn ways(&self) -> Vec<(String, String, Choices)> {
        (1..=3)
            .map(|n| {
                let choices =
                    self.choices("way-", &["mail", "phone", "fax"], if n == 1 { "mail" } else { "" });
                (format!("way{n}"), self.t(&format!("people-f-way{n}")), choices)
            })
            .collect()
    }

    fn person_form(&self, wrong: bool) -> PersonForm {
        let field = |value: &str, key: &str| Field {
            value: s(value),
            problem: (wrong && !key.is_empty()).then(|| self.t(key)),
        };
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let offer = |n: u32| OfferBlock {
            number: n,
            legend: self.t("people-form-offer-more"),
            specialty: self.choices("specialty-", &["dermatology", "urology"], "dermatology"),
            mode: self.choices("terms-", &["advice", "visit"], "visit"),
            areas: Choices {
                options: vec![Choice {
                    value: s("青葉北"), label: s("青葉北"), note: None, chosen: true
                }],
                problem: None,
            },
            days: self.ticks_of("day-", &days, "wed"),
            from: field("18:00", ""),
            to: field("25:00", "people-w-time"),
            cap: field("", ""),
        };
        PersonForm {
            shell: self.office("/people"),
            notice: wrong.then(|| self.t("people-stale")),
            is_new: !wrong,
            back: if wrong { format!("/people/{ID}") } else { s("/people") },
            revision: 3,
            name: field("", "people-w-name"),
            kana: field("かとう", ""),
            member_no: field("1042", "people-w-member-no"),
            institution: Choices {
                options: vec![Choice {
                    value: s("i1"), label: s("青葉皮膚科"), note: None, chosen: true
                }],
                problem: None,
            },
            roles: self.ticks_of("role-", &["physician", "specialist", "nurse_station"], "specialist"),
            office_roles: wrong.then(|| self.w("role-clerk")),
            email: field("kato@", "people-w-email"),
            phone: field("", ""),
            fax: field("abc", "people-w-phone"),
            ways: self.ways(),
            duty: self.ticks_of("duty-", &["phone_only", "no_deep_night", "exempt"], ""),
            max_per_month: field("0", "people-w-number"),
            offers: vec![offer(1), offer(2)],
            lang: self.choices("lang-", &["ja", "en"], "ja"),
            note: field("", ""),
            problems: if wrong { vec![(s("name"), self.t("people-w-name"))] } else { Vec::new() },
            once: hidden("once-21"),
        }
    }

    fn leave_page(&self) -> LeavePage {
        LeavePage {
            shell: self.office("/people"),
            id: s(ID),
            name: self.doctor("加藤 修"),
            ends: vec![self.t("people-leave-ends-pin"), self.t("people-leave-ends-devices")],
            cases: vec![self.row(false)],
            problem: Some(self.t("people-leave-sure-missing")),
            once: hidden("once-22"),
        }
    }

    fn ready(&self, done: bool) -> ReadyLine {
        ReadyLine {
            id: s(if done { "r2" } else { "r1" }),
            href: format!("/people/{ID}"),
            name: self.doctor(if done { "佐藤 健一" } else { "加藤 修" }),
            institution: s("さとう在宅クリニック"),
            pin: self.line("pin-set", Tone::Good),
            sheet: self.line("sheet-yes", Tone::Good),
            device: self.line(if done { "known-yes" } else { "known-no" }, Tone::Good),
            mail: if done {
                self.line("mail-confirmed", Tone::Good)
            } else {
                self.line("mail-refused", Tone::Bad)
            },
            mail_note: (!done).then(|| self.w("hard-carrier")),
            phone: self.line(if done { "phone-confirmed" } else { "phone-unknown" }, Tone::Good),
            next: self.w(if done { "next-for-nothing" } else { "next-for-call_about_mail" }),
            done,
        }
    }

    fn readiness(&self, full: bool) -> ReadinessPage {
        ReadinessPage {
            shell: self.office("/people/readiness"),
            notice: full.then(|| self.t("said-tests-sent")),
            counts: vec![fact(self.t("ready-count-all"), "42"), fact(self.t("ready-count-done"), "31")],
            filters: vec![FilterLink {
                label: self.t("ready-todo"),
                href: s("/people/readiness?show=todo"),
                current: true,
            }],
            rows: if full { vec![self.ready(false), self.ready(true)] } else { Vec::new() },
            unreached: if full { vec![self.ready(false)] } else { Vec::new() },
            may_enrol: full,
            once: hidden("once-23"),
        }
    }

    fn me_page(&self, wrong: bool) -> MePage {
        MePage {
            shell: self.signed_in("/me", "伊藤 美咲", Nav { asker: true, ..Nav::default() }),
            notice: (!wrong).then(|| self.t("said-pin-changed")),
            name: self.doctor("伊藤 美咲"),
            facts: vec![fact(self.t("people-f-email"), "ito@aoba.example.jp")],
            mail: self.line("mail-confirmed", Tone::Good),
            may_test: true,
            phone_state: self.line("phone-unknown", Tone::Warn),
            may_ring: true,
            devices: if wrong { Vec::new() } else { self.devices() },
            pin_set: true,
            pin_old: wrong.then(|| self.t("part-pin-wrong-device")),
            pin_new: wrong.then(|| self.t("me-pin-trivial")),
            pin_again: wrong.then(|| self.t("me-pin-differs")),
            ways: self.ways(),
            revision: 2,
            once: hidden("once-24"),
        }
    }

    fn names(&self, problem: bool) -> Choices {
        Choices {
            options: ["高橋 文", "木村 葵"]
                .map(|name| Choice {
                    value: s(name),
                    label: self.named("title-staff", name),
                    note: None,
                    chosen: false,
                })
                .into(),
            problem: problem.then(|| self.t("station-choose")),
        }
    }

    fn stations(&self, full: bool) -> StationsPage {
        let line = |n: u32, enrolled: bool| StationLine {
            id: format!("{ID}{n}"),
            name: s("詰所のパソコン"),
            institution: s("みどり訪問看護ステーション"),
            state: if enrolled {
                self.line("station-enrolled", Tone::Good)
            } else {
                self.line("station-invited", Tone::Info)
            },
            detail: t_with(self.lang, "station-until", &[("time", "12月4日（金）9時")]),
            may_print: !enrolled,
        };
        StationsPage {
            shell: self.office("/people/stations"),
            notice: full.then(|| self.t("said-station-mailed")),
            stations: if full { vec![line(1, true), line(2, false)] } else { Vec::new() },
            institutions: vec![FilterLink {
                label: s("みどり訪問看護ステーション"),
                href: s("/people/stations?institution=x"),
                current: full,
            }],
            form: full.then(|| StationForm {
                institution_id: s("x"),
                institution: s("みどり訪問看護ステーション"),
                name: Field { value: String::new(), problem: Some(self.t("station-name-missing")) },
                receiver: self.names(true),
                by: self.choices("by-way-", &["paper", "mail"], "paper"),
            }),
            may_enrol: full,
            once: hidden("once-25"),
        }
    }

    fn behalf(&self, full: bool) -> BehalfPage {
        let offer = |n: u32| BehalfOffer {
            id: format!("{ID}{n}"),
            case_no: format!("R8-041{n}"),
            specialty: self.w("specialty-dermatology"),
            area: s("青葉北"),
            answer_by: t_with(self.lang, "word-until", &[("time", "11月21日（土）正午")]),
            state: self.line("offer-state-asked", Tone::Info),
            may_visit: n == 1,
            duty: n == 2,
        };
        BehalfPage {
            shell: self.office("/people"),
            notice: full.then(|| self.t("said-for-answered")),
            id: s(ID),
            name: self.doctor("伊藤 美咲"),
            may_ask: true,
            offers: if full { vec![offer(1), offer(2)] } else { Vec::new() },
            taken: if full {
                vec![BehalfTaken {
                    id: s("01jdabc"),
                    case_no: s("R8-0409"),
                    specialty: self.w("specialty-dermatology"),
                    answer_by: t_with(self.lang, "word-until", &[("time", "11月21日（土）正午")]),
                }]
            } else {
                Vec::new()
            },
            problem: full.then(|| (format!("{ID}2"), self.t("for-channel-missing"))),
            once: hidden("once-26"),
        }
    }
}

/// Name and drawn page of every sample.
pub(super) fn pages(maker: &Maker) -> Vec<(String, String)> {
    let doctor = maker.doctor("伊藤 美咲");
    let missing = Field { value: String::new(), problem: Some(maker.t("answer-missing")) };
    let paper = |name: &str, pin: &str| SheetPaper {
        name: maker.doctor(name),
        institution: s("さとう在宅クリニック"),
        pin: hidden(pin),
    };
    let arrived = |confirmed| LinkArrived {
        shell: maker.shell("/k"),
        person_name: maker.doctor("伊藤 美咲"),
        confirmed,
        token: hidden("token-9"),
    };
    let qr = "data:image/svg+xml;base64,PHN2Zy8+";
    [
        ("people", render(&maker.people_list(true))),
        ("people-empty", render(&maker.people_list(false))),
        ("person", render(&maker.person_page(false))),
        ("person-left", render(&maker.person_page(true))),
        ("person-new", render(&maker.person_form(false))),
        ("person-wrong", render(&maker.person_form(true))),
        ("person-leave", render(&maker.leave_page())),
        (
            "sheet-start",
            render(&SheetStart {
                shell: maker.office("/people"),
                notice: Some(maker.t("sheet-shown-before")),
                back: s("/people/readiness"),
                people: vec![(s("m1"), doctor.clone(), true), (s("m2"), doctor.clone(), false)],
                once: hidden("once-27"),
            }),
        ),
        (
            "sheets",
            render(&SheetsPage {
                shell: maker.office("/people"),
                sheets: vec![paper("佐藤 健一", "4826"), paper("伊藤 美咲", "7093")],
                address: s("touban.example.jp"),
                qr: s(qr),
                made: t_with(maker.lang, "sheet-made", &[("time", "11月20日（金）10時")]),
            }),
        ),
        ("readiness", render(&maker.readiness(true))),
        ("readiness-empty", render(&maker.readiness(false))),
        ("me", render(&maker.me_page(false))),
        ("me-wrong", render(&maker.me_page(true))),
        ("stations", render(&maker.stations(true))),
        ("stations-empty", render(&maker.stations(false))),
        (
            "station-paper",
            render(&StationPaper {
                shell: maker.office("/people/stations"),
                institution: s("みどり訪問看護ステーション"),
                device: s("詰所のパソコン"),
                receiver: maker.named("title-staff", "高橋 文"),
                address: s("touban.example.jp/k"),
                code: hidden("7F3K-2Q9D-XM4T"),
                qr: s(qr),
                until: s("12月4日（金）9時"),
            }),
        ),
        (
            "station-enrol",
            render(&LinkStation {
                shell: maker.shell("/k"),
                institution: s("みどり訪問看護ステーション"),
                device: s("詰所のパソコン"),
                member: maker.names(true),
                pin_problem: Some(PinProblem::Wrong { tries_left: 3 }),
                token: hidden("token-8"),
                once: hidden("once-28"),
            }),
        ),
        (
            "station-door",
            render(&StationSignIn {
                shell: maker.shell("/sign-in"),
                institution: s("みどり訪問看護ステーション"),
                notice: Some(t_with(maker.lang, "station-slow", &[("time", "10時05分")])),
                member: maker.names(false),
                pin_problem: None,
                once: hidden("once-29"),
            }),
        ),
        ("arrived", render(&arrived(false))),
        ("arrived-done", render(&arrived(true))),
        ("behalf", render(&maker.behalf(true))),
        ("behalf-empty", render(&maker.behalf(false))),
        (
            "behalf-ask",
            render(&ConsultNew {
                action: format!("/people/{ID}/for/new"),
                in_name_of: Some(t_with(maker.lang, "for-banner-ask", &[("name", &doctor)])),
                channel: Some(channels(maker.lang, "", Some(maker.t("for-channel-missing")))),
                ..maker.ask(true)
            }),
        ),
        (
            "behalf-answer",
            render(&BehalfAnswer {
                shell: maker.office("/people"),
                id: s(ID),
                request: s("01jdabc"),
                banner: t_with(maker.lang, "for-banner-answer", &[("name", &doctor)]),
                case_no: s("R8-0412"),
                channel: channels(maker.lang, "fax", None),
                form: AnswerForm { do_now: missing, ..AnswerForm::default() },
                once: hidden("once-30"),
            }),
        ),
    ]
    .into_iter()
    .map(|(name, page)| (s(name), page))
    .collect()
}

#[test]
fn a_pin_on_paper_stands_once_on_its_sheet_and_the_menu_is_not_printed() {
    let maker = Maker { lang: Lang::Ja };
    let pages = pages(&maker);
    let (_, sheets) = pages.iter().find(|(name, _)| name == "sheets").unwrap();
    assert_eq!(sheets.matches("4826").count(), 1);
    assert_eq!(sheets.matches("class=\"paper\"").count(), 2);
    let style = crate::web::ui::assets::asset(crate::web::ui::assets::asset_url("office.css")).unwrap().1;
    let style = String::from_utf8(style.to_vec()).unwrap();
    assert!(style.contains("@page { size: A4;") && style.contains(".top, .bottom"));
}

#[test]
fn sentences_about_people_are_short_enough_to_read() {
    for line in include_str!("../../../../i18n/ja/people.ftl").lines() {
        let Some((key, text)) = line.split_once(" = ") else { continue };
        for sentence in text.split(['。', '（', '）']) {
            assert!(sentence.chars().count() <= 40, "{key}: {sentence}");
        }
    }
}
