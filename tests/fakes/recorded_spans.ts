import {
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  trace,
} from "@opentelemetry/api";

export interface RecordedSpan {
  readonly name: string;
  readonly attributes: SpanOptions["attributes"];
  readonly parent: SpanContext | undefined;
}

/** Records the spans that begin while it is in use. */
export function recordSpans(): Disposable & { readonly spans: readonly RecordedSpan[] } {
  const spans: RecordedSpan[] = [];
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const parent = context && trace.getSpanContext(context);
    spans.push({ name, attributes: options.attributes, parent });
    return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  };
  const startActiveSpan = (
    name: string,
    options: SpanOptions,
    context: Context,
    run: (span: Span) => unknown,
  ) => run(startSpan(name, options, context));
  trace.setGlobalTracerProvider({
    getTracer: () => ({ startSpan, startActiveSpan: startActiveSpan as never }),
  });
  return { spans, [Symbol.dispose]: () => trace.disable() };
}
