/** Rows in aligned columns, as kubectl prints them. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  withHeaders = true,
): string {
  const lines = withHeaders ? [headers, ...rows] : rows;
  const widths = headers.map((_, column) =>
    Math.max(0, ...lines.map((line) => (line[column] ?? "").length))
  );
  return lines.map((line) =>
    `${
      line.map((cell, column) => column === line.length - 1 ? cell : cell.padEnd(widths[column]!))
        .join("   ").trimEnd()
    }\n`
  ).join("");
}
