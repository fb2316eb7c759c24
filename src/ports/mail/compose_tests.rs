use mail_parser::{MessageParser, PartType};
use proptest::prelude::*;

use super::*;

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: "<01ABC.offer@touban.example.jp>".to_owned(),
        from: "jimukyoku@example.jp".to_owned(),
        from_name: Some("青葉市医師会".to_owned()),
        reply_to: Some("henshin@example.jp".to_owned()),
        to: "sensei@example.jp".to_owned(),
        to_name: Some("榎本".to_owned()),
        subject: "相談のお願い".to_owned(),
        text: "本文\n".to_owned(),
        html: "<p>本文</p>".to_owned(),
        in_reply_to: Some("<01ABC.first@touban.example.jp>".to_owned()),
        date: Millis(1_792_500_000_123),
    }
}

/// The header lines before the first empty line, unfolded.
fn headers(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            lines.last_mut().unwrap().push_str(line);
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

fn names(bytes: &[u8]) -> Vec<String> {
    headers(bytes).iter().map(|l| l.split_once(": ").map_or("?", |(name, _)| name).to_owned()).collect()
}

const NAMES: [&str; 13] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
    "",
];

/// Text as an attacker would type it: much of it line ends, turned directions, header and MIME syntax.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<char>().prop_map(String::from),
        3 => "[ -~]{0,12}",
        2 => "[ぁ-ん一-龠々〆髙﨑𠮷]{0,12}",
        4 => prop::sample::select(vec![
            "\r\n", "\n", "\r", "\0", "\u{2028}", "\u{85}", "\u{202E}", "\u{2066}", "\u{1b}[2J", "\r\nBcc: x@example.jp",
            "\r\n\r\n", "\r\n.\r\n", "=?utf-8?q?=0D=0ABcc:_x?=", "\"", "\\", "<", ">", "@", ",", ";", "(", "--=_01ABC",
            "Content-Type: text/html", " ", "\t",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_people_type_the_mail_has_exactly_its_own_headers_and_parts(
        subject in nasty(), to_name in nasty(), from_name in nasty(), text in nasty(), html in nasty(),
    ) {
        let mail = OutgoingMail {
            subject, to_name: Some(to_name), from_name: Some(from_name), text, html, ..mail()
        };
        let composed = compose(&mail).unwrap();
        prop_assert!(composed.bytes.is_ascii());
        prop_assert!(!composed.bytes.contains(&0));
        let text = std::str::from_utf8(&composed.bytes).unwrap();
        prop_assert!(text.split("\r\n").all(|l| l.len() <= 998 && !l.contains(['\r', '\n'])));
        let head = text.split("\r\n\r\n").next().unwrap();
        prop_assert!(head.split("\r\n").all(|l| l.len() <= 76 || !l.contains("=?")), "{}", head);
        prop_assert_eq!(names(&composed.bytes), &NAMES[..12]);

        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        prop_assert_eq!(read.parts.len(), 3, "the alternative, the text, the HTML");
        prop_assert_eq!(read.to().unwrap().as_list().map(<[_]>::len), Some(1));
        prop_assert_eq!(read.to().unwrap().first().unwrap().address(), Some("sensei@example.jp"));
        prop_assert_eq!(read.from().unwrap().first().unwrap().address(), Some("jimukyoku@example.jp"));
        let shown = [read.subject(), read.to().unwrap().first().unwrap().name()];
        prop_assert!(shown.into_iter().flatten().all(|s| !s.chars().any(is_treacherous)));
    }

    #[test]
    fn an_address_is_refused_or_stands_alone_in_envelope_and_header(to in prop_oneof![
        nasty(),
        nasty().prop_map(|local| format!("{local}@docomo.ne.jp")),
        nasty().prop_map(|domain| format!("sensei@{domain}")),
        "[a-z.\"]{1,12}@docomo\\.ne\\.jp",
    ]) {
        match compose(&OutgoingMail { to, ..mail() }) {
            Ok(composed) => {
                prop_assert_eq!(names(&composed.bytes), &NAMES[..12]);
                let envelope = composed.to.to_string();
                prop_assert!(envelope.bytes().all(|b| b.is_ascii_graphic() && !b"<>,;:()[]\\ ".contains(&b)), "{}", envelope);
                let to = headers(&composed.bytes).into_iter().find(|l| l.starts_with("To: ")).unwrap();
                let suffix = format!("<{envelope}>");
                prop_assert!(to.ends_with(&suffix), "{}", to);
            }
            Err(MailError::Permanent { reason }) => prop_assert!(!reason.contains("docomo")),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_plain_japanese_subject_reads_back_as_it_was_written(
        words in prop::collection::vec("[ぁ-ん一-龠A-Za-z0-9【】。、髙﨑𠮷]{1,15}", 1..8)
    ) {
        let subject: String = words.join(" ").chars().take(MAX_SUBJECT_CHARS).collect();
        let subject = subject.trim_end().to_owned();
        let composed = compose(&OutgoingMail { subject: subject.clone(), to_name: Some(subject.clone()), ..mail() }).unwrap();
        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        prop_assert_eq!(read.subject(), Some(subject.as_str()));
        let name: String = subject.chars().take(MAX_NAME_CHARS).collect();
        prop_assert_eq!(read.to().unwrap().first().unwrap().name(), Some(name.trim_end()));
    }

    #[test]
    fn what_stands_in_the_text_arrives_and_ends_no_part(text in nasty()) {
        let composed = compose(&OutgoingMail { text: text.clone(), ..mail() }).unwrap();
        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        let PartType::Text(arrived) = &read.part(1).unwrap().body else { panic!("no text part") };
        prop_assert_eq!(arrived.chars().filter(|c| *c == '\n').count(), text.chars().filter(|c| *c == '\n').count());
        let letters = |s: &str| s.chars().filter(|c| !is_treacherous(*c) && *c != ' ').collect::<String>();
        prop_assert_eq!(letters(arrived), letters(&text));
    }
}

#[test]
fn the_same_mail_gives_the_same_bytes_at_every_try() {
    assert_eq!(compose(&mail()).unwrap().bytes, compose(&mail()).unwrap().bytes);
}

#[test]
fn the_date_is_the_given_instant() {
    let date = headers(&compose(&mail()).unwrap().bytes).remove(0);
    assert_eq!(date, "Date: Tue, 20 Oct 2026 12:40:00 +0000");
    for outside in [-1, i64::MAX] {
        let result = compose(&OutgoingMail { date: Millis(outside), ..mail() });
        assert!(matches!(result, Err(MailError::Misconfigured { .. })));
    }
}

#[test]
fn addresses_of_old_carriers_are_quoted_and_ordinary_ones_are_not() {
    for (stored, sent) in [
        ("sensei@example.jp", "sensei@example.jp"),
        ("s.e-n_s+e/i?@ezweb.ne.jp", "s.e-n_s+e/i?@ezweb.ne.jp"),
        ("foo..bar@docomo.ne.jp", "\"foo..bar\"@docomo.ne.jp"),
        ("foo.@docomo.ne.jp", "\"foo.\"@docomo.ne.jp"),
        (".foo@ezweb.ne.jp", "\".foo\"@ezweb.ne.jp"),
        ("\"foo..bar\"@docomo.ne.jp", "\"foo..bar\"@docomo.ne.jp"),
        ("\"foo\"@docomo.ne.jp", "foo@docomo.ne.jp"),
    ] {
        assert_eq!(address(stored).map(|a| a.to_string()), Ok(sent.to_owned()));
    }
}

#[test]
fn addresses_that_mail_does_not_carry_are_refused() {
    let long = format!("{}@example.jp", "a".repeat(65));
    for stored in [
        "",
        "@",
        "a@",
        "@example.jp",
        "sensei",
        "a b@example.jp",
        "a@exa mple.jp",
        "a@example..jp",
        "a@-x.jp",
        "a@.jp",
        "a@example.jp>",
        "<a@example.jp",
        "a\r\n@example.jp",
        "a@example.jp\r\nDATA",
        "a,b@example.jp",
        "a@b@example.jp",
        "\"a\"b\"@example.jp",
        "\"a\\\"@example.jp",
        "\"\"@example.jp",
        "せんせい@example.jp",
        "a@例え.jp",
        "a@[127.0.0.1]",
        "a\u{202E}b@example.jp",
        "a\0@example.jp",
        &long,
    ] {
        let result = compose(&OutgoingMail { to: stored.to_owned(), ..mail() });
        let Err(MailError::Permanent { reason }) = result else { panic!("{stored:?}: {result:?}") };
        assert!(reason.starts_with("recipient address: "));
    }
}

#[test]
fn a_bent_address_or_id_of_ours_is_our_own_fault() {
    let bent = [
        OutgoingMail { from: "a\r\nb@example.jp".to_owned(), ..mail() },
        OutgoingMail { reply_to: Some("x".to_owned()), ..mail() },
        OutgoingMail { message_id: "no-brackets@example.jp".to_owned(), ..mail() },
        OutgoingMail { message_id: "<a@b>\r\nBcc: <x@y>".to_owned(), ..mail() },
        OutgoingMail { in_reply_to: Some("<a b@c>".to_owned()), ..mail() },
        OutgoingMail { text: "あ".repeat(MAX_BODY_BYTES), ..mail() },
    ];
    for mail in bent {
        assert!(matches!(compose(&mail), Err(MailError::Misconfigured { .. })));
    }
}

#[test]
fn an_encoded_word_typed_into_a_subject_is_not_decoded() {
    let typed = "=?utf-8?b?PHNjcmlwdD4=?=";
    let composed = compose(&OutgoingMail { subject: typed.to_owned(), ..mail() }).unwrap();
    let read = MessageParser::default().parse(&composed.bytes).unwrap();
    assert_eq!(read.subject(), Some("=？utf-8?b?PHNjcmlwdD4=？="));
}

#[test]
fn a_mail_shows_neither_people_nor_links_when_it_is_printed() {
    let printed = format!("{:?} {:?}", mail(), compose(&mail()).unwrap());
    assert!(
        printed.contains("01ABC.offer") && !printed.contains("sensei") && !printed.contains("本文"),
        "{printed}"
    );
}
