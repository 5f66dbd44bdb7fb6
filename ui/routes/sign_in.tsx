import { PageHead } from "../components/layout.tsx";
import { Command } from "../components/text.tsx";
import type { Rendered } from "../page.ts";

/**
 * The page that takes a token.
 * @param back where the viewer wanted to go
 * @param refused whether the API has refused the token that was given
 */
export const signInPage = (back: string, refused: boolean): Rendered => ({
  title: "Sign in",
  ...(refused && { mood: "failed" as const }),
  body: (
    <>
      <PageHead title="Sign in" />
      {refused
        ? (
          <div class="notice bad" role="alert">
            <p>The API does not accept this token. Check it, or create another one.</p>
          </div>
        )
        : null}
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
