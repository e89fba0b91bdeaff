import type { Credential } from "../../auth/credential.ts";

/** A registry login as the API takes it. */
export interface Login {
  /** What it is: with `job`, GitLab answers few addresses and no GraphQL; `registry` is for the registry alone. */
  readonly kind: "none" | "token" | "job" | "registry";
  /** What is sent. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a registry's login is to the API ("REST API authentication"); of a deploy token nothing is sent. */
export function loginOf(credential: Credential | undefined): Login {
  if (credential?.kind !== "basic") return { kind: credential ? "registry" : "none", headers: {} };
  const { username, password } = credential;
  const secret = password.reveal();
  if (username === "gitlab-ci-token") return { kind: "job", headers: { "job-token": secret } };
  if (username.startsWith("gitlab+deploy-token-") || secret.startsWith("gldt-"))
    return { kind: "registry", headers: {} };
  // An access token by OAuth, for which this user name stands, is no PRIVATE-TOKEN.
  if (username === "oauth2") return { kind: "token", headers: { authorization: `Bearer ${secret}` } };
  return { kind: "token", headers: { "private-token": secret } };
}
