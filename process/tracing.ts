/**
 * Spans of OpenTelemetry. `OTEL_DENO=true` makes Deno register a tracer provider and export its spans
 * (OTLP); without a provider nothing here does anything.
 */
import { formatTraceparent, isMpcError, parseTraceparent } from "@mpc/domain";
import {
  type Context,
  context,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/** The tracer of the platform's own spans; Deno's have another one. */
export const tracer = trace.getTracer("mpc");

/** Whether spans go anywhere. Decorators that make spans are installed only then. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) ||
    provider.getDelegateTracer("mpc") !== undefined;
}

/** Runs code in a span, which fails with it. Messages of errors may quote input, and stay out. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  run: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  return await tracer.startActiveSpan(name, options, parent, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      failSpan(span, isMpcError(error) ? error.reason : "UNKNOWN");
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks a span as failed, by the reason of an error. */
export function failSpan(span: Span, reason: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", reason);
}

/** The position in a trace that a `traceparent` names; the root if it names none. */
export function contextOf(traceparent: string | null | undefined): Context {
  const parent = parseTraceparent(traceparent ?? null);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}

/** The active span as a `traceparent`; null if there is none. */
export function activeTraceparent(): string | null {
  const active = trace.getActiveSpan()?.spanContext();
  return active && isSpanContextValid(active) ? formatTraceparent(active) : null;
}

/**
 * Runs code outside of all traces. In Deno 2.9 a `fetch` without any context leaves its span behind
 * as the parent of everything that its caller does next, so whole processes run in this.
 */
export const outsideTraces = <T>(run: () => T): T => context.with(ROOT_CONTEXT, run);
