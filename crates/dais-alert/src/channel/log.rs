use crate::{Notification, Severity, Status};

/// Writes the message to the log of this process, at the level of its severity.
pub(super) fn write(notification: &Notification) -> String {
    let (title, group) = (notification.title(), &notification.group_key);
    let alerts = notification.alerts.len() + notification.truncated;
    match (notification.status, notification.severity()) {
        (Status::Firing, Severity::Critical) => tracing::error!(target: "dais::alert", group, alerts, "{title}"),
        (Status::Firing, Severity::Warning) => tracing::warn!(target: "dais::alert", group, alerts, "{title}"),
        (Status::Firing, Severity::Info) | (Status::Resolved, _) => {
            tracing::info!(target: "dais::alert", group, alerts, "{title}");
        }
    }
    "written to the log".to_owned()
}
