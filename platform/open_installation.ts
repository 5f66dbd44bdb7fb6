import { INSTALLATION, isMpcError } from "@mpc/domain";
import type { Clock, Ids } from "@mpc/services";
import type { Store } from "@mpc/storage";

/** The id of the installation that a store belongs to, made when the store has none. */
export async function openInstallation(
  store: Pick<Store, "installations">,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): Promise<string> {
  const found = await store.installations.get(INSTALLATION);
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
