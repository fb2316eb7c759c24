//! Who calls: the key behind `Authorization: Bearer`, and the scope an operation asks of it.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::refuse::refuse;
use crate::app::Who;
use crate::app::access::{ApiCaller, Scope};
use crate::i18n::Lang;
use crate::ids::MemberId;
use crate::web::Web;
use crate::web::edge::ClientAddress;
use crate::web::problem::{Kind, Problem, lang_of};

/// The scope an operation asks for.
pub trait Needs: Send + Sync + 'static {
    /// `None`: any key; the operation asks for something else instead, such as a PIN.
    const SCOPE: Option<Scope>;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $scope:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Needs for $name {
            const SCOPE: Option<Scope> = $scope;
        }
    )*};
}

needs! {
    /// Any key of the association.
    AnyKey = None;
    Read = Some(Scope::Read);
    ReadClinical = Some(Scope::ReadClinical);
    Request = Some(Scope::Request);
    ActFor = Some(Scope::ActFor);
    Directory = Some(Scope::Directory);
    Ledger = Some(Scope::Ledger);
    Audit = Some(Scope::Audit);
    Rota = Some(Scope::Rota);
}

/// A caller whose key has the scope `N`.
#[derive(Clone, Debug)]
pub struct Caller<N> {
    pub api: ApiCaller,
    pub lang: Lang,
    /// For limits; never logged.
    pub client: IpAddr,
    scope: PhantomData<N>,
}

impl<N> Caller<N> {
    /// The caller on behalf of nobody else.
    pub fn who(&self) -> Who {
        Who::key(&self.api.association, &self.api.key, None)
    }

    /// The caller in somebody's name.
    pub fn who_for(&self, member: &MemberId) -> Who {
        Who::key(&self.api.association, &self.api.key, Some(member))
    }
}

/// `tbk_` and 43 characters of base64url; anything else is no key, and nothing is looked up for it.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut all = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    let of_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let shaped = key.len() == 47 && key.starts_with("tbk_") && key.bytes().all(of_base64url);
    (scheme.eq_ignore_ascii_case("bearer") && shaped).then_some(key)
}

impl<N: Needs> FromRequestParts<Web> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let lang = lang_of(&parts.headers);
        let found = match bearer(parts) {
            Some(key) => web.app.api_caller(key).await.map_err(|e| refuse(e, lang))?,
            None => None,
        };
        let api = found.ok_or_else(|| Kind::Unauthenticated.problem(lang))?;
        // Before anything is looked up: the answer says nothing about what is there.
        if let Some(scope) = N::SCOPE
            && !api.may(scope)
        {
            return Err(Kind::MissingScope.problem(lang).with("scope", scope.code()));
        }
        let client =
            parts.extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.0);
        Ok(Self { api, lang, client, scope: PhantomData })
    }
}
