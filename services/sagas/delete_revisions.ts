import { isMpcError } from "@mpc/domain";
import type { StepContext } from "./step.ts";

/** Deletes the revisions of a deleted workload. */
export async function deleteRevisions(context: StepContext, workload: string): Promise<void> {
  const { store, signal } = context;
  const prefix = `${workload}/revisions/`;
  for (;;) {
    const page = await store.revisions.list({ prefix, limit: 100, signal });
    await Promise.all(
      page.items.map(({ value, version }) =>
        store.revisions.delete(value.name, version, { signal }).catch((error) => {
          if (!isMpcError(error, "NOT_FOUND")) throw error;
        })
      ),
    );
    if (page.next === null) return;
  }
}
