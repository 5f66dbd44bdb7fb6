import { INSTALLATION, type Installation, isMpcError, MpcError } from "@mpc/domain";
import type { Clock, Ids } from "@mpc/services";
import type { Store } from "@mpc/storage";

/**
 * The id of the installation that a store belongs to, made when the store has none.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_INCOMPLETE`: a copy into the store has not finished
 */
export async function openInstallation(
  store: Pick<Store, "installations">,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): Promise<string> {
  const found = await store.installations.get(INSTALLATION);
  if (found) assertComplete(found.value);
  if (found) return found.value.id;
  const created = { name: INSTALLATION, id: ids.uuid(), createTime: clock.now() } as const;
  try {
    return (await store.installations.create(created)).value.id;
  } catch (error) {
    // Another process has just created it.
    if (!isMpcError(error, "ALREADY_EXISTS")) throw error;
    return await openInstallation(store, { clock, ids });
  }
}

/** @throws {MpcError} FAILED_PRECONDITION `STORE_INCOMPLETE` */
export function assertComplete({ incomplete }: Installation): void {
  if (!incomplete) return;
  throw new MpcError("FAILED_PRECONDITION", {
    reason: "STORE_INCOMPLETE",
    message: "Cannot use the store: a copy into it has not finished",
  });
}
