//! A sheet of people, each with their institution in the same row.

use std::collections::HashMap;

use super::cells::{Cells, put, put_kana, put_number};
use super::header::{find_heading, is_remark};
use super::houses::{Houses, kind_code, kind_of_name, name_of, new_house, place_of_new};
use super::plan::{
    CellProblem, Diff, InstitutionOf, NewHouse, Note, Outcome, Plan, PlannedRow, Reason, Target,
};
use super::values::{
    day, day_kanji, email, fold_name, hours, hours_text, institution_code, line, mark, narrow, number,
    same_text, ways, weekdays, words,
};
use super::{Column, Kind, MemberDraft, MemberNow, Table, World};
use crate::domain::calendar::era_date;
use crate::domain::people::entry::Way;
use crate::domain::people::{Role, SpecialtyOffer};

/// The members there are, to be looked up.
struct People<'a> {
    all: &'a [MemberNow],
    by_no: HashMap<&'a str, usize>,
    by_bare_no: HashMap<&'a str, Vec<usize>>,
    by_name: HashMap<String, Vec<usize>>,
    by_email: HashMap<String, Vec<usize>>,
}

fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A number without the zeros a spreadsheet may have dropped.
fn bare(no: &str) -> &str {
    no.trim_start_matches('0')
}

impl<'a> People<'a> {
    fn new(all: &'a [MemberNow]) -> Self {
        let mut people = Self {
            all,
            by_no: HashMap::new(),
            by_bare_no: HashMap::new(),
            by_name: HashMap::new(),
            by_email: HashMap::new(),
        };
        for (at, member) in all.iter().enumerate() {
            let draft = &member.draft;
            if !draft.member_no.is_empty() {
                people.by_no.insert(&draft.member_no, at);
                people.by_bare_no.entry(bare(&draft.member_no)).or_default().push(at);
            }
            people.by_name.entry(fold_name(&draft.name)).or_default().push(at);
            if let Some(email) = &draft.email {
                people.by_email.entry(email_key(email)).or_default().push(at);
            }
        }
        people
    }

    fn of(&self, found: Option<&Vec<usize>>) -> Vec<&'a MemberNow> {
        found.into_iter().flatten().filter_map(|at| self.all.get(*at)).collect()
    }

    fn numbered(&self, no: &str) -> Option<&'a MemberNow> {
        if let Some(found) = self.by_no.get(no).and_then(|at| self.all.get(*at)) {
            return Some(found);
        }
        let is_number = !no.is_empty() && no.bytes().all(|b| b.is_ascii_digit());
        let found = self.by_bare_no.get(bare(no)).filter(|found| is_number && found.len() == 1)?;
        found.first().and_then(|at| self.all.get(*at))
    }
}

/// Who a row says somebody is.
struct Who<'r> {
    no: &'r str,
    name: &'r str,
    kana: &'r str,
    email: &'r str,
    /// `None`: the sheet says nothing about where they work.
    house: Option<&'r InstitutionOf>,
}

impl Who<'_> {
    fn reads_like(&self, kana: &str) -> bool {
        self.kana.is_empty() || kana.is_empty() || fold_name(self.kana) == fold_name(kana)
    }

    /// Whether nothing at all of a person fits: a row that has slipped to another number.
    fn is_somebody_else(&self, draft: &MemberDraft) -> bool {
        let parts = |name: &str| name.split_whitespace().map(fold_name).collect::<Vec<_>>();
        let (ours, theirs) = (parts(self.name), parts(&draft.name));
        let share_a_name = ours.iter().any(|part| theirs.contains(part));
        let same_kana = !self.kana.is_empty() && fold_name(self.kana) == fold_name(&draft.kana);
        let same_mail = draft.email.as_deref().is_some_and(|e| email_key(e) == email_key(self.email));
        fold_name(self.name) != fold_name(&draft.name) && !share_a_name && !same_kana && !same_mail
    }

    fn find<'a>(&self, people: &People<'a>) -> Result<Option<&'a MemberNow>, (Column, Reason)> {
        if let Some(found) = people.numbered(self.no) {
            let other = self.is_somebody_else(&found.draft);
            return if other { Err((Column::MemberNo, Reason::OtherName)) } else { Ok(Some(found)) };
        }
        let named = people.of(people.by_name.get(&fold_name(self.name)));
        let mut named: Vec<_> = named.into_iter().filter(|m| self.reads_like(&m.draft.kana)).collect();
        if let Some(house) = self.house {
            named.retain(|m| m.draft.institution == *house);
        }
        match named.as_slice() {
            [] => {}
            [one] if self.no.is_empty() || one.draft.member_no.is_empty() => return Ok(Some(one)),
            [_] => return Err((Column::MemberNo, Reason::Ambiguous)),
            _ => return Err((Column::Name, Reason::Ambiguous)),
        }
        if self.email.is_empty() {
            return Ok(None);
        }
        let mailed = people.of(people.by_email.get(&email_key(self.email)));
        let same_name = |m: &&MemberNow| {
            let same_kana = !self.kana.is_empty() && fold_name(self.kana) == fold_name(&m.draft.kana);
            (fold_name(&m.draft.name) == fold_name(self.name) || same_kana)
                && (self.no.is_empty() || m.draft.member_no.is_empty())
        };
        match mailed.iter().copied().filter(|m| same_name(m)).collect::<Vec<_>>().as_slice() {
            [one] => Ok(Some(one)),
            // Colleagues may share a mailbox: whoever has a number of their own is somebody of their own.
            [] if mailed.len() == 1 && self.no.is_empty() => Err((Column::Email, Reason::OtherName)),
            [] => Ok(None),
            _ => Err((Column::Email, Reason::Ambiguous)),
        }
    }
}

/// What would be done with a sheet of members.
#[must_use]
pub fn plan_members(table: &Table, world: &World) -> Plan {
    let Some(heading) = find_heading(Kind::Members, table) else {
        return Plan::unreadable(Kind::Members);
    };
    let (people, houses) = (People::new(&world.members), Houses::new(&world.institutions));
    let mut plan = Plan {
        heading: Some(heading.row),
        columns: heading.columns.clone(),
        ..Plan::unreadable(Kind::Members)
    };
    plan.passed_over = table.rows.iter().take(heading.data_from).map(|r| r.number).collect();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for row in table.rows.iter().skip(heading.data_from) {
        let mut cells = Cells::new(&heading, row);
        let nameless = cells.raw(Column::Name).is_none() && row.filled() <= 2;
        if heading.repeats(row) || is_remark(row) || nameless {
            plan.passed_over.push(row.number);
            continue;
        }
        let label = cells.raw(Column::Name).map(line).unwrap_or_default();
        let mut keys = Vec::new();
        let mut outcome =
            one(&mut cells, row.number, &people, &houses, world, &mut plan.new_institutions, &mut keys);
        if let Some(first) = keys.iter().find_map(|key| seen.get(key)) {
            let value = first.to_string();
            outcome = Outcome::Refused(vec![CellProblem { column: None, value, reason: Reason::Twice }]);
        }
        for key in keys {
            seen.entry(key).or_insert(row.number);
        }
        plan.rows.push(PlannedRow { row: row.number, label, outcome, notes: cells.notes });
    }
    plan.settle();
    plan
}

/// Where a row says somebody works; `None` where it does not say.
fn house_of(
    cells: &mut Cells<'_>,
    row: u32,
    houses: &Houses<'_>,
    new: &mut Vec<NewHouse>,
    kind: Option<&str>,
) -> Option<InstitutionOf> {
    let name = cells.line(Column::Institution);
    let code = cells.code(Column::InstitutionCode, institution_code);
    let area = cells.line(Column::Area);
    if name.is_none() && code.is_none() {
        return None;
    }
    let (code, name) = (code.unwrap_or_default(), name.unwrap_or_default());
    match houses.find(&code, &name, area.as_deref()) {
        Err(reason) => {
            cells.wrong(Column::Institution, reason);
            None
        }
        Ok(Some(found)) => {
            if !name.is_empty() && fold_name(&found.draft.name) != fold_name(&name) {
                cells.notes.push(Note::OtherInstitutionName(found.draft.name.clone()));
            }
            if found.draft.code.is_empty() && !code.is_empty() {
                cells.notes.push(Note::NotUsed(Column::InstitutionCode, code));
            }
            Some(InstitutionOf::There(found.id.clone()))
        }
        Ok(None) if name.is_empty() => {
            cells.wrong(Column::InstitutionCode, Reason::NoInstitution);
            None
        }
        Ok(None) => {
            let at = place_of_new(new, &code, &name).unwrap_or_else(|| {
                let draft = new_house(&code, &name, kind.map(str::to_owned), area.clone());
                cells.notes.push(Note::NewInstitution(draft.name.clone()));
                if kind.is_none() {
                    cells.notes.push(Note::KindGuessed(draft.kind.clone()));
                }
                new.push(NewHouse { row, draft });
                new.len() - 1
            });
            // A later row may say what an earlier one left out.
            if let Some(house) = new.get_mut(at) {
                if house.draft.area.is_empty() {
                    house.draft.area = area.unwrap_or_default();
                }
                if house.draft.code.is_empty() {
                    house.draft.code = code;
                }
                if house.draft.area.is_empty() {
                    cells.wrong(Column::Area, Reason::AreaNeeded);
                }
            }
            Some(InstitutionOf::New(at))
        }
    }
}

/// Roles as offices call them, beside the names on our pages.
const ROLES: &[(&str, Role)] = &[
    ("医師", Role::Physician),
    ("会員", Role::Physician),
    ("主治医", Role::Physician),
    ("かかりつけ医", Role::Physician),
    ("協力医師", Role::Specialist),
    ("専門医", Role::Specialist),
    ("相談医", Role::Specialist),
    ("訪看", Role::NurseStation),
    ("訪問看護", Role::NurseStation),
    ("看護師", Role::NurseStation),
    ("訪問看護師", Role::NurseStation),
    ("ケアマネ", Role::CareOffice),
    ("ケアマネジャー", Role::CareOffice),
    ("ケアマネージャー", Role::CareOffice),
    ("介護支援専門員", Role::CareOffice),
    ("居宅", Role::CareOffice),
    ("行政", Role::CityObserver),
    ("市", Role::CityObserver),
    ("事務", Role::Clerk),
    ("事務員", Role::Clerk),
    ("世話人", Role::Coordinator),
    ("コーディネーター", Role::Coordinator),
    ("理事", Role::Officer),
];

fn role(text: &str, world: &World) -> Option<Role> {
    let folded = fold_name(text);
    let known = world.words.roles.iter().find(|(name, _)| fold_name(name) == folded).map(|(_, role)| *role);
    known.or_else(|| ROLES.iter().find(|(name, _)| fold_name(name) == folded).map(|(_, role)| *role))
}

fn roles(text: &str, world: &World) -> Result<Vec<Role>, Reason> {
    // 市（合計のみ）holds no sign that parts words, but a name may: whole first.
    let all = match role(text, world) {
        Some(one) => vec![one],
        None => words(text)
            .iter()
            .map(|word| role(word, world).ok_or(Reason::NotAChoice))
            .collect::<Result<Vec<_>, _>>()?,
    };
    if all.is_empty() { Err(Reason::NotAChoice) } else { Ok(all) }
}

/// What somebody does who works at a place of this kind.
fn usual_role(kind: &str) -> Role {
    match kind {
        "nursing_station" => Role::NurseStation,
        "care_office" => Role::CareOffice,
        "public_office" => Role::CityObserver,
        _ => Role::Physician,
    }
}

fn sorted(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn one(
    cells: &mut Cells<'_>,
    row: u32,
    people: &People<'_>,
    houses: &Houses<'_>,
    world: &World,
    new: &mut Vec<NewHouse>,
    keys: &mut Vec<String>,
) -> Outcome {
    let name = cells.line(Column::Name);
    if name.is_none() && cells.problems.is_empty() {
        cells.wrong(Column::Name, Reason::Missing);
    }
    let name = name.unwrap_or_default();
    let kana = cells.line(Column::Kana);
    let no = cells.take(Column::MemberNo, |text| {
        let no = narrow(text);
        if no.chars().count() > 40 { Err(Reason::TooLong) } else { Ok(no) }
    });
    let mail = cells.take(Column::Email, email);
    // 区分 says what the place is or what the person does; A会員 and the like say nothing to us.
    let category = cells.raw(Column::Category);
    let kind = category.and_then(|text| kind_code(text, &world.words));
    let role_of_category = category.and_then(|text| role(text, world)).filter(|_| kind.is_none());
    if let Some(text) = category
        && kind.is_none()
        && role_of_category.is_none()
    {
        cells.notes.push(Note::NotUsed(Column::Category, line(text)));
    }
    let house = house_of(cells, row, houses, new, kind.as_deref());
    let who = Who {
        no: no.as_deref().unwrap_or_default(),
        name: &name,
        kana: kana.as_deref().unwrap_or_default(),
        email: mail.as_deref().unwrap_or_default(),
        house: house.as_ref(),
    };
    let now = match who.find(people) {
        Ok(now) => now,
        Err((column, reason)) => {
            cells.wrong(column, reason);
            None
        }
    };
    match now {
        Some(now) => keys.push(format!("id:{}", now.id)),
        None => {
            if !who.no.is_empty() {
                keys.push(format!("no:{}", who.no));
            }
            let place = who.house.map(|h| format!("{h:?}")).unwrap_or_default();
            keys.push(format!("name:{}:{}:{place}", fold_name(&name), fold_name(who.kana)));
        }
    }
    if let Some(now) = now
        && fold_name(&now.draft.name) != fold_name(&name)
    {
        cells.notes.push(Note::NameChanges(now.draft.name.clone()));
    }
    let mut draft = now.map(|now| now.draft.clone()).unwrap_or_default();
    let roles_before = draft.roles.clone();
    put(&mut draft.name, Some(name).filter(|n| !n.is_empty()));
    put_kana(&mut draft.kana, kana);
    if let Some(no) = no
        && (draft.member_no.is_empty() || bare(&draft.member_no) != bare(&no))
    {
        draft.member_no = no;
    }
    if let Some(mail) = mail
        && draft.email.as_deref().is_none_or(|old| email_key(old) != email_key(&mail))
    {
        draft.email = Some(mail);
    }
    let phone = cells.phone(Column::Phone);
    put_number(&mut draft.phone, phone);
    let fax = cells.phone(Column::Fax);
    put_number(&mut draft.fax, fax);
    if let Some(house) = house {
        draft.institution = house;
    }
    let kind_of_house = match &draft.institution {
        InstitutionOf::There(id) => world
            .institutions
            .iter()
            .find(|h| h.id == *id)
            .map_or_else(|| "clinic".to_owned(), |h| h.draft.kind.clone()),
        InstitutionOf::New(n) => new.get(*n).map_or_else(|| "clinic".to_owned(), |h| h.draft.kind.clone()),
        InstitutionOf::None => kind_of_name("").to_owned(),
    };
    let said_roles = cells.take(Column::Roles, |text| roles(text, world));
    if let Some(said) = said_roles.or(role_of_category.map(|r| vec![r])) {
        if said.iter().any(|r| r.is_office() && !roles_before.contains(r)) {
            cells.wrong(Column::Roles, Reason::OfficeRole);
        }
        let office = roles_before.iter().copied().filter(|r| r.is_office());
        let said = sorted(said.into_iter().chain(office).collect());
        if said != sorted(roles_before) {
            draft.roles = said;
        }
    } else if draft.roles.is_empty() {
        draft.roles = vec![usual_role(&kind_of_house)];
    }
    specialties(cells, &mut draft, world);
    profile(cells, &mut draft);
    if !cells.problems.is_empty() {
        return Outcome::Refused(std::mem::take(&mut cells.problems));
    }
    let to = |draft| Target::Member(Box::new(draft));
    match now {
        None => Outcome::Add(to(draft)),
        Some(now) if now.draft == draft => Outcome::Same,
        Some(now) => Outcome::Change {
            id: now.id.to_string(),
            revision: now.revision,
            diffs: diffs(&now.draft, &draft, world, new),
            to: to(draft),
        },
    }
}

/// 診療科, 往診, 曜日, 時間: what a specialist (協力医) volunteers for.
fn specialties(cells: &mut Cells<'_>, draft: &mut MemberDraft, world: &World) {
    if !draft.roles.contains(&Role::Specialist) {
        if let Some(text) = cells.raw(Column::Specialties) {
            cells.notes.push(Note::NotUsed(Column::Specialties, line(text)));
        }
        return;
    }
    let codes = cells.take(Column::Specialties, |text| {
        words(text)
            .iter()
            .map(|word| {
                let folded = fold_name(word);
                let found = world.words.specialties.iter().find(|(name, _)| fold_name(name) == folded);
                found.map(|(_, code)| code.clone()).ok_or(Reason::NotAChoice)
            })
            .collect::<Result<Vec<_>, _>>()
    });
    if let Some(codes) = codes {
        let before = std::mem::take(&mut draft.specialties);
        for code in codes {
            if draft.specialties.iter().all(|offer| offer.specialty != code) {
                let kept = before.iter().find(|offer| offer.specialty == code).cloned();
                draft.specialties.push(kept.unwrap_or(SpecialtyOffer {
                    specialty: code,
                    visits: false,
                    areas: Vec::new(),
                    days: Vec::new(),
                    from_min: 0,
                    to_min: 0,
                    monthly_cap: None,
                }));
            }
        }
        // As they are kept: in the order of their codes.
        draft.specialties.sort_by(|a, b| a.specialty.cmp(&b.specialty));
    }
    let (visits, days, hours) = (
        cells.take(Column::Visits, mark),
        cells.take(Column::Weekdays, weekdays),
        cells.take(Column::Hours, hours),
    );
    for offer in &mut draft.specialties {
        if let Some(visits) = visits {
            offer.visits = visits;
        }
        if let Some(days) = &days {
            offer.days.clone_from(days);
        }
        if let Some((from, to)) = hours {
            (offer.from_min, offer.to_min) = (from, to);
        }
    }
}

fn profile(cells: &mut Cells<'_>, draft: &mut MemberDraft) {
    let profile = &mut draft.profile;
    if let Some(ways) = cells.take(Column::Ways, ways) {
        profile.ways = ways;
    }
    if let Some(day) = cells.take(Column::Joined, day) {
        draft.joined = Some(day);
    }
    for (column, flag) in [
        (Column::PhoneOnly, &mut profile.duty.phone_only),
        (Column::NoDeepNight, &mut profile.duty.no_deep_night),
        (Column::Exempt, &mut profile.duty.exempt),
    ] {
        if let Some(yes) = cells.take(column, mark) {
            *flag = yes;
        }
    }
    if let Some(most) = cells.take(Column::MaxPerMonth, number) {
        profile.duty.max_per_month = Some(most);
    }
    put(&mut profile.note, cells.lines(Column::Note));
}

/// What all of a list have in common; `None` where they differ or there are none.
fn common<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// What a sheet says in a column about a member.
pub(super) fn said(draft: &MemberDraft, column: Column, world: &World, new: &[NewHouse]) -> String {
    let yes = |is: bool| if is { "○" } else { "×" }.to_owned();
    let house = |get: fn(&super::InstitutionDraft) -> &str| match &draft.institution {
        InstitutionOf::There(id) => world
            .institutions
            .iter()
            .find(|h| h.id == *id)
            .map(|h| get(&h.draft).to_owned())
            .unwrap_or_default(),
        _ => String::new(),
    };
    let offers = || draft.specialties.iter();
    match column {
        Column::MemberNo => draft.member_no.clone(),
        Column::Name => draft.name.clone(),
        Column::Kana => draft.kana.clone(),
        Column::Institution => name_of(&draft.institution, &world.institutions, new),
        Column::InstitutionCode => house(|h| &h.code),
        Column::Area => house(|h| &h.area),
        Column::Category => {
            let kind = house(|h| &h.kind);
            let word = world.words.kinds.iter().find(|(_, code)| *code == kind);
            word.map_or(kind.clone(), |(name, _)| name.clone())
        }
        Column::Roles => draft
            .roles
            .iter()
            .filter_map(|role| world.words.roles.iter().find(|(_, r)| r == role))
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join("、"),
        Column::Specialties => offers()
            .map(|offer| {
                let word = world.words.specialties.iter().find(|(_, code)| *code == offer.specialty);
                word.map_or_else(|| offer.specialty.clone(), |(name, _)| name.clone())
            })
            .collect::<Vec<_>>()
            .join("、"),
        Column::Visits => common(offers().map(|o| o.visits)).map(yes).unwrap_or_default(),
        Column::Weekdays => match common(offers().map(|o| &o.days)) {
            None => String::new(),
            Some(days) if days.is_empty() => "毎日".to_owned(),
            Some(days) => days.iter().map(|d| day_kanji(*d).to_string()).collect::<Vec<_>>().join("・"),
        },
        Column::Hours => common(offers().map(|o| (o.from_min, o.to_min)))
            .map(|(f, t)| hours_text(f, t))
            .unwrap_or_default(),
        Column::Phone => draft.phone.clone().unwrap_or_default(),
        Column::Fax => draft.fax.clone().unwrap_or_default(),
        Column::Email => draft.email.clone().unwrap_or_default(),
        Column::Ways => draft
            .profile
            .ways
            .iter()
            .map(|way| match way {
                Way::Mail => "メール",
                Way::Phone => "電話",
                Way::Fax => "FAX",
            })
            .collect::<Vec<_>>()
            .join("、"),
        Column::Joined => draft.joined.map(era_date).unwrap_or_default(),
        Column::PhoneOnly => yes(draft.profile.duty.phone_only),
        Column::NoDeepNight => yes(draft.profile.duty.no_deep_night),
        Column::MaxPerMonth => draft.profile.duty.max_per_month.map(|n| n.to_string()).unwrap_or_default(),
        Column::Exempt => yes(draft.profile.duty.exempt),
        Column::Note => draft.profile.note.clone(),
        _ => String::new(),
    }
}

fn diffs(old: &MemberDraft, new: &MemberDraft, world: &World, houses: &[NewHouse]) -> Vec<Diff> {
    let said_of = |draft: &MemberDraft, column| said(draft, column, world, houses);
    let follows = [Column::InstitutionCode, Column::Area, Column::Category];
    let columns = Kind::Members.columns().iter().filter(|column| !follows.contains(column));
    columns
        .map(|column| Diff { column: *column, old: said_of(old, *column), new: said_of(new, *column) })
        .filter(|diff| !same_text(&diff.old, &diff.new))
        .collect()
}
