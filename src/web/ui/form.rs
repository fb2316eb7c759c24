//! What people typed into a form: its fields, its token, its one-time number.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Form;
use axum::extract::{FromRequest, Request};

use super::caller::{Binding, Caller};
use super::failure::Failure;
use crate::app::replay::Key;
pub(super) use crate::domain::people::kana::narrow;
use crate::web::Web;

/// The fields of a posted form, in the order of the page.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}

impl FromRequest<Web> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let typed = request.extensions().get::<Typed>().cloned();
        let form = Form::<Vec<(String, String)>>::from_request(request, web).await;
        let fields = form.map(|Form(pairs)| Self(pairs)).map_err(|_| Failure::form_expired())?;
        if let Some(typed) = typed {
            typed.keep(&fields);
        }
        Ok(fields)
    }
}

/// What was typed into the form of this request, for the page that is shown where the session has ended
/// meanwhile: whoever wrote for a quarter of an hour finds every word again.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed(Arc<Mutex<Option<Fields>>>);

impl Typed {
    fn keep(&self, fields: &Fields) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fields.clone());
    }

    /// The fields, if a form was read, something stands in it, and nothing of it is a secret.
    pub fn worth_keeping(&self) -> Option<Fields> {
        let fields = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let is_secret = |name: &str| SECRETS.contains(&name);
        let typed =
            fields.0.iter().any(|(name, value)| name != "csrf" && name != "once" && !value.is_empty());
        (typed && !fields.0.iter().any(|(name, _)| is_secret(name))).then_some(fields)
    }
}

/// Fields that no page of ours repeats.
const SECRETS: &[&str] = &["pin", "password", "old", "new", "again", "token", "challenge"];

impl Fields {
    /// The first field of this name, as typed; nothing when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether the form has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Every field of this name, as typed, in the order of the page.
    pub fn all<'f, 'n>(&'f self, name: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The fields as they would be typed for what is known: a form that starts filled in.
    pub const fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// A text without the blanks around it and with line ends as everywhere else.
    pub fn text(&self, name: &str) -> String {
        self.get(name).trim().replace("\r\n", "\n")
    }

    /// A number typed with any keyboard.
    pub fn number(&self, name: &str) -> Option<i64> {
        narrow(self.get(name)).parse().ok()
    }

    /// A ticked box.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// What is carried past a page that asks for a proof first: everything but the token, each under its own
    /// name with `prefix` before it.
    pub fn carried(&self, prefix: &str) -> Vec<(String, String)> {
        let own = self.0.iter().filter(|(name, _)| name != "csrf");
        own.map(|(name, value)| (format!("{prefix}{name}"), value.clone())).collect()
    }

    /// The fields that were carried under `prefix`, under their own names again.
    pub fn uncarried(&self, prefix: &str) -> Vec<(String, String)> {
        let own = self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        own.map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    /// Refuses a form that was not drawn for this reader.
    ///
    /// # Errors
    /// The page that asks to send it again.
    pub fn check(&self, caller: &Caller, binding: Binding<'_>) -> Result<(), Failure> {
        if caller.gave(binding, self.get("csrf")) { Ok(()) } else { Err(Failure::form_expired()) }
    }

    /// The key under which this form acts once.
    ///
    /// # Errors
    /// A form without its one-time number is none of ours.
    pub fn key(&self, operation: &str) -> Result<Key, Failure> {
        let once = self.get("once");
        if once.len() != 26 || !once.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Failure::form_expired());
        }
        let mut body = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| name != "csrf" && name != "once") {
            for part in [name, value] {
                body.extend_from_slice(&(part.len() as u64).to_be_bytes());
                body.extend_from_slice(part.as_bytes());
            }
        }
        Ok(Key::new(&format!("web:{once}"), operation, &body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn the_same_form_has_the_same_key_and_another_text_another_fingerprint() {
        let once = ("once", "0123456789ABCDEFGHJKMNPQRS");
        let first = fields(&[once, ("csrf", "a"), ("note", "x")]).key("close").unwrap();
        assert_eq!(first.digest, fields(&[once, ("csrf", "b"), ("note", "x")]).key("close").unwrap().digest);
        assert_ne!(first.digest, fields(&[once, ("note", "y")]).key("close").unwrap().digest);
        assert!(fields(&[("once", "short")]).key("close").is_err());
        assert!(fields(&[]).key("close").is_err());
    }

    #[test]
    fn what_is_kept_past_the_end_of_a_session_was_typed_and_is_no_secret() {
        let kept = |pairs: &[(&str, &str)]| {
            let typed = Typed::default();
            typed.keep(&fields(pairs));
            typed.worth_keeping().is_some()
        };
        let (csrf, once) = (("csrf", "a"), ("once", "0123456789ABCDEFGHJKMNPQRS"));
        assert!(kept(&[csrf, once, ("question", "x")]));
        assert!(!kept(&[csrf, once]) && !kept(&[csrf, once, ("question", "")]));
        for secret in SECRETS {
            assert!(!kept(&[csrf, once, ("question", "x"), (secret, "1")]), "{secret}");
        }
        assert!(Typed::default().worth_keeping().is_none());
    }

    #[test]
    fn numbers_are_read_from_any_keyboard() {
        assert_eq!(fields(&[("minutes", " １５ ")]).number("minutes"), Some(15));
        assert_eq!(fields(&[("minutes", "ten")]).number("minutes"), None);
        assert_eq!(fields(&[("question", " a\r\nb ")]).text("question"), "a\nb");
    }
}
