//! An example of every page, drawn in both languages and held to the promises of all pages.

mod calls;
mod cards;
mod contacts;
mod covers;
mod directory;
mod duties;
mod ledger;
mod ledger_desk;
mod paper;
mod people;
mod pillars;
mod records;
mod rota;
mod setup;
mod sheets;
mod signin;
mod transfers;

use super::*;

struct Maker {
    lang: Lang,
}

fn hidden(text: &str) -> Hidden {
    Hidden(text.to_owned())
}

fn s(text: &str) -> String {
    text.to_owned()
}

impl Maker {
    fn w(&self, key: &str) -> String {
        t(self.lang, &format!("word-{key}"))
    }

    fn named(&self, key: &str, name: &str) -> String {
        t_with(self.lang, &format!("word-{key}"), &[("name", name)])
    }

    fn doctor(&self, name: &str) -> String {
        self.named("title-doctor", name)
    }

    fn line(&self, key: &str, tone: Tone) -> StateLine {
        StateLine { text: self.w(key), tone }
    }

    fn shell(&self, path: &str) -> Shell {
        Shell {
            lang: self.lang,
            association_name: s("青葉市医師会"),
            office_phone: s("042-000-0000"),
            office_hours: s("平日9時〜17時"),
            signed_in_as: None,
            nav: Nav::default(),
            office_door: false,
            recovery: false,
            text_size: TextSize::Standard,
            demo: false,
            csrf: hidden("csrf-1"),
            settings: hidden("csrf-1"),
            now_text: s("11月20日（金）21時45分"),
            path: s(path),
        }
    }

    fn signed_in(&self, path: &str, name: &str, nav: Nav) -> Shell {
        Shell { signed_in_as: Some(self.doctor(name)), nav, ..self.shell(path) }
    }

    fn choices(&self, prefix: &str, values: &[&str], chosen: &str) -> Choices {
        Choices {
            options: values
                .iter()
                .map(|value| Choice {
                    value: s(value),
                    label: self.w(&format!("{prefix}{value}")),
                    note: None,
                    chosen: *value == chosen,
                })
                .collect(),
            problem: None,
        }
    }

    fn home(&self) -> Home {
        Home {
            shell: self.shell("/"),
            rules: false,
            left: false,
            not_set_up: false,
            recoveries: 0,
            phones: Vec::new(),
        }
    }

    fn sign_in(&self, wrong: bool) -> SignIn {
        let problem = wrong.then(|| t(self.lang, "sign-in-address-malformed"));
        let value = if wrong { s("ito＠example") } else { String::new() };
        SignIn {
            shell: self.shell("/sign-in"),
            address: Field { value, problem },
            once: hidden("once-1"),
            notice: wrong.then(|| t(self.lang, "message-session-ended-text")),
        }
    }

    fn message(&self, kind: MessageKind) -> Message {
        Message { shell: self.shell("/"), kind, reference: Some(s("7F3K-2Q9D")), back: Some(s("/consults")) }
    }

    fn person(&self, key: &str, name: &str, role: &str, place: &str, pin: Option<&str>) -> DemoPerson {
        DemoPerson {
            key: s(key),
            name: self.doctor(name),
            role: self.w(&format!("role-{role}")),
            institution: s(place),
            pin: pin.map(s),
        }
    }

    fn demo(&self) -> DemoStart {
        DemoStart {
            shell: Shell { demo: true, ..self.shell("/demo") },
            asker: self.person("sato", "佐藤 健一", "physician", "さとう在宅クリニック", Some("2468")),
            clerk: DemoPerson {
                name: self.named("title-staff", "渡辺 幸子"),
                ..self.person("watanabe", "渡辺 幸子", "clerk", "青葉市医師会", Some("1357"))
            },
            people: vec![
                self.person("ito", "伊藤 美咲", "specialist", "青葉皮膚科医院", Some("4826")),
                self.person("kato", "加藤 修", "specialist", "緑町総合病院", Some("7093")),
                self.person("suzuki", "鈴木 正", "coordinator", "鈴木内科医院", Some("5511")),
            ],
            done: DemoDone { asked: true, accepted: false, in_ledger: false },
            mails: 3,
            once: hidden("once-2"),
        }
    }

    fn mailbox(&self, full: bool) -> Mailbox {
        let row = |n: u32, to: &str| MailRow {
            href: format!("/demo/mailbox/{n}"),
            at: s("11月20日（金）21時40分"),
            to: s(to),
            subject: s("【相談のお願い】皮膚科・明日正午まで（受付R8-0412）"),
        };
        Mailbox {
            shell: Shell { demo: true, ..self.shell("/demo/mailbox") },
            mails: if full {
                vec![row(2, "伊藤 美咲 <ito@example.jp>"), row(1, "加藤 修 <kato.o..osamu.@docomo.example>")]
            } else {
                Vec::new()
            },
        }
    }

    fn mail(&self, tab: MailTab) -> MailboxMail {
        MailboxMail {
            shell: Shell { demo: true, ..self.shell("/demo/mailbox/2") },
            from: s("青葉市医師会 <touban@example.jp>"),
            to: s("伊藤 美咲 <ito@example.jp>"),
            at: s("11月20日（金）21時40分"),
            subject: s("【相談のお願い】皮膚科・明日正午まで（受付R8-0412）"),
            tab,
            body: s(
                "伊藤 美咲 先生\n\n皮膚科の相談のお願いです。助言をお待ちしています。\n場所 青葉北\n返事の期限 11月21日（土）正午\n\n内容を見て返事をする\nhttp://127.0.0.1:8080/k#Zk3vQ1yT0cB7uXw5rPq9sLm2nHd8aEfJ4gKiOoVtYbc\n\n開けないときの番号 7F3K-2Q9D-XM4T\n急ぎの連絡にはこのメールを使わないでください。\n事務局 042-000-0000\n",
            ),
            text_href: s("/demo/mailbox/2"),
            source_href: s("/demo/mailbox/2?tab=source"),
            html_href: Some(s("/demo/mailbox/2/html")),
            pin: Some(s("4826")),
        }
    }

    fn offer(&self) -> LinkOffer {
        LinkOffer {
            shell: self.shell("/k"),
            person_name: self.doctor("伊藤 美咲"),
            case_no: s("R8-0412"),
            specialty: self.w("specialty-dermatology"),
            wish: self.w("wish-visit"),
            asker_institution_kind: self.w("institution-home_care_clinic"),
            answer_by: s("11月21日（土）正午"),
            blind: BlindSummary {
                decade: self.w("decade-80"),
                sex: self.w("sex-female"),
                area: s("青葉北"),
                condition: self.w("condition-wound"),
                travel: self.w("travel-no"),
                question: s(
                    "仙骨部の褥瘡で、中央が黒くなっています。2日前から滲出液が増えました。切開した方がよいでしょうか。",
                ),
                photos: 2,
            },
            state: OfferState::Open { places: 1, taken: 0 },
            may_advise: true,
            may_visit: true,
            may_hold: true,
            known_device: false,
            pin_problem: None,
            remember: true,
            token: hidden("token-1"),
            once: hidden("once-3"),
        }
    }

    fn end(&self, kind: LinkEndKind) -> LinkEnd {
        LinkEnd { shell: self.shell("/k"), kind, case_no: Some(s("R8-0412")) }
    }

    fn ask(&self, wrong: bool) -> ConsultNew {
        let nav = Nav { asker: true, ..Nav::default() };
        let mut by = self.choices("by-", &["now", "today", "tomorrow_noon", "three_days", "own"], "own");
        for (option, note) in by.options.iter_mut().zip(["", "20日 24時", "21日 12時", "23日 21時", ""])
        {
            option.note = (!note.is_empty()).then(|| s(note));
        }
        let mut view = ConsultNew {
            shell: self.signed_in("/consults/new", "佐藤 健一", nav),
            action: s("/consults"),
            in_name_of: None,
            channel: None,
            notice: wrong.then(|| t(self.lang, "ask-send-again")),
            specialty: self.choices(
                "specialty-",
                &["dermatology", "gynaecology", "psychiatry", "orthopedics"],
                "dermatology",
            ),
            wish: self.choices("wish-", &["advice", "visit"], "advice"),
            answer_by: by,
            own_date: Field { value: s("2026-11-21"), problem: None },
            own_time: Field { value: s("09:00"), problem: None },
            decade: self.choices("decade-", &["60", "70", "80", "90", "100"], "80"),
            sex: self.choices("sex-", &["female", "male", "other"], "female"),
            area: Choices {
                options: vec![Choice { value: s("north"), label: s("青葉北"), note: None, chosen: true }],
                problem: None,
            },
            condition: self.choices("condition-", &["wound", "skin", "pain", "other"], "wound"),
            can_travel: self.choices("travel-", &["no", "with_help", "yes"], "no"),
            question: Field { value: s("切開した方がよいでしょうか。"), problem: None },
            tried: Field::default(),
            patient_ref: Field { value: s("A.K."), problem: None },
            details: Field::default(),
            urgent_phone: s("042-000-1111"),
            once: hidden("once-4"),
        };
        if wrong {
            view.question =
                Field { value: String::new(), problem: Some(t(self.lang, "ask-missing-question")) };
            view.sex.problem = Some(t(self.lang, "ask-missing-sex"));
            view.sex.options.iter_mut().for_each(|o| o.chosen = false);
            view.area.problem = Some(t(self.lang, "ask-missing-area"));
            view.answer_by = self.choices("by-", &["now", "today", "tomorrow_noon", "own"], "now");
            view.answer_by.problem = Some(t(self.lang, "ask-urgent-not-here"));
        }
        view
    }

    fn case(&self) -> CaseView {
        let blind = self.offer().blind;
        CaseView {
            decade: blind.decade,
            sex: blind.sex,
            area: blind.area,
            condition: blind.condition,
            travel: blind.travel,
            question: blind.question,
            tried: s("被覆材を毎日交換しています。\n体位変換は2時間ごとです。"),
            patient_ref: s("A.K.（カルテ 1042）"),
            details: s("糖尿病、アスピリン内服中。ご本人は入院を望んでいません。"),
            destroyed: None,
        }
    }

    fn party(&self, name: &str, place: &str) -> Party {
        Party { name: self.doctor(name), institution: s(place), phone: s("042-000-2222") }
    }

    fn timeline(&self) -> Vec<TimelineItem> {
        [
            ("20日 21時40分", self.w("happened-made")),
            ("20日 21時40分", t_with(self.lang, "word-happened-asked_n", &[("n", "3")])),
            ("20日 21時52分", self.named("happened-declined", &self.doctor("加藤 修"))),
            ("20日 22時03分", self.named("happened-accepted", &self.doctor("伊藤 美咲"))),
        ]
        .into_iter()
        .map(|(at, text)| TimelineItem { at: s(at), text })
        .collect()
    }

    fn answer(&self) -> AnswerView {
        AnswerView {
            at: s("20日 22時20分"),
            by: self.doctor("伊藤 美咲"),
            assessment: s("壊死組織を伴う褥瘡です。感染の徴候は強くありません。"),
            do_now: s("黒い部分は無理に取らず、軟らかくしてから少しずつ除きます。\n軟膏を1日1回。"),
            follow_up: s("3日後に大きさと匂いを見てください。"),
            refer_when: s("発熱、周りの赤みが2cm以上広がるとき。"),
            minutes: 10,
            destroyed: None,
        }
    }

    fn survey(&self) -> SurveyView {
        SurveyView {
            avoided: self.w("avoided-yes"),
            newly_needed: self.w("no"),
            helpful: self.w("helpful-5"),
            in_time: self.w("yes"),
            note: s("夜分にありがとうございました。"),
            destroyed: None,
        }
    }

    /// A closed case after its time of keeping.
    fn erased_page(&self) -> ConsultAsker {
        let day = [("year", "2031"), ("day", "12月1日（月）")];
        let said = || Some(t_with(self.lang, "case-destroyed", &day));
        let page = self.asker_page(2);
        ConsultAsker {
            case: CaseView { area: page.case.area.clone(), destroyed: said(), ..CaseView::default() },
            answer: page.answer.map(|answer| AnswerView {
                at: answer.at,
                by: answer.by,
                minutes: answer.minutes,
                destroyed: said(),
                ..AnswerView::default()
            }),
            survey: page.survey.map(|_| SurveyView { destroyed: said(), ..SurveyView::default() }),
            ..page
        }
    }

    fn asker_page(&self, stage: u8) -> ConsultAsker {
        ConsultAsker {
            shell: self.signed_in("/consults/abc", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            id: s("01jdabc"),
            case_no: s("R8-0412"),
            specialty: self.w("specialty-dermatology"),
            wish: self.w("wish-advice"),
            state: match stage {
                0 => self.line("request-state-open", Tone::Info),
                1 => self.line("request-state-reported", Tone::Good),
                _ => self.line("request-state-closed", Tone::Plain),
            },
            notice: (stage == 0).then(|| t(self.lang, "ask-sent")),
            answer_by: s("11月21日（土）正午"),
            responsible: Responsible {
                name: self.doctor(if stage == 0 { "佐藤 健一" } else { "伊藤 美咲" }),
                since: t_with(self.lang, "word-since", &[("time", "20日 22時03分")]),
            },
            asked: AskedCounts { asked: 3, waiting: 2, declined: 1 },
            next: (stage == 0)
                .then(|| t_with(self.lang, "word-next-wave", &[("time", "22時00分"), ("n", "3")])),
            taker: (stage > 0).then(|| self.party("伊藤 美咲", "青葉皮膚科医院")),
            answer: (stage > 0).then(|| self.answer()),
            survey_form: (stage == 1).then(|| SurveyForm {
                avoided: self.choices("avoided-", &["yes", "no", "unclear"], ""),
                newly_needed: self.choices("", &["yes", "no"], ""),
                helpful: self.choices("helpful-", &["5", "4", "3", "2", "1"], ""),
                in_time: Choices {
                    problem: Some(t(self.lang, "survey-missing")),
                    ..self.choices("", &["yes", "no"], "")
                },
                note: Field::default(),
            }),
            survey: (stage > 1).then(|| self.survey()),
            may_withdraw: stage == 0,
            case: self.case(),
            timeline: self.timeline(),
            once: hidden("once-5"),
        }
    }

    fn taker_page(&self, answered: bool) -> ConsultTaker {
        let missing = Field { value: String::new(), problem: Some(t(self.lang, "answer-missing")) };
        ConsultTaker {
            shell: self.signed_in("/consults/abc", "伊藤 美咲", Nav::default()),
            id: s("01jdabc"),
            case_no: s("R8-0412"),
            specialty: self.w("specialty-dermatology"),
            mode: self.w("terms-advice"),
            state: if answered {
                self.line("request-state-closed", Tone::Plain)
            } else {
                self.line("request-state-taken", Tone::Good)
            },
            notice: (!answered).then(|| t(self.lang, "case-accepted")),
            answer_by: s("11月21日（土）正午"),
            responsible: Responsible {
                name: self.doctor("伊藤 美咲"),
                since: t_with(self.lang, "word-since", &[("time", "20日 22時03分")]),
            },
            asker: self.party("佐藤 健一", "さとう在宅クリニック"),
            case: self.case(),
            answer_form: (!answered).then(|| AnswerForm {
                do_now: missing,
                minutes: Field { value: s("10"), problem: None },
                ..AnswerForm::default()
            }),
            answer: answered.then(|| self.answer()),
            survey: answered.then(|| self.survey()),
            may_release: !answered,
            readable_until: answered.then(|| s("11月21日（土）22時20分")),
            timeline: self.timeline(),
            once: hidden("once-6"),
        }
    }

    fn row(&self, todo: bool) -> ConsultRow {
        ConsultRow {
            href: s("/consults/01jdabc"),
            case_no: s("R8-0412"),
            specialty: self.w("specialty-dermatology"),
            state: if todo {
                self.line("request-state-reported", Tone::Good)
            } else {
                self.line("request-state-open", Tone::Info)
            },
            answer_by: t_with(self.lang, "word-until", &[("time", "11月21日（土）正午")]),
            to_do: todo.then(|| t(self.lang, "mine-do-close")),
        }
    }

    fn mine(&self, full: bool) -> MyConsults {
        MyConsults {
            shell: self.signed_in("/consults", "佐藤 健一", Nav { asker: true, ..Nav::default() }),
            notice: full.then(|| t(self.lang, "case-released")),
            asked: if full { vec![self.row(true), self.row(false)] } else { Vec::new() },
            taken: Vec::new(),
        }
    }

    fn board_row(&self, stuck: bool) -> BoardRow {
        let person = |name: &str, how: (&str, Tone), answer: (&str, Tone)| AskedPerson {
            name: self.doctor(name),
            at: s("21時40分"),
            how: self.line(how.0, how.1),
            answer: self.line(answer.0, answer.1),
        };
        BoardRow {
            href: s("/board/01jdabc"),
            case_no: s(if stuck { "R8-0409" } else { "R8-0412" }),
            specialty: self.w(if stuck { "specialty-psychiatry" } else { "specialty-dermatology" }),
            area: s("青葉北"),
            state: if stuck {
                self.line("request-state-exhausted", Tone::Warn)
            } else {
                self.line("request-state-open", Tone::Info)
            },
            answer_by: s("11月21日（土）正午"),
            asked: vec![
                person("伊藤 美咲", ("attempt-sent", Tone::Plain), ("offer-state-asked", Tone::Info)),
                person("加藤 修", ("attempt-failed", Tone::Bad), ("offer-state-unreachable", Tone::Warn)),
                person("小林 直子", ("attempt-sent", Tone::Plain), ("offer-state-declined", Tone::Plain)),
            ],
            next: (!stuck).then(|| t_with(self.lang, "word-next-wave", &[("time", "22時00分"), ("n", "3")])),
        }
    }

    pub(super) fn office(&self, path: &str) -> Shell {
        self.signed_in(
            path,
            "鈴木 正",
            Nav {
                asker: true,
                board: true,
                ledger: true,
                directory: true,
                people: true,
                sheets: true,
                settings: true,
                totals: true,
                duty: true,
                rota: true,
                transfers: true,
            },
        )
    }

    fn board(&self, full: bool) -> Board {
        Board {
            shell: self.office("/board"),
            alarms: if full {
                vec![Alarm {
                    id: s("a1"),
                    at: s("21時30分"),
                    text: t_with(self.lang, "word-alarm-exhausted", &[("no", "R8-0409")]),
                    href: Some(s("/board/01jdxyz")),
                    once: hidden("once-7"),
                }]
            } else {
                Vec::new()
            },
            rows: if full { vec![self.board_row(true), self.board_row(false)] } else { Vec::new() },
        }
    }

    fn board_request(&self) -> BoardRequest {
        BoardRequest {
            shell: self.office("/board/01jdabc"),
            id: s("01jdabc"),
            row: self.board_row(false),
            asker: self.party("佐藤 健一", "さとう在宅クリニック"),
            responsible: Responsible { name: self.doctor("佐藤 健一"), since: s("21時40分") },
            timeline: self.timeline(),
            may_withdraw: true,
            problem: Some(t(self.lang, "board-withdraw-reason-missing")),
            once: hidden("once-8"),
        }
    }

    /// Every page, by name.
    fn all(&self) -> Vec<(String, String)> {
        let mut pages = vec![
            ("home", render(&self.home())),
            (
                "home-large",
                render(&Home {
                    shell: Shell { text_size: TextSize::ExtraLarge, ..self.office("/") },
                    rules: true,
                    left: true,
                    not_set_up: false,
                    recoveries: 1,
                    phones: vec![(s("/people/01jdabc"), self.doctor("加藤 修"))],
                }),
            ),
            ("demo", render(&self.demo())),
            ("mailbox", render(&self.mailbox(true))),
            ("mailbox-empty", render(&self.mailbox(false))),
            ("mail", render(&self.mail(MailTab::Text))),
            ("mail-source", render(&self.mail(MailTab::Source))),
            ("sign-in", render(&self.sign_in(false))),
            ("sign-in-wrong", render(&self.sign_in(true))),
            ("sign-in-sent", render(&SignInSent { shell: self.shell("/sign-in"), minutes: 10 })),
            (
                "sign-in-device",
                render(&DeviceSignIn {
                    shell: self.shell("/sign-in"),
                    person_name: self.doctor("伊藤 美咲"),
                    pin_problem: Some(PinProblem::WrongOnDevice),
                    once: hidden("once-3"),
                }),
            ),
            ("link-entry", render(&LinkEntry { shell: self.shell("/k"), code: Field::default() })),
            (
                "link-entry-wrong",
                render(&LinkEntry {
                    shell: self.shell("/k"),
                    code: Field {
                        value: s("7F3K"),
                        problem: Some(t(self.lang, "link-entry-code-malformed")),
                    },
                }),
            ),
            ("offer", render(&self.offer())),
            ("offer-known", render(&LinkOffer { known_device: true, may_visit: false, ..self.offer() })),
            (
                "offer-wrong-pin",
                render(&LinkOffer {
                    pin_problem: Some(PinProblem::Wrong { tries_left: 4 }),
                    state: OfferState::HeldByYou { until: s("22時15分") },
                    may_hold: false,
                    ..self.offer()
                }),
            ),
            (
                "offer-two-places",
                render(&LinkOffer {
                    state: OfferState::Open { places: 2, taken: 1 },
                    pin_problem: Some(PinProblem::Missing),
                    shell: Shell { text_size: TextSize::ExtraLarge, ..self.shell("/k") },
                    ..self.offer()
                }),
            ),
            (
                "link-sign-in",
                render(&LinkSignIn {
                    shell: self.shell("/k"),
                    person_name: self.doctor("伊藤 美咲"),
                    pin_problem: Some(PinProblem::Malformed),
                    remember: true,
                    token: hidden("token-2"),
                    once: hidden("once-9"),
                }),
            ),
            ("ask", render(&self.ask(false))),
            ("ask-wrong", render(&self.ask(true))),
            ("asker-open", render(&self.asker_page(0))),
            ("asker-answered", render(&self.asker_page(1))),
            ("asker-closed", render(&self.asker_page(2))),
            ("asker-erased", render(&self.erased_page())),
            ("taker", render(&self.taker_page(false))),
            ("taker-closed", render(&self.taker_page(true))),
            (
                "unlock",
                render(&ConsultUnlock {
                    shell: self.signed_in("/consults/01jdabc", "伊藤 美咲", Nav::default()),
                    id: s("01jdabc"),
                    case_no: s("R8-0412"),
                    person_name: self.doctor("伊藤 美咲"),
                    notice: Some(t(self.lang, "case-accepted")),
                    pin_problem: None,
                    once: hidden("once-10"),
                }),
            ),
            ("mine", render(&self.mine(true))),
            ("mine-empty", render(&self.mine(false))),
            ("board", render(&self.board(true))),
            ("board-empty", render(&self.board(false))),
            ("board-request", render(&self.board_request())),
            ("ledger", render(&self.ledger(true))),
            ("ledger-empty", render(&self.ledger(false))),
            ("ledger-statement", render(&self.ledger_statement(true))),
            ("ledger-statement-draft", render(&self.ledger_statement(false))),
            ("ledger-correct", render(&self.ledger_correct())),
            ("ledger-paper", render(&self.ledger_paper(true))),
            ("ledger-paper-draft", render(&self.ledger_paper(false))),
            ("ledger-letter", render(&self.ledger_letters(true))),
            ("ledger-letter-empty", render(&self.ledger_letters(false))),
            ("ledger-chasers", render(&self.ledger_chasers(true))),
            ("ledger-chasers-empty", render(&self.ledger_chasers(false))),
            ("ledger-year", render(&self.ledger_year(true))),
            ("ledger-year-empty", render(&self.ledger_year(false))),
            ("ledger-evidence", render(&self.ledger_evidence())),
            ("ledger-tariffs", render(&self.ledger_tariffs(true))),
            ("ledger-tariffs-read", render(&self.ledger_tariffs(false))),
            (
                "problem",
                render(&ProblemPage {
                    shell: self.shell("/problems/stale"),
                    name: s("stale"),
                    status: 409,
                    title: t(self.lang, "message-changed-title"),
                    what_to_do: t(self.lang, "message-changed-text"),
                }),
            ),
        ]
        .into_iter()
        .map(|(name, page)| (s(name), page))
        .collect::<Vec<_>>();
        let at = || s("11月20日（金）22時03分");
        for (name, kind) in [
            ("taken", LinkEndKind::TakenByAnother),
            ("accepted", LinkEndKind::AcceptedByYou { at: at(), href: s("/consults/01jdabc") }),
            ("declined", LinkEndKind::DeclinedByYou { at: at() }),
            ("released", LinkEndKind::ReleasedByYou { at: at() }),
            ("wishes", LinkEndKind::WishesWritten),
            ("expired", LinkEndKind::Expired),
            ("withdrawn", LinkEndKind::Withdrawn),
            ("used", LinkEndKind::SignInUsed),
            ("unknown", LinkEndKind::Unknown),
            ("locked", LinkEndKind::PinLocked),
            ("rule", LinkEndKind::RefusedByRule { why: self.w("rule-monthly_cap") }),
        ] {
            pages.push((format!("end-{name}"), render(&self.end(kind))));
        }
        for kind in MessageKind::ALL {
            let name = format!("message-{kind:?}").to_lowercase();
            pages.push((name, render(&self.message(kind))));
        }
        for more in [
            signin::pages,
            people::pages,
            directory::pages,
            duties::pages,
            covers::pages,
            transfers::pages,
            contacts::pages,
            cards::pages,
            pillars::pages,
            records::pages,
            paper::pages,
            rota::pages,
            sheets::pages,
            setup::pages,
            calls::pages,
        ] {
            pages.extend(more(self));
        }
        pages
    }
}

fn every_page() -> Vec<(String, Lang, String)> {
    [Lang::Ja, Lang::En]
        .into_iter()
        .flat_map(|lang| {
            Maker { lang }
                .all()
                .into_iter()
                .map(move |(name, page)| (format!("{name}.{}", lang.tag()), lang, page))
        })
        .collect()
}

#[test]
fn every_page_keeps_the_promises_of_all_pages() {
    for (name, lang, page) in every_page() {
        assert!(page.starts_with("<!DOCTYPE html>"), "{name} was not drawn");
        assert_eq!(page.matches("<h1").count(), 1, "{name}: one heading");
        assert!(page.contains(&format!("<html lang=\"{}\"", lang.tag())), "{name}: language");
        assert!(page.contains("href=\"tel:0420000000\"") && page.contains("042-000-0000"), "{name}: office");
        // The name of the header by which a page asks whether it is still new.
        let shown = page.replace("If-None-Match", "");
        for trace in ["None", "Some(", "{{", "{%", "Hidden(", "***", "{ $"] {
            assert!(!shown.contains(trace), "{name} shows {trace}");
        }
        for inline in
            [" style=", "<style", " onclick", " onload", "javascript:", "hx-on", "http://www.", "https://"]
        {
            assert!(!page.contains(inline), "{name} carries {inline}");
        }
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" src=\"/assets/") && script.contains("></script>"),
                "{name}: {script}"
            );
        }
        for form in page.split("<form").skip(1) {
            let (head, _) = form.split_once('>').unwrap();
            let (body, _) = form.split_once("</form>").unwrap();
            if head.contains("role=\"search\" method=\"get\"") {
                assert!(!body.contains("csrf") && head.contains("action=\"/"), "{name}: {head}");
                continue;
            }
            assert!(head.contains("method=\"post\"") && head.contains("action=\"/"), "{name}: {head}");
            assert!(
                body.contains("name=\"csrf\" value=\"csrf-1\""),
                "{name}: a form without its token: {head}"
            );
        }
    }
}

#[test]
fn no_text_is_missing_from_a_page() {
    let known = crate::i18n::keys(Lang::Ja);
    for (name, _, page) in every_page() {
        for key in &known {
            assert!(!key.contains('-') || !page.contains(&format!(">{key}<")), "{name} shows the key {key}");
        }
        for prefix in [">word-", ">shell-", ">part-", ">offer-", ">case-", ">message-", ">link-", ">board-"] {
            assert!(!page.contains(prefix), "{name} shows a missing text: {prefix}");
        }
    }
}

#[test]
fn every_label_and_description_points_to_something_and_no_id_stands_twice() {
    for (name, _, page) in every_page() {
        let ids: Vec<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let known: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "{name}: {ids:?}");
        for attribute in [" for=\"", "aria-labelledby=\"", "aria-describedby=\"", "href=\"#"] {
            for rest in page.split(attribute).skip(1) {
                for id in rest.split('"').next().unwrap().split(' ') {
                    assert!(known.contains(id), "{name}: {attribute}{id}");
                }
            }
        }
    }
}

#[test]
fn nothing_typed_by_people_becomes_markup() {
    let maker = Maker { lang: Lang::Ja };
    let mut offer = maker.offer();
    offer.blind.question = s("<script>alert(1)</script>\" onfocus=\"x");
    let page = render(&offer);
    assert!(!page.contains("<script>alert") && !page.contains("\" onfocus"), "{page}");
    let mut ask = maker.ask(false);
    ask.question.value = s("</textarea><b>");
    assert!(!render(&ask).contains("</textarea><b>"));
}

#[test]
fn a_night_page_with_its_style_weighs_less_than_thirty_kilobytes() {
    let style = crate::web::ui::assets::asset(crate::web::ui::assets::asset_url("app.css")).unwrap().1.len();
    for (name, _, page) in every_page() {
        if ["offer", "end-", "link-", "home", "sign-in", "message"].iter().any(|p| name.starts_with(p)) {
            assert!(page.len() + style <= 30_000, "{name}: {} + {style} bytes", page.len());
        }
    }
}

#[test]
fn before_acceptance_nobody_is_named_and_no_answer_is_pressed_by_the_enter_key() {
    let page = render(&Maker { lang: Lang::Ja }.offer());
    for secret in ["佐藤", "さとう在宅", "A.K.", "042-000-2222", "アスピリン", "被覆材"] {
        assert!(!page.contains(secret), "{secret}");
    }
    let answer = page.split("action=\"/k/answer\"").nth(1).unwrap();
    let first = answer.find("<button").unwrap();
    assert!(answer[first..].starts_with("<button type=\"submit\" disabled hidden>"));
    assert!(!page.contains("autofocus"));
}

#[test]
fn the_live_part_of_the_board_is_the_same_as_in_the_page() {
    let board = Maker { lang: Lang::Ja }.board(true);
    let live = board.render_live();
    assert!(live.trim().starts_with("<div id=\"live\""), "{live}");
    assert!(render(&board).contains(live.trim()));
}

#[test]
fn a_link_in_a_mail_ends_where_its_letters_end() {
    let maker = Maker { lang: Lang::Ja };
    let mut mail = maker.mail(MailTab::Text);
    mail.body = s("見る https://a.example/k#Ab-_9。あと<http://b.example/>も");
    let links: Vec<_> = mail.parts().into_iter().filter(|p| matches!(p, MailPart::Link(_))).collect();
    assert_eq!(links, [MailPart::Link("https://a.example/k#Ab-_9"), MailPart::Link("http://b.example/")]);
    mail.body = s("番号のみ");
    assert_eq!(mail.first_link(), None);
}

#[test]
fn every_role_and_every_scope_of_a_key_has_its_word() {
    let known = crate::i18n::keys(Lang::Ja);
    for scope in crate::app::access::Scope::ALL {
        assert!(known.contains(&format!("word-scope-{}", scope.code())), "{scope:?}");
    }
    for role in crate::domain::people::Role::ALL {
        assert!(known.contains(&format!("word-role-{}", role.code())), "{role:?}");
    }
}

#[test]
fn sentences_on_the_pages_are_short_enough_to_read_at_night() {
    for line in include_str!("../../../../i18n/ja/pages.ftl").lines() {
        let Some((key, text)) = line.split_once(" = ") else { continue };
        for sentence in text.split(['。', '（', '）']) {
            assert!(sentence.chars().count() <= 40, "{key}: {sentence}");
        }
    }
}

/// Writes every sample where a browser can look at it: into `samples` below the target folder.
#[test]
fn every_sample_stands_in_a_folder_to_look_at() {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| s("target"));
    let dir = std::path::Path::new(&target).join("samples");
    std::fs::create_dir_all(dir.join("assets")).unwrap();
    for (name, _, page) in every_page() {
        std::fs::write(dir.join(format!("{name}.html")), page).unwrap();
    }
    for name in crate::web::ui::assets::names() {
        let url = crate::web::ui::assets::asset_url(name);
        std::fs::write(dir.join(url.trim_start_matches('/')), crate::web::ui::assets::asset(url).unwrap().1)
            .unwrap();
    }
    assert!(dir.join("home-ja.html").exists() || std::fs::read_dir(&dir).unwrap().count() > 50);
}
