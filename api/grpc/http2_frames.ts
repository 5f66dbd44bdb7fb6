/** Frame types of HTTP/2 (RFC 9113, section 6). */
export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const FLAG = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Error codes of HTTP/2 (RFC 9113, section 7). */
export const ERROR_CODE = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;

export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const HEAD_BYTES = 9;
/** The largest payload that a peer may send unless another limit was announced. */
export const MAX_FRAME_BYTES = 16_384;
export const MAX_WINDOW = 2 ** 31 - 1;
export const INITIAL_WINDOW = 65_535;

/** Why a connection must end: a frame that RFC 9113 forbids, or one that exceeds a limit. */
export class ConnectionError extends Error {
  /** The error code for GOAWAY. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "ConnectionError";
    this.code = code;
  }
}

/** @throws {ConnectionError} PROTOCOL_ERROR */
export function violation(message: string): never {
  throw new ConnectionError(ERROR_CODE.PROTOCOL_ERROR, message);
}

/** A GOAWAY frame, with the reason as debug data. */
export function goaway(lastStream: number, { code, message }: ConnectionError): Uint8Array {
  const reason = new TextEncoder().encode(message);
  const bytes = new Uint8Array(HEAD_BYTES + 8 + reason.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (8 + reason.length) << 8);
  bytes[3] = FRAME.GOAWAY;
  view.setUint32(9, lastStream);
  view.setUint32(13, code);
  bytes.set(reason, 17);
  return bytes;
}

export function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>>
    0;
}

/** A stream's number or a window's increment, without the reserved highest bit. */
export function uint31(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) & MAX_WINDOW;
}

/** The length of the payload of the frame that begins at `at`. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** A setting's identifier (RFC 9113, section 6.5.2). */
export const MAX_HEADER_LIST_SIZE = 0x6;

/** Adds a setting to SETTINGS, the first of these frames; the last value of a setting counts. */
export function withSetting(bytes: Uint8Array, setting: number, value: number): Uint8Array {
  const at = HEAD_BYTES + payloadLength(bytes, 0);
  if (bytes[3] !== FRAME.SETTINGS || bytes.length < at) return bytes;
  const longer = new Uint8Array(bytes.length + 6);
  longer.set(bytes.subarray(0, at));
  longer.set(bytes.subarray(at), at + 6);
  const view = new DataView(longer.buffer);
  view.setUint32(0, ((at - HEAD_BYTES + 6) << 8) | FRAME.SETTINGS);
  view.setUint16(at, setting);
  view.setUint32(at + 2, value);
  return longer;
}
