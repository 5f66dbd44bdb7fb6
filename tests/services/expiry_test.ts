import assert from "node:assert/strict";
import { createEnvironment, deleteEnvironment, updateEnvironment } from "@mpc/services";
import { Expiry, NOTICE_MS } from "@mpc/worker";
import { faultyDefinitions, permanent } from "../fakes/faulty_definitions.ts";
import { Platform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { requestIdOf } from "../fakes/request_id.ts";

const NAME = "environments/dev";
const HOUR = 3_600_000;
const MINUTE = 60_000;

async function withExpiry(
  environment: Record<string, unknown>,
  use: (platform: Platform) => Promise<void>,
): Promise<void> {
  const platform = await Platform.start();
  const expiry = new Expiry(platform.deps);
  try {
    await expiry.start();
    const { deps, caller } = platform;
    await createEnvironment(deps, caller, { environmentId: "dev", environment });
    await platform.clock.advance(1);
    await use(platform);
  } finally {
    await expiry.close();
    await platform.close();
  }
}

const exists = async ({ store }: Platform) => await store.environments.get(NAME) !== undefined;

const notices = async ({ store }: Platform) =>
  (await store.events.read(0, 1_000)).filter(({ reason }) => reason === "ExpiresSoon").length;

const update = ({ deps, caller }: Platform, change: Record<string, unknown>) =>
  updateEnvironment(deps, caller, { name: NAME, etag: "", change });

Deno.test("an environment is deleted when it expires, not before", () =>
  withExpiry({ ttlMs: 8 * HOUR }, async (platform) => {
    await platform.clock.advance(8 * HOUR - 1_000);
    assert.equal(await exists(platform), true);
    await platform.clock.advance(1_001);
    assert.equal(await exists(platform), false);
    const { items } = await platform.store.operations.list({ limit: 10 });
    const deletion = items.find(({ value }) => value.kind === "environment.delete");
    assert.equal(deletion?.value.actor, "system:expiry");
  }));

for (const change of ["set forward", "asleep"] as const) {
  Deno.test(`an environment is deleted within a minute of its time: clock ${change}`, () =>
    withExpiry({ ttlMs: 10 * MINUTE }, async (platform) => {
      const { clock } = platform;
      await clock.advance(MINUTE);
      if (change === "asleep") clock.suspend(20 * MINUTE);
      else clock.step(20 * MINUTE);
      await clock.advance(MINUTE);
      assert.equal(await exists(platform), false);
    }));
}

Deno.test("an environment lives until its expiry if the clock is set back", () =>
  withExpiry({ ttlMs: 10 * MINUTE }, async (platform) => {
    const { clock } = platform;
    await clock.advance(9 * MINUTE);
    clock.step(-5 * MINUTE);
    await clock.advance(6 * MINUTE - 10);
    assert.equal(await exists(platform), true);
    await clock.advance(20);
    assert.equal(await exists(platform), false);
  }));

Deno.test("with alternating passes an environment is deleted at its expiry too, by one of them", async () => {
  const platform = await Platform.start();
  const expiry = new Expiry(platform.deps);
  try {
    const { deps, caller, clock } = platform;
    const environment = { ttlMs: HOUR };
    await createEnvironment(deps, caller, { environmentId: "dev", environment });
    await clock.advance(HOUR - 9_000);
    const turn = expiry.passesWithin(10_000);
    await clock.advance(8_999);
    assert.equal(await exists(platform), true);
    await clock.advance(2);
    assert.equal(await exists(platform), false);
    await turn;
    await createEnvironment(deps, caller, { environmentId: "late", environment });
    await clock.advance(1);
    const sleepers = clock.sleepers;
    await expiry.passesWithin(10_000);
    assert.equal(clock.sleepers, sleepers, "a pass does not wait for a time after its turn");
    await clock.advance(HOUR - 5_000);
    const cutOff = expiry.passesWithin(10_000);
    await clock.advance(1);
    await expiry.close();
    await cutOff;
    assert.equal(await exists(platform), false);
    assert.ok(
      await platform.store.environments.get("environments/late"),
      "it is left to another pass",
    );
  } finally {
    await expiry.close();
    await platform.close();
  }
});

Deno.test("a turn ends after its time even if the clock is set back", async () => {
  const platform = await Platform.start();
  const expiry = new Expiry(platform.deps);
  try {
    const { deps, caller, clock } = platform;
    const environment = { ttlMs: HOUR };
    await createEnvironment(deps, caller, { environmentId: "dev", environment });
    await clock.advance(HOUR - 5_000);
    const turn = expiry.passesWithin(10_000);
    await clock.advance(1_000);
    clock.step(-HOUR);
    await clock.advance(4_000);
    await turn;
    assert.equal(await exists(platform), true);
  } finally {
    await expiry.close();
    await platform.close();
  }
});

Deno.test("environments that cannot be deleted do not keep others from expiring", async () => {
  const { definitions } = faultyDefinitions([
    {
      kind: "environment.delete",
      step: "delete_namespace",
      run: () => Promise.reject(permanent()),
    },
  ]);
  const platform = await Platform.start({ definitions });
  const expiry = new Expiry(platform.deps);
  try {
    const { deps, caller, store, clock } = platform;
    const expiring = (id: string, ttlMs: number) =>
      createEnvironment(deps, caller, { environmentId: id, environment: { ttlMs } });
    for (let index = 0; index < 250; index++) await expiring(`e-${index}`, HOUR);
    await expiring("last", HOUR + 1_000);
    await platform.settle();
    await expiry.start();
    await clock.advance(HOUR + 2_000);
    const failed = { op: "=" as const, path: ["state"], value: "DELETE_FAILED" };
    assert.equal(await store.environments.count({ filter: failed }), 251);
  } finally {
    await expiry.close();
    await platform.close();
  }
});

Deno.test("an hour before there is an event, once", () =>
  withExpiry({ ttlMs: 3 * HOUR }, async (platform) => {
    await platform.clock.advance(3 * HOUR - NOTICE_MS - 1_000);
    assert.equal(await notices(platform), 0);
    await platform.clock.advance(2_000);
    assert.equal(await notices(platform), 1);
    await platform.clock.advance(HOUR / 2);
    assert.equal(await notices(platform), 1);
  }));

Deno.test("extend moves the expiry, and a new event is emitted", () =>
  withExpiry({ ttlMs: 2 * HOUR }, async (platform) => {
    await platform.clock.advance(1.5 * HOUR);
    assert.equal(await notices(platform), 1);
    await update(platform, { ttlMs: 4 * HOUR });
    await platform.clock.advance(HOUR);
    assert.equal(await exists(platform), true);
    await platform.clock.advance(2.5 * HOUR);
    assert.equal(await notices(platform), 2);
    await platform.clock.advance(HOUR);
    assert.equal(await exists(platform), false);
  }));

Deno.test("keep removes the expiry", () =>
  withExpiry({ ttlMs: HOUR }, async (platform) => {
    await update(platform, { expireTime: null });
    await platform.clock.advance(100 * HOUR);
    assert.equal(await exists(platform), true);
  }));

Deno.test("a protected environment never expires; without protection it expires at once", () =>
  withExpiry({ ttlMs: HOUR, deletionProtection: true }, async (platform) => {
    await platform.clock.advance(10 * HOUR);
    assert.equal(await exists(platform), true);
    assert.equal(await notices(platform), 0, "there is no event either");
    await update(platform, { deletionProtection: false });
    await platform.clock.advance(1_000);
    assert.equal(await exists(platform), false);
  }));

Deno.test("a condition about an expiry is removed with the expiry", () =>
  withExpiry({ ttlMs: HOUR }, async (platform) => {
    const spokenOf = async () =>
      (await platform.store.environments.get(NAME))!.value.conditions.map(({ type }) => type);
    assert.ok((await spokenOf()).includes("ExpiresSoon"));
    await update(platform, { ttlMs: 8 * HOUR });
    await platform.clock.advance(1_000);
    assert.deepEqual(await spokenOf(), ["Ready"]);
  }));

Deno.test("a time of expiry can be requested, and written back unchanged", () =>
  withExpiry({ ttlMs: HOUR }, async (platform) => {
    const { deps, caller, clock, store } = platform;
    const expireTime = clock.now() + 2 * HOUR;
    const request = { name: NAME, etag: "", change: { expireTime }, requestId: requestIdOf(1) };
    const first = await updateEnvironment(deps, caller, request);
    await clock.advance(1.99 * HOUR);
    assert.equal((await store.environments.get(NAME))!.value.expireTime, expireTime);
    const again = await updateEnvironment(deps, caller, request);
    assert.equal(again.operation?.value.name, first.operation?.value.name);
    const back = await updateEnvironment(deps, caller, { ...request, requestId: "" });
    assert.ok(back.operation, "the value that was read may be sent back, however soon it is");
    await platform.settle();
    for (const near of [clock.now() + 1_000, clock.now() + 400 * 24 * HOUR]) {
      const refused = update(platform, { expireTime: near });
      const error = await rejectsWith(refused, "INVALID_ARGUMENT", "INVALID_FIELDS");
      assert.equal(error.violations[0]?.field, "environment.expire_time");
    }
  }));

Deno.test("of two processes that notice the same expiry, one emits the event", async () => {
  const platform = await Platform.start();
  const { deps, caller, clock } = platform;
  const [one, other] = [new Expiry(deps), new Expiry(deps)];
  try {
    const environment = { ttlMs: NOTICE_MS + 1_000 };
    await platform.ended(
      await createEnvironment(deps, caller, { environmentId: "dev", environment }),
    );
    await clock.advance(1_000);
    await Promise.all([one.pass(), other.pass()]);
    assert.equal(await notices(platform), 1);
  } finally {
    await Promise.all([one.close(), other.close()]);
    await platform.close();
  }
});

for (const change of ["extended", "created again"] as const) {
  Deno.test(`an environment that is ${change} after it was read is not deleted`, async () => {
    const platform = await Platform.start();
    const { deps, caller, clock, store } = platform;
    const created = async () =>
      await platform.ended(
        await createEnvironment(deps, caller, {
          environmentId: "dev",
          environment: { ttlMs: HOUR },
        }),
      );
    let isChanged = false;
    const changeIt = async () => {
      if (isChanged) return;
      isChanged = true;
      if (change === "extended") return void await update(platform, { ttlMs: 8 * HOUR });
      const removal = { name: NAME, etag: "", force: true, allowMissing: false, abandon: false };
      await platform.ended(await deleteEnvironment(deps, caller, { ...removal, timeoutMs: null }));
      await created();
    };
    const environments = new Proxy(store.environments, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key !== "list") return value.bind(target);
        return async (...call: Parameters<typeof target.list>) => {
          const page = await target.list(...call);
          await changeIt();
          return page;
        };
      },
    });
    const expiry = new Expiry({ ...deps, store: { ...store, environments } });
    try {
      await created();
      await clock.advance(HOUR);
      const readAt = clock.now();
      assert.ok((await expiry.pass())! <= readAt, "it is read again at once");
      await platform.settle();
      assert.ok(isChanged);
      assert.ok((await expiry.pass())! > clock.now(), "it is due later");
      const { state } = (await store.environments.get(NAME))!.value;
      assert.equal(state, "READY");
    } finally {
      await expiry.close();
      await platform.close();
    }
  });
}

Deno.test("a failed deletion is requested again five minutes later, not before", async () => {
  const { definitions } = faultyDefinitions([
    {
      kind: "environment.delete",
      step: "delete_namespace",
      run: () => Promise.reject(permanent()),
    },
  ]);
  const platform = await Platform.start({ definitions });
  const { deps, caller, clock, store } = platform;
  const expiry = new Expiry(deps);
  const deletions = () =>
    store.operations.count({ filter: { op: "=", path: ["kind"], value: "environment.delete" } });
  try {
    const environment = { ttlMs: HOUR };
    await platform.ended(
      await createEnvironment(deps, caller, { environmentId: "dev", environment }),
    );
    const { expireTime } = (await store.environments.get(NAME))!.value;
    const passAt = async (ms: number) => {
      await clock.advance(expireTime! + ms - clock.now());
      await expiry.pass();
      await platform.settle();
      return await deletions();
    };
    assert.equal(await passAt(0), 1);
    assert.equal(await passAt(299_000), 1);
    assert.equal(await passAt(300_000), 2);
  } finally {
    await expiry.close();
    await platform.close();
  }
});
