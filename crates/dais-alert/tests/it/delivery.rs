//! What becomes of messages that cannot be delivered.

use std::time::{Duration, Instant};

use dais_alert::{ChannelParams, DeadLetters, Delivery, LogChannelParams, Secret, SlackParams, Status, deliver_now};
use dais_resilience::{BreakerParams, BreakerState, FailureClass};

use crate::http_server::HttpServer;
use crate::support::{notification, quick, wait_for};

fn slack(url: &str) -> ChannelParams {
    ChannelParams::Slack(SlackParams { url: Secret::new(url), ..SlackParams::default() })
}

#[test]
fn what_is_refused_for_good_becomes_a_dead_letter_at_once_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(&[404], None);
    let params = quick(folder.path(), "slack", slack(&server.address));
    let delivery = Delivery::start(&params).unwrap();
    delivery.send(notification("slack", Status::Firing));
    let figures = wait_for(&delivery, "slack", |figures| figures.dead > 0);
    assert_eq!((figures.failed_attempts, figures.delivered), (1, 0), "asking again would not help");
    assert_eq!(figures.breaker, BreakerState::Closed, "the channel is there");

    let letters = DeadLetters::new(&params.delivery.dead_letter_file, params.delivery.dead_letters_max);
    let kept = letters.read().unwrap();
    assert_eq!((kept.len(), kept[0].attempts), (1, 1));
    assert_eq!(kept[0].reason, "answered 404 (answer: said)");
    assert_eq!(kept[0].notification, notification("slack", Status::Firing));
    assert_eq!(deliver_now(&params, "slack", &kept[0].notification).unwrap(), "answered 202 Accepted");
    letters.remove(&[kept[0].id.clone()]).unwrap();
    assert_eq!(letters.read().unwrap(), []);
}

#[test]
fn a_channel_that_is_away_is_left_alone_and_delays_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(&[500; 100], None);
    let mut params = quick(folder.path(), "slack", slack(&server.address));
    params.channels.insert("log".to_owned(), ChannelParams::Log(LogChannelParams::default()));
    params.delivery.breaker = BreakerParams { failures: 3, cool_down_ms: 3_600_000, ..BreakerParams::default() };
    params.delivery.drain_ms = 50;
    let delivery = Delivery::start(&params).unwrap();
    let mut both = notification("slack", Status::Firing);
    both.channels.push("log".to_owned());
    (0..5).for_each(|_| assert!(delivery.send(both.clone())));
    wait_for(&delivery, "log", |figures| figures.delivered == 5);
    let figures = wait_for(&delivery, "slack", |figures| figures.breaker == BreakerState::Open);
    assert_eq!((figures.failed_attempts, server.seen().len()), (3, 3), "then it is left alone");

    delivery.stop();
    let letters = DeadLetters::new(&params.delivery.dead_letter_file, 100).read().unwrap();
    assert_eq!(letters.len(), 5, "what was not delivered when the program ended is kept");
    assert!(letters.iter().all(|letter| letter.channel == "slack" && letter.reason.contains("the program ended")));
    assert_eq!(letters.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [3, 0, 0, 0, 0]);
}

#[test]
fn a_full_queue_makes_dead_letters_and_their_file_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(&[500; 1000], None);
    let mut params = quick(folder.path(), "slack", slack(&server.address));
    params.delivery.queue = 2;
    params.delivery.dead_letters_max = 10;
    params.delivery.breaker = BreakerParams { failures: 1, cool_down_ms: 3_600_000, ..BreakerParams::default() };
    params.delivery.drain_ms = 0;
    let delivery = Delivery::start(&params).unwrap();
    let mut refused = 0;
    let begin = Instant::now();
    while delivery.figures().channels["slack"].dead < 15 {
        refused += u64::from(!delivery.send(notification("slack", Status::Firing)));
        assert!(begin.elapsed() < Duration::from_mins(2), "{:?}", delivery.figures());
    }
    assert_eq!(delivery.figures().lost, refused, "what finds no room is counted");
    delivery.stop();
    assert_eq!(DeadLetters::new(&params.delivery.dead_letter_file, 10).read().unwrap().len(), 10);
}

#[test]
fn a_channel_gets_so_many_messages_in_a_minute_and_the_others_wait() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = quick(folder.path(), "log", ChannelParams::Log(LogChannelParams::default()));
    params.delivery.messages_per_minute = 600;
    params.delivery.queue = 1_000;
    let delivery = Delivery::start(&params).unwrap();
    (0..603).for_each(|_| assert!(delivery.send(notification("log", Status::Firing))));
    let figures = wait_for(&delivery, "log", |figures| figures.delivered == 603);
    assert!((1..=3).contains(&figures.limited), "{figures:?}");
}

#[test]
fn who_wants_no_news_of_the_end_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = LogChannelParams { send_resolved: false };
    let delivery = Delivery::start(&quick(folder.path(), "log", ChannelParams::Log(quiet))).unwrap();
    delivery.send(notification("log", Status::Resolved));
    delivery.send(notification("log", Status::Firing));
    let figures = wait_for(&delivery, "log", |figures| figures.delivered > 0);
    delivery.stop();
    assert_eq!(figures.delivered, 1);
}

#[test]
fn an_address_that_is_a_secret_is_not_shown_when_it_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/services/secret", closed.local_addr().unwrap());
    drop(closed);
    let params = quick(folder.path(), "slack", slack(&address));
    let failure = deliver_now(&params, "slack", &notification("slack", Status::Firing)).unwrap_err();
    assert_eq!(failure.class, FailureClass::Transient);
    assert!(!format!("{failure} {failure:?} {params:?}").contains("secret"), "{failure}");
    assert!(failure.to_string().to_lowercase().contains("refused"), "{failure}");
}

#[test]
fn a_line_that_was_cut_off_swallows_no_letter() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(&[404, 404], None);
    let params = quick(folder.path(), "slack", slack(&server.address));
    std::fs::write(&params.delivery.dead_letter_file, "{\"id\":\"cut").unwrap();
    let delivery = Delivery::start(&params).unwrap();
    (0..2).for_each(|_| assert!(delivery.send(notification("slack", Status::Firing))));
    wait_for(&delivery, "slack", |figures| figures.dead == 2);
    assert_eq!(DeadLetters::new(&params.delivery.dead_letter_file, 10).read().unwrap().len(), 2);
}
