//! From bytes to people and back: on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use touban::app::people::NewMember;
use touban::app::rows::Member;
use touban::app::sheets::{Applied, Confirm, Undone};
use touban::app::{App, AppError, Who};
use touban::domain::people::Role;
use touban::domain::people::sheet::{Column, Counts, Kind, Outcome, Plan, Reason, Table};
use touban::export::sheet::{LIMITS, csv_shift_jis, csv_utf8, read, write_xlsx};
use touban::i18n::Lang;
use touban::ids::{MemberId, SheetRunId};
use touban::store::{Faults, StoreError};

use super::fixtures::{people, stored};
use crate::readers::saved_by_libreoffice;
use crate::support::{TestOffice, add_institution, new_member, on_both};

on_both! {
    eighty_people_come_in_and_a_season_later_what_changed,
    what_came_in_goes_back_unless_somebody_used_it,
    a_change_meanwhile_refuses_the_whole_sheet,
    a_failure_half_way_leaves_nothing,
    what_is_taken_out_comes_in_without_a_change,
    the_yearly_list_of_contact_windows_comes_in_goes_back_and_out_again,
}

pub fn table(bytes: &[u8]) -> Table {
    read(bytes, "", &LIMITS, &AtomicBool::new(false)).unwrap()
}

fn clerk(office: &TestOffice) -> Who {
    Who::member(&office.association, &office.clerk)
}

async fn look(office: &TestOffice, kind: Kind, bytes: &[u8]) -> (SheetRunId, Plan, String) {
    let who = clerk(office);
    let id = office.app.sheet_read(&who, kind, table(bytes), None).await.unwrap();
    let view = office.app.sheet_run(&who, &id, Lang::Ja).await.unwrap();
    (id, view.plan.unwrap(), view.digest)
}

async fn confirm(office: &TestOffice, id: &SheetRunId, digest: &str) -> Result<Applied, AppError> {
    let confirm = Confirm { digest: digest.to_owned(), leave_out: true };
    Ok(office.app.sheet_confirm(&clerk(office), id, confirm, None).await?.into_inner())
}

async fn take_in(office: &TestOffice, kind: Kind, bytes: &[u8]) -> (SheetRunId, Counts) {
    let (id, _, digest) = look(office, kind, bytes).await;
    match confirm(office, &id, &digest).await.unwrap() {
        Applied::Done(counts) => (id, counts),
        other => panic!("{other:?}"),
    }
}

async fn everybody(office: &TestOffice) -> Vec<Member> {
    let all = office.app.members(&office.association, "", 500).await.unwrap();
    all.into_iter().map(|(member, _)| member).collect()
}

async fn by_no(office: &TestOffice, no: &str) -> Member {
    everybody(office).await.into_iter().find(|m| m.member_no == no && m.left_at.is_none()).unwrap()
}

async fn phone_of(office: &TestOffice, member: &Member) -> String {
    let at = ("member", "phone", member.id.as_str());
    let shown = office.app.number_shown(&office.association, at, member.phone.as_deref()).await;
    shown.unwrap().unwrap_or_default()
}

fn problems(plan: &Plan) -> Vec<(u32, Option<Column>, Reason)> {
    let mut found = Vec::new();
    for row in &plan.rows {
        if let Outcome::Refused(problems) = &row.outcome {
            found.extend(problems.iter().map(|p| (row.row, p.column, p.reason)));
        }
    }
    found
}

async fn eighty_people_come_in_and_a_season_later_what_changed(office: TestOffice) {
    let before = everybody(&office).await.len();
    let (id, plan, digest) = look(&office, Kind::Members, &stored("members.xlsx")).await;
    assert_eq!(problems(&plan), []);
    let wanted = Counts { added: 80, new_institutions: 40, ..Counts::default() };
    assert_eq!(plan.counts(), wanted);
    let unused: Vec<&str> =
        plan.columns.iter().filter(|c| c.column.is_none()).map(|c| c.header.as_str()).collect();
    assert_eq!(unused, ["血液型"]);
    assert_eq!(everybody(&office).await.len(), before, "looking changes nobody");
    assert_eq!(confirm(&office, &id, &digest).await.unwrap(), Applied::Done(wanted));
    assert_eq!(everybody(&office).await.len(), before + 80);
    for person in people() {
        let member = by_no(&office, &person.no.to_string()).await;
        assert_eq!((&member.name, &member.kana), (&person.name, &person.kana));
        let digits = |text: &str| text.replace('-', "");
        assert_eq!(digits(&phone_of(&office, &member).await), digits(&person.phone), "{}", person.no);
        assert_eq!(member.email.as_deref(), Some(person.email.as_str()));
        assert_eq!(member.active_from.rfc3339().get(..16), Some("2023-03-31T15:00"), "midnight in Tokyo");
        let house = office.app.institution(&office.association, &member.institution.unwrap()).await.unwrap();
        assert_eq!(
            (&house.name, &house.code, house.area.as_str()),
            (&person.clinic, &person.code, person.area)
        );
        let role = if person.kind.starts_with("訪問看護") { Role::NurseStation } else { Role::Physician };
        assert_eq!(member.roles, [role]);
    }
    assert!(
        matches!(confirm(&office, &id, &digest).await, Err(AppError::ChangedMeanwhile)),
        "once is enough"
    );
    let (_, again, _) = look(&office, Kind::Members, &stored("members.xlsx")).await;
    assert_eq!(
        again.counts(),
        Counts { same: 80, ..Counts::default() },
        "the same file again changes nothing"
    );

    let (id, plan, digest) = look(&office, Kind::Members, &stored("members-later.csv")).await;
    assert_eq!(
        problems(&plan),
        [
            (23, Some(Column::Phone), Reason::NotAPhone),
            (33, Some(Column::Roles), Reason::OfficeRole),
            (34, Some(Column::Roles), Reason::NotAChoice),
            (84, None, Reason::Twice),
        ]
    );
    let wanted = Counts { added: 2, changed: 10, same: 66, refused: 4, new_institutions: 1 };
    assert_eq!(plan.counts(), wanted);
    let careful = Confirm { digest: digest.clone(), leave_out: false };
    let kept = office.app.sheet_confirm(&clerk(&office), &id, careful, None).await.unwrap().into_inner();
    assert_eq!(kept, Applied::HasRefused(wanted), "nothing is left out that nobody left out");
    assert_eq!(everybody(&office).await.len(), before + 80);
    assert_eq!(confirm(&office, &id, &digest).await.unwrap(), Applied::Done(wanted));
    assert_eq!(phone_of(&office, &by_no(&office, "1011").await).await, "090-1111-0010");
    assert_eq!(by_no(&office, "1003").await.name, "渡辺 健一");
    assert_eq!(by_no(&office, "1002").await.profile.note, "①班、髙﨑先生の後任");
    assert_eq!(by_no(&office, "1081").await.name, "髙﨑 ①郎");
    let specialist = by_no(&office, "1001").await;
    assert_eq!(specialist.roles, [Role::Specialist]);
    assert_eq!(by_no(&office, "1080").await.left_at, None, "whoever is missing in a sheet stays");
    let (_, again, _) = look(&office, Kind::Members, &stored("members-later.csv")).await;
    let left = Counts { same: 78, refused: 4, ..Counts::default() };
    assert_eq!(again.counts(), left, "{:?}", problems(&again));
    assert!(office.app.verify().await.unwrap().problems.is_empty());
}

async fn what_came_in_goes_back_unless_somebody_used_it(office: TestOffice) {
    let who = clerk(&office);
    let (first, _) = take_in(&office, Kind::Members, &stored("members.xlsx")).await;
    let before: Vec<_> = everybody(&office).await;
    let (later, _) = take_in(&office, Kind::Members, &stored("members-later.csv")).await;
    let undone = office.app.sheet_undo(&who, &later, None).await.unwrap();
    assert_eq!(undone, Undone::Done { put_back: 10, removed: 3, kept: 0 });
    let after = everybody(&office).await;
    assert_eq!(before.len(), after.len());
    for (was, is) in before.iter().zip(&after) {
        let plain = |m: &Member| (m.name.clone(), m.roles.clone(), m.profile.clone(), m.institution.clone());
        assert_eq!(plain(was), plain(is));
        assert_eq!(phone_of(&office, was).await, phone_of(&office, is).await);
    }
    assert_eq!(office.app.sheet_undo(&who, &later, None).await.unwrap(), Undone::Over, "once");
    // The first import is now two changes old: what it added was changed and put back since.
    assert_eq!(office.app.sheet_undo(&who, &first, None).await.unwrap(), Undone::Changed);
    assert_eq!(everybody(&office).await.len(), after.len());

    let own = "氏名,所属,地区\r\n新田 一,新町医院,青葉南\r\n新田 二,新町医院,青葉南\r\n";
    let (id, counts) = take_in(&office, Kind::Members, own.as_bytes()).await;
    assert_eq!(counts.added, 2);
    let used = everybody(&office).await.into_iter().find(|m| m.name == "新田 一").unwrap();
    let pin = touban::seal::Pin::parse("4821").unwrap();
    office.app.pin_set(&who, &used.id, &pin, None).await.unwrap();
    let undone = office.app.sheet_undo(&who, &id, None).await.unwrap();
    assert_eq!(undone, Undone::Done { put_back: 0, removed: 1, kept: 2 }, "their clinic stays with who left");
    let left = office.app.member(&office.association, &used.id).await.unwrap();
    assert!(left.left_at.is_some());
    assert!(everybody(&office).await.iter().all(|m| m.name != "新田 二"));

    let (id, _) =
        take_in(&office, Kind::Members, "氏名,所属\r\n新田 三,さとう内科クリニック\r\n".as_bytes()).await;
    office.clock.advance_s(8 * 86_400);
    assert_eq!(office.app.sheet_undo(&who, &id, None).await.unwrap(), Undone::Over, "a week is over");
    assert!(office.app.verify().await.unwrap().problems.is_empty());
}

async fn change_phone(office: &TestOffice, id: &MemberId) {
    let member = office.app.member(&office.association, id).await.unwrap();
    let new = NewMember {
        name: member.name,
        institution: member.institution,
        email: member.email,
        phone: Some("042-999-0000".into()),
        roles: member.roles,
        member_no: member.member_no,
        profile: member.profile,
        ..NewMember::default()
    };
    office.app.member_change(&clerk(office), id, member.revision, new, None).await.unwrap();
}

async fn a_change_meanwhile_refuses_the_whole_sheet(office: TestOffice) {
    take_in(&office, Kind::Members, &stored("members.xlsx")).await;
    let (id, _, digest) = look(&office, Kind::Members, &stored("members-later.csv")).await;
    change_phone(&office, &by_no(&office, "1012").await.id).await;
    assert!(matches!(confirm(&office, &id, &digest).await, Err(AppError::ChangedMeanwhile)));
    assert!(everybody(&office).await.iter().all(|m| m.member_no != "1081"));
    // Looked at again, it is another plan, and that one is taken.
    let view = office.app.sheet_run(&clerk(&office), &id, Lang::En).await.unwrap();
    assert_ne!(view.digest, digest);
    assert!(matches!(confirm(&office, &id, &view.digest).await, Ok(Applied::Done(_))));
    // What waits too long is gone.
    let (id, _, digest) = look(&office, Kind::Members, &stored("members.xlsx")).await;
    office.clock.advance_s(86_401);
    office.app.housekeeping().await.unwrap();
    assert!(matches!(confirm(&office, &id, &digest).await, Err(AppError::ChangedMeanwhile)));
    assert!(office.app.sheet_run(&clerk(&office), &id, Lang::Ja).await.unwrap().plan.is_none());
}

/// Crashes before the n-th statement of the runs that follow.
#[derive(Debug, Default)]
struct CrashAt {
    at: usize,
    seen: AtomicUsize,
}

impl Faults for CrashAt {
    fn crash_before(&self, _: &'static str) -> bool {
        self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at
    }

    fn crash_after_commit(&self) -> bool {
        false
    }
}

async fn a_failure_half_way_leaves_nothing(office: TestOffice) {
    let before = everybody(&office).await;
    let institutions = office.app.institutions(&office.association, "", 500).await.unwrap().len();
    let (id, _, digest) = look(&office, Kind::Members, &stored("members.xlsx")).await;
    let app = |at| {
        let mut app: App = office.app.clone();
        app.db = app.db.with_faults(Arc::new(CrashAt { at, ..CrashAt::default() }));
        app
    };
    let mut crashes = 0;
    for at in [2, 7, 40, 200, 700, 1_200] {
        let confirm = Confirm { digest: digest.clone(), leave_out: true };
        let done = app(at).sheet_confirm(&clerk(&office), &id, confirm, None).await;
        match done {
            Err(AppError::Store(StoreError::Crashed { .. })) => crashes += 1,
            Ok(_) => break,
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(everybody(&office).await, before, "crashed before statement {at}");
        assert_eq!(office.app.institutions(&office.association, "", 500).await.unwrap().len(), institutions);
    }
    assert!(crashes >= 4, "only {crashes} crashes: the statements are fewer than this test thinks");
}

async fn what_is_taken_out_comes_in_without_a_change(office: TestOffice) {
    take_in(&office, Kind::Members, &stored("members.xlsx")).await;
    take_in(&office, Kind::Members, &stored("members-later.csv")).await;
    // Texts that begin as a formula does, and one of nobody's house.
    let who = clerk(&office);
    let place = add_institution(&office.app, &office.association, "=HYPERLINK(\"x\")医院").await;
    let mut odd =
        new_member("＝名前　次郎", &place, Role::Specialist, vec![crate::support::dermatology(true)]);
    odd.profile.note = "-1行目\n@2行目, \"引用\"".into();
    odd.name = "＝名前 次郎".into();
    odd.member_no = "0007".into();
    odd.profile.duty.max_per_month = Some(2);
    office.app.member_add(&who, odd, None, None).await.unwrap();
    for kind in Kind::ALL {
        for lang in [Lang::Ja, Lang::En] {
            let out = office.app.sheet_export(&who, kind, lang).await.unwrap();
            let mut files =
                vec![write_xlsx(&out).unwrap(), csv_utf8(&out), csv_shift_jis(&out, false).unwrap()];
            if office.app.db.is_sqlite() && lang == Lang::Ja {
                // Opened and saved again by whoever corrects something in it; the second as whoever opens a CSV
                // and keeps its numbers as they are written.
                let as_text: Vec<String> = (1..=out.columns.len()).map(|n| format!("{n}/2")).collect();
                let as_text = format!("--infilter=CSV:44,34,76,1,{}", as_text.join("/"));
                files.push(saved_by_libreoffice(&files[0], "xlsx", "xlsx", &[]));
                files.push(saved_by_libreoffice(&files[1], "csv", "xlsx", &[&as_text]));
            }
            for (n, bytes) in files.iter().enumerate() {
                let (_, plan, _) = look(&office, kind, bytes).await;
                let rows = u32::try_from(out.rows.len()).unwrap();
                let wanted = Counts { same: rows, ..Counts::default() };
                let changed: Vec<_> = plan
                    .rows
                    .iter()
                    .filter_map(|r| match &r.outcome {
                        Outcome::Change { diffs, .. } => {
                            let said = |d: &touban::domain::people::sheet::Diff| {
                                format!("{:?} {} -> {}", d.column, d.old, d.new)
                            };
                            Some((r.row, diffs.iter().map(said).collect::<Vec<_>>()))
                        }
                        _ => None,
                    })
                    .collect();
                assert_eq!(
                    plan.counts(),
                    wanted,
                    "{kind:?} {lang:?} file {n}: {changed:?} {:?}",
                    problems(&plan)
                );
            }
        }
    }
}

async fn the_yearly_list_of_contact_windows_comes_in_goes_back_and_out_again(office: TestOffice) {
    take_in(&office, Kind::Members, &stored("members.xlsx")).await;
    let doctor = by_no(&office, "1011").await;
    let (home, who) = (&office.association, clerk(&office));
    let year = office.app.fiscal_year_now(home).await.unwrap();
    let now = async || office.app.contact_windows(home, &doctor.id, year).await.unwrap().windows;
    let csv = |title: &str, hours: &str| {
        let text = format!(
            "{title}\r\n会員番号,医師名,方法,曜日,時間,備考\r\n\
             1011,{name},電話・FAX,月・水,{hours},\r\n,,来院,金,終日,前日までに\r\n",
            name = doctor.name
        );
        encoding_rs::SHIFT_JIS.encode(&text).0.into_owned()
    };
    let title = format!("{}　ケアマネタイム一覧", year.long());
    let (first, counts) = take_in(&office, Kind::Windows, &csv(&title, "１２：３０～１３：３０")).await;
    assert_eq!(counts, Counts { added: 1, ..Counts::default() });
    let windows = now().await;
    assert_eq!(windows.len(), 3);
    assert_eq!((windows[0].from_min, windows[0].to_min), (750, 810));
    // The same list again changes nothing; another one changes this doctor alone.
    let (_, again, _) = look(&office, Kind::Windows, &csv(&title, "12:30-13:30")).await;
    assert_eq!(again.counts(), Counts { same: 1, ..Counts::default() });
    let (later, counts) = take_in(&office, Kind::Windows, &csv(&title, "9時～10時")).await;
    assert_eq!(counts, Counts { changed: 1, ..Counts::default() });
    assert_eq!(now().await[0].from_min, 540);
    let undone = office.app.sheet_undo(&who, &later, None).await.unwrap();
    assert_eq!(undone, Undone::Done { put_back: 1, removed: 0, kept: 0 });
    assert_eq!(now().await, windows);
    // What is changed by hand since is not put back over.
    let hand = office.app.contact_windows(home, &doctor.id, year).await.unwrap();
    office
        .app
        .contact_windows_put(&who, &doctor.id, (year, hand.revision), windows[..1].to_vec(), None)
        .await
        .unwrap();
    assert_eq!(office.app.sheet_undo(&who, &first, None).await.unwrap(), Undone::Changed);
    assert_eq!(now().await.len(), 1);

    // Taken out it comes in again without a change; with the next year in its title it is the next year's.
    let out = office.app.sheet_export(&who, Kind::Windows, Lang::Ja).await.unwrap();
    assert!(out.title.contains(&year.long()), "{}", out.title);
    for bytes in [write_xlsx(&out).unwrap(), csv_utf8(&out), csv_shift_jis(&out, false).unwrap()] {
        let (_, plan, _) = look(&office, Kind::Windows, &bytes).await;
        assert_eq!(plan.counts(), Counts { same: 1, ..Counts::default() }, "{:?}", problems(&plan));
    }
    let next = touban::domain::calendar::FiscalYear::beginning_in(year.first_year() + 1).unwrap();
    let title = format!("{}　ケアマネタイム一覧", next.long());
    take_in(&office, Kind::Windows, &csv(&title, "9時～10時")).await;
    assert_eq!(now().await.len(), 1, "this year stays");
    assert_eq!(office.app.contact_windows(home, &doctor.id, next).await.unwrap().windows.len(), 3);
}
