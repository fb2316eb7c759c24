//! A browser without scripts: cookies, forms, redirects followed by hand so that every address is seen.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::StatusCode;
use touban::app::outbox::{MailToSend, Sent, Task};
use touban::app::{App, Who};
use touban::ids::{AssociationId, MemberId};
use touban::store::jobs::Lane;

use crate::authenticator::Authenticator;
use crate::support::{Served, TestOffice};

/// One person's browser.
#[derive(Debug)]
pub struct Browser {
    client: reqwest::Client,
    base: String,
    /// Every address it asked for.
    pub visited: Mutex<Vec<String>>,
}

/// What a browser shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: StatusCode,
    pub path: String,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(served: &Served) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { client, base: served.base.clone(), visited: Mutex::default() }
    }

    async fn finish(&self, path: &str, request: reqwest::RequestBuilder) -> Page {
        self.visited.lock().unwrap().push(path.to_owned());
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, path: path.to_owned(), headers, body: response.text().await.unwrap() }
    }

    /// Without following where it leads.
    pub async fn look(&self, path: &str) -> Page {
        self.finish(path, self.client.get(format!("{}{path}", self.base))).await
    }

    pub async fn head(&self, path: &str) -> Page {
        self.finish(path, self.client.head(format!("{}{path}", self.base))).await
    }

    /// With headers of a program.
    pub async fn look_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        let request = self.client.get(format!("{}{path}", self.base));
        let with = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.finish(path, with).await
    }

    /// Sends a form whose answer is a file: its kind and its bytes.
    pub async fn download(&self, path: &str, fields: &[(String, String)]) -> (String, Vec<u8>) {
        let body: Vec<String> =
            fields.iter().map(|(k, v)| format!("{}={}", percent(k), percent(v))).collect();
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        let answer = request.send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, answer.bytes().await.unwrap().to_vec())
    }

    pub async fn look_as_htmx(&self, path: &str) -> Page {
        self.finish(path, self.client.get(format!("{}{path}", self.base)).header("hx-request", "true")).await
    }

    /// Without following where it leads.
    pub async fn send(&self, path: &str, fields: &[(String, String)]) -> Page {
        let body: Vec<String> =
            fields.iter().map(|(k, v)| format!("{}={}", percent(k), percent(v))).collect();
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        self.finish(path, request).await
    }

    /// A form's token, good for every page this browser is shown.
    pub async fn any_token(&self) -> String {
        let page = self.get("/problems/not-found").await;
        let action = if page.body.contains("action=\"/sign-out\"") { "/sign-out" } else { "/lang" };
        let form = page.form(action, &[]);
        form.into_iter().find(|(name, _)| name == "csrf").map(|(_, value)| value).unwrap_or_default()
    }

    /// Sends a form with a file in it, and follows where it leads.
    pub async fn send_file(&self, path: &str, fields: &[(String, String)], file: &[u8]) -> Page {
        let request = self.with_file(path, fields, file);
        let sent = self.finish(path, request).await;
        self.follow(sent).await
    }

    /// How a file is turned away that is larger than the server reads: its answer, or nothing when it hung up
    /// while we were still sending, as it may (RFC 9110 §15.5.14).
    pub async fn turned_away(
        &self,
        path: &str,
        fields: &[(String, String)],
        file: &[u8],
    ) -> Option<StatusCode> {
        self.with_file(path, fields, file).send().await.ok().map(|answer| answer.status())
    }

    fn with_file(&self, path: &str, fields: &[(String, String)], file: &[u8]) -> reqwest::RequestBuilder {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--TEST\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(
            b"--TEST\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n",
        );
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--TEST--\r\n");
        self.client
            .post(format!("{}{path}", self.base))
            .header("content-type", "multipart/form-data; boundary=TEST")
            .body(body)
    }

    async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..5 {
            if page.status != StatusCode::SEE_OTHER {
                return page;
            }
            page = self.look(&page.leads_to()).await;
        }
        panic!("led around in a circle: {}", page.path);
    }

    pub async fn get(&self, path: &str) -> Page {
        let page = self.look(path).await;
        self.follow(page).await
    }

    /// Fills in the form that posts to `action` and sends it.
    pub async fn submit(&self, page: &Page, action: &str, typed: &[(&str, &str)]) -> Page {
        let sent = self.send(action, &page.form(action, typed)).await;
        self.follow(sent).await
    }

    /// A question for an authenticator, asked by the form of this page.
    pub async fn question(&self, page: &Page, action: &str, asks: &str) -> serde_json::Value {
        let csrf = page.form(action, &[]).into_iter().find(|(name, _)| name == "csrf").unwrap();
        let asked = self.send(asks, &[csrf]).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        serde_json::from_str(&asked.body).unwrap()
    }

    /// Signs in with a passkey.
    pub async fn enter_with(&self, key: &mut Authenticator) -> Page {
        let page = self.get("/sign-in/office").await;
        let asked = self.question(&page, "/sign-in/office/passkey", "/sign-in/office/challenge").await;
        let answer = key.get(&asked["options"]).to_string();
        let typed = [("challenge", asked["id"].as_str().unwrap()), ("answer", &answer)];
        self.submit(&page, "/sign-in/office/passkey", &typed).await
    }

    /// Adds a passkey on the page that offers it.
    pub async fn add_passkey(&self, path: &str) -> Authenticator {
        let page = self.get(path).await;
        let asked = self.question(&page, "/me/sign-in/passkeys", "/me/sign-in/passkeys/challenge").await;
        let mut key = Authenticator::new("https://touban.example.jp");
        let answer = key.create(&asked["options"]).to_string();
        let typed =
            [("challenge", asked["id"].as_str().unwrap()), ("answer", &answer), ("label", "試験の鍵")];
        let done = self.submit(&page, "/me/sign-in/passkeys", &typed).await;
        assert!(done.text().contains("登録しました"), "{}", done.text());
        key
    }

    /// What stands behind a mailed link.
    pub async fn open(&self, token: &str) -> Page {
        let entry = self.get("/k").await;
        self.submit(&entry, "/k/open", &[("token", token)]).await
    }
}

impl Page {
    pub fn leads_to(&self) -> String {
        self.headers.get("location").unwrap().to_str().unwrap().to_owned()
    }

    /// Every form: where it posts, and what stands between its tags.
    pub fn forms(&self) -> Vec<(String, String)> {
        self.body
            .split("<form")
            .skip(1)
            .map(|rest| {
                let (head, _) = rest.split_once('>').unwrap();
                let action = between(head, "action=\"", "\"").unwrap().to_owned();
                (action, rest.split_once("</form>").unwrap().0.to_owned())
            })
            .collect()
    }

    /// The fields of the form: the hidden ones as they stand, `typed` over them.
    pub fn form(&self, action: &str, typed: &[(&str, &str)]) -> Vec<(String, String)> {
        let forms = self.forms();
        let (_, body) = forms
            .iter()
            .find(|(a, _)| a == action)
            .unwrap_or_else(|| panic!("no form posts to {action} on {}:\n{}", self.path, self.text()));
        let mut fields: Vec<(String, String)> = Vec::new();
        for tag in body.split("<input ").skip(1).filter(|tag| tag.contains("type=\"hidden\"")) {
            let name = between(tag, "name=\"", "\"").unwrap();
            fields.push((name.to_owned(), between(tag, "value=\"", "\"").unwrap().to_owned()));
        }
        fields.retain(|(name, _)| !typed.iter().any(|(n, _)| n == name));
        fields.extend(typed.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        fields
    }

    /// What a reader reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in self.body.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(
            self.text().contains(words),
            "{} ({}) does not say {words}:\n{}",
            self.path,
            self.status,
            self.text()
        );
        self
    }

    #[track_caller]
    pub fn keeps_quiet_about(&self, words: &str) -> &Self {
        assert!(!self.body.contains(words), "{} shows {words}", self.path);
        self
    }
}

pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Does all due work; the mails that went out.
pub async fn mails(app: &App) -> Vec<MailToSend> {
    let mut sent = Vec::new();
    while let Some(job) = app.work_take((Lane::Urgent, Lane::Reports), "test").await.unwrap() {
        if let Task::Mail(mail) = app.work_prepare(&job, "test").await.unwrap() {
            sent.push(*mail);
            app.work_finish(&job, "test", Sent::Delivered, None).await.unwrap();
        }
    }
    sent
}

/// The token of a mail's link.
pub fn token_of(mail: &MailToSend) -> String {
    mail.text.split_once("/k#").unwrap().1.chars().take(43).collect()
}

/// The code to type.
pub fn code_of(mail: &MailToSend) -> String {
    mail.text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .find(|word| word.len() == 14 && word.matches('-').count() == 2)
        .unwrap()
        .to_owned()
}

/// What the asker types.
pub const CONSULT: &[(&str, &str)] = &[
    ("specialty", "dermatology"),
    ("wish", "advice"),
    ("answer_by", "tomorrow_noon"),
    ("decade", "80"),
    ("sex", "female"),
    ("area", "青葉北"),
    ("condition", "wound"),
    ("can_travel", "no"),
    ("question", "仙骨部の創に黒い部分があります。切除したほうがよいでしょうか。"),
    ("tried", "洗浄と被覆材"),
    ("patient_ref", "CANARY-REF"),
    ("details", "CANARY-DETAILS 内服薬あり"),
];

/// Everybody with a browser.
#[derive(Debug)]
pub struct Town {
    pub office: TestOffice,
    pub served: Served,
    /// The passkeys of those of the office who have one.
    pub passkeys: Mutex<BTreeMap<MemberId, Authenticator>>,
}

impl Town {
    pub async fn new(office: TestOffice) -> Self {
        let served = office.serve_router(touban::web::router::router(office.web())).await;
        Self { office, served, passkeys: Mutex::default() }
    }

    /// With limits that no test reaches.
    pub async fn generous(office: TestOffice) -> Self {
        use touban::web::rate::{Allowance, Allowances, Rate, RateLimiter};
        let many = Rate { burst: 100_000, every_ms: 1 };
        let all = Allowance { per_client: many, in_total: many };
        let allowances = Allowances { link_answer: all, sign_in: all, pin: all, create: all, max_keys: 100 };
        let rates = std::sync::Arc::new(RateLimiter::new(office.clock.clone(), allowances));
        let web = touban::web::Web { rates, ..office.web() };
        let served = office.serve_router(touban::web::router::router(web)).await;
        Self { office, served, passkeys: Mutex::default() }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.served)
    }

    /// A browser in which this person has signed in by mail and PIN.
    pub async fn signed_in(&self, member: &touban::ids::MemberId) -> Browser {
        self.signed_in_of(&self.office.association, member).await
    }

    /// The same for somebody of any association.
    pub async fn signed_in_of(
        &self,
        association: &touban::ids::AssociationId,
        member: &touban::ids::MemberId,
    ) -> Browser {
        let who = self.office.app.member(association, member).await.unwrap();
        if who.is_office() {
            self.strongly(association, member).await
        } else {
            self.by_pin(association, member).await
        }
    }

    /// A browser in which somebody of the office has signed in with a passkey, made the first time behind a
    /// link from the command line.
    pub async fn strongly(&self, association: &AssociationId, member: &MemberId) -> Browser {
        let browser = self.browser();
        let known = self.passkeys.lock().unwrap().get(member).cloned();
        if let Some(mut key) = known {
            browser.enter_with(&mut key).await;
            self.passkeys.lock().unwrap().insert(member.clone(), key);
            return browser;
        }
        self.through_link(&browser, association, member).await;
        let key = browser.add_passkey("/setup-sign-in").await;
        self.passkeys.lock().unwrap().insert(member.clone(), key);
        browser
    }

    /// Goes through a link from the command line to where means are set up.
    pub async fn through_link(
        &self,
        browser: &Browser,
        association: &AssociationId,
        member: &MemberId,
    ) -> Page {
        let link = self.office.app.staff_link(&Who::cli(association), member).await.unwrap().unwrap();
        let page = browser.open(link.url.split_once("/k#").unwrap().1).await;
        let page = browser.submit(&page, "/k/setup", &[("pin", crate::support::PIN)]).await;
        assert_eq!(page.path, "/setup-sign-in", "{}", page.text());
        page
    }

    /// A browser in which this person has signed in by mail and PIN, whatever their roles.
    pub async fn by_pin(&self, association: &AssociationId, member: &MemberId) -> Browser {
        let browser = self.browser();
        let who = self.office.app.member(association, member).await.unwrap();
        let door = browser.get("/sign-in").await;
        let address = who.email.unwrap();
        browser.submit(&door, "/sign-in", &[("address", &address)]).await.says("メールをご覧ください");
        let mail = mails(&self.office.app)
            .await
            .into_iter()
            .find(|m| m.to == address && m.text.contains("/k#"))
            .unwrap();
        let page = browser.open(&token_of(&mail)).await;
        let page = browser.submit(&page, "/k/sign-in", &[("pin", crate::support::PIN)]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        browser
    }

    /// The same by link and PIN, on a device that is remembered.
    pub async fn remembered(
        &self,
        association: &touban::ids::AssociationId,
        member: &touban::ids::MemberId,
    ) -> Browser {
        let browser = self.browser();
        let address = self.office.app.member(association, member).await.unwrap().email.unwrap();
        let door = browser.get("/sign-in").await;
        browser.submit(&door, "/sign-in", &[("address", &address)]).await;
        let mail = mails(&self.office.app).await.into_iter().find(|m| m.to == address).unwrap();
        let page = browser.open(&token_of(&mail)).await;
        browser.submit(&page, "/k/sign-in", &[("pin", crate::support::PIN), ("remember", "yes")]).await;
        browser
    }

    /// A consult asked on the page; its path, and the mails that asked for it.
    pub async fn ask(&self, asker: &Browser) -> (String, Vec<MailToSend>) {
        mails(&self.office.app).await;
        let form = asker.get("/consults/new").await;
        let case = asker.submit(&form, "/consults", CONSULT).await;
        case.says("相談を送りました");
        let letters = mails(&self.office.app).await;
        (case.path.clone(), letters.into_iter().filter(|m| m.text.contains("/k#")).collect())
    }
}
