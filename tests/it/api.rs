//! The JSON API over a real socket, on both databases.

use crate::support::{TestOffice, on_both};

on_both! { an_office_opens }

async fn an_office_opens(office: TestOffice) {
    let members = office.app.members(&office.association, "", 100).await.unwrap();
    assert_eq!(members.len(), 3 + office.dermatologists.len());
    let served = office.serve().await;
    let answer = reqwest::get(format!("{}/api/v1/requests", served.base)).await.unwrap();
    assert!(answer.status().is_client_error());
}
