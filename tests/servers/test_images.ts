import { createHash } from "node:crypto";
import { withContainers } from "./containers.ts";
import { isFile, toolCache } from "./go_tool.ts";

/** A web server on port 8080, and on 80 where it may; it ends when it is told to. */
const WEB =
  "trap exit TERM; echo starting; httpd -f -p 80 -h /www 2>/dev/null & httpd -f -p 8080 -h /www & wait";

/**
 * The images that there are on a cluster for tests, and the line of shell that each runs. They are
 * called as on the simulated cluster, so that the same can be asked of both; what is not here is
 * looked for on the node itself, where nobody answers.
 */
const IMAGES: Readonly<Record<string, string>> = {
  "docker.io/library/nginx:1.27": WEB,
  "docker.io/library/nginx:1.28": WEB,
  // Says why, and ends.
  "localhost/nginx:crash": "echo starting; echo 'cannot reach the database'; exit 7",
  // Takes memory until the kernel ends it.
  "localhost/nginx:hungry": "echo starting; tail /dev/zero",
  // Runs, and listens nowhere.
  "localhost/nginx:stuck": "trap exit TERM; echo starting; sleep 3600 & wait",
};

/**
 * Makes all images, from nothing but busybox, where they are not there yet.
 * @returns the path of an archive that holds them
 */
export async function testImages(): Promise<string> {
  const what = createHash("sha256").update(JSON.stringify(IMAGES)).digest("hex").slice(0, 12);
  const archive = `${toolCache()}/test-images-${what}.tar`;
  if (await isFile(archive)) return archive;
  const folder = await Deno.makeTempDir({ prefix: "mpc-images-" });
  try {
    for (const path of ["bin", "www", "tmp"]) await Deno.mkdir(`${folder}/${path}`);
    await Deno.copyFile("/bin/busybox", `${folder}/bin/busybox`);
    for (const name of ["sh", "echo", "httpd", "sleep", "tail"]) {
      await Deno.symlink("busybox", `${folder}/bin/${name}`);
    }
    await Deno.writeTextFile(`${folder}/www/index.html`, "hello\n");
    for (const [name, line] of Object.entries(IMAGES)) {
      const container = (await withContainers("buildah", ["from", "scratch"])).trim();
      await withContainers("buildah", ["copy", "--quiet", container, folder, "/"]);
      await withContainers("buildah", [
        ...["config", "--env", "PATH=/bin", "--user", "65532:65532", "--port", "8080"],
        ...["--entrypoint", JSON.stringify(["/bin/sh", "-c", line]), container],
      ]);
      await withContainers("buildah", ["commit", "--quiet", "--rm", container, name]);
    }
    const made = `${archive}.${Deno.pid}`;
    await withContainers("podman", [
      ...["save", "--quiet", "--multi-image-archive", "--output", made],
      ...Object.keys(IMAGES),
    ]);
    await Deno.rename(made, archive);
    return archive;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
