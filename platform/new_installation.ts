import { INSTALLATION, type Installation, isMpcError, MpcError } from "@mpc/domain";
import type { Clock, Ids } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { assertComplete } from "./open_installation.ts";

/** The ids of an installation before and after it got a new one. */
export interface Renamed {
  readonly before: string | null;
  readonly after: string;
}

/**
 * Makes a copied database an installation of its own: what the original has on clusters then belongs
 * to somebody else, and the claims of the copy are dropped. No process may use the store meanwhile.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_IN_USE` if a process has changed the store meanwhile,
 *   `STORE_INCOMPLETE` if the copy has not finished
 */
export async function newInstallation(
  store: Pick<Store, "installations" | "claims">,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): Promise<Renamed> {
  const found = await store.installations.get(INSTALLATION);
  if (found) assertComplete(found.value);
  // The values in the copy are encrypted by the same keys as in the original.
  const value: Installation = {
    ...found?.value,
    name: INSTALLATION,
    id: ids.uuid(),
    createTime: clock.now(),
  };
  try {
    if (found) await store.installations.replace(value, found.version);
    else await store.installations.create(value);
    const claims = await store.claims.list({ limit: 1_000 });
    for (const { value: { name }, version } of claims.items) {
      await store.claims.delete(name, version);
    }
  } catch (error) {
    if (!isMpcError(error, "ABORTED", "ALREADY_EXISTS")) throw error;
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_IN_USE",
      message: "Cannot give the database a new id: a process uses it; stop that process first",
      cause: error,
    });
  }
  return { before: found?.value.id ?? null, after: value.id };
}
