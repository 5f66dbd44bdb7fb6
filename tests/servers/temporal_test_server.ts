/** Temporal's test server, which skips idle time; installed with Maven, run by Java. */
import envPaths from "env-paths";

const VERSION = "1.32.0";

const folder = `${envPaths("mpc-ci", { suffix: "" }).cache}/temporal-test-server-${VERSION}`;

/** Its class path: files that Maven has downloaded, outside the repository. */
async function classPath(): Promise<string> {
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
  // Written next to its place and renamed, so that an interrupted run leaves nothing.
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

/** The path of a program that accepts the arguments with which Temporal's SDKs start it. */
export async function temporalTestServer(): Promise<string> {
  const program = `${folder}/temporal-test-server`;
  await Deno.writeTextFile(
    program,
    `#!/bin/sh
exec java -Xmx512m -cp '${await classPath()}' io.temporal.testserver.TestServer "$@"
`,
    { mode: 0o755 },
  );
  return program;
}

if (import.meta.main) console.log(await temporalTestServer());
