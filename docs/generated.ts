import { apiPage } from "./api_page.ts";
import { mpctlPage } from "./mpctl_page.ts";

/** The pages that are generated from code, by file name. */
export const GENERATED: Readonly<Record<string, () => Promise<string>>> = {
  "api.md": apiPage,
  "mpctl.md": mpctlPage,
};
