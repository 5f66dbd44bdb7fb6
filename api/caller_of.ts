import type { HandlerContext } from "@connectrpc/connect";
import type { Caller } from "@mpc/services";
import { traceparentOf } from "./traceparent_of.ts";

/** Who calls while nobody has to say who they are: this server listens to its own machine only. */
const LOCAL_USER = "local";

/** The caller of a call, as use cases take it. */
export function callerOf(context: HandlerContext): Caller {
  return { actor: LOCAL_USER, signal: context.signal, traceparent: traceparentOf(context) };
}
