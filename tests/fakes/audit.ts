import { type Audit, AuditChain, type Clock, RefusalLog } from "@mpc/services";
import type { Store } from "@mpc/storage";

/** An audit on a store, as a process has it; to be closed before the store. */
export function openAudit(
  parts: { readonly store: Store; readonly clock: Clock },
): Audit & AsyncDisposable {
  const trail = new AuditChain(parts);
  const refusals = new RefusalLog({ trail, clock: parts.clock });
  return {
    trail,
    refusals,
    async [Symbol.asyncDispose]() {
      await refusals[Symbol.asyncDispose]();
      await trail[Symbol.asyncDispose]();
    },
  };
}
