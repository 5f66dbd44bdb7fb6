import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { CommandContext } from "../context.ts";
import { isForPeople } from "./format.ts";
import { machineText } from "./machine_text.ts";
import { renderTable, widthsOf } from "./table.ts";

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
  const { config: { output }, terminal } = context;
  if (isForPeople(output)) {
    if (items.length === 0) return terminal.err(`${nothing}\n`);
    return terminal.out(table(context, view, items));
  }
  terminal.out(await machineText(output, items.map((item) => toJson(view.schema, item))));
}

/** Prints one resource in the format that was asked for. */
export async function printOne<Desc extends DescMessage>(
  context: CommandContext,
  view: View<Desc>,
  item: MessageShape<Desc>,
): Promise<void> {
  const { config: { output }, terminal } = context;
  if (isForPeople(output)) return terminal.out(table(context, view, [item]));
  await printMessage(context, view.schema, item);
}

/** Prints a message for programs; what people read of it is the command's to say. */
export async function printMessage<Desc extends DescMessage>(
  context: CommandContext,
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<void> {
  const { config: { output }, terminal } = context;
  terminal.out(await machineText(output, toJson(schema, message)));
}

/** Prints items as they come, under one head, in columns as wide as the first needs them. */
export function tablePrinter<Desc extends DescMessage>(
  context: CommandContext,
  view: View<Desc>,
): (item: MessageShape<Desc>) => void {
  let widths: readonly number[] | undefined;
  return (item) => {
    const { headers, rows: [row = []] } = cellsOf(context, view, [item]);
    const first = widths === undefined;
    widths ??= widthsOf([headers, row]);
    const withHeaders = first && context.config.headers;
    context.terminal.out(renderTable(headers, [row], withHeaders, widths));
  };
}

function table<Desc extends DescMessage>(
  context: CommandContext,
  view: View<Desc>,
  items: readonly MessageShape<Desc>[],
): string {
  const { headers, rows } = cellsOf(context, view, items);
  return renderTable(headers, rows, context.config.headers);
}

function cellsOf<Desc extends DescMessage>(
  { config }: CommandContext,
  view: View<Desc>,
  items: readonly MessageShape<Desc>[],
) {
  const wide = config.output.kind === "wide";
  const columns = view.columns.filter((column) => !column.wide || wide);
  return {
    headers: columns.map((column) => column.header),
    rows: items.map((item) => columns.map((column) => column.value(item) || "-")),
  };
}
