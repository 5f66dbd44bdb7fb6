import { padTo, type TextWidth, textWidth } from "./text_width.ts";

/**
 * Formats rows in aligned columns, like kubectl.
 * @param widths the width of each column; as wide as needed by default
 */
export async function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  withHeaders = true,
  widths?: readonly number[],
): Promise<string> {
  const all = [headers, ...rows];
  const widthOf = await textWidth(all.flat());
  const columns = widths ?? widthsOf(all, widthOf);
  return (withHeaders ? all : rows).map((line) => {
    const last = line.length - 1;
    const cells = line.map((cell, at) => at === last ? cell : padTo(columns[at]!, cell, widthOf));
    return `${cells.join("   ").trimEnd()}\n`;
  }).join("");
}

/** The width that each column needs. */
export async function columnWidths(
  lines: readonly (readonly string[])[],
): Promise<readonly number[]> {
  return widthsOf(lines, await textWidth(lines.flat()));
}

function widthsOf(
  lines: readonly (readonly string[])[],
  widthOf: TextWidth,
): readonly number[] {
  const count = Math.max(0, ...lines.map((line) => line.length));
  return Array.from(
    { length: count },
    (_, column) => Math.max(0, ...lines.map((line) => widthOf(line[column] ?? ""))),
  );
}
