//! Paper, feeds and sheets of the rota: all say the same person, other people's programs read what is written, and
//! files of offices come in.

mod feeds;
mod files;
mod quarter;
mod same;
mod sheets;
mod shell;

use touban::app::people::NewMember;
use touban::app::rota::publish::{Breaches, NewPublication, Published};
use touban::app::{App, Who};
use touban::domain::calendar::CivilDate;
use touban::domain::people::Role;
use touban::domain::rota::{Area, Assignment, Holder};
use touban::ids::{AssociationId, MemberId};
use touban::seal::Pin;
use touban::time::Millis;

use crate::support::{PIN, add_institution, new_member};

/// The doctors whom the sample sheets name, each with a clinic of their own; two of one family name.
pub const DOCTORS: [(&str, &str, &str); 12] = [
    ("青木 一郎", "アオキ イチロウ", "青木医院"),
    ("上田 健", "ウエダ ケン", "上田内科クリニック"),
    ("榎本 清子", "エノモト キヨコ", "榎本クリニック"),
    ("大野 誠", "オオノ マコト", "大野医院"),
    ("伊藤 美咲", "イトウ ミサキ", "伊藤クリニック"),
    ("小林 修", "コバヤシ オサム", "小林内科"),
    ("木村 直子", "キムラ ナオコ", "木村医院"),
    ("髙橋 隆", "タカハシ タカシ", "桜町医院"),
    ("鈴木 裕子", "スズキ ユウコ", "泉クリニック"),
    ("渡邊 恵", "ワタナベ メグミ", "緑町クリニック"),
    ("佐藤 健一", "サトウ ケンイチ", "楓クリニック"),
    ("佐藤 花子", "サトウ ハナコ", "柏クリニック"),
];

pub fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

pub fn at(text: &str) -> Millis {
    Millis::parse_rfc3339(text).unwrap()
}

/// The one area that an association begins with.
pub fn all() -> Area {
    "all".parse().unwrap()
}

/// Adds [`DOCTORS`].
pub async fn doctors(app: &App, association: &AssociationId) -> Vec<Holder> {
    let who = Who::cli(association);
    let mut doctors = Vec::new();
    for (n, (name, kana, clinic)) in DOCTORS.into_iter().enumerate() {
        let institution = add_institution(app, association, clinic).await;
        let new = new_member(name, &institution, Role::Physician, Vec::new());
        let new = NewMember { kana: kana.to_owned(), ..new };
        // Two of them sign in.
        let pin = (n < 2).then(|| Pin::parse(PIN).unwrap());
        let person: MemberId = app.member_add(&who, new, pin.as_ref(), None).await.unwrap().into_inner();
        doctors.push(Holder { person, institution });
    }
    doctors
}

/// Publishes every slot of some days, the doctors in turn; `recorded_at`: as history.
pub async fn publish(
    app: &App,
    association: &AssociationId,
    doctors: &[Holder],
    (first, last): (&str, &str),
    recorded_at: Option<Millis>,
) {
    let world = app.rota_world(association).await.unwrap();
    let (mut duties, mut n) = (Vec::new(), 0);
    for slot in world.slots(&all(), day(first), day(last)) {
        for role in &slot.roles {
            duties.push(Assignment {
                area: all(),
                slot: slot.key.clone(),
                role: *role,
                window: slot.window,
                holder: doctors[n % doctors.len()].clone(),
            });
            n += 5;
        }
    }
    let new = NewPublication {
        area: all(),
        period: world.period(day(first), day(last)).unwrap(),
        assignments: duties,
        recorded_at,
        breaches: Breaches::Accept,
        note: String::new(),
    };
    let published = app.rota_import(&Who::cli(association), new, None).await.unwrap();
    assert!(matches!(published, Published::Done { .. }), "{published:?}");
}

/// What another program makes of some bytes; it ends with an error when it does not like them.
pub fn reader(program: &str, bytes: &[u8]) -> serde_json::Value {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let python = std::env::var("TOUBAN_READERS_PYTHON")
        .expect("TOUBAN_READERS_PYTHON is not set: run `scripts/test it`, which installs the readers");
    let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers");
    let interpreter = if program.ends_with(".py") { python.as_str() } else { "node" };
    let mut child = Command::new(interpreter)
        .arg(place.join(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}
