import { createHash } from "node:crypto";

/** A registry of charts on loopback that only answers reads (OCI Distribution Specification 1.1). */
export interface OciRegistry {
  /** Such as `oci://127.0.0.1:40123/charts`. */
  readonly url: string;
  stop(): Promise<void>;
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Starts a registry with one chart, as `helm push` would have stored it. */
export function startOciRegistry(
  { name, version, archive }: { name: string; version: string; archive: Uint8Array },
): OciRegistry {
  const config = new TextEncoder().encode(JSON.stringify({ apiVersion: "v2", name, version }));
  const blobs = new Map([config, archive].map((bytes) => [digestOf(bytes), bytes]));
  const describe = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("application/vnd.cncf.helm.config.v1+json", config),
    layers: [describe("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)],
  }));
  const answer = (bytes: Uint8Array, type: string) =>
    new Response(new Uint8Array(bytes), {
      headers: {
        "content-type": type,
        "content-length": String(bytes.length),
        "docker-content-digest": digestOf(bytes),
      },
    });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const path = new URL(url).pathname;
    const blob = blobs.get(path.split("/blobs/")[1] ?? "");
    if (blob) return answer(blob, "application/octet-stream");
    const reference = path.split(`/v2/charts/${name}/manifests/`)[1];
    if (reference === version || reference === digestOf(manifest)) {
      return answer(manifest, MANIFEST);
    }
    return new Response(null, { status: path === "/v2/" ? 200 : 404 });
  });
  return {
    url: `oci://127.0.0.1:${server.addr.port}/charts`,
    stop: () => server.shutdown(),
  };
}

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
