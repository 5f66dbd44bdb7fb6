import { openMemoryStore } from "@mpc/storage/memory";
import { storeContract } from "../../tests/contract/store_contract.ts";

storeContract("memory", () => {
  const store = openMemoryStore();
  return Promise.resolve({ store, reopen: null, close: () => store.close() });
});
