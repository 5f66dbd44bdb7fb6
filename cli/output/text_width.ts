/** How many columns of a terminal a text takes. */
export type TextWidth = (text: string) => number;

const ASCII = /^[ -~]*$/;

/**
 * Measures texts: a wide character takes two columns, a combining mark none. Loading `string-width`
 * takes longer than everything else in a list, so it is loaded only for texts beyond ASCII.
 */
export async function textWidth(texts: readonly string[]): Promise<TextWidth> {
  if (texts.every((text) => ASCII.test(text))) return (text) => text.length;
  const { default: stringWidth } = await import("string-width");
  return stringWidth;
}

/** Pads a text with spaces. */
export const padTo = (width: number, text: string, widthOf: TextWidth): string =>
  text + " ".repeat(Math.max(0, width - widthOf(text)));

/** Truncates a text; wide characters and combining marks stay whole. */
export function truncateTo(width: number, text: string, widthOf: TextWidth): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    cut += segment;
  }
  return cut;
}
