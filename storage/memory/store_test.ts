import { openMemoryStore } from "@mpc/storage/memory";
import { storeContract } from "../../tests/contract/store_contract.ts";

const VARIANTS = { "memory": 1, "memory, sparse sequences": 7 };

for (const [name, sequenceStep] of Object.entries(VARIANTS)) {
  storeContract(name, { durable: false, twoHandles: false, codePointOrder: true }, () => {
    const store = openMemoryStore({ sequenceStep });
    return Promise.resolve({
      store,
      openAgain: () => Promise.reject(new Error("a store in memory has only one handle")),
      close: () => store.close(),
    });
  });
}
