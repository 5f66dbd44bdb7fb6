import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { type Instant, parseTraceparent } from "@mpc/domain";
import type { Caller } from "@mpc/services";
import { activeTraceparent } from "../tracing.ts";
import type { Call, Interceptor } from "./interceptor.ts";

/** Who a caller is, however it was authenticated. */
export interface Identity extends Pick<Caller, "principal" | "groups"> {
  /** Nobody from outside is `system`. */
  readonly kind: Exclude<Caller["kind"], "system">;
  /** The kind of credentials; absent for a caller that was not authenticated. */
  readonly authentication?: "OIDC" | "TOKEN" | "CERTIFICATE" | "SERVICE_ACCOUNT";
  /** When the credentials expire; null or absent if they do not, or if it is not known. */
  readonly expireTime?: Instant | null;
}

/** The IP address that a call came from; a server sets it if it knows the address. */
export const SOURCE = createContextKey<string | null>(null, { description: "source address" });

const CALLER = createContextKey<Caller | undefined>(undefined, { description: "caller" });

const IDENTITY = createContextKey<Identity | undefined>(undefined, { description: "identity" });

/** Creates the caller of each call, once. Inner interceptors and the method find it. */
export function identify(authenticate: (call: Call) => Identity | Promise<Identity>): Interceptor {
  return {
    // Not `async`: a caller that is known at once should not cost another promise.
    around(call, next) {
      const { context } = call;
      const proceed = (identity: Identity) => {
        const { principal, groups, kind } = identity;
        context.values.set(IDENTITY, identity);
        context.values.set(CALLER, {
          principal,
          groups,
          kind,
          source: context.values.get(SOURCE),
          traceparent: traceparentOf(context),
          signal: context.signal,
        });
        return next(call);
      };
      let identity: Identity | Promise<Identity>;
      try {
        identity = authenticate(call);
      } catch (error) {
        return Promise.reject(error);
      }
      return identity instanceof Promise ? identity.then(proceed) : proceed(identity);
    },
  };
}

/** The caller of a call; undefined if no interceptor has identified it yet. */
export function identified({ values }: Pick<HandlerContext, "values">): Caller | undefined {
  return values.get(CALLER);
}

/**
 * The caller of a call.
 * @throws {Error} if no interceptor has identified it: a bug of ours
 */
export function callerOf({ values }: Pick<HandlerContext, "values">): Caller {
  const caller = values.get(CALLER);
  if (caller) return caller;
  throw new Error("Cannot tell who calls: no interceptor has identified the caller");
}

/**
 * How the caller of a call was authenticated.
 * @throws {Error} if no interceptor has identified it: a bug of ours
 */
export function identityOf({ values }: Pick<HandlerContext, "values">): Identity {
  const identity = values.get(IDENTITY);
  if (identity) return identity;
  throw new Error("Cannot tell who calls: no interceptor has identified the caller");
}

/** The span of this call if calls are traced, otherwise the caller's; null if there is none. */
function traceparentOf({ requestHeader }: HandlerContext): string | null {
  const given = requestHeader.get("traceparent");
  return activeTraceparent() ?? (parseTraceparent(given) ? given : null);
}
