/** Storage that lives as long as the process. */
export { openMemoryStore } from "./memory_store.ts";
