use std::fs;
use std::time::Duration;

use dais_resilience::{Failure, FailureClass};
use lettre::address::AddressError;
use lettre::message::{Mailbox, Message, MultiPart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{Error, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{delivery_id, permanent, text};
use crate::params::{EmailParams, SmtpTls};
use crate::{Alert, Notification, Severity};

/// A mail server, spoken to over TLS only.
#[derive(Debug)]
pub(crate) struct Email {
    from: Mailbox,
    to: Vec<Mailbox>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

/// What is wrong with the addresses of mail.
pub(super) fn wrong_addresses(params: &EmailParams) -> Vec<(String, String)> {
    let named = params.to.iter().enumerate().map(|(at, to)| (format!("to.{at}"), to));
    let named = named.chain([("from".to_owned(), &params.from)]).filter(|(_, address)| !address.is_empty());
    named
        .filter_map(|(field, address)| {
            let error = address.parse::<Mailbox>().err()?;
            Some((field, format!("`{address}` is no address of mail: {error}")))
        })
        .collect()
}

impl Email {
    pub(super) fn new(params: &EmailParams, timeout: Duration) -> Result<Self, Failure> {
        let mailbox = |address: &String| {
            let wrong = |error: AddressError| permanent(error.to_string()).with("address", address);
            address.parse::<Mailbox>().map_err(wrong)
        };
        let (tls, usual_port) = match params.tls {
            SmtpTls::Starttls => (Tls::Required(tls(params)?), SUBMISSION_PORT),
            SmtpTls::Implicit => (Tls::Wrapper(tls(params)?), SUBMISSIONS_PORT),
        };
        let port = if params.port == 0 { usual_port } else { params.port };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(params.host.clone())
            .port(port)
            .tls(tls)
            .timeout(Some(timeout));
        if !params.username.is_empty() {
            let password = params.password.expose().to_owned();
            builder = builder.credentials(Credentials::new(params.username.clone(), password));
        }
        let to = params.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        Ok(Self { from: mailbox(&params.from)?, to, transport: builder.build() })
    }

    pub(super) async fn send(&self, notification: &Notification) -> Result<String, Failure> {
        let mail = self.mail(notification)?;
        let answer = self.transport.send(mail).await.map_err(|error| classify(&error))?;
        let said: Vec<&str> = answer.message().collect();
        Ok(format!("answered {} {}", answer.code(), said.join(" ")))
    }

    fn mail(&self, notification: &Notification) -> Result<Message, Failure> {
        let domain = self.from.email.domain();
        // The same at each attempt: a server that took the mail and then failed will know it again.
        let id = format!("<{}@{domain}>", delivery_id(notification));
        // Who answers is no machine, and neither is who reads: RFC 3834.
        let automatic = header::HeaderValue::new(
            header::HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(notification.title())
            .message_id(Some(id))
            .date(notification.at.into())
            .raw_header(automatic);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let parts = MultiPart::alternative_plain_html(text(notification), html(notification));
        builder.multipart(parts).map_err(|error| Failure::new(FailureClass::Invalid, error.to_string()))
    }
}

fn tls(params: &EmailParams) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(params.host.clone());
    if let Some(path) = &params.ca_file {
        let wrong = |what: String| permanent(what).with("ca_file", path.display());
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?);
    }
    builder.build_rustls().map_err(|error| permanent(error.to_string()))
}

/// Answers from 500 are refusals; all else passes (RFC 5321, section 4.2.1).
fn classify(error: &Error) -> Failure {
    let class = if error.is_timeout() {
        FailureClass::Timeout
    } else if error.is_permanent() {
        FailureClass::Permanent
    } else {
        FailureClass::Transient
    };
    let mut message = error.to_string();
    if let Some(cause) = std::error::Error::source(error)
        && !message.contains(&cause.to_string())
    {
        message = format!("{message}: {cause}");
    }
    Failure::new(class, message)
}

fn html(notification: &Notification) -> String {
    let rows: Vec<String> = notification.alerts.iter().map(row).collect();
    let title = escaped(&notification.title());
    format!("<!DOCTYPE html><html><body><h3>{title}</h3><table>{}</table></body></html>", rows.concat())
}

fn row(alert: &Alert) -> String {
    let colour = match (alert.ends_at, alert.severity) {
        (Some(_), _) => "#2e7d32",
        (None, Severity::Critical) => "#c62828",
        (None, Severity::Warning) => "#b26a00",
        (None, Severity::Info) => "#1565c0",
    };
    let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let runbook = match alert.runbook.as_str() {
        "" => String::new(),
        address => format!("<br><a href=\"{}\">What to do</a>", escaped(address)),
    };
    format!(
        "<tr><td style=\"border-left:4px solid {colour};padding:6px 12px\"><b>{}</b> ({}) since {}<br>{}<br>{}<br>\
         <small>{}</small>{runbook}</td></tr>",
        escaped(&alert.name),
        alert.severity.name(),
        super::since(alert),
        escaped(&alert.summary),
        escaped(&alert.description),
        escaped(&labels.join(" ")),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
