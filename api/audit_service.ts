import { create } from "@bufbuild/protobuf";
import type { AuditRecord as StoredRecord } from "@mpc/domain";
import { Batch, callerOf, type Implementation } from "@mpc/process";
import {
  AuditPhase,
  type AuditRecord,
  AuditRecordSchema,
  type AuditService,
  ListAuditRecordsResponseSchema,
  VerifyAuditRecordsResponseSchema,
  WatchAuditRecordsResponseSchema,
} from "@mpc/proto";
import { type Audit, listAudit, type ServiceDeps, verifyAuditLog, watchAudit } from "@mpc/services";
import { readMask } from "./mapping/read_mask.ts";
import { toTimestamp } from "./mapping/values.ts";

/** The audit methods of the API. */
export function auditService(
  deps: ServiceDeps,
  { trail }: Audit,
): Implementation<typeof AuditService> {
  return {
    async listAuditRecords(request, context) {
      const mask = readMask(AuditRecordSchema, request.readMask, "list audit records");
      const { items, nextPageToken } = await listAudit(deps, callerOf(context), request);
      const auditRecords = items.map(({ value }) => mask(toAuditRecord(value)));
      return create(ListAuditRecordsResponseSchema, { auditRecords, nextPageToken });
    },
    async *watchAuditRecords({ filter, after, skipExisting }, context) {
      const request = { filter, after: Number(after), skipExisting };
      for await (const records of watchAudit(deps, trail, callerOf(context), request)) {
        yield new Batch(
          records.map((record) =>
            create(WatchAuditRecordsResponseSchema, { auditRecord: toAuditRecord(record) })
          ),
        );
      }
    },
    async verifyAuditRecords({ expected }, context) {
      const head = expected && { ...expected, sequence: Number(expected.sequence) };
      const found = await verifyAuditLog(deps, callerOf(context), head ?? null);
      const { problem } = found;
      return create(VerifyAuditRecordsResponseSchema, {
        checked: BigInt(found.checked),
        head: { hash: found.head.hash, sequence: BigInt(found.head.sequence) },
        removed: BigInt(found.removed),
        ...(problem && { problem: { ...problem, sequence: BigInt(problem.sequence) } }),
      });
    },
  };
}

function toAuditRecord(record: StoredRecord): AuditRecord {
  return create(AuditRecordSchema, {
    ...record,
    groups: [...record.groups],
    changes: record.changes.map((change) => ({ ...change })),
    sequence: BigInt(record.sequence),
    requestedBy: BigInt(record.requestedBy),
    count: BigInt(record.count),
    time: toTimestamp(record.time),
    phase: AuditPhase[record.phase],
  });
}
