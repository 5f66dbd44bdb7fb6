import { PageHead } from "../components/layout.tsx";
import { Command } from "../components/text.tsx";
import type { Rendered } from "../page.ts";

/**
 * The page that takes a token.
 * @param back where the viewer wanted to go
 * @param problem what is wrong with the token that was given
 */
export const signInPage = (back: string, problem: string | undefined): Rendered => ({
  title: "Sign in",
  ...(problem !== undefined && { mood: "failed" as const }),
  body: (
    <>
      <PageHead title="Sign in" />
      {problem === undefined ? null : (
        <div class="notice bad" role="alert">
          <p>{problem}</p>
        </div>
      )}
      <form class="card sign-in" method="post" action="/ui/sign-in">
        <input type="hidden" name="back" value={back} />
        <label for="token">A token of this platform, or of its issuer</label>
        <input
          class="field"
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          required
        />
        <button type="submit" class="button">Sign in</button>
      </form>
      <p class="muted">
        Somebody who may create tokens gets one by <Command of="mpctl token create dashboard" />
      </p>
    </>
  ),
});
