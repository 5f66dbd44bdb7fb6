import { AUDIT_CASES, SHARED_AUDIT_CASES } from "./audit_cases.ts";
import { DOCUMENT_CASES } from "./document_cases.ts";
import { DURABILITY_CASES } from "./durability_cases.ts";
import { EVENT_LOG_CASES } from "./event_log_cases.ts";
import { CODE_POINT_CASES, LIST_CASES } from "./list_cases.ts";
import { registerCases, registerMissing } from "./register_cases.ts";
import type { StoreCapabilities, StoreCase, StoreHarness } from "./store_case.ts";
import { ROUND_TRIP_CASES } from "./round_trip_cases.ts";
import { TWO_HANDLE_CASES } from "./two_handle_cases.ts";

/** The cases that need a capability. */
const CASES_OF: Readonly<Record<keyof StoreCapabilities, Readonly<Record<string, StoreCase>>>> = {
  durable: DURABILITY_CASES,
  twoHandles: { ...TWO_HANDLE_CASES, ...SHARED_AUDIT_CASES },
  codePointOrder: CODE_POINT_CASES,
};

/**
 * Registers the contract for one adapter; each case gets a fresh harness. The cases of a capability
 * that is declared missing are registered as ignored.
 */
export function storeContract(
  name: string,
  capabilities: StoreCapabilities,
  open: () => Promise<StoreHarness>,
): void {
  const cases = {
    ...DOCUMENT_CASES,
    ...ROUND_TRIP_CASES,
    ...LIST_CASES,
    ...EVENT_LOG_CASES,
    ...AUDIT_CASES,
  };
  registerCases(name, cases, open);
  for (const capability of ["durable", "twoHandles", "codePointOrder"] as const) {
    const cases = CASES_OF[capability];
    if (capabilities[capability]) registerCases(name, cases, open);
    else registerMissing(name, Object.keys(cases), capability);
  }
}
