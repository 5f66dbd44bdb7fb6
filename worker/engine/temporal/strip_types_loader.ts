import { stripTypeScriptTypes } from "node:module";

/**
 * A webpack loader that turns TypeScript into JavaScript by removing the types. It replaces the
 * compiler of Temporal's bundler, whose native module has crashed a Deno process.
 */
export default function stripTypes(source: string): string {
  return stripTypeScriptTypes(source);
}
