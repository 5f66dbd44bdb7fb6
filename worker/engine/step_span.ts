import { type Operation, parseTraceparent } from "@mpc/domain";
import { type Context, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("mpc");

/** Runs one attempt of a step in a span of the trace in which the operation was requested. */
export async function inStepSpan<T extends { readonly status: string }>(
  operation: Operation,
  step: { readonly name: string; readonly undo: boolean },
  run: () => Promise<T>,
): Promise<T> {
  const attributes = {
    "mpc.operation": operation.name,
    "mpc.kind": operation.kind,
    "mpc.target": operation.target,
  };
  const name = step.undo ? `${step.name}.undo` : step.name;
  return await tracer.startActiveSpan(name, { attributes }, parentOf(operation), async (span) => {
    try {
      const result = await run();
      span.setAttribute("mpc.outcome", result.status);
      if (result.status === "failed") span.setStatus({ code: SpanStatusCode.ERROR });
      return result;
    } finally {
      span.end();
    }
  });
}

function parentOf({ traceparent }: Operation): Context {
  // Operations of older versions have no traceparent.
  const parent = parseTraceparent(traceparent ?? null);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}
