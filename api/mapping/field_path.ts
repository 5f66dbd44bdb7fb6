/** One path of a field mask (AIP-161). */

const SEGMENT = /^(?:`((?:[^`]|``)+)`|([^.`]+))(\.(?=.)|$)/;

/**
 * The segments of a path: names of fields and keys of maps. A key with other characters than
 * letters, digits and `_` stands in backticks, as in "labels.`example.com/team`".
 * @returns undefined where the text is no path
 */
export function parseFieldPath(text: string): readonly string[] | undefined {
  const segments: string[] = [];
  for (let rest = text; rest !== "" || segments.length === 0;) {
    const match = SEGMENT.exec(rest);
    if (!match) return undefined;
    segments.push(match[1]?.replaceAll("``", "`") ?? match[2]!);
    rest = rest.slice(match[0].length);
  }
  return segments;
}

/** Whether a mask names everything: `*`, which stands alone (AIP-134, AIP-157). */
export const isEverything = (paths: readonly string[]): boolean =>
  paths.length === 1 && paths[0] === "*";
