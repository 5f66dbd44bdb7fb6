/** The MongoDB server of a suite: a database for each test, on a server for each test file. */
import { type CommandStartedEvent, MongoClient } from "mongodb";
import { type MongoStore, openMongoStore } from "@mpc/storage/mongodb";
import { startMongodbServer } from "./mongodb_server.ts";

export interface MongodbUnderTest {
  readonly uri: string;
  /** Whether the server compares text by code points, as MongoDB does. */
  readonly codePointOrder: boolean;
  /** The address of a database that does not exist. */
  newAddress(): string;
  /** @param onCommand called with each command that is sent */
  open(address: string, onCommand?: (command: CommandStartedEvent) => void): Promise<MongoStore>;
  /** Removes a database. */
  drop(address: string): Promise<void>;
}

/**
 * The server that `MPC_TEST_MONGODB_URI` names, or a new one that ends with this test file. It is
 * started at the top of a test file, so that it belongs to no test.
 */
export async function mongodbUnderTest(): Promise<MongodbUnderTest> {
  const given = Deno.env.get("MPC_TEST_MONGODB_URI");
  const uri = given ?? await startForThisFile();
  let databases = 0;
  return {
    uri,
    codePointOrder: given !== undefined,
    newAddress() {
      const address = new URL(uri);
      address.pathname = `/mpc_test_${crypto.randomUUID().slice(0, 8)}_${databases++}`;
      return address.href;
    },
    open: (address, onCommand) => openMongoStore({ address, ...(onCommand && { onCommand }) }),
    async drop(address) {
      const client = new MongoClient(address);
      try {
        await client.db().dropDatabase();
      } finally {
        await client.close();
      }
    },
  };
}

async function startForThisFile(): Promise<string> {
  const data = await Deno.makeTempDir({ prefix: "mpc-mongodb-" });
  const server = await startMongodbServer(data);
  globalThis.addEventListener("unload", () => {
    Deno.kill(server.process.pid, "SIGKILL");
    Deno.removeSync(data, { recursive: true });
  });
  return server.uri;
}
