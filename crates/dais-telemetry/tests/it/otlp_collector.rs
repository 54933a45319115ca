//! A collector on this machine that decodes OTLP and keeps what it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

#[derive(Debug, Default)]
struct Kept {
    requests: Vec<ExportTraceServiceRequest>,
    /// The header `x-key` of each.
    keys: Vec<String>,
    /// So many requests are refused first.
    refuse: usize,
}

/// What was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector(Arc<Mutex<Kept>>);

impl Collector {
    fn keep(&self, request: ExportTraceServiceRequest, key: &str) -> bool {
        let mut kept = self.0.lock().expect("no test panicked here");
        kept.keys.push(key.to_owned());
        if kept.refuse > 0 {
            kept.refuse -= 1;
            return false;
        }
        kept.requests.push(request);
        true
    }

    /// Refuses the next requests.
    pub(crate) fn refuse(&self, requests: usize) {
        self.0.lock().expect("no test panicked here").refuse = requests;
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let kept = self.0.lock().expect("no test panicked here");
        let resources = kept.requests.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.lock().expect("no test panicked here").keys.clone()
    }

    /// The name of the service of the first request.
    pub(crate) fn service(&self) -> Option<String> {
        let kept = self.0.lock().expect("no test panicked here");
        let resource = kept.requests.first()?.resource_spans.first()?.resource.clone()?;
        attributes(&resource.attributes).remove("service.name")
    }

    /// Listens for OTLP over HTTP until the test ends.
    pub(crate) fn over_http(&self) -> SocketAddr {
        let theirs = self.clone();
        let collect = move |headers: HeaderMap, body: Bytes| async move {
            let key = headers.get("x-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
            let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
            if !theirs.keep(request, key) {
                return Err(StatusCode::BAD_REQUEST);
            }
            let answer = ExportTraceServiceResponse::default().encode_to_vec();
            Ok(([(header::CONTENT_TYPE, "application/x-protobuf")], answer))
        };
        let router = Router::new().route("/v1/traces", post(collect));
        serve(|listener| async { axum::serve(listener, router).await.expect("a server") })
    }

    /// Listens for OTLP over gRPC until the test ends.
    pub(crate) fn over_grpc(&self) -> SocketAddr {
        let service = TraceServiceServer::new(self.clone());
        serve(|listener| async {
            let incoming = tonic::transport::server::TcpIncoming::from(listener);
            let server = tonic::transport::Server::builder().add_service(service);
            server.serve_with_incoming(incoming).await.expect("a server");
        })
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let key = request.metadata().get("x-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
        if self.keep(request.into_inner(), &key) {
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        } else {
            Err(tonic::Status::invalid_argument("refused on purpose"))
        }
    }
}

/// Runs a server on a thread and a port of its own.
fn serve<F: Future<Output = ()>>(server: impl FnOnce(TcpListener) -> F + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { server(TcpListener::from_std(listener).expect("a listener")).await });
    });
    address
}

/// Attributes as text.
pub(crate) fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &KeyValue| match value.value.clone().and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|one| (one.key.clone(), text(one))).collect()
}
