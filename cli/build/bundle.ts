/** Bundles mpctl into one JavaScript file that Deno and Node 20 run: `deno task bundle [FILE]`. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

const ROOT = join(import.meta.dirname!, "..", "..");

/** The permissions that mpctl needs under Deno, and no others. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  // The user chooses servers, files, and where the profiles are.
  "--allow-net",
  "--allow-read",
  "--allow-write",
  // Credential commands of `mpctl login --token-command`.
  "--allow-run=sh",
  `--allow-env=${
    [
      ...["MPC_SERVER", "MPC_OUTPUT", "MPC_ENVIRONMENT", "MPC_PROFILE", "MPC_CONFIG"],
      ...["MPC_TOKEN", "MPC_CA_FILE", "MPC_CLIENT_CERTIFICATE", "MPC_CLIENT_KEY"],
      ...["XDG_CONFIG_HOME", "HOME", "APPDATA"],
      ...["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "CI"],
      // Read by the YAML parser.
      ...["LOG_STREAM", "LOG_TOKENS"],
      // Read by grpc-js, for `grpc://` addresses.
      ...["grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"],
      ...["GRPC_*"],
    ].join(",")
  }`,
];

/**
 * Proxies that load a built-in module, or one of its exports, at its first use. A bundle moves
 * every import to its top, and in Deno the first `node:` import takes as long as running an empty
 * program. Commander's commands extend `EventEmitter`, so every command would load `node:events`.
 * `__Emitter` replaces it with the part that Commander uses.
 */
const PRELUDE = `const __lazy=(module,name)=>{
const load=()=>{const m=globalThis.process.getBuiltinModule(module);return name?m[name]:m};
return new Proxy(function(){},{
get:(_,key)=>{const m=load(),v=m[key];return module==="node:process"&&typeof v==="function"?v.bind(m):v},
set:(_,key,value)=>{load()[key]=value;return true},
construct:(_,args,target)=>Reflect.construct(load(),args,target),
apply:(_,self,args)=>load().apply(self,args)})};
const __Emitter=class{
#on=new Map();
on(name,run){this.#on.set(name,[...this.#on.get(name)??[],run]);return this}
emit(name,...args){const all=this.#on.get(name)??[];for(const run of all)run.apply(this,args);return all.length>0}
listenerCount(name){return this.#on.get(name)?.length??0}};
`;

const REQUIRE = /import\s*\{createRequire as ([\w$]+)\}\s*from\s*"node:module"/g;
const DEFAULT = /import ([\w$]+)\s*from\s*"(node:[a-z_/]+)"/g;
const NAMED = /import\s*\{([\w$]+) as ([\w$]+)\}\s*from\s*"(node:[a-z_/]+)"/g;

/** Makes a bundle load built-in modules when it first uses them. */
function loadLate(bundle: string): string {
  return PRELUDE + bundle
    .replaceAll(
      REQUIRE,
      (_, name) => `const ${name}=()=>(id)=>globalThis.process.getBuiltinModule(id)`,
    )
    .replaceAll(DEFAULT, (_, name, module) => `const ${name}=__lazy("${module}")`)
    .replaceAll(
      NAMED,
      (_, what, name, module) =>
        `const ${name}=${what === "EventEmitter" ? "__Emitter" : `__lazy("${module}","${what}")`}`,
    );
}

/** @throws {Error} with the bundler's output if it fails */
export async function bundleMpctl(output: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify"],
      ...["--output", output, join(ROOT, "cli", "main.ts")],
    ],
    cwd: ROOT,
  }).output();
  if (code !== 0) throw new Error(`Cannot bundle mpctl: ${new TextDecoder().decode(stderr)}`);
  await writeFile(output, loadLate(await readFile(output, "utf8")));
}

if (import.meta.main) await bundleMpctl(process.argv[2] ?? join(ROOT, "dist", "mpctl.js"));
