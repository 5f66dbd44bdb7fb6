import { isLoopback } from "@mpc/process";

/** Whether keys may be fetched from a URL: https, or http on this machine. */
export function isTrustedUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "" || search !== "" || hash !== "") return false;
  if (protocol === "https:") return true;
  return protocol === "http:" && isLoopback({ host: hostname.replace(/^\[|\]$/g, "") });
}
