import type { ApiFault, JsonAnswer } from "../json-api.ts";
import { messageIn } from "../api-error.ts";

/** What is known of a token before it is sent. */
export type TokenKind = "classic" | "fine-grained" | "workflow" | "unknown";

/** What a token is, by the form that GitHub gives it (docs.github.com, "About authentication to GitHub"). */
export function tokenKind(token: string): TokenKind {
  if (token.startsWith("ghp_")) return "classic";
  if (token.startsWith("github_pat_")) return "fine-grained";
  return token.startsWith("ghs_") ? "workflow" : "unknown";
}

const classic = "it takes a classic token: GitHub Packages accepts no fine-grained ones";

/** What GitHub means by an answer that is none that was hoped for, and the way out. `now` is in milliseconds since 1970. */
export function faultOf(answer: JsonAnswer, kind: TokenKind, now: number): ApiFault | undefined {
  const said = messageIn(answer.body) ?? "";
  return (
    limitFault(answer, said, now) ??
    signOnFault(answer) ??
    refusedDeletion(said) ??
    permissionFault(answer, said, kind) ??
    unseenFault(answer, kind)
  );
}

/** GitHub answers 403 as well as 429 where a limit is reached ("Rate limits for the REST API"). */
function limitFault({ status, headers }: JsonAnswer, said: string, now: number): ApiFault | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const isSpent = headers["x-ratelimit-remaining"] === "0";
  if (!isSpent && headers["retry-after"] === undefined && !/rate limit/i.test(said)) return undefined;
  const reset = Number(headers["x-ratelimit-reset"]);
  const wait =
    headers["retry-after"] ?? (isSpent && reset > 0 ? Math.max(0, Math.ceil(reset - now / 1000)) : undefined);
  const seconds = /^\d+$/.test(String(wait)) ? ` in ${wait} seconds` : " later";
  return { code: "TOOMANYREQUESTS", hint: `try again${seconds}` };
}

/** "Authenticating to the REST API", on SAML single sign-on. */
function signOnFault({ status, headers }: JsonAnswer): ApiFault | undefined {
  const [, url] = /^required; *url=(https:\/\/[\x21-\x7e]{1,500})$/.exec(headers["x-github-sso"] ?? "") ?? [];
  if (status !== 403 || url === undefined) return undefined;
  return { code: "DENIED", hint: `the organization wants single sign-on: authorize the token at ${url}` };
}

/** What cannot be deleted is answered with 400 ("Deleting and restoring a package"). */
function refusedDeletion(said: string): ApiFault | undefined {
  if (/last (?:tagged )?version of a package/i.test(said)) {
    return {
      code: "CONFLICT",
      hint: "GitHub keeps the last image of a package: delete the whole package with `gantry repo delete --force`",
    };
  }
  if (/more than 5,?000 downloads/i.test(said)) {
    return { code: "DENIED", hint: "GitHub's support alone deletes public images with more than 5,000 downloads" };
  }
  return undefined;
}

function permissionFault({ status, headers }: JsonAnswer, said: string, kind: TokenKind): ApiFault | undefined {
  if (status === 401) {
    return { hint: kind === "fine-grained" ? classic : "the token is wrong, expired or revoked: log in with another" };
  }
  if (status === 400 && /^invalid argument/i.test(said)) {
    return {
      code: "DENIED",
      hint: "the GITHUB_TOKEN of a workflow cannot list packages: name one, or log in with a classic token with read:packages",
    };
  }
  if (status !== 403) return undefined;
  if (kind === "fine-grained" || /by personal access token/i.test(said)) return { hint: classic };
  if (kind === "workflow" || /by integration/i.test(said)) {
    return {
      hint: "give the job `permissions: packages: write`, and its repository access to the package (Package settings, Manage Actions access)",
    };
  }
  const scope = missingScope(headers, said);
  return { hint: scope ? `the token lacks the scope ${scope}` : "the package's settings say who may do that" };
}

/** A package that a token may not see is not there for it. */
function unseenFault({ status, headers }: JsonAnswer, kind: TokenKind): ApiFault | undefined {
  if (status !== 404) return undefined;
  if (kind === "fine-grained") return { hint: `or the token may not see it: ${classic}` };
  const scope = missingScope(headers, "");
  return { hint: `or the token may not see it${scope ? `: it lacks the scope ${scope}` : ""}` };
}

/** The scope that GitHub names in its text, or in its headers, and that the token has not. */
function missingScope(headers: JsonAnswer["headers"], said: string): string | undefined {
  const [, named] = /at least (\w+:packages) scope/.exec(said) ?? [];
  if (named !== undefined) return named;
  const [has, accepted] = ["x-oauth-scopes", "x-accepted-oauth-scopes"].map((name) =>
    headers[name]?.split(",").flatMap((scope) => /^\s*([a-z_]+:?[a-z_]+)\s*$/.exec(scope)?.[1] ?? []),
  );
  if (!has || !accepted || accepted.length === 0 || accepted.some((scope) => has.includes(scope))) return undefined;
  return accepted.join(" or ");
}
