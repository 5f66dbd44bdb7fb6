import type { HandlerContext } from "@connectrpc/connect";
import { isMpcError, MpcError } from "@mpc/domain";
import { type Call, type Identity, identityOf, type Interceptor, type Next } from "@mpc/process";
import { type Clock, needOf, RepeatedDecisions, sleepUnlessAborted } from "@mpc/services";

/** How often the caller of a stream is authenticated, and what it may do is decided, again. */
export const RECHECK_MS = 3_000;

/**
 * Ends streams whose caller could not begin them any more: its token has expired or was revoked, or
 * a role was taken away. It must be outside of `identify`, because it ends the signal of the call.
 * @param authenticate as for `identify`
 */
export function recheckStreams(
  authenticate: (call: Call) => Identity | Promise<Identity>,
  clock: Clock,
): Interceptor {
  return {
    // Not `async`: a short call should not cost another promise.
    around(call, next) {
      const { service, method } = call;
      if (method.methodKind === "unary") return next(call);
      const isPublic = needOf(service.typeName, method.name)?.needs === "public";
      return isPublic ? next(call) : rechecked(call, next);
    },
  };

  async function rechecked(call: Call, next: Next): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([call.context.signal, stop.signal]);
    const decisions = new RepeatedDecisions();
    let refusal: MpcError | undefined;
    const recheck = async () => {
      while (await sleepUnlessAborted(clock, RECHECK_MS, signal)) {
        refusal = await refusalOf(call, authenticate, decisions, clock);
        if (refusal) stop.abort(refusal);
      }
    };
    const rechecking = recheck();
    try {
      const context = withSignal(call.context, signal);
      await decisions.run(() => next({ ...call, context }));
    } catch (error) {
      throw refusal ?? error;
    } finally {
      stop.abort();
      await rechecking;
    }
    if (refusal) throw refusal;
  }
}

/** Why the call would be refused now; undefined if it would not, or if that cannot be known. */
async function refusalOf(
  call: Call,
  authenticate: (call: Call) => Identity | Promise<Identity>,
  decisions: RepeatedDecisions,
  clock: Clock,
): Promise<MpcError | undefined> {
  try {
    const known = identityOf(call.context);
    if (typeof known.expireTime === "number" && known.expireTime <= clock.now()) throw expired();
    const { principal } = await authenticate(call);
    if (principal !== known.principal) throw expired();
    await decisions.repeat();
    return undefined;
  } catch (error) {
    return isMpcError(error, "UNAUTHENTICATED") || isMpcError(error, "PERMISSION_DENIED")
      ? error
      : undefined;
  }
}

const expired = (): MpcError =>
  new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_EXPIRED",
    message:
      "Cannot go on with the stream: the credentials that began it are not valid any more; " +
      "sign in again with 'mpctl login'",
  });

/** The same context with another signal; contexts have private parts, so they cannot be copied. */
const withSignal = (context: HandlerContext, signal: AbortSignal): HandlerContext => ({
  service: context.service,
  method: context.method,
  protocolName: context.protocolName,
  requestMethod: context.requestMethod,
  url: context.url,
  requestHeader: context.requestHeader,
  responseHeader: context.responseHeader,
  responseTrailer: context.responseTrailer,
  values: context.values,
  timeoutMs: () => context.timeoutMs(),
  signal,
});
