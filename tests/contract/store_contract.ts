import { DOCUMENT_CASES } from "./document_cases.ts";
import { EVENT_LOG_CASES } from "./event_log_cases.ts";
import { registerCases } from "./register_cases.ts";
import type { StoreHarness } from "./store_case.ts";

/** Registers the contract for one adapter; each case gets a fresh harness. */
export function storeContract(name: string, open: () => Promise<StoreHarness>): void {
  registerCases(name, { ...DOCUMENT_CASES, ...EVENT_LOG_CASES }, open);
}
