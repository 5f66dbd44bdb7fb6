/** The host of this process, Deno or Node. */
import { denoHost } from "./deno_host.ts";
import type { Host } from "./host.ts";
import { nodeHost } from "./node_host.ts";

export { BrokenPipe, folderOf, type Host, type Interrupt } from "./host.ts";

/** This process. */
export const host: Host = "Deno" in globalThis ? denoHost : nodeHost;
