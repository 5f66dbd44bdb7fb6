/**
 * A durable server that speaks MongoDB's wire protocol, for tests: mongo-java-server with its H2
 * backend, installed with Maven, run by Java. It has no sessions, transactions, change streams,
 * secondary indexes or `explain`; `MPC_TEST_MONGODB_URI` points the suites at another server.
 */
import envPaths from "env-paths";
import { MongoClient } from "mongodb";
import { freePort } from "@mpc/process";
import { withFolder } from "./with_folder.ts";
import { type ServerProcess, startServer } from "./server_process.ts";

const VERSION = "1.47.0";

const folder = `${envPaths("mpc-ci", { suffix: "" }).cache}/mongo-java-server-${VERSION}`;

/** The interval at which the server brings writes to its file. */
const COMMIT_EVERY_MS = 100;

/** Stops on SIGTERM without losing a write; a SIGKILL loses the writes since the last commit. */
const MAIN = `
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import org.h2.mvstore.MVStore;

public class Main {
  public static void main(String[] args) {
    MVStore store = MVStore.open(args[0]);
    store.setAutoCommitDelay(${COMMIT_EVERY_MS});
    MongoServer server = new MongoServer(new H2Backend(store));
    server.bind("127.0.0.1", Integer.parseInt(args[1]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
  }
}
`;

/** Its class path: files that Maven has downloaded and the compiled main class. */
async function classPath(): Promise<string> {
  const file = `${folder}/classpath`;
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(folder, { recursive: true });
  // Prepared in a folder of its own, so that an interrupted or parallel run leaves nothing.
  const building = await Deno.makeTempDir({ dir: folder });
  const dependency = (artifact: string) =>
    `<dependency><groupId>de.bwaldvogel</groupId><artifactId>${artifact}</artifactId><version>${VERSION}</version></dependency>`;
  await Deno.writeTextFile(
    `${building}/pom.xml`,
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mpc</groupId><artifactId>mongodb-server</artifactId><version>1</version>
  <dependencies>
    ${dependency("mongo-java-server")}
    ${dependency("mongo-java-server-h2-backend")}
  </dependencies>
</project>
`,
  );
  await run("mvn", [
    ...["--quiet", "--batch-mode", "--file", `${building}/pom.xml`],
    ...["dependency:build-classpath", `-Dmdep.outputFile=${building}/dependencies`],
  ]);
  const dependencies = await Deno.readTextFile(`${building}/dependencies`);
  await Deno.writeTextFile(`${building}/Main.java`, MAIN);
  await run("javac", ["-cp", dependencies, "-d", building, `${building}/Main.java`]);
  await Deno.rename(`${building}/Main.class`, `${folder}/Main.class`);
  await Deno.writeTextFile(`${building}/classpath`, `${folder}:${dependencies}`);
  await Deno.rename(`${building}/classpath`, file);
  await Deno.remove(building, { recursive: true });
  return await Deno.readTextFile(file);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`${program} failed: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

/** A server that a test starts, stops and starts again on the same data. */
export interface MongodbServer {
  readonly uri: string;
  readonly port: number;
  readonly process: ServerProcess;
  /** Starts it again at the same port, after it was stopped. */
  start(): Promise<void>;
  /** Ends it; with SIGTERM, the default, it first writes everything to disk. */
  stop(signal?: Deno.Signal): Promise<void>;
  /** Kills it once its file has what it has acknowledged, as that of a real MongoDB has at once. */
  kill(): Promise<void>;
}

/** Starts a server with its data in a folder, at a free port. */
export async function startMongodbServer(data: string): Promise<MongodbServer> {
  const port = freePort();
  const uri = `mongodb://127.0.0.1:${port}/`;
  const start = async () => {
    const process = startServer({
      name: "mongodb",
      path: "java",
      args: ["-Xmx512m", "-cp", await classPath(), "Main", `${data}/data.mv`, String(port)],
      folder: data,
    });
    await process.untilReady(() => answers(uri));
    return process;
  };
  let process = await start();
  return {
    uri,
    port,
    get process() {
      return process;
    },
    async start() {
      process = await start();
    },
    stop: (signal = "SIGTERM") => process.stop(signal),
    async kill() {
      await new Promise((resolve) => setTimeout(resolve, 3 * COMMIT_EVERY_MS));
      await process.stop("SIGKILL");
    },
  };
}

async function answers(uri: string): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 500 });
  try {
    await client.db("admin").command({ ping: 1 });
    return true;
  } finally {
    await client.close();
  }
}

/** Runs with a server of its own. */
export async function withMongodbServer<T>(use: (server: MongodbServer) => Promise<T>): Promise<T> {
  return await withFolder(async (data) => {
    const server = await startMongodbServer(data);
    try {
      return await use(server);
    } finally {
      await server.stop("SIGKILL");
    }
  });
}

if (import.meta.main) console.log(await classPath());
