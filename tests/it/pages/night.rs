//! The settings of the night number as the office posts them: limits, ceiling, hidden numbers, lines and codes.

use touban::app::call::settings::InstitutionCalls;
use touban::domain::call::LegId;
use touban::domain::call::policy::Limits;
use touban::domain::people::Role;
use touban::seal::Pin;

use super::browser::{Browser, Page, Town};
use crate::support::{PIN, TestOffice, add_institution, new_member, telephone};

const NIGHT: &str = "042-000-0099";
const SETTINGS: &str = "/settings/calls";

/// What the office types for a clinic and a visiting-nursing station; everything of it can be taken.
struct Form {
    clinic: String,
    station: String,
    fields: Vec<(String, String)>,
}

impl Form {
    fn of(town: &Town, station: &str) -> Self {
        let clinic = town.office.clinic.to_string();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = vec![
            field("numbers", NIGHT),
            field("report_by", "１０:30"),
            field("per_line", "４"),
            field("hidden", "0"),
            field("in_use", "12"),
            field("month_minutes", "3000"),
            field(&format!("code_{clinic}"), "12"),
            field(&format!("forwarded_{clinic}"), "042-000-0098"),
            field(&format!("own_{clinic}"), "yes"),
            field(&format!("code_{station}"), "7301"),
            field(&format!("lines_{station}"), "042-000-5000、042-000-5001"),
        ];
        Self { clinic, station: station.to_owned(), fields }
    }

    /// Sent with one field changed.
    async fn sent(&self, office: &Browser, page: &Page, change: Option<(&str, &str)>) -> (Vec<String>, Page) {
        let name = |name: &str| name.replace("CLINIC", &self.clinic).replace("STATION", &self.station);
        let mut typed = self.fields.clone();
        if let Some((field, value)) = change {
            let field = name(field);
            typed.retain(|(name, _)| *name != field);
            typed.push((field, value.to_owned()));
        }
        let fields: Vec<(&str, &str)> = typed.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let values = typed.iter().map(|(_, value)| value.clone()).filter(|value| value != "yes").collect();
        (values, office.submit(page, SETTINGS, &fields).await)
    }
}

/// A town with a visiting-nursing station, and the browser of whoever sets the office up.
pub async fn town() -> (Town, String, Browser) {
    let town = Town::generous(TestOffice::sqlite().await).await;
    let (app, home) = (&town.office.app, &town.office.association);
    let station = add_institution(app, home, "青葉訪問看護").await.to_string();
    let new = new_member("管理 司", &town.office.clinic, Role::Administrator, vec![]);
    let pin = Pin::parse(PIN).unwrap();
    let office = app.member_add(&town.office.cli(), new, Some(&pin), None).await.unwrap().into_inner();
    let browser = town.signed_in(&office).await;
    (town, station, browser)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_office_sets_for_the_night_number_counts() {
    let (town, station, office) = town().await;
    let (app, home) = (&town.office.app, &town.office.association);
    let form = Form::of(&town, &station);
    let page = office.get(SETTINGS).await;
    let (_, saved) = form.sent(&office, &page, None).await;
    assert_eq!(saved.path.split('?').next(), Some("/settings"), "{}", saved.text());
    let (revision, set) = app.call_settings(home).await.unwrap();
    assert_eq!(revision, 1);
    assert_eq!(set.numbers, [telephone(NIGHT)]);
    assert_eq!(set.report_by_min, Some(630));
    assert_eq!(
        set.limits,
        Limits {
            calls_per_line_hour: 4,
            hidden_per_hour: 0,
            lines_in_use: 12,
            minutes_per_month: Some(3_000)
        }
    );
    let clinic = InstitutionCalls {
        code: "12".into(),
        forwarded: Some(telephone("042-000-0098")),
        own_line: true,
        ..InstitutionCalls::default()
    };
    assert_eq!(set.institutions.get(&town.office.clinic), Some(&clinic));
    let lines = set.institutions.iter().find(|(id, _)| id.as_str() == station).map(|(_, i)| i.lines.clone());
    assert_eq!(lines, Some(vec![telephone("042-000-5000"), telephone("042-000-5001")]));

    // Nobody without a number is let in now; the station's second line is known.
    let stage_of = async |from: &str, leg: &str| {
        assert!(app.call_comes_in(&LegId::inbound(leg), (from, NIGHT), "1").await.unwrap());
        app.calls_page(home, "", 100).await.unwrap().last().unwrap().row.stage.clone()
    };
    assert_eq!(stage_of("anonymous", "SIP/1").await, "refused");
    town.office.clock.advance_s(1);
    assert_eq!(stage_of("0420005001", "SIP/2").await, "identifying");

    // The page shows what is set; an empty ceiling is none, and a line that is taken out is gone.
    let page = office.get(SETTINGS).await;
    for value in ["10:30", "3000", "0420005000 0420005001"] {
        assert!(page.body.contains(&format!("value=\"{value}\"")), "{value} in {}", page.body);
    }
    form.sent(&office, &page, Some(("month_minutes", " "))).await;
    assert_eq!(app.call_settings(home).await.unwrap().1.limits.minutes_per_month, None);
    let page = office.get(SETTINGS).await;
    form.sent(&office, &page, Some(("lines_STATION", ""))).await;
    let (_, set) = app.call_settings(home).await.unwrap();
    assert_eq!((set.numbers, set.limits.minutes_per_month), (vec![telephone(NIGHT)], Some(3_000)));
    assert!(set.institutions.values().all(|i| i.lines.is_empty()), "{:?}", set.institutions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_said_beside_its_field_and_everything_typed_stays() {
    let (town, station, office) = town().await;
    let (app, home) = (&town.office.app, &town.office.association);
    let form = Form::of(&town, &station);
    let page = office.get(SETTINGS).await;
    let number = "電話番号として読めないものがあります";
    let limit = "歯止めは数で書いてください";
    let code = "コードは 2 桁から 8 桁の数字で";
    let cases = [
        ("numbers", "042-000-0099 事務局", number),
        ("report_by", "24:00", "報告のしめきりは 09:00 のように"),
        ("report_by", "", "報告のしめきりは 09:00 のように"),
        ("per_line", "0", limit),
        ("per_line", "五", limit),
        ("hidden", "-1", limit),
        ("hidden", "", limit),
        ("in_use", "201", limit),
        ("month_minutes", "100001", limit),
        ("month_minutes", "0", limit),
        ("code_CLINIC", "1", code),
        ("code_CLINIC", "12a", code),
        ("code_STATION", "12", code),
        ("lines_STATION", "代表 042-000-5000", number),
        ("forwarded_CLINIC", "内線 3", number),
        ("forwarded_CLINIC", "042-000-0098 042-000-0097", number),
    ];
    for (field, value, words) in cases {
        let (typed, wrong) = form.sent(&office, &page, Some((field, value))).await;
        wrong.says(words);
        let id = field.replace("CLINIC", &form.clinic).replace("STATION", &form.station);
        assert!(wrong.body.contains(&format!("id=\"{id}-problem\"")), "{field} {value}: {}", wrong.body);
        for value in &typed {
            assert!(wrong.body.contains(&format!("value=\"{value}\"")), "{field}: {value} in {}", wrong.body);
        }
        let kept = format!("name=\"own_{}\" value=\"yes\" checked", form.clinic);
        assert!(wrong.body.contains(&kept), "{field}: {kept} in {}", wrong.body);
    }
    assert_eq!(app.call_settings(home).await.unwrap().0, 0, "nothing of it was taken");

    // The corrected page is sent as any other.
    let (_, wrong) = form.sent(&office, &page, Some(("in_use", "0"))).await;
    let (_, saved) = form.sent(&office, &wrong, None).await;
    assert_eq!(saved.path.split('?').next(), Some("/settings"), "{}", saved.text());
    assert_eq!(app.call_settings(home).await.unwrap().1.limits.lines_in_use, 12);

    // Somebody else saved meanwhile: it is said, and sent again it counts.
    let (_, late) = form.sent(&office, &page, Some(("in_use", "9"))).await;
    late.says("ほかの方が設定を変えました");
    assert!(late.body.contains("value=\"9\""), "{}", late.body);
    assert_eq!(app.call_settings(home).await.unwrap().1.limits.lines_in_use, 12);
    form.sent(&office, &late, Some(("in_use", "9"))).await;
    assert_eq!(app.call_settings(home).await.unwrap().1.limits.lines_in_use, 9);

    let english = office.submit(&office.get(SETTINGS).await, "/lang", &[("lang", "en")]).await;
    assert_eq!(english.status, 200);
    let page = office.get(SETTINGS).await;
    let (_, wrong) = form.sent(&office, &page, Some(("hidden", "many"))).await;
    wrong.says("Write the limits as numbers");
    // Neither the clerk nor a doctor sets anything of it.
    for person in [&town.office.clerk, &town.office.asker] {
        let other = town.signed_in(person).await;
        let mut fields = form.fields.clone();
        fields.push(("csrf".to_owned(), other.any_token().await));
        fields.push(("revision".to_owned(), "2".to_owned()));
        assert_eq!(other.send(SETTINGS, &fields).await.status, 404);
    }
    assert_eq!(app.call_settings(home).await.unwrap().0, 2);
}
