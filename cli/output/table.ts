import stringWidth from "string-width";

/** Rows in aligned columns, as kubectl prints them. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  withHeaders = true,
  widths: readonly number[] = widthsOf([headers, ...rows]),
): string {
  const lines = withHeaders ? [headers, ...rows] : rows;
  return lines.map((line) => {
    const cells = line.map((cell, column) =>
      column === line.length - 1 ? cell : pad(cell, widths[column]!)
    );
    return `${cells.join("   ").trimEnd()}\n`;
  }).join("");
}

/** The width of each column, in columns of the terminal. */
export function widthsOf(lines: readonly (readonly string[])[]): readonly number[] {
  const columns = Math.max(0, ...lines.map((line) => line.length));
  return Array.from(
    { length: columns },
    (_, column) => Math.max(0, ...lines.map((line) => stringWidth(line[column] ?? ""))),
  );
}

/** Cuts a text to a width on the terminal; wide characters and combining marks stay whole. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    cut += segment;
  }
  return cut;
}

/** `padEnd` by width on the terminal: a wide character takes two columns, a combining mark none. */
const pad = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - stringWidth(text)));
