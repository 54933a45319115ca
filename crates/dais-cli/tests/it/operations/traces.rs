//! Traces of signatures, at a listener that decodes OTLP.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;

use super::{SHORT, listener};
use crate::{dais, printed};

fn spans(posted: &listener::Posted) -> Vec<Span> {
    let requests = posted.all().into_iter().map(|body| ExportTraceServiceRequest::decode(body).expect("OTLP"));
    let resources = requests.flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

/// The text of a span's attribute.
fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()?;
    if let Any::StringValue(text) = value { Some(text) } else { None }
}

#[test]
fn each_signature_has_one_trace_of_its_life() {
    let place = tempfile::tempdir().unwrap();
    let (address, posted) = listener::listen();
    let endpoint = format!("monitoring.tracing.endpoint=http://{address}");
    let traced = ["--configure", "monitoring.tracing.enable=true", "--configure", &endpoint];
    printed(dais(place.path()).args(SHORT).args(["--out", "x"]).args(traced));
    let spans = spans(&posted);

    let mut traces: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for span in &spans {
        traces.entry(hex::encode(&span.trace_id)).or_default().insert(&span.name);
    }
    let entries = |kind: &str| {
        let shown = printed(dais(place.path()).args(["ledger", "show", "x", "--kind", kind, "--json"]));
        let lines = shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.map(|entry| entry["body"].clone()).collect::<Vec<_>>()
    };
    let roots: Vec<&Span> = spans.iter().filter(|span| span.name == "signature").collect();
    let decided: BTreeSet<String> =
        entries("outcome").iter().map(|outcome| outcome["signature"].as_str().unwrap().to_owned()).collect();
    assert!(
        (decided.len()..=entries("signature").len()).contains(&roots.len()),
        "one for each that was put to the vote"
    );
    let ids: BTreeSet<&str> = roots.iter().filter_map(|root| attribute(root, "dais.signature.id")).collect();
    assert_eq!(ids.len(), traces.len(), "and one trace for each");
    let decided = entries("outcome");
    assert!(decided.len() > 5, "{decided:#?}");
    for outcome in &decided {
        let id = outcome["signature"].as_str().expect("an id");
        assert!(ids.contains(id), "{id}");
        let names = &traces[&id[..32]];
        for name in ["detect", "publish", "vote", "resolve", "record"] {
            assert!(names.contains(name), "{name} of {id}: {names:?}");
        }
        let is_accepted = outcome["motion"] == "adopt" && outcome["outcome"] == "accepted";
        // What is decided in the last step nobody learns any more.
        if is_accepted && outcome["step"] != 39 {
            assert!(names.contains("learn"), "{id}: {names:?}");
        }
    }
    let families: BTreeSet<&str> = roots.iter().filter_map(|root| attribute(root, "dais.signature.family")).collect();
    assert!(!families.is_empty(), "{roots:#?}");
    assert!(families.iter().all(|family| family.parse::<u32>().is_err()), "names, no numbers: {families:?}");
}
