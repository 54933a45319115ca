//! E-mail, with STARTTLS and with implicit TLS.

use std::path::Path;

use dais_alert::{AlertParams, ChannelParams, Delivery, EmailParams, Secret, SmtpTls, Status, deliver_now};
use dais_resilience::FailureClass;

use crate::certificate::certify;
use crate::mail_server::{Mail, MailServer, Trouble};
use crate::support::{notification, quick, wait_for};

const TROUBLES: [Trouble; 3] = [Trouble::Drop, Trouble::Unavailable, Trouble::LocalError];

fn params(folder: &Path, server: &MailServer, tls: SmtpTls) -> AlertParams {
    let email = EmailParams {
        host: "localhost".to_owned(),
        port: server.port,
        tls,
        username: "dais".to_owned(),
        password: Secret::new("pass word"),
        from: "dais <dais@example.org>".to_owned(),
        to: vec!["one@example.org".to_owned(), "Two <two@example.org>".to_owned()],
        ca_file: Some(folder.join("cert.pem")),
        ..EmailParams::default()
    };
    quick(folder, "mail", ChannelParams::Email(email))
}

/// Delivers a message to a server that drops the connection, then says 421, then 451, then takes it.
fn through_three_failures(tls: SmtpTls) -> Mail {
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    let server = MailServer::start(folder.path(), tls, &TROUBLES);
    let delivery = Delivery::start(&params(folder.path(), &server, tls)).expect("the channel opens");
    assert!(delivery.send(notification("mail", Status::Firing)));
    let figures = wait_for(&delivery, "mail", |figures| figures.delivered + figures.dead > 0);
    assert_eq!((figures.delivered, figures.failed_attempts, figures.dead), (1, 3, 0));
    assert_eq!(server.connections(), 4);
    let [mail] = server.mails().try_into().expect("one mail");
    mail
}

/// The parts of a message: headers and decoded body (RFC 2046; quoted-printable as in RFC 2045).
fn parts(mail: &Mail) -> (String, Vec<(String, String)>) {
    let (headers, body) = mail.text.split_once("\n\n").expect("headers end with an empty line");
    let headers = headers.replace("\n ", " ").replace("\n\t", " ");
    let (_, boundary) = headers.split_once("boundary=\"").expect("a boundary");
    let boundary = format!("--{}", boundary.split('"').next().expect("its end"));
    let inner: Vec<&str> = body.split(&boundary).collect();
    assert!(inner.last().is_some_and(|end| end.starts_with("--")), "the last boundary ends the message");
    let inner = inner.get(1..inner.len() - 1).expect("a preamble and an end");
    let part = |part: &&str| {
        let (headers, body) = part.trim_start().split_once("\n\n").expect("headers of the part");
        let body = if headers.contains("quoted-printable") { unquoted(body) } else { body.to_owned() };
        (headers.to_owned(), body)
    };
    (headers, inner.iter().map(part).collect())
}

fn unquoted(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut left = joined.as_bytes();
    while let Some((&byte, rest)) = left.split_first() {
        let code = rest.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let coded = code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| byte == b'=');
        bytes.push(coded.unwrap_or(byte));
        left = if coded.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn judge(mail: &Mail) {
    assert_eq!(mail.from, "FROM:<dais@example.org>");
    assert_eq!(mail.to, ["TO:<one@example.org>", "TO:<two@example.org>"]);
    assert_eq!(mail.login, Some(("dais".to_owned(), "pass word".to_owned())));
    let (headers, parts) = parts(mail);
    let has = |line: &str| headers.lines().any(|header| header == line);
    assert!(has("Subject: [FIRING:1] DiskFull: disk has <12.5> MB & less"), "{headers}");
    assert!(has("From: dais <dais@example.org>") || has("From: \"dais\" <dais@example.org>"), "{headers}");
    assert!(has("Auto-Submitted: auto-generated") && has("MIME-Version: 1.0"), "{headers}");
    assert!(has("Date: Tue, 14 Nov 2023 22:14:20 +0000"), "{headers}");
    assert!(headers.contains("Message-ID: <") && headers.contains("@example.org>"), "{headers}");
    assert!(headers.contains("multipart/alternative"), "{headers}");
    let [plain, html] = parts.try_into().expect("two parts");
    assert!(plain.0.contains("text/plain; charset=utf-8") && html.0.contains("text/html; charset=utf-8"));
    assert!(plain.1.contains("DiskFull (critical, firing since 2023-11-14T22:13:20Z)\n  disk has <12.5> MB & less"));
    assert!(plain.1.contains("Größe: klein") && plain.1.contains("What to do: https://example.org/disk"));
    assert!(html.1.contains("disk has &lt;12.5&gt; MB &amp; less") && html.1.contains("Größe: klein"));
}

#[test]
fn mail_is_delivered_over_starttls_through_three_failures() {
    judge(&through_three_failures(SmtpTls::Starttls));
}

#[test]
fn mail_is_delivered_over_implicit_tls_through_three_failures() {
    judge(&through_three_failures(SmtpTls::Implicit));
}

#[test]
fn a_server_that_nobody_vouches_for_gets_no_mail_and_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    certify(folder.path());
    certify(other.path());
    let server = MailServer::start(folder.path(), SmtpTls::Starttls, &[]);
    let params = params(other.path(), &server, SmtpTls::Starttls);
    let failure = deliver_now(&params, "mail", &notification("mail", Status::Firing)).unwrap_err();
    assert!(failure.to_string().contains("certificate"), "{failure}");
    assert!(server.mails().is_empty() && server.connections() == 1);
}

#[test]
fn a_receiver_that_does_not_exist_is_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = MailServer::start(folder.path(), SmtpTls::Implicit, &[Trouble::NoSuchReceiver]);
    let params = params(folder.path(), &server, SmtpTls::Implicit);
    let failure = deliver_now(&params, "mail", &notification("mail", Status::Firing)).unwrap_err();
    assert_eq!(failure.class, FailureClass::Permanent);
    assert!(failure.to_string().contains("nobody of that name"), "{failure}");
}

#[test]
fn a_file_of_certificates_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = MailServer::start(folder.path(), SmtpTls::Implicit, &[]);
    let mut params = params(folder.path(), &server, SmtpTls::Implicit);
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    let failure = deliver_now(&params, "mail", &notification("mail", Status::Firing)).unwrap_err();
    assert!(failure.to_string().contains("cert.pem"), "{failure}");
    params.channels.clear();
    assert!(
        deliver_now(&params, "mail", &notification("mail", Status::Firing)).unwrap_err().message.contains("`mail`")
    );
}
