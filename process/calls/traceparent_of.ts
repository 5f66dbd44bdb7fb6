import type { HandlerContext } from "@connectrpc/connect";
import { formatTraceparent, parseTraceparent } from "@mpc/domain";
import { isSpanContextValid, trace } from "@opentelemetry/api";

/** The span of this call where calls are traced, else the caller's own; null where there is none. */
export function traceparentOf({ requestHeader }: HandlerContext): string | null {
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return formatTraceparent(active);
  const given = requestHeader.get("traceparent");
  return parseTraceparent(given) ? given : null;
}
