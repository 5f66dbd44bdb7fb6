import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { type AuditRecord, NO_AUDIT } from "@mpc/domain";
import { chained } from "@mpc/domain/audit_chain";
import { anAuditEntry } from "@mpc/tests/contract/audit_cases.ts";
import { withFolder } from "@mpc/tests/servers/with_folder.ts";
import { openAuditLog } from "./audit_log.ts";

function recordsOf(count: number): readonly AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let index = 0; index < count; index++) {
    records.push(chained(records.at(-1) ?? NO_AUDIT, anAuditEntry(), index));
  }
  return records;
}

const linesOf = async (path: string): Promise<readonly AuditRecord[]> =>
  (await readFile(path, "utf8")).trimEnd().split("\n").map((line) => JSON.parse(line));

Deno.test("an audit log has each record as a line of JSON, and only its owner may read it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "audit.jsonl");
    await writeFile(path, "");
    await chmod(path, 0o644);
    const records = recordsOf(50);
    {
      await using log = openAuditLog({ auditLog: path, auditLogMaxBytes: 1_000_000 });
      for (const record of records) log.write(record);
    }
    assert.deepEqual(await linesOf(path), records);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    {
      await using log = openAuditLog({ auditLog: path, auditLogMaxBytes: 1_000_000 });
      log.write(records[0]!);
    }
    assert.equal((await linesOf(path)).length, 51, "a later process appends");
  }));

Deno.test("a full audit log is renamed, and a bounded number of full ones is kept", () =>
  withFolder(async (folder) => {
    const path = join(folder, "audit.jsonl");
    const records = recordsOf(100);
    const maxBytes = 4 * JSON.stringify(records[50]).length;
    {
      await using log = openAuditLog({ auditLog: path, auditLogMaxBytes: maxBytes });
      for (const record of records) log.write(record);
    }
    const files = (await readdir(folder)).toSorted();
    assert.deepEqual(files, [
      "audit.jsonl",
      ...[1, 2, 3, 4, 5].map((number) => `audit.jsonl.${number}`),
    ]);
    const kept: AuditRecord[] = [];
    for (const file of [...files.slice(1).toReversed(), files[0]!]) {
      const { size, mode } = await stat(join(folder, file));
      assert.ok(size <= maxBytes, `${file} has ${size} bytes`);
      assert.equal(mode & 0o777, 0o600);
      kept.push(...await linesOf(join(folder, file)));
    }
    assert.deepEqual(kept, records.slice(-kept.length), "the newest records, in order");
  }));

Deno.test("an audit log that cannot be written is reported once, and written when it can be", () =>
  withFolder(async (folder) => {
    const lines: LogRecord[] = [];
    await configure({
      sinks: { lines: (record) => lines.push(record) },
      loggers: [
        { category: ["mpc", "audit"], sinks: ["lines"], lowestLevel: "debug" },
        { category: ["logtape", "meta"], sinks: [] },
      ],
    });
    try {
      const path = join(folder, "audit.jsonl");
      await mkdir(path);
      const records = recordsOf(3);
      {
        await using log = openAuditLog({ auditLog: path, auditLogMaxBytes: 1_000_000 });
        for (const record of records.slice(0, 2)) {
          log.write(record);
          await log[Symbol.asyncDispose]();
        }
        assert.deepEqual(lines.map(({ level }) => level), ["error"]);
        await rm(path, { recursive: true });
        log.write(records[2]!);
      }
      assert.deepEqual(await linesOf(path), records);
      assert.deepEqual(lines.map(({ level }) => level), ["error", "warning"]);
    } finally {
      await reset();
    }
  }));
