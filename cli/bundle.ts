/** Bundles mpctl into one JavaScript file that Deno and Node 20 run: `deno task bundle [FILE]`. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

const here = import.meta.dirname!;

/**
 * Stands for a built-in module, or one of its exports, that is loaded when it is first used. A
 * bundle hoists every import to its top, and in Deno the first `node:` import costs as long as an
 * empty program takes to run. Commander's commands are emitters, so that every command would load
 * `node:events`: what Commander uses of an emitter stands here.
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

/** Turns a bundle's imports of built-in modules into ones that load when they are used. */
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

/** @throws where the bundler fails, with what it said */
export async function bundleMpctl(output: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify"],
      ...["--output", output, join(here, "main.ts")],
    ],
    cwd: join(here, ".."),
  }).output();
  if (code !== 0) throw new Error(`Cannot bundle mpctl: ${new TextDecoder().decode(stderr)}`);
  await writeFile(output, loadLate(await readFile(output, "utf8")));
}

if (import.meta.main) await bundleMpctl(process.argv[2] ?? join(here, "..", "dist", "mpctl.js"));
