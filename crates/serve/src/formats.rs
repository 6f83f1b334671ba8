//! Chooses the error format of a request: that of the protocol which its address or content type belongs to.

use axum::extract::Request;
use axum::http::header;
use door::ErrorFormat;

use cloudwatch::CloudWatchFormat;
use elastic::ElasticFormat;
use loki::LokiFormat;
use otel::datadog::{self, DatadogFormat};
use otel::endpoints::{self, EndpointFormat};
use otel::firehose::{self, FirehoseFormat};
use otel::grpc::{self, GrpcFormat};
use otel::otlp::{self, OtlpFormat};
use otel::sentry::{self, SentryFormat};
use otel::splunk::{self, SplunkFormat};
use otel::zipkin::{self, ZipkinFormat};
use tables::CatalogFormat;

/// Returns the error format of a request's protocol; `None` for the native API.
pub(crate) fn format_of(request: &Request) -> Option<Box<dyn ErrorFormat>> {
    let path = request.uri().path();
    let content_type = request.headers().get(header::CONTENT_TYPE);
    match path {
        _ if grpc::is_spoken(content_type) => Some(Box::new(GrpcFormat)),
        path if otlp::is_address(path) || path == endpoints::OTLP => {
            Some(Box::new(OtlpFormat(otlp::form_of_answer(content_type))))
        }
        path if path.starts_with(splunk::PREFIX) => Some(Box::new(SplunkFormat)),
        path if datadog::is_address(path) => Some(Box::new(DatadogFormat)),
        path if sentry::is_address(path) => Some(Box::new(SentryFormat)),
        path if endpoints::is_address(path) => Some(Box::new(EndpointFormat)),
        firehose::PATH => Some(Box::new(FirehoseFormat::of(request.headers()))),
        path if zipkin::is_address(path) => Some(Box::new(ZipkinFormat)),
        path if elastic::is_address(path) => {
            Some(Box::new(ElasticFormat { version: elastic::version_wanted(request.headers()) }))
        }
        path if loki::is_address(path) => Some(Box::new(LokiFormat)),
        path if tables::is_address(path) => Some(Box::new(CatalogFormat)),
        _ if cloudwatch::is_spoken(request) => Some(Box::new(CloudWatchFormat)),
        path => traces::format_of(path).or_else(|| metrics::format_of(path)),
    }
}
