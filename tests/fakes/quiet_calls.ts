import type { Interceptor } from "@mpc/process";
import { AuditChain, RefusalLog, type ServiceDeps, StaticTokens } from "@mpc/services";

const PASS_ON: Interceptor = { around: (call, next) => next(call) };

/** What doors need besides authentication and limits, for tests that are about something else. */
export function quietCalls(deps: Pick<ServiceDeps, "store" | "clock">) {
  const trail = new AuditChain(deps);
  return {
    audit: { trail, refusals: new RefusalLog({ trail, clock: deps.clock }) },
    measureCalls: PASS_ON,
    countRefusals: PASS_ON,
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
