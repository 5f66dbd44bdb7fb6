import type { Interceptor } from "@mpc/process";
import { type ServiceDeps, StaticTokens } from "@mpc/services";

const PASS_ON: Interceptor = { around: (call, next) => next(call) };

/** What doors need besides authentication, limits and audit, for tests that are about something else. */
export function quietCalls(deps: Pick<ServiceDeps, "store" | "clock">) {
  return {
    traceCalls: [],
    measureCalls: PASS_ON,
    countRefusals: PASS_ON,
    activity: () => Promise.resolve([]),
    metrics: () => Promise.resolve(new Response("")),
    signIn: () => ({
      issuers: [],
      tokensAccepted: false,
      clientCertificatesAccepted: false,
      credentialsRequired: false,
    }),
    tokens: new StaticTokens(deps),
  };
}
