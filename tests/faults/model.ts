import assert from "node:assert/strict";
import fc from "fast-check";
import { isMpcError, isTerminal, type Operation } from "@mpc/domain";
import {
  cancelOperation,
  createEnvironment,
  deleteEnvironment,
  deleteWorkload,
  deployWorkload,
  type MutationResult,
  retryOperation,
  updateEnvironment,
} from "@mpc/services";
import { Chaos } from "../fakes/chaos.ts";
import type { NewEngine } from "../fakes/engine_under_test.ts";
import { Platform, type PlatformOptions } from "../fakes/platform.ts";
import { requestIdOf } from "../fakes/request_id.ts";
import { type Action, action, ENVIRONMENTS, WORKLOADS } from "./actions.ts";
import { leftBehindBy } from "./left_behind.ts";
import { environmentAfter, workloadAfter } from "./rules.ts";

/**
 * Runs random sequences against the rules; a failing sequence is shrunk and printed with its seed.
 */
export async function checkModel(
  numRuns: number,
  seed: number,
  options: { readonly engine?: NewEngine; readonly timeoutMs?: number } = {},
): Promise<void> {
  const { timeoutMs: timeout = 10_000, ...platform } = options;
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 24 }),
      (actions) => runSequence(actions, platform),
    ),
    { numRuns, seed, timeout },
  );
}

async function runSequence(
  actions: readonly Action[],
  options: Pick<PlatformOptions, "engine">,
): Promise<void> {
  const chaos = new Chaos();
  const platform = await Platform.start({ ...options, definitions: chaos.definitions });
  const run = new Sequence(platform, chaos);
  try {
    for (const action of actions) await run.step(action);
    await run.end();
  } finally {
    await platform.close();
  }
}

class Sequence {
  readonly #platform: Platform;
  readonly #chaos: Chaos;
  readonly #acknowledged: string[] = [];
  #last: (() => Promise<MutationResult>) | undefined;
  #requests = 0;

  constructor(platform: Platform, chaos: Chaos) {
    this.#platform = platform;
    this.#chaos = chaos;
  }

  async step(action: Action): Promise<void> {
    const { deps, caller } = this.#platform;
    const requestId = requestIdOf(++this.#requests);
    switch (action.do) {
      case "create":
        return await this.#mutate(() =>
          createEnvironment(deps, caller, { environmentId: action.env, environment: {}, requestId })
        );
      case "update": {
        const name = `environments/${action.env}`;
        const change = { labels: { changed: requestId } };
        return await this.#mutate(() =>
          updateEnvironment(deps, caller, { name, etag: "", change, requestId })
        );
      }
      case "delete": {
        const { force, abandon } = action;
        const name = `environments/${action.env}`;
        const request = { name, etag: "", force, abandon, allowMissing: false, timeoutMs: null };
        return await this.#mutate(() => deleteEnvironment(deps, caller, { ...request, requestId }));
      }
      case "deploy": {
        const parent = `environments/${action.env}`;
        const workload = { spec: { image: action.image, replicas: 2 } };
        const request = { parent, workloadId: action.id, workload, etag: "", timeoutMs: null };
        return await this.#mutate(() => deployWorkload(deps, caller, { ...request, requestId }));
      }
      case "remove": {
        const name = `environments/${action.env}/workloads/${action.id}`;
        const { abandon } = action;
        const request = { name, etag: "", abandon, allowMissing: false, timeoutMs: null };
        return await this.#mutate(() => deleteWorkload(deps, caller, { ...request, requestId }));
      }
      case "retry": {
        const name = this.#pick(action.which);
        if (name === undefined) return;
        return await this.#mutate(() => retryOperation(deps, caller, { name, requestId }));
      }
      case "cancel": {
        const name = this.#pick(action.which);
        if (name === undefined) return;
        const request = { name, reason: "tested", validateOnly: false };
        return await this.#tolerate(() => cancelOperation(deps, caller, request));
      }
      case "repeat": {
        if (!this.#last) return;
        const { operation } = await this.#last();
        assert.equal(
          operation?.value.name,
          this.#acknowledged.at(-1),
          "a repeated request finds its operation",
        );
        return;
      }
      case "fault":
        return this.#chaos.plan(action.mischief);
      case "pass":
        return await this.#platform.clock.advance(action.ms);
      case "settle":
        return await this.#platform.settle();
      case "janitor":
        return await this.#platform.janitor().pass();
      case "crash":
        await this.#platform.crash();
        return await this.#platform.restart();
    }
  }

  /** Asserts that, without further faults, everything ends as the rules say. */
  async end(): Promise<void> {
    const platform = this.#platform;
    this.#chaos.stop();
    await platform.settle();
    await platform.crash();
    await platform.restart();
    await platform.settle();
    await platform.janitor().pass(0);
    await platform.settle();
    const { items } = await platform.store.operations.list({
      orderBy: [{ path: ["name"], descending: false }],
      limit: 1_000,
    });
    const operations = items.map(({ value }) => value);
    const names = new Set(operations.map(({ name }) => name));
    assert.deepEqual(this.#acknowledged.filter((name) => !names.has(name)), [], "none is lost");
    assert.equal(names.size, new Set(this.#acknowledged).size, "a rejected request left nothing");
    assert.ok(operations.every(({ state }) => isTerminal(state)), "all have ended");
    await platform.assertSound(leftBehindBy(operations));
    await this.#assertRules(await this.#inOrderOfEnding(operations));
  }

  /** Operations on the same resource, in the order in which they held its lock. */
  async #inOrderOfEnding(operations: readonly Operation[]): Promise<readonly Operation[]> {
    const ended = new Map<string, number>();
    for (const { sequence, resource } of await this.#platform.store.events.read(0, 100_000)) {
      if (resource?.kind !== "operation" || resource.value.endTime === null) continue;
      ended.set(resource.value.name, sequence);
    }
    const place = ({ name }: Operation) => ended.get(name) ?? 0;
    return operations.toSorted((a, b) => place(a) - place(b));
  }

  async #assertRules(operations: readonly Operation[]): Promise<void> {
    const { store } = this.#platform;
    for (const id of ENVIRONMENTS) {
      const name = `environments/${id}`;
      const own = operations.filter(({ target }) => target === name);
      const found = (await store.environments.get(name))?.value.state ?? "gone";
      assertOneOf(name, found, environmentAfter(own), own);
      for (const workload of WORKLOADS) {
        const path = `${name}/workloads/${workload}`;
        const about = operations.filter(({ target }) => target === path || target === name);
        const state = (await store.workloads.get(path))?.value.state ?? "gone";
        assertOneOf(path, state, workloadAfter(about), about);
      }
    }
  }

  async #mutate(call: () => Promise<MutationResult>): Promise<void> {
    this.#last = undefined;
    await this.#tolerate(async () => {
      const { operation } = await call();
      assert.ok(operation, "a mutation returns an operation");
      this.#acknowledged.push(operation.value.name);
      this.#last = call;
    });
  }

  /** Tolerates rejections, which are part of the rules; bugs are not. */
  async #tolerate(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      const refused = isMpcError(
        error,
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "FAILED_PRECONDITION",
        "ABORTED",
      );
      if (!refused) throw error;
    }
  }

  #pick(which: number): string | undefined {
    return this.#acknowledged[which % Math.max(1, this.#acknowledged.length)];
  }
}

function assertOneOf(
  name: string,
  found: string,
  possible: ReadonlySet<string>,
  operations: readonly Operation[],
): void {
  const history = operations.map(({ kind, state }) => `${kind} ${state}`).join(", ");
  assert.ok(
    possible.has(found),
    `'${name}' is ${found}, must be ${[...possible].join(" or ")} after ${history}`,
  );
}
