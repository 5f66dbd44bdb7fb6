/** A traced store behaves like the store that it decorates. */
import { openMemoryStore } from "@mpc/storage/memory";
import { storeContract } from "../tests/contract/store_contract.ts";
import { tracedStore } from "./mod.ts";

storeContract(
  "traced memory",
  { durable: false, twoHandles: false, codePointOrder: true },
  () => {
    const store = tracedStore(openMemoryStore(), "memory");
    return Promise.resolve({
      store,
      openAgain: () => Promise.reject(new Error("a store in memory has only one handle")),
      close: () => store.close(),
    });
  },
);
