//! Alerts from readings to servers that speak the real protocols.

mod certificate;
mod delivery;
mod http_server;
mod life;
mod mail;
mod mail_server;
mod params;
mod post;
mod routing;
mod support;
