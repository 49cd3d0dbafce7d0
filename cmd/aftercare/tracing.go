package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// flush bounds how long the last spans may take on their way out.
const flush = 5 * time.Second

// trace makes spans from now on, where somebody wants them, until the function it returns is called. It goes by the variables that
// OpenTelemetry names: spans go by OTLP over HTTP where OTEL_TRACES_EXPORTER is otlp or an endpoint is named (OTEL_EXPORTER_OTLP_ENDPOINT,
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT); samplers, headers and attributes are read from theirs.
func (a *app) trace(ctx context.Context) (stop func(), err error) {
	if !a.wantsSpans(ctx) {
		return func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("send spans: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { a.logger.Warn("spans are lost", "error", err) })) //nolint:sloglint // there is no context
	attributes := []attribute.KeyValue{attribute.String("service.name", "aftercare")}
	if info, ok := debug.ReadBuildInfo(); ok {
		attributes = append(attributes, attribute.String("service.version", info.Main.Version))
	}
	from, err := resource.New(ctx, resource.WithAttributes(attributes...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("send spans: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(from))
	a.tracing = provider
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flush)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			a.logger.WarnContext(ctx, "spans are lost", "error", err)
		}
	}, nil
}

// wantsSpans reads the environment. What it does not know there it warns of and ignores, as OpenTelemetry wants it.
func (a *app) wantsSpans(ctx context.Context) bool {
	if strings.EqualFold(a.env("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	switch exporter := a.env("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false
	case "otlp":
		return true
	case "":
	default:
		a.logger.WarnContext(ctx, "OTEL_TRACES_EXPORTER is neither otlp nor none, and is ignored", "value", exporter)
	}
	return a.env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || a.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}
