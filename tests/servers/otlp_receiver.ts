/** A receiver of OpenTelemetry's protocol (OTLP/HTTP in JSON), for spans. */
export interface Span {
  readonly name: string;
  /** Of the process, `OTEL_SERVICE_NAME`. */
  readonly service: string;
  /** `mpc` and `mpctl` for ours, `deno` for those of the runtime. */
  readonly scope: string;
  readonly kind: "INTERNAL" | "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER";
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The traces of its links. */
  readonly links: readonly string[];
}

/** Collects the spans that processes export. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly spans: readonly Span[];
  /** All of it, as it was sent. */
  readonly bodies: readonly string[];
  /** Variables for the processes that export to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Waits until the spans satisfy a predicate. @throws {Error} with the spans if they never do */
  until(is: (spans: readonly Span[]) => boolean): Promise<void>;
}

const KINDS = ["INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
const PATIENCE_MS = 30_000;

/** Starts a receiver on a free port. */
export function startOtlpReceiver(): OtlpReceiver {
  const spans: Span[] = [];
  const bodies: string[] = [];
  let more = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      bodies.push(body);
      if (new URL(request.url).pathname === "/v1/traces") spans.push(...spansOf(JSON.parse(body)));
      more.resolve();
      more = Promise.withResolvers<void>();
      return Response.json({});
    },
  );
  return {
    spans,
    bodies,
    env: exportTo(`http://127.0.0.1:${server.addr.port}`),
    async until(is) {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => late.reject(new Error(`the spans do not come: ${JSON.stringify(spans, null, 1)}`)),
        PATIENCE_MS,
      );
      try {
        while (!is(spans)) await Promise.race([more.promise, late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Variables that make Deno export its telemetry to an address, several times a second. */
export const exportTo = (endpoint: string): Readonly<Record<string, string>> => ({
  OTEL_DENO: "true",
  OTEL_DENO_CONSOLE: "ignore",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_BSP_SCHEDULE_DELAY: "200",
});

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly {
        readonly name: string;
        readonly kind: number;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: readonly Attribute[];
        readonly links: readonly { readonly traceId: string }[];
        readonly status: { readonly code: number };
      }[];
    }[];
  }[];
}

function spansOf({ resourceSpans }: Export): readonly Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        name: span.name,
        service: String(valuesOf(resource.attributes)["service.name"]),
        scope: scope.name,
        kind: KINDS[span.kind] ?? "INTERNAL",
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        failed: span.status.code === 2,
        attributes: valuesOf(span.attributes),
        links: span.links.map(({ traceId }) => traceId),
      }))
    )
  );
}

const valuesOf = (attributes: readonly Attribute[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
