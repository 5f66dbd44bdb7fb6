/** Temporal's test server, which skips time that nobody works in; got by Maven, run by Java. */
import envPaths from "env-paths";
import { freePort } from "./free_port.ts";
import { type TemporalServer, untilAnswers } from "./temporal_server.ts";

const VERSION = "1.32.0";

/** Its class path: what Maven has downloaded, outside the repository. */
async function classPath(): Promise<string> {
  const folder = `${envPaths("mpc-ci", { suffix: "" }).cache}/temporal-test-server-${VERSION}`;
  const file = `${folder}/classpath`;
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/pom.xml`,
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mpc</groupId><artifactId>temporal-test-server</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version>
  </dependency></dependencies>
</project>
`,
  );
  // Written beside its place and renamed, so that a run that is cut off leaves nothing.
  const written = `${file}.${Deno.pid}`;
  const { success, stdout } = await new Deno.Command("mvn", {
    args: [
      ...["--quiet", "--batch-mode", "--file", `${folder}/pom.xml`],
      ...["dependency:build-classpath", `-Dmdep.outputFile=${written}`],
    ],
  }).output();
  if (!success) throw new Error(`mvn failed: ${new TextDecoder().decode(stdout)}`);
  await Deno.rename(written, file);
  return await Deno.readTextFile(file);
}

/** Starts one, skipping time from the beginning, and waits until it answers. */
export async function startTemporalTestServer(): Promise<TemporalServer> {
  const port = freePort();
  const child = new Deno.Command("java", {
    args: [
      ...["-Xmx512m", "-cp", await classPath(), "io.temporal.testserver.TestServer"],
      ...[String(port), "--enable-time-skipping"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await status;
  };
  try {
    await untilAnswers(port, () => ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, pid: child.pid, stop };
}

if (import.meta.main) await classPath();
