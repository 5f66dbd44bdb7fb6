/**
 * Tokens for positions in the log, for watchers that resume. They are opaque to clients: a checksum
 * rejects a token that a client made up or changed, so that nobody relies on the sequence in it.
 */

/** The token for the position after an event. */
export function encodeResumeToken(sequence: number): string {
  return btoa(`e2:${sequence.toString(36)}:${checkOf(sequence).toString(36)}`);
}

/** The sequence in a token; undefined if it is invalid. Tokens of earlier versions are accepted. */
export function decodeResumeToken(token: string): number | undefined {
  const text = decodeBase64(token);
  const old = /^e1:(\d{1,15})$/.exec(text);
  if (old) return Number(old[1]);
  const [, digits = "", check = ""] = /^e2:([0-9a-z]{1,11}):([0-9a-z]{1,7})$/.exec(text) ?? [];
  const sequence = parseInt(digits, 36);
  if (!Number.isSafeInteger(sequence)) return undefined;
  return parseInt(check, 36) === checkOf(sequence) ? sequence : undefined;
}

/** A 32-bit checksum that looks unrelated for consecutive sequences; not a secret. */
function checkOf(sequence: number): number {
  const low = Math.imul(sequence >>> 0, 0x9e3779b1);
  const mixed = Math.imul(low ^ (low >>> 15) ^ Math.floor(sequence / 2 ** 32), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function decodeBase64(token: string): string {
  try {
    return atob(token);
  } catch {
    // Clients may send anything: text that cannot be decoded is not a token.
    return "";
  }
}
