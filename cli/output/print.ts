import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { CommandContext } from "../context.ts";
import { renderTable } from "./table.ts";

/** How one kind of resource is shown. */
export interface View<Desc extends DescMessage> {
  readonly schema: Desc;
  readonly columns: readonly Column<MessageShape<Desc>>[];
}

export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
  /** Only in `-o wide`. */
  readonly wide?: boolean;
}

/** Prints a list in the format that was asked for. */
export async function printList<Desc extends DescMessage>(
  context: CommandContext,
  view: View<Desc>,
  items: readonly MessageShape<Desc>[],
  nothing: string,
): Promise<void> {
  const { config, terminal } = context;
  if (config.output === "table" || config.output === "wide") {
    if (items.length === 0) return terminal.err(`${nothing}\n`);
    return terminal.out(table(context, view, items));
  }
  if (config.output === "name") return items.forEach((item) => printName(context, item));
  terminal.out(await format(config.output, items.map((item) => toJson(view.schema, item))));
}

/** Prints one resource in the format that was asked for. */
export async function printOne<Desc extends DescMessage>(
  context: CommandContext,
  view: View<Desc>,
  item: MessageShape<Desc>,
): Promise<void> {
  const { config, terminal } = context;
  if (config.output === "table" || config.output === "wide") {
    return terminal.out(table(context, view, [item]));
  }
  if (config.output === "name") return printName(context, item);
  terminal.out(await format(config.output, toJson(view.schema, item)));
}

function table<Desc extends DescMessage>(
  { config }: CommandContext,
  view: View<Desc>,
  items: readonly MessageShape<Desc>[],
): string {
  const columns = view.columns.filter((column) => !column.wide || config.output === "wide");
  const rows = items.map((item) => columns.map((column) => column.value(item) || "-"));
  return renderTable(columns.map((column) => column.header), rows, config.headers);
}

function printName({ terminal }: CommandContext, item: object): void {
  if ("name" in item) terminal.out(`${item.name}\n`);
}

async function format(output: "json" | "yaml", value: JsonValue): Promise<string> {
  if (output === "json") return `${JSON.stringify(value, null, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(value);
}
