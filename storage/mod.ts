/** The ports of storage. The adapters are `@mpc/storage/memory` and `@mpc/storage/sqlite`. */
export type * from "./store.ts";
