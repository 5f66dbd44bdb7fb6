import { adviceFor, isMpcError, type MpcError } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import type { Finding } from "./findings.ts";

/** Why the store does not keep what is written to it; undefined if it does. */
export async function unusableStore(
  store: Store,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  try {
    await store.assertWritable?.({ signal });
    return undefined;
  } catch (error) {
    if (!isOfStore(error)) throw error;
    return storeFinding(error);
  }
}

/** Whether an error says that the store cannot be used, which is not a defect of this program. */
export const isOfStore = (error: unknown): error is MpcError =>
  isMpcError(error) && error.reason.startsWith("STORE_");

/** The finding for an error of the store. */
export function storeFinding(error: MpcError): Finding {
  const { command, nextStep } = adviceFor(error);
  return {
    invariant: "STORE_UNUSABLE",
    subject: error.metadata["resource"] ?? "store",
    message: error.message,
    remedy: command || nextStep,
  };
}
