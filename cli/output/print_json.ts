import type { JsonValue } from "@bufbuild/protobuf";
import type { CommandContext } from "../context.ts";
import type { Column } from "./columns.ts";
import { isForPeople, machineText } from "./format.ts";
import { columnWidths, renderTable } from "./table.ts";

/** Prints a list in the chosen format. */
export async function printJsonList<T extends object>(
  context: CommandContext,
  columns: readonly Column<T>[],
  items: readonly T[],
  nothing: string,
): Promise<void> {
  const { config, terminal } = context;
  if (!isForPeople(config.output)) {
    return terminal.out(await machineText(config.output, items as unknown as JsonValue));
  }
  if (items.length === 0) return terminal.err(`${nothing}\n`);
  terminal.out(await tableOf(context, columns, items));
}

/** Prints one resource in the chosen format. */
export async function printJson<T extends object>(
  context: CommandContext,
  columns: readonly Column<T>[],
  item: T,
): Promise<void> {
  const { config, terminal } = context;
  if (isForPeople(config.output)) return terminal.out(await tableOf(context, columns, [item]));
  terminal.out(await machineText(config.output, item as unknown as JsonValue));
}

/** Prints items as they arrive, below one header, in the column widths of the first. */
export function jsonTablePrinter<T>(
  context: CommandContext,
  columns: readonly Column<T>[],
): (item: T) => Promise<void> {
  let widths: readonly number[] | undefined;
  return async (item) => {
    const { headers, rows: [row = []] } = cellsOf(context, columns, [item]);
    const first = widths === undefined;
    widths ??= await columnWidths([headers, row]);
    const withHeaders = first && context.config.headers;
    context.terminal.out(await renderTable(headers, [row], withHeaders, widths));
  };
}

function tableOf<T>(
  context: CommandContext,
  columns: readonly Column<T>[],
  items: readonly T[],
): Promise<string> {
  const { headers, rows } = cellsOf(context, columns, items);
  return renderTable(headers, rows, context.config.headers);
}

function cellsOf<T>(
  { config }: CommandContext,
  all: readonly Column<T>[],
  items: readonly T[],
) {
  const columns = all.filter((column) => !column.wide || config.output.kind === "wide");
  return {
    headers: columns.map((column) => column.header),
    rows: items.map((item) => columns.map((column) => column.value(item) || "-")),
  };
}
