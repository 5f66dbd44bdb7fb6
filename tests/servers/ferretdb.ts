/**
 * FerretDB 1 with users, for tests: a server by other people that speaks MongoDB's wire protocol and
 * checks passwords. It keeps its data in SQLite files.
 *
 * It is no server for a store: it has no sparse indexes, rejects a projection in `findAndModify`,
 * and its updates are not atomic (several writers win a compare-and-swap).
 */
import { MongoClient } from "mongodb";
import { freePort } from "@mpc/process";
import { goTool } from "./go_tool.ts";
import { startServer } from "./server_process.ts";
import { withFolder } from "./with_folder.ts";

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Runs with a server that has one user, of the database `admin`. */
export async function withFerretdb<T>(
  { name, password }: User,
  use: (host: string) => Promise<T>,
): Promise<T> {
  const path = await goTool("ferretdb");
  return await withFolder(async (folder) => {
    const host = `127.0.0.1:${freePort()}`;
    const server = startServer({
      name: "ferretdb",
      path,
      args: [
        ...["--handler=sqlite", `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`],
        ...[`--listen-addr=${host}`, "--debug-addr=-", "--telemetry=disable", "--log-level=ERROR"],
        ...["--test-enable-new-auth", "--setup-database=admin"],
        ...[`--setup-username=${name}`, `--setup-password=${password}`],
      ],
      folder,
    });
    try {
      await server.untilReady(() => answers(host));
      return await use(host);
    } finally {
      await server.stop();
    }
  });
}

async function answers(host: string): Promise<boolean> {
  const client = new MongoClient(`mongodb://${host}/`, { serverSelectionTimeoutMS: 500 });
  try {
    await client.db("admin").command({ hello: 1 });
    return true;
  } finally {
    await client.close();
  }
}
