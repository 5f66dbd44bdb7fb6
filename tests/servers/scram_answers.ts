import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { BSON } from "mongodb";

const ITERATIONS = 15_000;

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/**
 * The server's side of SCRAM-SHA-256 (RFC 7677) in MongoDB's `saslStart` and `saslContinue`, for one
 * user whose name and password are ASCII. Several connections may authenticate at once.
 */
export function scramAnswers(
  user: string,
  password: string,
): (command: BSON.Document) => BSON.Document | undefined {
  const salt = randomBytes(28);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  /** The two first messages of each conversation, by its nonce. */
  const begun = new Map<string, string>();
  const rejected = {
    ok: 0,
    code: 18,
    codeName: "AuthenticationFailed",
    errmsg: "Authentication failed.",
  };
  const answer = (payload: string, done: boolean) => ({
    ok: 1,
    conversationId: 1,
    done,
    payload: new BSON.Binary(Buffer.from(payload)),
  });
  return ({ saslStart, saslContinue, payload }) => {
    if (!saslStart && !saslContinue) return undefined;
    const message = Buffer.from(payload.buffer).toString();
    if (saslStart) {
      const [, bare = "", name, nonce = ""] = /^n,,(n=([^,]*),r=(.*))$/.exec(message) ?? [];
      const all = nonce + randomBytes(18).toString("base64");
      const first = `r=${all},s=${salt.toString("base64")},i=${ITERATIONS}`;
      if (name === user) begun.set(all, `${bare},${first}`);
      return answer(first, false);
    }
    const [, final = "", nonce = "", proof = ""] = /^(c=biws,r=([^,]*)),p=(.*)$/.exec(message) ??
      [];
    const firsts = begun.get(nonce);
    begun.delete(nonce);
    if (firsts === undefined) return rejected;
    const signature = hmac(storedKey, `${firsts},${final}`);
    const key = Buffer.from(proof, "base64").map((byte, at) => byte ^ signature[at]!);
    const found = createHash("sha256").update(key).digest();
    if (!timingSafeEqual(found, storedKey)) return rejected;
    const verifier = hmac(hmac(salted, "Server Key"), `${firsts},${final}`);
    return answer(`v=${verifier.toString("base64")}`, true);
  };
}
