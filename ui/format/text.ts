/** Texts of others, made harmless: they are shown as they are, and change nothing around them. */

/** Control characters, and invisible ones such as marks that change the direction (UAX 9). */
const INVISIBLE = /(?![\t\n\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The longest text that a page shows; the rest is cut off. */
const MAX_LENGTH = 4_000;

/** A text of somebody else as one paragraph: invisible characters are spelled out. */
export function shown(text: string, maxLength = MAX_LENGTH): string {
  const cut = text.length > maxLength
    ? `${text.slice(0, maxLength)}… (${text.length} characters)`
    : text;
  return cut.replace(INVISIBLE, spelledOut);
}

const spelledOut = (character: string): string =>
  `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`;
