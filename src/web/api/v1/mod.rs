//! Version 1 of the API: its router and its description, which come from one source.

mod caller;
mod calls;
mod clinical;
mod covers;
mod directory;
mod feeds;
mod night;
mod offers;
mod office;
mod parts;
mod people;
mod posted;
mod refuse;
mod requests;
mod rota;
mod swaps;
mod wishes;

use std::sync::OnceLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::web::Web;

/// What stands at the head of the description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "touban",
        description = "Requests, offers and the subsidy ledger of a district medical association.\n\n\
            **Keys.** `Authorization: Bearer tbk_…`; `touban admin create-key` makes one. Without a good key: \
            401. A key without the scope of an operation: 403 `/problems/missing-scope`, before anything is \
            looked up. What does not exist and what belongs to another association look the same: 404.\n\n\
            **Ids** carry the kind in a prefix (`req_…`). Instants are RFC 3339, answered in UTC.\n\n\
            **Errors** are `application/problem+json` (RFC 9457) with a stable `type`; `detail` and the \
            messages follow `Accept-Language` (ja, en). 503 and 429 carry `Retry-After`.\n\n\
            **Retries.** Every POST takes an `Idempotency-Key`.\n\n\
            **Lists** answer `{items, next}`; give `next` as `after` for the next page."
    ),
    modifiers(&Key)
)]
struct Head;

struct Key;

impl Modify for Key {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("tbk_…").build();
        api.components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

fn described() -> OpenApiRouter<Web> {
    let resources = OpenApiRouter::new()
        .merge(directory::routes())
        .merge(people::routes())
        .merge(requests::routes())
        .merge(offers::routes())
        .merge(swaps::routes())
        .merge(covers::routes())
        .merge(night::routes())
        .merge(calls::routes())
        .merge(office::routes())
        .merge(rota::routes())
        .merge(wishes::routes())
        .merge(feeds::routes())
        .routes(routes!(openapi));
    OpenApiRouter::with_openapi(Head::openapi()).nest("/api/v1", resources)
}

/// Every route under `/api/v1`. Nothing is routed here that is not described.
pub fn router() -> Router<Web> {
    described().split_for_parts().0
}

/// The description as JSON, the same bytes for the whole life of the process.
pub fn description() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        described().split_for_parts().1.to_json().unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "The API cannot be described");
            "{}".to_owned()
        })
    })
}

/// This description (OpenAPI 3.1); needs no key
#[utoipa::path(get, path = "/openapi.json", tag = "description", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")))]
async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], description())
}
