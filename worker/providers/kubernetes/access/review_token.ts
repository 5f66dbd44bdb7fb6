import type { ProviderCall, ReviewedToken, TokenReview } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { fieldAt } from "../client/kube_object.ts";

/**
 * Asks a cluster whose token this is. The review names the audience: a token for the API server
 * itself would otherwise count as valid (Kubernetes, "TokenReview").
 */
export async function reviewToken(
  client: KubeClient,
  { token, audience }: TokenReview,
  { signal }: ProviderCall,
): Promise<ReviewedToken> {
  const review = await client.review({
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token, audiences: [audience] },
  }, { signal });
  const username = fieldAt(review, "status", "user", "username");
  const audiences = fieldAt(review, "status", "audiences");
  const isValid = fieldAt(review, "status", "authenticated") === true;
  return {
    username: isValid && typeof username === "string" ? username : null,
    audiences: Array.isArray(audiences)
      ? audiences.filter((audience) => typeof audience === "string")
      : [],
  };
}
