import assert from "node:assert/strict";
import type { World } from "../e2e/mpctl_world.ts";
import type { KindCluster } from "../servers/kind_cluster.ts";
import type { Kubectl } from "../servers/kubectl.ts";
import type { Result } from "../servers/run_command.ts";

/** mpctl with a platform on a real cluster. */
export interface ClusterWorld {
  /** Runs mpctl; it may fail. */
  readonly mpctl: World["mpctl"];
  readonly kubectl: Kubectl;
  readonly cluster: KindCluster;
}

/** Test scenarios by title. */
export type Scenarios = Readonly<Record<string, (world: ClusterWorld) => Promise<void>>>;

/** Runs mpctl and asserts that it succeeds. @returns its output */
export async function succeed({ mpctl }: ClusterWorld, ...args: string[]): Promise<string> {
  const { code, out, err } = await mpctl(...args);
  assert.equal(code, 0, `mpctl ${args.join(" ")}: ${err}`);
  return out;
}

/** Creates an environment for one scenario. @returns its name */
export async function newEnvironment(world: ClusterWorld): Promise<string> {
  const name = `e-${crypto.randomUUID().slice(0, 8)}`;
  await succeed(world, "env", "create", name);
  return name;
}

/** Starts a change without waiting for it. @returns the operation's id */
export async function begin(world: ClusterWorld, ...args: string[]): Promise<string> {
  const printed = await succeed(world, ...args, "--no-wait", "-o", "json");
  return (JSON.parse(printed) as { name: string }).name.replace("operations/", "");
}

/** The id of the operation that mpctl reports as failed. */
export function failedOperation({ code, err }: Result): string {
  assert.equal(code, 3, `the operation must fail: ${err}`);
  const [, id] = /mpctl op explain (\S+?)'/.exec(err) ?? [];
  assert.ok(id, `mpctl names the operation: ${err}`);
  return id;
}

/** The output of `mpctl op explain`. */
export async function explain(world: ClusterWorld, operation: string): Promise<Explanation> {
  return JSON.parse(await succeed(world, "op", "explain", operation, "-o", "json"));
}

export interface Explanation {
  readonly summary: string;
  readonly causes?: readonly { readonly reason: string; readonly message: string }[];
  readonly responsible: string;
  readonly nextCommand?: string;
}

/** Asserts that the explanation of an operation has this reason and message. */
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
