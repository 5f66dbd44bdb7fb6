/** What JSON can hold; documents, step outputs and heartbeat details are made of it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };
