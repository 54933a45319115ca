//! The way to a collector.

use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{Protocol as Wire, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::runtime::{Builder, Runtime};

use super::params::{Protocol, TraceParams};
use super::signature_traces::TraceError;

/// Sends spans and waits for the answer.
#[derive(Debug)]
pub(super) struct Exporter {
    exporter: SpanExporter,
    /// Drives requests over gRPC, and the waits between repetitions.
    runtime: Option<Runtime>,
}

impl Exporter {
    pub(super) fn new(params: &TraceParams) -> Result<Self, TraceError> {
        let address = params.address().map_err(TraceError::Params)?;
        let headers = params.header_map().map_err(TraceError::Params)?;
        let timeout = std::time::Duration::try_from_secs_f64(params.timeout_s)
            .map_err(|error| TraceError::Params(format!("timeout_s: {error}")))?;
        let refused = |error: opentelemetry_otlp::ExporterBuildError| TraceError::Exporter(error.to_string());
        let (mut exporter, runtime) = match params.protocol {
            Protocol::Http => {
                let mut builder =
                    SpanExporter::builder().with_http().with_protocol(Wire::HttpBinary).with_timeout(timeout);
                if let Some(address) = address {
                    builder = builder.with_endpoint(address);
                }
                // The builder takes values as percent-encoded.
                let plain = params.headers.iter();
                let encoded = plain.map(|(name, value)| (name.clone(), value.reveal().replace('%', "%25"))).collect();
                (builder.with_headers(encoded).build().map_err(refused)?, None)
            }
            Protocol::Grpc => {
                let runtime = Builder::new_current_thread().enable_all().build().map_err(TraceError::Thread)?;
                let entered = runtime.enter();
                let mut builder = SpanExporter::builder().with_tonic().with_timeout(timeout);
                if let Some(address) = address {
                    builder = builder.with_endpoint(address);
                }
                let exporter = builder.with_metadata(MetadataMap::from_headers(headers)).build().map_err(refused)?;
                drop(entered);
                (exporter, Some(runtime))
            }
        };
        exporter.set_resource(&Resource::builder().with_service_name(params.service_name.clone()).build());
        Ok(Self { exporter, runtime })
    }

    pub(super) fn send(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(spans);
        match &self.runtime {
            Some(runtime) => runtime.block_on(sent),
            None => futures_executor::block_on(sent),
        }
    }
}
