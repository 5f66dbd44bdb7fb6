import { createHash } from "node:crypto";
import { withContainers } from "./containers.ts";
import { isFile, toolCache } from "./go_tool.ts";

/** What an image does when it runs: a line of shell, in which `busybox` has what it needs. */
const IMAGES = {
  /** Serves a page on port 8080, and ends when it is told to. */
  "web:1": "trap exit TERM; echo 'listening on 8080'; httpd -f -v -p 8080 -h /www & wait",
  "web:2": "trap exit TERM; echo 'still on 8080'; httpd -f -v -p 8080 -h /www & wait",
  /** Says why, and ends with code 7. */
  "crash:1": "echo 'cannot reach the database'; exit 7",
  /** Takes memory until the kernel ends it. */
  "hungry:1": "echo 'eating'; tail /dev/zero",
  /** Runs, and listens on no port. */
  "deaf:1": "trap exit TERM; echo 'not listening'; sleep 3600 & wait",
} as const;

/** An image that tests have on their cluster; any other name cannot be pulled. */
export type TestImage = keyof typeof IMAGES;

/** The reference of an image, as a workload names it. */
export const testImage = (image: TestImage): string => `localhost/mpc-test/${image}`;

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
    for (const [image, line] of Object.entries(IMAGES)) {
      const name = testImage(image as TestImage);
      const container = (await withContainers("buildah", ["from", "scratch"])).trim();
      await withContainers("buildah", ["copy", "--quiet", container, folder, "/"]);
      await withContainers("buildah", [
        ...["config", "--env", "PATH=/bin", "--user", "65532:65532", "--port", "8080"],
        ...["--entrypoint", JSON.stringify(["/bin/sh", "-c", line]), container],
      ]);
      await withContainers("buildah", ["commit", "--quiet", "--rm", container, name]);
    }
    const names = Object.keys(IMAGES).map((image) => testImage(image as TestImage));
    const made = `${archive}.${Deno.pid}`;
    await withContainers("podman", [
      ...["save", "--quiet", "--multi-image-archive", "--output", made],
      ...names,
    ]);
    await Deno.rename(made, archive);
    return archive;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
