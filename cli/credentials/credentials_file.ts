/**
 * The file with what `mpctl login` keeps: `credentials.json` beside the profiles. Only its owner may
 * read it.
 */
import { profilesPath } from "../config/profiles.ts";
import { CliError } from "../errors/cli_error.ts";
import { folderOf, type Host } from "../host/mod.ts";

/** Whom a login belongs to: it is used with this profile, for this server, and for no other. */
export interface LoginOf {
  /** Empty without a profile. */
  readonly profile: string;
  /** The server's URL. */
  readonly server: string;
}

/** A login at an OpenID Connect issuer, which is renewed. */
export interface IssuerLogin extends LoginOf {
  readonly kind: "issuer";
  readonly issuer: string;
  readonly clientId: string;
  /** The audience of the access token; empty if the ID token is sent. */
  readonly audience: string;
  readonly token: string;
  /** Empty if the issuer gave none. */
  readonly refreshToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** When a new token is fetched; a while before this one expires. */
  readonly renewAt: number;
}

/** What signs calls: a token as it is, a file or a command that gives it, or an issuer. */
export type Login =
  | (LoginOf & { readonly kind: "token"; readonly token: string })
  | (LoginOf & { readonly kind: "file"; readonly path: string })
  | (LoginOf & { readonly kind: "command"; readonly command: string })
  | IssuerLogin;

/** The texts and the numbers of each kind. */
const FIELDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  token: [["token"], []],
  file: [["path"], []],
  command: [["command"], []],
  issuer: [
    ["issuer", "clientId", "audience", "token", "refreshToken"],
    ["expiresAt", "renewAt"],
  ],
};

/** How old a lock becomes whose holder is gone; a renewal takes less. */
const STALE_LOCK_MS = 15_000;
const LOCK_POLL_MS = 50;

/**
 * The file's path.
 * @returns undefined if there is no folder of the user's: secrets never go to the current one
 */
export function credentialsPath(host: Host): string | undefined {
  const named = ["MPC_CONFIG", "XDG_CONFIG_HOME", host.platform === "windows" ? "APPDATA" : "HOME"];
  if (!named.some((name) => host.env(name))) return undefined;
  return `${folderOf(profilesPath(host))}/credentials.json`;
}

/**
 * Finds the login of a profile and a server.
 * @throws {CliError} if others may read the file, or it holds something else
 */
export async function findLogin(host: Host, of: LoginOf): Promise<Login | undefined> {
  const path = credentialsPath(host);
  if (path === undefined) return undefined;
  return (await readLogins(host, path)).find((login) => isOf(login, of));
}

/**
 * Changes the login of a profile and a server, while no other mpctl does.
 * @param change receives the present login, and returns the new one; undefined to forget it
 * @returns the new login
 * @throws {CliError} as {@linkcode findLogin}, or if there is no place for the file
 */
export async function changeLogin<L extends Login | undefined>(
  host: Host,
  of: LoginOf,
  change: (login: Login | undefined) => Promise<L>,
): Promise<L> {
  const path = credentialsPath(host);
  if (path === undefined) {
    throw new CliError(
      "Cannot keep a sign-in: HOME is not set, so there is no place for the file",
      {
        hint: "Set HOME or MPC_CONFIG, or put a token into MPC_TOKEN",
      },
    );
  }
  return await locked(host, path, async () => {
    const logins = await readLogins(host, path);
    const before = logins.find((login) => isOf(login, of));
    const after = await change(before);
    if (after !== before) {
      const others = logins.filter((login) => login !== before);
      const all = { logins: after ? [...others, after] : others };
      await host.writeTextFile(path, `${JSON.stringify(all, null, 2)}\n`);
    }
    return after;
  });
}

const isOf = (login: LoginOf, of: LoginOf): boolean =>
  login.profile === of.profile && login.server === of.server;

async function readLogins(host: Host, path: string): Promise<readonly Login[]> {
  const file = await host.readPrivateFile(path);
  if (!file) return [];
  if (file.isExposed) {
    throw new CliError(`Cannot use '${path}': other users may read or write it`, {
      hint: `Run 'chmod 600 ${path}'; if others may have read it, sign in again`,
    });
  }
  const logins = loginsIn(file.text);
  if (logins) return logins;
  // Nothing of the content: it may be a secret.
  throw new CliError(`Cannot use '${path}': it is not a file of 'mpctl login'`, {
    hint: "Remove it, and sign in again with 'mpctl login'",
  });
}

/** @returns undefined if the text is something else */
function loginsIn(text: string): readonly Login[] | undefined {
  try {
    const { logins } = JSON.parse(text);
    return Array.isArray(logins) && logins.every(isLogin) ? logins : undefined;
  } catch {
    return undefined;
  }
}

function isLogin(value: unknown): value is Login {
  if (typeof value !== "object" || value === null) return false;
  const login = new Map<string, unknown>(Object.entries(value));
  const kind = login.get("kind");
  const [texts, numbers] = (typeof kind === "string" && FIELDS[kind]) || [];
  return texts !== undefined && numbers !== undefined &&
    ["profile", "server", ...texts].every((name) => typeof login.get(name) === "string") &&
    numbers.every((name) => typeof login.get(name) === "number");
}

/** Runs alone among the mpctl of this user. A lock whose holder was killed is broken after a time. */
async function locked<T>(host: Host, path: string, run: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const mine = crypto.randomUUID();
  while (!await host.createFile(lock, mine)) {
    const writtenAt = await host.writtenAt(lock);
    if (writtenAt === undefined) continue;
    if (Math.abs(Date.now() - writtenAt) > STALE_LOCK_MS) await host.removeFile(lock);
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  try {
    return await run();
  } finally {
    if (await host.readTextFile(lock) === mine) await host.removeFile(lock);
  }
}
