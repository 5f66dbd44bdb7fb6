import { promisify } from "node:util";
import { gzip as compress } from "node:zlib";
import type { Compression } from "@connectrpc/connect/protocol";
import { unreadableRequest } from "../unreadable_request.ts";

const gzipBytes = promisify<Uint8Array, Uint8Array<ArrayBuffer>>(compress);

/** Responses of at least this size are compressed if the caller accepts it. */
export const MIN_GZIP_BYTES = 4 * 1024;

/** Compresses responses. Requests must not be compressed. */
export const gzip: Compression = {
  name: "gzip",
  compress: (bytes) => gzipBytes(bytes),
  decompress: () =>
    Promise.reject(unreadableRequest("UNSUPPORTED_ENCODING", "its encoding is not identity")),
};

/** Whether an `accept-encoding` header names gzip (RFC 9110, section 12.5.3). */
export function acceptsGzip(accepted: string | null): boolean {
  return accepted?.split(",").some((coding) => {
    const [name = "", weight = ""] = coding.split(";");
    const quality = /^\s*q=([\d.]+)\s*$/i.exec(weight)?.[1] ?? "1";
    return name.trim().toLowerCase() === "gzip" && Number(quality) > 0;
  }) ?? false;
}
