import assert from "node:assert/strict";
import type { World } from "../e2e/mpctl_world.ts";
import type { KindCluster } from "../servers/kind_cluster.ts";
import type { Kubectl } from "../servers/kubectl.ts";
import type { Result } from "../servers/run_command.ts";

/** mpctl, the platform behind it, and the real cluster behind that. */
export interface ClusterWorld {
  /** Runs mpctl to its end, however that is. */
  readonly mpctl: World["mpctl"];
  readonly kubectl: Kubectl;
  readonly cluster: KindCluster;
}

/** What the platform does on a cluster, by what a reader would say that it does. */
export type Scenarios = Readonly<Record<string, (world: ClusterWorld) => Promise<void>>>;

/** Runs mpctl, which is to succeed. @returns what it printed */
export async function succeed({ mpctl }: ClusterWorld, ...args: string[]): Promise<string> {
  const { code, out, err } = await mpctl(...args);
  assert.equal(code, 0, `mpctl ${args.join(" ")}: ${err}`);
  return out;
}

/** Makes an environment for one scenario. @returns its name */
export async function newEnvironment(world: ClusterWorld): Promise<string> {
  const name = `e-${crypto.randomUUID().slice(0, 8)}`;
  await succeed(world, "env", "create", name);
  return name;
}

/** Begins a change and does not wait for it. @returns the operation's id */
export async function begin(world: ClusterWorld, ...args: string[]): Promise<string> {
  const printed = await succeed(world, ...args, "--no-wait", "-o", "json");
  return (JSON.parse(printed) as { name: string }).name.replace("operations/", "");
}

/** The id of the operation that mpctl says has failed. */
export function failedOperation({ code, err }: Result): string {
  assert.equal(code, 3, `an operation is to fail: ${err}`);
  const [, id] = /mpctl op explain (\S+?)'/.exec(err) ?? [];
  assert.ok(id, `mpctl names the operation: ${err}`);
  return id;
}

/** What `mpctl op explain` says. */
export async function explain(world: ClusterWorld, operation: string): Promise<Explanation> {
  return JSON.parse(await succeed(world, "op", "explain", operation, "-o", "json"));
}

export interface Explanation {
  readonly summary: string;
  readonly causes?: readonly { readonly reason: string; readonly message: string }[];
  readonly responsible: string;
  readonly nextCommand?: string;
}

/** Asserts that an operation is explained by this reason, in these words. */
export async function assertExplained(
  world: ClusterWorld,
  operation: string,
  reason: string,
  words: RegExp,
): Promise<void> {
  const { causes = [] } = await explain(world, operation);
  const found = causes.find((cause) => cause.reason === reason);
  assert.ok(found, `${reason} is among the causes: ${JSON.stringify(causes)}`);
  assert.match(found.message, words);
}
