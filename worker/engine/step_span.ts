import type { ErrorRecord, Operation } from "@mpc/domain";
import { contextOf, failSpan, isTracing, tracer } from "@mpc/process";
import { type Context, context, type Link, type Span, trace } from "@opentelemetry/api";

/**
 * Runs a part of an operation in the trace in which the operation was requested. A part that goes on
 * with what another process has begun is a trace of its own, which links to that one: the spans of
 * the other process may be lost, and the request long past.
 */
export async function inOperationTrace<T>(
  operation: Operation,
  { isResumed }: { readonly isResumed: boolean },
  run: () => Promise<T>,
): Promise<T> {
  if (!isTracing()) return await run();
  const origin = contextOf(operation.traceparent);
  if (!isResumed) return await context.with(origin, run);
  const options = { root: true, attributes: attributesOf(operation), links: linksTo(origin) };
  return await tracer.startActiveSpan(`resume ${operation.kind}`, options, async (span) => {
    try {
      return await run();
    } finally {
      span.end();
    }
  });
}

/** Runs one attempt of a step in a span. */
export async function inStepSpan<
  T extends { readonly status: string; readonly error?: ErrorRecord },
>(
  operation: Operation,
  step: { readonly name: string; readonly undo: boolean; readonly attempt: number },
  run: () => Promise<T>,
): Promise<T> {
  const attributes = {
    ...attributesOf(operation),
    "mpc.step": step.name,
    "mpc.attempt": step.attempt,
  };
  const name = step.undo ? `${step.name}.undo` : step.name;
  return await tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      const result = await run();
      finishSpan(span, result.status, result.error);
      return result;
    } finally {
      span.end();
    }
  });
}

/**
 * Makes the span of a whole operation, from its request to its end. It cannot contain the spans of
 * its steps, which other processes may have made before it.
 */
export function traceOperation(operation: Operation): void {
  const { kind, state, error, createTime, endTime } = operation;
  if (!isTracing() || endTime === null) return;
  const origin = contextOf(operation.traceparent);
  const span = tracer.startSpan(kind, {
    startTime: createTime,
    attributes: attributesOf(operation),
    links: linksTo(context.active(), origin),
  }, origin);
  finishSpan(span, state.toLowerCase(), error ?? undefined);
  span.end(endTime);
}

function finishSpan(span: Span, outcome: string, error: ErrorRecord | undefined): void {
  span.setAttribute("mpc.outcome", outcome);
  if (error) failSpan(span, error.reason);
}

const attributesOf = ({ name, kind, target, engine }: Operation) => ({
  "mpc.operation": name,
  "mpc.kind": kind,
  "mpc.target": target,
  "mpc.engine": engine,
});

/** A link to the span of a context, if it has one and that is in another trace than `from`. */
function linksTo(linked: Context, from?: Context): Link[] {
  const to = trace.getSpanContext(linked);
  if (!to || (from && trace.getSpanContext(from)?.traceId === to.traceId)) return [];
  return [{ context: to }];
}
