//! The numbers of the running process for Prometheus, on a listener of their own, and the count of answers.
//! Numbers and fixed words only; what the work is stands in `app`.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::app::verify::chain_of;
use crate::telemetry::counters::{Counter, Counters, Gauge};

/// Counts every answer of `router` by the hundred of its status.
pub fn counted(router: Router, counters: &Counters) -> Router {
    router.layer(from_fn_with_state(Answers::new(counters), count))
}

#[derive(Clone, Debug)]
struct Answers {
    fine: Counter,
    elsewhere: Counter,
    theirs: Counter,
    ours: Counter,
}

impl Answers {
    fn new(counters: &Counters) -> Self {
        let (name, help) = ("touban_http_answers_total", "Answers by the hundred of their status.");
        Self {
            fine: counters.counter(name, help, &[("status", "2xx")]),
            elsewhere: counters.counter(name, help, &[("status", "3xx")]),
            theirs: counters.counter(name, help, &[("status", "4xx")]),
            ours: counters.counter(name, help, &[("status", "5xx")]),
        }
    }
}

async fn count(State(answers): State<Answers>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match response.status().as_u16() {
        500.. => answers.ours.inc(),
        400.. => answers.theirs.inc(),
        300.. => answers.elsewhere.inc(),
        _ => answers.fine.inc(),
    }
    response
}

/// `GET /metrics` alone.
pub fn router(app: App, counters: Counters) -> Router {
    let numbers = Numbers {
        due: jobs(&counters, &[("state", "due")]),
        leased: jobs(&counters, &[("state", "leased")]),
        given_up: jobs(&counters, &[("state", "given_up")]),
        late: counters.gauge("touban_jobs_late", "Work due for more than a minute and not begun.", &[]),
        without_step: counters.gauge(
            "touban_requests_without_step",
            "Open requests that nothing will wake; must be 0.",
            &[],
        ),
        app,
        counters,
    };
    Router::new().route("/metrics", get(show)).with_state(numbers)
}

fn jobs(counters: &Counters, labels: crate::telemetry::counters::Labels) -> Gauge {
    counters.gauge("touban_jobs", "Work in the outbox by state.", labels)
}

#[derive(Clone, Debug)]
struct Numbers {
    app: App,
    counters: Counters,
    due: Gauge,
    leased: Gauge,
    given_up: Gauge,
    late: Gauge,
    without_step: Gauge,
}

async fn show(State(numbers): State<Numbers>) -> Response {
    match numbers.app.work_now().await {
        Ok(work) => {
            numbers.due.set(work.due);
            numbers.leased.set(work.leased);
            numbers.given_up.set(work.given_up);
            numbers.late.set(work.late);
            numbers.without_step.set(work.requests_without_step);
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
            (kind, numbers.counters.render()).into_response()
        }
        Err(e) => {
            // Old numbers would look like a quiet night.
            tracing::error!(error = chain_of(&e), "The numbers could not be read from the database");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
