import assert from "node:assert/strict";
import {
  AUDIT_NEWEST,
  AUDIT_REMOVED,
  type AuditEntry,
  type AuditRecord,
  auditRecordName,
  NO_AUDIT,
} from "@mpc/domain";
import { type AuditProblem, chained } from "@mpc/domain/audit_chain";
import { allowEverything, AuditChain, verifyAuditLog } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { AuditRetention } from "../../worker/housekeeping/audit_retention.ts";
import { aCaller } from "../fakes/a_caller.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import type { StoreCase } from "./store_case.ts";

export function anAuditEntry(overrides: Partial<AuditEntry> = {}): AuditEntry {
  return {
    phase: "COMPLETED",
    requestedBy: 0,
    actor: "user:ann@example.com",
    groups: ["ops", "\u{1f600}"],
    source: "127.0.0.1",
    method: "mpc.v1.WorkloadService/DeployWorkload",
    target: "environments/dev/workloads/web",
    requestId: "",
    operation: "",
    permission: "workloads.deploy",
    changes: [{ path: "spec.replicas", before: "1", after: "2" }],
    result: "OK",
    reason: "",
    traceparent: "",
    count: 1,
    ...overrides,
  };
}

/** Appends records like one process does, and waits for everything that it has begun. */
export async function appendAudit(
  store: Store,
  actors: readonly string[],
  clock = new FakeClock(),
): Promise<readonly AuditRecord[]> {
  await using chain = new AuditChain({ store, clock });
  return await Promise.all(actors.map((actor) => chain.append(anAuditEntry({ actor }))));
}

export const verifyStore = (store: Store, expected: Parameters<typeof verifyAuditLog>[2] = null) =>
  verifyAuditLog(
    { store, authorizer: allowEverything },
    aCaller(),
    expected,
  );

const numbers = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `user:${index + 1}`);

/** The audit of every store. */
export const AUDIT_CASES: Readonly<Record<string, StoreCase>> = {
  "audit: append() adds records up to the first name that is taken": async ({ store }) => {
    const first = chained(NO_AUDIT, anAuditEntry(), 1);
    const second = chained(first, anAuditEntry({ actor: "b" }), 2);
    const third = chained(second, anAuditEntry({ actor: "c" }), 3);
    assert.equal(await store.audit.append([second]), 1);
    assert.equal(await store.audit.append([first, second, third]), 1);
    assert.equal(await store.audit.append([first]), 0);
    assert.equal(await store.audit.append([third]), 1);
    assert.deepEqual(
      (await store.audit.list({ limit: 10 })).items,
      [first, second, third].map((value) => ({ value, version: 1 })),
    );
  },
  "audit: records are chained in the order in which they were requested": async ({ store }) => {
    const records = await appendAudit(store, numbers(700));
    assert.deepEqual(records.map(({ sequence }) => sequence), records.map((_, index) => index + 1));
    const { checked, head, problem } = await verifyStore(store);
    assert.deepEqual([checked, head.hash, problem], [700, records.at(-1)!.hash, null]);
    assert.equal((await store.auditMarks.get(AUDIT_NEWEST))?.value.sequence, 700);
  },
  "audit: a change of any field of a record is found": async ({ store }) => {
    const [, second] = await appendAudit(store, numbers(3));
    const edits: readonly Partial<AuditRecord>[] = [
      { actor: "user:nobody" },
      { time: second!.time + 1 },
      { result: "PERMISSION_DENIED" },
      { groups: [] },
      { changes: [] },
      { hash: "0".repeat(64) },
      { previousHash: "" },
      { sequence: 3 },
    ];
    let version = 1;
    for (const edit of edits) {
      await store.audit.replace({ ...second!, ...edit }, version++);
      const { problem, checked } = await verifyStore(store);
      assert.deepEqual([problem?.sequence, problem?.kind, checked], [2, "CHANGED", 1]);
    }
    await store.audit.replace(second!, version);
    assert.equal((await verifyStore(store)).problem, null);
  },
  "audit: a record that is missing, moved, replaced or cut off is found": async ({ store }) => {
    const records = await appendAudit(store, numbers(6));
    const before = await verifyStore(store);
    const finds = async (sequence: number, kind: AuditProblem["kind"], why: string) => {
      const { problem } = await verifyStore(store);
      assert.deepEqual([problem?.sequence, problem?.kind], [sequence, kind], why);
    };
    const remove = async (sequence: number) => {
      const stored = await store.audit.get(auditRecordName(sequence));
      await store.audit.delete(auditRecordName(sequence), stored!.version);
    };
    await remove(3);
    await finds(3, "MISSING", "removed from the middle");
    // An honest writer goes on, and does not hide it.
    await appendAudit(store, ["user:later"]);
    await finds(3, "MISSING", "removed from the middle, with a record after it");
    await store.audit.create(records[2]!);
    assert.equal((await verifyStore(store)).problem, null);
    await remove(4);
    await store.audit.create({ ...records[4]!, name: auditRecordName(4) });
    await finds(4, "CHANGED", "another record in its place");
    await remove(4);
    await store.audit.create(chained(records[2]!, anAuditEntry({ actor: "forged" }), 0));
    await finds(5, "DISCONNECTED", "a forged record with a hash of its own");
    await remove(4);
    await store.audit.create(records[3]!);
    await remove(1);
    await finds(1, "MISSING", "removed from the beginning, not by retention");
    await store.audit.create(records[0]!);
    for (const sequence of [6, 7]) await remove(sequence);
    await finds(6, "MISSING", "cut off at the end");
    await appendAudit(store, ["user:later"]);
    await finds(6, "MISSING", "cut off at the end, with a record after it");
    assert.equal((await store.audit.get(auditRecordName(8)))?.value.actor, "user:later");
    for (const sequence of [1, 2, 3, 4, 5, 8]) await remove(sequence);
    const mark = await store.auditMarks.get(AUDIT_NEWEST);
    await store.auditMarks.delete(AUDIT_NEWEST, mark!.version);
    await appendAudit(store, Array(7).fill("user:forger"));
    assert.equal((await verifyStore(store)).problem, null, "a log that was rewritten as a whole");
    const { problem } = await verifyStore(store, before.head);
    assert.deepEqual([problem?.sequence, problem?.kind], [6, "NOT_AS_EXPECTED"]);
    const ahead = await verifyStore(store, { sequence: 9, hash: "x" });
    assert.deepEqual([ahead.problem?.sequence, ahead.problem?.kind], [8, "MISSING"]);
  },
  "audit: retention removes the oldest records, and the rest can still be verified": async (
    { store },
  ) => {
    const clock = new FakeClock();
    const retention = new AuditRetention({
      store,
      clock,
      keepMs: 1_000,
      signal: new AbortController().signal,
    });
    const old = await appendAudit(store, numbers(450), clock);
    await clock.advance(5_000);
    await appendAudit(store, numbers(5), clock);
    await retention.pass();
    assert.equal((await store.auditMarks.get(AUDIT_REMOVED))?.value.sequence, 450);
    const { checked, removed, head, problem } = await verifyStore(store);
    assert.deepEqual([checked, removed, head.sequence, problem], [5, 450, 455, null]);
    assert.equal((await verifyStore(store, old[449])).problem, null);
    assert.equal((await verifyStore(store, old[448])).problem?.kind, "NOT_AS_EXPECTED");
    await clock.advance(5_000);
    await retention.pass();
    assert.equal(await store.audit.count({}), 1, "the newest record stays");
    await appendAudit(store, ["user:next"], clock);
    const last = await verifyStore(store);
    assert.deepEqual([last.removed, last.head.sequence, last.problem], [454, 456, null]);
    const first = await store.audit.get(auditRecordName(455));
    await store.audit.delete(auditRecordName(455), first!.version);
    const { problem: missing } = await verifyStore(store);
    assert.deepEqual([missing?.sequence, missing?.kind], [455, "MISSING"]);
  },
};

/** The audit of a store that several processes use. */
export const SHARED_AUDIT_CASES: Readonly<Record<string, StoreCase>> = {
  "two handles: their processes append to one chain": async (harness) => {
    const stores = [harness.store, await harness.openAgain()];
    const clock = new FakeClock();
    const chains = stores.map((store) => new AuditChain({ store, clock }));
    const appended: number[] = [];
    const append = async (chain: AuditChain, count: number) => {
      for (let round = 0; round < count; round++) {
        const records = await Promise.all(
          numbers(1 + round % 4).map((actor) => chain.append(anAuditEntry({ actor }))),
        );
        appended.push(...records.map(({ sequence }) => sequence));
      }
    };
    await Promise.all(chains.map((chain) => append(chain, 12)));
    for (const chain of chains) await chain[Symbol.asyncDispose]();
    assert.deepEqual(
      appended.toSorted((a, b) => a - b),
      appended.map((_, index) => index + 1),
      "each call has a place of its own",
    );
    for (const store of stores) {
      const { checked, problem } = await verifyStore(store);
      assert.deepEqual([checked, problem], [60, null]);
    }
  },
};
