import { flag, unless, value, values, type Option } from "./option.ts";
import { providerNames, type Credential, type ProviderName } from "../index.ts";
import { login, parseBoolean, parseMirror, parseNumber, parseProvider, parseToken } from "./option-values.ts";
import { wayOptions } from "./way-options.ts";

const network = "Network:";

/** How requests are made, and by whom. */
export const creds: Option<string | undefined> = value(
  "--creds <user[:password]>",
  "log in to the registry as this user",
  String,
  {
    heading: network,
    secret: "USER:PASSWORD",
  },
);
export const passwordStdin: Option<boolean> = flag(
  "--password-stdin",
  "with --creds USER: read the password from stdin",
  {
    heading: network,
  },
);
export const registryToken: Option<Credential | undefined> = value(
  "--registry-token <token>",
  "a bearer token for the registry, used as it is",
  parseToken,
  { heading: network, rare: true, secret: "TOKEN" },
);
export const authfile: Option<string | undefined> = value(
  "--authfile <file>",
  "read logins from this file instead of Docker's and Podman's",
  String,
  { heading: network, completes: "file", setting: "authFile", also: [{ flags: "--registry-config <file>" }] },
);
export const tlsVerify: Option<boolean | undefined> = value(
  "--tls-verify <true|false>",
  "false: accept any certificate, and plain HTTP",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "-k, --insecure", value: "false" }] },
);
export const plainHttp: Option<boolean> = flag("--plain-http", "speak HTTP without TLS", { heading: network });
export const caFile: Option<readonly string[]> = values(
  "--ca-file <file>",
  "trust the certificates in this PEM file too",
  String,
  {
    heading: network,
    completes: "file",
    setting: "caFiles",
  },
);
export const certDir: Option<string | undefined> = value(
  "--cert-dir <dir>",
  "a directory with authorities (*.crt), or a client certificate (*.cert, *.key), for the hosts named",
  String,
  { heading: network, rare: true, completes: "directory", setting: "certDir" },
);
export const certFile: Option<string | undefined> = value(
  "--cert-file <file>",
  "a client certificate for the hosts named (PEM)",
  String,
  { heading: network, rare: true, completes: "file" },
);
export const keyFile: Option<string | undefined> = value(
  "--key-file <file>",
  "and its key, where that is not in the same file",
  String,
  { heading: network, rare: true, completes: "file" },
);
export const registriesConf: Option<string | undefined> = value(
  "--registries-conf <file>",
  "read this registries.conf instead of the machine's",
  String,
  { heading: network, rare: true, completes: "file", setting: "registriesConf" },
);
export const mirror: Option<readonly (readonly [host: string, mirrors: readonly string[]])[]> = values(
  "--mirror <host=mirror>",
  "pull what is of this host from a mirror first: HOST=MIRROR[/PATH][,MIRROR...]; repeat for more hosts",
  parseMirror,
  { heading: network, rare: true },
);
export const useMirrors: Option<boolean> = unless("--no-mirrors", "ask no mirrors, whatever the machine's files say", {
  heading: network,
  rare: true,
});
export const provider: Option<ProviderName | undefined> = value(
  "--provider <name>",
  "the service that the registry belongs to, where its host does not tell: harbor, gitlab, quay ...",
  parseProvider,
  { heading: network, rare: true, completes: providerNames },
);
export const retries: Option<number | undefined> = value(
  "--retries <count>",
  "how often a failed request is sent again, or a broken transfer gone on with (default: 5)",
  parseNumber,
  { heading: network, setting: "retries", also: [{ flags: "--retry-times <count>" }] },
);
export const configFile: Option<string | undefined> = value(
  "--config <file>",
  "read the configuration from this file instead of the project's and the user's",
  String,
  { heading: network, completes: "file" },
);
/** What every command that speaks to a registry takes. */
export const networkOptions: readonly Option[] = [
  creds,
  passwordStdin,
  registryToken,
  authfile,
  tlsVerify,
  plainHttp,
  caFile,
  certDir,
  certFile,
  keyFile,
  registriesConf,
  mirror,
  useMirrors,
  provider,
  retries,
  ...wayOptions,
  configFile,
];

/** The same for one side of a copy. */
export const srcCreds: Option<Credential | undefined> = value(
  "--src-creds <user:password>",
  "log in to the source",
  login("--src-creds"),
  {
    heading: network,
    secret: "USER:PASSWORD",
    also: [{ flags: "--from-creds <user:password>" }],
  },
);
export const destCreds: Option<Credential | undefined> = value(
  "--dest-creds <user:password>",
  "log in to the destinations",
  login("--dest-creds"),
  {
    heading: network,
    secret: "USER:PASSWORD",
    also: [{ flags: "--to-creds <user:password>" }],
  },
);
export const srcRegistryToken: Option<Credential | undefined> = value(
  "--src-registry-token <token>",
  "--registry-token for the source",
  parseToken,
  { heading: network, rare: true, secret: "TOKEN", also: [{ flags: "--from-registry-token <token>" }] },
);
export const destRegistryToken: Option<Credential | undefined> = value(
  "--dest-registry-token <token>",
  "--registry-token for the destinations",
  parseToken,
  { heading: network, rare: true, secret: "TOKEN", also: [{ flags: "--to-registry-token <token>" }] },
);
export const srcAuthfile: Option<string | undefined> = value(
  "--src-authfile <file>",
  "--authfile for the source",
  String,
  { heading: network, rare: true, completes: "file" },
);
export const destAuthfile: Option<string | undefined> = value(
  "--dest-authfile <file>",
  "--authfile for the destinations",
  String,
  { heading: network, rare: true, completes: "file" },
);
export const srcTlsVerify: Option<boolean | undefined> = value(
  "--src-tls-verify <true|false>",
  "--tls-verify for the source",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "--from-insecure", value: "false" }] },
);
export const destTlsVerify: Option<boolean | undefined> = value(
  "--dest-tls-verify <true|false>",
  "--tls-verify for the destinations",
  parseBoolean,
  { heading: network, completes: ["true", "false"], also: [{ flags: "--to-insecure", value: "false" }] },
);
export const srcPlainHttp: Option<boolean> = flag("--src-plain-http", "--plain-http for the source", {
  heading: network,
  rare: true,
  also: [{ flags: "--from-plain-http" }],
});
export const destPlainHttp: Option<boolean> = flag("--dest-plain-http", "--plain-http for the destinations", {
  heading: network,
  rare: true,
  also: [{ flags: "--to-plain-http" }],
});
export const srcCertDir: Option<string | undefined> = value(
  "--src-cert-dir <dir>",
  "--cert-dir for the source",
  String,
  { heading: network, rare: true, completes: "directory" },
);
export const destCertDir: Option<string | undefined> = value(
  "--dest-cert-dir <dir>",
  "--cert-dir for the destinations",
  String,
  { heading: network, rare: true, completes: "directory" },
);
export const sideOptions: readonly Option[] = [
  srcCreds,
  destCreds,
  srcRegistryToken,
  destRegistryToken,
  srcAuthfile,
  destAuthfile,
  srcTlsVerify,
  destTlsVerify,
  srcPlainHttp,
  destPlainHttp,
  srcCertDir,
  destCertDir,
];
