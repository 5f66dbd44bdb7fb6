import { fileURLToPath } from "node:url";

/** Where `deno task bundle:workflows` writes the workflows' code, and where workers read it. */
export const BUNDLE_PATH: string = fileURLToPath(
  new URL("../../../dist/workflows.js", import.meta.url),
);
