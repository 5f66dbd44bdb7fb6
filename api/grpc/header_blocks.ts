import { ConnectionError, ERROR_CODE } from "./http2_frames.ts";

/** The size of the dynamic table that a client may use (RFC 9113, section 6.5.2). */
const MAX_TABLE_BYTES = 4_096;
/** The size of an entry in addition to its name and value (RFC 7541, section 4.1). */
const ENTRY_OVERHEAD = 32;
/** Four bytes after the prefix: any number that fits a block is smaller. */
const MAX_INTEGER_SHIFT = 28;

/**
 * The static table (RFC 7541, appendix A), one field per line: its name, and its value if it has
 * one.
 */
const STATIC_TABLE = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`.trim().split("\n");
const STATIC_NAME_BYTES = STATIC_TABLE.map((line) => line.split(" ")[0]!.length);
const STATIC_FIELD_BYTES = STATIC_TABLE.map((line) =>
  (line.includes(" ") ? line.length - 1 : line.length) + ENTRY_OVERHEAD
);

/**
 * How many symbols have a Huffman code of each length (RFC 7541, appendix B). The code is
 * canonical, so this determines everything except which symbol a code stands for.
 */
const CODES_OF_LENGTH = new Map([
  ...[[5, 10], [6, 26], [7, 32], [8, 6], [10, 5], [11, 3], [12, 2], [13, 6], [14, 2], [15, 3]],
  ...[[19, 3], [20, 8], [21, 13], [22, 26], [23, 29], [24, 12], [25, 4], [26, 15], [27, 19]],
  ...[[28, 29], [30, 4]],
] as [number, number][]);
const MAX_CODE_BITS = 30;
const CODES = Array.from(
  { length: MAX_CODE_BITS + 1 },
  (_, bits) => CODES_OF_LENGTH.get(bits) ?? 0,
);
const FIRST_CODE = CODES.reduce<number[]>((first, _, bits) => {
  first.push(bits === 0 ? 0 : (first[bits - 1]! + CODES[bits - 1]!) << 1);
  return first;
}, []);
const END_OF_STRING = 2 ** MAX_CODE_BITS - 1;

/**
 * Checks the header blocks of a connection like an HPACK decoder (RFC 7541), without creating
 * strings: it tracks the sizes of the dynamic table's entries and the lengths of strings.
 */
export class HeaderBlocks {
  readonly #maxListBytes: number;
  /** Entries of the dynamic table, newest last. */
  readonly #nameBytes: number[] = [];
  readonly #fieldBytes: number[] = [];
  #tableBytes = 0;
  #maxTableBytes = MAX_TABLE_BYTES;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /**
   * Checks the next block.
   * @returns the decoded size of its fields
   * @throws {ConnectionError} COMPRESSION_ERROR if it cannot be decoded, ENHANCE_YOUR_CALM if the
   *   decoded fields exceed the limit
   */
  check(bytes: Uint8Array, start: number, end: number): number {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let listBytes = 0;
    let fields = 0;
    while (this.#at < end) {
      const first = bytes[this.#at]!;
      if (first >= 0x80) {
        listBytes += this.#fieldSize(this.#integer(0x7f));
      } else if ((first & 0xe0) === 0x20) {
        if (fields > 0) undecodable("a table size update behind a field");
        this.#resize(this.#integer(0x1f));
        continue;
      } else {
        const indexed = first >= 0x40;
        const index = this.#integer(indexed ? 0x3f : 0x0f);
        const nameBytes = index === 0 ? this.#string() : this.#nameSize(index);
        const fieldBytes = nameBytes + this.#string() + ENTRY_OVERHEAD;
        if (indexed) this.#insert(nameBytes, fieldBytes);
        listBytes += fieldBytes;
      }
      fields++;
      if (listBytes > this.#maxListBytes) {
        throw new ConnectionError(
          ERROR_CODE.ENHANCE_YOUR_CALM,
          `header fields of more than ${this.#maxListBytes} bytes`,
        );
      }
    }
    return listBytes;
  }

  #integer(mask: number): number {
    let value = this.#bytes[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < MAX_INTEGER_SHIFT; shift += 7) {
      if (this.#at >= this.#end) undecodable("an integer without its end");
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    undecodable("an integer that is too large");
  }

  /** Skips a string. @returns its decoded length */
  #string(): number {
    if (this.#at >= this.#end) undecodable("a field without its end");
    const huffman = this.#bytes[this.#at]! >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#end) undecodable("a string without its end");
    return huffman ? huffmanLength(this.#bytes, start, this.#at) : length;
  }

  #nameSize(index: number): number {
    if (index <= STATIC_NAME_BYTES.length) return STATIC_NAME_BYTES[index - 1]!;
    return this.#nameBytes[this.#dynamic(index)]!;
  }

  #fieldSize(index: number): number {
    if (index === 0) undecodable("index 0");
    if (index <= STATIC_FIELD_BYTES.length) return STATIC_FIELD_BYTES[index - 1]!;
    return this.#fieldBytes[this.#dynamic(index)]!;
  }

  #dynamic(index: number): number {
    const at = this.#fieldBytes.length + STATIC_TABLE.length - index;
    if (at < 0) undecodable(`index ${index}, which the table does not have`);
    return at;
  }

  #insert(nameBytes: number, fieldBytes: number): void {
    this.#evict(this.#maxTableBytes - fieldBytes);
    // A field that is larger than the table empties it (RFC 7541, section 4.4).
    if (fieldBytes > this.#maxTableBytes) return;
    this.#nameBytes.push(nameBytes);
    this.#fieldBytes.push(fieldBytes);
    this.#tableBytes += fieldBytes;
  }

  #resize(bytes: number): void {
    if (bytes > MAX_TABLE_BYTES) undecodable(`a table of ${bytes} bytes`);
    this.#maxTableBytes = bytes;
    this.#evict(bytes);
  }

  #evict(bytes: number): void {
    while (this.#tableBytes > bytes && this.#fieldBytes.length > 0) {
      this.#nameBytes.shift();
      this.#tableBytes -= this.#fieldBytes.shift()!;
    }
  }
}

function huffmanLength(bytes: Uint8Array, start: number, end: number): number {
  let code = 0;
  let bits = 0;
  let symbols = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      bits++;
      if (code - FIRST_CODE[bits]! >= CODES[bits]!) continue;
      if (code === END_OF_STRING) undecodable("a Huffman code for the end of the string");
      symbols++;
      code = 0;
      bits = 0;
    }
  }
  if (bits > 7 || code !== (1 << bits) - 1) undecodable("padding that is not all ones");
  return symbols;
}

function undecodable(what: string): never {
  throw new ConnectionError(
    ERROR_CODE.COMPRESSION_ERROR,
    `a header block that cannot be decoded: ${what}`,
  );
}
