import {
  type DescMessage,
  type JsonValue,
  type MessageJsonType,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { EnvironmentSchema, OperationSchema, RevisionSchema, WorkloadSchema } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import {
  type Column,
  ENVIRONMENT_COLUMNS,
  OPERATION_COLUMNS,
  REVISION_COLUMNS,
  WORKLOAD_COLUMNS,
} from "./columns.ts";
import { machineText } from "./format.ts";
import { jsonTablePrinter, printJson, printJsonList } from "./print_json.ts";

/** How one kind of resource is printed. */
export interface View<Desc extends DescMessage> {
  readonly schema: Desc;
  readonly columns: readonly Column<MessageJsonType<Desc>>[];
}

/** Prints a list in the chosen format. */
export function printList<Desc extends DescMessage>(
  context: CommandContext,
  { schema, columns }: View<Desc>,
  items: readonly MessageShape<Desc>[],
  nothing: string,
): Promise<void> {
  return printJsonList(context, columns, items.map((item) => objectOf(schema, item)), nothing);
}

/** Prints one resource in the chosen format. */
export function printOne<Desc extends DescMessage>(
  context: CommandContext,
  { schema, columns }: View<Desc>,
  item: MessageShape<Desc>,
): Promise<void> {
  return printJson(context, columns, objectOf(schema, item));
}

/** Prints items as they arrive, below one header, in the column widths of the first. */
export function tablePrinter<Desc extends DescMessage>(
  context: CommandContext,
  { schema, columns }: View<Desc>,
): (item: MessageShape<Desc>) => Promise<void> {
  const print = jsonTablePrinter(context, columns);
  return (item) => print(objectOf(schema, item));
}

/** Prints a message for programs. */
export async function printMessage<Desc extends DescMessage>(
  { config, terminal }: CommandContext,
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<void> {
  terminal.out(await machineText(config.output, toJson(schema, message) as JsonValue));
}

/**
 * Prints one message of a stream so that programs can separate the messages: one line for JSON, one
 * document for YAML.
 */
export async function printNext<Desc extends DescMessage>(
  { config: { output }, terminal }: CommandContext,
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<void> {
  const format = output.kind === "json" ? { kind: "jsonl" as const } : output;
  const text = await machineText(format, toJson(schema, message) as JsonValue);
  terminal.out(output.kind === "yaml" ? `---\n${text}` : text);
}

/** The JSON of a resource's message is an object. */
function objectOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>) {
  return toJson(schema, message) as MessageJsonType<Desc> & object;
}

export const ENVIRONMENT_VIEW: View<typeof EnvironmentSchema> = {
  schema: EnvironmentSchema,
  columns: ENVIRONMENT_COLUMNS,
};

export const WORKLOAD_VIEW: View<typeof WorkloadSchema> = {
  schema: WorkloadSchema,
  columns: WORKLOAD_COLUMNS,
};

export const REVISION_VIEW: View<typeof RevisionSchema> = {
  schema: RevisionSchema,
  columns: REVISION_COLUMNS,
};

export const OPERATION_VIEW: View<typeof OperationSchema> = {
  schema: OperationSchema,
  columns: OPERATION_COLUMNS,
};
