import { ConnectionError, ERROR_CODE, uint31, uint32, violation } from "./http2_frames.ts";

const SETTING = {
  ENABLE_PUSH: 0x2,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  ENABLE_CONNECT_PROTOCOL: 0x8,
  NO_RFC7540_PRIORITIES: 0x9,
} as const;
const SETTING_BYTES = 6;
/** As many as nghttp2 accepts. */
const MAX_SETTINGS = 32;

/** @throws {ConnectionError} FRAME_SIZE_ERROR */
export function checkLength(frame: string, length: number, wanted: number): void {
  if (length === wanted) return;
  throw new ConnectionError(
    ERROR_CODE.FRAME_SIZE_ERROR,
    `${frame} of ${length} bytes, must be ${wanted}`,
  );
}

/** What a guard needs to know about a client's SETTINGS. */
export interface ClientSettings {
  /** NO_RFC7540_PRIORITIES, which may not change (RFC 9218, section 2.1). */
  readonly priorities: number | undefined;
  /** Each INITIAL_WINDOW_SIZE, in order: all of them take effect. */
  readonly initialWindows: readonly number[];
}

/** Checks the payload of SETTINGS (RFC 9113, section 6.5). */
export function checkSettings(bytes: Uint8Array, at: number, length: number): ClientSettings {
  if (length % SETTING_BYTES !== 0) {
    const message = `SETTINGS of ${length} bytes, must be a multiple of ${SETTING_BYTES}`;
    throw new ConnectionError(ERROR_CODE.FRAME_SIZE_ERROR, message);
  }
  if (length > MAX_SETTINGS * SETTING_BYTES) {
    throw new ConnectionError(ERROR_CODE.ENHANCE_YOUR_CALM, `more than ${MAX_SETTINGS} settings`);
  }
  let priorities: number | undefined;
  const initialWindows: number[] = [];
  for (let entry = at; entry < at + length; entry += SETTING_BYTES) {
    const id = (bytes[entry]! << 8) | bytes[entry + 1]!;
    const value = uint32(bytes, entry + 2);
    switch (id) {
      case SETTING.NO_RFC7540_PRIORITIES:
      case SETTING.ENABLE_PUSH:
      case SETTING.ENABLE_CONNECT_PROTOCOL:
        if (value > 1) violation(`setting ${id} of ${value}, must be 0 or 1`);
        if (id === SETTING.NO_RFC7540_PRIORITIES) priorities = value;
        break;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value >= 2 ** 31) {
          const message = `an initial window of ${value} bytes`;
          throw new ConnectionError(ERROR_CODE.FLOW_CONTROL_ERROR, message);
        }
        initialWindows.push(value);
        break;
      case SETTING.MAX_FRAME_SIZE:
        if (value < 2 ** 14 || value >= 2 ** 24) violation(`a largest frame of ${value} bytes`);
    }
  }
  return { priorities, initialWindows };
}

/** Checks that a stream does not depend on itself (RFC 7540, section 5.3.1). */
export function checkPriority(bytes: Uint8Array, at: number, stream: number): void {
  if (uint31(bytes, at) === stream) violation(`stream ${stream} depends on itself`);
}
