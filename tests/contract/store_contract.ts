import { DOCUMENT_CASES } from "./document_cases.ts";
import { EVENT_LOG_CASES } from "./event_log_cases.ts";
import type { StoreHarness } from "./store_case.ts";

const CASES = { ...DOCUMENT_CASES, ...EVENT_LOG_CASES };

/** Registers the contract for one adapter; each case gets a fresh harness. */
export function storeContract(name: string, open: () => Promise<StoreHarness>): void {
  for (const [title, run] of Object.entries(CASES)) {
    Deno.test(`${name}: ${title}`, async () => {
      const harness = await open();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  }
}
