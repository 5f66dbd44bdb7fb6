import { createHash } from "node:crypto";
import { withContainers } from "./containers.ts";
import { isFile, toolCache } from "./go_tool.ts";

/** A web server on port 8080, and on 80 if allowed; it ends on SIGTERM. */
const WEB =
  "trap exit TERM; echo starting; httpd -f -p 80 -h /www 2>/dev/null & httpd -f -p 8080 -h /www & wait";

/**
 * The images on a cluster for tests, and the shell command of each. They have the names of images
 * on the simulated cluster, so that both can be tested alike. Other images are looked for on the
 * node itself, where no registry answers.
 */
const IMAGES: Readonly<Record<string, string>> = {
  "docker.io/library/nginx:1.27": WEB,
  "docker.io/library/nginx:1.28": WEB,
  // Prints the reason and exits.
  "localhost/nginx:crash": "echo starting; echo 'cannot reach the database'; exit 7",
  // Uses memory until the kernel kills it.
  "localhost/nginx:hungry": "echo starting; tail /dev/zero",
  // Runs without listening.
  "localhost/nginx:stuck": "trap exit TERM; echo starting; sleep 3600 & wait",
};

/**
 * Builds all images from busybox, if they do not exist yet.
 * @returns the path of an archive with the images
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
