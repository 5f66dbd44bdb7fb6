import { watchAudit } from "@mpc/client";
import { callJson } from "@mpc/client/call_json";
import {
  AuditRecordSchema,
  AuditService,
  type ListAuditRecordsResponseJson,
  VerifyAuditRecordsResponseSchema,
} from "@mpc/proto";
import { type CommandContext, withClient, withConnection } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { type ListFlags, readPages, reportMore } from "../flags/list_flags.ts";
import { AUDIT_COLUMNS, readMaskOf } from "../output/columns.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage, printNext, tablePrinter } from "../output/print.ts";
import { printJsonList } from "../output/print_json.ts";
import { followToEnd } from "./following.ts";

export interface AuditFlags extends ListFlags {
  readonly since?: number | undefined;
  readonly actor?: string | undefined;
  readonly method?: string | undefined;
  readonly target?: string | undefined;
  readonly result?: string | undefined;
  readonly follow?: true | undefined;
  readonly timeout?: number | undefined;
}

const DEFAULT_RECORDS = 50;

/** `mpctl audit list` */
export async function listAudit(context: CommandContext, flags: AuditFlags): Promise<number> {
  const filter = filterOf(flags);
  if (flags.follow) return await follow(context, flags, filter);
  if (flags.timeout !== undefined) throw usageError("Cannot use --timeout without --follow");
  const readMask = readMaskOf(context.config.output, AUDIT_COLUMNS);
  const limited = { ...flags, filter, limit: flags.limit ?? DEFAULT_RECORDS };
  const listed = await readPages(limited, async (page) => {
    const { auditRecords = [], nextPageToken = "" } = await callJson<ListAuditRecordsResponseJson>(
      context.config,
      "mpc.v1.AuditService/ListAuditRecords",
      { ...page, ...(readMask && { readMask }) },
    );
    return { items: auditRecords, nextPageToken };
  });
  await printJsonList(context, AUDIT_COLUMNS, listed.items, "No audit records");
  reportMore(context, listed);
  return EXIT.OK;
}

/** Prints the records since the given time, then each new one. */
async function follow(
  context: CommandContext,
  flags: AuditFlags,
  filter: string,
): Promise<number> {
  if (flags.limit !== undefined || flags.sortBy !== undefined) {
    throw usageError("Cannot use --limit and --sort-by with --follow");
  }
  const { config } = context;
  const print = tablePrinter(context, { schema: AuditRecordSchema, columns: AUDIT_COLUMNS });
  const request = { filter, skipExisting: flags.since === undefined };
  return await withConnection(
    context,
    (connection) =>
      followToEnd(context, flags.timeout, () => "", async (options) => {
        for await (const record of watchAudit(connection, request, options)) {
          if (isForPeople(config.output)) await print(record);
          else await printNext(context, AuditRecordSchema, record);
        }
      }),
  );
}

/** `mpctl audit verify` */
export async function verifyAudit(
  context: CommandContext,
  { expect }: { readonly expect?: string | undefined },
): Promise<number> {
  const { terminal, config } = context;
  const answer = await withClient(
    context,
    AuditService,
    (client) => client.verifyAuditRecords(expect === undefined ? {} : { expected: headOf(expect) }),
  );
  const { problem, checked, removed, head } = answer;
  const exitCode = problem ? EXIT.ERROR : EXIT.OK;
  if (!isForPeople(config.output)) {
    await printMessage(context, VerifyAuditRecordsResponseSchema, answer);
    return exitCode;
  }
  const end = head && head.sequence > 0n ? `, up to ${head.sequence}:${head.hash}` : "";
  if (problem) {
    terminal.out(`✗ Record ${problem.sequence} is ${problem.kind}\n    ${problem.message}\n`);
  }
  terminal.out(`${problem ? "•" : "✓"} ${checked} records are in order${end}\n`);
  if (removed > 0n) terminal.out(`• ${removed} older records were removed by retention\n`);
  return exitCode;
}

/** `SEQUENCE:HASH`, as a verification prints it. */
function headOf(text: string): { readonly sequence: bigint; readonly hash: string } {
  const [, sequence, hash] = /^(\d{1,16}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw usageError("--expect must be SEQUENCE:HASH, as 'mpctl audit verify' prints it");
  }
  return { sequence: BigInt(sequence), hash };
}

/** Combines `--filter` and the flags for single fields. */
function filterOf({ filter = "", since, actor, method, target, result }: AuditFlags): string {
  const quoted = (text: string) => JSON.stringify(text);
  return [
    filter,
    since !== undefined && `time >= ${quoted(new Date(Date.now() - since).toISOString())}`,
    actor !== undefined && `actor = ${quoted(actor)}`,
    method !== undefined && `method = ${quoted(method.includes("/") ? method : `*/${method}`)}`,
    target !== undefined && `target = ${quoted(target)}`,
    result !== undefined && `result = ${quoted(result)}`,
  ].filter(Boolean).join(" AND ");
}
