import assert from "node:assert/strict";
import { columnWidths, renderTable } from "./table.ts";

const HEADERS = ["NAME", "LABELS", "AGE"];

Deno.test("renderTable() aligns columns and leaves no spaces at the end of a line", async () => {
  assert.equal(
    await renderTable(HEADERS, [["dev", "team=web", "5m"], ["staging", "-", ""]]),
    "NAME      LABELS     AGE\ndev       team=web   5m\nstaging   -\n",
  );
});

const WIDE: readonly (readonly [title: string, cell: string, columns: number])[] = [
  ["wide characters", "開発", 4],
  ["combining marks", "cafe\u0301", 4],
  ["an emoji of several code points", "👩‍💻", 2],
  ["a wide character beside ASCII", "a漢", 3],
];

for (const [title, cell, columns] of WIDE) {
  Deno.test(`renderTable() aligns ${title}`, async () => {
    assert.deepEqual(await columnWidths([[cell]]), [columns]);
    const rows = [[cell, "x", "1m"], ["production", "y", "2m"]];
    assert.equal(
      await renderTable(HEADERS, rows, false),
      `${cell}${" ".repeat(10 - columns)}   x        1m\nproduction   y        2m\n`,
    );
  });
}

Deno.test("renderTable() keeps the given widths, and does not truncate wider texts", async () => {
  assert.equal(
    await renderTable(HEADERS, [["開発環境", "x", "1m"]], false, [4, 2, 3]),
    "開発環境   x    1m\n",
  );
});
