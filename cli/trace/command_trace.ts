import { Code, ConnectError } from "@connectrpc/connect";
import type { CallSpan, CallTracer } from "@mpc/client";
import type { Operation } from "@mpc/proto";
import {
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { EXIT } from "../errors/cli_error.ts";

/** One call of a command. */
export interface TracedCall {
  /** Such as `EnvironmentService/GetEnvironment`. */
  readonly method: string;
  /** When it began, by the monotonic clock. */
  readonly begin: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** Its gRPC code, such as `OK` or `NOT_FOUND`. */
  readonly code: string;
}

/**
 * The trace of one run of mpctl: what its calls took, and the operations that they were about. It
 * needs no collector; where OpenTelemetry is registered, the same spans are exported.
 */
export class CommandTrace {
  readonly command: string;
  readonly isExported: boolean;
  readonly traceId: string;
  readonly #span: Span;
  readonly #begin = performance.now();
  readonly #calls: TracedCall[] = [];
  readonly #operations = new Map<string, Operation>();
  /** The calls that have not ended. */
  readonly #open = new Set<CallSpan>();

  constructor(command: string, { isExported }: { readonly isExported: boolean }) {
    const span = tracer.startSpan(command, { root: true });
    this.command = command;
    this.isExported = isExported && span.isRecording();
    this.#span = this.isExported ? span : trace.wrapSpanContext(randomContext());
    this.traceId = this.#span.spanContext().traceId;
  }

  /** The calls that have ended, in the order in which they began. */
  get ended(): readonly TracedCall[] {
    return this.#calls.toSorted((a, b) => a.begin - b.begin);
  }

  /** What the server said last about each operation. */
  get operations(): readonly Operation[] {
    return [...this.#operations.values()];
  }

  /** Milliseconds since the command began. */
  get ms(): number {
    return performance.now() - this.#begin;
  }

  /** Runs the body of the command in its span. @returns the exit code */
  async run(body: () => Promise<number>): Promise<number> {
    let exitCode: number | undefined;
    try {
      exitCode = await context.with(trace.setSpan(ROOT_CONTEXT, this.#span), body);
      return exitCode;
    } finally {
      // Connect does not notice that a stream is no longer read.
      for (const call of this.#open) call.end();
      if (exitCode !== EXIT.OK) this.#span.setStatus({ code: SpanStatusCode.ERROR });
      if (exitCode !== undefined) this.#span.setAttribute("process.exit.code", exitCode);
      this.#span.end();
    }
  }

  /** Makes spans of the command's calls. */
  readonly calls: CallTracer = {
    begin: (method, carrier): CallSpan => {
      const parent = trace.setSpan(ROOT_CONTEXT, this.#span);
      const attributes = { "rpc.system.name": "grpc", "rpc.method": method };
      const span = this.isExported
        ? tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, parent)
        : this.#span;
      const begin = performance.now();
      // Deno's `fetch` adds the context of the active span itself, and would send two.
      const isSent = this.isExported && carrier === "fetch" && "Deno" in globalThis;
      const call: CallSpan = {
        headers: isSent ? {} : { traceparent: traceparentOf(span.spanContext()) },
        within: (run) => context.with(trace.setSpan(ROOT_CONTEXT, span), run),
        received: (message) => {
          if (isOperation(message)) this.#operations.set(message.name, message);
        },
        end: (error) => {
          if (!this.#open.delete(call)) return;
          const code = error === undefined ? "OK" : codeOf(error);
          const shown = method.slice(method.lastIndexOf(".") + 1);
          this.#calls.push({ method: shown, begin, ms: performance.now() - begin, code });
          if (span === this.#span) return;
          if (error !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", code);
          }
          span.setAttribute("rpc.response.status_code", code).end();
        },
      };
      this.#open.add(call);
      return call;
    },
  };
}

const tracer = trace.getTracer("mpctl");

const isOperation = (message: object): message is Operation =>
  "$typeName" in message && message.$typeName === "mpc.v1.Operation";

/** The code as gRPC spells it. */
function codeOf(error: unknown): string {
  const { code } = ConnectError.from(error);
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replace(/(?<=.)(?=[A-Z])/g, "_").toUpperCase();
}

/** A trace of this process alone, which nothing exports; the server goes on with it. */
const randomContext = (): SpanContext => ({ traceId: hex(16), spanId: hex(8), traceFlags: 1 });

const hex = (bytes: number): string =>
  Array.from(
    crypto.getRandomValues(new Uint8Array(bytes)),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");

/** As the header of that name (W3C Trace Context). */
const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
