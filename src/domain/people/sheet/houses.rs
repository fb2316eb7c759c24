//! Institutions as rows name them: by code, else by name; new ones where there is none.

use std::collections::HashMap;

use super::plan::{NewHouse, Reason};
use super::values::{fold_name, same_text};
use super::{InstitutionDraft, InstitutionNow, InstitutionOf, Words};

/// The institutions there are, to be looked up.
pub(super) struct Houses<'a> {
    all: &'a [InstitutionNow],
    by_code: HashMap<&'a str, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

/// Names of places are said with and without these.
fn fold_house(name: &str) -> String {
    let folded = fold_name(name);
    let mut plain = folded.as_str();
    for head in [
        "医療法人社団",
        "医療法人財団",
        "医療法人",
        "社会福祉法人",
        "一般社団法人",
        "株式会社",
        "有限会社",
        "合同会社",
    ] {
        // A corporation's own name stands behind its kind, the clinic's name behind a blank that is gone now:
        // only the kind itself is taken off.
        plain = plain.strip_prefix(head).unwrap_or(plain);
    }
    if plain.is_empty() { folded } else { plain.to_owned() }
}

impl<'a> Houses<'a> {
    pub fn new(all: &'a [InstitutionNow]) -> Self {
        let mut by_code = HashMap::new();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, house) in all.iter().enumerate() {
            if !house.draft.code.is_empty() {
                by_code.insert(house.draft.code.as_str(), at);
            }
            by_name.entry(fold_house(&house.draft.name)).or_default().push(at);
        }
        Self { all, by_code, by_name }
    }

    pub fn coded(&self, code: &str) -> Option<&'a InstitutionNow> {
        self.by_code.get(code).and_then(|at| self.all.get(*at))
    }

    /// Those of this name.
    pub fn named(&self, name: &str) -> Vec<&'a InstitutionNow> {
        let found = self.by_name.get(&fold_house(name)).map(Vec::as_slice).unwrap_or_default();
        let all: Vec<_> = found.iter().filter_map(|at| self.all.get(*at)).collect();
        let exact: Vec<_> = all.iter().copied().filter(|h| same_text(&h.draft.name, name)).collect();
        if exact.len() == 1 { exact } else { all }
    }

    /// The one that a code and a name (either may be empty) stand for.
    pub fn find(
        &self,
        code: &str,
        name: &str,
        area: Option<&str>,
    ) -> Result<Option<&'a InstitutionNow>, Reason> {
        if !code.is_empty()
            && let Some(found) = self.coded(code)
        {
            return Ok(Some(found));
        }
        if name.is_empty() {
            return Ok(None);
        }
        let mut found = self.named(name);
        if !code.is_empty() {
            // Known under another code: a branch of the same name. Known without one: it gets this one.
            found.retain(|h| h.draft.code.is_empty());
        }
        if found.len() > 1
            && let Some(area) = area
        {
            found.retain(|h| same_text(&h.draft.area, area));
        }
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Reason::Ambiguous),
        }
    }
}

/// Where the new institution of this code and name stands among those that will be made.
pub(super) fn place_of_new(houses: &[NewHouse], code: &str, name: &str) -> Option<usize> {
    let folded = fold_house(name);
    houses.iter().position(|house| {
        let same_name = fold_house(&house.draft.name) == folded;
        if code.is_empty() || house.draft.code.is_empty() { same_name } else { house.draft.code == code }
    })
}

/// What a name says about the kind of a place.
pub(super) fn kind_of_name(name: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if says(&["訪問看護", "看護ステーション"]) {
        "nursing_station"
    } else if says(&["薬局", "ファーマシー", "薬品"]) {
        "pharmacy"
    } else if says(&["歯科", "デンタル"]) {
        "dental_clinic"
    } else if says(&["居宅介護", "ケアプラン", "ケアマネ", "介護支援"]) {
        "care_office"
    } else if says(&["老人保健", "老健"]) {
        "geriatric_facility"
    } else if says(&["病院", "医療センター"]) {
        "hospital"
    } else if says(&["医師会"]) {
        "association"
    } else if says(&["市役所", "区役所", "町役場", "保健所", "保健センター"]) {
        "public_office"
    } else {
        "clinic"
    }
}

/// Kinds as offices call them, beside the names on our pages.
const KINDS: &[(&str, &str)] = &[
    ("クリニック", "clinic"),
    ("医院", "clinic"),
    ("無床診療所", "clinic"),
    ("内科", "clinic"),
    ("有床", "clinic_with_beds"),
    ("在支診", "home_care_clinic"),
    ("機能強化型在支診", "home_care_clinic"),
    ("在宅療養支援", "home_care_clinic"),
    ("在支病", "home_care_hospital"),
    ("老健", "geriatric_facility"),
    ("介護老人保健施設", "geriatric_facility"),
    ("在宅医療相談窓口", "liaison_room"),
    ("連携室", "liaison_room"),
    ("支援室", "liaison_room"),
    ("訪看", "nursing_station"),
    ("訪問看護", "nursing_station"),
    ("訪問看護ステーション", "nursing_station"),
    ("薬局", "pharmacy"),
    ("調剤薬局", "pharmacy"),
    ("歯科", "dental_clinic"),
    ("歯科医院", "dental_clinic"),
    ("歯科診療所", "dental_clinic"),
    ("居宅", "care_office"),
    ("居宅介護支援", "care_office"),
    ("居宅介護支援事業所", "care_office"),
    ("ケアマネ", "care_office"),
    ("往診会社", "visit_company"),
    ("行政", "public_office"),
    ("市役所", "public_office"),
    ("地区医師会", "association"),
];

/// The kind that a text names.
pub(super) fn kind_code(text: &str, words: &Words) -> Option<String> {
    let folded = fold_name(text);
    let known = words.kinds.iter().find(|(name, _)| fold_name(name) == folded).map(|(_, code)| code.clone());
    known.or_else(|| {
        KINDS.iter().find(|(name, _)| fold_name(name) == folded).map(|(_, code)| (*code).to_owned())
    })
}

/// The institution a row of people needs, when there is none.
pub(super) fn new_house(
    code: &str,
    name: &str,
    kind: Option<String>,
    area: Option<String>,
) -> InstitutionDraft {
    InstitutionDraft {
        name: name.to_owned(),
        kind: kind.unwrap_or_else(|| kind_of_name(name).to_owned()),
        area: area.unwrap_or_default(),
        code: code.to_owned(),
        ..InstitutionDraft::default()
    }
}

/// The name of the institution of a member, for a page.
pub(super) fn name_of(of: &InstitutionOf, all: &[InstitutionNow], new: &[NewHouse]) -> String {
    match of {
        InstitutionOf::None => String::new(),
        InstitutionOf::There(id) => {
            all.iter().find(|h| h.id == *id).map(|h| h.draft.name.clone()).unwrap_or_default()
        }
        InstitutionOf::New(n) => new.get(*n).map(|h| h.draft.name.clone()).unwrap_or_default(),
    }
}
