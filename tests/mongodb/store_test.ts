/** The contract of stores on a MongoDB server. */
import type { Store } from "@mpc/storage";
import { encryptedStore, KeyRing } from "@mpc/storage/encryption";
import { storeContract } from "../contract/store_contract.ts";
import { writtenAndRead } from "../fakes/written_and_read.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";

const KEYS = await KeyRing.parse(crypto.getRandomValues(new Uint8Array(32)).toBase64());

const server = await mongodbUnderTest();

const VARIANTS: Readonly<Record<string, (address: string) => Promise<Store>>> = {
  "mongodb": server.open,
  "mongodb, written through one handle and read through another": async (address) =>
    writtenAndRead(await server.open(address), await server.open(address)),
  "mongodb, encrypted": async (address) => encryptedStore(await server.open(address), KEYS),
};

for (const [name, open] of Object.entries(VARIANTS)) {
  storeContract(
    name,
    { durable: true, twoHandles: true, codePointOrder: server.codePointOrder },
    async () => {
      const address = server.newAddress();
      const handles = [await open(address)];
      return {
        store: handles[0]!,
        async openAgain() {
          const handle = await open(address);
          handles.push(handle);
          return handle;
        },
        async close() {
          for (const handle of handles) await handle.close();
          await server.drop(address);
        },
      };
    },
  );
}
