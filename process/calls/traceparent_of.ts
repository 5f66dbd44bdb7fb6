import type { HandlerContext } from "@connectrpc/connect";
import { formatTraceparent, parseTraceparent } from "@mpc/domain";
import { isSpanContextValid, trace } from "@opentelemetry/api";

/**
 * The span of this call if calls are traced, otherwise the caller's span; null if there is none.
 */
export function traceparentOf({ requestHeader }: HandlerContext): string | null {
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return formatTraceparent(active);
  const given = requestHeader.get("traceparent");
  return parseTraceparent(given) ? given : null;
}
