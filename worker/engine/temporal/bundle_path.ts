import { fileURLToPath } from "node:url";

/** Where `deno task bundle:workflows` puts the workflows' code, and workers look for it. */
export const BUNDLE_PATH: string = fileURLToPath(
  new URL("../../../dist/workflows.js", import.meta.url),
);
