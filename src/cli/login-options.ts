import { flag, unless, value, type Option } from "./option.ts";
import { parseCompat } from "./option-values.ts";

/** Logging in and out, and `auth`. */
export const username: Option<string | undefined> = value("-u, --username <user>", "the user's name", String);
export const password: Option<string | undefined> = value(
  "-p, --password <password>",
  "the password; the shell's history keeps it: better --password-stdin",
  String,
  { secret: "PASSWORD" },
);
export const readPassword: Option<boolean> = flag("--password-stdin", "read the password from stdin");
export const readIdentityToken: Option<boolean> = flag(
  "--identity-token-stdin",
  "read an identity token from stdin: a secret that buys tokens",
);
export const readRegistryToken: Option<boolean> = flag(
  "--token-stdin",
  "read a registry token from stdin: a bearer token that is used as it is",
  { also: [{ flags: "--registry-token-stdin" }] },
);
export const identityToken: Option<string | undefined> = value(
  "--identity-token <token>",
  "the identity token; the shell's history keeps it: better --identity-token-stdin",
  String,
  { secret: "TOKEN" },
);
export const compat: Option<"docker" | "podman" | undefined> = value(
  "--compat <tool>",
  "keep it where docker or podman does",
  parseCompat,
  { completes: ["docker", "podman"] },
);
export const check: Option<boolean> = unless("--no-check", "keep it without asking the registry");
export const allLogins: Option<boolean> = flag("-a, --all", "every registry");
export const forPush: Option<boolean> = flag("--push", "for a push instead of a pull");
export const asHeader: Option<boolean> = flag("--as-header", "as an HTTP header, of whichever kind the registry wants");
