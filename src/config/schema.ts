import * as kinds from "./kind.ts";
import type { Kind } from "./kind.ts";

interface Base {
  /** One line, for lists. */
  readonly summary: string;
  /**
   * Counts in a project file only where its directory is trusted: it decides where secrets and images go, what is believed or
   * which programs run. A function says for which values.
   */
  readonly guarded?: true | ((value: unknown) => boolean);
}

/** A key with one value. */
export interface Scalar<T> extends Base {
  readonly shape: "scalar";
  readonly kind: Kind<T>;
  /** What counts where nobody says anything, as it would be written. */
  readonly otherwise?: string;
}

/** A key with any number of values; one may stand without brackets. */
export interface List<T> extends Base {
  readonly shape: "list";
  readonly item: Kind<T>;
  /** Never in a project file. */
  readonly personal?: true;
  /** One with nothing in it is a mistake. */
  readonly filled?: true;
}

/** Keys under a key. */
export interface Group<F extends Fields> extends Base {
  readonly shape: "group";
  readonly fields: F;
}

/** Entries under names of the user's. */
export interface Table<E extends Entry> extends Base {
  readonly shape: "table";
  readonly name: Kind<string>;
  /** What stands under a name. */
  readonly entry: E;
  /** An entry counts as a whole, so that levels do not mix in it, and has the keys of one of these ways. */
  readonly ways?: readonly (readonly string[])[];
  /** An entry with nothing in it is a mistake. */
  readonly filled?: true;
}

/** One key of the schema. */
export type Entry = Scalar<unknown> | List<unknown> | Group<Fields> | Table<Entry>;
export type Fields = { readonly [key: string]: Entry };

/** The type of what a key holds. */
export type ValueOf<E> =
  E extends Scalar<infer T>
    ? T
    : E extends List<infer T>
      ? readonly T[]
      : E extends Group<infer F>
        ? ValuesOf<F>
        : E extends Table<infer N>
          ? Readonly<Record<string, ValueOf<N>>>
          : never;
/** The type of what keys hold, each of which may be missing. */
export type ValuesOf<F> = { readonly [K in keyof F]?: ValueOf<F[K]> };

function scalar<T>(kind: Kind<T>, summary: string, more: Pick<Scalar<T>, "otherwise" | "guarded"> = {}): Scalar<T> {
  return { shape: "scalar", kind, summary, ...more };
}

function list<T>(item: Kind<T>, summary: string, more: Pick<List<T>, "guarded" | "personal" | "filled"> = {}): List<T> {
  return { shape: "list", item, summary, ...more };
}

function group<F extends Fields>(summary: string, fields: F, more: Pick<Base, "guarded"> = {}): Group<F> {
  return { shape: "group", summary, fields, ...more };
}

function table<E extends Entry>(
  name: Kind<string>,
  summary: string,
  entry: E,
  more: Pick<Table<E>, "guarded" | "ways" | "filled"> = {},
): Table<E> {
  return { shape: "table", name, summary, entry, ...more };
}

const guarded = { guarded: true } as const;
const filled = { filled: true } as const;
const isLowered = (value: unknown): boolean => value !== "1.3";

/** The services that a host may be said to belong to: the names of src/provider. */
const services = [
  "dockerhub",
  "ecr",
  "ecr-public",
  "artifact-registry",
  "acr",
  "ghcr",
  "gitlab",
  "harbor",
  "quay",
  "gantry",
  "generic",
] as const;

/** What the configuration may say of one host. */
export const hostFields = {
  insecure: scalar(kinds.yesOrNo, "accept any certificate, and plain HTTP", guarded),
  plainHttp: scalar(kinds.yesOrNo, "speak HTTP without TLS", guarded),
  caFiles: list(kinds.path, "trust the certificates in these PEM files too", guarded),
  certFile: scalar(kinds.path, "the client's certificate (PEM)", guarded),
  keyFile: scalar(kinds.path, "and its key; without it, the key is in certFile too", guarded),
  minTls: scalar(kinds.tlsVersion, "the lowest version of TLS", { guarded: isLowered }),
  proxy: scalar(kinds.proxy, "the proxy to go through, or none", guarded),
  address: scalar(kinds.address, "connect to this IP address", guarded),
  headers: table(
    kinds.headerName,
    "sent with every request to this host, and to no other",
    scalar(kinds.headerValue, "the header's value"),
    guarded,
  ),
  connectTimeout: scalar(kinds.duration, "how long connecting may take"),
  answerTimeout: scalar(kinds.duration, "how long an answer may take to begin"),
  idleTimeout: scalar(kinds.duration, "how long nothing may come or go"),
  maxIdle: scalar(kinds.duration, "how long an unused connection is kept"),
  mirrors: list(kinds.place, "where pulls are tried first, in this order", guarded),
  quotaReserve: scalar(kinds.count(0), "how many pulls of the host's rate limit are left alone"),
  provider: scalar(kinds.oneOf(...services), "the service that it belongs to, where its name does not tell", guarded),
  api: scalar(kinds.webAddress, "where that service's own API answers", guarded),
  env: table(
    kinds.variableName,
    "variables of that service's own tools, for this host alone",
    scalar(kinds.secret, "the variable's value, such as the profile in AWS_PROFILE"),
    guarded,
  ),
};

const stageFields = {
  to: scalar(kinds.text, "its repositories: registry.example/prod/{name}, perhaps with a tag"),
  tags: list(kinds.text, "the tags that an image gets there: {tag}, {major}.{minor}, stable"),
  from: scalar(kinds.plainName, "the stage that has to have an image first"),
  gates: group("what has to pass before an image goes there", {
    age: scalar(kinds.age, "how long ago it was built, or came to the stage before"),
    requires: list(kinds.text, "what has to be attached: signature, sbom, attestation, or an artifact type"),
    approval: list(kinds.text, "who may approve, by --approve; * is anybody", filled),
    commands: table(kinds.plainName, "programs that end with 0", list(kinds.text, "a program and its words", filled)),
    timeout: scalar(kinds.limit, "how long one of them may take; 5m without"),
  }),
};

const credentialFields = {
  username: scalar(kinds.text, "the user, with password or passwordFile"),
  password: scalar(kinds.secret, "the user's password; better passwordFile or ${NAME}"),
  passwordFile: scalar(kinds.path, "a file with nothing but the password"),
  token: scalar(kinds.secret, "a bearer token, used as it is"),
  identityToken: scalar(kinds.secret, "an identity (refresh) token, which buys tokens"),
  credHelper: scalar(kinds.helperName, "ask this helper: docker-credential-NAME"),
};

const waysToLogIn = [
  ["username", "password"],
  ["username", "passwordFile"],
  ["token"],
  ["identityToken"],
  ["credHelper"],
];

/** Every key that a configuration may have: validation, the JSON Schema and docs/guide/configuration.md come from here. */
export const schema = {
  authFile: scalar(kinds.path, "read logins from this file instead of Docker's and Podman's", guarded),
  credentials: table(
    kinds.place,
    "logins, by HOST[:PORT][/PATH]; the longest path wins",
    group("one login", credentialFields),
    { ways: waysToLogIn, guarded: true },
  ),
  hosts: table(kinds.host, "how hosts are reached, by HOST[:PORT], or * for all", group("one host", hostFields)),
  retries: scalar(kinds.count(0), "how often a failed request is sent again, or a broken transfer gone on with", {
    otherwise: "5",
  }),
  retryDelay: scalar(kinds.duration, "how long to wait before that, at first", { otherwise: "250ms" }),
  jobs: scalar(kinds.count(1), "how many blobs at a time", { otherwise: "16" }),
  limitRate: scalar(kinds.size, "at most this many bytes a second"),
  referrers: scalar(kinds.yesOrNo, "take signatures and what else is attached along", { otherwise: "true" }),
  progress: scalar(kinds.oneOf("auto", "plain", "json", "none"), "how progress is shown", { otherwise: "auto" }),
  quotaReserve: scalar(kinds.count(0), "how many pulls of a host's rate limit are left alone", { otherwise: "0" }),
  userAgent: scalar(kinds.text, "what Gantry calls itself to registries"),
  proxy: scalar(kinds.proxy, "the proxy to go through, or none; else HTTPS_PROXY and its kin say", guarded),
  connectTimeout: scalar(kinds.duration, "how long connecting may take", { otherwise: "30s" }),
  answerTimeout: scalar(kinds.duration, "how long an answer may take to begin", { otherwise: "5m" }),
  idleTimeout: scalar(kinds.duration, "how long nothing may come or go", { otherwise: "1m" }),
  maxIdle: scalar(kinds.duration, "how long an unused connection is kept"),
  minTls: scalar(kinds.tlsVersion, "the lowest version of TLS", { otherwise: "1.2", guarded: isLowered }),
  caFiles: list(kinds.path, "trust the certificates in these PEM files too", guarded),
  certDir: scalar(kinds.path, "a directory of certificates as Docker's certs.d, for the hosts named", guarded),
  registriesConf: scalar(kinds.path, "read this registries.conf instead of the system's", guarded),
  shortNames: scalar(
    kinds.oneOf("docker", "containers"),
    "what `alpine` means: Docker Hub's, or what registries.conf says",
    {
      otherwise: "docker",
    },
  ),
  kubernetes: group(
    "secrets of Kubernetes",
    {
      registry: scalar(kinds.place, "what mounted secrets are for that do not name their registry"),
      enabled: scalar(kinds.yesOrNo, "ask its API for image pull secrets", { otherwise: "false" }),
      kubeconfig: scalar(kinds.path, "the file that says how to reach it"),
      context: scalar(kinds.text, "which context of that file"),
      namespace: scalar(kinds.text, "where the secrets are"),
      serviceAccount: scalar(kinds.text, "whose pull secrets", { otherwise: "default" }),
    },
    guarded,
  ),
  inUse: group(
    "which images are in use, and so never deleted",
    {
      files: list(kinds.path, "files that name them: a reference a line, or objects of Kubernetes"),
      compose: list(kinds.path, "Compose files whose services use them"),
      kubernetes: list(kinds.text, "contexts of the kubeconfig whose clusters run them, or current"),
      namespaces: list(kinds.plainName, "of those clusters, these namespaces alone"),
    },
    guarded,
  ),
  promote: group(
    "how images go from stage to stage",
    { stages: table(kinds.plainName, "the stages, such as staging and prod", group("one stage", stageFields), filled) },
    guarded,
  ),
  tags: group("rules for tags", {
    immutable: list(
      kinds.text,
      "tags that never move: a glob such as v*, /a regular expression/, or semver:>=1.0 for versions with three numbers",
    ),
  }),
  trust: list(kinds.path, "directories whose project files may decide where secrets go", { personal: true }),
};

/** A key at the top. */
export type ConfigKey = keyof typeof schema;

/** A key that an option may stand for: one at the top, or one right below a group. */
export type SettingKey = {
  [K in ConfigKey]: (typeof schema)[K] extends Group<infer F> ? `${K}.${keyof F & string}` : K;
}[ConfigKey];

/** What a configuration says, typed: times are in milliseconds, sizes in bytes, paths absolute; secrets are in clear. */
export type ConfigValues = ValuesOf<typeof schema>;

/** The keys at the top, in the order they are documented in. */
export const configKeys = Object.keys(schema) as readonly ConfigKey[];

/** The environment variable of a key at the top: `retryDelay` is GANTRY_RETRY_DELAY. */
export function variableOf(key: string): string {
  return `GANTRY_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
