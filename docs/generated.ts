import { apiPage } from "./api_page.ts";
import { mpctlPage } from "./mpctl_page.ts";
import { reasonsPage } from "./reasons_page.ts";

/** The pages that are made from code, by their file's name. */
export const GENERATED: Readonly<Record<string, () => Promise<string>>> = {
  "api.md": apiPage,
  "mpctl.md": mpctlPage,
  "reasons.md": reasonsPage,
};
