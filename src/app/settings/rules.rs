//! The rules of the association's people (エチケットブック): versions, and who has acknowledged which.

use serde_json::json;

use crate::app::access::note;
use crate::app::people::collect;
use crate::app::{App, AppError, Kit, Who};
use crate::domain::consult::long_text;
use crate::i18n::{Lang, t};
use crate::ids::{AssociationId, MemberId};
use crate::store::people::{Member, members_after};
pub use crate::store::settings::RulesText;
use crate::store::settings::{
    rules_add, rules_by_version, rules_newest, rules_seen_add, rules_seen_all, rules_seen_by, rules_versions,
    setting_get, setting_put,
};
use crate::store::{Command, Conn, StoreError};
use crate::time::Millis;

/// Whether guests may read the rules: `yes`.
const PUBLIC: &str = "rules_public";
/// Versions a page lists.
const VERSIONS: i64 = 200;
/// Members read at a time.
const PAGE: i64 = 500;

/// A part of a rules text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
}

/// Reads the small language of the rules: a line that begins with `# ` is a heading, one with `- ` a point of a
/// list, an empty line ends a paragraph. Everything else stays text.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    let mut found: Vec<Part> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix("# ") {
            found.push(Part::Heading(heading.trim().to_owned()));
            open = false;
        } else if let Some(point) = line.strip_prefix("- ") {
            let point = point.trim().to_owned();
            match found.last_mut() {
                Some(Part::List(points)) if open => points.push(point),
                _ => found.push(Part::List(vec![point])),
            }
            open = true;
        } else if line.is_empty() {
            open = false;
        } else {
            match found.last_mut() {
                Some(Part::Paragraph(words)) if open => {
                    words.push('\n');
                    words.push_str(line);
                }
                _ => found.push(Part::Paragraph(line.to_owned())),
            }
            open = true;
        }
    }
    found
}

/// The text that every association begins with.
fn built_in(now: Millis) -> RulesText {
    let text =
        |lang| (1..=9).map(|n| t(lang, &format!("rules-built-in-{n}"))).collect::<Vec<_>>().join("\n\n");
    RulesText {
        version: 1,
        body_ja: text(Lang::Ja),
        body_en: text(Lang::En),
        published: now,
        published_by: "built-in".to_owned(),
    }
}

impl RulesText {
    /// The text for a reader; the Japanese one where there is no other.
    #[must_use]
    pub fn body(&self, lang: Lang) -> &str {
        if lang == Lang::En && !self.body_en.is_empty() { &self.body_en } else { &self.body_ja }
    }

    /// Whether somebody of the association has published it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.published_by != "built-in"
    }
}

/// The newest version; the built-in one is written down as version 1 as soon as somebody relies on it.
async fn newest(tx: &mut Conn, kit: &Kit, association: &AssociationId) -> Result<RulesText, StoreError> {
    if let Some(newest) = rules_newest(tx, association).await? {
        return Ok(newest);
    }
    let first = built_in(kit.now);
    rules_add(tx, association, &first).await?;
    Ok(first)
}

struct Publish {
    kit: Kit,
    who: Who,
    /// The version that was read before writing.
    after: i64,
    body_ja: String,
    body_en: String,
    public: bool,
}

impl Command for Publish {
    /// The new version; `None`: there is a newer one than the one that was read.
    type Output = Option<i64>;

    async fn apply(&self, tx: &mut Conn) -> Result<Option<i64>, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        let before = newest(tx, kit, association).await?;
        if before.version != self.after {
            return Ok(None);
        }
        let was_public = setting_get(tx, association, PUBLIC).await?.is_some_and(|v| v == "yes");
        if was_public != self.public {
            let value = if self.public { "yes" } else { "no" };
            setting_put(tx, association, PUBLIC, value, kit.now).await?;
            let subject = format!("association:{association}");
            let detail = json!({ "public": self.public });
            note(tx, kit, &self.who, "rules.public", &subject, detail).await?;
        }
        // Only who reads it was changed: nobody has to read the same text again.
        if before.body_ja == self.body_ja && before.body_en == self.body_en {
            return Ok(Some(before.version));
        }
        let version = before.version + 1;
        let new = RulesText {
            version,
            body_ja: self.body_ja.clone(),
            body_en: self.body_en.clone(),
            published: kit.now,
            published_by: self.who.actor.clone(),
        };
        if !rules_add(tx, association, &new).await? {
            return Ok(None);
        }
        note(tx, kit, &self.who, "rules.publish", &format!("rules:{version}"), json!({})).await?;
        Ok(Some(version))
    }
}

struct Acknowledge {
    kit: Kit,
    who: Who,
    member: MemberId,
    version: i64,
}

impl Command for Acknowledge {
    /// `false`: there is a newer version.
    type Output = bool;

    async fn apply(&self, tx: &mut Conn) -> Result<bool, StoreError> {
        let (kit, association) = (&self.kit, &self.who.association);
        if newest(tx, kit, association).await?.version != self.version {
            return Ok(false);
        }
        if rules_seen_add(tx, association, &self.member, self.version, kit.now).await? {
            let subject = format!("member:{}", self.member);
            note(tx, kit, &self.who, "rules.seen", &subject, json!({ "version": self.version })).await?;
        }
        Ok(true)
    }
}

impl App {
    /// The rules as they are now.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_now(&self, association: &AssociationId) -> Result<RulesText, AppError> {
        let mut conn = self.db.read().await?;
        Ok(rules_newest(&mut conn, association).await?.unwrap_or_else(|| built_in(self.now())))
    }

    /// A version of the rules.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; the store's.
    pub async fn rules_version(
        &self,
        association: &AssociationId,
        version: i64,
    ) -> Result<RulesText, AppError> {
        let mut conn = self.db.read().await?;
        match rules_by_version(&mut conn, association, version).await? {
            Some(found) => Ok(found),
            None if version == 1 && rules_newest(&mut conn, association).await?.is_none() => {
                Ok(built_in(self.now()))
            }
            None => Err(AppError::NotFound),
        }
    }

    /// The versions that were published, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_history(&self, association: &AssociationId) -> Result<Vec<RulesText>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(rules_versions(&mut conn, association, VERSIONS).await?)
    }

    /// Whether guests may read the rules.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_public(&self, association: &AssociationId) -> Result<bool, AppError> {
        let mut conn = self.db.read().await?;
        Ok(setting_get(&mut conn, association, PUBLIC).await?.is_some_and(|v| v == "yes"))
    }

    /// Publishes the rules after version `after` was read: a new version, unless the text is the same.
    ///
    /// # Errors
    /// Fields that cannot be taken; [`AppError::ChangedMeanwhile`]; the store's.
    pub async fn rules_publish(
        &self,
        who: &Who,
        after: i64,
        (body_ja, body_en): (String, String),
        public: bool,
    ) -> Result<i64, AppError> {
        let wrong =
            collect([("body_ja", long_text(&body_ja, true)), ("body_en", long_text(&body_en, false))]);
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let publish = Publish { kit: self.kit(), who: who.clone(), after, body_ja, body_en, public };
        self.db.run(publish).await?.ok_or(AppError::ChangedMeanwhile)
    }

    /// A member says that they have read this version. Saying it again changes nothing.
    ///
    /// # Errors
    /// [`AppError::ChangedMeanwhile`] where there is a newer one; the store's.
    pub async fn rules_acknowledge(
        &self,
        who: &Who,
        member: &MemberId,
        version: i64,
    ) -> Result<(), AppError> {
        let said = Acknowledge { kit: self.kit(), who: who.clone(), member: member.clone(), version };
        if self.db.run(said).await? { Ok(()) } else { Err(AppError::ChangedMeanwhile) }
    }

    /// The newest version a member has acknowledged, and when.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_seen_by(
        &self,
        association: &AssociationId,
        member: &MemberId,
    ) -> Result<Option<(i64, Millis)>, AppError> {
        let mut conn = self.db.read().await?;
        Ok(rules_seen_by(&mut conn, association, member).await?)
    }

    /// Everybody who is here, with the newest version they acknowledged and when.
    ///
    /// # Errors
    /// The store's.
    pub async fn rules_readers(
        &self,
        association: &AssociationId,
    ) -> Result<Vec<(Member, Option<(i64, Millis)>)>, AppError> {
        let mut conn = self.db.read().await?;
        let seen: std::collections::BTreeMap<_, _> = rules_seen_all(&mut conn, association)
            .await?
            .into_iter()
            .map(|(member, version, at)| (member, (version, at)))
            .collect();
        let mut readers = Vec::new();
        let mut after = String::new();
        loop {
            let page = members_after(&mut conn, association, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.id.as_str().clone_into(&mut after);
            for member in page.into_iter().filter(|m| m.is_active(self.now())) {
                let said = seen.get(&member.id).copied();
                readers.push((member, said));
            }
        }
        Ok(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_language_of_the_rules_has_headings_lists_and_paragraphs_and_nothing_else() {
        let read = parts(
            "# 約束\n一行目\n二行目\n\n次の段落\n- 一つ\n- 二つ\n\n- 別の一覧\n#見出しではない\n<b>太字</b>",
        );
        assert_eq!(
            read,
            [
                Part::Heading("約束".into()),
                Part::Paragraph("一行目\n二行目".into()),
                Part::Paragraph("次の段落".into()),
                Part::List(vec!["一つ".into(), "二つ".into()]),
                Part::List(vec!["別の一覧".into()]),
                Part::Paragraph("#見出しではない\n<b>太字</b>".into()),
            ]
        );
        assert!(parts("").is_empty());
    }
}
