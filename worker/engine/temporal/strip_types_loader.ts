import { stripTypeScriptTypes } from "node:module";

/**
 * A webpack loader: TypeScript to JavaScript by leaving the types out. In place of the compiler
 * that Temporal's bundler brings, whose native module has been seen to take a Deno process down.
 */
export default function stripTypes(source: string): string {
  return stripTypeScriptTypes(source);
}
