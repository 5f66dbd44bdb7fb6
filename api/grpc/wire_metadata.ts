import { Buffer } from "node:buffer";
import type { OutgoingHttpHeaders } from "node:http2";
import { Metadata } from "@grpc/grpc-js";

const BINARY = "-bin";
const FIELD_OVERHEAD = 32;
const PADDING = /=+$/;

/**
 * Metadata as it is sent. grpc-js pads binary values, which must be accepted but should not be sent
 * ("gRPC over HTTP2", Requests), and writes its own headers before the metadata.
 */
export class WireMetadata extends Metadata {
  readonly #headers: OutgoingHttpHeaders;

  constructor(headers: OutgoingHttpHeaders) {
    super();
    this.#headers = headers;
  }

  /** @param own replaces headers of grpc-js; undefined ones are not sent */
  static of(metadata: Metadata | null | undefined, own: OutgoingHttpHeaders = {}): WireMetadata {
    const headers: OutgoingHttpHeaders = { ...own };
    for (const [name, value] of Object.entries(metadata?.toHttp2Headers() ?? {})) {
      headers[name] = name.endsWith(BINARY) ? unpadded(value) : value;
    }
    return new WireMetadata(headers);
  }

  /** The size of the fields, as HTTP/2 counts them (RFC 9113, section 6.5.2). */
  get bytes(): number {
    let bytes = 0;
    for (const [name, value] of Object.entries(this.#headers)) {
      for (const one of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
        bytes += name.length + String(one).length + FIELD_OVERHEAD;
      }
    }
    return bytes;
  }

  override toHttp2Headers(): OutgoingHttpHeaders {
    return this.#headers;
  }

  /** Returns the same object, although grpc-js clones metadata before it adds to it. */
  override clone(): Metadata {
    return this;
  }
}

function unpadded(value: OutgoingHttpHeaders[string]): OutgoingHttpHeaders[string] {
  if (Array.isArray(value)) return value.map((one) => one.replace(PADDING, ""));
  return String(value).replace(PADDING, "");
}

/** The metadata that a method has set; undefined if it has set none. */
export function metadataOf(headers: Headers | undefined): Metadata | undefined {
  let metadata: Metadata | undefined;
  for (const [name, value] of headers ?? []) {
    metadata ??= new Metadata();
    if (!name.endsWith(BINARY)) metadata.add(name, value);
    // `Headers` joins values of the same name with commas, which base64 does not contain.
    else for (const one of value.split(",")) metadata.add(name, Buffer.from(one, "base64"));
  }
  return metadata;
}

/** A caller's metadata, with binary values in base64. */
export function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) {
      headers.append(
        name,
        typeof value === "string" ? value : value.toString("base64").replace(PADDING, ""),
      );
    }
  }
  return headers;
}
