import type { Routes } from "../page.ts";
import { overview } from "./overview.tsx";

/** Every page. */
export const ROUTES: Routes = {
  "/": overview,
};
