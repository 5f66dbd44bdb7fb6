import { INSTALLATION, isMpcError } from "@mpc/domain";
import type { Store } from "../store.ts";
import type { KeyRing } from "./key_ring.ts";
import { assertKeys } from "./secret_values.ts";

/**
 * Checks that a process has every key that values of a store are encrypted by, and adds its first key
 * to the store's list, before anything is encrypted by it.
 * @param keys null if the process has no key
 * @throws {MpcError} FAILED_PRECONDITION `ENCRYPTION_KEY_MISSING`, `ENCRYPTION_KEY_WRONG`
 */
export async function admitKeys(
  store: Pick<Store, "installations">,
  keys: KeyRing | null,
): Promise<void> {
  for (;;) {
    const found = await store.installations.get(INSTALLATION);
    const used = found?.value.encryptionKeys ?? [];
    assertKeys(used, keys);
    if (!found || !keys || used.includes(keys.first)) return;
    try {
      const value = { ...found.value, encryptionKeys: [...used, keys.first] };
      await store.installations.replace(value, found.version);
      return;
    } catch (error) {
      // Another process has changed the list.
      if (!isMpcError(error, "ABORTED")) throw error;
    }
  }
}
