import type { Command } from "../command.ts";
import * as login from "../login-options.ts";
import * as options from "../options.ts";

const reach = [options.authfile, options.tlsVerify, options.plainHttp, options.caFile, options.retries];
const common = [...options.formatOptions, ...options.networkOptions];

/** Logging in and out, and what is to be known of it. */
export const authCommands: readonly Command[] = [
  {
    name: "login",
    group: "Log in",
    summary: "log in to a registry, for Gantry, Docker and Podman alike",
    details:
      "The registry is asked whether it accepts the login before anything is kept. It is kept where Docker or Podman look " +
      "for it: in the file of --authfile or REGISTRY_AUTH_FILE; else where --compat says; else in Docker's file where " +
      "DOCKER_CONFIG is set; else in the first that exists of Podman's auth.json and Docker's config.json; else in the " +
      "latter. Where that file names a credential helper for the host or for all, the helper keeps it. HOST may have a " +
      "path, for a login that holds for the repositories below it; without HOST, it is for Docker Hub.",
    arguments: [{ name: "host", summary: "the registry, such as registry.example, or HOST/PATH", optional: true }],
    options: [
      login.username,
      login.readPassword,
      login.password,
      login.readIdentityToken,
      login.identityToken,
      login.readRegistryToken,
      login.compat,
      login.check,
      ...options.formatOptions,
      ...reach,
    ],
    examples: [
      { note: "in a script", line: "gantry login registry.example -u alice --password-stdin < password" },
      {
        note: "for the repositories of a team, in a file of its own",
        line: "gantry login registry.example/team -u alice --password-stdin --authfile auth.json < password",
      },
    ],
    endings: ["denied"],
    load: () => import("../commands/login.ts"),
  },
  {
    name: "logout",
    group: "Log in",
    summary: "forget the login of a registry",
    details:
      "It goes from every file that Gantry reads, and from the helpers that these name; with --authfile or --compat, from " +
      "that one alone. A login for a path is not that of its host: name it as it was given.",
    arguments: [{ name: "host", summary: "the registry, or HOST/PATH; Docker Hub, if none", optional: true }],
    options: [login.allLogins, login.compat, options.authfile, ...options.formatOptions],
    examples: [
      { note: "one registry", line: "gantry logout registry.example --authfile logins.json" },
      { note: "all that are in a file", line: "gantry logout --all --authfile logins.json" },
    ],
    endings: ["notFound"],
    load: () => import("../commands/logout.ts"),
  },
  {
    name: "auth why",
    group: "Log in",
    summary: "show which login is used for an image, where it is from, and what it is allowed",
    details:
      "Asks every source of logins in order, then the registry as a pull would (or a push, with --push): what it wants, " +
      "which scopes were asked for and granted, and when the token expires. Secrets are not shown.",
    arguments: [{ name: "reference", summary: "the image", completes: "reference" }],
    options: [login.forPush, ...common],
    examples: [
      { note: "for a pull", line: "gantry auth why registry.example/app:1.0 --authfile logins.json" },
      { note: "for a push", line: "gantry auth why --push registry.example/app:1.0 --authfile logins.json" },
    ],
    endings: ["denied"],
    load: () => import("../commands/auth-why.ts"),
  },
  {
    name: "auth check",
    group: "Log in",
    summary: "ask a registry whether it accepts the login there is for it, without pulling anything",
    arguments: [{ name: "place", summary: "a registry, or an image", completes: "reference" }],
    options: common,
    examples: [
      { note: "the login that is kept", line: "gantry auth check registry.example --authfile logins.json" },
      {
        note: "another one",
        line: "gantry auth check registry.example --creds alice --password-stdin < password",
      },
    ],
    endings: ["denied"],
    load: () => import("../commands/auth-check.ts"),
  },
  {
    name: "auth token",
    group: "Log in",
    summary: "print the token that requests for an image carry",
    details: "Nothing else goes to stdout: it is a secret. With --header, a whole line for `curl -H`.",
    arguments: [{ name: "reference", summary: "the image", completes: "reference" }],
    options: [login.forPush, login.asHeader, options.verbose, ...options.networkOptions],
    examples: [
      {
        note: "to try a request by hand",
        line: "gantry auth token --as-header registry.example/app:1.0 --authfile logins.json",
      },
    ],
    endings: ["denied"],
    load: () => import("../commands/auth-token.ts"),
  },
  {
    name: "auth helper",
    group: "Log in",
    summary: "serve Docker and Podman as a credential helper",
    details:
      "Speaks the protocol of docker-credential-helpers on stdin and stdout: `docker-credential-gantry`, which comes with " +
      'Gantry, calls it where `"credsStore": "gantry"` stands in their files. get looks everywhere that Gantry looks; ' +
      "store, erase and list are about ~/.config/gantry/auth.json.",
    arguments: [{ name: "action", summary: "get, store, erase or list", completes: ["get", "store", "erase", "list"] }],
    options: [],
    examples: [{ note: "what it keeps", line: "gantry auth helper list" }],
    load: () => import("../commands/auth-helper.ts"),
  },
];
