/** Rows in aligned columns, as kubectl prints them. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  withHeaders = true,
  widths: readonly number[] = widthsOf([headers, ...rows]),
): string {
  const lines = withHeaders ? [headers, ...rows] : rows;
  return lines.map((line) =>
    `${
      line.map((cell, column) => column === line.length - 1 ? cell : cell.padEnd(widths[column]!))
        .join("   ").trimEnd()
    }\n`
  ).join("");
}

/** How wide each column must be. */
export function widthsOf(lines: readonly (readonly string[])[]): readonly number[] {
  const columns = Math.max(0, ...lines.map((line) => line.length));
  return Array.from(
    { length: columns },
    (_, column) => Math.max(0, ...lines.map((line) => (line[column] ?? "").length)),
  );
}
